//! Lists of networks as files: Spamhaus DROP and ASN-DROP as JSON lines, and plain lists of CIDR ranges.
//!
//! In: the text of a file, what being in it is worth. Out: a list that answers for an address and its network; lines that are neither are
//! counted and the first of them named. Offline: whoever has a file asks nobody. This room fetches nothing.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use thiserror::Error;

use super::grade::{Evidence, Value};
use crate::text::{printable, shorten};
use crate::time::Moment;

/// How large a list may be, and how much one line of it may name.
#[derive(Debug, Clone, Copy)]
pub struct FileLimits {
    /// Bytes of the text. DROP has 100 KB; the largest public lists of single addresses have some 20 MB.
    pub file_bytes: usize,
    /// Ranges and networks of one list: some 100 MB of memory.
    pub entries: usize,
    /// Bytes of one line. The longest of ASN-DROP has some 200; a web page in place of a list has longer ones.
    pub line_bytes: usize,
    /// Characters of a line that are kept as the reason of a listing, or shown when it is none.
    pub shown_chars: usize,
    /// The shortest IPv4 prefix. Nobody is allocated more than a /8; a shorter one would call the world criminal.
    pub v4_prefix_min: u8,
    /// The shortest IPv6 prefix, for the same reason: registries are allocated /12, others /19 at most.
    pub v6_prefix_min: u8,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            entries: 1_000_000,
            line_bytes: 4_096,
            shown_chars: 120,
            v4_prefix_min: 8,
            v6_prefix_min: 16,
        }
    }
}

/// Why a file is no list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// Too large.
    #[error("the list has {found} bytes, {allowed} are allowed: is it a list of networks?")]
    TooLarge {
        /// Bytes.
        found: usize,
        /// Bytes.
        allowed: usize,
    },
    /// Too many entries.
    #[error("the list has more than {0} entries")]
    TooMany(usize),
    /// Nothing in it can be read; a web page with an error message, for example.
    #[error("none of the {lines} lines names a network (the first: “{first}”): is it a list, and fetched in full?")]
    NoList {
        /// Lines that are neither empty nor a comment.
        lines: usize,
        /// The first of them, shortened.
        first: String,
    },
}

/// A list of networks that was read.
#[derive(Debug, Clone)]
pub struct FileList {
    id: String,
    value: Value,
    hard: bool,
    ranges: HashMap<Range, Box<str>>,
    /// Prefix lengths that occur, longest first: each costs one look.
    v4_lengths: Vec<u8>,
    v6_lengths: Vec<u8>,
    networks: HashMap<u32, Box<str>>,
    skipped: Vec<Skipped>,
    skipped_total: usize,
}

/// A line that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// From 1.
    pub line: usize,
    /// The line, shortened, and what is wrong with it.
    pub why: String,
}

/// A range of addresses: its first address as a number, and its prefix length. IPv4 and IPv6 do not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Range {
    v6: bool,
    first: u128,
    length: u8,
}

/// Lines that are kept to be shown.
const SKIPPED_SHOWN: usize = 5;

