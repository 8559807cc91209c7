//! Our SPF against pyspf's on random zones and clients: what differs is listed, and must be judged in `docs/known-differences.md`.
//!
//! `cargo xtask differential spf [CASES [SEED]]` runs it. Nothing is asked over the network: pyspf gets its DNS answers from the same
//! zones. Exit code 1 when there is a difference of no known kind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use bench::differential::{Oracle, Random, arguments};
use dns::{Data, Fault, Name, RecordType, Zone, now};
use message::ReversePath;
use serde_json::{Value, json};
use spf::{Client, Evaluation, Limits, check_mail_from};

const ORACLE: &str = include_str!("../spf_differential.py");
const NAMES: [&str; 8] =
    ["a.test", "b.test", "c.a.test", "_spf.a.test", "nx.test", "d.e.test", "mail.a.test", "x.nx.test"];

/// One question and the DNS to answer it from.
struct Case {
    zone: Zone,
    json: Value,
    ip: IpAddr,
    helo: String,
    from: String,
}

fn main() -> ExitCode {
    let (count, seed) = arguments(20_000, 2);
    let mut random = Random::new(seed);
    let cases: Vec<Case> = (0..count).map(|_| case(&mut random)).collect();
    let asked = Oracle::start(ORACLE).and_then(|mut peer| cases.iter().map(|case| peer.ask(&case.json)).collect());
    let answers: Vec<Value> = match asked {
        Ok(answers) => answers,
        Err(error) => {
            eprintln!("spf_differential: {error}");
            return ExitCode::from(2);
        }
    };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let ours = evaluate(case, &Limits::default());
        *results.entry(ours.result.to_string()).or_default() += 1;
        let kind = difference(case, &ours, answer);
        let count = kinds.entry(kind).or_default();
        *count += 1;
        if kind != "same" && (kind == "unknown" || *count <= 2) && *count <= 10 {
            println!(
                "--- {kind}: {} from <{}>, HELO {}: pyspf {}\n{}{}",
                case.ip,
                case.from,
                case.helo,
                answer,
                ours.to_text(),
                case.zone
            );
        }
    }
    println!("{} cases, seed {seed}; our results {results:?}; differences {kinds:?}", cases.len());
    if kinds.contains_key("unknown") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn evaluate(case: &Case, limits: &Limits) -> Evaluation {
    let path = ReversePath::parse(Some(case.from.as_bytes()));
    now(check_mail_from(&case.zone, &Client::new(case.ip, &case.helo), &path, limits))
}

/// How an answer differs. The kinds other than `unknown` are judged in `docs/known-differences.md`.
fn difference(case: &Case, ours: &Evaluation, answer: &Value) -> &'static str {
    let same = |ours: &Evaluation, theirs: &Value| theirs[0] == ours.result.as_str();
    let theirs = &answer["as_is"];
    if same(ours, theirs) {
        // Its own words, where the domain has none.
        let explained = theirs[1].as_str().filter(|text| !text.starts_with("SPF fail"));
        let differs = theirs[0] == "fail" && ours.explanation.as_deref() != explained;
        return if differs { "unknown" } else { "same" };
    }
    // Without any limit of void lookups both say the same: they count differently.
    let free = evaluate(case, &Limits { voids_max: u16::MAX, ..Limits::default() });
    if same(&free, &answer["voids_free"]) {
        let theirs_only = theirs[1].as_str().is_some_and(|text| text.contains("Void lookup limit"));
        return if theirs_only { "pyspf counts more void lookups" } else { "we count more void lookups" };
    }
    if theirs[1].as_str().is_some_and(|text| text.contains("trivial recursion")) {
        return "pyspf refuses a record that includes itself, reached or not";
    }
    if theirs[0] == "crash" {
        return "pyspf crashes";
    }
    if theirs[0] == "temperror" && answer["voids_free"][0] == "temperror" {
        return "a failure of DNS ends pyspf where it need not";
    }
    "unknown"
}

