//! Readiness: may the policy be tightened now, and if not, what stands in the way.
//!
//! In: the ledger, thresholds, waivers, and the day it is. Out: a [`Readiness`]: eleven gates, each with what was measured, what is
//! needed, and what it rests on; and how names below the domain, and names that do not exist, fare apart. What cannot be measured is
//! said to be unknown or not measured, never passed.
//!
//! | module | is |
//! | --- | --- |
//! | `thresholds` | what is needed for each step |
//! | `data`, `traffic`, `hygiene`, `calendar` | the gates |
//! | `waivers` | gates that somebody answers for |
//! | `assemble`, `answers` | the answer |

mod answers;
mod assemble;
mod calendar;
mod data;
mod hygiene;
mod thresholds;
mod traffic;
mod waivers;

pub use answers::*;
pub use assemble::{Ask, readiness};
pub use thresholds::{Freeze, Needed, Thresholds as ReadinessThresholds};
pub use waivers::{NewWaiver, Waiver, waive, waivers};
