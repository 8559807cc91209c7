//! From the replay to the answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use report::{Day, Text};
use store::{Ledger, organizational_domain};

use super::answers::{Preview, PreviewAgreement, PreviewClass, PreviewDomain, PreviewFlow, PreviewOwner, PreviewTag};
use super::forecast::{Calendar, Estimate, Series, estimate};
use super::mailer::Tag;
use super::of_flow::OfFlow;
use super::replay::{Job, Mail, Replay, Sums, replay};
use super::what_if::{WhatIf, wrong};
use super::world::World;
use super::{reporters, request};
use crate::counts::float;
use crate::flows::{Days, Snapshot, decisions, load, stale};
use crate::scope::length;
use crate::{Error, FlowClass, FlowLine, Period, Scope};

/// Days that the expectation rests on where the ledger has as many: a quarter, thirteen whole weeks.
const HISTORY: i32 = 91;
/// Days shown where nothing is said.
const SHOWN: u16 = 30;
/// Harmed flows that are named.
const FLOWS_MAX: usize = 20;
/// Unknown flows that are named.
const UNKNOWN_MAX: usize = 10;
/// Author domains that are named.
const DOMAINS_MAX: usize = 50;

/// What would happen to the mail of a domain under other records.
///
/// # Errors
/// [`Error::WhatIf`] if what is asked makes no sense or needs records that are not known here, and when the ledger cannot be read.
pub fn preview(ledger: &Ledger, what_if: &WhatIf) -> Result<Preview, Error> {
    let what_if = &checked(what_if)?;
    Ok(Basis::new(ledger, what_if)?.study(ledger, what_if)?.preview)
}

/// What a flow's mail that the previewed policy reaches fares like, per day over the days shown.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) line: FlowLine,
    pub(crate) messages: f64,
    /// Would fail.
    pub(crate) failing: f64,
    /// Would pass by an aligned signature.
    pub(crate) signed: f64,
}

/// A preview, and all flows that the policy reaches.
pub(crate) struct Study {
    pub(crate) preview: Preview,
    pub(crate) reached: Vec<Reached>,
}

/// What another policy would do, by the tags that decide and by author domain.
pub(crate) struct Apart {
    pub(crate) tags: Vec<PreviewTag>,
    pub(crate) domains: Vec<PreviewDomain>,
}

/// The preview with what readiness needs beside it: also what another policy would do. No SPF record may change.
pub(crate) fn study_with(ledger: &Ledger, what_if: &WhatIf, other: &WhatIf) -> Result<(Study, Apart), Error> {
    let (what_if, other) = (&checked(what_if)?, &checked(other)?);
    let basis = &Basis::new(ledger, what_if)?;
    std::thread::scope(|scope| {
        let apart = scope.spawn(|| basis.apart(ledger, other));
        let study = basis.study(ledger, what_if)?;
        let apart = apart.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((study, apart))
    })
}

fn checked(what_if: &WhatIf) -> Result<WhatIf, Error> {
    what_if.check()?;
    Ok(WhatIf { domain: what_if.domain.trim_end_matches('.').to_lowercase(), ..what_if.clone() })
}

/// What previews of the same mail share.
struct Basis {
    snapshot: Arc<Snapshot>,
    shown: (Day, Day),
    all: (Day, Day),
    organization: Text,
    /// Author domains in whose name mail passes.
    existing: Vec<Text>,
    mail: Mail,
}

impl Basis {
    fn new(ledger: &Ledger, what_if: &WhatIf) -> Result<Self, Error> {
        let Some((snapshot, days)) = load(ledger)? else {
            return Err(wrong("no flow is judged yet: import reports, then look again"));
        };
        let Some((shown, all)) = periods(ledger, what_if)? else {
            return Err(wrong("the ledger is empty: import reports first"));
        };
        let organization = organizational_domain(&what_if.domain);
        let existing = existing(&snapshot, &days, &organization);
        let mail = Mail::new(ledger, &organization, all, what_if.changes_spf(), &snapshot)?;
        Ok(Self { snapshot, shown, all, organization, existing, mail })
    }

