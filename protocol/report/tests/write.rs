//! The writer against the schemas of both generations, against the reader, and against texts that want to break out.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]
#![expect(clippy::disallowed_methods, reason = "schemas are read from the suites and checked by xmllint")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use report::{
    Alignment, AuthResult, Dialect, DiscoveryMethod, Disposition, DkimResult, Interval, Limits, Override, OverrideKind,
    Policy, PolicyPublished, Reader, Report, Reporter, Row, SpfResult, SpfScope, Text,
};

const DIALECTS: [Dialect; 2] = [Dialect::Rfc7489, Dialect::Rfc9990];

/// A text with everything in it that XML cannot hold or could take for markup.
const HOSTILE: &str =
    "]]></comment><x a=\"1\" b='2'>&amp;&#0; \0\u{1}\u{b}\u{1b}\r\n\t\u{fffe}\u{ffff}\u{85}é𐀀<!ENTITY x>";

fn text(report: &Report, rows: &[Row]) -> String {
    let mut out = Vec::new();
    report::write(&mut out, report, rows).unwrap();
    String::from_utf8(out).unwrap()
}

fn read(xml: &str) -> (Report, Vec<Row>, Vec<report::Flaw>) {
    let mut reader = Reader::open(xml.as_bytes(), &Limits::default()).unwrap();
    let report = reader.report().clone();
    let (mut rows, mut row) = (Vec::new(), Row::default());
    while reader.next_row(&mut row).unwrap() {
        rows.push(row.clone());
    }
    (report, rows, reader.finish().unwrap().flaws)
}

/// A report that says everything its generation can say.
fn full(dialect: Dialect) -> Report {
    let new = dialect == Dialect::Rfc9990;
    Report {
        dialect,
        version: Some("1.0".into()),
        reporter: Reporter {
            organization: "Big Mail & Sons".into(),
            email: "dmarc@bigmail.example".into(),
            extra_contact: Some("https://bigmail.example/?a=1&b=<2>".into()),
            generator: new.then(|| "report/1".into()),
        },
        report_id: "2025-12-23.17@bigmail.example".into(),
        interval: Interval { begin: 1_766_448_000, end: 1_766_534_399 },
        errors: vec!["one record too long".into()],
        policy: PolicyPublished {
            domain: "halden.example".into(),
            p: Some(Policy::Quarantine),
            sp: Some(Policy::Reject),
            np: new.then_some(Policy::Reject),
            adkim: Some(Alignment::Relaxed),
            aspf: Some(Alignment::Strict),
            pct: (!new).then_some(25),
            fo: Some("1:d".into()),
            testing: new.then_some(true),
            discovery_method: new.then_some(DiscoveryMethod::TreeWalk),
        },
    }
}

fn dkim(domain: &str, selector: &str, result: AuthResult) -> DkimResult {
    DkimResult { domain: domain.into(), selector: Some(selector.into()), result, human_result: None }
}

fn spf(domain: &str, scope: SpfScope, result: AuthResult) -> SpfResult {
    SpfResult { domain: domain.into(), scope: Some(scope), result, human_result: None }
}

/// A row that says everything its generation can say.
fn full_row(dialect: Dialect) -> Row {
    let new = dialect == Dialect::Rfc9990;
    let kind = if new { OverrideKind::PolicyTestMode } else { OverrideKind::SampledOut };
    Row {
        source: "2001:db8::25".parse().unwrap(),
        count: 18_400,
        author_domain: "news.halden.example".into(),
        envelope_from: Some("bounce.halden.example".into()),
        envelope_to: Some("bigmail.example".into()),
        disposition: if new { Disposition::Pass } else { Disposition::Quarantine },
        dkim_aligned: true,
        spf_aligned: false,
        overrides: vec![
            Override { kind, comment: None },
            Override { kind: OverrideKind::LocalPolicy, comment: Some("arc=pass as[1].d=lists.example".into()) },
        ],
        dkim: vec![
            dkim("halden.example", "s2021", AuthResult::Pass),
            DkimResult {
                human_result: Some("body hash mismatch".into()),
                ..dkim("vendor.example", "k1", AuthResult::Fail)
            },
        ],
        spf: vec![SpfResult {
            human_result: new.then(|| "13 look-ups".into()),
            ..spf("bounce.halden.example", SpfScope::Mfrom, AuthResult::PermError)
        }],
    }
}

#[test]
fn what_a_generation_can_say_comes_back_unchanged() {
    for dialect in DIALECTS {
        let (report, row) = (full(dialect), full_row(dialect));
        let xml = text(&report, std::slice::from_ref(&row));
        assert_eq!(read(&xml), (report, vec![row], vec![]), "{xml}");
    }
}

