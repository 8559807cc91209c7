//! One alert a cause: what follows from something else that is told is not told beside it.
//!
//! In: findings. Out: those that stand for themselves. Only what is new is held back: an alert that is open stays open as long as its rule
//! finds it, so that nothing is resolved because something else was found.

use super::facts::Facts;
use super::finding::{AlertRule, Finding};
use crate::counts::float;
use crate::{Diagnosis, FlowClass};

/// So much of what a finding is about is explained by another one: then it follows from it.
const EXPLAINED: f64 = 0.6;

pub(crate) fn independent(mut found: Vec<Finding>, facts: &Facts) -> Vec<Finding> {
    let all = found.clone();
    found.retain(|finding| facts.open.contains(&finding.cause()) || !follows(finding, &all, facts));
    found
}

fn follows(finding: &Finding, all: &[Finding], facts: &Facts) -> bool {
    let beside = |rules: &[AlertRule]| -> u64 {
        let same = all.iter().filter(|other| other.domain == finding.domain && rules.contains(&other.rule));
        same.map(|other| other.messages).sum()
    };
    let explained = |by: u64| float(by) >= float(finding.messages) * EXPLAINED;
    match finding.rule {
        // The whole fails because a part does, or because the record is broken.
        AlertRule::OwnDrop => explained(beside(&[
            AlertRule::FlowFails,
            AlertRule::NewFlow,
            AlertRule::SpfPermerror,
            AlertRule::SpfMissing,
        ])),
        // A stream of our own hosts fails because our record is broken.
        AlertRule::FlowFails => {
            let flow = facts.flows.iter().find(|flow| flow.id == finding.subject);
            flow.is_some_and(|flow| {
                let own = matches!(flow.class, FlowClass::Own | FlowClass::OwnMisconfigured);
                (own || flow.diagnosis == Some(Diagnosis::SpfPermerror))
                    && explained(beside(&[AlertRule::SpfPermerror, AlertRule::SpfMissing]))
            })
        }
        // A wave that is one new sender of ours.
        AlertRule::Campaign => explained(beside(&[AlertRule::NewFlow])),
        // What receivers see of a record that is known to be gone or broken.
        AlertRule::SpfPermerror | AlertRule::SpfMissing => all.iter().any(|other| {
            matches!(other.rule, AlertRule::SpfRecord | AlertRule::SpfInclude) && other.subject == finding.subject
        }),
        _ => false,
    }
}
