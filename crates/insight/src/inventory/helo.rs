//! Greetings and bounces: with an empty envelope sender SPF looks at the name that the host greets with, and that name needs a record of its
//! own (RFC 7208 §2.3, §2.4).
//!
//! In: cells whose check was about the greeting, with names below ours; flows; the history of DNS. Out: a line a name, with the record to
//! publish where there is none. Addresses that spoofers greet from are told apart and never named in a record.

use std::collections::BTreeMap;
use std::net::IpAddr;

use report::{Day, Text};
use schemars::JsonSchema;
use serde::Serialize;
use store::{Ledger, PublishedState};

use super::cells::{meant, visit};
use super::{InventoryFinding, Weight};
use crate::flows::cell::{Cell, Names, Spf, Whose};
use crate::flows::day::address;
use crate::flows::{FlowClass, Map, flows_of};
use crate::published::{History, RecordKind};
use crate::{Error, Scope};

/// Addresses of one name that are looked at one by one, those of most mail first: a name has one host, or a handful.
const SOURCES_MAX: usize = 20;
/// Names whose addresses are looked at: beyond them a stranger invents names.
const NAMES_MAX: usize = 500;
/// Addresses that a record names one by one.
const NAMED_MAX: usize = 6;

/// An address that greets with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeloSource {
    /// The address.
    #[schemars(with = "String")]
    pub address: IpAddr,
    /// Its bounces and greetings with this name.
    pub messages: u64,
    /// What most of its mail is taken for; absent where flows are not judged yet.
    pub class: Option<FlowClass>,
}

/// One name that hosts greet with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeloLine {
    /// The name.
    pub name: String,
    /// Bounces and greetings that SPF judged by it.
    pub messages: u64,
    /// Of these: SPF passed.
    pub pass: u64,
    /// The name has no record.
    pub none: u64,
    /// The record says no.
    pub fail: u64,
    /// The record cannot be evaluated, or DNS failed.
    pub error: u64,
    /// Of all: fail DMARC.
    pub failing: u64,
    /// How many addresses greet with it.
    pub sources_total: usize,
    /// Those of most mail.
    pub sources: Vec<HeloSource>,
    /// The last day.
    #[schemars(with = "String")]
    pub last_day: Day,
    /// What DNS says: whether there is a record; absent where nobody has looked.
    pub published: Option<PublishedState>,
    /// The record, where there is one.
    pub record: Option<String>,
    /// What to do about it.
    pub findings: Vec<InventoryFinding>,
}

/// Greetings of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeloInventory {
    /// First and last day counted; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// When DNS was last looked at, in seconds since 1970 UTC; absent if never.
    pub looked_at: Option<i64>,
    /// Bounces and greetings in our name, by names that are ours.
    pub messages: u64,
    /// Of these: the name has no SPF.
    pub none: u64,
    /// Bounces in our name that were judged by somebody else's name: these cannot align.
    pub foreign: u64,
    /// The names, those without a record first, then by messages.
    pub names: Vec<HeloLine>,
}

#[derive(Default)]
struct Seen {
    /// Pass, none, fail, error.
    results: [u64; 4],
    failing: u64,
    sources: Map<u128, u64>,
    last: Day,
}

impl Seen {
    fn plus(&mut self, other: Self) {
        for (sum, more) in self.results.iter_mut().zip(other.results) {
            *sum += more;
        }
        self.failing += other.failing;
        for (source, messages) in other.sources {
            *self.sources.entry(source).or_default() += messages;
        }
        self.last = self.last.max(other.last);
    }

    /// The addresses with most messages.
    fn largest(&self) -> Vec<(IpAddr, u64)> {
        let mut sources: Vec<(u128, u64)> =
            self.sources.iter().map(|(source, messages)| (*source, *messages)).collect();
        sources.sort_unstable_by_key(|(source, messages)| (std::cmp::Reverse(*messages), *source));
        sources.truncate(SOURCES_MAX);
        sources.into_iter().map(|(source, messages)| (address(source), messages)).collect()
    }
}

