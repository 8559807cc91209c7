//! Intake under attack: bombs, what is too large, slow clients, those who close half, and thousands of connections at the same time.
//! Everybody gets a clear answer, memory stays bounded, and what the other sources take is taken meanwhile.
//!
//! The crowd is 900 connections; `LAMPPOST_FULL=1` asks for 10,000, and for larger bombs. The program runs with the 1,024 file descriptors
//! that most systems give it.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use e2e::mails::{Expected, Mail, bomb, gzip, joined, mail, said, with_attachments, zip};
use e2e::pace::{size, until};
use e2e::{DEADLINE, Server};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Bytes of an item at most, in this test.
const ITEM_BYTES_MAX: usize = 4_000_000;

/// Connections that each source lets in, in this test.
const PLACES: u32 = 200;

/// What the program may have in memory at the most. Idle, it has 20 MB, and under all that is tried here 60; eight large items at the
/// same time may take some 4 MiB each.
const MEMORY_MAX: u64 = 160 << 20;

/// The program under attack, with its sources.
struct Target {
    server: Server,
    place: TempDir,
    lmtp: SocketAddr,
    smtp: SocketAddr,
    http: SocketAddr,
    /// LMTP that nobody attacks.
    calm: SocketAddr,
}

fn start() -> Target {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("drop")).unwrap();
    fs::write(place.path().join("token"), "secret").unwrap();
    let limits = format!("timeout_seconds = 2\nconnections_max = {PLACES}\nconnections_per_address_max = 50\n");
    let mail = format!(
        "{limits}listen = \"127.0.0.1:0\"\nrecipients = [\"rua@b.example\"]\nmessage_seconds_max = 6\nmessage_bytes_max = {ITEM_BYTES_MAX}\n"
    );
    let config = format!(
        "data = \"ledger\"\n[reporter]\nauthenticate = false\n[portal]\nlisten = \"127.0.0.1:0\"\n\
         [[source.lmtp]]\nname = \"in\"\n{mail}[[source.lmtp]]\nname = \"calm\"\n{mail}[[source.smtp]]\nname = \"mx\"\n{mail}\
         [[source.http]]\nname = \"push\"\n{limits}listen = \"127.0.0.1:0\"\ntoken = {{ file = \"token\" }}\nrequest_seconds_max = 6\n\
         body_bytes_max = {ITEM_BYTES_MAX}\n[[source.folder]]\nname = \"folder\"\npath = \"drop\"\npoll_seconds = 1\n"
    );
    fs::write(place.path().join("lamppost.toml"), config).unwrap();
    let server = Server::start(["serve"], place.path());
    let of = |name: &str| {
        let said = format!("{name} listens on ");
        let line = server.greeting.iter().find_map(|line| line.split_once(&said)).unwrap().1;
        line.trim_end_matches('.').parse().unwrap()
    };
    let (lmtp, smtp, http, calm) = (of("source in"), of("source mx"), of("source push"), of("source calm"));
    descriptors(server.id(), 1_024);
    Target { server, place, lmtp, smtp, http, calm }
}

/// Sets how many file descriptors a process may have.
fn descriptors(process: u32, count: u32) {
    let limit = format!("--nofile={count}:{count}");
    let set = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status().unwrap();
    assert!(set.success(), "this test needs {count} file descriptors");
}

impl Target {
    fn ledger(&self) -> std::path::PathBuf {
        self.place.path().join("ledger")
    }

