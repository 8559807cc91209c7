//! Imports while the ledger's writer runs: the same summary as of an import of one's own, and nothing lost or doubled where they break off.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use collect::sources::Settings;
use collect::{HandOverError, Options, Progress, State, Summary, hand_over};
use store::Ledger;
use tempfile::TempDir;

use crate::{Bench, mail, report, until};

/// Files of all kinds, and their paths in order.
fn files(place: &Path) -> Vec<PathBuf> {
    let folder = place.join("files");
    fs::create_dir_all(&folder).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&report(3, 3)).unwrap();
    let mailbox = (10..13).fold(Vec::new(), |mut all, n| {
        all.extend_from_slice(b"From a@reporter.example Mon Jan  1 00:00:00 2024\n");
        all.extend(mail(n, n).into_iter().filter(|byte| *byte != b'\r'));
        all.push(b'\n');
        all
    });
    let conflict = report(1, 7);
    let large = [report(5, 5), vec![b' '; 900_000]].concat();
    let contents: [(&str, &[u8]); 10] = [
        ("a.xml", &report(1, 1)),
        ("b.eml", &mail(2, 2)),
        ("c.gz", &gzip.finish().unwrap()),
        ("d.mbox", &mailbox),
        ("e", b"no report"),
        ("f.xml", &report(1, 1)),
        ("g.xml", &conflict),
        ("h.xml", &large),
        ("i", b""),
        ("j", b"no report"),
    ];
    for (name, bytes) in contents {
        fs::write(folder.join(name), bytes).unwrap();
    }
    vec![folder, place.join("missing")]
}

/// What can be compared of a summary.
fn told(summary: Summary) -> Summary {
    Summary { seconds: 0.0, flaw_kinds: BTreeMap::new(), ..summary }
}

#[derive(Default)]
struct Watched(Mutex<Vec<(u64, u64, u64)>>);

impl Progress for Watched {
    fn advanced(&self, state: &State<'_>) {
        self.0.lock().unwrap().push((state.bytes_done, state.bytes, state.reports));
    }
}

