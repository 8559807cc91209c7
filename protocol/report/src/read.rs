//! The streaming reader of DMARC aggregate reports: strangers' bytes in, a header and then one row after another out.
//!
//! It reads both generations, in any encoding reporters use, in constant memory whatever the number of rows. What is odd but clear is
//! taken in and noted as a [`crate::Flaw`]; what cannot be trusted is refused by name as a [`Rejection`]. It opens no containers
//! (see `package`) and holds no opinion on the content. RFC 7489 §7.2 and Appendix C, RFC 9990 §3.

mod domain;
mod flaws;
mod header;
mod input;
mod leaf;
mod limits;
mod markup;
mod name;
mod record;
mod scan;
mod tag;
mod tally;
mod text;
mod words;

use std::collections::VecDeque;
use std::io::BufRead;

pub use limits::Limits;

use self::header::Header;
use self::markup::Markup;
use self::name::Name;
use self::record::Outcome;
use self::tally::Tally;
use crate::identity::Content;
use crate::{Finished, FlawKind, Rejection, RejectionKind, Report, Row, Text};

/// A report being read.
///
/// [`Reader::open`] reads the header; [`Reader::next_row`] each row; [`Reader::finish`] says what is known at the end. A rejection may
/// come at any of these: rows read before it must then be thrown away.
pub struct Reader<R> {
    xml: Markup<R>,
    limits: Limits,
    report: Report,
    /// Rows that stood before the header.
    held: VecDeque<Row>,
    /// A `<record>` has been opened and not yet read.
    record_open: bool,
    ended: bool,
    failed: Option<Rejection>,
    bad_rows: u64,
    empty_rows: u64,
    tally: Tally,
    content: Content,
}

impl<R: BufRead> Reader<R> {
    /// Reads up to the first row, so that [`Reader::report`] is complete.
    ///
    /// # Errors
    /// Any of the [`RejectionKind`]s, also one that `input` gave as the inner error of its `io::Error`.
    pub fn open(input: R, limits: &Limits) -> Result<Self, Rejection> {
        let mut xml = Markup::open(input, limits)?;
        xml.find_report()?;
        let mut header = Header::default();
        let mut held = VecDeque::new();
        let (mut bad_rows, mut empty_rows) = (0, 0);
        let mut record_open = false;
        let mut ended = false;
        loop {
            match xml.child(Name::Feedback)? {
                None => {
                    ended = true;
                    break;
                }
                Some(Name::Record) if header.is_complete() => {
                    record_open = true;
                    break;
                }
                Some(Name::Record) => {
                    let mut row = Row::default();
                    xml.flaws.row += 1;
                    xml.flaws.note(FlawKind::RowsBeforeHeader, None);
                    match record::read(&mut xml, &mut row, limits)? {
                        Outcome::Good => held.push_back(row),
                        Outcome::Bad => bad_rows += 1,
                        Outcome::Empty => empty_rows += 1,
                    }
                    if xml.input.passed() > limits.part_bytes {
                        return Err(header_too_late(limits.part_bytes));
                    }
                }
                Some(name) => header.part(&mut xml, name)?,
            }
        }
        header.close(&mut xml)?;
        let report = header.report;
        if report.interval.end > limits.latest {
            return Err(in_the_future(report.interval.end));
        }
        let content = Content::of(&report);
        let tally = Tally::new(limits.sources);
        let limits = limits.clone();
        let mut reader =
            Self { xml, limits, report, held, record_open, ended, failed: None, bad_rows, empty_rows, tally, content };
        if ended {
            reader.xml.drain()?;
        }
        Ok(reader)
    }

