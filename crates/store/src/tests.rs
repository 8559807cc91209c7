//! Tests of the ledger as a whole, on a disk of its own and with planted faults.

mod agree;
mod alerts;
mod derived;
mod faults;
mod flow;
mod lookalike;
mod model;
mod profile;
mod published;
mod sample;
mod spool;
mod standing;
mod support;
mod upkeep;
mod versions;
