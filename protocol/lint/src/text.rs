//! A [`Lint`] for people: what there is, then what is wrong with it, with carets under the guilty part.

use std::fmt::{self, Write as _};

use dkim::KeyKind;
use dns::Name;
use spf::excerpt;

use crate::dkim::SelectorState;
use crate::finding::{Finding, Place, Severity};
use crate::{Lint, Selector};

/// Width at which sentences are broken.
const WIDTH: usize = 100;

impl Lint {
    /// All of it, several lines; with colours where a terminal shows them.
    #[must_use]
    pub fn to_text(&self, colour: bool) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out, colour);
        out
    }

    fn write(&self, out: &mut String, colour: bool) -> fmt::Result {
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let counts = [
            (count(Severity::Error), "error", "errors"),
            (count(Severity::Warning), "warning", "warnings"),
            (count(Severity::Notice), "notice", "notices"),
        ];
        let counts = counts.into_iter().filter(|(n, ..)| *n > 0);
        let counts: Vec<String> =
            counts.map(|(n, one, many)| format!("{n} {}", if n == 1 { one } else { many })).collect();
        let counts = if counts.is_empty() { "nothing to say against it".to_owned() } else { counts.join(", ") };
        writeln!(out, "{}: {counts}\n", self.domain)?;
        self.spf_lines(out)?;
        self.dmarc_lines(out)?;
        self.dkim_lines(out)?;
        self.mail_lines(out)?;
        for finding in &self.findings {
            writeln!(out)?;
            finding_lines(out, finding, colour)?;
        }
        Ok(())
    }

    /// The records, and which term is which lookup.
    fn spf_lines(&self, out: &mut String) -> fmt::Result {
        let Some(first) = self.spf.records.first() else { return writeln!(out, "SPF      no record") };
        let limit = usize::from(self.spf.limits().lookups_max);
        let lookups = self.spf.lookups();
        let over = if lookups > limit { " – too many" } else { "" };
        writeln!(out, "SPF      {lookups} of {limit} lookups{over}")?;
        writeln!(out, "         {}", text_of(&first.text))?;
        let depth = |domain: &Name| {
            let mut depth = 0;
            let mut at = domain.clone();
            while let Some(by) = self.spf.records.iter().find(|record| record.domain == at).and_then(|r| r.by.as_ref())
            {
                at = by.domain.clone();
                depth += 1;
                if depth > limit {
                    break;
                }
            }
            depth
        };
        for (step, nth) in self.spf.asking.iter().zip(1..) {
            let indent = "  ".repeat(depth(&step.domain));
            let over = if nth == limit + 1 { "   ← one too many" } else { "" };
            writeln!(out, "     {nth:>3} {indent}{}{over}", cut(&step.text))?;
        }
        Ok(())
    }

    fn dkim_lines(&self, out: &mut String) -> fmt::Result {
        if self.dkim.is_empty() {
            return writeln!(out, "DKIM     no key found");
        }
        for (Selector { selector, state }, at) in self.dkim.iter().zip(0..) {
            let state = match state {
                SelectorState::Key { kind: KeyKind::Rsa, bits, .. } => format!("rsa, {bits} bits"),
                SelectorState::Key { kind: KeyKind::Ed25519, .. } => "ed25519".to_owned(),
                SelectorState::Revoked => "revoked".to_owned(),
                SelectorState::Broken(_) => "broken".to_owned(),
                SelectorState::Missing => "missing".to_owned(),
                SelectorState::Failed => "DNS failed".to_owned(),
            };
            writeln!(out, "{:8} {}: {state}", if at == 0 { "DKIM" } else { "" }, cut(selector))?;
        }
        Ok(())
    }

    fn mail_lines(&self, out: &mut String) -> fmt::Result {
        let hosts: Vec<String> = self.mail.exchangers.iter().take(5).map(|(_, host)| host.to_string()).collect();
        let hosts = match (self.mail.null_mx, hosts.is_empty()) {
            (true, _) => "null: the domain takes no mail".to_owned(),
            (false, true) => "none".to_owned(),
            (false, false) => hosts.join(", "),
        };
        writeln!(out, "MX       {hosts}")?;
        match &self.mail.mta_sts {
            Some(id) => writeln!(out, "MTA-STS  id {id} (the policy file is not fetched)")?,
            None => writeln!(out, "MTA-STS  none")?,
        }
        let rua: Vec<String> = self.mail.tls_rpt.iter().map(|uri| cut(uri)).collect();
        writeln!(out, "TLS-RPT  {}", if rua.is_empty() { "none".to_owned() } else { rua.join(", ") })
    }
}

fn finding_lines(out: &mut String, finding: &Finding, colour: bool) -> fmt::Result {
    let word = finding.severity.as_str();
    let code = match finding.severity {
        Severity::Error => "31",
        Severity::Warning => "33",
        Severity::Notice => "36",
    };
    let head = if colour { format!("\u{1b}[1;{code}m{word}\u{1b}[0m") } else { word.to_owned() };
    writeln!(out, "{head} {} [{}]", finding.about, finding.id)?;
    wrapped(out, "  ", &visible(&finding.what))?;
    if let Some(place) = &finding.place {
        place_lines(out, place)?;
    }
    if !finding.fix.is_empty() {
        wrapped(out, "  → ", &finding.fix)?;
    }
    Ok(())
}

fn place_lines(out: &mut String, place: &Place) -> fmt::Result {
    let (shown_text, before, length) = excerpt(&place.record, place.span.clone());
    writeln!(out, "  {} TXT\n  │ {shown_text}", place.name)?;
    if length > 0 {
        writeln!(out, "  │ {}{}", " ".repeat(before), "^".repeat(length))?;
    }
    Ok(())
}

/// A sentence in lines of some width; lines after the first are indented as the first is.
fn wrapped(out: &mut String, indent: &str, text: &str) -> fmt::Result {
    let width = WIDTH.saturating_sub(indent.chars().count());
    let mut line = String::new();
    let mut head = indent.to_owned();
    let rest = " ".repeat(indent.chars().count());
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            writeln!(out, "{head}{line}")?;
            head.clone_from(&rest);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{head}{line}")
}

/// A whole record, cut where it is very long.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    excerpt(bytes, 0..0).0
}

/// Text with a stranger's part in it, without what moves a cursor.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// A short text of a stranger.
fn cut(text: &str) -> String {
    excerpt(text.as_bytes(), 0..0).0
}
