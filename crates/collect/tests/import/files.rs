//! What is found where, in which order, and what becomes of files that are odd, unreadable, repeated or at odds with each other.

use std::cell::{Cell, RefCell};
use std::num::NonZero;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::{Made, Place, counted, everything, gzip, mail, reports};
use collect::{Options, Phase, Progress, State, import};
use report::RejectionKind as Kind;

fn made(id: &str) -> Made<'_> {
    Made { id, ..Made::default() }
}

/// Report ids in the order of taking in, and where each came from below the input folder.
fn taken(place: &Place) -> Vec<(String, String)> {
    let root = format!("{}/", place.input().display());
    reports(&place.ledger)
        .into_iter()
        .map(|e| (e.report.report_id.to_string(), e.origin.strip_prefix(&root).unwrap_or(&e.origin).to_owned()))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, origin)| ((*id).to_owned(), (*origin).to_owned())).collect()
}

#[test]
fn folders_are_read_to_the_bottom_in_order_of_name() {
    let place = Place::new();
    for (name, id) in [("b/z.xml", "3"), ("b/a/y", "2"), ("c.gz", "4"), ("a.xml", "1"), ("d/\u{fc}.xml", "5")] {
        place.file(name, made(id).xml());
    }
    let summary = place.import_all();
    assert_eq!((summary.files, summary.items, summary.new, summary.rejected), (5, 5, 5, 0));
    let expected = [("1", "a.xml"), ("2", "b/a/y"), ("3", "b/z.xml"), ("4", "c.gz"), ("5", "d/\u{fc}.xml")];
    assert_eq!(taken(&place), pairs(&expected));
}

#[test]
fn links_are_followed_and_loops_end() {
    let place = Place::new();
    place.file("a/1.xml", made("1").xml());
    let elsewhere = place.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("2.xml"), made("2").xml()).unwrap();
    symlink(&elsewhere, place.input().join("b")).unwrap();
    symlink(elsewhere.join("2.xml"), place.input().join("c.xml")).unwrap();
    symlink(place.input(), place.input().join("a/up")).unwrap();
    symlink("itself", place.input().join("itself")).unwrap();
    symlink("../absent", place.input().join("nowhere")).unwrap();
    let summary = place.import_all();
    assert_eq!((summary.new, summary.duplicates), (2, 1), "{summary:?}");
    assert_eq!(taken(&place), pairs(&[("1", "a/1.xml"), ("2", "b/2.xml")]));
    let names: Vec<_> =
        summary.rejections.iter().map(|r| (r.origin.rsplit('/').next().unwrap(), r.rejection.kind)).collect();
    assert_eq!(names, [("itself", Kind::Unreadable), ("nowhere", Kind::Unreadable)]);
    assert!(summary.rejections[1].rejection.message.contains("No such file"), "{:?}", summary.rejections);
}

#[test]
fn what_cannot_be_read_is_named_and_stops_nothing() {
    let place = Place::new();
    place.file("1.xml", made("1").xml());
    place.file("2.txt", "hello");
    place.file("3.xml", made("3").xml());
    let _socket = std::os::unix::net::UnixListener::bind(place.input().join("2.socket")).unwrap();
    let missing = place.input().join("missing.xml");
    let summary = import(&place.ledger, &[missing, place.input()], &Options::default(), &()).unwrap();
    assert_eq!((summary.files, summary.new, summary.rejected), (5, 2, 3), "{summary:?}");
    let seen: Vec<_> =
        summary.rejections.iter().map(|r| (r.origin.rsplit('/').next().unwrap(), r.rejection.kind)).collect();
    assert_eq!(seen, [("missing.xml", Kind::Unreadable), ("2.socket", Kind::Unreadable), ("2.txt", Kind::NoReport)]);
    // The ledger knows those whose bytes it has.
    assert_eq!(place.ledger.rejections(0, 10).unwrap().1, 1);
}

#[test]
fn a_maildir_gives_its_messages_and_nothing_else() {
    let place = Place::new();
    for (name, id) in [
        ("Maildir/cur/1:2,S", "1"),
        ("Maildir/new/2", "2"),
        ("Maildir/tmp/3", "3"),
        ("Maildir/dovecot.index.log", "4"),
        ("Maildir/.Reports/cur/5:2,", "5"),
        ("Maildir/.Reports/maildirfolder", "6"),
    ] {
        place.file(name, mail("x", &made(id).xml()));
    }
    for folder in ["Maildir/.Reports/new", "Maildir/.Reports/tmp"] {
        std::fs::create_dir_all(place.input().join(folder)).unwrap();
    }
    let summary = place.import_all();
    assert_eq!((summary.new, summary.rejected), (3, 0), "{summary:?}");
    let expected = [("5", "Maildir/.Reports/cur/5:2,"), ("1", "Maildir/cur/1:2,S"), ("2", "Maildir/new/2")];
    assert_eq!(taken(&place), pairs(&expected));
}

