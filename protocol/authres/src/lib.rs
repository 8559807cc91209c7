//! Authentication-Results, the field in which a border server tells the servers behind it what it found (RFC 8601), and the result
//! words that all methods share.
//!
//! | module | holds |
//! | --- | --- |
//! | `word` | the result words: [`ResultWord`] |
//! | `results` | what such a field says, and writing it so that no value can break out of its place (RFC 8601 §2.2) |
//! | `parse` | reading a stranger's field: whatever can be understood, and what was wrong with it |
//! | `lexer` | white space, comments and quotes of structured fields |
//! | `forged` | which fields of a message from outside claim to be ours, and must go (RFC 8601 §5) |
//!
//! In: values and fields as bytes. Out: values, a field as text, positions. What a result means is not decided here.

mod forged;
mod lexer;
mod parse;
mod results;
mod word;

pub use forged::{Claim, OurIds, Removal, forged};
pub use parse::{Flaw, parse};
pub use results::{FIELD_NAME, Method, Property, Results};
pub use word::ResultWord;
