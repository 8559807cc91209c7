//! The header of a report: metadata and published policy.

use std::io::BufRead;

use super::domain::set_domain;
use super::markup::Markup;
use super::name::Name;
use super::words::{is_early, time, word};
use crate::{Alignment, Dialect, DiscoveryMethod, FlawKind, Policy, Rejection, RejectionKind, Report, Text};

/// Eight days: a week, and a day for those who add one.
const LONG_SPAN_SECONDS: i64 = 8 * 86_400;

/// A header as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) report: Report,
    metadata: bool,
    policy: bool,
    begin: Option<i64>,
    end: Option<i64>,
    /// Seen `generator`, `testing` or `discovery_method`, which RFC 9990 added.
    new_elements: bool,
}

impl Header {
    /// Whether both parts have been there.
    pub(super) fn is_complete(&self) -> bool {
        self.metadata && self.policy
    }

    /// Reads one child of `<feedback>` that is no row.
    pub(super) fn part<R: BufRead>(&mut self, xml: &mut Markup<R>, name: Name) -> Result<(), Rejection> {
        match name {
            Name::Version if self.report.version.is_none() => {
                let (text, _) = xml.leaf(name)?;
                self.report.version = Some(Text::new(text));
                Ok(())
            }
            Name::ReportMetadata if !self.metadata => self.metadata(xml),
            Name::PolicyPublished if !self.policy => self.policy(xml),
            Name::Unknown => xml.skip(name),
            Name::Version | Name::ReportMetadata | Name::PolicyPublished => {
                xml.flaws.note(FlawKind::RepeatedElement, Some(name.word()));
                xml.skip(name)
            }
            _ => xml.misplaced(name),
        }
    }

    fn metadata<R: BufRead>(&mut self, xml: &mut Markup<R>) -> Result<(), Rejection> {
        self.metadata = true;
        while let Some(name) = xml.child(Name::ReportMetadata)? {
            let reporter = &mut self.report.reporter;
            match name {
                Name::Organization => xml.first_text(name, &mut reporter.organization)?,
                Name::Email => xml.first_text(name, &mut reporter.email)?,
                Name::ExtraContactInfo => xml.first_option(name, &mut reporter.extra_contact)?,
                Name::Generator => {
                    self.new_elements = true;
                    xml.first_option(name, &mut reporter.generator)?;
                }
                Name::ReportId => xml.first_text(name, &mut self.report.report_id)?,
                Name::DateRange => self.date_range(xml)?,
                Name::Error => self.error(xml)?,
                Name::Unknown => xml.skip(name)?,
                _ => xml.misplaced(name)?,
            }
        }
        Ok(())
    }

    fn error<R: BufRead>(&mut self, xml: &mut Markup<R>) -> Result<(), Rejection> {
        let (text, _) = xml.leaf(Name::Error)?;
        if !text.is_empty() {
            self.report.errors.push(Text::new(text));
        }
        xml.check_room(self.report.errors.len(), "errors")
    }

