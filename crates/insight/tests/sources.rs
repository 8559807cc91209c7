//! The sources of a scope, and the history of one, hold against sums made the plain way, whether they come from segments or from files
//! sorted by source.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use insight::{GroupBy, Period, Scope, SortBy, SourceOrder};
use report::{Day, Disposition, Finished, Identity, Interval, Report, Reporter, Row, Totals};
use store::{Error, Ledger};

const DAY: i64 = 86_400;
const DOMAIN: &str = "example.com";
const BELOW: &str = "shop.example.com";
const REPORTERS: [&str; 3] = ["google.com", "Yahoo", "mail.ru"];

/// Repeatable numbers below `end`.
fn below(state: &mut u64, end: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % end
}

/// Reports by day and reporter.
type Reports = Vec<(i64, &'static str, Vec<Row>)>;

fn reports() -> Reports {
    let mut state = 7;
    let mut row = || Row {
        source: match octet(below(&mut state, 30)) {
            host @ 0..24 => Ipv4Addr::new(192, 0, u8::from(below(&mut state, 2) == 0), host).into(),
            host => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, u16::from(host)).into(),
        },
        count: 1 + below(&mut state, 40),
        author_domain: [DOMAIN, DOMAIN, DOMAIN, BELOW][usize::from(octet(below(&mut state, 4)))].into(),
        envelope_from: None,
        envelope_to: None,
        disposition: [Disposition::None, Disposition::Quarantine, Disposition::Reject]
            [usize::from(octet(below(&mut state, 3)))],
        dkim_aligned: below(&mut state, 3) == 0,
        spf_aligned: below(&mut state, 3) == 0,
        overrides: Vec::new(),
        dkim: Vec::new(),
        spf: Vec::new(),
    };
    let mut all = Vec::new();
    for day in 20_100..20_110 {
        for reporter in REPORTERS {
            all.push((day, reporter, (0..15).map(|_| row()).collect()));
        }
    }
    all
}

fn octet(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// Takes reports in from one of them on; the same ones again supersede those before, if their rows are others.
fn fill(ledger: &Ledger, reports: &Reports, from: usize, time: u8) -> Result<(), Error> {
    let mut intake = ledger.intake()?;
    for (number, (day, reporter, rows)) in (0_u8..).zip(reports).skip(from) {
        let key = ledger.keep(&mut &[time, number][..], "test", 0)?.key;
        let mut report = Report {
            reporter: Reporter {
                organization: (*reporter).into(),
                email: "".into(),
                extra_contact: None,
                generator: None,
            },
            interval: Interval { begin: day * DAY, end: day * DAY + DAY - 1 },
            ..Report::default()
        };
        report.policy.domain = DOMAIN.into();
        intake.begin_item(&key)?;
        intake.begin_report(&report, None)?;
        for row in rows {
            intake.row(row)?;
        }
        let identity = Identity { key: [number; 16], content: [time; 32] };
        let totals = Totals::default();
        intake.end_report(&Finished { flaws: Vec::new(), totals, bad_rows: 0, identity })?;
        intake.end_item()?;
    }
    intake.finish().map(drop)
}

/// What there is of one address or network.
#[derive(Debug, PartialEq, Eq, Default)]
struct Sum {
    messages: u64,
    failing: u64,
    rejected: u64,
    days: BTreeMap<i64, u64>,
    reporters: BTreeSet<&'static str>,
    addresses: BTreeSet<IpAddr>,
}

/// What the line of an address is called.
type Name = fn(IpAddr) -> String;

fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{}.{}.{}.0/24", v4.octets()[0], v4.octets()[1], v4.octets()[2]),
        IpAddr::V6(_) => "2001:db8:1::/48".to_owned(),
    }
}

/// `domains`: whose mail counts.
fn sums(reports: &Reports, domains: &[&str], days: std::ops::RangeInclusive<i64>, key: Name) -> BTreeMap<String, Sum> {
    let mut sums = BTreeMap::<String, Sum>::new();
    for (day, reporter, rows) in reports.iter().filter(|(day, ..)| days.contains(day)) {
        for row in rows.iter().filter(|row| domains.contains(&row.author_domain.as_str())) {
            let sum = sums.entry(key(row.source)).or_default();
            sum.messages += row.count;
            sum.failing += if row.outcome().passes() { 0 } else { row.count };
            sum.rejected += if row.disposition == Disposition::Reject { row.count } else { 0 };
            *sum.days.entry(*day).or_default() += row.count;
            sum.reporters.insert(reporter);
            sum.addresses.insert(row.source);
        }
    }
    sums
}

fn judge(ledger: &Ledger) -> Result<(), insight::Error> {
    let (organisation, catalogue) = (insight::Organisation::default(), enrich::Catalogue::bundled());
    insight::refresh_flows(ledger, &organisation, &catalogue, Day(20_110)).map(drop)
}

