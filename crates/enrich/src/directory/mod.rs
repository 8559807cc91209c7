//! Who is behind a local part: people and lists of the organisation, in memory, asked as one would type into an address book.
//!
//! | module | holds |
//! | --- | --- |
//! | `entries` | people and lists as they come in, made fit to be kept |
//! | `fold` | names and local parts as plain lower-case words |
//! | `index` | everything that is looked for, sorted |
//! | `search` | candidates with their scores and reasons |
//! | `csv` | entries from CSV files |
//! | `ldap` | entries from a directory server |
//!
//! In: entries, once; the caller loads them anew when it wants to. Out: for an address the entry that has it, or else ranked candidates,
//! each with why. Asking waits for nothing.

mod csv;
mod entries;
mod fold;
mod index;
mod ldap;
mod search;

use serde::{Deserialize, Serialize};

pub use csv::{CsvError, read_groups, read_people};
pub use entries::{DirectoryLimits, Entries, Flaws, Group, Person};
pub use index::Directory;
pub use ldap::{LdapError, LdapSettings, LdapTls, load};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody.
    Person,
    /// A distribution list or a shared address.
    Group,
}

/// How an entry was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// The address is the entry's own.
    Address,
    /// The address is an alias of the entry.
    Alias,
    /// What stands before a `+` is the entry's address or alias.
    Subaddress,
    /// It is like the entry, as the reason says.
    Similar,
}

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// By name, where the directory knows it; otherwise as the entry has it.
    pub name: String,
    /// The address, where the directory knows it.
    pub mail: Option<String>,
}

/// An entry that may be behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Person or list.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// Its main address.
    pub mail: String,
    /// Where a person belongs to.
    pub department: Option<String>,
    /// Whom a person reports to.
    pub manager: Option<Contact>,
    /// Who answers for a list. None known: nobody keeps it up, as far as the directory says.
    pub owners: Vec<Contact>,
    /// How many members a list has.
    pub members: u32,
    /// How it was found.
    pub matched: Matched,
    /// Why it is here, for people.
    pub why: String,
    /// From 0 to 1,000; an entry that has the address has 1,000.
    pub score: u16,
}

/// The answer about one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The entry that has the address.
    pub exact: Option<Candidate>,
    /// Where there is none: entries like it, best first.
    pub candidates: Vec<Candidate>,
}
