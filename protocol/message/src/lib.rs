//! Mail messages as bytes: whose they are, for verdicts; and what hangs on them, for reports.
//!
//! For verdicts, strictly, where nothing may be guessed:
//!
//! | module | holds |
//! | --- | --- |
//! | `intake` | a message on its way in: the header first, then the body as a stream with CRLF line ends (RFC 5322 §2.1) |
//! | `fields` | the header: fields with their bytes and places, and what is odd about it by name (RFC 5322 §2.2) |
//! | `names` | names of fields, measured and compared |
//! | `author` | the verdict on From: one author domain, or a named refusal (RFC 5322 §3.6.2) |
//! | `mailbox` | the mailbox list of a From field (RFC 5322 §3.4, RFC 6532) |
//! | `unseen` | characters that a person does not see |
//! | `domain` | a domain name in its one form, lower-case A-labels (RFC 5890, RFC 5891) |
//! | `path` | MAIL FROM and HELO (RFC 5321, RFC 7208 §2) |
//! | `places` | where something stands in a text, found many bytes at a time |
//!
//! For mail with reports in it, forgivingly; no verdict may rest on these:
//!
//! | module | holds |
//! | --- | --- |
//! | `header` | where the header ends, and its fields as bytes (RFC 5322 §2.2) |
//! | `mime` | the walk over the MIME tree, within limits (RFC 2045, RFC 2046) |
//! | `mbox` | the messages of a mailbox in one file (RFC 4155) |
//! | `transfer` | base64 and quoted-printable, as forgiving as RFC 2045 asks |
//! | `envelope` | Subject, From, Message-ID and Date as text, dates as seconds, and whether bytes are a message at all |
//!
//! In: the bytes of a message. Out: values and slices. Nothing here opens a file or a socket.
//!
//! Field values for people (RFC 2231, RFC 2047, charsets) are read by `mail-parser`. The tree is walked here, because a parser that
//! builds it whole needs many times the memory of a hostile message.

mod author;
mod domain;
mod envelope;
mod fields;
mod header;
mod intake;
mod mailbox;
mod mbox;
mod mime;
mod names;
mod path;
mod places;
mod transfer;
mod unseen;

pub use author::{Ambiguity, Author, AuthorFlag, Refusal, author};
pub use domain::{Domain, DomainError};
pub use envelope::{Envelope, date, field_text, looks_like_message};
pub use fields::{Anomaly, AnomalyKind, Field, Header, HeaderError, HeaderLimits, LineEnds};
pub use header::{raw_fields, raw_header};
pub use intake::{Body, BodyFacts, HeaderReader, Progress, split};
pub use mailbox::SyntaxError;
pub use mbox::{Mailbox, begins_mailbox};
pub use mime::{Error, Limits, Part, Step, parts, report_type, walk};
pub use names::same_name;
pub use path::{PathError, ReversePath, helo};
pub use places::{BLOCK_BYTES, Bytes, are, at_most, marks, places};
pub use transfer::base64;
pub use unseen::is_unseen;
