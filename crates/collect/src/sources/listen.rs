//! The doors of what listens: how many may be inside, in all and from one address, and the loop that lets them in.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::context::Context;
use crate::health::Activity;

/// How long nobody is let in after the system could not let one in.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes an address.
pub(super) async fn bind(listen: Option<SocketAddr>) -> Result<(TcpListener, SocketAddr), String> {
    let listen = listen.ok_or("it needs `listen`")?;
    let failed = |error| format!("it cannot listen on {listen}: {error}");
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
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
    let mut inside: JoinSet<()> = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
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
                // Into the system's buffer or not at all.
                Err(Crowd::All) => drop(stream.try_write(refusals.0)),
                Err(Crowd::Address) => drop(stream.try_write(refusals.1)),
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
