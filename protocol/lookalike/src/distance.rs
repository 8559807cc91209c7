//! How far two names are apart for the eye and the fingers, in hundredths of a wrong letter; and from that, how alike they are.
//!
//! In: the name of ours and another, in Unicode. Out: a cost, and a similarity up to [`SIMILARITY_MAX`]. An edit distance whose costs say
//! how soon a reader sees the difference: nothing at all for what has the same skeleton, much for another letter.

use std::sync::LazyLock;

use crate::glyph::{alike, letter};
use crate::keyboard::are_neighbours;
use crate::skeleton::skeleton;

/// The similarity of two names that cannot be told apart.
pub const SIMILARITY_MAX: u8 = 40;

/// Another letter.
const WRONG: u16 = 100;
/// The key beside it, or a vowel for a vowel: words are still read as meant.
const NEAR: u16 = 80;
/// Exchanged neighbours: read over by nearly everybody.
const EXCHANGED: u16 = 45;
/// A letter once more, or once less.
const REPEATED: u16 = 40;
/// A hyphen or a dot.
const PUNCTUATION: u16 = 35;
/// A mark on a letter.
const MARK: u16 = 15;
/// The same skeleton, and other characters.
const SAME_LOOK: u16 = 1;
/// People look at the beginning of a name first.
const FIRST: u16 = 20;
/// An `s` more at the end.
const PLURAL: u16 = 50;

/// Our whole name within another: read as ours by whoever stops at the end of it.
pub(crate) const INSIDE: u16 = 10;

/// A character with all that costs depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Glyph {
    c: char,
    /// The ASCII letter that it is a form of.
    letter: char,
    /// What it looks like, if that is one character.
    look: char,
}

fn glyphs(text: &str) -> Vec<Glyph> {
    let look = |c: char| {
        let skeleton = skeleton(c.encode_utf8(&mut [0; 4]));
        let mut chars = skeleton.chars();
        chars.next().filter(|_| chars.next().is_none()).unwrap_or(c)
    };
    text.chars().map(|c| Glyph { c, letter: letter(c), look: look(c) }).collect()
}

/// Costs of one ASCII letter for another.
static LETTERS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut costs = vec![WRONG; 128 * 128];
    let keys = || ('a'..='z').chain('0'..='9');
    let vowel = |c| "aeiou".contains(c);
    for (one, other) in keys().flat_map(|one| keys().map(move |other| (one, other))) {
        if are_neighbours(one, other) || (vowel(one) && vowel(other)) {
            costs[pair(one, other)] = NEAR;
        }
    }
    for (one, other, cost) in alike() {
        if let ([one], [other]) = (one.as_bytes(), other.as_bytes()) {
            costs[pair(char::from(*one), char::from(*other))] = cost;
        }
    }
    costs
});

fn pair(one: char, other: char) -> usize {
    (one as usize) * 128 + other as usize
}

fn replaced(ours: Glyph, theirs: Glyph) -> u16 {
    if ours.c == theirs.c {
        return 0;
    }
    if ours.look == theirs.look {
        return SAME_LOOK;
    }
    let marks = if ours.letter == ours.c && theirs.letter == theirs.c { 0 } else { MARK };
    let (one, other) = (plain(ours), plain(theirs));
    if one == other {
        return MARK;
    }
    if one.is_ascii() && other.is_ascii() { (LETTERS[pair(one, other)] + marks).min(WRONG) } else { WRONG }
}

/// The ASCII letter behind a glyph: that it is a form of, or that it looks like.
const fn plain(glyph: Glyph) -> char {
    if glyph.letter.is_ascii() { glyph.letter } else { glyph.look }
}

/// What two ASCII letters together stand for, and at what cost.
static SEQUENCES: LazyLock<Vec<Vec<(char, u16)>>> = LazyLock::new(|| {
    let mut found = vec![Vec::new(); 128 * 128];
    for (one, two, cost) in alike() {
        if let ([one], [first, second]) = (one.as_bytes(), two.as_bytes()) {
            found[pair(char::from(*first), char::from(*second))].push((char::from(*one), cost));
        }
    }
    found
});

/// One letter for two.
fn sequence(one: Glyph, first: Glyph, second: Glyph) -> Option<u16> {
    let (a, b) = (plain(first), plain(second));
    let known = SEQUENCES.get(pair(a, b)).filter(|_| a.is_ascii() && b.is_ascii())?;
    let (_, cost) = known.iter().find(|(letter, _)| *letter == plain(one))?;
    let marks = [one, first, second].iter().filter(|glyph| !glyph.c.is_ascii()).count();
    Some(cost + MARK * u16::try_from(marks).unwrap_or(0))
}

