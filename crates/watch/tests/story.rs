//! The story's findings about records, each by itself: the model company's reports and zones, and nothing said about either.

use std::path::Path;
use std::sync::Arc;

use dns::Zone;
use insight::{FlowClass, KeyLimits, KeyState, Organisation, Period, RecordKind, Scope};
use report::Day;
use store::Ledger;
use watch::{RoundLimits, round, targets};

/// The first day of the story.
const FIRST: &str = "2025-10-22";

struct Halden {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    first: Day,
}

/// Halden Works, ninety days of it, watched from the first notes of its zone on.
fn halden() -> Halden {
    let dir = tempfile::tempdir().expect("a directory");
    let company = dir.path().join("company");
    let first: Day = FIRST.parse().expect("a day");
    let options = scenario::Options { days: 90, scale: 0.05, from: first, ..scenario::Options::default() };
    scenario::generate(&options, &company, &mut |_| {}).expect("a company");
    let ledger = Ledger::open(&dir.path().join("data")).expect("a ledger");
    collect::import(&ledger, &[company.join("reports")], &collect::Options::default(), &()).expect("an import");
    let catalogue = enrich::Catalogue::bundled();
    insight::refresh_flows(&ledger, &Organisation::default(), &catalogue, first.plus(90)).expect("flows");
    watched(&ledger, &company.join("dns"));
    Halden { _dir: dir, ledger, first }
}

/// A round over each zone that the company noted, the oldest first.
fn watched(ledger: &Ledger, dns: &Path) {
    let mut days: Vec<Day> = std::fs::read_dir(dns.join("history"))
        .expect("zones")
        .map(|entry| entry.expect("an entry").path().file_stem().and_then(|s| s.to_str()?.parse().ok()).expect("a day"))
        .collect();
    days.sort_unstable();
    let names = targets(ledger, &[]).expect("names");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let last = days.last().copied().expect("a day").plus(10);
    for (day, file) in
        days.iter().map(|day| (*day, format!("history/{day}.zone"))).chain([(last, "current.zone".to_owned())])
    {
        let mut zone = Zone::new();
        for file in [file.as_str(), "names.zone"] {
            zone.read(&std::fs::read_to_string(dns.join(file)).expect("a zone")).expect("a zone in order");
        }
        let done =
            round(ledger, Arc::new(zone), &names, &RecordKind::ALL, day.plus(1).begin() - 1, RoundLimits::default());
        runtime.block_on(done).expect("a round");
    }
}

fn ids(findings: &[insight::InventoryFinding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.id.as_str()).collect()
}

impl Halden {
    fn scope(&self, first: i32, last: i32) -> Scope {
        let period = Period::Days(self.first.plus(first), self.first.plus(last));
        Scope { period, domain: Some("halden.example".into()), subdomains: true, ..Scope::default() }
    }

    fn keys_are_of_several_years(&self) {
        let answer = insight::dkim_inventory(&self.ledger, &self.scope(0, 89), &KeyLimits::default()).expect("keys");
        let key = |selector: &str| {
            let of = |key: &&insight::DkimKeyLine| key.selector == selector && key.domain == "halden.example";
            answer.keys.iter().find(of).unwrap_or_else(|| panic!("no key {selector}"))
        };
        let (old, site_b, new) = (key("s2021"), key("2023q2"), key("s2026a"));
        assert_eq!([old.bits, site_b.bits, new.bits], [Some(1024), Some(2048), Some(2048)]);
        assert!([old, site_b, new].iter().all(|key| key.state == KeyState::Published));
        assert_eq!(old.first_in_dns, Some(self.first.plus(-1_682)), "from the notes: no report is as old");
        assert_eq!(ids(&old.findings), ["key-weak", "key-old", "key-outlived"], "{:?}", old.findings);
        assert!(old.findings[1].what.contains("4 years"), "{:?}", old.findings);
        assert_eq!(ids(&site_b.findings), ["key-old"], "{:?}", site_b.findings);
        assert_eq!(ids(&new.findings), [""; 0], "{:?}", new.findings);
        assert!(new.age_days.is_some_and(|days| days < 20) && old.age_days.is_some_and(|days| days > 1_700));
        assert!(old.share > new.share && new.messages > 0 && old.passing > old.messages * 9 / 10);
        assert!(old.flows.iter().any(|flow| flow.class == FlowClass::Own), "{:?}", old.flows);
    }

