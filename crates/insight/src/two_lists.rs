//! The two lists: good sources that fail beside bad sources that fail, and whether it looks safe to tighten the policy.
//!
//! In: the snapshot of flows; grades as they were learned. Out: both sides with their flows, sums a day, and one sentence. Good is what
//! somebody wanted sent, and what nobody knows but comes from addresses of good standing; bad is what is sent without any right, and what
//! nobody knows from addresses of bad standing; the rest stands on neither side, and is a question.

use std::net::IpAddr;

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;
use store::Ledger;

use crate::counts::float;
use crate::flows::{DayCount, class_on, load, more, shown, stale, within};
use crate::incomplete::incomplete;
use crate::scope::{length, place};
use crate::{Diagnosis, Error, FlowClass, FlowLine, Period, Scope, rate};

/// Lines of each side.
const LINES: usize = 50;

/// When it looks safe to tighten.
struct Limits {
    /// Good messages that may fail a day, whatever the volume: a handful a day is never without its forwarders.
    a_day: f64,
    /// And of all wanted messages, this share.
    share: f64,
    /// Messages nobody can say anything about, as a share of wanted ones.
    unknown: f64,
    /// Days with mail: four weeks, so that what comes once a month was seen.
    days: u64,
}

const LIMITS: Limits = Limits { a_day: 10.0, share: 0.001, unknown: 0.005, days: 28 };

/// Good sources that fail, and bad ones.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TwoLists {
    /// The author domain, or `None` for all.
    #[schemars(with = "Option<String>")]
    pub domain: Option<Text>,
    /// First and last day counted: days that are still coming in are not. Absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// Whether reports came since this was worked out.
    pub stale: bool,
    /// Good sources that fail: what a stricter policy would hurt.
    pub good: ListSide,
    /// Bad sources that fail: what it would stop.
    pub bad: ListSide,
    /// What fails and is neither.
    pub neither: ListSide,
    /// All messages that somebody wanted sent, passing or not.
    pub wanted: u64,
    /// How many good messages may fail a day.
    pub limit_a_day: f64,
    /// Whether it looks safe to tighten.
    pub verdict: Tighten,
    /// What stands in the way, one sentence each.
    pub obstacles: Vec<String>,
    /// One sentence for people.
    pub sentence: String,
}

/// Whether it looks safe to tighten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tighten {
    /// It does.
    LooksSafe,
    /// Not yet: something stands in the way.
    NotYet,
    /// Too few days to say.
    NotEnoughData,
}

/// One of the lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct ListSide {
    /// Its flows, those that fail most first; at most 50.
    pub lines: Vec<ListLine>,
    /// How many there are.
    pub flows: u64,
    /// Their addresses.
    pub sources: u64,
    /// Failing messages.
    pub failing: u64,
    /// Of these: held back by no receiver.
    pub delivered: u64,
    /// Failing messages a day.
    pub a_day: f64,
    /// Failing messages on each day.
    pub by_day: Vec<u64>,
}

/// A flow that fails.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ListLine {
    /// Its id.
    pub flow: String,
    /// Who sends, in a few words.
    pub name: String,
    /// The organizational domain in whose name it sends.
    #[schemars(with = "String")]
    pub organizational_domain: Text,
    /// What it is.
    pub class: FlowClass,
    /// How sure, in per cent.
    pub confidence: u8,
    /// The rule that decided.
    pub rule: String,
    /// Why, in one sentence.
    pub why: String,
    /// What is wrong, where something of ours or for us does not pass.
    pub diagnosis: Option<Diagnosis>,
    /// How many flows it stands for.
    pub together: u64,
    /// Addresses.
    pub sources: u64,
    /// The address with most messages.
    #[schemars(with = "Option<String>")]
    pub address: Option<IpAddr>,
    /// Its grade from −10 to +10, where one was learned.
    pub grade: Option<f64>,
    /// Failing messages.
    pub failing: u64,
    /// Of these: held back by no receiver.
    pub delivered: u64,
    /// Failing messages a day.
    pub a_day: f64,
    /// Failing messages on each day.
    pub by_day: Vec<u64>,
}

