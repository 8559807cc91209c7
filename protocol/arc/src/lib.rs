//! ARC: what the servers that a message crossed say about it, each with its seal over what stood there before (RFC 8617).
//!
//! | module | holds |
//! | --- | --- |
//! | `set` | the three fields of each instance, and whether they make a chain |
//! | `validate` | whether the chain holds: [`Validator`] |
//! | `seal` | adding an instance of our own: [`Sealer`] |
//! | `trust` | what a chain is worth as evidence: only what trusted sealers say, newest first |
//!
//! In: a header, a body in pieces, DNS answers, the time. Out: a [`Validation`], or three fields to be put on top. A chain that holds
//! says nothing by itself: anybody can seal anything. ARC is an experiment that is being ended; sealing is therefore kept small.

mod seal;
mod set;
mod trust;
mod validate;

pub use seal::{SealError, Sealed, Sealer, Sealing};
pub use set::{ChainStatus, SETS_MAX, Set};
pub use trust::{Evidence, evidence};
pub use validate::{Reason, Validation, Validator, validate};
