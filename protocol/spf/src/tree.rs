//! The trace as a tree: each record with its terms, what each spent, what it asked and where it led.
//!
//! In: the events of an [`Evaluation`]. Out: nodes that borrow from it, made when somebody wants to see them. The budget before and after each
//! term follows from the order of evaluation, so it is counted here and not while evaluating.

use crate::{End, Evaluation, Question, Span, SpfResult, TermKind, Trace, Visit};

/// What has been spent of the limits of RFC 7208 §4.6.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Spent {
    /// Terms that asked DNS.
    pub lookups: u16,
    /// Questions of theirs without an answer.
    pub voids: u16,
}

/// A record that was looked for, and what came of it.
#[derive(Debug, Clone)]
pub struct RecordNode<'a> {
    /// Its number among the visits.
    pub number: u16,
    /// Where, what DNS said, where it ended.
    pub visit: &'a Visit,
    /// Its terms; none where there is no record in order.
    pub terms: Vec<TermNode<'a>>,
}

/// A term of a record, and what came of it.
#[derive(Debug, Clone)]
pub struct TermNode<'a> {
    /// As it was written.
    pub text: &'a str,
    /// Where it stands in the record.
    pub span: Span,
    /// What came of it.
    pub outcome: TermOutcome,
    /// What had been spent before it.
    pub before: Spent,
    /// What had been spent after it and all that it led to.
    pub after: Spent,
    /// What it asked.
    pub questions: Vec<&'a Question>,
    /// The record that it led to.
    pub record: Option<RecordNode<'a>>,
}

/// What came of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermOutcome {
    /// It matched, with this result.
    Matched(SpfResult),
    /// It did not match.
    NoMatch,
    /// It ended the evaluation with an error.
    Failed,
    /// The evaluation ended before it.
    NotReached,
    /// A `redirect` that handed on.
    Followed,
    /// A modifier that took no part: an unknown one, a `redirect` that was not needed, an `exp`.
    Modifier,
}

impl Evaluation {
    /// The tree of the domain's own record; none where nothing was looked for.
    #[must_use]
    pub fn tree(&self) -> Option<RecordNode<'_>> {
        Builder { trace: &self.trace, lookups_max: self.limits.lookups_max, spent: Spent::default() }.record(0)
    }
}

struct Builder<'a> {
    trace: &'a Trace,
    lookups_max: u16,
    spent: Spent,
}

impl<'a> Builder<'a> {
    fn record(&mut self, number: u16) -> Option<RecordNode<'a>> {
        let visit = self.trace.visits.get(usize::from(number))?;
        self.spent.voids += u16::from(visit.from.is_some() && visit.answer.is_void());
        let Some(record) = self.trace.record(number) else {
            return Some(RecordNode { number, visit, terms: Vec::new() });
        };
        let redirect = record.redirect().map(|(at, _)| at);
        let mut terms: Vec<TermNode<'_>> = Vec::with_capacity(record.terms.len());
        for (term, at) in record.terms.iter().zip(0..) {
            let outcome = outcome(visit.end, at, &term.kind, redirect);
            let node = TermNode {
                text: record.text_of(term),
                span: term.span,
                outcome,
                before: self.spent,
                after: self.spent,
                questions: Vec::new(),
                record: None,
            };
            let now = matches!(term.kind, TermKind::Directive(..)) && outcome != TermOutcome::NotReached;
            terms.push(if now { self.spend(node, (number, at), &term.kind) } else { node });
        }
        // A redirect is followed when all directives are done, wherever it stands.
        for at in redirect.into_iter().map(usize::from) {
            let (Some(node), Some(term)) = (terms.get(at).cloned(), record.terms.get(at)) else { continue };
            if matches!(node.outcome, TermOutcome::Followed | TermOutcome::Failed) {
                let node = TermNode { before: self.spent, ..node };
                terms[at] = self.spend(node, (number, record.redirect.unwrap_or_default()), &term.kind);
            }
        }
        // What `exp` asked is shown, though it spends nothing.
        if let Some(at) = record.explanation
            && let Some(node) = terms.get_mut(usize::from(at))
        {
            node.questions = self.trace.asked(number, at).collect();
        }
        Some(RecordNode { number, visit, terms })
    }

    /// A term with what it asked and where it led, and its part of the budget.
    fn spend(&mut self, mut node: TermNode<'a>, (visit, term): (u16, u16), kind: &TermKind) -> TermNode<'a> {
        node.questions = self.trace.asked(visit, term).collect();
        // The term that is one too many is not counted: it has asked nothing.
        let refused = node.outcome == TermOutcome::Failed && self.spent.lookups >= self.lookups_max;
        self.spent.lookups += u16::from(kind.asks_dns() && !refused);
        let voids = node.questions.iter().filter(|question| question.may_be_void && question.answer.is_void()).count();
        self.spent.voids += u16::try_from(voids).unwrap_or(u16::MAX);
        node.record = self.trace.led_to(visit, term).and_then(|led_to| self.record(led_to));
        node.after = self.spent;
        node
    }
}

fn outcome(end: End, at: u16, kind: &TermKind, redirect: Option<u16>) -> TermOutcome {
    match end {
        End::Redirected(term) if at == term => TermOutcome::Followed,
        End::Failed(term) if at == term => TermOutcome::Failed,
        _ if !matches!(kind, TermKind::Directive(..)) => TermOutcome::Modifier,
        End::Matched(term, result) if at == term => TermOutcome::Matched(result),
        End::Unread => TermOutcome::NotReached,
        End::Matched(term, _) if at > term => TermOutcome::NotReached,
        // A redirect that failed came after all directives, wherever it stands.
        End::Failed(term) if at > term && redirect != Some(term) => TermOutcome::NotReached,
        _ => TermOutcome::NoMatch,
    }
}
