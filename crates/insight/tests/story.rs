//! The story's findings appear by themselves: the model company's reports, taken in and judged without a word about whose they are.

use insight::{Diagnosis, FlowClass, FlowLine, FlowOrder, NewDecision, Organisation, Period, Scope, Target};
use report::Day;
use store::Ledger;

/// The model company's first days, a twentieth of its mail, judged.
fn company(days: u16) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a directory");
    let company = dir.path().join("company");
    let options = scenario::Options { days, scale: 0.05, ..scenario::Options::default() };
    scenario::generate(&options, &company, &mut |_| {}).expect("a company");
    let ledger = Ledger::open(&dir.path().join("data")).expect("a ledger");
    collect::import(&ledger, &[company.join("reports")], &collect::Options::default(), &()).expect("an import");
    let catalogue = enrich::Catalogue::bundled();
    let refreshed = insight::refresh_flows(&ledger, &Organisation::default(), &catalogue, Day(20_500));
    assert!(refreshed.expect("flows"), "the first time");
    let again = insight::refresh_flows(&ledger, &Organisation::default(), &catalogue, Day(20_500));
    assert!(!again.expect("flows"), "nothing has changed");
    (dir, ledger)
}

/// The keys of a period by name, with the first and the last day on which they were ever used.
fn keys(ledger: &Ledger, period: Period) -> Vec<(String, Option<Day>, Option<Day>)> {
    let scope = Scope { period, ..Scope::default() };
    let found = insight::dkim_inventory(ledger, &scope, &insight::KeyLimits::default()).expect("keys");
    let used =
        |key: insight::DkimKeyLine| (format!("{} {}", key.domain, key.selector), key.first_in_mail, key.last_in_mail);
    let mut keys: Vec<_> = found.keys.into_iter().map(used).collect();
    keys.sort();
    keys
}

#[test]
fn when_a_key_was_used_does_not_depend_on_the_days_that_are_looked_at() {
    let (_dir, ledger) = company(60);
    let (all, lately) = (keys(&ledger, Period::All), keys(&ledger, Period::Last(1)));
    assert_eq!(lately, all);
    let (first, last) = (all.iter().map(|key| key.1).min(), all.iter().map(|key| key.2).max());
    assert!(all.iter().any(|key| Some(key.1) > first), "some came later: {all:?}");
    assert!(all.iter().any(|key| Some(key.2) < last), "some were not used on the last day: {all:?}");
}

fn all(ledger: &Ledger) -> Vec<FlowLine> {
    let scope = Scope { period: Period::All, ..Scope::default() };
    insight::flows(ledger, &scope, &FlowOrder { limit: usize::MAX, ..FlowOrder::default() }).expect("flows").lines
}

/// The flow whose name has this in it.
fn named<'a>(flows: &'a [FlowLine], name: &str) -> &'a FlowLine {
    flows.iter().find(|flow| flow.name.contains(name)).unwrap_or_else(|| panic!("no flow is called {name}"))
}

#[test]
fn the_first_two_weeks_show_what_to_mend_first() {
    let (_dir, ledger) = company(14);
    let flows = all(&ledger);
    let of = |name: &str| {
        let flow = named(&flows, name);
        (flow.class, flow.diagnosis)
    };
    // Applications of the second site stand behind the tenth look-up.
    assert_eq!(
        of("unsigned from 198.18.42.0/24"),
        (FlowClass::OwnMisconfigured, Some(Diagnosis::SpfPermerror)),
        "SPF permerror at own outbound"
    );
    assert_eq!(
        of("bounces from 198.18.10.0/24"),
        (FlowClass::OwnMisconfigured, Some(Diagnosis::HeloWithoutSpf)),
        "the greeting has no record"
    );
    // A record with too many look-ups is a permerror for whoever it does not name, too: what else is wrong shows when it is trimmed.
    for stray in ["unsigned from 198.18.112.0/24", "sent as halden-it.test", "unsigned from 198.18.160.0/24"] {
        assert_eq!(of(stray).0, FlowClass::OwnMisconfigured, "{stray}: beside the relays");
    }
    decisions_hold_at_once(&ledger, &flows);
}

