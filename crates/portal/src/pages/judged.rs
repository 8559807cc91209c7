//! What a flow was taken for, wherever it is shown: the class with how sure it is, and the reasons behind Why?
//!
//! In: a line of `insight`. Out: markup that several pages share.

use insight::{FlowClass, FlowLine, Scope, SourceFlow};
use maud::{Markup, html};

use super::{Here, n};
use crate::draw;
use crate::links;
use crate::text;
use crate::words;

/// The class as square and name, and how sure it is as a fraction: `.92`. A per cent sign would read as a share.
pub(super) fn chip(class: FlowClass, confidence: u8) -> Markup {
    html! { (draw::chip(words::class(class))) " " (sure(confidence)) }
}

/// How sure a verdict is.
pub(super) fn sure(confidence: u8) -> Markup {
    let digits = if confidence >= 100 { "1.0".to_owned() } else { format!(".{confidence:02}") };
    html! { span.small.faint title=(format!("{confidence} % sure")) { (digits) } }
}

/// The reasons in short, on demand, with the way to all of them.
pub(super) fn why(line: &FlowLine, scope: &Scope) -> Markup {
    html! {
        details.why {
            summary { "Why?" }
            div.reason { p { (because(line)) } p { a href=(links::flow(&line.id, scope)) { "All evidence, and the decision" } } }
        }
    }
}

/// The rule and its sentence.
pub(super) fn because(line: &FlowLine) -> Markup {
    html! { code { (line.rule) } " " (text::cut(&line.why, 300)) "." }
}

/// Under an address in a table: what it is taken for, with the way to the reasons.
pub(super) fn of_line(flow: &SourceFlow, scope: &Scope) -> Markup {
    let url = links::flow(&flow.flow, scope);
    let because = format!("{}: {}", flow.rule, text::plain(&flow.why));
    html! {
        span.sub {
            a.n href=(url) title=(because) { (draw::chip(words::class(flow.class))) }
            @if flow.flows > 1 { " and " (flow.flows - 1) " more" }
            " " a href=(url) { "Why?" }
        }
    }
}

/// The flows that an address belongs to, with its own messages in each.
pub(super) fn of_source(here: Here<'_>, flows: &[FlowLine]) -> Markup {
    html! {
        @if !flows.is_empty() {
            section aria-labelledby="h-of-flows" {
                div.head { h2 id="h-of-flows" { "What it is taken for" } span.aside { "over all days" } }
                div.box.scroll {
                    table.stack {
                        caption.vh { "Flows that this address belongs to" }
                        thead { tr { th scope="col" { "Flow" } th scope="col" { "Class" } th.num scope="col" { "Messages" } th.num scope="col" { "Fail" } } }
                        tbody {
                            @for line in flows {
                                @let url = links::flow(&line.id, here.scope());
                                tr {
                                    th.name scope="row" { a href=(url) { (text::cut(&line.name, 90)) } span.sub { "in the name of " (text::text(&line.organizational_domain)) } }
                                    td.wide { (chip(line.class, line.confidence)) (why(line, here.scope())) }
                                    td.num data-l="messages" { (n(&url, line.messages)) }
                                    td.num data-l="fail" { (n(&url, line.failing)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Says so where reports came since the flows were judged.
pub(super) fn stale(stale: bool) -> Markup {
    html! { @if stale { p.cap role="status" { "Reports or decisions came since the flows were judged; they are judged anew within minutes." } } }
}