/// One line of a list in JSON lines, as Spamhaus publishes them; fields that say nothing to us are left out.
#[derive(Deserialize)]
struct Line {
    cidr: Option<String>,
    sblid: Option<String>,
    asn: Option<u32>,
    asname: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl FileList {
    /// Reads a list. `id` names it in evidence; `value` and `hard` say what being in it is worth.
    ///
    /// A line is a JSON object with `cidr` or `asn` (and the last one `"type":"metadata"`), or an address, a range in CIDR form or
    /// `AS` and a number, then anything; `#` and `;` begin comments.
    ///
    /// # Errors
    /// It is too large, or no line of it is an entry. An empty list is a list.
    pub fn read(id: &str, text: &str, value: Value, hard: bool, limits: &FileLimits) -> Result<Self, FileError> {
        if text.len() > limits.file_bytes {
            return Err(FileError::TooLarge { found: text.len(), allowed: limits.file_bytes });
        }
        let mut list = Self {
            id: id.to_owned(),
            value,
            hard,
            ranges: HashMap::new(),
            v4_lengths: Vec::new(),
            v6_lengths: Vec::new(),
            networks: HashMap::new(),
            skipped: Vec::new(),
            skipped_total: 0,
        };
        let (mut lines, mut first, mut known) = (0, None, false);
        for (at, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            lines += 1;
            first.get_or_insert(line);
            match list.line(line, limits) {
                Ok(()) => known = true,
                Err(why) => list.skip(at + 1, line, why, limits),
            }
            if list.len() > limits.entries {
                return Err(FileError::TooMany(limits.entries));
            }
        }
        if lines > 0 && !known {
            let first = shorten(&printable(first.unwrap_or_default()), limits.shown_chars);
            return Err(FileError::NoList { lines, first });
        }
        let lengths = |v6: bool| -> Vec<u8> {
            let found: BTreeSet<u8> = list.ranges.keys().filter(|r| r.v6 == v6).map(|r| r.length).collect();
            found.into_iter().rev().collect()
        };
        (list.v4_lengths, list.v6_lengths) = (lengths(false), lengths(true));
        Ok(list)
    }

    /// What evidence calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Ranges and networks in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len() + self.networks.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines name nothing, and the first few of them.
    #[must_use]
    pub fn skipped(&self) -> (usize, &[Skipped]) {
        (self.skipped_total, &self.skipped)
    }

    /// What the list says about an address and the number of its network (ASN), if that is known.
    #[must_use]
    pub fn evidence(&self, address: IpAddr, asn: Option<u32>, now: Moment) -> Option<Evidence> {
        let by_network = || {
            let asn = asn?;
            self.networks.get(&asn).map(|why| format!("network AS{asn}{why}"))
        };
        let detail = self.range_of(address).or_else(by_network)?;
        let (day, expires) = (now.day(), now.plus_day());
        Some(Evidence { source: self.id.clone(), value: self.value, hard: self.hard, detail, day, expires })
    }

    fn range_of(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4_lengths } else { &self.v6_lengths };
        let range = |length: &u8| Range::new(address, *length);
        let (range, why) = lengths.iter().map(range).find_map(|range| Some((range, self.ranges.get(&range)?)))?;
        Some(format!("{}/{}{why}", range.address(), range.length))
    }

    fn line(&mut self, line: &str, limits: &FileLimits) -> Result<(), &'static str> {
        if line.len() > limits.line_bytes {
            return Err("is too long");
        }
        if line.starts_with('{') {
            let entry: Line = serde_json::from_str(line).map_err(|_| "is no JSON object as expected")?;
            let why = |text: Option<String>| reason(&text.unwrap_or_default(), limits);
            return match entry {
                Line { cidr: Some(cidr), sblid, .. } => self.add_range(&cidr, why(sblid), limits),
                Line { asn: Some(asn), asname, .. } => {
                    self.networks.insert(asn, why(asname));
                    Ok(())
                }
                Line { kind: Some(kind), .. } if kind == "metadata" => Ok(()),
                _ => Err("has neither `cidr` nor `asn`"),
            };
        }
        let (entry, rest) = line.split_once(|c: char| c.is_whitespace() || c == ';' || c == '#').unwrap_or((line, ""));
        let why = reason(rest.trim_start_matches([' ', '\t', ';', '#']), limits);
        let number = entry.strip_prefix("AS").or_else(|| entry.strip_prefix("as"));
        match number.map(str::parse::<u32>) {
            Some(Ok(asn)) => {
                self.networks.insert(asn, why);
                Ok(())
            }
            _ => self.add_range(entry, why, limits),
        }
    }

    fn add_range(&mut self, text: &str, why: Box<str>, limits: &FileLimits) -> Result<(), &'static str> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| "is neither an address nor a range nor a network")?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            // A sign or a leading zero is a slip of somebody's program, not a length.
            Some(text) if text.starts_with(['+', '0']) && text != "0" => {
                return Err("has a prefix length that is none");
            }
            Some(text) => text.parse::<u8>().map_err(|_| "has a prefix length that is none")?,
            None => most,
        };
        let least = if address.is_ipv4() { limits.v4_prefix_min } else { limits.v6_prefix_min };
        if length > most {
            return Err("has a prefix longer than an address");
        }
        if length < least {
            return Err("is wider than any list may name");
        }
        self.ranges.insert(Range::new(address, length), why);
        Ok(())
    }

    fn skip(&mut self, line: usize, text: &str, why: &str, limits: &FileLimits) {
        self.skipped_total += 1;
        if self.skipped.len() < SKIPPED_SHOWN {
            let text = shorten(&printable(text), limits.shown_chars);
            self.skipped.push(Skipped { line, why: format!("“{text}” {why}") });
        }
    }
}

