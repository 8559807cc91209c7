//! A mailbox of 100,000 report mails on a real Dovecot, read, kept for good, taken in and moved: mails a second, and peak memory.
//!
//! Ours runs as `serve` does, in a process of its own, and believes the mail server's Authentication-Results. The limit is a client that
//! only fetches everything with one command, moves it with another, and looks at nothing. The peer is parsedmarc, where
//! `PARSEDMARC_PYTHON` names a Python that has it: offline, writing JSON, moving what it has read; it gets a part of the same mails, and
//! what it takes to start is not counted. One JSON object a line. Skipped where there is no Dovecot.
//!
//! `mailbox [MAILS [PEER_MAILS]]`

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::peak_memory;
use bench::report_mail::{TRUSTED, mail};
use collect::sources::{self, imap};
use collect::{Activity, Collecting, Judge, Secret, Session, Standing, standing};
use cpu_time::ProcessTime;
use dns::{Zone, now};
use e2e::dovecot::{Dovecot, PASSWORD};
use serde_json::{Value, json};
use store::Ledger;

const MAILS: u64 = 100_000;
const PEER_MAILS: u64 = 2_000;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, place, port, mails] = &arguments[..]
        && word == "--collect"
    {
        let (port, mails) = (port.parse().map_err(io::Error::other)?, mails.parse().map_err(io::Error::other)?);
        return collect_all(place.as_ref(), port, mails);
    }
    let number = |at: usize, usual: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (mails, peer_mails) = (number(1, MAILS), number(2, PEER_MAILS));
    let folder = tempfile::tempdir()?;
    // The mail server is not what is measured: its files are in memory where that is possible.
    let mails_at = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let Some(dovecot) = Dovecot::start(mails_at.path()) else {
        println!("mailbox: skipped, there is no Dovecot");
        return Ok(());
    };
    let bytes = fill(&dovecot, mails, peer_mails);
    eprintln!("{mails} mails, {bytes} bytes");

    let limit = mails as f64 / bare(dovecot.port, mails)?.as_secs_f64();
    let own = std::env::current_exe()?;
    let port = dovecot.port.to_string();
    let output = Command::new(own).arg("--collect").arg(folder.path()).args([&port, &mails.to_string()]).output()?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))?;
    eprintln!("{said}");
    assert_eq!(dovecot.files("ours", "").len(), 0, "all are moved");
    let ours = mails as f64 / said["seconds"].as_f64().unwrap_or(f64::NAN);
    let peer = peer(folder.path(), &dovecot, peer_mails);
    let what = format!("{mails} mails in a mailbox, fetched, durable, taken in and moved");
    println!(
        "{}",
        json!({"what": what, "unit": "mails/s", "ours": ours, "peer": peer, "peer_name": format!("parsedmarc ({peer_mails} of them)"),
               "limit": limit, "limit_name": "fetched and moved by a client that looks at nothing"})
    );
    println!(
        "{}",
        json!({"what": "its peak memory", "unit": "MB", "ours": said["memory"].as_f64().unwrap_or(f64::NAN) / 1e6})
    );
    Ok(())
}

/// The same mails for ours and for the limit, and a part of them for the peer; their bytes.
fn fill(dovecot: &Dovecot, mails: u64, peer_mails: u64) -> u64 {
    let mut bytes = 0;
    for (number, report) in (0..).zip(scenario::load::small_reports(2, mails)) {
        let mail = mail(number, &report).into_bytes();
        bytes += mail.len() as u64;
        let name = format!("{}.report", 1_700_000_000 + number);
        if number < peer_mails {
            dovecot.deliver("peer", [(name.clone(), mail.clone())]);
        }
        dovecot.deliver("limit", [(name.clone(), mail.clone())]);
        dovecot.deliver("ours", [(name, mail)]);
    }
    for user in ["nobody", "ours"] {
        dovecot.deliver(user, []);
    }
    bytes
}

