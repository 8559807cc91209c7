//! What the pages about records share: findings with their remedies, and what is said where nobody has looked at DNS.

use insight::{InventoryFinding, Weight};
use maud::{Markup, html};

use crate::links;
use crate::text;
use crate::url::Url;

/// Characters of a finding: a sentence or two, with names of strangers in it.
const SENTENCE: usize = 500;

/// The views of what is published.
pub(super) fn tabs(scope: &insight::Scope, current: &str) -> Vec<(&'static str, Url, bool)> {
    vec![
        ("DKIM", links::dkim(scope), current == "DKIM"),
        ("SPF", links::spf(scope), current == "SPF"),
        ("DNS history", links::dns(scope), current == "DNS history"),
    ]
}

/// Findings as flags; the sentence is the title of each, and stands with its remedy below the table.
pub(super) fn flags(findings: &[InventoryFinding]) -> Markup {
    html! {
        @for finding in findings {
            span class=(flag(finding.weight)) title=(finding.what) { (label(&finding.id)) } " "
        }
    }
}

const fn flag(weight: Weight) -> &'static str {
    match weight {
        Weight::Act => "flag bad",
        Weight::Watch => "flag warn",
        Weight::Note => "flag",
    }
}

/// A finding in two or three words.
fn label(id: &str) -> &str {
    match id {
        "key-gone" => "key is gone",
        "key-broken" => "broken",
        "key-weak" => "too short",
        "key-testing" => "testing",
        "key-old" => "old",
        "key-outlived" => "newer beside it",
        "key-unused" => "unused",
        "helo-without-spf" => "no SPF",
        "helo-strangers" => "strangers",
        "helo-mended" | "spf-was-permerror" => "mended",
        "helo-fails" => "not listed",
        "helo-error" => "error",
        "spf-dead" => "no mail",
        "spf-never-aligns" => "never aligns",
        "spf-not-reached" => "not reached",
        "spf-covered" => "named twice",
        "spf-overlap" => "overlaps",
        "spf-wide" => "wide",
        "spf-void" => "void",
        "spf-no-target" | "spf-missing" => "no record",
        "spf-loop" => "loop",
        "spf-ptr" => "ptr",
        "spf-pass-all" => "everybody",
        "spf-behind-all" => "behind all",
        "spf-host-bits" => "host bits",
        "spf-mx-hosts" => "too many hosts",
        "spf-modifier" => "no effect",
        "spf-permerror" => "permanent error",
        "spf-no-room" => "no room",
        "spf-lookup-limit" => "too many look-ups",
        "spf-several" => "several records",
        "spf-syntax" => "mistake",
        "spf-unknown" => "not seen",
        "spf-voids" => "too many voids",
        "spf-neutral" => "nobody fails",
        "spf-long" => "long answer",
        other => other,
    }
}

/// What was found and what to do about it, the most pressing first; what is mended in the same way stands together.
pub(super) fn remedies(id: &str, title: &str, mut found: Vec<(String, &InventoryFinding)>) -> Markup {
    found.sort_by(|(_, a), (_, b)| (a.weight, &a.id, &a.remedy).cmp(&(b.weight, &b.id, &b.remedy)));
    let alike = found.chunk_by(|(_, a), (_, b)| (a.weight, &a.id, &a.remedy) == (b.weight, &b.id, &b.remedy));
    html! {
        @if !found.is_empty() {
            section aria-labelledby=(id) {
                div.head { h2 id=(id) { (title) } }
                ul.box.problems {
                    @for group in alike {
                        li {
                            @for (index, (name, finding)) in group.iter().enumerate() {
                                p { @if index == 0 { span class=(flag(finding.weight)) { (label(&finding.id)) } " " } strong { (text::text(name)) } ": " (text::told(&finding.what, SENTENCE)) "." }
                            }
                            @if let Some((_, finding)) = group.first() { p.remedy { (text::told(&text::begun(&finding.remedy), SENTENCE)) "." } }
                        }
                    }
                }
            }
        }
    }
}

/// What to do where the history of DNS is empty.
pub(super) fn not_watched() -> Markup {
    html! {
        section {
            div.box.pad {
                p { "Nobody has looked at DNS yet, so nothing is known of what is published." }
                p.small.faint { "The program does by itself where " code { "[watch]" } " is enabled; " code { "lamppost watch" } " looks once." }
            }
        }
    }
}
