//! DMARC's outcome for one author domain: does an authenticated domain vouch for it, and what does its owner ask for if none does
//! (RFC 9989 §4.4, §4.7, §4.10, §5.3; RFC 7489 §6.6).
//!
//! In: the author domain, what SPF and DKIM found, DNS. Out: a [`Verdict`]. What the receiver does with the message is not decided
//! here: RFC 9989 §7.4 has receivers not reject for a policy alone.

use std::sync::Arc;

use authres::ResultWord;
use dns::{Lookup, Name};
use message::Domain;
use spf::Answer;

use crate::alignment::{Alignment, Identifier, Method, relation};
use crate::discovery::{Discovery, PolicyAt, Walker};
use crate::{Policy, PolicyTag, Published, Record, Rules, Standard};

/// DMARC's outcome for one author domain.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// By which standard.
    pub standard: Standard,
    /// The result: `None`, `Pass`, `Fail`, `TempError` or `PermError`.
    pub result: ResultWord,
    /// Why; in words by [`Verdict::why`].
    pub reason: Reason,
    /// The author domain; none where the message has no one author.
    pub author_domain: Option<Domain>,
    /// What the Domain Owner asks for such mail; none where no record applies.
    pub policy: Option<Requested>,
    /// What the Domain Owner asks for this message, which is nothing unless it failed. None where that cannot be said: after an
    /// error.
    pub requested_disposition: Option<Policy>,
    /// What was authenticated, and how it is related to the author domain.
    pub alignments: Vec<Alignment>,
    /// How the record was found; none where there was no domain to look for.
    pub discovery: Option<Discovery>,
    /// The walks for other domains that were needed to see whether they belong to the author domain.
    pub walks: Vec<Discovery>,
    /// What was asked to see whether the author domain exists, where that decides the policy.
    pub existence: Option<Answer>,
}

/// What a record asks for mail of one author domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    /// The policy as published.
    pub published: Policy,
    /// Which tag it is from.
    pub source: PolicySource,
    /// What is asked for: one level less in test mode.
    pub policy: Policy,
    /// `t=y`.
    pub test_mode: bool,
    /// RFC 7489: the message is one of those for which `pct` asks one level less.
    pub sampled_out: bool,
}

/// Where a policy is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicySource {
    /// `p`.
    P,
    /// `sp`.
    Sp,
    /// `np`.
    Np,
    /// None: a policy tag is missing or no policy, and reports are wanted (RFC 9989 §4.10.1).
    Unreadable,
}

