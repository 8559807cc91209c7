//! Preview: what would have happened to the mail of the last weeks under other records, and what is to be expected of the next.
//!
//! In: the ledger's kept cells with their flows, and a [`WhatIf`]. Out: a [`Preview`]: harm and benefit per day by class, flow, owner,
//! author domain and deciding tag, with a bound. Reads the snapshot, cells and their sums, never rows; asks no DNS.
//!
//! | module | is |
//! | --- | --- |
//! | `what_if` | what would be different |
//! | `world` | the records now and then |
//! | `mailer` | what records and cells together say of a message |
//! | `replay` | all cells once more, or their sums |
//! | `of_flow` | what it found of a flow, as series |
//! | `differences` | where a replay of the records as they are does not give what was reported |
//! | `level`, `outlook`, `forecast` | how much a flow brings now; what is to be expected of it; of all of them, and at most |
//! | `assemble`, `answers`, `request` | the answer |

mod answers;
mod assemble;
mod differences;
mod forecast;
mod level;
mod mailer;
mod of_flow;
mod outlook;
mod replay;
mod reporters;
mod request;
mod what_if;
mod world;

pub use answers::*;
pub use assemble::preview;
pub(crate) use assemble::{Apart, Reached, Study, study_with};
pub use differences::Difference;
pub use forecast::Estimate;
pub use mailer::Tag;
pub(crate) use what_if::wrong;
pub use what_if::{Receivers, WhatIf};
pub use world::Changed;
pub(crate) use world::{has_records, known, name};
