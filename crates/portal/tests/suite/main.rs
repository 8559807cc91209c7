//! The portal from outside: requests against the router over a real ledger in a temporary directory.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod api;
mod crawl;
mod decides;
mod doors;
mod ledger;
mod program;
mod raw;
mod says;
mod schema;
mod support;
mod upload;