/// Both lists of a scope. Of it, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn two_lists(ledger: &Ledger, scope: &Scope) -> Result<TwoLists, Error> {
    let mut found = TwoLists {
        domain: scope.domain.clone(),
        days: complete(ledger, scope.period)?,
        stale: false,
        good: ListSide::default(),
        bad: ListSide::default(),
        neither: ListSide::default(),
        wanted: 0,
        limit_a_day: LIMITS.a_day,
        verdict: Tighten::NotEnoughData,
        obstacles: Vec::new(),
        sentence: String::new(),
    };
    let mut with_mail = 0;
    if let (Some(days), Some((snapshot, counts))) = (found.days, load(ledger)?) {
        found.stale = stale(ledger)?;
        let (mut seen, mut failing) = (vec![false; length(days)], Vec::new());
        for (line, authors) in snapshot.flows.iter().zip(&counts.0) {
            failing.clear();
            for day in shown(scope, line, authors).into_iter().flat_map(|all| within(all, days)) {
                if let Some(at) = place(days, day.day) {
                    seen[at] = true;
                    failing.extend((day.failing > 0).then_some((at, *day)));
                }
                if class_on(line, day.day).is_legitimate() {
                    found.wanted = found.wanted.saturating_add(day.messages);
                }
            }
            if !failing.is_empty() {
                let mut counted = ListLine::of(line, days);
                for (at, day) in &failing {
                    counted.add(*at, *day);
                }
                found.side(line).add(counted);
            }
        }
        with_mail = seen.iter().filter(|seen| **seen).count() as u64;
        for side in [&mut found.good, &mut found.bad, &mut found.neither] {
            side.settle(days);
        }
        graded(ledger, &mut found.good.lines)?;
        graded(ledger, &mut found.bad.lines)?;
    }
    found.judge(with_mail);
    Ok(found)
}

/// A period without the newest days whose reports are still coming in.
pub(crate) fn complete(ledger: &Ledger, period: Period) -> Result<Option<(Day, Day)>, Error> {
    let Some((first, last)) = period.days(ledger)? else { return Ok(None) };
    let late = incomplete(ledger, &Scope::default(), (first, last))?;
    let last = late.first().map_or(last, |late| late.day.plus(-1));
    // A period of such days alone is told as it is.
    Ok(Some(if last < first { period.days(ledger)?.unwrap_or((first, last)) } else { (first, last) }))
}

/// Where standing says of what nobody knows on which side it stands.
pub(crate) fn leans(line: &FlowLine) -> Option<bool> {
    let all = line.outcomes.messages();
    match line.class {
        FlowClass::Spoofer => Some(false),
        FlowClass::Unknown if line.good.saturating_mul(2) > all => Some(true),
        FlowClass::Unknown if line.suspicious.saturating_mul(2) > all => Some(false),
        FlowClass::Unknown => None,
        _ => Some(true),
    }
}

/// Grades of the addresses with most messages.
fn graded(ledger: &Ledger, lines: &mut [ListLine]) -> Result<(), Error> {
    for line in lines.iter_mut() {
        line.address = more(ledger, &line.flow)?.and_then(|more| more.addresses.first().map(|source| source.address));
    }
    let addresses: Vec<IpAddr> = lines.iter().filter_map(|line| line.address).collect();
    let profiles = crate::profile::profiles(ledger, &addresses)?;
    for line in lines {
        line.grade = line.address.and_then(|address| profiles.get(&address)).and_then(|profile| profile.grade);
    }
    Ok(())
}

impl ListLine {
    fn of(line: &FlowLine, days: (Day, Day)) -> Self {
        Self {
            flow: line.id.clone(),
            name: line.name.clone(),
            organizational_domain: line.organizational_domain.clone(),
            class: line.class,
            confidence: line.confidence,
            rule: line.rule.clone(),
            why: line.why.clone(),
            diagnosis: line.diagnosis,
            together: line.together,
            sources: line.sources,
            address: None,
            grade: None,
            failing: 0,
            delivered: 0,
            a_day: 0.0,
            by_day: vec![0; length(days)],
        }
    }

