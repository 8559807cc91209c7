//! Answers from the snapshot: lists of flows, one flow, the trend by class, the flows of an address.

use std::collections::HashMap;
use std::net::IpAddr;

use enrich::Catalogue;
use report::{Day, Text};
use store::{Ledger, organizational_domain};

use super::Map;
use super::answers::{
    ClassCounts, ClassDay, ClassTrend, Flow, FlowDay, FlowLine, FlowOrder, FlowPhase, FlowSort, Flows, SourceFlow,
};
use super::assess::{AssessedFlow, InForce, OfOrganization, Organisation};
use super::cell::{Cell, Names};
use super::class::FlowClass;
use super::class::rule_for;
use super::day::{Kept, number, rows};
use super::decisions::{Target, decisions};
use super::features::DayCount;
use super::sheet::SheetRow;
use super::snapshot::{FlowLimits, judge, load, more, of_source, of_sources, stale};
use super::spikes::{Gathering, standing_out};
use crate::scope::{length, place};
use crate::{Error, Scope};

/// The class on a day.
pub(crate) fn class_on(line: &FlowLine, day: Day) -> FlowClass {
    let after = line.phases.partition_point(|phase: &FlowPhase| phase.first_day <= day);
    line.phases.get(after.saturating_sub(1)).map_or(line.class, |phase| phase.class)
}

/// The author domains of a flow that a scope shows, with their days.
pub(crate) fn shown<'a>(scope: &Scope, line: &FlowLine, authors: &'a [(Text, Vec<DayCount>)]) -> Vec<&'a [DayCount]> {
    let organization = scope.domain.as_deref().filter(|_| scope.subdomains).map(organizational_domain);
    let wanted = |author: &Text| match (&organization, &scope.domain) {
        (Some(organization), _) => *organization == line.organizational_domain,
        (None, Some(domain)) => author == domain,
        (None, None) => true,
    };
    authors.iter().filter(|(author, _)| wanted(author)).map(|(_, days)| days.as_slice()).collect()
}

/// The days that lie in a period.
pub(crate) fn within(days: &[DayCount], (first, last): (Day, Day)) -> &[DayCount] {
    let from = days.partition_point(|day| day.day < first);
    let to = days.partition_point(|day| day.day <= last);
    &days[from..to.max(from)]
}

/// The flows of a scope: of it, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn flows(ledger: &Ledger, scope: &Scope, order: &FlowOrder) -> Result<Flows, Error> {
    let (classes, failing) = (ClassCounts::default(), ClassCounts::default());
    let empty = Flows { days: None, stale: false, lines: Vec::new(), lines_total: 0, classes, failing };
    let (Some(period), Some((snapshot, days))) = (scope.period.days(ledger)?, load(ledger)?) else { return Ok(empty) };
    let mut found = Flows { days: Some(period), stale: stale(ledger)?, ..empty };
    let search = order.search.as_ref().map(|text| text.to_lowercase());
    let mut lines: Vec<(usize, u64, u64)> = Vec::new();
    for (at, (line, authors)) in snapshot.flows.iter().zip(&days.0).enumerate() {
        let wanted = order.classes.is_empty() || order.classes.contains(&line.class);
        let named = |text: &String| line.name.to_lowercase().contains(text) || line.id == *text;
        if !wanted || search.as_ref().is_some_and(|text| !named(text)) {
            continue;
        }
        let (mut messages, mut fail) = (0_u64, 0_u64);
        for day in shown(scope, line, authors).into_iter().flat_map(|days| within(days, period)) {
            messages = messages.saturating_add(day.messages);
            fail = fail.saturating_add(day.failing);
            let class = class_on(line, day.day);
            found.classes.add(class, day.messages);
            found.failing.add(class, day.failing);
        }
        if messages > 0 {
            lines.push((at, messages, fail));
        }
    }
    found.lines_total = lines.len();
    lines.sort_by(|a, b| {
        let of = |line: &(usize, u64, u64)| &snapshot.flows[line.0];
        let ordering = match order.sort {
            FlowSort::Messages => a.1.cmp(&b.1),
            FlowSort::Failing => a.2.cmp(&b.2).then(a.1.cmp(&b.1)),
            FlowSort::Class => of(a).class.place().cmp(&of(b).class.place()).then(a.1.cmp(&b.1)),
            FlowSort::Confidence => of(a).confidence.cmp(&of(b).confidence),
            FlowSort::FirstDay => of(a).first_day.cmp(&of(b).first_day),
            FlowSort::LastDay => of(a).last_day.cmp(&of(b).last_day),
            FlowSort::Sources => of(a).sources.cmp(&of(b).sources),
            FlowSort::Name => of(a).name.cmp(&of(b).name),
        };
        let ordering = if order.descending { ordering.reverse() } else { ordering };
        ordering.then_with(|| of(a).id.cmp(&of(b).id))
    });
    let page = lines.into_iter().skip(order.offset).take(order.limit);
    found.lines =
        page.map(|(at, messages, failing)| FlowLine { messages, failing, ..snapshot.flows[at].clone() }).collect();
    Ok(found)
}

