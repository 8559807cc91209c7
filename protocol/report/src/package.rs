//! The opener of containers: finds the reports in whatever arrived, by content and never by name or label.
//!
//! In: the bytes of one item, as a stream: XML, gzip (also gzip in gzip), a zip archive, a mail, a mailbox, or any of these inside
//! another.
//! Out: a call for each aggregate report with its XML as a stream, for each failure report as it was read, or with the reason why
//! one cannot be had. Nothing is written anywhere and no stated size is believed; XML and gzip pass through in constant memory,
//! mails and zip archives are held.
//!
//! A message inside a failure report, or inside a bounce, is a stranger's and is not opened: who sends a message with an aggregate
//! report in it to where it fails would else have it delivered by a reporter that everybody trusts.
//!
//! A limit is met either here, which makes a [`Found::Rejected`], or while the XML is read: then the read fails with an
//! [`io::Error`] that carries the [`Rejection`] (see [`Rejection::carried`]).
//!
//! RFC 7489 §7.2.1.1 (mail with a gzip attachment), RFC 1952, PKWARE APPNOTE 6.3; the deviations are those that
//! reporters really have.

mod gzip;
mod meter;
mod sniff;
mod zip;

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use crate::failure::{self, Failure};
use crate::{Rejection, RejectionKind};
use message::Step;
use meter::{Decompress, Expanded, Meter, Source};
use sniff::{Kind, SNIFFED_BYTES};

/// What an item may cost. The defaults accept every report seen in the wild and one of seven million rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageLimits {
    /// Bytes that one item may have or expand to, all its members together. A report of a million rows is 600 MB; this is seven
    /// times that, and some ten seconds of work.
    pub expanded_bytes: u64,
    /// How many bytes may come out for each byte that goes in. Deflate copies at most 258 bytes with one symbol and must then say
    /// how far back they lie, which for rows of a report, a few hundred bytes long, takes nine bits or more: even a report that
    /// repeats one row for ever stays below 230 to 1. Real ones are between 10 and 100 to 1; a run of a single byte, which is
    /// what bombs are made of, reaches 1,030 to 1.
    pub ratio: u64,
    /// Below this many bytes the ratio is not looked at: what little there is may be padding.
    pub ratio_from_bytes: u64,
    /// Members of one archive, gzip members included. Reports come one to an archive; this leaves room for a month of a large
    /// company's, zipped by hand.
    pub members: u64,
    /// Containers inside each other. A mail forwarded twice with gzip in gzip in zip has six.
    pub depth: u32,
    /// Bytes of mails, zip archives and decoded attachments that are in memory at the same time for one item. Mail servers take
    /// mails of 25 to 50 MB; a zipped report of a million rows is 20 MB.
    pub held_bytes: usize,
    /// Parts of one mail, and their nesting.
    pub mail: message::Limits,
    /// What a failure report may hold.
    pub failure: failure::Limits,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self {
            expanded_bytes: 4 << 30,
            ratio: 300,
            ratio_from_bytes: 1 << 20,
            members: 10_000,
            depth: 8,
            held_bytes: 96 << 20,
            mail: message::Limits::default(),
            failure: failure::Limits::default(),
        }
    }
}

/// Something found in an item.
pub enum Found<'a> {
    /// What may be an aggregate report.
    Report {
        /// The path inside the item, `archive.zip/report.xml`, where it is not the item itself. For people; cut and made printable.
        member: Option<&'a str>,
        /// Its bytes, in the encoding it came in.
        xml: &'a mut dyn BufRead,
    },
    /// A failure report.
    Failure {
        /// The path inside the item, as above.
        member: Option<&'a str>,
        /// What it says.
        failure: Box<Failure>,
    },
    /// What cannot be read, or, once and without a member, an item in which there is nothing.
    Rejected {
        /// As above.
        member: Option<&'a str>,
        /// Why.
        rejection: Rejection,
    },
}

