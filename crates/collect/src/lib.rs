//! The way into the ledger: whatever arrives becomes a raw copy, is read, and is taken in.
//!
//! | module | holds |
//! | --- | --- |
//! | `carrier` | whether a mail that carries reports is its author domain's |
//! | `import` | the doors for files at hand: [`import()`], [`resume`], [`rebuild`] |
//! | `walk` | the files below some paths, in a fixed order |
//! | `feed` | files → items → raw copies in the ledger |
//! | `parse` | one item → its reports, row by row |
//! | `take` | reports → the ledger, in the order of the items |
//! | `pipeline` | the threads between these three, and how much may be on its way |
//! | `progress` | what can be watched meanwhile, and the summary at the end |
//! | `sources` | what arrives by itself: one file a kind, and [`Collecting`], which runs them |
//! | `desk`, `arrival`, `file_arrival` | where sources hand in: kept for good first, acknowledged then |
//! | `handover` | files that are imported while the ledger's writer runs |
//! | `taker` | behind the desk: what is kept is taken in |
//! | `health`, `origin` | how each source is doing; what is noted beside an item |
//! | `tls`, `clock` | certificates of ours, the time |
//!
//! Whatever is wrong with an item becomes a named rejection of that item and never stops the others. Only the ledger's own errors
//! end an import; what was committed before stays, and what was kept but not committed is finished by the next one. Nothing here
//! prints.

mod arrival;
mod carrier;
mod clock;
mod desk;
mod feed;
mod file_arrival;
#[cfg(unix)]
mod handover;
mod health;
mod import;
mod origin;
mod parse;
mod pipeline;
mod progress;
pub mod sources;
mod take;
mod taker;
mod tls;
mod walk;

pub use arrival::Arrival;
pub use carrier::{Judge, Session, Standing, standing};
pub use desk::{Desk, DeskLimits, FileKept, Hurry, KeepError, Receipt};
pub use file_arrival::{FileArrival, FileItem, FileItems};
#[cfg(unix)]
pub use handover::{HandOverError, hand_over};
pub use health::{Activity, Board, Health, Mishap};
pub use import::{Error, Options, import, rebuild, resume};
pub use origin::{Origin, Sender};
pub use progress::{Phase, Progress, Rejected, State, Summary};
pub use sources::{Collecting, StartError};
pub use take::Outcome;
pub use wire::Secret;
