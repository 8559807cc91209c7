//! The writer against the schemas of both generations, against the reader, and against texts that want to break out.

#[cfg(test)]
mod mapped;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod support;

use proptest::prelude::*;
use report::{
    AuthResult, Dialect, Disposition, DkimResult, Override, OverrideKind, PolicyPublished, Report, Reporter, Row,
    SpfResult, Text,
};
use schema::validate;
use support::{DIALECTS, dkim, full, full_row, read, text};

/// A text with everything in it that XML cannot hold or could take for markup.
const HOSTILE: &str =
    "]]></comment><x a=\"1\" b='2'>&amp;&#0; \0\u{1}\u{b}\u{1b}\r\n\t\u{fffe}\u{ffff}\u{85}é𐀀<!ENTITY x>";

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
    "[a-z<>&\"'\\]\u{1}-\u{1f}\u{fffe}é𐀀 ]{0,30}".prop_map(|text| format!("x{text}x").into())
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
