//! Mail messages, as far as reports in them need it: the leaves of the MIME tree with their bytes, and four header fields as text.
//!
//! | module | holds |
//! | --- | --- |
//! | `header` | where the header ends, and its fields as bytes (RFC 5322 §2.2) |
//! | `mime` | the walk over the MIME tree, within limits (RFC 2045, RFC 2046) |
//! | `mbox` | the messages of a mailbox in one file (RFC 4155) |
//! | `transfer` | base64 and quoted-printable, as forgiving as RFC 2045 asks |
//! | `envelope` | Subject, From, Message-ID and Date as text, and whether bytes are a message at all |
//!
//! In: the bytes of a message. Out: slices of them, or decoded copies, one part at a time. Nothing here opens a file or a socket,
//! and nothing here may be used to decide *whose* mail a message is: these readers forgive, and an author domain must not be guessed.
//!
//! Field values (RFC 2231, RFC 2047, charsets) are read by `mail-parser`. The tree is walked here, because a parser that builds it
//! whole needs many times the memory of a hostile message.

mod envelope;
mod header;
mod mbox;
mod mime;
mod transfer;

pub use envelope::{Envelope, looks_like_message};
pub use mbox::{Mailbox, begins_mailbox};
pub use mime::{Error, Limits, Part, parts};
pub use transfer::base64;
