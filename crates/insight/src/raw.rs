//! The XML behind a report: read again from the raw copy of the item it came in.
//!
//! In: the report's number. Out: the start of its XML as written. An item may hold several members of one name; the report's own
//! is the one whose content hashes to what the ledger has noted, wherever it stands among copies and refused ones.

use std::io::{self, BufRead, Read};

use report::package::{self, Found, PackageLimits};
use report::{Limits, Reader, Row};
use store::{Ledger, ReportEntry};

use crate::{Error, RawXml};

/// The XML behind a report, at most so many bytes of it; `None` if there is no report with that number.
///
/// # Errors
/// When the ledger or the raw copy cannot be read.
pub fn raw_xml(ledger: &Ledger, id: u64, bytes_max: usize) -> Result<Option<RawXml>, Error> {
    let Some(entry) = ledger.report(id)? else { return Ok(None) };
    let failed = |source| Error::Raw { report: id, source };
    let mut first = None;
    let mut members = 0;
    named(ledger, &entry, &mut |xml| {
        members += 1;
        if members == 1 {
            first = Some(start(xml, bytes_max)?);
        }
        Ok(())
    })?
    .map_err(failed)?;
    if members < 2
        && let Some(found) = first
    {
        return Ok(Some(found));
    }
    let mut own = None;
    named(ledger, &entry, &mut |xml| {
        if own.is_none() {
            let mut kept = Kept { from: xml, bytes: Vec::new(), bytes_max };
            if content(&mut kept) == Some(entry.content) {
                kept.rest()?;
                own = Some(kept.raw());
            }
        }
        Ok(())
    })?
    .map_err(failed)?;
    own.map(Some).ok_or_else(|| failed(io::Error::new(io::ErrorKind::NotFound, "the item no longer holds this report")))
}

/// Calls `each` with every member of the report's item that has the report's member name; stops at its first error.
fn named(
    ledger: &Ledger,
    entry: &ReportEntry,
    each: &mut dyn FnMut(&mut dyn BufRead) -> io::Result<()>,
) -> Result<io::Result<()>, Error> {
    let mut item = ledger.raw(&entry.item)?;
    let mut result = Ok(());
    let opened = package::open(&mut item, &PackageLimits::default(), &mut |candidate| {
        if let Found::Report { member, xml } = candidate
            && member == entry.member.as_deref()
            && result.is_ok()
        {
            result = each(xml);
        }
    });
    Ok(opened.and(result))
}

fn start(xml: &mut dyn BufRead, bytes_max: usize) -> io::Result<RawXml> {
    let mut bytes = Vec::new();
    xml.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    let cut = bytes.len() > bytes_max;
    bytes.truncate(bytes_max);
    Ok(RawXml { bytes, cut })
}

/// The hash of what a report says; `None` where it is none.
fn content(xml: &mut dyn BufRead) -> Option<[u8; 32]> {
    let mut reader = Reader::open(xml, &Limits::default()).ok()?;
    let mut row = Row::default();
    while reader.next_row(&mut row).ok()? {}
    reader.finish().ok().map(|finished| finished.identity.content)
}

/// Remembers the beginning of what is read through it.
struct Kept<'a> {
    from: &'a mut dyn BufRead,
    bytes: Vec<u8>,
    /// Bytes remembered at most, and one more that says there are more.
    bytes_max: usize,
}

impl Kept<'_> {
    /// Reads on until enough is remembered: a reader stops at the report's end, not at the text's.
    fn rest(&mut self) -> io::Result<()> {
        while self.bytes.len() <= self.bytes_max {
            let n = self.fill_buf()?.len();
            if n == 0 {
                break;
            }
            self.consume(n);
        }
        Ok(())
    }

    fn raw(mut self) -> RawXml {
        let cut = self.bytes.len() > self.bytes_max;
        self.bytes.truncate(self.bytes_max);
        RawXml { bytes: self.bytes, cut }
    }
}

impl Read for Kept<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Kept<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        let room = (self.bytes_max + 1).saturating_sub(self.bytes.len());
        if let Ok(ready) = self.from.fill_buf() {
            let read = ready.get(..n).unwrap_or(ready);
            self.bytes.extend_from_slice(read.get(..room).unwrap_or(read));
        }
        self.from.consume(n);
    }
}
