//! Reports as something to look at or to feed to other programs: JSON, CSV, aligned text, and the JSON that parsedmarc prints.
//!
//! In: the bytes of a report and where they came from. Out: text, row by row as it is read, so that a report of any size is shown in
//! constant memory. What is refused shows as an object or a line of its own; nothing of it is shown before that, unless it is larger
//! than what can be held back ([`HELD_BYTES`]).

mod csv;
mod failure;
mod json;
mod parsedmarc;
mod text;

use std::io::{self, BufRead, Write};

use serde::Serialize;

use crate::failure::Failure;
use crate::{Limits, Reader, Rejection};

/// Bytes of output that are held back until it is known that the report can be read to its end: some 10,000 rows.
pub const HELD_BYTES: usize = 4 << 20;

/// How a report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a header, a table, the totals, the flaws.
    Text {
        /// Whether results stand out in colour (ANSI escape sequences).
        colour: bool,
    },
    /// One object a line; its fields are listed in the reference.
    Json,
    /// One line a row, under one heading for all reports.
    Csv,
    /// One object a line, in the shape of parsedmarc 11; failure reports in ours. What it looks up elsewhere (names, networks,
    /// countries) is null.
    Parsedmarc,
}

/// Shows reports one after another.
#[derive(Debug)]
pub struct Show<W> {
    out: W,
    format: Format,
    limits: Limits,
    /// Something has been shown already.
    begun: bool,
}

/// Where a report came from.
#[derive(Debug, Clone, Copy, Serialize)]
struct Origin<'a> {
    file: &'a str,
    member: Option<&'a str>,
}

/// Why a report was not shown to its end.
enum Stop {
    Rejected(Rejection),
    Io(io::Error),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::Io(error.into())
    }
}

impl<W: Write> Show<W> {
    /// Shows on `out`, which should be buffered.
    pub fn new(out: W, format: Format, limits: Limits) -> Self {
        Self { out, format, limits, begun: false }
    }

    /// How it shows.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Reads a report and shows it. If it is refused, that is shown, where the format has a place for it, and returned.
    ///
    /// # Errors
    /// Of `out` alone.
    pub fn report(&mut self, file: &str, member: Option<&str>, xml: impl BufRead) -> io::Result<Option<Rejection>> {
        let origin = Origin { file, member };
        self.heading()?;
        let mut held = Held { out: &mut self.out, bytes: Vec::new(), spilled: false };
        let shown = Reader::open(xml, &self.limits).map_err(Stop::Rejected).and_then(|reader| match self.format {
            Format::Text { colour } => text::show(reader, origin, colour, &mut held),
            Format::Json => json::show(reader, origin, &mut held),
            Format::Csv => csv::show(reader, origin, &mut held),
            Format::Parsedmarc => parsedmarc::show(reader, &mut held),
        });
        match shown {
            Ok(()) => held.release().map(|()| None),
            Err(Stop::Io(error)) => Err(error),
            Err(Stop::Rejected(rejection)) if held.spilled => {
                held.release()?;
                self.cut_off(&rejection)?;
                Ok(Some(rejection))
            }
            Err(Stop::Rejected(rejection)) => {
                self.refused(origin, &rejection)?;
                Ok(Some(rejection))
            }
        }
    }

    /// Shows a failure report. It has no rows, so that a table of rows has no place for it.
    ///
    /// # Errors
    /// Of `out` alone.
    pub fn failure(&mut self, file: &str, member: Option<&str>, failure: &Failure) -> io::Result<()> {
        self.heading()?;
        let origin = Origin { file, member };
        match self.format {
            Format::Json | Format::Parsedmarc => failure::as_json(failure, origin, &mut self.out),
            Format::Text { colour } => failure::as_text(failure, origin, colour, &mut self.out),
            Format::Csv => Ok(()),
        }
    }

    /// Shows that something was refused before it could be read as a report.
    ///
    /// # Errors
    /// Of `out` alone.
    pub fn rejected(&mut self, file: &str, member: Option<&str>, rejection: &Rejection) -> io::Result<()> {
        self.heading()?;
        self.refused(Origin { file, member }, rejection)
    }

    /// Gives `out` back.
    ///
    /// # Errors
    /// Of `out` alone.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// What stands before the first report, and between reports.
    fn heading(&mut self) -> io::Result<()> {
        match self.format {
            Format::Csv if !self.begun => csv::heading(&mut self.out)?,
            Format::Text { .. } if self.begun => writeln!(self.out)?,
            _ => {}
        }
        self.begun = true;
        Ok(())
    }

    fn refused(&mut self, origin: Origin<'_>, rejection: &Rejection) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Parsedmarc => json::refused(origin, rejection, &mut self.out),
            Format::Text { colour } => text::refused(origin, rejection, colour, &mut self.out),
            // A table has no place for it; the caller says it elsewhere.
            Format::Csv => Ok(()),
        }
    }

    /// Ends what has been shown in part.
    fn cut_off(&mut self, rejection: &Rejection) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Parsedmarc => json::cut_off(rejection, &mut self.out),
            Format::Text { colour } => text::cut_off(rejection, colour, &mut self.out),
            Format::Csv => Ok(()),
        }
    }
}

/// Holds output back up to a limit.
struct Held<'a> {
    out: &'a mut dyn Write,
    bytes: Vec<u8>,
    spilled: bool,
}

impl Held<'_> {
    fn release(&mut self) -> io::Result<()> {
        self.out.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

impl Write for Held<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        // Once there is too much, what is held is only what makes larger writes of small ones.
        if self.bytes.len() >= if self.spilled { 64 << 10 } else { HELD_BYTES } {
            self.spilled = true;
            self.release()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
