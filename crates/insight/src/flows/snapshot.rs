//! The snapshot: all flows with their verdicts, kept in the ledger, so that a page reads and judges nothing.
//!
//! In: the ledger and what was declared. Out: derived values, in three parts: the flows, their days, and for each flow what only its own page
//! shows; and from addresses to flows. Made when reports, profiles, settings or decisions on networks have changed, and then as a whole. Decisions
//! on flows are laid over it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use enrich::Catalogue;
use report::{Day, Text};
use serde::{Deserialize, Serialize};
use store::{DerivedKey, Ledger};

use super::answers::{FlowLine, FlowSource};
use super::assess::{AssessedFlow, Ground, InForce, OfOrganization, Organisation, Profiled, assess};
use super::class::{Diagnosis, FlowClass, FlowEvidence};
use super::day::{CELLS as KEPT, Kept, number, refresh};
use super::decisions::{Target, decisions, in_force};
use super::features::{DayCount, Known};
use super::fold::{Folded, Folding, Largest, Record, folded};
use super::identity::hash;
use super::lanes::{Runs, renumbered};
use super::pack::{Reader, Writer};
use super::parts::CELLS;
use super::results::FlowResult;
use super::rules::Thresholds;
use super::series::Addresses;
use super::sums;
use crate::Error;
use crate::heard::HEARD;

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
const FORM: i64 = 11;
/// Kinds of derived values.
const FLOWS: &str = "flows";
const DECIDED: &str = "flows-decided";
const DAYS: &str = "flow-days";
const MORE: &str = "flow";
const SOURCES: &str = "flow-sources";
const MADE_OF: &str = "flows-made-of";
const LANES: &str = "flow-cells";
const KEYS: &str = "key-days";
/// Parts that addresses are spread over: a page shows fifty addresses, and each may be in a part of its own.
const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 14;

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

/// A flow as it was judged.
#[derive(Serialize, Deserialize)]
struct Judged {
    line: FlowLine,
    /// What is wrong with what fails of it, whoever sends it.
    diagnosis: Option<Diagnosis>,
}

/// All flows, as they are read.
pub(crate) struct Snapshot {
    /// The version of what was judged.
    pub(crate) judged: i64,
    pub(crate) flows: Vec<FlowLine>,
    pub(crate) places: HashMap<String, usize>,
}

/// The days of all flows, by author domain.
pub(crate) struct Days(pub(crate) Vec<Vec<(Text, Vec<DayCount>)>>);

/// What a snapshot is made from, in a number: another one means another snapshot. `named`: the flows kept by themselves.
fn version(generation: i64, organisation: &Organisation, decided: &InForce, named: &str) -> i64 {
    let forms = [FORM, KEPT.form, HEARD.form];
    hash(&format!("{forms:?} {generation} {organisation:?} {:?} {named}", decided.networks)).cast_signed()
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
    // Those that somebody decided about are kept by themselves, however small they are: once, for one may be gone.
    let mut named: Vec<&str> = decided.flows.keys().map(String::as_str).collect();
    named.sort_unstable();
    let (named, kept) = (named.join("\n"), kept_for(ledger)?);
    let same = ledger.derived_version(key(FLOWS))? == Some(version(generation, organisation, &decided, &kept));
    if same && (kept == named || all_kept(ledger, &decided)?) {
        return lay_over(ledger, &decided);
    }
    let version = version(generation, organisation, &decided, &named);
    let limits = FlowLimits::default();
    let largest = Largest::new(limits.flows);
    let begin = |name: &Text| Folding::new(name, limits, &largest);
    let keep = |of: OfOrganization, folding: Folding<'_>| folding.finish(of.lanes, of.keys);
    let found = judge(ledger, organisation, catalogue, decided, begin, keep)?;
    write(ledger, found, largest.least(None), version, limits)?;
    ledger.replace_derived(MADE_OF, [("", 0, generation, named)])?;
    // Those of now: judging takes a while.
    lay_over(ledger, &in_force(&decisions(ledger, today)?))?;
    Ok(true)
}

/// Whether every flow that a decision is about is kept by itself.
fn all_kept(ledger: &Ledger, decided: &InForce) -> Result<bool, Error> {
    let kept =
        || Ok(load(ledger)?.is_some_and(|(kept, _)| decided.flows.keys().all(|id| kept.places.contains_key(id))));
    if decided.flows.is_empty() { Ok(true) } else { kept() }
}

