//! The rules: from what a flow's messages add up to, to who sends. The first that fits decides; who fits none is unknown.
//!
//! In: [`Features`], the sender, and what is known around it. Out: a [`Finding`]. Pure: the same input gives the same answer. Each rule says
//! why it convinces; where two explanations fit, the harmless one is taken, and where none does, nothing is called a threat.

use enrich::ServiceKind::{
    self, Education, Forwarder as ForwarderKind, Isp, ListHost, MailboxProvider, Marketing, Saas, SecurityGateway,
    Transactional, WebHost,
};

use super::around::in_words;
use super::class::{Diagnosis, FlowClass, FlowEvidence};
use super::features::Features;
use super::identity::Identity;
use super::knowledge::share;
use super::rhythm::{Beat, Rhythm};
use super::strangers::Alike;
use crate::rounded;

/// Shares and counts at which the rules decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thresholds {
    /// Of our own mail: this share failing, and at least so many, is misconfigured.
    pub(crate) own_failing: (f64, u64),
    /// Of a service's: it also meets receivers whose DNS fails, and forwarders that look like it.
    pub(crate) service_failing: (f64, u64),
    /// Networks that make a crowd.
    pub(crate) crowd: u64,
    /// Weeks in which a service was seen before it counts as steady.
    pub(crate) steady_weeks: u32,
    /// Messages on a day on which it sends that are loud for one network that never passes.
    pub(crate) loud: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { own_failing: (0.02, 3), service_failing: (0.10, 3), crowd: 20, steady_weeks: 3, loud: 20 }
    }
}

/// What is known around a flow.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all go together")]
pub(crate) struct Around {
    /// When our mail that passes is sent, when this is, and when all that is like it in its neighbourhood.
    pub(crate) ours: Beat,
    pub(crate) rhythm: Option<Rhythm>,
    pub(crate) crowd_beat: Beat,
    /// Networks in the neighbourhood, and in all, that send as this one does; the most of them within two days.
    pub(crate) crowd: u64,
    pub(crate) crowd_all: u64,
    /// Messages for each sighting of an address in the crowd.
    pub(crate) crowd_messages: u64,
    pub(crate) crowd_sightings: u64,
    /// The sender is known to send for us: it signs beside us, or its envelope stands on mail that we sign.
    pub(crate) vendor: bool,
    /// The kind of service that the sender's own domain belongs to.
    pub(crate) service: Option<ServiceKind>,
    /// Mail with our signatures came through this sender from elsewhere; and of it, what a forwarder altered.
    pub(crate) carries: u64,
    pub(crate) alters: u64,
    /// Messages of it that come from networks which pass on mail of ours intact.
    pub(crate) on_carriers: u64,
    /// How much of it can be ours, by how much others hand on without our signature; 1 or more where that cannot be said.
    pub(crate) fits: f64,
    /// Messages of it from the /16 or /32 of servers that send in our own name.
    pub(crate) near_ours: u64,
    /// Its addresses come back again and again.
    pub(crate) lasting: bool,
    /// What strangers like it do together.
    pub(crate) strangers: Option<Alike>,
    /// The envelope is named as those of lists are.
    pub(crate) list_name: bool,
    /// Nearly all mail of our own is signed; most of all mail in our name that passes.
    pub(crate) signs_all: bool,
    pub(crate) signs_most: bool,
    /// All of it falls on working days, though weekends lie between them.
    pub(crate) working_days: bool,
    /// Days on which receivers held most of it back.
    pub(crate) held_days: usize,
    /// Networks of ours were declared.
    pub(crate) declared: bool,
    /// A key of ours: seen to verify at all.
    pub(crate) home_is_service: bool,
    /// Who else signs is one of us, or has a name for us below its own, as mailbox providers give it to their customers.
    pub(crate) signer_is_ours: bool,
    /// Organizational domains this ledger has whose name the same addresses use.
    pub(crate) organizations: u64,
    /// Nothing of this organizational domain ever passes.
    pub(crate) silent: bool,
}

