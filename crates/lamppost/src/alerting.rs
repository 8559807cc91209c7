//! Alerts in the running program: `[alerts]`, the rules asked after changes and on time, notices handed to channels.
//!
//! In: settings, the ledger, how the sources of reports fare. Out: the ledger's alerts, and messages on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use insight::{AlertThresholds, Delivery, QuietHours, SourceTrouble, Watching};
use portal::program::{self, Activity, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;
use watch::channel::{self, Channel, Delivered};

/// `[alerts]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Where the portal is reached, for links in messages: `https://dmarc.example.com`. Without it there are none.
    pub(crate) url: String,
    /// Hours, in UTC, in which only red alerts are told: `22:00-07:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<String>,
    /// When something is worth an alert; and rules that are switched off.
    pub(crate) thresholds: AlertThresholds,
    /// How people are told.
    pub(crate) channel: channel::Settings,
}

impl Settings {
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Err(what) = self.channel.check() {
            bail!("{what}");
        }
        if !self.url.is_empty() && !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            bail!("alerts.url begins with neither https:// nor http://: it is where the portal is reached");
        }
        self.watching().map(drop)
    }

    /// As the rules take it.
    pub(crate) fn watching(&self) -> anyhow::Result<Watching> {
        let quiet = self.quiet.as_deref().map(quiet).transpose()?;
        let channels = self.channel.channels().iter().map(Channel::wants).collect();
        Ok(Watching { thresholds: self.thresholds.clone(), delivery: Delivery { channels, quiet } })
    }
}

/// `22:00-07:00`
fn quiet(text: &str) -> anyhow::Result<QuietHours> {
    let minute = |text: &str| -> Option<u16> {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    match text.split_once('-').and_then(|(from, to)| minute(from).zip(minute(to))) {
        Some((from, to)) if from != to => Ok(QuietHours { from, to }),
        _ => bail!("alerts.quiet: `{text}` is no time of day: write it as 22:00-07:00, in UTC"),
    }
}

/// Sources of reports that fail, as rules take them.
pub(crate) fn troubles(collecting: &program::Collecting) -> Vec<SourceTrouble> {
    let failing = collecting.sources.iter().chain(&collecting.taking).filter(|of| of.activity == Activity::Failing);
    let trouble = |of: &program::SourceHealth| {
        let mishap = of.last_error.as_ref()?;
        Some(SourceTrouble {
            name: of.name.clone(),
            kind: of.kind.clone(),
            // Since it last got through; where it never did, since what went wrong.
            since: of.last_success.unwrap_or(mishap.at),
            problem: mishap.message.clone(),
        })
    };
    failing.filter_map(trouble).collect()
}

/// Asks the rules now, and sends what is due if `send`.
pub(crate) async fn look(
    ledger: &Ledger,
    settings: &Settings,
    sources: &[SourceTrouble],
    send: bool,
) -> anyhow::Result<Delivered> {
    insight::watch_over(ledger, &settings.watching()?, now(), sources)?;
    if !send {
        return Ok(Delivered::default());
    }
    Ok(channel::deliver(ledger, &settings.channel.channels(), &settings.url, now).await?)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Between two looks at whether something changed, or is due to be sent.
const LOOK: Duration = Duration::from_secs(5);
/// Rules about time are asked this often, even if nothing changed.
const EVERY: Duration = Duration::from_mins(5);

/// Asks the rules after flows were judged anew and every few minutes, and sends what is due, as long as the program runs.
pub(crate) async fn keep_alerting(ledger: Ledger, settings: Settings, collecting: Told<program::Collecting>) {
    let settings = Arc::new(settings);
    let (mut seen, mut since, mut failed) = (None, None::<Instant>, false);
    loop {
        let now = insight::flows_version(&ledger).ok();
        let due = since.is_none_or(|since| since.elapsed() >= EVERY);
        if due || (now != seen && !failed) {
            seen = now;
            since = Some(Instant::now());
            let sources = troubles(&collecting());
            let looked = asked(&ledger, &settings, sources).await;
            failed = looked.is_err();
            if let Err(error) = looked {
                tracing::warn!("the rules of alerts cannot be asked, and are asked again in five minutes: {error:#}");
            }
        }
        // Also where the rules failed: what is due is due.
        let channels = settings.channel.channels();
        if let Err(error) = channel::deliver(&ledger, &channels, &settings.url, self::now).await {
            tracing::warn!("notices cannot be sent: {error}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn asked(ledger: &Ledger, settings: &Arc<Settings>, sources: Vec<SourceTrouble>) -> anyhow::Result<()> {
    let (ledger, watching) = (ledger.clone(), settings.watching()?);
    let work = move || insight::watch_over(&ledger, &watching, now(), &sources);
    Ok(tokio::task::spawn_blocking(work).await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_read_as_they_are_written() {
        let cases = [
            ("22:00-07:00", Some((1_320, 420))),
            (" 12:30 - 13:00 ", Some((750, 780))),
            ("24:00-07:00", None),
            ("22-07", None),
            ("07:00-07:00", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(quiet(text).ok().map(|quiet| (quiet.from, quiet.to)), expected, "{text}");
        }
    }
}
