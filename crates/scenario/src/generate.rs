//! The company as files: reports in the containers that reporters use, and the truth about every flow beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use report::{AuthResult, Day, Dialect, DiscoveryMethod, Interval, Report, Reporter as Sender, Row, Text, file_name};
use serde::Serialize;

use crate::company::{APEX, flows, policy_domains};
use crate::flow::{Class, Flow};
use crate::reporters::{Container, REPORTERS, Reporter};
use crate::rng::Rng;
use crate::sloppy::sloppy;
use crate::traffic::{DayRows, Scale, Sent, of_day, published};

/// Which company, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The same seed gives the same files, to the byte.
    pub seed: u64,
    /// Days of reports.
    pub days: u16,
    /// 1 is some 4 million messages in 90 days.
    pub scale: f64,
    /// First day. The dates of the company's story are fixed: they show if the days cover them.
    pub from: Day,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files of reports, repeated ones included.
    pub files: u64,
    /// Reports, without those that were sent again.
    pub reports: u64,
    /// Their rows.
    pub rows: u64,
    /// Their messages.
    pub messages: u64,
}

/// One line of `truth.jsonl`.
#[derive(Debug, Serialize)]
struct Truth<'a> {
    id: &'a str,
    class: Class,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'a str>,
    author_domain: &'a str,
    addresses: Vec<String>,
    sent: u64,
    reported: u64,
    days: BTreeMap<String, [u64; 2]>,
}

