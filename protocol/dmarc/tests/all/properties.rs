//! What holds for any input: where a message is cut, that a verdict can be had again, that records are written as they are read, that
//! relations are the same from both sides, and that nothing panics.

use authres::ResultWord;
use dmarc::{Envelope, Evaluation, Evaluator, Identifier, Method, Record, Rules, Settings, Standard, Walker, verdict};
use dns::{Data, Name, Suffixes, Zone, now};
use message::{Domain, HeaderLimits, HeaderReader, Progress};
use proptest::prelude::*;
use proptest::sample::select;

use crate::common::{NOW, key, key_record, signed, zone};

fn any_tag() -> impl Strategy<Value = String> {
    let names =
        select(vec!["v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri", "x"]);
    let known = select(vec![
        "none",
        "quarantine",
        "reject",
        "Reject",
        "r",
        "s",
        "y",
        "n",
        "u",
        "0",
        "1:d:s",
        "50",
        "101",
        "",
        "DMARC1",
        "mailto:a@x.test",
        "mailto:a@x.test!10m,mailto:b@y.test!7",
        "https://x.test/",
        "a@x.test",
        ",",
        "mailto:%41%40x.test",
    ]);
    let value = prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[ -~]{0,12}", 1 => "\\PC{0,4}"];
    (names, value, select(vec!["=", " = ", "\t=", ""]))
        .prop_map(|(name, value, equals)| format!("{name}{equals}{value}"))
}

fn any_record() -> impl Strategy<Value = String> {
    let tags = prop::collection::vec(any_tag(), 0..8);
    (tags, select(vec!["v=DMARC1", "v = DMARC1", "v=DMARC1 ", ""])).prop_map(|(mut tags, version)| {
        tags.insert(0, version.to_owned());
        tags.join("; ")
    })
}

fn message() -> String {
    let header = "From: a@legit.test\r\nTo: b@other.test\r\nSubject: hello\r\n";
    let body = "Hi.\r\n\r\n--\r\nmore \t \r\n\r\n\r\n";
    signed("legit.test", "", "from:to:subject", None, header, body)
}

fn message_zone() -> Zone {
    zone(&format!(
        "_dmarc.legit.test. 60 IN TXT \"v=DMARC1; p=reject\"\nattack.test. 60 IN TXT \"v=spf1 +all\"\n{}",
        key_record("sel._domainkey.legit.test", key())
    ))
}

const ENVELOPE: Envelope<'_> = Envelope {
    ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)),
    helo: "attack.test",
    mail_from: Some(b"<any@attack.test>"),
    receiver: "mx.receiver.test",
};

/// Evaluates a message that comes in pieces.
fn in_pieces<'m>(pieces: impl IntoIterator<Item = &'m [u8]>, zone: &Zone) -> Evaluation {
    let settings = Settings::default();
    let mut reader = HeaderReader::new(HeaderLimits::default());
    let mut pieces = pieces.into_iter();
    let (header, body, rest) = loop {
        let Some(piece) = pieces.next() else {
            let (header, body) = reader.finish().expect("a header");
            break (header, body, [].as_slice());
        };
        if let Progress::Done { header, body, rest } = reader.feed(piece).expect("a header") {
            break (header, body, &piece[rest..]);
        }
    };
    let mut evaluator = Evaluator::new(&header, body, &settings);
    evaluator.feed(rest);
    pieces.for_each(|piece| evaluator.feed(piece));
    now(evaluator.finish(&ENVELOPE, zone, NOW))
}

/// All of it, for comparison.
fn shown(evaluation: &Evaluation) -> String {
    format!("{}\n{}", evaluation.to_json("mx.test"), evaluation.to_text())
}

#[test]
fn where_it_is_cut_changes_nothing() {
    let (message, zone) = (message(), message_zone());
    let whole = now(dmarc::evaluate(message.as_bytes(), &ENVELOPE, &zone, NOW, &Settings::default()));
    assert_eq!(whole.dmarc.result, ResultWord::Pass, "{}", whole.to_text());
    for at in 0..=message.len() {
        let (first, second) = message.as_bytes().split_at(at);
        assert_eq!(shown(&in_pieces([first, second], &zone)), shown(&whole), "cut at {at}");
    }
    assert_eq!(shown(&in_pieces(message.as_bytes().chunks(1), &zone)), shown(&whole), "byte by byte");
}

