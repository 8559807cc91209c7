//! Which receivers do what a policy asks for: what they did with failing mail where one did.

use std::collections::{BTreeMap, HashSet};

use report::{Day, Disposition, Outcome, PolicyPublished, Text};
use store::{Column, Ledger, Measure, PolicyOfDay, organizational_domain};

use super::answers::PreviewReporter;
use super::what_if::WhatIf;
use crate::counts::{day, disposition, number, text};
use crate::{Error, Scope};

/// Reporters that are named.
const MOST: usize = 20;
/// Messages from which on it can be said whether a reporter obeys.
const ENOUGH: u64 = 20;

/// Days on which the policy of an organizational domain was only tried: `t=y`, or `pct` below 100, as any reporter says. Whoever let mail
/// through then may have done what was asked.
fn on_trial(ledger: &Ledger, organization: &str, days: (Day, Day)) -> Result<HashSet<Day>, Error> {
    let tried = |policy: &PolicyPublished| policy.testing == Some(true) || policy.pct.is_some_and(|pct| pct < 100);
    let ours = |seen: &PolicyOfDay| organizational_domain(&seen.policy.domain) == organization;
    let seen = ledger.policies(None, Some(days))?;
    Ok(seen.iter().filter(|seen| ours(seen) && tried(&seen.policy)).map(|seen| seen.day).collect())
}

/// The reporters with most failing mail. Those under `p=none`, and on days on which a policy was only tried, were asked for nothing.
pub(crate) fn reporters(ledger: &Ledger, what_if: &WhatIf, days: (Day, Day)) -> Result<Vec<PreviewReporter>, Error> {
    let scope = Scope {
        domain: Some(Text::new(&what_if.domain)),
        subdomains: what_if.subdomains && organizational_domain(&what_if.domain) == what_if.domain,
        outcomes: vec![Outcome::Unaligned, Outcome::Unauthenticated],
        ..Scope::default()
    };
    let mut question = scope.question(days);
    question.group = vec![Column::Reporter, Column::Policy, Column::Disposition, Column::Day];
    question.measures = vec![Measure::Messages];
    let trial = on_trial(ledger, &organizational_domain(&what_if.domain), days)?;
    let mut found: BTreeMap<String, PreviewReporter> = BTreeMap::new();
    for line in ledger.ask(&question)?.lines {
        let [reporter, policy, done, on] = &line.key[..] else { continue };
        let (reporter, messages) = (text(reporter), number(&line.measures[0]));
        let seen = found.entry(reporter.clone()).or_insert_with(|| PreviewReporter {
            reporter,
            failing: 0,
            asked: 0,
            obeyed: 0,
            obeys: None,
        });
        seen.failing += messages;
        if matches!(text(policy).as_str(), "quarantine" | "reject") && !trial.contains(&day(on)) {
            seen.asked += messages;
            if matches!(disposition(done), Disposition::Quarantine | Disposition::Reject) {
                seen.obeyed += messages;
            }
        }
    }
    let mut found: Vec<PreviewReporter> = found.into_values().collect();
    for line in &mut found {
        // Below half it is no sampling and no exception any more.
        line.obeys = (line.asked >= ENOUGH).then_some(line.obeyed * 2 >= line.asked);
    }
    found.sort_by(|a, b| b.failing.cmp(&a.failing).then_with(|| a.reporter.cmp(&b.reporter)));
    found.truncate(MOST);
    Ok(found)
}
