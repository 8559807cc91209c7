//! The way into the ledger: files, mailboxes and what was left over become raw copies, are read, and are taken in.
//!
//! | module | holds |
//! | --- | --- |
//! | `import` | the doors: [`import()`], [`resume`], [`rebuild`] |
//! | `carrier` | whether a mail that carries reports is its author domain's |
//! | `walk` | the files below some paths, in a fixed order |
//! | `feed` | files → items → raw copies in the ledger |
//! | `parse` | one item → its reports, row by row |
//! | `take` | reports → the ledger, in the order of the items |
//! | `pipeline` | the threads between these three, and how much may be on its way |
//! | `progress` | what can be watched meanwhile, and the summary at the end |
//!
//! Whatever is wrong with an item becomes a named rejection of that item and never stops the others. Only the ledger's own errors
//! end an import; what was committed before stays, and what was kept but not committed is finished by the next one. Nothing here
//! prints.

mod carrier;
mod feed;
mod import;
mod parse;
mod pipeline;
mod progress;
mod take;
mod walk;

pub use carrier::{Session, Standing, standing};
pub use import::{Error, Options, import, rebuild, resume};
pub use progress::{Phase, Progress, Rejected, State, Summary};
