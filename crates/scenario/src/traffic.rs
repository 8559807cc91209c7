//! One day's mail: how much each flow sends, and the rows each reporter would make of it.
//!
//! In: the world, a day. Out: rows by reporter, with the flow each belongs to. Every number is drawn from a stream of its own for
//! (seed, flow, day, reporter), so that a change in one flow leaves all others as they were.

use std::net::IpAddr;

use report::{Day, Row};

use crate::companies::Company;
use crate::estate::Estate;
use crate::flow::{Authentication, Flow};
use crate::judge::{Messages, judge};
use crate::random::{Random, hash, mix};
use crate::reporter::{Reporter, Window};

/// How the messages of a day fall on its quarters.
const QUARTERS: [f64; 4] = [0.11, 0.39, 0.36, 0.14];

/// Up to so many addresses, each has its own number of messages; beyond, each message picks its address.
const FEW_ADDRESSES: usize = 40;

/// Everything that stays the same over the whole run.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) scale: f64,
    pub(crate) company: Company,
    pub(crate) estate: Estate,
    pub(crate) flows: Vec<Flow>,
    pub(crate) reporters: Vec<Reporter>,
}

/// A row and where it comes from.
pub(crate) struct Item {
    pub(crate) flow: usize,
    /// Author domain (index in the estate).
    pub(crate) author: usize,
    /// Where the record was found.
    pub(crate) policy_domain: usize,
    /// Which quarter of the day; 0 where the reporter has whole days.
    pub(crate) quarter: usize,
    pub(crate) row: Row,
}

/// A day of the story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Today {
    pub(crate) day: Day,
    pub(crate) story: i32,
}

impl World {
    /// The mean number of messages of every flow on one day, to all receivers.
    pub(crate) fn means(&self, today: Today) -> Vec<f64> {
        let mean = |flow: &Flow| {
            let mut random = Random::at(self.seed, &[hash(&flow.id), today.story.unsigned_abs().into()]);
            flow.volume.mean(today.day, today.story, &mut random) * self.scale
        };
        self.flows.iter().map(mean).collect()
    }

    /// What one flow sends to one receiver on one day. `reporter` is `None` for all that never report: then only `sent` is called.
    /// `sent` gets (author domain, messages), `add` the rows.
    pub(crate) fn deliver(
        &self,
        today: Today,
        flow: usize,
        mean: f64,
        reporter: Option<usize>,
        sent: &mut dyn FnMut(usize, u64),
        add: &mut dyn FnMut(Item),
    ) {
        let number = flow;
        let flow = &self.flows[flow];
        let place = [hash(&flow.id), today.story.unsigned_abs().into(), reporter.map_or(u64::MAX, |r| r as u64), 1];
        let mut random = Random::at(self.seed, &place);
        let Some(reporter) = reporter.map(|r| &self.reporters[r]) else {
            let known: f64 = self.reporters.iter().map(|r| r.share(flow.reach)).sum();
            let total: f64 = flow.authors.iter().map(|(_, weight)| weight).sum();
            for (author, weight) in &flow.authors {
                sent(*author, random.poisson(mean * (1.0 - known).max(0.0) * weight / total));
            }
            return;
        };
        let mut cells = Cells { world: self, today, flow, number, reporter, random, sent, add, shares: Vec::new() };
        cells.all(mean * reporter.share(flow.reach));
    }

    /// The addresses a flow uses on one day.
    fn active(&self, flow: &Flow, today: Today) -> Vec<usize> {
        let (all, a_day) = (flow.addresses.all.len(), flow.addresses.a_day);
        if a_day == 0 || a_day >= all {
            return (0..all).collect();
        }
        // The window moves on by a third of itself a day: addresses come, stay some days, and go.
        let first = usize::try_from(mix(hash(&flow.id) ^ self.seed) % all as u64).unwrap_or(0);
        let step = (a_day / 3).max(1) * usize::try_from(today.story.max(0)).unwrap_or(0);
        (0..a_day).map(|n| (first + step + n) % all).collect()
    }
}

