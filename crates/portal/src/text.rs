//! Text from reports as it is shown: isolated, cut, and with nothing hidden in it.
//!
//! In: any text a stranger wrote. Out: markup. HTML is escaped by the template engine; what is done here is what escaping does
//! not do: direction is isolated (`<bdi>`), characters without a glyph are named, and a long text is cut with the rest in `title`.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::figures;

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

/// A sentence of ours about a stranger's text: code in backquotes, days as pages write them, a per cent sign that stays with its
/// number, and everything else as [`cut`] has it.
pub(crate) fn told(value: &str, shown: usize) -> Markup {
    let (head, rest) = match value.char_indices().nth(shown) {
        Some((at, _)) => value.split_at(at),
        None => (value, ""),
    };
    let parts: Vec<&str> = head.split('`').collect();
    // A backquote without its fellow is the stranger's, or was cut off from it.
    let odd = parts.len().is_multiple_of(2);
    html! {
        bdi title=[(!rest.is_empty()).then(|| plain(value))] {
            @for (index, part) in parts.iter().enumerate() {
                @if odd && index + 1 == parts.len() { "`" (visible(&written(part))) }
                @else if index % 2 == 1 { code { (visible(part)) } }
                @else { (visible(&written(part))) }
            }
            @if !rest.is_empty() { "…" }
        }
    }
}

/// Days of the machine's form, where they stand as words of their own, as pages write them; and `%` with a space that does not break.
fn written(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for piece in words.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end().trim_matches(|c| matches!(c, ',' | ';' | ':' | '.' | '(' | ')'));
        match word.parse::<report::Day>() {
            Ok(day) if word.len() == 10 => out.push_str(&piece.replace(word, &figures::day_year(day))),
            _ => out.push_str(piece),
        }
    }
    out.replace(" %", "\u{202f}%")
}

/// The same with a capital: what is a part of a sentence elsewhere begins one.
pub(crate) fn begun(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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
    fn backquotes_become_code_and_strangers_stay_strangers() {
        let cases = [
            ("no code", "a <b>", "<bdi>a &lt;b&gt;</bdi>"),
            ("code", "ask `lamppost lint a`.", "<bdi>ask <code>lamppost lint a</code>.</bdi>"),
            ("a stranger's own", "`lint a`b`", "<bdi><code>lint a</code>b`</bdi>"),
            (
                "days and shares",
                "77 % on 2026-11-20, (2026-11-21).",
                "<bdi>77\u{202f}% on 20 Nov 2026, (21 Nov 2026).</bdi>",
            ),
            (
                "a day in a name",
                "2026-11-20._domainkey.a `2026-11-20`",
                "<bdi>2026-11-20._domainkey.a <code>2026-11-20</code></bdi>",
            ),
            ("markup in code", "`<b>`", "<bdi><code>&lt;b&gt;</code></bdi>"),
            (
                "cut within code",
                "ask `lamppost lint` 12345678",
                "<bdi title=\"ask `lamppost lint` 12345678\">ask `lampp…</bdi>",
            ),
        ];
        for (why, value, expected) in cases {
            let shown = if why == "cut within code" { 10 } else { 600 };
            assert_eq!(told(value, shown).into_string(), expected, "{why}");
        }
    }

    #[test]
    fn long_texts_are_cut_with_a_bounded_title() {
        let shown = text(&"ü".repeat(10_000)).into_string();
        assert_eq!(shown.matches('ü').count(), SHOWN + TITLE);
        assert_eq!(plain("a\u{200b}\"b"), "a⟨U+200B⟩\"b");
    }
}
