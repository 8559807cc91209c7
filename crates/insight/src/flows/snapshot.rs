//! The snapshot: all flows with their verdicts, kept in the ledger, so that a page reads and judges nothing.
//!
//! In: the ledger and what was declared. Out: derived values, in three parts: the flows, their days, and for each flow what only its own page
//! shows; and from addresses to flows. Made when reports, profiles, decisions or settings have changed, and then as a whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use enrich::Catalogue;
use report::{Day, Text};
use serde::{Deserialize, Serialize};
use store::{DerivedKey, Ledger};

use super::answers::{FlowLine, FlowSource};
use super::assess::{AssessedFlow, Ground, InForce, OfOrganization, Organisation, Profiled, assess};
use super::class::FlowEvidence;
use super::day::{Kept, number, organizations, refresh};
use super::decisions::{decisions, in_force};
use super::features::{DayCount, Known};
use super::fold::{Folded, Folding, Largest, Record, folded, of_address};
use super::identity::hash;
use super::lanes::{Runs, renumbered};
use super::pack::{Reader, Writer};
use super::results::FlowResult;
use super::rules::Thresholds;
use super::space::Space;
use crate::Error;

/// How much is judged and kept.
#[derive(Debug, Clone, Copy)]
pub struct FlowLimits {
    /// Days back from the newest: a year, and the month before to compare with.
    pub days: i32,
    /// Flows kept one by one; those with the fewest messages are kept together by class, so that no list outgrows a page's time.
    pub flows: usize,
    /// Addresses shown of one flow.
    pub addresses: usize,
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self { days: 400, flows: 20_000, addresses: 100 }
    }
}

/// Counted up when rules or forms change, so that everything is judged anew.
const FORM: u64 = 6;
/// Kinds of derived values.
const FLOWS: &str = "flows";
const DAYS: &str = "flow-days";
const MORE: &str = "flow";
const SOURCES: &str = "flow-sources";
const MADE_OF: &str = "flows-made-of";
const LANES: &str = "flow-cells";
const KEYS: &str = "key-days";
/// Parts that addresses are spread over, so that one of them is found by reading a thousandth.
const BUCKETS: u64 = 256;

/// When a key of ours was used: the first and the last day that are judged on which a signature with it verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyDays {
    pub(crate) domain: Text,
    pub(crate) selector: Text,
    pub(crate) first: Day,
    pub(crate) last: Day,
}

/// What only the page of a flow shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct More {
    pub(crate) evidence: Vec<FlowEvidence>,
    pub(crate) addresses: Vec<FlowSource>,
    pub(crate) results: Vec<FlowResult>,
}

/// All flows, as they are read.
pub(crate) struct Snapshot {
    pub(crate) flows: Vec<FlowLine>,
    pub(crate) places: HashMap<String, usize>,
}

/// The days of all flows, by author domain.
pub(crate) struct Days(pub(crate) Vec<Vec<(Text, Vec<DayCount>)>>);

/// What a snapshot is made from, in a number: another one means another snapshot.
fn version(generation: i64, organisation: &Organisation, decided: &InForce) -> i64 {
    let mut flows: Vec<_> = decided.flows.iter().collect();
    flows.sort();
    let of = format!("{FORM} {generation} {organisation:?} {flows:?} {:?}", decided.networks);
    hash(&of).cast_signed()
}

fn key(kind: &str) -> DerivedKey<'_> {
    DerivedKey { kind, name: "", number: 0 }
}

/// Makes the snapshot anew if anything has changed since; says whether it did. `today` says which decisions have expired.
///
/// # Errors
/// When the ledger cannot be read, or the derived values not be written.
pub fn refresh_flows(
    ledger: &Ledger,
    organisation: &Organisation,
    catalogue: &Catalogue,
    today: Day,
) -> Result<bool, Error> {
    let generation = ledger.generation()?;
    let decided = in_force(&decisions(ledger, today)?);
    let version = version(generation, organisation, &decided);
    if ledger.derived_version(key(FLOWS))? == Some(version) {
        return Ok(false);
    }
    let limits = FlowLimits::default();
    let largest = Largest::new(limits.flows);
    let begin = |name: &Text| Folding::new(name, limits, &largest);
    let keep = |of: OfOrganization, folding: Folding<'_>| {
        let keys = of.key_days();
        folding.finish(of.lanes, keys)
    };
    let (found, _) = judge(ledger, organisation, catalogue, decided, begin, keep)?;
    write(ledger, found, largest.least(None), version, limits)?;
    ledger.replace_derived(MADE_OF, [("", 0, generation, &b""[..])])?;
    Ok(true)
}

