//! What the texts of a report mean: words, numbers, addresses, times.

use std::net::IpAddr;

use compact_str::CompactString;

use super::flaws::Flaws;
use crate::{AuthResult, FlawKind, OverrideKind, Rejection, RejectionKind};

/// 2012-01-01, the month in which DMARC was first published.
const FIRST_PUBLISHED: i64 = 1_325_376_000;
/// 2100-01-01: what lies beyond is no time in seconds.
const LAST_SECOND: i64 = 4_102_444_800;

/// A word of the standard, in whatever case.
#[inline]
pub(super) fn word<T>(text: &str, exact: fn(&str) -> Option<T>, flaws: &mut Flaws) -> Option<T> {
    exact(text).or_else(|| {
        let found = exact(&text.to_ascii_lowercase());
        if found.is_some() {
            flaws.note(FlawKind::MixedCase, Some(text));
        }
        found
    })
}

/// The result of an SPF or DKIM check.
#[inline]
pub(super) fn auth_result(text: &str, dkim: bool, flaws: &mut Flaws) -> AuthResult {
    AuthResult::from_word(text).unwrap_or_else(|| odd_result(text, dkim, flaws))
}

#[cold]
fn odd_result(text: &str, dkim: bool, flaws: &mut Flaws) -> AuthResult {
    let plain: String = text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    let plain = plain.to_ascii_lowercase();
    if let Some(result) = AuthResult::from_word(&plain) {
        flaws.note(FlawKind::MixedCase, Some(text));
        return result;
    }
    let (kind, result) = match (plain.as_str(), dkim) {
        ("", _) => (FlawKind::MissingResult, AuthResult::None),
        ("hardfail", _) => (FlawKind::OddResult, AuthResult::Fail),
        // Mail::DKIM says invalid where the signature could not be checked.
        ("invalid" | "unknown", true) => (FlawKind::OddResult, AuthResult::Neutral),
        // RFC 7489 Appendix C: "“TempError” commonly implemented as “unknown”"; OpenDMARC does.
        ("unknown" | "error" | "tempfail", _) => (FlawKind::OddResult, AuthResult::TempError),
        ("permfail", _) => (FlawKind::OddResult, AuthResult::PermError),
        _ => (FlawKind::UnknownResult, AuthResult::Neutral),
    };
    flaws.note(kind, Some(text));
    result
}

/// Whether a `policy_evaluated` result is pass.
#[inline]
pub(super) fn aligned(text: &str, flaws: &mut Flaws) -> bool {
    match text {
        "pass" => true,
        "fail" => false,
        _ if text.eq_ignore_ascii_case("pass") || text.eq_ignore_ascii_case("fail") => {
            flaws.note(FlawKind::MixedCase, Some(text));
            text.eq_ignore_ascii_case("pass")
        }
        _ => {
            flaws.note(FlawKind::OddEvaluation, Some(text));
            false
        }
    }
}

/// The type of an override reason.
pub(super) fn override_kind(text: &str, flaws: &mut Flaws) -> OverrideKind {
    let exact = OverrideKind::from_word(text);
    if !matches!(exact, OverrideKind::Unknown(_)) {
        return exact;
    }
    let plain = text.to_ascii_lowercase().replace(['-', ' '], "_");
    match OverrideKind::from_word(&plain) {
        OverrideKind::Unknown(_) => {
            flaws.note(FlawKind::UnknownReason, Some(text));
            exact
        }
        kind => {
            flaws.note(FlawKind::MixedCase, Some(text));
            kind
        }
    }
}

/// The sending address.
#[inline]
pub(super) fn source(text: &str, flaws: &mut Flaws) -> Option<IpAddr> {
    let source = text.parse().ok().or_else(|| odd_source(text, flaws));
    match source {
        Some(IpAddr::V6(v6)) => {
            let canonical = v6.to_canonical();
            if canonical.is_ipv4() {
                flaws.note(FlawKind::MappedSource, Some(text));
            }
            Some(canonical)
        }
        Some(v4) => Some(v4),
        None => {
            flaws.note(FlawKind::BadSource, Some(text));
            None
        }
    }
}

/// `[192.0.2.1]`, `IPv6:2001:db8::1`, `192.000.002.001`.
#[cold]
fn odd_source(text: &str, flaws: &mut Flaws) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text).trim();
    let bare = match bare.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("IPv6:") => &bare[5..],
        _ => bare,
    };
    let source = bare.parse().ok().or_else(|| {
        let mut octets = bare.split('.').map(|part| if part.len() <= 3 { part.parse::<u8>().ok() } else { None });
        let v4 = [octets.next()??, octets.next()??, octets.next()??, octets.next()??];
        octets.next().is_none().then_some(IpAddr::from(v4))
    });
    if source.is_some() {
        flaws.note(FlawKind::OddSource, Some(text));
    }
    source
}

/// The number of messages.
#[inline]
pub(super) fn count(text: &str, max: u64, flaws: &mut Flaws) -> Option<u64> {
    let count = text.parse().ok().or_else(|| {
        let (whole, fraction) = text.split_once('.')?;
        let count = whole.parse().ok().filter(|_| fraction.bytes().all(|b| b == b'0'))?;
        flaws.note(FlawKind::FractionalCount, Some(text));
        Some(count)
    });
    let believable = count.filter(|count| *count <= max);
    match believable {
        None => flaws.note(FlawKind::BadCount, Some(text)),
        Some(0) => flaws.note(FlawKind::ZeroCount, None),
        Some(_) => {}
    }
    believable
}

/// A begin or end in seconds since 1970.
pub(super) fn time(text: &str, name: &str, flaws: &mut Flaws) -> Result<i64, Rejection> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => {
            flaws.note(FlawKind::FractionalTime, Some(text));
            whole
        }
        _ => text,
    };
    let Ok(seconds) = whole.parse::<i64>() else {
        return Err(implausible(text, name, "is no number"));
    };
    match seconds {
        ..0 => Err(implausible(text, name, "lies before 1970")),
        LAST_SECOND.. => Err(implausible(text, name, "lies beyond the year 2100 (milliseconds, perhaps)")),
        _ => Ok(seconds),
    }
}

/// Whether a time lies before there was DMARC.
pub(super) fn is_early(seconds: i64) -> bool {
    seconds < FIRST_PUBLISHED
}

fn implausible(text: &str, name: &str, what: &str) -> Rejection {
    let shown: CompactString = text.chars().take(40).collect();
    Rejection::new(
        RejectionKind::ImplausibleTime,
        format!(
            "The report's {name} “{shown}” {what}, so that its rows belong to no day. \
             It should be whole seconds since 1970-01-01 UTC. Ask the reporter to correct it."
        ),
    )
}
