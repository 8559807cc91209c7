//! A day on which far more failed than usual, told by class and by flow: one campaign, or many spoofers?
//!
//! In: the snapshot's days. Out: [`ClassSpike`]s. Which days stand out is said by the same rule as for outcomes; what is usual for a flow is
//! the median of the days of the same kind around it.

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::answers::{ClassDay, FlowLine};
use super::class::FlowClass;
use super::features::DayCount;
use crate::counts::ratio;
use crate::spike::{ALIKE_DAYS, alike_days, find, median, percent};
use crate::{TrendDay, TrendTotals, commas};

/// Flows named.
const NAMED: usize = 5;
/// This share of the extra messages makes one flow, or one class, the cause.
const CAUSE: f64 = 0.6;

/// What made a day different, by class and by flow.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClassSpike {
    /// The day.
    #[schemars(with = "String")]
    pub day: Day,
    /// Failing messages on that day.
    pub failing: u64,
    /// Failing messages on a usual day.
    pub usual: u64,
    /// Whether one flow is most of it.
    pub one_flow: bool,
    /// The classes that rose, most first.
    pub classes: Vec<ClassRise>,
    /// The flows that rose most; at most five.
    pub flows: Vec<FlowRise>,
    /// One sentence for people.
    pub sentence: String,
}

/// How much more of a class failed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ClassRise {
    /// The class.
    pub class: FlowClass,
    /// Failing messages on that day.
    pub failing: u64,
    /// On a usual day.
    pub usual: u64,
    /// Its share of all that failed more than usual, 0 to 1.
    pub share: f64,
}

/// How much more of a flow failed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FlowRise {
    /// The flow.
    pub flow: String,
    /// Who sends, in a few words.
    pub name: String,
    /// What it was on that day.
    pub class: FlowClass,
    /// How many flows it stands for.
    pub together: u64,
    /// Failing messages on that day.
    pub failing: u64,
    /// On a usual day.
    pub usual: u64,
    /// Its share of all that failed more than usual, 0 to 1.
    pub share: f64,
}

/// The days that stand out among these, the largest first.
pub(super) fn standing_out(days: &[ClassDay]) -> Vec<(Day, u64, u64)> {
    let counts = |day: &ClassDay| {
        let (messages, failing) = (day.classes.messages(), day.failing.messages());
        let mut counts =
            TrendTotals { messages, dmarc_pass: messages.saturating_sub(failing), ..TrendTotals::default() };
        counts.outcome.neither = failing;
        TrendDay { day: day.day, counts }
    };
    let days: Vec<TrendDay> = days.iter().map(counts).collect();
    find(&days).into_iter().map(|spike| (spike.day, spike.failing, spike.usual)).collect()
}

/// What is being gathered about one day.
pub(super) struct Gathering {
    day: Day,
    failing: u64,
    usual: u64,
    /// The days of the same kind around it that the ledger has.
    around: Vec<Day>,
    classes: [(u64, Vec<u64>); FlowClass::ALL.len()],
    flows: Vec<FlowRise>,
}

impl Gathering {
    pub(super) fn new((day, failing, usual): (Day, u64, u64), span: (Day, Day)) -> Self {
        let near = (day.plus(-ALIKE_DAYS).max(span.0), day.plus(ALIKE_DAYS).min(span.1));
        let around: Vec<Day> = alike_days(near, day).collect();
        let none = || (0, vec![0; around.len()]);
        let classes = FlowClass::ALL.map(|_| none());
        Self { day, failing, usual, around, classes, flows: Vec::new() }
    }