    fn bounces_greet_with_names_without_a_record(&self) {
        let before = insight::helo_inventory(&self.ledger, &self.scope(0, 30)).expect("greetings");
        let line = before.names.iter().find(|line| line.name == "out01.halden.example").expect("a host");
        assert!(before.none > 0 && line.none > 0 && line.pass == 0);
        assert_eq!(ids(&line.findings), ["helo-without-spf"], "{:?}", line.findings);
        let remedy = &line.findings[0].remedy;
        assert!(remedy.starts_with("publish out01.halden.example. TXT \"v=spf1 ip4:198.18.10.11"), "{remedy}");
        let names = before.names.iter().filter(|line| line.name.starts_with("out")).count();
        assert_eq!(names, 18, "every host of both sites");
        let after = insight::helo_inventory(&self.ledger, &self.scope(40, 89)).expect("greetings");
        let line = after.names.iter().find(|line| line.name == "out01.halden.example").expect("a host");
        assert_eq!(
            (ids(&line.findings).len(), line.record.as_deref()),
            (0, Some("v=spf1 a -all")),
            "{:?}",
            line.findings
        );
    }

    fn the_record_has_too_many_look_ups_until_it_is_trimmed(&self) {
        let before = insight::spf_inventory(&self.ledger, "halden.example", &self.scope(0, 13)).expect("a record");
        assert_eq!((before.lookups, before.lookups_max), (14, 10));
        assert!(before.permerror > 0 && ids(&before.findings).contains(&"spf-lookup-limit"), "{:?}", before.findings);
        let term = |term: &str| before.lines.iter().find(|line| line.term == term && line.depth == 0).expect("a term");
        let site_b = term("ip4:198.18.42.0/24");
        assert!(ids(&site_b.findings).contains(&"spf-not-reached"), "{:?}", site_b.findings);
        // One reporter does not count look-ups.
        assert!(site_b.messages > site_b.aligned * 10, "its mail is there, and next to nothing passes: {site_b:?}");
        let site_a = term("ip4:198.18.10.0/24");
        assert!(site_a.aligned > site_a.messages / 2 && site_a.findings.is_empty(), "{site_a:?}");

        let after = insight::spf_inventory(&self.ledger, "halden.example", &self.scope(20, 89)).expect("a record");
        assert_eq!(after.lookups, 9);
        assert!(!ids(&after.findings).contains(&"spf-lookup-limit"), "{:?}", after.findings);
        let site_b = after.lines.iter().find(|line| line.term == "ip4:198.18.42.0/24").expect("a term");
        assert!(site_b.aligned > 0 && site_b.findings.is_empty(), "{site_b:?}");
    }

    fn includes_buy_nothing(&self) {
        let answer = insight::spf_inventory(&self.ledger, "halden.example", &self.scope(0, 89)).expect("a record");
        let dead: Vec<&str> = answer
            .lines
            .iter()
            .filter(|line| ids(&line.findings).iter().any(|id| matches!(*id, "spf-dead" | "spf-never-aligns")))
            .map(|line| line.term.as_str())
            .collect();
        assert!(!dead.is_empty() && dead.iter().all(|term| term.starts_with("include:")), "{dead:?}");
        let proposal = answer.proposal.expect("a shorter record");
        assert!(proposal.lookups < answer.lookups && proposal.loses == 0, "{proposal:?}");
        assert!(dead.iter().all(|term| !proposal.record.contains(term)), "{proposal:?}");
    }

    fn changes_stand_on_their_days(&self) {
        let days = (self.first, self.first.plus(89));
        let changes = insight::dns_changes(&self.ledger, Some("halden.example"), false, days).expect("changes");
        let on = |day: i32, what: &str| {
            changes.iter().any(|change| change.day == self.first.plus(day) && change.what.contains(what))
        };
        assert!(on(15, "SPF of halden.example: 5 terms removed"));
        assert!(on(75, "DKIM key s2026a of halden.example: published"));
        assert!(on(83, "DMARC of halden.example: p=none removed; p=quarantine"));
    }
}

#[test]
fn the_findings_about_records_appear_by_themselves() {
    let halden = halden();
    halden.keys_are_of_several_years();
    halden.bounces_greet_with_names_without_a_record();
    halden.the_record_has_too_many_look_ups_until_it_is_trimmed();
    halden.includes_buy_nothing();
    halden.changes_stand_on_their_days();
}
