//! Vouching for reports that came in mail which could be anybody's.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use collect::Standing;
use report::RejectionKind;
use store::{Ledger, RawKey};

use super::{Done, import};
use crate::progress::ImportBar;

/// Rejections looked through at a time.
const PAGE: usize = 10_000;

pub(super) fn accept(items: &[String], data: &Path, out: &mut impl Write) -> anyhow::Result<Done> {
    let ledger = Ledger::open(data)?;
    let vouched = serde_json::to_string(&Standing::Vouched)?;
    for item in items {
        let key = find(&ledger, item)?;
        if !ledger.reconsider(&key, &vouched)? {
            bail!("the item {key} was not refused as a whole: what is in it counts already");
        }
    }
    let bar = ImportBar::new("Taking in");
    let summary = collect::resume(&ledger, &collect::Options::default(), &bar)?;
    bar.done();
    import::text(&summary, data, out)?;
    Ok(Done::unless(summary.rejected > 0))
}

/// The refused item whose name begins so.
fn find(ledger: &Ledger, digits: &str) -> anyhow::Result<RawKey> {
    let mut found: Vec<RawKey> = Vec::new();
    for offset in (0..).step_by(PAGE) {
        let (page, _) = ledger.rejections(offset, PAGE)?;
        let refused = page.iter().filter(|entry| entry.rejection.kind == RejectionKind::UnauthenticatedReporter);
        for entry in refused.filter(|entry| entry.item.to_string().starts_with(&digits.to_lowercase())) {
            if !found.contains(&entry.item) {
                found.push(entry.item);
            }
        }
        if page.len() < PAGE {
            break;
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => bail!("no refused mail is called {digits}: `lamppost reports rejected` lists them"),
        several => {
            let names: Vec<String> = several.iter().take(5).map(ToString::to_string).collect();
            Err(anyhow::anyhow!(names.join(", ")))
                .with_context(|| format!("{digits} begins several items: give more digits"))
        }
    }
}
