//! Which receivers do what a policy asks for: what they did with failing mail where one did.

use std::collections::{BTreeMap, HashSet};

use report::{Day, PolicyPublished, Text};
use store::{Ledger, PolicyOfDay, organizational_domain};

use super::answers::PreviewReporter;
use super::what_if::WhatIf;
use crate::{Error, heard};

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
    let organization = organizational_domain(&what_if.domain);
    let trial = on_trial(ledger, &organization, days)?;
    let below = what_if.subdomains && organization == what_if.domain;
    let mut found: BTreeMap<Text, PreviewReporter> = BTreeMap::new();
    heard::each(ledger, (&what_if.domain, below), days, |heard| {
        if !heard.fails {
            return;
        }
        let seen = found.entry(Text::new(heard.reporter)).or_insert_with_key(|reporter| PreviewReporter {
            reporter: reporter.to_string(),
            failing: 0,
            asked: 0,
            obeyed: 0,
            obeys: None,
        });
        seen.failing += heard.messages;
        if matches!(heard.policy, "quarantine" | "reject") && !trial.contains(&heard.day) {
            seen.asked += heard.messages;
            if heard.stopped {
                seen.obeyed += heard.messages;
            }
        }
    })?;
    let mut found: Vec<PreviewReporter> = found.into_values().collect();
    for line in &mut found {
        // Below half it is no sampling and no exception any more.
        line.obeys = (line.asked >= ENOUGH).then_some(line.obeyed * 2 >= line.asked);
    }
    found.sort_by(|a, b| b.failing.cmp(&a.failing).then_with(|| a.reporter.cmp(&b.reporter)));
    found.truncate(MOST);
    Ok(found)
}
