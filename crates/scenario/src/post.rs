//! A reporter's desk: rows become reports, reports become files, and some of them go out twice.
//!
//! In: one reporter's rows of one day. Out: files below `reports/`, in a folder for each day on which they arrive.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use report::{Alignment, Day, Dialect, DiscoveryMethod, Interval, PolicyPublished, Report, Row, Text};

use crate::container::{Packed, gzip, mail, zip};
use crate::estate::Role;
use crate::random::{hash, mix};
use crate::reporter::{Again, Ids, Reporter, Window};
use crate::traffic::{Item, Today, World};

const QUARTER_SECONDS: i64 = 6 * 3600;

/// One report with what belongs to it.
pub(crate) struct Issue {
    pub(crate) report: Report,
    /// Rows with the flow and the author domain of each.
    pub(crate) items: Vec<Item>,
}

/// Sorts a reporter's rows into reports: one for each policy domain and window.
pub(crate) fn issues(world: &World, reporter: &Reporter, today: Today, items: Vec<Item>) -> Vec<Issue> {
    let mut sorted: BTreeMap<(usize, usize), Vec<Item>> = BTreeMap::new();
    for item in items {
        sorted.entry((item.quarter, item.policy_domain)).or_default().push(item);
    }
    let salt = mix(world.seed ^ hash(&reporter.domain));
    sorted
        .into_iter()
        .filter_map(|((quarter, domain), mut items)| {
            // In no order anybody could name, but always the same.
            items.sort_by_cached_key(|item| (mix(hash(&item.row.source.to_string()) ^ salt), item.flow, item.author));
            let report = header(world, reporter, today, quarter, domain)?;
            Some(Issue { report, items })
        })
        .collect()
}

fn header(world: &World, reporter: &Reporter, today: Today, quarter: usize, domain: usize) -> Option<Report> {
    let interval = interval(reporter.window, today.day, quarter);
    let name = &world.estate.domains[domain].name;
    let record = world.estate.find(domain, today.story - reporter.late)?.record;
    let new = reporter.dialect == Dialect::Rfc9990;
    let policy = PolicyPublished {
        domain: name.clone(),
        p: record.p,
        sp: record.sp.or(record.p),
        np: record.np.filter(|_| new),
        adkim: Some(record.adkim.unwrap_or(Alignment::Relaxed)),
        aspf: Some(record.aspf.unwrap_or(Alignment::Relaxed)),
        pct: (!new).then(|| record.pct.unwrap_or(100)),
        fo: Some(record.fo.clone().unwrap_or_else(|| "0".into())),
        testing: new.then_some(record.testing),
        discovery_method: new.then_some(if reporter.generator.is_some() {
            DiscoveryMethod::TreeWalk
        } else {
            DiscoveryMethod::Psl
        }),
    };
    Some(Report {
        dialect: reporter.dialect,
        version: None,
        reporter: report::Reporter {
            organization: reporter.organization.clone(),
            email: reporter.email.clone(),
            extra_contact: reporter.contact.clone(),
            generator: reporter.generator.clone(),
        },
        report_id: id(world.seed, reporter, today, interval, name),
        interval,
        errors: Vec::new(),
        policy,
    })
}

fn interval(window: Window, day: Day, quarter: usize) -> Interval {
    let quarter = i64::try_from(quarter).unwrap_or(0);
    match window {
        Window::Day { hour, inclusive } => {
            let begin = day.begin() + i64::from(hour) * 3600;
            Interval { begin, end: begin + 86_400 - i64::from(inclusive) }
        }
        Window::Quarters => {
            let begin = day.begin() + quarter * QUARTER_SECONDS;
            Interval { begin, end: begin + QUARTER_SECONDS }
        }
    }
}

fn id(seed: u64, reporter: &Reporter, today: Today, interval: Interval, domain: &str) -> Text {
    let name = hash(domain) ^ hash(&reporter.domain) ^ seed;
    let one = mix(name ^ interval.begin.unsigned_abs());
    let (two, end) = (mix(one), interval.end);
    match reporter.ids {
        Ids::Digits => Text::new(format!("{}", one % 9_000_000_000_000_000_000 + 1_000_000_000_000_000_000)),
        Ids::Seconds => Text::new(format!("{}.{:06}", end + 4_219, one % 1_000_000)),
        Ids::Hex => Text::new(format!("{one:016x}{two:016x}")),
        Ids::Dated => {
            Text::new(format!("{}.{}@{}", today.day.to_string().replace('-', ""), one % 10_000, reporter.domain))
        }
        Ids::Versioned => Text::new(format!("v2-{}-{domain}", end + 16_384)),
        Ids::Serial => Text::new(format!(
            "{}",
            1_119_000_000 + i64::from(today.story) * 1_000 + i64::try_from(one % 1_000).unwrap_or(0)
        )),
        Ids::DomainSeconds => Text::new(format!("{domain}_{end}")),
        Ids::Uuid => Text::new(format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            one >> 32,
            one & 0xffff,
            two >> 52,
            two >> 40 & 0xfff,
            two & 0xffff_ffff_ffff
        )),
        Ids::Reused => {
            let again = mix(name ^ u64::from(today.story.rem_euclid(10).unsigned_abs()));
            Text::new(format!("{again:016x}{:016x}{:016x}{:016x}", mix(again), mix(again ^ 1), mix(again ^ 2)))
        }
    }
}