impl PolicySource {
    /// The tag, or `unreadable`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::Sp => "sp",
            Self::Np => "np",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why a verdict is what it is. Numbers are places in [`Verdict::alignments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Pass: this one vouches for the author domain.
    Aligned(usize),
    /// Fail: none does.
    NoneAligned,
    /// None: nothing is published.
    NoRecord,
    /// None: what is published has no policy and wants no reports.
    NoPolicy,
    /// Temporary: DNS failed before a record was found.
    DiscoveryFailed,
    /// Temporary: this one would have to pass, and DNS failed when it was checked.
    IdentifierFailed(usize),
    /// Temporary: whether this one is in alignment could not be found out.
    AlignmentFailed(usize),
    /// Permanent: the message has no one author.
    NoAuthor,
    /// None: the message has several authors, and some have no policy.
    SomeAuthorWithoutRecord,
}

impl Verdict {
    /// The verdict on a message without one author: RFC 9989 §5.3.1 leaves it to the receiver, and a receiver that asks must not hear
    /// that nothing is wrong.
    #[must_use]
    pub fn no_author(standard: Standard) -> Self {
        Self {
            standard,
            result: ResultWord::PermError,
            reason: Reason::NoAuthor,
            author_domain: None,
            policy: None,
            requested_disposition: None,
            alignments: Vec::new(),
            discovery: None,
            walks: Vec::new(),
            existence: None,
        }
    }

    /// The domain whose record applies.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Name> {
        self.discovery.as_ref()?.published().map(|(domain, ..)| domain)
    }

    /// The author's organizational domain, where it is known.
    #[must_use]
    pub fn organizational_domain(&self) -> Option<&Name> {
        self.discovery.as_ref()?.organizational_domain.as_ref()
    }

    /// The record that applies.
    #[must_use]
    pub fn published(&self) -> Option<&Arc<Published>> {
        self.discovery.as_ref()?.published().map(|(_, published, _)| published)
    }

    /// Whether SPF gave an aligned pass.
    #[must_use]
    pub fn spf_aligned(&self) -> bool {
        self.aligned_by(Method::Spf)
    }

    /// Whether a DKIM signature gave an aligned pass.
    #[must_use]
    pub fn dkim_aligned(&self) -> bool {
        self.aligned_by(Method::Dkim)
    }

    fn aligned_by(&self, method: Method) -> bool {
        self.alignments.iter().any(|alignment| alignment.identifier.method == method && alignment.passes())
    }
}

/// The verdict for one author domain.
pub async fn verdict<L: Lookup>(
    author: &Domain,
    identifiers: &[Identifier],
    walker: &mut Walker<'_, L>,
    rules: &Rules<'_>,
) -> Verdict {
    let Some(discovery) = discover(author, walker, rules).await else { return Verdict::no_author(rules.standard) };
    walker.remember(&discovery);
    let alignments = identifiers.iter().cloned().map(Alignment::unrelated).collect();
    decide(author, discovery, alignments, walker, rules).await
}

/// What is published for an author domain; none where it is no name, which a [`Domain`] always is.
pub(crate) async fn discover<L: Lookup>(
    author: &Domain,
    walker: &Walker<'_, L>,
    rules: &Rules<'_>,
) -> Option<Discovery> {
    let name = Name::from_dotted(author.as_str().as_bytes()).ok()?;
    Some(match rules.standard {
        Standard::Rfc9989 => walker.first_walk(&name).await,
        Standard::Rfc7489 => walker.by_list(&name, rules.suffixes).await,
    })
}

/// The verdict, once it is known what is published. How the identifiers are related to the author domain is found out here.
pub(crate) async fn decide<L: Lookup>(
    author: &Domain,
    discovery: Discovery,
    alignments: Vec<Alignment>,
    walker: &mut Walker<'_, L>,
    rules: &Rules<'_>,
) -> Verdict {
    let mut verdict = Verdict { author_domain: Some(author.clone()), alignments, ..Verdict::no_author(rules.standard) };
    let Some((_, published, place)) = discovery.published() else {
        (verdict.result, verdict.reason) = match discovery.failure() {
            // RFC 9989 §4.10.1: "Handling of DNS errors when querying for the DMARC Policy Record is left to the discretion of the Mail
            // Receiver." It is told of them.
            Some(_) => (ResultWord::TempError, Reason::DiscoveryFailed),
            // "If the set produced by the DNS Tree Walk contains no DMARC Policy Record …, Mail Receivers MUST NOT apply the DMARC
            // mechanism to the message."
            None => (ResultWord::None, Reason::NoRecord),
        };
        verdict.requested_disposition = (verdict.result == ResultWord::None).then_some(Policy::None);
        verdict.discovery = Some(discovery);
        return verdict;
    };
    let record = &published.record;
    if needs_existence(record, place, rules.standard) {
        verdict.existence = Some(walker.existence(&discovery).await);
    }
    let exists = !matches!(verdict.existence, Some(Answer::NxDomain { .. }));
    verdict.policy = requested(record, place, exists, rules);
    if verdict.policy.is_none() {
        (verdict.result, verdict.reason) = (ResultWord::None, Reason::NoPolicy);
        verdict.requested_disposition = Some(Policy::None);
        verdict.discovery = Some(discovery);
        return verdict;
    }
    for Alignment { identifier, relation: found } in &mut verdict.alignments {
        let mode = match identifier.method {
            Method::Spf => record.spf_alignment,
            Method::Dkim => record.dkim_alignment,
        };
        let matters = matches!(identifier.result, ResultWord::Pass | ResultWord::TempError);
        if let Some(domain) = identifier.domain.as_ref().filter(|_| matters) {
            *found = Some(relation(&discovery, domain, mode, walker, rules, &mut verdict.walks).await);
        }
    }
    verdict.discovery = Some(discovery);
    (verdict.result, verdict.reason) = outcome(&verdict.alignments);
    verdict.requested_disposition = match (verdict.result, verdict.policy) {
        (ResultWord::Fail, Some(requested)) if requested.sampled_out => Some(requested.policy.one_level_lower()),
        (ResultWord::Fail, Some(requested)) => Some(requested.policy),
        (ResultWord::Pass, _) => Some(Policy::None),
        _ => None,
    };
    verdict
}

/// RFC 9989 §5.3.5: a pass takes one authenticated identifier in alignment. §5.3.6: "If one or more DNS queries required to perform
/// DMARC validation on the message do not complete …, the message cannot be considered to pass or fail". Required are those that could
/// still make it pass.
fn outcome(alignments: &[Alignment]) -> (ResultWord, Reason) {
    if let Some(at) = alignments.iter().position(Alignment::passes) {
        return (ResultWord::Pass, Reason::Aligned(at));
    }
    match alignments.iter().position(Alignment::might_pass) {
        Some(at) if alignments[at].identifier.result == ResultWord::Pass => {
            (ResultWord::TempError, Reason::AlignmentFailed(at))
        }
        Some(at) => (ResultWord::TempError, Reason::IdentifierFailed(at)),
        None => (ResultWord::Fail, Reason::NoneAligned),
    }
}

/// Whether the policy depends on the author domain's existence.
fn needs_existence(record: &Record, place: PolicyAt, standard: Standard) -> bool {
    let for_subdomains = record.subdomain_policy.policy().or(record.policy.policy());
    standard == Standard::Rfc9989
        && place != PolicyAt::Author
        && record.has_valid_policies(standard)
        && record.nonexistent_policy.policy().is_some_and(|np| Some(np) != for_subdomains)
}

/// What the record asks for; none where it has no policy and wants no reports.
fn requested(record: &Record, place: PolicyAt, exists: bool, rules: &Rules<'_>) -> Option<Requested> {
    let (published, source) = if record.has_valid_policies(rules.standard) {
        chosen(record, place, exists, rules.standard)?
    } else if record.aggregate_uris.is_empty() {
        // RFC 9989 §4.10.1: "Otherwise, the Mail Receiver applies no DMARC processing to this message."
        return None;
    } else {
        // "If a "rua" tag is present and contains at least one syntactically valid reporting URI, the Mail Receiver MUST act as if a
        // record containing "p=none" was retrieved and continue processing".
        (Policy::None, PolicySource::Unreadable)
    };
    let test_mode = rules.standard == Standard::Rfc9989 && record.test_mode;
    // RFC 7489 §6.6.4. RFC 9989 Appendix A.6 has `pct` no more.
    let percent = record.percent.filter(|_| rules.standard == Standard::Rfc7489).unwrap_or(100);
    Some(Requested {
        published,
        source,
        policy: if test_mode { published.one_level_lower() } else { published },
        test_mode,
        sampled_out: rules.sample >= percent,
    })
}

/// RFC 9989 §4.10.1: `p` for the record's own domain; below it `np` or `sp`, and `p` in their absence.
fn chosen(record: &Record, place: PolicyAt, exists: bool, standard: Standard) -> Option<(Policy, PolicySource)> {
    let tag = |tag: &PolicyTag, source| tag.policy().map(|policy| (policy, source));
    let p = tag(&record.policy, PolicySource::P);
    if place == PolicyAt::Author {
        return p;
    }
    let sp = tag(&record.subdomain_policy, PolicySource::Sp).or(p);
    if exists || standard == Standard::Rfc7489 {
        return sp;
    }
    tag(&record.nonexistent_policy, PolicySource::Np).or(sp)
}
