//! What is summed from the rows of a day, for each organizational domain: made anew only for days that have changed.
//!
//! In: the ledger, and what makes the values of a day. Out: which days are kept as their rows are now, and which have to be asked of the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use report::{Day, Text};
use store::Ledger;

use crate::Error;

/// Days whose values are those of their rows now, and stretches of other days that have rows.
pub(crate) type Days = (HashSet<Day>, Vec<(Day, Day)>);

/// One kind of such values.
pub(crate) struct DayByDay {
    /// Kind of the derived values: by organizational domain and day.
    pub(crate) values: &'static str,
    /// Kind of those that say a day is done: by day, with the version of its rows, and the organizational domains that have values.
    pub(crate) done: &'static str,
    /// Counted up, below 16, when values are made in another way, so that all are made anew.
    pub(crate) form: i64,
}

impl DayByDay {
    fn version(&self, of_day: i64) -> i64 {
        of_day * 16 + self.form
    }

    fn done(&self, ledger: &Ledger, days: (Day, Day)) -> Result<HashMap<Day, i64>, Error> {
        let found = ledger.derived_about(self.done, "", i64::from(days.0.0)..=i64::from(days.1.0))?;
        Ok(found.into_iter().filter_map(|done| Some((Day(i32::try_from(done.number).ok()?), done.version))).collect())
    }

    /// Makes values of those of these days, given with their versions, that have changed.
    pub(crate) fn refresh(
        &self,
        ledger: &Ledger,
        days: &[(Day, i64)],
        make: impl Fn(Day) -> Result<BTreeMap<Text, Vec<u8>>, Error>,
    ) -> Result<(), Error> {
        let done = self.done(ledger, (Day(i32::MIN), Day(i32::MAX)))?;
        for (day, of_day) in days {
            let version = self.version(*of_day);
            if done.get(day) == Some(&version) {
                continue;
            }
            let found = make(*day)?;
            let number = i64::from(day.0);
            ledger.drop_derived(self.values, number..=number)?;
            let values = found.iter().map(|(name, bytes)| (name.as_str(), number, version, bytes.as_slice()));
            ledger.put_derived(self.values, values)?;
            let index: Vec<&str> = found.keys().map(Text::as_str).collect();
            ledger.put_derived(self.done, [("", number, version, index.join("\n").as_bytes())])?;
        }
        Ok(())
    }

    /// The organizational domains that have values on these days.
    pub(crate) fn organizations(&self, ledger: &Ledger, days: (Day, Day)) -> Result<Vec<Text>, Error> {
        let mut all = BTreeSet::new();
        for day in ledger.derived_about(self.done, "", i64::from(days.0.0)..=i64::from(days.1.0))? {
            let text = String::from_utf8_lossy(&day.bytes).into_owned();
            all.extend(text.lines().filter(|line| !line.is_empty()).map(Text::new));
        }
        Ok(all.into_iter().collect())
    }

    /// Which days of a period are kept.
    pub(crate) fn kept(&self, ledger: &Ledger, days: (Day, Day)) -> Result<Days, Error> {
        let done = self.done(ledger, days)?;
        let (mut kept, mut others) = (HashSet::new(), Vec::<(Day, Day)>::new());
        let within = |(day, _): &(Day, i64)| (days.0..=days.1).contains(day);
        for (day, of_day) in ledger.day_versions()?.into_iter().filter(within) {
            if done.get(&day) == Some(&self.version(of_day)) {
                kept.insert(day);
                continue;
            }
            match others.last_mut().filter(|(_, last)| last.plus(1) == day) {
                Some((_, last)) => *last = day,
                None => others.push((day, day)),
            }
        }
        Ok((kept, others))
    }
}
