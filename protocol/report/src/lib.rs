//! Reports: the currency of the whole product. Bytes in, rows out; rows in, bytes out.
//!
//! | module | holds |
//! | --- | --- |
//! | `csv` | one cell of a CSV table, guarded |
//! | `types` | [`Report`], [`Row`] and their words |
//! | `finished` | what is known after the last row: [`Totals`], [`Identity`] |
//! | `flaw` | what was odd ([`Flaw`]) and what was refused ([`Rejection`]) |
//! | `read` | the streaming reader of aggregate reports, both generations |
//! | [`failure`] | failure reports: read from mails, and what of them may be kept |
//! | `package` | containers: XML, gzip, zip, mail, by content and never by name |
//! | `write` | the writer, both generations |
//! | `show` | a report as JSON, CSV, text, and in the shape of parsedmarc |
//!
//! Nothing here opens a file, a socket or a clock. RFC 7489 §7.2 and Appendix C, RFC 9990, RFC 9991.

mod csv;
mod day;
pub mod failure;
mod finished;
mod flaw;
mod identity;
pub mod package;
mod read;
pub mod show;
mod types;
mod write;

pub use csv::csv_cell;
pub use day::{Day, NoDay};
pub use finished::{DispositionTotals, Finished, Identity, Totals};
pub use flaw::{Flaw, FlawKind, Rejection, RejectionKind};
pub use read::{Limits, Reader};
pub use types::{
    Alignment, AuthResult, Dialect, DiscoveryMethod, Disposition, DkimResult, Interval, Outcome, Override,
    OverrideKind, Policy, PolicyPublished, Report, Reporter, Row, SpfResult, SpfScope, Text,
};
pub use write::{file_name, write};
