//! ARC from outside: the public suite, chains with something wrong in them, sealing, and what chains are worth.

mod chains;
mod common;
mod suite;
