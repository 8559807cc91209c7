//! Serving: connections in, requests to the router, within limits that keep one slow or silent client from being in anybody's way.
//!
//! In: a listener, a router, [`Limits`], and a future that says when to stop. Out: nothing; it ends when all connections have.
//! HTTP/1.1 (RFC 9112) only: the portal speaks to a browser on the same machine.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// What clients may cost. A request's body is not in it: only uploads have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time; others wait in the system's queue. A browser opens six, a script with many workers a few
    /// dozen; each holds a file descriptor and at most one answer in memory.
    pub connections: u32,
    /// Time for the head of a request to come, from the connection's beginning or the end of the answer before. On one machine
    /// it takes milliseconds; this leaves a person time to type one by hand, and browsers reopen idle connections without a word.
    pub head: Duration,
    /// Bytes of the head of a request. An address holds eleven filters of at most 1,024 bytes, three times as long when encoded.
    pub head_bytes: usize,
    /// Header fields of a request. Browsers send about twenty.
    pub fields: usize,
    /// Life of a connection: then the answer under way is finished and the connection closed. A client that does not read its
    /// answer ends here; a raw report of 256 MiB is out in seconds.
    pub connection: Duration,
    /// Time for the answer under way to be finished, after [`Self::connection`] or when told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            fields: 100,
            connection: Duration::from_mins(10),
            grace: Duration::from_secs(10),
        }
    }
}

/// How long to wait when the system gives no more connections, most likely because its file descriptors are used up.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// Serves the router until `shutdown` is done; answers that are under way are finished, within [`Limits::grace`].
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let seats = Arc::new(Semaphore::new(limits.connections as usize));
    let (stop, stopped) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        // A seat first: whoever finds none is not even accepted, and costs nothing.
        let next = async {
            let seat = Arc::clone(&seats).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, _)| (stream, seat))
        };
        tokio::select! {
            () = &mut shutdown => break,
            accepted = next => match accepted {
                Ok((stream, seat)) => drop(tokio::spawn(connection(stream, router.clone(), limits, stopped.clone(), seat))),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(OUT_OF_SOCKETS).await;
                }
            },
        }
    }
    drop((stop, listener));
    // Every connection holds a seat to its end.
    let _all = seats.acquire_many(limits.connections).await;
    Ok(())
}

/// One connection to its end.
async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
    _seat: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true); // answers are written whole; without it they would only be slower
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    http.max_header_size(limits.head_bytes).max_headers(limits.fields);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    tokio::select! {
        // What ends a connection early is the client's doing: a cut line, a head that is none or comes too slowly.
        _ = served.as_mut() => return,
        _ = stopped.changed() => {}
        () = sleep(limits.connection) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = timeout(limits.grace, served).await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use axum::routing::get;

    use super::*;

    /// A moment: what a limit is set to so that a test meets it.
    const SOON: Duration = Duration::from_millis(100);
    /// Never, as far as a test can tell: what waits this long has failed.
    const NEVER: Duration = Duration::from_mins(1);

    fn limits(connections: u32) -> Limits {
        Limits { connections, head: NEVER, connection: NEVER, grace: SOON, ..Limits::default() }
    }

    /// Runs `test` against a server; then the server must end, whoever is still connected.
    fn served(limits: Limits, test: impl FnOnce(SocketAddr) -> Vec<TcpStream>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let much = || async { vec![b'x'; 64 << 20] }; // more than the system keeps for a client that does not read
        let router = Router::new().route("/", get(|| async { "here" })).route("/much", get(much));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let server = runtime.spawn(serve(listener, router, limits, shutdown));
        let open = test(address);
        drop(stop);
        let ended = runtime.block_on(async { timeout(NEVER / 2, server).await });
        ended.expect("the server ends when it is told to").unwrap().unwrap();
        drop(open);
    }

    /// A connection on which `text` was sent.
    fn sent(address: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(NEVER / 2)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// Everything the server says on a connection until it closes it.
    fn heard(mut stream: TcpStream) -> String {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("the server closes the connection");
        String::from_utf8_lossy(&said).into_owned()
    }

    const WHOLE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[test]
    fn a_slow_client_is_cut_and_others_are_served_meanwhile() {
        served(Limits { head: SOON, ..limits(2) }, |address| {
            let slow = sent(address, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
            assert!(heard(sent(address, WHOLE)).ends_with("here"));
            let said = heard(slow);
            assert!(!said.contains("here") && !said.contains("200"), "{said}");
            vec![]
        });
    }

    #[test]
    fn seats_that_silent_clients_hold_are_given_on() {
        let cases = [
            ("says nothing", Limits { head: SOON, ..limits(1) }, ""),
            ("asks once and stays", Limits { head: SOON, ..limits(1) }, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("does not read", Limits { connection: SOON, ..limits(1) }, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n"),
        ];
        for (why, limits, says) in cases {
            served(limits, |address| {
                let silent = sent(address, says);
                assert!(heard(sent(address, WHOLE)).ends_with("here"), "there is one seat, and a client that {why}");
                vec![silent]
            });
        }
    }

    #[test]
    fn a_head_has_an_end() {
        served(limits(4), |address| {
            let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(Limits::default().head_bytes));
            let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(Limits::default().fields + 1));
            for head in [long, many] {
                let mut stream = sent(address, "");
                let _ = stream.write_all(head.as_bytes()); // the server may close before it has all of it
                let mut said = [0; 16];
                let n = stream.read(&mut said).unwrap_or(0);
                let said = String::from_utf8_lossy(&said[..n]);
                assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
            }
            vec![]
        });
    }

    #[test]
    fn told_to_stop_it_waits_for_nobody_who_only_listens() {
        served(limits(4), |address| {
            let idle = sent(address, "");
            let unread = sent(address, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
            assert!(heard(sent(address, WHOLE)).ends_with("here"));
            vec![idle, unread]
        });
    }
}
