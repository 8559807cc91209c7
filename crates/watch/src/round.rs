//! A round: all domains looked at once, many at a time, and what was seen kept.
//!
//! In: the ledger, the names that are worth watching, a [`Lookup`], and the moment. Out: lines in the ledger, and numbers. Every question of a
//! round counts as asked at the same moment. Where DNS does not answer at all, nothing is noted: that says something about us, not
//! about what is published.

use std::collections::BTreeSet;
use std::sync::Arc;

use dns::Lookup;
use insight::{History, RecordKind, WatchTargets};
use store::{Ledger, Look, PublishedState};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How much one round does.
#[derive(Debug, Clone, Copy)]
pub struct RoundLimits {
    /// Domains under way at once, each with one question at a time: no burden for a resolver nearby.
    pub at_once: usize,
    /// Domains and purposes of one round. A company with 500 domains has some 4,000; names that strangers make up must not make a round
    /// endless.
    pub jobs: usize,
}

impl Default for RoundLimits {
    fn default() -> Self {
        Self { at_once: 32, jobs: 20_000 }
    }
}

/// What came of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoundSummary {
    /// Domains and purposes that were looked at.
    pub jobs: usize,
    /// Left out because the round was full.
    pub left_out: usize,
    /// Answers that are other ones than before, or the first.
    pub added: u64,
    /// Answers as before.
    pub same: u64,
    /// Older than what is known already.
    pub late: u64,
    /// Questions that failed.
    pub failed: u64,
}

/// Why there was no round.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What is to be watched could not be found out.
    #[error(transparent)]
    Insight(#[from] insight::Error),
    /// No question at all was answered.
    #[error(
        "DNS answered none of {0} questions, so nothing was noted: look whether this machine reaches its resolver, or name one with --resolver"
    )]
    Silent(u64),
    /// A part of the work broke: a defect of this program.
    #[error("the round broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Looks noted in one transaction.
const BATCH: usize = 2_000;

/// The names that are worth watching: those of the mail of the last year, what was declared, and keys that were seen before.
///
/// # Errors
/// When the ledger cannot be read.
pub fn targets(ledger: &Ledger, declared: &[String]) -> Result<WatchTargets, Error> {
    let mut targets = insight::watch_targets(ledger, declared)?;
    // A key that signs no more is still published, until it is not.
    for line in History::read(ledger, None)?.lines() {
        let below = format!("._domainkey.{}", line.domain);
        let selector = line.name.strip_suffix(&below).filter(|_| line.kind == RecordKind::Dkim);
        if let Some(selector) = selector.filter(|_| line.state == PublishedState::Found) {
            let selectors = targets.selectors.entry(line.domain.clone()).or_default();
            if !selectors.iter().any(|known| known == selector) {
                selectors.push(selector.to_owned());
            }
        }
    }
    Ok(targets)
}

/// When this was last looked at for any domain, in seconds since 1970 UTC.
///
/// # Errors
/// When the ledger cannot be read.
pub fn newest_look(ledger: &Ledger, kind: RecordKind) -> Result<Option<i64>, Error> {
    Ok(ledger.published_looks(kind.word())?.into_iter().map(|(_, at)| at).max())
}

/// A domain, a purpose, and selectors.
type Job = (String, RecordKind, Vec<String>);

fn jobs(targets: &WatchTargets, kinds: &[RecordKind]) -> Vec<Job> {
    let mut jobs = Vec::new();
    let kinds: BTreeSet<RecordKind> = kinds.iter().copied().collect();
    for kind in kinds {
        match kind {
            RecordKind::Dkim => {
                jobs.extend(targets.selectors.iter().map(|(domain, all)| (domain.clone(), kind, all.clone())));
            }
            RecordKind::Spf => {
                let names = targets.domains.iter().chain(&targets.spf_names);
                jobs.extend(names.map(|name| (name.clone(), kind, Vec::new())));
            }
            RecordKind::Dmarc | RecordKind::Mx => {
                jobs.extend(targets.domains.iter().map(|name| (name.clone(), kind, Vec::new())));
            }
        }
    }
    jobs
}

/// Looks at all targets for these purposes, and notes what was seen as of the moment `at`.
///
/// # Errors
/// [`Error::Silent`] where no question was answered, and what the ledger gives; then part of it may be noted.
pub async fn round<L>(
    ledger: &Ledger,
    lookup: Arc<L>,
    targets: &WatchTargets,
    kinds: &[RecordKind],
    at: i64,
    limits: RoundLimits,
) -> Result<RoundSummary, Error>
where
    L: Lookup + Send + Sync + 'static,
{
    let mut all = jobs(targets, kinds);
    let mut summary = RoundSummary { left_out: all.len().saturating_sub(limits.jobs), ..RoundSummary::default() };
    all.truncate(limits.jobs);
    summary.jobs = all.len();
    let room = Arc::new(Semaphore::new(limits.at_once.max(1)));
    let mut tasks: JoinSet<Vec<Look>> = JoinSet::new();
    let mut seen: Vec<Look> = Vec::new();
    for (domain, kind, selectors) in all {
        // It is never closed.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let lookup = Arc::clone(&lookup);
        tasks.spawn(async move {
            let looks = crate::look(&*lookup, &domain, kind, &selectors).await;
            drop(permit);
            looks
        });
        while let Some(done) = tasks.try_join_next() {
            seen.extend(done?);
        }
    }
    while let Some(done) = tasks.join_next().await {
        seen.extend(done?);
    }
    summary.failed = seen.iter().filter(|look| look.state == PublishedState::Failed).count() as u64;
    if summary.failed > 0 && summary.failed == seen.len() as u64 {
        return Err(Error::Silent(summary.failed));
    }
    for batch in seen.chunks(BATCH) {
        let (ledger, batch) = (ledger.clone(), batch.to_vec());
        let noted = tokio::task::spawn_blocking(move || ledger.note_published(at, &batch)).await??;
        summary.added += noted.added;
        summary.same += noted.same;
        summary.late += noted.late;
    }
    Ok(summary)
}
