//! The style sheet, the script and the icon: in the binary, served under the hash of their content.
//!
//! A URL that changes with the content may be cached for ever, and a page never meets a style sheet of another version.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// One file that pages refer to.
pub(crate) struct Asset {
    name: &'static str,
    extension: &'static str,
    /// What it is, for `Content-Type`.
    pub(crate) kind: &'static str,
    /// Its bytes.
    pub(crate) text: &'static str,
    url: LazyLock<String>,
}

macro_rules! asset {
    ($constant:ident, $name:literal, $extension:literal, $kind:literal) => {
        #[doc = concat!("`", $name, ".", $extension, "`")]
        pub(crate) static $constant: Asset = Asset {
            name: $name,
            extension: $extension,
            kind: $kind,
            text: include_str!(concat!("../assets/", $name, ".", $extension)),
            url: LazyLock::new(|| $constant.hashed()),
        };
    };
}
asset!(STYLE, "style", "css", "text/css; charset=utf-8");
asset!(SCRIPT, "portal", "js", "text/javascript; charset=utf-8");
asset!(ICON, "icon", "svg", "image/svg+xml");

impl Asset {
    /// Where it is served.
    pub(crate) fn url(&'static self) -> &'static str {
        &self.url
    }

    /// Its name with its hash.
    fn hashed(&self) -> String {
        let mut url = format!("/assets/{}-", self.name);
        let _ = write!(url, "{:016x}.{}", fingerprint(self.text.as_bytes()), self.extension);
        url
    }
}

/// Every one.
pub(crate) fn all() -> [&'static Asset; 3] {
    [&STYLE, &SCRIPT, &ICON]
}

/// The file served under this URL.
pub(crate) fn find(url: &str) -> Option<&'static Asset> {
    all().into_iter().find(|asset| asset.url() == url)
}

/// FNV-1a, 64 bits: it has to change with the content, not to withstand anybody.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_under_its_hash_and_under_nothing_else() {
        for asset in all() {
            assert_eq!(find(asset.url()).map(|found| found.name), Some(asset.name));
        }
        assert!(find("/assets/style.css").is_none());
        assert_ne!(fingerprint(b"a"), fingerprint(b"b"));
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for asset in [&STYLE, &SCRIPT] {
            for foreign in ["http:", "https:", "url(//", "@import", "data:"] {
                assert!(!asset.text.contains(foreign), "{} has {foreign}", asset.name);
            }
        }
    }
}
