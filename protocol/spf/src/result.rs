//! The seven results of SPF (RFC 7208 §2.6).

use std::fmt;

/// What SPF says about one identity of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpfResult {
    /// There is no domain to ask, or it says nothing.
    None,
    /// The domain says that it says nothing about the client.
    Neutral,
    /// The client is authorized.
    Pass,
    /// The client is not authorized.
    Fail,
    /// The client is probably not authorized.
    SoftFail,
    /// DNS failed; a later try may succeed.
    TempError,
    /// The records cannot be interpreted; only their owner can help.
    PermError,
}

impl SpfResult {
    /// The word that `Authentication-Results` and `Received-SPF` use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
