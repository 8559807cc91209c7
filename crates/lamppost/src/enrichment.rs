//! Learning who is behind new sources: from settings to an enricher, and a run of it over the ledger.
//!
//! In: `[enrichment]`, the ledger, DNS. Out: profiles in the ledger. Nothing is asked but DNS for the names of sources, unless a list is
//! switched on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use dns::Lookup;
use enrich::{
    Catalogue, CatalogueLimits, Clock, Enricher, FileLimits, FileList, GatherLimits, ListDefinition, NetworkLimits,
    Networks, Progress, ProgressCounts, Value, ZoneLimits, ZoneList,
};
use report::Day;
use resolver::{Cache, CacheLimits, Network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;
use tokio::sync::mpsc;

use crate::learning::Notes;
use crate::organisation;

/// `[enrichment]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Whether `serve` learns about new sources by itself, once an hour. DNS is asked for their names.
    pub(crate) enabled: bool,
    /// Files of networks in MMDB form, of IPinfo, MaxMind or DB-IP; the first that knows something counts.
    pub(crate) networks: Vec<PathBuf>,
    /// A file of mail services, beside those that are known anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) services: Option<PathBuf>,
    /// Lists of networks as files, such as Spamhaus DROP.
    pub(crate) file: Vec<FileSettings>,
    /// Lists that are asked over DNS about sources that fail; none unless named here. `lamppost config lists` has them with their terms.
    pub(crate) list: Vec<ListSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, networks: Vec::new(), services: None, file: Vec::new(), list: Vec::new() }
    }
}

/// `[[enrichment.file]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSettings {
    /// What evidence calls it.
    pub(crate) name: String,
    /// Where it is: JSON lines as Spamhaus publishes them, or one network or `AS` number a line.
    pub(crate) path: PathBuf,
    /// What being in it is worth, from -10 to 10.
    #[serde(default = "worst")]
    pub(crate) value: f64,
    /// Whether nothing may outweigh it.
    #[serde(default)]
    pub(crate) hard: bool,
}

fn worst() -> f64 {
    -10.0
}

/// `[[enrichment.list]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSettings {
    /// Its id, as `lamppost config lists` prints it.
    pub(crate) id: String,
    /// The key that its operator gave out, for lists that need one: a file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
    /// That its terms were read and are kept to.
    #[serde(default)]
    pub(crate) terms_accepted: bool,
}

/// Days after which a source is looked at again: names and networks change slowly, and a month's mail changes a grade.
const FRESH_DAYS: i32 = 30;

/// Profiles that are stored at a time: one commit to disk for all of them.
const BATCH: usize = 256;

/// Makes what sources are enriched with. Names of sources below the domains of `own` are ours.
pub(crate) fn enricher<L: Lookup>(
    settings: &Settings,
    own: &organisation::Settings,
    dns: L,
) -> anyhow::Result<Enricher<L>> {
    let mut enricher = Enricher::new(dns, Clock::new(|| jiff::Timestamp::now().as_second()));
    enricher.networks = Networks::open(&settings.networks, NetworkLimits::default());
    for file in enricher.networks.files() {
        if let Some(problem) = file.problem {
            tracing::warn!("{}: {problem}", file.path.display());
        }
    }
    enricher.catalogue = catalogue(settings)?;
    enricher.own = own.names()?;
    for file in &settings.file {
        let list =
            FileList::read(&file.name, &read(&file.path)?, Value::of(file.value), file.hard, &FileLimits::default());
        enricher.files.push(list.with_context(|| format!("in the list {}", file.path.display()))?);
    }
    let known = ListDefinition::bundled();
    for list in &settings.list {
        let Some(definition) = known.iter().find(|known| known.id == list.id) else {
            bail!("enrichment.list: no list is called `{}`: `lamppost config lists` prints those there are", list.id);
        };
        if !list.terms_accepted {
            bail!(
                "enrichment.list: {} may be asked on these terms: {} ({}). Set `terms_accepted = true` if you keep to them",
                definition.title,
                definition.terms,
                definition.homepage
            );
        }
        let key = list.key_file.as_deref().map(read).transpose()?;
        let key = key.as_deref().map(str::trim);
        let list = ZoneList::new(definition.clone(), key, ZoneLimits::default());
        enricher.zones.push(list.with_context(|| format!("enrichment.list: {}", definition.id))?);
    }
    Ok(enricher)
}

