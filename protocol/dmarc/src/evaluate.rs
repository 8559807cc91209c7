//! The evaluation of one message: a pure function of its bytes, its envelope, the DNS, the time and the settings.
//!
//! In: the header, the body in pieces, the envelope, a source of DNS answers. Out: one [`Evaluation`]. Author domain, envelope domain
//! and HELO name are read once, and the same values serve SPF, DKIM, ARC, DMARC, the results field and the report; body hashes are
//! shared. Memory is that of the header, whatever the size of the body.

use std::net::IpAddr;
use std::pin::pin;

use authres::{Claim, OurIds, Removal, ResultWord, forged};
use dkim::BodyHasher;
use dns::{Lookup, Name, Suffixes};
use message::{Anomaly, Author, Body, BodyFacts, Domain, Header, HeaderError, HeaderLimits, Refusal, ReversePath};

use crate::alignment::{Alignment, Identifier, Method};
use crate::discovery::{Discovery, Walker};
use crate::join::together;
use crate::standard::sample;
use crate::verdict::{Reason, Verdict, decide, discover};
use crate::{Rules, Standard};

/// What the client said, and who it is.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Its address; an IPv4-mapped IPv6 address is the IPv4 address.
    pub ip: IpAddr,
    /// The argument of HELO or EHLO.
    pub helo: &'a str,
    /// The path of MAIL FROM with or without its brackets, `<>` or nothing for the null path; `None` where it was never said.
    pub mail_from: Option<&'a [u8]>,
    /// The name of the host that checks, for explanations of SPF (`%{r}`).
    pub receiver: &'a str,
}

/// What becomes of a message without exactly one author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AmbiguousAuthor {
    /// It is not evaluated further: permanent error. RFC 9989 §11.5 calls such messages a threat.
    #[default]
    Refuse,
    /// Each domain that some reader could take for the author's is evaluated, and the strictest policy that fails applies.
    Strictest,
}

/// How messages are evaluated.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How long a header may be.
    pub header: HeaderLimits,
    /// What SPF may ask.
    pub spf: spf::Limits,
    /// How many signatures are verified.
    pub dkim: dkim::Limits,
    /// Which standard decides.
    pub standard: Standard,
    /// Whether the other one is evaluated beside it.
    pub both: bool,
    /// What becomes of messages without exactly one author.
    pub ambiguous_author: AmbiguousAuthor,
    /// The public suffix list, for RFC 7489.
    pub suffixes: Suffixes,
    /// Our names in Authentication-Results, to find fields that claim them.
    pub ours: Option<OurIds>,
    /// Where the message lies among 100, for `pct`; none: [`sample`] of its header.
    pub sample: Option<u8>,
}

/// Why a message has no one author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// From is ambiguous.
    #[error("{0}")]
    Author(#[from] Refusal),
    /// The header is too large to be read.
    #[error("{0}")]
    Header(#[from] HeaderError),
}

impl Refused {
    /// The name in logs and JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Author(refusal) => refusal.ambiguity.name(),
            Self::Header(HeaderError::Bytes(_)) => "header_too_long",
            Self::Header(HeaderError::Fields(_)) => "too_many_fields",
        }
    }
}

/// Everything that was found out about one message.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The one author, or why there is none.
    pub author: Result<Author, Refused>,
    /// What the client said in MAIL FROM.
    pub mail_from: ReversePath,
    /// SPF of MAIL FROM; of `postmaster` at the HELO name where that is null.
    pub spf: spf::Evaluation,
    /// SPF of the HELO name. DMARC does not use it.
    pub spf_helo: spf::Evaluation,
    /// A verdict for each DKIM-Signature field, in their order.
    pub dkim: Vec<dkim::Verdict>,
    /// What came of the ARC chain.
    pub arc: arc::Validation,
    /// DMARC.
    pub dmarc: Verdict,
    /// DMARC by the other standard, where that was asked for.
    pub other: Option<Verdict>,
    /// Of a message without one author that was evaluated all the same: the verdict for each domain in play. [`Evaluation::dmarc`] is
    /// the one of them that counts.
    pub candidates: Vec<Verdict>,
    /// What is odd about the header.
    pub anomalies: Vec<Anomaly>,
    /// Fields that claim to be ours, last to first: to be taken out. RFC 8601 §5.
    pub forged: Vec<Removal>,
    /// What there is to say about the body.
    pub body: BodyFacts,
}

