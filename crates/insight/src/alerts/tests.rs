//! Every rule, by facts that could be so, and the life of an alert; each case says why it is there.

use std::collections::BTreeMap;

use report::{Day, Policy};
use store::{AlertChange, AlertEntry, AlertWord, AlertsThen, Look, NoticeEntry, PublishedState};

use super::facts::{DayFacts, DomainFacts, Facts, FlowFacts, RecordKind, RecordTrouble, SourceTrouble, SpfFacts};
use super::finding::{Finding, Severity};
use super::run::findings;
use super::state::{ChannelWants, Delivery, Moment, Notice, NoticeKind, QuietHours, change};
use super::thresholds::Thresholds;
use super::{AlertRule, AlertThresholds};
use crate::FlowClass;

/// 2026-03-11, a Wednesday.
const TODAY: Day = Day(20_523);
const NOON: i64 = 20_524 * 86_400 + 12 * 3_600;

/// Weeks in which everything is as ever; `today` is what the judged days were like.
fn facts(usual: impl Fn(Day) -> DayFacts, today: impl Fn(&mut DayFacts)) -> Facts {
    let mut days: BTreeMap<Day, DayFacts> = (-40..=0).map(|n| (TODAY.plus(n), usual(TODAY.plus(n)))).collect();
    today(days.get_mut(&TODAY).expect("today"));
    let domain = DomainFacts { days, policy: Some(Policy::Quarantine), ..DomainFacts::default() };
    Facts {
        now: NOON,
        first: TODAY.plus(-90),
        judged: (TODAY.plus(-2), TODAY),
        domains: [("example.com".to_owned(), domain)].into(),
        ..Facts::default()
    }
}

/// A steady company: one message in a hundred fails, give or take.
fn steady(day: Day) -> DayFacts {
    let some = u64::from(day.0.rem_euclid(5).unsigned_abs());
    let own = if day.is_weekend() { (300, 20 + some) } else { (1_000, 8 + some) };
    DayFacts {
        own,
        third: (400, 4),
        unknown: 2,
        unauthorised: 300 + some * 20,
        spoof_delivered: 100,
        signed: [(("example.com".to_owned(), "s1".to_owned()), (900, 5 + some))].into(),
        spf: [("example.com".to_owned(), SpfFacts { messages: 1_300, pass: 1_000, ..SpfFacts::default() })].into(),
        ..DayFacts::default()
    }
}

fn found(facts: &Facts) -> Vec<(AlertRule, Severity)> {
    findings(facts, &Thresholds::default()).iter().map(|finding| (finding.rule, finding.severity)).collect()
}

type Change = fn(&mut DayFacts);
/// What is told.
type Told = &'static [(AlertRule, Severity)];
/// A case of the rest.
type Rest = (&'static str, fn(&mut Facts), &'static [AlertRule]);
/// Why; what for; name; what stood there before, and stands now; what is wrong.
type InDns<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a [(RecordKind, RecordTrouble)]);

