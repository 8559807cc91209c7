//! The receiving end of SMTP and LMTP as a state machine: bytes in, replies and events out (RFC 5321, RFC 2033).
//!
//! | module | holds |
//! | --- | --- |
//! | `session` | one connection: [`Session`], which says what to do as [`Event`]s |
//! | `settings` | what a session is told beforehand: [`Settings`], [`SessionLimits`], whom it takes mail for |
//! | `command` | one command line and what it asks for |
//! | `data` | the message: where it ends, dots taken off, bare line ends found |
//!
//! In: what a client sent, in pieces of any size. Out: replies, the bytes of messages, and what the caller must do. It opens no socket,
//! has no clock and keeps no message: whoever calls it does, and answers for it.
//!
//! A message ends at CR LF dot CR LF and nowhere else, and one with a bare LF is refused: what others might take for an end, and for
//! commands behind it, never passes.

mod command;
mod data;
mod session;
mod settings;

pub use session::{Answer, Envelope, Event, Session};
pub use settings::{Dialect, Recipients, SessionLimits, Settings, Tls};