/// The evaluation of one message, waiting for its body.
pub struct Evaluator<'h> {
    header: &'h Header<'h>,
    settings: &'h Settings,
    author: Result<Author, Refused>,
    body: Body,
    hasher: BodyHasher,
    dkim: dkim::Verifier<'h>,
    arc: arc::Validator<'h>,
}

impl<'h> Evaluator<'h> {
    /// Begins with what [`message::HeaderReader`] answered.
    #[must_use]
    pub fn new(header: &'h Header<'h>, body: Body, settings: &'h Settings) -> Self {
        let mut hasher = BodyHasher::new();
        let dkim = dkim::Verifier::new(header, settings.dkim, &mut hasher);
        let arc = arc::Validator::new(header, &mut hasher);
        let author = message::author(header).map_err(Refused::from);
        Self { header, settings, author, body, hasher, dkim, arc }
    }

    /// Takes the next piece of the body.
    pub fn feed(&mut self, piece: &[u8]) {
        let Self { body, hasher, .. } = self;
        body.feed(piece, |bytes| hasher.feed(bytes));
    }

    /// The message has ended: asks the DNS, all that can be asked at once. `now` is in seconds since 1970.
    pub async fn finish<L: Lookup>(self, envelope: &Envelope<'_>, lookup: &L, now: u64) -> Evaluation {
        let Self { header, settings, author, body, mut hasher, dkim, arc } = self;
        // What is found out is put where it stays: its parts are large, and would be copied with every future around them.
        let mut evaluation = Evaluation::begun(author, envelope, settings);
        evaluation.body = body.finish(|bytes| hasher.feed(bytes));
        evaluation.anomalies = header.anomalies().to_vec();
        let hashes = hasher.finish();
        // Only RFC 7489 has a use for it, and it costs more than most of an evaluation's parts.
        let has_sample = settings.both || settings.standard == Standard::Rfc7489;
        let drawn = || if has_sample { sample(header.bytes()) } else { 0 };
        let rules = Rules {
            standard: settings.standard,
            suffixes: &settings.suffixes,
            sample: settings.sample.unwrap_or_else(drawn),
        };
        let mut authors = Authors::new(&evaluation.author, settings, rules, lookup);
        {
            let names = (&mut evaluation.spf, &mut evaluation.spf_helo);
            let senders = pin!(sender(envelope, &evaluation.mail_from, lookup, now, &settings.spf, names));
            let signatures = pin!(async { evaluation.dkim = dkim.finish(&hashes, lookup, now).await });
            let seals = pin!(async { evaluation.arc = arc.finish(&hashes, lookup, now).await });
            let policies = pin!(authors.discover(settings.both));
            let signed = pin!(together(signatures, seals));
            let published = pin!(together(senders, policies));
            together(published, signed).await;
        }
        let found = authors.unrelated(&evaluation.spf, &evaluation.dkim);
        let again = settings.both.then(|| found.clone());
        (evaluation.dmarc, evaluation.candidates) = authors.verdict(rules, found).await;
        if let Some(found) = again {
            let rules = Rules { standard: rules.standard.other(), ..rules };
            evaluation.other = Some(authors.verdict(rules, found).await.0);
        }
        if let Some(ours) = &settings.ours {
            evaluation.forged = forged(header.fields().map(|field| (field.name, field.value)), ours);
            // A chain of ours that holds came back: its results are ours by right.
            let chain_holds = evaluation.arc.result == ResultWord::Pass;
            evaluation.forged.retain(|found| !(chain_holds && found.claim == Claim::ArcAuthenticationResults));
        }
        evaluation
    }
}

/// Evaluates a message that is in memory. `now` is in seconds since 1970.
pub async fn evaluate<L: Lookup>(
    message: &[u8],
    envelope: &Envelope<'_>,
    lookup: &L,
    now: u64,
    settings: &Settings,
) -> Evaluation {
    match message::split(message, &settings.header) {
        Ok((header, body, rest)) => {
            let mut evaluator = Evaluator::new(&header, body, settings);
            evaluator.feed(rest);
            evaluator.finish(envelope, lookup, now).await
        }
        Err(error) => Evaluation::too_large(error, envelope, lookup, now, settings).await,
    }
}

