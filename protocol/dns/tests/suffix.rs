//! The public test of the public suffix list (publicsuffix.org, CC0), for the list that is compiled in and for the one read from text.
#![expect(clippy::disallowed_methods, reason = "the suite is a folder of files")]

use std::path::PathBuf;

use dns::{Name, Suffixes, organizational_domain};

/// What `checkPublicSuffix` asks: a name, and one label more than its public suffix.
fn questions(text: &str) -> Vec<(String, Option<String>)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("checkPublicSuffix(")?.strip_suffix(");"));
    let value = |word: &str| word.trim().strip_prefix('\'').map(|word| word.trim_end_matches('\'').to_owned());
    lines
        .map(|line| {
            let (asked, expected) = line.split_once(',').expect("two arguments");
            (value(asked).unwrap_or_default(), value(expected))
        })
        .collect()
}

#[test]
fn public_suffix_list() {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from)
        .join("psl");
    let Ok(questions_text) = std::fs::read_to_string(folder.join("test_psl.txt")) else {
        assert_ne!(std::env::var("LAMPPOST_CI").as_deref(), Ok("1"), "no suite at {}", folder.display());
        eprintln!("SKIPPED: no suite at {}: set LAMPPOST_SUITES", folder.display());
        return;
    };
    let read = Suffixes::parse(&std::fs::read_to_string(folder.join("public_suffix_list.dat")).unwrap()).unwrap();
    let questions = questions(&questions_text);
    for (asked, expected) in &questions {
        // A leading dot and nothing at all are no names.
        let asked_name = Name::from_unicode(asked).ok();
        let expected = expected.as_ref().map(|text| Name::from_unicode(text).unwrap());
        for list in [&Suffixes::default(), &read] {
            let found = asked_name.as_ref().and_then(|name| list.registrable(name));
            assert_eq!(found, expected, "{asked}");
        }
    }
    println!("{} cases of the public suffix list, each with two lists", questions.len());
    assert!(questions.len() >= 78, "only {} cases were read", questions.len());
}

#[test]
fn a_suffix_stands_for_itself() {
    for (asked, expected) in
        [("a.b.example.co.uk", "example.co.uk"), ("co.uk", "co.uk"), (".", "."), ("localhost", "localhost")]
    {
        assert_eq!(organizational_domain(&Name::parse(asked).unwrap()).to_string(), expected, "{asked}");
    }
}

#[test]
fn rules_are_read() {
    let list =
        Suffixes::parse("// comment\ntest\n*.wild.test and more\n!not.wild.test\nwild.test\n\nbücher.test\n").unwrap();
    let cases = [
        ("a.b.test", Some("b.test")),
        ("a.wild.test", None),
        ("wild.test", None),
        ("b.a.wild.test", Some("b.a.wild.test")),
        ("x.not.wild.test", Some("not.wild.test")),
        ("a.xn--bcher-kva.test", Some("a.xn--bcher-kva.test")),
        ("unknown", None),
        ("a.b.unknown", Some("b.unknown")),
    ];
    for (asked, expected) in cases {
        let found = list.registrable(&Name::parse(asked).unwrap());
        assert_eq!(found, expected.map(|text| Name::parse(text).unwrap()), "{asked}");
    }
    let error = Suffixes::parse("test\na..b\n").unwrap_err();
    assert_eq!((error.line, error.rule.as_str()), (2, "a..b"));
}
