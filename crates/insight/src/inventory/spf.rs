//! An SPF record joined with traffic: what each term costs, what mail it let pass on the record of its day, and which terms buy nothing.
//!
//! In: the history of DNS, and the cells of a domain's organization. Out: the tree as lines, findings with their remedy, and the record
//! without the terms that buy nothing. Where a term depends on the message (macros, `exists`, `ptr`) it is said that its mail cannot be
//! counted. Nothing is known of a domain at whose DNS nobody has looked.

use dns::{Data, Name, Overlay, Zone};
use report::Day;
use schemars::JsonSchema;
use serde::Serialize;
use spf::{Dependence, Finding, Limits, Outcome, Survey, Trouble, survey};
use store::{Ledger, PublishedState};

use super::spf_findings::{about, of_record, of_term};
use super::spf_traffic::{Sum, Traffic, Unexplained, traffic};
use super::spf_tree::{Term, terms};
use super::{InventoryFinding, Weight, between};
use crate::published::{AsOf, History, RecordKind};
use crate::{Error, Scope};

/// Sources listed that pass in reports but not by the record.
const UNEXPLAINED_MAX: usize = 20;
/// Days of mail without which nothing is called dead: a monthly mailing must have come twice.
const DEAD_DAYS: i32 = 60;

/// One term of the tree, in the order of evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpfLine {
    /// How deep it stands: 0 in the domain's own record.
    pub depth: usize,
    /// Whose record it stands in.
    pub domain: String,
    /// The term as it was written.
    pub term: String,
    /// Look-ups it costs by itself: 0 or 1.
    pub cost: usize,
    /// Look-ups spent when it has been evaluated; what is beyond the tenth is not reached.
    pub spent: usize,
    /// Whether mail can be counted for it.
    pub counted: bool,
    /// Messages in our name from addresses that it lets pass, with all that it leads to.
    pub messages: u64,
    /// Of these: the envelope sender was of this domain.
    pub evaluated: u64,
    /// Of these: SPF passed for this domain and was aligned.
    pub aligned: u64,
    /// Addresses with such mail.
    pub sources: u64,
    /// What to do about it.
    pub findings: Vec<InventoryFinding>,
}

/// A source that passes in reports but not by the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnexplainedSource {
    /// The address.
    #[schemars(with = "String")]
    pub address: std::net::IpAddr,
    /// Messages with an SPF pass for the domain, as reporters say.
    pub passed: u64,
    /// What the record says of it, and which term.
    pub record_says: String,
}

/// A term for which nothing can be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpfUncounted {
    /// The term.
    pub term: String,
    /// Whose record it stands in.
    pub domain: String,
    /// Why.
    pub why: String,
}

/// The record without the terms that buy nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpfProposal {
    /// The record to publish.
    pub record: String,
    /// The terms that are left out.
    pub removed: Vec<String>,
    /// Look-ups it costs.
    pub lookups: usize,
    /// Bytes of its text.
    pub bytes: usize,
    /// Messages of the period that would lose an aligned pass.
    pub loses: u64,
    /// Messages of the period that would lose a pass that was not aligned: DMARC is the same.
    pub loses_unaligned: u64,
}

