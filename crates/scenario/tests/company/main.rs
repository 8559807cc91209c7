//! The company's files, read back as anybody would: they agree with the truth beside them, and the story is in them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[cfg(test)]
mod support;
#[cfg(test)]
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, Outcome};
use support::{Read, Truth, default_options, files, generated, same_files, truths};

/// One run serves all tests of one file: it is a twentieth of the company, all 90 days.
#[test]
fn reports_agree_with_the_truth_and_tell_the_story() {
    let folder = tempfile::tempdir().unwrap();
    let summary = generated(folder.path(), &default_options());
    let read = Read::all(folder.path());
    let truths = truths(folder.path());

    assert_eq!(files(folder.path().join("reports").as_path()).len() as u64, summary.files);
    assert_eq!((read.reports(), read.rows(), read.messages()), (summary.reports, summary.rows, summary.messages));
    let alone = agrees(&read, &truths);
    assert!(alone > 70, "{alone} flows have sources of their own");
    cells_agree(folder.path(), &read);
    assert_eq!(truths.iter().map(|truth| truth.sent).sum::<u64>(), summary.sent);
    assert!(truths.iter().all(|truth| truth.reported <= truth.sent));
    everybody_is_there(&truths);
    december_stands_out(&read, &truths);
    habits_show(&read);
    println!(
        "{} reports, {} rows, {} messages agree with {} flows",
        read.reports(),
        read.rows(),
        read.messages(),
        truths.len()
    );
}

/// The sums of the truth are those of the reports: by day, by author domain, by outcome, and by flow where a flow's sources are its own.
fn agrees(read: &Read, truths: &[Truth]) -> usize {
    let mut days: BTreeMap<Day, u64> = BTreeMap::new();
    let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut users: BTreeMap<std::net::IpAddr, usize> = BTreeMap::new();
    for truth in truths {
        for day in truth.days.iter().filter(|day| day.reported > 0) {
            *days.entry(day.day).or_default() += day.reported;
        }
        for author in truth.author_domains.iter().filter(|author| author.reported > 0) {
            *domains.entry(&author.domain).or_default() += author.reported;
        }
        for (outcome, messages) in &truth.outcomes {
            *outcomes.entry(outcome).or_default() += messages;
        }
        for source in &truth.sources {
            *users.entry(*source).or_default() += 1;
        }
        let sums = [
            truth.days.iter().map(|day| day.reported).sum(),
            truth.author_domains.iter().map(|author| author.reported).sum(),
            truth.outcomes.values().sum::<u64>(),
        ];
        assert_eq!(sums, [truth.reported; 3], "{}", truth.id);
    }
    assert_eq!(days, read.days);
    assert_eq!(domains, read.domains.iter().map(|(domain, n)| (domain.as_str(), *n)).collect());
    assert_eq!(outcomes, read.outcomes.iter().map(|(outcome, n)| (outcome.word(), *n)).collect());
    let mut alone = 0;
    for truth in truths.iter().filter(|truth| truth.sources.iter().all(|source| users[source] == 1)) {
        let found: u64 = truth.sources.iter().filter_map(|source| read.sources.get(source)).sum();
        assert_eq!(found, truth.reported, "{}", truth.id);
        alone += 1;
    }
    alone
}

/// Every cell of the truth has the messages that reports have in the same words, and nothing else is there.
fn cells_agree(folder: &std::path::Path, read: &Read) {
    let cells = support::cells(folder);
    let mut told: BTreeMap<support::CellKey, u64> = BTreeMap::new();
    for cell in &cells {
        let key = (
            cell.domain.to_string(),
            cell.source,
            cell.dkim.to_string(),
            cell.spf.to_string(),
            cell.envelope_from.to_string(),
            cell.overrides.to_string(),
        );
        assert!(told.insert(key, cell.truth.iter().map(|behind| behind.messages).sum()).is_none(), "twice: {cell:?}");
    }
    let found = read.cells();
    assert_eq!(told.len(), found.len());
    for (told, found) in told.iter().zip(&found) {
        assert_eq!(told, found);
    }
}

