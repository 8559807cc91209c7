//! The import from outside: files go in, and the ledger says what became of them.

mod failure;
mod files;
mod hostile;
mod resume;
mod suite;
mod support;
