//! A report in the JSON that parsedmarc 11 prints, so that what reads that keeps working.
//!
//! The same names, nesting and types; times in UTC whatever the host's zone. What parsedmarc looks up elsewhere about a source is null.
//! Rows of a report over more than a day are shared out over its days, by the same rule.

use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::net::IpAddr;

use serde::Serialize;

use super::json::{open_object, pass_or_fail};
use super::{Held, Stop};
use crate::{Alignment, Day, Interval, PolicyPublished, Reader, Report, Row};

/// Longer reports are shared out over days.
const ONE_DAY_SECONDS: i64 = 86_400;

#[derive(Serialize)]
struct Header<'a> {
    xml_schema: &'a str,
    xml_namespace: Option<&'a str>,
    report_metadata: Metadata<'a>,
    policy_published: Policy<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    org_name: Cow<'a, str>,
    org_email: Option<&'a str>,
    org_extra_contact_info: Option<&'a str>,
    report_id: String,
    begin_date: String,
    end_date: String,
    timespan_requires_normalization: bool,
    original_timespan_seconds: i64,
    errors: &'a [crate::Text],
    generator: Option<&'a str>,
}

#[derive(Serialize)]
struct Policy<'a> {
    domain: &'a str,
    adkim: &'static str,
    aspf: &'static str,
    p: Option<&'static str>,
    sp: Option<&'static str>,
    pct: Option<String>,
    fo: Option<&'a str>,
    np: Option<&'static str>,
    testing: Option<&'static str>,
    discovery_method: Option<&'static str>,
}

#[derive(Serialize)]
struct Record<'a> {
    source: Source,
    count: u64,
    alignment: AlignmentView,
    policy_evaluated: Evaluated<'a>,
    identifiers: Identifiers<'a>,
    auth_results: AuthResults<'a>,
    normalized_timespan: bool,
    interval_begin: String,
    interval_end: String,
}

#[derive(Serialize)]
struct Source {
    ip_address: IpAddr,
    reverse_dns: (),
    country: (),
    base_domain: (),
    name: (),
    r#type: (),
    asn: (),
    as_name: (),
    as_domain: (),
}

#[derive(Serialize)]
struct AlignmentView {
    spf: bool,
    dkim: bool,
    dmarc: bool,
}

#[derive(Serialize)]
struct Evaluated<'a> {
    disposition: &'static str,
    dkim: &'static str,
    spf: &'static str,
    policy_override_reasons: &'a [crate::Override],
}

#[derive(Serialize)]
struct Identifiers<'a> {
    header_from: &'a str,
    envelope_from: Option<&'a str>,
    envelope_to: Option<&'a str>,
}

#[derive(Serialize)]
struct AuthResults<'a> {
    dkim: Vec<Dkim<'a>>,
    spf: Vec<Spf<'a>>,
}

#[derive(Serialize)]
struct Dkim<'a> {
    domain: &'a str,
    selector: &'a str,
    result: &'static str,
    human_result: Option<&'a str>,
}

#[derive(Serialize)]
struct Spf<'a> {
    domain: &'a str,
    scope: &'static str,
    result: &'static str,
    human_result: Option<&'a str>,
}

pub(super) fn show<R: BufRead>(mut reader: Reader<R>, out: &mut Held<'_>) -> Result<(), Stop> {
    let interval = reader.report().interval;
    open_object(out, &header(reader.report(), reader.namespace()))?;
    write!(out, r#","records":["#)?;
    let mut row = Row::default();
    let mut first = true;
    while reader.next_row(&mut row)? {
        for (begin, end, count) in parts(interval, row.count) {
            if !std::mem::take(&mut first) {
                out.write_all(b",")?;
            }
            let mut record = record(&row);
            record.count = count;
            record.normalized_timespan = interval.seconds() > ONE_DAY_SECONDS;
            (record.interval_begin, record.interval_end) = (time(begin), time(end));
            serde_json::to_writer(&mut *out, &record)?;
        }
    }
    reader.finish()?;
    writeln!(out, "]}}")?;
    Ok(())
}

/// The pieces of the interval a row is shared out over, and the messages of each: whole messages by the seconds of the day, and what is
/// left over one by one to the days with the largest remainders.
fn parts(interval: Interval, count: u64) -> Vec<(i64, i64, u64)> {
    if interval.seconds() <= ONE_DAY_SECONDS {
        return vec![(interval.begin, interval.end, count)];
    }
    let (first, last) = interval.days();
    let days = (first.0..=last.0).map(Day);
    let pieces = days.map(|day| (day.begin().max(interval.begin), day.plus(1).begin().min(interval.end)));
    let share = |(begin, end): (i64, i64)| u128::from(count) * u128::from(end.abs_diff(begin));
    let total = u128::from(interval.seconds().unsigned_abs());
    let mut parts: Vec<_> = pieces.map(|piece| (piece, share(piece) / total, share(piece) % total)).collect();
    let left_over = u128::from(count) - parts.iter().map(|(_, whole, _)| whole).sum::<u128>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|&at| std::cmp::Reverse(parts[at].2));
    for at in by_remainder.into_iter().take(usize::try_from(left_over).unwrap_or(usize::MAX)) {
        parts[at].1 += 1;
    }
    let counted = parts.into_iter().filter(|(_, whole, _)| *whole > 0);
    counted.map(|((begin, end), whole, _)| (begin, end, u64::try_from(whole).unwrap_or(u64::MAX))).collect()
}

