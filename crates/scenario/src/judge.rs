//! What a receiver does with messages, and how its report says so.
//!
//! In: how the messages authenticate, whose name they carry, what that domain asks, and who receives. Out: rows. RFC 7489 §6.6.2 and
//! §6.6.4 (`pct`), RFC 9989 §4.7 (`t`), RFC 9990 §3.1.1 (reasons).

use std::net::IpAddr;

use report::{
    Alignment, AuthResult, Dialect, Disposition, DkimResult, Override, OverrideKind, Policy, Row, SpfResult, SpfScope,
    Text,
};

use crate::estate::{Found, Record, organizational};
use crate::flow::{Authentication, Envelope, Mediator, Who};
use crate::random::Random;
use crate::reporter::{Recognises, Reporter};

/// Messages that are alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Messages<'a> {
    pub(crate) author: &'a Text,
    pub(crate) source: IpAddr,
    /// Which of the flow's addresses that is.
    pub(crate) place: usize,
    /// The name its host greets with.
    pub(crate) helo: Option<&'a Text>,
    pub(crate) authentication: &'a Authentication,
    pub(crate) mediator: Option<&'a Mediator>,
    pub(crate) recipient: Option<&'a str>,
    /// Domains whose SPF record needs more than ten look-ups, each until a day of the story.
    pub(crate) over_limit: &'a [(Text, i32)],
    /// SPF records that are broken or gone for some days.
    pub(crate) broken_spf: &'a [crate::incidents::BrokenSpf],
    /// The day of the story whose DNS the receiver sees.
    pub(crate) seen: i32,
}

/// Judges `count` messages; `add` gets the rows, which together have that count.
pub(crate) fn judge(
    messages: &Messages<'_>,
    count: u64,
    found: &Found<'_>,
    reporter: &Reporter,
    random: &mut Random,
    add: &mut dyn FnMut(Row),
) {
    let mut row = authenticated(messages, found.record, reporter);
    row.count = count;
    let new = reporter.dialect == Dialect::Rfc9990;
    let asks = if new { found.asks_np } else { found.asks };
    if row.dkim_aligned || row.spf_aligned {
        if new && asks != Policy::None {
            row.disposition = Disposition::Pass;
        }
        add(row);
        return;
    }
    let mut parts = Vec::new();
    if let (Some(mediator), Some((how, share))) = (messages.mediator, reporter.recognises) {
        random.share(row.count, &[share, 1.0 - share], &mut parts);
        if parts[0] > 0 {
            let overrides = vec![recognised(mediator, how)];
            add(Row { count: parts[0], overrides, ..row.clone() });
        }
        row.count = parts[1];
    }
    let sampled = if new || asks == Policy::None { 100 } else { found.record.pct.unwrap_or(100) };
    if sampled < 100 {
        random.share(row.count, &[f64::from(sampled), f64::from(100 - sampled)], &mut parts);
        if parts[1] > 0 {
            // RFC 7489 §6.6.4: what is not sampled gets the next weaker treatment.
            let disposition = disposed(weaker(asks));
            let overrides = vec![Override { kind: OverrideKind::SampledOut, comment: None }];
            add(Row { count: parts[1], disposition, overrides, ..row.clone() });
        }
        row.count = parts[0];
    }
    if row.count == 0 {
        return;
    }
    let mut applied = asks;
    if new && found.record.testing && asks != Policy::None {
        applied = weaker(asks);
        row.overrides.push(Override { kind: OverrideKind::PolicyTestMode, comment: None });
    }
    if reporter.softens && applied == Policy::Reject {
        applied = Policy::Quarantine;
        row.overrides
            .push(Override { kind: OverrideKind::LocalPolicy, comment: Some("rejects are quarantined here".into()) });
    }
    row.disposition = disposed(applied);
    add(row);
}

fn weaker(policy: Policy) -> Policy {
    match policy {
        Policy::Reject => Policy::Quarantine,
        Policy::Quarantine | Policy::None => Policy::None,
    }
}