/// A decision changes every answer, and taking it back changes them back.
fn decisions_hold_at_once(ledger: &Ledger, flows: &[FlowLine]) {
    let (catalogue, today) = (enrich::Catalogue::bundled(), Day(20_500));
    let refresh = || insight::refresh_flows(ledger, &Organisation::default(), &catalogue, today).expect("flows");
    let strangers = named(flows, "sent as gatherly.example");
    let scope = Scope { period: Period::All, ..Scope::default() };
    let before = insight::class_trend(ledger, &scope).expect("a trend").totals;
    let decide = |target: Target, class, expires| {
        let new = NewDecision { target, class, note: Some("a test".into()), who: None, expires };
        insight::decide(ledger, &new, 20_400 * 86_400)
    };
    let target = || Target::Flow(strangers.id.clone());
    assert!(decide(target(), None, None).is_err(), "nothing to take back");
    assert!(decide(Target::Flow("?".into()), Some(FlowClass::Spoofer), None).is_err(), "no flow");
    assert!(insight::shows_at_once(ledger, &target()).expect("flows"));
    let number = decide(target(), Some(FlowClass::Spoofer), None).expect("a decision");
    // At once: nothing was judged since.
    let flow = insight::flow(ledger, &strangers.id, &scope, today).expect("a flow").expect("it is there");
    assert_eq!(
        (flow.flow.class, flow.flow.decision, flow.flow.rule.as_str()),
        (FlowClass::Spoofer, Some(number), "D0")
    );
    assert_eq!((flow.decisions.len(), flow.stale), (1, false));
    let decided = insight::class_trend(ledger, &scope).expect("a trend").totals;
    assert_eq!(decided.spoofer, before.spoofer + strangers.messages, "in every answer");
    assert_eq!(decided.messages(), before.messages());
    assert!(!refresh(), "nothing is left to do");
    // It was said to pass for ours: whether it does is seen, and what is wrong with it.
    decide(target(), Some(FlowClass::Own), None).expect("a decision");
    let ours = insight::flow(ledger, &strangers.id, &scope, today).expect("a flow").expect("it is there");
    assert_eq!(ours.flow.class, FlowClass::OwnMisconfigured);
    assert_eq!(ours.flow.phases.last().map(|phase| phase.class), Some(FlowClass::OwnMisconfigured));
    assert!(ours.problem.is_some() && ours.remedy.is_some(), "{ours:?}");
    decide(target(), None, None).expect("taken back");
    assert_eq!(insight::class_trend(ledger, &scope).expect("a trend").totals, before);
    assert_eq!(named(&all(ledger), "sent as gatherly.example"), strangers, "as it was judged");
    assert!(!refresh(), "nothing is left to do");
    // On a network, and expired.
    decide(Target::Network("198.19.6.0/24".into()), Some(FlowClass::Own), Some(Day(20_499))).expect("a decision");
    refresh();
    assert_eq!(insight::class_trend(ledger, &scope).expect("a trend").totals, before, "it has expired");
    decide(Target::Network("198.19.6.0/24".into()), Some(FlowClass::Own), Some(today)).expect("a decision");
    assert!(refresh());
    assert_eq!(
        named(&all(ledger), "sent as gatherly.example").class,
        FlowClass::OwnMisconfigured,
        "whether it passes is seen"
    );
    let from = insight::source_flows(ledger, "198.19.6.8".parse().expect("an address")).expect("flows");
    assert_eq!(from.iter().map(|flow| flow.id.as_str()).collect::<Vec<_>>(), [strangers.id.as_str()]);
    assert_eq!(insight::decisions(ledger, today).expect("decisions").iter().filter(|one| one.in_force).count(), 1);
    // About the flow itself: it goes before the one on its network, which holds again when it has expired.
    decide(target(), Some(FlowClass::Spoofer), Some(today)).expect("a decision");
    let class_now = || named(&all(ledger), "sent as gatherly.example").class;
    assert_eq!(class_now(), FlowClass::Spoofer);
    insight::refresh_flows(ledger, &Organisation::default(), &catalogue, today.plus(1)).expect("flows");
    assert_eq!(class_now(), strangers.class, "both have expired");
    refresh();
    assert_eq!(class_now(), FlowClass::Spoofer, "as of the day before neither has");
    // One about a flow that is not kept by itself is no reason to judge again and again.
    assert!(!insight::shows_at_once(ledger, &Target::Flow("aaaaaaaaaa".into())).expect("flows"));
    decide(Target::Flow("aaaaaaaaaa".into()), Some(FlowClass::Own), None).expect("a decision");
    let judged = insight::flows_version(ledger).expect("flows");
    assert!(refresh(), "it may have been too small");
    assert_ne!(insight::flows_version(ledger).expect("flows"), judged, "what is held of the flows is read anew");
    assert!(!refresh(), "it is not there");
}

#[test]
fn ninety_days_are_told_apart() {
    let (_dir, ledger) = company(90);
    let flows = all(&ledger);
    // One large mailing from addresses beside those of a service: not an attack.
    let campaign = flows.iter().find(|flow| flow.name.contains("198.51.100.0/24")).expect("the campaign");
    assert_eq!(campaign.class, FlowClass::ThirdPartyUnaligned, "{}", campaign.rule);
    assert!(campaign.active_days <= 2, "one day, which begins late with some reporters");
    // Keys of several years, the new one beside the old.
    for key in ["s2021", "2023q2", "s2026a"] {
        assert_eq!(named(&flows, &format!("halden.example, key {key}")).class, FlowClass::Own, "{key}");
    }
    assert_eq!(named(&flows, "key faktura1").class, FlowClass::ThirdParty);
    assert_eq!(named(&flows, "sent as hyresbrevet.test").class, FlowClass::ThirdPartyUnaligned);
    assert_eq!(named(&flows, "freecode.example, altered").class, FlowClass::ForwarderBroken);
    assert_eq!(named(&flows, "forwarded by mailnest.example").class, FlowClass::ForwarderIntact);
}
