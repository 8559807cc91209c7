//! The outcome of one check: the result, why, and everything that led to it.

use dns::Name;
use message::PathError;

use crate::trace::End;
use crate::{Identity, Limits, SpfResult, Trace};

/// What came of one check.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Which name was checked.
    pub identity: Identity,
    /// The domain that was asked about; none where there is none to ask about. Everything that aligns or reports uses this value.
    pub domain: Option<Name>,
    /// What the domain says.
    pub result: SpfResult,
    /// Why.
    pub reason: Reason,
    /// For a fail: the text that the domain wants to be shown, printable US-ASCII. It is a stranger's text: quote it as such.
    pub explanation: Option<String>,
    /// Terms that asked DNS, as RFC 7208 §4.6.4 counts them.
    pub lookups: u16,
    /// Questions of theirs that had no answer.
    pub void_lookups: u16,
    /// What was done.
    pub trace: Trace,
    /// Within what.
    pub limits: Limits,
}

/// Why an evaluation ended as it did. Numbers are those of the trace: visits, their terms, questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// None: there is no domain to ask about, and DNS was not asked.
    NoDomain(PathError),
    /// None: the client never said MAIL FROM.
    NoMailFrom,
    /// None: the domain has no SPF record.
    NoRecord,
    /// A directive matched: see [`Evaluation::matched`].
    Matched,
    /// Neutral: no directive matched.
    NothingMatched,
    /// Permanent: a record has mistakes.
    Faulty {
        /// Whose.
        visit: u16,
    },
    /// Permanent: more than one SPF record.
    Several {
        /// Where.
        visit: u16,
    },
    /// Permanent: this term would be one too many that asks DNS.
    TooManyLookups {
        /// In which record.
        visit: u16,
        /// Which.
        term: u16,
    },
    /// Permanent: this question is one too many without an answer.
    TooManyVoids {
        /// In which record.
        visit: u16,
        /// Which term.
        term: u16,
    },
    /// Permanent: an `mx` with too many hosts.
    TooManyMxHosts {
        /// In which record.
        visit: u16,
        /// Which.
        term: u16,
    },
    /// Permanent: what `include` or `redirect` names has no SPF record, or is no domain.
    TargetWithoutRecord {
        /// In which record.
        visit: u16,
        /// Which.
        term: u16,
    },
    /// Temporary: DNS failed on the TXT records of a domain.
    RecordUnavailable {
        /// Which.
        visit: u16,
    },
    /// Temporary: DNS failed on this question of a term.
    DnsFailed {
        /// Which.
        question: u16,
    },
}

impl Evaluation {
    /// Of a name that DNS is not asked about, for this reason.
    #[must_use]
    pub fn unasked(identity: Identity, reason: Reason, limits: &Limits) -> Self {
        Self {
            identity,
            domain: None,
            result: SpfResult::None,
            reason,
            explanation: None,
            lookups: 0,
            void_lookups: 0,
            trace: Trace::default(),
            limits: *limits,
        }
    }

    /// The terms that matched, from the domain's own record down the includes and redirects: (visit, term), the last is the mechanism that
    /// decided. Empty where nothing matched.
    #[must_use]
    pub fn matched(&self) -> Vec<(u16, u16)> {
        let mut path = Vec::new();
        let mut at = Some(0);
        while let Some(visit) = at {
            let Some(found) = self.trace.visits.get(usize::from(visit)) else { break };
            let (End::Matched(term, _) | End::Redirected(term)) = found.end else { break };
            path.push((visit, term));
            at = self.trace.led_to(visit, term).filter(|next| *next > visit);
        }
        if self.reason == Reason::Matched { path } else { Vec::new() }
    }
}
