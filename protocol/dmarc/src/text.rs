//! An evaluation as text for a terminal, a log or a ticket: the outcome in one sentence, then why, down to each question.
//!
//! In: an [`Evaluation`]. Out: lines, without colours. Strangers' texts are shown one character each, control characters and those
//! that nobody sees as dots, so that nothing reaches the terminal but text.

use std::fmt::{self, Write as _};

use authres::ResultWord;

use crate::why::{answered, asked};
use crate::{Evaluation, Finding, Policy, Selection, Standard, Step, Verdict};

/// Characters of a record that are shown.
const RECORD_CHARACTERS: usize = 400;

impl Evaluation {
    /// The whole evaluation, many lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    /// The outcome as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.author {
            Err(refused) if self.candidates.is_empty() => {
                format!("This message has no one author, so DMARC cannot vouch for it: {refused}.")
            }
            Err(refused) => format!("{} ({refused}; every author was evaluated.)", self.dmarc.sentence()),
            Ok(_) => self.dmarc.sentence(),
        }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "{}\n", self.sentence())?;
        self.write_author(out)?;
        let deciding = if self.candidates.is_empty() { std::slice::from_ref(&self.dmarc) } else { &self.candidates };
        for verdict in deciding.iter().filter(|verdict| verdict.author_domain.is_some()) {
            write_verdict(out, verdict)?;
        }
        if let Some(other) = self.other.as_ref().filter(|other| other.author_domain.is_some()) {
            write_verdict(out, other)?;
            match self.difference() {
                Some(difference) => writeln!(out, "  {difference}\n")?,
                None => writeln!(out, "  Both generations come to the same.\n")?,
            }
        }
        section(out, "SPF", &self.spf.to_text())?;
        if !self.has_null_path() {
            section(out, "SPF of the HELO name (DMARC does not use it)", &self.spf_helo.to_text())?;
        }
        self.write_signatures(out)?;
        self.write_chain(out)?;
        self.write_oddities(out)
    }

    fn write_author(&self, out: &mut String) -> fmt::Result {
        match &self.author {
            Ok(author) => {
                let name = author.display_name.as_ref().map(|name| format!(", shown as “{}”", shown(name)));
                let address = format!("{}@{}", shown(&author.local_part), author.domain.as_str());
                writeln!(out, "From\n  {address}{}", name.unwrap_or_default())?;
                for flag in &author.flags {
                    writeln!(out, "  beware: {}", flag.name().replace('_', " "))?;
                }
            }
            Err(refused) => writeln!(out, "From\n  {refused}")?,
        }
        writeln!(out)
    }

    fn write_signatures(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "DKIM")?;
        if self.dkim.is_empty() {
            writeln!(out, "  no signature")?;
        }
        for (at, verdict) in self.dkim.iter().enumerate() {
            let last = at + 1 == self.dkim.len();
            write_signature(out, verdict, if last { ("└─", "  ") } else { ("├─", "│ ") })?;
        }
        writeln!(out)
    }

    fn write_chain(&self, out: &mut String) -> fmt::Result {
        let arc = &self.arc;
        let reason = arc.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match arc.result {
            ResultWord::None => writeln!(out, "ARC\n  no chain")?,
            result => writeln!(out, "ARC\n  {result}{reason}")?,
        }
        for set in arc.sets.iter().rev() {
            let said: Vec<_> = set
                .results
                .methods
                .iter()
                .map(|method| format!("{}={}", shown(&method.name), shown(&method.result)))
                .collect();
            writeln!(
                out,
                "  {}. sealed by {} (selector {}, cv={}); says {}",
                set.instance,
                set.sealer.as_str(),
                set.selector.as_str(),
                set.status.as_str(),
                if said.is_empty() { "nothing".to_owned() } else { said.join(" ") },
            )?;
        }
        writeln!(out)
    }

    fn write_oddities(&self, out: &mut String) -> fmt::Result {
        let lone = [("CR", self.body.bare_cr), ("LF", self.body.bare_lf)];
        let lone = lone.into_iter().filter(|(_, count)| *count > 0);
        let lone: Vec<_> =
            lone.map(|(name, count)| format!("{} in the body", times(count, &format!("a lone {name}")))).collect();
        let header = self.anomalies.iter().map(|found| {
            let what = times(u64::from(found.count), &found.kind.name().replace('_', " "));
            format!("{what}, first at byte {} of the header", found.at)
        });
        let forged = self.forged.iter().map(|found| format!("field {} claims to be ours", found.index + 1));
        let all: Vec<_> = header.chain(lone).chain(forged).collect();
        if all.is_empty() {
            return Ok(());
        }
        writeln!(out, "Oddities")?;
        all.iter().try_for_each(|line| writeln!(out, "  {line}"))
    }
}

