//! Insight: what the ledger's rows mean to a Domain Owner. Reads only.
//!
//! skeleton

mod answers;
mod report_answers;
mod scope;

pub use answers::*;
pub use report_answers::*;
pub use scope::{Period, Scope};
