//! Reports by LMTP, with the collector killed without warning at random moments: whatever was acknowledged is in, and nothing twice.
//!
//! Clients send reports, one in ten of them again, and some that are none. Whenever the connection breaks they send again what was not
//! acknowledged, as a mail server does. Meanwhile the program gets SIGKILL again and again. The moments come from a seed, which
//! `LAMPPOST_KILL_SEED` sets; `LAMPPOST_COLLECT_KILLS` asks for more of them.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use e2e::{DEADLINE, Server};
use store::Ledger;
use tempfile::TempDir;

const KILLS: u64 = 20;
const REPORTS: usize = 3_000;
const CLIENTS: usize = 4;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn mail(id: usize) -> Vec<u8> {
    let xml = if id % 25 == 24 {
        format!("<feedback><report_metadata><report_id>{id}</report_id>")
    } else {
        format!(
            "<feedback><report_metadata><org_name>reporter.example</org_name><report_id>{id}</report_id><date_range>\
             <begin>1700006400</begin><end>1700092799</end></date_range></report_metadata><policy_published>\
             <domain>b.example</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>\
             <count>{}</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>\
             </policy_evaluated></row><identifiers><header_from>b.example</header_from></identifiers></record></feedback>",
            id % 7 + 1
        )
    };
    let pad = if id % 100 == 7 { " ".repeat(400_000) } else { String::new() };
    let head = "From: a@reporter.example\r\nSubject: Report\r\nContent-Type: text/xml\r\n\r\n";
    format!("{head}{xml}\r\n{pad}\r\n").into_bytes()
}

/// Sends one message on a connection; true if it was acknowledged.
fn send(stream: &mut BufReader<TcpStream>, message: &[u8]) -> std::io::Result<bool> {
    let mut say = |bytes: &[u8], code: &str| -> std::io::Result<()> {
        stream.get_mut().write_all(bytes)?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let expected = line.starts_with(code);
        if expected { Ok(()) } else { Err(std::io::Error::other(line)) }
    };
    say(b"MAIL FROM:<r@reporter.example>\r\n", "250")?;
    say(b"RCPT TO:<rua@b.example>\r\n", "250")?;
    say(b"DATA\r\n", "354")?;
    say(&[message, b".\r\n"].concat(), "250").map(|()| true)
}

fn connect(port: u16) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    stream.get_mut().write_all(b"LHLO client.example\r\n")?;
    while !line.starts_with("250 ") {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(stream)
}

/// The port of now: the system gives another one to every start.
struct Port(Mutex<u16>);

impl Port {
    fn get(&self) -> u16 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what it takes from `ids` until each is acknowledged.
fn client(ids: &Mutex<Receiver<usize>>, port: &Port, acknowledged: &AtomicUsize) {
    let mut open: Option<BufReader<TcpStream>> = None;
    let begun = Instant::now();
    loop {
        let Ok(id) = ids.lock().unwrap().try_recv() else { return };
        let message = mail(id);
        loop {
            assert!(begun.elapsed() < DEADLINE * 3, "message {id} is never acknowledged");
            let sent = match open.take().map_or_else(|| connect(port.get()), Ok) {
                Ok(mut stream) => send(&mut stream, &message).map(|_| stream),
                Err(error) => Err(error),
            };
            if let Ok(stream) = sent {
                open = Some(stream);
                acknowledged.fetch_add(1, Ordering::Relaxed);
                break;
            }
            std::thread::yield_now();
        }
    }
}

fn start(folder: &Path) -> (Server, u16) {
    let server = Server::start(["serve"], folder);
    let line = server.greeting.iter().find_map(|line| line.split_once("in listens on 127.0.0.1:")).unwrap().1;
    let port = line.trim_end_matches('.').parse().unwrap();
    (server, port)
}

#[test]
fn killed_at_any_moment_what_was_acknowledged_is_in() {
    let place = TempDir::new().unwrap();
    let config = "data = \"ledger\"\n[reporter]\nauthenticate = false\n[portal]\nlisten = \"127.0.0.1:0\"\n[[source.lmtp]]\nname = \"in\"\n\
                  listen = \"127.0.0.1:0\"\nrecipients = [\"rua@b.example\"]\n";
    std::fs::write(place.path().join("lamppost.toml"), config).unwrap();
    let (give, ids): (Sender<usize>, _) = channel();
    for id in 0..REPORTS {
        give.send(id).unwrap();
        if id % 10 == 9 {
            give.send(id - id % 7).unwrap();
        }
    }
    drop(give);
    let all = REPORTS + REPORTS / 10;
    let (seed, kills) = (setting("LAMPPOST_KILL_SEED", 1), setting("LAMPPOST_COLLECT_KILLS", KILLS));
    let (server, port) = start(place.path());
    let mut server = Some(server);
    let (port, ids, acknowledged) = (Port(Mutex::new(port)), Mutex::new(ids), AtomicUsize::new(0));
    let mut killed = 0;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| client(&ids, &port, &acknowledged))).collect();
        let mut random = seed;
        let (_never, pause) = channel::<()>();
        while killed < kills && clients.iter().any(|client| !client.is_finished()) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let patience = Duration::from_millis((random >> 33) % 60);
            let _ = pause.recv_timeout(patience);
            drop(server.take());
            killed += 1;
            let started = start(place.path());
            server = Some(started.0);
            *port.0.lock().unwrap() = started.1;
        }
        for client in clients {
            client.join().unwrap();
        }
    });
    assert_eq!(acknowledged.into_inner(), all, "each was acknowledged once");
    // The last one too: what it kept and had not taken in is taken in by whoever opens the ledger next.
    drop(server);
    let (server, _) = start(place.path());
    drop(server);
    let ledger = Ledger::open(&place.path().join("ledger")).unwrap();
    assert!(ledger.pending().unwrap().is_empty(), "serve finishes what a stop cut short before it opens");
    assert_eq!(ledger.check().unwrap().faults, Vec::<String>::new());
    let counters = ledger.counters().unwrap();
    let good = (0..REPORTS).filter(|id| id % 25 != 24);
    let messages: usize = good.clone().map(|id| id % 7 + 1).sum();
    let expected = (good.count() as u64, messages as u64, (REPORTS / 25) as u64, REPORTS as u64);
    assert_eq!((counters.reports, counters.messages, counters.rejected, counters.items), expected);
    assert!(killed >= kills / 2, "only {killed} kills: more messages are needed");
    eprintln!("{all} messages, {killed} kills, seed {seed}");
}
