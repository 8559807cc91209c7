//! A domain of ours, taken apart: the label that people know, and the public suffix behind it.
//!
//! In: a name, from which subdomains are left out. Out: label and suffix in Unicode, for what people see, and the name itself.

use dns::{Name, Suffixes};
use thiserror::Error;

/// Why no look-alikes can be made of a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BrandError {
    /// A public suffix, or the root.
    #[error("{0} is a public suffix: name a domain that somebody can register, such as example.com")]
    PublicSuffix(Name),
    /// A label of characters that no registry gives away.
    #[error("`{0}` is no label that can be registered: letters, digits and hyphens, not at its ends")]
    Label(String),
}

/// A registrable domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    name: Name,
    label: String,
    suffix: String,
}

impl Brand {
    /// The registrable domain that a name is or is below.
    ///
    /// # Errors
    /// Where nobody can register such a name.
    pub fn new(name: &Name, suffixes: &Suffixes) -> Result<Self, BrandError> {
        let registrable = suffixes.registrable(name).ok_or_else(|| BrandError::PublicSuffix(name.clone()))?;
        let text = unicode(&registrable);
        let (label, suffix) = text.split_once('.').unwrap_or((&text, ""));
        if label.starts_with('-') || label.ends_with('-') || !label.chars().all(|c| c == '-' || c.is_alphanumeric()) {
            return Err(BrandError::Label(label.to_owned()));
        }
        Ok(Self { label: label.to_owned(), suffix: suffix.to_owned(), name: registrable })
    }

    /// The domain.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// What stands before the public suffix, in Unicode.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The public suffix, in Unicode.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }
}

/// The text of a name as people see it: A-labels in Unicode where they are valid.
#[must_use]
pub fn unicode_of(name: &str) -> String {
    if name.contains("xn--") { idna::domain_to_unicode(name).0 } else { name.to_owned() }
}

/// A name as people see it: A-labels that are valid in Unicode.
pub(crate) fn unicode(name: &Name) -> String {
    unicode_of(&name.to_string())
}
