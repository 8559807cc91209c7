//! All gates together, and what they come to.

use report::{Day, Policy};
use store::{Ledger, organizational_domain};

use super::answers::{Gate, GateFlow, GateState, Name, Outlook, Part, Readiness, See};
use super::thresholds::{Needed, Thresholds};
use super::traffic::Traffic;
use super::waivers::{Waiver, waivers};
use super::{calendar, data, hygiene};
use crate::preview::{Apart, Study, study_with, wrong};
use crate::{Error, Estimate, PreviewTag, Tag, WhatIf, rate};

/// Author domains that are listed.
const NAMES_MAX: usize = 20;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The domain.
    pub domain: &'a str,
    /// Quarantine or reject.
    pub step: Policy,
    /// What is needed.
    pub thresholds: &'a Thresholds,
    /// What stands in DNS, in master-file form, where it is not known from anywhere else.
    pub zone: Option<&'a str>,
    /// The day it is.
    pub today: Day,
}

/// What gates look at.
pub(super) struct Ground<'a> {
    pub(super) domain: &'a str,
    pub(super) step: Policy,
    pub(super) thresholds: &'a Thresholds,
    pub(super) needed: &'a Needed,
    pub(super) zone: Option<&'a str>,
    pub(super) today: Day,
    pub(super) days: (Day, Day),
}

impl Ground<'_> {
    pub(super) fn is_organizational(&self) -> bool {
        organizational_domain(self.domain) == self.domain
    }

    /// Harm a day that is allowed beside so much legitimate mail a day.
    pub(super) fn harm_limit(&self, legitimate: f64) -> f64 {
        self.needed.harm.max(self.needed.harm_percent / 100.0 * legitimate)
    }
}

/// A gate before waivers.
pub(super) struct Draft {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) state: GateState,
    pub(super) measured: String,
    pub(super) needed: String,
    pub(super) why: Vec<String>,
    pub(super) flows: Vec<GateFlow>,
    pub(super) see: See,
}

/// Whether the policy of a domain may be tightened.
///
/// # Errors
/// [`Error::WhatIf`] if what is asked makes no sense, and when the ledger cannot be read.
pub fn readiness(ledger: &Ledger, ask: &Ask<'_>) -> Result<Readiness, Error> {
    if ask.step == Policy::None {
        return Err(wrong("a step is quarantine or reject: nothing stands in the way of none"));
    }
    let domain = ask.domain.trim_end_matches('.').to_lowercase();
    let base = WhatIf {
        domain: domain.clone(),
        subdomains: true,
        p: Some(ask.step),
        zone: ask.zone.map(str::to_owned),
        ..WhatIf::default()
    };
    // Quarantined is stopped too. Were both `reject`, no receiver would have to ask whether a name exists, and none would be told apart.
    let below = WhatIf { sp: Some(Policy::Quarantine), np: Some(Policy::Reject), ..base.clone() };
    let (step, apart) = study_with(ledger, &base, &below)?;
    let needed = if ask.step == Policy::Reject { &ask.thresholds.reject } else { &ask.thresholds.quarantine };
    let ground = Ground {
        domain: &domain,
        step: ask.step,
        thresholds: ask.thresholds,
        needed,
        zone: ask.zone,
        today: ask.today,
        days: step.preview.days,
    };
    let (drafts, until) = drafts(ledger, &ground, &step)?;
    let held = waivers(ledger, ask.today)?;
    let gates: Vec<Gate> = drafts.into_iter().map(|draft| gate(draft, &ground, &held)).collect();
    let result = result(&gates, until, &ground);
    Ok(Readiness {
        step: ask.step,
        words: words(&result, &ground, &gates),
        result,
        gates,
        parts: parts(&ground, &apart),
        names: names(&apart),
        days: step.preview.days,
        today: ask.today,
        harm: step.preview.harm,
        bound: step.preview.bound,
        domain,
    })
}

/// The gates, and until when there is too little data.
fn drafts(ledger: &Ledger, ground: &Ground<'_>, step: &Study) -> Result<(Vec<Draft>, Option<Day>), Error> {
    let (enough, until) = data::gate(ledger, ground)?;
    let [unknown, each, all, signed, harm, newcomers] = Traffic::new(ground, step).gates();
    let mut gates = vec![enough, unknown, each, all, signed, harm, hygiene::gate(ledger, ground)?, newcomers];
    gates.push(not_measured(
        ground,
        "G8",
        "Remediation",
        "no open ticket of high priority; owners of critical flows agree",
    ));
    gates.push(not_measured(
        ground,
        "G9",
        "Own inbound enforces",
        "≥ 30 days at the same level with stable exceptions",
    ));
    gates.push(calendar::gate(ground));
    Ok((gates, until))
}

fn not_measured(ground: &Ground<'_>, id: &'static str, title: &'static str, needed: &str) -> Draft {
    let required = ground.thresholds.require.iter().any(|gate| gate == id);
    let why = if required {
        "This version has no figures about it, and the configuration asks for it: waive it once somebody has looked."
    } else {
        "This version has no figures about it. Look for yourself; it does not block unless `[readiness] require` names it."
    };
    Draft {
        id,
        title,
        state: if required { GateState::Unknown } else { GateState::NotMeasured },
        measured: "not measured here".to_owned(),
        needed: needed.to_owned(),
        why: vec![why.to_owned()],
        flows: Vec::new(),
        see: See::Nowhere,
    }
}