    /// Adds a flow with its days; `on` says what it was when.
    pub(super) fn add(&mut self, line: &FlowLine, days: &[&[DayCount]], on: impl Fn(Day) -> FlowClass) {
        let failing = |day: Day| -> u64 {
            let of = |days: &&[DayCount]| days.binary_search_by_key(&day, |d| d.day).map_or(0, |at| days[at].failing);
            days.iter().map(of).sum()
        };
        let today = failing(self.day);
        let class = on(self.day);
        let mut before = Vec::with_capacity(self.around.len());
        for (at, day) in self.around.iter().enumerate() {
            let n = failing(*day);
            before.push(n);
            self.classes[on(*day).place()].1[at] += n;
        }
        self.classes[class.place()].0 += today;
        let usual = median(&mut before);
        if today > usual {
            let rise = FlowRise {
                flow: line.id.clone(),
                name: line.name.clone(),
                class,
                together: line.together,
                failing: today,
                usual,
                share: 0.0,
            };
            self.flows.push(rise);
        }
    }

    /// Puts it together.
    pub(super) fn told(self) -> ClassSpike {
        let mut classes: Vec<ClassRise> = FlowClass::ALL
            .into_iter()
            .zip(self.classes)
            .map(|(class, (failing, mut before))| ClassRise { class, failing, usual: median(&mut before), share: 0.0 })
            .filter(|rise| rise.failing > rise.usual)
            .collect();
        // What rose, by class: where some fell, their sum is more than the day's excess.
        let excess: u64 = classes.iter().map(|rise| rise.failing - rise.usual).sum();
        for rise in &mut classes {
            rise.share = ratio(rise.failing - rise.usual, excess);
        }
        classes.sort_by_key(|rise| std::cmp::Reverse(rise.failing - rise.usual));
        let mut flows = self.flows;
        flows.sort_by(|a, b| (b.failing - b.usual).cmp(&(a.failing - a.usual)).then_with(|| a.flow.cmp(&b.flow)));
        flows.truncate(NAMED);
        for rise in &mut flows {
            rise.share = ratio(rise.failing - rise.usual, excess).min(1.0);
        }
        let one_flow = flows.first().is_some_and(|rise| rise.share >= CAUSE && rise.together <= 1);
        let sentence = sentence(&classes, &flows, excess);
        let (day, failing, usual) = (self.day, self.failing, self.usual);
        ClassSpike { day, failing, usual, one_flow, classes, flows, sentence }
    }
}

