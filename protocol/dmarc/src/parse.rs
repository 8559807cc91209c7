//! Text to a record (RFC 9989 §4.7, §4.8).
//!
//! In: the bytes of one TXT record. Out: the [`Record`] with what is odd about it, or why it is none. Only the version and a policy
//! that stands there twice make it none: anything else that is wrong costs its own tag and nothing more. A reader that drops the
//! whole record for a bad `adkim` drops the policy with it, and lets through what the Domain Owner wants rejected.

use std::ops::Range;

use crate::uri;
use crate::{AlignmentMode, FailureOptions, Finding, NotRecord, Policy, PolicyTag, Problem, PublicSuffix, Record};

/// Remarks on one record: enough to repair it, bounded for hostile ones.
const FINDINGS_MAX: usize = 32;

/// Tags without a meaning that are kept.
const OTHER_MAX: usize = 32;

/// Characters of such a tag, and of what stands where a policy should.
const SHOWN_MAX: usize = 80;

/// The tags that mean something, and two of the first generation.
const NAMES: [&str; 14] = ["v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri"];

/// One `name=value` of the record, white space around both taken off.
struct Tag<'a> {
    name: &'a [u8],
    name_at: usize,
    value: &'a [u8],
    value_at: usize,
}

impl Tag<'_> {
    fn span(&self) -> Range<usize> {
        self.name_at..self.value_at + self.value.len()
    }

    fn value_span(&self) -> Range<usize> {
        self.value_at..self.value_at + self.value.len()
    }
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// Why the text is no record; receivers then do as if it were not there.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<(Self, Vec<Finding>), NotRecord> {
        let bytes = text.as_ref();
        version(bytes)?;
        let mut reader = Reader::default();
        let mut at = memchr(bytes);
        while let Some(start) = at.map(|semicolon| semicolon + 1) {
            at = memchr(&bytes[start..]).map(|next| start + next);
            let end = at.unwrap_or(bytes.len());
            reader.part(bytes, start..end, at.is_none());
        }
        reader.done(bytes.len())
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b';')
}

/// RFC 9989 §4.8: `WSP`.
fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let white = |at: usize| matches!(bytes[at], b' ' | b'\t');
    let (mut start, mut end) = (range.start, range.end);
    while start < end && white(start) {
        start += 1;
    }
    while start < end && white(end - 1) {
        end -= 1;
    }
    start..end
}

/// RFC 9989 §4.7: "The value of this tag MUST match precisely; if it does not or it is absent, the entire record MUST be ignored. It
/// MUST be the first tag in the list." §4.8: `"v" equals %s"DMARC1"`.
fn version(bytes: &[u8]) -> Result<(), NotRecord> {
    let end = memchr(bytes).unwrap_or(bytes.len());
    let first = split(bytes, 0..end).filter(|tag| tag.name_at == 0 && tag.name == b"v");
    match first {
        Some(tag) if tag.value == b"DMARC1" => return Ok(()),
        Some(tag) if tag.value.starts_with(b"DMARC1") => return Err(NotRecord::AfterVersion),
        _ => {}
    }
    let text: Vec<u8> = bytes.iter().filter(|b| !matches!(b, b' ' | b'\t')).take(200).copied().collect();
    let begins = text.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"v=DMARC1"));
    Err(match bytes.first() {
        Some(b' ' | b'\t') if begins => NotRecord::LeadingSpace,
        _ if begins => NotRecord::Case,
        _ if text.windows(9).any(|window| window.eq_ignore_ascii_case(b";v=DMARC1")) => NotRecord::VersionNotFirst,
        _ => NotRecord::Other,
    })
}

fn split(bytes: &[u8], part: Range<usize>) -> Option<Tag<'_>> {
    let equals = bytes[part.clone()].iter().position(|byte| *byte == b'=')? + part.start;
    let name = trimmed(bytes, part.start..equals);
    let value = trimmed(bytes, equals + 1..part.end);
    Some(Tag { name: &bytes[name.clone()], name_at: name.start, value: &bytes[value.clone()], value_at: value.start })
}

/// A text to be shown or kept, printable, with no white space at its end even where it is cut.
fn lossy(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' };
    let mut text: String = bytes.iter().take(SHOWN_MAX).map(shown).collect();
    text.truncate(text.trim_end().len());
    text
}

#[derive(Default)]
struct Reader {
    record: Record,
    findings: Vec<Finding>,
    seen: [bool; NAMES.len()],
    twice: [bool; NAMES.len()],
    parts: usize,
    policy_part: Option<usize>,
    options_at: Option<Range<usize>>,
    failure_at: Option<Range<usize>>,
}

