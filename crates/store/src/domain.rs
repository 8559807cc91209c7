//! The organizational domain of a name, by the public suffix list that is compiled in (RFC 7489 §3.2).
//!
//! For grouping only: whether two names align was decided by the reporter. A name that is itself a public suffix, or below none, stands for itself.

use report::Text;

/// The organizational domain of a name in lower-case A-labels.
#[must_use]
pub fn organizational_domain(name: &str) -> Text {
    Text::new(dns::organizational_text(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_below_the_public_suffix() {
        let cases = [
            ("example.com", "example.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("localhost", "localhost"),
            ("", ""),
            ("a.b.halden.example", "halden.example"),
        ];
        for (name, expected) in cases {
            assert_eq!(organizational_domain(name), expected, "{name}");
        }
    }
}
