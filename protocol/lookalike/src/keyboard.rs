//! Keys beside each other, on the layouts that most people type on: QWERTY, QWERTZ and AZERTY.

/// The rows of each layout, from the digits down; each row stands half a key to the right of the one above it.
const LAYOUTS: [[&str; 4]; 3] = [
    ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"],
    ["1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"],
    ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"],
];

/// The keys beside one, on any layout, in order and each once.
pub(crate) fn neighbours(key: char) -> Vec<char> {
    let mut found = Vec::new();
    for layout in LAYOUTS {
        for (at, row) in layout.into_iter().enumerate() {
            let Some(column) = row.chars().position(|c| c == key) else { continue };
            let near = |row: usize, column: Option<usize>| layout.get(row)?.chars().nth(column?);
            let above = at.checked_sub(1);
            found.extend(
                [
                    near(at, column.checked_sub(1)),
                    near(at, Some(column + 1)),
                    above.and_then(|row| near(row, Some(column))),
                    above.and_then(|row| near(row, Some(column + 1))),
                    near(at + 1, column.checked_sub(1)),
                    near(at + 1, Some(column)),
                ]
                .into_iter()
                .flatten(),
            );
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether two keys are beside each other on some layout.
pub(crate) fn are_neighbours(one: char, other: char) -> bool {
    one.is_ascii() && other.is_ascii() && neighbours(one).contains(&other)
}

#[cfg(test)]
mod tests {
    use super::neighbours;

    #[test]
    fn keys_have_those_around_them_on_every_layout() {
        for (key, expected, why) in [
            ('g', "bfhtvyz", "six around it, and z where QWERTZ has it"),
            ('a', "12qswyz", "under the digits on AZERTY"),
            ('p', "0lmo", "at the edge; m is below it on AZERTY"),
            ('0', "9op", "digits have letters below them"),
            ('-', "", "no key that is typed by mistake for a letter"),
        ] {
            assert_eq!(neighbours(key).into_iter().collect::<String>(), expected, "{key}: {why}");
        }
    }

    #[test]
    fn to_be_beside_is_mutual() {
        for key in ('a'..='z').chain('0'..='9') {
            for other in neighbours(key) {
                assert!(neighbours(other).contains(&key), "{key} {other}");
            }
        }
    }
}