    fn replay(&self, ledger: &Ledger, what_if: &WhatIf) -> Result<(World, Replay), Error> {
        let world = World::new(ledger, what_if, self.shown, &self.existing)?;
        let counts = |author: &str| within(author, what_if);
        let job = Job {
            world: &world,
            organization: &self.organization,
            shown_from: self.shown.0,
            counts: &counts,
            signed: &signed(&self.snapshot, what_if)?,
            mail: &self.mail,
        };
        let found = replay(ledger, &job)?;
        if found.days.is_empty() {
            return Err(wrong(format!(
                "there is no mail in the name of {} in these days; `lamppost domains` lists the domains that have some",
                what_if.domain
            )));
        }
        Ok((world, found))
    }

    fn study(&self, ledger: &Ledger, what_if: &WhatIf) -> Result<Study, Error> {
        let (world, found) = self.replay(ledger, what_if)?;
        let sheet = Sheet::new(&self.snapshot, &found, self.shown, self.all);
        let mut preview = sheet.preview(what_if, &world, self.shown, self.all);
        preview.stale = stale(ledger)? || !found.skipped.is_empty();
        preview.agreement = agreement(&found);
        preview.reporters = reporters::reporters(ledger, what_if, self.shown)?;
        owners(ledger, &self.snapshot, &sheet, &mut preview)?;
        request::words(&mut preview, what_if, &found, &world);
        Ok(Study { preview, reached: sheet.reached() })
    }

    fn apart(&self, ledger: &Ledger, what_if: &WhatIf) -> Result<Apart, Error> {
        let (_, found) = self.replay(ledger, what_if)?;
        let sheet = Sheet::new(&self.snapshot, &found, self.shown, self.all);
        Ok(Apart { tags: sheet.tags(), domains: sheet.domains().0 })
    }
}

/// The days shown, and all that the expectation rests on.
type Periods = ((Day, Day), (Day, Day));

/// The days shown, and all that the expectation rests on. The newest days, whose reports are still coming in, count for neither.
fn periods(ledger: &Ledger, what_if: &WhatIf) -> Result<Option<Periods>, Error> {
    let Some((first, newest)) = ledger.span()? else { return Ok(None) };
    let scope = Scope::default();
    let late = crate::incomplete::incomplete(ledger, &scope, (newest.plus(-2), newest))?;
    let last = late.first().map_or(newest, |late| late.day.plus(-1)).max(first);
    let shown = match what_if.period {
        None | Some(Period::Last(_)) => {
            let days = match what_if.period {
                Some(Period::Last(days)) => days.max(1),
                _ => SHOWN,
            };
            (last.plus(1 - i32::from(days)).max(first), last)
        }
        Some(period) => match period.days(ledger)? {
            Some(days) => (days.0.max(first), days.1.min(newest)),
            None => return Ok(None),
        },
    };
    if shown.0 > shown.1 {
        return Err(wrong(format!("there are no reports in these days; the ledger has {first} to {newest}")));
    }
    let all = (shown.0.min(shown.1.plus(1 - HISTORY)).max(first), shown.1);
    Ok(Some((shown, all)))
}

/// Author domains in whose name mail passes: they exist, whatever else is known of DNS.
fn existing(snapshot: &Snapshot, days: &Days, organization: &str) -> Vec<Text> {
    let mut names = BTreeSet::new();
    let of = |line: &&FlowLine| line.organizational_domain == organization;
    for (_, authors) in snapshot.flows.iter().zip(&days.0).filter(|(line, _)| of(line)) {
        for (author, days) in authors {
            if !names.contains(author.as_str()) && days.iter().any(|day| day.failing < day.messages) {
                names.insert(author.as_str());
            }
        }
    }
    names.into_iter().map(Text::new).collect()
}

