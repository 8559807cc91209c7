//! A report for people at a terminal: who, when and what about; a table of its rows; what they add up to; what was odd.

use std::borrow::Cow;
use std::io::{self, BufRead, Write};

use super::{Held, Origin, Stop};
use crate::{Finished, Interval, PolicyPublished, Reader, Rejection, Report, Row};

/// Rows that are looked at for the widths of the columns, and so many rows are in memory.
const MEASURED_ROWS: usize = 1_000;
const COLUMNS: usize = 7;
const HEADINGS: [&str; COLUMNS + 1] =
    ["messages", "source", "author domain", "envelope from", "disposition", "DKIM", "SPF", "results"];

/// Escape sequences, or nothing.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
    pub(super) fn good(self) -> &'static str {
        if self.colour { "\x1b[32m" } else { "" }
    }
    pub(super) fn bad(self) -> &'static str {
        if self.colour { "\x1b[31m" } else { "" }
    }
    pub(super) fn strong(self) -> &'static str {
        if self.colour { "\x1b[1m" } else { "" }
    }
    pub(super) fn dim(self) -> &'static str {
        if self.colour { "\x1b[2m" } else { "" }
    }
    pub(super) fn end(self) -> &'static str {
        if self.colour { "\x1b[0m" } else { "" }
    }
}

pub(super) fn show<R: BufRead>(
    mut reader: Reader<R>,
    origin: Origin<'_>,
    colour: bool,
    out: &mut Held<'_>,
) -> Result<(), Stop> {
    let style = Style { colour };
    header(reader.report(), origin, style, out)?;
    let mut row = Row::default();
    let mut measured = Vec::new();
    while measured.len() < MEASURED_ROWS && reader.next_row(&mut row)? {
        measured.push(cells(&row));
    }
    if !measured.is_empty() {
        let widths = widths(&measured);
        writeln!(out)?;
        line(&HEADINGS.map(Cow::Borrowed), &widths, style, out)?;
        for cells in &measured {
            line(cells, &widths, style, out)?;
        }
        while reader.next_row(&mut row)? {
            line(&cells(&row), &widths, style, out)?;
        }
    }
    writeln!(out)?;
    footer(&reader.finish()?, style, out)?;
    Ok(())
}

fn header(report: &Report, origin: Origin<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (strong, end) = (style.strong(), style.end());
    writeln!(out, "{strong}{}{end}", name(origin))?;
    let reporter = &report.reporter;
    let mut field = |name: &str, text: &str| writeln!(out, "  {name:<10}{}", printable(text));
    field("reporter", &format!("{} <{}>", reporter.organization, reporter.email))?;
    if let Some(contact) = &reporter.extra_contact {
        field("contact", contact)?;
    }
    if let Some(generator) = &reporter.generator {
        field("generator", generator)?;
    }
    field("report id", &report.report_id)?;
    field("period", &period(report.interval))?;
    field("policy", &policy(&report.policy))?;
    for error in &report.errors {
        field("error", error)?;
    }
    Ok(())
}

pub(super) fn name(origin: Origin<'_>) -> String {
    match origin.member {
        Some(member) => format!("{} ({})", printable(origin.file), printable(member)),
        None => printable(origin.file).into_owned(),
    }
}

pub(super) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn period(interval: Interval) -> String {
    format!("{} to {} UTC", time(interval.begin), time(interval.end))
}

fn policy(policy: &PolicyPublished) -> String {
    let mut text = policy.domain.to_string();
    let mut tag = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            text.extend(["  ", name, "=", value]);
        }
    };
    tag("p", policy.p.map(crate::Policy::word));
    tag("sp", policy.sp.map(crate::Policy::word));
    tag("np", policy.np.map(crate::Policy::word));
    tag("adkim", policy.adkim.map(crate::Alignment::word));
    tag("aspf", policy.aspf.map(crate::Alignment::word));
    tag("pct", policy.pct.map(|pct| pct.to_string()).as_deref());
    tag("fo", policy.fo.as_deref());
    tag("t", policy.testing.map(|testing| if testing { "y" } else { "n" }));
    text
}