    fn add(&mut self, at: usize, day: DayCount) {
        self.failing = self.failing.saturating_add(day.failing);
        self.delivered = self.delivered.saturating_add(day.delivered);
        if let Some(sum) = self.by_day.get_mut(at) {
            *sum = sum.saturating_add(day.failing);
        }
    }
}

impl ListSide {
    fn add(&mut self, line: ListLine) {
        self.flows = self.flows.saturating_add(line.together);
        self.sources = self.sources.saturating_add(line.sources);
        self.failing = self.failing.saturating_add(line.failing);
        self.delivered = self.delivered.saturating_add(line.delivered);
        self.by_day.resize(line.by_day.len(), 0);
        for (sum, more) in self.by_day.iter_mut().zip(&line.by_day) {
            *sum = sum.saturating_add(*more);
        }
        self.lines.push(line);
    }

    fn settle(&mut self, days: (Day, Day)) {
        self.lines.sort_by(|a, b| b.failing.cmp(&a.failing).then_with(|| a.flow.cmp(&b.flow)));
        self.lines.truncate(LINES);
        self.a_day = a_day(self.failing, length(days));
        for line in &mut self.lines {
            line.a_day = a_day(line.failing, length(days));
        }
    }
}

impl TwoLists {
    fn side(&mut self, line: &FlowLine) -> &mut ListSide {
        match leans(line) {
            Some(true) => &mut self.good,
            Some(false) => &mut self.bad,
            None => &mut self.neither,
        }
    }

    /// Says whether it looks safe.
    fn judge(&mut self, with_mail: u64) {
        let days = self.days.map_or(1, length);
        let wanted = a_day(self.wanted, days);
        self.limit_a_day = LIMITS.a_day.max(wanted * LIMITS.share);
        let (good, bad) = (self.good.a_day, self.bad.a_day);
        let told = format!("Good sources that fail: {} a day. Bad sources that fail: {} a day.", rate(good), rate(bad));
        if with_mail < LIMITS.days {
            self.verdict = Tighten::NotEnoughData;
            let what = format!(
                "{with_mail} of {} days with mail were seen: too few to say what comes once a month.",
                LIMITS.days
            );
            self.sentence = format!("{told} Not enough data: {what}");
            self.obstacles.push(what);
            return;
        }
        if good > self.limit_a_day {
            self.obstacles.push(self.too_much_good());
        }
        if self.neither.a_day > wanted * LIMITS.unknown && self.neither.a_day > LIMITS.a_day {
            self.obstacles.push(format!(
                "Of {} a day nobody can say what they are; look at the largest of them first.",
                rate(self.neither.a_day)
            ));
        }
        self.verdict = if self.obstacles.is_empty() { Tighten::LooksSafe } else { Tighten::NotYet };
        self.sentence = match self.obstacles.first() {
            None => format!("{told} It looks safe to tighten."),
            Some(first) => format!("{told} Not yet safe to tighten. {first}"),
        };
    }

    fn too_much_good(&self) -> String {
        let limit = rate(self.limit_a_day);
        let largest: Vec<&ListLine> = self.good.lines.iter().take(2).collect();
        let sum: f64 = largest.iter().map(|line| line.a_day).sum();
        let who = match largest.as_slice() {
            [one] => format!("{} is all of it", Text::new(&one.name)),
            _ => format!("the two largest flows make up {} of them", rate(sum)),
        };
        format!("At most {limit} good ones a day should fail, and {} do; {who}.", rate(self.good.a_day))
    }
}