    fn date_range<R: BufRead>(&mut self, xml: &mut Markup<R>) -> Result<(), Rejection> {
        while let Some(name) = xml.child(Name::DateRange)? {
            let slot = match name {
                Name::Begin => &mut self.begin,
                Name::End => &mut self.end,
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
            if slot.is_some() {
                flaws.note(FlawKind::RepeatedElement, Some(name.word()));
            } else if !text.is_empty() {
                *slot = Some(time(text, name.word(), flaws)?);
            }
        }
        Ok(())
    }

    fn policy<R: BufRead>(&mut self, xml: &mut Markup<R>) -> Result<(), Rejection> {
        self.policy = true;
        while let Some(name) = xml.child(Name::PolicyPublished)? {
            self.new_elements |= matches!(name, Name::Testing | Name::DiscoveryMethod);
            let policy = &mut self.report.policy;
            match name {
                Name::Unknown => {
                    xml.skip(name)?;
                    continue;
                }
                Name::Fo => {
                    xml.first_option(name, &mut policy.fo)?;
                    continue;
                }
                _ => {}
            }
            if !POLICY_ELEMENTS.contains(&name) {
                xml.misplaced(name)?;
                continue;
            }
            let (text, flaws) = xml.leaf(name)?;
            match name {
                Name::Domain if policy.domain.is_empty() => set_domain(&mut policy.domain, text, flaws),
                Name::Domain => flaws.note(FlawKind::RepeatedElement, Some(name.word())),
                Name::P | Name::Sp | Name::Np => {
                    let slot = match name {
                        Name::P => &mut policy.p,
                        Name::Sp => &mut policy.sp,
                        _ => &mut policy.np,
                    };
                    // An empty `sp` is what some gateways write where the record has none; the absence says that `p` holds.
                    let kind = if text.is_empty() { FlawKind::EmptyPolicy } else { FlawKind::UnknownPolicy };
                    first(slot, text, Policy::from_word, kind, flaws);
                }
                Name::Adkim => first(&mut policy.adkim, text, alignment, FlawKind::UnknownAlignment, flaws),
                Name::Aspf => first(&mut policy.aspf, text, alignment, FlawKind::UnknownAlignment, flaws),
                Name::Pct => first(&mut policy.pct, text, percentage, FlawKind::UnknownPercentage, flaws),
                Name::Testing => first(&mut policy.testing, text, testing, FlawKind::UnknownTesting, flaws),
                _ => first(
                    &mut policy.discovery_method,
                    text,
                    DiscoveryMethod::from_word,
                    FlawKind::UnknownDiscoveryMethod,
                    flaws,
                ),
            }
        }
        Ok(())
    }

    /// Fills in what is missing, and says what cannot be.
    pub(super) fn close<R: BufRead>(&mut self, xml: &mut Markup<R>) -> Result<(), Rejection> {
        let report = &mut self.report;
        if !self.metadata {
            return Err(missing("report_metadata"));
        }
        if !self.policy {
            return Err(missing("policy_published"));
        }
        if report.policy.domain.is_empty() {
            return Err(missing("policy_published/domain"));
        }
        report.interval.begin = self.begin.ok_or_else(|| missing("date_range/begin"))?;
        report.interval.end = self.end.ok_or_else(|| missing("date_range/end"))?;
        let flaws = &mut xml.flaws;
        if report.reporter.email.is_empty() {
            flaws.note(FlawKind::MissingEmail, None);
        }
        if report.reporter.organization.is_empty() {
            flaws.note(FlawKind::MissingOrganization, Some(&report.reporter.email));
            let domain = report.reporter.email.rsplit('@').next().unwrap_or_default();
            report.reporter.organization = Text::from_str_to_lowercase(domain.trim_end_matches('>'));
        }
        if report.report_id.is_empty() {
            flaws.note(FlawKind::MissingReportId, None);
        }
        if report.policy.p.is_none() {
            flaws.note(FlawKind::MissingPolicy, None);
        }
        let (begin, end) = (report.interval.begin, report.interval.end);
        let seconds = Text::from(format!("{begin} to {end}"));
        let mut odd = |is: bool, kind| {
            if is {
                flaws.note(kind, Some(&seconds));
            }
        };
        odd(is_early(begin), FlawKind::EarlyTime);
        odd(end == begin, FlawKind::ZeroSpan);
        odd(end < begin, FlawKind::EndBeforeBegin);
        odd(end - begin > LONG_SPAN_SECONDS, FlawKind::LongSpan);
        // Google writes `np` into reports of the older shape, which the `pct` in them shows.
        let np = report.policy.np.is_some() && report.policy.pct.is_none();
        if xml.rfc9990 || self.new_elements || np {
            report.dialect = Dialect::Rfc9990;
        }
        Ok(())
    }
}

const POLICY_ELEMENTS: [Name; 9] = [
    Name::Domain,
    Name::P,
    Name::Sp,
    Name::Np,
    Name::Adkim,
    Name::Aspf,
    Name::Pct,
    Name::Testing,
    Name::DiscoveryMethod,
];

/// Takes a value if there is none yet; what has no meaning is noted as `kind` and stays absent.
fn first<T>(
    slot: &mut Option<T>,
    text: &str,
    exact: fn(&str) -> Option<T>,
    kind: FlawKind,
    flaws: &mut super::flaws::Flaws,
) {
    if slot.is_some() {
        flaws.note(FlawKind::RepeatedElement, None);
        return;
    }
    *slot = word(text, exact, flaws);
    if slot.is_none() {
        flaws.note(kind, Some(text));
    }
}

fn alignment(text: &str) -> Option<Alignment> {
    match text {
        "r" | "relaxed" => Some(Alignment::Relaxed),
        "s" | "strict" => Some(Alignment::Strict),
        _ => None,
    }
}

fn percentage(text: &str) -> Option<u8> {
    text.parse().ok().filter(|pct| *pct <= 100)
}

fn testing(text: &str) -> Option<bool> {
    match text {
        "y" => Some(true),
        "n" => Some(false),
        _ => None,
    }
}

fn missing(part: &str) -> Rejection {
    Rejection::new(
        RejectionKind::MissingPart,
        format!(
            "The report has no {part}, without which its rows cannot be placed. Ask the reporter for a complete one."
        ),
    )
}
