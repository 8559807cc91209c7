//! Rules about how mail fares: our own, that of services, new senders, and what is nobody's.
//!
//! In: facts. Out: findings. Each rule compares a day with days of the same kind before it – a Sunday with Sundays – and asks twice: whether
//! the share is far from the usual one, and whether *more* messages fail than usually do. Where only the passing mail became less, as on a
//! holiday, nothing has broken.

use report::{Day, Policy};

use super::facts::{DayFacts, DomainFacts, Facts, FlowFacts, alike, percent, usual};
use super::finding::{AlertRule, Finding, Severity};
use super::thresholds::Thresholds;
use crate::FlowClass;
use crate::commas;
use crate::counts::{float, median};

/// Days of the same kind that it takes to say what is usual.
const ENOUGH: usize = 3;
/// Days of data that it takes before anything can be called new.
const HISTORY: i32 = 28;
/// A flow, or a subdomain, is new for so many days.
const NEW: i32 = 14;
/// After so many days without a message a flow that failed is gone.
const GONE: i32 = 14;

pub(crate) fn rules(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, domain) in &facts.domains {
        found.extend(own_drop(facts, at, name, domain));
        found.extend(campaign(facts, at, name, domain));
        found.extend(delivered_spoof(facts, at, name, domain));
        found.extend(unknown_share(facts, at, name, domain));
        found.extend(new_subdomains(facts, at, name, domain));
    }
    for flow in &facts.flows {
        found.extend(new_flow(facts, at, flow).or_else(|| flow_fails(facts, at, flow)));
    }
    found
}

/// The judged days, the newest first.
pub(crate) fn judged(facts: &Facts) -> impl Iterator<Item = Day> + use<> {
    (facts.judged.0.0..=facts.judged.1.0).rev().map(Day)
}