/// The names that hosts of ours greet with: of the scope, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn helo_inventory(ledger: &Ledger, scope: &Scope) -> Result<HeloInventory, Error> {
    let mut inventory =
        HeloInventory { days: None, looked_at: None, messages: 0, none: 0, foreign: 0, names: Vec::new() };
    let Some(period) = scope.period.days(ledger)? else { return Ok(inventory) };
    inventory.days = Some(period);
    let mut names: BTreeMap<Text, Seen> = BTreeMap::new();
    for organization in meant(ledger, scope.domain.as_deref(), period)? {
        let begin = |_: &mut Names| (0_u64, Map::<u32, Seen>::default());
        let each = |(foreign, numbered): &mut (u64, Map<u32, Seen>), day: Day, cell: &Cell| {
            if !cell.shape.bounce() {
                return;
            }
            match cell.shape.whose() {
                Whose::Foreign => *foreign += cell.total(),
                Whose::Ours | Whose::Below => {
                    let seen = numbered.entry(cell.spf).or_default();
                    let result = match cell.shape.spf() {
                        Spf::Pass => 0,
                        Spf::None | Spf::Unsaid => 1,
                        Spf::Fail | Spf::SoftFail | Spf::Neutral => 2,
                        Spf::TempError | Spf::PermError => 3,
                    };
                    seen.results[result] += cell.total();
                    if !cell.shape.passes() {
                        seen.failing += cell.total();
                    }
                    *seen.sources.entry(cell.source).or_default() += cell.total();
                    seen.last = seen.last.max(day);
                }
                Whose::Nobody => {}
            }
        };
        let parts = visit(ledger, &organization, period, begin, each, |seen| seen)?;
        for ((foreign, numbered), known) in parts {
            inventory.foreign += foreign;
            for (name, seen) in numbered {
                names.entry(known.name(name).clone()).or_default().plus(seen);
            }
        }
    }
    let history = History::read(ledger, None)?;
    inventory.looked_at = history.looked_at();
    let mut names: Vec<(Text, Seen)> = names.into_iter().collect();
    let messages = |seen: &Seen| seen.results.iter().sum::<u64>();
    names.sort_by(|a, b| messages(&b.1).cmp(&messages(&a.1)).then_with(|| a.0.cmp(&b.0)));
    inventory.messages = names.iter().map(|(_, seen)| messages(seen)).sum();
    inventory.none = names.iter().map(|(_, seen)| seen.results[1]).sum();
    names.truncate(NAMES_MAX);
    let names: Vec<_> = names.into_iter().map(|(name, seen)| (name, seen.largest(), seen)).collect();
    let shown: Vec<IpAddr> = names.iter().flat_map(|(_, sources, _)| sources.iter().map(|(ip, _)| *ip)).collect();
    let flows = flows_of(ledger, &shown)?;
    for (name, sources, seen) in names {
        let source =
            |(address, messages)| HeloSource { address, messages, class: flows.get(&address).map(|flow| flow.class) };
        let sources = sources.into_iter().map(source).collect();
        inventory.names.push(line(&history, &name, &seen, sources, period.1));
    }
    inventory.names.sort_by_key(|line| line.findings.first().map_or(Weight::Note as u8 + 1, |f| f.weight as u8));
    Ok(inventory)
}

fn line(history: &History, name: &str, seen: &Seen, sources: Vec<HeloSource>, until: Day) -> HeloLine {
    let known = history.record(name, RecordKind::Spf, until);
    let [pass, none, fail, error] = seen.results;
    let mut line = HeloLine {
        name: name.to_owned(),
        messages: pass + none + fail + error,
        pass,
        none,
        fail,
        error,
        failing: seen.failing,
        sources_total: seen.sources.len(),
        sources,
        last_day: seen.last,
        published: known.as_ref().map(|record| record.state),
        record: known.filter(|record| record.state == PublishedState::Found).map(|record| record.value),
        findings: Vec::new(),
    };
    line.findings = findings(&line);
    line
}

/// Whether an address may be named in a record of ours.
fn ours(source: &HeloSource) -> bool {
    matches!(source.class, Some(FlowClass::Own | FlowClass::OwnMisconfigured))
}

fn findings(line: &HeloLine) -> Vec<InventoryFinding> {
    let name = &line.name;
    let addresses: Vec<&HeloSource> = line.sources.iter().filter(|source| ours(source)).collect();
    let strangers = addresses.is_empty() && line.sources.iter().any(|source| source.class.is_some());
    let mut found = Vec::new();
    let published = line.published == Some(PublishedState::Found);
    if line.none > 0 && !published {
        let what = format!(
            "{} bounces and greetings were judged by {name}, which has no SPF record",
            crate::commas(line.none)
        );
        if strangers {
            let remedy =
                format!("nothing of ours greets with it: publish {name}. TXT \"v=spf1 -all\", so that nobody else can");
            found.push(InventoryFinding::new("helo-strangers", Weight::Note, what, remedy));
        } else {
            let remedy = format!("publish {name}. TXT \"{}\"", record(&addresses));
            found.push(InventoryFinding::new("helo-without-spf", Weight::Act, what, remedy));
        }
    } else if line.none > 0 {
        let what =
            format!("{} bounces and greetings had no SPF; since then a record was published", crate::commas(line.none));
        let remedy = "nothing: newer reports must show that they pass".to_owned();
        found.push(InventoryFinding::new("helo-mended", Weight::Note, what, remedy));
    }
    if line.fail > 0 && !addresses.is_empty() {
        let what =
            format!("{} bounces came from addresses that the record of {name} does not name", crate::commas(line.fail));
        let remedy = format!("add them: {name}. TXT \"{}\"", record(&addresses));
        found.push(InventoryFinding::new("helo-fails", Weight::Act, what, remedy));
    }
    if line.error > 0 {
        let what = format!("{} bounces met an error in the record of {name}, or in DNS", crate::commas(line.error));
        found.push(InventoryFinding::new(
            "helo-error",
            Weight::Watch,
            what,
            format!("look at it with `lamppost lint {name}`"),
        ));
    }
    found.sort_by_key(|finding| finding.weight);
    found
}

/// A record for a greeting: the addresses themselves, which costs no look-up; for many hosts, the name's own addresses.
fn record(addresses: &[&HeloSource]) -> String {
    if addresses.is_empty() || addresses.len() > NAMED_MAX {
        return "v=spf1 a -all".to_owned();
    }
    let terms = addresses.iter().map(|source| match source.address {
        IpAddr::V4(v4) => format!("ip4:{v4}"),
        IpAddr::V6(v6) => format!("ip6:{v6}"),
    });
    format!("v=spf1 {} -all", terms.collect::<Vec<_>>().join(" "))
}
