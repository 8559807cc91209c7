//! Which record applies to a domain, and what its organizational domain is (RFC 9989 §4.10; RFC 7489 §3.2, §6.6.3).
//!
//! In: a domain and a source of DNS answers. Out: a [`Discovery`] with each step that was made. A [`Walker`] keeps what it asked, so
//! that the walks of one message ask about each name once. DNS failures end a walk: what is above may change everything.

use std::sync::Arc;

use dns::{Lookup, Name, RecordType, Response, Suffixes};
use spf::Answer;

use crate::{PublicSuffix, Published, Selection, Standard};

/// RFC 9989 §4.10 step 4: "until 7 labels remain", which makes eight questions at most.
const LABELS_BELOW_START_MAX: usize = 7;

/// Room for the steps of most walks: the domain, and what is above it.
const STEPS_USUAL: usize = 3;

/// One question of a discovery.
#[derive(Debug, Clone)]
pub struct Step {
    /// The domain whose record was looked for, without `_dmarc`.
    pub domain: Name,
    /// What DNS said; none where `_dmarc` in front makes the name too long for the DNS, so that nothing can be there.
    pub answer: Option<Answer>,
    /// What was made of the records, where there were any.
    pub selection: Option<Arc<Selection>>,
}

impl Step {
    /// The record that was found.
    #[must_use]
    pub fn published(&self) -> Option<&Arc<Published>> {
        self.selection.as_deref()?.published()
    }

    /// Whether DNS failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.answer.as_ref().is_some_and(Answer::is_failure)
    }

    fn suffix(&self) -> PublicSuffix {
        self.published().map_or(PublicSuffix::Unknown, |published| published.record.public_suffix)
    }
}

/// Where the record that applies stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyAt {
    /// At the author domain itself.
    Author,
    /// At its organizational domain.
    Organizational,
    /// At its public suffix domain.
    PublicSuffix,
}

/// What was found for one domain.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// By which rules.
    pub standard: Standard,
    /// For which domain.
    pub domain: Name,
    /// What was asked, in order.
    pub steps: Vec<Step>,
    /// The organizational domain; none where DNS failed before it was certain.
    pub organizational_domain: Option<Name>,
    /// The step whose record applies, and where that stands.
    pub policy: Option<(usize, PolicyAt)>,
}

impl Discovery {
    /// The step at which DNS failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Step> {
        self.steps.last().filter(|step| step.failed())
    }

    /// The domain whose record applies, and that record.
    #[must_use]
    pub fn published(&self) -> Option<(&Name, &Arc<Published>, PolicyAt)> {
        let (at, place) = self.policy?;
        let step = self.steps.get(at)?;
        Some((&step.domain, step.published()?, place))
    }
}

/// Asks for records, each name once.
pub struct Walker<'l, L> {
    lookup: &'l L,
    seen: Vec<Step>,
}

impl<'l, L: Lookup> Walker<'l, L> {
    /// Nothing asked yet.
    #[must_use]
    pub const fn new(lookup: &'l L) -> Self {
        Self { lookup, seen: Vec::new() }
    }

    /// By the rules of RFC 9989: a walk up the tree. What it asks is remembered.
    pub async fn walk(&mut self, domain: &Name) -> Discovery {
        let discovery = self.first_walk(domain).await;
        self.remember(&discovery);
        discovery
    }

    /// The same, not remembered: for the walk that is the only one of most messages.
    pub(crate) async fn first_walk(&self, domain: &Name) -> Discovery {
        let mut steps = Vec::with_capacity(STEPS_USUAL);
        let mut target = Some(domain.clone());
        while let Some(name) = target {
            target = next_target(&name);
            let step = self.step(name).await;
            // RFC 9989 §4.10 steps 2 and 6: "If a single record remains and it contains a "psd=n" or "psd=y" tag, stop."
            let is_last = step.failed() || step.suffix() != PublicSuffix::Unknown;
            steps.push(step);
            if is_last {
                break;
            }
        }
        let failed = steps.last().is_some_and(Step::failed);
        let organizational_domain = if failed { None } else { Some(organizational_domain(domain, &steps)) };
        let policy = policy(&steps, organizational_domain.as_ref());
        Discovery { standard: Standard::Rfc9989, domain: domain.clone(), steps, organizational_domain, policy }
    }

    /// Keeps what was asked for one domain, so that it is not asked again for another.
    pub(crate) fn remember(&mut self, discovery: &Discovery) {
        for step in &discovery.steps {
            if !self.seen.iter().any(|seen| seen.domain == step.domain) {
                self.seen.push(step.clone());
            }
        }
    }

