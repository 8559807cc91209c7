//! Everything that is looked for in a directory, sorted: addresses, the words of names, and the ways in which names become local parts.
//!
//! In: entries. Out: an index that is never changed: a newer directory is a new index. About a kilobyte of memory for an entry.

use std::collections::HashMap;

use super::entries::{DirectoryLimits, Entries, Flaws, Group, Person};
use super::fold::{compact, letters, words};
use super::{Candidate, Contact, EntryKind, Matched};

/// A directory, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    pub(super) entries: Vec<Entry>,
    /// Addresses and aliases, in lower case.
    pub(super) by_address: HashMap<Box<str>, u32>,
    /// Words of names and local parts, sorted.
    pub(super) tokens: Vec<Token>,
    /// Number of a word.
    pub(super) by_token: HashMap<Box<str>, u32>,
    /// Ways in which an entry may be written without separators, sorted.
    pub(super) keys: Vec<Key>,
    /// The texts of the keys, one after the other.
    texts: String,
    /// Domains of main addresses, those with most entries first.
    pub(super) homes: Vec<Box<str>>,
    pub(super) limits: DirectoryLimits,
}

/// One person or list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) who: Who,
    /// Words of its name and, after these, of its local parts, each with its place: the ways of writing one word have the same place.
    pub(super) tokens: Box<[(u32, u8)]>,
    /// How many places its name has.
    pub(super) places: u8,
}

#[derive(Debug, Clone)]
pub(super) enum Who {
    Person(Person),
    Group(Group),
}

/// A word, and who has it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) text: Box<str>,
    pub(super) letters: u32,
    pub(super) entries: Vec<u32>,
}

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Made {
    /// A local part.
    Local,
    /// The whole name.
    FullName,
    /// First and last word of a name, in either order.
    FirstLast,
    /// The first letter of the name and its last word.
    InitialLast,
    /// The last word and the first letter.
    LastInitial,
    /// The first word and the first letter of the last.
    FirstInitial,
    /// The end of the name of a list.
    NameEnd,
    /// The first letters of all words.
    Initials,
}

/// One way in which an entry may be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    at: u32,
    pub(super) bytes: u8,
    pub(super) made: Made,
    pub(super) entry: u32,
    pub(super) letters: u32,
}

/// Words of one name that are looked at.
const WORDS_MAX: usize = 12;
/// Domains at which a local part alone is looked for; guests bring thousands more.
const HOMES_MAX: usize = 50;
/// Bytes of a key: a local part has no more than 64 (RFC 5321 §4.5.3.1.1), and longer names are not typed.
const KEY_BYTES_MAX: usize = 64;

impl Directory {
    /// Sorts a directory. Entries without an address are left out, and so is the second entry of an address; the flaws say which.
    #[must_use]
    pub fn new(entries: Entries, limits: DirectoryLimits) -> (Self, Flaws) {
        let mut flaws = Flaws::default();
        let entries = entries.clean(&limits, &mut flaws);
        let mut directory = Self { limits, ..Self::default() };
        let mut making = Making::default();
        // Lists first: where a person and a list claim an address, mail for it goes to the list.
        let groups = entries.groups.into_iter().map(Who::Group);
        for who in groups.chain(entries.people.into_iter().map(Who::Person)) {
            directory.add(who, &mut making, &mut flaws);
        }
        for (number, entry) in directory.entries.iter().enumerate() {
            // An alias never takes an address from who has it as their own.
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            for alias in entry.who.aliases() {
                let first = *directory.by_address.entry(alias.as_str().into()).or_insert(number);
                if first != number {
                    let (one, two) = (directory.entries[first as usize].who.mail(), entry.who.mail());
                    flaws.add(|| format!("{alias} is an address of {one} and an alias of {two}: the first counts"));
                }
            }
        }
        directory.homes = directory.homes();
        directory.sort(making);
        (directory, flaws)
    }

