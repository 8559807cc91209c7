//! What is declared about the organisation, and the judgement of flows that rests on it: made after changes, in `serve` and by commands.
//!
//! In: `[organisation]`, the catalogue of services, the ledger. Out: the snapshot of flows in the ledger.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use dns::Name;
use enrich::Catalogue;
use insight::{Decided, NewDecision, Organisation, Period, Scope};
use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;

use crate::config::Config;
use crate::enrichment;

/// `[organisation]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Our own domains: reports that come by mail about others are refused, and hosts whose names lie below them are ours. Empty: all
    /// that reports are about.
    pub(crate) domains: Vec<String>,
    /// Our own address space, as `192.0.2.0/24`. Empty: what the reports show to be ours alone. Servers in it that fail are told as our
    /// own that are not set up.
    pub(crate) networks: Vec<String>,
}

impl Settings {
    /// The domains as names.
    pub(crate) fn names(&self) -> anyhow::Result<Vec<Name>> {
        names("organisation.domains", &self.domains)
    }

    /// As the judgement takes it.
    pub(crate) fn declared(&self) -> anyhow::Result<Organisation> {
        let network = |text: &String| -> anyhow::Result<(IpAddr, u8)> {
            insight::parse_network(text)
                .with_context(|| format!("organisation.networks: `{text}` is no network: write it as 192.0.2.0/24"))
        };
        let networks = self.networks.iter().map(network).collect::<anyhow::Result<_>>()?;
        let domains = self.names()?.iter().map(ToString::to_string).collect();
        Ok(Organisation { domains, networks })
    }
}

/// The domains that a key of the configuration lists.
pub(crate) fn names(key: &str, domains: &[String]) -> anyhow::Result<Vec<Name>> {
    let name = |text: &String| {
        Name::from_unicode(text).with_context(|| format!("{key}: `{text}` is no domain: write it as example.com"))
    };
    domains.iter().map(name).collect()
}

/// What the judgement rests on beside the ledger.
pub(crate) struct Ground {
    organisation: Organisation,
    catalogue: Catalogue,
    /// Held while judging: of two that judge at once the older might have the last word.
    turn: Mutex<()>,
}

impl Ground {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let catalogue = enrichment::catalogue(&config.enrichment)?;
        Ok(Self { organisation: config.organisation.declared()?, catalogue, turn: Mutex::default() })
    }

    /// Judges anew if anything has changed; says whether it did.
    pub(crate) fn refresh(&self, ledger: &Ledger) -> anyhow::Result<bool> {
        Ok(self.judge(ledger)?)
    }

    fn judge(&self, ledger: &Ledger) -> Result<bool, insight::Error> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        insight::refresh_flows(ledger, &self.organisation, &self.catalogue, Day::of(now()))
    }

    /// Takes a decision down, and judges anew where it takes that for it to be seen everywhere; says what it changed.
    pub(crate) fn decide(&self, ledger: &Ledger, new: &NewDecision) -> Result<Decided, insight::Error> {
        let everything = Scope { period: Period::All, ..Scope::default() };
        let before = insight::class_trend(ledger, &everything)?.totals;
        let decision = insight::decide(ledger, new, now())?;
        // It is taken down. Where judging fails, whoever shows flows next tries again.
        if !insight::shows_at_once(ledger, &new.target)?
            && let Err(error) = self.judge(ledger)
        {
            tracing::warn!("the decision is taken down, but flows are not judged yet: {error}");
        }
        let after = insight::class_trend(ledger, &everything)?.totals;
        Ok(Decided { decision, before, after })
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Rows of a ledger that is judged as soon as something was taken in, which takes a second or two.
const AT_ONCE: u64 = 500_000;

/// Judges what was taken in. All of it counts already: where this fails, and where there is so much that it takes minutes, it is done by `serve`, or
/// by the next command that shows flows.
pub(crate) fn after_changes(ledger: &Ledger, config: &Config) {
    let judge = || match ledger.counters()?.rows {
        0..=AT_ONCE => Ground::new(config)?.refresh(ledger),
        _ => Ok(false),
    };
    if let Err(error) = judge() {
        tracing::warn!("everything is taken in, but flows are not judged yet: {error:#}");
    }
}

/// Between two looks for changes.
const LOOK: Duration = Duration::from_secs(2);
/// While reports keep coming in, and after a failure, flows are judged anew this often and no oftener.
const WAIT_MAX: Duration = Duration::from_mins(2);
/// After judging it rests for so many times as long as it took: a year of a hundred million rows takes minutes, and something always comes in.
const RESTS: u32 = 9;

/// Judges flows after changes as long as the program runs: when it has been quiet for a moment, and every two minutes while it is not; never
/// for more than a tenth of the time.
pub(crate) async fn keep_judging(ledger: Ledger, ground: Arc<Ground>) {
    let (mut seen, mut since, mut failed) = (None, Instant::now(), false);
    let mut rest = Duration::ZERO;
    loop {
        let now = ledger.generation().ok();
        let quiet = now == seen;
        if !quiet {
            seen = now;
        }
        // What failed once fails again within seconds, and would fill the log with it.
        if ((quiet && !failed) || since.elapsed() >= WAIT_MAX) && since.elapsed() >= rest {
            let (ledger, ground, begun) = (ledger.clone(), Arc::clone(&ground), Instant::now());
            let judged = tokio::task::spawn_blocking(move || ground.refresh(&ledger)).await;
            failed = !matches!(judged, Ok(Ok(_)));
            match judged {
                Ok(Ok(true)) => {
                    rest = begun.elapsed() * RESTS;
                    tracing::info!("flows are judged anew");
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!("flows cannot be judged, and are tried again: {error:#}"),
                Err(error) => tracing::warn!("flows cannot be judged, and are tried again: {error}"),
            }
            since = Instant::now();
        }
        tokio::time::sleep(LOOK).await;
    }
}
