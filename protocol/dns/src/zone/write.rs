//! A zone as master-file text that [`Zone::parse`] reads back: absolute names, sorted, one record a line.

use std::fmt;

use super::{Fault, Node, Zone};
use crate::{Data, Name};

/// RFC 1035 §3.3: the longest character-string.
const STRING_OCTETS_MAX: usize = 255;

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nodes: Vec<(&Name, &Node)> = self.nodes.iter().collect();
        // By labels from the right, as zones are read.
        nodes.sort_by_cached_key(|(name, _)| {
            let mut labels: Vec<&[u8]> = name.labels().collect();
            labels.reverse();
            labels
        });
        for (name, node) in nodes {
            write_node(f, &absolute(name), node)?;
        }
        Ok(())
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, name: &str, node: &Node) -> fmt::Result {
    if let Some(ttl) = node.negative_ttl {
        writeln!(f, "{name} {ttl} IN SOA . . 0 0 0 0 {ttl}")?;
    }
    for set in &node.sets {
        if set.data.is_empty() {
            writeln!(f, ";@ nodata {name} {}", set.kind)?;
        }
        for data in &set.data {
            write!(f, "{name} {} IN {} ", set.ttl, set.kind)?;
            write_data(f, data)?;
            writeln!(f)?;
        }
    }
    for (kind, fault) in &node.faults {
        let verb = match fault {
            Fault::ServFail => "servfail",
            Fault::Timeout => "timeout",
        };
        match kind {
            Some(kind) => writeln!(f, ";@ {verb} {name} {kind}")?,
            None => writeln!(f, ";@ {verb} {name}")?,
        }
    }
    if !node.delay.is_zero() {
        writeln!(f, ";@ delay {name} {}", node.delay.as_millis())?;
    }
    if node.sets.is_empty() && node.faults.is_empty() && node.delay.is_zero() && node.negative_ttl.is_none() {
        writeln!(f, ";@ exists {name}")?;
    }
    Ok(())
}

fn write_data(f: &mut fmt::Formatter<'_>, data: &Data) -> fmt::Result {
    match data {
        Data::A(address) => write!(f, "{address}"),
        Data::Aaaa(address) => write!(f, "{address}"),
        Data::Txt(text) if text.is_empty() => f.write_str("\"\""),
        Data::Txt(text) => {
            for (at, string) in text.chunks(STRING_OCTETS_MAX).enumerate() {
                f.write_str(if at > 0 { " \"" } else { "\"" })?;
                for byte in string {
                    match byte {
                        b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                        0x20..=0x7e => write!(f, "{}", char::from(*byte))?,
                        _ => write!(f, "\\{byte:03}")?,
                    }
                }
                f.write_str("\"")?;
            }
            Ok(())
        }
        Data::Mx(preference, host) => write!(f, "{preference} {}", absolute(host)),
        Data::Ptr(name) | Data::Cname(name) | Data::Ns(name) => f.write_str(&absolute(name)),
    }
}

fn absolute(name: &Name) -> String {
    if name.is_root() { ".".to_owned() } else { format!("{name}.") }
}
