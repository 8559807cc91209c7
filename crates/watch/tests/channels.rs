//! Every channel against somebody who listens: what is taken, what a stranger's text becomes, and what happens when nobody is there.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use collect::sources::smtp;
use collect::{Collecting, Judge, Session, Standing};
use insight::{AlertRule, Notice, NoticeAlert, NoticeKind, Severity};
use store::{AlertChange, Ledger};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use watch::channel::mail::Security;
use watch::channel::syslog::{Format, Transport};
use watch::channel::webhook::Shape;
use watch::channel::{Channel, deliver, mail, syslog, webhook};

const DEADLINE: Duration = Duration::from_mins(1);
const NOW: i64 = 1_773_000_000;

/// What somebody writes into a report to be read by whoever reads alerts.
const HOSTILE: &str = "evil\r\nBcc: everybody@example.com\r\n\r\n.\r\n<https://evil.test|click> *b* [a](https://evil.test) <!channel> a|b=c\\d \u{202e}gpj";

fn notice(sentence: &str) -> Notice {
    let alert = NoticeAlert {
        cause: "campaign example.com".to_owned(),
        rule: AlertRule::Campaign,
        severity: Severity::Red,
        title: "A wave of unauthorised mail".to_owned(),
        domain: sentence.to_owned(),
        sentence: sentence.to_owned(),
        evidence: vec![sentence.to_owned()],
        remedy: "Look at it.".to_owned(),
        link: format!("/domains/{sentence}/trend"),
        opened: NOW,
        resolved: None,
    };
    Notice { id: "0123456789abcdef".to_owned(), kind: NoticeKind::Opened, at: NOW, alerts: vec![alert], digest: None }
}

/// Waits for something, and not for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.unwrap()
}

#[derive(Debug)]
struct Anybody;

impl Judge for Anybody {
    fn judge(&self, _: &[u8], _: &Session) -> Standing {
        Standing::Authenticated { domain: "example.com".to_owned(), by: "test".to_owned() }
    }
}

/// Our own intake, as a server that takes mail.
async fn intake(dir: &Path, smtp: smtp::Settings) -> (Ledger, Collecting, SocketAddr) {
    let ledger = Ledger::open(dir).unwrap();
    let smtp = smtp::Settings {
        name: "in".to_owned(),
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        recipients: vec!["ops@example.com".to_owned(), "duty@example.com".to_owned()],
        ..smtp
    };
    let settings = collect::sources::Settings { smtp: vec![smtp], ..Default::default() };
    let collecting = Collecting::start(ledger.clone(), dir, &settings, Arc::new(Anybody), Vec::new()).await.unwrap();
    let address = collecting.listening()[0].1;
    (ledger, collecting, address)
}

/// The mails that the intake has, in the order in which they came. None of them is a report.
async fn mails(ledger: &Ledger, many: usize) -> Vec<String> {
    soon(async {
        while ledger.rejections(0, 9).unwrap().1 < many {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let (mut entries, _) = ledger.rejections(0, 9).unwrap();
    entries.reverse();
    let read = |entry: &store::RejectionEntry| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut ledger.raw(&entry.item).unwrap(), &mut text).unwrap();
        text
    };
    entries.iter().map(read).collect()
}

fn to(address: SocketAddr) -> mail::Settings {
    mail::Settings {
        name: "operations".to_owned(),
        server: "localhost".to_owned(),
        port: Some(address.port()),
        security: Security::None,
        from: "lamppost@example.com".to_owned(),
        to: vec!["ops@example.com".to_owned(), "duty@example.com".to_owned()],
        ..mail::Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_handed_to_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, collecting, address) = intake(dir.path(), smtp::Settings::default()).await;
    soon(Channel::Mail(to(address)).send(&notice(HOSTILE), "https://portal.example")).await.unwrap();
    let mail = mails(&ledger, 1).await.remove(0);
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> =
        head.lines().filter(|line| !line.starts_with([' ', '\t'])).filter_map(|line| line.split(':').next()).collect();
    assert!(!names.contains(&"Bcc"), "no field comes from a report: {head}");
    for name in ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"] {
        assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name}: {head}");
    }
    assert!(head.contains("Message-ID: <0123456789abcdef."), "the id is the notice's: {head}");
    assert!(head.lines().all(|line| line.len() <= 78 && line.is_ascii()), "{head}");
    assert!(body.lines().all(|line| line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))), "{body}");
    collecting.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_handed_over_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = smtp::Settings { certificate: Some(certificate.clone()), key: Some(key), ..smtp::Settings::default() };
    let (ledger, collecting, address) = intake(&dir.path().join("ledger"), tls).await;
    let secure = mail::Settings { security: Security::Starttls, ca: Some(certificate), ..to(address) };
    soon(Channel::Mail(secure.clone()).send(&notice("a wave"), "")).await.unwrap();
    assert_eq!(mails(&ledger, 1).await.len(), 1);
    // Somebody whom nobody vouches for gets nothing.
    let other = mail::Settings { ca: None, ..secure.clone() };
    soon(Channel::Mail(other).send(&notice("a wave"), "")).await.unwrap_err();
    // The server has no passwords: whoever is to give one is told so.
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "a secret\n").unwrap();
    let login = mail::Settings { user: Some("me".into()), password: Some(wire::Secret::File(secret)), ..secure };
    let error = soon(Channel::Mail(login).send(&notice("a wave"), "")).await.unwrap_err();
    assert!(error.contains("AUTH PLAIN") && !error.contains("a secret"), "{error}");
    collecting.stop().await;
}

