//! What the program that serves the portal knows beside the ledger: how its sources of reports fare, what it learns, whom to ask.
//!
//! In: given once by whoever opens the portal, as functions that give plain data and wait for nobody. Out: the same, for pages, API and
//! metrics. What is not given is not there, and its page says how to get it. The portal knows nothing of the rooms behind these.

use std::fmt;
use std::sync::Arc;

use insight::{Decided, NewDecision, NewWord, OwnerAnswer};
use schemars::JsonSchema;
use serde::Serialize;

/// Something that can be told at any time.
pub type Told<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// Something that can be asked about a text at any time; nothing while it cannot answer.
pub type Asked<T> = Arc<dyn Fn(&str) -> Option<T> + Send + Sync>;

/// Takes down a decision about a flow or a network and judges anew, so that it is seen everywhere when this returns.
pub type Decides = Arc<dyn Fn(&NewDecision) -> Result<Decided, insight::Error> + Send + Sync>;

/// Takes down what somebody says to an alert, and gives its number.
pub type Says = Arc<dyn Fn(&NewWord) -> Result<u64, insight::Error> + Send + Sync>;

/// What the program can tell and do; by default nothing.
#[derive(Clone, Default)]
pub struct Program {
    /// How the sources of reports fare.
    pub collecting: Option<Told<Collecting>>,
    /// How learning about sources of mail goes.
    pub learning: Option<Told<Learning>>,
    /// Who may be behind a local part.
    pub directory: Option<Directory>,
    /// What the caches of DNS answers did.
    pub dns: Option<Told<Vec<DnsCache>>>,
    /// Takes decisions. Without it the portal only shows them.
    pub decide: Option<Decides>,
    /// Takes what is said to alerts. Without it the portal only shows it.
    pub say: Option<Says>,
    /// What is needed before a policy is tightened.
    pub readiness: insight::ReadinessThresholds,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("collecting", &self.collecting.is_some())
            .field("learning", &self.learning.is_some())
            .field("directory", &self.directory.is_some())
            .field("decide", &self.decide.is_some())
            .field("say", &self.say.is_some())
            .finish_non_exhaustive()
    }
}

/// How reports arrive by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Collecting {
    /// Every source that is configured.
    pub sources: Vec<SourceHealth>,
    /// What takes in the items that the sources have kept; absent where nothing runs.
    pub taking: Option<SourceHealth>,
    /// Items that are kept and not yet taken in, roughly.
    pub backlog: u64,
}

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// It has not got anywhere yet.
    Starting,
    /// It listens, or waits for the next look.
    Waiting,
    /// It is taking items.
    Working,
    /// It failed and will try again.
    Failing,
    /// It was told to stop.
    Stopped,
}

/// How one source of reports fares, since the program started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceHealth {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind, as in the configuration: `imap`, `lmtp`, …
    pub kind: String,
    /// What it reads or where it listens, without secrets.
    pub endpoint: String,
    /// What it is doing.
    pub activity: Activity,
    /// When it last got through: looked into the mailbox or took an item. Seconds since 1970 UTC.
    pub last_success: Option<i64>,
    /// When it last took an item that was new. Seconds since 1970 UTC.
    pub last_item: Option<i64>,
    /// The newest failure, also where it was overcome since.
    pub last_error: Option<Mishap>,
    /// Failures.
    pub errors: u64,
    /// Items taken, repeated ones included.
    pub items: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Items whose bytes had come before.
    pub repeated: u64,
    /// Items put aside or refused.
    pub refused: u64,
    /// The newest of these, the newest first.
    pub refusals: Vec<Mishap>,
    /// Items that wait at the source, where that can be seen.
    pub backlog: Option<u64>,
}

impl SourceHealth {
    /// One that has not got anywhere yet.
    #[must_use]
    pub fn new(name: &str, kind: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            endpoint: String::new(),
            activity: Activity::Starting,
            last_success: None,
            last_item: None,
            last_error: None,
            errors: 0,
            items: 0,
            bytes: 0,
            repeated: 0,
            refused: 0,
            refusals: Vec::new(),
            backlog: None,
        }
    }
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mishap {
    /// Seconds since 1970 UTC.
    pub at: i64,
    /// What, for people; parts of it may be a stranger's text.
    pub message: String,
}

/// How learning about sources of mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Learning {
    /// Whether the program learns by itself.
    pub enabled: bool,
    /// Why it does not, although it should.
    pub problem: Option<String>,
    /// Whether a run is under way.
    pub running: bool,
    /// Sources that this run, or the last one, has or had to learn about.
    pub sources: u64,
    /// Of these: learned about.
    pub done: u64,
    /// Of these: something could not be learned.
    pub with_gaps: u64,
    /// Sources learned about since the program started.
    pub done_total: u64,
    /// When the last run ended, seconds since 1970 UTC.
    pub ended: Option<i64>,
    /// When the next one begins.
    pub next: Option<i64>,
    /// Lists over DNS that are switched on.
    pub lists: Vec<ListState>,
    /// Lists of networks as files.
    pub files: Vec<FileState>,
    /// Files that know networks, organisations and countries.
    pub networks: Vec<FileState>,
}

/// A list over DNS that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListState {
    /// Its id, as `lamppost config lists` prints it.
    pub id: String,
    /// For people.
    pub title: String,
    /// On which terms it may be asked.
    pub terms: String,
    /// Questions sent on this UTC day, tests included.
    pub questions_today: u64,
    /// Questions that may be sent on one day.
    pub questions_daily: u64,
    /// How its test went: `untested`, `testing`, `ready` or `off`.
    pub state: String,
    /// Why it is off.
    pub why: Option<String>,
    /// Until when what is said here holds, seconds since 1970 UTC; then it is tested again.
    pub until: Option<i64>,
}

/// A file that evidence comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileState {
    /// What evidence calls it, or where it is.
    pub name: String,
    /// Entries in it, where they are counted.
    pub entries: Option<u64>,
    /// When it was made, seconds since 1970 UTC, where it says so.
    pub made: Option<i64>,
    /// What is wrong with it as a whole.
    pub problem: Option<String>,
    /// Lines that were passed over.
    pub skipped: u64,
    /// The first of them, with why.
    pub first_skipped: Vec<String>,
}

/// Who may be behind a local part: people and lists.
#[derive(Clone)]
pub struct Directory {
    /// How it is loaded.
    pub state: Told<DirectoryState>,
    /// Asks for a local part or an address; nothing while it is not loaded.
    pub find: Asked<OwnerAnswer>,
}

/// How the directory is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct DirectoryState {
    /// Where it comes from: files and servers, without secrets.
    pub from: Vec<String>,
    /// People and lists in it.
    pub entries: u64,
    /// When it was loaded, seconds since 1970 UTC; absent before it was for the first time.
    pub loaded: Option<i64>,
    /// Whether it is being loaded now.
    pub loading: bool,
    /// Why loading failed the last time; what was loaded before is still used.
    pub problem: Option<Mishap>,
    /// Entries that were left out or mended.
    pub flaws: u64,
    /// The first of them, in words.
    pub first_flaws: Vec<String>,
}

/// What a cache of DNS answers did so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsCache {
    /// What asks through it.
    pub name: &'static str,
    /// Questions.
    pub asked: u64,
    /// Questions that went to a resolver.
    pub passed_on: u64,
    /// Of these: those that failed.
    pub failed: u64,
}