/// Cells, where there are some, rank addresses as rows do: to the place, whatever is skipped and whichever are as many.
fn cells_rank_as_rows_do(ledger: &Ledger, kept: usize) -> Result<(), insight::Error> {
    let all = || -> Result<Vec<String>, insight::Error> {
        let mut all = Vec::new();
        for (days, subdomains) in [(7, false), (7, true), (3, true)] {
            let scope =
                Scope { period: Period::Last(days), domain: Some(DOMAIN.into()), subdomains, ..Scope::default() };
            for sort in [SortBy::Failing, SortBy::Passing, SortBy::Messages] {
                for (descending, offset) in [(true, 0), (true, 7), (false, 0), (false, 11), (true, 10_000)] {
                    let order = SourceOrder { group: GroupBy::Address, sort, descending, offset, limit: 13 };
                    let found = insight::sources(ledger, &scope, order)?;
                    all.push(format!("{scope:?} {order:?} {found:?}"));
                }
            }
        }
        Ok(all)
    };
    let days = ledger.derived_about("cells-of-day", "", 0..=i64::from(i32::MAX))?;
    assert_eq!(days.len(), kept, "days with cells");
    let by_cells = all()?;
    ledger.drop_derived("cells", i64::MIN..=i64::MAX)?;
    assert_ne!(all()?, by_cells, "it was by cells");
    ledger.drop_derived("cells-of-day", i64::MIN..=i64::MAX)?;
    for (cells, rows) in by_cells.iter().zip(all()?) {
        assert_eq!(*cells, rows);
    }
    Ok(())
}

fn holds(ledger: &Ledger, reports: &Reports, what: &str) -> Result<(), insight::Error> {
    let keys: [(GroupBy, Name); 2] = [(GroupBy::Address, |address| address.to_string()), (GroupBy::Network, network)];
    let scope = Scope { period: Period::Last(7), domain: Some(DOMAIN.into()), ..Scope::default() };
    let from = Day(20_103);
    for (group, key) in keys {
        let expected = sums(reports, &[DOMAIN], 20_103..=20_109, key);
        for (sort, limit) in
            [(SortBy::Failing, 9), (SortBy::Messages, 9), (SortBy::Reporters, 50), (SortBy::Key, 2_000)]
        {
            let what = format!("{what}, {group:?} by {sort:?}");
            let order = SourceOrder { group, sort, descending: true, offset: 1, limit };
            let answer = insight::sources(ledger, &scope, order)?;
            assert_eq!(answer.lines_total, expected.len(), "{what}");
            assert_eq!(answer.lines.len(), (expected.len() - 1).min(limit), "{what}");
            assert_eq!(answer.totals.messages(), expected.values().map(|sum| sum.messages).sum::<u64>(), "{what}");
            let mut rank = u64::MAX;
            for line in &answer.lines {
                let sum = &expected[&line.key];
                let what = format!("{what}: {}", line.key);
                let next = match sort {
                    SortBy::Failing => sum.failing,
                    SortBy::Reporters => sum.reporters.len() as u64,
                    _ => sum.messages,
                };
                assert!(sort == SortBy::Key || next <= rank, "{what}");
                rank = next;
                assert_eq!((line.outcomes.messages(), line.outcomes.failing()), (sum.messages, sum.failing), "{what}");
                assert_eq!(line.dispositions.reject, sum.rejected, "{what}");
                assert_eq!(line.reporters, sum.reporters.len() as u64, "{what}");
                assert_eq!(line.addresses, sum.addresses.len() as u64, "{what}");
                assert_eq!(line.active_days, sum.days.len() as u64, "{what}");
                let by_day = (0..7).map(|n| sum.days.get(&i64::from(from.0 + n)).copied().unwrap_or(0));
                assert_eq!(line.by_day, by_day.collect::<Vec<_>>(), "{what}");
            }
        }
    }
    let all = sums(reports, &[DOMAIN, BELOW], 0..=30_000, |address| address.to_string());
    let nothing = Sum::default();
    for address in [[192, 0, 0, 3], [192, 0, 1, 17], [198, 51, 100, 1]].map(IpAddr::from) {
        let source = insight::source(ledger, address, &Scope { period: Period::All, domain: None, ..scope.clone() })?;
        let sum = all.get(&address.to_string()).unwrap_or(&nothing);
        assert_eq!(source.outcomes.messages(), sum.messages, "{what}: {address}");
        assert_eq!(source.dispositions.reject, sum.rejected, "{what}: {address}");
        assert_eq!(source.first_day.map(|day| i64::from(day.0)), sum.days.keys().next().copied(), "{what}: {address}");
        assert_eq!(source.reporters.len(), sum.reporters.len(), "{what}: {address}");
        let around = all.values().flat_map(|sum| &sum.addresses).filter(|other| network(**other) == network(address));
        assert_eq!(source.neighbours, (around.count() as u64).saturating_sub(1), "{what}: {address}");
    }
    Ok(())
}

#[test]
fn sources_add_up_in_both_orders_of_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut reports = reports();
    fill(&ledger, &reports, 0, 1).unwrap();
    holds(&ledger, &reports, "from segments").unwrap();
    judge(&ledger).unwrap();
    holds(&ledger, &reports, "from cells").unwrap();
    cells_rank_as_rows_do(&ledger, 10).unwrap();
    ledger.compact().unwrap();
    holds(&ledger, &reports, "sorted by source").unwrap();
    // Other rows for the same reports: those before no longer count.
    for (_, _, rows) in &mut reports {
        rows.truncate(10);
        rows[0].count += 3;
    }
    let two_days = reports.len() - 2 * REPORTERS.len();
    fill(&ledger, &reports, two_days, 2).unwrap();
    judge(&ledger).unwrap();
    for (_, _, rows) in &mut reports[two_days..] {
        rows[1].count += 5;
    }
    fill(&ledger, &reports, two_days, 3).unwrap();
    cells_rank_as_rows_do(&ledger, 10).unwrap();
    fill(&ledger, &reports, 0, 4).unwrap();
    holds(&ledger, &reports, "after other reports took their place").unwrap();
    ledger.compact().unwrap();
    holds(&ledger, &reports, "sorted by source once more").unwrap();
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}
