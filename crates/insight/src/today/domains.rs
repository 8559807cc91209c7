//! One organizational domain: its weeks, and what follows from them.

use report::{Day, Text};

use super::{TodayCard, TodayDomain, TodayKind, TodayState, TodayWeek, WEEKS};
use crate::flows::DayCount;
use crate::rate;
use crate::two_lists::a_day;
use crate::{FlowClass, FlowLine};

/// Days that it takes to say anything of a domain.
const ENOUGH: i32 = 14;
/// Spoofed messages a day that are delivered in the name of a domain that sends nothing, from which on it is worth a look.
const PARKED: f64 = 10.0;

/// A domain being judged.
pub(super) struct Judging {
    weeks: Vec<TodayWeek>,
    first_day: Option<Day>,
}

impl Judging {
    pub(super) fn new(last: Day) -> Self {
        let week = |back: i32| TodayWeek {
            first_day: last.plus(1 - back * 7),
            wanted: 0,
            wanted_failing: 0,
            unauthorised: 0,
            delivered: 0,
        };
        let weeks = (1..=i32::try_from(WEEKS).unwrap_or(i32::MAX)).rev().map(week).collect();
        Self { weeks, first_day: None }
    }

    /// The first day that is looked at.
    pub(super) fn from(&self) -> Day {
        self.weeks.first().map_or_else(Day::default, |week| week.first_day)
    }

    pub(super) fn seen(&mut self, line: &FlowLine) {
        self.first_day = Some(self.first_day.map_or(line.first_day, |day| day.min(line.first_day)));
    }

    pub(super) fn add(&mut self, day: DayCount, class: FlowClass) {
        let at = usize::try_from((day.day.0 - self.from().0) / 7).unwrap_or(usize::MAX);
        let Some(week) = self.weeks.get_mut(at) else { return };
        if class.is_legitimate() {
            week.wanted = week.wanted.saturating_add(day.messages);
            week.wanted_failing = week.wanted_failing.saturating_add(day.failing);
        } else if class == FlowClass::Spoofer {
            week.unauthorised = week.unauthorised.saturating_add(day.messages);
            week.delivered = week.delivered.saturating_add(day.delivered);
        }
    }

    /// The judged week.
    pub(super) fn this_week(&self) -> TodayWeek {
        self.weeks.last().copied().unwrap_or(TodayWeek {
            first_day: Day::default(),
            wanted: 0,
            wanted_failing: 0,
            unauthorised: 0,
            delivered: 0,
        })
    }

    /// The verdict. `first` is the first day of the ledger, `days` how many are judged.
    pub(super) fn judged(self, name: Text, cards: &[TodayCard], first: Day, days: usize) -> TodayDomain {
        let week = self.this_week();
        let known = self.first_day.unwrap_or(first).max(first);
        let had = self.from().plus(i32::try_from(WEEKS).unwrap_or(0) * 7).0 - known.0;
        let delivered = a_day(week.delivered, days);
        let of_it = |card: &&TodayCard| card.organizational_domain.as_ref() == Some(&name);
        let act = cards.iter().filter(of_it).find(|card| acts(card.kind));
        let (state, because) = if let Some(card) = act {
            (TodayState::Act, card.title.clone())
        } else if had < ENOUGH {
            let enough = known.plus(ENOUGH);
            (TodayState::NotEnoughData, format!("{} of {ENOUGH} days collected; enough on {enough}", had.max(0)))
        } else if let Some(card) = cards.iter().find(of_it) {
            (TodayState::Watch, card.title.clone())
        } else if week.wanted == 0 && delivered >= PARKED {
            let spoofs = rate(delivered);
            (
                TodayState::Watch,
                format!("sends nothing, and {spoofs} spoofed messages a day are delivered: publish p=reject"),
            )
        } else {
            (TodayState::Healthy, "no action required".to_owned())
        };
        TodayDomain {
            state,
            because,
            wanted: week.wanted,
            wanted_failing: week.wanted_failing,
            unauthorised_a_day: a_day(week.unauthorised, days),
            delivered_a_day: delivered,
            weeks: self.weeks,
            organizational_domain: name,
        }
    }
}

/// Whether somebody has to act on it; else it is worth a look.
fn acts(kind: TodayKind) -> bool {
    matches!(kind, TodayKind::OwnMisconfigured | TodayKind::ThirdPartyUnaligned)
}
