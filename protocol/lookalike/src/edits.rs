//! Labels that are a slip of the finger, of memory, or of the tongue away from one; and those with a word more.
//!
//! In: a label. Out: each label of a family, through `visit`. What is no label that can be registered is left out by the caller.

use crate::family::Family;
use crate::keyboard::neighbours;

/// What a label can end with.
const KEYS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const VOWELS: &str = "aeiou";

/// Calls `visit` with every label of the families that change, add or leave out a character.
pub(crate) fn each_edit(label: &str, visit: &mut impl FnMut(Family, String)) {
    let chars: Vec<char> = label.chars().collect();
    let put = |at: usize, drop: usize, text: &str| {
        let (head, tail) = (&chars[..at], &chars[at + drop..]);
        head.iter().copied().chain(text.chars()).chain(tail.iter().copied()).collect::<String>()
    };
    let one = |c: char| c.to_string();
    for (at, &c) in chars.iter().enumerate() {
        visit(Family::Omission, put(at, 1, ""));
        visit(Family::Repetition, put(at, 0, &one(c)));
        if let Some(&next) = chars.get(at + 1) {
            visit(Family::Transposition, put(at, 2, &format!("{next}{c}")));
        }
        for key in flipped(c) {
            visit(Family::Bitsquatting, put(at, 1, &one(key)));
        }
        for key in neighbours(c) {
            visit(Family::Replacement, put(at, 1, &one(key)));
            visit(Family::Insertion, put(at, 0, &one(key)));
            visit(Family::Insertion, put(at + 1, 0, &one(key)));
        }
        for vowel in VOWELS.chars().filter(|vowel| VOWELS.contains(c) && *vowel != c) {
            visit(Family::VowelSwap, put(at, 1, &one(vowel)));
        }
        if at > 0 {
            visit(Family::Hyphenation, put(at, 0, "-"));
        }
        if c == '-' {
            visit(Family::Hyphenation, put(at, 1, ""));
        }
        let ends = chars.get(at + 1).is_none_or(|next| *next == '-');
        visit(Family::Plural, put(at + 1, 0, if "sxz".contains(c) { "es" } else { "s" }));
        if "sxz".contains(c) {
            visit(Family::Plural, put(at + 1, 0, "s"));
        }
        if ends {
            for key in KEYS.chars() {
                visit(Family::Addition, put(at + 1, 0, &one(key)));
            }
        }
    }
}

/// Letters and digits, and the hyphen, that differ in one bit.
fn flipped(c: char) -> impl Iterator<Item = char> {
    let byte = u8::try_from(c).ok().filter(u8::is_ascii);
    let flips = (0..7).filter_map(move |bit| byte.map(|byte| char::from(byte ^ (1 << bit))));
    flips.filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
}

/// Calls `visit` with every label that has a word beside it, or instead of one of its parts.
pub(crate) fn each_with_word(label: &str, word: &str, visit: &mut impl FnMut(String)) {
    visit(format!("{word}{label}"));
    visit(format!("{word}-{label}"));
    visit(format!("{label}{word}"));
    visit(format!("{label}-{word}"));
    let parts: Vec<&str> = label.split('-').collect();
    if parts.len() > 1 {
        for at in 0..parts.len() {
            let mut changed = parts.clone();
            changed[at] = word;
            visit(changed.join("-"));
        }
    }
}

/// Calls `visit` with every name that has the suffix, or `www`, within the label, or less of the suffix.
pub(crate) fn each_joined(label: &str, suffix: &str, visit: &mut impl FnMut(String)) {
    visit(format!("www{label}.{suffix}"));
    visit(format!("www-{label}.{suffix}"));
    let joined = suffix.replace('.', "");
    visit(format!("{label}{joined}.{suffix}"));
    visit(format!("{label}-{joined}.{suffix}"));
    if suffix != "com" {
        visit(format!("{label}{joined}.com"));
        visit(format!("{label}-{joined}.com"));
    }
    if let Some((first, last)) = suffix.split_once('.') {
        visit(format!("{label}.{last}"));
        visit(format!("{label}{first}.{last}"));
        visit(format!("{label}-{first}.{last}"));
    }
}
