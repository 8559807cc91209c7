//! A day that stands out, explained: what its extra messages have in common, and the evidence under Why?

use insight::{Finding, Scope, Spike};
use maud::{Markup, html};

use crate::draw;
use crate::figures::{self, count, percent_sign, rounded};
use crate::links;
use crate::text;
use crate::url::Url;

/// The explanation of one day, with the way to its sources unless it stands above them already.
pub(super) fn explanation(spike: &Spike, scope: &Scope, way: bool) -> Markup {
    let scope = links::within(scope, spike.day, spike.day);
    html! {
        div.spike {
            p { strong { (figures::weekday_year(spike.day)) "." } " " (text::cut(&spike.sentence, 600)) }
            div.row {
                @if way { a.btn href=(links::sources(&links::failing(&scope))) { "Show the sources of " (figures::day(spike.day)) } }
                span.small.faint { (super::n(&links::sources(&links::failing(&scope)), spike.failing)) " failed, usually " (count(spike.usual)) }
            }
            @if !spike.findings.is_empty() {
                details.why open {
                    summary { "Why?" }
                    div.reason { (findings(spike, &scope)) }
                }
            }
        }
    }
}

fn findings(spike: &Spike, scope: &Scope) -> Markup {
    let excess = spike.failing.saturating_sub(spike.usual);
    html! {
        div.table {
            table {
                caption.vh { "What the extra messages of " (figures::weekday_year(spike.day)) " have in common" }
                thead {
                    tr {
                        th scope="col" { "What" }
                        th scope="col" { "Shared value" }
                        th.num.hide-s scope="col" { "That day" }
                        th.num.hide-s scope="col" { "Usual" }
                        th.num scope="col" { abbr title="how much of what failed more than usual has this value" { "Share" } }
                        th.hide-s.hide-m scope="col" { span.vh { "Share as a bar" } }
                    }
                }
                tbody {
                    @for finding in spike.findings.iter().filter(|finding| !asked(finding, scope)) {
                        @let explained = rounded(finding.share.clamp(0.0, 1.0) * 1000.0);
                        tr {
                            td.k { (dimension(&finding.dimension)) }
                            th scope="row" { (value(finding, scope)) }
                            td.num.hide-s { @match narrowed(finding, scope) { Some(url) => (super::n(&url, finding.messages)), None => (count(finding.messages)) } }
                            td.num.hide-s { (count(finding.usual)) }
                            td.num { (percent_sign(explained, 1000)) }
                            td.hide-s.hide-m.bar { (draw::share_bar(explained, 1000, &format!("share of {} extra messages", count(excess)))) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the filters in force say as much already.
fn asked(finding: &Finding, scope: &Scope) -> bool {
    match finding.dimension.as_str() {
        "domain" => scope.domain.is_some() && !scope.subdomains,
        "reporter" => scope.reporter.is_some(),
        "spf_domain" => scope.spf_domain.is_some(),
        "dkim_domain" => scope.dkim_domain.is_some(),
        _ => false,
    }
}

/// What a finding is about, in words.
fn dimension(word: &str) -> &str {
    match word {
        "network" => "Network",
        "source" => "Address",
        "spf_domain" => "SPF domain",
        "dkim_domain" => "DKIM domain",
        "envelope_from" => "Envelope sender",
        "reporter" => "Reporter",
        "domain" => "Author domain",
        other => other,
    }
}

fn value(finding: &Finding, scope: &Scope) -> Markup {
    let shown = match finding.value.as_str() {
        "" | "-" => html! { span.faint { "none" } },
        value => text::code(value),
    };
    html! { @match narrowed(finding, scope) { Some(url) => a.n href=(url) { (shown) }, None => (shown) } }
}

/// The failing messages of the day with this value, where a filter can say so.
fn narrowed(finding: &Finding, scope: &Scope) -> Option<Url> {
    let scope = links::failing(scope);
    let named = !matches!(finding.value.as_str(), "" | "-");
    let text = || report::Text::new(&finding.value);
    let scope = match finding.dimension.as_str() {
        "network" | "source" => links::from_network(&scope, insight::parse_network(&finding.value)?),
        "reporter" if named => links::by_reporter(&scope, &finding.value),
        "domain" if named => links::of_domain(&scope, &finding.value),
        "spf_domain" if named => Scope { spf_domain: Some(text()), ..scope },
        "dkim_domain" if named => Scope { dkim_domain: Some(text()), ..scope },
        _ => return None,
    };
    Some(links::sources(&scope))
}
