//! Where things are: the address of every page, for a given part of the ledger.
//!
//! In: a [`Scope`] and what narrows it. Out: a [`Url`]. Every number on a page is a link made here.

use std::net::IpAddr;

use insight::{FlowClass, Period, Scope, WhatIf};
use report::{Day, Disposition, Outcome, Policy, Text};

use crate::ask::{classes_text, scope_pairs};
use crate::url::{Url, is_segment};

/// The portfolio.
pub(crate) fn domains(scope: &Scope) -> Url {
    Url::path(&["domains"]).with_all(scope_pairs(&Scope { domain: None, subdomains: false, ..scope.clone() }))
}

/// The trend of the scope's domain, or of all.
pub(crate) fn trend(scope: &Scope) -> Url {
    match &scope.domain {
        Some(domain) if is_segment(domain) => {
            let rest = Scope { domain: None, ..scope.clone() };
            Url::path(&["domains", domain, "trend"]).with_all(scope_pairs(&rest))
        }
        _ => Url::path(&["trend"]).with_all(scope_pairs(scope)),
    }
}

/// The explorer.
pub(crate) fn sources(scope: &Scope) -> Url {
    Url::path(&["sources"]).with_all(scope_pairs(scope))
}

/// One address.
pub(crate) fn source(address: IpAddr, scope: &Scope) -> Url {
    let rest = Scope { network: None, ..scope.clone() };
    Url::path(&["sources", &address.to_string()]).with_all(scope_pairs(&rest))
}

/// What has become wrong.
pub(crate) fn alerts() -> Url {
    Url::path(&["alerts"])
}

/// Failing sources by what is known of them.
pub(crate) fn reputation(scope: &Scope) -> Url {
    Url::path(&["reputation"]).with_all(scope_pairs(scope))
}

/// The flows, of some classes or of all. Of a scope, days and author domain are told by flows.
pub(crate) fn flows(scope: &Scope, classes: &[FlowClass]) -> Url {
    let classes = (!classes.is_empty()).then(|| ("class", classes_text(classes)));
    Url::path(&["flows"]).with_all(scope_pairs(scope)).with_all(classes)
}

/// Good sources that fail beside bad ones.
pub(crate) fn lists(scope: &Scope) -> Url {
    Url::path(&["lists"]).with_all(scope_pairs(scope))
}

/// One flow.
pub(crate) fn flow(id: &str, scope: &Scope) -> Url {
    let kept = Scope { period: scope.period, ..Scope::default() };
    Url::path(&["flows", id]).with_all(scope_pairs(&kept))
}

/// What was decided about flows.
pub(crate) fn decisions() -> Url {
    Url::path(&["decisions"])
}

/// The keys that sign in our name.
pub(crate) fn dkim(scope: &Scope) -> Url {
    Url::path(&["dkim"]).with_all(scope_pairs(scope))
}

/// What an SPF record costs and buys.
pub(crate) fn spf(scope: &Scope) -> Url {
    Url::path(&["spf"]).with_all(scope_pairs(scope))
}

/// What changed in DNS.
pub(crate) fn dns(scope: &Scope) -> Url {
    Url::path(&["dns"]).with_all(scope_pairs(scope))
}

/// The rows behind a number.
pub(crate) fn rows(scope: &Scope) -> Url {
    Url::path(&["rows"]).with_all(scope_pairs(scope))
}

/// The same as a table for other programs.
pub(crate) fn rows_csv(scope: &Scope) -> Url {
    Url::path(&["rows.csv"]).with_all(scope_pairs(scope))
}

/// Messages that failed.
pub(crate) fn samples(scope: &Scope) -> Url {
    Url::path(&["samples"]).with_all(scope_pairs(scope))
}

/// One of them.
pub(crate) fn sample(id: u64) -> Url {
    Url::path(&["samples", &id.to_string()])
}

/// Who reported.
pub(crate) fn reports(scope: &Scope) -> Url {
    Url::path(&["reports"]).with_all(scope_pairs(scope))
}

/// The list of reports.
pub(crate) fn report_list(scope: &Scope) -> Url {
    Url::path(&["reports", "list"]).with_all(scope_pairs(scope))
}

/// One report.
pub(crate) fn report(id: u64) -> Url {
    Url::path(&["reports", &id.to_string()])
}

/// The same, for these days only.
pub(crate) fn within(scope: &Scope, first: Day, last: Day) -> Scope {
    Scope { period: Period::Days(first, last), ..scope.clone() }
}

/// The same, for these outcomes only; what the scope already leaves out stays out.
pub(crate) fn with_outcomes(scope: &Scope, outcomes: &[Outcome]) -> Scope {
    let kept = |outcome: &Outcome| scope.outcomes.is_empty() || scope.outcomes.contains(outcome);
    let mut outcomes: Vec<_> = outcomes.iter().copied().filter(kept).collect();
    outcomes.sort_unstable();
    Scope { outcomes, ..scope.clone() }
}

/// The same, failing only.
pub(crate) fn failing(scope: &Scope) -> Scope {
    with_outcomes(scope, &crate::words::FAILING)
}

/// The same, passing only.
pub(crate) fn passing(scope: &Scope) -> Scope {
    with_outcomes(scope, &crate::words::PASSING)
}

/// The same, for this author domain.
pub(crate) fn of_domain(scope: &Scope, domain: &str) -> Scope {
    Scope { domain: Some(Text::new(domain)), subdomains: false, ..scope.clone() }
}

/// The same, for this reporter.
pub(crate) fn by_reporter(scope: &Scope, reporter: &str) -> Scope {
    Scope { reporter: Some(Text::new(reporter)), ..scope.clone() }
}

/// The same, from this network or address.
pub(crate) fn from_network(scope: &Scope, network: (IpAddr, u8)) -> Scope {
    Scope { network: Some(network), ..scope.clone() }
}

/// The same, where receivers did this.
pub(crate) fn meeting(scope: &Scope, disposition: Disposition) -> Scope {
    Scope { disposition: Some(disposition), ..scope.clone() }
}

/// A page that looks ahead, for the scope's domain.
pub(crate) fn plan(scope: &Scope, page: &'static str) -> Url {
    let url = Url::path(&[page]);
    match &scope.domain {
        Some(domain) => url.with("domain", store::organizational_domain(domain)),
        None => url,
    }
}

/// A preview.
pub(crate) fn preview(scope: &Scope, what_if: &WhatIf) -> Url {
    let period: Vec<_> = scope_pairs(&Scope { period: scope.period, ..Scope::default() });
    Url::path(&["preview"]).with("domain", &what_if.domain).with_all(period).with_all(crate::plan::pairs(what_if))
}

/// Whether a domain is ready for a step.
pub(crate) fn readiness(domain: &str, step: Policy) -> Url {
    Url::path(&["readiness"]).with("domain", domain).with("for", step)
}

/// The pages that look ahead, side by side.
pub(crate) fn plan_tabs(domain: &str, current: &str) -> Vec<(&'static str, Url, bool)> {
    [("Preview", "preview"), ("Readiness", "readiness")]
        .map(|(name, page)| (name, Url::path(&[page]).with("domain", domain), page == current))
        .to_vec()
}
