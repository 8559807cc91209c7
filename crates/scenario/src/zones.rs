//! DNS of the model world as master files: names of addresses, the records of the last day, and those of every day on which one changed.
//!
//! In: book and records. Out: text that [`dns::Zone`](../dns/struct.Zone.html) and any name server read (RFC 1035 §5.1).

use std::fs;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;

use report::Day;

use crate::book::Book;
use crate::records::{Kind, Records};

/// Writes `names.zone`, `current.zone` and `history/DAY.zone` into a folder.
pub(crate) fn write(folder: &Path, book: &Book, records: &Records, first: Day, days: u16) -> io::Result<()> {
    let history = folder.join("history");
    fs::create_dir_all(&history)?;
    let last = i32::from(days) - 1;
    to(&folder.join("names.zone"), |out| names(out, book))?;
    to(&folder.join("current.zone"), |out| {
        writeln!(out, "; What stands in DNS on {}, the last day.", first.plus(last))?;
        state(out, records, last)
    })?;
    // Of what changed before the story there are notes, too: how old a key is shows in no report.
    let mut days: Vec<i32> = records.before().into_iter().chain([0]).chain(records.days()).collect();
    days.retain(|day| *day <= last);
    for (day, at) in days.iter().copied().zip(0..) {
        let date = first.plus(day);
        to(&history.join(format!("{date}.zone")), |out| {
            let since = if at == 0 { "and before" } else { "and until the next file" };
            writeln!(out, "; What stands in DNS on {date} {since}.")?;
            state(out, records, day)
        })?;
    }
    Ok(())
}

fn to(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    write(&mut out)?;
    out.flush()
}

fn names(out: &mut dyn Write, book: &Book) -> io::Result<()> {
    writeln!(
        out,
        "; Names of addresses. Some lead back to their address; others were written there by whoever holds it.\n$TTL 3600"
    )?;
    for (address, host) in book.names() {
        writeln!(out, "{} PTR {}.", reverse(*address), host.name)?;
        if host.leads_back {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            writeln!(out, "{}. {kind} {address}", host.name)?;
        }
    }
    Ok(())
}

fn state(out: &mut dyn Write, records: &Records, day: i32) -> io::Result<()> {
    writeln!(out, "$TTL 3600")?;
    for (name, kind, text) in records.on(day) {
        match kind {
            Kind::Txt => writeln!(out, "{name}. TXT {}", quoted(text))?,
            Kind::Mx => writeln!(out, "{name}. {} {text}", kind.word())?,
        }
    }
    Ok(())
}

/// As one or more strings: RFC 1035 §3.3 allows 255 octets in one.
fn quoted(text: &str) -> String {
    let parts: Vec<String> =
        text.as_bytes().chunks(255).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
    parts.join(" ")
}

/// Where the PTR record of an address is (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            format!("{}ip6.arpa.", nibbles.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_turned_round() {
        assert_eq!(reverse("192.0.2.5".parse().unwrap()), "5.2.0.192.in-addr.arpa.");
        assert_eq!(
            reverse("2001:db8::5".parse().unwrap()),
            "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
        );
        assert_eq!(quoted(&"x".repeat(256)), format!("\"{}\" \"x\"", "x".repeat(255)));
    }
}
