//! One folder: what is new in it, fetching it in batches, and acknowledging what is kept.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use async_imap::types::{Fetch, Uid};
use futures_util::TryStreamExt;
use tokio::task::JoinHandle;

use super::login::{COMMAND, Open};
use super::{After, Source};
use crate::desk::{KeepError, Receipt};
use crate::health::{Activity, Mishap};
use wire::timed;

/// Messages fetched with one command, and their bytes: as much is in memory twice, being fetched and being kept. Each batch waits once for
/// the disk, which a busy one takes tens of milliseconds for: with 200 messages that was most of the time.
const BATCH: (usize, u64) = (1_000, 4 << 20);

/// How often what is fetched at once is halved at most, where connections break before a batch is complete: one message is left then.
const HALVED_MAX: u32 = 10;

/// A message larger than this is fetched in pieces of this size.
const PIECE_BYTES: u32 = 1 << 20;

/// Sizes asked for with one command.
const SIZES_AT_ONCE: usize = 10_000;

/// How long the next message of a batch may take.
const FETCH: Duration = Duration::from_mins(2);

/// How long IDLE may last before a look all the same. RFC 2177 §3: "at least every 29 minutes"; networks forget sooner.
const IDLE: Duration = Duration::from_mins(5);

/// Looks at a message that cannot be fetched before it is put aside.
const TRIES_MAX: u32 = 5;

/// What is remembered of a folder between connections: messages that are put aside or cannot be fetched, under one UIDVALIDITY.
#[derive(Clone, Default)]
pub(super) struct Tries(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    validity: u32,
    aside: HashSet<Uid>,
    failed: HashMap<Uid, u32>,
    /// How often a batch is halved. Over a connection that breaks every time after so many bytes, a batch that is larger would never
    /// come to its end.
    halved: u32,
}

impl Tries {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection broke: less is asked for at once.
    fn halve(&self) {
        let mut remembered = self.lock();
        remembered.halved = (remembered.halved + 1).min(HALVED_MAX);
    }

    /// Messages and bytes that are asked for at once.
    fn batch(&self) -> (usize, u64) {
        let halved = self.lock().halved;
        ((BATCH.0 >> halved).max(1), (BATCH.1 >> halved).max(1))
    }
}

/// One connection: looks, fetches, waits, until something fails.
pub(super) async fn run(source: Arc<Source>, name: String, tries: Tries) -> Result<(), String> {
    let mut open = source.login().await?;
    if source.settings.after == After::Move {
        // If it cannot be made it is there, or moving will say why not.
        let made = timed("CREATE", COMMAND, open.session.create(&source.settings.done)).await;
        tracing::debug!("source {}: {made:?}", source.settings.name);
    }
    let mut fresh = true;
    loop {
        let mailbox = timed(&format!("SELECT {name}"), COMMAND, open.session.select(&name)).await?;
        let validity = mailbox.uid_validity.unwrap_or(0);
        {
            let mut remembered = tries.lock();
            if remembered.validity != validity {
                *remembered = Remembered { validity, halved: remembered.halved, ..Remembered::default() };
            }
        }
        let mut look = Look { source: &source, name: &name, validity, open: &mut open, tries: &tries, fresh };
        // A look takes what is there now; more may have come meanwhile.
        while look.all().await.inspect_err(|_| tries.halve())? > 0 {}
        fresh = false;
        source.context.board.reached(Activity::Waiting, Some(0));
        open = wait(&source, open).await?;
    }
}

/// Waits for something to happen.
async fn wait(source: &Source, open: Open) -> Result<Open, String> {
    if !open.can_idle {
        let mut open = open;
        tokio::time::sleep(Duration::from_secs(u64::from(source.settings.poll_seconds))).await;
        timed("NOOP", COMMAND, open.session.noop()).await?;
        return Ok(open);
    }
    let Open { session, can_move, can_expunge, can_idle } = open;
    let mut idle = session.idle();
    timed("IDLE", COMMAND, idle.init()).await?;
    let (waiting, _stop) = idle.wait_with_timeout(IDLE);
    // A server that says it is still there now and then would keep the wait alive for ever.
    match tokio::time::timeout(IDLE * 2, waiting).await {
        Ok(Err(error)) => return Err(format!("IDLE: {error}")),
        Ok(Ok(IdleResponse::NewData(_) | IdleResponse::Timeout | IdleResponse::ManualInterrupt)) | Err(_) => {}
    }
    let session = timed("DONE", COMMAND, idle.done()).await?;
    Ok(Open { session, can_move, can_expunge, can_idle })
}

/// One look into a folder.
struct Look<'a> {
    source: &'a Source,
    name: &'a str,
    validity: u32,
    open: &'a mut Open,
    tries: &'a Tries,
    /// It is the first one of a connection.
    fresh: bool,
}

