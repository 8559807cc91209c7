//! Connections to servers: plain or encrypted, with a deadline on everything.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long a connection and its handshake may take.
const CONNECT: Duration = Duration::from_secs(30);

/// A connection, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

/// Does `work` within `long`; `what` says what it was.
///
/// # Errors
/// In words for people: the work's own, or that it took too long.
pub async fn timed<T, E: fmt::Display>(
    what: &str,
    long: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(long, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(_) => Err(format!("{what}: no answer within {} seconds", long.as_secs())),
    }
}

/// Connects to a host's first address that answers.
///
/// # Errors
/// In words for people.
pub async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let stream = timed(&format!("connecting to {host}:{port}"), CONNECT, TcpStream::connect((host, port))).await?;
    // Commands are small and answer one another.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whether what is said to this peer stays on this machine.
#[must_use]
pub fn is_local(stream: &TcpStream) -> bool {
    stream.peer_addr().is_ok_and(|peer| match peer.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.to_canonical().is_loopback(),
    })
}

/// Encrypts a connection to the host of this name.
///
/// # Errors
/// In words for people.
pub async fn encrypt(
    connector: &TlsConnector,
    host: &str,
    stream: impl Wire + 'static,
) -> Result<Box<dyn Wire>, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no host name"))?;
    let stream = timed(&format!("TLS with {host}"), CONNECT, connector.connect(name, stream)).await?;
    Ok(Box::new(stream))
}
