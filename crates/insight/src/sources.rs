//! Who sends: the sources of a scope, one by one or grouped.

use std::collections::HashMap;
use std::net::IpAddr;

use report::Day;
use store::{Answer, Column, Direction, Key, Ledger, Measure, Question, Value};

use crate::counts::{day, number, text};
use crate::scope::{is, length, place};
use crate::{Dispositions, Error, GroupBy, Outcomes, Scope, SortBy, SourceLine, SourceOrder, Sources};

impl GroupBy {
    fn column(self) -> Column {
        match self {
            Self::Address => Column::Source,
            Self::Network => Column::Network,
            Self::SpfDomain => Column::SpfDomain,
            Self::DkimDomain => Column::DkimDomain,
            Self::Reporter => Column::Reporter,
            Self::Domain => Column::Domain,
        }
    }
}

impl Default for SourceOrder {
    fn default() -> Self {
        Self { group: GroupBy::Address, sort: SortBy::Failing, descending: true, offset: 0, limit: 50 }
    }
}

impl SourceOrder {
    fn key(&self) -> Key {
        match self.sort {
            SortBy::Failing => Key::Measure(Measure::Failing),
            SortBy::Messages => Key::Measure(Measure::Messages),
            SortBy::Passing => Key::Measure(Measure::Passing),
            SortBy::FirstDay => Key::Measure(Measure::FirstDay),
            SortBy::LastDay => Key::Measure(Measure::LastDay),
            SortBy::ActiveDays => Key::Measure(Measure::Distinct(Column::Day)),
            SortBy::Reporters => Key::Measure(Measure::Distinct(Column::Reporter)),
            SortBy::Key => Key::Column(self.group.column()),
        }
    }
}

/// Up to this many lines, addresses are first ranked by the one sum they are sorted by, and all else is asked of those shown: there may
/// be a million others, and what is asked of few addresses the ledger finds without going through all rows.
const FEW: usize = 1_000;

/// The sources of a scope, one page of them.
///
/// # Errors
/// When the ledger cannot be read.
pub fn sources(ledger: &Ledger, scope: &Scope, order: SourceOrder) -> Result<Sources, Error> {
    let empty = Sources { days: None, order, lines: Vec::new(), lines_total: 0, totals: Outcomes::default() };
    let Some(days) = scope.period.days(ledger)? else { return Ok(empty) };
    let column = order.group.column();
    let direction = if order.descending { Direction::Descending } else { Direction::Ascending };
    let all = Question { group: vec![column], measures: measures(), ..scope.question(days) };
    let mut ranked = all.clone();
    ranked.order = vec![(order.key(), direction), (Key::Measure(Measure::Messages), Direction::Descending)];
    ranked.offset = order.offset;
    ranked.limit = Some(order.limit);
    let few = matches!(order.group, GroupBy::Address | GroupBy::Network) && order.limit <= FEW;
    if few {
        ranked.measures = vec![Measure::Messages];
    }
    let mut sources = Sources { days: Some(days), ..empty };
    let first = |answer: &Answer| answer.lines.iter().filter_map(|line| line.key.first().cloned()).collect::<Vec<_>>();
    if few {
        let mut keys;
        if let Some((addresses, addresses_total)) = crate::ranked::ranked(ledger, scope, days, order)? {
            keys = addresses.into_iter().map(Value::Address).collect();
            sources.lines_total = addresses_total;
        } else {
            let answer = ledger.ask(&ranked)?;
            keys = first(&answer);
            sources.lines_total = answer.groups;
        }
        let totals = Question { measures: Outcomes::measures().collect(), ..scope.question(days) };
        sources.totals = Outcomes::of(&ledger.ask(&totals)?.totals);
        if !keys.is_empty() {
            let mut of_keys = all;
            of_keys.filter.push(is(column, keys.iter().cloned()));
            let [answer, more] = ledger.ask_together(&[of_keys, details(scope, (days, column), &keys)])?;
            sources.lines = shown(&answer, &mut keys, days);
            detailed(&more, (days, column), &keys, &mut sources.lines);
        }
    } else {
        let answer = ledger.ask(&ranked)?;
        let keys = first(&answer);
        sources.lines_total = answer.groups;
        sources.totals = Outcomes::of(&answer.totals);
        sources.lines = answer.lines.iter().map(|found| line(found, days)).collect();
        if !keys.is_empty() {
            let more = ledger.ask(&details(scope, (days, column), &keys))?;
            detailed(&more, (days, column), &keys, &mut sources.lines);
        }
    }
    if column == Column::Source {
        let addresses: Vec<IpAddr> = sources.lines.iter().filter_map(|line| line.key.parse().ok()).collect();
        let mut profiles = crate::profile::profiles(ledger, &addresses)?;
        let mut flows = crate::flows::flows_of(ledger, &addresses)?;
        for line in &mut sources.lines {
            let address: Option<IpAddr> = line.key.parse().ok();
            line.profile = address.and_then(|address| profiles.remove(&address));
            line.flow = address.and_then(|address| flows.remove(&address));
        }
    }
    Ok(sources)
}

