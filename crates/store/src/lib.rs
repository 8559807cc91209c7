//! The ledger: rows, reports and what hangs on them, on one machine, in one directory.
//!
//! skeleton

mod question;

pub use question::{Answer, Column, Condition, Direction, Key, Line, Measure, Question, Test, Value};
