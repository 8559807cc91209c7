//! DMARC from outside: the suite of RFC 9989, records, discovery, whole messages and what may be wrong with them.

mod attacks;
mod cases;
mod common;
mod open;
mod properties;
mod shapes;
mod suite;
