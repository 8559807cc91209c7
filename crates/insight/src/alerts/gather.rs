//! From the ledger to facts: the snapshot of flows, the cells of the last weeks, arrivals, profiles of our own addresses.
//!
//! In: the ledger, the moment, the day up to which was judged before. Out: [`Facts`]. Reads what is kept, and no row.

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, Text};
use store::Ledger;

use super::complete::{Heard, complete_until};
use super::facts::{
    DayFacts, DomainFacts, Facts, FlowFacts, ListedAddress, RecordKind, ReportFacts, SourceTrouble, USUAL,
};
use super::thresholds::Thresholds;
use crate::flows::{Cell, CellNames, Kept, Loaded, Own, Spf, Whose, class_on, load, more, together};
use crate::{Error, FlowClass, FlowLine};

/// Days judged again each time: what came late counts as well.
const AGAIN: i32 = 3;
/// Days judged at most, after a time in which nobody looked.
const CAUGHT_UP: i32 = 14;
/// Weeks of arrivals that are looked at.
const ARRIVALS: i32 = 45;
/// Days for which it is news that an address is on a list.
const LISTED: i32 = 14;
/// A list speaks badly of an address from this value on, in hundredths.
const BAD: i16 = -400;
/// Addresses of ours whose profiles are looked at.
const ADDRESSES: usize = 500;

/// What the ledger knows; `None` while there is nothing to judge.
pub(crate) fn gather(
    ledger: &Ledger,
    at: &Thresholds,
    now: i64,
    before: Option<Day>,
    sources: &[SourceTrouble],
) -> Result<Option<Facts>, Error> {
    let Some((first, newest)) = ledger.span()? else { return Ok(None) };
    let mut heard = Heard::new();
    let arrivals = ledger.arrivals(Some((newest.plus(-ARRIVALS), newest)))?;
    for arrival in &arrivals {
        *heard.entry(arrival.day).or_default().entry(arrival.reporter.clone()).or_default() += arrival.messages;
    }
    let (Some(until), Some((snapshot, days))) = (complete_until(&heard, newest), load(ledger)?) else {
        return Ok(None);
    };
    let again = until.plus(1 - AGAIN);
    let from = before.map_or(again, |before| before.plus(1).max(until.plus(1 - CAUGHT_UP)).min(again));
    let window = (from.plus(-USUAL), until);
    let mut facts = Facts { now, first, judged: (from, until), sources: sources.to_vec(), ..Facts::default() };
    flows(&mut facts, &(snapshot, days), window);
    // Names in which nobody of ours sends have no authentication that could break.
    let ours: Vec<String> = facts.domains.iter().filter(|(_, of)| sends(of)).map(|(name, _)| name.clone()).collect();
    for name in &ours {
        let kept = Kept::read(ledger, name, window)?;
        authentication(&kept, &mut facts.domains.entry(name.clone()).or_default().days);
    }
    let names: Vec<(Text, Text)> = ours.iter().map(|name| (Text::new(name), Text::new(name))).collect();
    for (name, policy) in ours.iter().zip(crate::trend::newest(ledger, &names, (until.plus(-6), until))?) {
        if let Some(domain) = facts.domains.get_mut(name) {
            // A policy that is tried out asks for nothing yet.
            let asking = policy.filter(|policy| !crate::trend::asks_nothing(policy));
            domain.policy = asking.and_then(|policy| policy.applies);
        }
    }
    facts.reports = reports(ledger, &arrivals, (from.plus(-USUAL), newest), now)?;
    if at.on(super::AlertRule::Listed) {
        facts.listed = listed(ledger, until)?;
    }
    if at.on(super::AlertRule::Lookalike) {
        facts.lookalikes = super::lookalikes::gather(ledger, now, Some((first, until)))?;
    }
    // A key that signs nothing may go: that is how keys are rotated.
    let used = |name: &String| {
        let mut days = facts.domains.values().flat_map(|of| of.days.range(until.plus(-6)..));
        days.any(|(_, day)| day.keys.contains_key(name))
    };
    let records = super::records::published(ledger)?;
    facts.records =
        records.into_iter().filter(|record| record.kind != RecordKind::Dkim || used(&record.name)).collect();
    Ok(Some(facts))
}

