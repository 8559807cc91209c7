//! DMARC: whose mail a message is, whether that domain vouches for it, and what its owner asks for if not (RFC 9989, RFC 7489).
//!
//! | module | holds |
//! | --- | --- |
//! | `record`, `parse`, `uri` | policy records, read so that a mistake costs one tag; the record as text again |
//! | `finding` | what is wrong in a record, with its place |
//! | `select` | which of a name's TXT records it is |
//! | `discovery` | the record that applies: by tree walk, or by public suffix list |
//! | `alignment` | whether an authenticated domain belongs to the author domain |
//! | `verdict` | the outcome for one author domain |
//! | `standard` | the two generations of the standard |
//! | `compare` | what the two generations of receivers differ in over a message |
//! | `why`, `text`, `json`, `results` | a verdict in words; an evaluation as text, as JSON, as Authentication-Results |
//! | `evaluate` | **all of it**: message, envelope, DNS, time and settings in; one [`Evaluation`] out |
//!
//! In: bytes, names, a [`dns::Lookup`], the time. Out: values. Nothing here opens a socket or reads a clock, and nothing decides what
//! happens to a message.

mod alignment;
mod compare;
mod discovery;
mod evaluate;
mod finding;
mod join;
mod json;
mod parse;
mod record;
mod results;
mod select;
mod standard;
mod text;
mod uri;
mod verdict;
mod why;

pub use alignment::{Alignment, Identifier, Method, Relation};
pub use compare::{Cause, Difference};
pub use discovery::{Discovery, PolicyAt, Step, Walker};
pub use evaluate::{AmbiguousAuthor, Envelope, Evaluation, Evaluator, Refused, Settings, evaluate};
pub use finding::{Finding, NotRecord, Problem};
pub use record::{AlignmentMode, FailureOptions, Policy, PolicyTag, PublicSuffix, Record};
pub use select::{Published, Selection};
pub use standard::{Rules, Standard, sample};
pub use uri::{Mailbox, ReportUri};
pub use verdict::{PolicySource, Reason, Requested, Verdict, verdict};
