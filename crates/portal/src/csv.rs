//! Tables for other programs: RFC 4180, with every text guarded against being taken for a formula.
//!
//! In: the same answers that pages show. Out: text, in which every cell went through [`csv_cell`].

mod judged;

use insight::{Arrivals, DkimInventory, DnsHistory, Outcomes, Portfolio, Rows, Samples, Sources, Trend};
use report::{Outcome, csv_cell};

pub(crate) use judged::{class_trend, decisions, flows, lists};

/// A table in the making.
struct Table(String);

/// One cell.
enum Cell<'a> {
    /// Text that may come from a report.
    Text(&'a str),
    /// A number of ours.
    Number(u64),
}

impl Table {
    fn new(heads: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.line(&heads.iter().map(|head| Cell::Text(head)).collect::<Vec<_>>());
        table
    }

    fn line(&mut self, cells: &[Cell<'_>]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Text(text) => self.0.push_str(&csv_cell(text)),
                Cell::Number(n) => self.0.push_str(&n.to_string()),
            }
        }
        self.0.push_str("\r\n"); // RFC 4180 §2: "Each record is located on a separate line, delimited by a line break (CRLF)."
    }
}

const OUTCOMES: [&str; 6] = ["both", "dkim_only", "spf_only", "forwarded", "unaligned", "unauthenticated"];

fn outcomes<'a>(counts: &Outcomes) -> [Cell<'a>; 6] {
    Outcome::ALL.map(|outcome| Cell::Number(counts.get(outcome)))
}

/// The keys.
pub(crate) fn dkim(answer: &DkimInventory) -> String {
    let mut table = Table::new(&[
        "domain",
        "selector",
        "state",
        "type",
        "bits",
        "messages",
        "verified",
        "first_in_dns",
        "first_in_mail",
        "last_in_mail",
        "findings",
    ]);
    for key in &answer.keys {
        let day = |day: Option<report::Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let (dns, first, last) = (day(key.first_in_dns), day(key.first_in_mail), day(key.last_in_mail));
        let findings: Vec<&str> = key.findings.iter().map(|finding| finding.what.as_str()).collect();
        let findings = findings.join("; ");
        let state = format!("{:?}", key.state).to_lowercase();
        table.line(&[
            Cell::Text(&key.domain),
            Cell::Text(&key.selector),
            Cell::Text(&state),
            Cell::Text(key.key_type.as_deref().unwrap_or("")),
            key.bits.map_or(Cell::Text(""), |bits| Cell::Number(bits as u64)),
            Cell::Number(key.messages),
            Cell::Number(key.passing),
            Cell::Text(&dns),
            Cell::Text(&first),
            Cell::Text(&last),
            Cell::Text(&findings),
        ]);
    }
    table.0
}

/// What stood where in DNS.
pub(crate) fn dns(answer: &DnsHistory) -> String {
    let mut table =
        Table::new(&["domain", "kind", "name", "type", "first_seen", "last_seen", "still", "state", "value"]);
    for line in &answer.lines {
        let moment = |at: i64| crate::figures::machine(at).unwrap_or_default();
        let (first, last) = (moment(line.first_seen), moment(line.last_seen));
        let state = format!("{:?}", line.state).to_lowercase();
        table.line(&[
            Cell::Text(&line.domain),
            Cell::Text(line.kind.word()),
            Cell::Text(&line.name),
            Cell::Text(&line.record_type),
            Cell::Text(&first),
            Cell::Text(&last),
            Cell::Text(if line.still { "yes" } else { "no" }),
            Cell::Text(&state),
            Cell::Text(&line.value),
        ]);
    }
    table.0
}

/// Names that could be taken for ours.
pub(crate) fn lookalikes(answer: &insight::Lookalikes) -> String {
    let heads = ["domain", "name", "unicode", "score", "similarity", "families", "exists", "mx", "web", "in_mail"];
    let mut table = Table::new(&heads);
    for line in &answer.lines {
        let state = line.state.clone().unwrap_or_default();
        let word = |holds: bool| Cell::Text(if holds { "yes" } else { "no" });
        table.line(&[
            Cell::Text(&line.domain),
            Cell::Text(&line.name),
            Cell::Text(&line.unicode),
            Cell::Number(line.score.into()),
            Cell::Number(line.similarity.into()),
            Cell::Text(&line.families.join(" ")),
            word(line.state.is_some()),
            Cell::Text(&state.mx.join(" ")),
            word(state.web),
            word(line.in_mail),
        ]);
    }
    table.0
}

