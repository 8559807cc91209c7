//! Our DKIM against dkimpy's on random messages, signed here and then changed: what differs is listed, and must be judged in
//! `docs/known-differences.md`.
//!
//! `cargo xtask differential dkim [CASES [SEED]]` runs it. Nothing is asked over the network: dkimpy gets its key records from here.
//! Exit code 1 when there is a difference of no known kind.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use bench::differential::{Oracle, Random, arguments};
use dkim::{Algorithm, Canon, Limits, Signer, SigningKey, sign, to_base64, verify};
use dns::{Data, Name, Zone, now};
use message::{Domain, HeaderLimits, split};
use serde_json::json;

const ORACLE: &str = include_str!("../dkim_differential.py");

/// Changes after which the two may differ, and who is right by which clause. `docs/known-differences.md` has the same.
const KNOWN: [(&str, &str); 8] = [
    (OPEN_END, "dkimpy's relaxed form keeps white space that no line end follows; RFC 6376 §3.4.4 ignores it"),
    (UNREADABLE, "dkimpy refuses white space before a colon; RFC 6376 §3.4.2 deletes it"),
    ("a lone LF in the body", "dkimpy takes every LF for a line end; RFC 6376 §3.4 knows CRLF alone"),
    ("a lone CR in the body", "dkimpy's relaxed form takes white space before a lone CR otherwise"),
    ("an unknown tag twice", "RFC 6376 §3.2: a tag that occurs twice makes the list invalid"),
    ("s=tlsrpt in the record", "RFC 6376 §3.6.1: a key for another service is not for mail"),
    ("h=sha1 in the record", "RFC 6376 §3.6.1: a key for another hash"),
    ("v= behind in the record", "RFC 6376 §3.6.1: v= must be first"),
];

/// The kind of the messages that end in white space, whatever was changed.
const OPEN_END: &str = "white space behind the last line end";

/// The kind of the messages that dkimpy does not read at all, whatever was changed.
const UNREADABLE: &str = "white space before a colon";

/// A message, the key record, and what was done to them.
struct Case {
    change: &'static str,
    message: Vec<u8>,
    record: String,
}

fn main() -> ExitCode {
    let (count, seed) = arguments(5_000, 1);
    let mut random = Random::new(seed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let keys = [Algorithm::RsaSha256, Algorithm::Ed25519Sha256].map(|kind| SigningKey::generate(kind).expect("a key"));
    let signers = keys.map(|key| {
        let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
        Signer::new(name("legit.test"), name("sel"), key)
    });
    let mut signers = signers;
    let cases: Vec<Case> = (0..count).map(|_| case(&mut random, &mut signers, time)).collect();
    let theirs = match ask(&cases) {
        Ok(answers) => answers,
        Err(error) => {
            eprintln!("dkim_differential: {error}");
            return ExitCode::from(2);
        }
    };
    let mut counts: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    let mut unknown = 0;
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = ours(case, time);
        let agree = (ours == "pass") == (theirs == "pass");
        let change = if theirs.contains("Unexpected characters in RFC822 header") {
            UNREADABLE
        } else if case.message.ends_with(b" ") || case.message.ends_with(b"\t") {
            OPEN_END
        } else {
            case.change
        };
        *counts.entry((change, ours.clone(), theirs.split(':').next().unwrap_or_default().to_owned())).or_default() +=
            1;
        if !agree && KNOWN.iter().all(|(known, _)| *known != change) {
            unknown += 1;
            if unknown <= 10 {
                eprintln!(
                    "{change}: ours {ours}, dkimpy {theirs}\n{}\n{}",
                    case.record,
                    String::from_utf8_lossy(&case.message)
                );
            }
        }
    }
    for ((change, ours, theirs), count) in &counts {
        let agree = (ours == "pass") == (theirs == "pass");
        println!("{count:6} {} {change}: ours {ours}, dkimpy {theirs}", if agree { " " } else { "≠" });
    }
    println!("{} cases, {unknown} differences of no known kind", cases.len());
    ExitCode::from(u8::from(unknown > 0))
}

fn ours(case: &Case, time: u64) -> String {
    let mut zone = Zone::new();
    zone.add(&Name::parse("sel._domainkey.legit.test").expect("a name"), 60, Data::Txt(case.record.as_bytes().into()));
    let Ok((header, body, rest)) = split(&case.message, &HeaderLimits::default()) else { return "too long".into() };
    let verdicts = now(verify(&header, (body, rest), &zone, time, Limits::default()));
    verdicts.first().map_or("none".into(), |verdict| verdict.result.to_string())
}

fn ask(cases: &[Case]) -> Result<Vec<String>, String> {
    let mut peer = Oracle::start(ORACLE)?;
    let question = |case: &Case| json!({"message": to_base64(&case.message), "record": case.record});
    let mut one = |case| Ok(peer.ask(&question(case))?.as_str().unwrap_or("no answer").to_owned());
    cases.iter().map(&mut one).collect()
}

