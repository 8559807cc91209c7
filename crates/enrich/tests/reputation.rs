//! From answers of lists to grades, as a reader of the portal would check them; and lists that err, fall silent, list everything or have
//! enough of us.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use dns::{Lookup, Name, RecordType, Response, Zone};
use enrich::{
    Clock, Evidence, FileLimits, FileList, Grade, ListDefinition, Local, Moment, Value, ZoneLimits, ZoneList, ZoneTest,
    grade,
};

/// Some noon.
const NOON: i64 = 20_000 * 86_400 + 43_200;

fn definition(id: &str) -> ListDefinition {
    let found = ListDefinition::bundled().into_iter().find(|list| list.id == id);
    found.unwrap_or_else(|| panic!("no list {id}"))
}

/// A zone and how often it was asked.
struct Counting {
    zone: Zone,
    asked: AtomicU32,
}

impl Counting {
    fn new(text: &str) -> Self {
        Self { zone: Zone::parse(text).unwrap_or_else(|error| panic!("{error}")), asked: 0.into() }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Lookup for Counting {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.zone.answer(name, kind)
    }
}

/// A clock that a test moves.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(NOON));
    let read = Arc::clone(&time);
    (Clock::new(move || read.load(Ordering::Relaxed)), time)
}

/// The entries that a list has for its own tests, and these.
fn list_zone(zone: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("$TTL 600\n2.0.0.127.{zone}. A 127.0.0.2\n");
    for (reversed, answer) in entries {
        writeln!(text, "{reversed}.{zone}. A {answer}").unwrap();
    }
    text
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The evidence of lists and of our own reports about one address, each list asked in full.
async fn evidence(answers: &[(&str, &[&str])], local: Local, drop: bool) -> Vec<Evidence> {
    let (clock, _) = clock();
    let mut evidence = local.evidence(clock.now());
    for (id, codes) in answers {
        let definition = definition(id);
        let entries: Vec<(&str, &str)> = codes.iter().map(|code| ("1.2.0.192", *code)).collect();
        let dns = Counting::new(&list_zone(&definition.zone, &entries));
        let list = ZoneList::new(definition, None, ZoneLimits::default()).unwrap();
        evidence.extend(list.ask(&dns, address("192.0.2.1"), &clock).await.unwrap());
    }
    if drop {
        let list = r#"{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"ripencc"}"#;
        let list = FileList::read("drop", list, Value::of(-10.0), true, &FileLimits::default()).unwrap();
        evidence.extend(list.evidence(address("192.0.2.1"), None, clock.now()));
    }
    evidence
}

const LONG: Local = Local {
    aligned_messages: 5_000,
    aligned_days: 60,
    override_reporter_days: 0,
    judged_messages: 0,
    spam_messages: 0,
};
const OVERRIDES: Local = Local { aligned_messages: 0, aligned_days: 0, override_reporter_days: 3, ..LONG };
const NOTHING: Local = Local { override_reporter_days: 0, ..OVERRIDES };

#[tokio::test]
async fn the_table_of_grades() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])], Local, bool, Option<i16>);
    let cases: &[Case<'_>] = &[
        (
            "a large provider's forwarders: known to DNSWL, H3",
            &[("dnswl", &["127.0.5.0"]), ("mailspike", &["127.0.0.18"])],
            NOTHING,
            false,
            Some(34),
        ),
        (
            "another one: H2 and a Sender Score of 95",
            &[("dnswl", &["127.0.5.0"]), ("mailspike", &["127.0.0.17"]), ("senderscore", &["127.0.4.95"])],
            NOTHING,
            false,
            Some(56),
        ),
        ("DNSWL medium", &[("dnswl", &["127.0.4.2"])], NOTHING, false, Some(50)),
        (
            "a shared bulk sender, complained about: H2",
            &[("mailspike", &["127.0.0.17"]), ("spamcop", &["127.0.0.2"])],
            NOTHING,
            false,
            Some(-25),
        ),
        (
            "a better one, complained about: H4",
            &[("mailspike", &["127.0.0.19"]), ("spamcop", &["127.0.0.2"])],
            NOTHING,
            false,
            Some(10),
        ),
        (
            "a hijacked machine at home: XBL and PBL",
            &[("spamhaus-zen", &["127.0.0.4", "127.0.0.10"])],
            NOTHING,
            false,
            Some(-82),
        ),
        (
            "SBL outweighs DNSWL low",
            &[("spamhaus-zen", &["127.0.0.2"]), ("dnswl", &["127.0.3.1"])],
            NOTHING,
            false,
            Some(-70),
        ),
        ("PBL alone", &[("spamhaus-zen", &["127.0.0.10"])], NOTHING, false, Some(-40)),
        ("a Sender Score of 82", &[("senderscore", &["127.0.4.82"])], NOTHING, false, Some(8)),
        ("a Sender Score of 65", &[("senderscore", &["127.0.4.65"])], NOTHING, false, Some(-18)),
        ("passes for a month, and is on CSS", &[("spamhaus-zen", &["127.0.0.3"])], LONG, false, Some(-20)),
        ("receivers call it a forwarder", &[], OVERRIDES, false, Some(15)),
        ("asked everywhere, listed nowhere", &[("spamhaus-zen", &[]), ("dnswl", &[])], NOTHING, false, None),
        ("nothing", &[], NOTHING, false, None),
        ("DROP, from a file", &[], NOTHING, true, Some(-100)),
        ("DROP and a good name", &[("dnswl", &["127.0.4.3"])], LONG, true, Some(-20)),
        ("SBL and DROP are said at once", &[("spamhaus-zen", &["127.0.0.2", "127.0.0.9"])], NOTHING, false, Some(-100)),
        ("a code that nobody knows yet", &[("spamhaus-zen", &["127.0.0.77"])], NOTHING, false, None),
    ];
    for (why, answers, local, drop, expected) in cases {
        let evidence = evidence(answers, *local, *drop).await;
        assert_eq!(grade(&evidence).map(Grade::in_tenths), *expected, "{why}: {evidence:#?}");
        assert!(evidence.iter().all(|one| !one.detail.is_empty()), "{why}: every value says what it rests on");
    }
    println!("{} grades", cases.len());
}

