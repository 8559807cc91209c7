//! Passwords and tokens: named in the configuration, read from a file or the environment when they are needed, never printed.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of a secret at most; a token of an identity provider has some two thousand.
const BYTES_MAX: u64 = 64 << 10;

/// Where a secret is. It is read again whenever it is needed, so that it can be changed while the program runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// The first line of this file.
    File(PathBuf),
    /// This environment variable.
    Env(String),
}

/// A secret that was read.
pub struct Opened(String);

impl Opened {
    /// One that came otherwise.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text. Whoever calls this keeps it out of messages.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Secret {
    /// Reads it, for rooms that log in elsewhere. Whoever calls this keeps it out of messages.
    ///
    /// # Errors
    /// It is not there, cannot be read or is empty; in words for people.
    pub fn read(&self) -> Result<String, String> {
        self.open().map(|opened| opened.0)
    }

    /// Reads it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn open(&self) -> Result<Opened, String> {
        let text = match self {
            Self::Env(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or not UTF-8"))?
            }
            Self::File(path) => {
                use std::io::Read as _;
                let mut text = String::new();
                let file = std::fs::File::open(path);
                file.and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
                    .map_err(|error| format!("the secret in {} cannot be read: {error}", path.display()))?;
                text
            }
        };
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(format!("{self} is empty"));
        }
        Ok(Opened(line.to_owned()))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
        }
    }
}
