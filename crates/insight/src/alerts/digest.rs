//! The week, once a week: what changed, what is open, how legitimate mail fared, what was stopped, who is new, what was harmed.
//!
//! In: the ledger. Out: a [`Digest`]. Where nothing changed it says no more than that somebody is watching: then its absence tells
//! something.

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;

use super::answers::AlertState;
use super::facts::percent;
use super::read::alerts;
use crate::counts::float;
use crate::flows::{class_on, load, together};
use crate::{Error, FlowClass, commas};

/// Seconds of a week.
const WEEK: i64 = 7 * 86_400;
/// The hour of Monday, UTC, at which it is made.
const HOUR: i64 = 7;
/// Passing more or less often by so many points is a change.
const POINTS: f64 = 1.0;
/// Messages in its first week that make a sender worth a line.
const SENDER: u64 = 10;
/// Lines of a list.
const LINES: usize = 20;

/// A week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// The seven days it is about; absent while the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// Whether anything changed. If not, only the heartbeat is worth reading.
    pub changed: bool,
    /// One line that says that somebody is watching.
    pub heartbeat: String,
    /// Organizational domains with mail of ours.
    pub domains: usize,
    /// Messages of ours and of services for us.
    pub legitimate: u64,
    /// Of these: pass, in per cent.
    pub passing: f64,
    /// The same in the week before.
    pub passing_before: f64,
    /// Spoofed messages.
    pub spoofed: u64,
    /// Of these: put aside or refused.
    pub stopped: u64,
    /// Messages of ours and of services for us that were put aside or refused.
    pub harmed: u64,
    /// Senders seen for the first time.
    pub new_senders: Vec<DigestFlow>,
    /// Alerts opened in the week, in a line each.
    pub opened: Vec<String>,
    /// Alerts resolved in the week.
    pub resolved: Vec<String>,
    /// Alerts that are open.
    pub open: Vec<String>,
}

/// A sender in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestFlow {
    /// Its id.
    pub id: String,
    /// Who sends.
    pub name: String,
    /// In whose name.
    pub domain: String,
    /// What it is taken for.
    pub class: FlowClass,
    /// Messages in the week.
    pub messages: u64,
}

/// Whether a digest is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Not yet.
    Later,
    /// Nobody ever looked: there is no week to tell of.
    First,
    /// Yes.
    Now,
}

/// Whether a Monday morning has passed since the last one.
pub(crate) fn due(last: Option<i64>, now: i64) -> Due {
    // 1970-01-05 was a Monday.
    let weeks = |at: i64| (at - 4 * 86_400 - HOUR * 3_600).div_euclid(WEEK);
    match last {
        None => Due::First,
        Some(last) if weeks(now) > weeks(last) => Due::Now,
        Some(_) => Due::Later,
    }
}

/// The week before `now`: of data, the seven days up to the one that was judged last.
///
/// # Errors
/// When the ledger cannot be read.
pub fn digest(ledger: &Ledger, now: i64) -> Result<Digest, Error> {
    let told = alerts(ledger, now, true)?;
    let line = |alert: &super::answers::AlertLine| format!("{}: {}", alert.severity.word(), alert.sentence);
    let lately = |at: Option<i64>| at.is_some_and(|at| now - at <= WEEK);
    let which = |wanted: &dyn Fn(&super::answers::AlertLine) -> bool| -> Vec<String> {
        told.lines.iter().filter(|alert| wanted(alert)).take(LINES).map(line).collect()
    };
    let opened = which(&|alert| lately(Some(alert.opened)));
    let resolved = which(&|alert| lately(alert.resolved));
    let open = which(&|alert| alert.state != AlertState::Resolved);
    let mut week = Digest {
        days: None,
        changed: !opened.is_empty() || !resolved.is_empty(),
        heartbeat: String::new(),
        domains: 0,
        legitimate: 0,
        passing: 100.0,
        passing_before: 100.0,
        spoofed: 0,
        stopped: 0,
        harmed: 0,
        new_senders: Vec::new(),
        opened,
        resolved,
        open,
    };
    let span = ledger.span()?;
    if let (Some((_, newest)), Some((snapshot, days))) = (span, load(ledger)?) {
        let until = told.judged.unwrap_or(newest);
        add(&mut week, &snapshot.flows, &days.0, until);
    }
    week.changed |= !week.new_senders.is_empty() || (week.passing - week.passing_before).abs() >= POINTS;
    week.heartbeat = heartbeat(&week);
    Ok(week)
}

fn add(
    week: &mut Digest,
    flows: &[crate::FlowLine],
    days: &[Vec<(report::Text, Vec<crate::flows::DayCount>)>],
    until: Day,
) {
    let from = until.plus(-6);
    let mut domains = std::collections::BTreeSet::new();
    let mut failing = 0;
    let (mut before, mut failing_before) = (0, 0);
    for (line, authors) in flows.iter().zip(days) {
        let mut in_week = 0;
        for day in together(authors) {
            use FlowClass::{Own, OwnMisconfigured, Spoofer, ThirdParty, ThirdPartyUnaligned};
            let class = class_on(line, day.day);
            let ours = matches!(class, Own | OwnMisconfigured | ThirdParty | ThirdPartyUnaligned);
            if (from..=until).contains(&day.day) {
                in_week += day.messages;
                if ours {
                    domains.insert(&line.organizational_domain);
                    week.legitimate += day.messages;
                    failing += day.failing;
                    week.harmed += day.failing - day.delivered.min(day.failing);
                } else if class == Spoofer {
                    week.spoofed += day.failing;
                    week.stopped += day.failing - day.delivered.min(day.failing);
                }
            } else if ours && (from.plus(-7)..from).contains(&day.day) {
                before += day.messages;
                failing_before += day.failing;
            }
        }
        let new = (from..=until).contains(&line.first_day) && in_week >= SENDER;
        if new && !matches!(line.class, FlowClass::Spoofer | FlowClass::ForwarderIntact | FlowClass::ForwarderBroken) {
            week.new_senders.push(DigestFlow {
                id: line.id.clone(),
                name: line.name.clone(),
                domain: line.organizational_domain.to_string(),
                class: line.class,
                messages: in_week,
            });
        }
    }
    week.new_senders.sort_by(|a, b| b.messages.cmp(&a.messages).then_with(|| a.id.cmp(&b.id)));
    week.new_senders.truncate(LINES);
    week.days = Some((from, until));
    week.domains = domains.len();
    week.passing = 100.0 - percent(failing, week.legitimate) * f64::from(u8::from(week.legitimate > 0));
    week.passing_before = 100.0 - percent(failing_before, before) * f64::from(u8::from(before > 0));
}

fn heartbeat(week: &Digest) -> String {
    let Some((from, until)) = week.days else { return "No reports have come in yet.".to_owned() };
    format!(
        "{} to {}: {} of {} domains, {:.1} % passed, {} spoofed messages ({:.0} % stopped), {}.",
        from,
        until,
        plural(week.legitimate, "message"),
        week.domains,
        week.passing,
        commas(week.spoofed),
        if week.spoofed == 0 { 0.0 } else { float(week.stopped) * 100.0 / float(week.spoofed) },
        match week.open.len() {
            0 => "no alert is open".to_owned(),
            1 => "1 alert is open".to_owned(),
            n => format!("{n} alerts are open"),
        }
    )
}

fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", commas(n)) }
}
