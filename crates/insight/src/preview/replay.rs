//! The replay: all mail of a domain's days once more, under other records, on all cores.
//!
//! In: kept cells and the flow of each, or their sums by flow where addresses do not matter; a [`World`]. Out: sums by day, flow and author
//! domain; and where records and reporters disagree. No row is read and nothing is judged: what a flow is stays as the snapshot has it.

use std::collections::{BTreeMap, HashMap};

use report::{Day, Text};
use store::Ledger;

use super::differences::{Difference, difference};
use super::mailer::{Asked, Mailer, Tag};
use super::world::World;
use crate::counts::float;
use crate::flows::{Cell, Kept, Runs, Snapshot, lanes, sums};
use crate::{Error, cores};

/// Messages of a flow on a day, and how they would fare.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) messages: u64,
    /// Fail now, by what reporters say.
    pub(crate) failing_now: u64,
    /// Would fail.
    pub(crate) failing: u64,
    /// Of these: pass now.
    pub(crate) broken: u64,
    /// Fail now and would pass.
    pub(crate) mended: u64,
    /// Would pass by an aligned signature.
    pub(crate) signed: u64,
    /// Would be quarantined or rejected.
    pub(crate) stopped: f64,
    /// Of these: rejected.
    pub(crate) rejected: f64,
    /// Of the stopped: delivered now.
    pub(crate) delivered: f64,
    /// Of the stopped: receivers said that they knew it as forwarded.
    pub(crate) known_forwarded: f64,
    /// Would be stopped under the records as they are.
    pub(crate) stopped_now: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.failing_now += other.failing_now;
        self.failing += other.failing;
        self.broken += other.broken;
        self.mended += other.mended;
        self.signed += other.signed;
        self.stopped += other.stopped;
        self.rejected += other.rejected;
        self.delivered += other.delivered;
        self.known_forwarded += other.known_forwarded;
        self.stopped_now += other.stopped_now;
    }
}

/// One day.
pub(crate) struct OfDay {
    pub(crate) day: Day,
    pub(crate) parts: Vec<PartOfDay>,
}

/// A flow's mail in the name of one author domain on a day.
pub(crate) struct PartOfDay {
    /// Its place in the snapshot.
    pub(crate) flow: u32,
    /// Its place among the authors.
    pub(crate) author: u32,
    /// The tag that decides about it.
    pub(crate) tag: Tag,
    /// Whether anything would be asked of receivers about mail of this author domain that fails.
    pub(crate) reached: bool,
    pub(crate) sums: Sums,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Replay {
    /// Ascending.
    pub(crate) days: Vec<OfDay>,
    /// Author domains, and other names.
    pub(crate) authors: Vec<Text>,
    /// Messages by how records and reporters agree; in the period that is shown.
    pub(crate) differences: BTreeMap<Difference, u64>,
    /// Messages whose SPF would depend on the message.
    pub(crate) undecided: u64,
    /// Days whose cells have changed since flows were judged.
    pub(crate) skipped: Vec<Day>,
}

/// What is replayed.
pub(crate) struct Job<'a> {
    pub(crate) world: &'a World,
    pub(crate) organization: &'a str,
    /// From this day on differences are told.
    pub(crate) shown_from: Day,
    /// Whether mail in the name of an author domain counts.
    pub(crate) counts: &'a (dyn Fn(&str) -> bool + Sync),
    /// By place in the snapshot: the flow would get an aligned signature.
    pub(crate) signed: &'a [bool],
    pub(crate) mail: &'a Mail,
}

/// Where the mail of days is found.
pub(crate) enum Mail {
    /// In sums by flow, packed, day by day: nothing depends on addresses.
    Sums(Vec<(Day, Vec<u8>)>),
    /// In the cells that are kept, whose flows these are.
    Cells(Vec<(Day, Runs)>),
}

impl Mail {
    /// What suffices and is there.
    pub(crate) fn new(
        ledger: &Ledger,
        organization: &str,
        days: (Day, Day),
        spf_changes: bool,
        snapshot: &Snapshot,
    ) -> Result<Self, Error> {
        if !spf_changes {
            let found = sums::read(ledger, organization, days, snapshot.judged)?;
            if !found.is_empty() {
                return Ok(Self::Sums(found));
            }
        }
        let within = |(day, _): &(Day, Runs)| (days.0..=days.1).contains(day);
        Ok(Self::Cells(lanes(ledger, organization)?.into_iter().filter(within).collect()))
    }
}

/// No flow, no author domain.
const NOWHERE: ((u32, u32), u32) = ((u32::MAX, u32::MAX), 0);

