//! Raw copies: torn files, damage, large items, many at once.

use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use super::support::{Dice, SMALL_BATCHES, directory, parse, raw};
use crate::disk::Disk;
use crate::ledger::Tuning;
use crate::spool::SpoolLimits;
use crate::{Error, KeptState, Ledger, RawKey};

#[test]
fn a_torn_tail_is_cut_and_what_was_before_it_kept() {
    let dir = directory();
    let items: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 3_000 + usize::from(n)]).collect();
    let keys: Vec<RawKey> = {
        let ledger = Ledger::open(dir.path()).unwrap();
        let keys = items.iter().map(|item| ledger.keep(&mut &item[..], "o", 1).unwrap().key).collect();
        ledger.sync_spool().unwrap();
        keys
    };
    let pack = dir.path().join("spool/00000001.pack");
    let whole = fs::read(&pack).unwrap();
    // Every length the file may have after a crash, and a tail of zeros as some file systems leave.
    let mut cut = 0;
    for length in (0..=whole.len()).rev().step_by(7) {
        for zeros in [0, 300] {
            let mut bytes = whole[..length].to_vec();
            bytes.extend(vec![0; zeros]);
            fs::write(&pack, bytes).unwrap();
            let ledger = Ledger::open(dir.path()).unwrap();
            let found: Vec<RawKey> = ledger.pending().unwrap().into_iter().map(|p| p.key).collect();
            assert_eq!(found, keys[..found.len()], "{length} bytes");
            assert!(found.len() < keys.len() || length == whole.len());
            cut += usize::from(found.len() < keys.len());
            // What is kept next is readable, and so is what was kept before.
            let next = ledger.keep(&mut &b"after the crash"[..], "o", 2).unwrap().key;
            assert_eq!(raw(&ledger, &next), b"after the crash");
            for (key, item) in found.iter().zip(&items) {
                assert_eq!(raw(&ledger, key), *item);
            }
        }
    }
    assert!(cut > 50, "{cut}");
}

#[test]
fn one_damaged_entry_costs_one_item() {
    let dir = directory();
    let keys: Vec<RawKey> = {
        let ledger = Ledger::open(dir.path()).unwrap();
        let keys = (0..5_u8).map(|n| ledger.keep(&mut &[n; 3_000][..], "o", 1).unwrap().key).collect();
        ledger.sync_spool().unwrap();
        keys
    };
    let pack = dir.path().join("spool/00000001.pack");
    let mut bytes = fs::read(&pack).unwrap();
    // In the frame of the third: entries are equally long here.
    let at = bytes.len() / 5 * 2 + 80;
    bytes[at] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let found: Vec<RawKey> = ledger.pending().unwrap().into_iter().map(|p| p.key).collect();
    assert_eq!(found, [keys[0], keys[1], keys[3], keys[4]]);
}

#[test]
fn large_items_stream_into_files_of_their_own() {
    let dir = directory();
    let tuning = Tuning {
        spool: SpoolLimits { small: 10_000, pack_bytes: 40_000, ..SpoolLimits::default() },
        ..Tuning::default()
    };
    let mut dice = Dice(4);
    let mut noise = |bytes: usize| (0..bytes).map(|_| dice.next().to_le_bytes()[0]).collect::<Vec<u8>>();
    let items: Vec<Vec<u8>> =
        [0, 1, 9_999, 10_000, 10_001, 300_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000].map(&mut noise).into();
    let mut keys = Vec::new();
    {
        let ledger = Ledger::open_on(dir.path(), &Disk::default(), tuning).unwrap();
        for item in &items {
            let kept = ledger.keep(&mut &item[..], "file", 1).unwrap();
            assert_eq!(kept.state, KeptState::New);
            assert_eq!(ledger.keep(&mut &item[..], "file", 1).unwrap().state, KeptState::Pending);
            keys.push(kept.key);
        }
        ledger.sync_spool().unwrap();
    }
    let names =
        || fs::read_dir(dir.path().join("spool")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names().filter(|name| ends(name, "item")).count(), 2);
    assert!(names().filter(|name| ends(name, "pack")).count() > 1, "packs are closed at their size");
    // Something left over from a crash in the middle of a stream.
    fs::File::create(dir.path().join("spool/77.tmp")).unwrap().write_all(b"half").unwrap();
    let ledger = Ledger::open_on(dir.path(), &Disk::default(), tuning).unwrap();
    assert_eq!(names().filter(|name| ends(name, "tmp")).count(), 0);
    assert_eq!(ledger.pending().unwrap().len(), items.len());
    for (key, item) in keys.iter().zip(&items) {
        assert_eq!(raw(&ledger, key), *item);
        assert_eq!(key.to_string().parse::<RawKey>().unwrap(), *key);
    }
    // An item that breaks off is the caller's error, and leaves nothing.
    for bytes in [5, 50_000] {
        assert!(matches!(ledger.keep(&mut BreaksOff(bytes), "line", 1), Err(Error::Item { .. })));
    }
    assert_eq!(names().filter(|name| ends(name, "tmp")).count(), 0);
    assert_eq!(ledger.pending().unwrap().len(), items.len());
}

#[test]
fn keeping_from_many_threads_keeps_each_once() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let new = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (ledger, new) = (&ledger, &new);
            scope.spawn(move || {
                let mut dice = Dice(thread);
                for _ in 0..300 {
                    let item = dice.below(100).to_le_bytes();
                    let kept = ledger.keep(&mut &item[..], "o", 1).unwrap();
                    new.fetch_add(usize::from(kept.state == KeptState::New), Ordering::Relaxed);
                    assert_eq!(raw(ledger, &kept.key), item);
                }
            });
        }
        // Meanwhile outcomes are committed.
        let mut intake = ledger.intake_with(SMALL_BATCHES).unwrap();
        for _ in 0..50 {
            for pending in ledger.pending().unwrap().into_iter().take(5) {
                parse(&mut intake, &pending.key, &[]).unwrap();
            }
            intake.commit().unwrap();
        }
    });
    assert_eq!(new.into_inner(), 100);
    assert_eq!(ledger.pending().unwrap().len() as u64 + ledger.counters().unwrap().items, 100);
}

/// An input that breaks off after so many bytes.
struct BreaksOff(usize);

impl Read for BreaksOff {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.min(buffer.len());
        self.0 -= n;
        if n == 0 { Err(std::io::Error::other("line cut")) } else { Ok(n) }
    }
}

/// Whether a file has this extension.
fn ends(name: &str, extension: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == extension)
}