fn within(author: &str, what_if: &WhatIf) -> bool {
    let below = || author.strip_suffix(what_if.domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    author == what_if.domain || what_if.subdomains && below()
}

/// The flows that would get a signature, by place.
fn signed(snapshot: &Snapshot, what_if: &WhatIf) -> Result<Vec<bool>, Error> {
    let mut signed = vec![false; snapshot.flows.len()];
    for wanted in &what_if.dkim_for {
        let mut begins = snapshot.places.iter().filter(|(id, _)| wanted.len() >= 3 && id.starts_with(wanted.as_str()));
        let (Some((_, place)), None) = (begins.next(), begins.next()) else {
            return Err(wrong(format!("no flow, or more than one, is called {wanted}: `lamppost flows` lists them")));
        };
        signed[*place] = true;
    }
    Ok(signed)
}

/// All sums of a replay.
struct Sheet<'a> {
    calendar: Calendar,
    /// By place.
    flows: Vec<(&'a FlowLine, OfFlow)>,
    /// By name.
    domains: Vec<(&'a Text, (Tag, [f64; 4]))>,
    days_shown: f64,
}

impl<'a> Sheet<'a> {
    fn new(snapshot: &'a Snapshot, found: &'a Replay, shown: (Day, Day), all: (Day, Day)) -> Self {
        let days = length(all);
        let at = |day: Day| usize::try_from(day.0 - all.0.0).unwrap_or(0);
        let mut flows: Vec<Option<OfFlow>> = Vec::new();
        flows.resize_with(snapshot.flows.len(), || None);
        let mut domains: Vec<Option<(Tag, [f64; 4])>> = vec![None; found.authors.len()];
        let mut wanted = vec![0.0; days];
        let mut any = vec![0.0; days];
        for of in &found.days {
            let day = at(of.day);
            for part in &of.parts {
                let class = snapshot.flows[part.flow as usize].class;
                let sums = &part.sums;
                let flow = flows[part.flow as usize].get_or_insert_default();
                flow.add(day, part.tag, sums);
                any[day] += float(sums.messages);
                if class.is_legitimate() {
                    wanted[day] += float(sums.messages);
                }
                if of.day < shown.0 {
                    continue;
                }
                flow.shown.add(sums);
                if part.reached {
                    flow.reached.add(sums);
                }
                let domain = domains[part.author as usize].get_or_insert((part.tag, [0.0; 4]));
                let slot = match class {
                    FlowClass::Unknown => 2,
                    FlowClass::Spoofer => 3,
                    _ => 1,
                };
                domain.1[0] += if slot == 1 { float(sums.messages) } else { 0.0 };
                domain.1[slot] += sums.stopped;
            }
        }
        // A domain that only spoofers use has no week of its own.
        let volume = if wanted.iter().any(|n| *n > 0.0) { &wanted } else { &any };
        let mut calendar = Calendar::new(all.0, length(shown), volume);
        calendar.covered = any.iter().filter(|n| **n > 0.0).count();
        let closed = |(line, flow): (&'a FlowLine, Option<OfFlow>)| {
            let mut flow = flow?;
            // What is called something at less than even odds is expected as far as these go.
            let unlikely = line.confidence < 50 && line.together == 1;
            flow.close(days, if unlikely { f64::from(line.confidence) / 100.0 } else { 1.0 });
            Some((line, flow))
        };
        Self {
            calendar,
            flows: snapshot.flows.iter().zip(flows).filter_map(closed).collect(),
            domains: found.authors.iter().zip(domains).filter_map(|(name, of)| Some((name, of?))).collect(),
            days_shown: float(length(shown) as u64),
        }
    }

    fn of<'s>(&'s self, wanted: impl Fn(FlowClass) -> bool + 's) -> impl Iterator<Item = (&'a FlowLine, &'s OfFlow)> {
        self.flows.iter().map(|(line, flow)| (*line, flow)).filter(move |(line, _)| wanted(line.class))
    }

    fn estimate(&self, wanted: impl Fn(FlowClass) -> bool) -> Estimate {
        estimate(self.of(wanted).map(|(_, flow)| &flow.series), &self.calendar)
    }

    /// Messages over the days shown, per day.
    fn per_day(&self, wanted: impl Fn(FlowClass) -> bool, what: impl Fn(&Sums) -> f64) -> f64 {
        self.of(wanted).map(|(_, flow)| what(&flow.shown)).sum::<f64>() / self.days_shown
    }

    fn preview(&self, what_if: &WhatIf, world: &World, shown: (Day, Day), all: (Day, Day)) -> Preview {
        let (unknown, spoofer) = (|class| class == FlowClass::Unknown, |class| class == FlowClass::Spoofer);
        let rejected =
            self.of(FlowClass::is_legitimate).map(|(_, flow)| flow.rejected.as_ref().unwrap_or(&flow.series));
        let (flows, flows_total) = self.worst(FlowClass::is_legitimate, FLOWS_MAX);
        let (domains, domains_total) = self.domains();
        Preview {
            domain: what_if.domain.clone(),
            subdomains: what_if.subdomains,
            what: what_if.words(),
            receivers: what_if.receivers,
            days: shown,
            rests_on: all,
            days_with_reports: self.calendar.covered as u64,
            stale: false,
            changed: world.changed.clone(),
            record_known_from: world.known_from.to_owned(),
            harm: self.estimate(FlowClass::is_legitimate),
            rejected: estimate(rejected, &self.calendar),
            unknown: self.estimate(unknown),
            spoofed: self.estimate(spoofer),
            spoofed_delivered_now: self.per_day(spoofer, |sums| sums.delivered),
            legitimate: self.per_day(FlowClass::is_legitimate, |sums| float(sums.messages)),
            legitimate_failing_now: self.per_day(FlowClass::is_legitimate, |sums| float(sums.failing_now)),
            classes: self.classes(),
            flows,
            flows_total,
            unknown_flows: self.worst(unknown, UNKNOWN_MAX).0,
            owners: Vec::new(),
            tags: self.tags(),
            domains,
            domains_total,
            reporters: Vec::new(),
            agreement: Vec::new(),
            notes: Vec::new(),
            bound: String::new(),
            change_request: String::new(),
        }
    }

    fn reached(&self) -> Vec<Reached> {
        let a_day = |n: u64| float(n) / self.days_shown;
        let of = |(line, flow): (&FlowLine, &OfFlow)| Reached {
            line: line.clone(),
            messages: a_day(flow.reached.messages),
            failing: a_day(flow.reached.failing),
            signed: a_day(flow.reached.signed),
        };
        self.of(|_| true).filter(|(_, flow)| flow.reached.messages > 0).map(of).collect()
    }

    fn classes(&self) -> Vec<PreviewClass> {
        let of_class = |class: FlowClass| {
            let is = |other| other == class;
            let shown = || self.of(is).filter(|(_, flow)| flow.shown.messages > 0);
            PreviewClass {
                class,
                flows: shown().count() as u64,
                flows_stopped: shown().filter(|(_, flow)| flow.shown.stopped > 0.0).count() as u64,
                messages: self.per_day(is, |sums| float(sums.messages)),
                stopped: self.estimate(is),
                broken: self.per_day(is, |sums| float(sums.broken)),
                mended: self.per_day(is, |sums| float(sums.mended)),
            }
        };
        FlowClass::ALL.into_iter().map(of_class).filter(|line| line.flows > 0).collect()
    }

    /// The flows that would be stopped, most first; and how many there are.
    fn worst(&self, wanted: impl Fn(FlowClass) -> bool, most: usize) -> (Vec<PreviewFlow>, usize) {
        let mut found: Vec<_> = self.of(wanted).filter(|(_, flow)| flow.shown.stopped > 0.0).collect();
        found.sort_by(|a, b| b.1.shown.stopped.total_cmp(&a.1.shown.stopped).then_with(|| a.0.id.cmp(&b.0.id)));
        let total = found.len();
        let line = |(line, flow): (&FlowLine, &OfFlow)| PreviewFlow {
            id: line.id.clone(),
            name: line.name.clone(),
            class: line.class,
            owner: None,
            diagnosis: line.diagnosis,
            messages: float(flow.shown.messages) / self.days_shown,
            stopped: estimate([&flow.series], &self.calendar),
            known_forwarded: flow.shown.known_forwarded / self.days_shown,
            broken: float(flow.shown.broken) / self.days_shown,
            first_day: line.first_day,
            last_day: line.last_day,
        };
        (found.into_iter().take(most).map(line).collect(), total)
    }

    fn tags(&self) -> Vec<PreviewTag> {
        let of_tag = |tag: Tag| {
            let series = |wanted: &dyn Fn(FlowClass) -> bool| {
                let flows = self.of(wanted).filter_map(|(_, flow)| flow.of_tag(tag));
                estimate(flows, &self.calendar)
            };
            let domains = || self.domains.iter().map(|(_, of)| of).filter(|(of, _)| *of == tag);
            PreviewTag {
                tag,
                domains: domains().count() as u64,
                legitimate: domains().map(|(_, sums)| sums[0]).sum::<f64>() / self.days_shown,
                harm: series(&FlowClass::is_legitimate),
                unknown: series(&|class| class == FlowClass::Unknown),
                spoofed: series(&|class| class == FlowClass::Spoofer),
            }
        };
        Tag::ALL.into_iter().map(of_tag).filter(|line| line.domains > 0).collect()
    }

    fn domains(&self) -> (Vec<PreviewDomain>, usize) {
        let line = |(domain, (tag, sums)): &(&Text, (Tag, [f64; 4]))| {
            let [legitimate, harm, unknown, spoofed] = sums.map(|sum| sum / self.days_shown);
            PreviewDomain { domain: (*domain).clone(), tag: *tag, legitimate, harm, unknown, spoofed }
        };
        let mut domains: Vec<PreviewDomain> = self.domains.iter().map(line).collect();
        domains.sort_by(|a, b| {
            let order = b.harm.total_cmp(&a.harm).then(b.legitimate.total_cmp(&a.legitimate));
            order.then(b.spoofed.total_cmp(&a.spoofed)).then_with(|| a.domain.cmp(&b.domain))
        });
        let total = domains.len();
        domains.truncate(DOMAINS_MAX);
        (domains, total)
    }
}

fn agreement(found: &Replay) -> Vec<PreviewAgreement> {
    let line = |(how, messages): (&super::Difference, &u64)| PreviewAgreement {
        how: *how,
        words: how.words().to_owned(),
        messages: *messages,
    };
    found.differences.iter().map(line).collect()
}

/// Who answers for the harmed flows: whoever decided about them.
fn owners(ledger: &Ledger, snapshot: &Snapshot, sheet: &Sheet<'_>, preview: &mut Preview) -> Result<(), Error> {
    let decided: HashMap<u64, Option<String>> =
        decisions(ledger, Day(i32::MIN))?.into_iter().map(|decision| (decision.id, decision.who)).collect();
    let owner = |line: &FlowLine| line.decision.and_then(|number| decided.get(&number).cloned().flatten());
    for flow in preview.flows.iter_mut().chain(&mut preview.unknown_flows) {
        flow.owner = snapshot.places.get(&flow.id).and_then(|place| owner(&snapshot.flows[*place]));
    }
    let mut by_owner: BTreeMap<Option<String>, Vec<&Series>> = BTreeMap::new();
    for (line, flow) in sheet.of(FlowClass::is_legitimate).filter(|(_, flow)| flow.shown.stopped > 0.0) {
        by_owner.entry(owner(line)).or_default().push(&flow.series);
    }
    preview.owners = by_owner
        .into_iter()
        .map(|(owner, flows)| PreviewOwner {
            owner,
            flows: flows.len() as u64,
            stopped: estimate(flows, &sheet.calendar),
        })
        .collect();
    preview.owners.sort_by(|a, b| b.stopped.seen.total_cmp(&a.stopped.seen));
    Ok(())
}
