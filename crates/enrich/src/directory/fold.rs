//! Names and local parts as plain lower-case words, so that `Jörg Müller`, `joerg.mueller` and `Muller, J` meet.
//!
//! In: text in any alphabet. Out: words of letters and digits. Latin letters lose their marks, in two ways where people do it in two ways
//! (`mueller`, `muller`); other alphabets stay as they are.

/// Latin letters with marks, and what is written instead. Those that are written with two letters in some countries come with both.
const LETTERS: [(&str, &str, &str); 30] = [
    ("àáâãāăąǎ", "a", "a"),
    ("äæ", "a", "ae"),
    ("å", "a", "aa"),
    ("çćĉċč", "c", "c"),
    ("ďđð", "d", "d"),
    ("èéêëēĕėęě", "e", "e"),
    ("ĝğġģ", "g", "g"),
    ("ĥħ", "h", "h"),
    ("ìíîïĩīĭįı", "i", "i"),
    ("ĵ", "j", "j"),
    ("ķ", "k", "k"),
    ("ĺļľŀł", "l", "l"),
    ("ñńņňŋ", "n", "n"),
    ("òóôõōŏő", "o", "o"),
    ("öøœ", "o", "oe"),
    ("ŕŗř", "r", "r"),
    ("śŝşšș", "s", "s"),
    ("ß", "ss", "ss"),
    ("ţťŧț", "t", "t"),
    ("þ", "th", "th"),
    ("ùúûũūŭůűų", "u", "u"),
    ("ü", "u", "ue"),
    ("ŵ", "w", "w"),
    ("ýÿŷ", "y", "y"),
    ("źżž", "z", "z"),
    ("ά", "α", "α"),
    ("έ", "ε", "ε"),
    ("ή", "η", "η"),
    ("ίϊ", "ι", "ι"),
    ("ё", "е", "е"),
];

/// The words of a text, each in the ways that it is written without marks: one way or two.
pub(super) fn words(text: &str) -> Vec<Vec<String>> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !(c.is_alphanumeric() || is_mark(c) || c == '\'' || c == '’'));
    let both = |word: &str| {
        let (plain, long) = (fold(word, false), fold(word, true));
        if plain == long { vec![plain] } else { vec![plain, long] }
    };
    parts.map(both).filter(|word| !word[0].is_empty()).collect()
}

/// Letters and digits of a text, run together.
pub(super) fn compact(text: &str) -> String {
    fold(&text.to_lowercase(), false)
}

/// Whether a character is a mark that is put on the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn fold(lower: &str, long: bool) -> String {
    let mut out = String::with_capacity(lower.len());
    for c in lower.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if c == '\u{308}' && long && out.ends_with(['a', 'o', 'u']) {
            out.push('e');
        } else if c.is_alphanumeric() && !is_mark(c) {
            match LETTERS.iter().find(|(letters, _, _)| letters.contains(c)) {
                Some((_, plain, two)) => out.push_str(if long { two } else { plain }),
                None => out.push(c),
            }
        }
    }
    out
}

/// Which letters a word has, one bit each: words that differ in `n` letters differ in at most `2·n` bits.
pub(super) fn letters(word: &str) -> u32 {
    word.chars().fold(0, |mask, c| {
        mask | match c {
            'a'..='z' => 1 << (u32::from(c) - u32::from('a')),
            '0'..='9' => 1 << (26 + (u32::from(c) - u32::from('0')) % 3),
            _ => 1 << (29 + u32::from(c) % 3),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_plain_words() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("Ada Lovelace", &[&["ada"], &["lovelace"]]),
            ("Jörg Müller", &[&["jorg", "joerg"], &["muller", "mueller"]]),
            ("Jo\u{308}rg", &[&["jorg", "joerg"]]),
            ("O'Brien", &[&["obrien"]]),
            ("Søren Ångström", &[&["soren", "soeren"], &["angstrom", "aangstroem"]]),
            ("Łukasz Żak", &[&["lukasz"], &["zak"]]),
            ("Straße", &[&["strasse"]]),
            ("IT-Service_Desk.2", &[&["it"], &["service"], &["desk"], &["2"]]),
            ("Иван Ёлкин", &[&["иван"], &["елкин"]]),
            ("山田 太郎", &[&["山田"], &["太郎"]]),
            ("", &[]),
            ("-- \u{0} --", &[]),
        ];
        for (text, expected) in cases {
            let found = words(text);
            let found: Vec<Vec<&str>> = found.iter().map(|word| word.iter().map(String::as_str).collect()).collect();
            assert_eq!(found, *expected, "{text}");
        }
        assert_eq!(compact("j.m-müller_2"), "jmmuller2");
    }

    #[test]
    fn few_letters_few_bits() {
        let differ = |a: &str, b: &str| (letters(a) ^ letters(b)).count_ones();
        assert_eq!(differ("smith", "smiht"), 0);
        assert!(differ("smith", "smyth") <= 2 && differ("smith", "smiths") <= 2);
        assert!(differ("smith", "jones") > 4);
    }
}
