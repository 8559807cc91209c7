//! Rows as comma-separated values (RFC 4180), one line each, with the header of their report repeated. Cells are guarded, see [`csv_cell`].

use std::io::{self, BufRead, Write};

use super::json::pass_or_fail;
use super::{Held, Origin, Stop};
use crate::{Reader, Report, Row, csv_cell};

const COLUMNS: [&str; 28] = [
    "file",
    "member",
    "organization",
    "email",
    "report_id",
    "begin",
    "end",
    "policy_domain",
    "p",
    "sp",
    "np",
    "adkim",
    "aspf",
    "pct",
    "fo",
    "testing",
    "discovery_method",
    "source",
    "count",
    "author_domain",
    "envelope_from",
    "envelope_to",
    "disposition",
    "dkim_aligned",
    "spf_aligned",
    "overrides",
    "dkim",
    "spf",
];

/// How many of them are the same for all rows of a report.
const HEADER_COLUMNS: usize = 17;

pub(super) fn heading(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))
}

pub(super) fn show<R: BufRead>(mut reader: Reader<R>, origin: Origin<'_>, out: &mut Held<'_>) -> Result<(), Stop> {
    let mut line = header_cells(reader.report(), origin);
    let header = line.len();
    let mut row = Row::default();
    while reader.next_row(&mut row)? {
        line.truncate(header);
        row_cells(&row, &mut line);
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    reader.finish()?;
    Ok(())
}

fn header_cells(report: &Report, origin: Origin<'_>) -> String {
    let policy = &report.policy;
    let pct = policy.pct.map(|pct| pct.to_string());
    let cells: [&str; HEADER_COLUMNS] = [
        origin.file,
        origin.member.unwrap_or_default(),
        &report.reporter.organization,
        &report.reporter.email,
        &report.report_id,
        &time(report.interval.begin),
        &time(report.interval.end),
        &policy.domain,
        policy.p.map_or("", crate::Policy::word),
        policy.sp.map_or("", crate::Policy::word),
        policy.np.map_or("", crate::Policy::word),
        policy.adkim.map_or("", crate::Alignment::word),
        policy.aspf.map_or("", crate::Alignment::word),
        pct.as_deref().unwrap_or_default(),
        policy.fo.as_deref().unwrap_or_default(),
        policy.testing.map_or("", |testing| if testing { "y" } else { "n" }),
        policy.discovery_method.map_or("", crate::DiscoveryMethod::word),
    ];
    let mut line = String::new();
    for text in cells {
        line.push_str(&csv_cell(text));
        line.push(',');
    }
    line
}

fn row_cells(row: &Row, line: &mut String) {
    let overrides: Vec<String> = row
        .overrides
        .iter()
        .map(|reason| match &reason.comment {
            Some(comment) => format!("{} ({comment})", reason.kind.word()),
            None => reason.kind.word().to_owned(),
        })
        .collect();
    let dkim: Vec<String> = row
        .dkim
        .iter()
        .map(|dkim| match &dkim.selector {
            Some(selector) => format!("{}/{selector} {}", dkim.domain, dkim.result),
            None => format!("{} {}", dkim.domain, dkim.result),
        })
        .collect();
    let spf: Vec<String> = row
        .spf
        .iter()
        .map(|spf| match spf.scope {
            Some(scope) => format!("{} {} {scope}", spf.domain, spf.result),
            None => format!("{} {}", spf.domain, spf.result),
        })
        .collect();
    let cells: [&str; COLUMNS.len() - HEADER_COLUMNS] = [
        &row.source.to_string(),
        &row.count.to_string(),
        &row.author_domain,
        row.envelope_from.as_deref().unwrap_or_default(),
        row.envelope_to.as_deref().unwrap_or_default(),
        row.disposition.word(),
        pass_or_fail(row.dkim_aligned),
        pass_or_fail(row.spf_aligned),
        &overrides.join("; "),
        &dkim.join("; "),
        &spf.join("; "),
    ];
    for (at, text) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        line.push_str(&csv_cell(text));
    }
}

/// As ISO 8601, which spreadsheets understand.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
