//! Master-file text into a zone (RFC 1035 §5.1), with comments that make DNS misbehave.
//!
//! In: text with `$ORIGIN`, `$TTL`, records, and `;@ servfail NAME [TYPE]`, `;@ timeout NAME [TYPE]`, `;@ delay NAME MILLISECONDS`,
//! `;@ nodata NAME TYPE`, `;@ exists NAME`. Out: a [`Zone`], or the first thing that cannot be read and where. Names are absolute until
//! an `$ORIGIN` says otherwise. Several zones may stand in one text.

use std::time::Duration;

use super::error::{Problem, ZoneError};
use super::lexer::{Entry, Lexer, Word};
use super::{Fault, Zone};
use crate::name::unescape;
use crate::{Data, Name, RecordType};

/// Of records without a time to live where no `$TTL` and no record before them gives one: an hour.
const TTL_DEFAULT: u32 = 3600;

/// RFC 2181 §8: "a minimum value of 0, and a maximum value of 2147483647".
const TTL_MAX: u32 = 2_147_483_647;

/// RFC 1035 §3.3: the longest character-string.
const STRING_OCTETS_MAX: usize = 255;

/// Types whose data is not read: they make a name exist, which is all that matters to those who ask here. The list is that of
/// IANA's registry as far as such records stand in zones.
const OTHER_TYPES: [&str; 32] = [
    "AFSDB",
    "APL",
    "CAA",
    "CDNSKEY",
    "CDS",
    "CERT",
    "CSYNC",
    "DHCID",
    "DNSKEY",
    "DS",
    "HINFO",
    "HIP",
    "HTTPS",
    "IPSECKEY",
    "KEY",
    "KX",
    "LOC",
    "NAPTR",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "OPENPGPKEY",
    "RP",
    "RRSIG",
    "SMIMEA",
    "SPF",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "URI",
    "ZONEMD",
];

/// Where the reader is.
struct Reader<'a, 'z> {
    zone: &'z mut Zone,
    lexer: Lexer<'a>,
    origin: Name,
    ttl_default: Option<u32>,
    ttl_before: Option<u32>,
    owner: Option<Name>,
}

impl Zone {
    /// A zone from master-file text.
    ///
    /// # Errors
    /// The first thing that cannot be read, and where.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let mut zone = Self::new();
        zone.read(text)?;
        Ok(zone)
    }

    /// Adds what a master-file text says.
    ///
    /// # Errors
    /// The first thing that cannot be read, and where; what stands before it has been added.
    pub fn read(&mut self, text: &str) -> Result<(), ZoneError> {
        let lexer = Lexer::new(text);
        let mut reader =
            Reader { zone: self, lexer, origin: Name::root(), ttl_default: None, ttl_before: None, owner: None };
        while let Some(entry) = reader.lexer.entry()? {
            reader.entry(&entry)?;
        }
        Ok(())
    }
}

/// The words of an entry that are still to be read.
struct Rest<'w, 'a> {
    words: std::slice::Iter<'w, Word<'a>>,
    end: usize,
}

