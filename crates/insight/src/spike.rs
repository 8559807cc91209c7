//! Days on which far more mail failed than usual, and what the extra messages have in common.
//!
//! A day stands out when its failing messages exceed the usual by five robust standard deviations (median absolute deviation of
//! up to 28 days of the same kind around it, working days and weekends apart), by half the usual, and by 50 messages.
//! To explain it, the day is compared with the last few days of the same kind before it (or after it, where there are none):
//! a network, an envelope sender or a domain that grew by most of the excess is what the extra messages share.

use report::{Day, Outcome};
use store::{Column, Direction, Key, Ledger, Measure, Value};

use crate::counts::{number, ratio, text};
use crate::scope::is;
use crate::{Error, Finding, Period, Scope, Spike, TrendDay, commas, trend};

/// Days on each side that say what is usual.
pub(crate) const ALIKE_DAYS: i32 = 14;
/// Days of the same kind that the make-up of a day is compared with.
const COMPARED: usize = 3;
/// How many values of a dimension are looked at.
const VALUES: usize = 5;
/// At least this share of the excess must come from one value for it to be called one campaign.
const ONE_CAMPAIGN: f64 = 0.6;

const DIMENSIONS: [(&str, Column); 7] = [
    ("network", Column::Network),
    ("source", Column::Source),
    ("envelope_from", Column::EnvelopeFrom),
    ("spf_domain", Column::SpfDomain),
    ("dkim_domain", Column::DkimDomain),
    ("domain", Column::Domain),
    ("reporter", Column::Reporter),
];

/// The days that stand out, largest excess first; at most three, not yet explained.
pub(crate) fn find(days: &[TrendDay]) -> Vec<Spike> {
    let mut spikes: Vec<Spike> = days.iter().filter_map(|on| stands_out(days, on)).collect();
    spikes.sort_by_key(|spike| std::cmp::Reverse(spike.failing - spike.usual));
    spikes.truncate(3);
    spikes
}

fn stands_out(days: &[TrendDay], on: &TrendDay) -> Option<Spike> {
    let mut around: Vec<u64> = alike(days, on.day).map(|d| d.counts.outcome.neither).collect();
    if around.len() < 5 {
        return None;
    }
    let usual = median(&mut around);
    let failing = on.counts.outcome.neither;
    let mut distances: Vec<u64> = around.iter().map(|n| n.abs_diff(usual)).collect();
    // 1.4826 × the median absolute deviation estimates a standard deviation; five of them.
    let spread = median(&mut distances).saturating_mul(7_413) / 1_000;
    let excess = failing.checked_sub(usual)?;
    (excess > spread.max(usual / 2).max(50)).then(|| spike(days, on, usual))
}

fn spike(days: &[TrendDay], on: &TrendDay, usual: u64) -> Spike {
    let failing = on.counts.outcome.neither;
    let rose = |outcome: Outcome| {
        let mut before: Vec<u64> = alike(days, on.day).map(|d| d.counts.outcomes().get(outcome)).collect();
        on.counts.outcomes().get(outcome).saturating_sub(median(&mut before))
    };
    let outcome = [Outcome::Unauthenticated, Outcome::Unaligned, Outcome::Forwarded]
        .into_iter()
        .max_by_key(|o| rose(*o))
        .unwrap_or(Outcome::Unauthenticated);
    let sentence =
        format!("{} messages failed, {} more than usual.", commas(failing), commas(failing.saturating_sub(usual)));
    Spike { day: on.day, outcome, failing, usual, findings: Vec::new(), one_campaign: false, sentence }
}

/// The days of the same kind around one, without it.
fn alike(days: &[TrendDay], day: Day) -> impl Iterator<Item = &TrendDay> {
    days.iter().filter(move |d| {
        d.day != day
            && d.day.0.abs_diff(day.0) <= ALIKE_DAYS.unsigned_abs()
            && d.day.is_weekend() == day.is_weekend()
            && d.counts.messages > 0
    })
}

/// The days of the same kind as one within a period, without it.
pub(crate) fn alike_days((first, last): (Day, Day), day: Day) -> impl Iterator<Item = Day> {
    (first.0..=last.0).map(Day).filter(move |other| *other != day && other.is_weekend() == day.is_weekend())
}

