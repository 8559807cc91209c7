//! What lists over DNS are: their zones, what their answers mean and are worth, and on which terms they may be asked. Data, not code.
//!
//! In: `data/lists.toml`, or a file of the operator's in the same form. Out: definitions that decode answers. An answer is a listing only
//! where the definition says so; errors of a list are never listings.

use std::net::Ipv4Addr;

use serde::Deserialize;
use thiserror::Error;

use super::grade::Value;

/// What is known of one list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDefinition {
    /// How settings and evidence name it.
    pub id: String,
    /// For people.
    pub title: String,
    /// Below which addresses are looked up; may have `<key>` in it.
    pub zone: String,
    /// Whether it knows IPv6 addresses.
    pub ipv6: bool,
    /// Where it introduces itself.
    pub homepage: String,
    /// On which terms it may be asked, in short.
    pub terms: String,
    #[serde(default)]
    answers: Vec<Meaning>,
    #[serde(default)]
    errors: Vec<Meaning>,
    scores: Option<Scores>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meaning {
    code: Code,
    value: Option<Value>,
    #[serde(default)]
    hard: bool,
    means: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scores {
    code: Code,
    means: String,
    /// Scores with their values, rising.
    points: Vec<(u8, f64)>,
}

/// A pattern for answers: each octet within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Code([(u8, u8); 4]);

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let part = |text: &str| -> Option<(u8, u8)> {
            if text == "*" {
                return Some((0, 255));
            }
            let (low, high) = text.split_once('-').unwrap_or((text, text));
            let bounds: (u8, u8) = (low.parse().ok()?, high.parse().ok()?);
            (bounds.0 <= bounds.1).then_some(bounds)
        };
        let parts: Option<Vec<(u8, u8)>> = text.split('.').map(part).collect();
        let parts = parts.and_then(|parts| <[(u8, u8); 4]>::try_from(parts).ok());
        parts.map(Self).ok_or_else(|| format!("`{text}` is no code: four parts with dots, each a number, `a-b` or `*`"))
    }
}

impl Code {
    fn matches(self, answer: Ipv4Addr) -> bool {
        self.0.iter().zip(answer.octets()).all(|((low, high), octet)| (*low..=*high).contains(&octet))
    }
}

/// What one answer of a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is listed.
    Listed {
        /// What that is worth.
        value: Value,
        /// Whether nothing may outweigh it.
        hard: bool,
        /// In words.
        detail: String,
    },
    /// A code that says nothing, or that we do not know: lists add some now and then.
    Nothing,
    /// The list does not answer us, and says so this way.
    Error(String),
}

/// Definitions that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListsError {
    /// Not the form that is asked for.
    #[error("the definitions of lists cannot be read: {0}")]
    Form(String),
    /// Two of the same name.
    #[error("the list `{0}` is defined twice: one id, one list")]
    Twice(String),
    /// A definition that could not tell a listing.
    #[error("the list `{id}`: {why}")]
    Useless {
        /// Which.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    list: Vec<ListDefinition>,
}

const BUNDLED: &str = include_str!("../../data/lists.toml");

impl ListDefinition {
    /// Those that come with the program.
    #[must_use]
    pub fn bundled() -> Vec<Self> {
        // A test reads the same text, so that it is never empty.
        Self::read(BUNDLED).unwrap_or_default()
    }

