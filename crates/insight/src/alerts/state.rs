//! The life of an alert: opened, raised, resolved, open again; and who is to be told of what, when.
//!
//! In: alerts as they were kept, what the rules find now, what people said, the moment. Out: what is to be written, in one transaction.
//! Pure. An alert is resolved when two later days of data were judged without it; one that comes back within a week is the same alert. Of
//! one cause channels are told once in a day at most, unless it becomes red.

use std::collections::BTreeMap;

use report::Day;
use serde::{Deserialize, Serialize};
use store::{AlertChange, AlertEntry, AlertsThen};

use super::answers::NoticeAlert;
use super::digest::Digest;
use super::finding::{AlertRule, Finding, Severity};
use super::read::{Standing, standing};
use crate::flows::hash;

/// Days of data without it after which an alert is resolved.
const CALM_DAYS: i32 = 2;
/// Seconds without it after which an alert that is not about a day of data is resolved.
const CALM: i64 = 3_600;
/// An alert that comes back within so many seconds is the same one.
pub(crate) const SAME: i64 = 8 * 86_400;
/// Seconds between two notices of the same cause.
const THROTTLE: i64 = 86_400;
/// More notices than this for one channel at one time are put together in one.
const TOGETHER: usize = 5;

/// Whom to tell of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// The channels.
    pub channels: Vec<ChannelWants>,
    /// When amber ones wait.
    pub quiet: Option<QuietHours>,
}

/// What a channel is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelWants {
    /// Its name.
    pub name: String,
    /// Alerts from this severity on.
    pub least: Severity,
    /// Also when they are over.
    pub resolved: bool,
    /// The weekly digest.
    pub digest: bool,
}

/// Hours of the day, in UTC, in which only red alerts are told: from one minute of the day to before another, over midnight or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// First minute of the day.
    pub from: u16,
    /// The minute after the last.
    pub to: u16,
}

impl QuietHours {
    /// When something may be told that is to be told now.
    #[must_use]
    pub fn until(self, now: i64) -> i64 {
        let minute = now.rem_euclid(86_400) / 60;
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        let quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        if !quiet {
            return now;
        }
        let midnight = now - now.rem_euclid(86_400);
        let end = midnight + to * 60;
        if end > now { end } else { end + 86_400 }
    }
}

/// Why a channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Alerts were opened, are open again, or became red.
    Opened,
    /// Alerts are over.
    Resolved,
    /// The weekly digest.
    Digest,
    /// Somebody tries the channel.
    Test,
}

/// What a channel is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for the same notice, however often it is sent.
    pub id: String,
    /// Why.
    pub kind: NoticeKind,
    /// When it was made, in seconds since 1970 UTC.
    pub at: i64,
    /// The alerts it is about.
    pub alerts: Vec<NoticeAlert>,
    /// The digest, where it is one.
    pub digest: Option<Digest>,
}

/// What is kept of an alert beside its cause and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) rule: AlertRule,
    pub(crate) severity: Severity,
    pub(crate) domain: String,
    pub(crate) subject: String,
    pub(crate) sentence: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) remedy: String,
    pub(crate) link: String,
    /// First and last day of data on which it held; none where it is not about days.
    pub(crate) days: Option<(Day, Day)>,
    /// When it was last found.
    pub(crate) seen: i64,
    /// What channels were told last, and when.
    pub(crate) told: Option<Severity>,
    pub(crate) told_at: Option<i64>,
    /// How often it came back.
    pub(crate) back: u32,
}

impl State {
    fn of(finding: &Finding, now: i64) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            domain: finding.domain.clone(),
            subject: finding.subject.clone(),
            sentence: finding.sentence.clone(),
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone(),
            link: finding.link.clone(),
            days: finding.day.map(|day| (day, day)),
            seen: now,
            told: None,
            told_at: None,
            back: 0,
        }
    }

    /// What is found now in place of what was found before.
    fn renew(&mut self, finding: &Finding, now: i64) {
        let days = match (self.days, finding.day) {
            (Some((first, last)), Some(day)) => Some((first.min(day), last.max(day))),
            (_, day) => day.map(|day| (day, day)),
        };
        *self = Self { days, told: self.told, told_at: self.told_at, back: self.back, ..Self::of(finding, now) };
    }
}

