//! Mailboxes on a real Dovecot, read by the real program: to the last message, whatever breaks, and nothing twice.
//!
//! Skipped, with a word, where Dovecot is not installed (`cargo xtask test --install`). The large test has 1,500 mails and 12 kills;
//! `LAMPPOST_FULL=1` asks for 10,000 mails and 60 kills. Its moments come from a seed, which `LAMPPOST_KILL_SEED` sets.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::Server;
use e2e::dovecot::{Breaking, Dovecot, PASSWORD, breaking, rebuild};
use e2e::mails::{Expected, mail, said};
use e2e::pace::{Random, pause, seed, size, until};
use tempfile::TempDir;

/// A mailbox in the configuration: user, port, TLS, what becomes of messages.
type Source<'a> = (&'a str, u16, &'a str, &'a str);

fn configure(place: &Path, dovecot: &Dovecot, sources: &[Source<'_>]) {
    let mut text =
        "data = \"ledger\"\n[reporter]\nauthenticate = false\n[portal]\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for (user, port, tls, after) in sources {
        writeln!(
            text,
            "[[source.imap]]\nname = \"{user}\"\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca = \"{}\"\n\
             user = \"{user}\"\npassword = {{ file = \"password\" }}\nafter = \"{after}\"\nmessage_bytes_max = 2000000",
            dovecot.certificate().display()
        )
        .unwrap();
    }
    fs::write(place.join("lamppost.toml"), text).unwrap();
    fs::write(place.join("password"), PASSWORD).unwrap();
}

/// Mails as files of a Maildir: named so that they are numbered in their order.
fn files(numbers: impl Iterator<Item = u32>) -> impl Iterator<Item = (String, Vec<u8>)> {
    numbers.map(|number| (format!("{}.report", 1_000_000 + number), mail(number).bytes))
}

fn expected(numbers: impl Iterator<Item = u32>) -> Expected {
    let mut all = Expected::default();
    for number in numbers {
        all.add(&mail(number));
    }
    all
}

/// Whose Maildir flags say that a message was seen.
fn is_seen(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.rsplit_once(":2,").is_some_and(|(_, flags)| flags.contains('S'))
}

#[test]
fn three_mailboxes_to_the_last_message() {
    let place = TempDir::new().unwrap();
    let Some(dovecot) = Dovecot::start(place.path()) else { return };
    let sources = [
        ("user0", dovecot.secure, "implicit", "move"),
        ("user1", dovecot.port, "starttls", "delete"),
        ("user2", dovecot.port, "none", "seen"),
    ];
    for (user, ..) in sources {
        // All three have the same mails: what counts in one is there already in the others.
        dovecot.deliver(user, files(0..200));
        dovecot.deliver(user, [("9999999.huge".to_owned(), vec![b'x'; 2_500_000])]);
    }
    // As a collector leaves them that is killed between marking messages as deleted and removing them.
    let maildir = dovecot.maildir("user1");
    for number in 10..20 {
        let name = format!("{}.report", 1_000_000 + number);
        fs::rename(maildir.join("new").join(&name), maildir.join("cur").join(format!("{name}:2,T"))).unwrap();
    }
    configure(place.path(), &dovecot, &sources);
    let server = Server::start(["serve"], place.path());
    let ledger = place.path().join("ledger");
    until("all are in", || said(&ledger) == Some(expected(0..200).numbers()));
    // The one that is too large stays; the others are moved, deleted, marked.
    until("the first mailbox is done with", || dovecot.files("user0", "").len() == 1);
    until("the second mailbox is done with", || dovecot.files("user1", "").len() == 1);
    let seen = || dovecot.files("user2", "").iter().filter(|path| is_seen(path)).count();
    until("the third mailbox is done with", || seen() == 200);
    assert_eq!(dovecot.files("user0", ".lamppost").len(), 200);
    // Told by IDLE, or seen at the next look: what comes later is read too.
    dovecot.deliver("user1", files(200..220));
    until("what came later is in", || said(&ledger) == Some(expected(0..220).numbers()));
    drop(server);
    expected(0..220).audit(&ledger);
}

#[test]
fn a_mailbox_that_is_rebuilt_is_read_again_and_counts_once() {
    let place = TempDir::new().unwrap();
    let Some(dovecot) = Dovecot::start(place.path()) else { return };
    dovecot.deliver("user", files(0..100));
    configure(place.path(), &dovecot, &[("user", dovecot.port, "none", "leave")]);
    let ledger = place.path().join("ledger");
    let notes = ledger.join("sources/user.json");
    let as_read = || fs::read_to_string(&notes).unwrap_or_default();
    let server = Server::start(["serve"], place.path());
    until("all are in", || said(&ledger) == Some(expected(0..100).numbers()));
    until("it is noted", || !as_read().is_empty());
    let first = as_read();
    drop(server);
    // Numbers are given anew: another UIDVALIDITY.
    let dovecot = dovecot.restart(place.path(), |mail| rebuild(&mail.join("user"))).unwrap();
    dovecot.deliver("user", files(100..120));
    configure(place.path(), &dovecot, &[("user", dovecot.port, "none", "leave")]);
    let server = Server::start(["serve"], place.path());
    until("the new ones are in", || said(&ledger) == Some(expected(0..120).numbers()));
    until("the new numbers are noted", || as_read() != first);
    assert_eq!(dovecot.files("user", "").len(), 120);
    // A lost note is no more than work done twice.
    drop(server);
    fs::remove_file(&notes).unwrap();
    let server = Server::start(["serve"], place.path());
    until("it is noted again", || !as_read().is_empty());
    drop(server);
    expected(0..120).audit(&ledger);
}

