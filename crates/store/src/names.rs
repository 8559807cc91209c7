//! Texts as small numbers: every text of a batch is held once and named by a code.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use report::Text;
use std::hash::BuildHasher;

/// Texts and their codes, counted from 0 in order of first sight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    texts: Vec<Text>,
    table: HashTable<u32>,
    /// Bytes of texts too long to live inside [`Text`].
    heap: usize,
    state: FixedState,
}

impl Names {
    /// The code of a text, new or old.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        let Self { texts, table, heap, state } = self;
        let hash = state.hash_one(text);
        if let Some(&code) = table.find(hash, |&code| texts[code as usize] == text) {
            return code;
        }
        let code = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let text = Text::new(text);
        *heap += if text.is_heap_allocated() { text.len() } else { 0 };
        texts.push(text);
        table.insert_unique(hash, code, |&code| state.hash_one(texts[code as usize].as_str()));
        code
    }

    /// The text of a code that this gave out.
    pub(crate) fn text(&self, code: u32) -> &Text {
        &self.texts[code as usize]
    }

    /// All texts, in the order of their codes.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Text> {
        self.texts.iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Roughly the bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        // The text, its code in the table, and the table's slack.
        self.texts.len() * (size_of::<Text>() + 8) + self.heap
    }
}