/// The portfolio.
pub(crate) fn portfolio(answer: &Portfolio) -> String {
    let heads = ["domain", "organizational_domain", "policy_domain", "policy", "last_day", "messages", "failing"];
    let mut table = Table::new(&[&heads[..], &OUTCOMES].concat());
    for line in &answer.domains {
        let last_day = line.last_day.to_string();
        let policy = line.policy.as_ref();
        let mut cells = vec![
            Cell::Text(&line.domain),
            Cell::Text(&line.organizational_domain),
            Cell::Text(policy.map_or("", |policy| &policy.policy_domain)),
            Cell::Text(policy.map_or("", |policy| &policy.record)),
            Cell::Text(&last_day),
            Cell::Number(line.outcomes.messages()),
            Cell::Number(line.outcomes.failing()),
        ];
        cells.extend(outcomes(&line.outcomes));
        table.line(&cells);
    }
    table.0
}

/// The trend, one line a day.
pub(crate) fn trend(answer: &Trend) -> String {
    let heads = ["day", "messages", "dmarc_pass", "dkim_aligned", "spf_aligned"];
    let dispositions = ["disposition_none", "disposition_pass", "disposition_quarantine", "disposition_reject"];
    let mut table = Table::new(&[&heads[..], &OUTCOMES, &dispositions].concat());
    for day in &answer.days {
        let (on, counts) = (day.day.to_string(), &day.counts);
        let mut cells = vec![Cell::Text(&on)];
        cells.extend([counts.messages, counts.dmarc_pass, counts.dkim_aligned, counts.spf_aligned].map(Cell::Number));
        cells.extend(outcomes(&counts.outcomes()));
        let met = counts.disposition;
        cells.extend([met.none, met.pass, met.quarantine, met.reject].map(Cell::Number));
        table.line(&cells);
    }
    table.0
}

/// The explorer.
pub(crate) fn sources(answer: &Sources) -> String {
    let heads = ["source", "addresses", "messages", "failing"];
    let tail = [
        "none",
        "pass",
        "quarantine",
        "reject",
        "reporters",
        "first_day",
        "last_day",
        "active_days",
        "spf",
        "dkim",
        "flow",
        "class",
    ];
    let mut table = Table::new(&[&heads[..], &OUTCOMES, &tail].concat());
    for line in &answer.lines {
        let (first, last, met) = (line.first_day.to_string(), line.last_day.to_string(), line.dispositions);
        let mut cells = vec![
            Cell::Text(&line.key),
            Cell::Number(line.addresses),
            Cell::Number(line.outcomes.messages()),
            Cell::Number(line.outcomes.failing()),
        ];
        cells.extend(outcomes(&line.outcomes));
        cells.extend([met.none, met.pass, met.quarantine, met.reject, line.reporters].map(Cell::Number));
        cells.extend([Cell::Text(&first), Cell::Text(&last), Cell::Number(line.active_days)]);
        cells.extend([Cell::Text(&line.spf), Cell::Text(&line.dkim)]);
        let flow = line.flow.as_ref();
        cells.extend([flow.map_or("", |flow| &flow.flow), flow.map_or("", |flow| flow.class.word())].map(Cell::Text));
        table.line(&cells);
    }
    table.0
}