/// Header and body of a message with all that canonicalization is about.
fn content(random: &mut Random) -> (String, String) {
    let mut header = String::from("From: Anna <a@legit.test>\r\n");
    for _ in 0..random.below(7) {
        let name = random.pick(&[
            "Subject",
            "TO",
            "cc",
            "X-Other",
            "Date",
            "Content-Type",
            "Received",
            "message-ID",
            "Reply-To",
        ]);
        header += &format!("{name}{}:", if random.one_in(40) { random.pick(&[" ", "\t"]) } else { "" });
        for _ in 0..random.below(8) {
            header +=
                random.pick(&["a", "word", " ", "  ", "\t", ":", ";", "\r\n ", "\r\n\t", "=", "\u{fc}", "long-word"]);
        }
        // A folded line of white space alone ends the header for some readers.
        header = header.replace("\r\n \r\n", "\r\n").replace("\r\n\t\r\n", "\r\n") + "x\r\n";
    }
    let mut body = String::new();
    for _ in 0..random.below(30) {
        body +=
            random.pick(&["a", " ", "\t", "  ", "\r\n", "\r\n", "word", "\u{fc}", "a longer piece of text", " \r\n"]);
    }
    if random.below(4) > 0 {
        body += "\r\n";
    }
    (header, body)
}

/// What can be done to a signed message or its key record.
const CHANGES: [&str; 22] = [
    "nothing",
    "a byte of the header",
    "a byte of the body",
    "a line after the body",
    "empty lines after the body",
    "white space in the body",
    "a Subject on top",
    "a Received on top",
    "a From on top",
    "a lone LF in the body",
    "a lone CR in the body",
    "an unknown tag",
    "an unknown tag twice",
    "d= changed",
    "white space in b=",
    "p= empty in the record",
    "s=tlsrpt in the record",
    "h=sha1 in the record",
    "v= behind in the record",
    "t=s in the record",
    "t=y in the record",
    "g=x in the record",
];

fn case(random: &mut Random, signers: &mut [Signer; 2], time: u64) -> Case {
    let signer = &mut signers[random.below(2)];
    let canon = |relaxed| if relaxed { Canon::Relaxed } else { Canon::Simple };
    signer.header_canon = canon(random.below(2) == 0);
    signer.body_canon = canon(random.below(2) == 0);
    let (header, mut body) = content(random);
    let change = CHANGES[random.below(CHANGES.len())];
    match change {
        "a lone LF in the body" => body = format!("a \n b\r\n{body}"),
        "a lone CR in the body" => body = format!("a \r b\r\n{body}"),
        _ => {}
    }
    let message = [header.as_str(), "\r\n", &body].concat();
    let (parsed, intake, rest) = split(message.as_bytes(), &HeaderLimits::default()).expect("a header");
    let field = sign(signer, &parsed, (intake, rest), time - 100).expect("a signature");
    let record = signer.key.public_record().expect("a record");
    let (field, header, body, record) = changed(random, change, field, header, body, record);
    Case { change, message: [field, header, "\r\n".into(), body].concat().into_bytes(), record }
}

fn changed(
    random: &mut Random,
    change: &str,
    field: String,
    header: String,
    body: String,
    record: String,
) -> (String, String, String, String) {
    match change {
        "a byte of the header" => {
            (field, header.replace("Anna", random.pick(&["Anne", "ANNA", "Anna ", " Anna"])), body, record)
        }
        "a byte of the body" => (field, header, body.replacen('a', "b", 1), record),
        "a line after the body" => (field, header, body + "more\r\n", record),
        "empty lines after the body" => (field, header, body + "\r\n\r\n", record),
        "white space in the body" => (field, header, body.replacen(' ', "\t ", 1), record),
        "a Subject on top" => (format!("Subject: added\r\n{field}"), header, body, record),
        "a Received on top" => (format!("Received: added\r\n{field}"), header, body, record),
        "a From on top" => (format!("From: x@attack.test\r\n{field}"), header, body, record),
        "an unknown tag" => (field.replace("v=1;", "v=1; zz=1;"), header, body, record),
        "an unknown tag twice" => (field.replace("v=1;", "v=1; zz=1; zz=2;"), header, body, record),
        "d= changed" => (field.replace("d=legit.test", "d=Legit.test"), header, body, record),
        "white space in b=" => (field.replace("b=", "b= \r\n\t "), header, body, record),
        "p= empty in the record" => (field, header, body, "v=DKIM1; p=".into()),
        "s=tlsrpt in the record" => (field, header, body, record.replace("; p=", "; s=tlsrpt; p=")),
        "h=sha1 in the record" => (field, header, body, record.replace("; p=", "; h=sha1; p=")),
        "v= behind in the record" => (field, header, body, record.replace("v=DKIM1; ", "") + "; v=DKIM1"),
        "t=s in the record" => (field, header, body, record.replace("; p=", "; t=s; p=")),
        "t=y in the record" => (field, header, body, record.replace("; p=", "; t=y; p=")),
        "g=x in the record" => (field, header, body, record.replace("; p=", "; g=x; p=")),
        _ => (field, header, body, record),
    }
}
