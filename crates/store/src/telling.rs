//! How a row reads as the texts of a segment: the full lists, and the one signature and the one SPF check that tell most.

use std::fmt::Write as _;

use report::{AuthResult, DkimResult, Override, OverrideKind, PolicyPublished, Row, SpfResult, SpfScope};

use crate::organizational_domain;

/// Stands where a report does not say.
pub(crate) const UNKNOWN: &str = "-";

/// The most telling signature: aligned pass, else pass, else the first.
///
/// Whether a passing signature was the aligned one is not said in a report; the author domain itself is taken before a name with
/// the same organizational domain.
pub(crate) fn dkim(row: &Row) -> Option<&DkimResult> {
    let pass = || row.dkim.iter().filter(|d| d.result == AuthResult::Pass);
    let mut best = pass().next();
    if row.dkim_aligned && pass().nth(1).is_some() {
        let author = organizational_domain(&row.author_domain);
        best = pass()
            .find(|d| d.domain == row.author_domain)
            .or_else(|| pass().find(|d| organizational_domain(&d.domain) == author))
            .or(best);
    }
    best.or_else(|| row.dkim.first())
}

/// The most telling SPF check: pass (of the envelope sender before the greeting), else mfrom scope, else the first.
pub(crate) fn spf(row: &Row) -> Option<&SpfResult> {
    let helo = |s: &SpfResult| s.scope == Some(SpfScope::Helo);
    let pass = || row.spf.iter().filter(|s| s.result == AuthResult::Pass);
    pass()
        .find(|s| !helo(s))
        .or_else(|| pass().next())
        .or_else(|| row.spf.iter().find(|s| s.scope == Some(SpfScope::Mfrom)))
        .or_else(|| row.spf.first())
}

/// All signatures: `pass d=example.com s=s1; fail d=…`.
pub(crate) fn dkim_list(list: &[DkimResult], out: &mut String) {
    out.clear();
    for one in list {
        separate(out, "; ");
        out.push_str(one.result.word());
        out.push_str(" d=");
        name(&one.domain, out);
        if let Some(selector) = &one.selector {
            out.push_str(" s=");
            name(selector, out);
        }
    }
}

/// All SPF checks: `pass mfrom example.com; none helo …`.
pub(crate) fn spf_list(list: &[SpfResult], out: &mut String) {
    out.clear();
    for one in list {
        separate(out, "; ");
        out.push_str(one.result.word());
        if let Some(scope) = one.scope {
            out.push(' ');
            out.push_str(scope.word());
        }
        out.push(' ');
        name(&one.domain, out);
    }
}

/// Override kinds, each once, sorted and joined with `,`.
pub(crate) fn overrides(list: &[Override], out: &mut String) {
    out.clear();
    let mut kinds: Vec<&str> = list.iter().map(|o| o.kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        separate(out, ",");
        name(kind, out);
    }
}

/// Override comments in order, joined with `; `.
pub(crate) fn comments(list: &[Override], out: &mut String) {
    out.clear();
    for comment in list.iter().filter_map(|o| o.comment.as_deref()) {
        separate(out, "; ");
        out.push_str(comment);
    }
}

/// `p` of the policy published.
pub(crate) fn policy(policy: &PolicyPublished) -> &'static str {
    policy.p.map_or(UNKNOWN, report::Policy::word)
}

fn separate(out: &mut String, with: &str) {
    if !out.is_empty() {
        out.push_str(with);
    }
}

/// A name inside a list: what would read as the list's own marks, or cannot be in a name, is written `%3B`.
fn name(name: &str, out: &mut String) {
    let plain = |b: u8| b > b' ' && !matches!(b, b';' | b',' | b'%' | 0x7f);
    if name.bytes().all(plain) {
        out.push_str(name);
        return;
    }
    for c in name.chars() {
        match u8::try_from(c) {
            Ok(b) if b.is_ascii() && !plain(b) => {
                let _infallible = write!(out, "%{b:02X}");
            }
            _ => out.push(c),
        }
    }
}

/// A number for a row that depends on nothing but its contents, the same in every version of this program: which of several days
/// gets an odd message must come out the same when the ledger is built anew.
pub(crate) fn salt(row: &Row) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    match row.source {
        std::net::IpAddr::V4(v4) => hash.bytes(&v4.to_ipv6_mapped().octets()),
        std::net::IpAddr::V6(v6) => hash.bytes(&v6.octets()),
    }
    hash.bytes(&row.count.to_le_bytes());
    hash.text(&row.author_domain);
    hash.text(row.envelope_from.as_deref().unwrap_or(UNKNOWN));
    hash.text(row.envelope_to.as_deref().unwrap_or(UNKNOWN));
    hash.text(row.disposition.word());
    hash.bytes(&[u8::from(row.dkim_aligned), u8::from(row.spf_aligned)]);
    for one in &row.overrides {
        hash.text(OverrideKind::word(&one.kind));
    }
    for one in &row.dkim {
        hash.text(&one.domain);
        hash.text(one.selector.as_deref().unwrap_or(UNKNOWN));
        hash.text(one.result.word());
    }
    for one in &row.spf {
        hash.text(&one.domain);
        hash.text(one.scope.map_or(UNKNOWN, SpfScope::word));
        hash.text(one.result.word());
    }
    // FNV mixes its last bytes badly; the multiplications spread them over all bits.
    let mut x = hash.0;
    x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}

struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }
}
