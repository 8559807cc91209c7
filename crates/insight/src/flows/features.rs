//! The features of a flow: what its messages of all days add up to, as the rules look at it.
//!
//! In: cells with what is known of their sources. Out: plain sums. Pure.

use report::Day;

use super::cell::{Cell, Own, Spf, Whose};
use super::knowledge::{Sums, add, add_all};
use super::results::Results;

/// What is known of a source beside what reports say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all go together")]
pub(crate) struct Known {
    /// It has a profile.
    pub(crate) profiled: bool,
    /// In address space that is ours, by declaration or not.
    pub(crate) ours: bool,
    pub(crate) declared: bool,
    /// A name of it that leads back lies below a domain of ours.
    pub(crate) named_ours: bool,
    /// The known service that runs it.
    pub(crate) service: Option<enrich::ServiceKind>,
    /// Good, neutral, suspicious or unknown; and whether that rests on evidence.
    pub(crate) standing: Option<enrich::Standing>,
    /// A list on which nothing legitimate is has it.
    pub(crate) hard: bool,
    /// It has a name of a mail host that leads back to it.
    pub(crate) mail_host: bool,
    /// It has a name of its own that leads back to it, and not one that a network gives to every line.
    pub(crate) own_name: bool,
    /// Its PTR record has a name of a known service, or of ours, and no name leads back to it.
    pub(crate) forged: bool,
    /// Mail of somebody who sends for us comes from its network.
    pub(crate) beside_a_vendor: bool,
    /// Servers that send in our own name stand in its network, and nobody else's mail comes from there.
    pub(crate) beside_ours: bool,
    /// Something of its network passes in our name.
    pub(crate) passes_nearby: bool,
}

/// Messages of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DayCount {
    pub(crate) day: Day,
    pub(crate) messages: u64,
    pub(crate) failing: u64,
    /// Of those that fail: those that no receiver held back.
    pub(crate) delivered: u64,
}

impl DayCount {
    /// Adds what else there was on the day.
    pub(crate) fn plus(&mut self, more: Self) {
        self.messages += more.messages;
        self.failing += more.failing;
        self.delivered += more.delivered;
    }
}

/// What a flow's messages add up to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Features {
    pub(crate) messages: u64,
    pub(crate) failing: u64,
    /// In the order of `Outcome::ALL`, and of dispositions.
    pub(crate) outcomes: [u64; 6],
    pub(crate) dispositions: [u64; 4],
    pub(crate) results: Results,
    /// SPF passed for our own name; for another below; for somebody else.
    pub(crate) exact: u64,
    pub(crate) below: u64,
    pub(crate) foreign: u64,
    /// Somebody else's signature verified; and of these, as the same organization that stands in the envelope.
    pub(crate) other: u64,
    pub(crate) other_like_spf: u64,
    /// A signature of ours verified, or is there and did not.
    pub(crate) intact: u64,
    pub(crate) broken: u64,
    pub(crate) says_forwarded: u64,
    pub(crate) bounces: u64,
    /// Of those that fail: why.
    pub(crate) fail_permerror: u64,
    pub(crate) fail_temperror: u64,
    pub(crate) fail_bounce: u64,
    pub(crate) fail_broken: u64,
    pub(crate) fail_other_signed: u64,
    pub(crate) fail_foreign: u64,
    pub(crate) fail_unlisted: u64,
    pub(crate) fail_contradicting: u64,
    /// Nothing passed, and the envelope sender was a name of ours, or somebody else's.
    pub(crate) lying: u64,
    pub(crate) honest: u64,
    /// Of the honest ones: in whose name, by organizational domain. Nothing stands behind these names.
    pub(crate) borrowed: Sums,
    /// Nothing passed, and the envelope was another name below ours that has an SPF record.
    pub(crate) insider: u64,
    /// Of names that no passing message of the whole ledger bears.
    pub(crate) of_silent_names: u64,
    /// Messages by what is known of their source.
    pub(crate) profiled: u64,
    pub(crate) ours: u64,
    pub(crate) declared: u64,
    pub(crate) named_ours: u64,
    pub(crate) hard: u64,
    pub(crate) good: u64,
    pub(crate) graded_good: u64,
    pub(crate) suspicious: u64,
    pub(crate) mail_host: u64,
    pub(crate) own_name: u64,
    pub(crate) forged: u64,
    pub(crate) beside_a_vendor: u64,
    pub(crate) beside_ours: u64,
    pub(crate) passes_nearby: u64,
    /// By kind of the service that runs the source.
    pub(crate) services: Vec<(enrich::ServiceKind, u64)>,
    pub(crate) first: Option<Day>,
    pub(crate) last: Option<Day>,
    pub(crate) active_days: u32,
    /// Weeks with at least ten messages.
    pub(crate) weeks: u32,
    /// The most reporters that had one of its cells on one day.
    pub(crate) reporters: u32,
    pub(crate) signers: Sums,
    pub(crate) envelopes: Sums,
    pub(crate) sources: u64,
    pub(crate) networks: u64,
    /// Address-days: how often an address was seen on a day.
    pub(crate) sightings: u64,
}

