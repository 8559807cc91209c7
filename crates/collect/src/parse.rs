//! One item to the reports in it, row by row.
//!
//! In: an item's bytes. Out: batches of events, in the order in which the ledger wants them. A panic while an item is read is a
//! defect of ours; it becomes a rejection of that item, and the next one is read all the same.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};
use report::failure::{Failure, Sample};
use report::package::{Found, PackageLimits, open};
use report::{Finished, Reader, Rejection, RejectionKind, Report, Row, Text};
use store::{Ledger, RawKey};

use crate::carrier::{Standing, is_mail, session};
use crate::feed::{Content, Item};
use crate::import::Options;
use crate::pipeline::Closed;

/// Rows in a batch at most: few enough to stay in a processor's cache until they are taken in.
const BATCH_ROWS_MAX: usize = 512;

/// Events in a batch at most, for reports without rows and items without reports.
const BATCH_EVENTS_MAX: usize = 1024;

/// Bytes of a batch's rows from which on it is sent. Ordinary rows take a third of a kilobyte; a row may have hundreds of signatures.
const BATCH_BYTES: usize = 1 << 20;

/// What happens to the ledger.
pub(crate) enum Event {
    /// An item begins.
    Item { key: RawKey, origin: String, standing: Option<String> },
    /// A report of the item begins.
    Report(Box<Report>, Option<String>),
    /// As many rows of the report follow in the batch.
    Rows(usize),
    /// The report ends well.
    End(Box<Finished>),
    /// The report ends badly: what came of it is taken back.
    Abandon(Rejection),
    /// What may be kept of a failure report, and its identity.
    Sample(Option<String>, Box<Sample>, [u8; 32]),
    /// The item, or a member of it, is refused.
    Reject(Option<String>, Rejection),
    /// The item ends; it had so many bytes.
    ItemEnd(u64),
    /// An item has come before.
    Repeated { key: RawKey, origin: String, size: u64 },
    /// An item could not be read from where it lay.
    Unreadable(String, Rejection),
    /// The ledger's copy of the item cannot be read.
    Failed(store::Error),
}

/// Events, and the rows they speak of. Sent back when it is spent, so that the rows' memory is used again.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Event>,
    /// Those in use come first; the others are from earlier.
    pub(crate) rows: Vec<Row>,
    /// Rows in use.
    pub(crate) used: usize,
    /// Bytes that the rows in use take, roughly.
    pub(crate) bytes: usize,
}

impl Batch {
    /// Makes it ready to be filled again. False if it has grown too large to be worth keeping.
    pub(crate) fn clear(&mut self) -> bool {
        let small = self.bytes < 2 * BATCH_BYTES;
        self.events.clear();
        (self.used, self.bytes) = (0, 0);
        small
    }
}