#[tokio::test]
async fn hard_evidence_caps_a_grade_at_minus_two() {
    let evidence = evidence(&[("dnswl", &["127.0.4.3"])], LONG, true).await;
    let without: Vec<Evidence> = evidence.iter().filter(|one| !one.hard).cloned().collect();
    assert_eq!(grade(&without).map(Grade::in_tenths), Some(88));
    assert_eq!(grade(&evidence).map(Grade::in_tenths), Some(-20));
}

/// A list over a zone that goes wrong: what is learned about 192.0.2.1, and what is said where nothing is.
async fn wrong(text: &str) -> (Result<usize, String>, Option<String>) {
    let dns = Counting::new(text);
    let (clock, _) = clock();
    let list = ZoneList::new(definition("spamhaus-zen"), None, ZoneLimits::default()).unwrap();
    let learned = list.ask(&dns, address("192.0.2.1"), &clock).await;
    (learned.map(|found| found.len()).map_err(|gap| gap.why), list.off().await.map(|why| why.to_string()))
}

#[tokio::test]
async fn errors_are_never_listings() {
    const Z: &str = "zen.spamhaus.org";
    let tests = |listed: &str| format!("$TTL 60\n2.0.0.127.{Z}. A {listed}\n");
    let good = tests("127.0.0.2");
    let cases = [
        (format!("{good}1.2.0.192.{Z}. A 127.255.255.252\n"), "mistyped", "an error code of its own"),
        (format!("{good}1.2.0.192.{Z}. A 127.255.255.254\n"), "public resolver", "asked through a public resolver"),
        (format!("{good}1.2.0.192.{Z}. A 127.255.255.1\n"), "error code", "an error code that nobody knows"),
        (
            format!("{good}1.2.0.192.{Z}. A 127.0.0.2\n1.2.0.192.{Z}. A 127.255.255.255\n"),
            "too many questions",
            "an error beside a listing spoils it",
        ),
        (format!("{good}1.2.0.192.{Z}. A 203.0.113.80\n"), "203.0.113.80", "a parked domain"),
        (format!("{good}1.2.0.192.{Z}. A 0.0.0.0\n"), "0.0.0.0", "a resolver that blocks"),
        (tests("127.255.255.254"), "public resolver", "its test is answered with an error"),
        (format!("$TTL 60\n*.{Z}. A 127.0.0.2\n"), "lists everything", "a wildcard: the whole world is listed"),
        (format!("$TTL 60\n*.{Z}. A 203.0.113.80\n"), "203.0.113.80", "a wildcard of whoever bought the domain"),
        (format!("$TTL 60\nwww.{Z}. A 203.0.113.80\n"), "lists nothing", "an empty zone, or one that is kept from us"),
        (format!(";@ servfail 2.0.0.127.{Z}.\n"), "its test failed", "its test fails"),
        (format!(";@ timeout 2.0.0.127.{Z}.\n"), "no answer in time", "its test times out"),
        (format!("{good};@ timeout 1.0.0.127.{Z}.\n"), "no answer in time", "half of its test times out"),
    ];
    for (text, expected, why) in cases {
        let (learned, off) = wrong(&text).await;
        let said = learned.expect_err(why);
        assert!(said.contains(expected), "{why}: {said}");
        assert!(off.as_ref().is_some_and(|off| off.contains(expected)), "{why}: it must be off, and say so: {off:?}");
    }
    for (fault, why) in [("servfail", "one question fails"), ("timeout", "one question times out")] {
        let (learned, off) = wrong(&format!("{good};@ {fault} 1.2.0.192.{Z}.\n")).await;
        assert!(learned.is_err(), "{why}: not “not listed”");
        assert_eq!(off, None, "{why}: once is no reason to switch it off");
    }
    assert_eq!(wrong(&good).await, (Ok(0), None), "nothing wrong, not listed");
    assert_eq!(wrong(&format!("{good}1.2.0.192.{Z}. A 127.0.0.4\n")).await, (Ok(1), None), "nothing wrong, listed");
}

