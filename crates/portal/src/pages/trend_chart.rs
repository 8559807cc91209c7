//! The trend's chart: days into columns, outcomes or dispositions into layers, policies into a band.

use std::fmt::Write as _;

use insight::{IncompleteDay, Trend, TrendDay, TrendTotals};
use report::{Day, Disposition, Outcome};

use super::Here;
use crate::ask::View;
use crate::draw::{Band, Chart, Column, Layer, Note, Panel, Size};
use crate::figures::{self, count};
use crate::links;
use crate::words;

/// The chart of a trend.
pub(super) fn chart(here: Here<'_>, answer: &Trend, size: Size) -> Chart {
    let each = answer.days.len().div_ceil(size.columns_max()).max(1);
    let odd = answer.days.len() % each;
    // The newest column is a whole one; the oldest takes what is left over.
    let (first, rest) = answer.days.split_at(odd);
    let groups: Vec<&[TrendDay]> =
        Some(first).filter(|days| !days.is_empty()).into_iter().chain(rest.chunks(each)).collect();
    let whose = answer.domain.as_ref().map_or_else(|| "all domains".to_owned(), |domain| crate::text::plain(domain));
    let period = match (answer.days.first(), answer.days.last()) {
        (Some(first), Some(last)) => figures::span(first.day, last.day),
        _ => "no days".to_owned(),
    };
    let unit = if each == 1 { "messages a day".to_owned() } else { format!("messages in {each} days") };
    Chart {
        size,
        title: format!("Mail in the name of {whose}, {period}"),
        about: spoken(answer),
        columns: groups.iter().map(|days| column(here, answer, days)).collect(),
        panels: panels(here, &groups, &unit, size),
        bands: bands(answer, &ends(&groups)),
        marks: super::trend_dns::marks(here, answer, &ends(&groups)),
        note: note(answer, &groups, here.ask.view, size),
    }
}

/// The sentence under the chart.
pub(super) fn caption(chart: &Chart) -> String {
    let scales: Vec<_> = chart.panels.iter().filter(|panel| panel.max() > 0).map(Panel::scale).collect();
    match scales.as_slice() {
        [above, below] if above > below => {
            format!(
                "The two scales differ: a column above is drawn {} times as tall as below. Times are UTC.",
                figures::rate(above / below)
            )
        }
        [above, below] if above < below => {
            format!(
                "The two scales differ: a column below is drawn {} times as tall as above. Times are UTC.",
                figures::rate(below / above)
            )
        }
        _ => "Both scales begin at 0. Times are UTC.".to_owned(),
    }
}

fn panels(here: Here<'_>, groups: &[&[TrendDay]], unit: &str, size: Size) -> Vec<Panel> {
    let outcomes = |all: &[Outcome]| -> Vec<Layer> {
        all.iter()
            .map(|outcome| Layer {
                class: words::outcome(*outcome),
                values: groups.iter().map(|days| sum(days, |counts| counts.outcomes().get(*outcome))).collect(),
            })
            .collect()
    };
    let dispositions = |all: &[Disposition]| -> Vec<Layer> {
        all.iter()
            .map(|disposition| Layer {
                class: words::disposition(*disposition),
                values: groups
                    .iter()
                    .map(|days| sum(days, |counts| words::met(&counts.disposition, *disposition)))
                    .collect(),
            })
            .collect()
    };
    let (above, below, names) = match here.ask.view {
        View::Outcome | View::Class => {
            (outcomes(&words::FAILING), outcomes(&words::PASSING), ("Failing DMARC", "Passing DMARC"))
        }
        View::Disposition => {
            (dispositions(&words::STOPPED), dispositions(&words::DELIVERED), ("Quarantined or rejected", "Delivered"))
        }
    };
    let panel = |name: &str, layers: Vec<Layer>, height: f64, steps: u64| {
        let mut panel = Panel { title: format!("{name}, {unit}"), height, steps, layers };
        if panel.max() == 0 {
            panel.height = 40.0; // an empty panel needs no room
        }
        panel
    };
    match size {
        Size::Wide => vec![panel(names.0, above, 214.0, 5), panel(names.1, below, 110.0, 3)],
        Size::Narrow => vec![panel(names.0, above, 160.0, 4), panel(names.1, below, 90.0, 3)],
    }
}

fn sum(days: &[TrendDay], of: impl Fn(&TrendTotals) -> u64) -> u64 {
    days.iter().fold(0, |sum, day| sum.saturating_add(of(&day.counts)))
}

