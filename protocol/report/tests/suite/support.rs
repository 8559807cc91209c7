//! What the suites of reports expect, and how it is checked.
//!
//! A container has the same expectations as the reports in it: [`Expected::check`] and [`Case::check`] take whatever was read.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

use report::{Finished, Limits, Reader, Rejection, RejectionKind, Report, Row};
use serde::Deserialize;

/// Where the suites are, or nothing and a word about it.
#[expect(clippy::disallowed_methods, reason = "tests are told where the suites are by the environment")]
pub(crate) fn suites() -> Option<PathBuf> {
    let dir = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    if dir.join("reports").is_dir() {
        return Some(dir);
    }
    println!("skipped: no suites at {} (set LAMPPOST_SUITES)", dir.display());
    None
}

/// A file of the suites.
#[expect(clippy::disallowed_methods, reason = "suites are files")]
pub(crate) fn file(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A report read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) report: Report,
    pub(crate) rows: Vec<Row>,
    pub(crate) finished: Finished,
}

pub(crate) fn read(input: impl BufRead) -> Result<Whole, Rejection> {
    read_within(input, &Limits::default())
}

pub(crate) fn read_within(input: impl BufRead, limits: &Limits) -> Result<Whole, Rejection> {
    let mut reader = Reader::open(input, limits)?;
    let report = reader.report().clone();
    let mut rows = Vec::new();
    let mut row = Row::default();
    while reader.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok(Whole { report, rows, finished: reader.finish()? })
}

/// One line of `reports/manifest.jsonl`.
#[derive(Debug, Deserialize)]
pub(crate) struct Expected {
    pub(crate) file: String,
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) org: String,
    #[serde(default)]
    pub(crate) report_id: String,
    #[serde(default)]
    pub(crate) begin: String,
    #[serde(default)]
    pub(crate) end: String,
    #[serde(default)]
    pub(crate) domain: String,
    pub(crate) p: Option<String>,
    pub(crate) sp: Option<String>,
    #[serde(default)]
    pub(crate) records: u64,
    #[serde(default)]
    pub(crate) bad_rows: u64,
    #[serde(default)]
    pub(crate) messages: u64,
    #[serde(default)]
    pub(crate) dkim_aligned: u64,
    #[serde(default)]
    pub(crate) spf_aligned: u64,
    #[serde(default)]
    pub(crate) dmarc_pass: u64,
    #[serde(default)]
    pub(crate) source_ips: u64,
    #[serde(default)]
    pub(crate) disposition: BTreeMap<String, u64>,
}

