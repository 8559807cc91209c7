//! The side of the running program: takes files over the socket as if it read them itself, and says what became of each item.
//!
//! A connection is read as fast as raw copies are made; what becomes of the items is said by a task of its own, in their order. Who
//! does not read, or stops in the middle of a file, holds up nobody but himself.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::{FRAME_BYTES_MAX, LANGUAGE, NAME, Told, at_socket, frame};
use crate::desk::{Desk, KeepError};
use crate::file_arrival::{FileArrival, FileItem};

/// Imports at the same time; each has a thread while it sends.
const IMPORTS_MAX: usize = 4;

/// Items of one import that wait for their outcome: as many as a round takes in, four times over.
const WAITING_MAX: usize = 20_000;

/// How long an item may take before it is looked at whether its outcome got lost.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long nobody is let in after the system could not let one in.
const PAUSE: Duration = Duration::from_millis(200);

/// The socket, ready to be listened on.
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Who may hand in, beside root: whom the socket belongs to.
    owner: u32,
    desk: Desk,
}

impl Drop for Door {
    fn drop(&mut self) {
        // Where it stays, the next start removes it.
        let _ = fs::remove_file(&self.path);
    }
}

impl Door {
    /// Opens the door in this data directory, of which the caller is the only writer.
    pub(crate) fn open(dir: &Path, desk: Desk) -> io::Result<Self> {
        let path = dir.join(NAME);
        // What an earlier run left when it was killed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = at_socket(dir, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner, desk })
    }

    /// Lets imports in until told to stop.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(IMPORTS_MAX));
        let mut inside: JoinSet<()> = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = inside.join_next() => continue,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Before its permissions were set, others may have found the socket.
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == 0) {
                continue;
            }
            let (desk, place) = (self.desk.clone(), room.clone().try_acquire_owned());
            inside.spawn(async move {
                let Ok(_place) = place else {
                    let why = format!("{IMPORTS_MAX} imports are under way; wait for one of them");
                    let _ = tell(&mut stream.into_split().1, &Told::Failed { why }).await;
                    return;
                };
                if let Err(why) = import(desk, stream).await {
                    tracing::warn!("an import broke off: {why}; what was kept of it counts");
                }
            });
        }
        inside.shutdown().await;
    }
}

/// What is to be said, in order.
enum Due {
    Item(FileItem),
    Told(Told),
}

/// One import, from its greeting to its end.
async fn import(desk: Desk, stream: UnixStream) -> Result<(), String> {
    let (from, to) = stream.into_split();
    let (due, said) = mpsc::channel(WAITING_MAX);
    // Both halves end together, and with this future.
    let (read, told) = tokio::join!(read(desk.clone(), from, due), answer(desk, to, said));
    read.and(told)
}

/// Reads frames and keeps files.
async fn read(desk: Desk, from: OwnedReadHalf, due: mpsc::Sender<Due>) -> Result<(), String> {
    let mut from = BufReader::with_capacity(FRAME_BYTES_MAX, from);
    let mut payload = Vec::new();
    let gone = || "nobody listens to what became of it".to_owned();
    let read = async {
        if next(&mut from, &mut payload).await? != frame::HELLO || payload != LANGUAGE.as_bytes() {
            let why = "it is of another version than the importing one: start it anew".to_owned();
            return due.send(Due::Told(Told::Failed { why })).await.map_err(|_| gone());
        }
        loop {
            match next(&mut from, &mut payload).await? {
                frame::FILE => {
                    desk.room().await;
                    let origin = String::from_utf8_lossy(&payload).into_owned();
                    let mut file = desk.file(origin.clone());
                    let broken = receive(&mut from, &mut payload, &mut file).await?;
                    let complete = broken.is_none();
                    let kept = file.finish(complete).await;
                    for item in kept.items {
                        due.send(Due::Item(item)).await.map_err(|_| gone())?;
                    }
                    let told = match kept.failed {
                        Some((origin, KeepError::Item(why))) => Some(Told::Unreadable {
                            origin,
                            why: broken.unwrap_or(format!("It cannot be read: {why}.")),
                        }),
                        Some((_, other)) => Some(Told::Failed { why: other.to_string() }),
                        None => broken.map(|why| Told::Unreadable { origin, why }),
                    };
                    if let Some(told) = told {
                        due.send(Due::Told(told)).await.map_err(|_| gone())?;
                    }
                }
                frame::ALL => return due.send(Due::Told(Told::Done)).await.map_err(|_| gone()),
                other => return Err(format!("a frame of an unknown kind came: {other}")),
            }
        }
    };
    let ended = read.await;
    if ended.is_ok() {
        // Whoever has sent everything waits: then nothing is to be gathered any more.
        let _hurry = desk.hurry();
        due.closed().await;
    }
    ended
}

/// Reads the rest of a file. Gives why it could not be read by the sender, if that is so.
async fn receive(
    from: &mut BufReader<OwnedReadHalf>,
    payload: &mut Vec<u8>,
    file: &mut FileArrival,
) -> Result<Option<String>, String> {
    loop {
        match next(from, payload).await? {
            // Why nothing more is taken is told at the end of the file.
            frame::DATA => file.write(std::mem::take(payload)).await,
            frame::END => return Ok(None),
            frame::BROKEN => return Ok(Some(String::from_utf8_lossy(payload).into_owned())),
            other => return Err(format!("a frame of the kind {other} came in the middle of a file")),
        }
    }
}

/// The next frame's letter; its payload is in `payload`.
async fn next(from: &mut BufReader<OwnedReadHalf>, payload: &mut Vec<u8>) -> Result<u8, String> {
    let broken = |error: io::Error| format!("the importing program is gone: {error}");
    let letter = from.read_u8().await.map_err(broken)?;
    let length = from.read_u32().await.map_err(broken)? as usize;
    if length > FRAME_BYTES_MAX {
        return Err(format!("a frame of {length} bytes came, more than {FRAME_BYTES_MAX}"));
    }
    payload.resize(length, 0);
    from.read_exact(payload).await.map_err(broken)?;
    Ok(letter)
}

/// Says what became of each item.
async fn answer(desk: Desk, mut to: OwnedWriteHalf, mut said: mpsc::Receiver<Due>) -> Result<(), String> {
    while let Some(due) = said.recv().await {
        let told = match due {
            Due::Told(told) => told,
            Due::Item(mut item) => {
                let outcome = loop {
                    if let Some(outcome) = desk.outcome_of(&mut item, PATIENCE).await {
                        break outcome;
                    }
                    tokio::time::sleep(PAUSE).await;
                };
                Told::Item { origin: item.origin, size: item.receipt.size, outcome }
            }
        };
        let last = matches!(told, Told::Done | Told::Failed { .. });
        tell(&mut to, &told).await.map_err(|error| error.to_string())?;
        if last {
            break;
        }
    }
    Ok(())
}

async fn tell(to: &mut OwnedWriteHalf, told: &Told) -> io::Result<()> {
    let mut line = serde_json::to_vec(told)?;
    line.push(b'\n');
    to.write_all(&line).await
}