impl Evaluation {
    /// Whether MAIL FROM was null, so that both names of the session are one.
    pub(crate) fn has_null_path(&self) -> bool {
        self.mail_from == ReversePath::Null
    }

    /// The evaluation of a message whose header goes over its limit: it has no author, and nothing of it is verified.
    pub async fn too_large<L: Lookup>(
        error: HeaderError,
        envelope: &Envelope<'_>,
        lookup: &L,
        now: u64,
        settings: &Settings,
    ) -> Self {
        let mut evaluation = Self::begun(Err(Refused::Header(error)), envelope, settings);
        let Self { mail_from, spf, spf_helo, .. } = &mut evaluation;
        sender(envelope, mail_from, lookup, now, &settings.spf, (spf, spf_helo)).await;
        evaluation.other = settings.both.then(|| Verdict::no_author(settings.standard.other()));
        evaluation
    }

    /// Of a message of which no more is known than what the client said and who its author is: nothing is verified yet.
    fn begun(author: Result<Author, Refused>, envelope: &Envelope<'_>, settings: &Settings) -> Self {
        let unasked = |identity| spf::Evaluation::unasked(identity, spf::Reason::NoMailFrom, &settings.spf);
        Self {
            author,
            mail_from: ReversePath::parse(envelope.mail_from),
            spf: unasked(spf::Identity::MailFrom),
            spf_helo: unasked(spf::Identity::Helo),
            dkim: Vec::new(),
            arc: arc::Validation { result: ResultWord::None, reason: None, sets: Vec::new(), oldest_pass: None },
            dmarc: Verdict::no_author(settings.standard),
            other: None,
            candidates: Vec::new(),
            anomalies: Vec::new(),
            forged: Vec::new(),
            body: BodyFacts::default(),
        }
    }
}

/// SPF of both names of the session: of MAIL FROM, and of the HELO name.
async fn sender<L: Lookup>(
    envelope: &Envelope<'_>,
    mail_from: &ReversePath,
    lookup: &L,
    now: u64,
    limits: &spf::Limits,
    (found, found_helo): (&mut spf::Evaluation, &mut spf::Evaluation),
) {
    let client = spf::Client { receiver: envelope.receiver, time: now, ..spf::Client::new(envelope.ip, envelope.helo) };
    if *mail_from == ReversePath::Null {
        // RFC 7208 §2.4: the same mailbox is checked for both.
        *found = spf::check_mail_from(lookup, &client, mail_from, limits).await;
        *found_helo = spf::Evaluation { identity: spf::Identity::Helo, ..found.clone() };
        return;
    }
    let mail_from = pin!(async { *found = spf::check_mail_from(lookup, &client, mail_from, limits).await });
    let helo = pin!(async { *found_helo = spf::check_helo(lookup, &client, limits).await });
    together(mail_from, helo).await;
}

/// The domains that are evaluated for one message, and what is published for them.
struct Authors<'a, L> {
    domains: &'a [Domain],
    /// Whether it is the one author's domain, and not one of several in play.
    is_one: bool,
    rules: Rules<'a>,
    walker: Walker<'a, L>,
    /// What is published for the first of them, then for the others.
    first: Option<Discovery>,
    others: Vec<Option<Discovery>>,
}

impl<'a, L: Lookup> Authors<'a, L> {
    fn new(author: &'a Result<Author, Refused>, settings: &Settings, rules: Rules<'a>, lookup: &'a L) -> Self {
        let domains: &[Domain] = match author {
            Ok(author) => std::slice::from_ref(&author.domain),
            Err(Refused::Author(refusal)) if settings.ambiguous_author == AmbiguousAuthor::Strictest => {
                &refusal.candidates
            }
            Err(_) => &[],
        };
        Self { domains, is_one: author.is_ok(), rules, walker: Walker::new(lookup), first: None, others: Vec::new() }
    }