/// Opens an item and calls `visit` for every candidate in it, in order, and at least once.
///
/// # Errors
/// Only an error of `item` itself. What was visited before stays visited, but the item was not read to its end. Everything that is
/// wrong with the bytes is a [`Found::Rejected`].
pub fn open(item: &mut dyn BufRead, limits: &PackageLimits, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<()> {
    let meter = Meter::new(limits);
    let mut source = Source { inner: item, meter: &meter };
    let mut opener = Opener { meter: &meter, visit, found: false, seen: Vec::new() };
    let result = opener.open(Input::Stream(&mut source), None, 0);
    opener.settle(result, None)?;
    if !opener.found {
        let message = match &opener.seen[..] {
            [] => "There is no report in it: it is an archive without members, or a mail about another one.".to_owned(),
            ["nothing at all"] => "There is nothing in it.".to_owned(),
            seen => format!("There is no report in it, only {}.", seen.join(", ")),
        };
        opener.reject(None, Rejection::new(RejectionKind::NoReport, message));
    }
    Ok(())
}

/// Bytes on their way to be looked at: those in memory are not copied again.
enum Input<'a> {
    Stream(&'a mut dyn BufRead),
    Held(&'a [u8]),
}

impl<'a> Input<'a> {
    fn hold(self, meter: &Meter<'_>, what: &str) -> io::Result<Cow<'a, [u8]>> {
        match self {
            Self::Stream(stream) => meter.hold(stream, what).map(Cow::Owned),
            Self::Held(bytes) => Ok(Cow::Borrowed(bytes)),
        }
    }
}

struct Opener<'m, 'v> {
    meter: &'m Meter<'m>,
    visit: &'v mut dyn FnMut(Found<'_>),
    /// Whether anything was visited.
    found: bool,
    /// What else there was, for the sentence that says so.
    seen: Vec<&'static str>,
}

impl Opener<'_, '_> {
    /// Looks at how the bytes begin and goes on with them. An error is the item's own, or carries a rejection of this member.
    fn open(&mut self, input: Input<'_>, member: Option<&str>, depth: u32) -> io::Result<()> {
        if depth > self.meter.limits.depth {
            let message = format!("Containers are inside each other more than {} deep.", self.meter.limits.depth);
            return Err(Rejection::new(RejectionKind::NestingLimit, message).into());
        }
        match input {
            Input::Held(bytes) => {
                let kind = sniff::kind(&bytes[..bytes.len().min(SNIFFED_BYTES)]);
                self.open_kind(kind, Input::Held(bytes), member, depth)
            }
            Input::Stream(stream) => {
                let mut beginning = Vec::with_capacity(SNIFFED_BYTES);
                stream.take(SNIFFED_BYTES as u64).read_to_end(&mut beginning)?;
                let kind = sniff::kind(&beginning);
                self.open_kind(kind, Input::Stream(&mut beginning.chain(stream)), member, depth)
            }
        }
    }

    fn open_kind(&mut self, kind: Kind, input: Input<'_>, member: Option<&str>, depth: u32) -> io::Result<()> {
        match (kind, input) {
            (Kind::Report, Input::Stream(xml)) => self.report(member, xml),
            (Kind::Report, Input::Held(mut xml)) => self.report(member, &mut xml),
            (Kind::Gzip, Input::Stream(stream)) => {
                let members = gzip::Members::new(stream, self.meter.limits.members);
                self.expand(members, "gzip data", member, depth)
            }
            (Kind::Gzip, Input::Held(bytes)) => {
                let members = gzip::Members::new(bytes, self.meter.limits.members);
                self.expand(members, "gzip data", member, depth)
            }
            (Kind::Zip, input) => {
                let bytes = input.hold(self.meter, "The zip archive")?;
                self.holding(&bytes, |opener| opener.zip(&bytes, member, depth))
            }
            (Kind::Mail, input) => {
                let bytes = input.hold(self.meter, "The mail")?;
                self.holding(&bytes, |opener| opener.mail(&bytes, member, depth))
            }
            (Kind::Mailbox, Input::Stream(stream)) => self.mailbox(stream, member, depth),
            (Kind::Mailbox, Input::Held(mut bytes)) => self.mailbox(&mut bytes, member, depth),
            (Kind::Base64, input) => {
                let text = input.hold(self.meter, "The base64 text")?;
                let bytes = Cow::Owned(message::base64(&text));
                drop(text);
                self.holding(&bytes, |opener| opener.open(Input::Held(&bytes), member, depth + 1))
            }
            (Kind::Other(what), _) => {
                if !self.seen.contains(&what) {
                    self.seen.push(what);
                }
                Ok(())
            }
        }
    }

    /// Counts copies in memory while they are looked into; what is borrowed was counted by its owner.
    #[expect(clippy::ptr_arg, reason = "whether the bytes are borrowed is what is asked")]
    fn holding<T>(&mut self, bytes: &Cow<'_, [u8]>, during: impl FnOnce(&mut Self) -> T) -> T {
        let copied = if matches!(bytes, Cow::Owned(_)) { bytes.len() } else { 0 };
        let meter = self.meter;
        meter.holding(copied, || during(self))
    }

    fn report(&mut self, member: Option<&str>, xml: &mut dyn BufRead) -> io::Result<()> {
        self.found = true;
        (self.visit)(Found::Report { member, xml });
        self.meter.check_source()
    }

    fn reject(&mut self, member: Option<&str>, rejection: Rejection) {
        self.found = true;
        (self.visit)(Found::Rejected { member, rejection });
    }

    /// Makes a rejection that came as an error one of this member, so that the next is looked at all the same.
    fn settle(&mut self, result: io::Result<()>, member: Option<&str>) -> io::Result<()> {
        self.meter.check_source()?;
        if let Err(error) = result {
            self.reject(member, Rejection::carried(error)?);
        }
        Ok(())
    }

    fn expand(
        &mut self,
        from: impl Decompress,
        what: &'static str,
        member: Option<&str>,
        depth: u32,
    ) -> io::Result<()> {
        let expanded = Expanded { decompressor: from, meter: self.meter, what, given: 0 };
        let mut expanded = BufReader::with_capacity(64 << 10, expanded);
        self.open(Input::Stream(&mut expanded), member, depth + 1)
    }

    fn zip(&mut self, bytes: &[u8], member: Option<&str>, depth: u32) -> io::Result<()> {
        let limit = self.meter.limits.members;
        let too_many = || {
            let message =
                format!("The zip archive has more than the {limit} members that are allowed. Unpack it first.");
            Rejection::new(RejectionKind::MemberLimit, message)
        };
        let archive = zip::Archive::open(bytes)?;
        if archive.stated_members > limit {
            return Err(too_many().into());
        }
        for (number, entry) in (1..).zip(archive.members()) {
            if number > limit {
                return Err(too_many().into());
            }
            let entry = entry?;
            if entry.name.ends_with(b"/") {
                continue;
            }
            let path = path(member, &String::from_utf8_lossy(entry.name));
            let result = if entry.encrypted {
                let message = "It is encrypted, which reports never are. Ask the sender what it is.";
                Err(Rejection::new(RejectionKind::Encrypted, message).into())
            } else {
                entry
                    .content()
                    .map_err(Into::into)
                    .and_then(|content| self.expand(content, "zip data", Some(&path), depth))
            };
            self.settle(result, Some(&path))?;
        }
        Ok(())
    }

    fn mailbox(&mut self, input: &mut dyn BufRead, member: Option<&str>, depth: u32) -> io::Result<()> {
        let limit = self.meter.limits.members;
        let mut mailbox = message::Mailbox::new(input);
        for number in 1.. {
            if !mailbox.next_message()? {
                break;
            }
            if number > limit {
                let message =
                    format!("The mailbox has more than the {limit} messages that are allowed here. Unpack it first.");
                return Err(Rejection::new(RejectionKind::MemberLimit, message).into());
            }
            let path = path(member, &format!("message {number}"));
            let result = self.meter.hold(&mut mailbox, "The mail").map(Cow::Owned);
            let result =
                result.and_then(|bytes| self.holding(&bytes, |opener| opener.mail(&bytes, Some(&path), depth + 1)));
            self.settle(result, Some(&path))?;
        }
        Ok(())
    }

    /// Passes on the failure reports of a mail. False if it is no such mail.
    fn failures(&mut self, bytes: &[u8], member: Option<&str>) -> bool {
        let Some(all) = failure::read(bytes, &self.meter.limits.failure) else { return false };
        let several = all.len() > 1;
        for (number, read) in (1..).zip(all) {
            let numbered = several.then(|| path(member, &format!("failure report {number}")));
            let member = numbered.as_deref().or(member);
            match read {
                Ok(failure) => {
                    self.found = true;
                    (self.visit)(Found::Failure { member, failure: Box::new(failure) });
                }
                Err(rejection) => self.reject(member, rejection),
            }
        }
        true
    }

    fn mail(&mut self, bytes: &[u8], member: Option<&str>, depth: u32) -> io::Result<()> {
        if self.failures(bytes, member) {
            return Ok(());
        }
        // What a report about a mail carries is the mail it is about.
        let about_another = message::report_type(bytes).is_some();
        let limits = message::Limits { decoded_bytes: self.meter.spare(), ..self.meter.limits.mail };
        let mut broken = None;
        let walked = message::walk(bytes, &limits, &mut |part| {
            let path = part.name.as_deref().map(|name| path(member, name));
            let path = path.as_deref().or(member);
            if part.is_message {
                return if about_another || self.failures(&part.bytes, path) { Step::Over } else { Step::On };
            }
            let result = self.holding(&part.bytes, |opener| opener.open(Input::Held(&part.bytes), path, depth + 1));
            broken = self.settle(result, path).err();
            if broken.is_none() { Step::On } else { Step::Stop }
        });
        if let Some(error) = broken {
            return Err(error);
        }
        walked.map_err(|limit| {
            let kind = match limit {
                message::Error::Parts(_) => RejectionKind::MemberLimit,
                message::Error::Depth(_) => RejectionKind::NestingLimit,
                message::Error::DecodedBytes(_) => RejectionKind::ContainerSizeLimit,
            };
            Rejection::new(kind, limit.to_string()).into()
        })
    }
}

/// A member's name below that of the container it is in: printable, and no longer than anybody reads.
fn path(container: Option<&str>, name: &str) -> String {
    const NAME_CHARACTERS_MAX: usize = 200;
    let mut path = container.map(|container| format!("{container}/")).unwrap_or_default();
    path.extend(name.chars().take(NAME_CHARACTERS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }));
    path
}