/// Rows.
pub(crate) fn rows(answer: &Rows) -> String {
    let mut table = Table::new(&[
        "day",
        "report",
        "reporter",
        "source",
        "messages",
        "outcome",
        "disposition",
        "domain",
        "envelope_from",
        "spf",
        "dkim",
        "overrides",
    ]);
    for line in &answer.lines {
        let (day, source) = (line.day.to_string(), line.source.to_string());
        table.line(&[
            Cell::Text(&day),
            Cell::Number(line.report),
            Cell::Text(&line.reporter),
            Cell::Text(&source),
            Cell::Number(line.messages),
            Cell::Text(line.outcome.word()),
            Cell::Text(line.disposition.word()),
            Cell::Text(&line.domain),
            Cell::Text(&line.envelope_from),
            Cell::Text(&line.spf),
            Cell::Text(&line.dkim),
            Cell::Text(&line.overrides),
        ]);
    }
    table.0
}

/// Messages that failed.
pub(crate) fn samples(answer: &Samples) -> String {
    let mut table = Table::new(&[
        "sample",
        "day",
        "arrived",
        "local_part",
        "domain",
        "source",
        "reporter",
        "failure",
        "dkim",
        "spf",
        "delivery",
        "envelope_from",
        "dkim_domain",
        "dkim_selector",
        "subject",
        "messages",
    ]);
    let failed = |failed: Option<bool>| failed.map_or("", |failed| if failed { "failed" } else { "aligned" });
    for line in &answer.lines {
        let arrived = line.arrived.and_then(crate::figures::machine).unwrap_or_default();
        let day = line.day.to_string();
        let signature = line.dkim.first();
        table.line(&[
            Cell::Number(line.id),
            Cell::Text(&day),
            Cell::Text(&arrived),
            Cell::Text(&line.local_part),
            Cell::Text(&line.domain),
            Cell::Text(line.source.as_deref().unwrap_or_default()),
            Cell::Text(&line.reporter),
            Cell::Text(&line.auth_failure),
            Cell::Text(failed(line.dkim_failed)),
            Cell::Text(failed(line.spf_failed)),
            Cell::Text(line.delivery.as_deref().unwrap_or_default()),
            Cell::Text(line.envelope_from.as_deref().unwrap_or_default()),
            Cell::Text(signature.map_or("", |s| &s.domain)),
            Cell::Text(signature.map_or("", |s| &s.selector)),
            Cell::Text(line.subject.as_deref().unwrap_or_default()),
            Cell::Number(line.incidents),
        ]);
    }
    table.0
}

/// Who reported.
pub(crate) fn arrivals(answer: &Arrivals) -> String {
    let mut table = Table::new(&[
        "reporter",
        "reports",
        "messages",
        "flawed",
        "days_with_reports",
        "last_day",
        "last_received",
        "dialect",
    ]);
    for line in &answer.reporters {
        let last_day = line.last_day.to_string();
        let received = crate::figures::machine(line.last_received).unwrap_or_default();
        table.line(&[
            Cell::Text(&line.reporter),
            Cell::Number(line.reports),
            Cell::Number(line.messages),
            Cell::Number(line.flawed),
            Cell::Number(line.by_day.iter().filter(|n| **n > 0).count() as u64),
            Cell::Text(&last_day),
            Cell::Text(&received),
            Cell::Text(line.dialect.word()),
        ]);
    }
    table.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Fixture;

    #[test]
    fn every_text_of_every_table_is_guarded_and_every_line_has_all_cells() {
        let fixture = Fixture { say: |_| "=1,\"2\"\r\n@3".to_owned() };
        let tables = [
            portfolio(&fixture.portfolio()),
            trend(&fixture.trend()),
            sources(&fixture.sources(insight::GroupBy::SpfDomain)),
            rows(&fixture.rows()),
            arrivals(&fixture.arrivals()),
            samples(&fixture.samples()),
            flows(&fixture.flows()),
            class_trend(&fixture.class_trend()),
            decisions(&fixture.decisions()),
            lookalikes(&fixture.lookalikes()),
            lists(&fixture.lists()),
        ];
        for table in tables {
            let whole = table.replace("\"'=1,\"\"2\"\"\r\n@3\"", "text");
            assert!(!whole.contains(['=', '"', '@']), "{whole}");
            let cells: Vec<usize> = whole.split_terminator("\r\n").map(|line| line.split(',').count()).collect();
            assert!(cells.len() > 3 && cells.iter().all(|n| *n == cells[0]), "{cells:?}");
        }
    }
}