fn sends(domain: &DomainFacts) -> bool {
    domain.days.values().any(|day| day.own.0 + day.third.0 > 0)
}

/// Sums by class and day, and the flows themselves.
fn flows(facts: &mut Facts, (snapshot, days): &Loaded, window: (Day, Day)) {
    let (from, until) = facts.judged;
    let mut first_seen: BTreeMap<&Text, (&Text, Day, u64)> = BTreeMap::new();
    for (line, authors) in snapshot.flows.iter().zip(&days.0) {
        let domain = facts.domains.entry(line.organizational_domain.to_string()).or_default();
        let mut of_flow = BTreeMap::new();
        for day in together(authors).into_iter().filter(|day| window.0 <= day.day && day.day <= window.1) {
            of_flow.insert(day.day, (day.messages, day.failing));
            let sums = domain.days.entry(day.day).or_default();
            let add = |sums: &mut (u64, u64)| *sums = (sums.0 + day.messages, sums.1 + day.failing);
            match class_on(line, day.day) {
                FlowClass::Own | FlowClass::OwnMisconfigured => add(&mut sums.own),
                FlowClass::ThirdParty | FlowClass::ThirdPartyUnaligned => add(&mut sums.third),
                FlowClass::ForwarderIntact | FlowClass::ForwarderBroken => sums.forwarded += day.messages,
                FlowClass::Spoofer => {
                    sums.unauthorised += day.failing;
                    sums.spoof_delivered += day.delivered;
                }
                FlowClass::Unknown => {
                    sums.unknown += day.messages;
                    sums.unauthorised += day.failing;
                }
            }
        }
        for (author, days) in authors.iter().filter(|_| of_ours(line.class)) {
            let Some(first) = days.first().map(|day| day.day) else { continue };
            let judged = days.iter().filter(|day| (from..=until).contains(&day.day));
            let messages = judged.map(|day| day.messages).sum::<u64>();
            let seen = first_seen.entry(author).or_insert((&line.organizational_domain, first, 0));
            *seen = (seen.0, seen.1.min(first), seen.2 + messages);
        }
        if !of_flow.is_empty() {
            facts.flows.push(flow(line, of_flow));
        }
    }
    for (author, (organizational, first, messages)) in first_seen {
        if author != organizational && (from..=until).contains(&first) {
            let domain = facts.domains.entry(organizational.to_string()).or_default();
            domain.new_subdomains.push((author.to_string(), first, messages));
        }
    }
}

fn of_ours(class: FlowClass) -> bool {
    use FlowClass::{Own, OwnMisconfigured, ThirdParty, ThirdPartyUnaligned};
    matches!(class, Own | OwnMisconfigured | ThirdParty | ThirdPartyUnaligned)
}

fn flow(line: &FlowLine, days: BTreeMap<Day, (u64, u64)>) -> FlowFacts {
    let unknown = line.class == FlowClass::Unknown;
    FlowFacts {
        id: line.id.clone(),
        domain: line.organizational_domain.to_string(),
        name: line.name.clone(),
        class: line.class,
        diagnosis: line.diagnosis,
        why: line.why.clone(),
        first_day: line.first_day,
        // It authenticates as somebody (U2), or comes from addresses of good standing.
        promising: unknown && (line.rule.starts_with("U2") || line.good * 2 > line.messages),
        days,
    }
}

/// How signatures and SPF of ours came out, day by day.
fn authentication(kept: &Kept, days: &mut BTreeMap<Day, DayFacts>) {
    let mut state = (CellNames::default(), days);
    kept.visit(
        &mut state,
        |(names, _), name| names.number(name),
        |(names, days), day, cell: &Cell| {
            let (shape, messages) = (cell.shape, cell.total());
            let of = days.entry(day).or_default();
            if matches!(shape.own(), Own::Pass | Own::Broken) {
                let key = (names.name(cell.own_domain).to_string(), names.name(cell.own_selector).to_string());
                if shape.own() == Own::Pass {
                    *of.keys.entry(format!("{}._domainkey.{}", key.1, key.0)).or_default() += messages;
                }
                if shape.spf_aligned() {
                    let signed = of.signed.entry(key).or_default();
                    signed.0 += messages;
                    signed.1 += if shape.own() == Own::Broken { messages } else { 0 };
                }
            }
            if !matches!(shape.whose(), Whose::Ours | Whose::Below) {
                return;
            }
            let spf = of.spf.entry(names.name(cell.spf).to_string()).or_default();
            spf.messages += messages;
            match shape.spf() {
                Spf::Pass => spf.pass += messages,
                Spf::PermError => {
                    spf.permerror += messages;
                    spf.permerror_failing += if shape.passes() { 0 } else { messages };
                    spf.reporters.0 = spf.reporters.0.max(cell.reporters);
                }
                Spf::None => {
                    spf.none += messages;
                    spf.reporters.1 = spf.reporters.1.max(cell.reporters);
                }
                _ => {}
            }
        },
    );
}