/// An HTTP server that answers every request with this status; gives what it was asked.
async fn web(status: &'static str) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (said, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !whole(&text) {
                let mut buffer = [0; 4_096];
                let read = stream.read(&mut buffer).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            said.send(text).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

/// Whether a request is there to its end.
fn whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_ascii_lowercase().lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn hook(address: SocketAddr, shape: Shape) -> webhook::Settings {
    let url = format!("http://{address}/hook");
    webhook::Settings { name: "hook".to_owned(), url, shape, ..webhook::Settings::default() }
}

/// All strings in a value, with the name they stand under.
fn strings<'a>(name: &'a str, value: &'a serde_json::Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        serde_json::Value::String(text) => found.push((name, text)),
        serde_json::Value::Array(all) => all.iter().for_each(|value| strings(name, value, found)),
        serde_json::Value::Object(all) => all.iter().for_each(|(name, value)| strings(name, value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_every_shape() {
    for shape in [Shape::Generic, Shape::Slack, Shape::Teams, Shape::Matrix] {
        let (address, mut asked) = web("200 OK").await;
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "t0ken\n").unwrap();
        let settings = webhook::Settings { token: Some(wire::Secret::File(token)), ..hook(address, shape) };
        soon(Channel::Webhook(settings).send(&notice(HOSTILE), "https://portal.example")).await.unwrap();
        let request = soon(asked.recv()).await.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let line = if shape == Shape::Matrix { "PUT /hook/0123456789abcdef HTTP" } else { "POST /hook HTTP" };
        assert!(head.starts_with(line), "{head}");
        assert!(head.contains("idempotency-key: 0123456789abcdef"), "{head}");
        assert!(head.contains("authorization: Bearer t0ken"), "{head}");
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let mut found = Vec::new();
        strings("", &value, &mut found);
        for (name, text) in found {
            assert!(!text.contains('\u{202e}') && !text.contains('\r'), "{shape:?} {name}: {text:?}");
            if name == "url" {
                assert!(text.starts_with("https://portal.example/") && !text.contains(['<', '|', ' ']), "{text}");
            }
        }
        match shape {
            // What begins markup is escaped where markup is read, and all else stands where none is.
            Shape::Slack => {
                assert!(!value["text"].as_str().unwrap().contains('<'), "{value}");
                let blocks = value["blocks"].as_array().unwrap();
                assert!(blocks.iter().filter(|b| b["type"] != "actions").all(|b| b["text"]["type"] == "plain_text"));
            }
            Shape::Teams => {
                let body = value["attachments"][0]["content"]["body"].as_array().unwrap();
                assert!(body.iter().all(|block| block["type"] == "RichTextBlock"), "{value}");
            }
            Shape::Matrix => assert!(value["msgtype"] == "m.text" && value.get("formatted_body").is_none(), "{value}"),
            Shape::Generic => {
                assert_eq!(
                    (&value["id"], &value["alerts"][0]["severity"]),
                    (&"0123456789abcdef".into(), &"red".into())
                );
            }
        }
    }
    let (address, _asked) = web("503 Service Unavailable").await;
    let error = soon(Channel::Webhook(hook(address, Shape::Generic)).send(&notice("a wave"), "")).await.unwrap_err();
    assert!(error.contains("503"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_over_udp_and_tcp() {
    let two = Notice { alerts: [notice(HOSTILE).alerts, notice("a wave").alerts].concat(), ..notice("") };
    let settings = |transport, address: SocketAddr, format| syslog::Settings {
        name: "siem".to_owned(),
        server: "127.0.0.1".to_owned(),
        port: Some(address.port()),
        transport,
        format,
        hostname: Some("dmarc1".to_owned()),
        ..syslog::Settings::default()
    };
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let channel = Channel::Syslog(settings(Transport::Udp, udp.local_addr().unwrap(), Format::Text));
    soon(channel.send(&two, "https://portal.example")).await.unwrap();
    let mut lines = Vec::new();
    for _ in 0..2 {
        let mut buffer = [0; 4_096];
        let read = soon(udp.recv(&mut buffer)).await.unwrap();
        lines.push(String::from_utf8(buffer[..read].to_vec()).unwrap());
    }
    // local0 (16) × 8 + critical (2); RFC 5424 §6.
    assert!(
        lines[0].starts_with("<130>1 2026-03-08T20:00:00Z dmarc1 lamppost - campaign - \u{feff}red "),
        "{}",
        lines[0]
    );
    assert!(lines.iter().all(|line| line.len() <= 2_048 && !line.contains(['\r', '\n', '\u{202e}'])), "{lines:?}");
    assert!(lines[1].contains("[id 0123456789abcdef-1]"), "{}", lines[1]);

    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let channel = Channel::Syslog(settings(Transport::Tcp, tcp.local_addr().unwrap(), Format::Cef));
    let (sent, received) = tokio::join!(channel.send(&two, ""), async {
        let (mut stream, _) = tcp.accept().await.unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.unwrap();
        text
    });
    sent.unwrap();
    // RFC 6587 §3.4.1: each message after its length in octets.
    let (mut rest, mut framed) = (&received[..], Vec::new());
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&rest[..space]).unwrap().parse().unwrap();
        framed.push(String::from_utf8(rest[space + 1..][..length].to_vec()).unwrap());
        rest = &rest[space + 1 + length..];
    }
    assert_eq!(framed.len(), 2);
    assert!(
        framed[0].contains("CEF:0|lamppost|lamppost|1|campaign|A wave of unauthorised mail|9|externalId="),
        "{framed:?}"
    );
    assert!(framed[0].contains(r"a|b\=c\\d"), "in an extension `=` and `\\` are escaped: {framed:?}");
}

/// A ledger with one notice for the channel.
fn waiting(dir: &Path, channel: &str) -> Ledger {
    let ledger = Ledger::open(dir).unwrap();
    let text = serde_json::to_string(&notice("a wave")).unwrap();
    let change = AlertChange { notices: vec![(channel.to_owned(), NOW, text)], ..AlertChange::default() };
    ledger.change_alerts(0, NOW, |_| change).unwrap();
    ledger
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_and_then_somebody_is() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = waiting(dir.path(), "hook");
    // A port on which nobody listens any more.
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let down = [Channel::Webhook(hook(gone, Shape::Generic))];
    let done = soon(deliver(&ledger, &down, "", || NOW)).await.unwrap();
    assert_eq!((done.sent, done.failed), (0, 1));
    let entry = ledger.notices(1).unwrap().remove(0);
    assert!(entry.problem.is_some() && entry.due == NOW + 60, "tried again in a minute: {entry:?}");

    let (address, mut asked) = web("204 No Content").await;
    let up = [Channel::Webhook(hook(address, Shape::Generic))];
    let done = soon(deliver(&ledger, &up, "", || NOW + 30)).await.unwrap();
    assert_eq!(done.sent, 0, "not before");
    let done = soon(deliver(&ledger, &up, "", || NOW + 60)).await.unwrap();
    assert_eq!((done.sent, done.failed), (1, 0));
    assert!(soon(asked.recv()).await.unwrap().contains("idempotency-key: 0123456789abcdef"));
    let done = soon(deliver(&ledger, &up, "", || NOW + 1_000_000)).await.unwrap();
    assert_eq!((done.sent, asked.try_recv().is_err()), (0, true), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_for_days() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = waiting(dir.path(), "hook");
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let down = [Channel::Webhook(hook(gone, Shape::Generic))];
    let (mut now, mut tries) = (NOW, 0);
    while ledger.notices(1).unwrap()[0].given_up.is_none() {
        now = ledger.notices(1).unwrap()[0].due.max(now);
        soon(deliver(&ledger, &down, "", || now)).await.unwrap();
        tries += 1;
        assert!(tries <= 20, "it has to end");
    }
    assert!((2..=5).contains(&((now - NOW) / 86_400)), "after some days: {}", (now - NOW) / 86_400);
    // One whose channel was taken out of the settings is no different.
    let other = tempfile::tempdir().unwrap();
    let ledger = waiting(other.path(), "gone");
    assert_eq!(soon(deliver(&ledger, &down, "", || NOW)).await.unwrap().failed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_after_sending_sends_the_same_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = waiting(dir.path(), "hook");
    let (address, mut asked) = web("200 OK").await;
    let channels = [Channel::Webhook(hook(address, Shape::Generic))];
    // As `deliver` does it, and killed before it is marked.
    let entry = ledger.claim_notices(NOW, NOW + 900, 1).unwrap().remove(0);
    let claimed: Notice = serde_json::from_str(&entry.notice).unwrap();
    soon(channels[0].send(&claimed, "")).await.unwrap();
    drop(ledger);

    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(soon(deliver(&ledger, &channels, "", || NOW + 10)).await.unwrap().sent, 0, "somebody may be at it");
    assert_eq!(soon(deliver(&ledger, &channels, "", || NOW + 900)).await.unwrap().sent, 1);
    assert_eq!(soon(deliver(&ledger, &channels, "", || NOW + 9_000)).await.unwrap().sent, 0);
    let ids: Vec<bool> = [soon(asked.recv()).await.unwrap(), soon(asked.recv()).await.unwrap()]
        .iter()
        .map(|request| request.contains("idempotency-key: 0123456789abcdef"))
        .collect();
    assert_eq!(ids, [true, true], "twice, with the same id");
    assert!(asked.try_recv().is_err());
}
