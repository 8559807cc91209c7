//! The XML behind a report is the report's own, also where an item holds several members of one name.

use std::fmt::Write as _;
use std::fs;

use store::Ledger;

use crate::ledger::{NEWEST, header, row};
use crate::support::Portal;

/// A mail with these texts attached, all as `report.xml`.
fn mail(attached: &[String]) -> String {
    let mut mail = "From: a@reporter.example\r\nSubject: reports\r\nMIME-Version: 1.0\r\n\
                    Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        .to_owned();
    for text in attached {
        let _ = write!(
            mail,
            "--b\r\nContent-Type: text/xml; name=report.xml\r\nContent-Disposition: attachment; filename=report.xml\r\n\r\n{text}\r\n"
        );
    }
    mail + "--b--\r\n"
}

/// The report of a domain, told from others by its source.
fn report(reporter: &str, source: &str) -> String {
    let mut xml = Vec::new();
    let header = header(reporter, NEWEST.parse().unwrap(), 0);
    report::write(&mut xml, &header, &[row(source, 1, "contoso.example")]).unwrap();
    String::from_utf8(xml).unwrap()
}

#[test]
fn members_of_one_name_are_told_apart_by_what_they_say() {
    let (a, b, c) =
        (report("a.example", "192.0.2.1"), report("b.example", "192.0.2.2"), report("c.example", "192.0.2.3"));
    let other_a = report("a.example", "192.0.2.9");
    let broken = "<feedback><report_metadata>".to_owned();
    let cases: [(&str, Vec<String>, &[&str]); 5] = [
        ("one alone", vec![a.clone()], &["192.0.2.1"]),
        ("three", vec![a.clone(), b.clone(), c.clone()], &["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        (
            "a copy between them is no report of its own",
            vec![a.clone(), a.clone(), b.clone()],
            &["192.0.2.1", "192.0.2.2"],
        ),
        ("a refused one before them", vec![broken, a.clone(), b], &["192.0.2.1", "192.0.2.2"]),
        ("one identity, two contents", vec![a, other_a], &["192.0.2.1", "192.0.2.9"]),
    ];
    for (why, attached, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reports.eml");
        fs::write(&file, mail(&attached)).unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger")).unwrap();
        let summary = collect::import(&ledger, &[file], &collect::Options::default(), &()).unwrap();
        assert_eq!(
            summary.new,
            expected.len() as u64,
            "{why}: {:?}",
            summary.rejections.iter().map(|r| &r.rejection.message).collect::<Vec<_>>()
        );
        let portal = Portal::on(ledger, "127.0.0.1:8025");
        for (id, source) in (1..).zip(expected) {
            let raw = portal.get(&format!("/reports/{id}/raw")).text();
            assert!(
                raw.contains(source) && raw.trim_end().ends_with("</feedback>"),
                "{why}: report {id} is not about {source}: {raw}"
            );
            assert!(portal.get(&format!("/reports/{id}/xml")).text().contains(source), "{why}");
        }
    }
}