/// A character more, at `at` of its text.
fn extra(text: &[Glyph], at: usize) -> u16 {
    let here = text[at];
    let beside = |other: Option<usize>| other.and_then(|at| text.get(at)).is_some_and(|other| other.look == here.look);
    match here.c {
        '-' | '.' => PUNCTUATION,
        _ if beside(at.checked_sub(1)) || beside(Some(at + 1)) => REPEATED,
        's' if at + 1 == text.len() => PLURAL,
        _ => WRONG,
    }
}

/// How far `theirs` is from `ours`, in hundredths of a wrong letter; nothing when it is more than `most`.
pub(crate) fn cost(ours: &str, theirs: &str, most: u16) -> Option<u16> {
    let (ours, theirs) = (glyphs(ours), glyphs(theirs));
    let (n, m) = (ours.len(), theirs.len());
    // Two may stand for one; a surplus beyond that costs at least a hyphen each.
    if n.abs_diff(m) * usize::from(PUNCTUATION.min(REPEATED).min(10)) > usize::from(most) {
        return None;
    }
    let width = m + 1;
    let mut table = vec![u16::MAX; (n + 1) * width];
    for i in 0..=n {
        let mut least = u16::MAX;
        for j in 0..=m {
            let from = |back_i: usize, back_j: usize, cost: u16| {
                let first = if i == back_i && cost > MARK { FIRST } else { 0 };
                table[(i - back_i) * width + j - back_j].saturating_add(cost).saturating_add(first)
            };
            let mut best = if i == 0 && j == 0 { 0 } else { u16::MAX };
            if i > 0 && j > 0 {
                best = best.min(from(1, 1, replaced(ours[i - 1], theirs[j - 1])));
            }
            if i > 0 {
                best = best.min(from(1, 0, extra(&ours, i - 1)));
            }
            if j > 0 {
                best = best.min(from(0, 1, extra(&theirs, j - 1)));
            }
            if i > 1 && j > 1 && ours[i - 1].c == theirs[j - 2].c && ours[i - 2].c == theirs[j - 1].c {
                best = best.min(from(2, 2, EXCHANGED));
            }
            if i > 0
                && j > 1
                && let Some(cost) = sequence(ours[i - 1], theirs[j - 2], theirs[j - 1])
            {
                best = best.min(from(1, 2, cost));
            }
            if i > 1
                && j > 0
                && let Some(cost) = sequence(theirs[j - 1], ours[i - 2], ours[i - 1])
            {
                best = best.min(from(2, 1, cost));
            }
            table[i * width + j] = best;
            least = least.min(best);
        }
        // An exchange reaches two rows back, so that one row alone does not end it; what it saves is less than this.
        if least > most.saturating_add(2 * WRONG) {
            return None;
        }
    }
    Some(table[n * width + m]).filter(|cost| *cost <= most)
}

/// From a cost, how alike two names are: the longer a name, the less one letter is seen.
pub(crate) fn similarity(cost: u16, length: usize) -> u8 {
    let room = u32::try_from(length.clamp(5, 24)).unwrap_or(24) * 50;
    let left = room.saturating_sub(u32::from(cost)) * u32::from(SIMILARITY_MAX) / room;
    u8::try_from(left).unwrap_or(SIMILARITY_MAX)
}

#[cfg(test)]
mod tests {
    use super::{cost, similarity};

    #[test]
    fn what_is_seen_late_costs_little() {
        // Each line is further away than the one before it.
        let steps = [
            "paypal",
            "paypa1",
            "pаypa1",
            "раураӏ",
            "pàypal",
            "pay-pal",
            "paypaal",
            "payapl",
            "paypel",
            "paypxl",
            "xaypal",
        ];
        let mut before = 0;
        for (at, name) in steps.into_iter().enumerate() {
            let cost = cost("paypal", name, 500).expect(name);
            assert!(at == 0 || cost >= before, "{name} costs {cost}, and the one before it {before}");
            before = cost;
        }
        assert_eq!(cost("paypal", "xaypal", 500), Some(120), "the first letter is looked at");
    }

    #[test]
    fn two_letters_stand_for_one() {
        for (ours, theirs, most) in
            [("microsoft", "rnicrosoft", 30), ("wood", "vvood", 30), ("barn", "bam", 10), ("cloud", "doud", 35)]
        {
            assert!(cost(ours, theirs, most).is_some(), "{ours} {theirs} {:?}", cost(ours, theirs, 999));
        }
    }

    #[test]
    fn what_is_far_is_left_early() {
        assert_eq!(cost("paypal", "amazon", 150), None);
        assert_eq!(cost("paypal", &"a".repeat(63), 150), None);
        assert_eq!(cost("", "", 0), Some(0));
        assert_eq!(cost("", "a", 500), Some(120));
    }

    #[test]
    fn a_letter_weighs_less_in_a_long_name() {
        assert_eq!(similarity(0, 6), 40);
        assert_eq!(similarity(100, 6), 26);
        assert!(similarity(100, 16) > 34);
        assert_eq!(similarity(u16::MAX, 63), 0);
    }
}
