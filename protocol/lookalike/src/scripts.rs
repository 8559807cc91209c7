//! Labels with letters of other scripts that look the same: one or two in a Latin label, or the whole label (UTS 39 §4).

use crate::family::Family;
use crate::skeleton::{Script, confusables};

/// Labels of one script: where a letter has several confusables, no more than so many labels are made.
const WHOLE_MAX: usize = 64;

/// Cyrillic letters that are read as the Latin ones where no letter looks the same: small, they differ in a stroke.
const READ_AS: [(char, char); 6] = [('b', 'ь'), ('k', 'к'), ('m', 'м'), ('n', 'п'), ('r', 'г'), ('t', 'т')];

/// Calls `visit` with every label of the families of scripts.
pub(crate) fn each_script(label: &str, visit: &mut impl FnMut(Family, String)) {
    let chars: Vec<char> = label.chars().collect();
    let looks: Vec<Vec<char>> = chars.iter().map(|c| if *c == '-' { Vec::new() } else { confusables(*c) }).collect();
    for (at, looks) in looks.iter().enumerate() {
        for look in looks {
            let changed = |(i, c): (usize, &char)| if i == at { *look } else { *c };
            let label: String = chars.iter().enumerate().map(changed).collect();
            let mixed = Script::mixed(&label);
            visit(if mixed { Family::MixedScript } else { Family::SameSkeleton }, label.clone());
            // All that are the same letter, as people would do it.
            let all: String = chars.iter().map(|c| if *c == chars[at] { *look } else { *c }).collect();
            if all != label {
                visit(if mixed { Family::MixedScript } else { Family::SameSkeleton }, all);
            }
        }
    }
    for script in Script::OTHERS {
        for whole in wholes(&chars, &looks, script) {
            visit(Family::WholeScript, whole);
        }
    }
    let mut read = looks;
    for (c, looks) in chars.iter().zip(&mut read) {
        if !looks.iter().any(|look| Script::of(*look) == Some(Script::Cyrillic)) {
            looks.extend(READ_AS.iter().filter(|(latin, _)| latin == c).map(|(_, look)| *look));
        }
    }
    for whole in wholes(&chars, &read, Script::Cyrillic) {
        visit(Family::Cyrillic, whole);
    }
}

/// The label in one script. Digits and hyphens stay.
fn wholes(chars: &[char], looks: &[Vec<char>], script: Script) -> Vec<String> {
    let mut labels = vec![String::new()];
    for (c, looks) in chars.iter().zip(looks) {
        let mut of_script: Vec<char> = looks.iter().copied().filter(|look| Script::of(*look) == Some(script)).collect();
        if matches!(Script::of(*c), Some(Script::Common)) {
            of_script.push(*c);
        }
        let longer = labels.iter().flat_map(|label| of_script.iter().map(move |look| format!("{label}{look}")));
        labels = longer.take(WHOLE_MAX).collect();
    }
    labels.retain(|label| Script::whole(label) == Some(script));
    labels
}
