//! Mailboxes on a real Dovecot: read to the last message, whatever breaks, and nothing twice. The collector is a child process: this
//! program once more, which `collector` turns into one, so that it can be killed.
//!
//! Skipped, with a word, where Dovecot is not installed (`cargo xtask test --install`). The moments of kills and broken connections come
//! from a seed, which `LAMPPOST_KILL_SEED` sets; `LAMPPOST_COLLECT_KILLS` asks for more kills.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use collect::sources::{self, imap};
use collect::{Collecting, Judge, Secret, Session, Standing};
use store::Ledger;
use tempfile::TempDir;

/// How long anything may take before a test calls it stuck.
const DEADLINE: Duration = Duration::from_mins(3);

/// Where the child finds its mailboxes and its ledger.
const CHILD: &str = "LAMPPOST_TEST_COLLECTOR";

fn must_not_skip(reason: &str) {
    assert!(std::env::var("LAMPPOST_CI").as_deref() != Ok("1"), "must not be skipped in CI: {reason}");
    eprintln!("SKIPPED: {reason}");
}

/// Whose mail it is that reports come in is not what is tested here.
#[derive(Debug)]
struct Believing;

impl Judge for Believing {
    fn judge(&self, _: &[u8], _: &Session) -> Standing {
        Standing::Authenticated { domain: "reporter.example".to_owned(), by: "test".to_owned() }
    }
}

/// Not a test by itself: started by the others with a folder in its environment, it collects until it is killed.
#[test]
fn collector() {
    let Some(place) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let text = fs::read(place.join("sources.json")).unwrap();
    let mailboxes: Vec<imap::Settings> = serde_json::from_slice(&text).unwrap();
    let settings = sources::Settings { imap: mailboxes, ..sources::Settings::default() };
    let path = place.join("ledger");
    let ledger = Ledger::open(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let collecting = Collecting::start(ledger, &path, &settings, Arc::new(Believing), Vec::new()).await.unwrap();
        // Its parent kills it.
        panic!("{}", collecting.lost().await);
    });
}

/// A collector at work; killed when dropped.
struct Server(Child);

impl Server {
    fn start(place: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["collector", "--exact"]).env(CHILD, place).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mailbox(place: &Path, name: &str, port: u16, tls: imap::TlsMode, after: imap::After) -> imap::Settings {
    imap::Settings {
        name: name.to_owned(),
        host: "localhost".to_owned(),
        port: Some(port),
        tls,
        ca: Some(place.join("dovecot/cert.pem")),
        user: name.to_owned(),
        password: Some(Secret::File(place.join("password"))),
        after,
        message_bytes_max: 2_000_000,
        ..imap::Settings::default()
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// A generator that gives the same numbers for the same seed (an LCG with the constants of PCG).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn tick() {
    let (_never, pause) = channel::<()>();
    let _ = pause.recv_timeout(Duration::from_millis(50));
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "it never came about that {what}");
        tick();
    }
}

/// A Dovecot of our own: one password for everybody, a Maildir for each user, IMAP with STARTTLS and IMAPS.
struct Dovecot {
    child: Child,
    port: u16,
    secure: u16,
    place: PathBuf,
}

impl Dovecot {
    /// Nothing, and a word why, where it is not installed.
    fn start(place: &Path) -> Option<Self> {
        let place = place.join("dovecot");
        if !place.exists() {
            for folder in ["run", "state", "mail"] {
                fs::create_dir_all(place.join(folder)).unwrap();
            }
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(place.join("cert.pem"), made.cert.pem()).unwrap();
            fs::write(place.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        }
        // Two ports that are free now; nobody else is likely to take them in between.
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, secure) = (free(), free());
        fs::write(place.join("dovecot.conf"), configuration(&place, port, secure)).unwrap();
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(place.join("dovecot.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        let Ok(child) = command.stderr(Stdio::null()).spawn() else {
            must_not_skip("no Dovecot: cargo xtask test --install");
            return None;
        };
        let this = Self { child, port, secure, place };
        until("Dovecot listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(this)
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.place.join("mail").join(user)
    }

    /// Puts messages into a user's mailbox.
    fn deliver(&self, user: &str, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let maildir = self.maildir(user);
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).unwrap();
        }
        for (name, bytes) in messages {
            fs::write(maildir.join("tmp").join(&name), bytes).unwrap();
            fs::rename(maildir.join("tmp").join(&name), maildir.join("new").join(&name)).unwrap();
        }
        give_away(&self.place.join("mail"));
    }