impl Verdict {
    /// The outcome as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let author = self.author_domain.as_ref().map_or("this message", |domain| domain.as_str());
        let why = self.why();
        match (self.result, self.requested_disposition) {
            (ResultWord::Pass, _) => format!("DMARC passes for {author}: {why}."),
            (ResultWord::Fail, Some(Policy::Reject)) => {
                format!("DMARC fails for {author}, whose owner asks to reject such mail: {why}.")
            }
            (ResultWord::Fail, Some(Policy::Quarantine)) => {
                format!("DMARC fails for {author}, whose owner asks to treat such mail as suspicious: {why}.")
            }
            (ResultWord::Fail, _) => {
                format!("DMARC fails for {author}, whose owner asks for nothing but reports: {why}.")
            }
            (ResultWord::TempError, _) => format!("DMARC could not be evaluated for {author} now: {why}."),
            (ResultWord::None, _) => format!("DMARC does not apply to {author}: {why}."),
            _ => format!("DMARC cannot be evaluated for {author}: {why}."),
        }
    }
}

/// A heading, and a text below it, indented.
fn section(out: &mut String, heading: &str, text: &str) -> fmt::Result {
    writeln!(out, "{heading}")?;
    text.lines().try_for_each(|line| writeln!(out, "  {line}"))?;
    writeln!(out)
}

fn write_verdict(out: &mut String, verdict: &Verdict) -> fmt::Result {
    let standard = match verdict.standard {
        Standard::Rfc9989 => "RFC 9989, tree walk",
        Standard::Rfc7489 => "RFC 7489, public suffix list",
    };
    let author = verdict.author_domain.as_ref().map_or("-", |domain| domain.as_str());
    let asked_for = match verdict.requested_disposition {
        Some(policy) if verdict.result == ResultWord::Fail => format!(", asked for: {policy}"),
        _ => String::new(),
    };
    writeln!(out, "DMARC for {author} ({standard}): {}{asked_for}", verdict.result)?;
    if let Some(words) = verdict.policy_in_words() {
        writeln!(out, "  {words}")?;
    }
    for alignment in &verdict.alignments {
        let mark = if alignment.passes() { "✓" } else { "✗" };
        writeln!(out, "  {mark} {}", alignment.why(author))?;
    }
    if let Some(organization) = verdict.organizational_domain() {
        if organization.to_string() == author {
            writeln!(out, "  {author} is an organizational domain itself")?;
        } else {
            writeln!(out, "  {author} belongs to {organization}, its organizational domain")?;
        }
    }
    let questions = questions(verdict);
    for (at, (question, details)) in questions.iter().enumerate() {
        let last = at + 1 == questions.len();
        let (branch, below) = if last { ("└─", "  ") } else { ("├─", "│ ") };
        writeln!(out, "  {branch} {question}")?;
        details.iter().try_for_each(|line| writeln!(out, "  {below}  {line}"))?;
    }
    writeln!(out)
}

/// What was asked for a verdict, each question with what is to be said about it.
fn questions(verdict: &Verdict) -> Vec<(String, Vec<String>)> {
    let steps = verdict.discovery.iter().flat_map(|discovery| &discovery.steps);
    let mut all: Vec<_> = steps.map(|step| question(step, verdict)).collect();
    if let (Some(answer), Some(discovery)) = (&verdict.existence, &verdict.discovery) {
        all.push((format!("{} A, to see whether it exists: {answer}", discovery.domain), Vec::new()));
    }
    for walk in &verdict.walks {
        let organization =
            walk.organizational_domain.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        all.push((format!("organizational domain of {}: {organization}", walk.domain), Vec::new()));
    }
    all
}

