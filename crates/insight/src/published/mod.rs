//! What was published in DNS and when: the history of a domain, what changed in a period, and DNS as of a day.
//!
//! In: the lines that were kept of answers. Out: plain data, and [`AsOf`], a source of DNS answers as they were at the end of a day, for
//! whoever evaluates records of then. Nothing here asks DNS.
//!
//! | module | is |
//! | --- | --- |
//! | `value` | records as the text of a line, and back |
//! | `history` | the lines of a domain; records and DNS as of a day |
//! | `change` | from lines to what changed, in words |

mod change;
mod history;
mod value;

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Ledger, PublishedState};

pub use history::{AsOf, History};
pub use value::{value_of, value_records};

use crate::Error;

/// What a name is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// The DMARC record of a domain.
    Dmarc,
    /// The SPF record of a domain, and everything that it leads to.
    Spf,
    /// The keys of a domain's selectors.
    Dkim,
    /// Where its mail goes.
    Mx,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dmarc, Self::Spf, Self::Dkim, Self::Mx];

    /// As the ledger has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Mx => "mx",
        }
    }

    /// As people write it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dmarc => "DMARC",
            Self::Spf => "SPF",
            Self::Dkim => "DKIM",
            Self::Mx => "MX",
        }
    }

    /// The inverse of [`Self::word`]; none for what else the ledger may have.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What stood at a name from the first time it was seen to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublishedLine {
    /// Whom it was asked for.
    pub domain: String,
    /// And what for.
    pub kind: RecordKind,
    /// The name in DNS.
    pub name: String,
    /// The type of the records.
    pub record_type: String,
    /// Whether there is something.
    pub state: PublishedState,
    /// The records, one a line; of a failure, which.
    pub value: String,
    /// When it was first seen, in seconds since 1970 UTC.
    pub first_seen: i64,
    /// When it was last seen.
    pub last_seen: i64,
    /// Whether it is what the last look gave.
    pub still: bool,
}

/// Something that changed in DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnsChange {
    /// When it was first seen, in seconds since 1970 UTC. It was published between the look before and this.
    pub at: i64,
    /// The day of that.
    #[schemars(with = "String")]
    pub day: Day,
    /// The domain whose records are meant.
    pub domain: String,
    /// Which of them.
    pub kind: RecordKind,
    /// The name in DNS: of SPF it may be what the domain's record includes.
    pub name: String,
    /// The type of the records.
    pub record_type: String,
    /// Whether the name belongs to the same organization; else somebody else changed it.
    pub own: bool,
    /// The records before, one a line; absent where there were none, or nobody had looked.
    pub before: Option<String>,
    /// The records after; absent where there are none any more.
    pub after: Option<String>,
    /// Terms, tags or records that are gone.
    pub removed: Vec<String>,
    /// Terms, tags or records that came.
    pub added: Vec<String>,
    /// The change in one sentence.
    pub what: String,
}

/// What was published for a domain, or for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnsHistory {
    /// The domain; absent for all.
    pub domain: Option<String>,
    /// When DNS was first looked at for it, in seconds since 1970 UTC; absent if never.
    pub since: Option<i64>,
    /// When it was last looked at.
    pub looked_at: Option<i64>,
    /// What changed, the newest first.
    pub changes: Vec<DnsChange>,
    /// What stood where: by domain, kind and name, the newest first.
    pub lines: Vec<PublishedLine>,
}

/// A record as of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordAsOf {
    /// The name in DNS.
    pub name: String,
    /// Whether there was one.
    pub state: PublishedState,
    /// The records, one a line; empty where there were none.
    pub value: String,
    /// When it was first seen, in seconds since 1970 UTC.
    pub first_seen: i64,
    /// When it was last seen.
    pub last_seen: i64,
    /// Whether nobody had looked yet on that day, so that this is the first that is known.
    pub assumed: bool,
}

/// The history of a domain, or of all.
///
/// # Errors
/// When the ledger cannot be read.
pub fn dns_history(ledger: &Ledger, domain: Option<&str>) -> Result<DnsHistory, Error> {
    let history = History::read(ledger, domain)?;
    let mut changes = history.changes();
    changes.reverse();
    Ok(DnsHistory {
        domain: domain.map(str::to_owned),
        since: history.since(),
        looked_at: history.looked_at(),
        changes,
        lines: history.lines(),
    })
}

/// What changed in a period, the oldest first: for a domain and the names below it where `subdomains`, or for all domains.
///
/// # Errors
/// When the ledger cannot be read.
pub fn dns_changes(
    ledger: &Ledger,
    domain: Option<&str>,
    subdomains: bool,
    days: (Day, Day),
) -> Result<Vec<DnsChange>, Error> {
    let organization = domain.filter(|_| subdomains).map(store::organizational_domain);
    let history = History::read(ledger, domain.filter(|_| !subdomains))?;
    let mut changes = history.changes();
    changes.retain(|change| {
        let meant = organization.as_ref().is_none_or(|of| store::organizational_domain(&change.domain) == *of);
        meant && days.0 <= change.day && change.day <= days.1
    });
    Ok(changes)
}

/// What stood at the end of a day at the name where a domain's record of this kind is: the domain itself for SPF and MX, `_dmarc` below it
/// for DMARC. `None` if nobody ever looked; DKIM keys have names of their own and are none of these.
///
/// # Errors
/// When the ledger cannot be read.
pub fn record_as_of(ledger: &Ledger, domain: &str, kind: RecordKind, day: Day) -> Result<Option<RecordAsOf>, Error> {
    Ok(History::read(ledger, Some(domain))?.record(domain, kind, day))
}