#[test]
fn a_day_against_the_days_before() {
    use AlertRule::{Campaign, DeliveredSpoof, DkimBroken, OwnDrop, SpfMissing, SpfPermerror, UnknownShare};
    use Severity::{Amber, Red};
    let cases: [(&str, Change, Told); 19] = [
        ("as ever", |_| {}, &[]),
        ("a third of our own mail fails", |day| day.own = (1_000, 330), &[(OwnDrop, Red)]),
        ("six in a hundred more, where it never varies", |day| day.own = (1_000, 70), &[(OwnDrop, Red)]),
        ("four in a hundred more", |day| day.own = (2_000, 100), &[(OwnDrop, Amber)]),
        ("a holiday: little mail, and the machines that always fail go on", |day| day.own = (60, 12), &[]),
        ("nearly nothing, all of it failing", |day| day.own = (20, 20), &[]),
        ("a wave of spoofing", |day| day.unauthorised = 2_000, &[(Campaign, Amber)]),
        ("somewhat more spoofing", |day| day.unauthorised = 500, &[]),
        ("spoofs that are delivered", |day| day.spoof_delivered = 501, &[(DeliveredSpoof, Red)]),
        ("much that nobody knows", |day| day.unknown = 600, &[(UnknownShare, Amber)]),
        (
            "a new key that is nowhere",
            |day| day.signed.extend([(("example.com".into(), "s2".into()), (400, 400))]),
            &[(DkimBroken, Red)],
        ),
        (
            "a key of a small machine that nobody can use: a thirtieth of all that is signed",
            |day| day.signed.extend([(("example.com".into(), "s2".into()), (30, 29))]),
            &[(DkimBroken, Red)],
        ),
        (
            "half of what a small machine signs is altered on the way",
            |day| day.signed.extend([(("example.com".into(), "s2".into()), (60, 30))]),
            &[],
        ),
        (
            "a handful of broken signatures",
            |day| day.signed.extend([(("example.com".into(), "s2".into()), (20, 20))]),
            &[],
        ),
        (
            "a mistake in the SPF record, seen by many",
            |day| spf_of(day, |spf| (spf.permerror, spf.reporters.0) = (600, 4)),
            &[(SpfPermerror, Red)],
        ),
        ("one receiver finds a mistake", |day| spf_of(day, |spf| (spf.permerror, spf.reporters.0) = (600, 1)), &[]),
        (
            "the record is gone",
            |day| spf_of(day, |spf| (spf.none, spf.pass, spf.reporters.1) = (1_300, 0, 5)),
            &[(SpfMissing, Red)],
        ),
        (
            "a name that never had one",
            |day| {
                let none = SpfFacts { messages: 900, none: 900, reporters: (0, 9), ..SpfFacts::default() };
                day.spf.insert("x.example.com".into(), none);
            },
            &[],
        ),
        (
            "our own mail fails because the record is broken: one alert",
            |day| {
                day.own = (1_000, 500);
                spf_of(day, |spf| (spf.permerror, spf.permerror_failing, spf.reporters.0) = (600, 490, 4));
            },
            &[(SpfPermerror, Red)],
        ),
    ];
    for (why, change, expected) in cases {
        assert_eq!(found(&facts(steady, change)), expected, "{why}");
    }
}

fn spf_of(day: &mut DayFacts, change: impl Fn(&mut SpfFacts)) {
    change(day.spf.get_mut("example.com").expect("the record"));
}

#[test]
fn what_is_open_stays_so_until_it_is_really_better() {
    let between = |open: bool| {
        let mut facts = facts(steady, |day| {
            day.own = (1_000, 130);
            day.unauthorised = 560;
            day.spoof_delivered = 300;
        });
        if open {
            facts.open = ["own_drop example.com", "campaign example.com", "delivered_spoof example.com"]
                .map(str::to_owned)
                .into();
        }
        facts.domains.get_mut("example.com").expect("it").days.values_mut().for_each(|day| {
            if day.own == (1_000, 130) {
                day.own = (1_000, 60);
            }
        });
        found(&facts).len()
    };
    assert!(between(true) > between(false), "less keeps it open than opens it");
    let mut other = facts(steady, |day| day.spoof_delivered = 5_000);
    other.domains.get_mut("example.com").expect("it").policy = Some(Policy::None);
    assert_eq!(found(&other), [], "under p=none everything is delivered");
}

fn flow(class: FlowClass, first: i32, days: &[(u64, u64)]) -> FlowFacts {
    let from = TODAY.plus(1 - i32::try_from(days.len()).expect("few"));
    FlowFacts {
        id: "abcdefghij".to_owned(),
        domain: "example.com".to_owned(),
        name: "a flow".to_owned(),
        class,
        diagnosis: None,
        why: "it was said so".to_owned(),
        first_day: TODAY.plus(first),
        promising: class == FlowClass::Unknown,
        days: (0..).map(|n| from.plus(n)).zip(days.iter().copied()).collect(),
    }
}