/// The cells of a row; the last one, whose width does not matter, holds all results.
fn cells(row: &Row) -> [Cow<'static, str>; COLUMNS + 1] {
    let own = |text: &str| Cow::Owned(printable(text).into_owned());
    let pass = |pass| Cow::Borrowed(super::json::pass_or_fail(pass));
    let mut results = Vec::new();
    for dkim in &row.dkim {
        let selector = dkim.selector.as_deref().map(|selector| format!("/{selector}")).unwrap_or_default();
        results.push(format!("dkim {} {}{selector}", dkim.result, dkim.domain));
    }
    for spf in &row.spf {
        let scope = spf.scope.filter(|scope| *scope == crate::SpfScope::Helo).map_or("", |_| " (helo)");
        results.push(format!("spf {} {}{scope}", spf.result, spf.domain).trim_end().to_owned());
    }
    for reason in &row.overrides {
        let comment = reason.comment.as_deref().map(|comment| format!(" “{comment}”")).unwrap_or_default();
        results.push(format!("{}{comment}", reason.kind.word()));
    }
    [
        Cow::Owned(row.count.to_string()),
        Cow::Owned(row.source.to_string()),
        own(&row.author_domain),
        own(match row.envelope_from.as_deref() {
            Some("") => "<>",
            Some(from) => from,
            None => "",
        }),
        Cow::Borrowed(row.disposition.word()),
        pass(row.dkim_aligned),
        pass(row.spf_aligned),
        own(&results.join(", ")),
    ]
}

fn widths(rows: &[[Cow<'static, str>; COLUMNS + 1]]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|cells| cells[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or_default()
    })
}

fn line(
    cells: &[Cow<'static, str>; COLUMNS + 1],
    widths: &[usize; COLUMNS],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    write!(out, "  {:>width$}", cells[0], width = widths[0])?;
    for (cell, width) in cells[1..COLUMNS].iter().zip(&widths[1..]) {
        let (on, off) = match &**cell {
            "pass" => (style.good(), style.end()),
            "fail" | "reject" | "quarantine" => (style.bad(), style.end()),
            _ => ("", ""),
        };
        write!(out, "  {on}{cell:<width$}{off}")?;
    }
    let results = &cells[COLUMNS];
    if results.is_empty() { writeln!(out) } else { writeln!(out, "  {}{results}{}", style.dim(), style.end()) }
}

fn footer(finished: &Finished, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let totals = &finished.totals;
    let (strong, end) = (style.strong(), style.end());
    let some = |count: u64, thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
    writeln!(
        out,
        "  {strong}{}{end} in {} from {}",
        some(totals.messages, "message"),
        some(totals.rows, "row"),
        some(totals.sources, "source")
    )?;
    let share = |part: u64| {
        #[expect(clippy::cast_precision_loss, reason = "a percentage to one place")]
        let percent = part as f64 * 100.0 / totals.messages.max(1) as f64;
        format!("{part} ({percent:.1} %)")
    };
    if totals.messages > 0 {
        writeln!(
            out,
            "  DMARC pass {}, aligned DKIM {}, aligned SPF {}",
            share(totals.dmarc_pass),
            share(totals.dkim_aligned),
            share(totals.spf_aligned)
        )?;
        let dispositions: Vec<String> = totals
            .disposition
            .occurred()
            .map(|(disposition, count)| format!("{disposition} {}", share(count)))
            .collect();
        writeln!(out, "  disposition {}", dispositions.join(", "))?;
    }
    if finished.bad_rows > 0 {
        writeln!(out, "  {}{} could not be counted{end}", style.bad(), some(finished.bad_rows, "row"))?;
    }
    for flaw in &finished.flaws {
        let times = if flaw.count.get() == 1 { String::new() } else { format!(", {} times", flaw.count) };
        let value = flaw.value.as_deref().filter(|value| !value.is_empty());
        let value = value.map(|value| format!(" “{}”", printable(value))).unwrap_or_default();
        writeln!(out, "  {}flaw in {}{times}: {}{value}{end}", style.dim(), flaw.place, flaw.kind.meaning())?;
    }
    Ok(())
}

/// The line of what was not read.
pub(super) fn refused(origin: Origin<'_>, rejection: &Rejection, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { colour };
    let (strong, bad, end) = (style.strong(), style.bad(), style.end());
    writeln!(out, "{strong}{}{end}", name(origin))?;
    writeln!(out, "  {bad}not read: {}{end}", printable(&rejection.message))
}

/// Ends a table that goes no further.
pub(super) fn cut_off(rejection: &Rejection, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { colour };
    writeln!(out, "\n  {}not read to its end: {}{}", style.bad(), printable(&rejection.message), style.end())
}

/// Without what could command a terminal, turn its text around, or hide in it.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(message::is_unseen) {
        Cow::Owned(text.chars().map(|c| if message::is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}