#[test]
fn each_message_of_a_mailbox_is_an_item() {
    let place = Place::new();
    let separator = "From a@b.example Thu Jan  1 00:00:00 1970\n";
    let messages = [mail("1", &made("1").xml()), "Subject: hello\n\nhello\n".into(), mail("3", &made("3").xml())];
    let [one, two, three] = &messages;
    place.file("mailbox", format!("{separator}{one}\n{separator}{two}\n{separator}{three}\n"));
    // The same message by itself, as a mail server would deliver it.
    place.file("z.eml", &messages[2]);
    let summary = place.import_all();
    assert_eq!((summary.files, summary.items), (2, 4), "{summary:?}");
    assert_eq!((summary.reports, summary.new, summary.duplicates, summary.rejected), (3, 2, 1, 1), "{summary:?}");
    assert_eq!(taken(&place), pairs(&[("1", "mailbox#1"), ("3", "mailbox#3")]));
    assert!(summary.rejections[0].origin.ends_with("mailbox#2"), "{:?}", summary.rejections);
    let entry = &reports(&place.ledger)[0];
    assert_eq!(entry.member.as_deref(), Some("r.xml"));
}

#[test]
fn the_same_report_counts_once_however_it_is_packed() {
    let place = Place::new();
    let xml = made("1").xml();
    place.file("1.xml", &xml);
    place.file("2.gz", gzip(xml.as_bytes()));
    place.file("3.eml", mail("x", &xml));
    place.file("4-the-same-bytes.xml", &xml);
    place.file("5-indented.xml", xml.replace("><", ">\n  <"));
    let summary = place.import_all();
    assert_eq!((summary.reports, summary.new, summary.duplicates, summary.conflicts), (5, 1, 4, 0), "{summary:?}");
    assert_eq!(counted(&place.ledger), (1, 3));
    let counters = place.ledger.counters().unwrap();
    assert_eq!((counters.reports, counters.duplicates), (1, 4));
}

#[test]
fn of_two_contents_the_newer_counts_and_both_are_kept() {
    let place = Place::new();
    let first = made("1");
    let second = Made { rows: vec![("192.0.2.1".into(), 3), ("192.0.2.9".into(), 5)], ..first.clone() };
    let third = Made { rows: vec![("198.51.100.7".into(), 11)], ..first.clone() };
    for (name, made) in [("1.xml", &first), ("2.xml", &second), ("3.xml", &third)] {
        place.file(name, made.xml());
    }
    let summary = place.import_all();
    assert_eq!((summary.reports, summary.new, summary.conflicts, summary.duplicates), (3, 3, 2, 0), "{summary:?}");
    assert_eq!(counted(&place.ledger), (1, 11), "only the newest counts");
    assert_eq!(place.ledger.conflicts(0, 10).unwrap().1, 2);
    for (entry, made) in reports(&place.ledger).iter().zip([&first, &second, &third]) {
        let mut raw = String::new();
        std::io::Read::read_to_string(&mut place.ledger.raw(&entry.item).unwrap(), &mut raw).unwrap();
        assert_eq!(raw, made.xml());
    }
    // An older one that comes again is known by its bytes and does not take over.
    let again = place.import(&place.input().join("1.xml"));
    assert_eq!((again.new, again.duplicates), (0, 1), "{again:?}");
    assert_eq!(counted(&place.ledger), (1, 11));
}

/// The bytes are known, so they are not read again; the reasons are told all the same, in the same import and in the next.
#[test]
fn what_was_refused_is_refused_again_with_its_reasons() {
    let place = Place::new();
    for name in ["1.txt", "2.txt"] {
        place.file(name, "hello");
    }
    let first = place.import_all();
    assert_eq!((first.rejected, first.rejections.len()), (2, 2), "{first:?}");
    assert_eq!(first.rejections[0].rejection, first.rejections[1].rejection);
    let second = place.import_all();
    assert_eq!(second.rejections, first.rejections);
    assert_eq!(place.ledger.counters().unwrap().rejected, 1, "the ledger has one item with one reason");
}

/// Google and Mimecast use report ids again on other days, and two reporters may use the same.
#[test]
fn an_id_may_come_again_on_another_day_from_another_reporter_for_another_domain() {
    let place = Place::new();
    let one = made("1");
    for (name, made) in [
        ("1.xml", one.clone()),
        ("2.xml", Made { begin: one.begin + 86_400, ..one.clone() }),
        ("3.xml", Made { organization: "other.example", ..one.clone() }),
        ("4.xml", Made { domain: "fabrikam.example", ..one.clone() }),
    ] {
        place.file(name, made.xml());
    }
    let summary = place.import_all();
    assert_eq!((summary.new, summary.conflicts, summary.duplicates), (4, 0, 0), "{summary:?}");
    assert_eq!(counted(&place.ledger), (4, 12));
}

