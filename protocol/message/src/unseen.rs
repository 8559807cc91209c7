//! Characters that a person does not see, or that change what is seen around them.
//!
//! In: one character. Out: whether a name may hold it, and whether it may be shown as it is.

/// Whether a character leaves no mark on the screen or turns the order of its neighbours: Unicode's
/// `Default_Ignorable_Code_Point`, without the two joiners that some scripts need and IDNA judges by context.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a stranger's text may not be shown with this character as it is: what acts on a terminal or ends a line, leaves no mark, or
/// turns the order of its neighbours. The two joiners count too: two texts that look the same must not be two.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control() || is_invisible(c) || matches!(c, '\u{200c}'..='\u{200d}' | '\u{2028}'..='\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_and_what_is_not() {
        let cases = [
            ("letters of any script", "müller-東京-नमस्ते", false),
            ("a space, and one that does not break", " \u{a0}", false),
            ("commands of a terminal", "\u{1b}\u{7f}\u{9b}", true),
            ("ends of a line", "\r\n\u{85}\u{2028}\u{2029}", true),
            ("directions", "\u{200e}\u{202e}\u{2066}\u{61c}", true),
            ("no width", "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}", true),
            ("fillers and tags", "\u{3164}\u{115f}\u{e0041}\u{fe0f}", true),
        ];
        for (why, text, unseen) in cases {
            for c in text.chars() {
                assert_eq!(is_unseen(c), unseen, "{why}: {c:?}");
            }
        }
    }
}