/// Who sends, before it is asked whether it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    Own,
    Service,
    Forwarder { broken: bool },
    Spoofer,
    Unknown,
}

impl Who {
    /// Who somebody says it is, by naming a class, of a flow with so many messages of which so many fail.
    pub(crate) fn decided(class: FlowClass, messages: u64, failing: u64) -> Self {
        match class {
            FlowClass::Own | FlowClass::OwnMisconfigured => Self::Own,
            FlowClass::ThirdParty | FlowClass::ThirdPartyUnaligned => Self::Service,
            FlowClass::ForwarderIntact => Self::Forwarder { broken: failing * 2 > messages },
            FlowClass::ForwarderBroken => Self::Forwarder { broken: true },
            FlowClass::Spoofer => Self::Spoofer,
            FlowClass::Unknown => Self::Unknown,
        }
    }

    /// The class of so many messages of which so many fail.
    pub(crate) fn class(self, messages: u64, failing: u64, at: &Thresholds) -> FlowClass {
        let bad = |(most, least): (f64, u64)| {
            failing > 0 && (failing >= least || failing == messages) && share(failing, messages) > most
        };
        match self {
            Self::Own if bad(at.own_failing) => FlowClass::OwnMisconfigured,
            Self::Own => FlowClass::Own,
            Self::Service if bad(at.service_failing) => FlowClass::ThirdPartyUnaligned,
            Self::Service => FlowClass::ThirdParty,
            Self::Forwarder { broken: false } => FlowClass::ForwarderIntact,
            Self::Forwarder { broken: true } => FlowClass::ForwarderBroken,
            Self::Spoofer => FlowClass::Spoofer,
            Self::Unknown => FlowClass::Unknown,
        }
    }
}

/// Who sends, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) who: Who,
    pub(crate) confidence: u8,
    pub(crate) rule: &'static str,
    pub(crate) why: &'static str,
    pub(crate) evidence: Vec<FlowEvidence>,
}

