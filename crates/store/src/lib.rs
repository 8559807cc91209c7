//! The ledger: rows, reports and what hangs on them, on one machine, in one directory.
//!
//! Raw items go in by [`Ledger::keep`], reports read from them by [`Intake`]; answers come out by [`Ledger::ask`] and the lists
//! beside it. A report becomes visible in one transaction and nowhere else.
//!
//! | module | is |
//! | --- | --- |
//! | `ledger` | the door: open, keep, ask |
//! | `spool`, `spool_entry`, `spool_stream` | raw copies |
//! | `intake`, `intake_write`, `staged`, `stage`, `telling`, `names` | rows on their way in |
//! | `commit`, `supersede`, `trend` | the one transaction, and what it sums up |
//! | `catalog`, `catalog_read`, `lists` | the SQLite file |
//! | `standing` | who stands for an item |
//! | `sample` | what is kept of failure reports |
//! | `profile` | what is known of sources beyond reports |
//! | `lookalike` | names that could be taken for ours and that exist |
//! | `waiver` | who answers for a step that a gate speaks against |
//! | `published` | what was published in DNS, and when it was seen |
//! | `derived` | what other rooms work out and keep, and what people decided |
//! | `alerts` | alerts, notices that are to be sent of them, what people said |
//! | `domain` | the organizational domain of a name |
//! | `field`, `segment_write`, `by_source`, `segment`, `prune` | files of rows |
//! | `question`, `plan`, `scan`, `rollup`, `batch`, `codes`, `aggregate`, `split`, `answer`, `ask`, `groups`, `sql` | asking |
//! | `compact`, `maintain`, `backup`, `check` | upkeep |
//! | `disk`, `fault` | the seam to the disk, and faults planted in it by tests |

mod aggregate;
mod alerts;
mod answer;
mod ask;
mod backup;
mod batch;
mod by_source;
mod catalog;
mod catalog_read;
mod check;
mod codes;
mod commit;
mod compact;
mod derived;
mod disk;
mod domain;
mod entry;
mod error;
#[cfg(test)]
mod fault;
mod field;
mod groups;
mod intake;
mod intake_write;
mod ledger;
mod lists;
mod lookalike;
mod maintain;
mod names;
mod plan;
mod profile;
mod prune;
mod published;
mod question;
mod remembered;
mod rollup;
mod sample;
mod scan;
mod segment;
mod segment_write;
mod split;
mod spool;
mod spool_entry;
mod spool_stream;
mod sql;
mod stage;
mod staged;
mod standing;
mod supersede;
mod telling;
mod trend;
mod waiver;

pub use alerts::{AlertChange, AlertEntry, AlertWord, AlertsThen, NoticeEntry};
pub use derived::{DecisionEntry, Derived, DerivedKey};
pub use domain::organizational_domain;
pub use entry::{
    Arrival, Checked, Compacted, ConflictEntry, Counters, FlawEntry, IntakeTotals, Kept, KeptState, NoRawKey, Pending,
    PolicyOfDay, RawKey, RejectionEntry, ReportEntry, ReportFilter, Retained, Taken,
};
pub use error::Error;
pub use groups::Groups;
pub use intake::Intake;
pub use ledger::Ledger;
pub use lookalike::{LookalikeChange, LookalikeEntry, LookalikeLook, LookalikePass};
pub use profile::ProfileEntry;
pub use published::{Look, Noted, PublishedEntry, PublishedFilter, PublishedState};
pub use question::{Answer, Column, Condition, Direction, Key, Line, Measure, Question, Test, Value};
pub use sample::{LocalPart, SampleEntry, SampleFilter};
pub use split::spread;
pub use sql::Sql;
pub use waiver::WaiverEntry;

#[cfg(test)]
mod tests;
