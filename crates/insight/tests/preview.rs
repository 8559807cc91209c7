//! Previews and readiness of a small domain whose mail is known to the last message, and of a model company's.

use std::fmt::Write as _;

use insight::{
    Difference, FlowClass, GateState, NewDecision, NewWaiver, Organisation, Outlook, Preview, ReadinessAsk,
    ReadinessThresholds, Receivers, Tag, Target, WhatIf,
};
use report::{Alignment, Day, Policy};
use store::Ledger;

/// 2025-10-22, a Wednesday.
const FIRST: i32 = 20_383;
const DAYS: i32 = 42;

/// One row of every day: source, messages, author domain, disposition, aligned DKIM and SPF, signatures, SPF.
type Row<'a> = (&'a str, u32, &'a str, &'a str, (bool, bool), &'a str, (&'a str, &'a str));

const ROWS: &[Row<'_>] = &[
    // Our relays: everything passes.
    ("192.0.2.1", 100, "contoso.example", "none", (true, true), "contoso.example", ("contoso.example", "pass")),
    ("192.0.2.2", 100, "contoso.example", "none", (true, true), "contoso.example", ("contoso.example", "pass")),
    ("192.0.2.3", 100, "contoso.example", "none", (true, true), "contoso.example", ("contoso.example", "pass")),
    // An application server of ours that our SPF names and that does not sign.
    ("192.0.2.9", 20, "contoso.example", "none", (false, true), "", ("contoso.example", "pass")),
    // A service by its include, with our envelope and without a signature.
    ("198.51.100.7", 30, "contoso.example", "none", (false, true), "", ("contoso.example", "pass")),
    // A service that signs for a name below ours.
    (
        "203.0.113.5",
        40,
        "contoso.example",
        "none",
        (true, false),
        "news.contoso.example",
        ("bounce.esp.example", "pass"),
    ),
    // A ticket system that nobody set up.
    ("203.0.113.77", 12, "contoso.example", "none", (false, false), "", ("desk.example", "pass")),
    // A name below ours that exists, and passes.
    (
        "192.0.2.1",
        10,
        "shop.contoso.example",
        "none",
        (true, true),
        "contoso.example",
        ("shop.contoso.example", "pass"),
    ),
    // One that does not.
    ("100.64.9.9", 7, "nosuch.contoso.example", "none", (false, false), "", ("nosuch.contoso.example", "none")),
];

const ZONE: &str = "\
contoso.example. TXT \"v=spf1 ip4:192.0.2.0/24 include:esp.example -all\"
esp.example. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"
_dmarc.contoso.example. TXT \"v=DMARC1; p=none; t=y; pct=50; rua=mailto:d@contoso.example\"
";

fn report(day: i32) -> String {
    let begin = i64::from(day) * 86_400;
    let mut xml = format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>bigmail.example</org_name><email>d@bigmail.example</email>\
         <report_id>r{day}</report_id><date_range><begin>{begin}</begin><end>{}</end></date_range></report_metadata>\
         <policy_published><domain>contoso.example</domain><p>none</p></policy_published>",
        begin + 86_399
    );
    for (source, count, author, disposition, (dkim, spf), signed, (checked, result)) in ROWS {
        let word = |aligned: &bool| if *aligned { "pass" } else { "fail" };
        let signature = if signed.is_empty() {
            String::new()
        } else {
            format!("<dkim><domain>{signed}</domain><selector>s1</selector><result>pass</result></dkim>")
        };
        write!(
            xml,
            "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated><disposition>{disposition}\
             </disposition><dkim>{}</dkim><spf>{}</spf></policy_evaluated></row><identifiers><envelope_from>{checked}</envelope_from>\
             <header_from>{author}</header_from></identifiers><auth_results>{signature}<spf><domain>{checked}</domain>\
             <scope>mfrom</scope><result>{result}</result></spf></auth_results></record>",
            word(dkim),
            word(spf)
        )
        .expect("text");
    }
    xml + "</feedback>"
}

