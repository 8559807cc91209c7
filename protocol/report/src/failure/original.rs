//! The header of the message that failed, and what of the carrying mail's own header a failure report needs.
//!
//! In: header bytes. Out: the author, and the fields as text. The author is read strictly; where that gives none, or several, the
//! first domain anybody names is taken with a flaw: the report stays a report.

use message::HeaderLimits;

use super::types::domain_text;
use super::{FailureReport, Flaws, HeaderField, Limits, Mailbox};
use crate::{FlawKind, Rejection, RejectionKind, Text};

/// Authors of one message that are looked at.
const AUTHORS_MAX: usize = 100;

/// What a report needs to know of the mail that carried it.
pub(super) struct Carrier {
    /// Domain of its author; empty if there is none.
    pub(super) domain: Text,
    /// Its date, seconds since 1970 UTC.
    pub(super) date: Option<i64>,
}

impl Carrier {
    pub(super) fn of(mail: &[u8]) -> Self {
        let header = message::raw_header(mail);
        let named = |wanted: &[u8]| {
            message::raw_fields(header).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        let domain = named(b"from").map(|from| author_of(from).domain).unwrap_or_default();
        Self { domain, date: named(b"date").and_then(message::date) }
    }
}

/// The author of a From field, read forgivingly.
fn author_of(from: &[u8]) -> Mailbox {
    let text = message::field_text(from);
    let address = Mailbox::read(&text);
    if address.domain.is_empty() { Mailbox::default() } else { address }
}

/// Fills in what the header says.
///
/// # Errors
/// When nothing names the domain that the message was sent in the name of.
pub(super) fn fill(
    header: &[u8],
    report: &mut FailureReport,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Result<(), Rejection> {
    for (name, value) in message::raw_fields(header) {
        let mut value = message::field_text(value);
        let cut = value.floor_char_boundary(limits.field_bytes);
        value.truncate(cut);
        report.header.push(HeaderField { name: Text::new(String::from_utf8_lossy(name)), value: value.into() });
    }
    if report.header.is_empty() {
        flaws.add(FlawKind::MissingOriginal, "mail", None);
    }
    report.author = author(header, report, flaws)?;
    if report.mail_from.is_none() {
        let path = report.header.iter().find(|field| field.name.eq_ignore_ascii_case("return-path"));
        report.mail_from = path.map(|field| Mailbox::read(&field.value));
    }
    Ok(())
}

fn author(header: &[u8], report: &FailureReport, flaws: &mut Flaws) -> Result<Mailbox, Rejection> {
    let limits = HeaderLimits::default();
    let strict = message::split(header, &limits).ok().map(|(header, _, _)| message::author(&header));
    if let Some(Ok(author)) = strict {
        return Ok(Mailbox { local_part: author.local_part.into(), domain: Text::new(author.domain.as_str()) });
    }
    let froms = || report.header.iter().filter(|field| field.name.eq_ignore_ascii_case("from"));
    if let Some(first) = froms().next() {
        flaws.add(FlawKind::OddAuthor, "from", Some(first.value.as_str()));
    }
    // Of several the one that the report is about.
    let about = |author: &Mailbox| {
        let below = |domain: &Text| {
            author.domain.strip_suffix(domain.as_str()).is_some_and(|s| s.is_empty() || s.ends_with('.'))
        };
        report.reported_domains.iter().any(below)
    };
    let mut authors = froms().flat_map(|field| field.value.split(',')).map(|one| author_of(one.as_bytes()));
    let mut first = None;
    let found = authors.by_ref().take(AUTHORS_MAX).filter(|author| !author.domain.is_empty()).find(|author| {
        first.get_or_insert_with(|| author.clone());
        about(author)
    });
    if let Some(author) = found.or(first) {
        return Ok(author);
    }
    let named = report.reported_domains.first().or(report.dkim_domain.as_ref()).filter(|domain| !domain.is_empty());
    match named {
        Some(domain) => Ok(Mailbox { local_part: Text::default(), domain: domain_text(domain) }),
        None => Err(Rejection::new(
            RejectionKind::MissingPart,
            "It is a failure report that does not say in whose name the message was sent: it has neither a Reported-Domain nor \
             the message's From.",
        )),
    }
}
