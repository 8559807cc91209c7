//! The networks of the model world as an MMDB file, in the layout of IPinfo (MaxMind DB File Format Specification, version 2.0).
//!
//! In: the book's networks. Out: the bytes of a file that any reader of the format opens.

use std::net::IpAddr;

use crate::book::{Book, Net};

/// Data of a record.
enum Value<'a> {
    Text(&'a str),
    Short(u16),
    Number(u32),
    Long(u64),
    Map(Vec<(&'a str, Value<'a>)>),
    List(Vec<Value<'a>>),
}

/// A place in the tree.
#[derive(Debug, Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Data(usize),
}

/// 2025-10-22, as if it had been made when the story begins.
const BUILT: u64 = 1_761_091_200;

/// The bytes of the file.
pub(crate) fn mmdb(book: &Book) -> Vec<u8> {
    let mut tree = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for net in book.nets() {
        let at = data.len();
        write(&record(net), &mut data);
        plant(&mut tree, net, at);
    }
    let count = tree.len();
    let mut out = Vec::with_capacity(count * 6 + data.len() + 400);
    for side in tree.iter().flatten() {
        // A place beyond the tree says nothing; data begins 16 octets later.
        let place = match side {
            Side::Nothing => count,
            Side::Node(at) => *at,
            Side::Data(at) => count + 16 + at,
        };
        out.extend(&place.to_be_bytes()[5..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let about = Value::Map(vec![
        ("binary_format_major_version", Value::Short(2)),
        ("binary_format_minor_version", Value::Short(0)),
        ("build_epoch", Value::Long(BUILT)),
        ("database_type", Value::Text("model networks")),
        ("description", Value::Map(vec![("en", Value::Text("networks of an invented world"))])),
        ("ip_version", Value::Short(6)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::Number(u32::try_from(count).unwrap_or(u32::MAX))),
        ("record_size", Value::Short(24)),
    ]);
    write(&about, &mut out);
    out
}

fn record(net: &Net) -> Value<'_> {
    Value::Map(vec![
        ("asn", Value::Number(net.number)),
        ("as_name", Value::Text(&net.organization)),
        ("as_domain", Value::Text(&net.domain)),
        ("country_code", Value::Text(net.country)),
    ])
}

/// Leads the bits of a range to its data. Ranges come wide before narrow: a narrow one splits what is there.
fn plant(tree: &mut Vec<[Side; 2]>, net: &Net, at: usize) {
    // IPv4 lies in ::/96.
    let (bits, length) = match net.range.first {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), u32::from(net.range.bits) + 96),
        IpAddr::V6(v6) => (v6.to_bits(), u32::from(net.range.bits)),
    };
    let mut node = 0;
    for depth in 0..length {
        let side = usize::from(bits >> (127 - depth) & 1 == 1);
        if depth + 1 == length {
            tree[node][side] = Side::Data(at);
            return;
        }
        node = match tree[node][side] {
            Side::Node(below) => below,
            there => {
                tree.push([there; 2]);
                tree[node][side] = Side::Node(tree.len() - 1);
                tree.len() - 1
            }
        };
    }
}

fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.bytes());
        }
        Value::Short(n) => number(5, &n.to_be_bytes(), out),
        Value::Number(n) => number(6, &n.to_be_bytes(), out),
        Value::Long(n) => number(9, &n.to_be_bytes(), out),
        Value::Map(entries) => {
            control(7, entries.len(), out);
            for (name, value) in entries {
                write(&Value::Text(name), out);
                write(value, out);
            }
        }
        Value::List(values) => {
            control(11, values.len(), out);
            for value in values {
                write(value, out);
            }
        }
    }
}

/// Type and size. Types from 8 on have an octet of their own.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let octet = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    let (low, more) = match size {
        0..29 => (octet(size), vec![]),
        29..285 => (29, vec![octet(size - 29)]),
        _ => (30, u16::try_from(size - 285).unwrap_or(u16::MAX).to_be_bytes().to_vec()),
    };
    if kind < 8 {
        out.push(kind << 5 | low);
    } else {
        out.extend([low, kind - 7]);
    }
    out.extend(more);
}

fn number(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    control(kind, bytes.len() - zeros, out);
    out.extend(&bytes[zeros..]);
}