#[test]
fn members_of_one_item_stand_and_fall_alone() {
    let place = Place::new();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("1.xml", made("1").xml()),
        ("2.xml", made("2").xml().replace("</record>", "</rec>")),
        ("3.xml", made("3").xml()),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, bytes.as_bytes()).unwrap();
    }
    place.file("all.zip", archive.finish().unwrap().into_inner());
    let summary = place.import_all();
    assert_eq!((summary.items, summary.new, summary.rejected), (1, 2, 1), "{summary:?}");
    assert_eq!(summary.rejections[0].member.as_deref(), Some("2.xml"));
    assert_eq!(summary.rejections[0].rejection.kind, Kind::NotWellFormed);
    assert_eq!(counted(&place.ledger), (2, 6), "nothing of the broken one counts");
}

/// Large and small items, good and bad, in one folder; the ledger must not depend on how many threads read them.
#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |readers: usize| {
        let place = Place::new();
        for number in 0..300_u32 {
            let id = number.to_string();
            let rows = if number % 50 == 7 { 3_000 } else { number % 5 + 1 };
            let rows =
                (0..rows).map(|row| (format!("10.{}.{}.{}", number % 256, row / 250, row % 250), u64::from(row + 1)));
            let xml = Made { rows: rows.collect(), ..made(&id) }.xml();
            match number % 10 {
                3 => place.file(&format!("{number:03}.txt"), "no report"),
                4 => place.file(&format!("{number:03}.xml"), &xml[..xml.len() / 2]),
                5 => place.file(&format!("{number:03}.gz"), gzip(xml.as_bytes())),
                _ => place.file(&format!("{number:03}.xml"), xml),
            };
        }
        let options = Options { readers: NonZero::new(readers), ..Options::default() };
        let mut summary = import(&place.ledger, &[place.input()], &options, &()).unwrap();
        summary.seconds = 0.0;
        for rejected in &mut summary.rejections {
            rejected.origin = rejected.origin.rsplit('/').next().unwrap().to_owned();
        }
        (summary, taken(&place), everything(&place.ledger))
    };
    let one = run(1);
    assert_eq!((one.0.new, one.0.rejected), (240, 60), "{:?}", one.0);
    let ids: Vec<_> = one.1.iter().map(|(_, origin)| origin.clone()).collect();
    assert!(ids.is_sorted(), "in the order of the files: {ids:?}");
    assert_eq!(run(5), one);
}

#[test]
fn progress_adds_up() {
    /// Phase, items, bytes, rows, reports.
    type Seen = (Phase, u64, u64, u64, u64);
    #[derive(Default)]
    struct Watch {
        seen: RefCell<Vec<Seen>>,
        rejected: Cell<u64>,
    }
    impl Progress for Watch {
        fn advanced(&self, state: &State<'_>) {
            let now = (state.phase, state.items_done, state.bytes_done, state.rows, state.reports);
            let mut seen = self.seen.borrow_mut();
            if let Some(before) = seen.iter().rev().find(|before| before.0 == now.0) {
                assert!(before.1 <= now.1 && before.2 <= now.2 && before.3 <= now.3, "{before:?} then {now:?}");
            }
            assert!(
                state.phase != Phase::Importing || (state.bytes_done <= state.bytes && state.items_done <= state.files)
            );
            seen.push(now);
        }
        fn rejected(&self, _: &collect::Rejected) {
            self.rejected.set(self.rejected.get() + 1);
        }
    }
    let place = Place::new();
    let mut bytes = 0;
    for number in 0..200 {
        let xml = made(&number.to_string()).xml();
        bytes += xml.len() as u64;
        place.file(&format!("{number:03}.xml"), xml);
    }
    bytes += std::fs::metadata(place.file("x", "no report")).unwrap().len();
    let watch = Watch::default();
    let paths: [PathBuf; 1] = [place.input()];
    let _ = import(&place.ledger, &paths, &Options::default(), &watch).unwrap();
    let seen = watch.seen.borrow();
    assert_eq!(*seen.last().unwrap(), (Phase::Committing, 201, bytes, 200, 200));
    assert!(seen.iter().filter(|now| now.0 == Phase::Importing).count() >= 3, "{seen:?}");
    assert_eq!(watch.rejected.get(), 1);
}

#[test]
fn a_report_about_days_to_come_is_refused_and_moves_no_period() {
    let place = Place::new();
    place.file("a.xml", made("1").xml());
    // 2099-01-01: no clock that runs these tests has got there.
    place.file("b.xml", Made { begin: 4_070_908_800, ..made("2") }.xml());
    let summary = place.import_all();
    assert_eq!((summary.new, summary.rejected), (1, 1), "{summary:?}");
    assert_eq!(summary.rejections[0].rejection.kind, Kind::ImplausibleTime);
    assert_eq!(place.ledger.span().unwrap().map(|(first, last)| first == last), Some(true));
}