impl Reader {
    fn note(&mut self, span: Range<usize>, problem: Problem) {
        self.findings.push(Finding { span, problem });
        // The lists of URIs push on their own: they stop themselves.
        self.findings.truncate(FINDINGS_MAX);
    }

    fn part(&mut self, bytes: &[u8], range: Range<usize>, is_last: bool) {
        let whole = trimmed(bytes, range);
        if whole.is_empty() {
            if !is_last {
                self.note(whole, Problem::EmptyPart);
            }
            return;
        }
        self.parts += 1;
        match split(bytes, whole.clone()).filter(|tag| is_name(tag.name)) {
            Some(tag) => self.tag(&tag),
            None => self.note(whole.clone(), Problem::NoTag(lossy(&bytes[whole]))),
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        // RFC 6376 §3.2: "Tags MUST be interpreted in a case-sensitive manner."
        let Some(index) = NAMES.iter().position(|name| tag.name == name.as_bytes()) else {
            self.unknown(tag);
            return;
        };
        let name = NAMES[index];
        if self.seen[index] {
            self.twice[index] = true;
            self.note(tag.span(), Problem::Twice(name));
            return;
        }
        self.seen[index] = true;
        // RFC 9989 §4.8: "dmarc-value = %x20-3A / %x3C-7E".
        let text = std::str::from_utf8(tag.value).ok().filter(|text| text.bytes().all(|b| matches!(b, b' '..=b'~')));
        let Some(text) = text else {
            let (span, found) = (tag.value_span(), lossy(tag.value));
            if let Some(slot) = self.policy_slot(name) {
                *slot = PolicyTag::Unreadable(found.clone().into());
                self.note(span, Problem::Policy { tag: name, found });
            } else {
                self.note(span, Problem::Character(name.to_owned()));
            }
            return;
        };
        self.known(name, text, tag);
    }

    fn policy_slot(&mut self, name: &str) -> Option<&mut PolicyTag> {
        match name {
            "p" => Some(&mut self.record.policy),
            "sp" => Some(&mut self.record.subdomain_policy),
            "np" => Some(&mut self.record.nonexistent_policy),
            _ => None,
        }
    }

    fn known(&mut self, name: &'static str, text: &str, tag: &Tag<'_>) {
        match name {
            "p" | "sp" | "np" => self.policy(name, text, tag),
            "adkim" => self.record.dkim_alignment = self.mode(name, text, tag),
            "aspf" => self.record.spf_alignment = self.mode(name, text, tag),
            "psd" => {
                self.record.public_suffix = match text {
                    "y" | "Y" => PublicSuffix::Yes,
                    "n" | "N" => PublicSuffix::No,
                    "u" | "U" => PublicSuffix::Unknown,
                    _ => self.bad(name, text, tag, "y, n and u", "u"),
                }
            }
            "t" => {
                self.record.test_mode = match text {
                    "y" | "Y" => true,
                    "n" | "N" => false,
                    _ => self.bad(name, text, tag, "y and n", "n"),
                }
            }
            "rua" => self.record.aggregate_uris = uri::list(name, text, tag.value_at, &mut self.findings),
            "ruf" => {
                self.failure_at = Some(tag.span());
                self.record.failure_uris = uri::list(name, text, tag.value_at, &mut self.findings);
            }
            "fo" => self.failure_options(text, tag),
            "pct" => self.percent(text, tag),
            _ => self.historic(name, text, tag),
        }
    }

    fn policy(&mut self, name: &'static str, text: &str, tag: &Tag<'_>) {
        if name == "p" {
            self.policy_part = Some(self.parts);
        }
        let value = Policy::parse(text).map_or_else(|| PolicyTag::Unreadable(text.into()), PolicyTag::Is);
        if value.policy().is_none() {
            self.note(tag.value_span(), Problem::Policy { tag: name, found: text.to_owned() });
        }
        if let Some(slot) = self.policy_slot(name) {
            *slot = value;
        }
    }

    /// RFC 9989 §4.7: "Syntax errors in the remainder of the record MUST be discarded in favor of default values (if any) or ignored
    /// outright."
    fn bad<T: Default>(
        &mut self,
        name: &'static str,
        text: &str,
        tag: &Tag<'_>,
        allowed: &'static str,
        default: &'static str,
    ) -> T {
        let problem = Problem::Value { tag: name, found: text.to_owned(), allowed, default };
        self.note(tag.value_span(), problem);
        T::default()
    }

    fn mode(&mut self, name: &'static str, text: &str, tag: &Tag<'_>) -> AlignmentMode {
        match text {
            "r" | "R" => AlignmentMode::Relaxed,
            "s" | "S" => AlignmentMode::Strict,
            _ => self.bad(name, text, tag, "r and s", "r"),
        }
    }

    fn failure_options(&mut self, text: &str, tag: &Tag<'_>) {
        self.options_at = Some(tag.span());
        let mut options = FailureOptions { all: false, any: false, dkim: false, spf: false };
        for letter in text.split(':') {
            match letter.trim_matches([' ', '\t']) {
                "0" => options.all = true,
                "1" => options.any = true,
                "d" | "D" => options.dkim = true,
                "s" | "S" => options.spf = true,
                _ => {
                    self.record.failure_options = self.bad("fo", text, tag, "0, 1, d, s and d:s", "0");
                    return;
                }
            }
        }
        // RFC 7489 §6.3 allowed any list; half the records that have `fo` say 0:1:d:s. What they ask for is plain.
        if (options.all || options.any) && text.contains(':') {
            self.note(tag.value_span(), Problem::FailureOptionsMixed);
        }
        self.record.failure_options = options;
    }

    fn percent(&mut self, text: &str, tag: &Tag<'_>) {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        self.record.percent = text.parse().ok().filter(|percent| digits && *percent <= 100);
        if self.record.percent.is_none() {
            self.record.percent = self.bad("pct", text, tag, "0 to 100", "100");
        }
        self.historic_note("pct", tag);
    }

    fn historic(&mut self, name: &'static str, text: &str, tag: &Tag<'_>) {
        if name == "v" {
            self.note(tag.span(), Problem::VersionTwice);
            return;
        }
        self.keep(name, text);
        self.historic_note(name, tag);
    }

    fn historic_note(&mut self, name: &str, tag: &Tag<'_>) {
        let words = match name {
            "pct" => {
                "`pct` means nothing any more (RFC 9989): the policy is for all messages. Receivers that follow RFC 7489 still sample. `t=y` asks for one level less"
            }
            "rf" => "`rf` means nothing any more (RFC 9989)",
            _ => "`ri` means nothing any more (RFC 9989): reports come once a day",
        };
        self.note(tag.span(), Problem::Historic(words));
    }

    /// RFC 9989 §4.7: "Unknown tags MUST be ignored."
    fn unknown(&mut self, tag: &Tag<'_>) {
        let name = lossy(tag.name);
        if let Some(known) = NAMES.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            self.note(tag.span(), Problem::NameCase(name.clone(), known));
        } else {
            self.note(tag.span(), Problem::Unknown(name.clone()));
        }
        self.keep(&name, &lossy(tag.value));
    }

