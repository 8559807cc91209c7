//! What the two generations of receivers make of the same message, and where they part.
//!
//! In: a verdict by each standard. Out: nothing where they come to the same; else a [`Difference`] with its causes.

use std::fmt;

use authres::ResultWord;
use dns::Name;

use crate::{Evaluation, Policy, PolicySource, Selection, Standard, Verdict};

/// How receivers of the two generations differ over a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The results: by RFC 9989, by RFC 7489.
    pub results: (ResultWord, ResultWord),
    /// What the Domain Owner asks for, in the same order.
    pub requested_dispositions: (Option<Policy>, Option<Policy>),
    /// Why.
    pub causes: Vec<Cause>,
}

/// A rule in which the standards differ, as it bore on one message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Tree walk and public suffix list find different organizational domains.
    OrganizationalDomain(Option<Name>, Option<Name>),
    /// The record of another domain applies, or of none.
    PolicyDomain(Option<Name>, Option<Name>),
    /// Several records at a name: the walk goes on, the older discovery ends.
    SeveralRecords(Name),
    /// `np` counts only in the newer one.
    Nonexistent,
    /// `np` is no policy, which only the newer one minds.
    NonexistentUnreadable,
    /// `t=y` counts only in the newer one.
    TestMode,
    /// `pct` counts only in the older one, and the message is not in the sample.
    Percent(u8),
    /// DNS failed where only one of them asks.
    DnsFailed(Name),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<Name>| name.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        match self {
            Self::OrganizationalDomain(walk, list) => write!(
                f,
                "the organizational domain is {} by tree walk and {} by public suffix list",
                name(walk),
                name(list)
            ),
            Self::PolicyDomain(new, old) => {
                write!(f, "the record that applies is that of {} now and of {} before", name(new), name(old))
            }
            Self::SeveralRecords(at) => {
                write!(f, "{at} has several records: RFC 9989 looks further up, RFC 7489 looks no further")
            }
            Self::Nonexistent => f.write_str("the author domain does not exist, and only RFC 9989 knows `np`"),
            Self::NonexistentUnreadable => f.write_str("`np` is no policy, and only RFC 9989 reads it"),
            Self::TestMode => f.write_str("`t=y` asks for one level less, and only RFC 9989 knows it"),
            Self::Percent(percent) => write!(
                f,
                "`pct={percent}` leaves this message out, and only RFC 7489 knows it: receivers that follow RFC 9989 apply the policy to all"
            ),
            Self::DnsFailed(at) => write!(f, "DNS failed on _dmarc.{at}, which only one of them asks about"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asks = |policy: Option<Policy>| policy.map_or("nothing that can be known", Policy::as_str);
        let ((new, old), (new_policy, old_policy)) = (self.results, self.requested_dispositions);
        write!(
            f,
            "Receivers differ: RFC 9989 says {new} (asked for: {}), RFC 7489 says {old} (asked for: {})",
            asks(new_policy),
            asks(old_policy)
        )?;
        for (at, cause) in self.causes.iter().enumerate() {
            write!(f, "{} {cause}", if at == 0 { ", because" } else { "; and" })?;
        }
        f.write_str(".")
    }
}

impl Evaluation {
    /// How receivers of the two generations differ over this message; none where they come to the same, or only one was evaluated.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        let other = self.other.as_ref()?;
        match self.dmarc.standard {
            Standard::Rfc9989 => Difference::between(&self.dmarc, other),
            Standard::Rfc7489 => Difference::between(other, &self.dmarc),
        }
    }
}

impl Difference {
    /// How two verdicts on the same message differ, the first by RFC 9989 and the second by RFC 7489.
    #[must_use]
    pub fn between(new: &Verdict, old: &Verdict) -> Option<Self> {
        let found = Self {
            results: (new.result, old.result),
            requested_dispositions: (new.requested_disposition, old.requested_disposition),
            causes: causes(new, old),
        };
        let same = new.result == old.result && new.requested_disposition == old.requested_disposition;
        (!same).then_some(found)
    }
}

fn causes(new: &Verdict, old: &Verdict) -> Vec<Cause> {
    let mut causes = Vec::new();
    let failure = |verdict: &Verdict| Some(verdict.discovery.as_ref()?.failure()?.domain.clone());
    match (failure(new), failure(old)) {
        (Some(at), None) | (None, Some(at)) => causes.push(Cause::DnsFailed(at)),
        _ => {}
    }
    let several = old.discovery.iter().flat_map(|discovery| &discovery.steps);
    let several = several.filter(|step| matches!(step.selection.as_deref(), Some(Selection::Several(_))));
    causes.extend(several.map(|step| Cause::SeveralRecords(step.domain.clone())));
    let organizations = (new.organizational_domain().cloned(), old.organizational_domain().cloned());
    if organizations.0 != organizations.1 && organizations.0.is_some() {
        causes.push(Cause::OrganizationalDomain(organizations.0, organizations.1));
    }
    let domains = (new.policy_domain().cloned(), old.policy_domain().cloned());
    if domains.0 != domains.1 {
        causes.push(Cause::PolicyDomain(domains.0, domains.1));
    }
    if let Some(requested) = new.policy {
        let of_np = requested.source == PolicySource::Np;
        let unread = requested.source == PolicySource::Unreadable;
        causes.extend(of_np.then_some(Cause::Nonexistent));
        causes.extend(
            (unread && old.policy.is_some_and(|old| old.source != PolicySource::Unreadable))
                .then_some(Cause::NonexistentUnreadable),
        );
        causes.extend(requested.test_mode.then_some(Cause::TestMode));
    } else if new.published().is_some() && old.policy.is_some() {
        causes.push(Cause::NonexistentUnreadable);
    }
    if old.policy.is_some_and(|requested| requested.sampled_out) {
        let percent = old.published().and_then(|published| published.record.percent).unwrap_or(100);
        causes.push(Cause::Percent(percent));
    }
    causes
}
