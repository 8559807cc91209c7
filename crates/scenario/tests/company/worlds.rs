//! The companies that are put together: each agrees with its truth, and what is beside the reports says the same as the reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use dns::{Data, Name, RecordType, Zone, now};
use message::ReversePath;
use report::{AuthResult, Day};
use scenario::{Kind, Options};

use crate::support::{self, Read, generated, same_files, truths};
use crate::{agrees, cells_agree};

const MADE: [Kind; 5] = [Kind::Firm, Kind::Shop, Kind::University, Kind::Bank, Kind::Group];

/// A small part of each company, over the whole story.
fn options(company: Kind, seed: u64) -> Options {
    let scale = if company == Kind::Firm { 0.5 } else { 0.02 };
    Options { company, seed, scale, days: 90, ..Options::default() }
}

#[test]
fn every_company_agrees_with_its_truth() {
    for company in MADE {
        for (seed, days) in [(1, 90), (2, 9), (3, 9), (4, 9)] {
            let folder = tempfile::tempdir().unwrap();
            let summary = generated(folder.path(), &Options { days, ..options(company, seed) });
            let read = Read::all(folder.path());
            let truths = truths(folder.path());
            assert_eq!(
                (read.reports(), read.rows(), read.messages()),
                (summary.reports, summary.rows, summary.messages)
            );
            let _ = agrees(&read, &truths);
            assert_eq!(truths.iter().map(|truth| truth.sent).sum::<u64>(), summary.sent);
            cells_agree(folder.path(), &read);
            if days == 90 {
                beside(folder.path(), &read, company);
                whole(&truths, company);
            }
        }
    }
}

/// Every class that a company of this kind has is there, and events fall into the time.
fn whole(truths: &[support::Truth], company: Kind) {
    let classes: BTreeSet<&str> =
        truths.iter().filter(|t| t.reported > 0).flat_map(|t| t.phases.iter().map(|p| p.class.as_str())).collect();
    for class in ["own", "own_misconfigured", "third_party", "third_party_unaligned", "forwarder_broken", "spoofer"] {
        assert!(classes.contains(class), "{class} at {company:?}: {classes:?}");
    }
    let ids: BTreeSet<&str> = truths.iter().map(|truth| truth.id.as_str()).collect();
    assert_eq!(ids.len(), truths.len(), "every flow has a name of its own");
    // Something new and legitimate comes on day 60, and is reported.
    let new = truths.iter().find(|t| t.diagnosis == "new_and_not_set_up").unwrap();
    assert_eq!(
        new.days.iter().find(|day| day.reported > 0).unwrap().day,
        Options::default().from.plus(60),
        "{}",
        new.id
    );
}

fn zone(folder: &Path, records: &str) -> Zone {
    let mut zone = Zone::new();
    for file in ["names.zone", records] {
        let text = fs::read_to_string(folder.join("dns").join(file)).unwrap();
        zone.read(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    zone
}

/// The zone of each day, from the newest file that is not later.
fn zones(folder: &Path) -> BTreeMap<Day, Zone> {
    let files = support::files(&folder.join("dns/history"));
    files
        .iter()
        .map(|path| {
            let day = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            (day, zone(folder, &format!("history/{day}.zone")))
        })
        .collect()
}

fn beside(folder: &Path, read: &Read, company: Kind) {
    let (back, forged) = names_lead_back_or_not(folder);
    let zones = zones(folder);
    let last = zone(folder, "current.zone");
    let (_, newest) = zones.last_key_value().unwrap();
    for (_, row) in read.all_rows().take(500) {
        let at = Name::parse(&row.author_domain).unwrap();
        assert_eq!(last.answer(&at, RecordType::Txt), newest.answer(&at, RecordType::Txt), "current is the newest");
    }
    let keys = keys_are_there(read, &zones);
    let (asked, differ) = spf_says_the_same(read, &zones);
    // Reporters have answers of yesterday, miscount, or lose an answer; nothing else may differ.
    assert!(differ * 100 < asked, "{company:?}: {differ} of {asked} messages");
    let networks = networks_are_known(folder, read);
    println!(
        "{company:?}: {back} names lead back, {forged} do not; {keys} keys; SPF asked about {asked} messages, {differ} differ; {networks} sources in networks"
    );
}

fn names_lead_back_or_not(folder: &Path) -> (usize, usize) {
    let zone = zone(folder, "current.zone");
    let text = fs::read_to_string(folder.join("dns/names.zone")).unwrap();
    let (mut back, mut forged) = (0, 0);
    let company: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("company.json")).unwrap()).unwrap();
    let own = company["domains"][0]["name"].as_str().unwrap();
    let mut claims = BTreeSet::new();
    for line in text.lines().filter(|line| line.contains(" PTR ")) {
        let (at, name) = line.split_once(" PTR ").unwrap();
        let address = address(at);
        let name = Name::parse(name).unwrap();
        let kind = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        let leads = zone.answer(&name, kind).records().iter().any(|data| match data {
            Data::A(found) => IpAddr::from(*found) == address,
            Data::Aaaa(found) => IpAddr::from(*found) == address,
            _ => false,
        });
        if leads {
            back += 1;
        } else {
            forged += 1;
            claims.insert(name.to_string());
        }
    }
    assert!(back > 100 && forged >= 4, "{back} lead back, {forged} do not");
    assert!(claims.iter().any(|name| name.ends_with(own)), "somebody claims to be ours: {claims:?}");
    assert!(claims.iter().any(|name| name.contains(".big")), "somebody claims to be a provider: {claims:?}");
    (back, forged)
}

