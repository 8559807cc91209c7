//! Which domains mail is sent in the name of, and how that goes.

use std::collections::{BTreeMap, HashMap};

use report::{Day, Policy, Text};
use store::{Column, Ledger, Measure, Value};

use crate::counts::{day, number, outcome};
use crate::scope::{is, length, place};
use crate::{Applies, DomainLine, DomainOrder, DomainSort, Error, Outcomes, PolicyShare, Portfolio, Scope, trend};

/// The domains of a scope.
///
/// Everything comes from the ledger's daily sums, so that it costs the same whatever the number of rows, as long as the scope
/// names no reporter, network or authenticated domain.
///
/// # Errors
/// When the ledger cannot be read.
pub fn portfolio(ledger: &Ledger, scope: &Scope, order: &DomainOrder) -> Result<Portfolio, Error> {
    let empty = Portfolio {
        days: None,
        domains: Vec::new(),
        domains_total: 0,
        totals: Outcomes::default(),
        policies: Vec::new(),
    };
    let Some(days) = scope.period.days(ledger)? else { return Ok(empty) };
    let mut lines = domains(ledger, scope, days)?;
    if let Some(search) = &order.search {
        let search = search.to_ascii_lowercase();
        lines.retain(|line| line.domain.contains(search.as_str()));
    }
    let names: Vec<_> = lines.iter().map(|l| (l.domain.clone(), l.organizational_domain.clone())).collect();
    for (line, policy) in lines.iter_mut().zip(trend::newest(ledger, &names, days)?) {
        line.policy = policy;
    }
    let mut portfolio = Portfolio { days: Some(days), policies: shares(&lines), ..empty };
    if let Some(wanted) = order.policy {
        lines.retain(|line| Applies::from(line.policy.as_ref().and_then(|policy| policy.applies)) == wanted);
    }
    portfolio.domains_total = lines.len();
    for line in &lines {
        for outcome in report::Outcome::ALL {
            portfolio.totals.add(outcome, line.outcomes.get(outcome));
        }
    }
    sort(&mut lines, order);
    portfolio.domains = lines.into_iter().skip(order.offset).take(order.limit).collect();
    by_day(ledger, scope, days, &mut portfolio.domains)?;
    Ok(portfolio)
}

/// How much mail each policy applies to, the strictest first, then what has none.
fn shares(lines: &[DomainLine]) -> Vec<PolicyShare> {
    let mut shares: BTreeMap<Option<Policy>, PolicyShare> = BTreeMap::new();
    for line in lines {
        let applies = line.policy.as_ref().and_then(|policy| policy.applies);
        let share = shares.entry(applies).or_insert(PolicyShare { applies, domains: 0, messages: 0 });
        share.domains += 1;
        share.messages = share.messages.saturating_add(line.outcomes.messages());
    }
    shares.into_values().rev().collect()
}

/// Every domain with its sums; no days yet.
fn domains(ledger: &Ledger, scope: &Scope, days: (Day, Day)) -> Result<Vec<DomainLine>, Error> {
    let mut question = scope.question(days);
    question.group = vec![Column::Domain, Column::OrgDomain];
    question.measures = Outcomes::measures().chain([Measure::LastDay]).collect();
    let answer = ledger.ask(&question)?;
    let line = |line: &store::Line| {
        let [Value::Text(domain), Value::Text(organizational)] = &line.key[..] else { return None };
        Some(DomainLine {
            domain: domain.clone(),
            organizational_domain: organizational.clone(),
            policy: None,
            outcomes: Outcomes::of(&line.measures),
            failing_by_day: Vec::new(),
            messages_by_day: Vec::new(),
            last_day: line.measures.last().map(day).unwrap_or_default(),
        })
    };
    Ok(answer.lines.iter().filter_map(line).collect())
}

fn sort(lines: &mut [DomainLine], order: &DomainOrder) {
    let pass_share = |line: &DomainLine| {
        let messages = line.outcomes.messages().max(1);
        u128::from(line.outcomes.passing()) * 1_000_000 / u128::from(messages)
    };
    lines.sort_by(|a, b| {
        let by = match order.sort {
            DomainSort::Messages => a.outcomes.messages().cmp(&b.outcomes.messages()),
            DomainSort::Failing => a.outcomes.failing().cmp(&b.outcomes.failing()),
            DomainSort::PassShare => pass_share(a).cmp(&pass_share(b)),
            DomainSort::LastDay => a.last_day.cmp(&b.last_day),
            DomainSort::Domain => a.domain.cmp(&b.domain),
        };
        let by = if order.descending { by.reverse() } else { by };
        by.then_with(|| a.domain.cmp(&b.domain))
    });
}

/// Fills in the days of the domains shown.
fn by_day(ledger: &Ledger, scope: &Scope, days: (Day, Day), lines: &mut [DomainLine]) -> Result<(), Error> {
    for line in lines.iter_mut() {
        line.failing_by_day = vec![0; length(days)];
        line.messages_by_day = vec![0; length(days)];
    }
    let places: HashMap<Text, usize> = lines.iter().enumerate().map(|(n, line)| (line.domain.clone(), n)).collect();
    let mut question = scope.question(days);
    question.filter.push(is(Column::Domain, places.keys().cloned().map(Value::Text)));
    question.group = vec![Column::Domain, Column::Day, Column::Outcome];
    question.measures = vec![Measure::Messages];
    for found in ledger.ask(&question)?.lines {
        let [Value::Text(domain), on, what] = &found.key[..] else { continue };
        let (Some(line), Some(place)) = (places.get(domain), place(days, day(on))) else { continue };
        let messages = number(&found.measures[0]);
        lines[*line].messages_by_day[place] += messages;
        if !outcome(what).passes() {
            lines[*line].failing_by_day[place] += messages;
        }
    }
    Ok(())
}
