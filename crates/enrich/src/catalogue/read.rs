//! Catalogues read from TOML, and one laid over another.
//!
//! In: text in the form of `data/services.toml`. Out: a catalogue whose every pattern can match, and not too much.

use std::collections::BTreeMap;

use dns::{Name, Suffixes};
use serde::Deserialize;
use thiserror::Error;

use super::{Catalogue, Entry, Index, Service};

/// How large a catalogue may be.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueLimits {
    /// Bytes of the text. The bundled one has some 20 KB.
    pub file_bytes: usize,
    /// Services in it.
    pub services: usize,
}

impl Default for CatalogueLimits {
    fn default() -> Self {
        Self { file_bytes: 1 << 20, services: 5_000 }
    }
}

/// Why a catalogue cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// Too large.
    #[error("the catalogue has {found} bytes, {allowed} are allowed")]
    TooLarge {
        /// Bytes.
        found: usize,
        /// Bytes.
        allowed: usize,
    },
    /// Not the form that is asked for.
    #[error("the catalogue cannot be read: {0}")]
    Form(String),
    /// Too many services.
    #[error("the catalogue has {found} services, {allowed} are allowed")]
    TooMany {
        /// Services.
        found: usize,
        /// Services.
        allowed: usize,
    },
    /// Two of the same id.
    #[error("the service `{0}` stands there twice: one id, one service")]
    Twice(String),
    /// A service that could not be told, or whose patterns say too much.
    #[error("the service `{id}`: {why}")]
    Bad {
        /// Which.
        id: String,
        /// What is wrong with it.
        why: String,
    },
}

const BUNDLED: &str = include_str!("../../data/services.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    service: Vec<Service>,
}

impl Catalogue {
    /// The one that comes with the program.
    #[must_use]
    pub fn bundled() -> Self {
        // A test reads the same text, so that it is never empty.
        Self::read(BUNDLED, CatalogueLimits::default()).unwrap_or_default()
    }

    /// Reads a catalogue in the form of `data/services.toml`.
    ///
    /// # Errors
    /// The first thing about it that cannot be used.
    pub fn read(text: &str, limits: CatalogueLimits) -> Result<Self, CatalogueError> {
        if text.len() > limits.file_bytes {
            return Err(CatalogueError::TooLarge { found: text.len(), allowed: limits.file_bytes });
        }
        let file: File = toml::from_str(text).map_err(|error| CatalogueError::Form(error.to_string()))?;
        if file.service.len() > limits.services {
            return Err(CatalogueError::TooMany { found: file.service.len(), allowed: limits.services });
        }
        let mut services = BTreeMap::new();
        for service in file.service {
            let id = service.id.clone();
            if services.insert(id.clone(), service).is_some() {
                return Err(CatalogueError::Twice(id));
            }
        }
        Self::of(services)
    }

    /// This one with another laid over it: services of the same id are replaced as a whole.
    ///
    /// # Errors
    /// None that reading the two did not have.
    pub fn with(self, over: Self) -> Result<Self, CatalogueError> {
        let both = self.services.into_iter().chain(over.services);
        Self::of(both.map(|service| (service.id.clone(), service)).collect())
    }

    fn of(services: BTreeMap<String, Service>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self { services: services.into_values().collect(), ..Self::default() };
        for (at, service) in catalogue.services.iter().enumerate() {
            let bad = |why: String| CatalogueError::Bad { id: service.id.clone(), why };
            if service.id.is_empty() || !service.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(bad(String::from("an id has letters, digits and hyphens")));
            }
            if service.source.is_empty() {
                return Err(bad(String::from("says nowhere where this is known from (`source`)")));
            }
            let lists = [&service.hosts, &service.dkim, &service.mail_from, &service.spf_include];
            if lists.iter().all(|list| list.is_empty()) {
                return Err(bad(String::from("has nothing that it could be told by")));
            }
            let indices =
                [&mut catalogue.hosts, &mut catalogue.dkim, &mut catalogue.mail_from, &mut catalogue.spf_include];
            for (index, patterns) in indices.into_iter().zip(lists) {
                for pattern in patterns {
                    index.add(pattern, at).map_err(bad)?;
                }
            }
        }
        Ok(catalogue)
    }
}