#[test]
fn flows() {
    use AlertRule::{FlowFails, NewFlow};
    use FlowClass::{ForwarderBroken, OwnMisconfigured, Spoofer, ThirdParty, ThirdPartyUnaligned, Unknown};
    use Severity::{Amber, Red};
    let then = |good: (u64, u64), last: &[(u64, u64)]| [vec![good; 25], last.to_vec()].concat();
    let cases: [(&str, FlowFacts, Told); 12] = [
        ("a key that broke", flow(ThirdParty, -80, &then((300, 2), &[(300, 300)])), &[(FlowFails, Red)]),
        ("one in thirty", flow(ThirdParty, -80, &then((3_000, 6), &[(3_000, 100)])), &[(FlowFails, Amber)]),
        ("chance", flow(ThirdParty, -80, &then((60, 1), &[(60, 3)])), &[]),
        ("few messages", flow(ThirdParty, -80, &then((30, 0), &[(30, 30)])), &[]),
        ("it failed as ever", flow(OwnMisconfigured, -80, &then((300, 290), &[(300, 300)])), &[]),
        (
            "two days ago, and mended: still told once",
            flow(ThirdParty, -80, &then((300, 2), &[(300, 300), (300, 2)])),
            &[(FlowFails, Red)],
        ),
        ("nobody here can mend a forwarder", flow(ForwarderBroken, -80, &then((300, 2), &[(300, 300)])), &[]),
        ("new, and fails", flow(ThirdPartyUnaligned, -1, &[(80, 80), (80, 80)]), &[(NewFlow, Red)]),
        ("new, authenticates as somebody", flow(Unknown, 0, &[(80, 80)]), &[(NewFlow, Red)]),
        ("new, and passes", flow(ThirdParty, -1, &[(80, 0), (80, 0)]), &[]),
        ("new, and a spoofer", flow(Spoofer, -1, &[(800, 800)]), &[]),
        ("new, and little", flow(ThirdPartyUnaligned, -1, &[(40, 40), (40, 40)]), &[]),
    ];
    for (why, flow, expected) in cases {
        let facts = Facts { flows: vec![flow], ..facts(steady, |_| {}) };
        assert_eq!(found(&facts), expected, "{why}");
    }
    // In a ledger of three weeks everything is new.
    let new = flow(ThirdPartyUnaligned, -1, &[(80, 80)]);
    let facts = Facts { flows: vec![new], first: TODAY.plus(-21), ..facts(steady, |_| {}) };
    assert_eq!(found(&facts), []);
}

#[test]
fn reports_that_do_not_come() {
    let hour = 3_600;
    let base = || facts(steady, |_| {});
    let cases: [Rest; 7] = [
        ("half a day ago, as ever", |f| f.reports.last_received = Some(NOON - 12 * 3_600), &[]),
        ("two days ago", |f| f.reports.last_received = Some(NOON - 48 * 3_600), &[AlertRule::NoReports]),
        (
            "two days ago, where a weekend has always been free",
            |f| (f.reports.last_received, f.reports.longest_gap) = (Some(NOON - 48 * 3_600), 62 * 3_600),
            &[],
        ),
        (
            "a ledger that somebody fills by hand",
            |f| (f.reports.last_received, f.reports.days_of_receipt) = (Some(NOON - 4_800 * 3_600), 2),
            &[],
        ),
        ("a week late", |f| f.reports.lag = Some(7 * 24 * 3_600), &[AlertRule::ReportLag]),
        ("a mailbox that refuses us", |f| f.sources = vec![trouble(NOON - 7_200)], &[AlertRule::SourceFailing]),
        ("for a moment", |f| f.sources = vec![trouble(NOON - 60)], &[]),
    ];
    for (why, change, expected) in cases {
        let mut facts = base();
        facts.reports.last_received = Some(NOON - hour);
        (facts.reports.days_of_receipt, facts.reports.longest_gap) = (28, 25 * hour);
        change(&mut facts);
        let rules: Vec<AlertRule> = found(&facts).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, expected, "{why}");
    }
    let mut facts = base();
    facts.sources = vec![trouble(0)];
    let off = Thresholds { off: vec![AlertRule::SourceFailing], ..Thresholds::default() };
    assert!(findings(&facts, &off).is_empty(), "a rule that is switched off finds nothing");
}