async fn handed(bench: &Bench, paths: Vec<PathBuf>) -> Result<Summary, HandOverError> {
    let dir = bench.place.path().join("ledger");
    tokio::task::spawn_blocking(move || hand_over(&dir, &paths, &())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_is_that_of_an_import() {
    let place = TempDir::new().unwrap();
    let paths = files(place.path());
    let alone = Ledger::open(&place.path().join("alone")).unwrap();
    let mut expected = Vec::new();
    for _ in 0..2 {
        let watched = Watched::default();
        let summary = told(collect::import(&alone, &paths, &Options::default(), &watched).unwrap());
        expected.push((summary, watched.0.into_inner().unwrap().pop().unwrap()));
    }
    let first = &expected[0].0;
    assert_eq!((first.new, first.conflicts, first.rejected), (8, 1, 4), "{first:?}");
    let bench = Bench::new(|_| Settings::default()).await;
    for (round, (expected, end)) in expected.iter().enumerate() {
        let (dir, paths) = (bench.place.path().join("ledger"), paths.clone());
        let work = move || {
            let watched = Watched::default();
            (hand_over(&dir, &paths, &watched).unwrap(), watched)
        };
        let (summary, watched) = tokio::task::spawn_blocking(work).await.unwrap();
        assert_eq!(told(summary), *expected, "round {round}");
        let steps = watched.0.into_inner().unwrap();
        assert!(steps.is_sorted_by_key(|step| step.0), "progress goes forward: {steps:?}");
        assert_eq!(steps.last(), Some(end), "and ends where that of an import does");
    }
    let (theirs, ours) = (alone.counters().unwrap(), bench.ledger.counters().unwrap());
    assert_eq!(
        (ours.duplicates, ours.conflicts),
        (theirs.duplicates, theirs.conflicts),
        "what came again is counted too"
    );
    bench.settled(theirs.reports, theirs.messages, theirs.rejected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let bench = Bench::new(|_| Settings::default()).await;
    let mut imports = Vec::new();
    for n in 0_u32..3 {
        let folder = bench.place.path().join(format!("in{n}"));
        fs::create_dir(&folder).unwrap();
        // A third of them come through every door.
        for file in 0..600 {
            let id = if file % 3 == 0 { file } else { 10_000 * (n + 1) + file };
            fs::write(folder.join(format!("{file:04}.xml")), report(id, 1)).unwrap();
        }
        let dir = bench.place.path().join("ledger");
        imports.push(tokio::task::spawn_blocking(move || hand_over(&dir, &[folder], &()).unwrap()));
    }
    let (mut new, mut duplicates) = (0, 0);
    for import in imports {
        let summary = import.await.unwrap();
        assert_eq!((summary.reports, summary.rejected), (600, 0));
        (new, duplicates) = (new + summary.new, duplicates + summary.duplicates);
    }
    assert_eq!((new, duplicates), (1_400, 400), "each is new to exactly one of them");
    bench.settled(1_400, 1_400, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_breaks_off_loses_and_doubles_nothing() {
    let bench = Bench::new(|_| Settings::default()).await;
    let frame = |letter: u8, payload: &[u8]| {
        [&[letter][..], &u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
    };
    let hello = frame(b'H', b"lamppost import 1");
    let whole = [frame(b'F', b"a"), frame(b'D', &report(1, 1)), frame(b'E', b"")].concat();
    let half = [frame(b'F', b"b"), frame(b'D', &report(2, 2))].concat();
    let cases: [(&str, Vec<u8>); 6] = [
        ("nothing said", Vec::new()),
        ("in the middle of a file", [hello.clone(), whole.clone(), half.clone()].concat()),
        ("in the middle of a frame", [&hello[..], &half[..half.len() - 9]].concat()),
        ("another language", frame(b'H', b"lamppost import 0")),
        ("a frame without end", [&hello[..], &[b'F', 0xff, 0xff, 0xff, 0xff]].concat()),
        ("nonsense", b"GET / HTTP/1.1\r\n\r\n".repeat(100)),
    ];
    for (why, bytes) in cases {
        let mut stream = UnixStream::connect(bench.place.path().join("ledger/import.sock")).unwrap();
        // It may hang up before everything is said.
        let _ = stream.write_all(&bytes);
        drop(stream);
        let _ = why;
    }
    until("what was whole counts", || bench.ledger.counters().unwrap().reports == 1).await;
    let file = bench.place.path().join("b");
    fs::write(&file, report(2, 2)).unwrap();
    let summary = handed(&bench, vec![file]).await.unwrap();
    assert_eq!((summary.new, summary.duplicates), (1, 0), "what broke off was not kept");
    bench.settled(2, 3, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_it_is_said() {
    let bench = Bench::new(|_| Settings::default()).await;
    let socket = bench.place.path().join("ledger/import.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it is its owner's alone");
    let dir = bench.place.path().join("ledger");
    bench.collecting.stop().await;
    assert!(!socket.exists());
    assert!(matches!(hand_over(&dir, &[], &()), Err(HandOverError::Nobody)));
    // As a kill leaves it.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(matches!(hand_over(&dir, &[], &()), Err(HandOverError::Nobody)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_with_a_long_path() {
    let bench = Bench::new(|_| Settings::default()).await;
    let dir = bench.place.path().join("a".repeat(120)).join("ledger");
    fs::create_dir_all(&dir).unwrap();
    let ledger = Ledger::open(&dir).unwrap();
    let judge = std::sync::Arc::new(crate::Named);
    let collecting = collect::Collecting::start(ledger, &dir, &Settings::default(), judge, Vec::new()).await.unwrap();
    let file = bench.place.path().join("a.xml");
    fs::write(&file, report(1, 1)).unwrap();
    let summary = tokio::task::spawn_blocking(move || hand_over(&dir, &[file], &())).await.unwrap().unwrap();
    assert_eq!(summary.new, 1);
    collecting.stop().await;
}
