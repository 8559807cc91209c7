//! `check_host()`: the result for one client and one identity (RFC 7208 §4).
//!
//! In: a source of DNS answers, the client, the identity, limits. Out: an [`Evaluation`] with its trace. A record's terms are evaluated
//! in a loop with a stack of its own, so that includes cost no boxed futures and depth is bounded by the limit of lookups.

use std::net::IpAddr;
use std::sync::Arc;

use dns::{Data, Lookup, Name, RecordType, Response};
use message::{Domain, DomainError, PathError, ReversePath};

use crate::matching::{self, ClientName};
use crate::spec::{Use, Values};
use crate::trace::{Answer, End, Question, Visit};
use crate::{
    Client, DomainSpec, Evaluation, Identity, Limits, Mechanism, Reason, Selection, SpfResult, TermKind, Trace,
};

/// Checks the reverse-path. Where it is null, the mailbox is `postmaster` at the HELO name (RFC 7208 §2.4); where it is no mailbox, the
/// result is none and the HELO name is not asked instead.
pub fn check_mail_from<'c, L: Lookup>(
    lookup: &'c L,
    client: &'c Client<'_>,
    mail_from: &'c ReversePath,
    limits: &'c Limits,
) -> impl Future<Output = Evaluation> {
    let sender = match mail_from {
        ReversePath::Null => at_helo(client),
        ReversePath::Mailbox { local_part, domain } => Ok((local_part.as_str(), domain)),
        ReversePath::Missing => Err(Reason::NoMailFrom),
        ReversePath::Invalid(why) => Err(Reason::NoDomain(*why)),
    };
    check_host(lookup, client, Identity::MailFrom, sender, limits)
}

/// Checks the HELO name.
pub fn check_helo<L: Lookup>(lookup: &L, client: &Client<'_>, limits: &Limits) -> impl Future<Output = Evaluation> {
    check_host(lookup, client, Identity::Helo, at_helo(client), limits)
}

/// A sender: local part and domain, or why there is none to ask about.
type Sender<'s> = Result<(&'s str, &'s Domain), Reason>;

fn at_helo<'c>(client: &'c Client<'_>) -> Sender<'c> {
    client.helo_domain.as_ref().map(|domain| ("postmaster", domain)).map_err(|why| Reason::NoDomain(*why))
}

/// `check_host()` for a sender.
async fn check_host<L: Lookup>(
    lookup: &L,
    client: &Client<'_>,
    identity: Identity,
    sender: Sender<'_>,
    limits: &Limits,
) -> Evaluation {
    let (local_part, sender_domain) = match sender {
        Ok(sender) => sender,
        Err(reason) => return Evaluation::unasked(identity, reason, limits),
    };
    let Ok(domain) = Name::from_dotted(sender_domain.as_str().as_bytes()) else {
        // A `Domain` keeps the sizes of RFC 1035, so this is not reached; RFC 7208 §4.3 has an answer for it all the same.
        return Evaluation::unasked(identity, Reason::NoDomain(PathError::Domain(DomainError::TooLong)), limits);
    };
    let mut check = Check {
        lookup,
        limits,
        ip: client.ip.to_canonical(),
        helo: client.helo,
        receiver: client.receiver,
        time: client.time,
        // RFC 7208 §4.3: "If the <sender> has no local-part, substitute the string "postmaster" for the local-part."
        local_part: if local_part.is_empty() { "postmaster" } else { local_part },
        sender_domain: sender_domain.as_str(),
        lookups: 0,
        voids: 0,
        explaining: false,
        names: None,
        // One allocation is enough for what the limit of lookups allows, if it is the usual one.
        trace: Trace { visits: Vec::with_capacity(12), questions: Vec::new() },
    };
    let (result, reason, last) = check.run(domain.clone()).await;
    let explanation = match last {
        Some(visit) if result == SpfResult::Fail => check.explanation(visit).await,
        _ => None,
    };
    let Check { lookups, voids: void_lookups, trace, .. } = check;
    Evaluation {
        identity,
        domain: Some(domain),
        result,
        reason,
        explanation,
        lookups,
        void_lookups,
        trace,
        limits: *limits,
    }
}

