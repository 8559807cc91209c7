//! An SPF record as a list of terms in the order of evaluation, each with what it costs: RFC 7208 §4.6.4.
//!
//! In: a survey of the whole tree. Out: terms with depth, place and the look-ups spent up to them. What is behind the tenth is there too.

use dns::Name;
use spf::{Record, Survey, SurveyedRecord, TermKind};

use super::spf_traffic::Path;

/// One term of the tree.
#[derive(Debug, Clone)]
pub(super) struct Term {
    /// Where it stands: the way down to it, itself at the end.
    pub(super) path: Path,
    /// Its place in its record.
    pub(super) at: u16,
    /// As it was written.
    pub(super) text: String,
    /// Whether it asks DNS.
    pub(super) asks: bool,
    /// Look-ups spent up to it, itself included.
    pub(super) spent: usize,
    /// Whether it names addresses by itself, so that mail can be counted for it.
    pub(super) names: bool,
    /// Whether it leads to a record.
    pub(super) leads: bool,
}

/// Records within records; a loop ends here.
const DEPTH_MAX: usize = 12;
/// Terms in all: records that include each other many times over would be a tree without end.
const TERMS_MAX: usize = 1_000;

/// The terms of a tree.
pub(super) fn terms(survey: &Survey) -> Vec<Term> {
    let mut walk = Walk { survey, terms: Vec::new(), spent: 0 };
    if let Some(record) = survey.records.iter().find(|record| record.by.is_none()) {
        walk.record(record, &Path::new());
    }
    walk.terms
}

struct Walk<'a> {
    survey: &'a Survey,
    terms: Vec<Term>,
    spent: usize,
}

impl Walk<'_> {
    fn record(&mut self, surveyed: &SurveyedRecord, above: &Path) {
        let Ok(record) = Record::parse(&surveyed.text) else { return };
        let redirect = record.redirect().map(|(at, _)| at);
        for (term, at) in record.terms().iter().zip(0_u16..) {
            if matches!(term.kind, TermKind::Directive(..)) {
                self.term(surveyed, &record, (term, at), above);
            }
        }
        // RFC 7208 §6.1: redirect is evaluated after all mechanisms, wherever it stands.
        if let Some((term, at)) = redirect.and_then(|at| Some((record.terms().get(usize::from(at))?, at))) {
            self.term(surveyed, &record, (term, at), above);
        }
    }

    fn term(&mut self, surveyed: &SurveyedRecord, record: &Record, (term, at): (&spf::Term, u16), above: &Path) {
        if self.terms.len() >= TERMS_MAX {
            return;
        }
        let mut path = above.clone();
        let text = record.text_of(term).to_owned();
        path.push((surveyed.domain.clone(), text.as_str().into()));
        let asks = term.kind.asks_dns();
        self.spent += usize::from(asks);
        let leads_to = self.led_to(&surveyed.domain, at).filter(|_| path.len() < DEPTH_MAX).cloned();
        let leads = leads_to.is_some();
        let names =
            matches!(&term.kind, TermKind::Directive(_, mechanism) if !matches!(mechanism, spf::Mechanism::All));
        self.terms.push(Term { path: path.clone(), at, text, asks, spent: self.spent, names, leads });
        if let Some(next) = leads_to {
            self.record(&next, &path);
        }
    }

    /// The record that a term leads to.
    fn led_to(&self, domain: &Name, at: u16) -> Option<&SurveyedRecord> {
        let by =
            |record: &&SurveyedRecord| record.by.as_ref().is_some_and(|step| step.domain == *domain && step.term == at);
        self.survey.records.iter().find(by)
    }
}
