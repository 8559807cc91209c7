//! The only thing that may stand in a link: a path of our own, built from parts and percent-encoded.
//!
//! In: path segments and query values, which may come from a report. Out: a text that begins with one `/`, holds no character
//! that means something to HTML or to a URL parser, and so can point at nothing but this portal. Templates escape HTML but
//! would let `javascript:` through; a [`Url`] cannot hold a scheme or a host. RFC 3986 §2.1, §3.3, §3.4.

use std::fmt::{self, Write as _};

/// A link to a place of this portal: path, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    asked: bool,
}

impl Url {
    /// The path made of these segments; none is `/`.
    pub(crate) fn path(segments: &[&str]) -> Self {
        let mut text = String::new();
        for segment in segments {
            text.push('/');
            encode(&mut text, segment);
        }
        if text.is_empty() {
            text.push('/');
        }
        Self { text, asked: false }
    }

    /// The same with one more query parameter.
    #[must_use]
    pub(crate) fn with(self, name: &'static str, value: impl fmt::Display) -> Self {
        self.with_pair(name, &value.to_string())
    }

    /// The same with one more parameter whose name is not ours to trust either.
    #[must_use]
    pub(crate) fn with_pair(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.asked { '&' } else { '?' });
        self.asked = true;
        encode(&mut self.text, name);
        self.text.push('=');
        encode(&mut self.text, value);
        self
    }

    /// The same with every pair as a query parameter.
    #[must_use]
    pub(crate) fn with_all(self, pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        pairs.into_iter().fold(self, |url, (name, value)| url.with(name, value))
    }

    /// One element of the page itself.
    pub(crate) fn on_page(id: &'static str) -> Self {
        Self { text: format!("#{id}"), asked: true }
    }

    /// The same at one element of the page; its id is ours.
    #[must_use]
    pub(crate) fn at(mut self, id: &str) -> Self {
        self.text.push('#');
        encode(&mut self.text, id);
        self
    }

    /// As a header field or an attribute needs it.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl maud::Render for Url {
    fn render_to(&self, buffer: &mut String) {
        // `&` between parameters is the one character left that HTML asks to be escaped.
        self.text.as_str().render_to(buffer);
    }
}

/// Whether `segment` can be a path segment: browsers resolve `.` and `..` even where they are percent-encoded, and an empty
/// one would make two slashes.
pub(crate) fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
}

/// RFC 3986 §2.3: "unreserved" characters stand for themselves. So do `:` and `,`, which §3.3 and §3.4 allow and which keep
/// addresses and lists readable; everything else is encoded, byte by byte.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b',' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_portal() {
        let cases = [
            ("plain", "contoso.example", "/domains/contoso.example?q=contoso.example"),
            ("address", "2001:db8::1", "/domains/2001:db8::1?q=2001:db8::1"),
            ("scheme", "javascript:alert(1)", "/domains/javascript:alert%281%29?q=javascript:alert%281%29"),
            ("host", "//evil.example", "/domains/%2F%2Fevil.example?q=%2F%2Fevil.example"),
            ("backslash", "\\\\evil", "/domains/%5C%5Cevil?q=%5C%5Cevil"),
            ("markup", "\"><b>", "/domains/%22%3E%3Cb%3E?q=%22%3E%3Cb%3E"),
            ("query in a name", "a?b=c&d#e", "/domains/a%3Fb%3Dc%26d%23e?q=a%3Fb%3Dc%26d%23e"),
            ("control and bidi", "\r\n\u{202e}", "/domains/%0D%0A%E2%80%AE?q=%0D%0A%E2%80%AE"),
            ("space and plus", "a b+c", "/domains/a%20b%2Bc?q=a%20b%2Bc"),
        ];
        for (why, name, expected) in cases {
            assert_eq!(Url::path(&["domains", name]).with("q", name).as_str(), expected, "{why}");
        }
        assert_eq!(Url::path(&[]).as_str(), "/");
        assert!(!is_segment("..") && !is_segment("") && is_segment("..a"));
    }
}