/// Writes `reports/`, `truth.jsonl` and `README.md` below `out`.
///
/// `progress` is called after every day with the number of days done.
///
/// # Errors
/// Those of the file system.
pub fn generate(options: &Options, out: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<Summary> {
    let flows = flows(options.seed);
    let scale = Scale(millionths(options.scale));
    let mut truth: Vec<BTreeMap<Day, Sent>> = vec![BTreeMap::new(); flows.len()];
    let mut writing = Writing { options, out: out.join("reports"), summary: Summary::default() };
    for n in 0..options.days {
        let on = options.from.plus(i32::from(n));
        let mut rows = DayRows::new();
        for (flow, truth) in flows.iter().zip(&mut truth) {
            let sent = of_day(options.seed, flow, on, scale, &mut rows);
            if sent.messages > 0 {
                truth.insert(on, sent);
            }
        }
        writing.day(on, &rows)?;
        progress(u64::from(n) + 1);
    }
    write_truth(&out.join("truth.jsonl"), &flows, &truth)?;
    fs::write(out.join("README.md"), README)?;
    Ok(writing.summary)
}

const README: &str = "# Halden Works, a model company\n\n\
    `reports/` holds aggregate reports by day, in the containers and with the habits of thirteen reporters. `truth.jsonl` says of \
    every flow what it truly is and what it sent: one object a line; `days` maps a day to [sent, reported] messages. All names are \
    below `.example`; nobody here exists.\n";

fn write_truth(path: &Path, flows: &[Flow], truth: &[BTreeMap<Day, Sent>]) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for (flow, days) in flows.iter().zip(truth) {
        let line = Truth {
            id: &flow.id,
            class: flow.class,
            diagnosis: flow.diagnosis,
            team: flow.team.as_deref(),
            author_domain: &flow.author_domain,
            addresses: flow.addresses.iter().map(ToString::to_string).collect(),
            sent: days.values().map(|sent| sent.messages).sum(),
            reported: days.values().map(|sent| sent.reported).sum(),
            days: days.iter().map(|(day, sent)| (day.to_string(), [sent.messages, sent.reported])).collect(),
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded right before")]
fn millionths(scale: f64) -> u64 {
    (scale.clamp(0.000_001, 1_000_000.0) * 1e6).round() as u64
}

/// The files of the company's reports.
struct Writing<'a> {
    options: &'a Options,
    out: PathBuf,
    summary: Summary,
}

impl Writing<'_> {
    fn day(&mut self, on: Day, rows: &DayRows) -> io::Result<()> {
        let folder = self.out.join(on.to_string());
        fs::create_dir_all(&folder)?;
        for (place, reporter) in REPORTERS.iter().enumerate() {
            for (domain, _) in policy_domains() {
                let Some(rows) = rows.get(&(place, domain.to_owned())) else { continue };
                for part in 0..reporter.parts {
                    let rows: Vec<&Row> = parted(rows, part, reporter.parts);
                    if !rows.is_empty() {
                        self.report(&folder, reporter, domain, on, part, &rows)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn report(
        &mut self,
        folder: &Path,
        reporter: &Reporter,
        domain: &str,
        on: Day,
        part: u64,
        rows: &[&Row],
    ) -> io::Result<()> {
        let report = self.header(reporter, domain, on, part);
        self.summary.reports += 1;
        self.summary.rows += rows.len() as u64;
        self.summary.messages += rows.iter().map(|row| row.count).sum::<u64>();
        let xml = xml(reporter, &report, rows)?;
        let name = file_name(reporter.host, &report, false);
        let name = name.trim_end_matches(".xml");
        self.file(&folder.join(name), reporter, &report, &xml)?;
        let every = reporter.habits.repeats_every;
        if every > 0 && on.0.unsigned_abs().is_multiple_of(every) {
            // Sent again, word for word: a duplicate.
            self.file(&folder.join(format!("{name}-again")), reporter, &report, &xml)?;
        }
        if correction(reporter, domain, on) {
            self.corrected(folder, reporter, &report, rows, name)?;
        }
        Ok(())
    }

    /// The same report once more with other content: what was a softfail is a fail. It counts, the earlier one no longer does, and no
    /// number of messages changes.
    fn corrected(
        &mut self,
        folder: &Path,
        reporter: &Reporter,
        report: &Report,
        rows: &[&Row],
        name: &str,
    ) -> io::Result<()> {
        let mut rows: Vec<Row> = rows.iter().map(|row| (*row).clone()).collect();
        for spf in rows.iter_mut().flat_map(|row| &mut row.spf) {
            if spf.result == AuthResult::SoftFail {
                spf.result = AuthResult::Fail;
            }
        }
        let rows: Vec<&Row> = rows.iter().collect();
        let xml = xml(reporter, report, &rows)?;
        self.file(&folder.join(format!("{name}-corrected")), reporter, report, &xml)
    }

    fn header(&self, reporter: &Reporter, domain: &str, on: Day, part: u64) -> Report {
        let new = reporter.dialect == Dialect::Rfc9990;
        let mut policy = published(&Text::new(domain), on);
        if new {
            policy.pct = None;
            policy.discovery_method = Some(DiscoveryMethod::TreeWalk);
        } else {
            (policy.np, policy.testing) = (None, None);
            policy.pct = policy.pct.or(Some(100));
            policy.sp = policy.sp.or(policy.p);
            policy.adkim = policy.adkim.or(Some(report::Alignment::Relaxed));
            policy.aspf = policy.aspf.or(Some(report::Alignment::Relaxed));
        }
        let length = 86_400 / i64::try_from(reporter.parts).unwrap_or(1);
        let begin = on.begin() + reporter.begins + length * i64::try_from(part).unwrap_or(0);
        let mut rng = Rng::new(self.options.seed ^ begin.unsigned_abs(), domain);
        let report_id = if reporter.habits.one_id {
            format!("{domain}-daily")
        } else {
            format!("{:016x}", rng.next() ^ Rng::new(self.options.seed, reporter.name).next())
        };
        Report {
            dialect: reporter.dialect,
            version: Some("1.0".into()),
            reporter: Sender {
                organization: reporter.name.into(),
                email: format!("dmarc-noreply@{}", reporter.host).into(),
                extra_contact: None,
                generator: new.then(|| "postern 3.2".into()),
            },
            report_id: report_id.into(),
            interval: Interval { begin, end: begin + length - i64::from(!new) },
            errors: Vec::new(),
            policy,
        }
    }

    fn file(&mut self, path: &Path, reporter: &Reporter, report: &Report, xml: &[u8]) -> io::Result<()> {
        self.summary.files += 1;
        let inner = file_name(reporter.host, report, false);
        let (extension, bytes) = match reporter.container {
            Container::Xml => ("xml", xml.to_vec()),
            Container::Gzip => ("xml.gz", gzip(xml)?),
            Container::Zip => ("zip", zip(&inner, xml)?),
            Container::Mail => ("eml", mail(reporter, report, &inner, &gzip(xml)?)),
        };
        let mut path = path.as_os_str().to_owned();
        path.push(".");
        path.push(extension);
        fs::write(path, bytes)
    }
}

/// The one correction in the company's history: a conflict.
fn correction(reporter: &Reporter, domain: &str, on: Day) -> bool {
    reporter.name == "Tidewater Bank" && domain == APEX && on.to_string() == "2025-11-19"
}

/// The rows that fall into one part of a day.
fn parted(rows: &[Row], part: u64, parts: u64) -> Vec<&Row> {
    rows.iter().enumerate().filter(|(place, _)| *place as u64 % parts == part).map(|(_, row)| row).collect()
}

fn xml(reporter: &Reporter, report: &Report, rows: &[&Row]) -> io::Result<Vec<u8>> {
    let mut xml = Vec::with_capacity(600 * rows.len());
    report::write(&mut xml, report, rows.iter().copied())?;
    Ok(sloppy(reporter, xml))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::new(5));
    gzip.write_all(bytes)?;
    gzip.finish()
}

fn zip(name: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    // No time of its own: the archive depends on its content alone.
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    zip.start_file(name, options)?;
    zip.write_all(bytes)?;
    Ok(zip.finish()?.into_inner())
}

/// A report mail as RFC 9990 §3.5 wants it.
fn mail(reporter: &Reporter, report: &Report, name: &str, gzip: &[u8]) -> Vec<u8> {
    let (host, domain, id) = (reporter.host, &report.policy.domain, &report.report_id);
    let boundary = format!("=_{id}");
    let date = jiff::Timestamp::from_second(report.interval.end + 3_600)
        .map_or_else(|_| String::new(), |at| at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    let mut mail = format!(
        "From: DMARC reports <dmarc-noreply@{host}>\r\nTo: dmarc@{domain}\r\nDate: {date}\r\nMessage-ID: <{id}@{host}>\r\n\
         Subject: Report Domain: {domain} Submitter: {host} Report-ID: {id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\n\
         This is an aggregate report.\r\n--{boundary}\r\nContent-Type: application/gzip; name=\"{name}.gz\"\r\n\
         Content-Disposition: attachment; filename=\"{name}.gz\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    for line in base64(gzip).as_bytes().chunks(76) {
        mail.extend(line.iter().map(|byte| char::from(*byte)));
        mail.push_str("\r\n");
    }
    mail.extend(["--", &boundary, "--\r\n"]);
    mail.into_bytes()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(if place <= three.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}