    /// Messages left in the user's inbox.
    fn left(&self, user: &str) -> usize {
        let count = |folder| fs::read_dir(self.maildir(user).join(folder)).unwrap().count();
        count("new") + count("cur")
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Told to stop, the master takes its children with it.
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        if told.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0")
}

/// Dovecot reads no mail as root: where the tests run as root the mailboxes belong to nobody.
fn give_away(folder: &Path) {
    if is_root() {
        assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(folder).status().unwrap().success());
    }
}

fn configuration(place: &Path, port: u16, secure: u16) -> String {
    let place = place.display();
    let id = |what| String::from_utf8(Command::new("id").arg(what).output().unwrap().stdout).unwrap().trim().to_owned();
    let (who, uid, gid) = if is_root() {
        (String::new(), "65534".to_owned(), "65534".to_owned())
    } else {
        let (user, group) = (id("-un"), id("-gn"));
        let who =
            format!("default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n");
        (who, id("-u"), id("-g"))
    };
    format!(
        "base_dir = {place}/run\nstate_dir = {place}/state\nlog_path = {place}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
         ssl = yes\nssl_cert = <{place}/cert.pem\nssl_key = <{place}/key.pem\ndisable_plaintext_auth = no\n{who}\
         first_valid_uid = 1\nfirst_valid_gid = 1\nmail_location = maildir:{place}/mail/%u\nmail_fsync = never\n\
         mail_max_userip_connections = 1000\nauth_mechanisms = plain login\n\
         passdb {{\n driver = static\n args = password=secret\n}}\n\
         userdb {{\n driver = static\n args = uid={uid} gid={gid} home={place}/mail/%u\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n inet_listener imaps {{\n port = {secure}\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
    )
}

/// One mail: a report, in one of the shapes reporters use; every twentieth is none.
fn mail(id: u32) -> Vec<u8> {
    let xml = format!(
        "<feedback><report_metadata><org_name>reporter.example</org_name><report_id>{id}</report_id><date_range>\
         <begin>1700006400</begin><end>1700092799</end></date_range></report_metadata><policy_published>\
         <domain>b.example</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>\
         <count>{}</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>\
         </policy_evaluated></row><identifiers><header_from>b.example</header_from></identifiers></record></feedback>",
        id % 7 + 1
    );
    let head = format!("From: a@reporter.example\nSubject: Report {id}\nMIME-Version: 1.0\n");
    let text = match id % 20 {
        19 => format!("{head}\nDear postmaster, nothing is attached.\n"),
        3 | 4 => format!(
            "{head}Content-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: text/plain\n\nAttached.\n--x\n\
             Content-Type: application/octet-stream; name=\"r.xml\"\n\n{xml}\n--x--\n"
        ),
        // Larger than what is fetched at once.
        7 if id % 100 == 7 => {
            format!("{head}Content-Type: text/xml\n\n{xml}\n{}", "padding padding padding\n".repeat(60_000))
        }
        _ => format!("{head}Content-Type: text/xml\n\n{xml}\n"),
    };
    text.into_bytes()
}

/// Mails numbered from `from` on, one in ten again under another name.
fn mails(from: u32, count: u32) -> impl Iterator<Item = (String, Vec<u8>)> {
    (from..from + count).flat_map(|id| {
        let again = (id % 10 == 9).then(|| (format!("{}.again", 1_000_000 + id), mail(id - 3)));
        [(format!("{}.first", 1_000_000 + id), mail(id))].into_iter().chain(again)
    })
}

/// What a ledger must say of the mails from 0 on: reports, messages, refused.
fn expected(count: u32) -> (u64, u64, u64) {
    let good = (0..count).filter(|id| id % 20 != 19);
    let messages = good.clone().map(|id| u64::from(id % 7 + 1)).sum();
    (good.count() as u64, messages, u64::from(count / 20))
}

/// What it says.
fn said(ledger: &Path) -> Option<(u64, u64, u64)> {
    let counters = Ledger::read(ledger).ok()?.counters().ok()?;
    Some((counters.reports, counters.messages, counters.rejected))
}

/// Opens the ledger when nobody uses it any more, and holds it against what was sent.
fn audit(ledger: &Path, count: u32) {
    let ledger = Ledger::open(ledger).unwrap();
    let counters = ledger.counters().unwrap();
    assert_eq!((counters.reports, counters.messages, counters.rejected), expected(count));
    assert!(ledger.pending().unwrap().is_empty());
    assert_eq!(ledger.check().unwrap().faults, Vec::<String>::new());
}

fn configure(place: &Path, mailboxes: &[imap::Settings]) {
    fs::write(place.join("sources.json"), serde_json::to_vec(mailboxes).unwrap()).unwrap();
    fs::write(place.join("password"), "secret\n").unwrap();
}

#[test]
fn three_mailboxes_to_the_last_message() {
    let place = TempDir::new().unwrap();
    open_to_all(place.path());
    let Some(dovecot) = Dovecot::start(place.path()) else { return };
    let modes = [
        (imap::TlsMode::Implicit, dovecot.secure, imap::After::Move),
        (imap::TlsMode::Starttls, dovecot.port, imap::After::Delete),
        (imap::TlsMode::None, dovecot.port, imap::After::Seen),
    ];
    let mut mailboxes = Vec::new();
    for (number, (mode, port, after)) in (0..).zip(modes) {
        let user = format!("user{number}");
        // All three have the same mails: what counts in one is there already in the others.
        dovecot.deliver(&user, mails(0, 200));
        dovecot.deliver(&user, [("9999999.huge".to_owned(), vec![b'x'; 2_500_000])]);
        mailboxes.push(mailbox(place.path(), &user, port, mode, after));
    }
    configure(place.path(), &mailboxes);
    let server = Server::start(place.path());
    let ledger = place.path().join("ledger");
    until("all are in", || said(&ledger) == Some(expected(200)));
    // The one that is too large stays; the others are moved, deleted, marked.
    until("the first mailbox is done with", || dovecot.left("user0") == 1);
    until("the second mailbox is done with", || dovecot.left("user1") == 1);
    let seen = || {
        fs::read_dir(dovecot.maildir("user2").join("cur"))
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().rsplit(',').next().unwrap().contains('S'))
            .count()
    };
    until("the third mailbox is done with", || seen() == 220);
    let moved = fs::read_dir(dovecot.maildir("user0").join(".lamppost/cur")).unwrap().count();
    let new = fs::read_dir(dovecot.maildir("user0").join(".lamppost/new")).unwrap().count();
    assert_eq!(moved + new, 220);
    // Told by IDLE, or seen at the next look: what comes later is read too.
    dovecot.deliver("user1", mails(200, 20));
    until("what came later is in", || said(&ledger) == Some(expected(220)));
    drop(server);
    audit(&ledger, 220);
}

/// Dovecot's processes are not ours where the tests run as root: they must reach their folder.
fn open_to_all(place: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_mailbox_that_is_rebuilt_is_read_again_and_counts_once() {
    let place = TempDir::new().unwrap();
    open_to_all(place.path());
    let Some(dovecot) = Dovecot::start(place.path()) else { return };
    dovecot.deliver("user", mails(0, 100));
    let source = |port| [mailbox(place.path(), "user", port, imap::TlsMode::None, imap::After::Leave)];
    configure(place.path(), &source(dovecot.port));
    let ledger = place.path().join("ledger");
    let notes = ledger.join("sources/user.json");
    let as_read = || fs::read_to_string(&notes).unwrap_or_default();
    let server = Server::start(place.path());
    until("all are in", || said(&ledger) == Some(expected(100)));
    until("it is noted", || !as_read().is_empty());
    let first = as_read();
    drop((server, dovecot));
    // Numbers are given anew: another UIDVALIDITY.
    for name in fs::read_dir(place.path().join("dovecot/mail/user")).unwrap() {
        let path = name.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("dovecot") {
            fs::remove_file(path).unwrap();
        }
    }
    let dovecot = Dovecot::start(place.path()).unwrap();
    dovecot.deliver("user", mails(100, 20));
    configure(place.path(), &source(dovecot.port));
    let server = Server::start(place.path());
    until("the new ones are in", || said(&ledger) == Some(expected(120)));
    until("the new numbers are noted", || as_read() != first);
    assert_eq!(dovecot.left("user"), 132);
    // A lost note is no more than work done twice.
    drop(server);
    fs::remove_file(&notes).unwrap();
    let server = Server::start(place.path());
    until("it is noted again", || !as_read().is_empty());
    drop(server);
    audit(&ledger, 120);
}

/// Passes connections on to a port, and breaks each of them after some bytes.
fn breaking(to: u16, seed: u64, calm: Arc<AtomicBool>) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let broken = Arc::new(AtomicU64::new(0));
    let count = broken.clone();
    std::thread::spawn(move || {
        let mut random = Random(seed);
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            // From the login to the middle of a batch of mails.
            let bytes = if calm.load(Ordering::Relaxed) { u64::MAX } else { 500 + random.below(400_000) };
            let copy = |mut from: TcpStream, mut to: TcpStream, mut left: u64, count: Option<Arc<AtomicU64>>| {
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(n @ 1..) = from.read(&mut buffer) {
                        let n = u64::try_from(n).unwrap().min(left);
                        if to.write_all(&buffer[..usize::try_from(n).unwrap()]).is_err() {
                            break;
                        }
                        left -= n;
                        if left == 0 {
                            count.map(|count| count.fetch_add(1, Ordering::Relaxed));
                            break;
                        }
                    }
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                });
            };
            copy(client.try_clone().unwrap(), server.try_clone().unwrap(), u64::MAX, None);
            copy(server, client, bytes, Some(count.clone()));
        }
    });
    (port, broken)
}

