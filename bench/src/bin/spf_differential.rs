//! Our SPF against pyspf's on random zones and clients: what differs is listed, and must be judged in `docs/known-differences.md`.
//!
//! Needs a Python with pyspf: `python3 -m venv V && V/bin/pip install pyspf dnspython`, then
//! `PYTHON=V/bin/python cargo run --release --manifest-path bench/Cargo.toml --bin spf_differential -- [CASES [SEED]]`.
//! Nothing is asked over the network: pyspf gets its DNS answers from the same zones. Exit code 1 when there is a difference of no
//! known kind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, ExitCode, Stdio};

use dns::{Data, Fault, Name, RecordType, Zone, now};
use message::ReversePath;
use serde_json::{Value, json};
use spf::{Client, Evaluation, Limits, check_mail_from};

const ORACLE: &str = include_str!("../spf_differential.py");
const NAMES: [&str; 8] =
    ["a.test", "b.test", "c.a.test", "_spf.a.test", "nx.test", "d.e.test", "mail.a.test", "x.nx.test"];

/// Numbers that look random and are the same each time (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// One question and the DNS to answer it from.
struct Case {
    zone: Zone,
    json: Value,
    ip: IpAddr,
    helo: String,
    from: String,
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let cases: usize = args.next().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let seed: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let cases: Vec<Case> = (0..cases).map(|_| case(&mut random)).collect();
    let answers = match ask_oracle(&cases) {
        Ok(answers) => answers,
        Err(error) => {
            eprintln!("spf_differential: {error}");
            return ExitCode::FAILURE;
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

fn ask_oracle(cases: &[Case]) -> Result<Vec<Value>, String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let folder = std::env::temp_dir().join(format!("spf-differential-{}", std::process::id()));
    let script = folder.join("oracle.py");
    let asked = || -> std::io::Result<std::process::Output> {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&script, ORACLE)?;
        let mut child = Command::new(&python).arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().expect("a pipe");
        let mut lines = String::new();
        for case in cases {
            let _ = writeln!(lines, "{}", case.json);
        }
        // Written aside, because both pipes fill up.
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = child.wait_with_output()?;
        let _ = writer.join();
        Ok(output)
    };
    let output = asked();
    let _ = std::fs::remove_dir_all(&folder);
    let output = output.map_err(|error| format!("cannot run {python}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{python} failed: is pyspf installed there (pip install pyspf dnspython)?"));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if answers.len() == cases.len() {
        Ok(answers)
    } else {
        Err(format!("{} answers to {} cases", answers.len(), cases.len()))
    }
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
