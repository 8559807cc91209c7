//! Rows in bulk, for load tests: no story, but the proportions of a very large company's reports.
//!
//! In: how many rows, days, reporters, domains and sources. Out: reports and their rows, made while they are asked for, the same for the
//! same options. The first domain has 30 % of all rows; reporters, the other domains and the sources have long tails (the n-th weighs
//! 1/n). A large reporter's report about the first domain has thousands of rows; most reports have a handful.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use report::{
    Alignment, AuthResult, Day, Dialect, Disposition, DkimResult, Interval, Override, OverrideKind, Policy,
    PolicyPublished, Report, Reporter, Row, SpfResult, SpfScope, Text,
};

use crate::container::gzip;
use crate::random::{Random, mix};

/// How much of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Another seed gives other rows.
    pub seed: u64,
    /// Rows in all, exactly.
    pub rows: u64,
    /// Days they are spread over, evenly.
    pub days: u16,
    /// Reporters.
    pub reporters: u32,
    /// Author domains with a policy of their own.
    pub domains: u32,
    /// Different addresses at most; a tenth of the rows come from the first hundred or so.
    pub sources: u32,
    /// First day.
    pub from: Day,
}

impl Default for Options {
    fn default() -> Self {
        // 2025-10-22, as the model company.
        Self { seed: 1, rows: 1_000_000, days: 30, reporters: 60, domains: 400, sources: 200_000, from: Day(20_383) }
    }
}

/// The part of the first domain, in hundredths.
const FIRST_DOMAIN: u64 = 30;

/// All reports of a load, day by day, each with its rows.
pub fn reports(options: &Options) -> impl Iterator<Item = (Report, Rows)> + use<> {
    let options = *options;
    let names = Arc::new(Names::new());
    let reporters = tail(options.reporters);
    let domains = {
        let rest: u64 = tail(options.domains.saturating_sub(1)).iter().sum();
        let first = if rest == 0 { 1 } else { rest * FIRST_DOMAIN / (100 - FIRST_DOMAIN) };
        [vec![first], tail(options.domains.saturating_sub(1))].concat()
    };
    let whole = |weights: &[u64]| weights.iter().map(|w| u128::from(*w)).sum::<u128>();
    let total = u128::from(options.days) * whole(&reporters) * whole(&domains);
    let cells = (0..options.days).flat_map(move |day| {
        let domains = domains.clone();
        reporters.clone().into_iter().zip(0_u32..).flat_map(move |(by, reporter)| {
            domains
                .clone()
                .into_iter()
                .zip(0_u32..)
                .map(move |(about, domain)| (day, reporter, domain, u128::from(by) * u128::from(about)))
        })
    });
    // The running sum is cut to whole rows, so that they add up exactly however small the parts are.
    let mut sum = 0_u128;
    let mut number = 0_u64;
    cells.filter_map(move |(day, reporter, domain, weight)| {
        let before = sum * u128::from(options.rows) / total.max(1);
        sum += weight;
        let rows = u64::try_from(sum * u128::from(options.rows) / total.max(1) - before).unwrap_or(0);
        if rows == 0 {
            return None;
        }
        number += 1;
        let report = header(&options, day, reporter, domain, number);
        let rows = Rows::new(&options, &report, number, rows, Arc::clone(&names));
        Some((report, rows))
    })
}

/// `count` tiny reports, as most of them come: a few rows, three of four as gzip, the others as plain XML.
pub fn small_reports(seed: u64, count: u64) -> impl Iterator<Item = Vec<u8>> + use<> {
    let options = Options { seed, reporters: 3_000, domains: 2_000, ..Options::default() };
    let names = Arc::new(Names::new());
    (1..=count).map(move |number| {
        let mut random = Random::at(seed, &[number, 2]);
        let (reporter, domain) = (random.below(3_000), random.below(2_000));
        let day = u16::try_from(random.below(90)).unwrap_or(0);
        let report = header(&options, day, narrow(reporter), narrow(domain), number);
        let rows = Rows::new(&options, &report, number, 1 + random.below(4), Arc::clone(&names));
        let mut xml = Vec::new();
        // Writing to memory does not fail.
        let _ = report::write(&mut xml, &report, rows);
        if number.is_multiple_of(4) { xml } else { gzip(&xml).unwrap_or_default() }
    })
}

/// Writes one report with `rows` rows as XML, without ever holding more than a few of them.
///
/// # Errors
/// Those of `out`.
pub fn large_report(seed: u64, rows: u64, out: &mut dyn Write) -> io::Result<()> {
    let options = Options { seed, rows, sources: 3_000_000, ..Options::default() };
    let report = header(&options, 0, 0, 0, rows);
    report::write(out, &report, Rows::new(&options, &report, rows, rows, Arc::new(Names::new())))
}