/// What a channel may be told of an alert.
pub(crate) fn notice_alert(cause: &str, opened: i64, resolved: Option<i64>, state: &State) -> NoticeAlert {
    NoticeAlert {
        cause: cause.to_owned(),
        rule: state.rule,
        severity: state.severity,
        title: state.rule.label().to_owned(),
        domain: state.domain.clone(),
        sentence: state.sentence.clone(),
        evidence: state.evidence.clone(),
        remedy: state.remedy.clone(),
        link: state.link.clone(),
        opened,
        resolved,
    }
}

/// The moment and what holds at it.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) now: i64,
    /// The day up to which was judged, and the one up to which was judged before.
    pub(crate) until: Option<Day>,
    pub(crate) before: Option<Day>,
    pub(crate) delivery: &'a Delivery,
    pub(crate) off: &'a [AlertRule],
}

/// An alert on its way through a change.
struct Life {
    entry: Option<AlertEntry>,
    cause: String,
    opened: i64,
    resolved: Option<i64>,
    state: State,
    changed: bool,
}

/// What is to be written.
pub(crate) fn change(then: &AlertsThen, found: &[Finding], moment: &Moment<'_>) -> AlertChange {
    let mut change = AlertChange::default();
    let mut lives = lives(then);
    for finding in found {
        take(&mut lives, finding, moment);
    }
    for life in lives.iter_mut().filter(|life| life.resolved.is_none()) {
        if is_over(life, moment) {
            (life.resolved, life.changed) = (Some(moment.now), true);
        }
    }
    let standings: BTreeMap<String, Standing> = standing(&then.words);
    let mut wanted: Vec<(&ChannelWants, i64, NoticeKind, NoticeAlert)> = Vec::new();
    for life in &mut lives {
        let quiet = standings.get(&life.cause).is_some_and(|s| s.is_quiet(life.entry.as_ref(), moment.now));
        tell(life, quiet, then, moment, &mut wanted, &mut change);
    }
    change.notices = notices(wanted, moment.now);
    for life in lives.into_iter().filter(|life| life.changed) {
        let Ok(state) = serde_json::to_string(&life.state) else { continue };
        match life.entry {
            Some(entry) => change.put.push(AlertEntry { resolved: life.resolved, state, ..entry }),
            None => change.open.push((life.cause, life.opened, state)),
        }
    }
    change
}

fn lives(then: &AlertsThen) -> Vec<Life> {
    let life = |entry: &AlertEntry| {
        // One of another version of this program counts as none; it is found again, or stays as it is.
        let state: State = serde_json::from_str(&entry.state).ok()?;
        let (cause, opened, resolved) = (entry.cause.clone(), entry.opened, entry.resolved);
        Some(Life { entry: Some(entry.clone()), cause, opened, resolved, state, changed: false })
    };
    then.alerts.iter().filter_map(life).collect()
}

/// A finding goes to the open alert of its cause, or to one that was resolved lately, or opens one.
fn take(lives: &mut Vec<Life>, finding: &Finding, moment: &Moment<'_>) {
    let cause = finding.cause();
    let stale = finding.day.zip(moment.until).is_some_and(|(day, until)| until.0 - day.0 >= CALM_DAYS);
    if let Some(open) = lives.iter_mut().find(|life| life.cause == cause && life.resolved.is_none()) {
        // What was so days ago does not keep it open.
        if !stale {
            open.state.renew(finding, moment.now);
            open.changed = true;
        }
        return;
    }
    // A day that was judged before, and is over: what is found of it now followed from something that was told then.
    if stale && finding.day <= moment.before {
        return;
    }
    let lately = lives.iter_mut().rev().find(|life| life.cause == cause);
    if let Some(known) = lately {
        let told_of = finding.day.zip(known.state.days).is_some_and(|(day, (_, last))| day <= last);
        if told_of {
            return;
        }
        if known.resolved.is_some_and(|at| moment.now - at < SAME) {
            known.resolved = None;
            known.changed = true;
            known.state.renew(finding, moment.now);
            (known.state.told, known.state.back) = (None, known.state.back + 1);
            return;
        }
    }
    let new = State::of(finding, moment.now);
    lives.push(Life { entry: None, cause, opened: moment.now, resolved: None, state: new, changed: true });
}

