//! What happened to mail, day by day, under which policy.

use report::{Day, Policy, PolicyPublished, Text};
use store::{Column, Ledger, Measure, PolicyOfDay};

use crate::counts::{day, disposition, number, outcome};
use crate::incomplete::incomplete;
use crate::scope::{length, place};
use crate::{Error, PolicySeen, Scope, Trend, TrendDay, TrendTotals, spike};

/// The trend of a scope, with the days that stand out; the largest of them explained.
///
/// # Errors
/// When the ledger cannot be read.
pub fn trend(ledger: &Ledger, scope: &Scope) -> Result<Trend, Error> {
    let mut trend = counts(ledger, scope)?;
    if let (Some(first), Some(last)) = (trend.days.first(), trend.days.last()) {
        if let Some(domain) = &scope.domain {
            trend.policies = policies(ledger, domain, (first.day, last.day))?;
            trend.dns = crate::dns_changes(ledger, Some(domain), scope.subdomains, (first.day, last.day))?;
        }
        trend.incomplete = incomplete(ledger, scope, (first.day, last.day))?;
        trend.spikes = spike::find(&trend.days);
        if let Some(largest) = trend.spikes.first_mut() {
            spike::explain_in(ledger, scope, &trend.days, largest)?;
        }
    }
    Ok(trend)
}

/// The counts alone.
pub(crate) fn counts(ledger: &Ledger, scope: &Scope) -> Result<Trend, Error> {
    let mut trend = Trend {
        domain: scope.domain.clone(),
        days: Vec::new(),
        totals: TrendTotals::default(),
        policies: Vec::new(),
        dns: Vec::new(),
        spikes: Vec::new(),
        incomplete: Vec::new(),
    };
    let Some(days) = scope.period.days(ledger)? else { return Ok(trend) };
    trend.days = (0..length(days))
        .map(|n| TrendDay { day: days.0.plus(i32::try_from(n).unwrap_or(i32::MAX)), counts: TrendTotals::default() })
        .collect();
    let mut question = scope.question(days);
    question.group = vec![Column::Day, Column::Outcome, Column::Disposition];
    question.measures = vec![Measure::Messages];
    for line in ledger.ask(&question)?.lines {
        let [on, what, done] = &line.key[..] else { continue };
        let (what, done, messages) = (outcome(what), disposition(done), number(&line.measures[0]));
        if let Some(place) = place(days, day(on)) {
            trend.days[place].counts.add(what, done, messages);
            trend.totals.add(what, done, messages);
        }
    }
    Ok(trend)
}

/// The policies that applied to a domain over time, as reporters saw them: its own, or the one of its organizational domain.
///
/// # Errors
/// When the ledger cannot be read.
pub fn policies(ledger: &Ledger, domain: &str, days: (Day, Day)) -> Result<Vec<PolicySeen>, Error> {
    let mut seen = ledger.policies(Some(domain), Some(days))?;
    let organizational = store::organizational_domain(domain);
    if seen.is_empty() && organizational != domain {
        seen = ledger.policies(Some(&organizational), Some(days))?;
    }
    Ok(spans(domain, &mut seen))
}

/// Runs of days on which most reports name the same policy.
pub(crate) fn spans(domain: &str, seen: &mut [PolicyOfDay]) -> Vec<PolicySeen> {
    seen.sort_by_key(|p| p.day);
    let mut spans: Vec<PolicySeen> = Vec::new();
    for of_day in seen.chunk_by(|a, b| a.day == b.day) {
        let Some(first) = of_day.first() else { continue };
        let policy = majority(of_day);
        let record = record(&policy);
        match spans.last_mut() {
            Some(last) if last.record == record => last.to = first.day,
            _ => spans.push(PolicySeen {
                applies: if first.policy.domain == domain { policy.p } else { policy.sp.or(policy.p) },
                policy_domain: first.policy.domain.clone(),
                record,
                from: first.day,
                to: first.day,
            }),
        }
    }
    spans
}

/// What most reports of a day say, tag by tag: no reporter tells all of them, and each fills in defaults as it likes.
pub(crate) fn majority(of_day: &[PolicyOfDay]) -> PolicyPublished {
    fn most<T: PartialEq>(of_day: &[PolicyOfDay], tag: impl Fn(&PolicyPublished) -> Option<T>) -> Option<T> {
        let mut votes: Vec<(T, u64)> = Vec::new();
        for seen in of_day {
            let Some(value) = tag(&seen.policy) else { continue };
            match votes.iter_mut().find(|(known, _)| *known == value) {
                Some((_, votes)) => *votes += seen.reports,
                None => votes.push((value, seen.reports)),
            }
        }
        votes.into_iter().max_by_key(|(_, votes)| *votes).map(|(value, _)| value)
    }
    let p = most(of_day, |policy| policy.p);
    PolicyPublished {
        domain: of_day.first().map(|seen| seen.policy.domain.clone()).unwrap_or_default(),
        p,
        sp: most(of_day, |policy| policy.sp.or(policy.p)),
        np: most(of_day, |policy| policy.np),
        adkim: most(of_day, |policy| policy.adkim),
        aspf: most(of_day, |policy| policy.aspf),
        pct: most(of_day, |policy| policy.pct),
        fo: None,
        testing: most(of_day, |policy| policy.testing),
        discovery_method: None,
    }
}

