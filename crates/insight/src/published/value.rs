//! Records as the text of a line in the ledger, and back.
//!
//! In: the records of one answer. Out: one record a line, sorted, so that the same records are the same text. Text is written as it is;
//! what is no printable ASCII, and the backslash, as `\DDD` (RFC 1035 §5.1), so that a line is a record whatever a stranger published.

use std::fmt::Write as _;

use dns::{Data, Name, RecordType};

/// The text of records.
#[must_use]
pub fn value_of(records: &[Data]) -> String {
    let mut lines: Vec<String> = records.iter().map(line).collect();
    // Lists of exchangers are read by preference.
    lines.sort_by_cached_key(|line| {
        let number = line.split(' ').next().and_then(|word| word.parse::<u32>().ok());
        (number.unwrap_or(0), line.clone())
    });
    lines.dedup();
    lines.join("\n")
}

/// The records of a text; lines that are no record of that type are left out.
#[must_use]
pub fn value_records(kind: RecordType, value: &str) -> Vec<Data> {
    let lines = value.split('\n').filter(|_| !value.is_empty());
    lines.filter_map(|line| record(kind, line)).collect()
}

fn line(data: &Data) -> String {
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Txt(text) => escaped(text),
        Data::Mx(preference, host) => format!("{preference} {host}"),
        Data::Ptr(name) | Data::Cname(name) | Data::Ns(name) => name.to_string(),
        _ => String::new(),
    }
}

fn escaped(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'\\' => out.push_str("\\092"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _infallible = write!(out, "\\{byte:03}");
            }
        }
    }
    out
}

fn record(kind: RecordType, line: &str) -> Option<Data> {
    let name = |text: &str| Name::parse(text).ok();
    Some(match kind {
        RecordType::A => Data::A(line.parse().ok()?),
        RecordType::Aaaa => Data::Aaaa(line.parse().ok()?),
        RecordType::Txt => Data::Txt(unescaped(line).into()),
        RecordType::Mx => {
            let (preference, host) = line.split_once(' ')?;
            Data::Mx(preference.parse().ok()?, name(host)?)
        }
        RecordType::Ptr => Data::Ptr(name(line)?),
        RecordType::Cname => Data::Cname(name(line)?),
        RecordType::Ns => Data::Ns(name(line)?),
        _ => return None,
    })
}

fn unescaped(line: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u8>().ok();
        match after.get(..3).and_then(number) {
            Some(value) if byte == b'\\' => {
                out.push(value);
                rest = &after[3..];
            }
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_whatever_is_in_them() {
        let name = |text| Name::parse(text).unwrap();
        let txt = |text: &[u8]| Data::Txt(text.into());
        let cases: [(&str, RecordType, Vec<Data>, &str); 6] = [
            ("a record", RecordType::Txt, vec![txt(b"v=spf1 -all")], "v=spf1 -all"),
            (
                "in an order of their own",
                RecordType::Txt,
                vec![txt(b"v=spf1 b"), txt(b"v=spf1 a")],
                "v=spf1 a\nv=spf1 b",
            ),
            ("lines and bytes of a stranger", RecordType::Txt, vec![txt(b"a\nb\\\xff")], "a\\010b\\092\\255"),
            (
                "exchangers by preference",
                RecordType::Mx,
                vec![Data::Mx(100, name("b.example")), Data::Mx(5, name("a.example"))],
                "5 a.example\n100 b.example",
            ),
            ("nothing", RecordType::Txt, Vec::new(), ""),
            ("no mail (RFC 7505)", RecordType::Mx, vec![Data::Mx(0, Name::root())], "0 ."),
        ];
        for (why, kind, mut records, text) in cases {
            let value = value_of(&records);
            assert_eq!(value, text, "{why}");
            let mut back = value_records(kind, &value);
            records.sort();
            back.sort();
            assert_eq!(back, records, "{why}");
        }
    }
}
