//! One `record` of a report.
//!
//! In: a row and the generation to write it in. Out: its XML. RFC 7489 Appendix C, RFC 9990 §3.1.1 and Appendix A.

use super::xml::Xml;
use crate::{AuthResult, Dialect, Disposition, DkimResult, Override, OverrideKind, Row, SpfResult, SpfScope};

/// RFC 9990 §3.1.1.11: at most 100 signatures a row.
const SIGNATURES_MAX: usize = 100;

pub(super) fn write(xml: &mut Xml<'_>, dialect: Dialect, row: &Row) {
    xml.open(1, "record");
    xml.open(2, "row");
    xml.number(3, "source_ip", row.source);
    xml.number(3, "count", row.count);
    evaluated(xml, dialect, row);
    xml.close(2, "row");
    identifiers(xml, dialect, row);
    xml.open(2, "auth_results");
    match dialect {
        Dialect::Rfc7489 => {
            for result in &row.dkim {
                dkim(xml, dialect, result);
            }
            if row.spf.is_empty() {
                // RFC 7489 Appendix C: "There will always be at least one SPF result."
                xml.open(3, "spf");
                xml.leaf(4, "domain", envelope_domain(row));
                xml.leaf(4, "scope", SpfScope::Mfrom.word());
                xml.leaf(4, "result", AuthResult::None.word());
                xml.close(3, "spf");
            }
            for result in &row.spf {
                // DMARC looks at the envelope sender, so a check without a scope was one of it.
                spf(xml, dialect, result, result.scope.unwrap_or(SpfScope::Mfrom));
            }
        }
        Dialect::Rfc9990 => {
            for result in telling(row) {
                dkim(xml, dialect, result);
            }
            if let Some(result) = envelope_check(row) {
                spf(xml, dialect, result, SpfScope::Mfrom);
            }
        }
    }
    xml.close(2, "auth_results");
    xml.close(1, "record");
}

fn evaluated(xml: &mut Xml<'_>, dialect: Dialect, row: &Row) {
    let disposition = match (dialect, row.disposition) {
        // RFC 7489 has no word for it; nothing was done to the message, which is `none`.
        (Dialect::Rfc7489, Disposition::Pass) => Disposition::None,
        (_, disposition) => disposition,
    };
    let word = |aligned| if aligned { "pass" } else { "fail" };
    xml.open(3, "policy_evaluated");
    xml.leaf(4, "disposition", disposition.word());
    xml.leaf(4, "dkim", word(row.dkim_aligned));
    xml.leaf(4, "spf", word(row.spf_aligned));
    for reason in &row.overrides {
        self::reason(xml, dialect, reason);
    }
    xml.close(3, "policy_evaluated");
}

fn reason(xml: &mut Xml<'_>, dialect: Dialect, reason: &Override) {
    let known = match &reason.kind {
        OverrideKind::TrustedForwarder
        | OverrideKind::MailingList
        | OverrideKind::LocalPolicy
        | OverrideKind::Other => true,
        OverrideKind::Forwarded | OverrideKind::SampledOut => dialect == Dialect::Rfc7489,
        OverrideKind::PolicyTestMode => dialect == Dialect::Rfc9990,
        OverrideKind::Unknown(_) => false,
    };
    let word = reason.kind.word();
    xml.open(4, "reason");
    if known {
        xml.leaf(5, "type", word);
        xml.option(5, "comment", reason.comment.as_deref());
    } else {
        xml.leaf(5, "type", OverrideKind::Other.word());
        match &reason.comment {
            Some(comment) => xml.leaf(5, "comment", &format!("{word}: {comment}")),
            None => xml.leaf(5, "comment", word),
        }
    }
    xml.close(4, "reason");
}

fn identifiers(xml: &mut Xml<'_>, dialect: Dialect, row: &Row) {
    xml.open(2, "identifiers");
    match dialect {
        Dialect::Rfc7489 => {
            xml.option(3, "envelope_to", row.envelope_to.as_deref());
            xml.leaf(3, "envelope_from", envelope_domain(row));
            xml.leaf(3, "header_from", &row.author_domain);
        }
        Dialect::Rfc9990 => {
            xml.leaf(3, "header_from", &row.author_domain);
            xml.option(3, "envelope_from", row.envelope_from.as_deref());
            xml.option(3, "envelope_to", row.envelope_to.as_deref());
        }
    }
    xml.close(2, "identifiers");
}

/// The domain of the envelope sender: as the row says, else the one SPF checked for it, else none.
fn envelope_domain(row: &Row) -> &str {
    row.envelope_from.as_deref().unwrap_or_else(|| {
        row.spf.iter().find(|check| check.scope != Some(SpfScope::Helo)).map_or("", |check| &check.domain)
    })
}

/// The check that DMARC used.
fn envelope_check(row: &Row) -> Option<&SpfResult> {
    let with = |scope| row.spf.iter().find(move |check| check.scope == scope);
    // RFC 7208 §2.4: with a null reverse-path "the "MAIL FROM" identity [is] postmaster@HELO".
    let null_path = row.envelope_from.as_deref() == Some("");
    with(Some(SpfScope::Mfrom)).or_else(|| with(None)).or_else(|| with(Some(SpfScope::Helo)).filter(|_| null_path))
}

/// The signatures to list, in their order; those that say most if there are too many.
///
/// RFC 9990 §3.1.1.11 ranks them: strictly aligned passes, relaxed, other passes, the rest. Without a list of organizational domains a
/// pass counts as relaxed where one of the two domains lies below the other.
fn telling(row: &Row) -> impl Iterator<Item = &DkimResult> {
    let mut chosen: Vec<usize> = (0..row.dkim.len()).collect();
    if chosen.len() > SIGNATURES_MAX {
        chosen.sort_by_key(|n| rank(row, &row.dkim[*n]));
        chosen.truncate(SIGNATURES_MAX);
        chosen.sort_unstable();
    }
    chosen.into_iter().map(|n| &row.dkim[n])
}

fn rank(row: &Row, result: &DkimResult) -> u8 {
    let below = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
    let (signer, author) = (&*result.domain, &*row.author_domain);
    match result.result {
        AuthResult::Pass if signer == author => 0,
        AuthResult::Pass if below(signer, author) || below(author, signer) => 1,
        AuthResult::Pass => 2,
        _ => 3,
    }
}

fn dkim(xml: &mut Xml<'_>, dialect: Dialect, result: &DkimResult) {
    xml.open(3, "dkim");
    xml.leaf(4, "domain", &result.domain);
    match dialect {
        Dialect::Rfc7489 => xml.option(4, "selector", result.selector.as_deref()),
        Dialect::Rfc9990 => xml.leaf(4, "selector", result.selector.as_deref().unwrap_or_default()),
    }
    let word = if result.result == AuthResult::SoftFail { AuthResult::Fail } else { result.result };
    xml.leaf(4, "result", word.word());
    xml.option(4, "human_result", result.human_result.as_deref());
    xml.close(3, "dkim");
}

fn spf(xml: &mut Xml<'_>, dialect: Dialect, result: &SpfResult, scope: SpfScope) {
    let word = match (dialect, result.result) {
        (Dialect::Rfc7489, AuthResult::Policy) => AuthResult::Neutral,
        (_, word) => word,
    };
    xml.open(3, "spf");
    xml.leaf(4, "domain", &result.domain);
    xml.leaf(4, "scope", scope.word());
    xml.leaf(4, "result", word.word());
    if dialect == Dialect::Rfc9990 {
        xml.option(4, "human_result", result.human_result.as_deref());
    }
    xml.close(3, "spf");
}
