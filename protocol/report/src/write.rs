//! The writer of aggregate reports: a header and rows in, XML of either generation out.
//!
//! `report.dialect` decides which: RFC 7489 Appendix C, or RFC 9990 Appendix A. What a generation has no word for is left out or said
//! with the nearest word it has; the comments at the lines say so. Whatever is in the text, the result is well-formed XML 1.0.

use std::fmt::Display;
use std::io::{self, Write};

use crate::{
    AuthResult, Dialect, Disposition, Override, OverrideKind, Policy, PolicyPublished, Report, Row, SpfResult, SpfScope,
};

/// RFC 9990 Appendix A: the target namespace of the schema.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";

/// Writes a report. Rows are taken one at a time; memory does not grow with their number.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(out: &mut dyn Write, report: &Report, rows: impl IntoIterator<Item = &'a Row>) -> io::Result<()> {
    let mut writer = Writer::new(out, report)?;
    for row in rows {
        writer.row(row)?;
    }
    writer.finish()
}

/// A report being written row by row, for those who do not have the rows in one place.
pub struct Writer<'o> {
    out: &'o mut dyn Write,
    new: bool,
}

impl<'o> Writer<'o> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: &'o mut dyn Write, report: &Report) -> io::Result<Self> {
        let new = report.dialect == Dialect::Rfc9990;
        let mut writer = Self { out, new };
        writer.out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        if new {
            writeln!(writer.out, "<feedback xmlns=\"{NAMESPACE}\">")?;
        } else {
            writer.out.write_all(b"<feedback>\n")?;
        }
        // RFC 9990 Appendix A and RFC 7489 Appendix C: the version is 1.0 in both.
        writer.leaf(1, "version", "1.0")?;
        writer.metadata(report)?;
        writer.policy(&report.policy)?;
        Ok(writer)
    }

    fn metadata(&mut self, report: &Report) -> io::Result<()> {
        self.open(1, "report_metadata")?;
        self.leaf(2, "org_name", &report.reporter.organization)?;
        self.leaf(2, "email", &report.reporter.email)?;
        if let Some(contact) = &report.reporter.extra_contact {
            self.leaf(2, "extra_contact_info", contact)?;
        }
        self.leaf(2, "report_id", &report.report_id)?;
        self.open(2, "date_range")?;
        self.leaf(3, "begin", report.interval.begin)?;
        self.leaf(3, "end", report.interval.end)?;
        self.close(2, "date_range")?;
        // RFC 9990 Appendix A has one error at most; RFC 7489 any number.
        let errors = if self.new { report.errors.len().min(1) } else { report.errors.len() };
        for error in &report.errors[..errors] {
            self.leaf(2, "error", error)?;
        }
        if let (true, Some(generator)) = (self.new, &report.reporter.generator) {
            self.leaf(2, "generator", generator)?;
        }
        self.close(1, "report_metadata")
    }

    /// RFC 7489 Appendix C requires `sp`, `pct` and `fo`: what the record left out is written with its default (§6.3).
    fn policy(&mut self, policy: &PolicyPublished) -> io::Result<()> {
        self.open(1, "policy_published")?;
        self.leaf(2, "domain", &policy.domain)?;
        let p = policy.p.unwrap_or(Policy::None);
        self.leaf(2, "p", p)?;
        if self.new {
            self.maybe(2, "sp", policy.sp)?;
            self.maybe(2, "np", policy.np)?;
        } else {
            self.leaf(2, "sp", policy.sp.unwrap_or(p))?;
        }
        self.maybe(2, "adkim", policy.adkim)?;
        self.maybe(2, "aspf", policy.aspf)?;
        if self.new {
            self.maybe(2, "discovery_method", policy.discovery_method)?;
            self.maybe(2, "fo", policy.fo.as_ref())?;
            self.maybe(2, "testing", policy.testing.map(|testing| if testing { "y" } else { "n" }))?;
        } else {
            self.leaf(2, "pct", policy.pct.unwrap_or(100))?;
            self.leaf(2, "fo", policy.fo.as_deref().unwrap_or("0"))?;
        }
        self.close(1, "policy_published")
    }

    /// Writes one row.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.open(1, "record")?;
        self.open(2, "row")?;
        self.leaf(3, "source_ip", row.source)?;
        self.leaf(3, "count", row.count)?;
        self.open(3, "policy_evaluated")?;
        let disposition = match row.disposition {
            // RFC 7489 has no word for "passed under an enforcing policy"; nothing was done to the message.
            Disposition::Pass if !self.new => Disposition::None,
            other => other,
        };
        self.leaf(4, "disposition", disposition)?;
        let word = |aligned| if aligned { "pass" } else { "fail" };
        self.leaf(4, "dkim", word(row.dkim_aligned))?;
        self.leaf(4, "spf", word(row.spf_aligned))?;
        for reason in &row.overrides {
            self.reason(reason)?;
        }
        self.close(3, "policy_evaluated")?;
        self.close(2, "row")?;
        self.identifiers(row)?;
        self.auth_results(row)?;
        self.close(1, "record")
    }

    /// RFC 9990 dropped `forwarded` and `sampled_out` and added `policy_test_mode`. A kind that the generation does not know is
    /// written as `other` with its word in front of the comment.
    fn reason(&mut self, reason: &Override) -> io::Result<()> {
        let known = match &reason.kind {
            OverrideKind::Forwarded | OverrideKind::SampledOut => !self.new,
            OverrideKind::PolicyTestMode => self.new,
            OverrideKind::Unknown(_) => false,
            _ => true,
        };
        self.open(4, "reason")?;
        let comment = reason.comment.as_deref().unwrap_or_default();
        if known {
            self.leaf(5, "type", reason.kind.word())?;
            self.maybe(5, "comment", reason.comment.as_ref())?;
        } else {
            self.leaf(5, "type", "other")?;
            self.leaf(5, "comment", format_args!("{} {comment}", reason.kind.word()).to_string().trim_end())?;
        }
        self.close(4, "reason")
    }

    fn identifiers(&mut self, row: &Row) -> io::Result<()> {
        self.open(2, "identifiers")?;
        self.maybe(3, "envelope_to", row.envelope_to.as_ref())?;
        match &row.envelope_from {
            Some(sender) => self.leaf(3, "envelope_from", sender)?,
            // RFC 7489 Appendix C requires the element.
            None if !self.new => self.leaf(3, "envelope_from", "")?,
            None => {}
        }
        self.leaf(3, "header_from", &row.author_domain)?;
        self.close(2, "identifiers")
    }

    fn auth_results(&mut self, row: &Row) -> io::Result<()> {
        self.open(2, "auth_results")?;
        for dkim in &row.dkim {
            self.open(3, "dkim")?;
            self.leaf(4, "domain", &dkim.domain)?;
            // RFC 9990 Appendix A requires a selector; an unknown one is written empty.
            if self.new || dkim.selector.is_some() {
                self.leaf(4, "selector", dkim.selector.as_deref().unwrap_or_default())?;
            }
            self.leaf(4, "result", dkim.result)?;
            self.maybe(4, "human_result", dkim.human_result.as_ref())?;
            self.close(3, "dkim")?;
        }
        self.spf_results(row)?;
        self.close(2, "auth_results")
    }

    fn spf_results(&mut self, row: &Row) -> io::Result<()> {
        if self.new {
            // RFC 9990 Appendix A: at most one `spf`, about the envelope sender.
            return match row.spf.iter().find(|spf| spf.scope != Some(SpfScope::Helo)) {
                Some(spf) => self.spf_result(spf),
                None => Ok(()),
            };
        }
        // RFC 7489 Appendix C: at least one `spf`; where nothing was checked, it says so.
        if row.spf.is_empty() {
            let domain = row.envelope_from.clone().unwrap_or_default();
            let unchecked =
                SpfResult { domain, scope: Some(SpfScope::Mfrom), result: AuthResult::None, human_result: None };
            return self.spf_result(&unchecked);
        }
        row.spf.iter().try_for_each(|spf| self.spf_result(spf))
    }

    fn spf_result(&mut self, spf: &SpfResult) -> io::Result<()> {
        self.open(3, "spf")?;
        self.leaf(4, "domain", &spf.domain)?;
        if self.new {
            self.maybe(4, "scope", spf.scope)?;
            self.leaf(4, "result", spf.result)?;
            self.maybe(4, "human_result", spf.human_result.as_ref())?;
        } else {
            // RFC 7489 Appendix C requires a scope, and has no `policy` for SPF.
            self.leaf(4, "scope", spf.scope.unwrap_or(SpfScope::Mfrom))?;
            let result = if spf.result == AuthResult::Policy { AuthResult::Fail } else { spf.result };
            self.leaf(4, "result", result)?;
        }
        self.close(3, "spf")
    }

    /// Ends the report.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(self) -> io::Result<()> {
        self.out.write_all(b"</feedback>\n")
    }

    fn open(&mut self, depth: usize, name: &str) -> io::Result<()> {
        writeln!(self.out, "{:1$}<{name}>", "", depth * 2)
    }

    fn close(&mut self, depth: usize, name: &str) -> io::Result<()> {
        writeln!(self.out, "{:1$}</{name}>", "", depth * 2)
    }

    fn maybe(&mut self, depth: usize, name: &str, value: Option<impl Display>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.leaf(depth, name, value))
    }

    fn leaf(&mut self, depth: usize, name: &str, value: impl Display) -> io::Result<()> {
        write!(self.out, "{:1$}<{name}>", "", depth * 2)?;
        write!(Escaped(self.out), "{value}")?;
        writeln!(self.out, "</{name}>")
    }
}

