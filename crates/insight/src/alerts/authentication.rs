//! Rules about SPF and DKIM as receivers report them: what is broken shows here even where mail still passes by the other of the two.
//!
//! In: facts. Out: findings. A mistake that two reporters saw is in the record and not at one of them.

use super::facts::{DomainFacts, Facts, SpfFacts, alike, percent, usual};
use super::finding::{AlertRule, Finding, Severity, cause};
use super::mail::judged;
use super::thresholds::Thresholds;
use crate::commas;
use crate::counts::median;

pub(crate) fn rules(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, domain) in &facts.domains {
        found.extend(spf(facts, at, name, domain));
        found.extend(dkim(facts, at, name, domain));
    }
    found
}

fn spf(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for day in judged(facts) {
        let Some(of) = domain.days.get(&day) else { continue };
        for (checked, spf) in &of.spf {
            let open = |rule| facts.open.contains(&cause(rule, name, checked));
            let least = |rule| if open(rule) { at.spf_broken / 2 } else { at.spf_broken };
            let permerror = spf.permerror >= least(AlertRule::SpfPermerror) && spf.reporters.0 >= 2;
            // A few per mille of permerrors are receivers that could not ask.
            if permerror && spf.permerror * 100 >= spf.messages && !has(&found, AlertRule::SpfPermerror, checked) {
                found.push(permerror_found(name, checked, day, spf));
            }
            let before: Vec<&SpfFacts> = alike(&domain.days, day).filter_map(|of| of.spf.get(checked)).collect();
            let passed = before.iter().fold((0, 0), |sums, spf| (sums.0 + spf.pass, sums.1 + spf.messages));
            let none = before.iter().fold(0, |sum, spf| sum + spf.none);
            let was_there = passed.0 * 2 > passed.1 && none * 50 < passed.1;
            let gone = spf.none >= least(AlertRule::SpfMissing) && spf.none * 4 >= spf.messages && spf.reporters.1 >= 2;
            if gone && (was_there || open(AlertRule::SpfMissing)) && !has(&found, AlertRule::SpfMissing, checked) {
                found.push(missing_found(name, checked, day, spf));
            }
        }
    }
    found
}

/// A later day said so already.
fn has(found: &[Finding], rule: AlertRule, subject: &str) -> bool {
    found.iter().any(|finding| finding.rule == rule && finding.subject == subject)
}

fn permerror_found(name: &str, checked: &str, day: report::Day, spf: &SpfFacts) -> Finding {
    Finding {
        rule: AlertRule::SpfPermerror,
        severity: Severity::Red,
        domain: name.to_owned(),
        subject: checked.to_owned(),
        day: Some(day),
        sentence: format!(
            "Receivers find the SPF record of {checked} broken (permerror): {} of {} messages on {day}, {} of which failed DMARC.",
            commas(spf.permerror),
            commas(spf.messages),
            commas(spf.permerror_failing)
        ),
        evidence: vec![format!("as at least {} reporters said", spf.reporters.0)],
        remedy: format!(
            "More than ten look-ups, or a mistake in the record or in one that it includes: `lamppost lint {checked}` shows which."
        ),
        link: format!("/domains/{name}/trend"),
        messages: spf.permerror_failing,
    }
}

fn missing_found(name: &str, checked: &str, day: report::Day, spf: &SpfFacts) -> Finding {
    Finding {
        rule: AlertRule::SpfMissing,
        severity: Severity::Red,
        domain: name.to_owned(),
        subject: checked.to_owned(),
        day: Some(day),
        sentence: format!(
            "Receivers find no SPF record at {checked}, where there was one: {} of {} messages on {day}.",
            commas(spf.none),
            commas(spf.messages)
        ),
        evidence: vec![format!("as at least {} reporters said", spf.reporters.1)],
        remedy: format!("Publish the SPF record of {checked} again."),
        link: format!("/domains/{name}/trend"),
        messages: spf.none,
    }
}

/// Per cent of what is signed with a key that does not verify, where nobody can use the key.
const DEAD: f64 = 90.0;

/// Mail straight from our own hosts whose signatures stopped verifying. It still passes by SPF, and fails wherever it is forwarded.
fn dkim(facts: &Facts, at: &Thresholds, name: &str, domain: &DomainFacts) -> Option<Finding> {
    let open = facts.open.contains(&cause(AlertRule::DkimBroken, name, ""));
    let sums = |of: &super::facts::DayFacts| {
        of.signed.values().fold((0_u64, 0_u64), |sums, signed| (sums.0 + signed.0, sums.1 + signed.1))
    };
    judged(facts).find_map(|day| {
        let of = domain.days.get(&day)?;
        let (all, broken) = sums(of);
        let before: Vec<f64> =
            alike(&domain.days, day).map(sums).filter(|s| s.0 >= at.messages).map(|s| percent(s.1, s.0)).collect();
        if all < at.messages || broken < at.messages / 2 || before.len() < 3 {
            return None;
        }
        let (middle, spread) = usual(&before);
        let share = percent(broken, all);
        let part = if open { 0.5 } else { 1.0 };
        let dead = of.signed.iter().find(|(key, signed)| is_dead(domain, at, day, key, **signed));
        if share - middle < (at.dkim_points * part).max(at.sigmas * spread * part) && dead.is_none() {
            return None;
        }
        let mut keys: Vec<(&(String, String), u64)> = of.signed.iter().map(|(key, signed)| (key, signed.1)).collect();
        keys.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let evidence = keys.iter().filter(|(_, broken)| *broken > 0).take(3).map(|((d, s), broken)| {
            format!("{} messages signed with {s}._domainkey.{d}", commas(*broken))
        });
        let key = keys.first().map_or_else(String::new, |((d, s), _)| format!("{s}._domainkey.{d}"));
        Some(Finding {
            rule: AlertRule::DkimBroken,
            severity: Severity::Red,
            domain: name.to_owned(),
            subject: String::new(),
            day: Some(day),
            sentence: match dead {
                Some((_, (all, broken))) => format!(
                    "{} of {} messages that {name}'s own hosts signed with one key did not verify on {day}.",
                    commas(*broken),
                    commas(*all)
                ),
                None => format!(
                    "Signatures of {share:.0} % of the signed mail straight from {name}'s own hosts did not verify on {day}, usually {middle:.1} %: {} of {} messages.",
                    commas(broken),
                    commas(all)
                ),
            },
            evidence: evidence.collect(),
            remedy: format!("Compare the key at {key} in DNS with the signer's: a new key that is not published, or another one."),
            link: format!("/domains/{name}/trend"),
            messages: broken,
        })
    })
}

/// Whether nearly nothing that is signed with a key verifies, and that is new: however small a part of all mail it is.
fn is_dead(
    domain: &DomainFacts,
    at: &Thresholds,
    day: report::Day,
    key: &(String, String),
    (all, broken): (u64, u64),
) -> bool {
    let before = alike(&domain.days, day).filter_map(|of| of.signed.get(key)).map(|s| percent(s.1, s.0));
    // Of a key that was never seen, nothing was broken.
    broken >= at.messages / 2 && percent(broken, all) >= DEAD && median(before) <= 100.0 - DEAD
}
