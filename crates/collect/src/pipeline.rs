//! The threads between files and ledger: one feeds items, several read them, and the caller's takes them in, in order.
//!
//! Small items travel in groups, so that what a channel costs is shared by dozens of them. Every group has a channel of its own for
//! its results, and these are emptied in the order of the groups: what the ledger sees does not depend on the number of threads.
//! Everything on its way is bounded: groups, batches of a group, rows of a batch.
//!
//! A large item is a group by itself, and all large ones are read by one thread, in order. So at most one item at a time may need
//! tens of megabytes for itself; and because both kinds of threads take their groups in order, the group that the ledger
//! waits for is always being read: nothing can wait for itself.

use std::num::NonZero;

use crossbeam_channel::{Receiver, bounded};
use report::package::PackageLimits;
use store::Ledger;

use crate::feed::{Content, Item, Stop};
use crate::import::{Error, Options};
use crate::parse::{Batch, Reading};
use crate::take::Taking;

/// Items in a group at most.
const GROUP_ITEMS_MAX: usize = 64;

/// Bytes in a group from which on it is sent. The largest small item is as large.
const GROUP_BYTES: usize = 256 << 10;

/// Batches of one group that wait to be taken in. One is filled and one is emptied meanwhile.
const BATCHES_WAITING: usize = 1;

/// Threads that read small items at most. With eight, reading is faster than any disk commits.
const READERS_MAX: usize = 8;

/// What one small item may hold in memory when it expands: its mails and zip archives are at most [`crate::feed::SMALL_BYTES_MAX`]
/// unless gzip is around them, and mail in gzip does not shrink to a thirtieth.
const SMALL_ITEM_HELD_BYTES: usize = 8 << 20;

/// The other end has hung up.
pub(crate) struct Closed;

/// Items to be read together, and where their results go.
pub(crate) struct Group {
    items: Vec<Item>,
    out: crossbeam_channel::Sender<Batch>,
}

/// Takes items and passes them on in groups.
pub(crate) struct Sender {
    order: crossbeam_channel::Sender<Receiver<Batch>>,
    small: crossbeam_channel::Sender<Group>,
    large: crossbeam_channel::Sender<Group>,
    items: Vec<Item>,
    bytes: usize,
}

impl Sender {
    /// Passes an item on, with others.
    pub(crate) fn send(&mut self, item: Item) -> Result<(), Closed> {
        if matches!(item.content, Content::Large(_)) {
            self.flush()?;
            return self.pass_on(vec![item], true);
        }
        if let Content::Small(_, bytes) = &item.content {
            self.bytes += bytes.len();
        }
        self.items.push(item);
        if self.items.len() >= GROUP_ITEMS_MAX || self.bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    /// Passes on what is waiting to become a group.
    pub(crate) fn flush(&mut self) -> Result<(), Closed> {
        self.bytes = 0;
        if self.items.is_empty() {
            return Ok(());
        }
        let items = std::mem::take(&mut self.items);
        self.pass_on(items, false)
    }

    fn pass_on(&mut self, items: Vec<Item>, large: bool) -> Result<(), Closed> {
        let (out, results) = bounded(BATCHES_WAITING);
        // Its place in the order comes first: this is where feeding waits when too much is on its way.
        self.order.send(results).map_err(|_| Closed)?;
        let to = if large { &self.large } else { &self.small };
        to.send(Group { items, out }).map_err(|_| Closed)
    }
}

/// Runs `feed` in a thread of its own, reads the items it sends in others, and takes them in here.
pub(crate) fn run(
    ledger: &Ledger,
    options: &Options,
    taking: &mut Taking<'_>,
    feed: impl FnOnce(Sender) -> Result<(), Stop> + Send,
) -> Result<(), Error> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let readers = options.readers.map_or(cores, NonZero::get).min(READERS_MAX);
    let groups = 2 * readers + 2;
    let (order, in_order) = bounded(groups);
    let (small, small_groups) = bounded(groups + 1);
    let (large, large_groups) = bounded(groups + 1);
    let (give_back, spent) = bounded(groups);
    let sender = Sender { order, small, large, items: Vec::new(), bytes: 0 };
    let small_limits =
        PackageLimits { held_bytes: options.package.held_bytes.min(SMALL_ITEM_HELD_BYTES), ..options.package };
    std::thread::scope(|scope| {
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let feeding = thread("feed").spawn_scoped(scope, move || feed(sender)).map_err(Error::Thread)?;
        for number in 0..=readers {
            let (groups, package) = if number == readers {
                (large_groups.clone(), &options.package)
            } else {
                (small_groups.clone(), &small_limits)
            };
            let (ledger, spent) = (ledger, spent.clone());
            let read = move || {
                for Group { items, out } in groups {
                    let mut reading = Reading::new(ledger, package, options, &out, &spent);
                    // Nobody to send to means that the import has ended early.
                    if items
                        .into_iter()
                        .try_for_each(|item| reading.item(item))
                        .and_then(|()| reading.finish())
                        .is_err()
                    {
                        return;
                    }
                }
            };
            thread("read").spawn_scoped(scope, read).map_err(Error::Thread)?;
        }
        drop((small_groups, large_groups, spent));
        // Dropping the receivers on an error is what ends the other threads.
        let taken = in_order.into_iter().try_for_each(|group| taking.group(group, &give_back));
        match feeding.join() {
            Ok(Err(Stop::Ledger(error))) => taken.and(Err(error.into())),
            Ok(_) => taken,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