fn related(a: &str, b: &str, zone: &Zone, standard: Standard) -> bool {
    let identifier = Identifier { method: Method::Dkim, domain: Name::parse(b).ok(), result: ResultWord::Pass };
    let suffixes = Suffixes::default();
    let rules = Rules { standard, suffixes: &suffixes, sample: 0 };
    let author = Domain::parse(a.as_bytes()).expect("a domain");
    now(verdict(&author, &[identifier], &mut Walker::new(zone), &rules)).result == ResultWord::Pass
}

proptest! {
    #[test]
    fn records_are_written_as_they_are_read(text in prop_oneof![any_record(), "v=DMARC1;\\PC{0,60}"]) {
        if let Ok((record, findings)) = Record::parse(&text) {
            let written = record.to_string();
            let (again, _) = Record::parse(&written).expect("what is written is a record");
            prop_assert_eq!(&again, &record, "{}", written);
            prop_assert_eq!(again.to_string(), written);
            for finding in findings {
                prop_assert!(finding.span.start <= finding.span.end && finding.span.end <= text.len(), "{:?}", finding);
            }
        }
    }

    #[test]
    fn any_bytes_as_a_record(bytes in prop::collection::vec(prop_oneof![any::<u8>(), select(b" ;=pxA".to_vec())], 0..200), begins: bool) {
        let text = if begins { [b"v=DMARC1;".as_slice(), &bytes].concat() } else { bytes };
        if let Ok((record, _)) = Record::parse(&text) {
            let written = record.to_string();
            prop_assert_eq!(Record::parse(&written).map(|(again, _)| again), Ok(record));
        }
    }

    #[test]
    fn any_message(
        header in "(From|from|FROM ?|Sender|Subject|DKIM-Signature|ARC-Seal)(:| :|)(\\PC|[<>@,;:\"()a.t \r\n]){0,60}",
        mail_from in "\\PC{0,30}",
        helo in "\\PC{0,30}",
        record in any_record(),
    ) {
        let mut zone = Zone::new();
        for name in ["_dmarc.a.t", "_dmarc.t", "_dmarc.a"] {
            zone.add(&Name::parse(name).expect("a name"), 60, Data::Txt(record.as_bytes().into()));
        }
        let message = format!("{header}\r\nFrom: a@a.t\r\n\r\nHi.\r\n");
        let envelope = Envelope { helo: &helo, mail_from: Some(mail_from.as_bytes()), ..ENVELOPE };
        let settings = Settings { both: true, ambiguous_author: dmarc::AmbiguousAuthor::Strictest, ..Settings::default() };
        let evaluate = || now(dmarc::evaluate(message.as_bytes(), &envelope, &zone, NOW, &settings));
        let first = evaluate();
        prop_assert_eq!(shown(&first), shown(&evaluate()), "a verdict can be had again");
        prop_assert_ne!(first.dmarc.result, ResultWord::Pass);
        let field = first.authentication_results("mx.test").field();
        prop_assert!(field.trim_end().lines().skip(1).all(|line| line.starts_with('\t')), "{}", field);
        let acts = first.to_text().contains(['\r', '\0', '\u{1b}']);
        prop_assert!(!acts, "a control character in the text");
    }

    /// Two domains are of one organization, whichever of them is the author's; so they are where both have a record to be judged by.
    #[test]
    fn relations_have_two_sides(
        a in select(vec!["x.a.test", "a.test", "y.a.test", "b.test", "x.b.test", "test", "c.x.a.test"]),
        b in select(vec!["x.a.test", "a.test", "y.a.test", "b.test", "x.b.test", "test", "c.x.a.test"]),
        suffix in select(vec!["", "; psd=y", "; psd=n"]),
        at in select(vec!["x.a.test", "a.test", "test", "b.test"]),
    ) {
        let mut zone = Zone::new();
        for name in [a, b] {
            let record = if name == at { format!("v=DMARC1; p=reject{suffix}") } else { "v=DMARC1; p=reject".to_owned() };
            let name = Name::parse(&format!("_dmarc.{name}")).expect("a name");
            zone.add(&name, 60, Data::Txt(record.as_bytes().into()));
        }
        for standard in [Standard::Rfc9989, Standard::Rfc7489] {
            prop_assert_eq!(related(a, b, &zone, standard), related(b, a, &zone, standard), "{} {} {:?}", a, b, standard);
            prop_assert!(related(a, a, &zone, standard));
        }
    }
}