    /// The most memory it has had, in bytes.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Stops it, holds its ledger against what was acknowledged, and says how much memory it took.
    fn end(self, expected: &Expected) -> u64 {
        until("what was acknowledged is in", || said(&self.ledger()) == Some(expected.numbers()));
        let memory = self.memory();
        assert!(memory < MEMORY_MAX, "{} MiB", memory >> 20);
        let (path, place) = (self.ledger(), self.place);
        drop(self.server);
        expected.audit(&path);
        drop(place);
        memory
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    // A connection that is reset says nothing more.
    let _ = timeout(DEADLINE, stream.read_line(&mut line)).await.expect("an answer in time");
    line
}

/// Says something and reads the reply, of which the last line counts.
async fn say(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> String {
    let _ = stream.get_mut().write_all(bytes).await;
    loop {
        let reply = line(stream).await;
        if reply.as_bytes().get(3) != Some(&b'-') {
            return reply;
        }
    }
}

/// A mail session that has come as far as DATA; otherwise what was said instead.
async fn as_far_as_data(to: SocketAddr, lmtp: bool) -> Result<BufReader<TcpStream>, String> {
    let mut stream = BufReader::new(TcpStream::connect(to).await.map_err(|error| error.to_string())?);
    let hello: &[u8] = if lmtp { b"LHLO client.example\r\n" } else { b"EHLO client.example\r\n" };
    let steps: [(&[u8], &str); 5] = [
        (b"", "220"),
        (hello, "250"),
        (b"MAIL FROM:<r@reporter.example>\r\n", "250"),
        (b"RCPT TO:<rua@b.example>\r\n", "250"),
        (b"DATA\r\n", "354"),
    ];
    for (bytes, code) in steps {
        let reply = say(&mut stream, bytes).await;
        if !reply.starts_with(code) {
            return Err(reply);
        }
    }
    Ok(stream)
}

/// Hands a mail in; what was said to it in the end.
async fn hand_in(to: SocketAddr, lmtp: bool, mail: &[u8]) -> String {
    match as_far_as_data(to, lmtp).await {
        Ok(mut stream) => say(&mut stream, &[mail, b"\r\n.\r\n"].concat()).await,
        Err(said) => said,
    }
}

/// Sends a request, closes that half if it is told to, and reads the answer to its end.
async fn request(to: SocketAddr, head: &str, body: &[u8], half: bool) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!("POST /reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n{head}\r\n");
    let (mut from, mut to) = stream.split();
    let sending = async {
        // It may have been answered before everything was sent.
        let _ = to.write_all(head.as_bytes()).await;
        let _ = to.write_all(body).await;
        if half {
            let _ = to.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let reading = async {
        let _ = from.read_to_end(&mut answer).await;
    };
    timeout(DEADLINE, async {
        tokio::select! { () = sending => {}, () = reading => {} }
    })
    .await
    .expect("an answer in time");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Pushes an item and waits for what is found in it.
async fn push(to: SocketAddr, body: &[u8]) -> String {
    request(to, &format!("Prefer: wait=60\r\nContent-Length: {}\r\n", body.len()), body, false).await
}

/// Items whose bytes grow, or whose structure does, when they are opened; each is refused.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let large = bomb(size("bytes of a bomb", 200 << 20, 2 << 30));
    let head = "From: a@reporter.example\r\nSubject: Report\r\nMIME-Version: 1.0\r\n";
    let attached = |name: &str, bytes: &[u8]| with_attachments(head, &[("application/gzip", name, bytes)]).into_bytes();
    let mut shells = large.clone();
    for _ in 0..30 {
        shells = gzip(&shells);
    }
    let entities = joined(1..12, |n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)));
    let elements = gzip(format!("<feedback>{}", "<a>".repeat(20_000_000)).as_bytes());
    let deep = joined(0..5_000, |n| format!("Content-Type: multipart/mixed; boundary=\"b{n}\"\r\n\r\n--b{n}\r\n"));
    let parts = "--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n".repeat(80_000);
    vec![
        ("gzip of white space", attached("r.xml.gz", &large)),
        ("gzip of gzip", attached("r.xml.gz", &gzip(&gzip(&large)))),
        ("gzip, thirty times over", attached("r.xml.gz", &shells)),
        ("a zip of it", attached("r.zip", &zip(&[("a.xml.gz", &large), ("b.xml.gz", &large)]))),
        ("entities", format!("{head}Content-Type: text/xml\r\n\r\n<!DOCTYPE feedback [<!ENTITY e0 \"ha\">{entities}]>\r\n<feedback>&e11;</feedback>\r\n").into_bytes()),
        ("elements in elements", attached("r.xml.gz", &elements)),
        ("parts in parts", format!("{head}{deep}\r\nnothing\r\n").into_bytes()),
        ("many parts", format!("{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n").into_bytes()),
        ("a long header", format!("{head}X-Long: {}\r\n\r\nnothing\r\n", "x".repeat(3_000_000)).into_bytes()),
        ("many fields", format!("{head}{}\r\nnothing\r\n", "X: y\r\n".repeat(400_000)).into_bytes()),
    ]
}

/// What an HTTP answer says was found: new reports, and refusals.
fn found(answer: &str) -> (u64, u64) {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    (value["found"]["new"].as_u64().unwrap(), value["found"]["rejected"].as_u64().unwrap())
}

#[test]
fn bombs_are_refused_by_name_and_cost_little() {
    let target = start();
    let idle = target.memory();
    let mut expected = Expected::default();
    let bombs = bombs();
    runtime().block_on(async {
        for (number, (what, bytes)) in (0..).zip(&bombs) {
            assert!(bytes.len() < ITEM_BYTES_MAX, "{what}: {} bytes", bytes.len());
            // Each way in has its own bytes, so that none is known from before.
            let own = |way: &str| [format!("X-Way: {way}\r\n").as_bytes(), bytes].concat();
            assert!(hand_in(target.lmtp, true, &own("lmtp")).await.starts_with("250"), "{what}");
            assert!(hand_in(target.smtp, false, &own("smtp")).await.starts_with("250"), "{what}");
            let answer = push(target.http, &own("http")).await;
            let (new, rejected) = found(&answer);
            assert!(new == 0 && rejected >= 1, "{what}: {answer}");
            // Behind it, and with it, a report is taken in: one dialogue, one answer.
            let mail = mail(number);
            expected.add(&mail);
            assert_eq!(found(&push(target.http, &mail.bytes).await), (1, 0), "{what}");
        }
    });
    let memory = target.memory();
    eprintln!("{} bombs by three ways: {} MiB, idle {} MiB", bombs.len(), memory >> 20, idle >> 20);
    assert!(memory < MEMORY_MAX, "{} MiB", memory >> 20);
    let path = target.ledger();
    drop(target.server);
    let ledger = store::Ledger::open(&path).unwrap();
    assert_eq!(ledger.counters().unwrap().reports, bombs.len() as u64, "bombs are no reports");
    assert_eq!(ledger.counters().unwrap().items, bombs.len() as u64 * 4, "and are kept all the same");
}

#[test]
fn what_is_too_large_or_half_closed_is_told_so() {
    let target = start();
    let mut expected = Expected::default();
    let (small, other, third) = (mail(0), mail(1), mail(2));
    for mail in [&small, &other, &third] {
        expected.add(mail);
    }
    runtime().block_on(async {
        for (to, lmtp) in [(target.lmtp, true), (target.smtp, false)] {
            // Announced, it is refused before it is sent.
            let mut stream = BufReader::new(TcpStream::connect(to).await.unwrap());
            line(&mut stream).await;
            say(&mut stream, if lmtp { b"LHLO a\r\n" } else { b"EHLO a\r\n" }).await;
            let reply =
                say(&mut stream, format!("MAIL FROM:<a@b.example> SIZE={}\r\n", ITEM_BYTES_MAX + 1).as_bytes()).await;
            assert!(reply.starts_with("552"), "{reply}");
            // A little more than allowed is read to its end, far more is not.
            for bytes in [ITEM_BYTES_MAX + 10_000, ITEM_BYTES_MAX * 20] {
                let reply = hand_in(to, lmtp, "0123456789abc\r\n".repeat(bytes / 15).as_bytes()).await;
                assert!(reply.starts_with("552"), "{bytes}: {reply:?}");
            }
            // Half of a message, and that half of the connection is closed: nothing is taken.
            let mut stream = as_far_as_data(to, lmtp).await.unwrap();
            stream.get_mut().write_all(&mail(3).bytes).await.unwrap();
            stream.get_mut().shutdown().await.unwrap();
            assert_eq!(line(&mut stream).await, "", "there is nothing to be said to half a message");
        }
        // A whole message, and that half is closed: it is taken and acknowledged.
        for (to, lmtp, mail) in [(target.lmtp, true, &small), (target.smtp, false, &other)] {
            let mut stream = as_far_as_data(to, lmtp).await.unwrap();
            stream.get_mut().write_all(&[&mail.bytes[..], b".\r\n"].concat()).await.unwrap();
            stream.get_mut().shutdown().await.unwrap();
            assert!(line(&mut stream).await.starts_with("250"));
        }
        let long = |bytes: usize| vec![b'x'; bytes];
        let answer = push(target.http, &long(ITEM_BYTES_MAX + 1)).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
        let chunks =
            [format!("{:x}\r\n", ITEM_BYTES_MAX * 8).into_bytes(), long(ITEM_BYTES_MAX * 8), b"\r\n0\r\n\r\n".to_vec()]
                .concat();
        let answer = request(target.http, "Transfer-Encoding: chunked\r\n", &chunks, false).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
        let whole = format!("Content-Length: {}\r\n", third.bytes.len());
        let answer = request(target.http, &whole, &third.bytes, true).await;
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer:?}");
        let answer = request(target.http, &whole, &third.bytes[..100], true).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "half a body is not taken: {answer:?}");
    });
    let memory = target.end(&expected);
    eprintln!("peak {} MiB", memory >> 20);
}

