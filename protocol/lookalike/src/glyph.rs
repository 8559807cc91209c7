//! Characters, and sequences of them, that look like a letter: its forms with marks, strokes and hooks, and what ASCII has that is alike.
//!
//! In: a label. Out: every label that has one look-alike more. Written from the Unicode charts (Latin-1 to Latin Extended-D: letters that
//! are named “LATIN SMALL LETTER X WITH …” or “LATIN LETTER SMALL CAPITAL X”) and from what typefaces make of ASCII.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A letter and its forms that may stand in names. One mark each: more are seen at once.
const FORMS: [(char, &str); 28] = [
    ('a', "àáâãäåāăąǎȁȃȧɑəᴀᶏḁạảⱥ"),
    ('b', "ƀƃƅɓʙᵬᶀḃḅḇ"),
    ('c', "çćĉċčƈȼɕᴄ"),
    ('d', "ďđƌȡɖɗᴅᵭᶁᶑḋḍḏḑḓ"),
    ('e', "èéêëēĕėęěȅȇȩɇᴇᶒḙḛẹẻẽⱸ"),
    ('f', "ƒᵮᶂḟ"),
    ('g', "ĝğġģǥǧǵɠɡɢᶃḡ"),
    ('h', "ĥħȟɦʜḣḥḧḩḫẖⱨ"),
    ('i', "ìíîïĩīĭįıǐȉȋɨɩɪᶖḭỉị"),
    ('j', "ĵǰȷɉʝᴊ"),
    ('k', "ķĸƙǩᴋᶄḱḳḵⱪ"),
    ('l', "ĺļľłƚȴɫɬɭʟᶅḷḻḽⱡ"),
    ('m', "ɱᴍᵯᶆḿṁṃ"),
    ('n', "ñńņňŋƞǹȵɲɳɴᵰᶇṅṇṉṋꞑ"),
    ('o', "òóôõöøōŏőơǒǫȍȏȯᴏọỏⱺ"),
    ('p', "ƥƿᴘᵱᵽᶈṕṗ"),
    ('q', "ɋʠ"),
    ('r', "ŕŗřȑȓɍɼɽɾʀᵲᵳᶉṙṛṟ"),
    ('s', "śŝşšșȿʂᵴᶊṡṣꜱ"),
    ('t', "ţťŧƫƭțȶʈᴛᵵṫṭṯṱẗⱦ"),
    ('u', "ùúûüũūŭůűųưǔȕȗʉᴜᶙṳṵṷụủ"),
    ('v', "ʋᴠᶌṽṿⱱⱴ"),
    ('w', "ŵᴡẁẃẅẇẉẘⱳ"),
    ('x', "ᶍẋẍ"),
    ('y', "ýÿŷƴȳɏʏẏẙỳỵỷỹỿ"),
    ('z', "źżžƶȥɀʐʑᴢᵶᶎẑẓẕⱬ"),
    ('2', "ƻ"),
    ('3', "ʒ"),
];

/// What looks alike in ASCII, and how much it differs in hundredths of a wrong letter. Each goes both ways.
const ALIKE: [(&str, &str, u16); 37] = [
    ("0", "o", 5),
    ("1", "l", 5),
    ("i", "l", 10),
    ("1", "i", 10),
    ("m", "rn", 10),
    ("w", "vv", 10),
    ("d", "cl", 15),
    ("g", "q", 20),
    ("m", "nn", 25),
    ("u", "v", 25),
    ("c", "e", 30),
    ("5", "s", 20),
    ("2", "z", 25),
    ("8", "b", 30),
    ("6", "b", 35),
    ("9", "g", 30),
    ("3", "e", 40),
    ("4", "a", 40),
    ("7", "t", 45),
    ("3", "8", 40),
    ("6", "9", 45),
    ("b", "d", 45),
    ("b", "lb", 35),
    ("d", "dl", 35),
    ("h", "lh", 35),
    ("k", "lc", 40),
    ("k", "ic", 40),
    ("b", "lo", 50),
    ("m", "n", 40),
    ("m", "rr", 40),
    ("n", "r", 45),
    ("ii", "u", 50),
    ("h", "n", 55),
    ("v", "y", 55),
    ("f", "t", 60),
    ("w", "uu", 35),
    ("i", "j", 45),
];

/// The pairs that a generator uses: two that only a hasty reader takes for each other would make too many names of no use.
const GENERATED_AT_MOST: u16 = 50;

/// The ASCII letter that each form belongs to.
static LETTERS: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    FORMS.into_iter().flat_map(|(letter, forms)| forms.chars().map(move |form| (form, letter))).collect()
});

/// The letter that a character is a form of; itself if it is of none.
pub(crate) fn letter(c: char) -> char {
    if c.is_ascii() { c } else { LETTERS.get(&c).copied().unwrap_or(c) }
}

/// What looks alike in ASCII, with its difference.
pub(crate) fn alike() -> impl Iterator<Item = (&'static str, &'static str, u16)> {
    ALIKE.into_iter().flat_map(|(one, other, cost)| [(one, other, cost), (other, one, cost)])
}

/// What each sequence may become.
static STEPS: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |from: &str, to: String| match steps.iter_mut().find(|(known, _)| known == from) {
        Some((_, all)) => all.push(to),
        None => steps.push((from.to_owned(), vec![to])),
    };
    for (from, to, cost) in alike().filter(|(.., cost)| *cost <= GENERATED_AT_MOST) {
        add(from, to.to_owned());
        // A doubled letter is replaced as one: `g00gle`.
        if from.len() == 1 && to.len() == 1 && cost <= GENERATED_AT_MOST {
            add(&from.repeat(2), to.repeat(2));
        }
    }
    for (letter, forms) in FORMS {
        for form in forms.chars() {
            add(&letter.to_string(), form.to_string());
            add(&letter.to_string().repeat(2), form.to_string().repeat(2));
        }
    }
    steps
});

/// Calls `visit` with every label that has one look-alike more than this one.
pub(crate) fn each_step(label: &str, mut visit: impl FnMut(String)) {
    for (at, _) in label.char_indices() {
        let (head, rest) = label.split_at(at);
        for (from, all) in &*STEPS {
            if let Some(tail) = rest.strip_prefix(from.as_str()) {
                for to in all {
                    visit(format!("{head}{to}{tail}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FORMS, each_step, letter};

    #[test]
    fn every_form_may_stand_in_a_name_and_is_of_one_letter() {
        let mut seen = BTreeSet::new();
        for (base, forms) in FORMS {
            for form in forms.chars() {
                let name = format!("{form}.com");
                let back = idna::domain_to_ascii_strict(&name).map(|ascii| idna::domain_to_unicode(&ascii).0);
                assert_eq!(back.ok().as_deref(), Some(name.as_str()), "{base} {form}");
                assert!(seen.insert(form), "{form} twice");
                assert_eq!(letter(form), base);
            }
        }
        assert_eq!(letter('q'), 'q');
        assert_eq!(letter('щ'), 'щ');
    }

    #[test]
    fn a_step_changes_one_place() {
        let mut steps = BTreeSet::new();
        each_step("google", |label| {
            steps.insert(label);
        });
        for (label, why) in [
            ("g0ogle", "one of two"),
            ("g00gle", "both of a doubled letter"),
            ("qoogle", "alike in ASCII"),
            ("googie", "the same"),
            ("göogle", "a form with a mark"),
        ] {
            assert!(steps.contains(label), "{label}: {why}");
        }
        for (label, why) in [("g00g1e", "two places"), ("google", "none")] {
            assert!(!steps.contains(label), "{label}: {why}");
        }
    }
}