    /// What is published by the standard that decides. `again`: the domains are evaluated by the other one too.
    async fn discover(&mut self, again: bool) {
        let (domains, rules) = (self.domains, self.rules);
        for (at, domain) in domains.iter().enumerate() {
            let found = self.found(domain, &rules, again || domains.len() > 1).await;
            if at == 0 { self.first = found } else { self.others.push(found) }
        }
    }

    /// What SPF and DKIM have to say of domains. RFC 9989 §4.4.2: of SPF only the identity of MAIL FROM.
    fn unrelated(&self, spf: &spf::Evaluation, dkim: &[dkim::Verdict]) -> Vec<Alignment> {
        let result = ResultWord::parse(spf.result.as_str()).unwrap_or(ResultWord::None);
        let mut found = Vec::with_capacity(1 + dkim.len());
        let identifier = Identifier { method: Method::Spf, domain: spf.domain.clone(), result };
        found.push(Alignment::unrelated(identifier));
        for verdict in dkim {
            // A pass that DMARC may not use says nothing to it.
            let result = match verdict.result {
                ResultWord::Pass if !verdict.usable_for_dmarc() => ResultWord::Policy,
                result => result,
            };
            let domain = verdict.domain().and_then(|domain| self.name(domain));
            found.push(Alignment::unrelated(Identifier { method: Method::Dkim, domain, result }));
        }
        found
    }

    /// A domain as a name. Nearly always it is the author's, whose name is there already.
    fn name(&self, domain: &Domain) -> Option<Name> {
        match &self.first {
            Some(found) if self.domains.first() == Some(domain) => Some(found.domain.clone()),
            _ => Name::from_dotted(domain.as_str().as_bytes()).ok(),
        }
    }

    /// The verdict that counts, and those for all domains where there are several.
    async fn verdict(&mut self, rules: Rules<'_>, found: Vec<Alignment>) -> (Verdict, Vec<Verdict>) {
        if let (true, [domain]) = (self.is_one, self.domains) {
            let known = self.first.take();
            return (self.verdict_for(domain, known, rules, found).await, Vec::new());
        }
        let mut verdicts = Vec::with_capacity(self.domains.len());
        for (at, domain) in self.domains.iter().enumerate() {
            let known = match at.checked_sub(1) {
                None => self.first.take(),
                Some(other) => self.others.get_mut(other).and_then(Option::take),
            };
            verdicts.push(self.verdict_for(domain, known, rules, found.clone()).await);
        }
        (strictest(&verdicts).unwrap_or_else(|| Verdict::no_author(rules.standard)), verdicts)
    }

    async fn verdict_for(
        &mut self,
        domain: &Domain,
        known: Option<Discovery>,
        rules: Rules<'_>,
        found: Vec<Alignment>,
    ) -> Verdict {
        let discovery = match known.filter(|_| rules.standard == self.rules.standard) {
            Some(discovery) => Some(discovery),
            None => self.found(domain, &rules, true).await,
        };
        match discovery {
            Some(discovery) => decide(domain, discovery, found, &mut self.walker, &rules).await,
            None => Verdict::no_author(rules.standard),
        }
    }

    /// What is published for a domain. `again`: other walks may follow for it, or for others.
    async fn found(&mut self, domain: &Domain, rules: &Rules<'_>, again: bool) -> Option<Discovery> {
        let found = discover(domain, &self.walker, rules).await;
        if let Some(found) = found.as_ref().filter(|_| again) {
            self.walker.remember(found);
        }
        found
    }
}

/// RFC 9989 §11.5, RFC 7489 §6.6.1: the strictest policy that fails; a pass only where all pass.
fn strictest(verdicts: &[Verdict]) -> Option<Verdict> {
    let rank = |verdict: &&Verdict| match verdict.result {
        ResultWord::Fail => (4, verdict.requested_disposition),
        ResultWord::TempError => (3, None),
        ResultWord::PermError => (2, None),
        ResultWord::Pass => (0, None),
        _ => (1, None),
    };
    // Of equals the first: it is the one that most readers show.
    let mut found = verdicts.iter().rev().max_by_key(rank)?.clone();
    if found.result == ResultWord::None && verdicts.iter().any(|verdict| verdict.result == ResultWord::Pass) {
        found.reason = Reason::SomeAuthorWithoutRecord;
    }
    Some(found)
}