/// Writes files, and counts them.
pub(crate) struct Desk<'a> {
    /// The folder `reports`.
    pub(crate) out: &'a Path,
    /// Where reports are sent to.
    rua: &'a str,
    pub(crate) files: u64,
    xml: Vec<u8>,
    text: String,
}

/// A file that is ready to go.
struct File {
    name: String,
    bytes: Vec<u8>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(out: &'a Path, rua: &'a str) -> Self {
        Self { out, rua, files: 0, xml: Vec::new(), text: String::new() }
    }

    /// Sends one reporter's reports of one day.
    pub(crate) fn send(
        &mut self,
        world: &World,
        reporter: &Reporter,
        today: Today,
        issues: &[Issue],
    ) -> io::Result<()> {
        if reporter.packed == Packed::ZipOfDay {
            return self.send_together(reporter, today, issues);
        }
        for issue in issues {
            let corrected = reporter.corrects == Some(today.story)
                && world.estate.domains.iter().any(|d| d.role == Role::Primary && d.name == issue.report.policy.domain);
            if corrected {
                let lacking = issue.items.iter().enumerate().filter(|(n, _)| n % 3 != 1).map(|(_, item)| &item.row);
                let file = self.file(reporter, &issue.report, lacking)?;
                self.put(arrival(&issue.report), &file)?;
            }
            let file = self.file(reporter, &issue.report, issue.items.iter().map(|item| &item.row))?;
            let arrives = arrival(&issue.report).plus(i32::from(corrected));
            self.put(arrives, &file)?;
            if let Again::OtherContainer(one_in) = reporter.again
                && is_turn(reporter, today, &issue.report, one_in)
            {
                let bytes = self.text.clone().into_bytes();
                let name = report::file_name(&reporter.domain, &issue.report, false);
                self.put(arrives.plus(1), &File { name, bytes })?;
            }
        }
        Ok(())
    }

    /// All reports of the day in one archive.
    fn send_together(&mut self, reporter: &Reporter, today: Today, issues: &[Issue]) -> io::Result<()> {
        let Some(first) = issues.first() else { return Ok(()) };
        let mut entries = Vec::new();
        for issue in issues {
            self.written(reporter, &issue.report, issue.items.iter().map(|item| &item.row))?;
            entries.push((report::file_name(&reporter.domain, &issue.report, false), self.text.clone()));
        }
        let bytes = zip(entries.iter().map(|(name, text)| (name.as_str(), text.as_bytes())))?;
        let file = File { name: format!("{}-{}.zip", reporter.domain, today.day), bytes };
        let arrives = arrival(&first.report);
        self.put(arrives, &file)?;
        if let Again::SameFile(one_in) = reporter.again
            && is_turn(reporter, today, &first.report, one_in)
        {
            self.put(arrives.plus(1), &file)?;
        }
        Ok(())
    }

    /// Leaves the report's XML in `self.text`.
    fn written<'r>(
        &mut self,
        reporter: &Reporter,
        report: &Report,
        rows: impl Iterator<Item = &'r Row>,
    ) -> io::Result<()> {
        self.xml.clear();
        report::write(&mut self.xml, report, rows)?;
        let xml = std::str::from_utf8(&self.xml).map_err(io::Error::other)?;
        reporter.habit.apply(xml, &mut self.text);
        Ok(())
    }

    fn file<'r>(
        &mut self,
        reporter: &Reporter,
        report: &Report,
        rows: impl Iterator<Item = &'r Row>,
    ) -> io::Result<File> {
        self.written(reporter, report, rows)?;
        let xml = self.text.as_bytes();
        let name = |gzip| report::file_name(&reporter.domain, report, gzip);
        let zipped = |name: &str| format!("{}.zip", name.trim_end_matches(".xml"));
        let mailed = |media_type, attached: String, bytes: &[u8]| File {
            name: format!("{}.eml", name(false).trim_end_matches(".xml")),
            bytes: mail(report, self.rua, &reporter.domain, media_type, &attached, bytes),
        };
        Ok(match reporter.packed {
            Packed::Xml => File { name: name(false), bytes: xml.to_vec() },
            Packed::Gzip => File { name: name(true), bytes: gzip(xml)? },
            Packed::Zip | Packed::ZipOfDay => {
                File { name: zipped(&name(false)), bytes: zip([(name(false).as_str(), xml)])? }
            }
            Packed::MailGzip => mailed("application/gzip", name(true), &gzip(xml)?),
            Packed::MailOctets => mailed("application/octet-stream", name(true), &gzip(xml)?),
            Packed::MailZip => mailed("application/zip", zipped(&name(false)), &zip([(name(false).as_str(), xml)])?),
        })
    }

    fn put(&mut self, arrives: Day, file: &File) -> io::Result<()> {
        let folder: PathBuf = self.out.join(arrives.to_string());
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&file.name), &file.bytes)?;
        self.files += 1;
        Ok(())
    }
}

/// The day on which a report comes in: the one after its last second.
fn arrival(report: &Report) -> Day {
    Day::of(report.interval.end - 1).plus(1)
}

fn is_turn(reporter: &Reporter, today: Today, report: &Report, one_in: u64) -> bool {
    mix(hash(&reporter.domain) ^ hash(&report.policy.domain) ^ u64::from(today.story.unsigned_abs()))
        .is_multiple_of(one_in)
}