    /// Reads definitions in the form of `data/lists.toml`.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn read(text: &str) -> Result<Vec<Self>, ListsError> {
        let file: File = toml::from_str(text).map_err(|error| ListsError::Form(error.to_string()))?;
        for (at, list) in file.list.iter().enumerate() {
            if file.list[..at].iter().any(|other| other.id == list.id) {
                return Err(ListsError::Twice(list.id.clone()));
            }
            list.check().map_err(|why| ListsError::Useless { id: list.id.clone(), why })?;
        }
        Ok(file.list)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err("an id has letters, digits and hyphens");
        }
        if self.terms.is_empty() || self.homepage.is_empty() {
            return Err("without terms and homepage nobody could agree to it");
        }
        if !self.answers.iter().any(|answer| answer.value.is_some()) && self.scores.is_none() {
            return Err("no answer of it has a value");
        }
        let rising = |scores: &Scores| !scores.points.is_empty() && scores.points.is_sorted_by(|a, b| a.0 < b.0);
        if !self.scores.as_ref().is_none_or(rising) {
            return Err("the points of its scores must rise");
        }
        Ok(())
    }

    /// Whether it needs the operator's key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.zone.contains("<key>")
    }

    /// What one answer says.
    #[must_use]
    pub fn decode(&self, answer: Ipv4Addr) -> Said {
        if let Some(error) = self.errors.iter().find(|error| error.code.matches(answer)) {
            return Said::Error(format!("it answered {answer}: {}", error.means));
        }
        // RFC 5782 §2.1: "the A record contents conventionally … 127.0.0.0/8": anything else comes from somebody who answers for it, such
        // as a parked domain or a resolver that sells its mistyped names.
        if !answer.is_loopback() {
            return Said::Error(format!("it answered {answer}, which no list does: somebody else answers for it"));
        }
        // By convention of several lists: how they say that they do not answer.
        if answer.octets()[..3] == [127, 255, 255] {
            return Said::Error(format!("it answered {answer}, an error code"));
        }
        if let Some(scores) = self.scores.as_ref().filter(|scores| scores.code.matches(answer)) {
            let score = answer.octets()[3];
            let detail = scores.means.replace("{score}", &score.to_string());
            return Said::Listed { value: scores.value(score), hard: false, detail };
        }
        match self.answers.iter().find(|meaning| meaning.code.matches(answer)) {
            Some(Meaning { value: Some(value), hard, means, .. }) => {
                Said::Listed { value: *value, hard: *hard, detail: means.clone() }
            }
            _ => Said::Nothing,
        }
    }
}

