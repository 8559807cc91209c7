//! DKIM from outside: attacks, canonicalization, signing, and the corpora of other implementations.

mod attacks;
mod canon;
mod common;
mod old;
mod signing;
mod suites;