/// What each flow truly is, by an address of it.
fn ledger() -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a directory");
    let reports = dir.path().join("reports");
    std::fs::create_dir_all(&reports).expect("a folder");
    for day in FIRST..FIRST + DAYS {
        std::fs::write(reports.join(format!("{day}.xml")), report(day)).expect("written");
    }
    let ledger = Ledger::open(&dir.path().join("data")).expect("a ledger");
    collect::import(&ledger, &[reports], &collect::Options::default(), &()).expect("an import");
    let decide = |network: &str, class| {
        let target = Target::Network(network.to_owned());
        let decision =
            NewDecision { target, class: Some(class), note: None, who: Some("Ada".to_owned()), expires: None };
        insight::decide(&ledger, &decision, 1).expect("decided");
    };
    decide("192.0.2.0/24", FlowClass::Own);
    decide("198.51.100.7", FlowClass::ThirdParty);
    decide("203.0.113.5", FlowClass::ThirdParty);
    decide("203.0.113.77", FlowClass::ThirdParty);
    decide("100.64.9.9", FlowClass::Spoofer);
    refresh(&ledger);
    (dir, ledger)
}

fn refresh(ledger: &Ledger) {
    let catalogue = enrich::Catalogue::bundled();
    insight::refresh_flows(ledger, &Organisation::default(), &catalogue, Day(FIRST + DAYS)).expect("judged");
}

