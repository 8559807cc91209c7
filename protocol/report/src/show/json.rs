//! A report as one line of JSON, its rows written as they are read.

use std::io::{self, BufRead, Write};
use std::net::IpAddr;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Held, Origin, Stop};
use crate::{
    Dialect, Disposition, DispositionTotals, DkimResult, Flaw, Interval, Override, PolicyPublished, Reader, Rejection,
    Report, Row, SpfResult, Totals,
};

#[derive(Serialize)]
struct Header<'a> {
    #[serde(flatten)]
    origin: Origin<'a>,
    reporter: Reporter<'a>,
    report_id: &'a str,
    interval: Interval,
    policy_published: &'a PolicyPublished,
    dialect: Dialect,
    version: Option<&'a str>,
    errors: &'a [crate::Text],
}

#[derive(Serialize)]
struct Reporter<'a> {
    organization: &'a str,
    email: &'a str,
    generator: Option<&'a str>,
    extra_contact: Option<&'a str>,
}

#[derive(Serialize)]
struct RowView<'a> {
    source: IpAddr,
    count: u64,
    author_domain: &'a str,
    envelope_from: Option<&'a str>,
    envelope_to: Option<&'a str>,
    evaluated: Evaluated<'a>,
    dkim: &'a [DkimResult],
    spf: &'a [SpfResult],
}

#[derive(Serialize)]
struct Evaluated<'a> {
    disposition: Disposition,
    dkim: &'static str,
    spf: &'static str,
    overrides: &'a [Override],
}

#[derive(Serialize)]
struct Footer<'a> {
    totals: TotalsView,
    bad_rows: u64,
    flaws: &'a [Flaw],
    identity: String,
}

#[derive(Serialize)]
struct TotalsView {
    rows: u64,
    messages: u64,
    dkim_aligned: u64,
    spf_aligned: u64,
    dmarc_pass: u64,
    sources: u64,
    #[serde(serialize_with = "dispositions")]
    disposition: DispositionTotals,
}

/// Only the dispositions that occurred.
fn dispositions<S: Serializer>(totals: &DispositionTotals, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (disposition, messages) in totals.occurred() {
        map.serialize_entry(disposition.word(), &messages)?;
    }
    map.end()
}

pub(super) fn show<R: BufRead>(mut reader: Reader<R>, origin: Origin<'_>, out: &mut Held<'_>) -> Result<(), Stop> {
    open_object(out, &header(reader.report(), origin))?;
    write!(out, r#","rows":["#)?;
    let mut row = Row::default();
    let mut first = true;
    while reader.next_row(&mut row)? {
        if !std::mem::take(&mut first) {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, &view(&row))?;
    }
    let finished = reader.finish()?;
    let footer = Footer {
        totals: totals(finished.totals),
        bad_rows: finished.bad_rows,
        flaws: &finished.flaws,
        identity: sha256(&finished.identity.content),
    };
    out.write_all(b"],")?;
    let footer = serde_json::to_string(&footer)?;
    // Without its opening brace: the object is open already.
    writeln!(out, "{}", &footer[1..])?;
    Ok(())
}

/// Writes an object without its closing brace.
pub(super) fn open_object(out: &mut Held<'_>, object: &impl Serialize) -> Result<(), Stop> {
    let text = serde_json::to_string(object)?;
    out.write_all(&text.as_bytes()[..text.len() - 1])?;
    Ok(())
}

fn header<'a>(report: &'a Report, origin: Origin<'a>) -> Header<'a> {
    let reporter = &report.reporter;
    Header {
        origin,
        reporter: Reporter {
            organization: &reporter.organization,
            email: &reporter.email,
            generator: reporter.generator.as_deref(),
            extra_contact: reporter.extra_contact.as_deref(),
        },
        report_id: &report.report_id,
        interval: report.interval,
        policy_published: &report.policy,
        dialect: report.dialect,
        version: report.version.as_deref(),
        errors: &report.errors,
    }
}

fn view(row: &Row) -> RowView<'_> {
    RowView {
        source: row.source,
        count: row.count,
        author_domain: &row.author_domain,
        envelope_from: row.envelope_from.as_deref(),
        envelope_to: row.envelope_to.as_deref(),
        evaluated: Evaluated {
            disposition: row.disposition,
            dkim: pass_or_fail(row.dkim_aligned),
            spf: pass_or_fail(row.spf_aligned),
            overrides: &row.overrides,
        },
        dkim: &row.dkim,
        spf: &row.spf,
    }
}

fn totals(totals: Totals) -> TotalsView {
    let Totals { rows, messages, dkim_aligned, spf_aligned, dmarc_pass, sources, disposition } = totals;
    TotalsView { rows, messages, dkim_aligned, spf_aligned, dmarc_pass, sources, disposition }
}

pub(super) fn pass_or_fail(pass: bool) -> &'static str {
    if pass { "pass" } else { "fail" }
}

pub(super) fn sha256(content: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in content {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[derive(Serialize)]
struct Refused<'a> {
    #[serde(flatten)]
    origin: Option<Origin<'a>>,
    rejected: &'a Rejection,
}

/// The line of what was not read.
pub(super) fn refused(origin: Origin<'_>, rejection: &Rejection, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Refused { origin: Some(origin), rejected: rejection })?;
    writeln!(out)
}

/// Ends an object inside its rows.
pub(super) fn cut_off(rejection: &Rejection, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string(&Refused { origin: None, rejected: rejection })?;
    writeln!(out, "],{}", &text[1..])
}
