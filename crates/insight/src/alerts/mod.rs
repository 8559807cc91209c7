//! Alerts: what has become wrong and somebody should look at, told once for each cause and taken back when it is over.
//!
//! In: the ledger as of a moment, thresholds, what the program knows of its own sources. Out: alerts with evidence and what to do, notices
//! for channels, a weekly digest. Alerts tell of what *changed*: a printer that fails as it always did is on the list of flows, and no alert.
//!
//! | module | is |
//! | --- | --- |
//! | `thresholds`, `finding` | the numbers; what a rule finds |
//! | `complete` | which days are judged: those that have come in |
//! | `facts`, `gather` | all that rules look at, and where it comes from |
//! | `mail`, `authentication`, `reports`, `records`, `lookalikes` | the rules |
//! | `causes` | one alert a cause: what follows from something else is not told beside it |
//! | `state` | opened, raised, resolved; to be told or not |
//! | `run`, `read`, `answers` | all of it on a ledger; what is shown |
//! | `digest` | the week |

mod answers;
mod authentication;
mod causes;
mod complete;
mod digest;
mod facts;
mod finding;
mod gather;
mod lookalikes;
mod mail;
mod read;
mod records;
mod reports;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod thresholds;

pub use answers::*;
pub use digest::{Digest, DigestFlow, digest};
pub use facts::SourceTrouble;
pub use finding::{AlertRule, Severity};
pub use read::{alerts, say};
pub use run::{Watching, watch_over};
pub use state::{ChannelWants, Delivery, Notice, NoticeKind, QuietHours};
pub use thresholds::Thresholds as AlertThresholds;
