//! The run: day by day and reporter by reporter, rows are drawn, sent as reports, and entered in the truth.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use report::Day;

use crate::cast::cast;
use crate::company;
use crate::estate::estate;
use crate::post::{Desk, issues};
use crate::reporter::reporters;
use crate::traffic::{Item, Today, World};
use crate::truth::Truth;

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Another seed gives other numbers and other addresses of the same company.
    pub seed: u64,
    /// Days of reports. The story takes 90; after it everything stays as it ended.
    pub days: u16,
    /// How much mail; 1 is about five million messages in 90 days.
    pub scale: f64,
    /// First day. The story's events keep their distance from it; weekends and Christmas are those of the calendar.
    pub from: Day,
}

impl Default for Options {
    fn default() -> Self {
        // 2025-10-22: the 90th day is 2026-01-19.
        Self { seed: 1, days: 90, scale: 1.0, from: Day(20_383) }
    }
}

/// What was generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Files below `reports`.
    pub files: u64,
    /// Different reports in them; those that come twice and those that were corrected count once.
    pub reports: u64,
    /// Rows of those reports.
    pub rows: u64,
    /// Messages of those rows.
    pub messages: u64,
    /// Messages sent, reported or not.
    pub sent: u64,
}

/// Why nothing, or not everything, was generated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is something already.
    #[error("{} is there already: choose another directory, or remove it first", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("cannot write below {}: {source}", path.display())]
    Write {
        /// The output directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Generates the company's reports below `out`: `reports/`, `truth.jsonl`, `company.json`, `README.md`. The same options give the same
/// bytes on every machine. Memory holds one day of one reporter. `progress` gets the number of days done.
///
/// # Errors
/// If `out` holds reports already, or cannot be written.
pub fn generate(options: &Options, out: &Path, progress: &mut dyn FnMut(u64)) -> Result<Summary, Error> {
    let folder = out.join("reports");
    if folder.exists() {
        return Err(Error::Exists(folder));
    }
    run(options, out, &folder, progress).map_err(|source| Error::Write { path: out.to_owned(), source })
}

fn run(options: &Options, out: &Path, folder: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<Summary> {
    fs::create_dir_all(folder)?;
    let estate = estate();
    let flows = cast(&estate, options.seed);
    let world = World { seed: options.seed, scale: options.scale, estate, flows, reporters: reporters() };
    let mut truth = Truth::new(world.flows.len(), usize::from(options.days));
    let mut desk = Desk::new(folder);
    let mut summary = Summary::default();
    for n in 0..options.days {
        let today = Today { day: options.from.plus(i32::from(n)), story: i32::from(n) };
        one_day(&world, today, &mut truth, &mut desk, &mut summary)?;
        progress(u64::from(n) + 1);
    }
    summary.files = desk.files;
    to_file(out, "truth.jsonl", |file| truth.write(file, &world, options.from))?;
    to_file(out, "company.json", |file| company::write(file, &world, options.from, options.days))?;
    to_file(out, "README.md", |file| {
        company::readme(file, &world, options.from, options.days, summary.reports, summary.messages)
    })?;
    Ok(summary)
}

fn one_day(
    world: &World,
    today: Today,
    truth: &mut Truth,
    desk: &mut Desk<'_>,
    summary: &mut Summary,
) -> io::Result<()> {
    let day = usize::try_from(today.story).unwrap_or(0);
    let means = world.means(today);
    for (at, reporter) in world.reporters.iter().enumerate().map(|(at, r)| (Some(at), Some(r))).chain([(None, None)]) {
        let mut items: Vec<Item> = Vec::new();
        for (flow, mean) in means.iter().enumerate().filter(|(_, mean)| **mean > 0.0) {
            let mut sent = |author: usize, messages: u64| {
                truth.sent(flow, day, author, messages);
                summary.sent += messages;
            };
            world.deliver(today, flow, *mean, at, &mut sent, &mut |item| items.push(item));
        }
        let Some(reporter) = reporter.filter(|r| !(r.silent)(today.story)) else { continue };
        let issues = issues(world, reporter, today, items);
        for issue in &issues {
            summary.reports += 1;
            for item in &issue.items {
                summary.rows += 1;
                summary.messages += item.row.count;
                truth.reported(item.flow, day, item.author, &item.row);
            }
        }
        desk.send(world, reporter, today, &issues)?;
    }
    Ok(())
}

fn to_file(out: &Path, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out.join(name))?);
    write(&mut file)?;
    file.flush()
}