/// A domain's SPF and what it buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpfInventory {
    /// Whose record.
    pub domain: String,
    /// First and last day counted; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// When DNS was first looked at for it, in seconds since 1970 UTC; absent if never: then nothing of its record is known.
    pub since: Option<i64>,
    /// When it was last looked at.
    pub looked_at: Option<i64>,
    /// Whether there is a record.
    pub state: Option<PublishedState>,
    /// The record as it stands.
    pub record: Option<String>,
    /// When this record was first seen, in seconds since 1970 UTC.
    pub record_since: Option<i64>,
    /// Look-ups of the whole tree; ten are allowed.
    pub lookups: usize,
    /// Look-ups that are allowed.
    pub lookups_max: usize,
    /// Questions of it without an answer.
    pub voids: usize,
    /// Bytes of the record.
    pub bytes: usize,
    /// Messages in the organization's name in the period.
    pub messages: u64,
    /// Of these: the envelope sender was of this domain.
    pub evaluated: u64,
    /// Of these: SPF passed, as reporters say.
    pub passed: u64,
    /// Of these: receivers met a permanent error.
    pub permerror: u64,
    /// Whether the record of the first days is not known, so that the first known was taken for them.
    pub assumed: bool,
    /// The tree.
    pub lines: Vec<SpfLine>,
    /// What is wrong with the whole.
    pub findings: Vec<InventoryFinding>,
    /// Sources that pass in reports but not by the record, most messages first.
    pub unexplained: Vec<UnexplainedSource>,
    /// How many there are.
    pub unexplained_total: usize,
    /// Terms for which nothing can be counted.
    pub uncounted: Vec<SpfUncounted>,
    /// The record without what buys nothing; absent where every term is of use.
    pub proposal: Option<SpfProposal>,
}

impl SpfInventory {
    fn unknown(domain: &str, days: Option<(Day, Day)>) -> Self {
        Self {
            domain: domain.to_owned(),
            days,
            since: None,
            looked_at: None,
            state: None,
            record: None,
            record_since: None,
            lookups: 0,
            lookups_max: usize::from(Limits::default().lookups_max),
            voids: 0,
            bytes: 0,
            messages: 0,
            evaluated: 0,
            passed: 0,
            permerror: 0,
            assumed: false,
            lines: Vec::new(),
            findings: Vec::new(),
            unexplained: Vec::new(),
            unexplained_total: 0,
            uncounted: Vec::new(),
            proposal: None,
        }
    }
}

/// The SPF record of a domain as of the last day of the scope, with the mail of its days.
///
/// # Errors
/// When the ledger cannot be read.
pub fn spf_inventory(ledger: &Ledger, domain: &str, scope: &Scope) -> Result<SpfInventory, Error> {
    let period = scope.period.days(ledger)?;
    let mut inventory = SpfInventory::unknown(domain, period);
    let (Some(period), Ok(name)) = (period, Name::from_unicode(domain)) else { return Ok(inventory) };
    let history = History::read(ledger, Some(&name.to_string()))?;
    let Some(root) = history.record(&name.to_string(), RecordKind::Spf, period.1) else { return Ok(inventory) };
    (inventory.since, inventory.looked_at) = (history.since(), history.looked_at());
    (inventory.state, inventory.record_since) = (Some(root.state), Some(root.first_seen));
    inventory.bytes = root.value.len();
    inventory.record = Some(root.value).filter(|record| !record.is_empty());

    let then = history.as_of(period.1);
    let surveyed = dns::now(survey(&then, &name, &Limits::default()));
    let mail = traffic(ledger, &history, &name, period, UNEXPLAINED_MAX)?;
    (inventory.messages, inventory.evaluated) = (mail.messages, mail.evaluated);
    (inventory.passed, inventory.permerror, inventory.assumed) = (mail.passed, mail.permerror, mail.assumed);
    inventory.lookups = surveyed.lookups();
    inventory.voids = surveyed.findings.iter().filter(|found| matches!(found, Finding::Void(..))).count();
    let tree = terms(&surveyed);
    let days = between(period.0, period.1) + 1;
    let judge = Judge { surveyed: &surveyed, tree: &tree, mail: &mail, days };
    inventory.lines = tree.iter().map(|term| judge.line(term)).collect();
    inventory.findings = judge.whole(&inventory);
    inventory.uncounted = uncounted(&then, &name);
    inventory.unexplained_total = mail.unexplained_total;
    inventory.unexplained = mail.unexplained.iter().map(unexplained).collect();
    inventory.proposal = proposal(&inventory, &then, &name);
    Ok(inventory)
}

