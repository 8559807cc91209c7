//! MMDB files (MaxMind DB File Format Specification, version 2.0).
//!
//! In: networks with their data. Out: the bytes of a file that any reader of the format opens.

use std::net::IpAddr;

/// Data of a record.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// UTF-8.
    Text(&'a str),
    /// 16 bits.
    Short(u16),
    /// 32 bits.
    Number(u32),
    /// 64 bits.
    Long(u64),
    /// Names and values.
    Map(Vec<(&'a str, Value<'a>)>),
    /// Values.
    List(Vec<Value<'a>>),
}

/// A place in the tree.
#[derive(Debug, Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A file that says what it is, when it was built (seconds since 1970 UTC), and what networks have for data: first address, bits of the
/// prefix, and the data. Wide networks come before narrow ones that lie in them.
#[must_use]
pub fn file<'a>(
    kind: &str,
    about: &str,
    built: u64,
    networks: impl IntoIterator<Item = (IpAddr, u8, Value<'a>)>,
) -> Vec<u8> {
    let mut tree = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for (first, bits, value) in networks {
        let at = data.len();
        write(&value, &mut data);
        plant(&mut tree, first, bits, at);
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
        ("build_epoch", Value::Long(built)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(vec![("en", Value::Text(about))])),
        ("ip_version", Value::Short(6)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::Number(u32::try_from(count).unwrap_or(u32::MAX))),
        ("record_size", Value::Short(24)),
    ]);
    write(&about, &mut out);
    out
}

/// Leads the bits of a range to its data. Ranges come wide before narrow: a narrow one splits what is there.
fn plant(tree: &mut Vec<[Side; 2]>, first: IpAddr, bits: u8, at: usize) {
    // IPv4 lies in ::/96.
    let (bits, length) = match first {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), u32::from(bits) + 96),
        IpAddr::V6(v6) => (v6.to_bits(), u32::from(bits)),
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
