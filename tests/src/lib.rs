//! What the end-to-end tests share: the built binary, processes with deadlines, a plain HTTP client, a browser, the suites,
//! report mails, and a mail server to fetch them from.
//!
//! The product is looked at from outside, as its users do: through commands, pages and routes. Loopback only, ports from the
//! kernel, nothing sleeps: every wait is for an output line, a message or the end of a process, and has a deadline.

pub mod audit;
pub mod browser;
mod company;
pub mod dovecot;
mod http;
pub mod mails;
pub mod pace;
mod process;
mod suites;

pub use company::company;
pub use http::{Response, get, post, request};
pub use process::{Finished, Server, finish, lamppost, run};
pub use suites::{must_not_skip, suites};

/// How long anything may take before a test calls it stuck. Generous, because test machines are shared and the build is not optimised.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_mins(3);