/// Judges everything, and gives what `keep` keeps of each organizational domain; what `begin` gives takes its flows.
pub(crate) fn judge<F: Extend<AssessedFlow>, T: Send>(
    ledger: &Ledger,
    organisation: &Organisation,
    catalogue: &Catalogue,
    decided: InForce,
    begin: impl Fn(&Text) -> F + Sync,
    keep: impl Fn(OfOrganization, F) -> T + Sync,
) -> Result<(Vec<T>, Space), Error> {
    let Some((_, last)) = ledger.span()? else { return Ok((Vec::new(), Space::default())) };
    let days = (last.plus(1 - FlowLimits::default().days), last);
    refresh(ledger, days.0)?;
    let organizations = organizations(ledger, days)?;
    let ground = ground(ledger, organisation, catalogue, decided)?;
    assess(&organizations, &ground, |organization| Kept::read(ledger, organization, days), begin, keep)
}

fn ground<'a>(
    ledger: &Ledger,
    organisation: &'a Organisation,
    catalogue: &'a Catalogue,
    decided: InForce,
) -> Result<Ground<'a>, Error> {
    let mut ours: Vec<String> = organisation.domains.iter().map(|domain| domain.to_lowercase()).collect();
    if ours.is_empty() {
        let known = crate::known(ledger, 10_000)?;
        ours = known.domains.iter().map(|domain| store::organizational_domain(domain).to_string()).collect();
    }
    ours.sort_unstable();
    ours.dedup();
    let mut profiles = HashMap::new();
    ledger.each_profile(|address, text| {
        // One of another version counts as none.
        if let Ok(profile) = serde_json::from_str::<enrich::Profile>(text) {
            profiles.insert(number(address), profiled(&profile, &ours, organisation, catalogue));
        }
    })?;
    Ok(Ground { organisation, catalogue, profiles, decided, thresholds: Thresholds::default() })
}

pub(crate) fn profiled(
    profile: &enrich::Profile,
    ours: &[String],
    organisation: &Organisation,
    catalogue: &Catalogue,
) -> Profiled {
    let operator = profile.services.iter().find(|service| service.by == enrich::Shown::Host);
    let below_ours = |name: &String| ours.binary_search(&store::organizational_domain(name).to_string()).is_ok();
    let grade = profile.named.as_ref().map(|named| named.grade);
    // A provider's hosts have names that lead back; so have ours, or else it is not known which networks are ours.
    let claimed = &profile.names.claimed;
    let forged = grade == Some(enrich::NameGrade::Unconfirmed)
        && (!catalogue.find(claimed, &[], &[]).is_empty()
            || (!organisation.networks.is_empty() && claimed.iter().any(below_ours)));
    let system = profile.network.as_ref().and_then(|network| {
        let asn = network.asn?;
        Some(network.organisation.as_ref().map_or_else(|| format!("AS{asn}"), |name| format!("AS{asn} {name}")))
    });
    Profiled {
        known: Known {
            profiled: true,
            named_ours: profile.names.confirmed.iter().any(below_ours),
            service: operator.map(|service| service.kind),
            standing: Some(profile.standing()),
            hard: profile.evidence.iter().any(|evidence| evidence.hard),
            own_name: matches!(
                grade,
                Some(enrich::NameGrade::Named | enrich::NameGrade::MailHost | enrich::NameGrade::Known)
            ),
            forged,
            mail_host: matches!(grade, Some(enrich::NameGrade::MailHost | enrich::NameGrade::Known)),
            ..Known::default()
        },
        service: operator.map(|service| service.name.clone()),
        system,
    }
}

