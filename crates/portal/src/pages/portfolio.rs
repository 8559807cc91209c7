//! `/domains`, the portfolio: whose mail do we see?

use insight::{Applies, DomainLine, DomainSort, Portfolio, Scope};
use maud::{Markup, html};
use report::Policy;

use super::{Here, SortKey, as_u64, day, days_between, length, n, pager, search_within, sort_head, strong};
use crate::api;
use crate::ask::{Ask, domain_sort_word};
use crate::draw;
use crate::figures::{count, counted, per_day, percent, percent_sign};
use crate::filters::{Field, Filters};
use crate::frame::{Page, Section};
use crate::links;
use crate::params::{DOMAINS, filters_and};
use crate::text;
use crate::url::Url;

const PATH: &[&str] = &["domains"];

/// The page.
pub(crate) fn page(here: Here<'_>, answer: &Portfolio) -> Markup {
    let page = Page {
        section: Section::Domains,
        title: "Whose mail do we see?".to_owned(),
        about: None,
        crumbs: vec![(html! { "Domains" }, None)],
        lead: lead(here, answer),
        tabs: vec![],
        filters: Some(Filters {
            action: Url::path(PATH),
            here: vec!["domains".to_owned()],
            fields: &[Field::Period, Field::Reporter, Field::Network, Field::Outcome, Field::Disposition],
        }),
        exports: vec![
            ("CSV", here.ask.at(&["domains.csv"], &filters_and(DOMAINS))),
            ("JSON", api::link(here.ask, &["api", "v1", "portfolio"])),
        ],
        body: html! {
            (super::cut_period(here))
            (policies(here, answer))
            section aria-labelledby="h-domains" {
                div.head {
                    h2 id="h-domains" { "Domains" }
                    (search_within(here.ask, PATH, "Only names with", "name contains"))
                    @if let Some(policy) = here.ask.policy { a.flag href=(Ask { policy: None, ..here.ask.clone() }.to(PATH)) title="take this filter off" { (asked(policy)) span aria-hidden="true" { " ×" } } }
                    @if let Some(days) = answer.days { span.aside { (length(days)) } }
                }
                @if answer.domains.is_empty() { (super::nothing(here, PATH, "domains")) }
                @else { div.box { div.scroll { (table(here, answer)) } (pager(here.ask, PATH, answer.domains.len(), answer.domains_total, "domains")) } }
            }
        },
    };
    page.render(here.around, here.ask)
}

fn lead(here: Here<'_>, answer: &Portfolio) -> Markup {
    let (all, failing) = (answer.totals.messages(), answer.totals.failing());
    let scope = here.scope();
    html! {
        "Receivers reported " strong { (total(here, scope, &counted(all, "message", "messages"))) }
        " in the name of " (strong(&Url::on_page("h-domains"), &counted(as_u64(answer.domains_total), "domain", "domains")))
        @if let Some(policy) = here.ask.policy { " with " (asked(policy).split(':').next().unwrap_or_default()) }
        @if let Some(days) = answer.days { ", " (crate::figures::span(days.0, days.1)) }
        ". "
        @if failing == 0 && all > 0 { "All of it passes DMARC." }
        @else if all > 0 { strong { (total(here, &links::failing(scope), &percent_sign(failing, all))) } " of it fails DMARC." }
    }
}

/// A total that leads to its sources; where only some names or one policy are shown, no filter of sources says as much.
fn total(here: Here<'_>, scope: &Scope, number: &str) -> Markup {
    let whole = here.ask.q.is_none() && here.ask.policy.is_none();
    html! { @if whole { a.n href=(links::sources(scope)) { (number) } } @else { (number) } }
}