    fn keep(&mut self, name: &str, value: &str) {
        if self.record.other.len() < OTHER_MAX {
            self.record.other.push((name.into(), value.into()));
        }
    }

    fn done(mut self, length: usize) -> Result<(Record, Vec<Finding>), NotRecord> {
        for (index, name) in NAMES.into_iter().enumerate().filter(|(index, _)| self.twice[*index]).collect::<Vec<_>>() {
            let default = Record::default();
            let record = &mut self.record;
            match name {
                "p" | "sp" | "np" => return Err(NotRecord::PolicyTwice(NAMES[index])),
                "adkim" => record.dkim_alignment = default.dkim_alignment,
                "aspf" => record.spf_alignment = default.spf_alignment,
                "psd" => record.public_suffix = default.public_suffix,
                "t" => record.test_mode = default.test_mode,
                "rua" => record.aggregate_uris.clear(),
                "ruf" => record.failure_uris.clear(),
                "fo" => record.failure_options = default.failure_options,
                "pct" => record.percent = default.percent,
                _ => {}
            }
        }
        self.findings.truncate(FINDINGS_MAX);
        if self.record.policy == PolicyTag::Absent {
            self.note(0..length.min(8), Problem::NoPolicy);
        }
        if self.policy_part.is_some_and(|part| part > 1) {
            self.note(0..length.min(8), Problem::PolicyNotSecond);
        }
        if let Some(span) = self.options_at.take().filter(|_| self.record.failure_uris.is_empty()) {
            self.note(span, Problem::FailureOptionsAlone);
        }
        if let Some(span) = self.failure_at.take().filter(|_| self.record.public_suffix == PublicSuffix::Yes) {
            self.note(span, Problem::FailureUriOfSuffix);
        }
        Ok((self.record, self.findings))
    }
}

/// RFC 6376 §3.2: "tag-name = ALPHA *ALNUMPUNC".
fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}