/// Puts the flows together as they are shown and keeps them. Those with up to `least` messages are kept together.
fn write(ledger: &Ledger, mut found: Vec<Folded>, least: u64, version: i64, limits: FlowLimits) -> Result<(), Error> {
    let records = found.iter_mut().flat_map(|of| std::mem::take(&mut of.records));
    let mut records = folded(records, least, limits);
    records.sort_by(|a, b| b.line.messages.cmp(&a.line.messages).then_with(|| a.line.id.cmp(&b.line.id)));

    let packed_days = pack_days(&records);
    let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|e| Error::Decision { what: e.to_string() });
    let keys = found.iter().map(|of| Ok((of.name.clone(), json(serde_json::to_vec(&of.keys))?)));
    let keys = keys.collect::<Result<Vec<_>, Error>>()?;
    let of_cells = lanes_of(&records, found);
    let mut buckets: Vec<Writer> = (0..BUCKETS).map(|_| Writer::default()).collect();
    for (at, record) in records.iter_mut().enumerate() {
        let sources = std::mem::take(&mut record.sources);
        let mut reader = Reader(&sources);
        while let Some((source, messages, failing)) = of_address(&mut reader) {
            let bucket = &mut buckets[bucket(source)];
            bucket.address(source);
            for number in [at as u64, messages, failing] {
                bucket.number(number);
            }
        }
    }
    let mores = records
        .iter()
        .map(|record| Ok((record.line.id.clone(), json(serde_json::to_vec(&record.more))?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let lines: Vec<FlowLine> = records.into_iter().map(|record| record.line).collect();
    let lines = json(serde_json::to_vec(&lines))?;
    ledger.replace_derived(MORE, mores.iter().map(|(id, bytes)| (id.as_str(), 0, version, bytes.as_slice())))?;
    let parts = (0_i64..).zip(&buckets).map(|(at, bucket)| ("", at, version, bucket.0.as_slice()));
    ledger.replace_derived(SOURCES, parts)?;
    ledger
        .replace_derived(LANES, of_cells.iter().map(|(name, bytes)| (name.as_str(), 0, version, bytes.as_slice())))?;
    ledger.replace_derived(KEYS, keys.iter().map(|(name, bytes)| (name.as_str(), 0, version, bytes.as_slice())))?;
    ledger.replace_derived(DAYS, [("", 0, version, packed_days.as_slice())])?;
    // Last: what has this version is complete.
    ledger.replace_derived(FLOWS, [("", 0, version, lines.as_slice())])?;
    Ok(())
}

fn bucket(source: u128) -> usize {
    // Addresses of one network lie together: what is shown together is read together.
    let near = super::knowledge::network(source);
    usize::try_from((near ^ (near >> 64) ^ (near >> 8)) % u128::from(BUCKETS)).unwrap_or(0)
}

/// The flow of each cell by its place among the records, by organizational domain.
fn lanes_of(records: &[Record], found: Vec<Folded>) -> Vec<(Text, Vec<u8>)> {
    let mut places: HashMap<Text, Vec<u32>> = found.iter().map(|of| (of.name.clone(), vec![0; of.flows])).collect();
    for (place, record) in (0_u32..).zip(records) {
        let Some(places) = places.get_mut(&record.line.organizational_domain) else { continue };
        record.parts.iter().for_each(|flow| places[*flow] = place);
    }
    let of = |of: Folded| {
        let lanes = renumbered(&of.lanes, places.get(&of.name).map(Vec::as_slice).unwrap_or_default());
        (of.name, lanes)
    };
    found.into_iter().map(of).collect()
}

fn pack_days(records: &[Record]) -> Vec<u8> {
    let mut names: Vec<&Text> = records.iter().flat_map(|r| r.authors.iter().map(|(author, _)| author)).collect();
    names.sort_unstable();
    names.dedup();
    let mut out = Writer::default();
    out.number(names.len() as u64);
    for name in &names {
        out.number(name.len() as u64);
        out.0.extend_from_slice(name.as_bytes());
    }
    for record in records {
        out.number(record.authors.len() as u64);
        for (author, days) in &record.authors {
            out.number(names.binary_search(&author).unwrap_or(0) as u64);
            out.number(days.len() as u64);
            let mut last = 0;
            for day in days {
                out.number(u64::from(day.day.0.wrapping_sub(last).cast_unsigned()));
                out.number(day.messages);
                out.number(day.failing);
                out.number(day.delivered);
                last = day.day.0;
            }
        }
    }
    out.0
}

fn unpack_days(bytes: &[u8]) -> Option<Days> {
    let mut reader = Reader(bytes);
    let mut names = Vec::new();
    for _ in 0..reader.number()? {
        let length = usize::try_from(reader.number()?).ok()?;
        names.push(Text::new(std::str::from_utf8(reader.bytes(length)?).ok()?));
    }
    let mut flows = Vec::new();
    while !reader.0.is_empty() {
        let mut authors = Vec::new();
        for _ in 0..reader.number()? {
            let name = names.get(usize::try_from(reader.number()?).ok()?)?.clone();
            let (mut days, mut last) = (Vec::new(), 0_i32);
            for _ in 0..reader.number()? {
                last = last.wrapping_add(u32::try_from(reader.number()?).ok()?.cast_signed());
                let (messages, failing, delivered) = (reader.number()?, reader.number()?, reader.number()?);
                days.push(DayCount { day: Day(last), messages, failing, delivered });
            }
            authors.push((name, days));
        }
        flows.push(authors);
    }
    Some(Days(flows))
}

/// Flows with their days.
pub(crate) type Loaded = (Arc<Snapshot>, Arc<Days>);

/// The flows that are kept; `None` before the first were judged.
pub(crate) fn load(ledger: &Ledger) -> Result<Option<Loaded>, Error> {
    let decode = |bytes: &[u8]| {
        let flows: Vec<FlowLine> = serde_json::from_slice(bytes).ok()?;
        let places = flows.iter().enumerate().map(|(at, flow)| (flow.id.clone(), at)).collect();
        Some(Snapshot { flows, places })
    };
    let flows = ledger.decoded(key(FLOWS), decode)?;
    Ok(flows.zip(ledger.decoded(key(DAYS), unpack_days)?).filter(|(flows, days)| flows.flows.len() == days.0.len()))
}

/// What only the page of a flow shows.
pub(crate) fn more(ledger: &Ledger, id: &str) -> Result<Option<More>, Error> {
    let found = ledger.derived(DerivedKey { kind: MORE, name: id, number: 0 })?;
    Ok(found.and_then(|derived| serde_json::from_slice(&derived.bytes).ok()))
}

/// A flow by its place in the snapshot, with messages and failures of an address in it.
pub(crate) type OfSource = (usize, u64, u64);

/// The flows of addresses. Each part that addresses are spread over is read once.
pub(crate) fn of_sources(
    ledger: &Ledger,
    addresses: &[std::net::IpAddr],
) -> Result<HashMap<std::net::IpAddr, Vec<OfSource>>, Error> {
    let mut parts: BTreeMap<usize, HashMap<u128, std::net::IpAddr>> = BTreeMap::new();
    for address in addresses {
        let source = number(*address);
        parts.entry(bucket(source)).or_default().insert(source, *address);
    }
    let mut flows: HashMap<std::net::IpAddr, Vec<OfSource>> = HashMap::new();
    for (at, wanted) in parts {
        let number = i64::try_from(at).unwrap_or(0);
        let Some(found) = ledger.derived(DerivedKey { kind: SOURCES, name: "", number })? else { continue };
        let mut reader = Reader(&found.bytes);
        while let Some((source, flow, messages, failing)) = of_bucket(&mut reader) {
            if let Some(address) = wanted.get(&source) {
                flows.entry(*address).or_default().push((flow, messages, failing));
            }
        }
    }
    Ok(flows)
}

/// An address, the place of one of its flows, and messages and failures.
fn of_bucket(reader: &mut Reader<'_>) -> Option<(u128, usize, u64, u64)> {
    Some((reader.address()?, usize::try_from(reader.number()?).ok()?, reader.number()?, reader.number()?))
}

/// The flows of one address.
pub(crate) fn of_source(ledger: &Ledger, address: std::net::IpAddr) -> Result<Vec<OfSource>, Error> {
    Ok(of_sources(ledger, &[address])?.remove(&address).unwrap_or_default())
}

/// The flow of each kept cell of an organizational domain, by its place in the snapshot, day by day.
pub(crate) fn lanes(ledger: &Ledger, organization: &str) -> Result<HashMap<Day, Runs>, Error> {
    let found = ledger.derived(DerivedKey { kind: LANES, name: organization, number: 0 })?;
    Ok(found.and_then(|derived| super::lanes::unpack(&derived.bytes)).unwrap_or_default())
}

/// When the keys of an organizational domain were used, as of the last judgement.
pub(crate) fn key_days(ledger: &Ledger, organization: &str) -> Result<Vec<KeyDays>, Error> {
    let found = ledger.derived(DerivedKey { kind: KEYS, name: organization, number: 0 })?;
    Ok(found.and_then(|derived| serde_json::from_slice(&derived.bytes).ok()).unwrap_or_default())
}

/// The version of the flows that are kept; another number means that they were judged anew.
///
/// # Errors
/// When the ledger cannot be read.
pub fn flows_version(ledger: &Ledger) -> Result<Option<i64>, Error> {
    Ok(ledger.derived_version(key(FLOWS))?)
}

/// Whether reports, profiles or decisions came since the snapshot was made.
pub(crate) fn stale(ledger: &Ledger) -> Result<bool, Error> {
    Ok(ledger.derived_version(key(MADE_OF))? != Some(ledger.generation()?))
}