pub(crate) fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// What made a day different from its neighbours; `None` where nothing failed on it or there is nothing to compare it with.
///
/// # Errors
/// When the ledger cannot be read.
pub fn explain(ledger: &Ledger, scope: &Scope, day: Day) -> Result<Option<Spike>, Error> {
    let around = Scope { period: Period::Days(day.plus(-ALIKE_DAYS), day.plus(ALIKE_DAYS)), ..scope.clone() };
    let days = trend::counts(ledger, &around)?.days;
    let Some(on) = days.iter().find(|d| d.day == day) else { return Ok(None) };
    let mut usual: Vec<u64> = alike(&days, day).map(|d| d.counts.outcome.neither).collect();
    if on.counts.outcome.neither == 0 || usual.is_empty() {
        return Ok(None);
    }
    let mut found = spike(&days, on, median(&mut usual));
    explain_in(ledger, scope, &days, &mut found)?;
    Ok(Some(found))
}

/// Fills in the findings of a spike.
pub(crate) fn explain_in(ledger: &Ledger, scope: &Scope, days: &[TrendDay], spike: &mut Spike) -> Result<(), Error> {
    let excess = spike.failing.saturating_sub(spike.usual);
    let compared = compared(days, spike.day);
    if excess == 0 || compared.is_empty() {
        return Ok(());
    }
    for (name, column) in DIMENSIONS {
        if column == Column::Domain && scope.domain.is_some() && !scope.subdomains {
            continue;
        }
        spike.findings.extend(grown(ledger, scope, spike.day, &compared, (name, column), excess)?);
    }
    let campaign = spike.findings.iter().find(|f| f.dimension == "network" && f.share >= ONE_CAMPAIGN).cloned();
    spike.one_campaign = campaign.is_some()
        || spike.findings.iter().any(|f| {
            matches!(&*f.dimension, "dkim_domain" | "spf_domain") && f.share >= ONE_CAMPAIGN && !ours(scope, &f.value)
        });
    spike.sentence = match campaign {
        Some(network) => campaign_sentence(ledger, scope, spike, &network, excess)?,
        None => many_sentence(ledger, scope, spike, excess)?,
    };
    Ok(())
}

/// A name of our own says nothing about who sent: everybody who spoofs us uses it.
fn ours(scope: &Scope, name: &str) -> bool {
    name == "-"
        || name.is_empty()
        || scope
            .domain
            .as_deref()
            .is_some_and(|d| store::organizational_domain(d) == store::organizational_domain(name))
}

/// The nearest days of the same kind that did not stand out themselves, earlier ones first.
fn compared(days: &[TrendDay], day: Day) -> Vec<Day> {
    let mut near: Vec<Day> = alike(days, day).filter(|d| stands_out(days, d).is_none()).map(|d| d.day).collect();
    near.sort_by_key(|d| (*d > day, d.0.abs_diff(day.0)));
    near.truncate(COMPARED);
    near
}

/// The values of one column that explain a good part of the excess.
fn grown(
    ledger: &Ledger,
    scope: &Scope,
    day: Day,
    compared: &[Day],
    (name, column): (&str, Column),
    excess: u64,
) -> Result<Vec<Finding>, Error> {
    let mut question = scope.question((day, day));
    question.group = vec![column];
    question.measures = vec![Measure::Failing];
    question.order = vec![(Key::Measure(Measure::Failing), Direction::Descending)];
    question.limit = Some(VALUES);
    let top: Vec<(Value, u64)> = ledger
        .ask(&question)?
        .lines
        .into_iter()
        .filter_map(|mut line| Some((line.key.pop()?, number(line.measures.first()?))))
        .filter(|(_, messages)| *messages * 5 >= excess)
        .collect();
    if top.is_empty() {
        return Ok(Vec::new());
    }
    let mut before = vec![0_u64; top.len()];
    for day in compared {
        let mut question = scope.question((*day, *day));
        question.filter.push(is(column, top.iter().map(|(value, _)| value.clone())));
        question.group = vec![column];
        question.measures = vec![Measure::Failing];
        for line in ledger.ask(&question)?.lines {
            if let Some(n) = top.iter().position(|(value, _)| Some(value) == line.key.first()) {
                before[n] += number(&line.measures[0]);
            }
        }
    }
    let days = u64::try_from(compared.len()).unwrap_or(1);
    Ok(top
        .into_iter()
        .zip(before)
        .map(|((value, messages), before)| {
            let usual = before / days;
            let share = ratio(messages.saturating_sub(usual), excess).min(1.0);
            Finding { dimension: name.to_owned(), value: text(&value), messages, usual, share }
        })
        // An envelope sender that reporters leave out is nothing the messages share.
        .filter(|finding| finding.share >= 0.2 && !(column == Column::EnvelopeFrom && finding.value == "-"))
        .collect())
}

