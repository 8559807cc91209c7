//! The answers about samples: single messages that failed, as failure reports tell of them. Nothing in them says who should have read them.

use report::{Day, Flaw};
use schemars::JsonSchema;
use serde::Serialize;

/// Which samples are asked for, beside the scope's days, domain and network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleFilter {
    /// The author's local part, whatever its case.
    pub local_part: Option<String>,
    /// Lines to pass over.
    pub offset: usize,
    /// Lines to return.
    pub limit: usize,
}

/// A page of samples, the newest messages first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Samples {
    /// First and last day shown; absent when there are none.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// This page's.
    pub lines: Vec<SampleLine>,
    /// How many there are on all pages.
    pub lines_total: usize,
}

/// One sample in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SampleLine {
    /// Its number in the ledger: `/samples/N`.
    pub id: u64,
    /// The day on which the message arrived.
    #[schemars(with = "String")]
    pub day: Day,
    /// When it arrived, seconds since 1970 UTC; absent where the report does not say.
    pub arrived: Option<i64>,
    /// Author domain.
    pub domain: String,
    /// The author's local part; empty where it is not known.
    pub local_part: String,
    /// Where it came from.
    pub source: Option<String>,
    /// Who reported it: a domain.
    pub reporter: String,
    /// Subject, cut, addresses in it without their local parts.
    pub subject: Option<String>,
    /// What failed: `dmarc`, `spf`, `bodyhash`, `signature`, `revoked`, `adsp`, or a word of the reporter's own.
    pub auth_failure: String,
    /// Whether DKIM gave no aligned identity; absent where the report does not say.
    pub dkim_failed: Option<bool>,
    /// Whether SPF gave no aligned identity; absent where the report does not say.
    pub spf_failed: Option<bool>,
    /// What became of it: `delivered`, `spam`, `policy`, `reject`, `other`.
    pub delivery: Option<String>,
    /// Domain of the envelope sender; empty for the null path.
    pub envelope_from: Option<String>,
    /// Domain that SPF was about.
    pub spf_domain: Option<String>,
    /// Its signatures, that which failed first.
    pub dkim: Vec<SignatureLine>,
    /// Messages that the report stands for.
    pub incidents: u64,
}

/// A signature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SignatureLine {
    /// `d=`.
    pub domain: String,
    /// `s=`; empty where it is not known.
    pub selector: String,
}

/// One sample with all that is kept of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SampleDetail {
    /// As in the list.
    pub line: SampleLine,
    /// Fields of the message's header that say how it came and failed; addresses other than the author's without local parts.
    pub header: Vec<HeaderLine>,
    /// The port at the source.
    pub source_port: Option<u16>,
    /// The program that wrote the report.
    pub user_agent: Option<String>,
    /// How the report was written: `feedback`, `attached`, `text`.
    pub shape: String,
    /// Domains the report says it is about.
    pub reported_domains: Vec<String>,
    /// Domains of the recipients.
    pub envelope_to: Vec<String>,
    /// `i=` of the signature that failed.
    pub dkim_identity: Option<String>,
    /// What the receiver's filters said.
    pub authentication_results: Vec<String>,
    /// Hosts of URIs that the report names.
    pub uri_hosts: Vec<String>,
    /// What was odd about the report.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub flaws: Vec<Flaw>,
    /// Where the item came from: a path, or a mailbox.
    pub origin: String,
    /// The member of the item, where the item held several.
    pub member: Option<String>,
    /// SHA-256 of the item's bytes, hex.
    pub item: String,
    /// When it was received, seconds since 1970 UTC.
    pub received: i64,
}

/// A field of a header.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HeaderLine {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Who messages were written as, most messages first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LocalParts {
    /// First and last day counted; absent when there are no samples.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// One line an author.
    pub lines: Vec<LocalPartLine>,
    /// How many there are in all.
    pub lines_total: usize,
}

/// An author, by the samples that name it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LocalPartLine {
    /// The local part in lower case; empty where it is not known.
    pub local_part: String,
    /// Author domain.
    pub domain: String,
    /// Messages that the samples stand for.
    pub messages: u64,
    /// Samples.
    pub samples: u64,
    /// Different sources.
    pub sources: u64,
    /// First day.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// Last day.
    #[schemars(with = "String")]
    pub last_day: Day,
}
