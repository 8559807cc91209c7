//! G1 to G5 and G7: what the mail itself says.

use super::answers::{GateFlow, GateState, See};
use super::assemble::{Draft, Ground};
use crate::FlowClass;
use crate::counts::ratio;
use crate::preview::{Reached, Study};
use crate::rate;

/// Flows named beside a gate.
const NAMED: usize = 10;
/// Messages over the days shown from which on a flow is looked at by itself.
const COUNTS: f64 = 10.0;
/// Share of legitimate mail from which on a flow is a larger one.
const LARGER: f64 = 0.01;
/// Messages a day from which on an unknown flow of good standing stands in the way by itself.
const UNKNOWN_LARGE: f64 = 10.0;
/// Share of its mail from addresses of good standing that makes an unknown flow worth asking about.
const GOOD: f64 = 0.2;

/// Sums that several gates use.
pub(super) struct Traffic<'a> {
    ground: &'a Ground<'a>,
    study: &'a Study,
    legitimate: Vec<&'a Reached>,
    messages: f64,
    days: f64,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, study: &'a Study) -> Self {
        let legitimate: Vec<&Reached> = study.reached.iter().filter(|flow| flow.line.class.is_legitimate()).collect();
        let messages = legitimate.iter().map(|flow| flow.messages).sum();
        let days = f64::from(study.preview.days.1.0 - study.preview.days.0.0 + 1);
        Self { ground, study, legitimate, messages, days }
    }

    pub(super) fn gates(&self) -> [Draft; 6] {
        [self.unknown(), self.each_flow(), self.all_mail(), self.signed(), self.harm(), self.newcomers()]
    }

    fn unknown(&self) -> Draft {
        let flows = || self.study.reached.iter().filter(|flow| flow.line.class == FlowClass::Unknown);
        let unknown: f64 = flows().map(|flow| flow.messages).sum();
        let share = percent(unknown, self.messages);
        let good = |flow: &&Reached| {
            let standing = ratio(flow.line.good, flow.line.outcomes.messages());
            flow.messages > UNKNOWN_LARGE && standing > GOOD
        };
        let mut large: Vec<&Reached> = flows().filter(good).collect();
        let passes = share <= self.ground.needed.unknown_percent && large.is_empty();
        let mut why = vec![format!(
            "{} messages a day of {} flows are unknown, beside {} legitimate ones.",
            rate(unknown),
            flows().count(),
            rate(self.messages)
        )];
        if !passes {
            why.push(
                "Say what they are (`lamppost decide`), the largest first; unknown is not a threat, but a question."
                    .to_owned(),
            );
        }
        if large.is_empty() && !passes {
            large = flows().collect();
        }
        Self::draft("G1", "Sources known", passes, See::Flows)
            .with(
                format!("{share:.2} % unknown"),
                format!("≤ {} %, none large of good standing", self.ground.needed.unknown_percent),
                why,
            )
            .naming(large, |flow| format!("{} a day", rate(flow.messages)))
    }

    fn each_flow(&self) -> Draft {
        let looked_at =
            |flow: &&&Reached| flow.messages * self.days > COUNTS && flow.messages >= LARGER * self.messages;
        let larger: Vec<&Reached> = self.legitimate.iter().filter(looked_at).copied().collect();
        let needed = self.ground.needed.flow_percent;
        let failing: Vec<&Reached> = larger
            .iter()
            .filter(|flow| percent(flow.messages - flow.failing, flow.messages) < needed)
            .copied()
            .collect();
        let passes = failing.is_empty();
        let mut why = vec![format!("{} flows have at least 1 % of legitimate mail each.", larger.len())];
        if !passes {
            why.push("Each flow's page says what is wrong with it and what to do.".to_owned());
        }
        Self::draft("G2", "Every larger legitimate flow passes", passes, See::Flows)
            .with(format!("{} of {}", larger.len() - failing.len(), larger.len()), format!("each ≥ {needed} %"), why)
            .naming(failing, |flow| format!("{:.1} % passes", percent(flow.messages - flow.failing, flow.messages)))
    }

    fn all_mail(&self) -> Draft {
        let failing: f64 = self.legitimate.iter().map(|flow| flow.failing).sum();
        let passing = percent(self.messages - failing, self.messages);
        let needed = self.ground.needed.legitimate_percent;
        let passes = passing >= needed;
        let why = vec![format!("{} of {} legitimate messages a day fail.", rate(failing), rate(self.messages))];
        let worst = if passes { Vec::new() } else { self.legitimate.clone() };
        Self::draft("G3", "All legitimate mail passes", passes, See::Flows)
            .with(format!("{passing:.2} %"), format!("≥ {needed} %"), why)
            .naming_by(worst, |flow| flow.failing, |flow| format!("{} a day fail", rate(flow.failing)))
    }

    fn signed(&self) -> Draft {
        let signed: f64 = self.legitimate.iter().map(|flow| flow.signed).sum();
        let share = percent(signed, self.messages);
        let needed = self.ground.needed.signed_percent;
        // SPF alone: most of what passes does so without a signature.
        let spf_only = |flow: &&&Reached| {
            let passing = flow.messages - flow.failing;
            passing * self.days > COUNTS && flow.signed * 2.0 < passing
        };
        let by_spf: Vec<&Reached> = self.legitimate.iter().filter(spf_only).copied().collect();
        let reject = self.ground.step == report::Policy::Reject;
        let passes = share >= needed && (!reject || by_spf.is_empty());
        let mut why = vec![format!("{} flows rest on SPF alone, which forwarding breaks.", by_spf.len())];
        if reject {
            why.push("RFC 9989 §7.4: before reject no legitimate mail may rely on SPF alone.".to_owned());
        }
        let text = if reject { format!("≥ {needed} %, none by SPF alone") } else { format!("≥ {needed} %") };
        let warns = passes && !by_spf.is_empty();
        let mut draft = Self::draft("G4", "Signed and aligned", passes, See::Flows)
            .with(format!("{share:.1} %; {} flows by SPF alone", by_spf.len()), text, why)
            .naming(by_spf, |flow| format!("{} a day", rate(flow.messages)));
        if warns {
            draft.state = GateState::Warn;
        }
        draft
    }

    fn harm(&self) -> Draft {
        let harm = self.study.preview.harm;
        let limit = self.ground.harm_limit(self.messages);
        let passes = harm.at_most.is_some_and(|most| most <= limit);
        let measured = match harm.at_most {
            Some(most) => format!("{} a day, at most {}", rate(harm.expected), rate(most)),
            None => format!("{} a day, too few days for a bound", rate(harm.expected)),
        };
        let mut why = vec![self.study.preview.bound.clone()];
        if self.ground.step == report::Policy::Reject {
            why.push("Tell those who run mailing lists: their mail in your name will be refused.".to_owned());
        }
        let mut worst: Vec<&crate::PreviewFlow> = self.study.preview.flows.iter().collect();
        worst.sort_by(|a, b| b.stopped.expected.total_cmp(&a.stopped.expected));
        let flow = |flow: &&crate::PreviewFlow| GateFlow {
            id: flow.id.clone(),
            name: flow.name.clone(),
            class: flow.class,
            figure: format!("{} a day", rate(flow.stopped.expected)),
        };
        let mut draft = Self::draft("G5", "Predicted harm", passes, See::Preview).with(
            measured,
            format!("≤ {} a day", rate(limit)),
            why,
        );
        if !passes {
            let harmed = worst.iter().filter(|flow| flow.stopped.expected >= 0.05);
            draft.flows = harmed.take(NAMED).map(flow).collect();
        }
        draft
    }

    fn newcomers(&self) -> Draft {
        let days = i32::from(self.ground.needed.quiet_days);
        let since = self.study.preview.days.1.plus(1 - days);
        let new = |flow: &&&Reached| flow.line.first_day >= since && flow.messages * self.days > COUNTS;
        let new: Vec<&Reached> = self.legitimate.iter().filter(new).copied().collect();
        let passes = new.is_empty();
        let why = vec![format!("Legitimate flows seen for the first time since {since}, with more than ten messages.")];
        let measured = match new.iter().map(|flow| flow.line.first_day).max() {
            Some(newest) => format!("{} new, the newest on {newest}", new.len()),
            None => format!("none in {days} days"),
        };
        Self::draft("G7", "No new legitimate flow", passes, See::Flows)
            .with(measured, format!("none in {days} days"), why)
            .naming(new, |flow| format!("since {}, {} a day", flow.line.first_day, rate(flow.messages)))
    }

    fn draft(id: &'static str, title: &'static str, passes: bool, see: See) -> Draft {
        // Without any legitimate mail that the policy reaches there is nothing that could fail, and it is said.
        let state = if passes { GateState::Pass } else { GateState::Fail };
        Draft {
            id,
            title,
            state,
            measured: String::new(),
            needed: String::new(),
            why: Vec::new(),
            flows: Vec::new(),
            see,
        }
    }
}

impl Draft {
    fn with(mut self, measured: String, needed: String, why: Vec<String>) -> Self {
        (self.measured, self.needed, self.why) = (measured, needed, why);
        self
    }

    fn naming(self, flows: Vec<&Reached>, figure: impl Fn(&Reached) -> String) -> Self {
        self.naming_by(flows, |flow| flow.messages, figure)
    }

    fn naming_by(
        mut self,
        mut flows: Vec<&Reached>,
        by: impl Fn(&Reached) -> f64,
        figure: impl Fn(&Reached) -> String,
    ) -> Self {
        flows.retain(|flow| by(flow) > 0.0);
        flows.sort_by(|a, b| by(b).total_cmp(&by(a)).then_with(|| a.line.id.cmp(&b.line.id)));
        let of = |flow: &&Reached| GateFlow {
            id: flow.line.id.clone(),
            name: flow.line.name.clone(),
            class: flow.line.class,
            figure: figure(flow),
        };
        self.flows = flows.iter().take(NAMED).map(of).collect();
        self
    }
}

/// A part in per cent; of nothing, all of it is fine.
fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        part / whole * 100.0
    } else if part > 0.0 {
        0.0
    } else {
        100.0
    }
}