/// A report from which everything is missing that may be missing, with texts that want to break out.
fn poor(dialect: Dialect) -> (Report, Row) {
    let hostile = || Text::new(HOSTILE);
    let report = Report {
        dialect,
        reporter: Reporter { organization: hostile(), email: hostile(), ..Reporter::default() },
        report_id: hostile(),
        errors: vec![hostile(), hostile()],
        policy: PolicyPublished { domain: hostile(), fo: Some(hostile()), ..PolicyPublished::default() },
        ..Report::default()
    };
    let kinds = [
        OverrideKind::Forwarded,
        OverrideKind::SampledOut,
        OverrideKind::TrustedForwarder,
        OverrideKind::MailingList,
        OverrideKind::LocalPolicy,
        OverrideKind::PolicyTestMode,
        OverrideKind::Other,
        OverrideKind::Unknown(hostile()),
    ];
    let results = [
        AuthResult::None,
        AuthResult::Neutral,
        AuthResult::Pass,
        AuthResult::Fail,
        AuthResult::SoftFail,
        AuthResult::Policy,
        AuthResult::TempError,
        AuthResult::PermError,
    ];
    let row = Row {
        author_domain: hostile(),
        envelope_from: None,
        envelope_to: Some(hostile()),
        disposition: Disposition::Pass,
        overrides: kinds.map(|kind| Override { kind, comment: Some(hostile()) }).to_vec(),
        dkim: results
            .map(|result| DkimResult { domain: hostile(), selector: None, result, human_result: Some(hostile()) })
            .to_vec(),
        spf: results
            .map(|result| SpfResult { domain: hostile(), scope: None, result, human_result: Some(hostile()) })
            .to_vec(),
        ..Row::default()
    };
    (report, row)
}

#[test]
fn both_generations_are_valid_against_their_schema() {
    for dialect in DIALECTS {
        let (poor_report, poor_row) = poor(dialect);
        let bare = Row { author_domain: "halden.example".into(), ..Row::default() };
        let cases = [
            text(&full(dialect), &[full_row(dialect), bare.clone()]),
            // What only the other generation knows.
            text(&full(dialect), &DIALECTS.map(full_row)),
            text(&Report { dialect, ..full(Dialect::Rfc7489) }, &[full_row(dialect)]),
            text(&Report { dialect, ..full(Dialect::Rfc9990) }, &[full_row(dialect)]),
            text(&poor_report, &[poor_row, bare]),
        ];
        for xml in cases {
            let Some(said) = validate(dialect, &xml) else { return };
            assert_eq!(said, "", "{xml}");
        }
    }
    // The judge can say no.
    let wrong = text(&full(Dialect::Rfc7489), &[full_row(Dialect::Rfc7489)]).replace("mfrom", "mailfrom");
    assert!(validate(Dialect::Rfc7489, &wrong).unwrap().contains("mailfrom"));
}

/// What xmllint has against it; `None`, and the reason printed, where there is no schema or no xmllint.
fn validate(dialect: Dialect, xml: &str) -> Option<String> {
    let suites = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let name = match dialect {
        Dialect::Rfc7489 => "rfc7489-nons.xsd",
        Dialect::Rfc9990 => "rfc9990-draft32.xsd",
    };
    let Ok(schema) = std::fs::read_to_string(suites.join("xsd").join(name)) else {
        println!("skipped: no {name} in {}", suites.display());
        return None;
    };
    // The pattern of RFC 7489's IPAddress holds line breaks of the printed page and so matches no address at all.
    let schema = schema.replace("name=\"source_ip\" type=\"IPAddress\"", "name=\"source_ip\" type=\"xs:string\"");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, schema).unwrap();
    let run = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([path.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = run else {
        println!("skipped: there is no xmllint (libxml2-utils) to validate with");
        return None;
    };
    child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { String::new() } else { said })
}

#[test]
fn what_a_generation_has_no_word_for_is_mapped() {
    let cases: &[(&str, Dialect, fn(&mut Row), &[&str], &[&str])] = &[
        ("`pass` is new", Dialect::Rfc7489, |r| r.disposition = Disposition::Pass, &["<disposition>none<"], &[]),
        ("and kept", Dialect::Rfc9990, |r| r.disposition = Disposition::Pass, &["<disposition>pass<"], &[]),
        (
            "`forwarded` is old",
            Dialect::Rfc9990,
            |r| r.overrides = vec![Override { kind: OverrideKind::Forwarded, comment: Some("by a list".into()) }],
            &["<type>other<", "<comment>forwarded: by a list<"],
            &["<type>forwarded<"],
        ),
        (
            "`sampled_out` too, with nothing to add",
            Dialect::Rfc9990,
            |r| r.overrides = vec![Override { kind: OverrideKind::SampledOut, comment: None }],
            &["<type>other<", "<comment>sampled_out<"],
            &[],
        ),
        (
            "`policy_test_mode` is new",
            Dialect::Rfc7489,
            |r| r.overrides = vec![Override { kind: OverrideKind::PolicyTestMode, comment: None }],
            &["<type>other<", "<comment>policy_test_mode<"],
            &[],
        ),
        (
            "no envelope sender, but SPF knew it",
            Dialect::Rfc7489,
            |r| r.envelope_from = None,
            &["<envelope_from>bounce.halden.example<"],
            &[],
        ),
        (
            "no envelope sender, and only the greeting was checked",
            Dialect::Rfc7489,
            |r| {
                r.envelope_from = None;
                r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)];
            },
            &["<envelope_from><", "<scope>helo<"],
            &[],
        ),
        (
            "the null path stays the null path",
            Dialect::Rfc7489,
            |r| r.envelope_from = Some("".into()),
            &["<envelope_from><"],
            &[],
        ),
        (
            "one SPF check, of the envelope sender",
            Dialect::Rfc9990,
            |r| r.spf.insert(0, spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)),
            &["<domain>bounce.halden.example<"],
            &["mx.halden.example", "helo"],
        ),
        (
            "a greeting is no envelope sender",
            Dialect::Rfc9990,
            |r| r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)],
            &[],
            &["<spf>\n"],
        ),
        (
            "unless the path was null: then it is",
            Dialect::Rfc9990,
            |r| {
                r.envelope_from = Some("".into());
                r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)];
            },
            &["<domain>mx.halden.example<", "<scope>mfrom<"],
            &["helo"],
        ),
        (
            "no SPF check",
            Dialect::Rfc7489,
            |r| r.spf.clear(),
            &[
                "<spf>\n        <domain>bounce.halden.example</domain>\n        <scope>mfrom</scope>\n        <result>none<",
            ],
            &[],
        ),
    ];
    for (why, dialect, change, present, absent) in cases {
        let mut row = full_row(*dialect);
        change(&mut row);
        let xml = text(&full(*dialect), &[row]);
        for part in *present {
            assert!(xml.contains(part), "{why}: {part} in\n{xml}");
        }
        for part in *absent {
            assert!(!xml.contains(part), "{why}: no {part} in\n{xml}");
        }
    }
}

