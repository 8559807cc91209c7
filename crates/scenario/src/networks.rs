//! The networks of the model world as an MMDB file, in the layout of IPinfo.
//!
//! In: the book's networks. Out: the bytes of the file.

use crate::book::{Book, Net};
use crate::mmdb::{self, Value};

/// 2025-10-22, as if it had been made when the story begins.
const BUILT: u64 = 1_761_091_200;

/// The bytes of the file.
pub(crate) fn mmdb(book: &Book) -> Vec<u8> {
    let networks = book.nets().map(|net| (net.range.first, net.range.bits, record(net)));
    mmdb::file("model networks", "networks of an invented world", BUILT, networks)
}

fn record(net: &Net) -> Value<'_> {
    Value::Map(vec![
        ("asn", Value::Number(net.number)),
        ("as_name", Value::Text(&net.organization)),
        ("as_domain", Value::Text(&net.domain)),
        ("country_code", Value::Text(net.country)),
    ])
}
