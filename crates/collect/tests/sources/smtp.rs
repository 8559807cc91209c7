//! SMTP and LMTP over loopback: honest clients, slow ones, too many, too large.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use collect::Sender;
use collect::sources::Settings;
use collect::sources::smtp::Settings as Smtp;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::{Bench, DEADLINE, mail, until};

pub(crate) fn smtp() -> Smtp {
    Smtp {
        name: "in".to_owned(),
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        recipients: vec!["rua@b.example".to_owned()],
        ..Smtp::default()
    }
}

async fn bench(smtp: Smtp) -> Bench {
    Bench::new(|_| Settings { smtp: vec![smtp], ..Settings::default() }).await
}

/// A client that waits for the answer to each line.
pub(crate) struct Client<S>(BufReader<S>);

impl Client<TcpStream> {
    pub(crate) async fn connect(bench: &Bench) -> Self {
        Self(BufReader::new(TcpStream::connect(bench.address()).await.unwrap()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// The next reply, its last line; empty at the end.
    pub(crate) async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            // Somebody who is refused may find the connection reset.
            let read = timeout(DEADLINE, self.0.read_line(&mut line)).await.expect("an answer in time");
            if read.is_err() || line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> String {
        self.0.write_all(bytes).await.unwrap();
        self.reply().await
    }

    /// Sends a message, and gives the answer to it.
    async fn send(&mut self, hello: &str, message: &[u8]) -> String {
        self.send_as(hello, "client.example", message).await
    }

    /// The same with this name in HELO.
    pub(crate) async fn send_as(&mut self, hello: &str, name: &str, message: &[u8]) -> String {
        assert!(self.say(format!("{hello} {name}\r\n").as_bytes()).await.starts_with("250"));
        assert!(self.say(b"MAIL FROM:<noreply@reporter.example>\r\n").await.starts_with("250"));
        assert!(self.say(b"RCPT TO:<rua@b.example>\r\n").await.starts_with("250"));
        assert!(self.say(b"DATA\r\n").await.starts_with("354"));
        self.say(&[message, b".\r\n"].concat()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_on_disk_when_it_is_acknowledged() {
    let bench = bench(smtp()).await;
    let mut client = Client::connect(&bench).await;
    assert!(client.reply().await.starts_with("220"));
    for id in [1, 2, 2] {
        assert!(client.send("EHLO", &mail(id, 1)).await.starts_with("250"));
    }
    // Larger than what is held in memory.
    assert!(client.send("HELO", &[mail(3, 1), b"padding\r\n".repeat(100_000)].concat()).await.starts_with("250"));
    assert!(client.say(b"QUIT\r\n").await.starts_with("221"));
    let health = &bench.collecting.health()[0];
    assert_eq!((health.items, health.repeated), (4, 1));
    until("all are read", || bench.ledger.counters().unwrap().reports == 3).await;
    let (reports, _) = bench.ledger.reports(&store::ReportFilter::default(), 0, 10).unwrap();
    let sender = Sender::of(&reports[0].origin).unwrap();
    assert_eq!(sender.ip, IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!((sender.helo.as_str(), sender.mail_from.as_str()), ("client.example", "noreply@reporter.example"));
    bench.settled(3, 3, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_turned_away_and_one_is_served() {
    let bench = bench(Smtp { connections_max: 50, connections_per_address_max: 40, ..smtp() }).await;
    let mut clients = Vec::new();
    let mut served = 0;
    for _ in 0..1_000 {
        let mut client = Client::connect(&bench).await;
        let reply = client.reply().await;
        if reply.starts_with("220") {
            served += 1;
            // Held open.
            clients.push(client);
        } else {
            assert!(reply.is_empty() || reply.starts_with("421"), "{reply}");
        }
    }
    assert_eq!(served, 40, "no more than one address may have");
    // Those who were served still are, and when they go others come in.
    assert!(clients[0].send("EHLO", &mail(1, 1)).await.starts_with("250"));
    clients.clear();
    let end = tokio::time::Instant::now() + DEADLINE;
    loop {
        let mut client = Client::connect(&bench).await;
        if client.reply().await.starts_with("220") {
            assert!(client.send("EHLO", &mail(2, 1)).await.starts_with("250"));
            break;
        }
        assert!(tokio::time::Instant::now() < end, "nobody is let in again");
    }
    bench.settled(2, 2, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_is_sent_away() {
    let bench = bench(Smtp { timeout_seconds: 1, message_seconds_max: 2, ..smtp() }).await;
    let mut silent = Client::connect(&bench).await;
    assert!(silent.reply().await.starts_with("220"));
    assert!(silent.reply().await.starts_with("421"), "silence");
    let mut trickling = Client::connect(&bench).await;
    trickling.reply().await;
    for line in ["EHLO a\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<rua@b.example>\r\n", "DATA\r\n"] {
        trickling.say(line.as_bytes()).await;
    }
    // A byte at a time, never silent for long: the message as a whole has its time.
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(200));
    let reply = loop {
        beat.tick().await;
        if trickling.0.write_all(b"x").await.is_err() {
            break String::new();
        }
        let mut line = String::new();
        if timeout(std::time::Duration::from_millis(1), trickling.0.read_line(&mut line)).await.is_ok() {
            break line;
        }
    };
    assert!(reply.is_empty() || reply.starts_with("421"), "{reply}");
    bench.settled(0, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_smuggled_leaves_nothing() {
    let bench = bench(Smtp { message_bytes_max: 400_000, ..smtp() }).await;
    let mut client = Client::connect(&bench).await;
    client.reply().await;
    let large = [mail(1, 1), b"padding\r\n".repeat(60_000)].concat();
    assert!(client.send("EHLO", &large).await.starts_with("552"));
    assert!(client.send("EHLO", &mail(2, 1)).await.starts_with("250"), "the next one is taken");
    let smuggled = [mail(3, 1), b"\n.\nMAIL FROM:<x@y.example>\r\n".to_vec()].concat();
    assert!(client.send("EHLO", &smuggled).await.starts_with("521"));
    let mut gone = Client::connect(&bench).await;
    gone.reply().await;
    for line in ["EHLO a\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<rua@b.example>\r\n", "DATA\r\n"] {
        gone.say(line.as_bytes()).await;
    }
    gone.0.write_all(&mail(4, 1)).await.unwrap();
    drop(gone);
    let health = &bench.collecting.health()[0];
    assert_eq!((health.items, health.refused), (1, 2), "{health:?}");
    bench.settled(1, 1, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lmtp_and_many_clients_at_once() {
    let lmtp = Settings { lmtp: vec![smtp()], ..Settings::default() };
    let bench = Arc::new(Bench::new(|_| lmtp).await);
    let mut all = tokio::task::JoinSet::new();
    for client in 0..20 {
        let bench = bench.clone();
        all.spawn(async move {
            let mut talk = Client::connect(&bench).await;
            talk.reply().await;
            for id in 0..20 {
                // Every report is sent by two clients.
                assert!(talk.send("LHLO", &mail(client / 2 * 20 + id, 1)).await.starts_with("250"));
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    let bench = Arc::into_inner(bench).unwrap();
    assert_eq!(bench.collecting.health()[0].items, 400);
    bench.settled(200, 200, 0).await;
}

/// Writes a certificate for `localhost` and its key; gives what to trust.
fn certificate(place: &Path) -> RootCertStore {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(place.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(place.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    roots
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted() {
    let place = tempfile::tempdir().unwrap();
    let roots = certificate(place.path());
    let file = |name| Some(place.path().join(name));
    let bench = bench(Smtp { certificate: file("cert.pem"), key: file("key.pem"), require_tls: true, ..smtp() }).await;
    let mut plain = Client::connect(&bench).await;
    plain.reply().await;
    plain.say(b"EHLO a\r\n").await;
    assert!(plain.say(b"MAIL FROM:<>\r\n").await.starts_with("530"));
    assert!(plain.say(b"STARTTLS\r\n").await.starts_with("220"));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, plain.0.into_inner()).await.unwrap();
    assert!(Client(BufReader::new(stream)).send("EHLO", &mail(1, 1)).await.starts_with("250"));
    // Somebody who begins TLS and says something else does no harm.
    let mut broken = Client::connect(&bench).await;
    broken.reply().await;
    broken.say(b"STARTTLS\r\n").await;
    let _ = broken.0.write_all(b"MAIL FROM:<>\r\nthis is no handshake, whatever else it is\r\n").await;
    broken.reply().await;
    bench.settled(1, 1, 0).await;
}