/// A batch on its way to disk.
struct Keeping {
    uids: Vec<Uid>,
    kept: JoinHandle<Result<Vec<Receipt>, KeepError>>,
}

impl Look<'_> {
    /// Takes everything that is there, and says how many messages that were.
    async fn all(&mut self) -> Result<u64, String> {
        let uids = self.search().await?;
        let board = self.source.context.board.clone();
        board.reached(Activity::Working, Some(uids.len() as u64));
        let (mut taken, mut left) = (0, uids.len() as u64);
        for group in uids.chunks(SIZES_AT_ONCE) {
            let mut sizes = self.sizes(group).await?;
            let max = self.source.settings.message_bytes_max;
            sizes.retain(|&(uid, size)| size <= max || self.put_aside(uid, &format!("{size} bytes, more than {max}")));
            let mut keeping: Option<Keeping> = None;
            let mut rest = &sizes[..];
            while !rest.is_empty() {
                let (batch, behind) = rest.split_at(first(rest, self.tries.batch()));
                rest = behind;
                self.source.context.desk.room().await;
                let next = self.begin(batch).await?;
                // The batch before was brought to disk while this one was fetched.
                if let Some(before) = keeping.replace(next) {
                    taken += self.acknowledge(before).await?;
                }
                left = left.saturating_sub(batch.len() as u64);
                board.reached(Activity::Working, Some(left));
            }
            if let Some(last) = keeping {
                taken += self.acknowledge(last).await?;
            }
            if self.source.settings.after == After::Leave
                && let Some(last) = self.read_up_to(group)
            {
                self.note(last)?;
            }
        }
        Ok(taken)
    }

    /// A batch is kept: what is noted now is not read again after a crash. Not beyond a message that could not be fetched.
    fn note_batch(&self, uids: &[Uid]) -> Result<(), String> {
        let last = {
            let remembered = self.tries.lock();
            let open = remembered.failed.keys().filter(|uid| !remembered.aside.contains(uid)).min().copied();
            uids.iter().rev().find(|uid| open.is_none_or(|open| **uid < open)).copied()
        };
        last.map_or(Ok(()), |last| self.note(last))
    }

    /// Up to where the folder is dealt with: a message that could not be fetched and is not put aside is not passed over.
    fn read_up_to(&self, group: &[Uid]) -> Option<Uid> {
        let remembered = self.tries.lock();
        let open = |uid: &Uid| remembered.failed.contains_key(uid) && !remembered.aside.contains(uid);
        let end = group.iter().position(open).unwrap_or(group.len());
        group[..end].last().copied()
    }

    /// What is to be read, in the order of arrival.
    async fn search(&mut self) -> Result<Vec<Uid>, String> {
        let from = match self.source.settings.after {
            After::Leave => noted(&self.source.notes, self.name, self.validity) + 1,
            _ => 1,
        };
        let query = match self.source.settings.after {
            After::Seen => "UNSEEN UNDELETED".to_owned(),
            After::Leave => format!("UID {from}:* UNDELETED"),
            // A connection before may have broken between marking messages as deleted and removing them. They are read once more, so
            // that nothing is removed that is not kept.
            After::Delete if self.fresh && self.open.can_expunge => "ALL".to_owned(),
            After::Move | After::Delete => "UNDELETED".to_owned(),
        };
        self.fresh = false;
        let found = timed("SEARCH", FETCH, self.open.session.uid_search(&query)).await?;
        let remembered = self.tries.lock();
        // RFC 3501 §6.4.8: "n:*" has the last message in it even where its number is below n.
        let mut uids: Vec<Uid> =
            found.into_iter().filter(|uid| *uid >= from && !remembered.aside.contains(uid)).collect();
        uids.sort_unstable();
        Ok(uids)
    }

    async fn sizes(&mut self, uids: &[Uid]) -> Result<Vec<(Uid, u32)>, String> {
        Ok(self.fetch(uids, "(UID RFC822.SIZE)", |fetched| fetched.size).await?.into_iter().collect())
    }

    /// Asks for something of messages, given in ascending order, and takes it out of each answer at once: an answer holds on to more
    /// memory than is in it.
    async fn fetch<T: Send>(
        &mut self,
        uids: &[Uid],
        what: &str,
        take: impl Fn(&Fetch) -> Option<T> + Send,
    ) -> Result<BTreeMap<Uid, T>, String> {
        let session = &mut self.open.session;
        let mut stream = timed("FETCH", COMMAND, session.uid_fetch(set(uids), what)).await?;
        let mut all = BTreeMap::new();
        while let Some(fetched) = timed("FETCH", FETCH, stream.try_next()).await? {
            // A server may tell of other messages meanwhile, and of changes to these.
            if let Some(uid) = fetched.uid
                && uids.binary_search(&uid).is_ok()
                && let Some(taken) = take(&fetched)
            {
                all.insert(uid, taken);
            }
        }
        Ok(all)
    }

    /// Fetches a batch and sends it on its way to disk.
    async fn begin(&mut self, batch: &[(Uid, u32)]) -> Result<Keeping, String> {
        if let &[(uid, size)] = batch
            && size > PIECE_BYTES
        {
            let kept = self.large(uid).await?;
            return Ok(Keeping { uids: vec![uid], kept: tokio::spawn(async move { Ok(vec![kept]) }) });
        }
        let uids: Vec<Uid> = batch.iter().map(|&(uid, _)| uid).collect();
        let items = self.fetch(&uids, "(UID BODY.PEEK[])", |fetched| fetched.body().map(<[u8]>::to_vec)).await?;
        // What could not be fetched before and now could holds nothing up any more.
        self.tries.lock().failed.retain(|uid, _| !items.contains_key(uid));
        if items.len() < uids.len() {
            // Not answered because the connection broke, or because of the messages? The next command tells.
            timed("NOOP", COMMAND, self.open.session.noop()).await?;
            for &uid in uids.iter().filter(|uid| !items.contains_key(uid)) {
                self.failed(uid);
            }
        }
        let desk = self.source.context.desk.clone();
        let (uids, items) = items.into_iter().map(|(uid, body)| (uid, (self.origin(uid), body))).unzip();
        Ok(Keeping { uids, kept: tokio::spawn(async move { desk.keep_all(items).await }) })
    }

    /// Fetches a large message in pieces.
    async fn large(&mut self, uid: Uid) -> Result<Receipt, String> {
        let mut arrival = self.source.context.desk.arrival(self.origin(uid));
        let max = u64::from(self.source.settings.message_bytes_max);
        loop {
            let what = format!("(UID BODY.PEEK[]<{}.{PIECE_BYTES}>)", arrival.size());
            let piece = self.fetch(&[uid], &what, |fetched| fetched.body().map(<[u8]>::to_vec)).await?.remove(&uid);
            let Some(piece) = piece else { return Err(format!("the server gives no piece of message {uid}")) };
            arrival.write(&piece).await.map_err(|error| error.to_string())?;
            if piece.len() < PIECE_BYTES as usize {
                return arrival.finish().await.map_err(|error| error.to_string());
            }
            if arrival.size() > max {
                return Err(format!("message {uid} is larger than the server says"));
            }
        }
    }

    /// The messages are on disk: they go where they are told to go.
    async fn acknowledge(&mut self, Keeping { uids, kept }: Keeping) -> Result<u64, String> {
        let kept = kept.await.map_err(|error| error.to_string())?;
        let receipts = kept.map_err(|error| error.to_string())?;
        self.source.context.board.kept(&receipts);
        if uids.is_empty() {
            return Ok(0);
        }
        {
            let mut remembered = self.tries.lock();
            remembered.halved = remembered.halved.saturating_sub(1);
        }
        let set = set(&uids);
        match self.source.settings.after {
            After::Leave => self.note_batch(&uids)?,
            After::Seen => self.flag(&set, "\\Seen").await?,
            After::Delete => self.delete(&set).await?,
            After::Move if self.open.can_move => {
                let done = &self.source.settings.done;
                timed("MOVE", FETCH, self.open.session.uid_mv(&set, done)).await?;
            }
            After::Move => {
                let done = &self.source.settings.done;
                timed("COPY", FETCH, self.open.session.uid_copy(&set, done)).await?;
                self.delete(&set).await?;
            }
        }
        Ok(uids.len() as u64)
    }

    async fn flag(&mut self, set: &str, flag: &str) -> Result<(), String> {
        let query = format!("+FLAGS.SILENT ({flag})");
        let stream = timed("STORE", COMMAND, self.open.session.uid_store(set, query)).await?;
        timed("STORE", FETCH, stream.try_for_each(|_| std::future::ready(Ok(())))).await
    }

    async fn delete(&mut self, set: &str) -> Result<(), String> {
        self.flag(set, "\\Deleted").await?;
        // Without UIDPLUS an EXPUNGE would take what others have marked with it; marked as deleted is enough.
        if !self.open.can_expunge {
            return Ok(());
        }
        let stream = timed("EXPUNGE", COMMAND, self.open.session.uid_expunge(set)).await?;
        timed("EXPUNGE", FETCH, stream.try_for_each(|_| std::future::ready(Ok(())))).await
    }

    fn origin(&self, uid: Uid) -> String {
        self.source.context.origin(format!("{}/{}/{uid}", self.name, self.validity))
    }

    /// Puts a message aside; false, for `retain`.
    fn put_aside(&self, uid: Uid, why: &str) -> bool {
        self.tries.lock().aside.insert(uid);
        self.source.context.board.refused(Mishap::now(format!("message {uid} in {}: {why}", self.name)));
        false
    }

    /// A message was asked for and not given. It may have been deleted by somebody else; if it comes up again and again it is put aside.
    fn failed(&self, uid: Uid) {
        let mut remembered = self.tries.lock();
        let tries = remembered.failed.entry(uid).or_default();
        *tries += 1;
        let last = *tries >= TRIES_MAX;
        drop(remembered);
        if last {
            self.put_aside(uid, &format!("the server did not give it {TRIES_MAX} times"));
        }
    }

    /// Notes how far the folder was read.
    fn note(&self, uid: Uid) -> Result<(), String> {
        let path = &self.source.notes;
        let mut notes = read_notes(path);
        notes.insert(self.name.to_owned(), (self.validity, uid));
        let write = || -> std::io::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Several folders write to it, each from a task of its own: the last one wins, and what is lost is read again.
            let new = path.with_extension(format!("{}.tmp", self.validity));
            std::fs::write(&new, serde_json::to_vec(&notes)?)?;
            std::fs::rename(&new, path)
        };
        write().map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }
}

