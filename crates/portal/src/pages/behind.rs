//! Who is behind a source: in short beside its address, and with all reasons on its own page.
//!
//! In: what was learned, by `serve` or `lamppost enrich`; nothing is looked up here. Out: markup.

use insight::{Profile, Source};
use maud::{Markup, html};

use crate::draw;
use crate::figures;
use crate::text;

/// Under an address in a table: the best that is known of it in a few words.
pub(super) fn short(profile: &Profile) -> Markup {
    html! {
        span.sub.who {
            @if let Some(grade) = profile.grade { (draw::grade(grade, false)) }
            @if let Some(name) = name(profile) { (text::clip(name)) }
            @else if let Some(claimed) = profile.claimed.first() { span.clip.faint title=(format!("claims to be {}, which does not lead back to it", text::plain(claimed))) { "claims " (text::cut(claimed, 60)) } }
            @else { span.faint { "no name" } }
        }
    }
}

/// The service that runs it, its name, or whose network it is in.
pub(super) fn name(profile: &Profile) -> Option<&str> {
    let operator = profile.services.iter().find(|service| service.operator).map(|service| service.name.as_str());
    operator.or(profile.name.as_deref()).or(profile.organisation.as_deref())
}

/// The section on a source's own page.
pub(super) fn section(answer: &Source) -> Markup {
    html! {
        section aria-labelledby="h-behind" {
            div.head {
                h2 id="h-behind" { "Who is behind it" }
                @if let Some(profile) = &answer.profile { span.aside { "learned " (figures::day_year(profile.learned)) } }
            }
            div.box.pad {
                @match &answer.profile {
                    Some(profile) => (known(profile, answer)),
                    None => p.faint { "Nothing was learned about this address yet. " code { "lamppost serve" } " does it within the hour, " code { "lamppost enrich" } " at once; what is shown here is never looked up while you wait." },
                }
            }
        }
    }
}

fn known(profile: &Profile, answer: &Source) -> Markup {
    html! {
        dl.kv {
            dt { "Name" }
            dd {
                @for name in &profile.names { div { (text::code(name)) span.faint { " leads back to the address" } } }
                @for name in &profile.claimed { div { (text::code(name)) span.faint { " is claimed, and does not lead back: not its name" } } }
                @if profile.names.is_empty() && profile.claimed.is_empty() { span.faint { "none" } }
                @if let Some(why) = &profile.name_reason { span.sub { (text::text(why)) } }
            }
            dt { "Network" }
            dd {
                @match (&profile.organisation, profile.asn) {
                    (None, None) => span.faint { "not known: name an MMDB file in " code { "enrichment.networks" } },
                    (organisation, asn) => {
                        @if let Some(asn) = asn { "AS" (asn) " " }
                        @if let Some(organisation) = organisation { (text::text(organisation)) }
                    },
                }
                @if let Some(country) = &profile.country { ", " (text::text(country)) }
            }
            dt { "Service" }
            dd {
                @for service in &profile.services {
                    div {
                        (text::text(&service.name))
                        span.faint {
                            " (" (service.kind.replace('_', " ")) "), "
                            @if service.operator { "runs it: " } @else { "its messages came through it: " }
                            (text::text(&service.found))
                        }
                    }
                }
                @if profile.services.is_empty() { span.faint { "none that is known" } }
            }
            dt { "Reputation" }
            dd { (reputation(profile)) }
        }
        @if !profile.evidence.is_empty() { (evidence(profile)) }
        @for gap in &profile.gaps { p.small.faint { "Could not be learned – " (text::text(gap)) } }
        @if answer.grades.len() > 1 {
            p.small.faint {
                "Before: "
                @for (index, line) in answer.grades.iter().skip(1).take(12).enumerate() {
                    @if index > 0 { ", " }
                    @match line.grade { Some(grade) => (figures::signed(grade)), None => "—" } " on " (figures::day_year(line.learned))
                }
            }
        }
    }
}

fn reputation(profile: &Profile) -> Markup {
    html! {
        @match profile.grade {
            Some(grade) => { (draw::grade(grade, true)) " " strong { (figures::signed(grade)) } " " (profile.band) },
            None => {
                "— "
                span.faint {
                    @if profile.band == "unknown" { "no evidence, and its name could not be learned" }
                    @else { "no evidence; " (profile.band) " by its name alone" }
                    @if let Some(code) = &profile.name_grade { " (" (code) ")" }
                }
            },
        }
    }
}

fn evidence(profile: &Profile) -> Markup {
    html! {
        details.why {
            summary { "Why?" }
            table {
                caption.vh { "Evidence" }
                thead { tr { th scope="col" { "Source" } th.num scope="col" { "Value" } th scope="col" { "What it says" } th.num scope="col" { "On" } } }
                tbody {
                    @for one in &profile.evidence {
                        tr {
                            th scope="row" { (text::text(&one.source)) }
                            td.num { (figures::signed(one.value)) @if one.hard { abbr title="nothing else may outweigh it" { " !" } } }
                            td.wide { (text::text(&one.detail)) }
                            td.num { (figures::day_year(one.day)) }
                        }
                    }
                }
            }
        }
    }
}
