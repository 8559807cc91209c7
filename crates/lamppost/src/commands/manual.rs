//! Completion scripts and manual pages, from the same description as `--help`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use super::Done;
use crate::cli::Cli;

pub(super) fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> anyhow::Result<Done> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lamppost", &mut script);
    out.write_all(&script)?;
    Ok(Done::Well)
}

pub(super) fn pages(to: &Path) -> anyhow::Result<Done> {
    std::fs::create_dir_all(to)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), to))
        .with_context(|| format!("the manual pages cannot be written to {}", to.display()))?;
    Ok(Done::Well)
}