/// Weights 1, 1/2, 1/3, …
fn tail(count: u32) -> Vec<u64> {
    (1..=u64::from(count)).map(|n| 1_000_000_000 / n).collect()
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn header(options: &Options, day: u16, reporter: u32, domain: u32, number: u64) -> Report {
    let host = format!("mx{reporter}.reporters.example");
    let begin = options.from.plus(i32::from(day)).begin();
    // Every fifth reporter speaks the new generation.
    let new = reporter % 5 == 4;
    Report {
        dialect: if new { Dialect::Rfc9990 } else { Dialect::Rfc7489 },
        version: Some("1.0".into()),
        reporter: Reporter {
            organization: host.as_str().into(),
            email: format!("dmarc@{host}").into(),
            extra_contact: None,
            generator: None,
        },
        report_id: format!("{:x}.{number}", options.seed).into(),
        interval: Interval { begin, end: begin + 86_399 },
        errors: Vec::new(),
        policy: PolicyPublished {
            domain: format!("brand{domain:04}.example").into(),
            p: Some([Policy::None, Policy::Quarantine, Policy::Reject][domain as usize % 3]),
            sp: Some(Policy::None),
            adkim: Some(Alignment::Relaxed),
            aspf: Some(Alignment::Relaxed),
            pct: (!new).then_some(100),
            fo: Some("0".into()),
            testing: new.then_some(false),
            ..PolicyPublished::default()
        },
    }
}

/// Names that rows share.
#[derive(Debug)]
struct Names {
    services: Vec<Text>,
    selectors: Vec<Text>,
}

impl Names {
    fn new() -> Self {
        Self {
            services: (0..600).map(|n| format!("b{n}.services.example").into()).collect(),
            selectors: (0..24).map(|n| format!("s{}q{}", 2019 + n / 4, 1 + n % 4).into()).collect(),
        }
    }

    fn service(&self, number: u64) -> Text {
        of(&self.services, number)
    }

    fn selector(&self, number: u64) -> Text {
        of(&self.selectors, number)
    }
}

fn of(names: &[Text], number: u64) -> Text {
    usize::try_from(number % names.len().max(1) as u64).ok().and_then(|at| names.get(at)).cloned().unwrap_or_default()
}

/// The rows of one report.
#[derive(Debug, Clone)]
pub struct Rows {
    random: Random,
    left: u64,
    sources: u64,
    /// The number of binary digits of `sources`.
    digits: u64,
    asks: Policy,
    domain: Text,
    subdomain: Text,
    names: Arc<Names>,
}

impl Rows {
    fn new(options: &Options, report: &Report, number: u64, rows: u64, names: Arc<Names>) -> Self {
        let sources = u64::from(options.sources.max(1));
        let domain = report.policy.domain.clone();
        Self {
            random: Random::at(options.seed, &[number, 1]),
            left: rows,
            sources,
            digits: u64::from(u64::BITS - sources.leading_zeros()),
            asks: report.policy.p.unwrap_or(Policy::None),
            subdomain: format!("n.{domain}").into(),
            domain,
            names,
        }
    }

    /// The next row into `row`, whose lists are used again; false after the last one.
    pub fn fill(&mut self, row: &mut Row) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let source = self.source();
        let character = mix(source);
        let draw = self.random.next();
        row.source = address(source);
        row.count = 1 + (draw & 3) * (draw >> 2 & 7);
        row.author_domain = if (draw >> 5).is_multiple_of(16) { self.subdomain.clone() } else { self.domain.clone() };
        row.envelope_to = None;
        row.overrides.clear();
        row.dkim.clear();
        row.spf.clear();
        // What a source is like does not change from row to row.
        match character % 100 {
            0..55 => self.authenticated(row, character, true, Some(AuthResult::Pass)),
            55..70 => self.authenticated(row, character, false, Some(AuthResult::Pass)),
            70..77 => self.authenticated(row, character, true, None),
            77..80 => {
                self.authenticated(row, character, false, Some(AuthResult::Fail));
                row.overrides.push(Override { kind: OverrideKind::MailingList, comment: None });
            }
            80..88 => self.foreign(row, character),
            _ => self.nobody(row),
        }
        row.disposition = match self.asks {
            _ if row.dkim_aligned || row.spf_aligned || !row.overrides.is_empty() => Disposition::None,
            Policy::None => Disposition::None,
            Policy::Quarantine => Disposition::Quarantine,
            Policy::Reject => Disposition::Reject,
        };
        true
    }

    /// The n-th source has a weight of about 1/n: every power of two has the same part of the rows.
    fn source(&mut self) -> u64 {
        loop {
            let first = 1_u64 << self.random.below(self.digits);
            let source = first + self.random.below(first) - 1;
            if source < self.sources {
                return source;
            }
        }
    }

    fn authenticated(&self, row: &mut Row, character: u64, spf: bool, signed: Option<AuthResult>) {
        (row.dkim_aligned, row.spf_aligned) = (signed == Some(AuthResult::Pass), spf);
        if let Some(result) = signed {
            let selector = Some(self.names.selector(character >> 32));
            row.dkim.push(DkimResult { domain: self.domain.clone(), selector, result, human_result: None });
        }
        let envelope = if spf { self.domain.clone() } else { self.names.service(character >> 40) };
        checked(row, envelope, AuthResult::Pass);
    }

    fn foreign(&self, row: &mut Row, character: u64) {
        (row.dkim_aligned, row.spf_aligned) = (false, false);
        let domain = self.names.service(character >> 40);
        let selector = Some(self.names.selector(character >> 32));
        row.dkim.push(DkimResult { domain: domain.clone(), selector, result: AuthResult::Pass, human_result: None });
        checked(row, domain, AuthResult::Pass);
    }

    fn nobody(&self, row: &mut Row) {
        (row.dkim_aligned, row.spf_aligned) = (false, false);
        checked(row, self.domain.clone(), AuthResult::SoftFail);
    }
}

