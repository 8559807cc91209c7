//! Rules about reports themselves: who fell silent, whether any come, how late they are, which sources of them fail.
//!
//! In: facts. Out: findings. What is asked is when reports *usually* come: a ledger that somebody fills by hand once a month has no silence.

use crate::Punctuality;
use crate::commas;

use super::facts::Facts;
use super::finding::{AlertRule, Finding, Severity};
use super::thresholds::Thresholds;

/// Days of the 28 before the newest receipt on which reports came: fewer, and nobody waits for them.
const RHYTHM: usize = 14;
/// Who has been silent for longer is gone, and no alert brings him back.
const SILENT_MAX: i32 = 30;

pub(crate) fn rules(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let mut found = silent(facts, at);
    found.extend(no_reports(facts, at));
    found.extend(lag(facts, at));
    found.extend(sources(facts, at));
    found
}

fn silent(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let mut heaviest: Vec<(&String, u64)> = facts.reports.messages.iter().map(|(name, n)| (name, *n)).collect();
    heaviest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let all: u64 = heaviest.iter().map(|(_, messages)| messages).sum();
    let mut found = Vec::new();
    for (name, messages) in heaviest.into_iter().take(at.reporters) {
        let Some(line) = facts.reports.expected.iter().find(|line| line.reporter == *name) else { continue };
        // What is expected takes two days of lateness into account: a day missing there is 48 hours of silence.
        let (Punctuality::Silent, Some(since)) = (line.state, line.silent_since) else { continue };
        if facts.judged.1.0 - since.0 > SILENT_MAX {
            continue;
        }
        found.push(Finding {
            rule: AlertRule::ReporterSilent,
            severity: Severity::Red,
            domain: String::new(),
            subject: name.clone(),
            day: Some(facts.judged.1),
            sentence: format!("{name} has sent no report about {since} or any day after it; it usually reports every day."),
            evidence: vec![
                format!("{} reports on {} of the 28 days before", commas(line.usual_reports), line.usual_days),
                format!("{:.0} % of the messages that reports were about", super::facts::percent(messages, all)),
            ],
            remedy: "See whether its reports arrive and are refused (rejections), whether the mailbox is full, and whether `rua` still names it.".to_owned(),
            link: "/reports".to_owned(),
            messages,
        });
    }
    found
}

/// Hours in words.
fn hours(seconds: i64) -> i64 {
    seconds / 3_600
}

fn no_reports(facts: &Facts, at: &Thresholds) -> Option<Finding> {
    let reports = &facts.reports;
    let last = reports.last_received.filter(|_| reports.days_of_receipt >= RHYTHM)?;
    let silence = facts.now - last;
    // Longer than it ever was, by half: where nothing comes at weekends, a weekend is no silence.
    let limit = (i64::from(at.no_reports_hours) * 3_600).max(reports.longest_gap * 3 / 2);
    (silence > limit).then(|| Finding {
        rule: AlertRule::NoReports,
        severity: Severity::Red,
        domain: String::new(),
        subject: String::new(),
        day: None,
        sentence: format!("No report has come in for {} hours.", hours(silence)),
        evidence: vec![format!(
            "reports came on {} of 28 days before, with {} hours between them at most",
            reports.days_of_receipt,
            hours(reports.longest_gap)
        )],
        remedy: "See whether the sources of reports work, whether the mailbox takes mail, and whether the DMARC records still name it in `rua`.".to_owned(),
        link: "/reports".to_owned(),
        messages: 0,
    })
}

fn lag(facts: &Facts, at: &Thresholds) -> Option<Finding> {
    let reports = &facts.reports;
    let lag = reports.lag.filter(|_| reports.days_of_receipt >= RHYTHM)?;
    (lag > i64::from(at.lag_hours) * 3_600).then(|| Finding {
        rule: AlertRule::ReportLag,
        severity: Severity::Amber,
        domain: String::new(),
        subject: String::new(),
        day: None,
        sentence: format!(
            "Reports come late: half of the last ones more than {} hours after the end of the day they are about.",
            hours(lag)
        ),
        evidence: Vec::new(),
        remedy: "See whether mail to the address in `rua` is held up on the way.".to_owned(),
        link: "/reports".to_owned(),
        messages: 0,
    })
}

fn sources(facts: &Facts, at: &Thresholds) -> Vec<Finding> {
    let long = i64::from(at.source_minutes) * 60;
    let failing = facts.sources.iter().filter(|source| facts.now - source.since >= long);
    let finding = |source: &super::facts::SourceTrouble| Finding {
        rule: AlertRule::SourceFailing,
        severity: Severity::Red,
        domain: String::new(),
        subject: source.name.clone(),
        day: None,
        sentence: format!(
            "The source of reports {} ({}) has failed for {} minutes.",
            source.name,
            source.kind,
            (facts.now - source.since) / 60
        ),
        evidence: vec![source.problem.clone()],
        remedy: "What it says is on the page of reports; it is tried again by itself.".to_owned(),
        link: "/reports".to_owned(),
        messages: 0,
    };
    failing.map(finding).collect()
}
