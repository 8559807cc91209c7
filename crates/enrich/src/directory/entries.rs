//! People and lists as they come in from a directory server or from files, made fit to be kept.
//!
//! In: strangers' text. Out: entries with addresses that are addresses and texts that can be shown; what is left out is counted.

use serde::{Deserialize, Serialize};

use crate::text::{printable, shorten};

/// How much of a directory is kept.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryLimits {
    /// People and lists together; each takes about a kilobyte.
    pub entries: usize,
    /// Bytes of one CSV file; 20,000 people take some 3 MB.
    pub file_bytes: usize,
    /// Further addresses of one entry. Mergers leave people with a dozen.
    pub aliases: usize,
    /// Owners of one list.
    pub owners: usize,
    /// Characters of an address: 64 before the `@`, 255 after it.
    pub address_chars: usize,
    /// Characters of any other text; a server may send a photograph in place of a name.
    pub text_chars: usize,
    /// Candidates of one answer: more than anybody reads.
    pub candidates: usize,
}

impl Default for DirectoryLimits {
    fn default() -> Self {
        Self {
            entries: 500_000,
            file_bytes: 256 << 20,
            aliases: 100,
            owners: 20,
            address_chars: 320,
            text_chars: 200,
            candidates: 10,
        }
    }
}

/// Somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As people write it: `Ada Lovelace` or `Lovelace, Ada`.
    pub name: String,
    /// Main address.
    pub mail: String,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// Where they belong to.
    pub department: Option<String>,
    /// Whom they report to: an address, or a name.
    pub manager: Option<String>,
}

/// A distribution list or a shared address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// As people write it.
    pub name: String,
    /// Main address.
    pub mail: String,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// Who answers for it: addresses, or names.
    pub owners: Vec<String>,
    /// How many members it has.
    pub members: u32,
}

/// All of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// Everybody.
    pub people: Vec<Person>,
    /// All lists.
    pub groups: Vec<Group>,
}

/// What was left out or mended, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaws {
    /// How often.
    pub total: usize,
    /// The first few, in words.
    pub first: Vec<String>,
}

/// Flaws that are told in words.
const FLAWS_SHOWN: usize = 10;

impl Flaws {
    pub(super) fn add(&mut self, what: impl FnOnce() -> String) {
        self.total += 1;
        if self.first.len() < FLAWS_SHOWN {
            self.first.push(what());
        }
    }
}

impl Entries {
    /// Puts another part of the directory behind this one.
    pub fn extend(&mut self, other: Self) {
        self.people.extend(other.people);
        self.groups.extend(other.groups);
    }

    /// Leaves out what has no address, and cuts what is too much.
    pub(super) fn clean(self, limits: &DirectoryLimits, flaws: &mut Flaws) -> Self {
        let mut left = limits.entries;
        let mut people = Vec::new();
        for person in self.people {
            let Some(mail) = main_address(&person.mail, &person.name, &mut left, limits, flaws) else { continue };
            people.push(Person {
                name: text(&person.name, limits),
                aliases: addresses(&person.aliases, &mail, limits, flaws),
                department: person
                    .department
                    .map(|department| text(&department, limits))
                    .filter(|text| !text.is_empty()),
                manager: person.manager.map(|manager| text(&manager, limits)).filter(|text| !text.is_empty()),
                mail,
            });
        }
        let mut groups = Vec::new();
        for group in self.groups {
            let Some(mail) = main_address(&group.mail, &group.name, &mut left, limits, flaws) else { continue };
            let owners = group.owners.iter().map(|owner| text(owner, limits)).filter(|owner| !owner.is_empty());
            groups.push(Group {
                name: text(&group.name, limits),
                aliases: addresses(&group.aliases, &mail, limits, flaws),
                owners: owners.take(limits.owners).collect(),
                members: group.members,
                mail,
            });
        }
        Self { people, groups }
    }
}

/// Text that can be shown: one line of it, without what nobody sees.
pub(super) fn text(text: &str, limits: &DirectoryLimits) -> String {
    // What is cut off anyway need not be looked at.
    let head: String = text.chars().take(limits.text_chars.saturating_mul(2)).collect();
    let words = printable(&head).split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&words, limits.text_chars)
}

/// An address in lower case; none where it is none.
pub(super) fn address(text: &str, limits: &DirectoryLimits) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let visible = |c: char| !c.is_whitespace() && !message::is_unseen(c);
    let good = !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    // The length first: what a stranger sends may be a megabyte.
    let fits = text.len() <= limits.address_chars.saturating_mul(4) && text.chars().count() <= limits.address_chars;
    (good && fits && text.chars().all(visible) && !local.contains('@')).then(|| text.to_lowercase())
}

fn main_address(
    mail: &str,
    name: &str,
    left: &mut usize,
    limits: &DirectoryLimits,
    flaws: &mut Flaws,
) -> Option<String> {
    let name = || shorten(&text(name, limits), 60);
    let Some(mail) = address(mail, limits) else {
        flaws.add(|| format!("“{}” has no address: left out", name()));
        return None;
    };
    if *left == 0 {
        flaws.add(|| format!("more than {} entries: {mail} is left out", limits.entries));
        return None;
    }
    *left -= 1;
    Some(mail)
}

fn addresses(aliases: &[String], mail: &str, limits: &DirectoryLimits, flaws: &mut Flaws) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for alias in aliases {
        match address(alias, limits) {
            Some(alias) if alias == mail || found.contains(&alias) => {}
            Some(_) if found.len() == limits.aliases => {
                flaws.add(|| format!("{mail} has more than {} addresses: the rest is left out", limits.aliases));
                break;
            }
            Some(alias) => found.push(alias),
            None => flaws.add(|| format!("{mail}: “{}” is no address", shorten(&text(alias, limits), 60))),
        }
    }
    found
}