/// One flow in front of the rules.
pub(crate) struct Case<'a> {
    pub(crate) identity: Identity,
    pub(crate) f: &'a Features,
    pub(crate) around: &'a Around,
    pub(crate) at: &'a Thresholds,
    evidence: std::cell::RefCell<Vec<FlowEvidence>>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(identity: Identity, f: &'a Features, around: &'a Around, at: &'a Thresholds) -> Self {
        Self { identity, f, around, at, evidence: std::cell::RefCell::default() }
    }

    /// A share of the flow's messages, for comparing.
    pub(super) fn share(&self, messages: u64) -> f64 {
        share(messages, self.f.messages)
    }

    /// Notes a piece of evidence.
    pub(super) fn note(&self, fact: &str, messages: u64, text: String) {
        if messages > 0 {
            self.evidence.borrow_mut().push(FlowEvidence { fact: fact.to_owned(), text, messages });
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every rule ends in it, and rules give none where they do not fit")]
    pub(super) fn found(&self, who: Who, confidence: u8, rule: &'static str, why: &'static str) -> Option<Finding> {
        Some(Finding { who, confidence, rule, why, evidence: self.evidence.take() })
    }

    /// Somebody hands on what we sent, and this came without our signature. Spoofers write to the same mailboxes: of what is far more than
    /// others hand on only a part can be ours.
    fn stripped(&self, why: &'static str) -> Option<Finding> {
        let (confidence, why) = if self.around.fits >= 0.5 {
            (65, why)
        } else {
            let per_cent = u8::try_from(rounded(self.around.fits * 100.0)).unwrap_or(u8::MAX).max(1);
            let why = "mail that we signed is handed on from there, but so much more comes without our signature than from others who do that: most of it is hardly ours";
            (per_cent, why)
        };
        self.found(Who::Forwarder { broken: true }, confidence, "C5-stripped", why)
    }

    /// The verdict on who sends.
    pub(crate) fn decide(&self) -> Finding {
        self.describe();
        let found = match self.identity {
            Identity::Key(_) => self.key(),
            Identity::Envelope(_) => self.envelope(),
            Identity::Foreign(_) => self.foreign(),
            Identity::Forwarder { broken, .. } => self.forwarder(broken),
            Identity::Unsigned { .. } => self.unsigned(),
        };
        let unknown = || Finding {
            who: Who::Unknown,
            confidence: 50,
            rule: "U1",
            why: "nothing says who sends it: neither ours nor a service of ours by any sign, and no sign of fraud either",
            evidence: self.evidence.take(),
        };
        found.unwrap_or_else(unknown)
    }

    /// The evidence that every verdict shows: how the mail authenticates, when it is sent, what is known of its addresses.
    fn describe(&self) {
        let f = self.f;
        let of = |n: u64| format!("{} of {} messages", crate::commas(n), crate::commas(f.messages));
        self.note("passes", f.passing(), format!("{} pass DMARC", of(f.passing())));
        self.note("our_signature", f.intact, format!("{} carry a signature of ours that verifies", of(f.intact)));
        self.note("broken", f.broken, format!("{} carry a signature of ours that does not verify", of(f.broken)));
        self.note("spf_ours", f.exact, format!("SPF passes for our own name on {}", of(f.exact)));
        self.note("spf_below", f.below, format!("SPF passes for a name below ours on {}", of(f.below)));
        self.note("spf_foreign", f.foreign, format!("SPF passes for somebody else's name on {}", of(f.foreign)));
        self.note("signed_by_other", f.other, format!("somebody else signs {}", of(f.other)));
        self.note("lying", f.lying, format!("nothing passes and the envelope names us on {}", of(f.lying)));
        self.note(
            "forwarded",
            f.says_forwarded,
            format!("receivers call {} forwarded or list mail", of(f.says_forwarded)),
        );
        self.note("own_space", f.ours, format!("{} come from address space of ours", of(f.ours)));
        self.note("suspicious", f.suspicious, format!("{} come from addresses of bad standing", of(f.suspicious)));
        self.note("good", f.good, format!("{} come from addresses of good standing", of(f.good)));
        if let Some(rhythm) = self.around.rhythm {
            self.note("week", f.messages, in_words(rhythm));
        }
    }

    pub(super) fn flat(&self) -> bool {
        let own = self.around.rhythm.map(|rhythm| rhythm.beat).filter(|beat| *beat != Beat::Unclear);
        // Of what comes back again and again only its own days count.
        let crowd = if self.around.lasting { Beat::Unclear } else { self.around.crowd_beat };
        own.unwrap_or(crowd) == Beat::Flat
    }

    pub(super) fn office(&self) -> bool {
        self.around.rhythm.is_some_and(|rhythm| rhythm.beat == Beat::Office)
    }

    /// Most of it comes from our own machines, by declaration, by name, or by the company they keep.
    fn on_our_machines(&self) -> Option<(u8, &'static str)> {
        if self.share(self.f.declared) >= 0.5 {
            return Some((98, "it comes from networks that were declared as ours"));
        }
        if self.share(self.f.named_ours) >= 0.5 {
            return Some((90, "its addresses have names below our domains that lead back to them"));
        }
        (self.share(self.f.ours) >= 0.5)
            .then_some((80, "it comes from networks from which only our own servers were ever seen to send"))
    }

    /// A service runs the addresses that sends for customers: whoever passes from there is its customer.
    fn at_a_sending_service(&self) -> bool {
        self.share(self.f.of_service(&[Marketing, Transactional, Saas])) >= 0.5
    }

    /// Who signs beside us carries the mail of our people: one of us, our mailbox provider, a gateway.
    fn signs_for_us(&self) -> bool {
        self.around.signer_is_ours || matches!(self.around.service, Some(MailboxProvider | SecurityGateway))
    }

    fn key(&self) -> Option<Finding> {
        let f = self.f;
        if let Some((sure, why)) = self.on_our_machines() {
            return self.found(Who::Own, sure, "C1-own-network", why);
        }
        if self.at_a_sending_service() {
            return self.found(Who::Service, 95, "C3-service", "it signs as us from the hosts of a known service");
        }
        if self.around.home_is_service {
            let why = "it signs as us, with an envelope sender of its own: we gave it a key";
            return self.found(Who::Service, 90, "C3-key", why);
        }
        let direct = f.exact + f.below;
        if f.below * 2 > direct && direct > 0 {
            let why = "it signs as us, with an envelope sender below our domain as services ask for";
            return self.found(Who::Service, 85, "C3-delegated", why);
        }
        if self.share(f.other) >= 0.5 && !self.signs_for_us() {
            return self.found(Who::Service, 85, "C3-signs-twice", "it signs as us and as itself, as services do");
        }
        if direct == 0 && self.share(f.foreign) >= 0.3 {
            let why = "it signs as us, and SPF passes for somebody else only";
            return self.found(Who::Service, 75, "C3-key", why);
        }
        let why = "it signs as us, and SPF passes for our own name: mail of people and servers of ours";
        self.found(Who::Own, if direct > 0 { 85 } else { 65 }, "C1-own-key", why)
    }

    fn envelope(&self) -> Option<Finding> {
        if let Some((sure, why)) = self.on_our_machines() {
            return self.found(Who::Own, sure, "C1-own-network", why);
        }
        let why = "SPF passes for a name below ours that we set up for it";
        self.found(Who::Service, if self.share(self.f.other) >= 0.5 { 90 } else { 75 }, "C3-envelope", why)
    }

    fn forwarder(&self, broken: bool) -> Option<Finding> {
        let f = self.f;
        let kind = f.of_service(&[MailboxProvider, ForwarderKind, ListHost, SecurityGateway, Isp, Education, WebHost]);
        if let Some(found) = self.copied() {
            return Some(found);
        }
        if !broken {
            let why = "our signature verifies, and it comes from elsewhere than we send: somebody passed it on";
            return self.found(Who::Forwarder { broken }, 90, "C4", why);
        }
        if self.share(f.says_forwarded) >= 0.2 {
            let why = "receivers say that it was forwarded or came through a list";
            return self.found(Who::Forwarder { broken }, 95, "C5-override", why);
        }
        // A few that verify among very many that do not are no forwarder's.
        if self.around.carries > 0 && self.around.carries * 10 >= self.around.alters {
            let why = "the same sender passes on other mail of ours with its signature intact";
            return self.found(Who::Forwarder { broken }, 90, "C5-carries", why);
        }
        if self.share(f.broken) >= 0.5 && self.share(f.foreign + f.other) >= 0.5 {
            let why = "it carries our signature, altered on the way, and whoever passed it on stands behind it with its own name";
            return self.found(Who::Forwarder { broken }, 85, "C5-altered", why);
        }
        if self.share(kind) >= 0.5 || self.share(f.graded_good + f.mail_host) >= 0.5 {
            let why = "it carries our signature, altered on the way, and comes from mail servers of good standing";
            return self.found(Who::Forwarder { broken }, 75, "C5-standing", why);
        }
        let why = "it carries our signature and nothing verifies: a forwarder that alters mail, or a copied signature";
        self.found(Who::Unknown, 50, "U3-broken", why)
    }

    fn foreign(&self) -> Option<Finding> {
        let (f, around) = (self.f, self.around);
        if let Some((sure, why)) = self.on_our_machines() {
            return self.found(Who::Own, sure, "C2-own-network", why);
        }
        if self.share(f.says_forwarded) >= 0.2 {
            let why = "receivers say that it was forwarded or came through a list";
            return self.found(Who::Forwarder { broken: true }, 95, "C5-override", why);
        }
        if matches!(around.service, Some(ListHost | ForwarderKind)) || (around.list_name && !around.vendor) {
            let why = "a list host or forwarder sends it, as the envelope says";
            return self.found(Who::Forwarder { broken: true }, 85, "C5-service", why);
        }
        if around.vendor {
            let why = "the sender also signs mail that passes for us, or sends it from its envelope: a service of ours, not set up here";
            return self.found(Who::Service, 90, "C6-vendor", why);
        }
        if around.carries * 10 >= f.messages {
            let why = "the sender passes on mail that we signed; this one came without our signature";
            return self.stripped(why);
        }
        if let Some(found) = self.snowshoe() {
            return Some(found);
        }
        let thin = f.sightings > 0 && f.messages <= 20 * f.sightings;
        if around.silent && thin && f.networks >= self.at.crowd && around.service.is_none() && !self.office() {
            let why = "the name sends no mail at all, and this comes from many unrelated networks";
            return self.found(Who::Spoofer, 85, "C7-silent-name", why);
        }
        if self.of_profiled(f.hard.max(f.suspicious)) >= 0.7 && !self.office() && around.service.is_none() {
            let why = "it authenticates as somebody we never had to do with, from addresses of bad standing";
            return self.found(Who::Spoofer, 85, "C7-standing", why);
        }
        if let Some(found) = self.service() {
            return Some(found);
        }
        // Who signs answers for it, and is asked rather than accused.
        let bare = around.service.is_none() && self.share(f.other) < 0.1;
        if let Some(found) = if bare { self.spoofed() } else { None }.or_else(|| self.strangers()) {
            return Some(found);
        }
        let stands = self.share(f.other_like_spf) >= 0.5;
        let few = f.sightings > 0 && f.messages >= 3 * f.sightings && f.networks <= 8;
        if f.weeks >= self.at.steady_weeks && stands && few && self.share(f.suspicious) < 0.5 {
            let why =
                "it signs and sends as itself from a few addresses, week after week: a service not set up for our name";
            return self.found(Who::Service, 60, "C6-steady", why);
        }
        if around.working_days && stands && few && self.share(f.mail_host) >= 0.5 {
            let why = "it signs and sends as itself from a few mail servers, on the working days of a week and not on the weekend between: a mailing that somebody ordered";
            return self.found(Who::Service, 55, "C6-mailing", why);
        }
        let why = "it authenticates as somebody who is not known to send for us: ask who uses it";
        self.found(Who::Unknown, 50, "U2-vendor-unapproved", why)
    }

    /// A service that nobody set up, or somebody who works with it.
    fn service(&self) -> Option<Finding> {
        let (f, around) = (self.f, self.around);
        let sends = matches!(around.service, Some(Marketing | Transactional | Saas)) || self.at_a_sending_service();
        let steady = f.weeks >= self.at.steady_weeks;
        if sends && (steady || (f.messages >= 100 && self.share(f.good) >= 0.5)) {
            let why = "a known service sends it under its own name, week after week or much of it";
            return self.found(Who::Service, if steady { 85 } else { 70 }, "C6-service", why);
        }
        // A small company's service sends a few a day, but for months.
        let lasting = f.messages >= 30 && f.active_days >= 15;
        if (steady || lasting) && self.office() && f.networks <= 8 {
            let why = "it authenticates as itself and keeps our office hours, week after week: somebody works with it";
            return self.found(Who::Service, 70, "C6-steady", why);
        }
        None
    }

    fn unsigned(&self) -> Option<Finding> {
        let f = self.f;
        if let Some((sure, why)) = self.on_our_machines() {
            return self.found(Who::Own, sure, "C2-own-network", why);
        }
        if self.share(f.exact) > 0.0 || matches!(self.identity, Identity::Unsigned { listed: true, .. }) {
            if self.at_a_sending_service() {
                let why = "the hosts of a known service pass SPF for our own name: our record names it";
                return self.found(Who::Service, 85, "C3-listed", why);
            }
            if self.share(f.other) >= 0.5 && !self.signs_for_us() {
                let why =
                    "SPF passes for our own name, and somebody else signs as itself: a service that our record names";
                return self.found(Who::Service, 80, "C3-listed", why);
            }
            return self.found(
                Who::Own,
                80,
                "C1-listed",
                "its addresses pass SPF for our own name: our record names them",
            );
        }
        if self.share(f.below) >= 0.5 {
            return self.found(
                Who::Service,
                70,
                "C3-envelope",
                "SPF passes for a name below ours that we set up for it",
            );
        }
        if self.share(f.beside_a_vendor) >= 0.5 {
            let why =
                "the addresses beside it send for us and pass: a service of ours, from hosts that were not set up";
            return self.found(Who::Service, 75, "C6-beside", why);
        }
        let few_beside = self.share(f.beside_ours) >= 0.5 && f.sources <= 8 && self.share(f.honest) < 0.5;
        if few_beside && f.hard == 0 {
            let why =
                "servers that send as us and pass stand beside it, and nobody else's mail comes from that network";
            return self.found(Who::Own, 60, "C2-beside", why);
        }
        if self.share(f.says_forwarded) >= 0.2 {
            let why = "receivers say that it was forwarded or came through a list";
            return self.found(Who::Forwarder { broken: true }, 95, "C5-override", why);
        }
        let bad = self.of_profiled(f.suspicious.max(f.hard)) >= 0.5;
        if self.share(self.around.on_carriers) >= 0.5 && !bad {
            let why = "the same network passes on mail that we signed; this came without a signature";
            return self.stripped(why);
        }
        let forwards = [MailboxProvider, ForwarderKind, ListHost, SecurityGateway, Isp, Education, WebHost];
        if self.share(f.of_service(&forwards)) >= 0.5 && !bad && f.borrowed.len() < 3 {
            let why = "the hosts of a known provider or gateway send it, as they hand on mail for their customers";
            return self.found(Who::Forwarder { broken: true }, 60, "C5-service", why);
        }
        if self.share(f.insider) >= 0.8 && !bad {
            let why = "its envelope bears a name below ours that has an SPF record: somebody of ours set that up, and forgot these addresses";
            return self.found(Who::Service, 60, "C6-insider", why);
        }
        self.spoofed()
    }
}

/// What is wrong with mail that fails, the most telling first.
pub(crate) fn diagnose(f: &Features, bounce: bool) -> Option<Diagnosis> {
    // Not every reporter says that SPF was about the greeting: in a flow of bounces it was.
    let (bounces, unlisted) =
        if bounce { (f.fail_bounce + f.fail_unlisted, 0) } else { (f.fail_bounce, f.fail_unlisted) };
    let found = [
        (f.fail_permerror, Diagnosis::SpfPermerror),
        (bounces, Diagnosis::HeloWithoutSpf),
        (f.fail_broken, Diagnosis::BrokenSignature),
        (f.fail_other_signed, Diagnosis::SignsAsAnother),
        (f.fail_foreign, Diagnosis::UnalignedBounceDomain),
        (unlisted, Diagnosis::UnlistedUnsigned),
        (f.fail_temperror, Diagnosis::DnsTrouble),
        (f.fail_contradicting, Diagnosis::ReportsContradict),
    ];
    // The largest part; the earlier one of equals.
    let largest = found.iter().map(|(n, _)| *n).max().filter(|n| *n > 0)?;
    // A permerror hides whatever else is wrong: a fifth of it is enough to look there first.
    if f.fail_permerror * 5 >= f.failing {
        return Some(Diagnosis::SpfPermerror);
    }
    found.into_iter().find(|(n, _)| *n == largest).map(|(_, diagnosis)| diagnosis)
}
