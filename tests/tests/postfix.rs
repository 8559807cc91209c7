//! A real Postfix hands reports over by LMTP, while the program is killed again and again: Postfix keeps what was not acknowledged and
//! comes again, and in the end everything is in, once.
//!
//! Skipped, with a word, where Postfix is not installed (`cargo xtask test --install`) or the tests do not run as root, without which
//! Postfix does not start. 400 mails and 10 kills; `LAMPPOST_FULL=1` asks for 10,000 mails and 60 kills. The moments of kills come
//! from a seed, which `LAMPPOST_KILL_SEED` sets.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::mails::{Expected, mail, said};
use e2e::pace::{Random, pause, seed, size, until};
use e2e::{Server, must_not_skip};
use tempfile::TempDir;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where Debian has it.
const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// A Postfix of our own, which passes everything on by LMTP. It is stopped by its own process id when dropped, and by itself after an
/// hour.
struct Postfix {
    child: Child,
    queue: PathBuf,
    port: u16,
}

impl Postfix {
    fn start(place: &Path, lmtp: u16) -> Option<Self> {
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0");
        if !Path::new(MASTER).exists() || !is_root {
            must_not_skip("no Postfix, or not root: cargo xtask test --install");
            return None;
        }
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
        let (conf, queue, data) = (place.join("conf"), place.join("queue"), place.join("data"));
        for folder in [&conf, &queue, &data] {
            fs::create_dir(folder).unwrap();
        }
        assert!(Command::new("chown").arg("postfix").arg(&data).status().unwrap().success());
        let port = free_port();
        let at = place.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.test\n\
             mydestination =\nrelay_domains = b.example\nrelay_transport = lmtp:inet:127.0.0.1:{lmtp}\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nmynetworks = 127.0.0.0/8\nalias_maps =\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nminimal_backoff_time = 1s\n\
             maximal_backoff_time = 2s\nqueue_run_delay = 1s\n"
        );
        fs::write(conf.join("main.cf"), main).unwrap();
        fs::write(conf.join("master.cf"), master(port)).unwrap();
        let quiet = |program: &str| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&conf).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        // Makes the folders of the queue, with their owners.
        assert!(
            quiet("/usr/sbin/postfix").arg("check").status().unwrap().success(),
            "Postfix accepts its configuration"
        );
        let child = quiet(MASTER).args(["-e", "3600"]).spawn().unwrap();
        let this = Self { child, queue, port };
        until("Postfix listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(this)
    }

    /// Whether nothing is left to be delivered.
    fn is_empty(&self) -> bool {
        fn files(folder: &Path) -> usize {
            let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
        }
        ["incoming", "active", "deferred", "maildrop"].iter().all(|name| files(&self.queue.join(name)) == 0)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.queue.with_file_name("log");
            let log = fs::read_to_string(log).unwrap_or_default();
            let from = log.lines().count().saturating_sub(60);
            eprintln!("Postfix still had mail: {}; the end of its log:", !self.is_empty());
            log.lines().skip(from).for_each(|line| eprintln!("{line}"));
        }
        // Told to stop, the master takes its children with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn master(port: u16) -> String {
    let mut text = format!("{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\nqmgr unix n - n 300 1 qmgr\n");
    let services = [
        "cleanup unix n - n - 0 cleanup",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "lmtp unix - - n - - lmtp",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ];
    for service in services {
        text.push_str(service);
        text.push('\n');
    }
    text
}

/// Hands a message to Postfix.
fn send(stream: &mut BufReader<TcpStream>, message: &[u8]) {
    // RFC 5321 §4.5.2: a dot at the beginning of a line is doubled.
    let mut text = String::from_utf8(message.to_vec()).unwrap().replace("\r\n.", "\r\n..").into_bytes();
    text.extend_from_slice(b".\r\n");
    let lines: [&[u8]; 4] = [b"MAIL FROM:<r@reporter.example>\r\n", b"RCPT TO:<rua@b.example>\r\n", b"DATA\r\n", &text];
    for (line, code) in lines.iter().zip(["250", "250", "354", "250"]) {
        stream.get_mut().write_all(line).unwrap();
        let mut reply = String::new();
        stream.read_line(&mut reply).unwrap();
        assert!(reply.starts_with(code), "{reply}");
    }
}

#[test]
fn postfix_delivers_whatever_happens_to_us() {
    let mails: u32 = size("mails", 400, 10_000);
    let kills: u32 = size("kills", 10, 60);
    let place = TempDir::new().unwrap();
    let lmtp = free_port();
    let Some(postfix) = Postfix::start(place.path(), lmtp) else { return };
    let config = format!(
        "data = \"ledger\"\n[reporter]\nauthenticate = false\n[portal]\nlisten = \"127.0.0.1:0\"\n[[source.lmtp]]\nname = \"in\"\n\
         listen = \"127.0.0.1:{lmtp}\"\nrecipients = [\"rua@b.example\"]\n"
    );
    fs::write(place.path().join("lamppost.toml"), config).unwrap();
    let begun = Instant::now();
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", postfix.port)).unwrap());
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    stream.get_mut().write_all(b"HELO client.example\r\n").unwrap();
    stream.read_line(&mut line).unwrap();
    let (mut random, mut expected, mut at_work) = (Random(seed()), Expected::relayed(), 0);
    let mut server = Server::launch(["serve"], place.path());
    for number in 0..mails {
        let mail = mail(number);
        expected.add(&mail);
        send(&mut stream, &mail.bytes);
        if number % (mails / kills) == mails / kills / 2 {
            // A mail is on its way for some hundredths of a second: half of the kills come at once, the others at any moment.
            if random.below(2) == 0 {
                pause(Duration::from_millis(random.below(800)));
            }
            at_work += u32::from(!postfix.is_empty());
            drop(server);
            server = Server::launch(["serve"], place.path());
        }
    }
    until("Postfix has got rid of everything", || postfix.is_empty());
    until("all of it is in", || said(&place.path().join("ledger")).is_some_and(|said| said[0] == u64::from(mails)));
    drop(server);
    expected.audit(&place.path().join("ledger"));
    assert!(at_work > kills / 4, "only {at_work} of {kills} kills met mail on its way");
    eprintln!(
        "{mails} mails through Postfix, {kills} kills ({at_work} with mail on its way), seed {}: {:?}; items, reports, rows, messages, \
         duplicates, conflicts, rejections: {:?}",
        seed(),
        begun.elapsed(),
        expected.numbers()
    );
}
