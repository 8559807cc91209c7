//! Connections to other people's servers: plain or encrypted, with a deadline on everything; whom we trust; passwords, read when needed.
//!
//! | module | holds |
//! | --- | --- |
//! | `connection` | connecting, TLS, deadlines |
//! | `trust` | the authorities by which servers are known |
//! | [`http`] | HTTP requests |
//! | `secret` | passwords and tokens, in a file or the environment |
//!
//! In: names, ports, URLs. Out: connections and answers. What is said over them is known by the rooms that ask.

mod connection;
pub mod http;
mod secret;
mod trust;

pub use connection::{Wire, connect, encrypt, is_local, timed};
pub use secret::{Opened, Secret};
pub use trust::{certificates, connector, provider};