/// What findings are made of.
struct Judge<'a> {
    surveyed: &'a Survey,
    tree: &'a [Term],
    mail: &'a Traffic,
    days: i32,
}

impl Judge<'_> {
    fn sum(&self, term: &Term) -> Sum {
        self.mail.paths.get(&term.path).copied().unwrap_or_default()
    }

    /// Whether what mail a term let pass can be counted: all that it leads to must be known beforehand.
    fn counted(&self, term: &Term) -> bool {
        let below = |other: &&Term| other.path.starts_with(&term.path);
        term.names && !self.tree.iter().filter(below).any(|other| depends(&other.text))
    }

    fn line(&self, term: &Term) -> SpfLine {
        let sum = self.sum(term);
        let counted = self.counted(term);
        let domain = term.path.last().map(|(domain, _)| domain.to_string()).unwrap_or_default();
        SpfLine {
            depth: term.path.len() - 1,
            domain,
            term: term.text.clone(),
            cost: usize::from(term.asks),
            spent: term.spent,
            counted,
            messages: sum.messages,
            evaluated: sum.evaluated,
            aligned: sum.aligned,
            sources: self.mail.sources.get(&term.path).copied().unwrap_or(0),
            findings: self.findings(term, sum, counted),
        }
    }

    /// What the survey found about a term, and what its mail says.
    fn findings(&self, term: &Term, sum: Sum, counted: bool) -> Vec<InventoryFinding> {
        let own = term.path.len() == 1;
        let mut found: Vec<InventoryFinding> =
            self.surveyed.findings.iter().filter(|one| about(one, term)).filter_map(|one| of_term(one, own)).collect();
        if term.names && term.spent > usize::from(self.surveyed.limits().lookups_max) {
            let what = "behind the tenth look-up: receivers end with a permanent error before it".to_owned();
            found.push(InventoryFinding::new("spf-not-reached", Weight::Act, what, "take look-ups away before it"));
        }
        if counted && own && self.days >= DEAD_DAYS {
            if sum.messages == 0 {
                let what = format!("no mail in {} days came from what it names", self.days);
                let remedy = "ask its owner, then remove it";
                found.push(InventoryFinding::new(
                    "spf-dead",
                    if term.asks { Weight::Act } else { Weight::Watch },
                    what,
                    remedy,
                ));
            } else if sum.aligned == 0 && term.leads {
                let what = format!(
                    "{} messages in our name came from there, and not one passed aligned by this record: the service bounces to a name of its own",
                    crate::commas(sum.messages)
                );
                let remedy = "let the service sign with your domain, or bounce to a name below it; the include buys nothing and can go";
                found.push(InventoryFinding::new("spf-never-aligns", Weight::Watch, what, remedy));
            }
        }
        found.sort_by_key(|finding| finding.weight);
        found.dedup_by(|a, b| a.id == b.id);
        found
    }

    fn whole(&self, inventory: &SpfInventory) -> Vec<InventoryFinding> {
        let mut found: Vec<InventoryFinding> =
            self.surveyed.findings.iter().filter_map(|one| of_record(one, self.surveyed)).collect();
        if inventory.permerror > 0 {
            let messages = crate::commas(inventory.permerror);
            found.push(if self.mail.permerror_lately > 0 {
                let what = format!("receivers met a permanent error on {messages} messages of the period");
                InventoryFinding::new("spf-permerror", Weight::Act, what, "mend the record; its terms show where")
            } else {
                let what =
                    format!("receivers met a permanent error on {messages} messages of the period, and on none lately");
                InventoryFinding::new("spf-was-permerror", Weight::Note, what, "nothing: the record was mended")
            });
        }
        let room = inventory.lookups_max.saturating_sub(inventory.lookups);
        if inventory.lookups <= inventory.lookups_max && room <= 1 {
            let what = format!(
                "{} of {} look-ups are spent: the next change of a vendor may break the record",
                inventory.lookups, inventory.lookups_max
            );
            found.push(InventoryFinding::new(
                "spf-no-room",
                Weight::Watch,
                what,
                "remove what buys nothing, to have two look-ups left",
            ));
        }
        found.sort_by_key(|finding| finding.weight);
        found
    }
}

