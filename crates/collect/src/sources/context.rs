//! What every source is given: the desk, its board, the word to stop; and the loop of those that fetch.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

use crate::desk::Desk;
use crate::health::{Activity, Board};
use crate::origin::Origin;

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// A pass that went well for so long ends the row of failures.
const GOOD: Duration = Duration::from_mins(1);

/// What every source is given.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) desk: Desk,
    pub(crate) board: Board,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Context {
    /// The origin of something that lay at `place`.
    pub(crate) fn origin(&self, place: impl Into<String>) -> String {
        self.origin_of(self.kind, place)
    }

    /// The same for a source that is of more than one kind.
    pub(crate) fn origin_of(&self, kind: &'static str, place: impl Into<String>) -> String {
        Origin { kind, name: self.name.clone(), place: place.into(), sender: None }.to_string()
    }

    /// Waits until it is time to stop.
    pub(crate) async fn until_stopped(&self) {
        // Nobody left to say it is the same as being told.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// Waits so long. True if it was told to stop meanwhile.
    pub(crate) async fn pause(&self, long: Duration) -> bool {
        tokio::time::timeout(long, self.until_stopped()).await.is_ok()
    }

    /// Runs passes again and again until told to stop. A pass that ends well is followed by the next after `rest`, one that fails
    /// after a pause that grows. A panic in it is a failure like others.
    pub(crate) async fn keep_trying<F, T>(&self, rest: Duration, mut pass: F)
    where
        F: FnMut() -> T,
        T: Future<Output = Result<(), String>> + Send + 'static,
    {
        let mut pause = PAUSES.0;
        loop {
            let begun = tokio::time::Instant::now();
            let mut running = tokio::spawn(pass());
            let ended = tokio::select! {
                ended = &mut running => ended,
                () = self.until_stopped() => {
                    running.abort();
                    let _ = running.await;
                    break;
                }
            };
            let result = ended.unwrap_or_else(|error| Err(format!("a defect of this program was met: {error}")));
            let wait = match result {
                Ok(()) => {
                    pause = PAUSES.0;
                    rest
                }
                Err(message) => {
                    tracing::warn!("source {} ({}): {message}", self.name, self.kind);
                    self.board.failed(&message);
                    if begun.elapsed() > GOOD {
                        pause = PAUSES.0;
                    }
                    let wait = pause;
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
            if self.pause(wait).await {
                break;
            }
        }
        self.board.is(Activity::Stopped);
    }
}