fn checked(row: &mut Row, domain: Text, result: AuthResult) {
    row.envelope_from = Some(domain.clone());
    row.spf.push(SpfResult { domain, scope: Some(SpfScope::Mfrom), result, human_result: None });
}

/// Sources 0, 8, 16, … and those beyond four million have IPv6 addresses, the others lie in 100.64.0.0/10. Different sources have
/// different addresses: an odd factor permutes the numbers below a power of two.
fn address(source: u64) -> IpAddr {
    const ROOM: u64 = 1 << 22;
    if source.is_multiple_of(8) || source >= ROOM {
        return IpAddr::V6(Ipv6Addr::from(
            0x2001_0db8_u128 << 96 | u128::from(mix(source)) << 16 | u128::from(source & 0xffff),
        ));
    }
    let host = source.wrapping_mul(0x9_e375) % ROOM;
    IpAddr::V4(Ipv4Addr::from(0x6440_0000 | narrow(host)))
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let mut row = Row::default();
        self.fill(&mut row).then_some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn rows_are_exactly_as_many_and_lie_as_promised() {
        for rows in [0, 1, 999, 50_000] {
            let options = Options { rows, days: 5, reporters: 20, domains: 50, sources: 4_000, ..Options::default() };
            let mut found = 0_u64;
            let mut domains: BTreeMap<Text, u64> = BTreeMap::new();
            let mut sources = BTreeSet::new();
            let mut ids = BTreeSet::new();
            let mut sizes = Vec::new();
            for (report, rows) in reports(&options) {
                assert!(ids.insert(report.report_id.clone()));
                let mut size = 0;
                for row in rows {
                    sources.insert(row.source);
                    size += 1;
                    assert!(row.count > 0);
                }
                sizes.push(size);
                found += size;
                *domains.entry(report.policy.domain).or_default() += size;
            }
            assert_eq!(found, rows);
            if rows == 50_000 {
                let first = domains["brand0000.example"];
                assert!((14_900..15_100).contains(&first), "30 % of the rows: {first}");
                assert_eq!(domains.len(), 50);
                assert!(sources.len() > 3_000 && sources.len() <= 4_000, "{}", sources.len());
                sizes.sort_unstable();
                let (half, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
                assert!(half < 10 && largest > 500, "many small ones and a few large ones: {half}, {largest}");
            }
        }
    }

    #[test]
    fn sources_have_addresses_of_their_own() {
        let addresses: BTreeSet<IpAddr> = (0..300_000).map(address).collect();
        assert_eq!(addresses.len(), 300_000);
    }

    #[test]
    fn a_load_is_the_same_every_time() {
        let rows = |seed| {
            let options = Options { seed, rows: 2_000, ..Options::default() };
            reports(&options).flat_map(|(_, rows)| rows).collect::<Vec<Row>>()
        };
        assert!(rows(1) == rows(1));
        assert!(rows(1) != rows(2));
    }

    #[test]
    fn reports_are_valid_and_of_the_size_asked_for() {
        let limits = report::Limits::default();
        let mut xml = Vec::new();
        large_report(1, 10_000, &mut xml).unwrap();
        let finished = report::Reader::open(xml.as_slice(), &limits).unwrap().finish().unwrap();
        assert_eq!((finished.totals.rows, finished.bad_rows, finished.flaws), (10_000, 0, vec![]));
        let mut identities = BTreeSet::new();
        for bytes in small_reports(1, 200) {
            let mut item = std::io::Cursor::new(bytes);
            report::package::open(&mut item, &report::package::PackageLimits::default(), &mut |found| {
                let report::package::Found::Report { xml, .. } = found else { panic!("no report") };
                let finished = report::Reader::open(xml, &limits).unwrap().finish().unwrap();
                assert!((1..=4).contains(&finished.totals.rows) && finished.flaws.is_empty());
                identities.insert(finished.identity.key);
            })
            .unwrap();
        }
        assert_eq!(identities.len(), 200);
    }
}
