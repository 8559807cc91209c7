//! From the ledger's notices to channels: what is due is taken, sent, and marked when the channel took it.
//!
//! In: the ledger, channels, the moment. Out: messages. At least once: whoever is killed between sending and marking sends the same notice,
//! with the same id, once more. A channel that does not answer is tried again later and later, and in the end given up.

use insight::Notice;
use store::{Ledger, NoticeEntry};

use super::Channel;

/// Seconds for which a notice is ours. All that is taken at once is sent in that time, or failed.
const LEASE: i64 = 15 * 60;
/// Notices taken at once.
const AT_ONCE: usize = 3;
/// Tries, the waits between which double from a minute to six hours: some three days.
const TRIES_MAX: u32 = 20;
const WAIT: i64 = 60;
const WAIT_MAX: i64 = 6 * 3_600;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Taken by their channels.
    pub sent: u64,
    /// To be tried again.
    pub failed: u64,
    /// Given up.
    pub given_up: u64,
}

/// Sends what is due. `now` gives the moment, in seconds since 1970 UTC.
///
/// # Errors
/// Only the ledger's. What channels say is noted with the notices.
pub async fn deliver(
    ledger: &Ledger,
    channels: &[Channel],
    base: &str,
    now: impl Fn() -> i64,
) -> Result<Delivered, store::Error> {
    let mut done = Delivered::default();
    loop {
        let due = ledger.claim_notices(now(), now() + LEASE, AT_ONCE)?;
        if due.is_empty() {
            return Ok(done);
        }
        for entry in due {
            match send(channels, &entry, base).await {
                Ok(()) => {
                    ledger.notice_sent(entry.id, now())?;
                    done.sent += 1;
                }
                Err(problem) => {
                    tracing::warn!("the channel {} was not told: {problem}", entry.channel);
                    let again = again(&entry).map(|wait| now() + wait);
                    ledger.notice_failed(entry.id, &problem, again, now())?;
                    *(if again.is_some() { &mut done.failed } else { &mut done.given_up }) += 1;
                }
            }
        }
    }
}

async fn send(channels: &[Channel], entry: &NoticeEntry, base: &str) -> Result<(), String> {
    let Some(channel) = channels.iter().find(|channel| channel.name() == entry.channel) else {
        return Err("there is no channel of this name in the settings any more".to_owned());
    };
    let notice: Notice =
        serde_json::from_str(&entry.notice).map_err(|_| "it was made by another version of this program".to_owned())?;
    channel.send(&notice, base).await
}

/// How long to wait before the next try; nothing where there is none.
fn again(entry: &NoticeEntry) -> Option<i64> {
    (entry.tries < TRIES_MAX).then(|| (WAIT << entry.tries.saturating_sub(1).min(20)).min(WAIT_MAX))
}
