//! Progress on standard error: a bar on a terminal, silence elsewhere.

use std::io::IsTerminal;

use collect::{Phase, Progress, State};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a known or unknown number of things.
#[derive(Debug, Clone)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar over `all` things; 0 where their number is not known yet.
    pub(crate) fn new(label: &'static str, all: u64, things: &'static str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(all);
        let template = format!("{{prefix}} [{{bar:32}}] {{human_pos}}/{{human_len}} {things} {{elapsed}} {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(label);
        Self(bar)
    }

    /// So many are done.
    pub(crate) fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}

/// A bar over the bytes of an import.
#[derive(Debug)]
pub(crate) struct ImportBar(ProgressBar);

impl ImportBar {
    /// A bar that shows nothing until something happens.
    pub(crate) fn new(label: &'static str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:32}] {bytes}/{total_bytes} {elapsed} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(label);
        Self(bar)
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for ImportBar {
    fn advanced(&self, state: &State<'_>) {
        self.0.set_length(state.bytes.max(state.bytes_done));
        self.0.set_position(state.bytes_done);
        let phase = match state.phase {
            Phase::Looking => "looking",
            Phase::Resuming => "finishing what a stop cut short",
            Phase::Importing => "",
            Phase::Committing => "bringing it to disk",
        };
        let (reports, rows) = (insight::commas(state.reports), insight::commas(state.rows));
        self.0.set_message(format!("{reports} reports, {rows} rows, {} rejected {phase}", state.rejected));
    }
}
