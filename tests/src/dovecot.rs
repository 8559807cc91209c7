//! A Dovecot of our own: a Maildir for each user, one password for everybody, IMAP plain, with STARTTLS and with TLS, on loopback.
//!
//! It is stopped by its own process id when dropped. [`breaking`] stands before it and breaks connections at moments from a seed.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::must_not_skip;
use crate::pace::{Random, until};

/// Everybody's password.
pub const PASSWORD: &str = "secret";

/// Dovecot reads no mail as root: where the tests run as root the mailboxes belong to nobody.
const NOBODY: u32 = 65_534;

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    child: Child,
    /// Where it speaks plainly, and offers STARTTLS.
    pub port: u16,
    /// Where it speaks TLS from the beginning.
    pub secure: u16,
    place: PathBuf,
    is_root: bool,
}

impl Dovecot {
    /// Starts one in a folder, where mailboxes from before may lie; nothing, and a word why, where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(folder: &Path) -> Option<Self> {
        let place = folder.join("dovecot");
        let is_root = id("-u") == "0";
        if !place.exists() {
            for folder in ["run", "state", "mail"] {
                fs::create_dir_all(place.join(folder)).expect("the folder is ours");
            }
            // Its processes are not ours where the tests run as root: they must reach their folder.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            fs::write(place.join("cert.pem"), made.cert.pem()).expect("the folder is ours");
            fs::write(place.join("key.pem"), made.signing_key.serialize_pem()).expect("the folder is ours");
        }
        // Two ports that are free now; nobody else is likely to take them in between.
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let (port, secure) = (free(), free());
        fs::write(place.join("dovecot.conf"), configuration(&place, is_root, port, secure))
            .expect("the folder is ours");
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(place.join("dovecot.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        let Ok(child) = command.stderr(Stdio::null()).spawn() else {
            must_not_skip("no Dovecot: cargo xtask test --install");
            return None;
        };
        let this = Self { child, port, secure, place, is_root };
        let log = this.place.join("log");
        until(&format!("Dovecot listens, see {}", log.display()), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(this)
    }

    /// The certificate that its clients must trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.place.join("cert.pem")
    }

    /// Where a user's mail lies.
    #[must_use]
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.place.join("mail").join(user)
    }

    /// Puts messages into a user's mailbox, each with a name, as a delivery agent does.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn deliver(&self, user: &str, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let maildir = self.maildir(user);
        for folder in ["", "cur", "new", "tmp"] {
            let folder = maildir.join(folder);
            if !folder.exists() {
                fs::create_dir_all(&folder).expect("the folder is ours");
                self.give_away(&folder);
            }
        }
        for (name, bytes) in messages {
            let (tmp, new) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
            fs::write(&tmp, bytes).expect("the folder is ours");
            self.give_away(&tmp);
            fs::rename(&tmp, new).expect("the folder is ours");
        }
    }

    fn give_away(&self, path: &Path) {
        if self.is_root {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
    }

    /// The files of a folder of a user's mailbox: `""` for the inbox, `".name"` for another.
    #[must_use]
    pub fn files(&self, user: &str, folder: &str) -> Vec<PathBuf> {
        let maildir = self.maildir(user).join(folder);
        let list = |place: &str| {
            let entries = fs::read_dir(maildir.join(place)).into_iter().flatten();
            entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect::<Vec<_>>()
        };
        [list("new"), list("cur")].concat()
    }

    /// Takes away what Dovecot knows of the numbers of a user's messages, so that it gives new ones under another UIDVALIDITY: a mailbox
    /// that was rebuilt. It may be running.
    pub fn rebuild(&self, user: &str) {
        rebuild(&self.maildir(user));
    }

    /// Its place, for a start after it was dropped.
    #[must_use]
    pub fn restart(self, folder: &Path, meanwhile: impl FnOnce(&Path)) -> Option<Self> {
        let mail = self.place.join("mail");
        drop(self);
        meanwhile(&mail);
        Self::start(folder)
    }
}

/// The same for a Maildir whose Dovecot has stopped.
pub fn rebuild(maildir: &Path) {
    for entry in fs::read_dir(maildir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("dovecot") {
            // It may be gone already: Dovecot replaces these files all the time.
            let _ = fs::remove_file(entry.path());
        }
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

fn id(what: &str) -> String {
    let output = Command::new("id").arg(what).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn configuration(place: &Path, is_root: bool, port: u16, secure: u16) -> String {
    let place = place.display();
    let (who, uid, gid) = if is_root {
        (String::new(), NOBODY.to_string(), NOBODY.to_string())
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
         passdb {{\n driver = static\n args = password={PASSWORD}\n}}\n\
         userdb {{\n driver = static\n args = uid={uid} gid={gid} home={place}/mail/%u\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n inet_listener imaps {{\n port = {secure}\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
    )
}

/// A door before a server that breaks connections.
#[derive(Debug, Clone)]
pub struct Breaking {
    /// Where it listens.
    pub port: u16,
    to: Arc<AtomicU64>,
    calm: Arc<AtomicBool>,
    broken: Arc<AtomicU64>,
}

impl Breaking {
    /// Connections broken so far.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Breaks none of those that come from now on.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// The server has another port now.
    pub fn lead_to(&self, port: u16) {
        self.to.store(u64::from(port), Ordering::Relaxed);
    }
}

/// Passes connections on to a port, and breaks each of them after 500 to `bytes_max` bytes of what the server says.
///
/// # Panics
/// When there is no free port.
#[must_use]
pub fn breaking(to: u16, seed: u64, bytes_max: u64) -> Breaking {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let this =
        Breaking { port, to: Arc::new(AtomicU64::new(u64::from(to))), calm: Arc::default(), broken: Arc::default() };
    let own = this.clone();
    std::thread::spawn(move || {
        let mut random = Random(seed);
        for client in listener.incoming().map_while(Result::ok) {
            let to = u16::try_from(own.to.load(Ordering::Relaxed)).unwrap_or_default();
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            // From the login to the middle of a batch of mails.
            let calm = own.calm.load(Ordering::Relaxed);
            let bytes = if calm { u64::MAX } else { 500 + random.below(bytes_max) };
            let (Ok(from), Ok(back)) = (client.try_clone(), server.try_clone()) else { continue };
            pass_on(from, back, u64::MAX, None);
            pass_on(server, client, bytes, Some(own.broken.clone()));
        }
    });
    this
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, mut left: u64, count: Option<Arc<AtomicU64>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            let n = n.min(usize::try_from(left).unwrap_or(usize::MAX));
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
            left -= n as u64;
            if left == 0 {
                count.map(|count| count.fetch_add(1, Ordering::Relaxed));
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
