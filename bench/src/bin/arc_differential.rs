//! Our ARC against dkimpy's: chains that both seal in turn, on messages that are changed on the way, are validated by both. What
//! differs is listed, and must be judged in `docs/known-differences.md`.
//!
//! `cargo xtask differential arc [CASES [SEED]]` runs it. Nothing is asked over the network: dkimpy gets its key records from here.
//! Exit code 1 when there is a difference of no known kind.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use arc::{Reason, SealError, Sealer, Validation, validate};
use authres::{Method, ResultWord, Results};
use bench::differential::{Oracle, Random, arguments};
use dkim::{Algorithm, BodyHasher, SigningKey, to_base64};
use dns::{Data, Name, Zone, now};
use message::{Domain, HeaderLimits, split};
use serde_json::{Value, json};

const ORACLE: &str = include_str!("../arc_differential.py");

/// Changes after which the two may differ, and who is right by which clause. `docs/known-differences.md` has the same.
const KNOWN: [(&str, &str); 1] = [(
    "the fields turned round",
    "dkimpy takes the fields under a seal in the order of the header; RFC 8617 §5.1.1 in that of the instances",
)];

/// Sets at most.
const HOPS: usize = 4;

/// A message, field by field.
#[derive(Clone)]
struct Message {
    fields: Vec<String>,
    body: String,
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        [&self.fields.concat(), "\r\n", &self.body].concat().into_bytes()
    }

    fn top(&mut self, fields: impl IntoIterator<Item = String>) {
        self.fields.splice(0..0, fields);
    }

    /// Places of the fields whose names begin so.
    fn named(&self, name: &str) -> Vec<usize> {
        let is = |field: &String| field.to_ascii_lowercase().starts_with(name);
        (0..self.fields.len()).filter(|at| is(&self.fields[*at])).collect()
    }
}

struct World {
    random: Random,
    peer: Oracle,
    /// The same key for every server: RSA, because dkimpy knows no other in ARC.
    key: SigningKey,
    time: u64,
}

fn main() -> ExitCode {
    let (cases, seed) = arguments(1_000, 1);
    let outcome = Oracle::start(ORACLE).and_then(|peer| {
        let key = SigningKey::generate(Algorithm::RsaSha256).expect("a key");
        let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        World { random: Random::new(seed), peer, key, time }.compare(cases)
    });
    match outcome {
        Ok(unknown) => {
            println!("{cases} chains, seed {seed}, {unknown} differences of no known kind");
            ExitCode::from(u8::from(unknown > 0))
        }
        Err(error) => {
            eprintln!("arc_differential: {error}");
            ExitCode::from(2)
        }
    }
}

impl World {
    /// How many differences of no known kind there are.
    fn compare(&mut self, cases: usize) -> Result<usize, String> {
        let mut counts: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
        let mut unknown = 0;
        for _ in 0..cases {
            let mut message = self.sealed()?;
            let mut records = self.records();
            let change = CHANGES[self.random.below(CHANGES.len())];
            changed(&mut self.random, change, &mut message, &mut records);
            let ours = ours(&message, &records, self.time);
            let theirs = self.theirs(&message, &records)?;
            let word = theirs[0].as_str().unwrap_or("no answer").to_owned();
            let agree = agree(&ours, &word);
            *counts.entry((change, ours.result.to_string(), word)).or_default() += 1;
            if !agree && KNOWN.iter().all(|(known, _)| *known != change) {
                unknown += 1;
                if unknown <= 10 {
                    let text = String::from_utf8_lossy(&message.bytes()).into_owned();
                    eprintln!("{change}: ours {} {:?}, dkimpy {theirs}\n{text}", ours.result, ours.reason);
                }
            }
        }
        for ((change, ours, theirs), count) in &counts {
            println!("{count:6} {change}: ours {ours}, dkimpy {theirs}");
        }
        Ok(unknown)
    }