    /// The header.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The first namespace that the root element names.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.xml.namespace.as_deref()
    }

    /// Reads the next row into `row`, using its strings and lists again. False after the last one.
    ///
    /// # Errors
    /// As [`Reader::open`]; once refused, a report stays refused.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool, Rejection> {
        if let Some(rejection) = &self.failed {
            return Err(rejection.clone());
        }
        let result = self.advance(row);
        if let Err(rejection) = &result {
            self.failed = Some(rejection.clone());
        }
        result
    }

    fn advance(&mut self, row: &mut Row) -> Result<bool, Rejection> {
        if let Some(held) = self.held.pop_front() {
            *row = held;
            self.take(row);
            return Ok(true);
        }
        while self.find_record()? {
            self.xml.flaws.row += 1;
            if self.xml.flaws.row > self.limits.rows {
                return Err(too_many_rows(self.limits.rows));
            }
            match record::read(&mut self.xml, row, &self.limits)? {
                Outcome::Good => {
                    self.take(row);
                    return Ok(true);
                }
                Outcome::Bad => self.bad_rows += 1,
                Outcome::Empty => self.empty_rows += 1,
            }
        }
        if self.tally.totals.rows == 0 && self.bad_rows > 0 {
            return Err(all_rows_invalid(self.bad_rows));
        }
        Ok(false)
    }

    /// Goes to the start of the next row; false at the end of the report.
    fn find_record(&mut self) -> Result<bool, Rejection> {
        if std::mem::take(&mut self.record_open) {
            return Ok(true);
        }
        while !self.ended {
            match self.xml.child(Name::Feedback)? {
                Some(Name::Record) => return Ok(true),
                Some(Name::Unknown) => self.xml.skip(Name::Unknown)?,
                Some(name @ (Name::Version | Name::ReportMetadata | Name::PolicyPublished)) => {
                    self.xml.flaws.note(FlawKind::RepeatedElement, Some(name.word()));
                    self.xml.skip(name)?;
                }
                Some(name) => self.xml.misplaced(name)?,
                None => {
                    self.ended = true;
                    self.xml.drain()?;
                }
            }
        }
        Ok(false)
    }

    /// Counts a row that is about to be given out.
    fn take(&mut self, row: &mut Row) {
        if row.author_domain.is_empty() {
            // The policy domain is the author domain or above it: nearer to the truth than nothing.
            row.author_domain.push_str(&self.report.policy.domain);
        }
        self.tally.add(row);
        self.content.row(row);
    }

    /// What is known at the end. Rows not read yet are read, and count.
    ///
    /// # Errors
    /// As [`Reader::next_row`].
    pub fn finish(mut self) -> Result<Finished, Rejection> {
        let mut row = Row::default();
        while self.next_row(&mut row)? {}
        Ok(Finished {
            identity: self.content.finish(&self.report),
            flaws: self.xml.flaws.into_list(),
            totals: self.tally.totals,
            bad_rows: self.bad_rows + self.empty_rows,
        })
    }
}

impl<R: BufRead> Markup<R> {
    /// Reads over a known element where it has no business.
    fn misplaced(&mut self, name: Name) -> Result<(), Rejection> {
        self.flaws.note(FlawKind::MisplacedElement, Some(name.word()));
        self.skip(name)
    }

    /// Reads a text that may stand once.
    fn first_text(&mut self, name: Name, slot: &mut Text) -> Result<(), Rejection> {
        let (text, flaws) = self.leaf(name)?;
        if slot.is_empty() {
            slot.push_str(text);
        } else {
            flaws.note(FlawKind::RepeatedElement, Some(name.word()));
        }
        Ok(())
    }

    /// Reads a text that may stand once or not at all; an empty one says nothing.
    fn first_option(&mut self, name: Name, slot: &mut Option<Text>) -> Result<(), Rejection> {
        let (text, flaws) = self.leaf(name)?;
        if slot.is_some() {
            flaws.note(FlawKind::RepeatedElement, Some(name.word()));
        } else if !text.is_empty() {
            *slot = Some(Text::new(text));
        }
        Ok(())
    }
}

fn too_many_rows(max: u64) -> Rejection {
    Rejection::new(RejectionKind::TooManyRows, format!("The report has more than the {max} rows that are allowed."))
}

fn in_the_future(end: i64) -> Rejection {
    Rejection::new(
        RejectionKind::ImplausibleTime,
        format!(
            "The report is about time until {}, which has not come yet. If the clock of this machine is right, ask the reporter \
             to correct theirs.",
            crate::Day::of(end)
        ),
    )
}

fn header_too_late(max: u64) -> Rejection {
    Rejection::new(
        RejectionKind::HeaderAfterRows,
        format!(
            "Rows of more than {max} bytes come before the report's metadata and policy, which have to be known first. \
             Ask the reporter to keep the order of the standard."
        ),
    )
}

fn all_rows_invalid(rows: u64) -> Rejection {
    Rejection::new(
        RejectionKind::AllRowsInvalid,
        format!(
            "Not one of the report's {rows} rows can be counted: each lacks a valid source_ip or count. \
             Ask the reporter to correct it."
        ),
    )
}