fn base() -> WhatIf {
    WhatIf { domain: "contoso.example".to_owned(), subdomains: true, zone: Some(ZONE.to_owned()), ..WhatIf::default() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.01
}

/// Why; what would be different; legitimate and spoofed messages a day that would be stopped.
type Case = (&'static str, WhatIf, f64, f64);

/// Other policies.
fn policies() -> Vec<Case> {
    let (quarantine, reject) = (Some(Policy::Quarantine), Some(Policy::Reject));
    let desk = 12.0;
    vec![
        ("nothing", base(), 0.0, 0.0),
        ("in full, though t=y and pct=50 stand there now", WhatIf { p: reject, ..base() }, desk, 7.0),
        ("t=y is one step lower", WhatIf { p: reject, testing: Some(true), ..base() }, desk, 7.0),
        ("and quarantine with it is nothing", WhatIf { p: quarantine, testing: Some(true), ..base() }, 0.0, 0.0),
        ("who obeys RFC 9989 knows no pct", WhatIf { p: quarantine, pct: Some(25), ..base() }, desk, 7.0),
        (
            "who obeys RFC 7489 samples by it",
            WhatIf { p: quarantine, pct: Some(25), receivers: Receivers::Rfc7489, ..base() },
            desk / 4.0,
            7.0 / 4.0,
        ),
        (
            "what is sampled out of reject is quarantined: stopped all the same",
            WhatIf { p: reject, pct: Some(25), receivers: Receivers::Rfc7489, ..base() },
            desk,
            7.0,
        ),
        ("names that do not exist alone", WhatIf { np: reject, p: Some(Policy::None), ..base() }, 0.0, 7.0),
        ("names below", WhatIf { sp: quarantine, ..base() }, 0.0, 7.0),
    ]
}

/// Other modes of alignment, and other SPF records.
fn records() -> Vec<Case> {
    let (desk, quarantine, strict) = (12.0, Some(Policy::Quarantine), Some(Alignment::Strict));
    vec![
        (
            "strict DKIM parts the name that signs for a service",
            WhatIf { p: quarantine, adkim: strict, ..base() },
            // Below ours the name that signs is another than the author's, but SPF passes for the author itself.
            desk + 40.0,
            7.0,
        ),
        (
            "without its include a service fails",
            WhatIf { p: quarantine, remove_includes: vec!["esp.example".to_owned()], ..base() },
            desk + 30.0,
            7.0,
        ),
        (
            "another record for the whole domain: the application server is out",
            WhatIf { p: quarantine, spf: Some("v=spf1 ip4:198.51.100.0/24 -all".to_owned()), ..base() },
            desk + 20.0,
            7.0,
        ),
        (
            "an include that shrinks",
            WhatIf { p: quarantine, change: Some("esp.example. TXT \"v=spf1 -all\"".to_owned()), ..base() },
            desk + 30.0,
            7.0,
        ),
        (
            "a range does not help whose envelope is another's",
            WhatIf { p: quarantine, add_ranges: vec!["203.0.113.77".to_owned()], ..base() },
            desk,
            7.0,
        ),
    ]
}

#[test]
fn every_change_stops_exactly_what_it_must() {
    let (_dir, ledger) = ledger();
    for (why, what_if, harm, spoofed) in policies().into_iter().chain(records()) {
        let found = insight::preview(&ledger, &what_if).expect(why);
        assert!(near(found.harm.seen, harm), "{why}: harm {} and not {harm}", found.harm.seen);
        assert!(near(found.spoofed.seen, spoofed), "{why}: spoofed {} and not {spoofed}", found.spoofed.seen);
        assert!(near(found.harm.expected, harm), "{why}: the same every day is expected again");
        assert!(found.harm.at_most.is_some_and(|most| most >= harm), "{why}: {:?}", found.harm.at_most);
    }
    signing_mends(&ledger);
    what_is_told(&ledger);
}

/// DKIM for the ticket system mends it.
fn signing_mends(ledger: &Ledger) {
    let reject = WhatIf { p: Some(Policy::Reject), ..base() };
    let before = insight::preview(ledger, &reject).expect("a preview");
    let [flow] = &before.flows[..] else { panic!("one flow is harmed: {:?}", before.flows) };
    assert_eq!(flow.owner.as_deref(), Some("Ada"));
    let after = insight::preview(ledger, &WhatIf { dkim_for: vec![flow.id.clone()], ..reject }).expect("a preview");
    assert!(near(after.harm.seen, 0.0) && after.flows.is_empty(), "{:?}", after.flows);
    let mended: f64 = after.classes.iter().map(|line| line.mended).sum();
    assert!(near(mended, 12.0), "{mended}");
}

fn what_is_told(ledger: &Ledger) {
    let found = insight::preview(ledger, &WhatIf { p: Some(Policy::Reject), ..base() }).expect("a preview");
    assert_eq!(found.changed[0].after, "v=DMARC1; p=reject; rua=mailto:d@contoso.example");
    assert!(
        found.change_request.contains("p=reject") && found.change_request.contains("12 a day"),
        "{}",
        found.change_request
    );
    assert_eq!(tags(&found), [(Tag::P, 1), (Tag::Sp, 2)], "without np, sp is for all names below");
    let np = insight::preview(ledger, &WhatIf { np: Some(Policy::Reject), ..base() }).expect("a preview");
    assert_eq!(tags(&np), [(Tag::P, 1), (Tag::Sp, 1), (Tag::Np, 1)], "a name in which mail passes exists");
    // Mistakes say what to do.
    let mistakes = [
        (WhatIf { domain: String::new(), ..base() }, "no domain"),
        (WhatIf { remove_includes: vec!["x.example".to_owned()], ..base() }, "it includes esp.example"),
        (WhatIf { zone: None, remove_includes: vec!["esp.example".to_owned()], ..base() }, "not known here"),
        (WhatIf { spf: Some("v=spf2".to_owned()), ..base() }, "no SPF record"),
        (WhatIf { change: Some("(".to_owned()), ..base() }, "cannot be read"),
        (WhatIf { dkim_for: vec!["zzzzzzzzzz".to_owned()], ..base() }, "`lamppost flows` lists them"),
        (WhatIf { domain: "other.example".to_owned(), ..base() }, "no mail in the name of other.example"),
    ];
    for (what_if, expected) in mistakes {
        let error = insight::preview(ledger, &what_if).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn tags(preview: &Preview) -> Vec<(Tag, u64)> {
    preview.tags.iter().map(|line| (line.tag, line.domains)).collect()
}

#[test]
fn gates_say_what_stands_in_the_way_and_waivers_end() {
    let (_dir, ledger) = ledger();
    let thresholds = ReadinessThresholds::default();
    // 2025-12-03 is a Wednesday.
    let today = Day(FIRST + DAYS);
    let ask = |step, today| ReadinessAsk {
        domain: "contoso.example",
        step,
        thresholds: &thresholds,
        zone: Some(ZONE),
        today,
    };
    let found = insight::readiness(&ledger, &ask(Policy::Quarantine, today)).expect("readiness");
    let state =
        |found: &insight::Readiness, id: &str| found.gates.iter().find(|gate| gate.id == id).map(|gate| gate.state);
    // 12 of 412 messages fail: 97.1 %, one flow above 1 % with nothing passing, and more than ten a day.
    let blocked = ["G2", "G3", "G5"];
    for gate in &found.gates {
        let expected = match gate.id.as_str() {
            id if blocked.contains(&id) => GateState::Fail,
            "G8" | "G9" => GateState::NotMeasured,
            "G4" | "G6" => continue,
            _ => GateState::Pass,
        };
        assert_eq!(gate.state, expected, "{}: {} {:?}", gate.id, gate.measured, gate.why);
    }
    assert!(
        matches!(&found.result, Outlook::Blocked { by } if blocked.iter().all(|id| by.contains(&(*id).to_owned())))
    );
    assert_eq!(found.gates[2].flows.len(), 1, "the ticket system by name");
    assert!(found.parts[0].safe && found.parts[0].set == "np=reject", "{:?}", found.parts[0]);
    assert!(!found.parts[2].safe, "{:?}", found.parts[2]);

    let waive = |owner: Option<&str>, expires| {
        let new = NewWaiver {
            gate: "G2".to_owned(),
            domain: "contoso.example".to_owned(),
            owner: owner.map(str::to_owned),
            expires,
            note: None,
        };
        insight::waive(&ledger, &new, today.begin())
    };
    assert!(waive(None, None).is_err(), "there is none to take back");
    assert!(waive(Some("Ada"), None).is_err(), "a waiver has an end");
    assert!(waive(Some(" "), Some(today)).is_err(), "and an owner");
    assert!(waive(Some("Ada"), Some(today.plus(-1))).is_err(), "that is not over");
    waive(Some("Ada"), Some(today.plus(5))).expect("waived");
    let with = insight::readiness(&ledger, &ask(Policy::Quarantine, today)).expect("readiness");
    assert_eq!(state(&with, "G2"), Some(GateState::Waived));
    let after = insight::readiness(&ledger, &ask(Policy::Quarantine, today.plus(6))).expect("readiness");
    assert_eq!(state(&after, "G2"), Some(GateState::Fail), "it has ended");
    waive(None, None).expect("taken back");
    let without = insight::readiness(&ledger, &ask(Policy::Quarantine, today)).expect("readiness");
    assert_eq!(state(&without, "G2"), Some(GateState::Fail));

    let reject = insight::readiness(&ledger, &ask(Policy::Reject, today)).expect("readiness");
    assert_eq!(state(&reject, "G0"), Some(GateState::Fail), "no day at quarantine yet");
    assert_eq!(state(&reject, "G4"), Some(GateState::Fail), "two flows rest on SPF alone");
    for (step, found) in [("quarantine", &found), ("reject", &reject)] {
        let names = found.parts.iter().map(|part| (part.set.as_str(), part.names)).collect::<Vec<_>>();
        assert_eq!(names, [("np=reject", 1), (&*format!("sp={step}"), 1), (&*format!("p={step}"), 1)]);
    }
    let blind = ReadinessAsk { zone: None, ..ask(Policy::Quarantine, today) };
    let blind = insight::readiness(&ledger, &blind).expect("readiness");
    assert_eq!(state(&blind, "G6"), Some(GateState::Unknown), "nobody looked at DNS");
    assert!(insight::readiness(&ledger, &ask(Policy::None, today)).is_err());
}

/// The records as they are, replayed over a model company: what reporters said comes out, and what does not has its reason.
#[test]
fn a_replay_of_the_records_as_they_are_gives_what_was_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    let company = dir.path().join("company");
    let options = scenario::Options { days: 30, scale: 0.02, ..scenario::Options::default() };
    scenario::generate(&options, &company, &mut |_| {}).expect("a company");
    let ledger = Ledger::open(&dir.path().join("data")).expect("a ledger");
    collect::import(&ledger, &[company.join("reports")], &collect::Options::default(), &()).expect("an import");
    refresh(&ledger);
    let zone = std::fs::read_to_string(company.join("dns/current.zone")).expect("the zone");
    let what_if = WhatIf { domain: "halden.example".to_owned(), zone: Some(zone), ..base() };
    let found = insight::preview(&ledger, &what_if).expect("a preview");
    let all: u64 = found.agreement.iter().map(|line| line.messages).sum();
    let about: u64 =
        found.agreement.iter().filter(|line| line.how.is_about_the_verdict()).map(|line| line.messages).sum();
    let agrees = found.agreement.iter().find(|line| line.how == Difference::Agrees).map_or(0, |line| line.messages);
    assert!(all > 1_000 && about * 1_000 <= all, "{about} of {all} verdicts differ: {:?}", found.agreement);
    assert!(agrees * 100 >= all * 95, "{agrees} of {all}: {:?}", found.agreement);
    assert!(found.changed.is_empty() && near(found.harm.seen, 0.0), "nothing changes: {:?}", found.harm);
    sums_tell_what_cells_do(&ledger, &what_if);
}

/// Where no SPF record changes a preview goes through sums by flow and by reporter, which must give what cells and rows give that they are
/// made from.
fn sums_tell_what_cells_do(ledger: &Ledger, what_if: &WhatIf) {
    let strict = Some(Alignment::Strict);
    let cases = [
        ("other policies", WhatIf { p: Some(Policy::Reject), sp: Some(Policy::Quarantine), ..what_if.clone() }),
        ("half of it", WhatIf { p: Some(Policy::Reject), pct: Some(50), ..what_if.clone() }),
        ("other alignment", WhatIf { p: Some(Policy::Reject), adkim: strict, aspf: strict, ..what_if.clone() }),
        ("one name alone", WhatIf { p: Some(Policy::Reject), subdomains: false, ..what_if.clone() }),
    ];
    let json = |preview: &Preview| serde_json::to_string(preview).expect("JSON");
    let all = || cases.each_ref().map(|(_, what_if)| insight::preview(ledger, what_if).expect("a preview"));
    let by_sums = all();
    let kept = ledger.derived_about("flow-sums", &what_if.domain, i64::MIN..=i64::MAX).expect("sums");
    assert_eq!(kept.len(), ledger.day_versions().expect("days").len(), "all days have mail");
    let heard = ledger.derived_about("heard", &what_if.domain, i64::MIN..=i64::MAX).expect("what reporters said");
    assert_eq!(heard.len(), kept.len(), "and what reporters said on them is kept");
    let thresholds = ReadinessThresholds::default();
    let zone = what_if.zone.as_deref();
    let ask = ReadinessAsk {
        domain: &what_if.domain,
        step: Policy::Reject,
        thresholds: &thresholds,
        zone,
        today: Day(FIRST),
    };
    let gates = || format!("{:?}", insight::readiness(ledger, &ask).expect("gates").gates);
    let before = gates();
    for kind in ["flow-sums", "heard"] {
        ledger.drop_derived(kind, i64::MIN..=i64::MAX).expect("forgotten");
    }
    // The days are done as far as the ledger knows, until this is gone too.
    assert_ne!(gates(), before, "what was kept is what was read");
    ledger.drop_derived("heard-of-day", i64::MIN..=i64::MAX).expect("forgotten");
    assert_eq!(gates(), before, "the rows say the same");
    let by_cells = all();
    for (((why, _), sums), cells) in cases.iter().zip(by_sums).zip(by_cells) {
        assert!(cells.harm.seen > 0.0, "{why}");
        assert_eq!(json(&sums), json(&cells), "{why}");
    }
    refresh(ledger);
}