fn header<'a>(report: &'a Report, namespace: Option<&'a str>) -> Header<'a> {
    let reporter = &report.reporter;
    let id = report.report_id.replace(['<', '>'], "");
    Header {
        xml_schema: report.version.as_deref().unwrap_or("draft"),
        xml_namespace: namespace,
        report_metadata: Metadata {
            org_name: organization(&reporter.organization),
            org_email: Some(&*reporter.email).filter(|email| !email.is_empty()),
            org_extra_contact_info: reporter.extra_contact.as_deref(),
            report_id: id.split('@').next().unwrap_or_default().to_owned(),
            begin_date: time(report.interval.begin),
            end_date: time(report.interval.end),
            timespan_requires_normalization: report.interval.seconds() > ONE_DAY_SECONDS,
            original_timespan_seconds: report.interval.seconds(),
            errors: &report.errors,
            generator: reporter.generator.as_deref(),
        },
        policy_published: policy(&report.policy),
    }
}

/// Domains in lower case, other names as they are. parsedmarc cuts domains down to the organizational one besides.
fn organization(name: &str) -> Cow<'_, str> {
    if name.contains('.') && !name.contains(' ') { Cow::Owned(name.to_lowercase()) } else { Cow::Borrowed(name) }
}

fn policy(policy: &PolicyPublished) -> Policy<'_> {
    Policy {
        domain: &policy.domain,
        adkim: policy.adkim.unwrap_or(Alignment::Relaxed).word(),
        aspf: policy.aspf.unwrap_or(Alignment::Relaxed).word(),
        p: policy.p.map(crate::Policy::word),
        sp: policy.sp.or(policy.p).map(crate::Policy::word),
        pct: policy.pct.map(|pct| pct.to_string()),
        fo: policy.fo.as_deref(),
        np: policy.np.map(crate::Policy::word),
        testing: policy.testing.map(|testing| if testing { "y" } else { "n" }),
        discovery_method: policy.discovery_method.map(crate::DiscoveryMethod::word),
    }
}

fn record(row: &Row) -> Record<'_> {
    let named_spf = || row.spf.iter().filter(|spf| !spf.domain.is_empty());
    let last_spf = || named_spf().next_back().map(|spf| &*spf.domain);
    Record {
        source: Source {
            ip_address: row.source,
            reverse_dns: (),
            country: (),
            base_domain: (),
            name: (),
            r#type: (),
            asn: (),
            as_name: (),
            as_domain: (),
        },
        count: row.count,
        alignment: AlignmentView {
            spf: row.spf_aligned,
            dkim: row.dkim_aligned,
            dmarc: row.dkim_aligned || row.spf_aligned,
        },
        policy_evaluated: Evaluated {
            disposition: row.disposition.word(),
            dkim: pass_or_fail(row.dkim_aligned),
            spf: pass_or_fail(row.spf_aligned),
            policy_override_reasons: &row.overrides,
        },
        identifiers: Identifiers {
            header_from: &row.author_domain,
            envelope_from: row.envelope_from.as_deref().filter(|from| !from.is_empty()).or_else(last_spf),
            envelope_to: row.envelope_to.as_deref(),
        },
        auth_results: AuthResults {
            dkim: row.dkim.iter().filter(|dkim| !dkim.domain.is_empty()).map(dkim).collect(),
            spf: named_spf().map(spf).collect(),
        },
        normalized_timespan: false,
        interval_begin: String::new(),
        interval_end: String::new(),
    }
}

fn dkim(dkim: &crate::DkimResult) -> Dkim<'_> {
    Dkim {
        domain: &dkim.domain,
        selector: dkim.selector.as_deref().unwrap_or("none"),
        result: dkim.result.word(),
        human_result: dkim.human_result.as_deref(),
    }
}

fn spf(spf: &crate::SpfResult) -> Spf<'_> {
    Spf {
        domain: &spf.domain,
        scope: spf.scope.map_or("mfrom", crate::SpfScope::word),
        result: spf.result.word(),
        human_result: spf.human_result.as_deref(),
    }
}

/// `2023-11-14 22:13:20`, in UTC.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
