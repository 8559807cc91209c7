//! Samples of messages that failed, and who they were written as.

use report::{Day, Text};
use store::{Ledger, SampleEntry};

use crate::{
    Error, HeaderLine, LocalPartLine, LocalParts, Period, SampleDetail, SampleFilter, SampleLine, Samples, Scope,
    SignatureLine,
};

/// A page of samples. Of the scope its period, domain and network count: what else it may say, samples do not have.
///
/// # Errors
/// When the ledger cannot be read.
pub fn samples(ledger: &Ledger, scope: &Scope, filter: &SampleFilter) -> Result<Samples, Error> {
    let days = days(ledger, scope.period)?;
    let (entries, lines_total) = match days {
        Some(days) => ledger.samples(&asked(scope, filter, days), filter.offset, filter.limit)?,
        None => (Vec::new(), 0),
    };
    Ok(Samples { days, lines: entries.iter().map(line).collect(), lines_total })
}

/// Who the messages of a scope were written as, as far as samples tell.
///
/// # Errors
/// When the ledger cannot be read.
pub fn local_parts(ledger: &Ledger, scope: &Scope, filter: &SampleFilter) -> Result<LocalParts, Error> {
    let days = days(ledger, scope.period)?;
    let (found, lines_total) = match days {
        Some(days) => ledger.local_parts(&asked(scope, filter, days), filter.limit)?,
        None => (Vec::new(), 0),
    };
    let lines = found.into_iter().map(|found| LocalPartLine {
        local_part: found.local_part.to_string(),
        domain: found.domain.to_string(),
        messages: found.incidents,
        samples: found.samples,
        sources: found.sources,
        first_day: found.first_day,
        last_day: found.last_day,
    });
    Ok(LocalParts { days, lines: lines.collect(), lines_total })
}

/// One sample; `None` if there is none with that number.
///
/// # Errors
/// When the ledger cannot be read.
pub fn sample(ledger: &Ledger, id: u64) -> Result<Option<SampleDetail>, Error> {
    Ok(ledger.sample(id)?.map(detail))
}

/// The days of a period: its newest is that of the newest row or sample.
fn days(ledger: &Ledger, period: Period) -> Result<Option<(Day, Day)>, Error> {
    let joined = match (ledger.span()?, ledger.sample_span()?) {
        (Some(rows), Some(samples)) => Some((rows.0.min(samples.0), rows.1.max(samples.1))),
        (rows, samples) => rows.or(samples),
    };
    Ok(match (period, joined) {
        (Period::Days(from, to), _) => Some((from.min(to), from.max(to))),
        (Period::Last(days), Some((first, last))) => Some((last.plus(1 - i32::from(days.max(1))).max(first), last)),
        (Period::All, joined) => joined,
        (Period::Last(_), None) => None,
    })
}

fn asked(scope: &Scope, filter: &SampleFilter, days: (Day, Day)) -> store::SampleFilter {
    store::SampleFilter {
        days: Some(days),
        domain: scope.domain.clone(),
        subdomains: scope.subdomains,
        local_part: filter.local_part.as_deref().map(Text::new),
        network: scope.network,
    }
}

fn line(entry: &SampleEntry) -> SampleLine {
    let sample = &entry.sample;
    SampleLine {
        id: entry.id,
        day: entry.day,
        arrived: sample.arrived,
        domain: sample.domain.to_string(),
        local_part: sample.local_part.to_string(),
        source: sample.source.map(|source| source.to_string()),
        reporter: sample.reporter.to_string(),
        subject: sample.subject.as_ref().map(ToString::to_string),
        auth_failure: sample.auth_failure.word().to_owned(),
        dkim_failed: sample.failed.map(|failed| failed.dkim),
        spf_failed: sample.failed.map(|failed| failed.spf),
        delivery: sample.delivery.as_ref().map(|delivery| delivery.word().to_owned()),
        envelope_from: sample.envelope_from.as_ref().map(ToString::to_string),
        spf_domain: sample.spf_domain.as_ref().map(ToString::to_string),
        dkim: sample
            .dkim
            .iter()
            .map(|(domain, selector)| SignatureLine { domain: domain.to_string(), selector: selector.to_string() })
            .collect(),
        incidents: sample.incidents,
    }
}

fn detail(entry: SampleEntry) -> SampleDetail {
    let line = line(&entry);
    let sample = entry.sample;
    let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.to_string()).collect();
    SampleDetail {
        line,
        header: sample
            .header
            .into_iter()
            .map(|field| HeaderLine { name: field.name.to_string(), value: field.value.to_string() })
            .collect(),
        source_port: sample.source_port,
        user_agent: sample.user_agent.map(|agent| agent.to_string()),
        shape: crate::reports::word(&sample.shape),
        reported_domains: texts(sample.reported_domains),
        envelope_to: texts(sample.envelope_to),
        dkim_identity: sample.dkim_identity.map(|identity| identity.to_string()),
        authentication_results: texts(sample.authentication_results),
        uri_hosts: texts(sample.uri_hosts),
        flaws: sample.flaws,
        origin: entry.origin,
        member: entry.member,
        item: entry.item.to_string(),
        received: entry.received,
    }
}
