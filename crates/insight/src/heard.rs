//! What each reporter says of a domain's mail on a day, whoever sent it: kept when flows are judged, so that a page reads hundreds of sums
//! instead of millions of rows.
//!
//! In: the ledger. Out: [`Heard`], one after the other. Of days that have changed since, the rows are asked.

use std::collections::BTreeMap;

use report::{Day, Disposition, Outcome, Text};
use store::{Column, Ledger, Measure, Question, organizational_domain};

use crate::counts::{day, disposition, number, text};
use crate::day_by_day::DayByDay;
use crate::flows::cell::Names;
use crate::flows::pack::{Reader, Writer, names, write_names};
use crate::{Error, Scope};

/// Where they are kept.
pub(crate) const HEARD: DayByDay = DayByDay { values: "heard", done: "heard-of-day", form: 1 };

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

/// Makes sure that these days, given with their versions, are kept.
pub(crate) fn refresh(ledger: &Ledger, days: &[(Day, i64)]) -> Result<(), Error> {
    HEARD.refresh(ledger, days, |day| {
        let mut found: BTreeMap<Text, OfDay> = BTreeMap::new();
        ask(ledger, Question { days: Some((day, day)), ..Question::default() }, |heard| {
            found.entry(organizational_domain(heard.author)).or_default().add(heard);
        })?;
        Ok(found.into_iter().map(|(name, of)| (name, of.packed())).collect())
    })
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
    let (kept_days, others) = HEARD.kept(ledger, days)?;
    let organization = organizational_domain(domain);
    ledger.each_derived_about(HEARD.values, &organization, i64::from(days.0.0)..=i64::from(days.1.0), |kept| {
        let day = Day(i32::try_from(kept.number).unwrap_or(i32::MAX));
        if kept_days.contains(&day) {
            // What is damaged is made anew when its day changes, or by a rebuild.
            let _damaged = unpack(&kept.bytes, day, &mut visit);
        }
    })?;
    let scope = Scope { domain: Some(Text::new(domain)), subdomains, ..Scope::default() };
    others.into_iter().try_for_each(|days| ask(ledger, scope.question(days), &mut visit))
}