fn reports(ledger: &Ledger, arrivals: &[store::Arrival], days: (Day, Day), now: i64) -> Result<ReportFacts, Error> {
    let mut facts = ReportFacts { expected: crate::expected(ledger)?.reporters, ..ReportFacts::default() };
    for arrival in arrivals.iter().filter(|arrival| days.0 <= arrival.day && arrival.day <= days.1) {
        *facts.messages.entry(arrival.reporter.to_string()).or_default() += arrival.messages;
    }
    let Some(last) = arrivals.iter().map(|arrival| arrival.last_received).max() else { return Ok(facts) };
    facts.last_received = Some(last);
    let mut received: Vec<i64> = arrivals.iter().map(|arrival| arrival.last_received).collect();
    received.retain(|at| last - at <= i64::from(USUAL) * 86_400);
    received.sort_unstable();
    facts.days_of_receipt = received.iter().map(|at| Day::of(*at)).collect::<BTreeSet<_>>().len();
    facts.longest_gap = received.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    let late = arrivals.iter().filter(|arrival| now - arrival.last_received <= 3 * 86_400);
    let mut lags: Vec<i64> =
        late.map(|arrival| arrival.last_received - (i64::from(arrival.day.0) + 1) * 86_400).collect();
    lags.sort_unstable();
    facts.lag = lags.get(lags.len() / 2).copied();
    Ok(facts)
}

/// Addresses that our own mail comes from, and that a list has had since lately.
fn listed(ledger: &Ledger, until: Day) -> Result<Vec<ListedAddress>, Error> {
    let Some((snapshot, _)) = load(ledger)? else { return Ok(Vec::new()) };
    let own = snapshot.flows.iter().filter(|line| line.class == FlowClass::Own);
    let mut addresses: BTreeMap<std::net::IpAddr, String> = BTreeMap::new();
    for line in own {
        for source in more(ledger, &line.id)?.map(|more| more.addresses).unwrap_or_default() {
            if addresses.len() < ADDRESSES {
                addresses.entry(source.address).or_insert_with(|| line.organizational_domain.to_string());
            }
        }
    }
    let all: Vec<_> = addresses.keys().copied().collect();
    let mut found = Vec::new();
    for (address, newest) in ledger.profiles(&all)? {
        if newest.day < until.plus(-LISTED) {
            continue;
        }
        let bad = |text: &str| -> BTreeMap<String, String> {
            let Ok(profile) = serde_json::from_str::<enrich::Profile>(text) else { return BTreeMap::new() };
            let evidence = profile.evidence.into_iter().filter(|e| e.hard || e.value.in_hundredths() <= BAD);
            evidence.map(|e| (e.source, e.detail)).collect()
        };
        let now = bad(&newest.profile);
        if now.is_empty() {
            continue;
        }
        // New is what the last profile before had not; of an address of which nothing was known before nothing is new.
        let history = ledger.profile_history(address)?;
        let old = history.iter().find(|entry| entry.day < until.plus(-LISTED)).or(history.last());
        let old = old.filter(|old| old.day < newest.day).map(|old| bad(&old.profile));
        let Some(old) = old else { continue };
        let domain = addresses.get(&address).cloned().unwrap_or_default();
        found.extend(now.into_iter().filter(|(list, _)| !old.contains_key(list)).map(|(list, said)| ListedAddress {
            domain: domain.clone(),
            address: address.to_string(),
            list,
            said,
            day: newest.day,
        }));
    }
    found.sort_by(|a, b| (&a.address, &a.list).cmp(&(&b.address, &b.list)));
    Ok(found)
}
