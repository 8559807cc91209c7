//! The doors of what listens: how many may be inside, in all and from one address, and the loop that lets them in.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::context::Context;
use crate::health::Activity;

/// How long nobody is let in after the system could not let one in.
const PAUSE: Duration = Duration::from_millis(200);

/// How long somebody who was answered and still sends is listened to.
const PARTING: Duration = Duration::from_secs(2);

/// Those who were turned away and are listened to so that they hear it, at the same time: each has a file descriptor, of which there
/// are often no more than 1,024.
const PARTING_MAX: usize = 64;

/// Closes a connection whose other end has been answered and may still be sending. What is closed with unread bytes is reset, and the
/// answer may be lost with it: so they are read, for a while, and forgotten.
pub(super) async fn part<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let listen = async {
        let _ = stream.shutdown().await;
        let mut rest = [0; 2048];
        while let Ok(1..) = stream.read(&mut rest).await {}
    };
    let _ = tokio::time::timeout(PARTING, listen).await;
}

/// Turns somebody away: into the system's buffer or not at all, and nobody waits for it.
fn turn_away(stream: TcpStream, refusal: &[u8], parting: &mut JoinSet<()>) {
    if stream.try_write(refusal).is_err() {
        return;
    }
    if parting.len() < PARTING_MAX {
        parting.spawn(part(stream));
        return;
    }
    // At least what is there already.
    let mut rest = [0; 2048];
    let _ = stream.try_read(&mut rest);
}

/// Connections that the system holds until they are let in or turned away; it may have a smaller limit. Beyond it a client may believe
/// that it is connected while the system has forgotten it.
const WAITING_MAX: u32 = 4_096;

/// Takes an address.
#[expect(clippy::unused_async, reason = "a listener needs the runtime that it is made in, which whoever awaits has")]
pub(super) async fn bind(listen: Option<SocketAddr>) -> Result<(TcpListener, SocketAddr), String> {
    let listen = listen.ok_or("it needs `listen`")?;
    let failed = |error| format!("it cannot listen on {listen}: {error}");
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    // The port can be taken again at once after a stop.
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(listen).map_err(failed)?;
    let listener = socket.listen(WAITING_MAX).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Connections by address.
type Callers = Arc<Mutex<HashMap<IpAddr, u32>>>;

/// How many may be inside.
pub(super) struct Doors {
    all: Arc<Semaphore>,
    max: usize,
    per_address_max: u32,
    callers: Callers,
}

/// Who is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    All,
    Address,
}

impl Doors {
    pub(super) fn new(max: u32, per_address_max: u32) -> Self {
        let max = max as usize;
        Self { all: Arc::new(Semaphore::new(max)), max, per_address_max, callers: Callers::default() }
    }

    /// Whether three quarters of the places are taken.
    pub(super) fn crowded(&self) -> bool {
        self.all.available_permits() < self.max / 4
    }

    fn admit(&self, ip: IpAddr) -> Result<Place, Crowd> {
        let one = self.all.clone().try_acquire_owned().map_err(|_| Crowd::All)?;
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = callers.entry(ip).or_default();
        if *count >= self.per_address_max {
            return Err(Crowd::Address);
        }
        *count += 1;
        Ok(Place { callers: self.callers.clone(), ip, _one: one })
    }
}

/// A connection's place inside; given back when it is dropped.
pub(super) struct Place {
    callers: Callers,
    ip: IpAddr,
    _one: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = callers.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                callers.remove(&self.ip);
            }
        }
    }
}

/// Lets connections in until told to stop. Those for whom there is no room get one of `refusals` (too many in all, too many from their
/// address), and are not waited for.
pub(super) async fn accept<F>(
    listener: TcpListener,
    context: &Context,
    doors: &Doors,
    refusals: (&[u8], &[u8]),
    mut serve: impl FnMut(TcpStream, IpAddr, Place) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    context.board.is(Activity::Waiting);
    let (mut inside, mut parting): (JoinSet<()>, JoinSet<()>) = (JoinSet::new(), JoinSet::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = parting.join_next() => continue,
            Some(ended) = inside.join_next() => {
                if let Err(error) = ended {
                    context.board.failed(&format!("a connection ended by a defect of this program: {error}"));
                }
                continue;
            }
            () = context.until_stopped() => break,
        };
        match accepted {
            Ok((stream, peer)) => match doors.admit(peer.ip()) {
                Ok(place) => drop(inside.spawn(serve(stream, peer.ip(), place))),
                Err(Crowd::All) => turn_away(stream, refusals.0, &mut parting),
                Err(Crowd::Address) => turn_away(stream, refusals.1, &mut parting),
            },
            // Out of file descriptors, mostly: others will end.
            Err(error) => {
                context.board.failed(&format!("it cannot accept: {error}"));
                if context.pause(PAUSE).await {
                    break;
                }
            }
        }
    }
    drop(listener);
    inside.shutdown().await;
    context.board.is(Activity::Stopped);
}