pub(crate) fn a_day(messages: u64, days: usize) -> f64 {
    float(messages) / float(days.max(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_not_nothing() {
        for (value, expected) in
            [(0.0, "0"), (0.001, "<0.1"), (0.05, "0.1"), (1.26, "1.3"), (9.97, "10"), (12_345.4, "12,345")]
        {
            assert_eq!(rate(value), expected, "{value}");
        }
    }

    fn line(name: &str, failing: u64, days: usize) -> ListLine {
        ListLine {
            flow: name.to_owned(),
            name: name.to_owned(),
            organizational_domain: Text::new("a.example"),
            class: FlowClass::OwnMisconfigured,
            confidence: 90,
            rule: String::new(),
            why: String::new(),
            diagnosis: None,
            together: 1,
            sources: 1,
            address: None,
            grade: None,
            failing,
            delivered: 0,
            a_day: 0.0,
            by_day: vec![failing / days as u64; days],
        }
    }

    /// Thirty days with so many failing messages a day on each side.
    fn lists(good: &[u64], bad: u64, neither: u64, wanted: u64) -> TwoLists {
        let days = (Day(0), Day(29));
        let mut found = TwoLists {
            domain: None,
            days: Some(days),
            stale: false,
            good: ListSide::default(),
            bad: ListSide::default(),
            neither: ListSide::default(),
            wanted: wanted * 30,
            limit_a_day: 0.0,
            verdict: Tighten::NotYet,
            obstacles: Vec::new(),
            sentence: String::new(),
        };
        for (at, good) in good.iter().enumerate() {
            found.good.add(line(&format!("good-{at}"), good * 30, 30));
        }
        found.bad.add(line("bad", bad * 30, 30));
        found.neither.add(line("neither", neither * 30, 30));
        for side in [&mut found.good, &mut found.bad, &mut found.neither] {
            side.settle(days);
        }
        found
    }

    #[test]
    fn whether_it_is_safe_is_said_with_its_figures() {
        use Tighten::{LooksSafe, NotEnoughData, NotYet};
        let cases = [
            (
                "a handful a day of many",
                lists(&[9, 5], 6_210, 0, 41_000),
                30,
                LooksSafe,
                "Good sources that fail: 14 a day. Bad sources that fail: 6,210 a day. It looks safe to tighten.",
            ),
            (
                "too many",
                lists(&[17, 20, 9], 6_210, 0, 41_000),
                30,
                NotYet,
                "Good sources that fail: 46 a day. Bad sources that fail: 6,210 a day. Not yet safe to tighten. \
                 At most 41 good ones a day should fail, and 46 do; the two largest flows make up 37 of them.",
            ),
            (
                "too much that nobody knows",
                lists(&[1], 6_210, 900, 41_000),
                30,
                NotYet,
                "Good sources that fail: 1.0 a day. Bad sources that fail: 6,210 a day. Not yet safe to tighten. \
                 Of 900 a day nobody can say what they are; look at the largest of them first.",
            ),
            (
                "a small company has its handful too",
                lists(&[9], 3, 2, 100),
                30,
                LooksSafe,
                "Good sources that fail: 9.0 a day. Bad sources that fail: 3.0 a day. It looks safe to tighten.",
            ),
            (
                "too few days",
                lists(&[1], 3, 0, 100),
                12,
                NotEnoughData,
                "Good sources that fail: 1.0 a day. Bad sources that fail: 3.0 a day. Not enough data: \
                 12 of 28 days with mail were seen: too few to say what comes once a month.",
            ),
        ];
        for (why, mut lists, days, verdict, sentence) in cases {
            lists.judge(days);
            assert_eq!((lists.verdict, lists.sentence.as_str()), (verdict, sentence), "{why}");
        }
    }

    #[test]
    fn sums_are_those_of_the_lines() {
        let found = lists(&[3, 40, 7], 1, 1, 10);
        assert_eq!((found.good.failing, found.good.flows), (1_500, 3));
        assert_eq!(found.good.by_day, vec![50; 30]);
        let order: Vec<&str> = found.good.lines.iter().map(|line| line.flow.as_str()).collect();
        assert_eq!(order, ["good-1", "good-2", "good-0"]);
    }
}