    /// A message that crossed some servers, some of which changed it.
    fn sealed(&mut self) -> Result<Message, String> {
        let mut message = Message {
            fields: vec![
                "From: Anna <a@author.test>\r\n".into(),
                format!("To: {}@list.test\r\n", self.random.pick(&["b", "c", "d"])),
                format!("Subject: {}\r\n", self.random.pick(&["hello", " two  spaces ", "folded\r\n\t here"])),
                "MIME-Version: 1.0\r\n".into(),
                "DKIM-Signature: v=1; d=author.test; s=x; b=AAAA\r\n".into(),
            ],
            body: self.random.pick(&["Hi.\r\n", "", "white \t space \r\n\r\n\r\n", "no line end"]).into(),
        };
        for hop in 0..self.random.below(HOPS + 1) {
            let domain = format!("s{hop}.test");
            if self.random.one_in(8) {
                message.body.insert_str(0, "A change that was not sealed.\r\n");
            }
            let chain = ours(&message, &self.records(), self.time);
            // A list validates, then changes, then seals.
            if self.random.one_in(4) {
                message.body.push_str("-- \r\nfooter\r\n");
            }
            let set = if self.random.one_in(2) {
                self.our_set(&message, &chain, &domain)?
            } else {
                self.their_set(&mut message, &chain, &domain)?
            };
            let Some(set) = set else { break };
            message.top(set);
        }
        Ok(message)
    }

