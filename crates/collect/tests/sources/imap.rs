//! Logging in with tokens: a token endpoint and an IMAP server that say what the standards say. Everything else about mailboxes is
//! tested against a real server, from outside.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use collect::Secret;
use collect::sources::Settings;
use collect::sources::imap::{Settings as Imap, TlsMode};
use collect::sources::oauth::Settings as Oauth;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::{Bench, until};

/// Answers each request with the next of `answers`, the last one again and again; notes the bodies.
async fn token_endpoint(answers: Vec<(u16, &'static str)>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let noted = bodies.clone();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        let mut answer = answers.next().unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).await.unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            noted.lock().unwrap().push(String::from_utf8(body).unwrap());
            let (status, text) = answer;
            let said =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
            stream.write_all(said.as_bytes()).await.unwrap();
            answer = answers.next().unwrap_or(answer);
        }
    });
    (port, bodies)
}

/// An empty mailbox that takes one token.
async fn mailbox(token: &'static str) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = Arc::new(AtomicU32::new(0));
    let count = logins.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, token, count.clone()));
        }
    });
    (port, logins)
}

async fn serve(stream: TcpStream, token: &str, logins: Arc<AtomicU32>) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* OK ready\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        let (tag, command) = (tag.to_owned(), command.to_owned());
        let mut say = String::new();
        match command.split(' ').next().unwrap() {
            "AUTHENTICATE" => {
                stream.write_all(b"+ \r\n").await.unwrap();
                line.clear();
                stream.read_line(&mut line).await.unwrap();
                let said = format!("user=reports@b.example\x01auth=Bearer {token}\x01\x01");
                if message::base64(line.trim_end().as_bytes()) == said.as_bytes() {
                    logins.fetch_add(1, Ordering::Relaxed);
                    say += "* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n";
                } else {
                    // {"status":"401"}
                    stream.write_all(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n").await.unwrap();
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                    assert_eq!(line, "\r\n", "what the server says when it refuses has an empty answer");
                    stream.write_all(format!("{tag} NO AUTHENTICATE failed\r\n").as_bytes()).await.unwrap();
                    line.clear();
                    continue;
                }
            }
            "CAPABILITY" => say += "* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n",
            "SELECT" => say += "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n",
            "UID" => say += "* SEARCH\r\n",
            _ => {}
        }
        say.extend([&tag, " OK done\r\n"]);
        stream.write_all(say.as_bytes()).await.unwrap();
        line.clear();
    }
}

fn settings(port: u16, oauth: Oauth) -> Settings {
    let imap = Imap {
        name: "box".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: TlsMode::None,
        user: "reports@b.example".to_owned(),
        oauth: Some(oauth),
        ..Imap::default()
    };
    Settings { imap: vec![imap], ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_by_the_clients_own_credentials() {
    let answer = r#"{"access_token":"good","token_type":"Bearer","expires_in":3600}"#;
    let (endpoint, bodies) = token_endpoint(vec![(200, answer)]).await;
    let (port, logins) = mailbox("good").await;
    let bench = Bench::new(|place| {
        std::fs::write(place.join("secret"), "a&b=c").unwrap();
        let oauth = Oauth {
            token_url: format!("http://127.0.0.1:{endpoint}/token"),
            client_id: "the client".to_owned(),
            client_secret: Some(Secret::File(place.join("secret"))),
            refresh_token: None,
            scope: "https://a.example/.default".to_owned(),
        };
        settings(port, oauth)
    })
    .await;
    until("it has looked", || bench.collecting.health()[0].last_success.is_some()).await;
    assert_eq!(logins.load(Ordering::Relaxed), 1);
    let expected = "grant_type=client_credentials&client_id=the%20client&client_secret=a%26b%3Dc&scope=https%3A%2F%2Fa.example%2F.default";
    assert_eq!(*bodies.lock().unwrap(), [expected]);
    bench.settled(0, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_renewed_and_a_refresh_token_replaced() {
    let answers = vec![
        (400, r#"{"error":"invalid_grant","error_description":"The token has been revoked."}"#),
        (200, r#"{"access_token":"stale","expires_in":3600,"refresh_token":"second"}"#),
        (200, r#"{"access_token":"good","expires_in":3600}"#),
    ];
    let (endpoint, bodies) = token_endpoint(answers).await;
    let (port, logins) = mailbox("good").await;
    let bench = Bench::new(|place| {
        std::fs::write(place.join("refresh"), "first\n").unwrap();
        let oauth = Oauth {
            token_url: format!("http://127.0.0.1:{endpoint}/token"),
            client_id: "c".to_owned(),
            refresh_token: Some(Secret::File(place.join("refresh"))),
            ..Oauth::default()
        };
        settings(port, oauth)
    })
    .await;
    until("the first refusal is told", || {
        bench.collecting.health()[0].last_error.as_ref().is_some_and(|e| e.message.contains("has been revoked"))
    })
    .await;
    until("it has looked", || bench.collecting.health()[0].last_success.is_some()).await;
    assert_eq!(logins.load(Ordering::Relaxed), 1);
    let ask = |token: &str| format!("grant_type=refresh_token&refresh_token={token}&client_id=c");
    assert_eq!(*bodies.lock().unwrap(), [ask("first"), ask("first"), ask("second")]);
    bench.settled(0, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_do_not_leave_unencrypted() {
    let oauth = Oauth {
        // An address for documentation: nobody is there, and nobody is asked.
        token_url: "ftp://192.0.2.1/token".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Some(Secret::Env("PATH".to_owned())),
        ..Oauth::default()
    };
    let (port, _) = mailbox("good").await;
    let bench = Bench::new(|_| settings(port, oauth)).await;
    until("it says so", || {
        bench.collecting.health()[0].last_error.as_ref().is_some_and(|e| e.message.contains("neither https nor http"))
    })
    .await;
    bench.settled(0, 0, 0).await;
}