    /// How many people and lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn homes(&self) -> Vec<Box<str>> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (_, domain) in self.entries.iter().filter_map(|entry| entry.who.mail().rsplit_once('@')) {
            *counts.entry(domain).or_default() += 1;
        }
        let mut homes: Vec<_> = counts.into_iter().collect();
        homes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        homes.into_iter().take(HOMES_MAX).map(|(domain, _)| domain.into()).collect()
    }

    /// The text of a key.
    pub(super) fn text(&self, key: &Key) -> &str {
        let at = key.at as usize;
        self.texts.get(at..at + usize::from(key.bytes)).unwrap_or_default()
    }

    /// An entry for an answer.
    pub(super) fn candidate(&self, number: u32, matched: Matched, why: String, score: u16) -> Candidate {
        let entry = &self.entries[number as usize];
        let (name, mail) = (entry.who.name().to_owned(), entry.who.mail().to_owned());
        let name = if name.is_empty() { mail.clone() } else { name };
        match &entry.who {
            Who::Person(person) => Candidate {
                kind: EntryKind::Person,
                name,
                mail,
                department: person.department.clone(),
                manager: person.manager.as_deref().map(|manager| self.contact(manager)),
                owners: Vec::new(),
                members: 0,
                matched,
                why,
                score,
            },
            Who::Group(group) => Candidate {
                kind: EntryKind::Group,
                name,
                mail,
                department: None,
                manager: None,
                owners: group.owners.iter().map(|owner| self.contact(owner)).collect(),
                members: group.members,
                matched,
                why,
                score,
            },
        }
    }

    /// Who an owner or a manager is: by address, or as it stands there.
    fn contact(&self, text: &str) -> Contact {
        match self.by_address.get(text.to_lowercase().as_str()) {
            Some(number) => {
                let who = &self.entries[*number as usize].who;
                Contact { name: who.name().to_owned(), mail: Some(who.mail().to_owned()) }
            }
            None => Contact { name: text.to_owned(), mail: text.contains('@').then(|| text.to_owned()) },
        }
    }

    fn add(&mut self, who: Who, making: &mut Making, flaws: &mut Flaws) {
        let Ok(number) = u32::try_from(self.entries.len()) else { return };
        let mail = who.mail();
        if self.by_address.contains_key(mail) {
            flaws.add(|| format!("{mail} stands there twice: the first counts, lists before people"));
            return;
        }
        self.by_address.insert(mail.into(), number);
        let mut names = words(&given_name_first(who.name()));
        names.truncate(WORDS_MAX);
        let mut tokens = Vec::new();
        for (place, word) in names.iter().enumerate() {
            for way in word {
                tokens.push((making.token(way, number), u8::try_from(place).unwrap_or(u8::MAX)));
            }
        }
        for local in std::iter::once(mail).chain(who.aliases().iter().map(String::as_str)) {
            let local = local.rsplit_once('@').map_or(local, |(local, _)| local);
            making.key(&compact(local), Made::Local, number);
            // Local parts have words too, and so do those whose name says nothing.
            for word in words(local).iter().flatten().take(WORDS_MAX) {
                let token = making.token(word, number);
                // The last place is shared by all beyond it.
                let place = u8::try_from(tokens.len() + names.len()).unwrap_or(u8::MAX);
                if !tokens.iter().any(|(other, _)| *other == token) {
                    tokens.push((token, place));
                }
            }
        }
        match &who {
            Who::Person(_) => making.person(&names, number),
            Who::Group(_) => making.group(&names, number),
        }
        let places = u8::try_from(names.len()).unwrap_or(u8::MAX);
        self.entries.push(Entry { who, tokens: tokens.into(), places });
    }

    fn sort(&mut self, making: Making) {
        let Making { tokens, mut keys, .. } = making;
        // Words keep the numbers that entries have of them by way of this table.
        let mut order: Vec<u32> = (0..u32::try_from(tokens.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by(|a, b| tokens[*a as usize].text.cmp(&tokens[*b as usize].text));
        let mut place = vec![0; tokens.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old as usize] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let mut tokens: Vec<Option<Token>> = tokens.into_iter().map(Some).collect();
        self.tokens = order.iter().filter_map(|old| tokens[*old as usize].take()).collect();
        for token in &mut self.tokens {
            token.entries.dedup();
            token.entries.shrink_to_fit();
        }
        for entry in &mut self.entries {
            for (token, _) in &mut entry.tokens {
                *token = place[*token as usize];
            }
        }
        let numbers = self.tokens.iter().zip(0..);
        self.by_token = numbers.map(|(token, number)| (token.text.clone(), number)).collect();
        // Of two ways that make the same text for the same entry the better one stays.
        keys.sort();
        keys.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
        self.keys.reserve_exact(keys.len());
        for (text, entry, made) in keys {
            let Ok(bytes) = u8::try_from(text.len()) else { continue };
            let Ok(at) = u32::try_from(self.texts.len()) else { break };
            let letters = letters(&text);
            self.texts.push_str(&text);
            self.keys.push(Key { at, bytes, made, entry, letters });
        }
        self.texts.shrink_to_fit();
    }
}

/// `Lovelace, Ada` as `Ada Lovelace`.
fn given_name_first(name: &str) -> String {
    match name.split_once(',') {
        Some((last, first)) if !first.trim().is_empty() => format!("{first} {last}"),
        _ => name.to_owned(),
    }
}

impl Who {
    pub(super) fn mail(&self) -> &str {
        match self {
            Self::Person(person) => &person.mail,
            Self::Group(group) => &group.mail,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::Group(group) => &group.name,
        }
    }

    fn aliases(&self) -> &[String] {
        match self {
            Self::Person(person) => &person.aliases,
            Self::Group(group) => &group.aliases,
        }
    }
}

/// Words and keys while they gather.
#[derive(Default)]
struct Making {
    tokens: Vec<Token>,
    numbers: HashMap<Box<str>, u32>,
    keys: Vec<(String, u32, Made)>,
}

impl Making {
    fn token(&mut self, text: &str, entry: u32) -> u32 {
        let known = self.numbers.get(text).copied();
        let number = known.unwrap_or_else(|| {
            let number = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
            self.numbers.insert(text.into(), number);
            self.tokens.push(Token { text: text.into(), letters: letters(text), entries: Vec::new() });
            number
        });
        let entries = &mut self.tokens[number as usize].entries;
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
        number
    }

    fn key(&mut self, text: &str, made: Made, entry: u32) {
        if text.len() >= 2 && text.len() <= KEY_BYTES_MAX {
            self.keys.push((text.to_owned(), entry, made));
        }
    }

    /// The ways in which people get their local parts.
    fn person(&mut self, names: &[Vec<String>], entry: u32) {
        // In the two ways of writing marks, all words in the same way.
        for way in 0..2 {
            let word = |word: &Vec<String>| word.get(way).or(word.first()).cloned().unwrap_or_default();
            let words: Vec<String> = names.iter().map(word).collect();
            self.key(&words.concat(), Made::FullName, entry);
            let (Some(first), Some(last)) = (words.first(), words.last()) else { continue };
            if words.len() < 2 {
                continue;
            }
            let initial = |word: &str| word.chars().next().map(String::from).unwrap_or_default();
            self.key(&[first.as_str(), last].concat(), Made::FirstLast, entry);
            self.key(&[last.as_str(), first].concat(), Made::FirstLast, entry);
            self.key(&[initial(first).as_str(), last].concat(), Made::InitialLast, entry);
            self.key(&[last.as_str(), initial(first).as_str()].concat(), Made::LastInitial, entry);
            self.key(&[first.as_str(), initial(last).as_str()].concat(), Made::FirstInitial, entry);
            self.key(&words.iter().map(|word| initial(word)).collect::<String>(), Made::Initials, entry);
        }
    }

    /// The ways in which lists are called.
    fn group(&mut self, names: &[Vec<String>], entry: u32) {
        let words: Vec<&str> = names.iter().filter_map(|word| word.first().map(String::as_str)).collect();
        self.key(&words.concat(), Made::FullName, entry);
        for from in 1..words.len() {
            self.key(&words[from..].concat(), Made::NameEnd, entry);
        }
        if words.len() >= 3 {
            let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
            self.key(&initials, Made::Initials, entry);
        }
    }
}
