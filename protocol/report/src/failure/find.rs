//! Whether a mail is a failure report, and which of its parts are what.
//!
//! In: the bytes of a mail. Out: its text, and for each report in it the bytes of its feedback and of the header of the message that
//! failed. What is found in that message is never looked into: it is the work of whoever made it fail. RFC 5965 §2.

use memchr::memmem;
use message::{Part, Step};

use super::{Limits, Shape, plain};

/// What is in a mail with failure reports.
pub(super) struct Found {
    /// The text for people, all parts of it.
    pub(super) text: Vec<u8>,
    /// The reports, in order; at least one.
    pub(super) reports: Vec<Parts>,
}

/// The parts of one report.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) shape: Shape,
    pub(super) feedback: Option<Vec<u8>>,
    /// The header of the message that failed.
    pub(super) original: Option<Vec<u8>>,
    pub(super) mislabelled: bool,
    pub(super) encoded: bool,
}

/// Words without one of which no mail is a failure report. They spare the others the walk.
const WORDS: [&[u8]; 5] =
    [b"feedback-report", b"Feedback-Report", b"FEEDBACK-REPORT", b"Feedback-Type", plain::SENTENCE.as_bytes()];

/// A name that begins a feedback part: RFC 5965 §3.1 requires it.
const FIRST_FIELD: &[u8] = b"feedback-type";

/// The parts of a mail, if it is one with failure reports.
pub(super) fn find(mail: &[u8], limits: &Limits) -> Option<Found> {
    if !WORDS.iter().any(|word| memmem::find(mail, word).is_some()) {
        return None;
    }
    let labelled = message::report_type(mail).is_some_and(|kind| kind == "feedback-report");
    let mut sorting = Sorting { limits, text: Vec::new(), reports: Vec::new(), parts: 0 };
    let walk = message::Limits { depth: 4, ..message::Limits::default() };
    // What came before a limit was met is all there is.
    let _ = message::walk(mail, &walk, &mut |part| sorting.sort(&part));
    sorting.finish(labelled)
}

struct Sorting<'l> {
    limits: &'l Limits,
    text: Vec<u8>,
    reports: Vec<Parts>,
    parts: usize,
}

impl Sorting<'_> {
    fn sort(&mut self, part: &Part<'_>) -> Step {
        self.parts += 1;
        let kind = part.media_type.as_str();
        let original = part.is_message
            || matches!(
                kind,
                "text/rfc822-headers" | "text/rfc822" | "message/rfc822-headers" | "message/global-headers"
            );
        if let Some(feedback) = self.feedback(part) {
            // An original in front of its feedback belongs to it.
            if self.reports.last().is_none_or(|last| last.feedback.is_some()) {
                self.reports.push(Parts::default());
            }
            if let Some(report) = self.reports.last_mut() {
                report.encoded = feedback.encoded;
                report.mislabelled |= kind != "message/feedback-report";
                report.feedback = Some(feedback.bytes);
            }
        } else if original || (self.lacks_original() && kind != "text/html" && message::looks_like_message(&part.bytes))
        {
            let header = message::raw_header(&part.bytes);
            let header = header[..header.len().min(self.limits.header_bytes)].to_vec();
            if !self.lacks_original() {
                self.reports.push(Parts::default());
            }
            if let Some(report) = self.reports.last_mut() {
                report.mislabelled |= !matches!(
                    kind,
                    "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers"
                );
                report.original = Some(header);
            }
        } else if kind.starts_with("text/") && kind != "text/html" {
            let room = self.limits.text_bytes.saturating_sub(self.text.len());
            self.text.extend_from_slice(&part.bytes[..part.bytes.len().min(room)]);
            self.text.push(b'\n');
        }
        // One more is read, for the sentence that says there are too many.
        if self.reports.len() > self.limits.reports + 1 { Step::Stop } else { Step::Over }
    }

    /// Whether the last report is still without its original.
    fn lacks_original(&self) -> bool {
        self.reports.last().is_some_and(|last| last.original.is_none())
    }

    fn feedback(&self, part: &Part<'_>) -> Option<Feedback> {
        let labelled = part.media_type == "message/feedback-report";
        if part.is_message || part.media_type == "text/html" {
            return None;
        }
        let room = self.limits.text_bytes;
        let bytes = part.bytes[..part.bytes.len().min(room)].trim_ascii_start();
        if begins_feedback(bytes) {
            return Some(Feedback {
                bytes: bytes.to_vec(),
                encoded: labelled && matches!(part.bytes, std::borrow::Cow::Owned(_)),
            });
        }
        if !labelled {
            return None;
        }
        // Base64 that no header field speaks of.
        let decoded = message::base64(bytes);
        if begins_feedback(decoded.trim_ascii_start()) {
            return Some(Feedback { bytes: decoded, encoded: true });
        }
        Some(Feedback { bytes: bytes.to_vec(), encoded: false })
    }

    fn finish(self, labelled: bool) -> Option<Found> {
        let Self { text, mut reports, .. } = self;
        if reports.iter().any(|report| report.feedback.is_some()) {
            // Further originals are attachments of somebody's.
            reports.retain(|report| report.feedback.is_some());
            return Some(Found { text, reports });
        }
        if let Some(header) = plain::original(&text) {
            let header = header[..header.len().min(self.limits.header_bytes)].to_vec();
            let attached = reports.into_iter().next().and_then(|report| report.original);
            let shape = if attached.is_some() { Shape::Attached } else { Shape::Text };
            let report = Parts { shape, original: attached.or(Some(header)), ..Parts::default() };
            return Some(Found { text, reports: vec![report] });
        }
        if !labelled || reports.is_empty() {
            return None;
        }
        for report in &mut reports {
            report.shape = Shape::Attached;
        }
        Some(Found { text, reports })
    }
}

struct Feedback {
    bytes: Vec<u8>,
    encoded: bool,
}

/// Whether a text is a block of fields with the one that every feedback part has.
fn begins_feedback(bytes: &[u8]) -> bool {
    let line = |line: &[u8]| line.get(..FIRST_FIELD.len()).is_some_and(|name| name.eq_ignore_ascii_case(FIRST_FIELD));
    let mut lines = bytes.split(|&b| b == b'\n').take(40);
    lines
        .by_ref()
        .take_while(|text| text.contains(&b':') || text.starts_with(b" ") || text.starts_with(b"\t"))
        .any(line)
}