#[test]
fn the_hundred_signatures_that_say_most_are_listed_in_their_order() {
    let mut row = full_row(Dialect::Rfc9990);
    row.dkim = (0..150).map(|n| dkim("vendor.example", &format!("f{n}"), AuthResult::Fail)).collect();
    row.dkim.push(dkim("other.example", "pass", AuthResult::Pass));
    row.dkim.push(dkim("halden.example", "relaxed", AuthResult::Pass));
    row.dkim.push(dkim("news.halden.example", "strict", AuthResult::Pass));
    let selectors = |dialect| -> Vec<Text> {
        let (_, rows, _) = read(&text(&full(dialect), std::slice::from_ref(&row)));
        rows[0].dkim.iter().map(|d| d.selector.clone().unwrap()).collect()
    };
    let new = selectors(Dialect::Rfc9990);
    assert_eq!(new.len(), 100);
    assert_eq!(new[96..], ["f96", "pass", "relaxed", "strict"]);
    assert_eq!(selectors(Dialect::Rfc7489).len(), 153, "the first generation has no such limit");
}

#[test]
fn file_names_are_those_of_the_standard_whatever_the_report_says() {
    let name = |receiver: &str, domain: &str, id: &str, gzip| {
        let mut report = full(Dialect::Rfc9990);
        (report.policy.domain, report.report_id) = (domain.into(), id.into());
        report::file_name(receiver, &report, gzip)
    };
    let cases = [
        (
            name("mail.bigmail.example", "halden.example", "17", true),
            "mail.bigmail.example!halden.example!1766448000!1766534399!17.xml.gz",
        ),
        (
            name("bigmail.example", "halden.example", "a-1.b@bigmail", false),
            "bigmail.example!halden.example!1766448000!1766534399!a1bbigmail.xml",
        ),
        (name("a", "b", "--", false), "a!b!1766448000!1766534399.xml"),
        (name("a/../b!c", "..\\x\0é y", "../../etc", true), "a..bc!..xy!1766448000!1766534399!etc.xml.gz"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

/// Text as it comes back: what XML has no characters for is replaced. The reader cuts white space at both ends, so there is none.
fn any_text() -> impl Strategy<Value = Text> {
    proptest::string::string_regex("[a-z<>&\"'\\]\u{1}-\u{1f}\u{fffe}é𐀀 ]{0,30}")
        .unwrap()
        .prop_map(|t| format!("x{t}x").into())
}

fn as_read(text: &str) -> Text {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => c,
        })
        .collect::<String>()
        .into()
}

proptest! {
    #[test]
    fn any_text_comes_back(organization in any_text(), id in any_text(), comment in any_text(), human in any_text(), new: bool) {
        let dialect = if new { Dialect::Rfc9990 } else { Dialect::Rfc7489 };
        let (mut report, mut row) = (full(dialect), full_row(dialect));
        report.reporter.organization = organization.clone();
        report.report_id = id.clone();
        row.overrides = vec![Override { kind: OverrideKind::Other, comment: Some(comment.clone()) }];
        row.dkim[0].human_result = Some(human.clone());
        let (read_report, rows, _) = read(&text(&report, &[row]));
        prop_assert_eq!(read_report.reporter.organization, as_read(&organization));
        prop_assert_eq!(read_report.report_id, as_read(&id));
        prop_assert_eq!(rows[0].overrides[0].comment.as_deref(), Some(&*as_read(&comment)));
        prop_assert_eq!(rows[0].dkim[0].human_result.as_deref(), Some(&*as_read(&human)));
    }
}