fn trouble(since: i64) -> SourceTrouble {
    SourceTrouble { name: "post".into(), kind: "imap".into(), since, problem: "refused".into() }
}

#[test]
fn what_stands_in_dns() {
    use RecordKind::{Dkim, Dmarc, Spf};
    let includes = |many: usize| (0..many).fold(String::new(), |all, n| format!("{all} include:i{n}.example"));
    let over = format!("v=spf1{} -all", includes(11));
    let good = format!("v=spf1{} -all", includes(10));
    let key = "v=DKIM1; k=rsa; p=MIGf";
    let cases: [InDns<'_>; 10] = [
        ("as ever", "dmarc", "_dmarc.example.com", "v=DMARC1; p=none", "v=DMARC1; p=none", &[]),
        (
            "weakened",
            "dmarc",
            "_dmarc.example.com",
            "v=DMARC1; p=reject",
            "v=DMARC1; p=none",
            &[(Dmarc, RecordTrouble::Changed)],
        ),
        ("gone", "dmarc", "_dmarc.example.com", "v=DMARC1; p=none", "", &[(Dmarc, RecordTrouble::Gone)]),
        ("never there", "dmarc", "_dmarc.example.com", "", "", &[]),
        ("two", "spf", "example.com", "v=spf1 -all", "v=spf1 -all\nv=spf1 a -all", &[(Spf, RecordTrouble::Multiple)]),
        ("other records beside it", "spf", "example.com", "v=spf1 -all", "google-site=1\nv=spf1 -all", &[]),
        ("eleven look-ups", "spf", "example.com", &over, &over, &[(Spf, RecordTrouble::OverLimit(11))]),
        ("ten", "spf", "example.com", &good, &good, &[]),
        ("revoked", "dkim", "s1._domainkey.example.com", key, "v=DKIM1; p=", &[(Dkim, RecordTrouble::Gone)]),
        ("what a vendor changes is his", "spf", "_spf.vendor.example", "v=spf1 -all", "v=spf1 a -all", &[]),
    ];
    for (why, kind, name, before, after, expected) in cases {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = store::Ledger::open(dir.path()).expect("a ledger");
        for (at, value) in [(1_000, before), (2_000, after)] {
            let state = if value.is_empty() { PublishedState::Nothing } else { PublishedState::Found };
            let look = Look {
                domain: "example.com".into(),
                kind: kind.into(),
                name: name.into(),
                record_type: "TXT".into(),
                state,
                value: value.into(),
            };
            ledger.note_published(at, [&look]).expect("noted");
        }
        let facts = super::records::published(&ledger).expect("facts");
        let wrong: Vec<_> =
            facts.into_iter().map(|f| (f.kind, f.trouble)).filter(|f| f.1 != RecordTrouble::Old(0)).collect();
        assert_eq!(wrong, expected, "{why}");
    }
}

/// An alert's life on paper: what the ledger would hold.
#[derive(Default)]
struct Paper {
    then: AlertsThen,
    before: Option<Day>,
    sent: Vec<(i64, Notice)>,
}

const HOUR: i64 = 3_600;

