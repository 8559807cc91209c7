//! An evaluation in words: one sentence why, and the tree of terms as text with what mattered pointed at.
//!
//! In: an [`Evaluation`]. Out: text for a terminal, a log or a ticket. Strangers' bytes are shown one character each, control characters
//! as dots, so that carets stand where they should and nothing reaches the terminal but text.

use std::fmt::{self, Write as _};
use std::ops::Range;

use dns::Name;

use crate::tree::{RecordNode, TermNode, TermOutcome};
use crate::{End, Evaluation, Limits, Reason, Selection, Span, SpfResult};

/// Characters of a record that are shown around a place; the rest is cut, since records have hundreds of them.
const EXCERPT_CHARACTERS: usize = 100;

impl Evaluation {
    /// Why the result is what it is, as one sentence without a full stop.
    #[must_use]
    pub fn why(&self) -> String {
        let domain = |visit: u16| {
            self.trace.visits.get(usize::from(visit)).map_or_else(Name::root, |visit| visit.domain.clone())
        };
        let term = |visit: u16, term: u16| format!("`{}` of {}", self.term_text(visit, term), domain(visit));
        match self.reason {
            Reason::NoDomain(why) => format!("no domain to ask about: {why}"),
            Reason::NoMailFrom => "the client never said MAIL FROM".to_owned(),
            Reason::NoRecord => format!("{} has no SPF record", domain(0)),
            Reason::Matched => {
                let mut path: Vec<String> = self.matched().into_iter().map(|(visit, at)| term(visit, at)).collect();
                let decided = path.pop().unwrap_or_default();
                path.reverse();
                let by = if path.is_empty() { String::new() } else { format!(", reached by {}", path.join(" by ")) };
                format!("{decided} matches{by}")
            }
            Reason::NothingMatched => format!("no term of {} matches", domain(self.last_visit())),
            Reason::Faulty { visit } => {
                let first = match self.trace.visits.get(usize::from(visit)).and_then(|visit| visit.selection.as_deref())
                {
                    Some(Selection::Faulty { errors, .. }) => errors.first().map(ToString::to_string),
                    _ => None,
                };
                format!("the record of {} has a mistake: {}", domain(visit), first.unwrap_or_default())
            }
            Reason::Several { visit } => format!("{} has several SPF records, and only one is allowed", domain(visit)),
            Reason::TooManyLookups { visit, term: at } => {
                let max = self.limits.lookups_max;
                format!("{} would be lookup {}, and {max} are allowed", term(visit, at), u32::from(max) + 1)
            }
            Reason::TooManyVoids { visit, term: at } => {
                let (voids, max) = (self.void_lookups, self.limits.voids_max);
                format!("{} made lookup {voids} without an answer, and {max} are allowed", term(visit, at))
            }
            Reason::TooManyMxHosts { visit, term: at } => {
                format!("{} has more than {} hosts", term(visit, at), self.limits.mx_hosts_max)
            }
            Reason::TargetWithoutRecord { visit, term: at } => format!("{} leads to no SPF record", term(visit, at)),
            Reason::RecordUnavailable { visit } => {
                let answer = self.trace.visits.get(usize::from(visit)).map(|visit| visit.answer.to_string());
                format!("DNS failed on {} TXT: {}", domain(visit), answer.unwrap_or_default())
            }
            Reason::DnsFailed { question } => {
                let Some(asked) = self.trace.questions.get(usize::from(question)) else { return String::new() };
                let (name, kind, answer) = (&asked.name, asked.kind, &asked.answer);
                format!("{}: DNS failed on {name} {kind}: {answer}", term(asked.visit, asked.term))
            }
        }
    }

    /// The record that gave the result: the domain's own, or the one that redirects lead to.
    fn last_visit(&self) -> u16 {
        let redirected = |from: u16| match self.trace.visits.get(usize::from(from))?.end {
            End::Redirected(term) => self.trace.led_to(from, term).filter(|to| *to > from),
            _ => None,
        };
        let mut last = 0;
        while let Some(next) = redirected(last) {
            last = next;
        }
        last
    }

    fn term_text(&self, visit: u16, term: u16) -> &str {
        self.trace
            .record(visit)
            .and_then(|record| Some(record.text_of(record.terms.get(usize::from(term))?)))
            .unwrap_or_default()
    }

    /// The tree of terms as text, several lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let domain = self.domain.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let Limits { lookups_max, voids_max, .. } = self.limits;
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{} for {domain} ({}): {}\n{} of {lookups_max} lookups, {} of {voids_max} without an answer",
            self.result,
            self.identity.as_str(),
            self.why(),
            self.lookups,
            self.void_lookups,
        );
        if let Some(explanation) = &self.explanation {
            let _ = writeln!(out, "{domain} explains: {explanation}");
        }
        if let Some(tree) = self.tree() {
            let _ = record_lines(&mut out, &tree, "", self);
        }
        out
    }
}

