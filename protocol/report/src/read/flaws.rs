//! The flaws of one report while it is read: one entry a kind, so that a million equal oddities cost nothing.

use std::num::NonZeroU64;

use compact_str::format_compact;

use crate::{Flaw, FlawKind, Text};

/// Bytes of a value that are kept: enough to recognise it by.
const VALUE_BYTES_MAX: usize = 200;

/// Collects flaws by kind, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    list: Vec<Flaw>,
    /// The row being read, from 1; 0 in the header.
    pub(super) row: u64,
}

impl Flaws {
    /// Notes one oddity at the current place.
    #[cold]
    pub(super) fn note(&mut self, kind: FlawKind, value: Option<&str>) {
        if let Some(flaw) = self.list.iter_mut().find(|flaw| flaw.kind == kind) {
            flaw.count = flaw.count.saturating_add(1);
            return;
        }
        let place = if self.row == 0 { Text::const_new("header") } else { format_compact!("row {}", self.row) };
        self.list.push(Flaw { kind, place, value: value.map(shortened), count: NonZeroU64::MIN });
    }

    /// Where the reader is, for messages.
    pub(super) fn place(&self) -> String {
        if self.row == 0 { "in the header".to_owned() } else { format!("in row {}", self.row) }
    }

    /// All of them.
    pub(super) fn into_list(self) -> Vec<Flaw> {
        self.list
    }
}

/// The text itself, or as much of its beginning as is kept.
fn shortened(value: &str) -> Text {
    Text::new(&value[..value.floor_char_boundary(VALUE_BYTES_MAX)])
}
