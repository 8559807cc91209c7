//! The writer of DMARC aggregate reports: a header and rows in, XML of either generation out, one row at a time.
//!
//! [`crate::Report::dialect`] chooses the shape. Whatever stands in the texts, the output is well-formed XML 1.0 and, if there is at
//! least one row, valid against the schema of its generation. What a generation requires and the report does not know gets the
//! standard's default; what it has no words for is mapped or left out:
//!
//! | in the report | RFC 7489 | RFC 9990 |
//! | --- | --- | --- |
//! | `np`, `testing`, `discovery_method`, `generator` | left out | written if known |
//! | `pct` | written, 100 if unknown | left out: the tag is historic |
//! | no `p`; no `sp`; no `fo` | `none`; as `p`; `0` | `none`; left out; left out |
//! | several `error` | all | one, parted by `; ` |
//! | disposition `pass` | `none` | `pass` |
//! | override `forwarded`, `sampled_out` | as they are | `other`, the word in the comment |
//! | override `policy_test_mode` | `other`, the word in the comment | as it is |
//! | any other unknown override | `other`, the word in the comment | the same |
//! | no `envelope_from` | the domain of the `mfrom` check, or empty | left out |
//! | no selector | left out | empty |
//! | more than 100 signatures | all | the 100 that say most |
//! | SPF | every check, with a scope; `none` if there was no check | at most one, of the envelope sender |
//! | SPF result `policy` | `neutral` | `policy` |
//! | DKIM result `softfail` (there is none) | `fail` | `fail` |
//! | SPF `human_result` | left out | written if known |
//!
//! It compresses nothing, mails nothing and leaves no row out. RFC 7489 Appendix C, RFC 9990 §3.1 and Appendix A.

mod row;
mod xml;

use std::borrow::{Borrow, Cow};
use std::io::{self, Write};

use self::xml::Xml;
use crate::{Dialect, Policy, PolicyPublished, Report, Row, Text};

/// The namespace of RFC 9990. Reports of the first generation are written without one, as all the world does.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";

/// Writes one report, with `rows` in their order. Memory does not depend on how many there are.
///
/// # Errors
/// Those of `out`.
pub fn write<R: Borrow<Row>>(
    out: &mut dyn Write,
    report: &Report,
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    let mut xml = Xml::new(out);
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match report.dialect {
        Dialect::Rfc7489 => xml.raw("<feedback>\n"),
        Dialect::Rfc9990 => {
            xml.raw("<feedback xmlns=\"");
            xml.raw(NAMESPACE);
            xml.raw("\">\n");
        }
    }
    // RFC 9990 §3.1.1.1: "The "version" for reports generated per this specification MUST be the value 1.0."
    xml.leaf(1, "version", "1.0");
    metadata(&mut xml, report);
    policy(&mut xml, report.dialect, &report.policy);
    for row in rows {
        row::write(&mut xml, report.dialect, row.borrow());
        xml.hand_on()?;
    }
    xml.raw("</feedback>\n");
    xml.finish()
}

fn metadata(xml: &mut Xml<'_>, report: &Report) {
    let reporter = &report.reporter;
    xml.open(1, "report_metadata");
    xml.leaf(2, "org_name", &reporter.organization);
    xml.leaf(2, "email", &reporter.email);
    xml.option(2, "extra_contact_info", reporter.extra_contact.as_deref());
    xml.leaf(2, "report_id", &report.report_id);
    xml.open(2, "date_range");
    xml.number(3, "begin", report.interval.begin);
    xml.number(3, "end", report.interval.end);
    xml.close(2, "date_range");
    match report.dialect {
        Dialect::Rfc7489 => {
            for error in &report.errors {
                xml.leaf(2, "error", error);
            }
        }
        Dialect::Rfc9990 => {
            // RFC 9990 Appendix A: at most one `error`.
            if !report.errors.is_empty() {
                xml.leaf(2, "error", &report.errors.iter().map(Text::as_str).collect::<Vec<_>>().join("; "));
            }
            xml.option(2, "generator", reporter.generator.as_deref());
        }
    }
    xml.close(1, "report_metadata");
}

fn policy(xml: &mut Xml<'_>, dialect: Dialect, policy: &PolicyPublished) {
    // RFC 9989 §4.7, p: absent means `none`; RFC 7489 §6.3, sp: absent means what p says.
    let p = policy.p.unwrap_or(Policy::None);
    let alignment = |xml: &mut Xml<'_>| {
        xml.option(2, "adkim", policy.adkim.map(crate::Alignment::word));
        xml.option(2, "aspf", policy.aspf.map(crate::Alignment::word));
    };
    xml.open(1, "policy_published");
    xml.leaf(2, "domain", &policy.domain);
    match dialect {
        Dialect::Rfc7489 => {
            alignment(xml);
            xml.leaf(2, "p", p.word());
            xml.leaf(2, "sp", policy.sp.unwrap_or(p).word());
            xml.number(2, "pct", policy.pct.unwrap_or(100));
            xml.leaf(2, "fo", policy.fo.as_deref().unwrap_or("0"));
        }
        Dialect::Rfc9990 => {
            xml.leaf(2, "p", p.word());
            xml.option(2, "sp", policy.sp.map(Policy::word));
            xml.option(2, "np", policy.np.map(Policy::word));
            alignment(xml);
            xml.option(2, "discovery_method", policy.discovery_method.map(crate::DiscoveryMethod::word));
            xml.option(2, "fo", policy.fo.as_deref());
            xml.option(2, "testing", policy.testing.map(|testing| if testing { "y" } else { "n" }));
        }
    }
    xml.close(1, "policy_published");
}

/// The name a report file must have: `receiver!policy-domain!begin!end!id.xml`, with `.gz` if it is compressed.
///
/// `receiver` is the domain of the receiver that reports. What has no place in a file name is left out: of the domains everything but
/// letters, digits, `.`, `-` and `_`; of the id everything but letters and digits (and the id altogether, if nothing is left of it).
#[must_use]
pub fn file_name(receiver: &str, report: &Report, gzip: bool) -> String {
    // RFC 9990 §3.5.1: `filename = receiver "!" policy-domain "!" begin-timestamp "!" end-timestamp [ "!" unique-id ] "." extension`
    // with `unique-id = 1*(ALPHA / DIGIT)`.
    let id: String = report.report_id.chars().filter(char::is_ascii_alphanumeric).collect();
    format!(
        "{}!{}!{}!{}{}{id}.xml{}",
        domain(receiver),
        domain(&report.policy.domain),
        report.interval.begin,
        report.interval.end,
        if id.is_empty() { "" } else { "!" },
        if gzip { ".gz" } else { "" },
    )
}

fn domain(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.chars().all(fits) { name.into() } else { name.chars().filter(|c| fits(*c)).collect::<String>().into() }
}
