//! DMARC from outside: the suite of RFC 9989, records, discovery, whole messages and what may be wrong with them.

mod suite;
