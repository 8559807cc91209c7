//! Keeping the ledger: backups.

use std::io::Write;
use std::path::Path;

use super::{Done, read};

pub(super) fn backup(data: &Path, to: &Path, out: &mut impl Write) -> anyhow::Result<Done> {
    read(data)?.backup(to)?;
    writeln!(
        out,
        "The ledger in {} is copied to {to}; look into it with --data {to}.",
        data.display(),
        to = to.display()
    )?;
    Ok(Done::Well)
}