/// One evaluation under way.
pub(crate) struct Check<'a, L> {
    pub(crate) lookup: &'a L,
    pub(crate) limits: &'a Limits,
    pub(crate) ip: IpAddr,
    helo: &'a str,
    receiver: &'a str,
    time: u64,
    local_part: &'a str,
    sender_domain: &'a str,
    lookups: u16,
    voids: u16,
    /// The result is known, and its explanation is looked up: nothing counts any more.
    explaining: bool,
    /// The names of the client's address, once they were asked for.
    pub(crate) names: Option<Vec<ClientName>>,
    pub(crate) trace: Trace,
}

/// A record under evaluation.
struct Frame {
    visit: u16,
    selection: Arc<Selection>,
    next: u16,
    /// The term of the frame below that included it.
    included_by: Option<u16>,
}

/// Where a term is: its visit and its place in the record.
pub(crate) type Place = (u16, u16);

/// Why an evaluation ends before a directive decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop(pub(crate) SpfResult, pub(crate) Reason);

impl Stop {
    pub(crate) const fn permanent(reason: Reason) -> Self {
        Self(SpfResult::PermError, reason)
    }
}

/// How far the terms of one record lead.
enum Step {
    /// This directive matched, with this result.
    Matched(u16, SpfResult),
    /// This `include` or `redirect` needs the record of this name; none where it comes out as no name.
    Enter { term: u16, target: Option<Name>, redirect: bool },
    /// All terms were looked at.
    Exhausted,
}

/// The outcome, and the visit whose `exp` counts.
type Outcome = (SpfResult, Reason, Option<u16>);

