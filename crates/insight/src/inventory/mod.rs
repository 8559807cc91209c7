//! Inventories: the keys, greetings and SPF terms that mail in our name rests on, from reports and from the history of DNS together.
//!
//! In: the cells of days, flows, and what was published. Out: plain data with findings, each with its remedy. Nothing here asks DNS or reads
//! a row: cells are what flows are judged from, and as fresh as those.
//!
//! | module | is |
//! | --- | --- |
//! | `dkim` | the keys that sign in our name, or could |
//! | `helo` | greetings and bounces, and which of them have no SPF |
//! | `spf`, `spf_tree`, `spf_traffic`, `spf_findings` | an SPF record as a tree, with what each term costs and what mail it let pass |
//! | `targets` | the names that are worth watching |
//! | `cells` | the cells of an organizational domain, one after the other |

mod cells;
mod dkim;
mod helo;
mod spf;
mod spf_findings;
mod spf_traffic;
mod spf_tree;
mod targets;

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use dkim::{DkimInventory, DkimKeyLine, KeyFlow, KeyLimits, KeyState, dkim_inventory};
pub use helo::{HeloInventory, HeloLine, HeloSource, helo_inventory};
pub use spf::{SpfInventory, SpfLine, SpfProposal, SpfUncounted, UnexplainedSource, spf_inventory};
pub use targets::{WatchTargets, watch_targets};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Mail fails by it, or soon will.
    Act,
    /// Worth a plan.
    Watch,
    /// Worth knowing.
    Note,
}

/// Something about a key, a greeting or a term that its owner may want to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InventoryFinding {
    /// Its name, for programs.
    pub id: String,
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl InventoryFinding {
    fn new(id: &str, weight: Weight, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { id: id.to_owned(), weight, what: what.into(), remedy: remedy.into() }
    }
}

/// Days from one to another.
fn between(from: Day, to: Day) -> i32 {
    to.0.saturating_sub(from.0)
}
