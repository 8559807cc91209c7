//! Files that are imported while the ledger's writer runs: handed to it over a socket in the data directory.
//!
//! | module | is |
//! | --- | --- |
//! | `client` | `lamppost import`, where another process holds the ledger: walks the paths and sends what it finds |
//! | `door` | the running program: takes the files in as its own, and says what became of each |
//!
//! The client sends frames: a letter, the length as four bytes, the payload. Back come lines of JSON, one for each item once it counts,
//! in the order of the items. Whoever may open the socket may hand in: it is its owner's alone. When either side is killed, what was
//! kept is taken in by the running program or by its next start, and what was not is sent again by the next import; neither counts twice.

mod client;
mod door;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::take::Outcome;

pub use client::{HandOverError, hand_over};
pub(crate) use door::Door;

/// What both sides speak; another number is another language.
const LANGUAGE: &str = "lamppost import 1";

/// Bytes of a frame's payload at most.
const FRAME_BYTES_MAX: usize = 256 << 10;

/// A frame: its letter, and what its payload is.
mod frame {
    /// The language that is spoken.
    pub(super) const HELLO: u8 = b'H';
    /// A file begins: its name.
    pub(super) const FILE: u8 = b'F';
    /// Bytes of it.
    pub(super) const DATA: u8 = b'D';
    /// It ends.
    pub(super) const END: u8 = b'E';
    /// It cannot be read on: why.
    pub(super) const BROKEN: u8 = b'X';
    /// That was all.
    pub(super) const ALL: u8 = b'Q';
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// An item counts, or was refused.
    Item { origin: String, size: u64, outcome: Outcome },
    /// A file, or the rest of it, could not be read.
    Unreadable { origin: String, why: String },
    /// Everything was dealt with.
    Done,
    /// It cannot go on.
    Failed { why: String },
}

/// The name of the socket in the data directory.
const NAME: &str = "import.sock";

/// Bytes of a socket's path at most, on every system.
const PATH_BYTES_MAX: usize = 100;

/// Does something with the path of the socket. The directory is opened where its own path is longer than that of a socket may be.
fn at_socket<T>(dir: &Path, work: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let path = dir.join(NAME);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return work(&path);
    }
    let open = std::fs::File::open(dir)?;
    let short = format!("/proc/self/fd/{}/{NAME}", std::os::fd::AsRawFd::as_raw_fd(&open));
    work(Path::new(&short))
}