/// The flows that were kept by themselves when judging was done, a line each.
fn kept_for(ledger: &Ledger) -> Result<String, Error> {
    let made_of = ledger.derived(key(MADE_OF))?;
    Ok(made_of.map(|made_of| String::from_utf8_lossy(&made_of.bytes).into_owned()).unwrap_or_default())
}

/// Lays decisions on flows over what was judged: whoever reads flows from now on sees them. Says whether they are others than before.
pub(super) fn lay_over(ledger: &Ledger, decided: &InForce) -> Result<bool, Error> {
    let Some(judged) = judged_version(ledger)? else { return Ok(false) };
    let mut flows: Vec<_> = decided.flows.iter().collect();
    flows.sort_unstable();
    let bytes = serde_json::to_vec(&flows).map_err(|e| Error::Decision { what: e.to_string() })?;
    let version = hash(&format!("{judged} {flows:?}")).cast_signed();
    let others = ledger.derived_version(key(DECIDED))? != Some(version);
    if others {
        ledger.replace_derived(DECIDED, [("", 0, version, bytes)])?;
    }
    Ok(others)
}

/// Judges everything, and gives what `keep` keeps of each organizational domain; what `begin` gives takes its flows.
pub(crate) fn judge<F: Extend<AssessedFlow>, T: Send>(
    ledger: &Ledger,
    organisation: &Organisation,
    catalogue: &Catalogue,
    decided: InForce,
    begin: impl Fn(&Text) -> F + Sync,
    keep: impl Fn(OfOrganization, F) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let Some((_, last)) = ledger.span()? else { return Ok(Vec::new()) };
    let days = (last.plus(1 - FlowLimits::default().days), last);
    refresh(ledger, days.0)?;
    let organizations = KEPT.organizations(ledger, days)?;
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
    Ok(Ground { organisation, catalogue, profiles, decided, thresholds: Thresholds::default(), part: CELLS })
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
    let places = places(&records, &found);
    let names: Vec<Text> = found.iter().map(|of| of.name.clone()).collect();
    let of_cells = names.iter().zip(found).map(|(name, of)| {
        let lanes = renumbered(&of.lanes, places.get(name).map(Vec::as_slice).unwrap_or_default());
        (name.as_str(), 0, version, lanes)
    });
    ledger.replace_derived(LANES, of_cells)?;
    ledger.replace_derived(SOURCES, buckets(&records).map(|(at, bucket)| ("", at, version, bucket)))?;
    for record in &mut records {
        record.sources = Addresses::default();
    }
    let mores = records
        .iter()
        .map(|record| Ok((record.line.id.clone(), json(serde_json::to_vec(&record.more))?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let judged = |record: Record| Judged { line: record.line, diagnosis: record.diagnosis };
    let lines: Vec<Judged> = records.into_iter().map(judged).collect();
    let lines = json(serde_json::to_vec(&lines))?;
    ledger.replace_derived(MORE, mores.iter().map(|(id, bytes)| (id.as_str(), 0, version, bytes.as_slice())))?;
    ledger.replace_derived(KEYS, keys.iter().map(|(name, bytes)| (name.as_str(), 0, version, bytes.as_slice())))?;
    ledger.replace_derived(DAYS, [("", 0, version, packed_days.as_slice())])?;
    sums::write(ledger, &names, version)?;
    // Last: what has this version is complete.
    ledger.replace_derived(FLOWS, [("", 0, version, lines.as_slice())])?;
    Ok(())
}

fn bucket(source: u128) -> usize {
    store::spread(source, BUCKET_BITS)
}

/// Addresses with their flows, in those parts that have any. A few parts are filled at a time: all together are as large as what they are made of.
fn buckets(records: &[Record]) -> impl Iterator<Item = (i64, Vec<u8>)> {
    const TOGETHER: usize = BUCKETS / 8;
    (0..BUCKETS).step_by(TOGETHER).flat_map(move |first| {
        let mut some: Vec<Writer> = (0..TOGETHER).map(|_| Writer::default()).collect();
        for (at, record) in records.iter().enumerate() {
            for (source, messages, failing) in record.sources.iter() {
                let Some(bucket) = bucket(source).checked_sub(first).and_then(|at| some.get_mut(at)) else { continue };
                bucket.address(source);
                for number in [at as u64, messages, failing] {
                    bucket.number(number);
                }
            }
        }
        let filled = (first..).zip(some).filter(|(_, bucket)| !bucket.0.is_empty());
        filled.map(|(at, bucket)| (i64::try_from(at).unwrap_or(0), bucket.0))
    })
}

/// The place among the records of each flow, by organizational domain.
fn places(records: &[Record], found: &[Folded]) -> HashMap<Text, Vec<u32>> {
    let mut places: HashMap<Text, Vec<u32>> = found.iter().map(|of| (of.name.clone(), vec![0; of.flows])).collect();
    for (place, record) in (0_u32..).zip(records) {
        let Some(places) = places.get_mut(&record.line.organizational_domain) else { continue };
        record.parts.iter().for_each(|flow| places[*flow] = place);
    }
    places
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
    let decode = |decided: &[u8]| {
        let decided: HashMap<String, (FlowClass, u64)> =
            serde_json::from_slice::<Vec<_>>(decided).ok()?.into_iter().collect();
        let kept = ledger.derived(key(FLOWS)).ok()??;
        let judged: Vec<Judged> = serde_json::from_slice(&kept.bytes).ok()?;
        let flow = |Judged { line, diagnosis }: Judged| match decided.get(&line.id) {
            Some(decision) => super::decisions::decided(line, diagnosis, *decision),
            None => line,
        };
        let flows: Vec<FlowLine> = judged.into_iter().map(flow).collect();
        let places = flows.iter().enumerate().map(|(at, flow)| (flow.id.clone(), at)).collect();
        Some(Snapshot { judged: kept.version, flows, places })
    };
    let flows = ledger.decoded(key(DECIDED), decode)?;
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
    let packed = packed_lanes(ledger, organization)?;
    Ok(super::lanes::unpack(&packed).and_then(Iterator::collect).unwrap_or_default())
}

/// The same, packed.
pub(super) fn packed_lanes(ledger: &Ledger, organization: &str) -> Result<Vec<u8>, Error> {
    let found = ledger.derived(DerivedKey { kind: LANES, name: organization, number: 0 })?;
    Ok(found.map(|derived| derived.bytes).unwrap_or_default())
}

/// When the keys of an organizational domain were used, as of the last judgement.
pub(crate) fn key_days(ledger: &Ledger, organization: &str) -> Result<Vec<KeyDays>, Error> {
    let found = ledger.derived(DerivedKey { kind: KEYS, name: organization, number: 0 })?;
    Ok(found.and_then(|derived| serde_json::from_slice(&derived.bytes).ok()).unwrap_or_default())
}

/// The version of the flows as they are shown; another number means that they were judged anew, or that somebody decided about one.
///
/// # Errors
/// When the ledger cannot be read.
pub fn flows_version(ledger: &Ledger) -> Result<Option<i64>, Error> {
    Ok(ledger.derived_version(key(DECIDED))?)
}

/// The version of what was judged, without decisions on flows.
pub(crate) fn judged_version(ledger: &Ledger) -> Result<Option<i64>, Error> {
    Ok(ledger.derived_version(key(FLOWS))?)
}

/// Whether a decision shows without judging anew: it is about a flow that is kept by itself.
///
/// # Errors
/// When the ledger cannot be read.
pub fn shows_at_once(ledger: &Ledger, target: &Target) -> Result<bool, Error> {
    let Target::Flow(id) = target else { return Ok(false) };
    Ok(load(ledger)?.is_some_and(|(kept, _)| kept.places.contains_key(id)))
}

/// Whether reports or profiles came since the snapshot was made.
pub(crate) fn stale(ledger: &Ledger) -> Result<bool, Error> {
    Ok(ledger.derived_version(key(MADE_OF))? != Some(ledger.generation()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spread_evenly_over_the_parts() {
        let v4 = |n: u32| number(std::net::IpAddr::from((0x6440_0000 + n).to_be_bytes()));
        let v6 = 0x2001_0db8_u128 << 96;
        let networks = |n: u32| v6 | u128::from(n) << 80 | 0xdeca_fbad;
        let in_one = |n: u32| v6 | u128::from(n) << 64 | 0xdeca_fbad;
        let hosts = |n: u32| v6 | u128::from(n);
        let kinds: [(&str, &dyn Fn(u32) -> u128); 4] =
            [("IPv4", &v4), ("a /48 each", &networks), ("a /64 each of one /48", &in_one), ("hosts of a /64", &hosts)];
        for (kind, address) in kinds {
            let mut filled = vec![0; BUCKETS];
            (0..=u32::from(u16::MAX)).for_each(|n| filled[bucket(address(n))] += 1);
            let most = filled.iter().max().copied().unwrap_or(0);
            assert!(most <= 16, "four addresses of the kind {kind} would be even, and a part has {most}");
        }
    }
}
