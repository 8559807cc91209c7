//! The trend by class: the same days stacked by what the flows were taken for, the table beside it, and what the spikes were.
//!
//! In: the trend by class, and from the trend what days and policies both views share. Out: markup. Every number leads to its flows.

use std::fmt::Write as _;

use insight::{ClassCounts, ClassDay, ClassSpike, ClassTrend, FlowClass, Scope, Trend};
use maud::{Markup, html};

use super::trend_table::{self, label, usual};
use super::{Here, as_u64, n, strong, trend_chart};
use crate::ask::{Ask, By};
use crate::draw::{self, Chart, Column, Layer, Note, Panel, Size};
use crate::figures::{self, count, counted, percent_sign, rounded, short};
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// Classes of mail that somebody wanted sent.
pub(super) const WANTED: [FlowClass; 6] = [
    FlowClass::Own,
    FlowClass::ThirdParty,
    FlowClass::ForwarderIntact,
    FlowClass::OwnMisconfigured,
    FlowClass::ThirdPartyUnaligned,
    FlowClass::ForwarderBroken,
];

fn sum(counts: &ClassCounts, classes: &[FlowClass]) -> u64 {
    classes.iter().fold(0, |sum, class| sum.saturating_add(counts.get(*class)))
}

/// The classes that are shown.
fn shown(here: Here<'_>) -> Vec<FlowClass> {
    let chosen = &here.ask.classes;
    FlowClass::ALL.into_iter().filter(|class| chosen.is_empty() || chosen.contains(class)).collect()
}

/// The answer in a sentence or two.
pub(super) fn lead(here: Here<'_>, answer: &ClassTrend) -> Markup {
    let failing = answer.failing.messages();
    let to = |classes: &[FlowClass], words: &str| strong(&links::flows(here.scope(), classes), words);
    let days = answer.days.len();
    let a_day = |n: u64| format!("{} a day", figures::per_day(n, days));
    html! {
        @if failing == 0 { "Every one of the " (to(&[], &counted(answer.totals.messages(), "message", "messages"))) " passes DMARC." }
        @else {
            "Of the " (to(&[], &a_day(failing))) " that fail, "
            (to(&WANTED, &a_day(sum(&answer.failing, &WANTED)))) " are ours, for us or passed on, "
            (to(&[FlowClass::Spoofer], &a_day(answer.failing.spoofer))) " are sent without any right, and of "
            a.n href=(links::flows(here.scope(), &[FlowClass::Unknown])) { (a_day(answer.failing.unknown)) } " nobody knows what they are."
            @if let Some(spike) = answer.spikes.first() {
                " On " (strong(&Url::on_page("h-spike"), &figures::day(spike.day))) " "
                (count(spike.failing.saturating_sub(spike.usual))) " more failed than usual."
            }
        }
    }
}

/// Classes as chips; each takes itself out of the view, or back in.
pub(super) fn legend(here: Here<'_>, answer: &ClassTrend, path: &[&str]) -> Markup {
    let now = shown(here);
    html! {
        div.legend {
            @for class in FlowClass::ALL {
                @let on = now.contains(&class);
                @let url = Ask { classes: without(&now, class), ..here.ask.clone() }.to(path);
                a href=(url) role="button" aria-pressed=(if on { "true" } else { "false" }) title=(words::class(class).about) {
                    (draw::swatch(words::class(class))) (class.label())
                    @if on { " " span.v { (short(answer.totals.get(class))) } }
                }
            }
        }
    }
}

/// The classes shown with one taken out or put back; all is the same as no filter, and so is none.
fn without(now: &[FlowClass], class: FlowClass) -> Vec<FlowClass> {
    let turned = |other: &FlowClass| now.contains(other) != (*other == class);
    let classes: Vec<FlowClass> = FlowClass::ALL.into_iter().filter(turned).collect();
    if classes.len() == FlowClass::ALL.len() { Vec::new() } else { classes }
}