/// One flow, by its id or the beginning of it where only one has that; `None` if there is none. Of the scope, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn flow(ledger: &Ledger, id: &str, scope: &Scope, today: Day) -> Result<Option<Flow>, Error> {
    let Some((snapshot, days)) = load(ledger)? else { return Ok(None) };
    let at = snapshot.places.get(id).copied().or_else(|| {
        let mut begins = snapshot.flows.iter().enumerate().filter(|(_, flow)| id.len() >= 3 && flow.id.starts_with(id));
        begins.next().filter(|_| begins.next().is_none()).map(|(at, _)| at)
    });
    let (Some(at), Some(period)) = (at, scope.period.days(ledger)?) else { return Ok(None) };
    let line = &snapshot.flows[at];
    let empty = |n: usize| {
        let day = period.0.plus(i32::try_from(n).unwrap_or(i32::MAX));
        FlowDay { day, messages: 0, failing: 0, delivered: 0, class: class_on(line, day) }
    };
    let mut by_day: Vec<FlowDay> = (0..length(period)).map(empty).collect();
    let mut shown_line = FlowLine { messages: 0, failing: 0, ..line.clone() };
    for day in shown(scope, line, &days.0[at]).into_iter().flat_map(|days| within(days, period)) {
        if let Some(place) = place(period, day.day) {
            by_day[place].messages += day.messages;
            by_day[place].failing += day.failing;
            by_day[place].delivered += day.delivered;
        }
        shown_line.messages = shown_line.messages.saturating_add(day.messages);
        shown_line.failing = shown_line.failing.saturating_add(day.failing);
    }
    let more = more(ledger, &line.id)?.unwrap_or_default();
    let about = |target: &Target| matches!(target, Target::Flow(id) if *id == line.id);
    let all = decisions(ledger, today)?;
    let decisions = all.into_iter().filter(|d| about(&d.target) || line.decision == Some(d.id)).collect();
    Ok(Some(Flow {
        days: period,
        stale: stale(ledger)?,
        problem: line.diagnosis.map(|diagnosis| diagnosis.label().to_owned()),
        remedy: line.diagnosis.map(|diagnosis| diagnosis.remedy().to_owned()),
        flow: shown_line,
        evidence: more.evidence,
        results: more.results,
        by_day,
        addresses: more.addresses,
        decisions,
    }))
}

/// What happened, day by day and class by class. Of the scope, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn class_trend(ledger: &Ledger, scope: &Scope) -> Result<ClassTrend, Error> {
    let (totals, failing) = (ClassCounts::default(), ClassCounts::default());
    let (days, spikes) = (Vec::new(), Vec::new());
    let mut trend = ClassTrend { domain: scope.domain.clone(), stale: false, days, totals, failing, spikes };
    let Some(period) = scope.period.days(ledger)? else { return Ok(trend) };
    let empty = |n: usize| ClassDay {
        day: period.0.plus(i32::try_from(n).unwrap_or(i32::MAX)),
        classes: ClassCounts::default(),
        failing: ClassCounts::default(),
    };
    trend.days = (0..length(period)).map(empty).collect();
    let Some((snapshot, days)) = load(ledger)? else { return Ok(trend) };
    trend.stale = stale(ledger)?;
    for (line, authors) in snapshot.flows.iter().zip(&days.0) {
        for day in shown(scope, line, authors).into_iter().flat_map(|days| within(days, period)) {
            let Some(place) = place(period, day.day) else { continue };
            let class = class_on(line, day.day);
            trend.days[place].classes.add(class, day.messages);
            trend.days[place].failing.add(class, day.failing);
            trend.totals.add(class, day.messages);
            trend.failing.add(class, day.failing);
        }
    }
    let span = ledger.span()?.unwrap_or(period);
    let standing_out = standing_out(&trend.days).into_iter().map(|on| Gathering::new(on, span));
    let mut spikes: Vec<Gathering> = standing_out.collect();
    if !spikes.is_empty() {
        for (line, authors) in snapshot.flows.iter().zip(&days.0) {
            let shown = shown(scope, line, authors);
            spikes
                .iter_mut()
                .filter(|_| !shown.is_empty())
                .for_each(|on| on.add(line, &shown, |day| class_on(line, day)));
        }
    }
    trend.spikes = spikes.into_iter().map(Gathering::told).collect();
    Ok(trend)
}

