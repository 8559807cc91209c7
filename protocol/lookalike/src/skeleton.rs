//! What a name looks like: its skeleton (UTS 39 §4), and the scripts that its letters are from.
//!
//! In: text as it stands in a name. Out: a text that is the same for what cannot be told apart. Names ignore case, so that capital letters in
//! a skeleton become small ones: `0` looks like `O`, and that is `o`. Characters whose skeleton has no ASCII letter stay as they are.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What each character looks like.
static TABLE: LazyLock<HashMap<char, String>> = LazyLock::new(|| table().collect());

fn table() -> impl Iterator<Item = (char, String)> {
    let lines = include_str!("skeletons.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut points = line.split(' ').map(|hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32));
        Some((points.next()??, points.collect::<Option<String>>()?))
    })
}

/// The skeleton of a text (UTS 39 §4), in small letters.
#[must_use]
pub fn skeleton(text: &str) -> String {
    let mut skeleton = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            '0' => skeleton.push('o'),
            '1' | 'I' | '|' => skeleton.push('l'),
            'm' | 'M' => skeleton.push_str("rn"),
            c if c.is_ascii() => skeleton.push(c.to_ascii_lowercase()),
            c => match TABLE.get(&c) {
                Some(looks) => looks.chars().for_each(|c| skeleton.push(c.to_ascii_lowercase())),
                None => skeleton.push(c),
            },
        }
    }
    skeleton
}

/// Characters of other scripts, and letters like none of our own, that look exactly like an ASCII letter or digit.
pub(crate) fn confusables(letter: char) -> Vec<char> {
    let mut looks = [0; 4];
    let skeleton = skeleton(letter.encode_utf8(&mut looks));
    let mut found: Vec<char> = TABLE
        .iter()
        .filter(|(_, looks)| looks.eq_ignore_ascii_case(&skeleton))
        .map(|(c, _)| *c)
        // Registries give names in these; the others are in UTS 39's lists of scripts that are not in use.
        .filter(|c| Script::of(*c).is_some_and(|script| script != Script::Common))
        .collect();
    found.sort_unstable();
    found
}

/// The scripts that names are registered in and that have letters like Latin ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    /// Digits and the hyphen, which go with all.
    Common,
    /// Latin.
    Latin,
    /// Greek.
    Greek,
    /// Cyrillic.
    Cyrillic,
    /// Armenian.
    Armenian,
    /// Hebrew.
    Hebrew,
    /// Georgian.
    Georgian,
}

impl Script {
    /// Those that are not Latin.
    pub(crate) const OTHERS: [Self; 5] = [Self::Cyrillic, Self::Greek, Self::Armenian, Self::Georgian, Self::Hebrew];

    /// The script of a character, if it is one of these.
    #[must_use]
    pub const fn of(c: char) -> Option<Self> {
        Some(match c {
            '-' | '0'..='9' => Self::Common,
            'a'..='z'
            | '\u{df}'..='\u{f6}'
            | '\u{f8}'..='\u{2af}'
            | '\u{1d00}'..='\u{1d25}'
            | '\u{1d62}'..='\u{1dbf}'
            | '\u{1e00}'..='\u{1eff}'
            | '\u{2c60}'..='\u{2c7f}'
            | '\u{a720}'..='\u{a7ff}'
            | '\u{ab30}'..='\u{ab64}' => Self::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1d26}'..='\u{1d2a}' | '\u{1f00}'..='\u{1fff}' => Self::Greek,
            '\u{400}'..='\u{52f}' | '\u{a640}'..='\u{a69f}' => Self::Cyrillic,
            '\u{561}'..='\u{587}' => Self::Armenian,
            '\u{5d0}'..='\u{5ea}' => Self::Hebrew,
            '\u{10d0}'..='\u{10ff}' | '\u{2d00}'..='\u{2d2f}' => Self::Georgian,
            _ => return None,
        })
    }

    /// Whether the letters of a label are of more than one script. Characters of scripts that are none of these count as one.
    pub(crate) fn mixed(label: &str) -> bool {
        let mut scripts = label.chars().map(Self::of).filter(|script| *script != Some(Self::Common));
        let first = scripts.next();
        first.is_some_and(|first| scripts.any(|script| script != first))
    }

    /// The one script of all letters of a label, if it is one of these.
    pub(crate) fn whole(label: &str) -> Option<Self> {
        let mut scripts = label.chars().map(Self::of).filter(|script| *script != Some(Self::Common));
        let first = scripts.next()??;
        scripts.all(|script| script == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use unicode_security::confusable_detection::skeleton as uts_39;

    use super::{Script, confusables, skeleton, table};

    #[test]
    fn skeletons_are_those_of_uts_39() {
        let lines = include_str!("skeletons.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(table().count(), lines, "every line is read");
        for (c, looks) in table() {
            assert_eq!(looks, uts_39(&c.to_string()).collect::<String>(), "{c} {:04x}", u32::from(c));
        }
        for c in ('a'..='z').chain('0'..='9').chain(['-']) {
            let theirs = uts_39(&c.to_string()).collect::<String>().to_ascii_lowercase();
            assert_eq!(skeleton(&c.to_string()), theirs, "{c}");
        }
        eprintln!("{lines} skeletons");
    }

    #[test]
    fn every_character_may_stand_in_a_name() {
        let odd = |c: &char| {
            // Marks stand behind a letter; letters that are written from right to left not beside others.
            [format!("{c}.com"), format!("q{c}.com")].into_iter().all(|name| {
                idna::domain_to_ascii_strict(&name).map(|ascii| idna::domain_to_unicode(&ascii).0).ok() != Some(name)
            })
        };
        let odd: Vec<char> = table().map(|(c, _)| c).filter(odd).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }

    #[test]
    fn what_looks_the_same_has_one_skeleton() {
        for (one, other) in [
            ("paypal", "раураӏ"),
            ("paypal", "paypa1"),
            ("microsoft", "rnicrosoft"),
            ("google", "g00gle"),
            ("zoë", "zоё"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
        assert_ne!(skeleton("zoë"), skeleton("zoe"), "a mark is seen");
    }

    #[test]
    fn scripts_are_told_apart() {
        assert!(Script::mixed("pаypal"), "one Cyrillic letter");
        assert!(!Script::mixed("раураӏ-24"), "digits and hyphens go with all");
        assert_eq!(Script::whole("раураӏ"), Some(Script::Cyrillic));
        assert_eq!(Script::whole("paypal1"), Some(Script::Latin));
        assert_eq!(Script::whole("24"), None);
        assert!(confusables('a').contains(&'а') && confusables('o').contains(&'ο'), "Cyrillic and Greek");
    }
}
