//! What our domains publish in DNS, looked at again and again, and kept where it changes; and the channels by which people are told.
//!
//! | module | holds |
//! | --- | --- |
//! | `look` | one domain and one purpose: which questions, and what of the answers is kept |
//! | `notes` | a source of answers that notes what was asked through it |
//! | `round` | all domains once, many at a time, within limits |
//! | [`channel`] | how people are told: mail, webhooks, syslog |
//!
//! In: names from the ledger, and a [`dns::Lookup`]. Out: lines of the ledger's history. When a round is due is said by whoever has a
//! clock. Nothing here judges what it sees.

pub mod channel;
mod look;
mod notes;
mod round;

pub use look::look;
pub use round::{Error, RoundLimits, RoundSummary, newest_look, round, targets};