/// The four mailboxes of the large test: a user for each thing that may become of a message, who is named after it.
const USERS: [&str; 4] = ["move", "seen", "delete", "leave"];

/// Four mailboxes behind a door that breaks connections.
struct Office {
    place: TempDir,
    dovecot: Option<Dovecot>,
    door: Breaking,
    expected: Expected,
    /// Message-IDs that each user got, and how often.
    delivered: BTreeMap<&'static str, BTreeMap<String, u32>>,
    next: u32,
}

fn message_id(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4_000)]).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
    line.unwrap_or_else(|| panic!("a mail without Message-ID: {text}")).trim().to_owned()
}

impl Office {
    fn open() -> Option<Self> {
        let place = TempDir::new().unwrap();
        let dovecot = Dovecot::start(place.path())?;
        let door = breaking(dovecot.port, seed(), 1_000_000);
        let sources = USERS.map(|user| (user, door.port, "none", user));
        configure(place.path(), &dovecot, &sources);
        let (expected, delivered) = (Expected::default(), BTreeMap::new());
        Some(Self { place, dovecot: Some(dovecot), door, expected, delivered, next: 0 })
    }

    fn dovecot(&self) -> &Dovecot {
        self.dovecot.as_ref().unwrap()
    }

    /// Delivers the next mails, in turn to each user.
    fn deliver(&mut self, count: u32) {
        for number in self.next..self.next + count {
            let user = USERS[number as usize % USERS.len()];
            let mail = mail(number);
            self.expected.add(&mail);
            *self.delivered.entry(user).or_default().entry(message_id(&mail.bytes)).or_default() += 1;
            self.dovecot().deliver(user, [(format!("{}.report", 1_000_000 + number), mail.bytes)]);
        }
        self.next += count;
    }

    fn launch(&self) -> Server {
        Server::launch(["serve"], self.place.path())
    }

    /// All four mailboxes lose their numbers: while Dovecot runs, and while it is being started anew.
    fn rebuild(&mut self, running: bool) {
        if running {
            for user in USERS {
                self.dovecot().rebuild(user);
            }
            return;
        }
        let wipe = |mail: &Path| {
            for user in USERS {
                rebuild(&mail.join(user));
            }
        };
        self.dovecot = self.dovecot.take().and_then(|dovecot| dovecot.restart(self.place.path(), wipe));
        self.door.lead_to(self.dovecot().port);
    }

    fn ledger(&self) -> PathBuf {
        self.place.path().join("ledger")
    }

    /// Messages in the inboxes that nobody has dealt with.
    fn waiting(&self) -> usize {
        let files = |user: &str| self.dovecot().files(user, "");
        files("move").len() + files("delete").len() + files("seen").iter().filter(|path| !is_seen(path)).count()
    }

    /// Whether every message is where it must be, and only there.
    fn check_mailboxes(&self) {
        let there = |user: &str, folder: &str| {
            let mut ids: BTreeMap<String, u32> = BTreeMap::new();
            for path in self.dovecot().files(user, folder) {
                *ids.entry(message_id(&fs::read(path).unwrap())).or_default() += 1;
            }
            ids
        };
        assert!(there("move", ".lamppost") == self.delivered["move"], "all are moved, and none is there twice");
        assert!(there("seen", "") == self.delivered["seen"], "none is lost that was marked");
        assert!(there("leave", "") == self.delivered["leave"], "none is lost that was to be left");
        let left = self.dovecot().files("leave", "");
        assert!(!left.iter().any(|path| is_seen(path)), "none is changed that was to be left");
    }
}

#[test]
fn killed_cut_off_and_rebuilt_all_are_in_once() {
    let mails: u32 = size("mails", 1_500, 10_000);
    let kills: u32 = size("kills", 12, 60);
    let Some(mut office) = Office::open() else { return };
    let begun = Instant::now();
    let mut random = Random(seed());
    let (mut at_work, mut validities) = (0, 0);
    for killed in 0..kills {
        let share = mails / kills + u32::from(killed < mails % kills);
        office.deliver(share);
        let server = office.launch();
        pause(Duration::from_millis(random.below(1_500)));
        if killed == kills / 3 || killed == kills * 2 / 3 {
            office.rebuild(killed == kills / 3);
            validities += 1;
            pause(Duration::from_millis(random.below(1_000)));
        }
        drop(server);
        at_work += u32::from(office.waiting() > 0);
    }
    assert!(at_work > kills / 4, "only {at_work} of {kills} kills met a collector at work");
    let (broken, expected) = (office.door.broken(), office.expected.numbers());
    let server = office.launch();
    let calm_after = Instant::now() + Duration::from_secs(5);
    until("all are in, and dealt with", || {
        if Instant::now() > calm_after {
            office.door.calm_down();
        }
        office.waiting() == 0 && said(&office.ledger()) == Some(expected)
    });
    drop(server);
    office.check_mailboxes();
    office.expected.audit(&office.ledger());
    assert!(office.door.broken() > 0, "no connection was broken");
    eprintln!(
        "{mails} mails, {kills} kills ({at_work} with work left), {broken} broken connections, {validities} rebuilds, seed {}: {:?}; \
         items, reports, rows, messages, duplicates, conflicts, rejections: {expected:?}",
        seed(),
        begun.elapsed()
    );
}
