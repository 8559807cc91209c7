//! Domains as reports write them, brought to one form: lower-case A-labels without a trailing dot.
//!
//! What is no domain is kept as text and noted: a row is never lost over it. RFC 5890 §2.3.2.1, UTS #46.

use super::flaws::Flaws;
use crate::{FlawKind, Text};

/// Bytes of a text that may be tried as a Unicode domain; longer ones are none. RFC 1035 allows 253 in A-labels.
const UNICODE_BYTES_MAX: usize = 512;
/// RFC 1035 §2.3.4: "names 255 octets or less", which is 253 as text.
const DOMAIN_BYTES_MAX: usize = 253;

/// Puts the domain that `text` names into `slot`.
#[inline]
pub(super) fn set_domain(slot: &mut Text, text: &str, flaws: &mut Flaws) {
    slot.clear();
    if is_normal(text) && !text.ends_with('.') && text.len() <= DOMAIN_BYTES_MAX {
        slot.push_str(text);
    } else {
        set_odd_domain(slot, text, flaws);
    }
}

/// Lower-case letters, digits, hyphens, underscores and dots.
fn is_normal(text: &str) -> bool {
    text.bytes().all(|b| NORMAL[usize::from(b)])
}

const NORMAL: [bool; 256] = {
    let mut normal = [false; 256];
    let mut b = 0_u8;
    while b < 0x80 {
        normal[b as usize] = matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
        b += 1;
    }
    normal
};

#[cold]
fn set_odd_domain(slot: &mut Text, text: &str, flaws: &mut Flaws) {
    let bare = match text.rsplit_once('@') {
        Some((_, domain)) => {
            flaws.note(FlawKind::AddressAsDomain, Some(text));
            domain
        }
        None => text,
    };
    // Cut off completely, so that what was read reads the same when it is written and read again.
    let bare = bare.trim_start_matches(|c: char| c.is_whitespace() || c == '<');
    let bare = bare.trim_end_matches(|c: char| c.is_whitespace() || c == '>' || c == '.');
    if bare.is_ascii() {
        slot.push_str(bare);
        slot.make_ascii_lowercase();
    } else {
        let ascii = if bare.len() <= UNICODE_BYTES_MAX { idna::domain_to_ascii(bare).ok() } else { None };
        // Some characters become dots or spaces: what is no domain then was none before.
        match ascii.filter(|ascii| is_normal(ascii) && !ascii.is_empty() && !ascii.ends_with('.')) {
            Some(ascii) => {
                flaws.note(FlawKind::UnicodeDomain, Some(text));
                slot.push_str(&ascii);
            }
            None => slot.push_str(&bare.to_lowercase()),
        }
    }
    if !is_normal(slot) || slot.len() > DOMAIN_BYTES_MAX {
        flaws.note(FlawKind::BadDomain, Some(text));
    }
}