/// The flows that come from an address, with the address's messages in each, most first.
///
/// # Errors
/// When the ledger cannot be read.
pub fn source_flows(ledger: &Ledger, address: IpAddr) -> Result<Vec<FlowLine>, Error> {
    let Some((snapshot, _)) = load(ledger)? else { return Ok(Vec::new()) };
    let mut found = of_source(ledger, address)?;
    found.sort_by_key(|(at, messages, _)| (std::cmp::Reverse(*messages), *at));
    let line = |(at, messages, failing): (usize, u64, u64)| {
        snapshot.flows.get(at).map(|line| FlowLine { messages, failing, ..line.clone() })
    };
    Ok(found.into_iter().filter_map(line).collect())
}

/// What each of these addresses is taken for; those that no flow has are left out.
pub(crate) fn flows_of(ledger: &Ledger, addresses: &[IpAddr]) -> Result<HashMap<IpAddr, SourceFlow>, Error> {
    let Some((snapshot, _)) = load(ledger)? else { return Ok(HashMap::new()) };
    let most = |of: Vec<(usize, u64, u64)>| {
        let flows = of.len() as u64;
        let (at, ..) = of.into_iter().max_by_key(|(at, messages, _)| (*messages, std::cmp::Reverse(*at)))?;
        let FlowLine { id, class, confidence, rule, why, .. } = snapshot.flows.get(at)?.clone();
        Some(SourceFlow { flow: id, class, confidence, rule, why, flows })
    };
    let found = of_sources(ledger, addresses)?;
    Ok(found.into_iter().filter_map(|(address, of)| Some((address, most(of)?))).collect())
}

/// What the rows of a day that look alike were taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedRow<'a> {
    /// The rows, as one.
    pub row: SheetRow<'a>,
    /// The flow's id.
    pub flow: &'a str,
    /// What the flow was on that day.
    pub class: FlowClass,
    /// The rule that decided.
    pub rule: &'a str,
    /// Why.
    pub why: &'a str,
}

/// Judges everything anew and goes through all rows with what they were taken for: to compare it with a truth. Reads every row; for
/// measuring, not for pages.
///
/// # Errors
/// When the ledger cannot be read.
pub fn judge_rows(
    ledger: &Ledger,
    organisation: &Organisation,
    catalogue: &Catalogue,
    mut visit: impl FnMut(&JudgedRow<'_>),
) -> Result<(), Error> {
    let keep = |of: OfOrganization, flows: Vec<AssessedFlow>| {
        (of.name, (super::lanes::days(&of.lanes).collect::<Option<HashMap<_, _>>>().unwrap_or_default(), flows))
    };
    let judged = judge(ledger, organisation, catalogue, InForce::default(), |_| Vec::new(), keep)?;
    let judged: HashMap<Text, _> = judged.into_iter().collect();
    let Some((first, last)) = ledger.span()? else { return Ok(()) };
    let first = first.max(last.plus(1 - FlowLimits::default().days));
    let mut day = first;
    while day <= last {
        // The flows of the day's cells, which its rows are found in again.
        let mut cells: (Names, Map<(Text, Cell), u32>) = Default::default();
        for (name, (lanes, _)) in &judged {
            let runs = lanes.get(&day).into_iter().flatten();
            let mut of_cells = runs.flat_map(|(flow, cells)| std::iter::repeat_n(*flow, *cells as usize));
            let kept = Kept::read(ledger, name, (day, day))?;
            kept.visit(
                &mut cells,
                |(names, _), name| names.number(name),
                |(_, cells), _, cell| {
                    let Some(flow) = of_cells.next() else { return };
                    cells.insert((name.clone(), Cell { reporters: 0, messages: [0; 4], ..*cell }), flow);
                },
            );
        }
        rows(ledger, day, |seen| {
            let mut cell = super::cell::read(&seen.texts, &mut cells.0);
            cell.source = number(seen.source);
            let of = (organizational_domain(seen.texts.author), cell);
            let (Some(number), Some((_, flows))) = (cells.1.get(&of), judged.get(&of.0)) else { return };
            let Some(flow) = flows.get(*number as usize) else { return };
            visit(&JudgedRow {
                row: SheetRow {
                    day,
                    source: seen.source,
                    domain: seen.texts.author,
                    dkim: seen.texts.dkim,
                    spf: seen.texts.spf,
                    envelope_from: seen.texts.envelope_from,
                    overrides: seen.texts.overrides,
                    outcome: seen.texts.outcome,
                    disposition: seen.disposition,
                    messages: seen.messages,
                },
                flow: &flow.id,
                class: flow.class_on(day),
                rule: rule_for(&flow.verdict.rule, flow.class_on(day)),
                why: &flow.verdict.why,
            });
        })?;
        day = day.plus(1);
    }
    Ok(())
}