/// The chart: what fails above, what passes below, both by class.
pub(super) fn chart(here: Here<'_>, answer: &Trend, classes: &ClassTrend, size: Size) -> Chart {
    let each = classes.days.len().div_ceil(size.columns_max()).max(1);
    let odd = classes.days.len() % each;
    let (first, rest) = classes.days.split_at(odd);
    let groups: Vec<&[ClassDay]> =
        Some(first).filter(|days| !days.is_empty()).into_iter().chain(rest.chunks(each)).collect();
    let whose = classes.domain.as_ref().map_or_else(|| "all domains".to_owned(), |domain| text::plain(domain));
    let unit = if each == 1 { "messages a day".to_owned() } else { format!("messages in {each} days") };
    let fails = |day: &ClassDay, class| day.failing.get(class);
    let passes = |day: &ClassDay, class| day.classes.get(class).saturating_sub(day.failing.get(class));
    let panel = |name: &str, of: fn(&ClassDay, FlowClass) -> u64, height: f64, steps: u64| {
        let layer = |class| Layer {
            class: words::class(class),
            values: groups
                .iter()
                .map(|days| days.iter().fold(0_u64, |sum, day| sum.saturating_add(of(day, class))))
                .collect(),
        };
        let layers = shown(here).into_iter().map(layer).collect();
        let mut panel = Panel { title: format!("{name}, {unit}"), height, steps, layers };
        if panel.max() == 0 {
            panel.height = 40.0; // an empty panel needs no room
        }
        panel
    };
    let heights = if size == Size::Wide { (214.0, 110.0) } else { (160.0, 90.0) };
    let ends: Vec<_> = groups.iter().filter_map(|days| Some((days.first()?.day, days.last()?.day))).collect();
    Chart {
        size,
        title: format!("Mail in the name of {whose} by class"),
        about: format!(
            "Two stacked column charts over the same {} days. Above, {} messages that fail DMARC by class of flow; below, {} that pass. The table beside the chart holds the same numbers.",
            classes.days.len(),
            count(classes.failing.messages()),
            count(classes.totals.messages().saturating_sub(classes.failing.messages()))
        ),
        columns: groups.iter().map(|days| column(here, answer, days)).collect(),
        panels: vec![panel("Failing DMARC", fails, heights.0, 5), panel("Passing DMARC", passes, heights.1, 3)],
        bands: trend_chart::bands(answer, &ends),
        marks: super::trend_dns::marks(here, answer, &ends),
        note: note(classes, &ends, size),
    }
}

fn column(here: Here<'_>, answer: &Trend, days: &[ClassDay]) -> Column {
    let (first, last) = days.first().zip(days.last()).map(|(a, b)| (a.day, b.day)).unwrap_or_default();
    let of = |counts: fn(&ClassDay) -> &ClassCounts, class| {
        days.iter().fold(0_u64, |sum, day| sum.saturating_add(counts(day).get(class)))
    };
    let mut about = figures::span(first, last);
    for class in shown(here).into_iter().rev() {
        let (all, failing) = (of(|day| &day.classes, class), of(|day| &day.failing, class));
        if all > 0 {
            let _ = write!(about, "\n{} {}", class.label(), count(all));
            if failing > 0 {
                let _ = write!(about, ", {} fail", count(failing));
            }
        }
    }
    let late = answer.incomplete.iter().find(|late| first <= late.day && late.day <= last);
    if let Some(late) = late {
        let _ = write!(about, "\nstill coming in: {}", trend_chart::arrived(late));
    }
    let link = links::flows(&links::within(here.scope(), first, last), &here.ask.classes);
    Column { first, link, about, incomplete: late.is_some() }
}

fn note(classes: &ClassTrend, ends: &[(report::Day, report::Day)], size: Size) -> Option<Note> {
    let spike = classes.spikes.first()?;
    let column = ends.iter().position(|(first, last)| *first <= spike.day && spike.day <= *last)?;
    let extra = count(spike.failing.saturating_sub(spike.usual));
    if size == Size::Narrow {
        return Some(Note { column, lines: vec![format!("{}: +{extra}", figures::day(spike.day))] });
    }
    let mut lines = vec![format!("{}: +{extra} in one day", figures::weekday(spike.day))];
    if let Some((what, _)) = spike.sentence.split_once(':') {
        lines.push(trend_chart::shorten(&text::plain(what), 44));
    }
    Some(Note { column, lines })
}

/// The columns of the table after the first two: head, its long form, and the classes it counts.
const COLUMNS: [(&str, &str, &[FlowClass]); 3] = [
    ("Ours", "fails, and is ours, for us, or passed on by somebody", &WANTED),
    ("Unknown", "fails, and nobody knows what it is", &[FlowClass::Unknown]),
    ("Spoofed", "fails, and is sent without any right", &[FlowClass::Spoofer]),
];

/// The table beside the chart.
pub(super) fn table(here: Here<'_>, answer: &Trend, classes: &ClassTrend, path: &[&str]) -> Markup {
    let by = here.ask.by.unwrap_or_else(|| usual(classes.days.len()));
    let lines = trend_table::group(&classes.days, |day| day.day, by);
    let spike = classes.spikes.first().map(|spike| spike.day);
    let late = |days: &[ClassDay]| days.iter().any(|day| answer.incomplete.iter().any(|late| late.day == day.day));
    html! {
        section aria-labelledby="h-table" {
            div.head {
                h2 id="h-table" { "The same, by " (by.word()) }
                span.aside { (trend_table::switch(here, by, path)) }
            }
            div.box { div.scroll { table.tight.classes {
                caption.vh { "Messages by class and " (by.word()) ", newest first" }
                thead { tr {
                    th scope="col" aria-sort="descending" { (trend_table::head(by)) }
                    th.num.hide-s scope="col" { "All" }
                    th.num scope="col" { "Fail" }
                    @for (name, about, _) in COLUMNS { th.num scope="col" { abbr title=(about) { (name) } } }
                } }
                tbody {
                    @for (index, days) in lines.iter().rev().take(trend_table::LINES_MAX).enumerate() {
                        @if let (Some(first), Some(last)) = (days.first(), days.last()) {
                            @let above = index.checked_sub(1).and_then(|above| Some(lines.iter().rev().nth(above)?.first()?.day));
                            tr class=[days.iter().any(|day| Some(day.day) == spike).then_some("on")] {
                                th.nowrap scope="row" {
                                    (label(first.day, by, above))
                                    @if late(days) { " " span.faint title="fewer reporters than usual have reported yet: the numbers will rise" { "so far" } }
                                    @else if by == By::Week && days.len() < 7 { " " span.faint { (days.len()) " d" } }
                                }
                                (numbers(&links::within(here.scope(), first.day, last.day), days))
                            }
                        }
                    }
                }
                tfoot { tr { th scope="row" { (counted(as_u64(classes.days.len()), "day", "days")) } (numbers(here.scope(), &classes.days)) } }
            } } }
            @if lines.len() > trend_table::LINES_MAX { p.cap { "The newest " (trend_table::LINES_MAX) " of " (lines.len()) "; CSV and JSON have all." } }
        }
    }
}