/// Known services: those that are bundled, and the operator's own.
pub(crate) fn catalogue(settings: &Settings) -> anyhow::Result<Catalogue> {
    let Some(path) = &settings.services else { return Ok(Catalogue::bundled()) };
    let own = Catalogue::read(&read(path)?, CatalogueLimits::default());
    let own = own.with_context(|| format!("in the services of {}", path.display()))?;
    Catalogue::bundled().with(own).with_context(|| format!("in the services of {}", path.display()))
}

fn read(path: impl AsRef<std::path::Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Learns about all sources that nothing is known of, or not lately; `gathered` hears how many these are. What was learned is in the
/// ledger as it comes.
pub(crate) async fn run<L>(
    ledger: &Ledger,
    enricher: Arc<Enricher<L>>,
    progress: Arc<Progress>,
    gathered: impl FnOnce(usize),
) -> anyhow::Result<ProgressCounts>
where
    L: Lookup + Send + Sync + 'static,
{
    let today: Day = enricher.clock.now().day();
    let asked = ledger.clone();
    let sources = tokio::task::spawn_blocking(move || {
        enrich::gather(&asked, today.plus(1 - FRESH_DAYS), GatherLimits::default())
    });
    let sources = sources.await??;
    gathered(sources.len());
    let (offer, offered) = mpsc::channel(BATCH);
    let (give, mut given) = mpsc::channel(BATCH);
    let offering = async move {
        for source in sources {
            if offer.send(source).await.is_err() {
                break;
            }
        }
    };
    let keeping = async {
        let mut batch = Vec::with_capacity(BATCH);
        while given.recv_many(&mut batch, BATCH).await > 0 {
            let kept = ledger.clone();
            let profiles = std::mem::take(&mut batch);
            tokio::task::spawn_blocking(move || keep(&kept, &profiles)).await??;
        }
        anyhow::Ok(())
    };
    let working = enrich::enrich(enricher, offered, give, Arc::clone(&progress));
    let ((), (), kept) = tokio::join!(offering, working, keeping);
    kept?;
    Ok(progress.counts())
}

/// Between two runs of `serve`: new sources come with new reports, which come once a day.
const PAUSE: Duration = Duration::from_hours(1);

/// Learns about new sources as long as the program runs. What goes wrong is logged and noted, and tried again with the next run.
pub(crate) async fn keep_learning(ledger: Ledger, settings: Settings, own: organisation::Settings, notes: Notes) {
    if !settings.enabled {
        return std::future::pending().await;
    }
    let made = Network::system(resolver::NetworkLimits::default()).map_err(anyhow::Error::from);
    let made = made.and_then(|network| enricher(&settings, &own, Cache::new(network, CacheLimits::default())));
    let enricher = match made {
        Ok(enricher) => Arc::new(enricher),
        Err(error) => {
            tracing::error!("nothing is learned about sources: {error:#}");
            notes.cannot(format!("{error:#}"));
            return std::future::pending().await;
        }
    };
    notes.enabled(&enricher);
    loop {
        let networks = Arc::clone(&enricher);
        // The operator may have put newer files in place.
        let _ = tokio::task::spawn_blocking(move || networks.networks.refresh()).await;
        let progress = notes.begins();
        let done = run(&ledger, Arc::clone(&enricher), progress, |sources| notes.gathered(sources)).await;
        match &done {
            Ok(counts) if counts.done > 0 => tracing::info!("learned about {} sources", counts.done),
            Ok(_) => {}
            Err(error) => tracing::warn!("learning about sources stopped, and goes on in an hour: {error:#}"),
        }
        let now = enricher.clock.now().seconds();
        let pause = i64::try_from(PAUSE.as_secs()).unwrap_or(i64::MAX);
        notes.ended(done.err().map(|error| format!("{error:#}")), now, now.saturating_add(pause));
        tokio::time::sleep(PAUSE).await;
    }
}

fn keep(ledger: &Ledger, profiles: &[enrich::Profile]) -> anyhow::Result<()> {
    let texts = profiles.iter().map(serde_json::to_string).collect::<Result<Vec<String>, _>>()?;
    let entries = profiles.iter().zip(&texts).map(|(profile, text)| (profile.address, profile.learned, text.as_str()));
    Ok(ledger.put_profiles(entries)?)
}
