//! Where the suites of cases and real reports are, and what happens when they are not there.

use std::path::PathBuf;

/// The folder of suites: `LAMPPOST_SUITES`, or `../shared/suites` beside the checkout. Where it is absent the caller's test is skipped,
/// and says so; in CI it fails.
///
/// # Panics
/// In CI, when there is no such folder.
#[must_use]
pub fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/suites")), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    must_not_skip(&format!("no suites at {}: set LAMPPOST_SUITES", folder.display()));
    None
}

/// Says that a test is skipped and why; where nothing may be skipped (`LAMPPOST_CI=1`), fails it.
///
/// # Panics
/// In CI.
pub fn must_not_skip(reason: &str) {
    assert!(std::env::var("LAMPPOST_CI").as_deref() != Ok("1"), "must not be skipped in CI: {reason}");
    eprintln!("SKIPPED: {reason}");
}
