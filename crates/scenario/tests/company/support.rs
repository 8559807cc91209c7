//! Reading the company's files back, with the product's own reader and nothing of the generator's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use report::package::{self, Found, PackageLimits};
use report::{Day, Dialect, Limits, Outcome, Policy, Reader, Report, Row};
use scenario::{Options, Summary, generate};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Two days of a hundredth, seed 1.
/// The reports, then everything else.
pub(crate) const EXPECTED_DIGESTS: [&str; 2] = [
    "190c716fc1b3002e2357d76a9a5cce6e2aa2bac60b79ac2a293404c5d05e3ef3",
    "dd032075ab8541104307a0f71d34ac76a279a1c80a43a3dc0f6987c962694fcd",
];

pub(crate) fn default_options() -> Options {
    Options { scale: 0.05, ..Options::default() }
}

pub(crate) fn generated(out: &Path, options: &Options) -> Summary {
    let mut days = Vec::new();
    let summary = generate(options, out, &mut |day| days.push(day)).unwrap();
    assert_eq!(days, (1..=u64::from(options.days)).collect::<Vec<_>>(), "progress");
    summary
}

/// All files, in the order in which an import walks them.
pub(crate) fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

pub(crate) fn same_files(a: &Path, b: &Path) -> bool {
    let all = |out: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        files(out)
            .into_iter()
            .map(|path| (path.strip_prefix(out).unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    };
    all(a) == all(b)
}

/// One hash over all names and all content. What is packed goes in expanded: another version of the compressor makes no other company.
pub(crate) fn digest(below: &Path, reports: bool) -> String {
    let mut hash = Sha256::new();
    // Failure reports add nothing to what the company is.
    let told = |path: &PathBuf| {
        !path.starts_with(below.join("failures")) && (reports || !path.starts_with(below.join("reports")))
    };
    for path in files(below).into_iter().filter(told) {
        hash.update(path.strip_prefix(below).unwrap().to_str().unwrap());
        let mut add = |bytes: &[u8]| {
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        };
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if reports => each(&path, &mut add),
            Some("gz") => add(expanded(&path).as_bytes()),
            _ => add(&fs::read(&path).unwrap()),
        }
    }
    hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn expanded(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Author domain, source, DKIM, SPF, envelope sender, overrides.
pub(crate) type CellKey = (String, IpAddr, String, String, String, String);

pub(crate) fn cells(out: &Path) -> Vec<scenario::Cell> {
    expanded(&out.join("truth-cells.jsonl.gz")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn key(row: &Row) -> CellKey {
    let dkim = row.dkim.iter().map(|d| match &d.selector {
        Some(selector) => format!("{} d={} s={selector}", d.result.word(), d.domain),
        None => format!("{} d={}", d.result.word(), d.domain),
    });
    let spf = row.spf.iter().map(|s| match s.scope {
        Some(scope) => format!("{} {} {}", s.result.word(), scope.word(), s.domain),
        None => format!("{} {}", s.result.word(), s.domain),
    });
    let overrides: BTreeSet<&str> = row.overrides.iter().map(|reason| reason.kind.word()).collect();
    (
        row.author_domain.to_string(),
        row.source,
        dkim.collect::<Vec<_>>().join("; "),
        spf.collect::<Vec<_>>().join("; "),
        row.envelope_from.as_deref().unwrap_or("-").to_owned(),
        overrides.into_iter().collect::<Vec<_>>().join(","),
    )
}

/// One line of `truth.jsonl`, as far as the tests need it.
#[derive(Debug, Deserialize)]
pub(crate) struct Truth {
    pub(crate) id: String,
    pub(crate) class: String,
    pub(crate) diagnosis: String,
    pub(crate) team: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) author_domains: Vec<Author>,
    pub(crate) sources: Vec<IpAddr>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) sent: u64,
    pub(crate) reported: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) days: Vec<OneDay>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Author {
    pub(crate) domain: String,
    pub(crate) reported: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Phase {
    pub(crate) class: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OneDay {
    pub(crate) day: Day,
    pub(crate) reported: u64,
}

pub(crate) fn truths(out: &Path) -> Vec<Truth> {
    let text = fs::read_to_string(out.join("truth.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A report as it was read.
struct One {
    content: [u8; 32],
    begin: Day,
    rows: Vec<Row>,
}

/// What all files say, each report once: of those with the same identity the last one counts.
#[derive(Default)]
pub(crate) struct Read {
    kept: BTreeMap<[u8; 16], One>,
    contents: BTreeMap<[u8; 16], BTreeSet<[u8; 32]>>,
    pub(crate) repeated: u64,
    pub(crate) days: BTreeMap<Day, u64>,
    pub(crate) failing: BTreeMap<Day, u64>,
    pub(crate) domains: BTreeMap<String, u64>,
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    pub(crate) sources: BTreeMap<IpAddr, u64>,
    pub(crate) flaws: BTreeSet<String>,
    pub(crate) reporters: BTreeSet<String>,
    pub(crate) dialects: BTreeSet<&'static str>,
    /// (second of the day at which a report begins, its length).
    pub(crate) spans: BTreeSet<(i64, i64)>,
    pub(crate) ids: BTreeMap<(String, String, String), BTreeSet<i64>>,
    pub(crate) endings: BTreeSet<String>,
    /// Policies seen for the primary domain.
    pub(crate) policies: BTreeSet<String>,
    pub(crate) overrides: BTreeSet<String>,
    pub(crate) dispositions: BTreeSet<&'static str>,
}

impl Read {
    pub(crate) fn all(out: &Path) -> Self {
        let mut read = Self::default();
        for path in files(&out.join("reports")) {
            read.endings.insert(path.extension().unwrap().to_str().unwrap().to_owned());
            each(&path, &mut |xml| read.take(xml));
        }
        read.add_up();
        read
    }

    fn take(&mut self, xml: &[u8]) {
        let mut reader = Reader::open(xml, &Limits::default()).unwrap();
        self.header(&reader.report().clone());
        let begin = Day::of(reader.report().interval.begin);
        let (mut rows, mut row) = (Vec::new(), Row::default());
        while reader.next_row(&mut row).unwrap() {
            rows.push(row.clone());
        }
        let finished = reader.finish().unwrap();
        assert_eq!(finished.bad_rows, 0);
        let word = |flaw: &report::Flaw| serde_json::to_value(flaw.kind).unwrap().as_str().unwrap().to_owned();
        self.flaws.extend(finished.flaws.iter().map(word));
        let identity = finished.identity;
        self.contents.entry(identity.key).or_default().insert(identity.content);
        let before = self.kept.insert(identity.key, One { content: identity.content, begin, rows });
        self.repeated += u64::from(before.is_some_and(|before| before.content == identity.content));
    }

    fn header(&mut self, report: &Report) {
        let reporter = report.reporter.organization.to_string();
        self.reporters.insert(reporter.clone());
        self.dialects.insert(report.dialect.word());
        let interval = report.interval;
        self.spans.insert((interval.begin.rem_euclid(86_400), interval.seconds()));
        let id = (reporter, report.report_id.to_string(), report.policy.domain.to_string());
        self.ids.entry(id).or_default().insert(interval.begin);
        if report.policy.domain == "halden.example" {
            let mut policy = format!("p={}", report.policy.p.map_or("-", Policy::word));
            policy.push_str(&report.policy.np.map_or(String::new(), |np| format!(" np={np}")));
            policy.push_str(if report.policy.testing == Some(true) { " t=y" } else { "" });
            self.policies.insert(policy);
        }
    }

    fn add_up(&mut self) {
        for one in self.kept.values() {
            for row in &one.rows {
                let outcome = row.outcome();
                *self.days.entry(one.begin).or_default() += row.count;
                *self.domains.entry(row.author_domain.to_string()).or_default() += row.count;
                *self.outcomes.entry(outcome).or_default() += row.count;
                *self.sources.entry(row.source).or_default() += row.count;
                if !outcome.passes() {
                    *self.failing.entry(one.begin).or_default() += row.count;
                }
                self.overrides.extend(row.overrides.iter().map(|reason| reason.kind.word().to_owned()));
                self.dispositions.insert(row.disposition.word());
            }
        }
    }

    pub(crate) fn reports(&self) -> u64 {
        self.kept.len() as u64
    }

    pub(crate) fn rows(&self) -> u64 {
        self.kept.values().map(|one| one.rows.len() as u64).sum()
    }

    pub(crate) fn messages(&self) -> u64 {
        self.kept.values().flat_map(|one| &one.rows).map(|row| row.count).sum()
    }

    /// Messages by what reports say in different words.
    pub(crate) fn cells(&self) -> BTreeMap<CellKey, u64> {
        let mut cells = BTreeMap::new();
        for (_, row) in self.all_rows() {
            *cells.entry(key(row)).or_default() += row.count;
        }
        cells
    }

    /// All rows, each with the day on which its report begins.
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = (Day, &Row)> {
        self.kept.values().flat_map(|one| one.rows.iter().map(|row| (one.begin, row)))
    }

    /// Identities with more than one content.
    pub(crate) fn conflicts(&self) -> usize {
        self.contents.values().filter(|contents| contents.len() > 1).count()
    }
}

/// The XML of every report in a file.
fn each(path: &Path, visit: &mut dyn FnMut(&[u8])) {
    let mut item = BufReader::new(File::open(path).unwrap());
    let mut reports = 0;
    package::open(&mut item, &PackageLimits::default(), &mut |found| {
        let Found::Report { xml, .. } = found else { panic!("{} holds something else", path.display()) };
        let mut text = Vec::new();
        xml.read_to_end(&mut text).unwrap();
        visit(&text);
        reports += 1;
    })
    .unwrap();
    assert!(reports > 0, "{}", path.display());
}

/// How many reports of reporters without deviations are valid; `None`, and the reason printed, where that cannot be found out.
pub(crate) fn validated(out: &Path) -> Option<usize> {
    let suites = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    let company: serde_json::Value = serde_json::from_slice(&fs::read(out.join("company.json")).unwrap()).unwrap();
    let clean: BTreeSet<&str> = company["reporters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["habits"].as_array().unwrap().iter().any(|habit| habit == "writes valid reports"))
        .filter_map(|r| r["organization"].as_str())
        .collect();
    assert!(clean.len() >= 4, "{clean:?}");
    let mut schemas = BTreeMap::new();
    for (dialect, name) in [(Dialect::Rfc7489, "rfc7489-nons.xsd"), (Dialect::Rfc9990, "rfc9990-draft32.xsd")] {
        let Ok(schema) = fs::read_to_string(suites.join("xsd").join(name)) else {
            println!("skipped: no {name} in {}", suites.display());
            return None;
        };
        // The pattern of RFC 7489's IPAddress holds line breaks of the printed page and so matches no address at all.
        let schema = schema.replace("name=\"source_ip\" type=\"IPAddress\"", "name=\"source_ip\" type=\"xs:string\"");
        let path = out.join(name);
        fs::write(&path, schema).unwrap();
        schemas.insert(dialect.word(), path);
    }
    let mut checked = 0;
    for path in files(&out.join("reports")) {
        let mut texts = Vec::new();
        each(&path, &mut |xml| texts.push(xml.to_vec()));
        for xml in texts {
            let reader = Reader::open(xml.as_slice(), &Limits::default()).unwrap();
            if clean.contains(reader.report().reporter.organization.as_str()) {
                let said = xmllint(&schemas[reader.report().dialect.word()], &xml)?;
                assert_eq!(said, "", "{}", path.display());
                checked += 1;
            }
        }
    }
    Some(checked)
}

fn xmllint(schema: &Path, xml: &[u8]) -> Option<String> {
    let run = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([schema.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = run else {
        println!("skipped: there is no xmllint (libxml2-utils) to validate with");
        return None;
    };
    child.stdin.take().unwrap().write_all(xml).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(if output.status.success() { String::new() } else { String::from_utf8_lossy(&output.stderr).into_owned() })
}
