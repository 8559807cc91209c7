//! A report as a list of `key=value`, so that a case can say exactly what its one oddity changes.

use report::{Rejection, Row};

use crate::support::Whole;

/// Everything a report says, one `key=value` each; or only why it was refused.
pub(crate) fn summary(result: &Result<Whole, Rejection>) -> Vec<String> {
    let whole = match result {
        Ok(whole) => whole,
        Err(rejection) => return vec![format!("rejected={}", word(&rejection.kind))],
    };
    let (report, policy) = (&whole.report, &whole.report.policy);
    let mut all = vec![
        format!("dialect={}", report.dialect),
        format!("version={}", or_dash(report.version.as_deref())),
        format!("org={}", report.reporter.organization),
        format!("email={}", report.reporter.email),
        format!("contact={}", or_dash(report.reporter.extra_contact.as_deref())),
        format!("generator={}", or_dash(report.reporter.generator.as_deref())),
        format!("id={}", report.report_id),
        format!("begin={}", report.interval.begin),
        format!("end={}", report.interval.end),
        format!("errors={}", report.errors.join("|")),
        format!("domain={}", policy.domain),
        format!("p={}", or_dash(policy.p.map(report::Policy::word))),
        format!("sp={}", or_dash(policy.sp.map(report::Policy::word))),
        format!("np={}", or_dash(policy.np.map(report::Policy::word))),
        format!("adkim={}", or_dash(policy.adkim.map(report::Alignment::word))),
        format!("aspf={}", or_dash(policy.aspf.map(report::Alignment::word))),
        format!("pct={:?}", policy.pct),
        format!("fo={}", or_dash(policy.fo.as_deref())),
        format!("testing={:?}", policy.testing),
        format!("discovery={}", or_dash(policy.discovery_method.map(report::DiscoveryMethod::word))),
        format!("rows={}", whole.rows.len()),
        format!("bad_rows={}", whole.finished.bad_rows),
        format!("messages={}", whole.finished.totals.messages),
    ];
    for (at, row) in whole.rows.iter().enumerate() {
        let place = if at == 0 { String::new() } else { format!("{}.", at + 1) };
        all.extend(row_summary(row).into_iter().map(|line| format!("{place}{line}")));
    }
    for flaw in &whole.finished.flaws {
        let times = if flaw.count.get() == 1 { String::new() } else { format!(" ×{}", flaw.count) };
        all.push(format!("flaw={} ({}{times})", word(&flaw.kind), flaw.place));
    }
    all
}

fn row_summary(row: &Row) -> Vec<String> {
    let mut all = vec![
        format!("source={}", row.source),
        format!("count={}", row.count),
        format!("from={}", row.author_domain),
        format!("mail_from={}", or_dash(row.envelope_from.as_deref())),
        format!("rcpt_to={}", or_dash(row.envelope_to.as_deref())),
        format!("disposition={}", row.disposition),
        format!("aligned={},{}", row.dkim_aligned, row.spf_aligned),
    ];
    for reason in &row.overrides {
        all.push(format!("reason={}:{}", reason.kind.word(), or_dash(reason.comment.as_deref())));
    }
    for dkim in &row.dkim {
        let selector = or_dash(dkim.selector.as_deref());
        let human = dkim.human_result.as_deref().map(|human| format!(" “{human}”")).unwrap_or_default();
        all.push(format!("dkim={}/{selector}/{}{human}", dkim.domain, dkim.result));
    }
    for spf in &row.spf {
        let scope = or_dash(spf.scope.map(report::SpfScope::word));
        let human = spf.human_result.as_deref().map(|human| format!(" “{human}”")).unwrap_or_default();
        all.push(format!("spf={}/{scope}/{}{human}", spf.domain, spf.result));
    }
    all
}

/// What is in `changed` and not in `base`, and as `-key` what is gone without another value in its place.
pub(crate) fn difference(base: &[String], changed: &[String]) -> String {
    if let [only] = changed {
        return only.clone();
    }
    let key = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let mut lines: Vec<String> = changed.iter().filter(|line| !base.contains(line)).cloned().collect();
    for line in base {
        if !changed.iter().any(|other| key(other) == key(line)) {
            lines.push(format!("-{}", key(line)));
        }
    }
    lines.join("; ")
}

fn word(kind: &impl serde::Serialize) -> String {
    serde_json::to_string(kind).unwrap_or_default().trim_matches('"').to_owned()
}

fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}