/// How many domains have which policy, and how much of the mail that is; each leads to its domains.
fn policies(here: Here<'_>, answer: &Portfolio) -> Markup {
    let all = answer.policies.iter().fold(0_u64, |sum, share| sum.saturating_add(share.messages));
    html! {
        @if !answer.policies.is_empty() {
            section aria-labelledby="h-policies" {
                div.head {
                    h2 id="h-policies" { "What receivers are asked to do with mail that fails" }
                    span.aside { "the policy that applies, as most reporters last saw it" }
                }
                div.box {
                    dl.facts {
                        @for share in &answer.policies {
                            @let chosen = here.ask.policy == Some(share.applies.into());
                            @let url = Ask { policy: Some(share.applies.into()), ..here.ask.clone() }.to(PATH);
                            div.chosen[chosen] {
                                dt { (asked(share.applies.into())) }
                                dd {
                                    a.n href=(url) { (counted(as_u64(share.domains), "domain", "domains")) }
                                    span.sub { a.n href=(url) { (percent_sign(share.messages, all)) " of messages" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A policy in the words of its tag.
fn asked(applies: Applies) -> &'static str {
    match applies {
        Applies::Seen(Policy::Reject) => "p=reject: refuse it",
        Applies::Seen(Policy::Quarantine) => "p=quarantine: put it aside",
        Applies::Seen(Policy::None) => "p=none: nothing",
        Applies::Unseen => "no policy seen",
    }
}

fn table(here: Here<'_>, answer: &Portfolio) -> Markup {
    let head = |name: &str, class: Option<&str>, sort: DomainSort, falls: bool| {
        let current = here.ask.domain_sort == sort;
        let reversed = current && !here.ask.reversed;
        let url = Ask { domain_sort: sort, reversed, ..here.ask.clone() }.to(PATH);
        sort_head(name, class, &SortKey { url: &url, current, reversed: here.ask.reversed, falls })
    };
    let length = answer.days.map_or(1, days_between);
    let scope = here.scope();
    html! {
        table.stack.domains {
            caption.vh { "Domains, " (domain_sort_word(here.ask.domain_sort)) " first" }
            thead {
                tr {
                    (head("Domain", None, DomainSort::Domain, false))
                    th scope="col" { "Policy" }
                    (head("Messages", Some("num"), DomainSort::Messages, true))
                    (head("Pass %", Some("num"), DomainSort::PassShare, true))
                    (head("Fail a day", Some("num"), DomainSort::Failing, true))
                    th scope="col" { "Outcomes" }
                    th scope="col" { "Failing" }
                    (head("Last day", Some("num"), DomainSort::LastDay, true))
                }
            }
            tbody { @for line in &answer.domains { (row(here, answer, line, length)) } }
            tfoot {
                tr {
                    th scope="row" { (counted(as_u64(answer.domains_total), "domain", "domains")) }
                    td {}
                    td.num data-l="messages" { (total(here, scope, &count(answer.totals.messages()))) }
                    td.num data-l="% pass" { (total(here, &links::passing(scope), &percent(answer.totals.passing(), answer.totals.messages()))) }
                    td.num data-l="fail a day" { (total(here, &links::failing(scope), &per_day(answer.totals.failing(), length))) }
                    td { (draw::outcome_bar(&answer.totals)) }
                    td {} td {}
                }
            }
        }
    }
}

fn row(here: Here<'_>, answer: &Portfolio, line: &DomainLine, length: usize) -> Markup {
    let scope = links::of_domain(here.scope(), &line.domain);
    let (all, failing) = (line.outcomes.messages(), line.outcomes.failing());
    let newest = answer.days.map(|(_, last)| last);
    let label = format!("failing a day, at most {}", count(line.failing_by_day.iter().copied().max().unwrap_or(0)));
    html! {
        tr {
            th.name scope="row" {
                a href=(links::trend(&scope)) { (text::clip(&line.domain)) }
                @if line.organizational_domain != line.domain { span.sub { "under " (text::text(&line.organizational_domain)) } }
            }
            td.wide { (policy(line)) }
            td.num data-l="messages" { (n(&links::sources(&scope), all)) }
            td.num data-l="% pass" { a.n href=(links::sources(&links::passing(&scope))) { (percent(all - failing, all)) } }
            td.num data-l="fail a day" { a.n href=(links::sources(&links::failing(&scope))) { (per_day(failing, length)) } }
            td { (draw::outcome_bar(&line.outcomes)) }
            td { (draw::line(&line.failing_by_day, &line.messages_by_day, &label)) }
            td.num data-l="last day" { a.n href=(links::sources(&links::within(&scope, line.last_day, line.last_day))) { (day(line.last_day, newest)) } }
        }
    }
}

fn policy(line: &DomainLine) -> Markup {
    html! {
        @match &line.policy {
            Some(policy) => {
                (policy.applies.map_or("no p", Policy::word))
                @if is_test(&policy.record) { " " span.flag.warn title="receivers are asked to treat failing mail as if the policy were weaker" { "test" } }
                @if policy.policy_domain != line.domain { " " span.flag title=(text::plain(&format!("published by {}", policy.policy_domain))) { "inherited" } }
                span.sub { (text::clip(&policy.record)) }
            },
            None => span.faint { "not seen" },
        }
    }
}

/// Whether the record asks not to be obeyed yet: `t=y` (RFC 9989 §4.7), or in the older generation `pct=0`.
fn is_test(record: &str) -> bool {
    record.split(';').any(|tag| matches!(tag.trim(), "t=y" | "pct=0"))
}

#[cfg(test)]
mod tests {
    use super::is_test;

    #[test]
    fn a_policy_that_asks_not_to_be_obeyed_is_a_test() {
        let cases = [
            ("p=quarantine; t=y", true),
            ("p=quarantine; pct=0", true),
            ("p=quarantine; pct=0; t=n", true),
            ("p=reject; pct=10", false),
            ("p=reject; t=n", false),
            ("", false),
        ];
        for (record, expected) in cases {
            assert_eq!(is_test(record), expected, "{record}");
        }
    }
}
