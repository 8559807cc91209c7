//! HTTP push over loopback: what is taken, what is refused and how, and clients that mean no good.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use collect::Secret;
use collect::sources::Settings;
use collect::sources::http::Settings as Http;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Bench, DEADLINE, mail, report};

async fn bench(adjust: impl FnOnce(&mut Http)) -> Bench {
    Bench::new(|place| {
        std::fs::write(place.join("token"), "s3cret\n").unwrap();
        let mut http = Http {
            name: "push".to_owned(),
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            token: Some(Secret::File(place.join("token"))),
            ..Http::default()
        };
        adjust(&mut http);
        Settings { http: vec![http], ..Settings::default() }
    })
    .await
}

/// Sends bytes as they are; gives the status and the body, 0 where there is no answer.
async fn raw(bench: &Bench, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(bench.address()).await.unwrap();
    // Who is refused early may find the connection closed before all is said.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("an answer in time");
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    (status, answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
}

async fn post(bench: &Bench, fields: &str, body: &[u8]) -> (u16, Value) {
    let head = format!(
        "POST /reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    let (status, body) = raw(bench, &[head.as_bytes(), body].concat()).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_or_what_was_found() {
    let bench = bench(|_| {}).await;
    let (status, answer) = post(&bench, "Content-Type: application/xml\r\n", &report(1, 3)).await;
    assert_eq!((status, answer["known"].as_bool(), answer["found"].is_null()), (202, Some(false), true), "{answer}");
    assert_eq!(answer["receipt"].as_str().unwrap().len(), 64);
    let wait = "Prefer: wait=60\r\n";
    let (status, answer) = post(&bench, wait, &mail(2, 4)).await;
    assert_eq!((status, &answer["found"]["new"]), (200, &Value::from(1)), "{answer}");
    let (status, answer) = post(&bench, wait, &mail(2, 4)).await;
    assert_eq!((status, &answer["found"]["duplicates"], &answer["known"]), (200, &Value::from(1), &Value::from(true)));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &report(3, 5)).unwrap();
    let (status, answer) = post(&bench, wait, &gzip.finish().unwrap()).await;
    assert_eq!((status, &answer["found"]["new"]), (200, &Value::from(1)));
    let (status, answer) = post(&bench, wait, b"<html>").await;
    assert_eq!((status, &answer["found"]["rejected"]), (200, &Value::from(1)));
    assert!(answer["found"]["rejections"][0]["message"].is_string(), "{answer}");
    bench.settled(3, 12, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_own_answers() {
    let bench = bench(|http| http.body_bytes_max = 1_000).await;
    let line = |rest: &str| format!("{rest}Host: a\r\nContent-Length: 1\r\n\r\nx").into_bytes();
    let token = "Authorization: Bearer s3cret\r\n";
    let cases: [(&str, Vec<u8>, u16); 11] = [
        ("no token", line("POST /reports HTTP/1.1\r\n"), 401),
        ("another token", line("POST /reports HTTP/1.1\r\nAuthorization: Bearer s3crets\r\n"), 401),
        ("the token as a password", line("POST /reports HTTP/1.1\r\nAuthorization: Basic s3cret\r\n"), 401),
        ("another path", line(&format!("POST / HTTP/1.1\r\n{token}")), 404),
        ("another method", line(&format!("GET /reports HTTP/1.1\r\n{token}")), 405),
        (
            "a form",
            line(&format!("POST /reports HTTP/1.1\r\n{token}Content-Type: multipart/form-data; boundary=x\r\n")),
            415,
        ),
        ("another coding", line(&format!("POST /reports HTTP/1.1\r\n{token}Content-Encoding: br\r\n")), 415),
        (
            "too large, as it says",
            format!("POST /reports HTTP/1.1\r\nHost: a\r\n{token}Content-Length: 1001\r\n\r\n").into_bytes(),
            413,
        ),
        (
            "too large, without saying so",
            [
                format!("POST /reports HTTP/1.1\r\nHost: a\r\n{token}Transfer-Encoding: chunked\r\n\r\n3e9\r\n")
                    .into_bytes(),
                vec![b'x'; 1001],
                b"\r\n0\r\n\r\n".to_vec(),
            ]
            .concat(),
            413,
        ),
        ("nothing", format!("POST /reports HTTP/1.1\r\nHost: a\r\n{token}Content-Length: 0\r\n\r\n").into_bytes(), 400),
        (
            "two lengths",
            format!("POST /reports HTTP/1.1\r\nHost: a\r\n{token}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy")
                .into_bytes(),
            400,
        ),
    ];
    for (why, request, expected) in cases {
        let (status, body) = raw(&bench, &request).await;
        assert_eq!(status, expected, "{why}: {body}");
        if let Ok(problem) = serde_json::from_str::<Value>(&body) {
            assert_eq!(problem["status"], expected, "{why}");
            assert!(!body.contains("s3cret"), "{why}: the token stays ours");
        }
    }
    assert_eq!(bench.collecting.health()[0].items, 0);
    bench.settled(0, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crowds_and_dawdlers_hold_nobody_up() {
    let bench =
        bench(|http| (http.connections_max, http.connections_per_address_max, http.timeout_seconds) = (60, 50, 1))
            .await;
    // A thousand that connect and say a little; those inside are sent away after a second of silence.
    let mut crowd = Vec::new();
    for number in 0..1_000 {
        let mut stream = TcpStream::connect(bench.address()).await.unwrap();
        let says: &[u8] = match number % 3 {
            0 => b"POST /reports HT",
            1 => {
                b"POST /reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cret\r\nContent-Length: 100\r\n\r\n<fee"
            }
            _ => b"",
        };
        let _ = stream.write_all(says).await;
        crowd.push(stream);
    }
    let refused = raw(&bench, b"").await.0;
    assert!(refused == 429 || refused == 0, "there is no room: {refused}");
    let end = tokio::time::Instant::now() + DEADLINE;
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    while post(&bench, "", &report(1, 1)).await.0 != 202 {
        assert!(tokio::time::Instant::now() < end, "nobody is let in again");
        beat.tick().await;
    }
    drop(crowd);
    bench.settled(1, 1, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    let bench = bench(|_| {}).await;
    for bytes in [100, 600_000] {
        let mut stream = TcpStream::connect(bench.address()).await.unwrap();
        let head =
            "POST /reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cret\r\nContent-Length: 999999\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; bytes]).await.unwrap();
        drop(stream);
    }
    assert_eq!(post(&bench, "Prefer: wait=60\r\n", &report(1, 1)).await.0, 200);
    bench.settled(1, 1, 0).await;
}