/// Reads the items of one group.
pub(crate) struct Reading<'a> {
    ledger: &'a Ledger,
    package: &'a PackageLimits,
    options: &'a Options,
    /// The item came by mail.
    by_mail: bool,
    out: &'a Sender<Batch>,
    spent: &'a Receiver<Batch>,
    batch: Batch,
    /// Rows of the batch that no event speaks of yet.
    rows: usize,
    /// Inside of a report.
    in_report: bool,
    closed: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        ledger: &'a Ledger,
        package: &'a PackageLimits,
        options: &'a Options,
        out: &'a Sender<Batch>,
        spent: &'a Receiver<Batch>,
    ) -> Self {
        let batch = spent.try_recv().unwrap_or_default();
        Self { ledger, package, options, by_mail: false, out, spent, batch, rows: 0, in_report: false, closed: false }
    }

    /// Reads an item.
    pub(crate) fn item(&mut self, Item { origin, size, content }: Item) -> Result<(), Closed> {
        let (ledger, limit) = (self.ledger, self.package.held_bytes as u64);
        match content {
            Content::Unreadable(rejection) => self.push(Event::Unreadable(origin, rejection)),
            Content::Repeated(key) => self.push(Event::Repeated { key, origin, size }),
            Content::Small(key, bytes) => {
                if self.begin(key, origin, || Ok(Cow::Borrowed(&bytes))) {
                    self.read(&mut &bytes[..]);
                }
                self.push(Event::ItemEnd(size));
            }
            Content::Large(key) => match ledger.raw(&key) {
                Err(error) => self.push(Event::Failed(error)),
                Ok(mut bytes) => {
                    if self.begin(key, origin, || held(ledger, &key, limit)) {
                        self.read(&mut bytes);
                    }
                    self.push(Event::ItemEnd(size));
                }
            },
        }
        if self.closed { Err(Closed) } else { Ok(()) }
    }

    /// Begins an item, and says whether it is to be read: mail that nobody stands for is kept, and nothing in it counts.
    fn begin<'b>(
        &mut self,
        key: RawKey,
        origin: String,
        mail: impl FnOnce() -> Result<Cow<'b, [u8]>, store::Error>,
    ) -> bool {
        self.by_mail = is_mail(&origin);
        if !self.by_mail {
            self.push(Event::Item { key, origin, standing: None });
            return true;
        }
        let standing = match self.standing(&key, &origin, mail) {
            Ok(standing) => standing,
            Err(error) => {
                self.push(Event::Failed(error));
                return false;
            }
        };
        self.by_mail = standing != Standing::Vouched;
        let noted = serde_json::to_string(&standing).ok();
        self.push(Event::Item { key, origin, standing: noted });
        let Standing::Unauthenticated { domain, why } = standing else { return true };
        let from = domain.map_or_else(String::new, |domain| format!(" that says it is from {domain}"));
        let message = format!(
            "The mail{from} could be anybody's, so its reports are kept and not counted: {why}. If you know that they are \
             genuine, take them in with `lamppost accept {key}`."
        );
        self.push(Event::Reject(None, Rejection::new(RejectionKind::UnauthenticatedReporter, message)));
        false
    }

    /// What was found when it came, or is found now.
    fn standing<'b>(
        &self,
        key: &RawKey,
        origin: &str,
        mail: impl FnOnce() -> Result<Cow<'b, [u8]>, store::Error>,
    ) -> Result<Standing, store::Error> {
        let noted = self.ledger.standing(key)?.and_then(|noted| serde_json::from_str(&noted).ok());
        if let Some(noted) = noted {
            return Ok(noted);
        }
        let Some(judge) = &self.options.judge else {
            let why = "nobody has looked at it yet".to_owned();
            return Ok(Standing::Unauthenticated { domain: None, why });
        };
        Ok(judge.judge(&mail()?, &session(origin)))
    }

    /// Sends what is left.
    pub(crate) fn finish(mut self) -> Result<(), Closed> {
        self.send();
        if self.closed { Err(Closed) } else { Ok(()) }
    }

    fn read(&mut self, bytes: &mut dyn BufRead) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            open(bytes, self.package, &mut |found| {
                if self.closed {
                    return;
                }
                match found {
                    Found::Report { member, xml } => self.report(member, xml),
                    Found::Failure { member, failure } => self.failure(member, &failure),
                    Found::Rejected { member, rejection } => {
                        self.push(Event::Reject(member.map(str::to_owned), rejection));
                    }
                }
            })
        }));
        match result {
            Ok(Ok(())) => {}
            // The item is read from memory or from the ledger, so this is the ledger's failure.
            Ok(Err(source)) => self.push(Event::Failed(store::Error::Item { origin: "the ledger".to_owned(), source })),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                let message = format!(
                    "A defect of this program was met ({text}). Its raw copy is kept: please report this with the file, \
                     and run `lamppost rebuild` with a later version."
                );
                let rejection = Rejection::new(RejectionKind::InternalError, message);
                self.push(if self.in_report { Event::Abandon(rejection) } else { Event::Reject(None, rejection) });
            }
        }
    }

    /// Whether a domain is, or lies below, one of ours; where none are named, all are.
    fn is_ours(&self, domain: &str) -> bool {
        let below = |ours: &String| {
            let rest = domain.len().checked_sub(ours.len()).and_then(|at| domain.split_at_checked(at));
            rest.is_some_and(|(head, tail)| tail.eq_ignore_ascii_case(ours) && (head.is_empty() || head.ends_with('.')))
        };
        self.options.domains.is_empty() || self.options.domains.iter().any(below)
    }

    fn failure(&mut self, member: Option<&str>, failure: &Failure) {
        let member = member.map(str::to_owned);
        let about = &failure.report.author.domain;
        if self.by_mail && !self.is_ours(about) {
            return self.push(Event::Reject(member, foreign(about)));
        }
        self.push(Event::Sample(member, Box::new(Sample::of(failure)), failure.content));
    }

    fn report(&mut self, member: Option<&str>, xml: &mut dyn BufRead) {
        let member = member.map(str::to_owned);
        let mut reader = match Reader::open(xml, &self.options.report) {
            Ok(reader) => reader,
            Err(rejection) => return self.push(Event::Reject(member, rejection)),
        };
        let about = &reader.report().policy.domain;
        if self.by_mail && !self.is_ours(about) {
            let rejection = foreign(about);
            return self.push(Event::Reject(member, rejection));
        }
        self.push(Event::Report(Box::new(reader.report().clone()), member));
        self.in_report = true;
        let end = loop {
            if self.closed {
                return;
            }
            if self.batch.used == self.batch.rows.len() {
                self.batch.rows.push(Row::default());
            }
            let row = &mut self.batch.rows[self.batch.used];
            match reader.next_row(row) {
                Ok(true) => {
                    self.batch.bytes += weight(row);
                    self.batch.used += 1;
                    self.rows += 1;
                    if self.batch.used >= BATCH_ROWS_MAX || self.batch.bytes >= BATCH_BYTES {
                        self.send();
                    }
                }
                Ok(false) => {
                    break reader.finish().map_or_else(Event::Abandon, |finished| Event::End(Box::new(finished)));
                }
                Err(rejection) => break Event::Abandon(rejection),
            }
        };
        self.push(end);
    }

    fn push(&mut self, event: Event) {
        self.in_report = false;
        self.count_rows();
        self.batch.events.push(event);
        if self.batch.events.len() >= BATCH_EVENTS_MAX {
            self.send();
        }
    }

    fn count_rows(&mut self) {
        if self.rows > 0 {
            self.batch.events.push(Event::Rows(std::mem::take(&mut self.rows)));
        }
    }

    fn send(&mut self) {
        self.count_rows();
        if self.batch.events.is_empty() {
            return;
        }
        let next = self.spent.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.batch, next);
        self.closed |= self.out.send(full).is_err();
    }
}