/// What is asked of each line.
fn measures() -> Vec<Measure> {
    Outcomes::measures()
        .chain(Dispositions::measures())
        .chain([Measure::FirstDay, Measure::LastDay])
        .chain([Column::Reporter, Column::Source, Column::Day].map(Measure::Distinct))
        .collect()
}

/// The lines with these keys, in their order.
fn shown(answer: &Answer, keys: &mut Vec<Value>, days: (Day, Day)) -> Vec<SourceLine> {
    let mut found: HashMap<&Value, SourceLine> =
        answer.lines.iter().filter_map(|of_key| Some((of_key.key.first()?, line(of_key, days)))).collect();
    // What was taken back since they were ranked is not there any more.
    keys.retain(|key| found.contains_key(key));
    keys.iter().filter_map(|key| found.remove(key)).collect()
}

fn line(found: &store::Line, days: (Day, Day)) -> SourceLine {
    let values = &found.measures[..];
    let rest = &values[10..];
    SourceLine {
        key: found.key.first().map(text).unwrap_or_default(),
        outcomes: Outcomes::of(values),
        dispositions: Dispositions::of(&values[6..]),
        first_day: day(&rest[0]),
        last_day: day(&rest[1]),
        reporters: number(&rest[2]),
        addresses: number(&rest[3]),
        active_days: number(&rest[4]),
        by_day: vec![0; length(days)],
        spf: String::new(),
        dkim: String::new(),
        profile: None,
        flow: None,
    }
}

/// What is asked of the lines shown beside their sums, with the key first; a domain that is the key itself is not asked for a second time.
const DETAILS: [Column; 5] =
    [Column::Day, Column::SpfResult, Column::SpfDomain, Column::DkimResult, Column::DkimDomain];

fn grouped(column: Column) -> impl Iterator<Item = Column> {
    [column].into_iter().chain(DETAILS.into_iter().filter(move |other| *other != column))
}

/// Asks for days and authentications of the lines shown.
fn details(scope: &Scope, (days, column): ((Day, Day), Column), keys: &[Value]) -> Question {
    let mut question = scope.question(days);
    question.filter.push(is(column, keys.iter().cloned()));
    question.group = grouped(column).collect();
    question.measures = vec![Measure::Messages];
    question
}

/// Fills in days and the most frequent authentications of the lines shown.
fn detailed(answer: &Answer, (days, column): ((Day, Day), Column), keys: &[Value], lines: &mut [SourceLine]) {
    let at = |wanted: Column| grouped(column).position(|column| column == wanted).unwrap_or_default();
    let [on, spf_result, spf_domain, dkim_result, dkim_domain] = DETAILS.map(at);
    let places: HashMap<&Value, usize> = keys.iter().zip(0..).collect();
    let mut spf: HashMap<(usize, String), u64> = HashMap::new();
    let mut dkim: HashMap<(usize, String), u64> = HashMap::new();
    for found in &answer.lines {
        let key = &found.key;
        let Some(n) = key.first().and_then(|key| places.get(key).copied()) else { continue };
        let messages = number(&found.measures[0]);
        if let Some(place) = place(days, day(&key[on])) {
            lines[n].by_day[place] += messages;
        }
        *spf.entry((n, named(&key[spf_result], &key[spf_domain]))).or_default() += messages;
        *dkim.entry((n, named(&key[dkim_result], &key[dkim_domain]))).or_default() += messages;
    }
    for (n, line) in lines.iter_mut().enumerate() {
        if column != Column::SpfDomain {
            line.spf = most(&spf, n);
        }
        if column != Column::DkimDomain {
            line.dkim = most(&dkim, n);
        }
    }
}

/// `pass bounce.example.net`; the result alone where no domain is named.
fn named(result: &Value, domain: &Value) -> String {
    match (text(result), text(domain)) {
        (result, domain) if domain == "-" || domain.is_empty() => result,
        (result, domain) => format!("{result} {domain}"),
    }
}

fn most(counts: &HashMap<(usize, String), u64>, n: usize) -> String {
    let of_line = counts.iter().filter(|((line, _), _)| *line == n);
    let most = of_line.max_by(|((_, a), x), ((_, b), y)| x.cmp(y).then_with(|| b.cmp(a)));
    most.map(|((_, name), _)| name.clone()).unwrap_or_default()
}
