//! The run: day by day and reporter by reporter, rows are drawn, sent as reports, and entered in the truth.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use report::Day;

use crate::cells::Cells;
use crate::companies::{self, Kind};
use crate::post::{Desk, issues};
use crate::traffic::{Item, Today, World};
use crate::truth::Truth;
use crate::{company, directory, failure, incidents, networks, settings, zones};

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Which company.
    pub company: Kind,
    /// Another seed gives other numbers and other addresses of the same company; of those that are put together, another company of its kind.
    pub seed: u64,
    /// Days of reports. The story takes 90; after it everything stays as it ended.
    pub days: u16,
    /// How much mail; 1 is about five million messages in 90 days.
    pub scale: f64,
    /// First day. The story's events keep their distance from it; weekends and Christmas are those of the calendar.
    pub from: Day,
    /// Whether more goes wrong than the story has: records broken, reporters silent, waves of spoofing, some twelve days apart.
    pub incidents: bool,
}

impl Default for Options {
    fn default() -> Self {
        // 2025-10-22: the 90th day is 2026-01-19.
        Self { company: Kind::Halden, seed: 1, days: 90, scale: 1.0, from: Day(20_383), incidents: false }
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

/// Generates the company's reports below `out`, and what can be known beside them: see `README.md` there. The same options give the same
/// bytes on every machine. Memory holds one day of one reporter, and the truth. `progress` gets the number of days done.
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
    fs::create_dir_all(out.join("failures"))?;
    let world = companies::world(options);
    let mut truth = Truth::new(world.flows.len(), usize::from(options.days));
    let mut cells = Cells::default();
    let mut desk = Desk::new(folder, &world.estate.rua);
    let mut summary = Summary::default();
    for n in 0..options.days {
        let today = Today { day: options.from.plus(i32::from(n)), story: i32::from(n) };
        one_day(&world, today, (&mut truth, &mut cells), &mut desk, &mut summary)?;
        progress(u64::from(n) + 1);
    }
    summary.files = desk.files;
    to_file(out, "truth.jsonl", |file| truth.write(file, &world, options.from))?;
    to_file(out, "truth-cells.jsonl.gz", |file| {
        let mut packed = GzEncoder::new(file, Compression::fast());
        cells.write(&mut packed, &world)?;
        packed.finish().map(drop)
    })?;
    to_file(out, "incidents.jsonl", |file| incidents::write(file, &world, &truth, options.from, options.days))?;
    beside(&world, options, &summary, out)?;
    Ok(summary)
}

/// What anybody could know about the world beside the reports, and what the company knows about itself.
fn beside(world: &World, options: &Options, summary: &Summary, out: &Path) -> io::Result<()> {
    let (first, days) = (options.from, options.days);
    zones::write(&out.join("dns"), &world.company.book, &world.company.records, first, days)?;
    to_file(out, "networks.mmdb", |file| file.write_all(&networks::mmdb(&world.company.book)))?;
    to_file(out, "networks.csv", |file| settings::networks(file, world))?;
    to_file(out, "people.csv", |people| to_file(out, "lists.csv", |lists| directory::write(people, lists, world)))?;
    to_file(out, "services.toml", |file| settings::services(file, world))?;
    to_file(out, "drop.json", |file| settings::drop_list(file, world))?;
    to_file(out, "lamppost.toml", |file| settings::lamppost(file, world))?;
    to_file(out, "company.json", |file| company::write(file, world, first, days))?;
    to_file(out, "README.md", |file| company::readme(file, world, first, days, summary))
}

fn one_day(
    world: &World,
    today: Today,
    (truth, cells): (&mut Truth, &mut Cells),
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
        let Some(reporter) = reporter.filter(|r| !r.silent.holds(today.story)) else { continue };
        let issues = issues(world, reporter, today, items);
        for issue in &issues {
            summary.reports += 1;
            for item in &issue.items {
                summary.rows += 1;
                summary.messages += item.row.count;
                truth.reported(item.flow, day, item.author, &item.row);
                let class = world.flows[item.flow].phase(today.story).class;
                cells.reported((item.flow, class), item.author, today.day, &item.row, &reporter.habit);
            }
        }
        desk.send(world, reporter, today, &issues)?;
        failure::send(desk.out, world, (at.unwrap_or_default(), reporter), today, &issues)?;
    }
    Ok(())
}

fn to_file(out: &Path, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out.join(name))?);
    write(&mut file)?;
    file.flush()
}