/// The record without its own terms that buy nothing.
fn proposal(inventory: &SpfInventory, then: &AsOf, name: &Name) -> Option<SpfProposal> {
    let gone = |line: &&SpfLine| {
        let useless = ["spf-dead", "spf-never-aligns", "spf-covered"];
        line.depth == 0 && line.findings.iter().any(|finding| useless.contains(&finding.id.as_str()))
    };
    let removed: Vec<&SpfLine> = inventory.lines.iter().filter(gone).collect();
    if removed.is_empty() {
        return None;
    }
    let left: Vec<&str> = inventory
        .record
        .as_deref()?
        .split_whitespace()
        .filter(|term| !removed.iter().any(|line| line.term == *term))
        .collect();
    let record = left.join(" ");
    let mut zone = Zone::new();
    zone.add(name, 3_600, Data::Txt(record.as_bytes().into()));
    let after = dns::now(survey(&Overlay::new(&zone, then), name, &Limits::default()));
    // What another term names as well keeps its pass.
    let lost: Vec<&&SpfLine> =
        removed.iter().filter(|line| !line.findings.iter().any(|finding| finding.id == "spf-covered")).collect();
    Some(SpfProposal {
        bytes: record.len(),
        record,
        removed: removed.iter().map(|line| line.term.clone()).collect(),
        lookups: after.lookups(),
        loses: lost.iter().map(|line| line.aligned).sum(),
        loses_unaligned: lost.iter().map(|line| line.messages - line.aligned.min(line.messages)).sum(),
    })
}

/// Whether a term's matches depend on the message.
fn depends(term: &str) -> bool {
    let term = term.trim_start_matches(['+', '-', '~', '?']);
    let name = term.split([':', '/', '=']).next().unwrap_or_default();
    name.eq_ignore_ascii_case("ptr") || name.eq_ignore_ascii_case("exists") || term.contains("%{")
}

/// Terms that decide about addresses only with the message at hand.
fn uncounted(then: &AsOf, name: &Name) -> Vec<SpfUncounted> {
    let compiled = dns::now(spf::compile(then, name, &super::spf_traffic::lifted()));
    let mut terms: Vec<SpfUncounted> = Vec::new();
    for decision in compiled.not_compiled() {
        let (Some(step), Outcome::Depends(dependence)) = (decision.decided_by(), decision.outcome) else { continue };
        let why = match dependence {
            Dependence::Macro(letter) => format!("%{{{}}} comes with the message", char::from(letter)),
            Dependence::Ptr => "it looks at the names of the client".to_owned(),
        };
        let term = SpfUncounted { term: step.text.to_string(), domain: step.domain.to_string(), why };
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms
}

fn unexplained(source: &Unexplained) -> UnexplainedSource {
    let by =
        source.decision.decided_by().map(|step| format!(" by {} of {}", step.text, step.domain)).unwrap_or_default();
    let says = match source.decision.outcome {
        Outcome::Result(result) => format!("{result}{by}"),
        Outcome::Error(result, trouble) => format!("{result}{by}: {}", trouble_words(trouble)),
        Outcome::Depends(_) => format!("it depends on the message{by}"),
    };
    UnexplainedSource { address: source.address, passed: source.passed, record_says: says }
}

const fn trouble_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NoRecord => "there is no record",
        Trouble::Faulty => "the record has mistakes",
        Trouble::Several => "there are several records",
        Trouble::TooManyLookups => "more than ten look-ups",
        Trouble::TooManyVoids => "too many questions without an answer",
        Trouble::TooManyMxHosts => "an mx with too many hosts",
        Trouble::DnsFailed => "what was published was not seen",
    }
}