/// The address that a name below `in-addr.arpa` or `ip6.arpa` is about.
fn address(at: &str) -> IpAddr {
    let labels: Vec<&str> = at.trim_end_matches('.').split('.').rev().skip(2).collect();
    if at.contains("in-addr") {
        return labels.join(".").parse().unwrap();
    }
    let groups: Vec<String> = labels.chunks(4).map(<[&str]>::concat).collect();
    groups.join(":").parse().unwrap()
}

/// Where a signature passed, its key is in DNS.
fn keys_are_there(read: &Read, zones: &BTreeMap<Day, Zone>) -> usize {
    let mut seen = BTreeSet::new();
    for (day, row) in read.all_rows() {
        for one in row.dkim.iter().filter(|one| one.result == AuthResult::Pass) {
            if let Some(selector) = &one.selector {
                seen.insert((format!("{selector}._domainkey.{}", one.domain), day));
            }
        }
    }
    for (name, day) in &seen {
        let (_, zone) = zones.range(..=*day).next_back().unwrap_or_else(|| zones.first_key_value().unwrap());
        let answer = zone.answer(&Name::parse(name).unwrap(), RecordType::Txt);
        assert_eq!(answer.records().len(), 1, "{name} on {day}");
    }
    seen.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len()
}

/// Messages asked about, and those for which the records beside the reports say something else than the reports.
fn spf_says_the_same(read: &Read, zones: &BTreeMap<Day, Zone>) -> (u64, u64) {
    let (mut asked, mut differ) = (0, 0);
    let mut known: BTreeMap<(Day, IpAddr, String), String> = BTreeMap::new();
    let first = Options::default().from;
    for (day, row) in read.all_rows().filter(|(day, _)| [0, 29, 58, 88].contains(&(day.0 - first.0))) {
        let Some(spf) = row.spf.first() else { continue };
        let key = (day, row.source, spf.domain.to_string());
        let told = known.entry(key).or_insert_with(|| {
            let (_, zone) = zones.range(..=day).next_back().unwrap();
            let client = spf::Client::new(row.source, &spf.domain);
            let path = format!("<somebody@{}>", spf.domain);
            let path = ReversePath::parse(Some(path.as_bytes()));
            now(spf::check_mail_from(zone, &client, &path, &spf::Limits::default())).result.to_string()
        });
        asked += row.count;
        if told != spf.result.word() {
            differ += row.count;
        }
    }
    (asked, differ)
}

fn networks_are_known(folder: &Path, read: &Read) -> usize {
    let networks = maxminddb::Reader::from_source(fs::read(folder.join("networks.mmdb")).unwrap()).unwrap();
    let sources: BTreeSet<IpAddr> = read.all_rows().map(|(_, row)| row.source).collect();
    for source in &sources {
        let found = networks.lookup(*source).unwrap();
        let record: Option<BTreeMap<String, serde_json::Value>> = found.decode().unwrap();
        let record = record.unwrap_or_else(|| panic!("{source} is in no network"));
        assert!(record["asn"].as_u64().is_some_and(|number| number >= 64_512), "{source}: {record:?}");
    }
    sources.len()
}

#[test]
fn seeds_vary_everything_and_nothing_else_does() {
    let names: BTreeSet<String> = (1..=5)
        .map(|seed| {
            let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
            let options = Options { company: Kind::Any, seed, days: 2, scale: 0.02, ..Options::default() };
            let summary = generated(one.path(), &options);
            assert_eq!(generated(two.path(), &options), summary);
            assert!(same_files(one.path(), two.path()), "the same seed, the same bytes");
            let company: serde_json::Value =
                serde_json::from_slice(&fs::read(one.path().join("company.json")).unwrap()).unwrap();
            company["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn it_goes_on_for_years() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { company: Kind::Firm, days: 800, scale: 0.1, ..Options::default() };
    let summary = generated(folder.path(), &options);
    let truths = truths(folder.path());
    assert_eq!(truths.iter().map(|truth| truth.reported).sum::<u64>(), summary.messages);
    let late = |truth: &&support::Truth| {
        truth.days.iter().find(|day| day.reported > 0).is_some_and(|day| day.day.0 > options.from.0 + 400)
    };
    assert!(truths.iter().filter(late).count() >= 3, "things happen in the second and third year too");
    let quarterly = truths.iter().find(|truth| truth.id == "service-survey").unwrap();
    let months: BTreeSet<String> = quarterly.days.iter().map(|day| day.day.to_string()[5..7].to_owned()).collect();
    assert_eq!(months, ["01", "04", "07", "10"].map(str::to_owned).into());
}
