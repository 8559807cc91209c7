//! The importing side: what lies below some paths goes to the running program, and what it says becomes the same summary as of an
//! import of one's own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use report::{Rejection, RejectionKind};

use super::{FRAME_BYTES_MAX, LANGUAGE, Told, at_socket, frame};
use crate::feed::survey;
use crate::progress::{Phase, Progress, Rejected, State, Summary};
use crate::take::Outcome;
use crate::walk::{Entry, walk};

/// Why files could not be handed over to the end. What was kept until then is taken in, and doing it again doubles nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// Nobody takes files at this data directory.
    #[error(
        "the program that writes to it takes no files now: it may be starting, or be another import or rebuild; wait for it and try again"
    )]
    Nobody,
    /// The socket belongs to somebody else.
    #[error("the running program belongs to another user: import as that user")]
    Forbidden,
    /// It hung up.
    #[error(
        "the running program ended before everything was taken in; import again: what is in already does not count twice"
    )]
    Ended,
    /// It cannot go on.
    #[error("the running program says: {0}")]
    Refused(String),
    /// A line that is none of ours.
    #[error("the running program is of another version ({0}): start it anew, then import again")]
    Strange(String),
    /// The system failed.
    #[error("handing files to the running program failed: {0}")]
    Io(#[from] io::Error),
}

/// Hands everything below `paths` to the program that runs on this data directory, and waits until all of it counts.
///
/// # Errors
/// Why that was not possible. Files that cannot be read are among [`Summary::rejections`].
pub fn hand_over(dir: &Path, paths: &[PathBuf], progress: &dyn Progress) -> Result<Summary, HandOverError> {
    let begun = Instant::now();
    let stream = at_socket(dir, |path| UnixStream::connect(path)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => HandOverError::Nobody,
        io::ErrorKind::PermissionDenied => HandOverError::Forbidden,
        _ => HandOverError::Io(error),
    })?;
    let (files, bytes) = survey(paths);
    let mut tally = Tally { progress, files, bytes, bytes_done: 0, summary: Summary { files, ..Summary::default() } };
    tally.tell("");
    let to = stream.try_clone()?;
    let sent = std::thread::scope(|scope| {
        let sending = std::thread::Builder::new().name("hand over".to_owned()).spawn_scoped(scope, move || {
            let sent = send(&to, paths);
            // Whoever cannot send any more still listens to what is said; the other side has to know that nothing more comes.
            let _ = to.shutdown(Shutdown::Write);
            sent
        })?;
        let heard = tally.listen(&stream);
        // Where the other side has given up, so does this one.
        let _ = stream.shutdown(Shutdown::Both);
        let sent = sending.join().unwrap_or_else(|_| Err(io::Error::other("a defect of this program was met")));
        heard.map(|()| sent)
    })?;
    // Whatever it has said: not everything could be sent.
    sent.map_err(|_| HandOverError::Ended)?;
    Ok(Summary { seconds: begun.elapsed().as_secs_f64(), ..tally.summary })
}

/// Sends everything below the paths.
fn send(stream: &UnixStream, paths: &[PathBuf]) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(FRAME_BYTES_MAX, stream);
    put(&mut to, frame::HELLO, LANGUAGE.as_bytes())?;
    let mut result = Ok(());
    let _ = walk(paths, &mut |entry| {
        result = match entry {
            Entry::Standard => send_file(&mut to, "-", Ok(&mut io::stdin().lock())),
            Entry::File(path) => match File::open(path) {
                Ok(mut file) => send_file(&mut to, &path.to_string_lossy(), Ok(&mut file)),
                Err(error) => send_file(&mut to, &path.to_string_lossy(), Err(error)),
            },
            Entry::Unreadable(path, error) => send_file(&mut to, &path.to_string_lossy(), Err(error)),
        };
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    result?;
    put(&mut to, frame::ALL, b"")?;
    to.flush()
}

fn send_file(to: &mut impl Write, name: &str, file: io::Result<&mut dyn Read>) -> io::Result<()> {
    // A name that fills a frame is not one that anybody reads to its end.
    put(to, frame::FILE, &name.as_bytes()[..name.floor_char_boundary(FRAME_BYTES_MAX)])?;
    let mut piece = vec![0; FRAME_BYTES_MAX];
    let read = file.map(|file| {
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(Ok(())),
                Ok(count) => put(to, frame::DATA, &piece[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    });
    match read {
        Ok(Ok(Ok(()))) => put(to, frame::END, b""),
        Ok(Ok(Err(error))) | Err(error) => put(to, frame::BROKEN, format!("It cannot be read: {error}.").as_bytes()),
        Ok(Err(error)) => Err(error),
    }
}

fn put(to: &mut impl Write, letter: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    to.write_all(&[letter])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(payload)
}

/// What was said so far.
struct Tally<'a> {
    progress: &'a dyn Progress,
    files: u64,
    bytes: u64,
    bytes_done: u64,
    summary: Summary,
}

impl Tally<'_> {
    /// Listens until everything was dealt with.
    fn listen(&mut self, stream: &UnixStream) -> Result<(), HandOverError> {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return Err(HandOverError::Ended) };
            let strange = |error: serde_json::Error| HandOverError::Strange(error.to_string());
            match serde_json::from_str(&line).map_err(strange)? {
                Told::Item { origin, size, outcome } => self.item(&origin, size, outcome),
                Told::Unreadable { origin, why } => {
                    self.reject(&origin, None, Rejection::new(RejectionKind::Unreadable, why));
                    self.tell(&origin);
                }
                Told::Done => return Ok(()),
                Told::Failed { why } => return Err(HandOverError::Refused(why)),
            }
        }
        Err(HandOverError::Ended)
    }

    fn item(&mut self, origin: &str, size: u64, outcome: Outcome) {
        let summary = &mut self.summary;
        summary.items += 1;
        summary.reports += outcome.reports;
        summary.new += outcome.new;
        summary.duplicates += outcome.duplicates;
        summary.conflicts += outcome.conflicts;
        summary.rows += outcome.rows;
        summary.messages = summary.messages.saturating_add(outcome.messages);
        summary.flaws += outcome.flaws;
        summary.samples += outcome.samples.saturating_sub(outcome.samples_repeated);
        summary.samples_repeated += outcome.samples_repeated;
        // Those that are not named count all the same.
        summary.rejected += outcome.rejected.saturating_sub(outcome.rejections.len() as u64);
        for (member, rejection) in outcome.rejections {
            self.reject(origin, member, rejection);
        }
        self.bytes_done += size;
        self.tell(origin);
    }

    fn reject(&mut self, origin: &str, member: Option<String>, rejection: Rejection) {
        self.summary.rejected += 1;
        let rejected = Rejected { origin: origin.to_owned(), member, rejection };
        self.progress.rejected(&rejected);
        if self.summary.rejections.len() < Summary::REJECTIONS_MAX {
            self.summary.rejections.push(rejected);
        }
    }

    fn tell(&self, current: &str) {
        let Summary { items, reports, rows, rejected, .. } = self.summary;
        let (files, bytes, bytes_done) = (self.files, self.bytes, self.bytes_done);
        let phase = Phase::Importing;
        let items_done = items;
        self.progress.advanced(&State {
            phase,
            files,
            bytes,
            items_done,
            bytes_done,
            reports,
            rows,
            rejected,
            current,
        });
    }
}
