//! Strangers' text made fit to be kept and shown: no control characters, no endless length.

/// The text without what is not seen or turns the line around: control and format characters become spaces.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if message::is_unseen(c) { ' ' } else { c }).collect()
}

/// At most so many characters; what is cut ends with `…`.
pub(crate) fn shorten(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_owned();
    }
    text.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_to_be_shown() {
        assert_eq!(printable("a\u{0}b\u{202e}c\nd"), "a b c d");
        assert_eq!(printable("Müller, 山"), "Müller, 山");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("äbcd", 3), "äb…");
    }
}
