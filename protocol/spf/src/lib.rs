//! Sender Policy Framework: may this client send for this domain, and why (RFC 7208).
//!
//! | module | holds |
//! | --- | --- |
//! | `parse`, `record`, `spec` | a record, strictly read; macros in names; the record as text again |
//! | `error` | every mistake in a record with its place |
//! | `select` | which of a name's TXT records it is |
//! | `identity` | the client and the names it gave |
//! | `check`, `matching` | `check_host()`: terms in order, within limits |
//! | `evaluation`, `trace` | the outcome, why, and all that was read and asked |
//! | `tree`, `render`, `json` | the same as a tree, as text with carets, as JSON |
//! | `compile`, `compiled`, `ranges` | the same for all addresses at once |
//! | `survey` | the whole tree, for those who own it |
//!
//! In: text from DNS and from SMTP, and a [`dns::Lookup`]. Out: one of seven results with its explanation and its trace. Nothing here
//! opens a socket or reads a clock: time limits are the `Lookup`'s, which then answers `Timeout`.

mod check;
mod compile;
mod compiled;
mod error;
mod evaluation;
mod identity;
mod json;
mod limits;
mod matching;
mod parse;
mod ranges;
mod record;
mod render;
mod result;
mod select;
mod spec;
mod survey;
mod trace;
mod tree;

pub use check::{check_helo, check_mail_from};
pub use compile::compile;
pub use compiled::{Compiled, Decision, Dependence, Outcome, Step, Trouble};
pub use error::{Octet, Problem, Span, SyntaxError};
pub use evaluation::{Evaluation, Reason};
pub use identity::{Client, Identity};
pub use limits::Limits;
pub use parse::is_spf;
pub use record::{DualPrefix, Mechanism, Qualifier, Record, Term, TermKind};
pub use render::excerpt;
pub use result::SpfResult;
pub use select::Selection;
pub use spec::DomainSpec;
pub use survey::{Finding, Survey, SurveyedRecord, survey};
pub use trace::{Answer, End, Question, Trace, Visit};
pub use tree::{RecordNode, Spent, TermNode, TermOutcome};
