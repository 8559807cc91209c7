//! What is shown, to the byte for two reports and something that is none, and by its shape for all real ones.

use report::show::{Format, HELD_BYTES, Show};
use report::{Limits, RejectionKind};
use serde_json::Value;

use crate::corners::BASE;
use crate::support::{file, manifest, read, suites};

const ODD: &str = include_str!("../../../../testdata/reports/odd.xml");

fn shown(format: Format, reports: &[(&str, &str)]) -> String {
    let mut show = Show::new(Vec::new(), format, Limits::default());
    for (name, text) in reports {
        show.report(name, None, text.as_bytes()).unwrap();
    }
    String::from_utf8(show.finish().unwrap()).unwrap()
}

#[test]
fn each_format_is_as_agreed() {
    let reports = [("odd.xml", ODD), ("base.xml", BASE), ("README.md", "# Corner cases")];
    let cases = [
        (Format::Json, include_str!("../../../../testdata/reports/shown.json")),
        (Format::Csv, include_str!("../../../../testdata/reports/shown.csv")),
        (Format::Text { colour: false }, include_str!("../../../../testdata/reports/shown.text")),
        (Format::Parsedmarc, include_str!("../../../../testdata/reports/shown.parsedmarc")),
    ];
    for (format, expected) in cases {
        assert_eq!(shown(format, &reports), expected, "{format:?}");
    }
}

#[test]
fn colour_changes_nothing_else() {
    let coloured = shown(Format::Text { colour: true }, &[("odd.xml", ODD)]);
    assert!(coloured.contains("\x1b[31mfail\x1b[0m"));
    let mut plain = String::new();
    for piece in coloured.split('\x1b') {
        plain += piece.strip_prefix('[').and_then(|piece| piece.split_once('m')).map_or(piece, |(_, rest)| rest);
    }
    assert_eq!(plain, shown(Format::Text { colour: false }, &[("odd.xml", ODD)]));
}

#[test]
fn no_text_of_a_stranger_runs() {
    for start in ["=1+1", "+1", "-1", "@SUM(1)", "\u{9}=1", "=\"a\",b"] {
        let text = BASE.replace(">one<", &format!("><![CDATA[{start}]]><"));
        let csv = shown(Format::Csv, &[("a.xml", &text)]);
        let bare = start.trim().replace('"', "\"\"");
        assert!(csv.contains(&format!(",\"'{bare}\",")), "{csv}");
    }
    let text = BASE.replace(">one<", ">a&#x9b;31mb&#x202e;c<");
    assert!(shown(Format::Text { colour: false }, &[("a.xml", &text)]).contains("a\u{fffd}31mb\u{fffd}c"));
}

#[test]
fn nothing_of_a_refused_report_is_shown() {
    // It breaks after its first row.
    let broken = BASE.replace("</feedback>", "<record><row></record>");
    let json = shown(Format::Json, &[("a.xml", &broken), ("b.xml", BASE)]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["rejected"]["kind"], "not_well_formed");
    assert_eq!((lines[0]["file"].as_str(), lines[0].get("rows")), (Some("a.xml"), None));
    assert_eq!(lines[1]["totals"]["messages"], 2);
    assert_eq!(shown(Format::Csv, &[("a.xml", &broken)]).lines().count(), 1, "the heading alone");
    let text = shown(Format::Text { colour: false }, &[("a.xml", &broken)]);
    assert!(text.starts_with("a.xml\n  not read: The XML is not well-formed in row 2"), "{text}");
}

#[test]
fn a_large_report_that_breaks_late_is_still_one_object() {
    let row = &BASE[BASE.find("<record>").unwrap()..BASE.find("</feedback>").unwrap()];
    let large = BASE.replace("</feedback>", &row.repeat(HELD_BYTES / 300)) + "<record>";
    for format in [Format::Json, Format::Parsedmarc] {
        let mut show = Show::new(Vec::new(), format, Limits::default());
        let rejection = show.report("a.xml", None, large.as_bytes()).unwrap().unwrap();
        assert_eq!(rejection.kind, RejectionKind::NotWellFormed);
        let out = show.finish().unwrap();
        assert!(out.len() > HELD_BYTES, "only {} bytes: it was held back to its end", out.len());
        let object: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(object["rejected"]["kind"], "not_well_formed");
        assert_eq!(object.get("totals"), None);
    }
}

#[test]
fn every_real_report_shows_what_was_read() {
    let Some(suites) = suites() else { return };
    let mut ran = 0;
    for expected in manifest(&suites) {
        let bytes = file(&suites.join("reports").join(&expected.file));
        let Ok(whole) = read(bytes.as_slice()) else { continue };
        let line = |format| {
            let mut show = Show::new(Vec::new(), format, Limits::default());
            assert_eq!(show.report(&expected.file, None, bytes.as_slice()).unwrap(), None, "{}", expected.file);
            show.finish().unwrap()
        };
        let json: Value = serde_json::from_slice(&line(Format::Json)).unwrap();
        assert_eq!(json["rows"].as_array().unwrap().len(), whole.rows.len());
        assert_eq!(json["totals"]["messages"], whole.finished.totals.messages);
        let theirs: Value = serde_json::from_slice(&line(Format::Parsedmarc)).unwrap();
        let records = theirs["records"].as_array().unwrap();
        let messages: u64 = records.iter().map(|record| record["count"].as_u64().unwrap()).sum();
        assert_eq!(messages, whole.finished.totals.messages, "{}", expected.file);
        let csv = String::from_utf8(line(Format::Csv)).unwrap();
        assert_eq!(csv.matches("\r\n").count(), whole.rows.len() + 1, "{}", expected.file);
        ran += 1;
    }
    println!("{ran} real reports shown");
    assert!(ran > 1_700, "only {ran} ran");
}