    /// By the rules of RFC 7489: the domain, then its organizational domain by the public suffix list. Not remembered.
    pub(crate) async fn by_list(&self, domain: &Name, suffixes: &Suffixes) -> Discovery {
        let organizational_domain = suffixes.organizational_domain(domain);
        let mut steps = vec![self.step(domain.clone()).await];
        // RFC 7489 §6.6.3 step 3: "If the set is now empty, the Mail Receiver MUST query the DNS for a DMARC TXT record at the DNS domain
        // matching the Organizational Domain"; step 5: "If the remaining set contains multiple records …, policy discovery terminates".
        let is_empty = match steps[0].selection.as_deref() {
            None => !steps[0].failed(),
            Some(selection) => matches!(selection, Selection::Nothing(_)),
        };
        if is_empty && organizational_domain != *domain {
            steps.push(self.step(organizational_domain.clone()).await);
        }
        let found = steps.iter().position(|step| step.published().is_some());
        let place = |at: usize| if at == 0 { PolicyAt::Author } else { PolicyAt::Organizational };
        Discovery {
            standard: Standard::Rfc7489,
            domain: domain.clone(),
            steps,
            organizational_domain: Some(organizational_domain),
            policy: found.map(|at| (at, place(at))),
        }
    }

    /// Whether a domain exists, as RFC 9989 §3.2 and RFC 8020 mean it: it does unless the answer is NXDOMAIN. Whatever type is asked
    /// for, a name with other records, or with names below it, is there.
    pub(crate) async fn existence(&self, found: &Discovery) -> Answer {
        // What is below a name makes it exist, so an answer about `_dmarc` may say it already.
        let below = found.steps.iter().find(|step| step.domain == found.domain).and_then(|step| step.answer.clone());
        match below {
            Some(answer @ (Answer::Found { .. } | Answer::NoData { .. })) => answer,
            _ => Answer::of(&self.lookup.lookup(&found.domain, RecordType::A).await),
        }
    }

    async fn step(&self, domain: Name) -> Step {
        if let Some(step) = self.seen.iter().find(|step| step.domain == domain) {
            return step.clone();
        }
        let Ok(name) = domain.child("_dmarc") else { return Step { domain, answer: None, selection: None } };
        let response = self.lookup.lookup(&name, RecordType::Txt).await;
        let selection = match &response {
            Response::Found(records) => Some(Selection::cached(records)),
            _ => None,
        };
        Step { domain, answer: Some(Answer::of(&response)), selection }
    }
}

/// The name after this one in a walk, RFC 9989 §4.10 steps 3, 4 and 7: of a name with eight labels or more, its last seven; of another,
/// one label less, down to one.
fn next_target(name: &Name) -> Option<Name> {
    let labels = name.labels().count();
    let below = labels.saturating_sub(1).min(LABELS_BELOW_START_MAX);
    (below > 0).then(|| name.last(below))
}

/// RFC 9989 §4.10.2: from the longest name to the shortest. A record with `psd=y` or `psd=n` ended the walk, so it is the last.
fn organizational_domain(start: &Name, steps: &[Step]) -> Name {
    // 3: "Otherwise, select the DMARC Policy Record found at the name with the fewest number of labels."
    let Some(last) = steps.iter().rev().find(|step| step.published().is_some()) else {
        // "If this process does not determine the Organizational Domain, then the initial target domain is the Organizational Domain."
        return start.clone();
    };
    match last.suffix() {
        // 2: "other than the one for the domain where the tree walk started … the domain one label below this one".
        PublicSuffix::Yes if last.domain != *start => start.last(last.domain.labels().count() + 1),
        // 1 and 3.
        PublicSuffix::Yes | PublicSuffix::No | PublicSuffix::Unknown => last.domain.clone(),
    }
}

/// RFC 9989 §4.10.1: the author domain's record, else the organizational domain's, else the public suffix domain's. What stands
/// between them is ignored.
fn policy(steps: &[Step], organizational_domain: Option<&Name>) -> Option<(usize, PolicyAt)> {
    if steps.first()?.published().is_some() {
        return Some((0, PolicyAt::Author));
    }
    let organizational_domain = organizational_domain?;
    let at_organization = |step: &Step| step.published().is_some() && step.domain == *organizational_domain;
    if let Some(at) = steps.iter().position(at_organization) {
        return Some((at, PolicyAt::Organizational));
    }
    let at = steps.iter().position(|step| step.suffix() == PublicSuffix::Yes)?;
    Some((at, PolicyAt::PublicSuffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_walk() {
        let cases = [
            ("example.com", "example.com com"),
            ("com", "com"),
            ("a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h"),
            ("a.b.c.d.e.f.g.h.i", "a.b.c.d.e.f.g.h.i c.d.e.f.g.h.i d.e.f.g.h.i e.f.g.h.i f.g.h.i g.h.i h.i i"),
            ("a.b.c.d.e.f.g", "a.b.c.d.e.f.g b.c.d.e.f.g c.d.e.f.g d.e.f.g e.f.g f.g g"),
        ];
        for (domain, expected) in cases {
            let first = Name::parse(domain).unwrap();
            let names: Vec<_> = std::iter::successors(Some(first), next_target).map(|name| name.to_string()).collect();
            assert_eq!(names.join(" "), expected);
            assert!(names.len() <= 8, "RFC 9989 §4.10: not more than eight questions");
        }
    }
}
