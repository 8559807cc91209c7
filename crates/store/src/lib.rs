//! The ledger: rows, reports and what hangs on them, on one machine, in one directory.
//!
//! Raw items go in by [`Ledger::keep`], reports read from them by [`Intake`]; answers come out by [`Ledger::ask`] and the lists
//! beside it. A report becomes visible in one transaction and nowhere else.

mod domain;
mod entry;
mod error;
mod ledger;
mod question;

pub use domain::organizational_domain;
pub use entry::{
    Arrival, Checked, Compacted, ConflictEntry, Counters, FlawEntry, IntakeTotals, Kept, KeptState, NoRawKey, Pending,
    PolicyOfDay, RawKey, RejectionEntry, ReportEntry, ReportFilter, Retained, Taken,
};
pub use error::Error;
pub use ledger::{Intake, Ledger};
pub use question::{Answer, Column, Condition, Direction, Key, Line, Measure, Question, Test, Value};
