//! Load without a story: as many rows as wanted, quickly, with the shape of a large company's reports.
//!
//! Largest domain some 30 % of all rows, sources by a long-tailed law, a few large reporters and many small ones.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use report::{
    AuthResult, Day, Dialect, Disposition, DkimResult, Interval, Policy, PolicyPublished, Report, Reporter, Row,
    SpfResult, SpfScope, Text,
};

use crate::rng::Rng;

/// How much of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same seed gives the same rows.
    pub seed: u64,
    /// Reporters; the first ones are the largest.
    pub reporters: u64,
    /// Author domains; the first one has 30 % of the rows.
    pub domains: u64,
    /// Addresses.
    pub sources: u64,
    /// First day.
    pub from: Day,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, reporters: 200, domains: 400, sources: 1_000_000, from: Day(20_000) }
    }
}

/// A stream of reports and rows.
#[derive(Debug)]
pub struct Load {
    options: Options,
    rng: Rng,
    domains: Vec<Text>,
    reports: u64,
}

impl Load {
    /// A new stream.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let domains = (0..options.domains).map(|n| Text::from(format!("brand{n:04}.example"))).collect();
        Self { rng: Rng::new(options.seed, "load"), domains, options, reports: 0 }
    }

    /// The header of the next report, about a day that many days after the first.
    pub fn report(&mut self, day: u16) -> Report {
        self.reports += 1;
        let reporter = self.tail(self.options.reporters);
        let domain = self.domain();
        let begin = self.options.from.plus(i32::from(day)).begin();
        Report {
            dialect: Dialect::Rfc7489,
            version: Some("1.0".into()),
            reporter: Reporter {
                organization: format!("reporter{reporter:04}.example").into(),
                email: format!("dmarc@reporter{reporter:04}.example").into(),
                extra_contact: None,
                generator: None,
            },
            report_id: format!("{}.{}", self.options.seed, self.reports).into(),
            interval: Interval { begin, end: begin + 86_399 },
            errors: Vec::new(),
            policy: PolicyPublished {
                domain,
                p: Some(Policy::None),
                sp: Some(Policy::None),
                adkim: Some(report::Alignment::Relaxed),
                aspf: Some(report::Alignment::Relaxed),
                pct: Some(100),
                fo: Some("0".into()),
                ..PolicyPublished::default()
            },
        }
    }

    /// The next row of a report, into `row`.
    pub fn row(&mut self, report: &Report, row: &mut Row) {
        let source = self.tail(self.options.sources);
        // Neighbouring numbers lie in neighbouring addresses, spread over 64.0.0.0/2.
        let address = 0x4000_0000_u32 | u32::try_from(source.wrapping_mul(0x9e5) & 0x3fff_ffff).unwrap_or(0);
        row.source = IpAddr::V4(Ipv4Addr::from(address));
        row.count = 1 + self.rng.below(4) * self.rng.below(9);
        row.author_domain.clone_from(&report.policy.domain);
        let kind = source % 20;
        let (dkim_aligned, spf_aligned) = match kind {
            0..=9 => (true, true),
            10..=13 => (true, false),
            14 | 15 => (false, true),
            _ => (false, false),
        };
        (row.dkim_aligned, row.spf_aligned) = (dkim_aligned, spf_aligned);
        row.disposition = Disposition::None;
        row.overrides.clear();
        row.envelope_to = None;
        let elsewhere = || Text::from(format!("bounce{:03}.example", source % 600));
        let sender = if spf_aligned { report.policy.domain.clone() } else { elsewhere() };
        row.dkim.clear();
        if dkim_aligned || kind == 16 {
            let domain = if dkim_aligned { report.policy.domain.clone() } else { elsewhere() };
            let selector = Some(Text::from(format!("s{}", source % 7)));
            row.dkim.push(DkimResult { domain, selector, result: AuthResult::Pass, human_result: None });
        }
        row.spf.clear();
        let result = if spf_aligned || kind == 17 { AuthResult::Pass } else { AuthResult::SoftFail };
        row.spf.push(SpfResult { domain: sender.clone(), scope: Some(SpfScope::Mfrom), result, human_result: None });
        row.envelope_from = Some(sender);
    }

    /// Writes one report with so many rows as XML.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&mut self, day: u16, rows: u64, out: &mut dyn Write) -> io::Result<Report> {
        let report = self.report(day);
        let mut row = Row::default();
        let rows = (0..rows).map(|_| {
            self.row(&report, &mut row);
            row.clone()
        });
        report::write(out, &report, rows)?;
        Ok(report)
    }

    fn domain(&mut self) -> Text {
        let n = if self.rng.permille(300) { 0 } else { self.tail(self.options.domains) };
        usize::try_from(n).ok().and_then(|n| self.domains.get(n)).cloned().unwrap_or_default()
    }

    /// A number below `n`, small ones far more often: the product of two even draws.
    fn tail(&mut self, n: u64) -> u64 {
        let first = self.rng.below(n) + 1;
        self.rng.below(first)
    }
}
