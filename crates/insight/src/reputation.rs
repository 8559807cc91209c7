//! Which of the sources that fail have a good reputation, and which a bad one: the mail that may be worth saving beside the spoofs.
//!
//! In: a scope; grades as they were learned. Out: both sides with all evidence, sums by band, and what is not known. Nothing is looked up.

use std::collections::BTreeMap;
use std::net::IpAddr;

use report::{Day, Outcome};
use schemars::JsonSchema;
use serde::Serialize;
use store::{Column, Direction, Key, Ledger, Measure, Value};

use crate::counts::number;
use crate::{Error, Profile, Scope};

/// Failing sources that are looked at, those with most failing messages first: each costs a look into the catalogue, and a page has 200 ms.
const LOOKED_AT: usize = 2_000;
/// Lines of each side.
const LINES: usize = 50;
/// Kinds of things that could not be learned.
const GAPS: usize = 10;

/// Failing sources by what is known of them.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Reputation {
    /// First and last day; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// Sources that fail, in all.
    pub sources: usize,
    /// Their failing messages.
    pub failing: u64,
    /// Sources that were looked at for what follows: those with most failing messages.
    pub looked_at: usize,
    /// Their failing messages, by band.
    pub bands: Vec<BandLine>,
    /// Those with a good reputation, the best first: what fails here may be somebody's legitimate mail.
    pub good: Vec<GradedSource>,
    /// Those with a bad one, the worst first: what fails here is likely spoofed.
    pub bad: Vec<GradedSource>,
    /// What could not be learned about them, and how many sources it is about.
    pub gaps: Vec<GapLine>,
    /// The day of the oldest profile among those looked at.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Day>,
    /// The day of the newest.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Day>,
}

/// What a band stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BandLine {
    /// `good`, `neutral`, `suspicious`, `unknown`: something was learned, and it says nothing; or `new`: nothing was learned yet.
    pub band: String,
    /// Sources.
    pub sources: usize,
    /// Their failing messages.
    pub failing: u64,
}

/// A source that fails, and what is known of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GradedSource {
    /// Its address.
    #[schemars(with = "String")]
    pub address: IpAddr,
    /// Failing messages.
    pub failing: u64,
    /// The last day with one.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// What is known of it.
    pub profile: Profile,
}

/// Something that could not be learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GapLine {
    /// What, and why.
    pub gap: String,
    /// About how many sources.
    pub sources: usize,
}

/// The bands, in the order in which they are told.
const BANDS: [&str; 5] = ["good", "neutral", "unknown", "suspicious", "new"];

/// Failing sources of a scope by what is known of them.
///
/// # Errors
/// When the ledger cannot be read.
pub fn reputation(ledger: &Ledger, scope: &Scope) -> Result<Reputation, Error> {
    let mut found = Reputation { days: scope.period.days(ledger)?, ..Reputation::default() };
    let Some(days) = found.days else { return Ok(found) };
    let kept = |outcome: &Outcome| !outcome.passes() && (scope.outcomes.is_empty() || scope.outcomes.contains(outcome));
    let outcomes: Vec<Outcome> = Outcome::ALL.into_iter().filter(kept).collect();
    if outcomes.is_empty() {
        return Ok(found);
    }
    let mut question = Scope { outcomes, ..scope.clone() }.question(days);
    question.group = vec![Column::Source];
    question.measures = vec![Measure::Messages, Measure::LastDay];
    question.order = vec![(Key::Measure(Measure::Messages), Direction::Descending)];
    question.limit = Some(LOOKED_AT);
    let answer = ledger.ask(&question)?;
    found.sources = answer.groups;
    found.failing = answer.totals.first().map_or(0, number);
    let lines: Vec<(IpAddr, u64, Day)> = answer.lines.iter().filter_map(line).collect();
    found.looked_at = lines.len();
    let addresses: Vec<IpAddr> = lines.iter().map(|(address, ..)| *address).collect();
    let mut profiles = crate::profile::profiles(ledger, &addresses)?;
    let lines =
        lines.into_iter().map(|(address, failing, last_day)| (address, failing, last_day, profiles.remove(&address)));
    found.sort(lines.collect());
    Ok(found)
}

fn line(line: &store::Line) -> Option<(IpAddr, u64, Day)> {
    match (line.key.first()?, &line.measures[..]) {
        (Value::Address(address), [messages, last]) => Some((*address, number(messages), crate::counts::day(last))),
        _ => None,
    }
}

