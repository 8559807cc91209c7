//! One address and its history.

use std::net::IpAddr;

use report::Day;
use store::{Answer, Column, Direction, Key, Ledger, Measure, Question, Value};

use crate::counts::{day, disposition, number, outcome, text};
use crate::scope::{cleared, is, length, place};
use crate::{AuthenticationLine, CountLine, Dispositions, Error, Outcomes, Scope, Source, SourceDay};

/// Lines of each list on a source's page.
const LINES: usize = 50;

/// One address in a scope; its network filter is replaced by the address.
///
/// # Errors
/// When the ledger cannot be read.
pub fn source(ledger: &Ledger, address: IpAddr, scope: &Scope) -> Result<Source, Error> {
    let (network, around) = network(address);
    let mut source = Source {
        address,
        network: format!("{network}/{around}"),
        outcomes: Outcomes::default(),
        dispositions: Dispositions::default(),
        first_day: None,
        last_day: None,
        days: Vec::new(),
        authentications: Vec::new(),
        reporters: Vec::new(),
        overrides: Vec::new(),
        neighbours: 0,
        profile: None,
        grades: Vec::new(),
    };
    (source.profile, source.grades) = crate::profile::of(ledger, address)?;
    let Some(days) = scope.period.days(ledger)? else { return Ok(source) };
    let of_address = || {
        let mut question = Scope { network: None, ..scope.clone() }.question(days);
        question.filter.push(is(Column::Source, [Value::Address(address)]));
        question
    };
    (source.first_day, source.last_day) = seen(ledger, address)?;
    let mut days_of = of_address();
    days_of.group = vec![Column::Day, Column::Outcome, Column::Disposition];
    days_of.measures = vec![Measure::Messages];
    let mut authentications_of = most_of(of_address(), &[Column::Domain, Column::Spf, Column::Dkim, Column::Outcome]);
    authentications_of.measures.extend([Measure::FirstDay, Measure::LastDay]);
    let [reporters_of, overrides_of] =
        [Column::Reporter, Column::Overrides].map(|column| most_of(of_address(), &[column]));
    let [of_days, ways, reporters, overrides] =
        ledger.ask_together(&[days_of, authentications_of, reporters_of, overrides_of])?;
    by_day(&of_days, days, &mut source);
    source.authentications = authentications(&ways);
    source.reporters = counted(&reporters);
    source.overrides = counted(&overrides);
    source.overrides.retain(|line| !line.name.is_empty());
    let mut question = Scope { network: Some((network, around)), ..scope.clone() }.question(days);
    question.measures = vec![Measure::Distinct(Column::Source)];
    source.neighbours = ledger.ask(&question)?.totals.first().map_or(0, number).saturating_sub(1);
    Ok(source)
}

/// The /24 or /48 around an address, as the ledger groups networks.
fn network(address: IpAddr) -> (IpAddr, u8) {
    let length = if address.is_ipv4() { 24 } else { 48 };
    (cleared(address, length), length)
}

/// First and last day in the whole ledger.
fn seen(ledger: &Ledger, address: IpAddr) -> Result<(Option<Day>, Option<Day>), Error> {
    let question = Question {
        filter: vec![is(Column::Source, [Value::Address(address)])],
        measures: vec![Measure::FirstDay, Measure::LastDay, Measure::Rows],
        ..Question::default()
    };
    let totals = ledger.ask(&question)?.totals;
    Ok(match &totals[..] {
        [first, last, Value::Number(1..)] => (Some(day(first)), Some(day(last))),
        _ => (None, None),
    })
}

/// Asks for the values of columns with the most messages.
fn most_of(mut question: Question, columns: &[Column]) -> Question {
    question.group = columns.to_vec();
    question.measures = vec![Measure::Messages];
    question.order = vec![(Key::Measure(Measure::Messages), Direction::Descending)];
    question.limit = Some(LINES);
    question
}

fn by_day(answer: &Answer, days: (Day, Day), source: &mut Source) {
    let empty =
        |n: usize| SourceDay { day: days.0.plus(i32::try_from(n).unwrap_or(i32::MAX)), outcomes: Outcomes::default() };
    source.days = (0..length(days)).map(empty).collect();
    for line in &answer.lines {
        let [on, what, done] = &line.key[..] else { continue };
        let messages = number(&line.measures[0]);
        if let Some(place) = place(days, day(on)) {
            source.days[place].outcomes.add(outcome(what), messages);
            source.outcomes.add(outcome(what), messages);
            source.dispositions.add(disposition(done), messages);
        }
    }
}

fn authentications(answer: &Answer) -> Vec<AuthenticationLine> {
    let line = |line: &store::Line| {
        let [domain, spf, dkim, what] = &line.key[..] else { return None };
        let [messages, first, last] = &line.measures[..] else { return None };
        Some(AuthenticationLine {
            domain: text(domain),
            spf: text(spf),
            dkim: text(dkim),
            outcome: outcome(what),
            messages: number(messages),
            first_day: day(first),
            last_day: day(last),
        })
    };
    answer.lines.iter().filter_map(line).collect()
}

fn counted(answer: &Answer) -> Vec<CountLine> {
    let line = |line: &store::Line| {
        Some(CountLine { name: text(line.key.first()?), messages: number(line.measures.first()?) })
    };
    answer.lines.iter().filter_map(line).collect()
}