fn everybody_is_there(truths: &[Truth]) {
    let classes: BTreeSet<&str> =
        truths.iter().filter(|t| t.reported > 0).flat_map(|t| t.phases.iter().map(|p| p.class.as_str())).collect();
    assert_eq!(classes.len(), scenario::Class::ALL.len(), "{classes:?}");
    let teams: BTreeSet<&str> =
        truths.iter().filter(|t| t.service.is_some()).filter_map(|t| t.team.as_deref()).collect();
    assert!(teams.len() >= 25, "{} teams use services", teams.len());
    for diagnosis in ["spf_permerror", "helo_without_spf", "unlisted_and_unsigned", "signs_with_wrong_domain"] {
        assert!(truths.iter().any(|t| t.diagnosis == diagnosis && t.reported > 0), "{diagnosis}");
    }
}

/// The campaign is one day, one network, six addresses, and two to three times the usual failing mail.
fn december_stands_out(read: &Read, truths: &[Truth]) {
    let campaign = truths.iter().find(|truth| truth.class == "campaign").unwrap();
    assert_eq!(campaign.days.len(), 1);
    assert_eq!(campaign.days[0].day.to_string(), "2025-12-23");
    assert_eq!(campaign.sources.len(), 6);
    assert_eq!(campaign.outcomes.keys().collect::<Vec<_>>(), ["unauthenticated"]);
    let mut loudest: Vec<(u64, Day)> = read.failing.iter().map(|(day, n)| (*n, *day)).collect();
    loudest.sort_unstable();
    assert_eq!(loudest.last().unwrap().1.to_string(), "2025-12-23", "{loudest:?}");
    let usual = loudest[loudest.len() / 2].0;
    let (most, next) = (loudest[loudest.len() - 1].0, loudest[loudest.len() - 2].0);
    assert!((2..=4).contains(&(most / usual)), "{most} is 2 to 4 times {usual}");
    assert!(most * 2 > next * 3, "{most} stands out from {next}");
}

/// What a reader of reports knows the reporters by.
fn habits_show(read: &Read) {
    assert_eq!(read.outcomes.len(), Outcome::ALL.len(), "{:?}", read.outcomes);
    assert!(read.reporters.len() >= 13, "{:?}", read.reporters);
    assert_eq!(read.dialects.len(), 2);
    for flaw in ["missing_selector", "mixed_case", "odd_result", "empty_dkim"] {
        assert!(read.flaws.contains(flaw), "{flaw} in {:?}", read.flaws);
    }
    assert_eq!(read.conflicts(), 1, "one report was corrected");
    assert!(read.repeated > 10, "{} reports came twice", read.repeated);
    assert!(read.spans.contains(&(7 * 3_600, 86_400)), "days from seven to seven: {:?}", read.spans);
    assert!(read.spans.contains(&(6 * 3_600, 21_600)), "reports every six hours: {:?}", read.spans);
    assert!(read.ids.values().any(|begins| begins.len() > 3), "an id is used again on other days");
    for ending in ["xml", "gz", "zip", "eml"] {
        assert!(read.endings.contains(ending), "{ending} in {:?}", read.endings);
    }
    let policies = ["p=none", "p=none np=reject", "p=quarantine np=reject t=y"];
    for policy in policies {
        assert!(read.policies.contains(policy), "{policy} in {:?}", read.policies);
    }
    for word in ["forwarded", "mailing_list", "local_policy", "trusted_forwarder", "sampled_out", "policy_test_mode"] {
        assert!(read.overrides.contains(word), "{word} in {:?}", read.overrides);
    }
    assert_eq!(read.dispositions.len(), 4, "{:?}", read.dispositions);
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let options = scenario::Options { days: 4, ..default_options() };
    let [one, two, other, part] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let summary = generated(one.path(), &options);
    assert_eq!(generated(two.path(), &options), summary);
    assert!(same_files(one.path(), two.path()));
    let _ = generated(other.path(), &scenario::Options { seed: 2, ..options.clone() });
    assert!(!same_files(one.path(), other.path()), "another seed gives other numbers");
    // More days do not change the earlier ones.
    let _ = generated(part.path(), &scenario::Options { days: 3, ..options });
    for file in files(&part.path().join("reports")) {
        let same = one.path().join(file.strip_prefix(part.path()).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(&same).unwrap(), "{}", file.display());
    }
}

