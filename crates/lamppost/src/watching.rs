//! Watching what our domains publish: from settings to rounds, in `serve` and for the model company.
//!
//! In: `[watch]`, the ledger, DNS. Out: the history of DNS in the ledger. Only names of our own domains are asked about, and what their SPF
//! records lead to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dns::{Lookup, Name, RecordType, Response, Zone};
use insight::RecordKind;
use report::Day;
use resolver::{Cache, CacheLimits, Network, NetworkLimits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;
use watch::{RoundLimits, RoundSummary, round, targets};

/// `[watch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Whether `serve` looks at what our domains publish: DMARC, SPF with all that it includes, DKIM keys, MX.
    pub(crate) enabled: bool,
    /// Hours between two looks at DMARC records.
    pub(crate) dmarc_hours: u16,
    /// Hours between two looks at SPF, DKIM and MX.
    pub(crate) hours: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, dmarc_hours: 1, hours: 6 }
    }
}

impl Settings {
    /// What was looked at longest ago, as far as it is due.
    fn due(&self, ledger: &Ledger, now: i64) -> anyhow::Result<Vec<RecordKind>> {
        let mut due = Vec::new();
        for kind in RecordKind::ALL {
            let hours = if kind == RecordKind::Dmarc { self.dmarc_hours } else { self.hours };
            let last = watch::newest_look(ledger, kind)?;
            if last.is_none_or(|last| now.saturating_sub(last) >= i64::from(hours.max(1)) * 3_600) {
                due.push(kind);
            }
        }
        Ok(due)
    }
}

/// Between two looks at whether something is due.
const LOOK: Duration = Duration::from_mins(1);
/// After a round that failed: a resolver that is away is not asked thousands of times.
const AFTER_FAILURE: Duration = Duration::from_mins(15);

/// Looks at DNS as long as the program runs. What goes wrong is logged, and tried again.
pub(crate) async fn keep_watching(ledger: Ledger, settings: Settings, declared: Vec<String>) {
    if !settings.enabled {
        return std::future::pending().await;
    }
    // The cache is short: an hour's look must see the hour's record.
    let network = match Network::system(NetworkLimits::default()) {
        Ok(network) => Arc::new(Cache::new(network, CacheLimits::default())),
        Err(error) => {
            tracing::error!("what our domains publish is not watched: {error:#}");
            return std::future::pending().await;
        }
    };
    loop {
        let pause = match due_round(&ledger, &settings, &declared, Arc::clone(&network)).await {
            Ok(None) => LOOK,
            Ok(Some(summary)) => {
                tracing::info!("looked at DNS: {} answers are new, {} as before", summary.added, summary.same);
                LOOK
            }
            Err(error) => {
                tracing::warn!("what our domains publish was not looked at, and is in a quarter of an hour: {error:#}");
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn due_round<L>(
    ledger: &Ledger,
    settings: &Settings,
    declared: &[String],
    lookup: Arc<L>,
) -> anyhow::Result<Option<RoundSummary>>
where
    L: Lookup + Send + Sync + 'static,
{
    let (asked, settings, declared) = (ledger.clone(), settings.clone(), declared.to_vec());
    let now = jiff::Timestamp::now().as_second();
    let found = tokio::task::spawn_blocking(move || {
        let due = settings.due(&asked, now)?;
        let names = if due.is_empty() { insight::WatchTargets::default() } else { targets(&asked, &declared)? };
        anyhow::Ok((due, names))
    });
    let (due, names) = found.await??;
    if due.is_empty() || names.domains.is_empty() {
        return Ok(None);
    }
    Ok(Some(round(ledger, lookup, &names, &due, now, RoundLimits::default()).await?))
}

/// Zone files as a source of answers: they say what is in them, and that something of ours is not there; of anybody else's names that they
/// do not have, they say nothing.
pub(crate) struct OwnZones {
    zone: Zone,
    ours: Vec<Name>,
}

impl OwnZones {
    pub(crate) fn new(zone: Zone, names: &insight::WatchTargets) -> Self {
        Self { zone, ours: names.domains.iter().filter_map(|domain| Name::parse(domain).ok()).collect() }
    }
}

impl Lookup for OwnZones {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        match self.zone.lookup(name, kind).await {
            Response::NxDomain { .. } if !self.ours.iter().any(|own| name.is_subdomain_of(own)) => {
                Response::ServFail("the zone files do not have it".into())
            }
            other => other,
        }
    }
}

/// Noon of a day, or now for a day that is not over: when what a zone file holds counts as seen.
pub(crate) fn moment_of(day: Day) -> i64 {
    (day.plus(1).begin() - 1).min(jiff::Timestamp::now().as_second())
}

/// Brings the model company's zones of every day into the history, the oldest first.
pub(crate) fn company(ledger: &Ledger, folder: &Path, last: Day) -> anyhow::Result<()> {
    let (folder, history) = (folder.join("dns"), folder.join("dns").join("history"));
    let entries = std::fs::read_dir(&history).with_context(|| format!("cannot list {}", history.display()))?;
    let mut days: Vec<Day> = entries
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str()?.parse().ok())
        .filter(|day| *day <= last)
        .collect();
    days.sort_unstable();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let names = targets(ledger, &[])?;
    let mut rounds: Vec<(Day, std::path::PathBuf)> =
        days.iter().map(|day| (*day, history.join(format!("{day}.zone")))).collect();
    rounds.push((last, folder.join("current.zone")));
    for (day, file) in rounds {
        let mut zone = Zone::new();
        for path in [&file, &folder.join("names.zone")] {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            zone.read(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        }
        let zones = Arc::new(OwnZones::new(zone, &names));
        let done = round(ledger, zones, &names, &RecordKind::ALL, moment_of(day), RoundLimits::default());
        runtime.block_on(done)?;
    }
    Ok(())
}