/// Replays days on all cores.
pub(crate) fn replay(ledger: &Ledger, job: &Job<'_>) -> Result<Replay, Error> {
    let begin = || Lane::new(job);
    let end = |lane: Lane<'_>| Replay { authors: lane.mailer.names, ..lane.found };
    let parts = match job.mail {
        Mail::Sums(days) => cores::each(
            days,
            begin,
            |lane, (day, sums)| {
                lane.sums(*day, sums);
                Ok(())
            },
            end,
        )?,
        Mail::Cells(days) => cores::each(days, begin, |lane, (day, runs)| lane.cells(ledger, *day, runs), end)?,
    };
    let mut all = Replay::default();
    let mut places: HashMap<Text, u32> = HashMap::new();
    for mut part in parts {
        // Names have other numbers on each core.
        let mut place = |name: Text| {
            *places.entry(name).or_insert_with_key(|name| {
                all.authors.push(name.clone());
                u32::try_from(all.authors.len() - 1).unwrap_or(0)
            })
        };
        let here: Vec<u32> = part.authors.into_iter().map(&mut place).collect();
        for of in part.days.iter_mut().flat_map(|day| &mut day.parts) {
            of.author = here[of.author as usize];
        }
        all.days.extend(part.days);
        for (difference, messages) in part.differences {
            *all.differences.entry(difference).or_default() += messages;
        }
        all.undecided += part.undecided;
        all.skipped.extend(part.skipped);
    }
    all.days.sort_by_key(|of| of.day);
    all.skipped.sort_unstable();
    Ok(all)
}

/// One thread.
struct Lane<'a> {
    job: &'a Job<'a>,
    mailer: Mailer<'a>,
    found: Replay,
    /// The day that is gone through: by flow and author domain, where its sums are.
    places: HashMap<(u32, u32), u32>,
    /// The last of these: the cells of one source lie together.
    last: ((u32, u32), u32),
    sums: Vec<((u32, u32), Asked, Sums)>,
    differences: [u64; Difference::ALL.len()],
    shown: bool,
}

impl<'a> Lane<'a> {
    fn new(job: &'a Job<'a>) -> Self {
        Self {
            job,
            mailer: Mailer::new(job.world, job.counts),
            found: Replay::default(),
            places: HashMap::new(),
            last: NOWHERE,
            sums: Vec::new(),
            differences: [0; Difference::ALL.len()],
            shown: false,
        }
    }

    /// A day by its sums.
    fn sums(&mut self, day: Day, packed: &[u8]) {
        self.shown = day >= self.job.shown_from;
        let name = |lane: &mut Self, name: &str| lane.mailer.number(name);
        let whole = sums::visit(packed, self, name, |lane, flow, sum| lane.cell(sum, flow));
        self.close(day, whole.is_some());
    }

    /// A day by its cells.
    fn cells(&mut self, ledger: &Ledger, day: Day, runs: &Runs) -> Result<(), Error> {
        let kept = Kept::read(ledger, self.job.organization, (day, day))?;
        self.shown = day >= self.job.shown_from;
        let mut flows = runs.iter();
        let (mut flow, mut left) = (0, 0);
        let mut surplus = false;
        let name = |lane: &mut Self, name: &str| lane.mailer.number(name);
        kept.visit(self, name, |lane, _, cell| {
            while left == 0 {
                let next = flows.next();
                surplus |= next.is_none();
                (flow, left) = next.copied().unwrap_or((0, u32::MAX));
            }
            left -= 1;
            lane.cell(cell, flow);
        });
        // Reports came in while this went on: what was judged is not what is kept now.
        self.close(day, !surplus && left == 0 && flows.next().is_none());
        Ok(())
    }

    /// Takes over what was found on a day, or skips it.
    fn close(&mut self, day: Day, whole: bool) {
        self.places.clear();
        self.last = NOWHERE;
        let part = |((flow, author), asked, sums): ((u32, u32), Asked, Sums)| PartOfDay {
            flow,
            author,
            tag: asked.tag,
            reached: asked.stopped > 0.0,
            sums,
        };
        let parts: Vec<PartOfDay> = self.sums.drain(..).map(part).collect();
        let differences = std::mem::take(&mut self.differences);
        if !whole {
            self.found.skipped.push(day);
            return;
        }
        self.found.days.push(OfDay { day, parts });
        for (difference, messages) in Difference::ALL.into_iter().zip(differences) {
            if messages > 0 {
                *self.found.differences.entry(difference).or_default() += messages;
            }
        }
    }

    fn cell(&mut self, cell: &Cell, flow: u32) {
        let author = self.mailer.author(cell.author);
        let Some(signed) = self.job.signed.get(flow as usize).filter(|_| author.counts) else { return };
        let fares = self.mailer.fares(cell, *signed);
        let messages = cell.total();
        if fares.undecided {
            self.found.undecided += messages;
        }
        let mut sums = Sums { messages, ..Sums::default() };
        if !fares.reported {
            sums.failing_now = messages;
            sums.stopped_now = float(messages) * author.now.stopped;
        }
        if fares.then {
            sums.mended = if fares.reported { 0 } else { messages };
            sums.signed = if fares.dkim { messages } else { 0 };
        } else {
            sums.failing = messages;
            sums.broken = if fares.reported { messages } else { 0 };
            sums.stopped = float(messages) * author.then.stopped;
            sums.rejected = float(messages) * author.then.rejected;
            sums.delivered = float(cell.messages[0] + cell.messages[1]) * author.then.stopped;
            sums.known_forwarded = if cell.shape.says_forwarded() { sums.stopped } else { 0.0 };
        }
        let key = (flow, cell.author);
        if self.last.0 != key {
            let next = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
            let place = *self.places.entry(key).or_insert(next);
            if place == next {
                self.sums.push((key, author.then, Sums::default()));
            }
            self.last = (key, place);
        }
        self.sums[self.last.1 as usize].2.add(&sums);
        if self.shown {
            let found = difference(cell, fares, &author.now);
            self.differences[found as usize] += messages;
        }
    }
}
