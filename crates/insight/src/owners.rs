//! Who may be behind a local part: what the directory has, flattened for pages, commands and programs.
//!
//! In: a directory that somebody loaded, and what was typed: an address, or what stands before its `@`. Out: the entry that has it, or else
//! those like it, best first. Nothing is asked of anybody here.

use enrich::directory::{Candidate, Contact, Directory, EntryKind, Found, Matched};
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a question that are looked at: 64 before the `@` and 255 after it (RFC 5321 §4.5.3.1).
const ASKED_CHARS_MAX: usize = 320;

/// Who may be behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnerAnswer {
    /// What was asked.
    pub asked: String,
    /// Whether the directory has the address itself; otherwise its entries are only like it.
    pub exact: bool,
    /// The entry that has it, or those like it, best first.
    pub candidates: Vec<OwnerLine>,
}

/// Somebody, or a list, that may be behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnerLine {
    /// `person` or `list`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The main address.
    pub mail: String,
    /// Where a person belongs to.
    pub department: Option<String>,
    /// Whom a person reports to.
    pub manager: Option<ContactLine>,
    /// Who answers for a list; none where the directory does not say.
    pub owners: Vec<ContactLine>,
    /// How many members a list has.
    pub members: u32,
    /// How it was found: `address`, `alias`, `subaddress` or `similar`.
    pub matched: String,
    /// Why it is here, in words.
    pub why: String,
    /// From 0 to 1,000; an entry that has the address has 1,000.
    pub score: u16,
}

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContactLine {
    /// By name, where the directory knows it.
    pub name: String,
    /// The address, where the directory knows it.
    pub mail: Option<String>,
}

/// Who may be behind an address, or behind what stands before its `@`: then at each of the directory's own domains.
#[must_use]
pub fn owners(directory: &Directory, asked: &str) -> OwnerAnswer {
    let asked: String = asked.trim().trim_matches(['<', '>']).chars().take(ASKED_CHARS_MAX).collect();
    let found = match asked.rsplit_once('@') {
        Some((local, "")) => directory.find_local(local),
        Some((local, domain)) => directory.find(local, domain),
        None => directory.find_local(&asked),
    };
    let Found { exact, candidates } = found;
    OwnerAnswer { exact: exact.is_some(), candidates: exact.into_iter().chain(candidates).map(line).collect(), asked }
}

fn line(found: Candidate) -> OwnerLine {
    OwnerLine {
        kind: match found.kind {
            EntryKind::Person => "person".to_owned(),
            EntryKind::Group => "list".to_owned(),
        },
        name: found.name,
        mail: found.mail,
        department: found.department,
        manager: found.manager.map(contact),
        owners: found.owners.into_iter().map(contact).collect(),
        members: found.members,
        matched: match found.matched {
            Matched::Address => "address",
            Matched::Alias => "alias",
            Matched::Subaddress => "subaddress",
            Matched::Similar => "similar",
        }
        .to_owned(),
        why: found.why,
        score: found.score,
    }
}

fn contact(found: Contact) -> ContactLine {
    ContactLine { name: found.name, mail: found.mail }
}

#[cfg(test)]
mod tests {
    use enrich::directory::{DirectoryLimits, Entries, Group, Person};

    use super::*;

    fn directory() -> Directory {
        let person = |name: &str, mail: &str| Person { name: name.into(), mail: mail.into(), ..Person::default() };
        let people = vec![
            person("Ada Lovelace", "ada.lovelace@contoso.example"),
            Person { manager: Some("ada.lovelace@contoso.example".into()), ..person("Bo Hart", "bo@fabrikam.example") },
            person("Guest of Ours", "guest@elsewhere.example"),
            person("Cleo Hart", "cleo@contoso.example"),
        ];
        let list = Group {
            name: "Visual Studio Subscriptions".into(),
            mail: "vss@contoso.example".into(),
            owners: vec!["ada.lovelace@contoso.example".into()],
            members: 12,
            ..Group::default()
        };
        Directory::new(Entries { people, groups: vec![list] }, DirectoryLimits::default()).0
    }

    #[test]
    fn what_is_typed_is_understood() {
        let directory = directory();
        let cases = [
            ("an address", "bo@fabrikam.example", true, "bo@fabrikam.example"),
            ("as mail programs copy it", " <Bo@Fabrikam.Example> ", true, "bo@fabrikam.example"),
            ("a local part alone is looked for at every domain", "bo", true, "bo@fabrikam.example"),
            ("the same with its sign", "bo@", true, "bo@fabrikam.example"),
            ("a list", "vss", true, "vss@contoso.example"),
            ("nobody has it; one is like it", "visualstudio@contoso.example", false, "vss@contoso.example"),
            ("the same without a domain", "visualstudio", false, "vss@contoso.example"),
            ("an address elsewhere is nobody's here", "bo@contoso.example", false, "bo@fabrikam.example"),
        ];
        for (why, asked, exact, first) in cases {
            let answer = owners(&directory, asked);
            let found = answer.candidates.first().map(|line| line.mail.as_str());
            assert_eq!((answer.exact, found), (exact, Some(first)), "{why}: {answer:#?}");
        }
        assert_eq!(owners(&directory, "").candidates, [], "nothing was asked");
        assert_eq!(owners(&directory, &"x".repeat(10_000)).asked.len(), ASKED_CHARS_MAX);
    }

    #[test]
    fn whom_to_ask_comes_with_it() {
        let directory = directory();
        let list = owners(&directory, "vss").candidates.remove(0);
        assert_eq!(
            (list.kind.as_str(), list.members, list.matched.as_str(), list.score),
            ("list", 12, "address", 1_000)
        );
        assert_eq!(list.owners[0].name, "Ada Lovelace");
        let bo = owners(&directory, "bo").candidates.remove(0);
        assert_eq!(bo.manager.and_then(|manager| manager.mail).as_deref(), Some("ada.lovelace@contoso.example"));
    }
}