/// What one of the crowd does once it is connected.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Silent,
    /// A byte at a time, and never a whole command.
    Slow,
    /// As far as the middle of a message or body, then a byte at a time.
    SlowInside,
    /// The same, then silent.
    Unfinished,
    /// Closes its half and waits.
    Half,
}

const MANNERS: [Manner; 5] = [Manner::Silent, Manner::Slow, Manner::SlowInside, Manner::Unfinished, Manner::Half];

/// One of the crowd; everything that was said to it.
async fn one(number: u32, to: SocketAddr, beginning: &[u8], all_there: Arc<Barrier>) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    // From many addresses, so that the limit on all is met too and not only the one on each.
    let [_, _, c, d] = (number % 40 + 2).to_be_bytes();
    socket.bind(SocketAddr::from(([127, 0, c, d], 0))).unwrap();
    let connected = socket.connect(to).await;
    all_there.wait().await;
    let Ok(stream) = connected else { return String::new() };
    let manner = MANNERS[number as usize % MANNERS.len()];
    let (mut from, mut to) = stream.into_split();
    let acting = async {
        let inside = matches!(manner, Manner::SlowInside | Manner::Unfinished);
        let bytes = if inside { beginning } else { &beginning[..4] };
        if !matches!(manner, Manner::Silent) {
            let _ = to.write_all(bytes).await;
        }
        match manner {
            Manner::Half => drop(to.shutdown().await),
            Manner::Slow | Manner::SlowInside => {
                let mut ticks = tokio::time::interval(Duration::from_millis(500));
                while to.write_all(b"x").await.is_ok() {
                    ticks.tick().await;
                }
            }
            Manner::Silent | Manner::Unfinished => {}
        }
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let reading = async {
        let _ = from.read_to_end(&mut said).await;
    };
    let ended = timeout(DEADLINE, async {
        tokio::select! { () = acting => {}, () = reading => {} }
    });
    ended.await.unwrap_or_else(|_| panic!("connection {number}, {manner:?}, is never ended"));
    String::from_utf8_lossy(&said).into_owned()
}