fn question(step: &Step, verdict: &Verdict) -> (String, Vec<String>) {
    let applies = verdict.policy_domain() == Some(&step.domain);
    let (note, details) = match step.selection.as_deref() {
        Some(Selection::Record(published)) => {
            let note = if applies { ": this record applies" } else { ": a record, which does not apply" };
            (note, record(&published.text, &published.findings))
        }
        Some(Selection::Several(texts)) => {
            (": several records, so none counts", texts.iter().flat_map(|text| record(text, &[])).collect())
        }
        Some(Selection::Nothing(near)) => {
            let near = near.iter().map(|(text, why)| [record(text, &[]), vec![format!("no record: {why}")]].concat());
            (": no DMARC record among them", near.flatten().collect())
        }
        None => ("", Vec::new()),
    };
    (format!("{}: {}{note}", asked(step), answered(step)), details)
}

/// A record with carets under what is wrong in it.
fn record(text: &str, findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = vec![shown(text).chars().take(RECORD_CHARACTERS).collect()];
    if text.chars().nth(RECORD_CHARACTERS).is_some() {
        lines[0].push('…');
    }
    for finding in findings {
        // Where a text is not ASCII, bytes are no columns.
        let inside = text.is_ascii() && finding.span.end <= RECORD_CHARACTERS && finding.problem.is_error();
        let carets = "^".repeat(finding.span.len().max(1));
        lines.push(if inside {
            format!("{}{carets} {finding}", " ".repeat(finding.span.start))
        } else {
            format!("note: {finding}")
        });
    }
    lines
}

fn write_signature(out: &mut String, verdict: &dkim::Verdict, (branch, below): (&str, &str)) -> fmt::Result {
    let domain = verdict.domain().map_or("-", message::Domain::as_str);
    write!(out, "  {branch} {} d={domain}", verdict.result)?;
    if let Some(signature) = &verdict.signature {
        write!(out, " s={} {}", signature.selector.as_str(), signature.algorithm.as_str())?;
    }
    if let Some(bits) = verdict.key_bits {
        write!(out, ", key of {bits} bits")?;
    }
    if let Some(age) = verdict.age {
        write!(out, ", {}", aged(age))?;
    }
    writeln!(out)?;
    if let Some(reason) = &verdict.reason {
        writeln!(out, "  {below} {reason}")?;
    }
    for flag in &verdict.flags {
        let detail = match flag {
            dkim::Flag::UnsignedRepetition(name) => format!(" ({name})"),
            _ => String::new(),
        };
        writeln!(out, "  {below} beware: {}{detail}", flag.name().replace('_', " "))?;
    }
    Ok(())
}

/// How often something was met.
fn times(count: u64, what: &str) -> String {
    match count {
        1 => what.to_owned(),
        _ => format!("{count} times {what}"),
    }
}

/// Seconds since a signature was made, in the unit that people would take.
fn aged(seconds: i64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds")];
    let size = seconds.unsigned_abs();
    let (unit, name) = units.into_iter().find(|(unit, _)| size >= 2 * unit).unwrap_or((1, "seconds"));
    let when = if seconds < 0 { "from now" } else { "ago" };
    format!("made {} {name} {when}", size / unit)
}

/// A stranger's text, one character each, nothing that acts on a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if message::is_unseen(c) { '·' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(shown("a\x1b[2Jb\r\nc\u{202e}d\u{200b}"), "a·[2Jb··c·d·");
    }

    #[test]
    fn ages() {
        let cases = [
            (0, "made 0 seconds ago"),
            (119, "made 119 seconds ago"),
            (120, "made 2 minutes ago"),
            (7_200, "made 2 hours ago"),
            (-300, "made 5 minutes from now"),
            (864_000, "made 10 days ago"),
            (i64::MIN, "made 106751991167300 days from now"),
        ];
        for (seconds, words) in cases {
            assert_eq!(aged(seconds), words);
        }
    }
}