fn column(here: Here<'_>, answer: &Trend, days: &[TrendDay]) -> Column {
    let (first, last) = (
        days.first().map_or_else(Default::default, |day| day.day),
        days.last().map_or_else(Default::default, |day| day.day),
    );
    let said = |outcomes: &[Outcome]| -> String {
        let named = outcomes
            .iter()
            .map(|outcome| (words::outcome(*outcome).name, sum(days, |counts| counts.outcomes().get(*outcome))));
        let named: Vec<_> =
            named.filter(|(_, n)| *n > 0).map(|(name, n)| format!("{} {}", name.to_lowercase(), count(n))).collect();
        if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
    };
    let (failing, passing) = (sum(days, |counts| counts.outcome.neither), sum(days, |counts| counts.dmarc_pass));
    let mut top_down = words::FAILING;
    top_down.reverse();
    let mut about = format!(
        "{}\n{} fail{}\n{} pass{}",
        if first == last { figures::weekday_year(first) } else { figures::span(first, last) },
        count(failing),
        said(&top_down),
        count(passing),
        said(&words::PASSING)
    );
    if here.ask.view == View::Disposition {
        let met = |disposition| count(sum(days, |counts| words::met(&counts.disposition, disposition)));
        let _ = write!(about, "\n{} quarantined, {} rejected", met(Disposition::Quarantine), met(Disposition::Reject));
    }
    let late = answer.incomplete.iter().find(|late| first <= late.day && late.day <= last);
    if let Some(late) = late {
        let _ = write!(about, "\nstill coming in: {}", arrived(late));
    }
    Column { first, link: links::sources(&links::within(here.scope(), first, last)), about, incomplete: late.is_some() }
}

/// `3 of usually 14 reporters have reported on it`.
pub(super) fn arrived(late: &IncompleteDay) -> String {
    let (usual, have) = (count(late.usual), if late.reporters == 1 { "has" } else { "have" });
    match (late.reporters, late.usual) {
        (0, 1) => "the reporter has not reported on it yet".to_owned(),
        (0, _) => format!("none of usually {usual} reporters has reported on it yet"),
        (reporters, _) => format!("{} of usually {usual} reporters {have} reported on it", count(reporters)),
    }
}

/// First and last day of each column.
fn ends(groups: &[&[TrendDay]]) -> Vec<(Day, Day)> {
    groups.iter().filter_map(|days| Some((days.first()?.day, days.last()?.day))).collect()
}

/// Policies as bands: each holds until the next begins; what began before the chart begins with it.
pub(super) fn bands(answer: &Trend, columns: &[(Day, Day)]) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for (index, policy) in answer.policies.iter().enumerate() {
        let from = columns.iter().position(|(_, last)| *last >= policy.from);
        let Some(from) = from else { continue };
        let band = Band {
            from: if index == 0 { 0 } else { from },
            text: crate::text::plain(&policy.record),
            pin: (index > 0).then_some(index),
        };
        bands.push(band);
    }
    bands
}

/// At most one annotation: the largest spike, in the view it is about.
fn note(answer: &Trend, groups: &[&[TrendDay]], view: View, size: Size) -> Option<Note> {
    let spike = answer.spikes.first().filter(|_| view == View::Outcome)?;
    let column = groups.iter().position(|days| days.iter().any(|day| day.day == spike.day))?;
    let extra = spike.failing.saturating_sub(spike.usual);
    if size == Size::Narrow {
        return Some(Note { column, lines: vec![format!("{}: +{}", figures::day(spike.day), count(extra))] });
    }
    let mut lines = vec![format!("{}: +{} in one day", figures::weekday(spike.day), count(extra))];
    if let (true, Some(finding)) = (spike.one_campaign, spike.findings.first()) {
        lines.push(format!("one campaign: {}", shorten(&crate::text::plain(&finding.value), 36)));
    }
    Some(Note { column, lines })
}

pub(super) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn spoken(answer: &Trend) -> String {
    let totals = &answer.totals;
    let mut about = format!(
        "Two stacked column charts over the same {} days. Above, {} messages that fail DMARC; below, {} that pass.",
        answer.days.len(),
        count(totals.outcome.neither),
        count(totals.dmarc_pass)
    );
    if let Some(spike) = answer.spikes.first() {
        let _ = write!(
            about,
            " {} stands out with {} failing messages instead of {}.",
            figures::weekday_year(spike.day),
            count(spike.failing),
            count(spike.usual)
        );
    }
    about.push_str(" The table beside the chart holds the same numbers.");
    about
}