fn foreign(about: &str) -> Rejection {
    let message =
        format!("It is about {about}, which is none of our domains: add it to `organisation.domains` if it is one.");
    Rejection::new(RejectionKind::ForeignDomain, message)
}

/// A large item in memory, as far as mail may be large: of what is larger the reading says so.
fn held(ledger: &Ledger, key: &RawKey, limit: u64) -> Result<Cow<'static, [u8]>, store::Error> {
    let mut bytes = Vec::new();
    let read = ledger.raw(key)?.take(limit).read_to_end(&mut bytes);
    read.map_err(|source| store::Error::Item { origin: "the ledger".to_owned(), source })?;
    Ok(Cow::Owned(bytes))
}

/// Bytes that a row takes, roughly.
fn weight(row: &Row) -> usize {
    let mut text = 0;
    for dkim in &row.dkim {
        text += size_of_val(dkim) + dkim.human_result.as_ref().map_or(0, Text::len) + dkim.domain.len();
    }
    for spf in &row.spf {
        text += size_of_val(spf) + spf.human_result.as_ref().map_or(0, Text::len) + spf.domain.len();
    }
    for reason in &row.overrides {
        text += size_of_val(reason) + reason.comment.as_ref().map_or(0, Text::len);
    }
    size_of::<Row>() + text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes at whose end the program's own defect is met.
    struct Defect<'a>(&'a [u8]);

    impl std::io::Read for Defect<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.fill_buf()?.read(into)?;
            self.consume(count);
            Ok(count)
        }
    }

    impl BufRead for Defect<'_> {
        fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
            assert!(!self.0.is_empty(), "a defect");
            Ok(self.0)
        }

        fn consume(&mut self, amount: usize) {
            self.0 = &self.0[amount..];
        }
    }

    #[test]
    fn a_panic_refuses_the_item_and_the_next_one_is_read() {
        let row = "<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>";
        let report = format!(
            "<feedback><report_metadata><org_name>a</org_name><report_id>1</report_id><date_range><begin>1700000000</begin>\
             <end>1700086399</end></date_range></report_metadata><policy_published><domain>b.example</domain><p>none</p>\
             </policy_published>{}",
            row.repeat(2_000)
        );
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        let (package, options) = (PackageLimits::default(), Options::default());
        let (out, results) = crossbeam_channel::unbounded();
        let (_give_back, spent) = crossbeam_channel::bounded(1);
        let mut reading = Reading::new(&ledger, &package, &options, &out, &spent);
        // In the middle of the rows, before anything is known, and not at all.
        reading.read(&mut Defect(report.as_bytes()));
        reading.read(&mut Defect(b""));
        reading.read(&mut format!("{report}</feedback>").as_bytes());
        assert!(reading.finish().is_ok());
        drop(out);
        let mut seen = String::new();
        for event in results.into_iter().flat_map(|batch| batch.events) {
            seen += match event {
                Event::Report(..) => "report ",
                Event::Rows(_) => "",
                Event::Abandon(r) if r.kind == RejectionKind::InternalError && r.message.contains("a defect") => {
                    "abandon "
                }
                Event::Reject(None, r) if r.kind == RejectionKind::InternalError => "reject ",
                Event::End(finished) if finished.totals.rows == 2_000 => "end ",
                _ => "other ",
            };
        }
        assert_eq!(seen, "report abandon reject report end ");
    }
}