/// What one flow sends to one reporter on one day, on its way to rows.
struct Cells<'a> {
    world: &'a World,
    today: Today,
    flow: &'a Flow,
    number: usize,
    reporter: &'a Reporter,
    random: Random,
    sent: &'a mut dyn FnMut(usize, u64),
    add: &'a mut dyn FnMut(Item),
    shares: Vec<u64>,
}

impl Cells<'_> {
    fn all(&mut self, mean: f64) {
        let active = self.world.active(self.flow, self.today);
        let mix = &self.flow.phase(self.today.story).mix;
        let parts: f64 = mix.iter().map(|a| a.weight).sum();
        let authors: f64 = self.flow.authors.iter().map(|(_, weight)| weight).sum();
        for (author, weight) in &self.flow.authors {
            for authentication in mix {
                let mean = mean * (weight / authors) * (authentication.weight / parts);
                if active.len() <= FEW_ADDRESSES {
                    self.each_address(*author, authentication, mean, &active);
                } else {
                    self.each_message(*author, authentication, mean, &active);
                }
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a few addresses")]
    fn each_address(&mut self, author: usize, authentication: &Authentication, mean: f64, active: &[usize]) {
        let mean = mean / active.len() as f64;
        for address in active {
            let count = self.random.poisson(mean);
            self.place(author, authentication, *address, count);
        }
    }

    fn each_message(&mut self, author: usize, authentication: &Authentication, mean: f64, active: &[usize]) {
        let count = self.random.poisson(mean);
        let mut chosen: Vec<usize> = (0..count).map(|_| active[self.random.index(active.len())]).collect();
        chosen.sort_unstable();
        for same in chosen.chunk_by(|a, b| a == b) {
            self.place(author, authentication, same[0], same.len() as u64);
        }
    }

    /// Messages that are alike but for their recipients and their time.
    fn place(&mut self, author: usize, authentication: &Authentication, address: usize, count: u64) {
        if count == 0 {
            return;
        }
        (self.sent)(author, count);
        let recipients = &self.reporter.recipients;
        if recipients.is_empty() {
            self.hours(author, authentication, address, None, count);
            return;
        }
        let weights: Vec<f64> = recipients.iter().map(|(_, weight)| *weight).collect();
        let mut shares = Vec::new();
        self.random.share(count, &weights, &mut shares);
        for (share, (recipient, _)) in shares.into_iter().zip(recipients) {
            self.hours(author, authentication, address, Some(recipient), share);
        }
    }

    fn hours(
        &mut self,
        author: usize,
        authentication: &Authentication,
        address: usize,
        recipient: Option<&str>,
        count: u64,
    ) {
        if self.reporter.window != Window::Quarters {
            self.judged(author, authentication, address, recipient, 0, count);
            return;
        }
        let mut shares = std::mem::take(&mut self.shares);
        self.random.share(count, &QUARTERS, &mut shares);
        for (quarter, share) in shares.iter().enumerate() {
            self.judged(author, authentication, address, recipient, quarter, *share);
        }
        self.shares = shares;
    }

    fn judged(
        &mut self,
        author: usize,
        authentication: &Authentication,
        address: usize,
        recipient: Option<&str>,
        quarter: usize,
        count: u64,
    ) {
        let seen = self.today.story - self.reporter.late;
        let Some(found) = self.world.estate.find(author, seen).filter(|_| count > 0) else {
            return;
        };
        let addresses = &self.flow.addresses;
        let source: IpAddr = addresses.all[address];
        let messages = Messages {
            author: &self.world.estate.domains[author].name,
            source,
            helo: addresses.helo.get(if addresses.helo.len() == 1 { 0 } else { address }),
            place: address,
            authentication,
            mediator: self.flow.mediator.as_ref(),
            recipient,
            over_limit: &self.world.company.over_limit,
            broken_spf: &self.world.company.broken_spf,
            seen,
        };
        let (flow, policy_domain) = (self.number, found.policy_domain);
        let add = &mut *self.add;
        judge(&messages, count, &found, self.reporter, &mut self.random, &mut |row| {
            add(Item { flow, author, policy_domain, quarter, row });
        });
    }
}