fn campaign_sentence(
    ledger: &Ledger,
    scope: &Scope,
    spike: &Spike,
    network: &Finding,
    excess: u64,
) -> Result<String, Error> {
    let addresses = addresses(ledger, scope, spike.day, Some(&network.value))?;
    let named = |dimension: &str| {
        spike.findings.iter().find(|f| f.dimension == dimension && f.share >= ONE_CAMPAIGN && f.value != "-")
    };
    let sender = match (named("envelope_from"), named("spf_domain")) {
        (Some(sender), _) if sender.value.is_empty() => ", with an empty envelope sender".to_owned(),
        (Some(sender), _) => format!(", with envelope sender {}", sender.value),
        // Many reporters leave the envelope sender out; SPF was checked for its domain.
        (None, Some(checked)) if !checked.value.is_empty() => format!(", with SPF checked for {}", checked.value),
        _ => String::new(),
    };
    Ok(format!(
        "One campaign, not many spoofers: {} % of the {} extra messages came from {} in {}{sender}.",
        percent(network.share),
        commas(excess),
        if addresses == 1 { "one address".to_owned() } else { format!("{} addresses", commas(addresses)) },
        network.value,
    ))
}

fn many_sentence(ledger: &Ledger, scope: &Scope, spike: &Spike, excess: u64) -> Result<String, Error> {
    let addresses = addresses(ledger, scope, spike.day, None)?;
    let largest = spike.findings.iter().filter(|f| f.dimension == "network").map(|f| percent(f.share)).max();
    let tail = match largest {
        Some(share) => format!("the largest network sent {share} % of them"),
        None => "no network sent more than a fifth of them".to_owned(),
    };
    Ok(format!(
        "Many senders: {} extra messages; {} addresses failed on that day, and {tail}.",
        commas(excess),
        commas(addresses)
    ))
}

/// How many addresses failed on a day, in all or in one network.
fn addresses(ledger: &Ledger, scope: &Scope, day: Day, network: Option<&str>) -> Result<u64, Error> {
    let mut scope = scope.clone();
    scope.outcomes.retain(|o| !o.passes());
    if scope.outcomes.is_empty() {
        scope.outcomes = Outcome::ALL.into_iter().filter(|o| !o.passes()).collect();
    }
    if let Some((address, length)) = network.and_then(|n| n.split_once('/')) {
        scope.network = address.parse().ok().zip(length.parse().ok()).or(scope.network);
    }
    let mut question = scope.question((day, day));
    question.measures = vec![Measure::Distinct(Column::Source)];
    Ok(ledger.ask(&question)?.totals.first().map_or(0, number))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
pub(crate) fn percent(share: f64) -> u8 {
    (share * 100.0).round().clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrendTotals;

    /// 2025-12-01 was a Monday.
    fn days(failing: impl Fn(i32) -> u64) -> Vec<TrendDay> {
        let first: Day = "2025-12-01".parse().unwrap();
        let counts = |n: u64| {
            let mut counts = TrendTotals::default();
            counts.add(Outcome::Both, report::Disposition::None, 10_000);
            counts.add(Outcome::Unauthenticated, report::Disposition::None, n);
            counts
        };
        (0..42).map(|n| TrendDay { day: first.plus(n), counts: counts(failing(n)) }).collect()
    }

    #[test]
    fn what_stands_out() {
        let weekly = |n: i32| if n % 7 >= 5 { 200 } else { 600 + u64::from(n.unsigned_abs()) % 3 * 20 };
        let cases: [(&str, Vec<TrendDay>, &[&str]); 6] = [
            ("a quiet week rhythm", days(weekly), &[]),
            ("one loud Tuesday", days(|n| if n == 22 { 18_000 } else { weekly(n) }), &["2025-12-23"]),
            (
                "a weekend as loud as a working day is loud for a weekend",
                days(|n| if n == 19 { 640 } else { weekly(n) }),
                &["2025-12-20"],
            ),
            ("a Monday like a weekend is not loud", days(|n| if n == 21 { 200 } else { weekly(n) }), &[]),
            ("a handful more is not loud, however steady the rest", days(|n| if n == 22 { 40 } else { 3 }), &[]),
            (
                "largest first, at most three",
                days(|n| match n {
                    8 => 3_000,
                    15 => 5_000,
                    22 => 9_000,
                    29 => 4_000,
                    n => weekly(n),
                }),
                &["2025-12-23", "2025-12-16", "2025-12-30"],
            ),
        ];
        for (why, days, expected) in cases {
            let found: Vec<String> = find(&days).iter().map(|spike| spike.day.to_string()).collect();
            assert_eq!(found, expected, "{why}");
        }
    }
}
