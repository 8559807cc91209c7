//! What the tests of the import share: a ledger in a temporary folder, reports made to measure, and the suites.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use collect::{Options, Summary, import};
use store::{Answer, Column, Ledger, Measure, Question, ReportEntry, ReportFilter};
use tempfile::TempDir;

/// A folder for input, and a ledger beside it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) ledger: Ledger,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        Self { folder, ledger }
    }

    /// Where input goes.
    pub(crate) fn input(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.input().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn import(&self, path: &Path) -> Summary {
        import(&self.ledger, &[path.to_owned()], &Options::default(), &()).unwrap()
    }

    pub(crate) fn import_all(&self) -> Summary {
        self.import(&self.input())
    }
}

/// All reports of a ledger, oldest first.
pub(crate) fn reports(ledger: &Ledger) -> Vec<ReportEntry> {
    let (mut all, _) = ledger.reports(&ReportFilter::default(), 0, usize::MAX >> 1).unwrap();
    all.reverse();
    all
}

/// Rows and messages that count.
pub(crate) fn counted(ledger: &Ledger) -> (u64, u64) {
    let counters = ledger.counters().unwrap();
    (counters.rows, counters.messages)
}

/// Everything that can be asked of the rows, in one answer: it is equal where two ledgers hold the same rows.
pub(crate) fn everything(ledger: &Ledger) -> Answer {
    use Column as C;
    let group = vec![
        C::Day,
        C::Reporter,
        C::Domain,
        C::OrgDomain,
        C::PolicyDomain,
        C::Source,
        C::Disposition,
        C::Outcome,
        C::Dkim,
        C::Spf,
        C::EnvelopeFrom,
        C::EnvelopeTo,
        C::Overrides,
        C::Policy,
    ];
    let measures = vec![Measure::Messages, Measure::Rows];
    ledger.ask(&Question { group, measures, ..Question::default() }).unwrap()
}

/// A report to measure.
#[derive(Clone)]
pub(crate) struct Made<'a> {
    pub(crate) organization: &'a str,
    pub(crate) id: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) begin: i64,
    /// Source and count of each row.
    pub(crate) rows: Vec<(String, u64)>,
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self {
            organization: "reporter.example",
            id: "1",
            domain: "contoso.example",
            begin: 1_766_448_000,
            rows: vec![("192.0.2.1".into(), 3)],
        }
    }
}

impl Made<'_> {
    pub(crate) fn xml(&self) -> String {
        let Self { organization, id, domain, begin, rows } = self;
        let end = begin + 86_399;
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback><report_metadata><org_name>{organization}</org_name>\
             <email>dmarc@{organization}</email><report_id>{id}</report_id><date_range><begin>{begin}</begin><end>{end}</end>\
             </date_range></report_metadata><policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf>\
             <p>none</p><sp>none</sp><pct>100</pct></policy_published>\n"
        );
        for (source, count) in rows {
            write_row(&mut xml, source, *count, domain);
        }
        xml + "</feedback>\n"
    }
}

/// One row as reporters write it.
pub(crate) fn write_row(xml: &mut String, source: &str, count: u64, domain: &str) {
    let _ = writeln!(
        xml,
        "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated><disposition>none</disposition>\
         <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>{domain}</header_from></identifiers>\
         <auth_results><dkim><domain>{domain}</domain><selector>s1</selector><result>pass</result></dkim>\
         <spf><domain>{domain}</domain><result>fail</result></spf></auth_results></record>"
    );
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A mail with one attachment as it is, without transfer encoding.
pub(crate) fn mail(subject: &str, attachment: &str) -> String {
    format!(
        "From: dmarc@reporter.example\nSubject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=b\"\n\n\
         --=b\nContent-Type: text/plain\n\nA report.\n--=b\nContent-Type: text/xml; name=\"r.xml\"\n\n{attachment}\n--=b--\n"
    )
}

/// The folder of suites, or word that there is none.
pub(crate) fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("LAMPPOST_SUITES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites")), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("LAMPPOST_CI").as_deref() != Ok("1"), "no suites at {}", folder.display());
    eprintln!("SKIPPED: no suites at {}: set LAMPPOST_SUITES", folder.display());
    None
}