#[test]
fn the_bytes_are_those_of_every_machine() {
    let folder = tempfile::tempdir().unwrap();
    let options = scenario::Options { days: 2, scale: 0.01, ..default_options() };
    let _ = generated(folder.path(), &options);
    assert_eq!(
        [support::digest(&folder.path().join("reports"), true), support::digest(folder.path(), false)],
        support::EXPECTED_DIGESTS,
        "if the company was meant to change, change the digest"
    );
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let options = scenario::Options { days: 1, ..default_options() };
    let _ = generated(folder.path(), &options);
    let error = scenario::generate(&options, folder.path(), &mut |_| ()).unwrap_err();
    assert!(matches!(&error, scenario::Error::Exists(_)), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = scenario::generate(&options, &file.path().join("below"), &mut |_| ()).unwrap_err();
    assert!(matches!(&error, scenario::Error::Write { .. }), "{error}");
}

#[test]
fn a_company_of_any_size_and_time_works() {
    for (days, scale, from) in [(1, 0.001, "2025-10-22"), (3, 0.02, "1999-12-31"), (2, 3.0, "2031-06-01")] {
        let folder = tempfile::tempdir().unwrap();
        let options = scenario::Options { seed: 5, days, scale, from: from.parse().unwrap(), ..default_options() };
        let summary = generated(folder.path(), &options);
        let read = Read::all(folder.path());
        assert_eq!(read.messages(), summary.messages, "{options:?}");
        agrees_in_sum(&truths(folder.path()), summary.messages);
    }
}

fn agrees_in_sum(truths: &[Truth], messages: u64) {
    assert_eq!(truths.iter().map(|truth| truth.reported).sum::<u64>(), messages);
}

#[test]
fn reporters_that_write_well_write_validly() {
    let folder = tempfile::tempdir().unwrap();
    let _ = generated(folder.path(), &scenario::Options { days: 2, ..default_options() });
    let Some(checked) = support::validated(folder.path()) else { return };
    println!("{checked} reports are valid against their schema");
    assert!(checked > 30);
}

/// Two reporters tell of single messages: of machines by the local part they write as, in more than one shape.
#[test]
fn failure_reports_tell_who_strays_write_as() {
    let folder = tempfile::tempdir().unwrap();
    generated(folder.path(), &scenario::Options { days: 20, ..default_options() });
    let (mut read, mut shapes, mut local_parts) = (0, BTreeSet::new(), BTreeSet::new());
    for path in files(&folder.path().join("failures")) {
        let mail = std::fs::read(path).unwrap();
        let all = report::failure::read(&mail, &report::failure::Limits::default()).expect("a failure report");
        let failure = all.into_iter().next().unwrap().unwrap();
        shapes.insert(format!("{:?}", failure.report.shape));
        shapes.extend(failure.flaws.iter().map(|flaw| format!("{:?}", flaw.kind)));
        assert!(failure.report.source.is_some() && failure.report.arrived.is_some());
        local_parts.insert(failure.report.author.local_part.to_string());
        read += 1;
    }
    println!("{read} failure reports: {shapes:?} {local_parts:?}");
    assert!((40..=240).contains(&read), "{read}");
    for shape in ["Feedback", "Text", "EncodedFeedback", "MissingAlignment"] {
        assert!(shapes.contains(shape), "{shape}");
    }
    for local_part in ["vst", "scan-to-mail", "sap-batch"] {
        assert!(local_parts.contains(local_part), "{local_part}");
    }
}
