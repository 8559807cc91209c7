//! Any zone, envelope and message, evaluated whole and in pieces, by both standards. The three are parted by lines of `---`.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use authres::ResultWord;
use dmarc::{AmbiguousAuthor, Envelope, Evaluator, Settings, evaluate};
use dns::{Zone, now};
use libfuzzer_sys::fuzz_target;
use message::{HeaderReader, Progress};

const NOW: u64 = 1_700_000_000;

/// Nobody may sign or send for this one, whatever else the zone says.
const VICTIM: &str = "_dmarc.victim.example. 60 IN TXT \"v=DMARC1; p=reject; psd=n; adkim=s; aspf=s\"\nvictim.example. 60 IN TXT \"v=spf1 -all\"\n";

fn cut<'b>(bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
    let mark = b"\n---\n";
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + mark.len()..]))
}

fuzz_target!(|bytes: &[u8]| {
    let (text, rest) = cut(bytes);
    let (session, message) = cut(rest);
    let text = String::from_utf8_lossy(text);
    let touches_victim = text.to_ascii_lowercase().contains("victim") || text.contains('*') || text.contains('\\') || text.contains('$');
    let zone = Zone::parse(&text).unwrap_or_default();
    let mut with_victim = zone.clone();
    let is_victim_safe = !touches_victim && with_victim.read(VICTIM).is_ok();
    let zone = if is_victim_safe { with_victim } else { zone };
    let (helo, mail_from) = session.split_at(session.iter().position(|byte| *byte == b'\n').unwrap_or(session.len()));
    let helo = String::from_utf8_lossy(helo);
    let envelope = Envelope {
        ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
        helo: &helo,
        mail_from: (!mail_from.is_empty()).then(|| &mail_from[1..]),
        receiver: "mx.receiver.test",
    };
    let ours = authres::OurIds::new(["mx.receiver.test"], &[]);
    let settings = Settings {
        both: true,
        ambiguous_author: AmbiguousAuthor::Strictest,
        ours: Some(ours),
        ..Settings::default()
    };
    let whole = now(evaluate(message, &envelope, &zone, NOW, &settings));
    let shown = (whole.to_text(), whole.to_json("mx.receiver.test").to_string());
    assert!(!shown.0.contains(['\r', '\0', '\u{1b}']));
    let field = whole.authentication_results("mx.receiver.test").field();
    assert!(field.ends_with("\r\n") && field.trim_end().split("\r\n").skip(1).all(|line| line.starts_with('\t')));
    let (parsed, flaws) = authres::parse(field.split_once(':').expect("a field").1.as_bytes());
    assert!(flaws.is_empty() && parsed.methods.last().is_some_and(|method| method.name == "dmarc"), "{field}");
    for verdict in whole.candidates.iter().chain([&whole.dmarc]).chain(&whole.other) {
        if is_victim_safe && verdict.author_domain.as_ref().is_some_and(|domain| domain.as_str() == "victim.example") {
            assert!(!matches!(verdict.result, ResultWord::Pass | ResultWord::None), "{}", shown.0);
        }
    }
    // In pieces of 7 bytes it is the same.
    let mut reader = HeaderReader::new(settings.header);
    let mut pieces = message.chunks(7);
    let begun = pieces.by_ref().find_map(|piece| match reader.feed(piece) {
        Ok(Progress::More) => None,
        Ok(Progress::Done { header, body, rest }) => Some(Ok((header, body, &piece[rest..]))),
        Err(error) => Some(Err(error)),
    });
    let begun = begun.unwrap_or_else(|| reader.finish().map(|(header, body)| (header, body, [].as_slice())));
    let Ok((header, body, rest)) = begun else { return };
    let mut evaluator = Evaluator::new(&header, body, &settings);
    evaluator.feed(rest);
    pieces.for_each(|piece| evaluator.feed(piece));
    let again = now(evaluator.finish(&envelope, &zone, NOW));
    assert_eq!((again.to_text(), again.to_json("mx.receiver.test").to_string()), shown);
});