fn own_drop(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Option<Finding> {
    let open = is_open(facts, AlertRule::OwnDrop, name, "");
    judged(facts).find_map(|day| {
        let (all, failing) = domain.days.get(&day)?.own;
        let before: Vec<&DayFacts> = alike(&domain.days, day).filter(|of| of.own.0 >= at.messages).collect();
        if all < at.messages || before.len() < ENOUGH {
            return None;
        }
        let shares: Vec<f64> = before.iter().map(|of| 100.0 - percent(of.own.1, of.own.0)).collect();
        let passes = 100.0 - percent(failing, all);
        let recent = shares.iter().take(3).sum::<f64>() / 3.0;
        let (middle, spread) = usual(&shares);
        // A share of few messages varies by chance, however steady the days before were.
        let chance = (middle * (100.0 - middle)).max(1.0).sqrt() / float(all).sqrt();
        let sigmas = (middle - passes) / spread.max(chance).max(0.2);
        let drop = recent.max(middle) - passes;
        let (usual_failing, _) = usual(&before.iter().map(|of| float(of.own.1)).collect::<Vec<_>>());
        let more = float(failing) - usual_failing;
        // Once open it stays until less than half of it is left.
        let part = if open { 0.5 } else { 1.0 };
        let far = drop >= at.own_drop_points * part || (sigmas >= at.sigmas * part && drop >= 3.0 * part);
        if !far || more < (float(at.messages) * part).max(usual_failing * 0.5 * part) {
            return None;
        }
        let severity = if drop >= at.own_drop_points || (sigmas >= at.sigmas && drop >= 5.0) {
            Severity::Red
        } else {
            Severity::Amber
        };
        Some(Finding {
            rule: AlertRule::OwnDrop,
            severity,
            domain: name.to_owned(),
            subject: String::new(),
            day: Some(day),
            sentence: format!(
                "On {day} only {passes:.1} % of the mail of {name}'s own servers passed DMARC, {drop:.1} points less than before: {} of {} messages failed.",
                commas(failing),
                commas(all)
            ),
            evidence: vec![
                format!("days like it before: {middle:.1} % passed, {usual_failing:.0} messages failed"),
                format!("the last three of them: {recent:.1} %"),
            ],
            remedy: "Look at the flows that began to fail on that day, and at what changed in DNS or on the relays the day before.".to_owned(),
            link: format!("/domains/{name}/trend"),
            messages: failing,
        })
    })
}

/// Whether an alert of this cause is open.
fn is_open(facts: &Facts, rule: AlertRule, domain: &str, subject: &str) -> bool {
    facts.open.contains(&super::finding::cause(rule, domain, subject))
}

fn of_ours(class: FlowClass) -> bool {
    use FlowClass::{Own, OwnMisconfigured, ThirdParty, ThirdPartyUnaligned};
    matches!(class, Own | OwnMisconfigured | ThirdParty | ThirdPartyUnaligned)
}

fn flow_fails(facts: &Facts, at: &Thresholds, flow: &FlowFacts) -> Option<Finding> {
    // What forwarders break nobody here can mend.
    if !of_ours(flow.class) {
        return None;
    }
    let critical = at.critical.contains(&flow.id);
    let open = is_open(facts, AlertRule::FlowFails, &flow.domain, &flow.id);
    let least = if critical { 1 } else { at.messages };
    // It is as it was on the last day with enough mail: a newsletter that failed last Tuesday has not recovered on Wednesday.
    let latest = || {
        let (day, of) = flow.days.range(..=facts.judged.1).rev().find(|(_, of)| of.0 >= least)?;
        (open && facts.judged.1.0 - day.0 <= GONE).then_some((*day, *of))
    };
    let failing = judged(facts)
        .filter_map(|day| Some((day, *flow.days.get(&day)?)))
        .find(|(day, of)| of.0 >= least && stopped_passing(at, flow, (*day, *of), critical));
    // Open: until it passes again as it should.
    let (day, (all, fail)) = match latest() {
        Some((day, of)) if 100.0 - percent(of.1, of.0) < at.flow_amber => (day, of),
        Some(_) => return None,
        None => failing?,
    };
    let passes = 100.0 - percent(fail, all);
    let mut evidence = vec![flow.why.clone()];
    let before = alike(&flow.days, day).map(|of| 100.0 - percent(of.1, of.0));
    evidence.push(format!("days like it before: {:.1} % passed", median(before)));
    if let Some(diagnosis) = flow.diagnosis {
        evidence.push(diagnosis.label().to_owned());
    }
    Some(Finding {
        rule: AlertRule::FlowFails,
        severity: if passes < at.flow_red { Severity::Red } else { Severity::Amber },
        domain: flow.domain.clone(),
        subject: flow.id.clone(),
        // It holds until there is other news of it.
        day: Some(if open { facts.judged.1 } else { day }),
        sentence: format!(
            "{} of {} messages of the flow “{}” in the name of {} failed DMARC on {day}: only {passes:.1} % passed.",
            commas(fail),
            commas(all),
            flow.name,
            flow.domain
        ),
        evidence,
        remedy: flow
            .diagnosis
            .map_or("Look at what changed at this sender: key, envelope sender, addresses.", crate::Diagnosis::remedy)
            .to_owned(),
        link: format!("/flows/{}", flow.id),
        messages: fail,
    })
}

/// Whether a flow that passed does so no longer, and not by chance.
fn stopped_passing(
    at: &Thresholds,
    flow: &FlowFacts,
    (day, (all, failing)): (Day, (u64, u64)),
    critical: bool,
) -> bool {
    let passes = 100.0 - percent(failing, all);
    if passes >= at.flow_amber {
        return false;
    }
    let before: Vec<(u64, u64)> = flow.days.range(..day).map(|(_, of)| *of).collect();
    let sums = before.iter().fold((0, 0), |sums, of| (sums.0 + of.0, sums.1 + of.1));
    if sums.0 < at.messages {
        return critical;
    }
    let (middle, spread) = usual(&before.iter().map(|of| percent(of.1, of.0)).collect::<Vec<_>>());
    if middle > 100.0 - at.flow_red {
        return critical;
    }
    // Chance: of so many messages about so many fail anyway, give or take.
    let chance = (middle.max(0.5) * (100.0 - middle.max(0.5)) / float(all)).sqrt();
    let excess = float(failing) - float(all) * middle / 100.0;
    excess >= 10.0 && (100.0 - passes) - middle >= at.sigmas * spread.max(chance)
}

fn new_flow(facts: &Facts, at: &Thresholds, flow: &FlowFacts) -> Option<Finding> {
    let new = facts.judged.1.0 - flow.first_day.0 <= NEW && flow.first_day.0 - facts.first.0 >= HISTORY;
    if !new || !(flow.class.is_misconfigured() || flow.promising) {
        return None;
    }
    let open = is_open(facts, AlertRule::NewFlow, &flow.domain, &flow.id);
    let least = if open { at.new_flow / 2 } else { at.new_flow };
    let (day, failing) = judged(facts).find_map(|day| {
        let (_, failing) = *flow.days.get(&day)?;
        (failing > least).then_some((day, failing))
    })?;
    Some(Finding {
        rule: AlertRule::NewFlow,
        severity: Severity::Red,
        domain: flow.domain.clone(),
        subject: flow.id.clone(),
        day: Some(day),
        sentence: format!(
            "A new flow, “{}”, sends in the name of {} since {}, looks legitimate and fails: {} messages on {day}.",
            flow.name,
            flow.domain,
            flow.first_day,
            commas(failing)
        ),
        evidence: vec![format!("taken for: {}", flow.class.label().to_lowercase()), flow.why.clone()],
        remedy: flow
            .diagnosis
            .map_or(
                "Ask who uses it. If it is wanted, set it up: a key of ours, or an envelope sender below our domain.",
                crate::Diagnosis::remedy,
            )
            .to_owned(),
        link: format!("/flows/{}", flow.id),
        messages: failing,
    })
}

fn campaign(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Option<Finding> {
    let open = is_open(facts, AlertRule::Campaign, name, "");
    judged(facts).find_map(|day| {
        let here = domain.days.get(&day)?.unauthorised;
        let before: Vec<f64> = alike(&domain.days, day).map(|of| float(of.unauthorised)).collect();
        if before.len() < ENOUGH + 2 {
            return None;
        }
        let (middle, spread) = usual(&before);
        let excess = (at.sigmas * spread).max(middle).max(float(at.campaign));
        if float(here) < middle + if open { excess * 0.5 } else { excess } {
            return None;
        }
        let mut flows: Vec<(u64, &FlowFacts)> = (facts.flows.iter())
            .filter(|flow| flow.domain == name && matches!(flow.class, FlowClass::Spoofer | FlowClass::Unknown))
            .filter_map(|flow| Some((flow.days.get(&day)?.1, flow)))
            .collect();
        flows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
        let line = |(failing, flow): &(u64, &FlowFacts)| {
            format!("{} of them: {} ({})", commas(*failing), flow.name, flow.class.label().to_lowercase())
        };
        Some(Finding {
            rule: AlertRule::Campaign,
            severity: Severity::Amber,
            domain: name.to_owned(),
            subject: String::new(),
            day: Some(day),
            sentence: format!(
                "On {day} {} messages in the name of {name} came from nobody who may send for it, usually {middle:.0}.",
                commas(here)
            ),
            evidence: flows.iter().take(3).map(line).collect(),
            remedy: "Look at where it comes from. A policy of quarantine or reject keeps it out of inboxes; nothing else is to be done against spoofers.".to_owned(),
            link: format!("/domains/{name}/trend"),
            messages: here,
        })
    })
}

fn delivered_spoof(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Option<Finding> {
    let policy = domain.policy.filter(|policy| *policy >= Policy::Quarantine)?;
    let open = is_open(facts, AlertRule::DeliveredSpoof, name, "");
    let least = if open { at.delivered_spoof / 2 } else { at.delivered_spoof };
    let found = judged(facts).find_map(|day| {
        let delivered = domain.days.get(&day)?.spoof_delivered;
        (delivered > least).then_some((day, delivered))
    });
    let (day, delivered) = found?;
    Some(Finding {
        rule: AlertRule::DeliveredSpoof,
        severity: Severity::Red,
        domain: name.to_owned(),
        subject: String::new(),
        day: Some(day),
        sentence: format!(
            "{} spoofed messages in the name of {name} were delivered on {day}, although the policy asks for {}.",
            commas(delivered),
            policy.word()
        ),
        evidence: vec!["Receivers that overrode the policy, that take part of it only (`pct`, `t=y`), or whose policy was another one.".to_owned()],
        remedy: "Look at which receivers delivered it and why they say so; take `t=y` and `pct` out of the record once nothing of ours fails.".to_owned(),
        link: format!("/domains/{name}/trend"),
        messages: delivered,
    })
}

fn unknown_share(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Option<Finding> {
    let until = facts.judged.1;
    // Before that much of what sends steadily is unknown: evidence takes weeks.
    if until.0 - facts.first.0 < HISTORY {
        return None;
    }
    let week = domain.days.range(until.plus(-6)..=until).map(|(_, of)| of);
    let (unknown, all) = week.fold((0, 0), |(unknown, all), of| {
        (unknown + of.unknown, all + of.unknown + of.own.0 + of.third.0 + of.forwarded)
    });
    let share = if all == 0 { 0.0 } else { percent(unknown, all) };
    let least =
        if is_open(facts, AlertRule::UnknownShare, name, "") { at.unknown_share * 0.6 } else { at.unknown_share };
    // A domain that sends nothing has no share of anything.
    (share > least && unknown >= at.messages * 7 && unknown * 2 < all).then(|| Finding {
        rule: AlertRule::UnknownShare,
        severity: Severity::Amber,
        domain: name.to_owned(),
        subject: String::new(),
        day: Some(until),
        sentence: format!(
            "Of {share:.1} % of the mail in the name of {name} nobody knows whose it is: {} messages in the week to {until}.",
            commas(unknown)
        ),
        evidence: vec![format!("of {} messages that are not spoofed", commas(all))],
        remedy: "Look through the unknown flows, those of good standing first, and decide what they are.".to_owned(),
        link: "/flows?class=unknown".to_owned(),
        messages: unknown,
    })
}

fn new_subdomains(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Vec<Finding> {
    let found = domain
        .new_subdomains
        .iter()
        .filter(|(_, first, messages)| first.0 - facts.first.0 >= HISTORY && *messages >= at.new_subdomain);
    let finding = |(subdomain, first, messages): &(String, Day, u64)| Finding {
        rule: AlertRule::NewSubdomain,
        severity: Severity::Amber,
        domain: name.to_owned(),
        subject: subdomain.clone(),
        day: Some(*first),
        sentence: format!(
            "Mail as {subdomain} was seen for the first time on {first}: {} messages of senders of ours.",
            commas(*messages)
        ),
        evidence: Vec::new(),
        remedy: "See that it is meant: SPF and DKIM for that name, and the policy that its mail falls under."
            .to_owned(),
        link: format!("/domains/{subdomain}/trend"),
        messages: *messages,
    };
    found.map(finding).collect()
}