/// The record's tags, without those that only say the default.
fn record(policy: &PolicyPublished) -> String {
    let mut short = policy.clone();
    let p = policy.p;
    short.sp = policy.sp.filter(|sp| Some(*sp) != p);
    short.np = policy.np.filter(|np| Some(*np) != policy.sp.or(p));
    short.adkim = policy.adkim.filter(|a| *a != report::Alignment::Relaxed);
    short.aspf = policy.aspf.filter(|a| *a != report::Alignment::Relaxed);
    short.pct = policy.pct.filter(|pct| *pct != 100);
    short.testing = policy.testing.filter(|testing| *testing);
    if short == (PolicyPublished { domain: short.domain.clone(), ..PolicyPublished::default() }) {
        return "no policy named".to_owned();
    }
    crate::policy_text(&short)
}

/// The newest policy that applies to each of these domains.
pub(crate) fn newest(
    ledger: &Ledger,
    domains: &[(Text, Text)],
    days: (Day, Day),
) -> Result<Vec<Option<PolicySeen>>, Error> {
    let mut by_domain: std::collections::HashMap<Text, Vec<PolicyOfDay>> = std::collections::HashMap::new();
    for seen in ledger.policies(None, Some(days))? {
        by_domain.entry(seen.policy.domain.clone()).or_default().push(seen);
    }
    Ok(domains
        .iter()
        .map(|(domain, organizational)| {
            let seen = by_domain.get(domain).or_else(|| by_domain.get(organizational))?;
            spans(domain, &mut seen.clone()).pop()
        })
        .collect())
}

/// Whether a policy is tried out, and nothing is asked for yet: `t=y`, which lowers it by a step, or `pct=0`.
pub(crate) fn asks_nothing(policy: &PolicySeen) -> bool {
    policy.record.split("; ").any(|tag| matches!(tag, "t=y" | "pct=0"))
}

/// Whether a policy asks for what it says of all mail: neither lowered by `t=y` nor sampled by `pct`.
pub(crate) fn in_full(policy: &PolicySeen) -> bool {
    // The record has no tag that only says the default.
    !policy.record.split("; ").any(|tag| tag == "t=y" || tag.starts_with("pct="))
}

/// Whether a policy asks for anything to be done.
#[must_use]
pub fn enforces(policy: &PolicySeen) -> bool {
    matches!(policy.applies, Some(Policy::Quarantine | Policy::Reject))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(day: i32, domain: &str, reports: u64, policy: PolicyPublished) -> PolicyOfDay {
        PolicyOfDay { day: Day(day), policy: PolicyPublished { domain: domain.into(), ..policy }, reports }
    }

    #[test]
    fn policies_are_what_most_reports_say_tag_by_tag() {
        let none = PolicyPublished { p: Some(Policy::None), ..PolicyPublished::default() };
        let filled_in = PolicyPublished {
            sp: Some(Policy::None),
            pct: Some(100),
            adkim: Some(report::Alignment::Relaxed),
            ..none.clone()
        };
        let with_np = PolicyPublished { np: Some(Policy::Reject), testing: Some(false), ..none.clone() };
        let quarantine = PolicyPublished { p: Some(Policy::Quarantine), pct: Some(10), ..none.clone() };
        let mut given = vec![
            seen(3, "halden.example", 9, quarantine.clone()),
            seen(1, "halden.example", 5, filled_in),
            seen(1, "halden.example", 1, with_np.clone()),
            seen(2, "halden.example", 3, with_np),
            seen(3, "halden.example", 1, none),
            seen(5, "halden.example", 1, quarantine),
        ];
        let spans: Vec<String> = spans("mail.halden.example", &mut given)
            .iter()
            .map(|s| format!("{}-{} {} applies {:?}", s.from.0, s.to.0, s.record, s.applies))
            .collect();
        assert_eq!(
            spans,
            ["1-2 p=none; np=reject applies Some(None)", "3-5 p=quarantine; pct=10 applies Some(Quarantine)",]
        );
    }
}