impl Scores {
    /// On the straight line between the two nearest points.
    fn value(&self, score: u8) -> Value {
        let after = self.points.iter().position(|(at, _)| *at >= score).unwrap_or(self.points.len() - 1);
        let (high, high_value) = self.points[after];
        let (low, low_value) = self.points[after.saturating_sub(1)];
        if high == low {
            return Value::of(high_value);
        }
        let part = f64::from(score.min(high).max(low) - low) / f64::from(high - low);
        Value::of(low_value + part * (high_value - low_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(id: &str) -> ListDefinition {
        let found = ListDefinition::bundled().into_iter().find(|list| list.id == id);
        found.unwrap_or_else(|| panic!("{id}"))
    }

    fn worth(id: &str, answer: &str) -> Result<Option<(f64, bool)>, String> {
        match list(id).decode(answer.parse().unwrap()) {
            Said::Listed { value, hard, .. } => Ok(Some((f64::from(value.in_hundredths()) / 100.0, hard))),
            Said::Nothing => Ok(None),
            Said::Error(why) => Err(why),
        }
    }

    #[test]
    fn the_bundled_lists_can_be_read() {
        let lists = ListDefinition::read(BUNDLED).unwrap();
        assert_eq!(lists.len(), 11);
        for list in lists {
            let zone = list.zone.replace("<key>", "k");
            assert!(dns::Name::parse(&zone).is_ok_and(|zone| zone.labels().count() >= 2), "{}", list.id);
            assert!(list.homepage.starts_with("https://"), "{}", list.id);
        }
    }

    #[test]
    fn answers_have_values() {
        let cases = [
            ("spamhaus-zen", "127.0.0.2", Some((-9.0, true))),
            ("spamhaus-zen", "127.0.0.3", Some((-6.0, true))),
            ("spamhaus-zen", "127.0.0.4", Some((-7.0, true))),
            ("spamhaus-zen", "127.0.0.7", Some((-7.0, true))),
            ("spamhaus-zen", "127.0.0.8", None),
            ("spamhaus-zen", "127.0.0.9", Some((-10.0, true))),
            ("spamhaus-zen", "127.0.0.11", Some((-4.0, false))),
            ("spamhaus-zen-dqs", "127.0.0.10", Some((-4.0, false))),
            ("dnswl", "127.0.5.0", Some((0.5, false))),
            ("dnswl", "127.0.3.1", Some((2.0, false))),
            ("dnswl", "127.0.11.2", Some((5.0, false))),
            ("dnswl", "127.0.8.3", Some((8.0, false))),
            ("dnswl", "127.0.10.3", None),
            ("mailspike", "127.0.0.10", Some((-8.0, false))),
            ("mailspike", "127.0.0.15", Some((0.0, false))),
            ("mailspike", "127.0.0.20", Some((7.0, false))),
            ("mailspike", "127.0.0.21", None),
            ("senderscore", "127.0.4.0", Some((-9.0, false))),
            ("senderscore", "127.0.4.50", Some((-4.0, false))),
            ("senderscore", "127.0.4.65", Some((-1.75, false))),
            ("senderscore", "127.0.4.82", Some((0.84, false))),
            ("senderscore", "127.0.4.95", Some((4.5, false))),
            ("senderscore", "127.0.4.100", Some((6.0, false))),
            ("senderscore", "127.0.4.101", None),
            ("spamcop", "127.0.0.2", Some((-4.0, false))),
            ("psbl", "127.0.0.2", Some((-4.0, false))),
            ("barracuda", "127.0.0.2", Some((-5.0, false))),
            ("blocklist-de", "127.0.0.14", Some((-4.0, false))),
            ("virusfree", "127.0.0.2", Some((-5.0, false))),
            ("abusix", "127.0.0.200", Some((-6.0, false))),
            ("abusix", "127.0.0.12", Some((-3.0, false))),
        ];
        for (id, answer, expected) in cases {
            assert_eq!(worth(id, answer), Ok(expected), "{id} {answer}");
        }
    }

    #[test]
    fn errors_are_no_listings() {
        for list in ListDefinition::bundled() {
            for answer in ["127.255.255.252", "127.255.255.254", "127.255.255.255", "192.0.2.7", "0.0.0.0", "128.0.0.2"]
            {
                let said = list.decode(answer.parse().unwrap());
                assert!(matches!(said, Said::Error(_)), "{} {answer}: {said:?}", list.id);
            }
        }
        assert!(worth("dnswl", "127.0.0.255").unwrap_err().contains("over the limit"));
        assert!(worth("spamhaus-zen", "127.255.255.254").unwrap_err().contains("public resolver"));
    }

    #[test]
    fn definitions_that_cannot_work_are_refused() {
        let good =
            "[[list]]\nid = \"a\"\ntitle = \"A\"\nzone = \"a.test\"\nipv6 = true\nhomepage = \"h\"\nterms = \"t\"\n";
        let answers = "answers = [{ code = \"127.0.0.2\", value = -1, means = \"m\" }]\n";
        assert_eq!(ListDefinition::read(&format!("{good}{answers}")).unwrap().len(), 1);
        let cases = [
            (format!("{good}{answers}{good}{answers}"), "twice"),
            (good.to_owned(), "no answer of it has a value"),
            (format!("{good}{answers}").replace("\"t\"", "\"\""), "terms"),
            (format!("{good}{answers}").replace("127.0.0.2", "127.0.0"), "is no code"),
            (format!("{good}{answers}").replace("127.0.0.2", "127.0.0.9-2"), "is no code"),
            (format!("{good}{answers}").replace("\"a\"", "\"a b\""), "an id has"),
            (format!("{good}{answers}colour = 1\n"), "colour"),
            (format!("{good}scores = {{ code = \"127.0.4.*\", means = \"\", points = [] }}\n"), "must rise"),
            (
                format!("{good}scores = {{ code = \"127.0.4.*\", means = \"\", points = [[9, 1], [9, 2]] }}\n"),
                "must rise",
            ),
        ];
        for (text, expected) in cases {
            let error = ListDefinition::read(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
