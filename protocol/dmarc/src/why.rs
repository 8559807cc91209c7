//! Why a verdict is what it is, in one sentence.
//!
//! In: a [`Verdict`]. Out: words for logs, JSON and people; a stranger's names in them are domain names and nothing else.

use authres::ResultWord;

use crate::alignment::{Alignment, Method, Relation};
use crate::verdict::{PolicySource, Reason, Verdict};
use crate::{Selection, Step};

/// Identifiers that a sentence names: a message may have a hundred signatures.
const REASONS_MAX: usize = 5;

impl Verdict {
    /// Why the result is what it is, as one sentence without a full stop.
    #[must_use]
    pub fn why(&self) -> String {
        let author = self.author_domain.as_ref().map_or("the author", |domain| domain.as_str());
        let alignment = |at: usize| self.alignments.get(at);
        match self.reason {
            Reason::Aligned(at) => alignment(at).map_or_else(String::new, |alignment| self.vouches(author, alignment)),
            Reason::NoneAligned => self.none_aligned(author),
            Reason::NoRecord => {
                let mut why = format!("no DMARC record applies to {author}");
                if let Some(near) = self.discovery.iter().flat_map(|discovery| &discovery.steps).find_map(nearly) {
                    why.push_str(&near);
                }
                why
            }
            Reason::NoPolicy => {
                let domain = self.policy_domain().map(ToString::to_string).unwrap_or_default();
                format!("the record of {domain} has no valid policy and asks for no reports, so it does not apply")
            }
            Reason::DiscoveryFailed => match self.discovery.as_ref().and_then(|discovery| discovery.failure()) {
                Some(step) => format!("DNS failed on {}: {}", asked(step), answered(step)),
                None => "DNS failed".to_owned(),
            },
            Reason::IdentifierFailed(at) => alignment(at).map_or_else(String::new, |alignment| {
                let (method, domain) = named(alignment);
                format!("{method} of {domain} could not be checked now, and would vouch for {author} if it passed")
            }),
            Reason::AlignmentFailed(at) => alignment(at).map_or_else(String::new, |alignment| {
                let (method, domain) = named(alignment);
                format!("{method} passed for {domain}; whether that belongs to {author} could not be found out, as DNS failed")
            }),
            Reason::NoAuthor => "the message has no one author domain".to_owned(),
            Reason::SomeAuthorWithoutRecord => {
                format!("the message has several authors, and no DMARC record applies to {author}")
            }
        }
    }

    fn vouches(&self, author: &str, alignment: &Alignment) -> String {
        let (method, domain) = named(alignment);
        match (&alignment.relation, self.organizational_domain()) {
            (Some(Relation::SameOrganization), Some(organization)) => {
                let organization = organization.to_string();
                match organization.as_str() {
                    of if of == author => format!("{method} passed for {domain}, which belongs to {author}"),
                    of if of == domain => format!("{method} passed for {domain}, to which {author} belongs"),
                    of => format!("{method} passed for {domain}, which belongs to {of}, as {author} does"),
                }
            }
            _ => format!("{method} passed for {domain}, the author domain"),
        }
    }

    fn none_aligned(&self, author: &str) -> String {
        let shown = self.alignments.iter().take(REASONS_MAX);
        let mut reasons: Vec<String> = shown.map(|alignment| alignment.why(author)).collect();
        if self.alignments.len() > REASONS_MAX {
            reasons.push(format!("{} more signatures do not either", self.alignments.len() - REASONS_MAX));
        }
        let signed = self.alignments.iter().any(|alignment| alignment.identifier.method == Method::Dkim);
        let unsigned = if signed { "" } else { ", and there is no DKIM signature" };
        if reasons.is_empty() {
            return format!("nothing vouches for {author}");
        }
        format!("nothing vouches for {author}: {}{unsigned}", reasons.join("; "))
    }

    /// Where the policy is from, as one sentence without a full stop; none where there is no policy.
    #[must_use]
    pub fn policy_in_words(&self) -> Option<String> {
        let requested = self.policy?;
        let domain = self.policy_domain().map(ToString::to_string).unwrap_or_default();
        let mut words = match requested.source {
            PolicySource::Unreadable => {
                format!("the record of {domain} has no valid policy and asks for reports, so it counts as p=none")
            }
            source => format!("the record of {domain} says {}={}", source.as_str(), requested.published),
        };
        if requested.source == PolicySource::Np {
            words.push_str(", and the author domain does not exist");
        }
        if requested.test_mode {
            words.push_str("; it is being tested (t=y), so one level less is asked for");
        }
        if requested.sampled_out {
            words.push_str("; this message is not among those for which it asks so (pct)");
        }
        Some(words)
    }
}

impl Alignment {
    /// What it says for or against the author domain, as a clause.
    #[must_use]
    pub fn why(&self, author: &str) -> String {
        let (method, domain) = named(self);
        if self.identifier.domain.is_none() {
            return match self.identifier.method {
                Method::Spf => "SPF had no domain to check".to_owned(),
                Method::Dkim => format!("a DKIM signature could not be read ({})", self.identifier.result),
            };
        }
        let result = self.identifier.result;
        let passed = if result == ResultWord::Pass { "passed".to_owned() } else { format!("gave {result}") };
        let begin = format!("{method} {passed} for {domain}");
        match &self.relation {
            None => begin,
            Some(Relation::Same) => format!("{begin}, the author domain"),
            Some(Relation::SameOrganization) => format!("{begin}, which belongs to the same organization as {author}"),
            Some(Relation::NotSame) => format!("{begin}, which is not {author}, as strict alignment asks"),
            Some(Relation::OtherOrganization(None)) => format!("{begin}, which does not belong to {author}"),
            Some(Relation::OtherOrganization(Some(other))) => {
                format!("{begin}, which has another organizational domain ({other})")
            }
            Some(Relation::Unknown) => {
                format!("{begin}, and DNS failed before it was known whether that belongs to {author}")
            }
        }
    }
}

fn named(alignment: &Alignment) -> (&'static str, String) {
    let method = match alignment.identifier.method {
        Method::Spf => "SPF",
        Method::Dkim => "DKIM",
    };
    (method, alignment.identifier.domain.as_ref().map(ToString::to_string).unwrap_or_default())
}

/// The name that a step asked about.
pub(crate) fn asked(step: &Step) -> String {
    format!("_dmarc.{} TXT", step.domain)
}

/// What came of a step's question.
pub(crate) fn answered(step: &Step) -> String {
    step.answer.as_ref().map_or_else(|| "the name is too long for the DNS".to_owned(), ToString::to_string)
}

/// What stands where a record should, and is none.
fn nearly(step: &Step) -> Option<String> {
    match step.selection.as_deref()? {
        Selection::Several(texts) => {
            Some(format!("; {} has {} of them, and only one is allowed", step.domain, texts.len()))
        }
        Selection::Nothing(near) => {
            near.first().map(|(_, why)| format!("; the text at {} is none: {why}", step.domain))
        }
        Selection::Record(_) => None,
    }
}