fn sentence(classes: &[ClassRise], flows: &[FlowRise], excess: u64) -> String {
    let (Some(class), Some(flow)) = (classes.first(), flows.first()) else {
        return "No class and no flow failed more than usual.".to_owned();
    };
    let of = |share: f64| format!("{} % of the {} extra messages", percent(share), commas(excess));
    if flow.share >= CAUSE && flow.together <= 1 {
        let who = Text::new(&flow.name);
        let what = match flow.class {
            FlowClass::Own | FlowClass::OwnMisconfigured => "Our own mail, not an attack",
            FlowClass::ThirdParty | FlowClass::ThirdPartyUnaligned => "One bulk campaign of a service, not an attack",
            FlowClass::ForwarderIntact | FlowClass::ForwarderBroken => "One forwarder, not an attack",
            FlowClass::Spoofer => "One spoofing campaign",
            FlowClass::Unknown => "One sender that nobody knows",
        };
        return format!("{what}: {} are {who}.", of(flow.share));
    }
    if class.share < CAUSE {
        let named: Vec<String> = classes
            .iter()
            .take(3)
            .map(|rise| format!("{} {} %", rise.class.label().to_lowercase(), percent(rise.share)))
            .collect();
        return format!("No single cause: of {} extra messages {}.", commas(excess), named.join(", "));
    }
    let what = match class.class {
        FlowClass::Own | FlowClass::OwnMisconfigured => "Several of our own streams, not an attack",
        FlowClass::ThirdParty | FlowClass::ThirdPartyUnaligned => "Several services, not an attack",
        FlowClass::ForwarderIntact | FlowClass::ForwarderBroken => "Several forwarders, not an attack",
        FlowClass::Spoofer => "Many spoofers at once",
        FlowClass::Unknown => "Several senders that nobody knows",
    };
    format!("{what}: {} are of class {}.", of(class.share), class.class.label().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(class: FlowClass, together: u64, share: f64) -> FlowRise {
        FlowRise {
            flow: "f".into(),
            name: "northwind-esp.example".into(),
            class,
            together,
            failing: 0,
            usual: 0,
            share,
        }
    }

    fn of_class(class: FlowClass, share: f64) -> ClassRise {
        ClassRise { class, failing: 0, usual: 0, share }
    }

    #[test]
    fn a_campaign_is_told_from_many_spoofers() {
        use FlowClass::{OwnMisconfigured, Spoofer, ThirdPartyUnaligned, Unknown};
        let cases = [
            (
                "a service's campaign",
                vec![of_class(ThirdPartyUnaligned, 0.97)],
                vec![rise(ThirdPartyUnaligned, 1, 0.97)],
                "One bulk campaign of a service, not an attack: 97 % of the 18,400 extra messages are northwind-esp.example.",
            ),
            (
                "a crowd is kept as one line and is many all the same",
                vec![of_class(Spoofer, 0.9)],
                vec![rise(Spoofer, 900, 0.9)],
                "Many spoofers at once: 90 % of the 18,400 extra messages are of class spoofer.",
            ),
            (
                "one loud host",
                vec![of_class(Spoofer, 0.9)],
                vec![rise(Spoofer, 1, 0.8)],
                "One spoofing campaign: 80 % of the 18,400 extra messages are northwind-esp.example.",
            ),
            (
                "several of ours",
                vec![of_class(OwnMisconfigured, 0.7)],
                vec![rise(OwnMisconfigured, 1, 0.3)],
                "Several of our own streams, not an attack: 70 % of the 18,400 extra messages are of class own, misconfigured.",
            ),
            (
                "nothing in particular",
                vec![of_class(Spoofer, 0.5), of_class(Unknown, 0.4)],
                vec![rise(Spoofer, 1, 0.2)],
                "No single cause: of 18,400 extra messages spoofer 50 %, unknown 40 %.",
            ),
        ];
        for (why, classes, flows, expected) in cases {
            assert_eq!(sentence(&classes, &flows, 18_400), expected, "{why}");
        }
    }

    #[test]
    fn what_rose_is_what_is_more_than_usual() {
        let monday: Day = "2025-12-22".parse().unwrap();
        let mut gathering = Gathering::new((monday, 5_010, 20), (monday.plus(-20), monday.plus(20)));
        let line: FlowLine = serde_json::from_value(serde_json::json!({
            "id": "aaaaaaaaaa", "organizational_domain": "a.example", "name": "n", "class": "spoofer", "confidence": 90,
            "rule": "C7-loud", "why": "w", "diagnosis": null, "messages": 1, "failing": 1,
            "outcomes": {"both": 0, "dkim_only": 0, "spf_only": 0, "forwarded": 0, "unaligned": 0, "unauthenticated": 1},
            "dispositions": {"none": 1, "pass": 0, "quarantine": 0, "reject": 0}, "first_day": "2025-12-01",
            "last_day": "2025-12-30", "active_days": 3, "sources": 1, "networks": 1, "reporters": 1, "good": 0,
            "suspicious": 0, "decision": null, "together": 1, "domains": [], "phases": []
        }))
        .unwrap();
        let count = |back: i32, failing| DayCount { day: monday.plus(back), messages: failing, failing, delivered: 0 };
        let steady: Vec<DayCount> = (-14..=14).map(|back| count(back, 10)).collect();
        let burst = [count(0, 5_000)];
        gathering.add(&line, &[&steady], |_| FlowClass::OwnMisconfigured);
        gathering.add(&line, &[&burst], |_| FlowClass::Spoofer);
        let told = gathering.told();
        assert_eq!(told.classes, [ClassRise { class: FlowClass::Spoofer, failing: 5_000, usual: 0, share: 1.0 }]);
        assert!(told.one_flow && told.flows.len() == 1, "{told:?}");
    }
}