fn is_over(life: &Life, moment: &Moment<'_>) -> bool {
    if moment.off.contains(&life.state.rule) {
        return true;
    }
    // Something opened a moment ago is told, even if it is over already.
    let Some(_) = &life.entry else { return false };
    match life.state.days {
        Some((_, last)) => moment.until.is_some_and(|until| until.0 - last.0 >= CALM_DAYS),
        None => moment.now - life.state.seen >= CALM,
    }
}

fn tell<'a>(
    life: &mut Life,
    quiet: bool,
    then: &AlertsThen,
    moment: &Moment<'a>,
    wanted: &mut Vec<(&'a ChannelWants, i64, NoticeKind, NoticeAlert)>,
    change: &mut AlertChange,
) {
    let (now, severity) = (moment.now, life.state.severity);
    let due = match moment.delivery.quiet {
        Some(hours) if severity != Severity::Red => hours.until(now),
        _ => now,
    };
    let alert = notice_alert(&life.cause, life.opened, life.resolved, &life.state);
    let channels = moment.delivery.channels.iter().filter(|channel| channel.least <= severity);
    if life.resolved.is_some() {
        // Once, when it is over; and only who was told that it began.
        if !life.changed || life.state.told.is_none() || moment.off.contains(&life.state.rule) {
            return;
        }
        for channel in channels {
            let unsent =
                then.unsent.iter().find(|notice| notice.channel == channel.name && only(&notice.notice, &life.cause));
            match unsent {
                Some(notice) if notice.tries == 0 => change.drop.push(notice.id),
                _ if channel.resolved && !quiet => wanted.push((channel, due, NoticeKind::Resolved, alert.clone())),
                _ => {}
            }
        }
        return;
    }
    let raised = life.state.told.is_some_and(|told| told < severity);
    let throttled = life.state.told_at.is_some_and(|at| now - at < THROTTLE);
    let tell = raised || (life.state.told.is_none() && !throttled);
    if quiet || !tell {
        return;
    }
    // Also where no channel wants it: whoever is added later is told of what is new then.
    (life.state.told, life.state.told_at, life.changed) = (Some(severity), Some(now), true);
    wanted.extend(channels.map(|channel| (channel, due, NoticeKind::Opened, alert.clone())));
}

/// Whether a notice says that this alert, and no other, began.
fn only(notice: &str, cause: &str) -> bool {
    serde_json::from_str::<Notice>(notice).is_ok_and(|notice| {
        notice.kind == NoticeKind::Opened && matches!(&notice.alerts[..], [alert] if alert.cause == cause)
    })
}

/// One notice an alert, or one for many.
fn notices(wanted: Vec<(&ChannelWants, i64, NoticeKind, NoticeAlert)>, now: i64) -> Vec<(String, i64, String)> {
    let mut groups: BTreeMap<(String, i64, bool), Vec<NoticeAlert>> = BTreeMap::new();
    for (channel, due, kind, alert) in wanted {
        groups.entry((channel.name.clone(), due, kind == NoticeKind::Resolved)).or_default().push(alert);
    }
    let mut made = Vec::new();
    for ((channel, due, resolved), mut alerts) in groups {
        let kind = if resolved { NoticeKind::Resolved } else { NoticeKind::Opened };
        alerts.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cause.cmp(&b.cause)));
        let parts = if alerts.len() > TOGETHER { vec![alerts] } else { alerts.into_iter().map(|a| vec![a]).collect() };
        for alerts in parts {
            let notice = notice(kind, now, alerts, None);
            if let Ok(text) = serde_json::to_string(&notice) {
                made.push((channel.clone(), due, text));
            }
        }
    }
    made
}

/// A notice with the id that it keeps.
pub(crate) fn notice(kind: NoticeKind, now: i64, alerts: Vec<NoticeAlert>, digest: Option<Digest>) -> Notice {
    let causes: Vec<&str> = alerts.iter().map(|alert| alert.cause.as_str()).collect();
    let id = format!("{:016x}", hash(&format!("{kind:?} {now} {}", causes.join("\n"))));
    Notice { id, kind, at: now, alerts, digest }
}