/// A record and its terms; every line begins with `indent`.
fn record_lines(out: &mut String, node: &RecordNode<'_>, indent: &str, evaluation: &Evaluation) -> fmt::Result {
    let visit = node.visit;
    writeln!(out, "{indent}{} TXT: {}", visit.domain, visit.answer)?;
    match visit.selection.as_deref() {
        None | Some(Selection::Nothing) => {}
        Some(Selection::Several(texts)) => {
            for text in texts {
                writeln!(out, "{indent}│ {}", excerpt(text, 0..0).0)?;
            }
        }
        Some(Selection::Faulty { text, errors }) => {
            for error in errors {
                pointed(out, indent, text, error.span, &error.to_string())?;
            }
        }
        Some(Selection::Record(record)) => {
            let text = record.text().as_bytes();
            let ended = node.terms.iter().find_map(|term| Some((term, ending(term, evaluation)?)));
            match ended {
                Some((term, words)) => pointed(out, indent, text, term.span, &words)?,
                None => writeln!(out, "{indent}│ {}\n{indent}│ nothing matches", excerpt(text, 0..0).0)?,
            }
        }
    }
    let shown = node
        .terms
        .iter()
        .filter(|term| term.record.is_some() || term.after != term.before || !term.questions.is_empty());
    for term in shown {
        term_lines(out, term, indent, evaluation)?;
    }
    Ok(())
}

/// What is said under the term that ended a record's evaluation.
fn ending(term: &TermNode<'_>, evaluation: &Evaluation) -> Option<String> {
    match term.outcome {
        TermOutcome::Matched(result) => Some(format!("matches: {result}")),
        TermOutcome::Followed => Some("decides, as nothing matches".to_owned()),
        TermOutcome::Failed => Some(match evaluation.reason {
            Reason::TooManyLookups { .. } => format!("lookup {}: one too many", u32::from(term.before.lookups) + 1),
            Reason::TooManyVoids { .. } => "one lookup without an answer too many".to_owned(),
            Reason::TooManyMxHosts { .. } => "too many hosts".to_owned(),
            Reason::TargetWithoutRecord { .. } => "leads to no SPF record".to_owned(),
            _ => format!("ends in {}", evaluation.result),
        }),
        TermOutcome::NoMatch | TermOutcome::NotReached | TermOutcome::Modifier => None,
    }
}

fn term_lines(out: &mut String, term: &TermNode<'_>, indent: &str, evaluation: &Evaluation) -> fmt::Result {
    let outcome = match term.outcome {
        TermOutcome::Matched(SpfResult::Pass) => "match".to_owned(),
        TermOutcome::Matched(result) => format!("match: {result}"),
        TermOutcome::NoMatch => "no match".to_owned(),
        TermOutcome::Failed => "error".to_owned(),
        TermOutcome::NotReached => "not reached".to_owned(),
        TermOutcome::Followed => "followed".to_owned(),
        TermOutcome::Modifier => "looked up".to_owned(),
    };
    let (before, after) = (term.before, term.after);
    write!(out, "{indent}├─ {}: {outcome}", term.text)?;
    if before.lookups != after.lookups {
        write!(out, "; lookups {} → {}", before.lookups, after.lookups)?;
    }
    if before.voids != after.voids {
        write!(out, "; without an answer {} → {}", before.voids, after.voids)?;
    }
    writeln!(out)?;
    for question in &term.questions {
        writeln!(out, "{indent}│  {} {}: {}", question.name, question.kind, question.answer)?;
    }
    match &term.record {
        Some(record) => record_lines(out, record, &format!("{indent}│  "), evaluation),
        None => Ok(()),
    }
}

/// A text, carets under a part of it, and what is to be said about that.
fn pointed(out: &mut String, indent: &str, text: &[u8], span: Span, words: &str) -> fmt::Result {
    let (shown, before, length) = excerpt(text, span.range(text.len()));
    writeln!(out, "{indent}│ {shown}\n{indent}│ {}{} {words}", " ".repeat(before), "^".repeat(length.max(1)))
}

/// A part of a record around a span of its bytes, one character for each byte; how many characters stand before the span, and how many
/// in it. A span that reaches beyond the text ends with it.
#[must_use]
pub fn excerpt(text: &[u8], span: Range<usize>) -> (String, usize, usize) {
    let end = span.end.min(text.len());
    let span = span.start.min(end)..end;
    let room = EXCERPT_CHARACTERS.saturating_sub(span.len()) / 2;
    let (start, end) = if text.len() <= EXCERPT_CHARACTERS {
        (0, text.len())
    } else {
        let start = span.start.saturating_sub(room);
        (start, (start + EXCERPT_CHARACTERS).max(span.end).min(text.len()))
    };
    let mut shown = String::new();
    shown.push_str(if start > 0 { "…" } else { "" });
    shown.extend(text[start..end].iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        byte if byte.is_ascii() => '·',
        _ => '\u{fffd}',
    }));
    shown.push_str(if end < text.len() { "…" } else { "" });
    (shown, span.start - start + usize::from(start > 0), span.len())
}
