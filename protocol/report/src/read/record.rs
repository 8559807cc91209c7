//! One row: `<record>` with its `row`, `identifiers` and `auth_results`.

use std::io::BufRead;
use std::net::IpAddr;

use super::domain::set_domain;
use super::limits::Limits;
use super::markup::Markup;
use super::name::Name;
use super::words::{aligned, auth_result, count, override_kind, source, word};
use crate::{
    AuthResult, Disposition, DkimResult, FlawKind, Override, OverrideKind, Rejection, Row, SpfResult, SpfScope, Text,
};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It can be counted.
    Good,
    /// It claims messages that cannot be attributed or counted.
    Bad,
    /// It is a place holder that says there were no messages.
    Empty,
}

/// Which parts of a row have been there, and what decides whether it counts.
#[derive(Default)]
struct Seen {
    source: Part<IpAddr>,
    count: Part<u64>,
    evaluated: Evaluated,
    auth_results: bool,
}

/// An element without which a row cannot be counted.
#[derive(Default, PartialEq, Eq)]
enum Part<T> {
    /// Not there, or empty.
    #[default]
    Missing,
    /// There, and no use.
    Bad,
    Good(T),
}

/// Which results `policy_evaluated` held.
#[derive(Default)]
struct Evaluated {
    disposition: bool,
    dkim: bool,
    spf: bool,
}