#[tokio::test]
async fn a_list_that_is_off_is_not_asked_until_the_next_day() {
    let dns =
        Counting::new(&list_zone("zen.spamhaus.org", &[("1.2.0.192", "127.255.255.255"), ("2.2.0.192", "127.0.0.4")]));
    let (clock, time) = clock();
    let list = ZoneList::new(definition("spamhaus-zen"), None, ZoneLimits::default()).unwrap();
    assert!(list.ask(&dns, address("192.0.2.1"), &clock).await.is_err());
    assert_eq!(dns.asked(), 3, "two for the test, one for the address");
    for _ in 0..5 {
        let gap = list.ask(&dns, address("192.0.2.2"), &clock).await.unwrap_err();
        assert!(gap.source == "spamhaus-zen" && gap.why.contains("too many questions"), "{gap:?}");
    }
    assert_eq!(dns.asked(), 3, "not asked while off");
    time.fetch_add(43_200, Ordering::Relaxed);
    assert_eq!(list.ask(&dns, address("192.0.2.2"), &clock).await.unwrap().len(), 1, "tested again, believed again");
    assert_eq!(dns.asked(), 6);
    assert_eq!(list.off().await, None);
}

#[tokio::test]
async fn a_list_that_falls_silent_is_left_alone_for_an_hour() {
    let faults = (1..=30).map(|n| format!(";@ timeout {n}.2.0.192.zen.spamhaus.org.")).collect::<Vec<_>>().join("\n");
    let dns = Counting::new(&(list_zone("zen.spamhaus.org", &[("1.3.0.192", "127.0.0.4")]) + &faults));
    let (clock, time) = clock();
    let list = ZoneList::new(definition("spamhaus-zen"), None, ZoneLimits::default()).unwrap();
    for n in 1..=30 {
        assert!(list.ask(&dns, address(&format!("192.0.2.{n}")), &clock).await.is_err());
    }
    assert_eq!(dns.asked(), 2 + 20, "after twenty in a row it is left alone");
    assert!(list.off().await.unwrap().contains("in a row"));
    let told = list.state(clock.now());
    assert!(matches!(&told.test, ZoneTest::Off(until, why) if *until > NOON && why.contains("in a row")), "{told:?}");
    time.fetch_add(3_600, Ordering::Relaxed);
    assert_eq!(list.ask(&dns, address("192.0.3.1"), &clock).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_budget_holds_for_a_day() {
    let dns = Counting::new(&list_zone("zen.spamhaus.org", &[]));
    let (clock, time) = clock();
    let limits = ZoneLimits { daily: 10, ..ZoneLimits::default() };
    let list = ZoneList::new(definition("spamhaus-zen"), None, limits).unwrap();
    let state = || list.state(clock.now());
    assert_eq!(
        (state().questions_today, state().test),
        (0, ZoneTest::Untested),
        "it is not tested before it is needed"
    );
    let mut learned = 0;
    for n in 1..=50 {
        match list.ask(&dns, address(&format!("192.0.2.{n}")), &clock).await {
            Ok(_) => learned += 1,
            Err(gap) => assert!(gap.why.contains("budget of 10"), "{gap:?}"),
        }
    }
    assert_eq!((learned, dns.asked()), (8, 10), "the two of its test count too");
    let told = state();
    assert_eq!((told.questions_today, told.questions_daily), (10, 10));
    assert!(
        matches!(told.test, ZoneTest::Ready(until) if until == Moment::of(NOON).day().begin() + 86_400),
        "{told:?}"
    );
    time.fetch_add(86_400, Ordering::Relaxed);
    assert_eq!((state().questions_today, state().test), (0, ZoneTest::Untested), "yesterday's do not count");
    assert!(list.ask(&dns, address("192.0.2.50"), &clock).await.is_ok(), "a new day");
    assert_eq!(list.questions(), 13);
}

#[tokio::test]
async fn answers_are_kept_but_not_for_ever() {
    let entries =
        [("1.2.0.192", "127.0.0.4"), ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", "127.0.0.3")];
    let dns = Counting::new(&list_zone("zen.spamhaus.org", &entries));
    let (clock, time) = clock();
    let list = ZoneList::new(definition("spamhaus-zen"), None, ZoneLimits::default()).unwrap();
    let ask = |text: &str| {
        let address = address(text);
        let (list, dns, clock) = (&list, &dns, &clock);
        async move { list.ask(dns, address, clock).await.unwrap() }
    };
    let first = ask("192.0.2.1").await;
    assert_eq!((first[0].day, first[0].expires), (Moment::of(NOON).day(), NOON + 600), "as long as its answer holds");
    assert_eq!(ask("::ffff:192.0.2.1").await, first);
    assert_eq!(dns.asked(), 3, "kept, however the address is written");
    time.fetch_add(600, Ordering::Relaxed);
    assert_eq!(ask("192.0.2.1").await[0].expires, NOON + 1_200, "asked again");
    assert_eq!(dns.asked(), 4);

    assert_eq!(ask("2001:db8::1").await.len(), 1);
    assert_eq!(ask("2001:db8::ffff:1").await.len(), 1, "one question for a /64");
    assert_eq!(dns.asked(), 5);
    assert_eq!(ask("2001:db8:0:1::1").await.len(), 0, "the next /64");
    assert_eq!(dns.asked(), 6);

    assert_eq!(ask("192.0.2.9").await.len(), 0);
    time.fetch_add(43_199 - 600, Ordering::Relaxed);
    ask("192.0.2.9").await;
    assert_eq!(dns.asked(), 7, "not listed: kept for a day, whatever the zone says");
}

#[tokio::test]
async fn those_who_ask_at_once_ask_once() {
    /// Answers when all have asked.
    struct Slow(Counting);
    impl Lookup for Slow {
        async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
            tokio::task::yield_now().await;
            self.0.lookup(name, kind).await
        }
    }
    let dns = Slow(Counting::new(&list_zone("zen.spamhaus.org", &[])));
    let (clock, _) = clock();
    let list = ZoneList::new(definition("spamhaus-zen"), None, ZoneLimits::default()).unwrap();
    let ask = || list.ask(&dns, address("192.0.2.1"), &clock);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(dns.0.asked(), 3, "one test, one question");
}

#[tokio::test]
async fn a_list_that_knows_no_ipv6_is_not_asked_about_it() {
    let dns = Counting::new(&list_zone("bl.spamcop.net", &[]));
    let (clock, _) = clock();
    let list = ZoneList::new(definition("spamcop"), None, ZoneLimits::default()).unwrap();
    assert_eq!(list.ask(&dns, address("2001:db8::1"), &clock).await, Ok(vec![]));
    assert_eq!(dns.asked(), 0);
}

/// Says in its failures what it was asked.
struct Talkative;

impl Lookup for Talkative {
    async fn lookup(&self, name: &Name, _: RecordType) -> Response {
        Response::ServFail(format!("cannot resolve {name}").into())
    }
}

#[tokio::test]
async fn keys_are_asked_for_and_kept_secret() {
    let error = |id: &str, key: Option<&str>| {
        ZoneList::new(definition(id), key, ZoneLimits::default()).map(|_| ()).unwrap_err().to_string()
    };
    assert!(error("abusix", None).contains("needs a key"));
    assert!(error("spamcop", Some("k")).contains("takes no key"));
    let bad = ["", "a.b", "geheim/", "schlüssel", &"a".repeat(64)];
    for key in bad {
        let said = error("abusix", Some(key));
        assert!(said.contains("letters, digits") && (key.is_empty() || !said.contains(key)), "{said}");
    }
    let list = ZoneList::new(definition("abusix"), Some("topsecret"), ZoneLimits::default()).unwrap();
    assert!(!format!("{list:?}").contains("topsecret"));
    // Also not in what a resolver says about a question that failed.
    let (clock, _) = clock();
    let gap = list.ask(&Talkative, address("192.0.2.1"), &clock).await.unwrap_err();
    assert!(!gap.why.contains("topsecret"), "{gap:?}");

    let dns = Counting::new(&list_zone("topsecret.combined.mail.abusix.zone", &[("1.2.0.192", "127.0.0.2")]));
    let list = ZoneList::new(definition("abusix"), Some("topsecret"), ZoneLimits::default()).unwrap();
    assert_eq!(list.ask(&dns, address("192.0.2.1"), &clock).await.unwrap()[0].value, Value::of(-6.0));
}
