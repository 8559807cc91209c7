//! The portal from outside: requests against the router over a real ledger in a temporary directory.

mod api;
mod crawl;
mod doors;
mod ledger;
mod schema;
mod support;
