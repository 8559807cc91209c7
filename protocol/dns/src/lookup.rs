//! The seam to DNS: one question, one answer.
//!
//! Everything that evaluates mail asks through [`Lookup`]; a resolver answers over the network, a [`crate::Zone`] from text, a
//! [`crate::Overlay`] from both. The deadline is the implementer's: a question that takes too long is answered [`Response::Timeout`].

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::{Name, RecordType, Response};

/// Something that answers questions about names.
pub trait Lookup: Sync {
    /// The answer to one question, aliases followed. Never fails otherwise than in the [`Response`].
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send;
}

impl<L: Lookup> Lookup for &L {
    fn lookup(&self, name: &Name, kind: RecordType) -> impl Future<Output = Response> + Send {
        (**self).lookup(name, kind)
    }
}

/// The result of a future that never waits, as those over a [`crate::Zone`].
///
/// # Panics
/// When the future waits for something: it then needs an executor.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("this future waits for something outside: run it on an executor"),
    }
}
