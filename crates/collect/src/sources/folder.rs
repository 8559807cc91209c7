//! Watched folders and Maildirs: looked into again and again; complete files are kept, then moved, deleted or left.
//!
//! In: a folder's files. Out: items. A Maildir is known by its `cur` and `new`: what lies in `new` is complete by its rules. In any other
//! folder a file is complete when two looks find the same size and time. Names that begin with a dot, and links, are left alone.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use crate::health::{Activity, Mishap};

/// Files kept with one sync.
const BATCH_FILES_MAX: usize = 256;

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name, for pages and messages.
    pub name: String,
    /// The folder, or the Maildir: one with `cur` and `new` in it.
    pub path: PathBuf,
    /// What becomes of a file once it is kept for good: `move`, `delete`, or `leave`.
    pub after: After,
    /// Where files are moved; on the same disk. `done` in the folder if not set. In a Maildir they are moved to `cur`, as seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<PathBuf>,
    /// Seconds between two looks.
    pub poll_seconds: u32,
}

/// What becomes of something once it is kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// It is moved out of the way.
    Move,
    /// It is deleted.
    Delete,
    /// It stays as it is. After a restart it is read again, and found to be there already.
    Leave,
}

impl Default for Settings {
    fn default() -> Self {
        Self { name: String::new(), path: PathBuf::new(), after: After::Move, done: None, poll_seconds: 10 }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.path.as_os_str().is_empty() {
            return Err("it needs a `path`: the folder to watch".to_owned());
        }
        if self.poll_seconds == 0 {
            return Err("`poll_seconds` is 0, and a folder cannot be looked into all the time: at least 1".to_owned());
        }
        Ok(())
    }
}

/// How a file looks from outside: when this changes, it is another file.
type Look = (u64, Option<SystemTime>);

fn look(metadata: &Metadata) -> Look {
    (metadata.len(), metadata.modified().ok())
}

/// What is remembered between looks.
#[derive(Default)]
struct Memory {
    /// Files of the last look that may still be written to.
    growing: HashMap<PathBuf, Look>,
    /// Files that are dealt with and still lie there.
    settled: HashMap<PathBuf, Look>,
}

/// Runs until told to stop.
pub(super) async fn run(settings: Settings, context: Context) {
    let rest = Duration::from_secs(u64::from(settings.poll_seconds));
    let (settings, memory) = (Arc::new(settings), Arc::new(Mutex::new(Memory::default())));
    context.keep_trying(rest, || pass(settings.clone(), memory.clone(), context.clone())).await;
}

/// One look, and everything that was found complete.
async fn pass(settings: Arc<Settings>, memory: Arc<Mutex<Memory>>, context: Context) -> Result<(), String> {
    let (of, remembered) = (settings.clone(), memory.clone());
    let lock = move || find(&of, &mut remembered.lock().unwrap_or_else(PoisonError::into_inner));
    let Seen { complete, strange } = in_background(lock).await?;
    for (path, look) in strange {
        context.board.refused(Mishap::now(format!("{}: it is no file", path.display())));
        settle(&memory, path, look);
    }
    let mut left = complete.len() as u64;
    context.board.reached(Activity::Working, Some(left));
    for batch in complete.chunks(BATCH_FILES_MAX) {
        context.desk.room().await;
        // What lies in a Maildir came as mail, from anybody; a file was put there by somebody of ours.
        let mail = is_maildir(&settings.path);
        let origin = |path: &PathBuf| {
            let place = path.to_string_lossy();
            if mail { context.origin_of("maildir", place) } else { context.origin(place) }
        };
        let files = batch.iter().map(|(path, _)| (origin(path), path.clone())).collect();
        let kept = context.desk.keep_files(files).await.map_err(|error| error.to_string())?;
        for ((path, look), kept) in batch.iter().zip(kept) {
            match kept {
                Ok(receipts) => {
                    context.board.kept(&receipts);
                    let (settings, at, before) = (settings.clone(), path.clone(), *look);
                    if let Err(error) = in_background(move || done_with(&settings, &at, before)).await {
                        context.board.failed(&format!("{} is kept, but: {error}", path.display()));
                    }
                }
                Err(why) => context.board.refused(Mishap::now(format!("{}: {why}", path.display()))),
            }
            // Whatever still lies there is not read again unless it changes.
            settle(&memory, path.clone(), *look);
        }
        left = left.saturating_sub(batch.len() as u64);
        context.board.reached(Activity::Working, Some(left));
    }
    context.board.reached(Activity::Waiting, Some(0));
    Ok(())
}

fn settle(memory: &Mutex<Memory>, path: PathBuf, look: Look) {
    memory.lock().unwrap_or_else(PoisonError::into_inner).settled.insert(path, look);
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// What a look found.
struct Seen {
    /// In the order of their names.
    complete: Vec<(PathBuf, Look)>,
    /// Neither files nor folders.
    strange: Vec<(PathBuf, Look)>,
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

fn find(settings: &Settings, memory: &mut Memory) -> Result<Seen, String> {
    let maildir = is_maildir(&settings.path);
    let folder = if maildir { settings.path.join("new") } else { settings.path.clone() };
    let failed = |error: io::Error| format!("the folder {} cannot be read: {error}", folder.display());
    let mut names = fs::read_dir(&folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<OsString>>>()
        .map_err(failed)?;
    names.sort_unstable();
    let (mut seen, mut growing, mut settled) =
        (Seen { complete: Vec::new(), strange: Vec::new() }, HashMap::new(), HashMap::new());
    for name in names.into_iter().filter(|name| !name.to_string_lossy().starts_with('.')) {
        let path = folder.join(name);
        // A link would let whoever may write here have any file copied that we may read.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            continue;
        }
        let now = look(&metadata);
        if memory.settled.get(&path) == Some(&now) {
            settled.insert(path, now);
        } else if !metadata.is_file() {
            seen.strange.push((path, now));
        } else if maildir || memory.growing.get(&path) == Some(&now) {
            seen.complete.push((path, now));
        } else {
            growing.insert(path, now);
        }
    }
    (memory.growing, memory.settled) = (growing, settled);
    Ok(seen)
}

/// A file is kept for good: it goes where it is told to go, unless it has changed meanwhile.
fn done_with(settings: &Settings, path: &Path, before: Look) -> Result<(), String> {
    if settings.after == After::Leave {
        return Ok(());
    }
    let now = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if look(&now) != before {
        return Err("it has changed meanwhile and is read again".to_owned());
    }
    if settings.after == After::Delete {
        return fs::remove_file(path).map_err(|error| format!("it cannot be deleted: {error}"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (folder, name) = if is_maildir(&settings.path) {
        // Info "2,S": seen. A name in `new` has none yet.
        (settings.path.join("cur"), if name.contains(":2,") { name } else { format!("{name}:2,S") })
    } else {
        (settings.done.clone().unwrap_or_else(|| settings.path.join("done")), name)
    };
    let failed = |error: io::Error| format!("it cannot be moved to {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    // A name may have come before. There is no renaming without overwriting in the standard library, and nobody else writes there.
    let free = (1_u32..).map(|n| folder.join(if n == 1 { name.clone() } else { format!("{n}-{name}") }));
    let free = free.into_iter().find(|to| fs::symlink_metadata(to).is_err()).ok_or("no name is free")?;
    fs::rename(path, free).map_err(failed)
}