#[test]
fn killed_and_cut_off_at_any_moment_all_are_in_once() {
    let place = TempDir::new().unwrap();
    open_to_all(place.path());
    let Some(dovecot) = Dovecot::start(place.path()) else { return };
    let (seed, kills) = (setting("LAMPPOST_KILL_SEED", 1), setting("LAMPPOST_COLLECT_KILLS", 15));
    let calm = Arc::new(AtomicBool::new(false));
    let (port, broken) = breaking(dovecot.port, seed, calm.clone());
    dovecot.deliver("user", mails(0, 600));
    configure(place.path(), &[mailbox(place.path(), "user", port, imap::TlsMode::None, imap::After::Move)]);
    let ledger = place.path().join("ledger");
    let mut random = Random(seed);
    let (_never, pause) = channel::<()>();
    for killed in 0..kills {
        let server = Server::start(place.path());
        let _ = pause.recv_timeout(Duration::from_millis(random.below(700)));
        drop(server);
        // More arrives all the time.
        let from = 600 + u32::try_from(killed).unwrap() * 20;
        dovecot.deliver("user", mails(from, 20));
    }
    // Connections that break every time would never let a large message through.
    calm.store(broken.load(Ordering::Relaxed) > 10, Ordering::Relaxed);
    let all = 600 + u32::try_from(kills).unwrap() * 20;
    let server = Server::start(place.path());
    let begun = Instant::now();
    until("all are in and moved", || {
        calm.store(begun.elapsed() > Duration::from_secs(20), Ordering::Relaxed);
        said(&ledger) == Some(expected(all)) && dovecot.left("user") == 0
    });
    drop(server);
    audit(&ledger, all);
    eprintln!("{all} mails, {kills} kills, {} broken connections, seed {seed}", broken.load(Ordering::Relaxed));
}
