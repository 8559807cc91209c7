//! Reputation: evidence from several kinds of sources becomes one grade from −10 to +10, never without its evidence beside it.
//!
//! | module | holds |
//! | --- | --- |
//! | `grade` | evidence, the grade that it adds up to, the band that follows |
//! | `local` | what our own reports say; always on |
//! | `file` | lists of networks as files; offline |
//! | `lists` | what lists over DNS are, as data |
//! | `zones` | asking these, where the operator switched them on |

mod file;
mod grade;
mod lists;
mod local;
mod zones;

use serde::{Deserialize, Serialize};

pub use file::{FileError, FileLimits, FileList, Skipped};
pub use grade::{Band, Evidence, Grade, Standing, Value, grade, standing};
pub use lists::{ListDefinition, ListsError, Said};
pub use local::Local;
pub use zones::{ZoneLimits, ZoneList, ZoneListError, ZoneState, ZoneTest};

/// Something that was not learned, and why: absence of evidence is told apart from evidence of absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// What was asked: the id of a list, or `ptr`.
    pub source: String,
    /// Why there is no answer, for people.
    pub why: String,
}
