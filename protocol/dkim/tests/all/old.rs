//! Verification as it was before RFC 8301: rsa-sha1 and short keys, to see whether canonical forms are right on old corpora.
//!
//! In: a field, its header, its body, a key record. Out: whether body hash and signature are right. Slow, and for tests alone: RSA
//! by schoolbook arithmetic, because no library takes keys of 512 bits any more.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use dkim::{BodyCanon, FieldNames, SignedFields, TagList, base64, canons, number};
use message::{Body, Field};

/// Whether body hash and signature are right; nothing where the field or the record is of a kind that even old eyes cannot read.
pub(crate) fn verifies(
    fields: &SignedFields<'_>,
    field: &Field<'_>,
    body: (&Body, &[u8]),
    record: &str,
) -> Option<(bool, bool)> {
    let tags = TagList::parse(field.value).ok()?;
    let algorithm: &Algorithm = match tags.get("a")? {
        b"rsa-sha1" => &SHA1_FOR_LEGACY_USE_ONLY,
        b"rsa-sha256" => &SHA256,
        _ => return None,
    };
    let (header_canon, body_canon) = canons(&tags).ok()?;
    let mut canonical = Vec::new();
    let mut stream = BodyCanon::new(body_canon);
    let mut intake = body.0.clone();
    intake.feed(body.1, |piece| stream.feed(piece, |bytes| canonical.extend_from_slice(bytes)));
    intake.finish(|piece| stream.feed(piece, |bytes| canonical.extend_from_slice(bytes)));
    stream.finish(|bytes| canonical.extend_from_slice(bytes));
    let length =
        tags.get("l").and_then(number).map_or(canonical.len(), |length| usize::try_from(length).expect("small"));
    let body_hash = digest(algorithm, &canonical[..length.min(canonical.len())]);
    let body_right = base64(tags.get("bh")?)? == body_hash.as_ref();

    let input = fields.input(&FieldNames::parse(tags.get("h")?)?, header_canon, field, &tags.place("b")?);
    let hash = digest(algorithm, &input);
    let key = TagList::parse(record.as_bytes()).ok()?;
    let (modulus, exponent) = rsa_key(&base64(key.get("p")?)?)?;
    let opened = power(&integer(&base64(tags.get("b")?)?), exponent, &modulus);
    // RFC 8017 §9.2: the hash ends the encoded message. What stands before it does not matter here.
    Some((body_right, bytes(&opened, hash.as_ref().len()) == hash.as_ref()))
}

/// Modulus and exponent, in the wrapping of RFC 5280 or without it.
fn rsa_key(der: &[u8]) -> Option<(Vec<u32>, u32)> {
    let (_, content, _) = element(der)?;
    let (tag, first, rest) = element(content)?;
    if tag == 0x30 {
        return rsa_key(element(rest)?.1.get(1..)?);
    }
    let exponent = element(rest)?.1.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    Some((integer(first), exponent))
}

fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    let octets = usize::from(head[1]).saturating_sub(0x80);
    let (more, rest) = rest.split_at_checked(octets)?;
    let length =
        if octets == 0 { usize::from(head[1]) } else { more.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) };
    let (content, after) = rest.split_at_checked(length)?;
    Some((head[0], content, after))
}

/// A number in words of 32 bits, the lowest first.
fn integer(big_endian: &[u8]) -> Vec<u32> {
    let mut words: Vec<u32> =
        big_endian.rchunks(4).map(|word| word.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))).collect();
    while words.last() == Some(&0) {
        words.pop();
    }
    words
}

/// The lowest bytes of a number, the highest of them first.
fn bytes(words: &[u32], count: usize) -> Vec<u8> {
    let mut all: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    all.resize(all.len().max(count), 0);
    all.truncate(count);
    all.reverse();
    all
}

fn at_least(a: &[u32], b: &[u32]) -> bool {
    let width = a.len().max(b.len());
    let word = |words: &[u32], at: usize| words.get(at).copied().unwrap_or(0);
    (0..width).rev().map(|at| (word(a, at), word(b, at))).find(|(a, b)| a != b).is_none_or(|(a, b)| a > b)
}

fn subtract(a: &mut [u32], b: &[u32]) {
    let mut borrow = false;
    for (at, word) in a.iter_mut().enumerate() {
        let (first, one) = word.overflowing_sub(b.get(at).copied().unwrap_or(0));
        let (second, two) = first.overflowing_sub(u32::from(borrow));
        (*word, borrow) = (second, one || two);
    }
}

/// Twice `a`, and `b` added, modulo `modulus`.
fn double_and_add(a: &mut Vec<u32>, b: Option<&[u32]>, modulus: &[u32]) {
    for addend in [Some(a.clone()), b.map(<[u32]>::to_vec)].into_iter().flatten() {
        let mut carry = 0_u64;
        a.resize(modulus.len() + 1, 0);
        for (at, word) in a.iter_mut().enumerate() {
            carry += u64::from(*word) + u64::from(addend.get(at).copied().unwrap_or(0));
            *word = u32::try_from(carry & 0xffff_ffff).expect("32 bits");
            carry >>= 32;
        }
        if at_least(a, modulus) {
            subtract(a, modulus);
        }
    }
}

fn multiply(a: &[u32], b: &[u32], modulus: &[u32]) -> Vec<u32> {
    let mut product = Vec::new();
    for bit in (0..b.len() * 32).rev() {
        let set = b[bit / 32] >> (bit % 32) & 1 == 1;
        double_and_add(&mut product, set.then_some(a), modulus);
    }
    product
}

fn power(base: &[u32], exponent: u32, modulus: &[u32]) -> Vec<u32> {
    let mut result = vec![1];
    for bit in (0..32 - exponent.leading_zeros()).rev() {
        result = multiply(&result.clone(), &result, modulus);
        if exponent >> bit & 1 == 1 {
            result = multiply(&result, base, modulus);
        }
    }
    result
}

#[test]
fn arithmetic() {
    let modulus = integer(&[0x01, 0x00, 0x00, 0x00, 0x0f]);
    // 3^20 = 3486784401, and 3^40 modulo 2^32 + 15.
    assert_eq!(bytes(&power(&[3], 20, &modulus), 5), 3_486_784_401_u64.to_be_bytes()[3..]);
    let expected = u128::from(3_u32).pow(40) % ((1 << 32) + 15);
    assert_eq!(bytes(&power(&[3], 40, &modulus), 5), expected.to_be_bytes()[11..]);
}
