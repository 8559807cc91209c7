//! Domain names, DNS answers, and the seam through which everything asks for them.
//!
//! | module | holds |
//! | --- | --- |
//! | `name` | absolute names, from labels (RFC 1035 §3.1) |
//! | `record` | record data, answers and the ways of having none |
//! | `lookup` | the seam: one question, one answer |
//! | `zone` | the one fake resolver: from master-file text |
//! | `overlay` | a zone laid over another source of answers: how what-if works |
//! | `suffix` | the organizational domain by public suffix list (RFC 7489 §3.2) |
//!
//! In: names and answers as values. Out: the same. Nothing here opens a socket or reads a clock: a resolver implements [`Lookup`].

mod lookup;
mod name;
mod overlay;
mod record;
mod suffix;
mod zone;

pub use lookup::{Lookup, now};
pub use name::{LABEL_OCTETS_MAX, Labels, NAME_OCTETS_MAX, Name, NameError};
pub use overlay::Overlay;
pub use record::{Data, RecordType, Records, Response};
pub use suffix::{SuffixError, Suffixes, organizational_domain, organizational_text};
pub use zone::{Fault, Problem, Within, Zone, ZoneError};
