//! Watched folders and Maildirs.

use std::fs;
use std::path::Path;

use collect::sources::Settings;
use collect::sources::folder::{After, Settings as Folder};

use crate::{Bench, mail, report, until};

fn settings(path: &Path, after: After) -> Settings {
    let folder = Folder { name: "in".to_owned(), path: path.to_owned(), after, poll_seconds: 1, ..Folder::default() };
    Settings { folder: vec![folder], ..Settings::default() }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn complete_files_are_taken_and_moved() {
    let bench = Bench::new(|place| {
        let folder = place.join("in");
        fs::create_dir_all(folder.join("done")).unwrap();
        fs::write(folder.join("done/a"), "of before").unwrap();
        fs::write(folder.join("a"), report(1, 1)).unwrap();
        fs::write(folder.join("b"), b"no report").unwrap();
        fs::write(folder.join(".half"), report(9, 9)).unwrap();
        fs::write(place.join("secret"), report(8, 8)).unwrap();
        std::os::unix::fs::symlink(place.join("secret"), folder.join("link")).unwrap();
        settings(&folder, After::Move)
    })
    .await;
    let folder = bench.place.path().join("in");
    until("both are moved", || names(&folder) == [".half", "done", "link"]).await;
    assert_eq!(names(&folder.join("done")), ["2-a", "a", "b"], "nothing is overwritten");
    // Renamed in: taken too.
    fs::write(folder.join(".new"), report(2, 1)).unwrap();
    fs::rename(folder.join(".new"), folder.join("new")).unwrap();
    until("it is moved", || names(&folder.join("done")).len() == 4).await;
    let health = &bench.collecting.health()[0];
    assert_eq!((health.items, health.repeated, health.refused, health.errors), (3, 0, 1, 0), "{health:?}");
    assert!(health.refusals[0].message.contains("link"));
    bench.settled(2, 2, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_read_once_and_what_is_deleted_is_gone() {
    for after in [After::Leave, After::Delete] {
        let bench = Bench::new(|place| {
            let folder = place.join("in");
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("a"), report(1, 1)).unwrap();
            settings(&folder, after)
        })
        .await;
        let folder = bench.place.path().join("in");
        until("it is kept", || bench.collecting.health()[0].items == 1).await;
        // A second one, so that there are looks after the first was taken.
        fs::write(folder.join("b"), report(2, 1)).unwrap();
        until("that too", || bench.collecting.health()[0].items == 2).await;
        let left: &[&str] = if after == After::Leave { &["a", "b"] } else { &[] };
        until("they are where they should be", || names(&folder) == left).await;
        bench.settled(2, 2, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maildir() {
    let bench = Bench::new(|place| {
        let maildir = place.join("Maildir");
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).unwrap();
        }
        fs::write(maildir.join("tmp/1"), mail(9, 9)).unwrap();
        fs::write(maildir.join("cur/2:2,S"), mail(8, 8)).unwrap();
        fs::write(maildir.join("new/3"), mail(1, 1)).unwrap();
        settings(&maildir, After::Move)
    })
    .await;
    let maildir = bench.place.path().join("Maildir");
    until("it is seen", || names(&maildir.join("cur")) == ["2:2,S", "3:2,S"]).await;
    assert_eq!((names(&maildir.join("tmp")), names(&maildir.join("new"))), (vec!["1".to_owned()], vec![]));
    bench.settled(1, 1, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_yet() {
    let bench = Bench::new(|place| settings(&place.join("in"), After::Delete)).await;
    until("it says so", || bench.collecting.health()[0].last_error.is_some()).await;
    let folder = bench.place.path().join("in");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), report(1, 1)).unwrap();
    until("it is taken", || names(&folder).is_empty()).await;
    bench.settled(1, 1, 0).await;
}