fn numbers(scope: &Scope, days: &[ClassDay]) -> Markup {
    let of = |counts: fn(&ClassDay) -> &ClassCounts, classes: &[FlowClass]| {
        days.iter().fold(0_u64, |all, day| all.saturating_add(sum(counts(day), classes)))
    };
    let all = links::flows(scope, &[]);
    html! {
        td.num.hide-s { (n(&all, of(|day| &day.classes, &FlowClass::ALL))) }
        td.num { (n(&all, of(|day| &day.failing, &FlowClass::ALL))) }
        @for (_, _, classes) in COLUMNS { td.num { (n(&links::flows(scope, classes), of(|day| &day.failing, classes))) } }
    }
}

/// What the spikes were, by class and flow.
pub(super) fn spikes(here: Here<'_>, answer: &ClassTrend) -> Markup {
    html! {
        @if !answer.spikes.is_empty() {
            section aria-labelledby="h-spike" {
                div.head { h2 id="h-spike" { (if answer.spikes.len() == 1 { "What the spike was" } else { "What the spikes were" }) } }
                div.box.pad { @for spike in &answer.spikes { (explained(here, spike)) } }
            }
        }
    }
}

fn explained(here: Here<'_>, spike: &ClassSpike) -> Markup {
    let scope = links::within(here.scope(), spike.day, spike.day);
    html! {
        div.spike {
            p { strong { (figures::weekday_year(spike.day)) "." } " " (text::cut(&spike.sentence, 600)) }
            div.row {
                a.btn href=(links::flows(&scope, &[])) { "Show the flows of " (figures::day(spike.day)) }
                span.small.faint { (n(&links::flows(&scope, &[]), spike.failing)) " failed, usually " (count(spike.usual)) }
            }
            (by_class(here, spike))
        }
    }
}

/// The classes and flows that rose on a day.
pub(super) fn by_class(here: Here<'_>, spike: &ClassSpike) -> Markup {
    let scope = links::within(here.scope(), spike.day, spike.day);
    html! {
        details.why open {
            summary { "Why?" }
            div.reason { div.table { table {
                caption.vh { "What failed more than usual on " (figures::weekday_year(spike.day)) ", by class and flow" }
                thead { tr {
                    th scope="col" { "Class or flow" }
                    th.num.hide-s scope="col" { "That day" }
                    th.num.hide-s scope="col" { "Usual" }
                    th.num scope="col" { abbr title="of all that failed more than usual" { "Share" } }
                } }
                tbody {
                    @for rise in spike.classes.iter().filter(|rise| rise.share >= 0.01) {
                        tr {
                            th scope="row" { a.n href=(links::flows(&scope, &[rise.class])) { (draw::chip(words::class(rise.class))) } }
                            td.num.hide-s { (n(&links::flows(&scope, &[rise.class]), rise.failing)) }
                            td.num.hide-s { (count(rise.usual)) }
                            td.num { (share(rise.share)) }
                        }
                    }
                    @for rise in spike.flows.iter().filter(|rise| rise.share >= 0.05) {
                        tr {
                            th scope="row" {
                                a href=(links::flow(&rise.flow, here.scope())) { (text::cut(&rise.name, 80)) }
                                @if rise.together > 1 { " " span.faint { (count(rise.together)) " small ones" } }
                            }
                            td.num.hide-s { (n(&links::flow(&rise.flow, &scope), rise.failing)) }
                            td.num.hide-s { (count(rise.usual)) }
                            td.num { (share(rise.share)) }
                        }
                    }
                }
            } } }
        }
    }
}

fn share(share: f64) -> String {
    percent_sign(rounded(share.clamp(0.0, 1.0) * 1000.0), 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_all_but_spoofs_and_questions() {
        let wanted: Vec<FlowClass> = FlowClass::ALL.into_iter().filter(|class| class.is_legitimate()).collect();
        assert_eq!(wanted, WANTED);
    }
}