fn gate(draft: Draft, ground: &Ground<'_>, held: &[Waiver]) -> Gate {
    let of = |waiver: &&Waiver| {
        let above = ground
            .domain
            .strip_suffix(waiver.domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        waiver.in_force && waiver.gate == draft.id && above
    };
    let waiver = held.iter().find(of).cloned();
    let blocked = matches!(draft.state, GateState::Fail | GateState::Unknown);
    let Draft { id, title, state, measured, needed, why, flows, see } = draft;
    Gate {
        id: id.to_owned(),
        title: title.to_owned(),
        state: if blocked && waiver.is_some() { GateState::Waived } else { state },
        measured,
        needed,
        why,
        flows,
        see,
        waiver,
    }
}

fn result(gates: &[Gate], until: Option<Day>, ground: &Ground<'_>) -> Outlook {
    let blocks = |gate: &&Gate| matches!(gate.state, GateState::Fail | GateState::Unknown);
    let data = gates.iter().find(|gate| gate.id == "G0").is_some_and(|gate| gate.state == GateState::Fail);
    // For reject, days at quarantine are missing rather than data: that gate blocks like any other.
    if data && (until.is_some() || ground.step == Policy::Quarantine) {
        return Outlook::NotEnoughData { until };
    }
    let by: Vec<String> = gates.iter().filter(blocks).map(|gate| gate.id.clone()).collect();
    if by.is_empty() {
        let waived = gates.iter().filter(|gate| gate.state == GateState::Waived).count();
        return Outlook::Ready { waivers: u32::try_from(waived).unwrap_or(u32::MAX) };
    }
    Outlook::Blocked { by }
}

fn words(result: &Outlook, ground: &Ground<'_>, gates: &[Gate]) -> String {
    let step = ground.step;
    match result {
        Outlook::Ready { waivers: 0 } => format!("Ready for p={step}."),
        Outlook::Ready { waivers: 1 } => format!("Ready for p={step}, with one waiver."),
        Outlook::Ready { waivers } => format!("Ready for p={step}, with {waivers} waivers."),
        Outlook::Blocked { by } => {
            let named: Vec<String> = gates
                .iter()
                .filter(|gate| by.contains(&gate.id))
                .map(|gate| format!("{} ({})", gate.id, gate.title.to_lowercase()))
                .collect();
            format!("Blocked by {} of {} gates: {}.", by.len(), gates.len(), named.join(", "))
        }
        Outlook::NotEnoughData { until: Some(day) } => format!("Not enough data until {day}."),
        Outlook::NotEnoughData { until: None } => {
            "Not enough data: reporters of most of the volume are missing.".to_owned()
        }
    }
}

/// What may be tightened by itself: names that do not exist first, then names below, then all.
fn parts(ground: &Ground<'_>, apart: &Apart) -> Vec<Part> {
    let part = |tag: Tag, set: String| {
        let none = PreviewTag {
            tag,
            domains: 0,
            legitimate: 0.0,
            harm: Estimate::default(),
            unknown: Estimate::default(),
            spoofed: Estimate::default(),
        };
        let found = apart.tags.iter().find(|line| line.tag == tag).unwrap_or(&none);
        let limit = ground.harm_limit(found.legitimate);
        let safe = found.domains == 0 || found.harm.at_most.is_some_and(|most| most <= limit);
        let words = match (found.domains, found.harm.at_most) {
            (0, _) => format!("No such name was seen: {set} harms nothing."),
            (_, Some(most)) if safe && most > 0.0 && most < 0.05 => {
                format!("{set} would stop fewer than 0.1 legitimate messages a day: it can go first.")
            }
            (_, Some(most)) if safe => {
                format!("{set} would stop at most {} legitimate messages a day: it can go first.", rate(most))
            }
            (_, Some(most)) => {
                format!("{set} may stop {} legitimate messages a day; {} are allowed.", rate(most), rate(limit))
            }
            (_, None) => "There are too few days to say.".to_owned(),
        };
        Part {
            tag,
            set,
            names: found.domains,
            legitimate: found.legitimate,
            harm: found.harm,
            spoofed: found.spoofed.expected,
            limit,
            safe,
            words,
        }
    };
    let step = ground.step;
    vec![part(Tag::Np, "np=reject".to_owned()), part(Tag::Sp, format!("sp={step}")), part(Tag::P, format!("p={step}"))]
}

fn names(apart: &Apart) -> Vec<Name> {
    let name = |line: &crate::PreviewDomain| Name {
        domain: line.domain.to_string(),
        tag: line.tag,
        legitimate: line.legitimate,
        harm: line.harm,
        spoofed: line.spoofed,
    };
    let mut names: Vec<Name> = apart.domains.iter().filter(|line| line.legitimate > 0.0).map(name).collect();
    names.sort_by(|a, b| b.legitimate.total_cmp(&a.legitimate).then_with(|| a.domain.cmp(&b.domain)));
    names.truncate(NAMES_MAX);
    names
}