/// The reason of a listing as it is shown behind it.
fn reason(text: &str, limits: &FileLimits) -> Box<str> {
    let text = printable(text.trim());
    if text.is_empty() { Box::default() } else { format!(" ({})", shorten(&text, limits.shown_chars)).into() }
}

impl Range {
    /// The range of this length that an address is in.
    fn new(address: IpAddr, length: u8) -> Self {
        let (v6, bits, number) = match address {
            IpAddr::V4(address) => (false, 32, u128::from(address.to_bits())),
            IpAddr::V6(address) => (true, 128, address.to_bits()),
        };
        let host = bits - u32::from(length).min(bits);
        let first = number.checked_shr(host).and_then(|n| n.checked_shl(host)).unwrap_or(0);
        Self { v6, first, length }
    }

    fn address(self) -> IpAddr {
        if self.v6 {
            return Ipv6Addr::from_bits(self.first).into();
        }
        Ipv4Addr::from_bits(u32::try_from(self.first).unwrap_or_default()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROP: &str = r#"{"cidr":"192.0.2.0/25","sblid":"SBL1","rir":"apnic"}
{"cidr":"192.0.2.0/24","sblid":"SBL2","rir":"apnic"}
{"cidr":"2001:db8:8000::/33","sblid":"SBL3","rir":"ripencc"}
{"type":"metadata","timestamp":1734048000,"size":100,"records":3,"copyright":"(c) 2024","terms":"https://example.com/"}
"#;
    const ASN_DROP: &str = r#"{"asn":64500,"rir":"ripencc","domain":"bad.example","cc":"ZZ","asname":"BAD-\"NET\""}
"#;
    const PLAIN: &str =
        "\u{feff}; a list\n# of ours\n198.51.100.7\n198.51.100.128/26 ; SBL4\n  2001:db8::5  # one\nAS64501 rented\n";

    /// Why, list, address, its network, what is found.
    type Case<'a> = (&'a str, &'a str, &'a str, Option<u32>, Option<&'a str>);

    fn read(text: &str) -> Result<FileList, FileError> {
        FileList::read("drop", text, Value::of(-10.0), true, &FileLimits::default())
    }

    fn found(list: &FileList, address: &str, asn: Option<u32>) -> Option<String> {
        let now = Moment::of(86_400 * 20_000);
        list.evidence(address.parse().unwrap(), asn, now).map(|evidence| evidence.detail)
    }

    #[test]
    fn addresses_and_networks_are_found() {
        let cases: &[Case<'_>] = &[
            ("the narrowest range is the reason", DROP, "192.0.2.1", None, Some("192.0.2.0/25 (SBL1)")),
            ("the wider one beyond it", DROP, "192.0.2.128", None, Some("192.0.2.0/24 (SBL2)")),
            ("next to it", DROP, "192.0.3.0", None, None),
            ("an IPv4 address written as IPv6", DROP, "::ffff:192.0.2.128", None, Some("192.0.2.0/24 (SBL2)")),
            ("IPv6", DROP, "2001:db8:8000::1", None, Some("2001:db8:8000::/33 (SBL3)")),
            ("IPv6 next to it", DROP, "2001:db8:7fff::1", None, None),
            ("a network", ASN_DROP, "203.0.113.1", Some(64_500), Some("network AS64500 (BAD-\"NET\")")),
            ("another network", ASN_DROP, "203.0.113.1", Some(64_501), None),
            ("a network that is not known", ASN_DROP, "203.0.113.1", None, None),
            ("one address", PLAIN, "198.51.100.7", None, Some("198.51.100.7/32")),
            ("a range with a comment", PLAIN, "198.51.100.191", None, Some("198.51.100.128/26 (SBL4)")),
            ("spaces around", PLAIN, "2001:db8::5", None, Some("2001:db8::5/128 (one)")),
            ("a network in a plain list", PLAIN, "203.0.113.1", Some(64_501), Some("network AS64501 (rented)")),
        ];
        for (why, text, address, asn, expected) in cases {
            let list = read(text).unwrap();
            assert_eq!(list.skipped(), (0, [].as_slice()), "{why}");
            assert_eq!(found(&list, address, *asn).as_deref(), *expected, "{why}");
        }
    }

    #[test]
    fn nonsense_is_counted_and_lists_nobody() {
        let cases = [
            ("0.0.0.0/0", "the whole world"),
            ("::/0", "the whole world, IPv6"),
            ("10.0.0.0/7", "wider than an allocation"),
            ("192.0.2.0/33", "longer than an address"),
            ("192.0.2.0/024", "a leading zero"),
            ("192.0.2.0/+24", "a sign"),
            ("192.0.2.0/-1", "below zero"),
            ("192.0.2.0/", "no length"),
            ("192.0.2", "half an address"),
            ("192.0.2.1-192.0.2.9", "a range in another notation"),
            ("AS99999999999", "no network has this number"),
            ("{\"cidr\":7}", "another type"),
            ("{\"cidr\":\"192.0.2.0/24\"", "cut off"),
            ("{}", "an object that says nothing"),
            ("<html><body>403 Forbidden</body></html>", "a web page"),
            ("\u{0}\u{202e}\u{7}", "control characters"),
        ];
        for (line, why) in cases {
            let list = read(&format!("203.0.113.9\n{line}\n")).unwrap();
            assert_eq!((list.len(), list.skipped().0), (1, 1), "{why}");
            assert_eq!(list.skipped().1[0].line, 2, "{why}");
            assert!(list.skipped().1[0].why.chars().all(|c| !c.is_control()), "{why}: shown to people");
            for address in ["192.0.2.1", "8.8.8.8", "2001:db8::1"] {
                assert_eq!(found(&list, address, Some(1)), None, "{why}");
            }
        }
        let long = format!("203.0.113.9\n192.0.2.1 {}\n", "x".repeat(5_000));
        assert_eq!(read(&long).unwrap().skipped().0, 1, "an endless line");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let error = read("<html>\n<body>Too many requests</body>\n").unwrap_err();
        assert!(matches!(&error, FileError::NoList { lines: 2, first } if first == "<html>"), "{error}");
        assert!(read("").unwrap().is_empty(), "an empty list is one");
        assert!(read("# nothing today\n").unwrap().is_empty());
        let tiny = FileLimits { file_bytes: 10, ..FileLimits::default() };
        let error = FileList::read("x", "192.0.2.1\n192.0.2.2\n", Value::of(-1.0), false, &tiny).unwrap_err();
        assert!(matches!(error, FileError::TooLarge { found: 20, allowed: 10 }), "{error}");
        let few = FileLimits { entries: 1, ..FileLimits::default() };
        let error = FileList::read("x", "192.0.2.1\n192.0.2.2\n", Value::of(-1.0), false, &few).unwrap_err();
        assert_eq!(error, FileError::TooMany(1));
    }
}