impl<L: Lookup> Check<'_, L> {
    /// Evaluates the record of a domain and all that it leads to.
    async fn run(&mut self, domain: Name) -> Outcome {
        let mut stack = match self.enter(domain, None, None).await {
            Ok(frame) => {
                let mut stack = Vec::with_capacity(4);
                stack.push(frame);
                stack
            }
            Err(Stop(result, reason)) => return (result, reason, None),
        };
        loop {
            let Some(frame) = stack.last_mut() else {
                // Not reached: the last frame to be left gives the outcome.
                return (SpfResult::PermError, Reason::NothingMatched, None);
            };
            let visit = frame.visit;
            let outcome = match self.terms(frame).await {
                Ok(Step::Matched(term, result)) => self.leave(&mut stack, End::Matched(term, result), result),
                // RFC 7208 §4.7: "If none of the mechanisms match and there is no "redirect" modifier, then the check_host() returns a
                // result of "neutral"".
                Ok(Step::Exhausted) => self.leave(&mut stack, End::NothingMatched, SpfResult::Neutral),
                Ok(Step::Enter { term, target, redirect }) => {
                    let included_by = if redirect { frame.included_by } else { Some(term) };
                    let entered = match target {
                        Some(target) => self.enter(target, Some((visit, term)), included_by).await,
                        None => Err(Stop::permanent(Reason::NoRecord)),
                    };
                    match entered {
                        Ok(entered) => {
                            if redirect && let Some(frame) = stack.pop() {
                                self.end(frame, End::Redirected(term));
                            }
                            stack.push(entered);
                            None
                        }
                        Err(stop) => Some(self.fail(&mut stack, (visit, term), stop)),
                    }
                }
                Err((term, stop)) => Some(self.fail(&mut stack, (visit, term), stop)),
            };
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }

    /// Ends the evaluation of the topmost record, and of those that it decides; the outcome, where that is all.
    fn leave(&mut self, stack: &mut Vec<Frame>, mut end: End, mut result: SpfResult) -> Option<Outcome> {
        loop {
            let frame = stack.pop()?;
            let (visit, included_by) = (frame.visit, frame.included_by);
            self.end(frame, end);
            let Some(term) = included_by else {
                let reason = if end == End::NothingMatched { Reason::NothingMatched } else { Reason::Matched };
                return Some((result, reason, Some(visit)));
            };
            // RFC 7208 §5.2: of the included record only pass is a match; fail, softfail and neutral are none.
            if result != SpfResult::Pass {
                return None;
            }
            let above = stack.last()?;
            let kind = above.selection.record().and_then(|record| record.terms.get(usize::from(term)));
            if let Some(TermKind::Directive(qualifier, _)) = kind.map(|term| &term.kind) {
                result = qualifier.result();
            }
            end = End::Matched(term, result);
        }
    }

    /// Ends everything with an error of this term, which is one of the topmost record.
    fn fail(&mut self, stack: &mut Vec<Frame>, (visit, term): Place, Stop(result, reason): Stop) -> Outcome {
        let mut failed = Some(term);
        while let (Some(term), Some(frame)) = (failed, stack.pop()) {
            failed = frame.included_by;
            self.end(frame, End::Failed(term));
        }
        match reason {
            // RFC 7208 §5.2: none makes an include "return permerror"; §6.1: "if no SPF record is found, or if the <target-name> is
            // malformed, the result is a "permerror" rather than "none"."
            Reason::NoRecord => (SpfResult::PermError, Reason::TargetWithoutRecord { visit, term }, None),
            reason => (result, reason, None),
        }
    }

    /// Ends the evaluation of one record; its trace keeps what the evaluation held.
    fn end(&mut self, frame: Frame, end: End) {
        if let Some(visit) = self.trace.visits.get_mut(usize::from(frame.visit)) {
            visit.end = end;
            visit.selection = Some(frame.selection);
        }
    }

    /// Looks for the record of a domain.
    async fn enter(&mut self, domain: Name, from: Option<Place>, included_by: Option<u16>) -> Result<Frame, Stop> {
        let none = Stop(SpfResult::None, Reason::NoRecord);
        // RFC 7208 §4.3: what is no multi-label name has no record.
        if domain.labels().nth(1).is_none() {
            return Err(none);
        }
        let response = self.lookup.lookup(&domain, RecordType::Txt).await;
        let selection = match &response {
            Response::Found(records) => Some(Selection::cached(records)),
            _ => None,
        };
        let visit = index(self.trace.visits.len());
        let answer = Answer::of(&response);
        self.voids += u16::from(from.is_some() && answer.is_void());
        let stop = match selection.as_deref() {
            // RFC 7208 §4.4: "If the DNS lookup returns a server failure … or if the lookup times out, then check_host() terminates
            // immediately with the result "temperror"."
            None if answer.is_failure() => Some(Stop(SpfResult::TempError, Reason::RecordUnavailable { visit })),
            None | Some(Selection::Nothing) => Some(none),
            Some(Selection::Faulty { .. }) => Some(Stop::permanent(Reason::Faulty { visit })),
            Some(Selection::Several(_)) => Some(Stop::permanent(Reason::Several { visit })),
            Some(Selection::Record(_)) => None,
        };
        // A record under evaluation is held by its frame, and goes to the trace when that ends.
        let (frame, selection) = match (selection, &stop) {
            (Some(selection), None) => (Some(Frame { visit, selection, next: 0, included_by }), None),
            (selection, _) => (None, selection),
        };
        self.trace.visits.push(Visit { domain, answer, selection, from, end: End::Unread });
        frame.ok_or_else(|| stop.unwrap_or(none))
    }

    /// Evaluates the terms of a record, from where it was left.
    async fn terms(&mut self, frame: &mut Frame) -> Result<Step, (u16, Stop)> {
        let Some(record) = frame.selection.record() else { return Ok(Step::Exhausted) };
        let mut from = frame.next;
        loop {
            let (at, qualifier, mechanism) = match matching::without_dns(record, from, self.ip) {
                matching::Found::Matched(term, result) => return Ok(Step::Matched(term, result)),
                matching::Found::Nothing => break,
                matching::Found::Asks(term, qualifier, mechanism) => (term, qualifier, mechanism),
            };
            let place = (frame.visit, at);
            let stopped = |stop| (at, stop);
            self.count(place).map_err(stopped)?;
            let target = self.target(mechanism.target(), place).await.map_err(stopped)?;
            if let Mechanism::Include(_) = mechanism {
                frame.next = at + 1;
                return Ok(Step::Enter { term: at, target, redirect: false });
            }
            // RFC 7208 §4.8: "Some implementations choose to treat such errors as not-match and therefore ignore such names".
            if let Some(target) = target
                && self.matches(mechanism, &target, place).await.map_err(stopped)?
            {
                return Ok(Step::Matched(at, qualifier.result()));
            }
            from = at + 1;
        }
        let Some((term, spec)) = record.redirect() else { return Ok(Step::Exhausted) };
        let place = (frame.visit, term);
        self.count(place).map_err(|stop| (term, stop))?;
        let target = self.target(Some(spec), place).await.map_err(|stop| (term, stop))?;
        Ok(Step::Enter { term, target, redirect: true })
    }

    /// RFC 7208 §4.6.4: "If this limit is exceeded, the implementation MUST return "permerror"."
    fn count(&mut self, (visit, term): Place) -> Result<(), Stop> {
        if self.lookups >= self.limits.lookups_max {
            return Err(Stop::permanent(Reason::TooManyLookups { visit, term }));
        }
        self.lookups += 1;
        Ok(())
    }

    /// The name that a term is about; none where it comes out as no name. A name that is cloned costs more than one that is looked for
    /// in the trace.
    async fn target(&mut self, spec: Option<&DomainSpec>, place: Place) -> Result<Option<Name>, Stop> {
        let validated = match self.domain(place).filter(|_| spec.is_some_and(|spec| spec.has(b'p'))).cloned() {
            Some(domain) => self.validated(&domain, place).await?,
            None => None,
        };
        let Some(domain) = self.domain(place) else { return Ok(None) };
        let Some(spec) = spec else { return Ok(Some(domain.clone())) };
        Ok(spec.name(&self.values(domain, validated.as_ref())))
    }

    /// The domain whose record a term stands in.
    fn domain(&self, (visit, _): Place) -> Option<&Name> {
        self.trace.visits.get(usize::from(visit)).map(|visit| &visit.domain)
    }

    fn values<'v>(&'v self, domain: &'v Name, validated: Option<&'v Name>) -> Values<'v> {
        Values {
            local_part: self.local_part,
            sender_domain: self.sender_domain,
            domain,
            ip: self.ip,
            validated,
            helo: self.helo,
            receiver: self.receiver,
            time: self.time,
        }
    }

    /// Asks DNS for a term.
    pub(crate) async fn ask(
        &mut self,
        (visit, term): Place,
        name: Name,
        kind: RecordType,
        may_be_void: bool,
    ) -> Result<Response, Stop> {
        let response = self.lookup.lookup(&name, kind).await;
        let answer = Answer::of(&response);
        let may_be_void = may_be_void && !self.explaining;
        let void = may_be_void && answer.is_void();
        self.trace.questions.push(Question { visit, term, name, kind, answer, may_be_void });
        self.voids += u16::from(void);
        // RFC 7208 §4.6.4: "Exceeding the limit produces a "permerror" result."
        if void && self.voids > self.limits.voids_max {
            return Err(Stop::permanent(Reason::TooManyVoids { visit, term }));
        }
        Ok(response)
    }

    /// The same where a failure of DNS ends the evaluation.
    pub(crate) async fn ask_surely(&mut self, place: Place, name: Name, kind: RecordType) -> Result<Response, Stop> {
        let response = self.ask(place, name, kind, true).await?;
        match response {
            // RFC 7208 §5: "if the DNS server returns an error (RCODE other than 0 or 3) or the query times out, the mechanism stops and
            // the topmost check_host() returns "temperror"."
            Response::ServFail(_) | Response::Timeout => {
                let question = index(self.trace.questions.len().saturating_sub(1));
                Err(Stop(SpfResult::TempError, Reason::DnsFailed { question }))
            }
            other => Ok(other),
        }
    }

    /// RFC 7208 §6.2: the explanation of the record that decided; any trouble on the way means that there is none.
    async fn explanation(&mut self, visit: u16) -> Option<String> {
        let found = self.trace.visits.get(usize::from(visit))?;
        let (domain, selection) = (found.domain.clone(), found.selection.clone()?);
        let record = selection.record()?;
        let place = (visit, record.explanation?);
        self.explaining = true;
        let target = self.target(record.explanation(), place).await.ok()??;
        // RFC 7208 §4.6.4: it is looked up "at a later time", so no limit of the evaluation is spent.
        let response = self.ask(place, target, RecordType::Txt, false).await.ok()?;
        // "or if no records are returned, or if more than one record is returned, or if there are syntax errors in the explanation
        // string, then proceed as if no "exp" modifier was given."
        let [Data::Txt(text)] = response.records() else { return None };
        let text = std::str::from_utf8(text).ok()?;
        let explanation = DomainSpec::parse(text, 0, Use::Explanation).ok()?;
        let validated = if explanation.has(b'p') { self.validated(&domain, place).await.ok()? } else { None };
        let text = explanation.expand(&self.values(&domain, validated.as_ref()))?;
        // "the explanation string MUST be limited to [US-ASCII]"; a control character could end the reply that shows it.
        let fits = text.len() <= self.limits.explanation_bytes_max;
        String::from_utf8(text).ok().filter(|text| fits && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
    }
}

/// Positions in a trace are few: includes, redirects and their questions are limited.
fn index(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}
