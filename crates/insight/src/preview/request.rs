//! A preview in words: what the bound bounds, what should be known beside the figures, and the text for a change request.

use std::fmt::Write as _;

use super::answers::Preview;
use super::forecast::Estimate;
use super::replay::Replay;
use super::what_if::{Receivers, WhatIf};
use super::world::World;
use crate::{commas, rate};

/// Flows named in a change request.
const NAMED: usize = 5;

/// Fills in the words.
pub(crate) fn words(preview: &mut Preview, what_if: &WhatIf, found: &Replay, world: &World) {
    preview.bound = bound(preview);
    preview.notes = notes(preview, what_if, found, world);
    preview.change_request = change_request(preview);
}

fn bound(preview: &Preview) -> String {
    let (first, last) = preview.rests_on;
    match preview.harm.at_most {
        Some(most) => format!(
            "In 95 of 100 cases the mean over the next 30 days is at most {} legitimate messages a day; a single day may lie above. \
             It rests on {} days with reports from {first} to {last}, allows for weeks that differ, for seasons and for flows that \
             begin to fail, and counts what reporters see.",
            rate(most),
            preview.days_with_reports,
        ),
        None => format!(
            "{} days with reports are too few to say how much it may be at most: 14 are needed.",
            preview.days_with_reports
        ),
    }
}

fn notes(preview: &Preview, what_if: &WhatIf, found: &Replay, world: &World) -> Vec<String> {
    let mut notes = Vec::new();
    if world.known_from == "nowhere" && !world.changed.iter().any(|change| change.name.starts_with("_dmarc.")) {
        notes.push(format!("No DMARC record of {} is known: nothing is asked of receivers.", preview.domain));
    }
    if world.known_from == "what reporters saw" {
        notes.push(
            "The DMARC record is as reporters saw it: tags that they do not tell (rua, ruf, psd) are missing from it."
                .to_owned(),
        );
    }
    if found.undecided > 0 {
        notes.push(format!(
            "The SPF results of {} messages would depend on the message (macros, ptr) and were taken as reported.",
            commas(found.undecided)
        ));
    }
    if !found.skipped.is_empty() {
        let days = found.skipped.len();
        notes.push(format!(
            "{days} days are left out: reports came in for them, and flows are about to be judged anew."
        ));
    }
    let about_verdict: u64 =
        preview.agreement.iter().filter(|line| line.how.is_about_the_verdict()).map(|line| line.messages).sum();
    if about_verdict > 0 {
        notes.push(format!(
            "Of {} messages reporters say otherwise than their own results and the records of now; they count as reported.",
            commas(about_verdict)
        ));
    }
    match what_if.receivers {
        Receivers::Rfc7489 => {
            notes.push("Receivers are taken to obey RFC 7489: pct samples, t and np mean nothing to them.".to_owned());
        }
        Receivers::Rfc9989 => notes.push(
            "Receivers are taken to obey RFC 9989: t=y lowers a policy by one step, pct means nothing.".to_owned(),
        ),
    }
    let silent: Vec<&str> =
        preview.reporters.iter().filter(|line| line.obeys == Some(false)).map(|line| line.reporter.as_str()).collect();
    if !silent.is_empty() {
        notes.push(format!(
            "Did not do what a policy asked for, so that harm and benefit are less there: {}.",
            silent.join(", ")
        ));
    }
    notes
}

fn estimate(of: &Estimate) -> String {
    let most =
        of.at_most.map_or_else(|| "too few days for a bound".to_owned(), |most| format!("at most {}", rate(most)));
    format!("{} a day expected ({most}); {} a day over the days replayed", rate(of.expected), rate(of.seen))
}

fn change_request(preview: &Preview) -> String {
    let mut text = format!("Change for {}: {}\n\n", preview.domain, preview.what);
    let mut line = |args: std::fmt::Arguments<'_>| {
        let _infallible = text.write_fmt(args);
        text.push('\n');
    };
    for change in &preview.changed {
        line(format_args!("{} TXT", change.name));
        line(format_args!("  was: {}", change.before.as_deref().unwrap_or("(not known)")));
        line(format_args!("  is:  {}", change.after));
    }
    let (first, last) = preview.days;
    line(format_args!("\nReplayed over {first} to {last}, receivers by {}:", preview.receivers.word().to_uppercase()));
    line(format_args!("  legitimate mail stopped: {}", estimate(&preview.harm)));
    line(format_args!("  unknown mail stopped:    {}", estimate(&preview.unknown)));
    line(format_args!("  spoofed mail stopped:    {}", estimate(&preview.spoofed)));
    line(format_args!("  of that delivered now:   {} a day", rate(preview.spoofed_delivered_now)));
    let share = if preview.legitimate > 0.0 { 1.0 - preview.harm.seen / preview.legitimate } else { 1.0 };
    line(format_args!("  legitimate mail untouched: {:.2} % of {} a day", share * 100.0, rate(preview.legitimate)));
    if !preview.flows.is_empty() {
        line(format_args!("\nMost harmed:"));
        for flow in preview.flows.iter().take(NAMED) {
            let owner = flow.owner.as_deref().unwrap_or("nobody named");
            line(format_args!(
                "  {} {} ({}): {} a day, {owner}",
                flow.id,
                flow.name,
                flow.class.label(),
                rate(flow.stopped.seen)
            ));
        }
    }
    line(format_args!("\n{}", preview.bound));
    line(format_args!("Back out by publishing the record that was; resolvers keep the new one for its TTL."));
    text
}
