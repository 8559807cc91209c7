//! DKIM from outside: attacks, canonicalization, signing, and the corpora of other implementations.

mod attacks;
mod canon;
mod common;
mod edges;
mod old;
mod pieces;
mod signing;
mod suites;