impl<'a> Reader<'a, '_> {
    fn entry(&mut self, entry: &Entry<'a>) -> Result<(), ZoneError> {
        let end = entry.words.last().map_or(entry.start, |word| word.span.end);
        let mut rest = Rest { words: entry.words.iter(), end };
        if entry.directive {
            return self.misbehave(&mut rest);
        }
        match &entry.words[..] {
            [first, ..] if !first.quoted && !entry.indented && first.text.starts_with('$') => self.control(&mut rest),
            _ => self.record(entry, &mut rest),
        }
    }

    fn fail<T>(&self, word: &Word<'_>, problem: Problem) -> Result<T, ZoneError> {
        Err(self.lexer.error(word.span.clone(), problem))
    }

    fn next<'w>(&self, rest: &mut Rest<'w, 'a>, what: &'static str) -> Result<&'w Word<'a>, ZoneError> {
        let end = rest.end;
        rest.words.next().ok_or_else(|| self.lexer.error(end.saturating_sub(1)..end, Problem::Missing(what)))
    }

    fn no_more(&self, rest: &mut Rest<'_, 'a>) -> Result<(), ZoneError> {
        rest.words.next().map_or(Ok(()), |word| self.fail(word, Problem::Extra(word.text.to_owned())))
    }

    fn name(&self, rest: &mut Rest<'_, 'a>, what: &'static str) -> Result<Name, ZoneError> {
        let word = self.next(rest, what)?;
        self.name_in(word)
    }

    fn name_in(&self, word: &Word<'_>) -> Result<Name, ZoneError> {
        Name::parse_relative(word.text, &self.origin).or_else(|why| self.fail(word, Problem::Name(why)))
    }

    fn number(&self, rest: &mut Rest<'_, 'a>, what: &'static str, max: u32) -> Result<u32, ZoneError> {
        let word = self.next(rest, what)?;
        // `u32::from_str` would take a plus sign.
        let digits = word.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = word.text.parse().ok().filter(|number| digits && *number <= max);
        number.map_or_else(|| self.fail(word, Problem::Number { what, found: word.text.to_owned(), max }), Ok)
    }

    /// `$ORIGIN` and `$TTL`.
    fn control(&mut self, rest: &mut Rest<'_, 'a>) -> Result<(), ZoneError> {
        let word = self.next(rest, "a directive")?;
        match word.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => self.origin = self.name(rest, "a name")?,
            "$TTL" => {
                let word = self.next(rest, "a time to live")?;
                let Some(seconds) = ttl(word.text) else {
                    return self.fail(word, Problem::Ttl(word.text.to_owned()));
                };
                self.ttl_default = Some(seconds);
            }
            "$INCLUDE" => return self.fail(word, Problem::NotSupported("$INCLUDE")),
            "$GENERATE" => return self.fail(word, Problem::NotSupported("$GENERATE")),
            _ => return self.fail(word, Problem::UnknownDirective(word.text.to_owned())),
        }
        self.no_more(rest)
    }

    /// `;@ …`.
    fn misbehave(&mut self, rest: &mut Rest<'_, 'a>) -> Result<(), ZoneError> {
        let word = self.next(rest, "a directive")?;
        let verb = word.text.to_ascii_lowercase();
        match verb.as_str() {
            "servfail" | "timeout" => {
                let name = self.name(rest, "a name")?;
                let kind = if rest.words.len() > 0 { Some(self.kind(rest)?) } else { None };
                let fault = if verb == "servfail" { Fault::ServFail } else { Fault::Timeout };
                self.zone.fail(&name, kind, fault);
            }
            "delay" => {
                let name = self.name(rest, "a name")?;
                let milliseconds = self.number(rest, "number of milliseconds", u32::MAX)?;
                self.zone.delay(&name, Duration::from_millis(milliseconds.into()));
            }
            "nodata" => {
                let name = self.name(rest, "a name")?;
                let kind = self.kind(rest)?;
                self.zone.take_away(&name, kind);
            }
            "exists" => {
                let name = self.name(rest, "a name")?;
                self.zone.exists(&name);
            }
            _ => return self.fail(word, Problem::UnknownDirective(format!(";@ {}", word.text))),
        }
        self.no_more(rest)
    }

    fn kind(&self, rest: &mut Rest<'_, 'a>) -> Result<RecordType, ZoneError> {
        let word = self.next(rest, "a record type")?;
        word.text.parse().or_else(|()| self.fail(word, Problem::UnknownType(word.text.to_owned())))
    }

    /// `[owner] [ttl] [class] type data`; time to live and class in either order.
    fn record(&mut self, entry: &Entry<'a>, rest: &mut Rest<'_, 'a>) -> Result<(), ZoneError> {
        if !entry.indented {
            self.owner = Some(self.name(rest, "a name")?);
        }
        let Some(owner) = self.owner.clone() else {
            return Err(self.lexer.error(entry.start..entry.start + 1, Problem::NoOwner));
        };
        let (mut seconds, mut class) = (None, false);
        let kind = loop {
            let word = self.next(rest, "a record type")?;
            if word.text.eq_ignore_ascii_case("IN") && !class {
                class = true;
            } else if ["CH", "HS", "CS", "ANY"].iter().any(|other| word.text.eq_ignore_ascii_case(other)) {
                return self.fail(word, Problem::Class(word.text.to_owned()));
            } else if seconds.is_none() && word.text.starts_with(|c: char| c.is_ascii_digit()) {
                let Some(found) = ttl(word.text) else {
                    return self.fail(word, Problem::Ttl(word.text.to_owned()));
                };
                seconds = Some(found);
            } else {
                break word;
            }
        };
        // RFC 2308 §4: `$TTL` counts for records without their own; before there was one, the record before (RFC 1035 §5.1).
        let ttl = seconds.or(self.ttl_default).or(self.ttl_before).unwrap_or(TTL_DEFAULT);
        self.ttl_before = Some(ttl);
        let upper = kind.text.to_ascii_uppercase();
        if let Ok(kind) = upper.parse() {
            let data = self.data(kind, rest)?;
            self.no_more(rest)?;
            if !self.zone.may_have(&owner, kind) {
                return Err(self.lexer.error(entry.start..rest.end, Problem::AliasAndOther));
            }
            self.zone.add(&owner, ttl, data);
        } else if upper == "SOA" {
            self.authority(&owner, ttl, rest)?;
        } else if upper == "DNAME" {
            return self.fail(kind, Problem::NotSupported("DNAME"));
        } else if OTHER_TYPES.contains(&upper.as_str()) || unknown_type(&upper) {
            self.zone.exists(&owner);
        } else {
            return self.fail(kind, Problem::UnknownType(kind.text.to_owned()));
        }
        Ok(())
    }

    fn data(&self, kind: RecordType, rest: &mut Rest<'_, 'a>) -> Result<Data, ZoneError> {
        Ok(match kind {
            RecordType::A => {
                let word = self.next(rest, "an IPv4 address")?;
                Data::A(word.text.parse().or_else(|_| self.fail(word, address("IPv4", word)))?)
            }
            RecordType::Aaaa => {
                let word = self.next(rest, "an IPv6 address")?;
                Data::Aaaa(word.text.parse().or_else(|_| self.fail(word, address("IPv6", word)))?)
            }
            RecordType::Txt => self.text(rest)?,
            RecordType::Mx => {
                let preference = self.number(rest, "preference", u16::MAX.into())?;
                let preference = u16::try_from(preference).unwrap_or(u16::MAX); // bounded by the line above
                Data::Mx(preference, self.name(rest, "a host")?)
            }
            RecordType::Ptr => Data::Ptr(self.name(rest, "a name")?),
            RecordType::Cname => Data::Cname(self.name(rest, "a name")?),
            RecordType::Ns => Data::Ns(self.name(rest, "a host")?),
        })
    }

    fn text(&self, rest: &mut Rest<'_, 'a>) -> Result<Data, ZoneError> {
        let mut joined = Vec::new();
        let (mut strings, mut span) = (0, 0..0);
        for word in rest.words.by_ref() {
            let before = joined.len();
            let mut bytes = word.text.as_bytes();
            while let Some(octet) = unescape(bytes).or_else(|_| self.fail(word, Problem::BadEscape))? {
                joined.push(octet.byte);
                bytes = octet.rest;
            }
            if joined.len() - before > STRING_OCTETS_MAX {
                return self.fail(word, Problem::StringTooLong(joined.len() - before));
            }
            span = if strings == 0 { word.span.clone() } else { span.start..word.span.end };
            strings += 1;
        }
        if strings == 0 {
            self.next(rest, "a string")?;
        }
        // Each string has an octet of its own in front.
        if joined.len() + strings > usize::from(u16::MAX) {
            return Err(self.lexer.error(span, Problem::TextTooLong(joined.len() + strings)));
        }
        Ok(Data::Txt(joined.into()))
    }

    /// RFC 2308 §5: answers without records may be kept for the smaller of the SOA's time to live and its last field.
    fn authority(&mut self, owner: &Name, ttl: u32, rest: &mut Rest<'_, 'a>) -> Result<(), ZoneError> {
        self.name(rest, "a primary name server")?;
        self.name(rest, "a mailbox")?;
        self.number(rest, "serial number", u32::MAX)?;
        let mut minimum = 0;
        for what in ["refresh time", "retry time", "expire time", "minimum"] {
            let word = self.next(rest, what)?;
            let seconds = self::ttl(word.text);
            minimum = seconds.map_or_else(|| self.fail(word, Problem::Ttl(word.text.to_owned())), Ok)?;
        }
        self.no_more(rest)?;
        self.zone.negative_ttl(owner, ttl.min(minimum));
        Ok(())
    }
}

fn address(family: &'static str, word: &Word<'_>) -> Problem {
    Problem::Address { family, found: word.text.to_owned() }
}

/// RFC 3597 §5: `TYPE` and its number.
fn unknown_type(upper: &str) -> bool {
    upper.strip_prefix("TYPE").is_some_and(|number| number.parse::<u16>().is_ok())
}

/// Seconds, or numbers with units as name servers take them: `1w2d3h4m5s`.
fn ttl(text: &str) -> Option<u32> {
    let mut total: u32 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest.get(..digits)?.parse().ok()?;
        let unit = rest[digits..].chars().next();
        let seconds = match unit.map(|unit| unit.to_ascii_lowercase()) {
            None if digits == text.len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = &rest[digits + unit.map_or(0, char::len_utf8)..];
    }
    (!text.is_empty() && total <= TTL_MAX).then_some(total)
}
