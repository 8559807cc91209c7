//! Text from reports as it is shown: isolated, cut, and with nothing hidden in it.
//!
//! In: any text a stranger wrote. Out: markup. HTML is escaped by the template engine; what is done here is what escaping does
//! not do: direction is isolated (`<bdi>`), characters without a glyph are named, and a long text is cut with the rest in `title`.

use std::borrow::Cow;

use maud::{Markup, html};

/// Characters shown of a name in a table. A domain has at most 253; what is longer than this is cut with its title.
const SHOWN: usize = 120;
/// Characters of a text that a `title` holds.
const TITLE: usize = 600;

/// A name, domain or other short text from a report.
pub(crate) fn text(value: &str) -> Markup {
    cut(value, SHOWN)
}

/// The same in the fixed-width font: addresses, records, DNS names that are data.
pub(crate) fn code(value: &str) -> Markup {
    html! { code { (text(value)) } }
}

/// A text of at most `shown` characters, and its beginning if it is longer.
pub(crate) fn cut(value: &str, shown: usize) -> Markup {
    let (head, rest) = match value.char_indices().nth(shown) {
        Some((at, _)) => value.split_at(at),
        None => (value, ""),
    };
    html! {
        @if rest.is_empty() { bdi { (visible(head)) } }
        @else { bdi title=(plain(value)) { (visible(head)) "…" } }
    }
}

/// A sentence of ours in which code stands in backquotes.
pub(crate) fn sentence(words: &str) -> Markup {
    html! { @for (index, part) in words.split('`').enumerate() { @if index % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A name that the column may cut with an ellipsis: always with a title.
pub(crate) fn clip(value: &str) -> Markup {
    html! { bdi.clip title=(plain(value)) { (visible(&first(value, SHOWN))) } }
}

/// Text for an attribute, where there is no markup: hidden characters as `⟨U+202E⟩`.
pub(crate) fn plain(value: &str) -> String {
    let mut out = String::new();
    for (index, c) in value.chars().enumerate() {
        if index == TITLE {
            out.push('…');
            break;
        }
        match name(c) {
            Some(name) => {
                out.push('⟨');
                out.push_str(&name);
                out.push('⟩');
            }
            None => out.push(c),
        }
    }
    out
}

/// The text with each character that has no glyph shown by name.
pub(crate) fn visible(value: &str) -> Markup {
    if value.chars().all(|c| name(c).is_none()) {
        return html! { (value) };
    }
    html! {
        @for c in value.chars() {
            @match name(c) {
                Some(name) => span.ctl title="a character that cannot be seen" { (name) },
                None => (c),
            }
        }
    }
}

fn first(value: &str, shown: usize) -> Cow<'_, str> {
    match value.char_indices().nth(shown) {
        Some((at, _)) => Cow::Owned(format!("{}…", &value[..at])),
        None => Cow::Borrowed(value),
    }
}

/// What to call a character that does not show: controls, direction marks, zero-width and other invisible ones.
fn name(c: char) -> Option<String> {
    message::is_unseen(c).then(|| format!("U+{:04X}", u32::from(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden_and_nothing_is_markup() {
        let cases = [
            ("plain", "contoso.example", "<bdi>contoso.example</bdi>"),
            ("markup", "<b>\"&", "<bdi>&lt;b&gt;&quot;&amp;</bdi>"),
            (
                "direction override",
                "a\u{202e}b",
                "<bdi>a<span class=\"ctl\" title=\"a character that cannot be seen\">U+202E</span>b</bdi>",
            ),
            ("nul", "\0", "<bdi><span class=\"ctl\" title=\"a character that cannot be seen\">U+0000</span></bdi>"),
            ("letters of any script stay", "müller-東京", "<bdi>müller-東京</bdi>"),
        ];
        for (why, value, expected) in cases {
            assert_eq!(text(value).into_string(), expected, "{why}");
        }
    }

    #[test]
    fn long_texts_are_cut_with_a_bounded_title() {
        let shown = text(&"ü".repeat(10_000)).into_string();
        assert_eq!(shown.matches('ü').count(), SHOWN + TITLE);
        assert_eq!(plain("a\u{200b}\"b"), "a⟨U+200B⟩\"b");
    }
}
