//! How learning about sources goes, as the portal shows it: runs, lists with their budgets, files with what was passed over.
//!
//! In: what the runs note. Out: plain data; no keys of lists are in it. Telling waits for nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enrich::{Enricher, Moment, Progress, ZoneList, ZoneTest};
use portal::program::{DnsCache, FileState, Learning, ListState, Told};
use resolver::{Counts, Resolver};

/// Where runs note how they go. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    enabled: bool,
    problem: Option<String>,
    enricher: Option<Arc<Enricher<Resolver>>>,
    running: bool,
    sources: u64,
    progress: Arc<Progress>,
    done_before: u64,
    ended: Option<i64>,
    next: Option<i64>,
}

impl Notes {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enabled(&self, enricher: &Arc<Enricher<Resolver>>) {
        let mut inside = self.inside();
        (inside.enabled, inside.enricher) = (true, Some(Arc::clone(enricher)));
    }

    pub(crate) fn cannot(&self, why: String) {
        let mut inside = self.inside();
        (inside.enabled, inside.running, inside.problem) = (true, false, Some(why));
    }

    /// A run begins; what it has done so far is in its progress.
    pub(crate) fn begins(&self) -> Arc<Progress> {
        let mut inside = self.inside();
        inside.done_before += inside.progress.counts().done;
        (inside.running, inside.sources, inside.progress) = (true, 0, Arc::default());
        Arc::clone(&inside.progress)
    }

    /// So many sources are to be learned about.
    pub(crate) fn gathered(&self, sources: usize) {
        self.inside().sources = sources as u64;
    }

    pub(crate) fn ended(&self, problem: Option<String>, now: i64, next: i64) {
        let mut inside = self.inside();
        (inside.running, inside.problem, inside.ended, inside.next) = (false, problem, Some(now), Some(next));
    }

    /// What the caches of DNS answers did: that of learning, and the one through which mail is judged.
    pub(crate) fn dns(&self, judging: Option<Arc<Resolver>>) -> Told<Vec<DnsCache>> {
        let notes = self.clone();
        let line = |name, counts: Counts| {
            let Counts { asked, passed_on, failed } = counts;
            DnsCache { name, asked, passed_on, failed }
        };
        Arc::new(move || {
            let enricher = notes.inside().enricher.clone();
            let learning = enricher.map(|enricher| line("enrichment", enricher.dns.counts()));
            learning.into_iter().chain(judging.as_ref().map(|cache| line("reporters", cache.counts()))).collect()
        })
    }

    /// How learning goes, whenever it is asked.
    pub(crate) fn telling(&self) -> Told<Learning> {
        let notes = self.clone();
        Arc::new(move || notes.told(jiff::Timestamp::now().as_second()))
    }

    fn told(&self, now: i64) -> Learning {
        let inside = self.inside();
        let counts = inside.progress.counts();
        let enricher = inside.enricher.as_deref();
        Learning {
            enabled: inside.enabled,
            problem: inside.problem.clone(),
            running: inside.running,
            sources: inside.sources,
            done: counts.done,
            with_gaps: counts.with_gaps,
            done_total: inside.done_before + counts.done,
            ended: inside.ended,
            next: inside.next,
            lists: enricher.map(|e| e.zones.iter().map(|list| of_list(list, now)).collect()).unwrap_or_default(),
            files: enricher.map(|e| e.files.iter().map(of_file).collect()).unwrap_or_default(),
            networks: enricher.map(|e| e.networks.files().into_iter().map(of_networks).collect()).unwrap_or_default(),
        }
    }
}

fn of_list(list: &ZoneList, now: i64) -> ListState {
    let (definition, state) = (list.definition(), list.state(Moment::of(now)));
    let (word, until, why) = match state.test {
        ZoneTest::Untested => ("untested", None, None),
        ZoneTest::UnderWay => ("testing", None, None),
        ZoneTest::Ready(until) => ("ready", Some(until), None),
        ZoneTest::Off(until, why) => ("off", Some(until), Some(why.to_string())),
    };
    ListState {
        id: definition.id.clone(),
        title: definition.title.clone(),
        terms: definition.terms.clone(),
        questions_today: state.questions_today.into(),
        questions_daily: state.questions_daily.into(),
        state: word.to_owned(),
        why,
        until,
    }
}

fn of_file(list: &enrich::FileList) -> FileState {
    let (skipped, first) = list.skipped();
    FileState {
        name: list.id().to_owned(),
        entries: Some(list.len() as u64),
        made: None,
        problem: None,
        skipped: skipped as u64,
        first_skipped: first.iter().map(|line| format!("line {}: {}", line.line, line.why)).collect(),
    }
}

fn of_networks(file: enrich::NetworkFile) -> FileState {
    let kind = file.kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
    FileState {
        name: format!("{}{kind}", file.path.display()),
        entries: None,
        made: file.built,
        problem: file.problem,
        skipped: 0,
        first_skipped: Vec::new(),
    }
}