/// Fetches and moves everything, with one command each.
fn bare(port: u16, mails: u64) -> io::Result<Duration> {
    let mut stream = BufReader::with_capacity(1 << 16, TcpStream::connect(("127.0.0.1", port))?);
    let begun = Instant::now();
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    let commands = [
        format!("LOGIN limit {PASSWORD}"),
        "CREATE done".to_owned(),
        "SELECT INBOX".to_owned(),
        "UID FETCH 1:* (BODY.PEEK[])".to_owned(),
        "UID MOVE 1:* done".to_owned(),
    ];
    for (number, command) in commands.iter().enumerate() {
        let tag = format!("a{number} ");
        stream.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes())?;
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.starts_with(tag.as_bytes()) {
                break;
            }
        }
        if !line[tag.len()..].starts_with(b"OK") {
            return Err(io::Error::other(String::from_utf8_lossy(&line).into_owned()));
        }
    }
    eprintln!("limit: {mails} in {:?}", begun.elapsed());
    Ok(begun.elapsed())
}

/// Believes what the mail server says, as `serve` does; DNS has no answers.
#[derive(Debug)]
struct Believing {
    trusted: Vec<String>,
    zone: Zone,
}

impl Judge for Believing {
    fn judge(&self, mail: &[u8], session: &Session) -> Standing {
        now(standing(mail, session, &self.trusted, &self.zone, 1_777_636_800))
    }
}

/// Collects until the mailbox is empty and everything counts; says how long that took, and how much processor and memory.
fn collect_all(place: &Path, port: u16, mails: u64) -> io::Result<()> {
    std::fs::write(place.join("password"), PASSWORD)?;
    let mailbox = imap::Settings {
        name: "mailbox".to_owned(),
        host: "localhost".to_owned(),
        port: Some(port),
        tls: imap::TlsMode::None,
        user: "ours".to_owned(),
        password: Some(Secret::File(place.join("password"))),
        ..imap::Settings::default()
    };
    let settings = sources::Settings { imap: vec![mailbox], ..sources::Settings::default() };
    let path = place.join("ledger");
    let ledger = Ledger::open(&path).map_err(io::Error::other)?;
    let zone = Zone::parse("").map_err(|error| io::Error::other(error.to_string()))?;
    let judge = Arc::new(Believing { trusted: vec![TRUSTED.to_owned()], zone });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let begun = Instant::now();
    let fetched = runtime.block_on(async {
        let collecting = Collecting::start(ledger.clone(), &path, &settings, judge, Vec::new()).await;
        let collecting = collecting.map_err(io::Error::other)?;
        let mut fetched = None;
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let source = &collecting.health()[0];
            if source.activity == Activity::Waiting && source.items >= mails {
                fetched.get_or_insert_with(|| begun.elapsed());
            }
            if fetched.is_some() && ledger.counters().map_err(io::Error::other)?.items >= mails {
                return Ok::<_, io::Error>(fetched);
            }
        }
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let counters = ledger.counters().map_err(io::Error::other)?;
    println!(
        "{}",
        json!({"seconds": seconds, "fetched": fetched.map(|fetched| fetched.as_secs_f64()), "processor": ProcessTime::now().as_duration().as_secs_f64(),
               "memory": peak_memory(), "reports": counters.reports, "rejected": counters.rejected})
    );
    runtime.shutdown_background();
    Ok(())
}

/// How many a second the peer reads and moves; what it takes for an empty mailbox is taken off.
fn peer(folder: &Path, dovecot: &Dovecot, mails: u64) -> Option<f64> {
    let program: PathBuf = PathBuf::from(std::env::var_os("PARSEDMARC_PYTHON")?).parent()?.join("parsedmarc");
    let run = |user: &str| {
        let out = folder.join(format!("parsedmarc-{user}"));
        let config = folder.join(format!("{user}.ini"));
        let text = format!(
            "[general]\nsave_aggregate = True\noutput = {}\noffline = True\nsilent = True\n[mailbox]\nwatch = False\ndelete = False\n\
             batch_size = 0\n[imap]\nhost = 127.0.0.1\nport = {}\nssl = False\nskip_certificate_verification = True\nuser = {user}\npassword = {PASSWORD}\n",
            out.display(),
            dovecot.port
        );
        std::fs::write(&config, text).ok()?;
        let begun = Instant::now();
        let output = Command::new(&program).arg("-c").arg(&config).output().ok()?;
        if !output.status.success() {
            eprintln!("parsedmarc: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        Some(begun.elapsed())
    };
    let nothing = run("nobody")?;
    let all = run("peer")?;
    let left = dovecot.files("peer", "").len();
    eprintln!("parsedmarc: {mails} mails in {all:?}, {left} left; an empty mailbox in {nothing:?}");
    (left == 0).then(|| mails as f64 / (all - nothing).as_secs_f64())
}