/// Passes text on with markup escaped, and without the characters that XML 1.0 has no place for (§2.2), not even escaped.
struct Escaped<'o>(&'o mut dyn Write);

impl Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | 0..=0x1f | 0xef)) {
            self.0.write_all(&rest[..at])?;
            let mut used = 1;
            match rest[at] {
                b'&' => self.0.write_all(b"&amp;")?,
                b'<' => self.0.write_all(b"&lt;")?,
                b'>' => self.0.write_all(b"&gt;")?,
                // A bare CR would be read back as LF (§2.11).
                b'\r' => self.0.write_all(b"&#13;")?,
                // U+FFFE and U+FFFF. `write!` hands over whole characters.
                0xef if matches!(rest.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                    self.0.write_all("\u{fffd}".as_bytes())?;
                    used = 3;
                }
                b'\t' | b'\n' | 0xef => self.0.write_all(&rest[at..=at])?,
                _ => self.0.write_all("\u{fffd}".as_bytes())?,
            }
            rest = &rest[at + used..];
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The name of a report's file without its extension: `receiver!policy-domain!begin!end!unique-id` (RFC 9990 §3.5.1, RFC 7489 §7.2.1.1).
///
/// The unique id may only hold letters and digits there, so everything else is left out of it.
#[must_use]
pub fn file_name(receiver: &str, report: &Report) -> String {
    let host = |name: &str| name.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'), "");
    let id: String = report.report_id.chars().filter(char::is_ascii_alphanumeric).collect();
    let (receiver, domain) = (host(receiver), host(&report.policy.domain));
    format!("{receiver}!{domain}!{}!{}!{id}", report.interval.begin, report.interval.end)
}