/// Whether somebody was told in words what to make of it.
fn is_clear(said: &str, manner: Manner) -> bool {
    let last = said.lines().rfind(|line| line.as_bytes().get(3) == Some(&b' ')).unwrap_or_default();
    if said.starts_with("HTTP/1.1 ") {
        return ["400", "408", "429", "503"].iter().any(|code| said[9..].starts_with(code));
    }
    match manner {
        // To who closes its half before anything was asked, nothing is left to be said.
        Manner::Half => said.is_empty() || said.starts_with("220") || said.starts_with("421"),
        _ => last.starts_with("421"),
    }
}

#[test]
fn a_crowd_is_told_to_come_again_and_others_are_served() {
    let crowd: u32 = size("connections", 900, 10_000);
    descriptors(std::process::id(), crowd + 1_000);
    let target = start();
    let mut expected = Expected::default();
    let (lmtp, smtp) = (
        "LHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<rua@b.example>\r\nDATA\r\nFrom: a",
        "EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<rua@b.example>\r\nDATA\r\nFrom: a",
    );
    let http =
        "POST /reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 5000\r\n\r\n<feedback>";
    let meanwhile: Vec<Mail> = (0..20).map(mail).collect();
    let unclear = runtime().block_on(async {
        let all_there = Arc::new(Barrier::new(crowd as usize + 1));
        let mut all = JoinSet::new();
        for number in 0..crowd {
            let (to, beginning) = [(target.lmtp, lmtp), (target.smtp, smtp), (target.http, http)][number as usize % 3];
            let all_there = all_there.clone();
            all.spawn(async move { (number, one(number, to, beginning.as_bytes(), all_there).await) });
        }
        timeout(DEADLINE, all_there.wait()).await.expect("all are connected");
        // They are all there, and the source that is not theirs takes what comes: one dialogue each.
        for (number, mail) in meanwhile.iter().enumerate() {
            expected.add(mail);
            if number % 4 == 3 {
                fs::write(target.place.path().join(format!("drop/{number}.eml")), &mail.bytes).unwrap();
                continue;
            }
            let reply = hand_in(target.calm, true, &mail.bytes[..mail.bytes.len() - 2]).await;
            assert!(reply.starts_with("250"), "{number}: {reply}");
        }
        let portal = target.server.address.clone();
        let shown = tokio::task::spawn_blocking(move || e2e::get(&portal, "/").status).await.unwrap();
        assert!(shown < 400, "the portal answers: {shown}");
        let (mut unclear, mut unanswered) = (Vec::new(), 0);
        while let Some(one) = all.join_next().await {
            let (number, said) = one.unwrap();
            let (manner, kind) = (MANNERS[number as usize % MANNERS.len()], number % 3);
            // HTTP has no word for a head that does not come in time: who was let in and sent none is not answered.
            let wordless = kind == 2 && said.is_empty();
            unanswered += u32::from(wordless);
            if !wordless && !is_clear(&said, manner) {
                unclear.push((number, manner, said));
            }
        }
        assert!(unanswered <= PLACES, "{unanswered} were turned away without a word");
        unclear
    });
    assert!(
        unclear.is_empty(),
        "{} of {crowd} have no clear answer, such as {:?}",
        unclear.len(),
        &unclear[..unclear.len().min(5)]
    );
    // The crowd is gone, and the sources it came through take what comes.
    let after = [mail(20), mail(21), mail(22)];
    runtime().block_on(async {
        expected.add(&after[0]);
        expected.add(&after[1]);
        expected.add(&after[2]);
        assert!(hand_in(target.lmtp, true, &after[0].bytes[..after[0].bytes.len() - 2]).await.starts_with("250"));
        assert!(hand_in(target.smtp, false, &after[1].bytes[..after[1].bytes.len() - 2]).await.starts_with("250"));
        assert_eq!(found(&push(target.http, &after[2].bytes).await), (1, 0));
    });
    let memory = target.end(&expected);
    eprintln!("{crowd} connections: peak {} MiB", memory >> 20);
}
