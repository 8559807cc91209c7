//! What each reporter says of a domain's mail on a day, whoever sent it: kept when flows are judged, so that a page reads hundreds of sums
//! instead of millions of rows.
//!
//! In: the ledger. Out: [`Heard`], one after the other. Of days that have changed since, the rows are asked.

use std::collections::{BTreeMap, HashMap};

use report::{Day, Disposition, Outcome, Text};
use store::{Column, Ledger, Measure, Question, organizational_domain};

use crate::counts::{day, disposition, number, text};
use crate::flows::cell::Names;
use crate::flows::pack::{Reader, Writer, names, write_names};
use crate::{Error, Scope};

/// Kind of the derived values: by organizational domain and day.
const HEARD: &str = "heard";
/// Kind of those that say a day is done: by day, with the day's version.
const DONE: &str = "heard-of-day";
/// Counted up when they are made in another way.
const FORM: i64 = 1;

/// Mail in the name of an author domain that a reporter judged and treated alike on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heard<'a> {
    pub(crate) day: Day,
    pub(crate) author: &'a str,
    pub(crate) reporter: &'a str,
    /// The policy published, as [`Column::Policy`] has it.
    pub(crate) policy: &'a str,
    /// It fails DMARC, and not because it was forwarded.
    pub(crate) fails: bool,
    /// It was quarantined or rejected.
    pub(crate) stopped: bool,
    pub(crate) messages: u64,
}

/// Asks the rows of some days.
fn ask(ledger: &Ledger, mut question: Question, mut visit: impl FnMut(&Heard<'_>)) -> Result<(), Error> {
    question.group =
        vec![Column::Day, Column::Domain, Column::Reporter, Column::Policy, Column::Outcome, Column::Disposition];
    question.measures = vec![Measure::Messages];
    for line in ledger.ask(&question)?.lines {
        let [on, author, reporter, policy, outcome, done] = &line.key[..] else { continue };
        visit(&Heard {
            day: day(on),
            author: &text(author),
            reporter: &text(reporter),
            policy: &text(policy),
            fails: matches!(Outcome::from_word(&text(outcome)), Some(Outcome::Unaligned | Outcome::Unauthenticated)),
            stopped: matches!(disposition(done), Disposition::Quarantine | Disposition::Reject),
            messages: number(&line.measures[0]),
        });
    }
    Ok(())
}

/// The sums of one organizational domain on a day: author domain, reporter and policy by number, and the rest as bits.
#[derive(Default)]
struct OfDay {
    names: Names,
    sums: BTreeMap<([u32; 3], u64), u64>,
}

impl OfDay {
    fn add(&mut self, heard: &Heard<'_>) {
        let of = [heard.author, heard.reporter, heard.policy].map(|name| self.names.number(name));
        let bits = u64::from(heard.fails) | u64::from(heard.stopped) << 1;
        *self.sums.entry((of, bits)).or_default() += heard.messages;
    }

    fn packed(&self) -> Vec<u8> {
        let mut out = Writer::default();
        write_names(&self.names, &mut out);
        for ((of, bits), messages) in &self.sums {
            for number in of {
                out.number(u64::from(*number));
            }
            out.number(*bits);
            out.number(*messages);
        }
        out.0
    }
}

/// Goes through what is packed of a day; `None` where it is damaged.
fn unpack(bytes: &[u8], day: Day, mut visit: impl FnMut(&Heard<'_>)) -> Option<()> {
    let mut reader = Reader(bytes);
    let names: Vec<&str> = std::iter::once("").chain(names(&mut reader)?).collect();
    while !reader.0.is_empty() {
        let mut name = || names.get(reader.small()? as usize).copied();
        let (author, reporter, policy) = (name()?, name()?, name()?);
        let (bits, messages) = (reader.number()?, reader.number()?);
        visit(&Heard { day, author, reporter, policy, fails: bits & 1 != 0, stopped: bits & 2 != 0, messages });
    }
    Some(())
}

fn version(of_day: i64) -> i64 {
    of_day * 16 + FORM
}

/// The days that are done, with their versions.
fn done(ledger: &Ledger, days: (Day, Day)) -> Result<HashMap<Day, i64>, Error> {
    let found = ledger.derived_about(DONE, "", i64::from(days.0.0)..=i64::from(days.1.0))?;
    Ok(found.into_iter().filter_map(|done| Some((Day(i32::try_from(done.number).ok()?), done.version))).collect())
}

/// Makes sure that these days, given with their versions, are kept.
pub(crate) fn refresh(ledger: &Ledger, days: &[(Day, i64)]) -> Result<(), Error> {
    let done = done(ledger, (Day(i32::MIN), Day(i32::MAX)))?;
    for (day, of_day) in days {
        let version = version(*of_day);
        if done.get(day) == Some(&version) {
            continue;
        }
        let mut found: BTreeMap<Text, OfDay> = BTreeMap::new();
        ask(ledger, Question { days: Some((*day, *day)), ..Question::default() }, |heard| {
            found.entry(organizational_domain(heard.author)).or_default().add(heard);
        })?;
        let number = i64::from(day.0);
        ledger.drop_derived(HEARD, number..=number)?;
        ledger.put_derived(HEARD, found.iter().map(|(name, of)| (name.as_str(), number, version, of.packed())))?;
        ledger.put_derived(DONE, [("", number, version, [])])?;
    }
    Ok(())
}

/// Goes through what reporters say of a domain's mail in these days, with that of all names below it where they are wanted.
pub(crate) fn each(
    ledger: &Ledger,
    (domain, subdomains): (&str, bool),
    days: (Day, Day),
    mut visit: impl FnMut(&Heard<'_>),
) -> Result<(), Error> {
    let mut visit = |heard: &Heard<'_>| {
        if subdomains || heard.author == domain {
            visit(heard);
        }
    };
    let done = done(ledger, days)?;
    let within = |(day, _): &(Day, i64)| (days.0..=days.1).contains(day);
    let versions: HashMap<Day, i64> = ledger.day_versions()?.into_iter().filter(within).collect();
    let is_kept = |day: &Day| versions.get(day).is_some_and(|of_day| done.get(day) == Some(&version(*of_day)));
    let organization = organizational_domain(domain);
    ledger.each_derived_about(HEARD, &organization, i64::from(days.0.0)..=i64::from(days.1.0), |kept| {
        let day = Day(i32::try_from(kept.number).unwrap_or(i32::MAX));
        if is_kept(&day) {
            // What is damaged is made anew when its day changes, or by a rebuild.
            let _damaged = unpack(&kept.bytes, day, &mut visit);
        }
    })?;
    let mut others: Vec<Day> = versions.keys().filter(|day| !is_kept(day)).copied().collect();
    others.sort_unstable();
    let scope = Scope { domain: Some(Text::new(domain)), subdomains, ..Scope::default() };
    for together in others.chunk_by(|a, b| a.plus(1) == *b) {
        if let (Some(first), Some(last)) = (together.first(), together.last()) {
            ask(ledger, scope.question((*first, *last)), &mut visit)?;
        }
    }
    Ok(())
}