/// Adds the sums named first to those of `self`. All fields are named, so that none is forgotten.
macro_rules! add_sums {
    ($self:ident += $more:ident: $($sum:ident)*; beside $($other:ident)*) => {
        let Self { $($sum,)* $($other: _,)* } = $more;
        $($self.$sum += $sum;)*
    };
}

impl Features {
    /// Adds a cell. `silent`: nothing of its author domain ever passes.
    pub(crate) fn add(&mut self, cell: &Cell, known: &Known, silent: bool) {
        let (n, shape) = (cell.total(), cell.shape);
        let when = |condition: bool| if condition { n } else { 0 };
        self.messages += n;
        self.outcomes[shape.outcome() as usize] += n;
        for (sum, more) in self.dispositions.iter_mut().zip(cell.messages) {
            *sum += more;
        }
        self.results.add(cell, n);
        let pass = shape.spf() == Spf::Pass;
        self.exact += when(pass && shape.whose() == Whose::Ours);
        self.below += when(pass && shape.whose() == Whose::Below);
        self.foreign += when(pass && shape.whose() == Whose::Foreign);
        self.other += when(cell.other != 0);
        self.other_like_spf += when(shape.other_like_spf());
        self.intact += when(shape.own() == Own::Pass);
        self.broken += when(shape.own() == Own::Broken);
        self.says_forwarded += when(shape.says_forwarded());
        self.bounces += when(shape.bounce());
        if !shape.passes() {
            self.add_failing(cell, n);
            self.of_silent_names += when(silent);
        }
        if cell.other != 0 {
            add(&mut self.signers, cell.other, n);
        }
        if cell.spf != 0 && pass {
            add(&mut self.envelopes, cell.spf, n);
        }
        self.add_source(known, n);
        self.reporters = self.reporters.max(cell.reporters);
    }

    fn add_failing(&mut self, cell: &Cell, n: u64) {
        let shape = cell.shape;
        self.failing += n;
        let pass = shape.spf() == Spf::Pass;
        let aligned = (shape.own() == Own::Pass && cell.own_domain == cell.author) || (pass && cell.spf == cell.author);
        let slot = match (shape.own(), shape.spf()) {
            // Nothing is wrong with mail that authenticates as its author domain.
            _ if aligned => &mut self.fail_contradicting,
            (_, Spf::PermError) => &mut self.fail_permerror,
            (Own::Broken, _) => &mut self.fail_broken,
            (Own::Temporary, _) | (_, Spf::TempError) => &mut self.fail_temperror,
            // As another name below ours, where alignment is strict.
            (Own::Pass, _) => &mut self.fail_other_signed,
            _ if cell.other != 0 => &mut self.fail_other_signed,
            _ if pass && shape.whose() != Whose::Nobody => &mut self.fail_foreign,
            _ if shape.bounce() => &mut self.fail_bounce,
            _ => &mut self.fail_unlisted,
        };
        *slot += n;
        if !pass && cell.other == 0 && shape.own() != Own::Pass {
            match shape.whose() {
                Whose::Ours => self.lying += n,
                Whose::Below => {
                    self.lying += n;
                    // Without a record SPF says none: whoever uses this name knows one that we set up.
                    if cell.spf != cell.author && matches!(shape.spf(), Spf::Fail | Spf::SoftFail | Spf::Neutral) {
                        self.insider += n;
                    }
                }
                Whose::Foreign => self.honest += n,
                Whose::Nobody => {}
            }
        }
    }