/// Reads the `<record>` that was opened last into `row`, whose strings and lists are used again.
pub(super) fn read<R: BufRead>(xml: &mut Markup<R>, row: &mut Row, limits: &Limits) -> Result<Outcome, Rejection> {
    let mut seen = Seen::default();
    xml.begin_part();
    row.clear();
    while let Some(name) = xml.child(Name::Record)? {
        match name {
            Name::Row => row_element(xml, row, &mut seen, limits)?,
            Name::Identifiers => identifiers(xml, row, name)?,
            Name::Identities => {
                xml.flaws.note(FlawKind::Identities, None);
                identifiers(xml, row, name)?;
            }
            Name::AuthResults => auth_results(xml, row, &mut seen)?,
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    let flaws = &mut xml.flaws;
    // Some reporters write one row of empty elements where there was no mail.
    let counts_nothing = matches!(seen.count, Part::Missing | Part::Good(0));
    if seen.source == Part::Missing && counts_nothing && row.author_domain.is_empty() {
        flaws.note(FlawKind::EmptyRow, None);
        return Ok(Outcome::Empty);
    }
    if seen.source == Part::Missing {
        flaws.note(FlawKind::BadSource, None);
    }
    if seen.count == Part::Missing {
        flaws.note(FlawKind::BadCount, None);
    }
    let (Part::Good(source), Part::Good(count)) = (seen.source, seen.count) else { return Ok(Outcome::Bad) };
    (row.source, row.count) = (source, count);
    if !seen.evaluated.dkim || !seen.evaluated.spf {
        flaws.note(FlawKind::MissingEvaluation, None);
    }
    if !seen.evaluated.disposition {
        flaws.note(FlawKind::UnknownDisposition, None);
    }
    if row.author_domain.is_empty() {
        flaws.note(FlawKind::MissingAuthorDomain, None);
    }
    if !seen.auth_results {
        flaws.note(FlawKind::MissingAuthResults, None);
    }
    Ok(Outcome::Good)
}

fn row_element<R: BufRead>(
    xml: &mut Markup<R>,
    row: &mut Row,
    seen: &mut Seen,
    limits: &Limits,
) -> Result<(), Rejection> {
    while let Some(name) = xml.child(Name::Row)? {
        match name {
            Name::SourceIp if seen.source == Part::Missing => {
                let (text, flaws) = xml.leaf(name)?;
                if !text.is_empty() {
                    seen.source = source(text, flaws).map_or(Part::Bad, Part::Good);
                }
            }
            Name::Count if seen.count == Part::Missing => {
                let (text, flaws) = xml.leaf(name)?;
                if !text.is_empty() {
                    seen.count = count(text, limits.count, flaws).map_or(Part::Bad, Part::Good);
                }
            }
            Name::PolicyEvaluated => policy_evaluated(xml, row, &mut seen.evaluated)?,
            Name::SourceIp | Name::Count => {
                xml.flaws.note(FlawKind::RepeatedElement, Some(name.word()));
                xml.skip(name)?;
            }
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    Ok(())
}

fn policy_evaluated<R: BufRead>(xml: &mut Markup<R>, row: &mut Row, seen: &mut Evaluated) -> Result<(), Rejection> {
    while let Some(name) = xml.child(Name::PolicyEvaluated)? {
        match name {
            Name::Disposition => {
                let (text, flaws) = xml.leaf(name)?;
                if let Some(disposition) = word(text, Disposition::from_word, flaws) {
                    row.disposition = disposition;
                    seen.disposition = true;
                } else if !text.is_empty() {
                    flaws.note(FlawKind::UnknownDisposition, Some(text));
                    seen.disposition = true;
                }
            }
            Name::Dkim => {
                let (text, flaws) = xml.leaf(name)?;
                row.dkim_aligned = aligned(text, flaws);
                seen.dkim = true;
            }
            Name::Spf => {
                let (text, flaws) = xml.leaf(name)?;
                row.spf_aligned = aligned(text, flaws);
                seen.spf = true;
            }
            Name::Reason => {
                reason(xml, row)?;
                xml.check_room(row.overrides.len(), "reasons")?;
            }
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    Ok(())
}

fn reason<R: BufRead>(xml: &mut Markup<R>, row: &mut Row) -> Result<(), Rejection> {
    let mut kind = None;
    let mut comment: Option<Text> = None;
    while let Some(name) = xml.child(Name::Reason)? {
        match name {
            Name::Type => {
                let (text, flaws) = xml.leaf(name)?;
                if !text.is_empty() {
                    kind = Some(override_kind(text, flaws));
                }
            }
            Name::Comment => {
                let (text, _) = xml.leaf(name)?;
                comment = (!text.is_empty()).then(|| Text::new(text));
            }
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    if kind.is_none() {
        xml.flaws.note(FlawKind::EmptyReason, comment.as_deref());
    }
    if kind.is_some() || comment.is_some() {
        row.overrides.push(Override { kind: kind.unwrap_or(OverrideKind::Other), comment });
    }
    Ok(())
}

fn identifiers<R: BufRead>(xml: &mut Markup<R>, row: &mut Row, own: Name) -> Result<(), Rejection> {
    while let Some(name) = xml.child(own)? {
        let slot = match name {
            Name::HeaderFrom => &mut row.author_domain,
            Name::EnvelopeFrom => row.envelope_from.get_or_insert_default(),
            Name::EnvelopeTo => row.envelope_to.get_or_insert_default(),
            Name::Unknown => {
                xml.skip(name)?;
                continue;
            }
            _ => {
                xml.misplaced(name)?;
                continue;
            }
        };
        let (text, flaws) = xml.leaf(name)?;
        if slot.is_empty() {
            set_domain(slot, text, flaws);
        } else {
            flaws.note(FlawKind::RepeatedElement, Some(name.word()));
        }
    }
    // An empty envelope_from is the null reverse-path; an empty envelope_to says nothing.
    if row.envelope_to.as_ref().is_some_and(Text::is_empty) {
        row.envelope_to = None;
    }
    Ok(())
}

fn auth_results<R: BufRead>(xml: &mut Markup<R>, row: &mut Row, seen: &mut Seen) -> Result<(), Rejection> {
    while let Some(name) = xml.child(Name::AuthResults)? {
        match name {
            Name::Dkim => {
                seen.auth_results = true;
                dkim(xml, row)?;
                xml.check_room(row.dkim.len(), "signatures")?;
            }
            Name::Spf => {
                seen.auth_results = true;
                spf(xml, row)?;
                xml.check_room(row.spf.len(), "SPF checks")?;
            }
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    Ok(())
}

fn dkim<R: BufRead>(xml: &mut Markup<R>, row: &mut Row) -> Result<(), Rejection> {
    let mut dkim = DkimResult { domain: Text::default(), selector: None, result: AuthResult::None, human_result: None };
    let mut result = false;
    while let Some(name) = xml.child(Name::Dkim)? {
        match name {
            Name::Domain => {
                let (text, flaws) = xml.leaf(name)?;
                set_domain(&mut dkim.domain, text, flaws);
            }
            Name::Selector => {
                let (text, _) = xml.leaf(name)?;
                dkim.selector = (!text.is_empty()).then(|| lower_case(text));
            }
            Name::Result => {
                let (text, flaws) = xml.leaf(name)?;
                if !text.is_empty() {
                    result = true;
                    dkim.result = auth_result(text, true, flaws);
                }
            }
            Name::HumanResult => xml.first_option(name, &mut dkim.human_result)?,
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    let flaws = &mut xml.flaws;
    if dkim.domain.is_empty() && !result && dkim.selector.is_none() && dkim.human_result.is_none() {
        flaws.note(FlawKind::EmptyDkim, None);
        return Ok(());
    }
    if dkim.domain.is_empty() {
        flaws.note(FlawKind::MissingDkimDomain, None);
    }
    if dkim.selector.is_none() {
        flaws.note(FlawKind::MissingSelector, None);
    }
    if !result {
        flaws.note(FlawKind::MissingResult, None);
    }
    row.dkim.push(dkim);
    Ok(())
}

/// RFC 6376 §3.1: selectors are names in the DNS, whose case says nothing.
fn lower_case(text: &str) -> Text {
    if text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
        Text::from_str_to_lowercase(text)
    } else {
        Text::new(text)
    }
}

fn spf<R: BufRead>(xml: &mut Markup<R>, row: &mut Row) -> Result<(), Rejection> {
    let mut spf = SpfResult { domain: Text::default(), scope: None, result: AuthResult::None, human_result: None };
    let mut result = false;
    while let Some(name) = xml.child(Name::Spf)? {
        match name {
            Name::Domain => {
                let (text, flaws) = xml.leaf(name)?;
                set_domain(&mut spf.domain, text, flaws);
            }
            Name::Scope => {
                let (text, flaws) = xml.leaf(name)?;
                spf.scope = word(text, scope, flaws);
                if spf.scope.is_none() && !text.is_empty() {
                    flaws.note(FlawKind::UnknownScope, Some(text));
                }
            }
            Name::Result => {
                let (text, flaws) = xml.leaf(name)?;
                if !text.is_empty() {
                    result = true;
                    spf.result = auth_result(text, false, flaws);
                }
            }
            Name::HumanResult => xml.first_option(name, &mut spf.human_result)?,
            Name::Unknown => xml.skip(name)?,
            _ => xml.misplaced(name)?,
        }
    }
    let flaws = &mut xml.flaws;
    if spf.domain.is_empty() && !result && spf.human_result.is_none() {
        flaws.note(FlawKind::EmptySpf, None);
        return Ok(());
    }
    if spf.domain.is_empty() {
        flaws.note(FlawKind::MissingSpfDomain, None);
    }
    if !result {
        flaws.note(FlawKind::MissingResult, None);
    }
    row.spf.push(spf);
    Ok(())
}

fn scope(text: &str) -> Option<SpfScope> {
    match text {
        "mailfrom" => Some(SpfScope::Mfrom),
        _ => SpfScope::from_word(text),
    }
}