    /// A set of ours; none where the chain takes no more.
    fn our_set(&mut self, message: &Message, chain: &Validation, domain: &str) -> Result<Option<Vec<String>>, String> {
        let key = SigningKey::read(&self.pem()?).map_err(|error| error.to_string())?;
        let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
        let sealer = Sealer::new(name(domain), name("sel"), key);
        let bytes = message.bytes();
        let (header, mut body, rest) = split(&bytes, &HeaderLimits::default()).map_err(|error| error.to_string())?;
        let mut bodies = BodyHasher::new();
        let sealing = sealer.begin(&header, &mut bodies);
        body.feed(rest, |piece| bodies.feed(piece));
        body.finish(|piece| bodies.feed(piece));
        match sealing.finish(chain, &results(domain, chain), &bodies.finish(), self.time) {
            Ok(set) => Ok(Some(set.fields.into())),
            Err(SealError::AlreadyFailed) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A set of dkimpy's, which takes what came of the chain from the results that stand in the message.
    fn their_set(
        &mut self,
        message: &mut Message,
        chain: &Validation,
        domain: &str,
    ) -> Result<Option<Vec<String>>, String> {
        if chain.reason == Some(Reason::SealedAsFailed) {
            return Ok(None);
        }
        message.top([results(domain, chain).field()]);
        let question = json!({
            "message": to_base64(&message.bytes()), "selector": "sel", "domain": domain, "time": self.time,
            "key": self.pem()?,
        });
        let answer = self.peer.ask(&question)?;
        let fields: Option<Vec<String>> =
            answer.as_array().map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        match fields {
            Some(fields) if fields.len() == 3 => Ok(Some(fields)),
            _ => Err(format!("dkimpy did not seal: {answer}")),
        }
    }

    fn pem(&self) -> Result<String, String> {
        self.key.to_pem().map_err(|error| error.to_string())
    }

    fn records(&self) -> BTreeMap<String, String> {
        let record = self.key.public_record().expect("a record");
        (0..HOPS).map(|hop| (format!("sel._domainkey.s{hop}.test"), record.clone())).collect()
    }

    fn theirs(&mut self, message: &Message, records: &BTreeMap<String, String>) -> Result<Value, String> {
        self.peer.ask(&json!({"message": to_base64(&message.bytes()), "records": records}))
    }
}

fn results(domain: &str, chain: &Validation) -> Results {
    let results =
        Results::by(domain).with(Method::new("dmarc", ResultWord::Pass).property("header", "from", "author.test"));
    if chain.result == ResultWord::None { results } else { results.with(Method::new("arc", chain.result)) }
}

fn ours(message: &Message, records: &BTreeMap<String, String>, time: u64) -> Validation {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.add(&Name::parse(name).expect("a name"), 60, Data::Txt(record.as_bytes().into()));
    }
    let bytes = message.bytes();
    let (header, body, rest) = split(&bytes, &HeaderLimits::default()).expect("a header");
    now(validate(&header, (body, rest), &zone, time))
}

/// Whether both say the same. dkimpy says that a chain has ended where a sealer found it broken, and raises where it cannot read one.
fn agree(ours: &Validation, theirs: &str) -> bool {
    match ours.result {
        ResultWord::None => theirs == "none",
        ResultWord::Pass => theirs == "pass",
        _ => matches!(theirs, "fail" | "ended" | "error" | "crash"),
    }
}

/// What can be done to a chain or to the key records.
const CHANGES: [&str; 29] = [
    "nothing",
    "nothing",
    "nothing",
    "a byte of the body",
    "empty lines after the body",
    "a line after the body",
    "a byte of From",
    "a second Subject on top",
    "a Received on top",
    "a word of the results",
    "white space in the results",
    "the newest set taken away",
    "the oldest set taken away",
    "a field taken away",
    "a field twice",
    "the fields at the bottom",
    "the fields turned round",
    "the names in upper case",
    "instances exchanged",
    "cv=none",
    "cv=fail",
    "an unknown tag in the seal",
    "a tag of the seal twice",
    "h= in the seal",
    "h= of the message signature covers seals",
    "no a= in the seal",
    "a set on another message",
    "no key",
    "a key for another service",
];

const KINDS: [&str; 3] = ["arc-seal", "arc-message-signature", "arc-authentication-results"];

fn changed(random: &mut Random, change: &'static str, message: &mut Message, records: &mut BTreeMap<String, String>) {
    let one_of =
        |random: &mut Random, places: Vec<usize>| (!places.is_empty()).then(|| places[random.below(places.len())]);
    let replace = |message: &mut Message, at: Option<usize>, from: &str, to: &str| {
        if let Some(field) = at.and_then(|at| message.fields.get_mut(at)) {
            *field = field.replacen(from, to, 1);
        }
    };
    let seal = one_of(random, message.named("arc-seal:"));
    let any = one_of(random, message.named("arc-"));
    match change {
        "a byte of the body" => message.body.insert(0, '!'),
        "empty lines after the body" => message.body.push_str("\r\n\r\n"),
        "a line after the body" => message.body.push_str("\r\nmore\r\n"),
        "a byte of From" => message.fields.iter_mut().for_each(|field| *field = field.replace("Anna", "Anne")),
        "a second Subject on top" => message.top(["Subject: another\r\n".into()]),
        "a Received on top" => message.top(["Received: by x\r\n".into()]),
        "a word of the results" => {
            let at = one_of(random, message.named("arc-authentication-results:"));
            replace(message, at, "dmarc=pass", "dmarc=fail");
        }
        "white space in the results" => {
            let at = one_of(random, message.named("arc-authentication-results:"));
            replace(message, at, "dmarc=pass ", "dmarc=pass \r\n\t  ");
        }
        "the newest set taken away" | "the oldest set taken away" => {
            let sets = message.named("arc-seal:").len();
            let instance = if change.contains("newest") { sets } else { 1 };
            let is_it = |field: &String| {
                field.starts_with("ARC-") && field.replace(' ', "").contains(&format!("i={instance};"))
            };
            message.fields.retain(|field| !is_it(field));
        }
        "a field taken away" => {
            any.map(|at| message.fields.remove(at));
        }
        "a field twice" => {
            any.map(|at| message.fields.insert(0, message.fields[at].clone()));
        }
        "the fields at the bottom" => message.fields.sort_by_key(|field| field.starts_with("ARC-")),
        "the fields turned round" => {
            message.fields.reverse();
        }
        "the names in upper case" => {
            for name in KINDS {
                for at in message.named(name) {
                    let field = &mut message.fields[at];
                    let upper = field[..name.len()].to_ascii_uppercase();
                    field.replace_range(..name.len(), &upper);
                }
            }
        }
        "instances exchanged" => {
            for at in message.named("arc-") {
                let field = &mut message.fields[at];
                *field = field.replace("i=1;", "i=\0;").replace("i=2;", "i=1;").replace("i=\0;", "i=2;");
            }
        }
        "cv=none" => replace(message, seal, "cv=pass", "cv=none"),
        "cv=fail" => replace(message, seal, "cv=pass", "cv=fail"),
        "an unknown tag in the seal" => replace(message, seal, "a=", "zz=1; a="),
        "a tag of the seal twice" => replace(message, seal, "a=", "cv=pass; a="),
        "h= in the seal" => replace(message, seal, "a=", "h=from; a="),
        "h= of the message signature covers seals" => {
            let at = one_of(random, message.named("arc-message-signature:"));
            replace(message, at, "h=", "h=arc-seal:");
        }
        "no a= in the seal" => {
            let kinds = ["a=rsa-sha256;", "a=ed25519-sha256;"];
            kinds.iter().for_each(|kind| replace(message, seal, kind, ""));
        }
        "a set on another message" => {
            message.fields.retain(|field| !field.starts_with("From") && !field.starts_with("Subject"));
            message.fields.extend(["From: x@attack.test\r\n".into(), "Subject: pay here\r\n".into()]);
        }
        "no key" => records.retain(|name, _| !name.ends_with("s0.test")),
        "a key for another service" => {
            records.values_mut().for_each(|record| *record = record.replace("; p=", "; s=tlsrpt; p="));
        }
        _ => {}
    }
}