fn case(random: &mut Random) -> Case {
    let mut zone = Zone::new();
    let mut nodes: BTreeMap<String, serde_json::Map<String, Value>> = BTreeMap::new();
    for name in NAMES {
        if name.contains("nx") || random.one_in(6) {
            continue;
        }
        let owner = Name::parse(name).expect("a name");
        let mut add = |owner: &Name, at: &str, kind: &str, data: Data, value: Value| {
            zone.add(owner, 60, data);
            let list = nodes.entry(at.to_owned()).or_default().entry(kind).or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(value);
        };
        if random.one_in(12) {
            let target = random.pick(&NAMES);
            add(&owner, name, "CNAME", Data::Cname(Name::parse(target).expect("a name")), json!(target));
            continue;
        }
        let text = if random.one_in(8) {
            "Mail from %{i} is not for %{d}, %{l} at %{o}; see %{S}".to_owned()
        } else {
            record(random)
        };
        add(&owner, name, "TXT", Data::Txt(text.clone().into_bytes().into()), json!(text));
        for _ in 0..random.below(3) {
            let host = Ipv4Addr::new(192, 0, 2, random.below(8) as u8);
            add(&owner, name, "A", Data::A(host), json!(host.to_string()));
            let reverse = format!("{}.2.0.192.in-addr.arpa", host.octets()[3]);
            add(&Name::parse(&reverse).expect("a name"), &reverse, "PTR", Data::Ptr(owner.clone()), json!(name));
        }
        for _ in 0..random.below(3) {
            let target = random.pick(&NAMES);
            let preference = random.below(3) as u16 * 10;
            add(
                &owner,
                name,
                "MX",
                Data::Mx(preference, Name::parse(target).expect("a name")),
                json!([preference, target]),
            );
        }
        if random.one_in(3) {
            let bits = 0x2001_0db8_0000_0000_0000_0000_0000_0000 + random.below(4) as u128;
            add(&owner, name, "AAAA", Data::Aaaa(bits.into()), json!(std::net::Ipv6Addr::from(bits).to_string()));
        }
    }
    if random.one_in(10) {
        let (name, kind) = (random.pick(&NAMES), [RecordType::A, RecordType::Txt, RecordType::Mx][random.below(3)]);
        let node = nodes.entry(name.to_owned()).or_default();
        // pyspf remembers an alias, and does not ask again for what stands in its place.
        if !node.contains_key("CNAME") {
            zone.fail(&Name::parse(name).expect("a name"), Some(kind), Fault::ServFail);
            node.insert("FAIL".into(), json!([kind.as_str()]));
        }
    }
    let ip = match random.below(5) {
        0 => IpAddr::V6((0x2001_0db8_0000_0000_0000_0000_0000_0000 + random.below(6) as u128).into()),
        1 => IpAddr::V4(Ipv4Addr::new(198, 51, 100, random.below(256) as u8)),
        _ => IpAddr::V4(Ipv4Addr::new(192, 0, 2, random.below(10) as u8)),
    };
    let helo = random.pick(&["mail.a.test", "h.test", "localhost"]).to_owned();
    let from = if random.one_in(12) {
        String::new()
    } else {
        format!("{}@{}", random.pick(&["someone", "a-b+c", "x.y"]), NAMES[random.below(6)])
    };
    let json = json!({"zone": nodes, "ip": ip.to_string(), "helo": helo, "from": from});
    Case { zone, json, ip, helo, from }
}

fn record(random: &mut Random) -> String {
    let mut text = random.pick(&["v=spf1", "v=spf1", "v=spf1", "V=SPF1"]).to_owned();
    for _ in 0..random.below(7) {
        text.push(' ');
        text.push_str(random.pick(&["", "", "", "+", "-", "~", "?"]));
        text.push_str(&mechanism(random));
    }
    if random.one_in(3) {
        let _ = write!(text, " {}all", random.pick(&["", "-", "-", "~", "?"]));
    } else if random.one_in(3) {
        let _ = write!(text, " redirect={}", name(random));
    }
    if random.one_in(4) {
        let _ = write!(text, " exp={}", name(random));
    }
    if random.one_in(25) {
        let wrong = [
            "ip4:192.0.2.0/33",
            "foo",
            "include:",
            "a:test",
            "exists:%{x}.test",
            "ip4:1.2.3",
            "all/8",
            "a/032",
            "moo=%{d}",
            "exp=a.test",
        ];
        let _ = write!(text, " {}", random.pick(&wrong));
    }
    text
}

fn name(random: &mut Random) -> String {
    let macros = [
        "%{d}",
        "%{l}.a.test",
        "%{ir}.%{v}.a.test",
        "%{d2}",
        "%{l1r-}.a.test",
        "%{o}",
        "_spf.%{d}",
        "%{h}",
        "x%%y.a.test",
        "a.test.",
    ];
    if random.one_in(6) { random.pick(&macros).to_owned() } else { random.pick(&NAMES).to_owned() }
}

fn mechanism(random: &mut Random) -> String {
    let prefix = |random: &mut Random| match random.below(6) {
        0 => format!("/{}", random.below(33)),
        1 => format!("//{}", 120 + random.below(9)),
        2 => format!("/{}//{}", 24 + random.below(9), 120 + random.below(9)),
        _ => String::new(),
    };
    match random.below(12) {
        0 | 1 => format!("ip4:192.0.2.{}/{}", random.below(10), 24 + random.below(9)),
        2 => format!("ip6:2001:db8::{}/{}", random.below(6), 120 + random.below(9)),
        3 => format!("a{}", prefix(random)),
        4 => format!("a:{}{}", name(random), prefix(random)),
        5 => format!("mx{}", prefix(random)),
        6 => format!("mx:{}{}", name(random), prefix(random)),
        7..=9 => format!("include:{}", name(random)),
        10 => format!("exists:{}", name(random)),
        _ => {
            if random.one_in(2) {
                "ptr".to_owned()
            } else {
                format!("ptr:{}", name(random))
            }
        }
    }
}