impl Paper {
    /// The morning after `until`, at an hour; what is found then.
    fn morning(&mut self, until: i32, hour: i64, found: &[Finding]) -> AlertChange {
        let channels = ["all", "red"].map(|name| ChannelWants {
            name: name.to_owned(),
            least: if name == "red" { Severity::Red } else { Severity::Amber },
            resolved: true,
            digest: false,
        });
        let delivery = Delivery { channels: channels.into(), quiet: Some(QuietHours { from: 22 * 60, to: 7 * 60 }) };
        let now = i64::from(until + 1) * 86_400 + hour * HOUR;
        let moment = Moment { now, until: Some(Day(until)), before: self.before, delivery: &delivery, off: &[] };
        let changed = change(&self.then, found, &moment);
        for (cause, opened, state) in &changed.open {
            let id = self.then.alerts.len() as u64 + 1;
            let (cause, state) = (cause.clone(), state.clone());
            self.then.alerts.push(AlertEntry { id, cause, opened: *opened, resolved: None, state });
        }
        for put in &changed.put {
            let at = self.then.alerts.iter().position(|alert| alert.id == put.id).expect("known");
            self.then.alerts[at] = put.clone();
        }
        self.then.unsent.retain(|notice| !changed.drop.contains(&notice.id));
        for (channel, due, notice) in &changed.notices {
            let id = self.then.unsent.len() as u64 + 100 + self.sent.len() as u64;
            self.sent.push((*due, serde_json::from_str(notice).expect("a notice")));
            let (channel, notice) = (channel.clone(), notice.clone());
            let entry =
                NoticeEntry { id, channel, due: *due, tries: 0, sent: None, given_up: None, problem: None, notice };
            self.then.unsent.push(entry);
        }
        self.before = Some(Day(until));
        changed
    }

    fn open(&self) -> usize {
        self.then.alerts.iter().filter(|alert| alert.resolved.is_none()).count()
    }
}

fn finding(day: i32, severity: Severity) -> Finding {
    Finding {
        rule: AlertRule::Campaign,
        severity,
        domain: "example.com".to_owned(),
        subject: String::new(),
        day: Some(Day(day)),
        sentence: "a wave".to_owned(),
        evidence: Vec::new(),
        remedy: "wait".to_owned(),
        link: "/".to_owned(),
        messages: 1,
    }
}

#[test]
fn an_alert_is_told_once_and_taken_back() {
    let mut paper = Paper::default();
    let amber = |day| finding(day, Severity::Amber);
    assert_eq!(paper.morning(100, 9, &[amber(100)]).notices.len(), 1, "opened: told to those who want amber");
    assert_eq!(paper.morning(100, 10, &[amber(100)]).notices.len(), 0, "asked again: nothing new");
    assert_eq!(paper.morning(101, 9, &[amber(101)]).notices.len(), 0, "the next day, the same");
    assert_eq!(paper.morning(102, 9, &[finding(102, Severity::Red)]).notices.len(), 2, "red now: told to all");
    paper.then.unsent.clear();
    assert_eq!((paper.morning(103, 9, &[]).notices.len(), paper.open()), (0, 1), "one good day is no end");
    // A day that was bad, and was judged when it was, opens nothing and keeps nothing open.
    let over = paper.morning(104, 9, &[amber(102)]);
    assert_eq!((over.notices.len(), paper.open()), (2, 0), "two are, and who was told is told so");
    assert!(paper.sent.iter().rev().take(2).all(|(_, notice)| notice.kind == NoticeKind::Resolved));
    assert_eq!(paper.morning(104, 10, &[amber(102)]).notices.len(), 0, "what was told is not told again");
    assert_eq!(paper.morning(106, 9, &[amber(106)]).notices.len(), 1, "it is back: the same alert, told anew");
    assert_eq!(paper.then.alerts.len(), 1, "within a week it is the same one");
    let ids: Vec<&String> = paper.sent.iter().map(|(_, notice)| &notice.id).collect();
    assert_eq!(ids[0].len(), 16);
    assert_ne!(ids[0], ids[1], "another notice has another id");
}

