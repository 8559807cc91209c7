//! Directory servers that are none: silent, closed, full of nonsense. A real one is in the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::time::Duration;

use enrich::directory::{DirectoryLimits, LdapError, LdapSettings, LdapTls, load};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that says this to whatever it hears, and what comes of loading from it.
async fn against(answer: &'static [u8], tls: LdapTls, bind: &str) -> LdapError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 4_096];
                while stream.read(&mut heard).await.is_ok_and(|bytes| bytes > 0) {
                    if answer == b"CLOSE" || stream.write_all(answer).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let settings = LdapSettings {
        port,
        bind_dn: bind.to_owned(),
        password: "topsecret".to_owned(),
        authorities: (tls != LdapTls::Clear).then(|| AUTHORITY.to_vec()),
        answer_time: Duration::from_millis(300),
        time: Duration::from_secs(5),
        ..LdapSettings::new("127.0.0.1", tls, "dc=contoso,dc=example")
    };
    load(&settings, &DirectoryLimits::default()).await.expect_err("no directory")
}

/// A certificate that is none: refused before anything is sent.
const AUTHORITY: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

#[tokio::test]
async fn servers_that_are_none() {
    let who = "cn=reader,dc=contoso,dc=example";
    let cases: [(&str, &[u8], &str); 8] = [
        ("closes at once", b"CLOSE", who),
        ("closes at once, no name", b"CLOSE", ""),
        ("speaks another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n", who),
        ("zeros", &[0; 64], who),
        ("a length of four gigabytes", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1], who),
        ("an answer without what belongs in it", &[0x30, 0x05, 2, 1, 1, 0x61, 0], who),
        ("another answer than was asked for", &[0x30, 0x05, 2, 1, 1, 0x64, 0], ""),
        ("says nothing", b"", who),
    ];
    for (why, answer, bind) in cases {
        let error = against(answer, LdapTls::Clear, bind).await;
        println!("{why}: {error}");
        assert!(!error.to_string().contains("topsecret"), "{why}");
    }
}

#[tokio::test]
async fn authorities_that_are_none() {
    for tls in [LdapTls::StartTls, LdapTls::Ldaps] {
        let error = against(b"CLOSE", tls, "").await;
        assert!(matches!(error, LdapError::Authorities(_)), "{error}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = LdapSettings { port, ..LdapSettings::new("127.0.0.1", LdapTls::Clear, "dc=x") };
    let error = load(&settings, &DirectoryLimits::default()).await.unwrap_err();
    assert!(matches!(&error, LdapError::Connect { server, .. } if server.ends_with(&port.to_string())), "{error}");
}