/// How far folders were read: the UIDVALIDITY and the last number.
type Notes = BTreeMap<String, (u32, Uid)>;

/// Notes that are not there, or are damaged, mean that everything is read once more.
fn read_notes(path: &Path) -> Notes {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn noted(path: &Path, folder: &str, validity: u32) -> Uid {
    read_notes(path).get(folder).filter(|(of, _)| *of == validity).map_or(0, |&(_, uid)| uid)
}

/// How many of the messages are fetched next, together and in order; a large one by itself.
fn first(sizes: &[(Uid, u32)], most: (usize, u64)) -> usize {
    let mut bytes = 0;
    for (at, &(_, size)) in sizes.iter().enumerate() {
        let is_large = size > PIECE_BYTES;
        bytes += u64::from(size);
        if at > 0 && (is_large || at >= most.0 || bytes > most.1) {
            return at;
        }
        if is_large {
            return 1;
        }
    }
    sizes.len()
}

/// A set of numbers in ascending order as IMAP writes it: `1:3,7`.
fn set(uids: &[Uid]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < uids.len() {
        let first = at;
        while at + 1 < uids.len() && uids[at + 1] == uids[at] + 1 {
            at += 1;
        }
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(text, "{comma}{}", uids[first]);
        if first < at {
            let _ = write!(text, ":{}", uids[at]);
        }
        at += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers() {
        let cases: [(&[Uid], &str); 4] =
            [(&[7], "7"), (&[1, 2, 3], "1:3"), (&[1, 2, 3, 7], "1:3,7"), (&[1, 3, 4, 9, 10, 11], "1,3:4,9:11")];
        for (uids, expected) in cases {
            assert_eq!(set(uids), expected);
        }
    }

    /// The numbers of the messages, batch by batch.
    fn batches(mut sizes: &[(Uid, u32)], most: (usize, u64)) -> Vec<Vec<Uid>> {
        let mut all = Vec::new();
        while !sizes.is_empty() {
            let (batch, behind) = sizes.split_at(first(sizes, most));
            all.push(batch.iter().map(|&(uid, _)| uid).collect());
            sizes = behind;
        }
        all
    }

    #[test]
    fn batches_are_bounded_and_leave_nothing_out() {
        let small = batches(&vec![(1, 10); 2_001], BATCH);
        assert_eq!(small.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1_000, 1]);
        let mixed = [
            (1, 10),
            (2, PIECE_BYTES + 1),
            (3, 10),
            (4, PIECE_BYTES),
            (5, PIECE_BYTES),
            (6, PIECE_BYTES),
            (7, PIECE_BYTES),
        ];
        assert_eq!(batches(&mixed, BATCH), [vec![1], vec![2], vec![3, 4, 5, 6], vec![7]]);
        assert!(batches(&[], BATCH).is_empty());
    }

    #[test]
    fn where_connections_break_less_is_asked_for_at_once() {
        let tries = Tries::default();
        assert_eq!(tries.batch(), BATCH);
        tries.halve();
        assert_eq!(tries.batch(), (500, 2 << 20));
        (0..50).for_each(|_| tries.halve());
        assert_eq!(tries.batch().0, 1, "one at a time, and not less");
        assert_eq!(batches(&[(1, 9_000), (2, 10)], tries.batch()), [[1], [2]], "one that is larger goes alone");
    }

    #[test]
    fn notes_of_another_validity_count_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert_eq!(noted(&path, "INBOX", 1), 0);
        std::fs::write(&path, r#"{"INBOX":[1,57]}"#).unwrap();
        assert_eq!((noted(&path, "INBOX", 1), noted(&path, "INBOX", 2), noted(&path, "x", 1)), (57, 0, 0));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(noted(&path, "INBOX", 1), 0);
    }
}
