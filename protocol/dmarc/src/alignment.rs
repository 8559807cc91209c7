//! Whether an authenticated domain and the author domain belong together (RFC 9989 §4.4, §4.10.2; RFC 7489 §3.1).
//!
//! In: what SPF and DKIM authenticated, and what was discovered for the author domain. Out: a [`Relation`] for each. The DNS is asked
//! only where the answer depends on it: an organizational domain is its domain or above it, so a domain that does not lie below the
//! author's organizational domain has another one, whatever its own DNS says or fails to say.

use authres::ResultWord;
use dns::{Lookup, Name};

use crate::discovery::{Discovery, Walker};
use crate::{AlignmentMode, Rules, Standard};

/// What authenticated a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// SPF, for MAIL FROM. RFC 9989 §4.4.2: HELO alone does not count.
    Spf,
    /// A DKIM signature.
    Dkim,
}

impl Method {
    /// As in Authentication-Results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
        }
    }
}

/// A domain that SPF or DKIM was about, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// Which of them.
    pub method: Method,
    /// The domain; none where there was none.
    pub domain: Option<Name>,
    /// What came of it. Only a pass authenticates.
    pub result: ResultWord,
}

/// How a domain is related to the author domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// It is the author domain.
    Same,
    /// It has the same organizational domain.
    SameOrganization,
    /// It is another domain, and the record asks for the same.
    NotSame,
    /// It has another organizational domain; which, where that had to be asked.
    OtherOrganization(Option<Name>),
    /// DNS failed before that was known.
    Unknown,
}

impl Relation {
    /// Whether the two are in alignment.
    #[must_use]
    pub const fn is_aligned(&self) -> bool {
        matches!(self, Self::Same | Self::SameOrganization)
    }
}

/// An identifier, and how it is related to the author domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// Which.
    pub identifier: Identifier,
    /// How; none where nothing was authenticated and nothing might have been, so that it does not matter.
    pub relation: Option<Relation>,
}

impl Alignment {
    /// Of an identifier of which nothing is known yet.
    pub(crate) const fn unrelated(identifier: Identifier) -> Self {
        Self { identifier, relation: None }
    }

    /// Whether it makes DMARC pass.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.identifier.result == ResultWord::Pass && self.relation.as_ref().is_some_and(Relation::is_aligned)
    }

    /// Whether it might have made DMARC pass, had DNS not failed.
    #[must_use]
    pub fn might_pass(&self) -> bool {
        let may = matches!(self.identifier.result, ResultWord::Pass | ResultWord::TempError);
        let related = self.relation.as_ref().is_some_and(|relation| match relation {
            Relation::Same | Relation::SameOrganization | Relation::Unknown => true,
            Relation::NotSame | Relation::OtherOrganization(_) => false,
        });
        may && related && !self.passes()
    }
}

/// How one domain is related to the author domain.
pub(crate) async fn relation<L: Lookup>(
    author: &Discovery,
    domain: &Name,
    mode: AlignmentMode,
    walker: &mut Walker<'_, L>,
    rules: &Rules<'_>,
    walks: &mut Vec<Discovery>,
) -> Relation {
    if *domain == author.domain {
        return Relation::Same;
    }
    // RFC 9989 §4.10.2: for strict alignment "a simple string comparison … is all that is required".
    if mode == AlignmentMode::Strict {
        return Relation::NotSame;
    }
    let Some(organization) = &author.organizational_domain else {
        // Two names that do not even end alike have nothing in common, whatever is published.
        let end_alike = domain.last(1) == author.domain.last(1);
        return if end_alike { Relation::Unknown } else { Relation::OtherOrganization(None) };
    };
    if !domain.is_subdomain_of(organization) {
        return Relation::OtherOrganization(None);
    }
    let own = match rules.standard {
        Standard::Rfc7489 => Some(rules.suffixes.organizational_domain(domain)),
        // RFC 9989 §4.10.2: a walk for each domain in question; one for those that are there twice.
        Standard::Rfc9989 => {
            if !walks.iter().any(|walk| walk.domain == *domain) {
                walker.remember(author);
                walks.push(walker.walk(domain).await);
            }
            walks.iter().find(|walk| walk.domain == *domain).and_then(|walk| walk.organizational_domain.clone())
        }
    };
    match own {
        None => Relation::Unknown,
        Some(own) if own == *organization => Relation::SameOrganization,
        Some(own) => Relation::OtherOrganization(Some(own)),
    }
}