fn disposed(policy: Policy) -> Disposition {
    match policy {
        Policy::None => Disposition::None,
        Policy::Quarantine => Disposition::Quarantine,
        Policy::Reject => Disposition::Reject,
    }
}

fn recognised(mediator: &Mediator, how: Recognises) -> Override {
    let (Mediator::Forwarder(by) | Mediator::List(by)) = mediator;
    let of = |kind, comment| Override { kind, comment };
    match (how, mediator) {
        // RFC 8617 §7.2.2: how a result that rests on ARC is reported.
        (Recognises::Arc, _) => {
            of(OverrideKind::LocalPolicy, Some(Text::new(format!("arc=pass as[1].d={by} as[1].s=arc1"))))
        }
        (Recognises::ListsAndForwarders, Mediator::List(_)) => of(OverrideKind::MailingList, None),
        (Recognises::ListsAndForwarders, Mediator::Forwarder(_)) => {
            of(OverrideKind::TrustedForwarder, Some(by.clone()))
        }
        (Recognises::Forwarded, _) => of(OverrideKind::Forwarded, None),
    }
}

/// The row as far as it says what was checked.
fn authenticated(messages: &Messages<'_>, record: &Record, reporter: &Reporter) -> Row {
    let author = messages.author;
    let aligned = |domain: &str, how: Option<Alignment>| match how {
        Some(Alignment::Strict) => domain == author.as_str(),
        _ => organizational(domain) == organizational(author),
    };
    let named = |who: &Who| match who {
        Who::Author => author.clone(),
        Who::Organization => Text::new(organizational(author)),
        Who::Is(name) => name.clone(),
        Who::OfAddress(names) => names.get(messages.place % names.len().max(1)).cloned().unwrap_or_default(),
    };
    let dkim: Vec<DkimResult> = messages
        .authentication
        .dkim
        .iter()
        .map(|signature| DkimResult {
            domain: named(&signature.by),
            selector: Some(signature.selector.clone()),
            result: signature.result,
            human_result: None,
        })
        .collect();
    let (envelope_from, checked, scope) = match &messages.authentication.envelope {
        Envelope::Domain(who) => (named(who), named(who), SpfScope::Mfrom),
        // RFC 7208 §2.4: with a null path SPF looks at the greeting. RFC 9990 has no other scope than `mfrom`.
        Envelope::Null => {
            let scope = if reporter.dialect == Dialect::Rfc9990 { SpfScope::Mfrom } else { SpfScope::Helo };
            (Text::default(), messages.helo.cloned().unwrap_or_default(), scope)
        }
    };
    let over_limit =
        |name: &Text| messages.over_limit.iter().any(|(domain, until)| domain == name && messages.seen < *until);
    // RFC 7208 §4.6.4: more than ten look-ups are a permerror. Who matches before the eleventh never notices; some receivers never count.
    let result = match messages.authentication.spf {
        AuthResult::SoftFail if !reporter.lenient && over_limit(&checked) => AuthResult::PermError,
        AuthResult::PermError if reporter.lenient => AuthResult::Pass,
        result => result,
    };
    let there = |broken: &&crate::incidents::BrokenSpf| {
        broken.name == checked && (broken.days.0..broken.days.1).contains(&messages.seen)
    };
    let result = messages.broken_spf.iter().find(there).map_or(result, |broken| broken.result);
    Row {
        source: messages.source,
        author_domain: author.clone(),
        dkim_aligned: dkim.iter().any(|d| d.result == AuthResult::Pass && aligned(&d.domain, record.adkim)),
        spf_aligned: result == AuthResult::Pass && aligned(&checked, record.aspf),
        envelope_from: Some(envelope_from),
        envelope_to: messages.recipient.map(Text::new),
        spf: vec![SpfResult { domain: checked, scope: Some(scope), result, human_result: None }],
        dkim,
        ..Row::default()
    }
}