/// Every line of `reports/manifest.jsonl`.
pub(crate) fn manifest(suites: &std::path::Path) -> Vec<Expected> {
    let text = file(&suites.join("reports/manifest.jsonl"));
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Expected {
    /// Panics with the difference.
    pub(crate) fn check(&self, whole: &Whole) {
        let (report, finished, name) = (&whole.report, &whole.finished, &self.file);
        let totals = &finished.totals;
        // Where the organisation is empty, the domain of the mail address stands for it.
        let organization = match self.org.as_str() {
            "" => report.reporter.email.rsplit('@').next().unwrap(),
            org => org,
        };
        assert_eq!(report.reporter.organization, organization, "{name}: organization");
        assert_eq!(report.report_id, self.report_id, "{name}: report id");
        assert_eq!(report.interval.begin.to_string(), self.begin, "{name}: begin");
        assert_eq!(report.interval.end.to_string(), self.end, "{name}: end");
        assert_eq!(report.policy.domain, self.domain, "{name}: policy domain");
        let policy = |policy: Option<report::Policy>| policy.map(|p| p.word().to_owned());
        // An empty `sp` is an absent one.
        let expected = |p: &Option<String>| p.clone().filter(|p| !p.is_empty());
        assert_eq!(policy(report.policy.p), expected(&self.p), "{name}: p");
        assert_eq!(policy(report.policy.sp), expected(&self.sp), "{name}: sp");
        assert_eq!(totals.rows + finished.bad_rows, self.records, "{name}: rows");
        assert_eq!(finished.bad_rows, self.bad_rows, "{name}: bad rows");
        assert_eq!(whole.rows.len() as u64, totals.rows, "{name}: rows given out");
        assert_eq!(totals.messages, self.messages, "{name}: messages");
        assert_eq!(totals.dkim_aligned, self.dkim_aligned, "{name}: DKIM aligned");
        assert_eq!(totals.spf_aligned, self.spf_aligned, "{name}: SPF aligned");
        assert_eq!(totals.dmarc_pass, self.dmarc_pass, "{name}: DMARC pass");
        assert_eq!(totals.sources, self.source_ips, "{name}: sources");
        let d = totals.disposition;
        let disposition = [("none", d.none), ("pass", d.pass), ("quarantine", d.quarantine), ("reject", d.reject)];
        let disposition: BTreeMap<String, u64> =
            disposition.into_iter().filter(|(_, n)| *n > 0).map(|(word, n)| (word.to_owned(), n)).collect();
        assert_eq!(disposition, self.disposition, "{name}: disposition");
    }
}

/// One case of `malformed/manifest.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) expect: Expect,
    pub(crate) why: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Expect {
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) records: Option<u64>,
    pub(crate) messages: Option<u64>,
    pub(crate) flag: Option<String>,
    #[serde(default)]
    pub(crate) norm: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) optional: bool,
}

/// Every case of `malformed/manifest.json`.
pub(crate) fn cases(suites: &std::path::Path) -> Vec<Case> {
    serde_json::from_slice(&file(&suites.join("malformed/manifest.json"))).unwrap()
}

impl Case {
    /// Panics with the difference. What is optional may also go the other way.
    pub(crate) fn check(&self, result: &Result<Whole, Rejection>) {
        let (name, why) = (&self.file, &self.why);
        match (self.expect.outcome.as_str(), result) {
            ("accept" | "duplicate", Ok(whole)) => self.check_whole(whole),
            ("reject", Err(rejection)) => self.check_reason(rejection),
            ("any", _) => {}
            _ if self.expect.optional => {}
            (outcome, got) => panic!("{name} ({why}): {outcome} expected, got {got:?}"),
        }
    }

    fn check_reason(&self, rejection: &Rejection) {
        let kinds = match self.expect.reason.as_deref() {
            Some("decompressed size limit") => &[RejectionKind::ExpandedSizeLimit][..],
            Some("row invalid") => &[RejectionKind::AllRowsInvalid],
            Some("date_range" | "date_range implausible") => &[RejectionKind::ImplausibleTime],
            Some("not well-formed") => &[RejectionKind::NotWellFormed],
            Some("no report") => &[RejectionKind::NoReport],
            _ => return,
        };
        assert!(kinds.contains(&rejection.kind), "{} ({}): {rejection:?}", self.file, self.why);
    }

    fn check_whole(&self, whole: &Whole) {
        let (name, why) = (&self.file, &self.why);
        let totals = &whole.finished.totals;
        if let Some(records) = self.expect.records {
            assert_eq!(totals.rows, records, "{name} ({why}): rows");
        }
        if let Some(messages) = self.expect.messages {
            assert_eq!(totals.messages, messages, "{name} ({why}): messages");
        }
        if let Some(flag) = &self.expect.flag {
            assert!(!whole.finished.flaws.is_empty(), "{name} ({why}): no flaw, {flag} expected");
        }
        for (path, word) in &self.expect.norm {
            let got = match path.as_str() {
                "spf.result" => whole.rows[0].spf[0].result.word(),
                // Absent means that `p` holds.
                "sp" => whole.report.policy.sp.or(whole.report.policy.p).map_or("", report::Policy::word),
                other => panic!("{name}: nobody knows how to check {other}"),
            };
            assert_eq!(got, word, "{name} ({why}): {path}");
        }
    }
}