impl Index {
    fn add(&mut self, pattern: &str, service: usize) -> Result<(), String> {
        let (begins, base) = match pattern.split_once("*.") {
            Some((begins, base)) if !begins.is_empty() && !begins.contains('.') => (Some(begins), base),
            Some(_) => return Err(format!("`{pattern}`: a name stands for all below it, so write it without `*.`")),
            None => (None, pattern),
        };
        let name = Name::parse(base).map_err(|why| format!("`{pattern}`: {why}"))?;
        // Below a public suffix are strangers: `com`, `co.uk`, or where a provider lets anybody have a name.
        if Suffixes::default().registrable(&name).is_none() {
            return Err(format!("`{pattern}` is a public suffix: it would match strangers"));
        }
        let begins = begins.map(|text| text.to_ascii_lowercase().into_bytes().into_boxed_slice());
        self.0.entry(name).or_default().push(Entry { service, begins });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(id: &str, rest: &str) -> String {
        format!("[[service]]\nid = \"{id}\"\nname = \"X\"\nkind = \"saas\"\nsource = \"s\"\n{rest}\n")
    }

    fn read(text: &str) -> Result<Catalogue, CatalogueError> {
        Catalogue::read(text, CatalogueLimits::default())
    }

    #[test]
    fn the_bundled_catalogue_can_be_read() {
        let catalogue = read(BUNDLED).unwrap_or_else(|error| panic!("{error}"));
        let services = catalogue.services();
        println!("{} services", services.len());
        assert!(services.len() >= 50, "{}", services.len());
        // Two services that claim the same name cannot be told apart by it.
        for index in [&catalogue.hosts, &catalogue.dkim, &catalogue.mail_from, &catalogue.spf_include] {
            for (name, entries) in &index.0 {
                let alike = |a: &Entry| entries.iter().filter(|b| a.begins == b.begins).count() > 1;
                assert!(!entries.iter().any(alike), "{name} stands for two services");
            }
        }
    }

    #[test]
    fn what_could_not_work_is_refused() {
        let host = |pattern: &str| service("a", &format!("hosts = [\"{pattern}\"]"));
        let cases = [
            (service("a", ""), "could be told by"),
            (host("a.example") + &host("b.example"), "twice"),
            (host("com"), "public suffix"),
            (host("co.uk"), "public suffix"),
            (host("mail-*.com"), "public suffix"),
            (host("*.example.com"), "without `*.`"),
            (host("a.b*.example.com"), "without `*.`"),
            (host("a..b"), "empty"),
            (host(""), "empty"),
            (service("a b", "hosts = [\"a.example\"]"), "an id has"),
            (host("a.example").replace("\"s\"", "\"\""), "source"),
            (host("a.example").replace("saas", "saass"), "saass"),
            (host("a.example") + "hostz = []\n", "hostz"),
        ];
        for (text, expected) in cases {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let large = CatalogueLimits { file_bytes: 10, ..CatalogueLimits::default() };
        assert!(matches!(Catalogue::read(&host("a.example"), large), Err(CatalogueError::TooLarge { .. })));
        let few = CatalogueLimits { services: 1, ..CatalogueLimits::default() };
        let two = host("a.example") + &service("b", "dkim = [\"b.example\"]");
        assert!(matches!(Catalogue::read(&two, few), Err(CatalogueError::TooMany { found: 2, allowed: 1 })));
    }

    #[test]
    fn the_operators_file_lies_over_it() {
        let base = read(&(service("a", "hosts = [\"a.example\"]") + &service("b", "dkim = [\"b.example\"]"))).unwrap();
        let over =
            read(&(service("a", "hosts = [\"new.example\"]") + &service("c", "dkim = [\"c.example\"]"))).unwrap();
        let both = base.with(over).unwrap();
        assert_eq!(both.services().iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let host = |name: &str| both.by_host(&Name::parse(name).unwrap()).map(|s| s.id.as_str());
        assert_eq!((host("a.example"), host("x.new.example")), (None, Some("a")), "replaced as a whole");
        assert_eq!(both.get("c").map(|s| s.dkim.len()), Some(1));
        assert!(both.get("d").is_none());
    }
}