#[test]
fn nights_acknowledgements_and_silences() {
    let mut paper = Paper::default();
    let amber = |day| finding(day, Severity::Amber);
    paper.morning(100, 3, &[amber(100)]);
    assert_eq!(paper.sent[0].0, 101 * 86_400 + 7 * HOUR, "amber waits until the morning");
    // Over before anybody was told: nobody is told anything.
    let over = paper.morning(102, 4, &[]);
    assert_eq!((over.drop.len(), over.notices.len(), paper.open()), (1, 0, 0));
    paper.morning(120, 3, &[finding(120, Severity::Red)]);
    assert_eq!(paper.sent[1].0, 121 * 86_400 + 3 * HOUR, "red does not wait");

    for (word, until) in [("acknowledge", None), ("silence", Some(140 * 86_400))] {
        let mut paper = Paper::default();
        paper.morning(130, 9, &[amber(130)]);
        let word = serde_json::json!({
            "alert": 1, "cause": "campaign example.com", "word": word, "until": until, "note": null, "who": null
        });
        paper.then.words.push(AlertWord { id: 1, at: 0, word: word.to_string() });
        let red = paper.morning(131, 9, &[finding(131, Severity::Red)]);
        assert_eq!(red.notices.len(), 0, "{word}: nobody is told");
        // The silence ends, and it is still so.
        let later = paper.morning(141, 9, &[finding(141, Severity::Red)]);
        assert_eq!(later.notices.len(), if until.is_some() { 2 } else { 0 }, "{word}");
    }
}

#[test]
fn many_at_once_are_one_notice() {
    let mut paper = Paper::default();
    let many: Vec<Finding> =
        (0..9).map(|n| Finding { subject: format!("flow {n}"), ..finding(100, Severity::Amber) }).collect();
    let changed = paper.morning(100, 9, &many);
    assert_eq!((changed.open.len(), changed.notices.len()), (9, 1));
    assert_eq!(paper.sent[0].1.alerts.len(), 9);
}

#[test]
fn quiet_hours_end_in_the_morning() {
    let night = QuietHours { from: 22 * 60, to: 7 * 60 };
    let noon = QuietHours { from: 12 * 60, to: 13 * 60 };
    let day = 86_400;
    let cases = [
        ("before", night, 21 * HOUR, 21 * HOUR),
        ("in the evening", night, 23 * HOUR, day + 7 * HOUR),
        ("in the night", night, 3 * HOUR, 7 * HOUR),
        ("when it ends", night, 7 * HOUR, 7 * HOUR),
        ("at noon", noon, 12 * HOUR + 60, 13 * HOUR),
    ];
    for (why, quiet, now, expected) in cases {
        assert_eq!(quiet.until(now), expected, "{why}");
    }
}

#[test]
fn thresholds_are_read_as_they_are_written() {
    let text = serde_json::to_string(&AlertThresholds::default()).expect("text");
    assert_eq!(serde_json::from_str::<AlertThresholds>(&text).expect("thresholds"), AlertThresholds::default());
    for rule in AlertRule::ALL {
        assert_eq!(serde_json::to_value(rule).expect("a word"), rule.word());
    }
}

#[test]
fn a_digest_is_made_on_mondays() {
    use super::digest::{Due, due};
    // 2026-03-09 was a Monday.
    let monday = 20_521 * 86_400;
    let cases = [
        ("never before", None, monday, Due::First),
        ("on Monday, before seven", Some(monday - 3 * 86_400), monday + 6 * HOUR, Due::Later),
        ("on Monday, at seven", Some(monday - 3 * 86_400), monday + 7 * HOUR, Due::Now),
        ("once is enough", Some(monday + 7 * HOUR), monday + 8 * HOUR, Due::Later),
        ("switched off over Monday", Some(monday - 6 * HOUR), monday + 50 * HOUR, Due::Now),
    ];
    for (why, last, now, expected) in cases {
        assert_eq!(due(last, now), expected, "{why}");
    }
}