impl Reputation {
    /// Puts every source where it belongs.
    fn sort(&mut self, lines: Vec<(IpAddr, u64, Day, Option<Profile>)>) {
        let mut bands = BANDS.map(|band| BandLine { band: band.to_owned(), sources: 0, failing: 0 });
        let mut gaps: BTreeMap<String, usize> = BTreeMap::new();
        for (address, failing, last_day, profile) in lines {
            let band = profile.as_ref().map_or("new", |profile| profile.band.as_str());
            if let Some(of_band) = bands.iter_mut().find(|line| line.band == band) {
                of_band.sources += 1;
                of_band.failing = of_band.failing.saturating_add(failing);
            }
            let Some(profile) = profile else { continue };
            self.oldest = Some(self.oldest.map_or(profile.learned, |day| day.min(profile.learned)));
            self.newest = Some(self.newest.map_or(profile.learned, |day| day.max(profile.learned)));
            for gap in &profile.gaps {
                *gaps.entry(gap.clone()).or_default() += 1;
            }
            let side = match profile.band.as_str() {
                "good" => &mut self.good,
                "suspicious" => &mut self.bad,
                _ => continue,
            };
            side.push(GradedSource { address, failing, last_day, profile });
        }
        self.bands = bands.into_iter().filter(|line| line.sources > 0).collect();
        // By grade; those of which only the name speaks come after those with evidence. Most failing messages first among equals.
        let grade = |line: &GradedSource| line.profile.grade.unwrap_or(0.0);
        let rest = |a: &GradedSource, b: &GradedSource| b.failing.cmp(&a.failing).then(a.address.cmp(&b.address));
        let evidence = |a: &GradedSource, b: &GradedSource| b.profile.graded.cmp(&a.profile.graded);
        self.good.sort_by(|a, b| evidence(a, b).then(grade(b).total_cmp(&grade(a))).then(rest(a, b)));
        self.bad.sort_by(|a, b| evidence(a, b).then(grade(a).total_cmp(&grade(b))).then(rest(a, b)));
        self.good.truncate(LINES);
        self.bad.truncate(LINES);
        self.gaps = gaps.into_iter().map(|(gap, sources)| GapLine { gap, sources }).collect();
        self.gaps.sort_by_key(|line| std::cmp::Reverse(line.sources));
        self.gaps.truncate(GAPS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(grade: Option<f64>, band: &str, learned: i32, gaps: &[&str]) -> Profile {
        Profile {
            name: None,
            names: Vec::new(),
            claimed: Vec::new(),
            name_grade: None,
            name_reason: None,
            asn: None,
            organisation: None,
            country: None,
            services: Vec::new(),
            grade,
            band: band.to_owned(),
            graded: grade.is_some(),
            evidence: Vec::new(),
            gaps: gaps.iter().map(|gap| (*gap).to_owned()).collect(),
            learned: Day(learned),
        }
    }

    #[test]
    fn each_source_stands_on_its_side_in_order() {
        let silent = "zen: no answer in time";
        let lines = [
            (1, 10, Some(profile(Some(3.4), "good", 100, &[]))),
            (2, 500, Some(profile(None, "good", 90, &[silent]))),
            (3, 20, Some(profile(Some(5.6), "good", 101, &[]))),
            (4, 900, Some(profile(Some(-10.0), "suspicious", 95, &[silent]))),
            (5, 4_000, Some(profile(None, "suspicious", 95, &["ptr: SERVFAIL"]))),
            (6, 700, Some(profile(Some(-2.0), "suspicious", 95, &[]))),
            (7, 800, Some(profile(Some(-2.0), "suspicious", 95, &[]))),
            (8, 30, Some(profile(Some(0.1), "neutral", 95, &[]))),
            (9, 60, None),
            (10, 40, None),
        ];
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut found = Reputation::default();
        found.sort(lines.into_iter().map(|(n, failing, profile)| (address(n), failing, Day(1), profile)).collect());
        let side = |lines: &[GradedSource]| lines.iter().map(|line| line.address).collect::<Vec<_>>();
        assert_eq!(side(&found.good), [3, 1, 2].map(address), "the best grade first; a name alone is no grade");
        assert_eq!(side(&found.bad), [4, 7, 6, 5].map(address), "the worst first; among equals who fails most");
        let bands: Vec<_> = found.bands.iter().map(|line| (line.band.as_str(), line.sources, line.failing)).collect();
        assert_eq!(bands, [("good", 3, 530), ("neutral", 1, 30), ("suspicious", 4, 6_400), ("new", 2, 100)]);
        assert_eq!((found.oldest, found.newest), (Some(Day(90)), Some(Day(101))));
        assert_eq!(found.gaps[0], GapLine { gap: silent.to_owned(), sources: 2 });
    }
}
