//! The organizational domain by public suffix list (RFC 7489 §3.2): one label more than the public suffix.
//!
//! In: a name. Out: the organizational domain. A list is compiled in; a newer one can be read from the text that publicsuffix.org
//! publishes. RFC 9989 has no such list: there, discovery walks the tree.

use std::collections::HashMap;

use psl::Psl as _;
use thiserror::Error;

use crate::{Name, NameError};

/// A public suffix list: the one that is compiled in, or one read from text.
#[derive(Debug, Clone, Default)]
pub struct Suffixes {
    read: Option<HashMap<Name, Rule>>,
}

/// What the list says about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The name is a public suffix.
    Suffix,
    /// `*.name`: every name one label below is a public suffix.
    Below,
    /// Both of these.
    Both,
    /// `!name`: it is not, though `*` says so.
    Exception,
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{rule}` is no rule of a public suffix list: {why}")]
pub struct SuffixError {
    /// From 1.
    pub line: usize,
    /// The rule as it stands there.
    pub rule: String,
    /// What is wrong with it.
    pub why: NameError,
}

impl Suffixes {
    /// Reads a list as publicsuffix.org publishes it, its private section too: it parts customers of one provider from each other.
    ///
    /// # Errors
    /// The first rule that is no name.
    pub fn parse(text: &str) -> Result<Self, SuffixError> {
        let mut rules = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            // "Each line is only read up to the first whitespace; entire lines can also be commented using //."
            let Some(rule) = line.split_whitespace().next().filter(|rule| !rule.starts_with("//")) else {
                continue;
            };
            let (name, kind) = match (rule.strip_prefix('!'), rule.strip_prefix("*.")) {
                (Some(name), _) => (name, Rule::Exception),
                (_, Some(name)) => (name, Rule::Below),
                _ => (rule, Rule::Suffix),
            };
            let name =
                Name::from_unicode(name).map_err(|why| SuffixError { line: at + 1, rule: rule.to_owned(), why })?;
            let merge = |old: &mut Rule| match (*old, kind) {
                (Rule::Suffix, Rule::Below) | (Rule::Below, Rule::Suffix) => *old = Rule::Both,
                (_, Rule::Exception) => *old = Rule::Exception,
                _ => {}
            };
            rules.entry(name).and_modify(merge).or_insert(kind);
        }
        Ok(Self { read: Some(rules) })
    }

    /// The public suffix and one label more; none for a name that is itself a public suffix, and for the root.
    #[must_use]
    pub fn registrable(&self, name: &Name) -> Option<Name> {
        let suffix = match &self.read {
            Some(rules) => suffix_labels(rules, name),
            None => compiled_in(name),
        };
        (name.labels().count() > suffix && suffix > 0).then(|| name.last(suffix + 1))
    }

    /// The organizational domain: a name that is itself a public suffix stands for itself.
    #[must_use]
    pub fn organizational_domain(&self, name: &Name) -> Name {
        self.registrable(name).unwrap_or_else(|| name.clone())
    }
}

/// The organizational domain by the list that is compiled in; a name that is itself a public suffix stands for itself.
#[must_use]
pub fn organizational_domain(name: &Name) -> Name {
    Suffixes::default().organizational_domain(name)
}

/// The organizational domain of a name that is written in lower-case A-labels, by the list that is compiled in. A name that is itself a
/// public suffix, or below none, stands for itself.
#[must_use]
pub fn organizational_text(name: &str) -> &str {
    let found = CompiledIn.domain(name.as_bytes()).and_then(|domain| std::str::from_utf8(domain.as_bytes()).ok());
    found.unwrap_or(name)
}

/// The list that is compiled in. It is a megabyte of code for each kind of iterator that it is asked with: here there is one.
struct CompiledIn;

impl psl::Psl for CompiledIn {
    fn find<'a, T: Iterator<Item = &'a [u8]>>(&self, mut labels: T) -> psl::Info {
        fn listed(labels: &mut dyn Iterator<Item = &[u8]>) -> psl::Info {
            psl::List.find(labels)
        }
        listed(&mut labels)
    }
}

/// How many labels the public suffix has, by the list that is compiled in.
fn compiled_in(name: &Name) -> usize {
    let labels: Vec<&[u8]> = name.labels().collect();
    let found = CompiledIn.find(labels.iter().rev().copied());
    let mut length = 0;
    let mut count = 0;
    for label in labels.iter().rev() {
        // The list counts octets of text: dots stand between labels.
        length += label.len() + usize::from(count > 0);
        if length > found.len {
            break;
        }
        count += 1;
    }
    count
}

/// The same by a list that was read: the longest rule, exceptions before all others; without a rule the last label ("*").
fn suffix_labels(rules: &HashMap<Name, Rule>, name: &Name) -> usize {
    let total = name.labels().count();
    for count in (1..=total).rev() {
        match rules.get(&name.last(count)) {
            Some(Rule::Exception) => return count - 1,
            Some(Rule::Below | Rule::Both) if count < total => {
                return count + 1;
            }
            Some(Rule::Suffix | Rule::Both) => return count,
            _ => {}
        }
    }
    total.min(1)
}