    fn add_source(&mut self, known: &Known, n: u64) {
        let when = |condition: bool| if condition { n } else { 0 };
        self.profiled += when(known.profiled);
        self.ours += when(known.ours);
        self.declared += when(known.declared);
        self.named_ours += when(known.named_ours);
        self.hard += when(known.hard);
        self.mail_host += when(known.mail_host);
        self.own_name += when(known.own_name);
        self.forged += when(known.forged);
        self.beside_a_vendor += when(known.beside_a_vendor);
        self.beside_ours += when(known.beside_ours);
        self.passes_nearby += when(known.passes_nearby);
        if let Some(standing) = known.standing {
            self.good += when(standing.band == enrich::Band::Good);
            self.graded_good += when(standing.band == enrich::Band::Good && standing.graded);
            self.suspicious += when(standing.band == enrich::Band::Suspicious);
        }
        if let Some(kind) = known.service {
            add_service(&mut self.services, kind, n);
        }
    }

    /// Notes when it sends. Days are ascending.
    pub(crate) fn when(&mut self, days: &[DayCount]) {
        (self.first, self.last) = (days.first().map(|day| day.day), days.last().map(|day| day.day));
        self.active_days = u32::try_from(days.len()).unwrap_or(u32::MAX);
        let week = |day: &DayCount| (day.day.0 + 3).div_euclid(7);
        let weeks = days.chunk_by(|a, b| week(a) == week(b));
        let busy = weeks.filter(|week| week.iter().map(|day| day.messages).sum::<u64>() >= 10);
        self.weeks = u32::try_from(busy.count()).unwrap_or(u32::MAX);
    }

    /// Adds what it adds up to in another part, of other networks; when it sends is noted afterwards.
    pub(crate) fn plus(&mut self, more: Self) {
        add_sums! { self += more:
            messages failing exact below foreign other other_like_spf intact broken says_forwarded bounces fail_permerror fail_temperror
            fail_bounce fail_broken fail_other_signed fail_foreign fail_unlisted fail_contradicting lying honest insider of_silent_names
            profiled ours declared named_ours hard good graded_good suspicious mail_host own_name forged beside_a_vendor beside_ours
            passes_nearby sources sightings;
            beside outcomes dispositions results borrowed signers envelopes services reporters networks first last active_days weeks
        }
        for (sums, more) in [(&mut self.outcomes[..], &more.outcomes[..]), (&mut self.dispositions, &more.dispositions)]
        {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        self.results.plus(&more.results);
        let borrowed = (&mut self.borrowed, more.borrowed);
        for (sums, more) in [borrowed, (&mut self.signers, more.signers), (&mut self.envelopes, more.envelopes)] {
            add_all(sums, more);
        }
        for (kind, messages) in more.services {
            add_service(&mut self.services, kind, messages);
        }
        self.reporters = self.reporters.max(more.reporters);
    }

    /// Notes whose name stood in an envelope that it did not pass for.
    pub(crate) fn borrow(&mut self, organization: u32, n: u64) {
        add(&mut self.borrowed, organization, n);
    }

    pub(crate) fn passing(&self) -> u64 {
        self.messages - self.failing
    }

    /// Whether several of its addresses are in use at the same time: machines side by side, and not one line whose address changes.
    pub(crate) fn side_by_side(&self) -> bool {
        self.sightings * 2 >= u64::from(self.active_days) * 3
    }

    /// Messages of a kind of service.
    pub(crate) fn of_service(&self, kinds: &[enrich::ServiceKind]) -> u64 {
        self.services.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, sum)| sum).sum()
    }
}

fn add_service(services: &mut Vec<(enrich::ServiceKind, u64)>, kind: enrich::ServiceKind, messages: u64) {
    match services.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, sum)) => *sum += messages,
        None => services.push((kind, messages)),
    }
}
