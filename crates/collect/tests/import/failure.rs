//! Failure reports through the import: each a sample once, whatever it came in and however often, also after a rebuild.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::path::{Path, PathBuf};

use report::RejectionKind;
use store::{Ledger, SampleFilter};

use crate::support::{Made, Place, gzip};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/failure")
}

fn mail(name: &str) -> Vec<u8> {
    std::fs::read(testdata().join(name)).unwrap()
}

/// What is kept, as JSON, in an order that does not depend on when it came.
fn kept(ledger: &Ledger) -> Vec<String> {
    let (page, total) = ledger.samples(&SampleFilter::default(), 0, 1_000).unwrap();
    assert_eq!(page.len(), total);
    assert_eq!(ledger.counters().unwrap().samples, total as u64);
    let mut all: Vec<String> = page.iter().map(|e| format!("{} {:?}", e.day, e.sample)).collect();
    all.sort();
    all
}

#[test]
fn every_failure_report_is_a_sample_once() {
    let place = Place::new();
    // The same report in six forms, and others.
    for name in [
        "01-standard",
        "02-base64",
        "03-unlabelled-base64",
        "04-wrong-labels",
        "17-forwarded",
        "11-several",
        "09-exim-text",
    ] {
        place.file(&format!("{name}.eml"), mail(&format!("{name}.eml")));
    }
    place.file("packed.gz", gzip(&mail("01-standard.eml")));
    place.file("aggregate.xml", Made::default().xml());
    let summary = place.import_all();
    assert_eq!((summary.samples, summary.samples_repeated), (3, 6), "{summary:?}");
    assert_eq!((summary.reports, summary.new, summary.messages), (1, 1, 3));
    assert_eq!((summary.rejected, summary.rejections[0].rejection.kind), (1, RejectionKind::OtherFeedback));
    let before = kept(&place.ledger);
    assert_eq!(before.len(), 3);
    assert!(before.iter().all(|one| !one.contains("recipient")), "{before:?}");

    // All of it again, then everything worked out again.
    let again = place.import_all();
    assert_eq!((again.samples, again.samples_repeated, again.rejected), (0, 9, 1), "{again:?}");
    assert_eq!(kept(&place.ledger), before);
    let rebuilt = collect::rebuild(&place.ledger, &()).unwrap();
    assert_eq!(rebuilt.samples, 3);
    assert_eq!(kept(&place.ledger), before);
    assert_eq!(place.ledger.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_date_to_come_is_not_believed() {
    let place = Place::new();
    let text = String::from_utf8(mail("01-standard.eml")).unwrap();
    place.file("a.eml", text.replace("Arrival-Date: Mon, 01 Dec 2025", "Arrival-Date: Mon, 01 Dec 2199"));
    place.import_all();
    let (page, _) = place.ledger.samples(&SampleFilter::default(), 0, 10).unwrap();
    assert_eq!(page[0].day.to_string(), "2025-12-01", "the mail's own date");
}

#[test]
fn every_mail_of_the_shapes_has_an_outcome() {
    let place = Place::new();
    let summary = place.import(&testdata());
    let refused: Vec<_> = summary
        .rejections
        .iter()
        .map(|r| (r.origin.rsplit('/').next().unwrap(), r.rejection.kind))
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|e| e == "eml"))
        .collect();
    assert_eq!(
        refused,
        [
            ("11-several.eml", RejectionKind::OtherFeedback),
            ("14-complaint.eml", RejectionKind::OtherFeedback),
            ("15-says-nothing.eml", RejectionKind::MissingPart),
        ],
        "besides what is no mail"
    );
}
