//! Files handed in at the portal, on their way to the ledger: the portal's [`Inbox`] before the desk that all that arrives goes over.

use std::time::Duration;

use collect::{Desk, FileArrival, FileItem, FileItems, KeepError, Outcome, Receipt};
use portal::{Became, Inbox, Incoming, Later, Refusal};
use store::{Ledger, ReportFilter};

/// How long somebody at a browser waits for what is in a file. It is kept all the same.
const PATIENCE: Duration = Duration::from_mins(1);

/// Refusals told of one file; the ledger has all of them.
const REFUSALS_MAX: usize = 20;

/// Before the desk; the ledger is asked for the numbers of reports that came before.
pub(crate) struct Uploads {
    pub(crate) desk: Desk,
    pub(crate) ledger: Ledger,
}

impl Inbox for Uploads {
    fn begin(&self, name: &str) -> Box<dyn Incoming> {
        let file = self.desk.file(format!("upload:portal {name}"));
        Box::new(Coming { desk: self.desk.clone(), ledger: self.ledger.clone(), name: name.to_owned(), file })
    }
}

/// A file that is coming.
struct Coming {
    desk: Desk,
    ledger: Ledger,
    name: String,
    file: FileArrival,
}

impl Incoming for Coming {
    fn write(&mut self, piece: Vec<u8>) -> Later<'_, ()> {
        Box::pin(self.file.write(piece))
    }

    #[expect(clippy::async_yields_async, reason = "two moments: when it is kept, and when it counts")]
    fn finish(self: Box<Self>) -> Later<'static, Later<'static, Became>> {
        Box::pin(async move {
            let Self { desk, ledger, name, file } = *self;
            let bytes = file.size();
            let FileItems { items, failed } = file.finish(true).await;
            let became = Became { name, bytes, ..Became::default() };
            let later: Later<'static, Became> = Box::pin(counted(desk, ledger, items, failed, became));
            later
        })
    }
}

/// Waits until everything in a file counts.
async fn counted(
    desk: Desk,
    ledger: Ledger,
    items: Vec<FileItem>,
    failed: Option<(String, KeepError)>,
    mut became: Became,
) -> Became {
    let _hurry = desk.hurry();
    let until = tokio::time::Instant::now() + PATIENCE;
    let several = items.len() > 1;
    for mut item in items {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        match desk.outcome_of(&mut item, left).await {
            Some(outcome) => {
                let message = item.origin.rsplit_once('#').filter(|_| several).map(|(_, number)| format!("#{number}"));
                add(&mut became, outcome, message.as_deref());
                if became.named.is_empty() && became.reports > 0 {
                    became.named = numbers(&ledger, item.receipt).await;
                }
            }
            None => became.waiting = true,
        }
    }
    if let Some((_, error)) = failed {
        refuse(&mut became, None, error.to_string());
    }
    // What was read is on disk; what was not has to be before anybody is told that it is kept.
    if became.waiting
        && let Err(error) = desk.secure().await
    {
        became.waiting = false;
        refuse(&mut became, None, error.to_string());
    }
    became
}

fn add(became: &mut Became, outcome: Outcome, message: Option<&str>) {
    became.reports += outcome.reports;
    became.new += outcome.new;
    became.duplicates += outcome.duplicates;
    became.conflicts += outcome.conflicts;
    became.samples += outcome.samples;
    became.named.extend(outcome.named);
    became.named.truncate(Outcome::NAMED_MAX);
    // Those that are not told of count all the same.
    became.rejected += outcome.rejected.saturating_sub(outcome.rejections.len() as u64);
    for (member, rejection) in outcome.rejections {
        let place = [message.map(str::to_owned), member].into_iter().flatten().collect::<Vec<_>>().join(" › ");
        refuse(became, Some(place).filter(|place| !place.is_empty()), rejection.message);
    }
}

fn refuse(became: &mut Became, member: Option<String>, message: String) {
    became.rejected += 1;
    if became.refusals.len() < REFUSALS_MAX {
        became.refusals.push(Refusal { member, message });
    }
}

/// The numbers of the reports that came in an item.
async fn numbers(ledger: &Ledger, receipt: Receipt) -> Vec<u64> {
    let ledger = ledger.clone();
    let filter = ReportFilter { item: Some(receipt.key), ..ReportFilter::default() };
    let work = move || ledger.reports(&filter, 0, Outcome::NAMED_MAX).map(|(page, _)| page);
    let mut numbers: Vec<u64> = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(page)) => page.into_iter().map(|entry| entry.superseded_by.unwrap_or(entry.id)).collect(),
        // Without them the page has no links, and everything else on it holds.
        _ => Vec::new(),
    };
    numbers.reverse();
    numbers
}
