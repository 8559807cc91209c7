//! The network's answers are the zone's: each question to a real server on loopback, over UDP and TCP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod server;

use std::time::Duration;

use dns::{Lookup, Name, RecordType, Response, Zone};
use resolver::{Network, NetworkLimits};

/// Names that DNS allows and host names do not, answers in many strings, long ones, aliases, and the ways of having none.
const ZONE: &str = r#"
$ORIGIN legit.test.
$TTL 300
@           TXT   "v=spf1 mx a:%{i}._spf.%{d2} " "-all"
@           MX    10 mail
@           MX    20 .
@           NS    ns
mail        A     192.0.2.1
mail        A     192.0.2.2
mail        AAAA  2001:db8::1
alias       CNAME mail
twice       CNAME alias
gone        CNAME nothing.here
loop        CNAME loop2
loop2       CNAME loop
sel._domainkey TXT "v=DKIM1; p=" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
a:b/24      TXT   "odd"
sp\032ace   TXT   "\000\255"
deep.er.name A    192.0.2.3
*.wild      TXT   "anything"
1.2.0.192.in-addr.arpa. PTR mail
broken      TXT   "never seen"
;@ servfail broken
;@ servfail half TXT
half        A     192.0.2.9
"#;

async fn network(zone: &Zone) -> Network {
    Network::servers(&[server::start(zone.clone()).await], NetworkLimits::default()).unwrap()
}

fn zone() -> Zone {
    Zone::parse(ZONE).unwrap()
}

#[tokio::test]
async fn every_question_has_the_zones_answer() {
    let zone = zone();
    let network = network(&zone).await;
    let names = [
        "legit.test",
        "mail.legit.test",
        "alias.legit.test",
        "twice.legit.test",
        "gone.legit.test",
        "sel._domainkey.legit.test",
        "a:b/24.legit.test",
        r"sp\032ace.legit.test",
        "er.name.legit.test",
        "name.legit.test",
        "x.wild.legit.test",
        "no.legit.test",
        "1.2.0.192.in-addr.arpa",
        "broken.legit.test",
        "half.legit.test",
        "other.test",
    ];
    let mut asked = 0;
    for name in names {
        let name = Name::parse(name).unwrap();
        for kind in RecordType::ALL {
            let (here, there) = (zone.answer(&name, kind), network.lookup(&name, kind).await);
            match (&here, &there) {
                (Response::ServFail(_), Response::ServFail(_)) => {}
                (Response::Found(here), Response::Found(there)) => {
                    let sorted = |records: &dns::Records| {
                        let mut data = records.records().to_vec();
                        data.sort();
                        (data, records.ttl())
                    };
                    assert_eq!(sorted(here), sorted(there), "{name} {kind}");
                }
                _ => assert_eq!(here, there, "{name} {kind}"),
            }
            asked += 1;
        }
    }
    assert_eq!(asked, names.len() * RecordType::ALL.len());
}

#[tokio::test]
async fn a_loop_of_aliases_is_a_failure() {
    let answer = network(&zone()).await.lookup(&Name::parse("loop.legit.test").unwrap(), RecordType::A).await;
    assert!(matches!(answer, Response::ServFail(_)), "{answer:?}");
}

#[tokio::test]
async fn four_kilobytes_come_over_tcp() {
    let text: String = "0123456789abcdef".repeat(256);
    let strings: Vec<String> =
        text.as_bytes().chunks(200).map(|s| format!("\"{}\"", str::from_utf8(s).unwrap())).collect();
    let zone = Zone::parse(&format!("$TTL 60\nlong.test. TXT {}\n", strings.join(" "))).unwrap();
    let answer = network(&zone).await.lookup(&Name::parse("long.test").unwrap(), RecordType::Txt).await;
    assert_eq!(answer.records(), [dns::Data::Txt(text.as_bytes().into())]);
}

/// Nobody answers, so the paused clock jumps to the deadline.
#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout_after_the_time_allowed() {
    let zone = Zone::parse(";@ timeout silent.test.\n").unwrap();
    let limits = NetworkLimits { timeout: Duration::from_secs(3), attempts: 2, ..NetworkLimits::default() };
    let network = Network::servers(&[server::start(zone).await], limits).unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(network.lookup(&Name::parse("silent.test").unwrap(), RecordType::Txt).await, Response::Timeout);
    let seconds = began.elapsed().as_secs();
    assert!((3..=12).contains(&seconds), "{seconds}");
}
