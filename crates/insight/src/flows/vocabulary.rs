//! The names and keys that the cells of one organizational domain mention, by number.
//!
//! In: texts, once each, before any cell is looked at. Out: numbers, and what can be said of a name by itself: its organizational domain.

use report::Text;
use store::organizational_domain;

use super::Map;
use super::cell::Names;

/// Names and keys by number.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    names: Names,
    /// Organizational domain of each name.
    organizations: Vec<u32>,
    /// Domain and selector of each key.
    keys: Vec<(u32, u32)>,
    key_numbers: Map<(u32, u32), u32>,
}

impl Vocabulary {
    /// The number of a name, from now on.
    pub(crate) fn name_number(&mut self, name: &str) -> u32 {
        let number = self.names.number(name);
        self.organizations_of_all();
        number
    }

    fn organizations_of_all(&mut self) {
        while self.organizations.len() < self.names.len() {
            let number = u32::try_from(self.organizations.len()).unwrap_or(0);
            let organization: Text = organizational_domain(self.names.name(number));
            let organization = self.names.number(&organization);
            self.organizations.push(organization);
        }
    }

    /// The number of a key of ours, from now on.
    pub(crate) fn key_number(&mut self, domain: u32, selector: u32) {
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        if *self.key_numbers.entry((domain, selector)).or_insert(next) == next {
            self.keys.push((domain, selector));
        }
    }

    pub(crate) fn name(&self, number: u32) -> &Text {
        self.names.name(number)
    }

    /// The organizational domain of a name.
    pub(crate) fn organization(&self, name: u32) -> u32 {
        self.organizations.get(name as usize).copied().unwrap_or(0)
    }

    /// The number of a key; `u32::MAX`, which is no key, where no cell has it.
    pub(crate) fn key(&self, domain: u32, selector: u32) -> u32 {
        self.key_numbers.get(&(domain, selector)).copied().unwrap_or(u32::MAX)
    }

    /// Domain and selector of a key; no names where there is no such key.
    pub(crate) fn of_key(&self, key: u32) -> (u32, u32) {
        self.keys.get(key as usize).copied().unwrap_or_default()
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }
}
