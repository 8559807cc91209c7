//! The desk itself: receipts, outcomes, items in pieces.

use std::time::Duration;

use collect::Outcome;
use collect::sources::Settings;
use store::KeptState;

use crate::{Bench, report, until};

async fn bench() -> Bench {
    Bench::new(|_| Settings::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_in_an_item() {
    let bench = bench().await;
    let desk = bench.collecting.desk();
    let first = desk.keep(report(1, 7), "push:a".to_owned()).await.unwrap();
    assert_eq!(first.state, KeptState::New);
    let new = Outcome { reports: 1, new: 1, rows: 1, messages: 7, flaws: 2, named: vec![1], ..Outcome::default() };
    assert_eq!(bench.outcome(&first).await, new);
    // The same bytes, the same report in other bytes, the same identity with another content, and nonsense.
    let again = desk.keep(report(1, 7), "push:a".to_owned()).await.unwrap();
    assert_eq!((again.key, again.state), (first.key, KeptState::Known { reports: 1, rejected: 0, samples: 0 }));
    assert_eq!(bench.outcome(&again).await, Outcome { reports: 1, duplicates: 1, ..Outcome::default() });
    let other = desk.keep([b"\n".to_vec(), report(1, 7)].concat(), "push:a".to_owned()).await.unwrap();
    let duplicate = Outcome { reports: 1, duplicates: 1, named: vec![1], ..Outcome::default() };
    assert_eq!(bench.outcome(&other).await, duplicate);
    let conflict = desk.keep(report(1, 8), "push:a".to_owned()).await.unwrap();
    assert_eq!(bench.outcome(&conflict).await, Outcome { conflicts: 1, messages: 8, named: vec![2], ..new });
    let poison = desk.keep(b"<feedback>".to_vec(), "push:a".to_owned()).await.unwrap();
    let outcome = bench.outcome(&poison).await;
    assert_eq!((outcome.rejected, outcome.rejections.len()), (1, 1));
    bench.settled(1, 8, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_an_item() {
    let bench = bench().await;
    let desk = bench.collecting.desk();
    // Above and below the size from which on it is streamed.
    let large = [report(2, 5), vec![b' '; 900_000]].concat();
    for (bytes, new) in [(report(1, 3), 1), (large.clone(), 1), (large.clone(), 0)] {
        let mut arrival = desk.arrival("push:a".to_owned());
        for piece in bytes.chunks(10_007) {
            arrival.write(piece).await.unwrap();
        }
        let receipt = arrival.finish().await.unwrap();
        assert_eq!(receipt.size, bytes.len() as u64);
        assert_eq!(bench.outcome(&receipt).await.new, new);
    }
    // One that breaks off leaves nothing: neither an item nor a file.
    let mut arrival = desk.arrival("push:a".to_owned());
    arrival.write(&large[..800_000]).await.unwrap();
    drop(arrival);
    let spool = bench.place.path().join("ledger/spool");
    let unfinished =
        |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().path().extension().is_some_and(|e| e == "tmp");
    until("its beginnings are gone", || !std::fs::read_dir(&spool).unwrap().any(unfinished)).await;
    assert_eq!(bench.ledger.counters().unwrap().items, 2);
    bench.settled(2, 8, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_at_once_share_what_a_sync_costs() {
    let bench = bench().await;
    let mut all = tokio::task::JoinSet::new();
    for id in 0..500 {
        let desk = bench.collecting.desk();
        all.spawn(async move { desk.keep(report(id / 2, 1), format!("push:{id}")).await });
    }
    let mut new = 0;
    while let Some(kept) = all.join_next().await {
        new += u32::from(kept.unwrap().unwrap().state == KeptState::New);
    }
    assert_eq!(new, 250, "of two with the same bytes one is new");
    bench.settled(250, 250, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_mailboxes() {
    let bench = bench().await;
    let folder = bench.place.path();
    std::fs::write(folder.join("a"), report(1, 1)).unwrap();
    let mut mailbox = Vec::new();
    for id in 2..5 {
        mailbox.extend_from_slice(b"From a@b.example Thu Jan  1 00:00:00 1970\n");
        mailbox.extend_from_slice(&crate::mail(id, 1));
        mailbox.push(b'\n');
    }
    std::fs::write(folder.join("b"), mailbox).unwrap();
    let files = ["a", "nowhere", "b"].map(|name| (name.to_owned(), folder.join(name)));
    let kept = bench.collecting.desk().keep_files(files.into()).await.unwrap();
    let counts: Vec<_> = kept.iter().map(|file| file.as_ref().map_err(|_| ()).map(Vec::len)).collect();
    assert_eq!(counts, [Ok(1), Err(()), Ok(3)]);
    bench.settled(4, 4, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_after_the_end_is_safe_and_not_read() {
    let bench = bench().await;
    let desk = bench.collecting.desk();
    bench.collecting.stop().await;
    let receipt = desk.keep(report(1, 1), "push:a".to_owned()).await.unwrap();
    assert_eq!(desk.outcome(&receipt, Duration::ZERO).await, None);
    assert_eq!(bench.ledger.pending().unwrap().len(), 1);
}
