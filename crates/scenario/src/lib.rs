//! The model company: a large enterprise with its mail, its mistakes and its spoofers, as reports, with the truth kept beside them.
//!
//! | module | holds |
//! | --- | --- |
//! | `company` | who sends in the company's name, and who pretends to |
//! | `calendar` | working days, and the dates on which something changed |
//! | `reporters` | who reports, and with which habits |
//! | `flow` | one stream of mail: what it looks like and what it is |
//! | `traffic` | one day of a flow as rows |
//! | `sloppy` | the habits that show as flaws |
//! | `generate` | files, and the truth |
//! | `load` | large numbers of rows without a story, for load tests |
//! | `rng` | random numbers that are the same everywhere |
//!
//! The same options give the same bytes. Nothing here reads reports, and no rule that judges mail is shared with it.

mod calendar;
mod company;
mod flow;
mod generate;
pub mod load;
mod reporters;
mod rng;
mod sloppy;
mod traffic;

pub use flow::Class;
pub use generate::{Options, Summary, generate};
