//! What goes wrong: planted where it is asked for, on top of what happens anyway; and the file that says what went wrong when.
//!
//! In: a world, the truth. Out: the world with incidents in it; `incidents.jsonl`. It is written for those who measure whether anybody
//! noticed, and whoever is measured never reads it. Nothing is planted unless asked: the same options without it give the same bytes.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use report::{AuthResult, Day, Text};
use serde::{Deserialize, Serialize};

use crate::estate::organizational;
use crate::flow::{Addresses, Authentication, Class, Envelope, Flow, Phase, Signature, Who};
use crate::random::{Random, hash};
use crate::traffic::World;
use crate::truth::Truth;
use crate::volume::Volume;

/// The first one comes when it can be known what is usual.
const FIRST: i32 = 42;
/// Days between two.
const EVERY: u64 = 12;
/// Messages a day at scale 1 that make a stream worth breaking.
const WORTH: f64 = 300.0;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// The SPF record of a domain has a mistake, or needs too many look-ups.
    SpfBroken,
    /// The SPF record of a domain is gone.
    SpfGone,
    /// Signatures of the company's own hosts do not verify; SPF still passes.
    KeyBroken,
    /// A stream that passed fails.
    FlowBroken,
    /// A new sender of the company's fails from its first day.
    NewSender,
    /// A wave of spoofing begins.
    Wave,
    /// One of those who report stops.
    ReporterSilent,
}

/// One line of `incidents.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The first day.
    pub day: Day,
    /// The last day; absent where it goes on.
    pub until: Option<Day>,
    /// What.
    pub kind: IncidentKind,
    /// The organizational domain; empty where it is none's.
    pub domain: String,
    /// The stream, the reporter, or the name.
    pub what: String,
    /// Messages in reports of the first day that it is about, where it is about a stream.
    pub messages: Option<u64>,
    /// Whether it was planted; others belong to the company's story.
    pub planted: bool,
}

/// A record that receivers find otherwise than the traffic says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BrokenSpf {
    pub(crate) name: Text,
    /// From this day of the story to before that one.
    pub(crate) days: (i32, i32),
    pub(crate) result: AuthResult,
}

/// What was planted: day, the day after the last, kind, what.
pub(crate) type Planted = (i32, i32, IncidentKind, Text);

/// Plants incidents of all kinds in turn, some twelve days apart.
pub(crate) fn plant(world: &mut World, days: i32) {
    const KINDS: [IncidentKind; 7] = [
        IncidentKind::SpfBroken,
        IncidentKind::Wave,
        IncidentKind::ReporterSilent,
        IncidentKind::KeyBroken,
        IncidentKind::NewSender,
        IncidentKind::FlowBroken,
        IncidentKind::SpfGone,
    ];
    let mut dice = Random::at(world.seed, &[hash("incidents")]);
    let mut day = FIRST;
    for n in 0.. {
        day += i32::try_from(dice.below(4)).unwrap_or(0);
        // Something is seen of the last one.
        if day + 3 > days {
            break;
        }
        let kind = KINDS[n % KINDS.len()];
        if let Some(planted) = one(world, kind, n, day, &mut dice) {
            world.company.planted.push(planted);
        }
        day += i32::try_from(EVERY).unwrap_or(0);
    }
}

fn one(world: &mut World, kind: IncidentKind, n: usize, day: i32, dice: &mut Random) -> Option<Planted> {
    let apex = world.estate.domains.first()?.name.clone();
    let lasts = 2 + i32::try_from(dice.below(3)).unwrap_or(0);
    let mut until = day + lasts;
    let what = match kind {
        IncidentKind::SpfBroken | IncidentKind::SpfGone => {
            let result = if kind == IncidentKind::SpfGone { AuthResult::None } else { AuthResult::PermError };
            let broken = BrokenSpf { name: apex.clone(), days: (day, until), result };
            world.company.broken_spf.push(broken);
            apex
        }
        IncidentKind::ReporterSilent => {
            until = day + 6 + i32::try_from(dice.below(6)).unwrap_or(0);
            // One of the large ones: their silence is noticed, that of the others need not be.
            let reporter = world.reporters.get_mut(dice.index(3))?;
            reporter.silent.spans.push((day, until));
            reporter.organization.clone()
        }
        IncidentKind::KeyBroken => {
            let mut broken = None;
            let ours: Vec<bool> = world.estate.domains.iter().map(|of| organizational(&of.name) == apex).collect();
            let of_apex = |flow: &Flow| flow.authors.iter().all(|(author, _)| ours.get(*author) == Some(&true));
            for flow in world.flows.iter_mut().filter(|flow| signs(flow, day) && of_apex(flow)) {
                interrupt(flow, (day, until), None, "new_key_cannot_be_used", |part| {
                    part.dkim.iter_mut().for_each(|signature| signature.result = AuthResult::Fail);
                });
                broken.get_or_insert_with(|| flow.id.clone());
            }
            broken?
        }
        IncidentKind::FlowBroken => {
            let scale = world.scale;
            let mut worth: Vec<&mut Flow> = world.flows.iter_mut().filter(|flow| passes(flow, day, scale)).collect();
            let at = dice.index(worth.len().max(1));
            let flow = worth.get_mut(at)?;
            interrupt(flow, (day, until), Some(Class::ThirdPartyUnaligned), "broken_for_days", |part| {
                part.spf = AuthResult::SoftFail;
                part.dkim.iter_mut().for_each(|signature| signature.result = AuthResult::Fail);
            });
            flow.id.clone()
        }
        IncidentKind::Wave => {
            let mut flow = loudest_spoofer(world)?.clone();
            flow.id = Text::new(format!("incident-wave-{n}"));
            let usual: f64 = spoofers(world).map(|flow| flow.volume.per_day).sum();
            let per_day = (usual * 4.0).max(3.0 * WORTH / world.scale);
            flow.volume = Volume::crime(per_day).curve(&[(day - 1, 0.0), (day, 1.0), (until - 1, 1.0), (until, 0.0)]);
            flow.authors = vec![(0, 1.0)];
            world.flows.push(flow);
            Text::new(format!("incident-wave-{n}"))
        }
        IncidentKind::NewSender => {
            until = day + 30;
            let flow = new_sender(world, n, (day, until))?;
            let id = flow.id.clone();
            world.flows.push(flow);
            id
        }
    };
    Some((day, until, kind, what))
}

/// A service that signs and sends as itself, from addresses at the end of the plan, where nobody of the cast is.
fn new_sender(world: &World, n: usize, (day, until): (i32, i32)) -> Option<Flow> {
    let domain = Text::new(format!("newsender{n}.example"));
    let mix = vec![Authentication {
        weight: 1.0,
        envelope: Envelope::Domain(Who::Is(Text::new(format!("bounce.{domain}")))),
        spf: AuthResult::Pass,
        dkim: vec![Signature { by: Who::Is(domain), selector: "m1".into(), result: AuthResult::Pass }],
    }];
    let phase = Phase { from: i32::MIN, class: Class::ThirdPartyUnaligned, diagnosis: "unaligned", mix };
    let third = u8::try_from(200 + n % 50).unwrap_or(250);
    let all = (10..14).map(|last| IpAddr::V4(Ipv4Addr::new(100, 127, third, last))).collect();
    Some(Flow {
        id: Text::new(format!("incident-sender-{n}")),
        volume: Volume::machine(WORTH / world.scale).curve(&[(day - 1, 0.0), (day, 1.0), (until, 1.0)]),
        authors: vec![(0, 1.0)],
        addresses: Addresses { all, ..Addresses::default() },
        phases: vec![phase],
        ..loudest_spoofer(world)?.clone()
    })
}

fn spoofers(world: &World) -> impl Iterator<Item = &Flow> {
    world.flows.iter().filter(|flow| flow.phases[0].class == Class::Spoofer && flow.volume.curve.is_empty())
}

fn loudest_spoofer(world: &World) -> Option<&Flow> {
    spoofers(world)
        .filter(|flow| flow.addresses.all.len() > 50)
        .max_by(|a, b| a.volume.per_day.total_cmp(&b.volume.per_day))
}

/// Our own hosts, signing and in SPF.
fn signs(flow: &Flow, day: i32) -> bool {
    let phase = flow.phase(day);
    let both = |part: &Authentication| part.spf == AuthResult::Pass && !part.dkim.is_empty();
    phase.class == Class::Own && flow.service.is_none() && phase.mix.first().is_some_and(both)
}

/// A service for us that passes, on every day, and is large enough for its failure to be seen.
fn passes(flow: &Flow, day: i32, scale: f64) -> bool {
    let phase = flow.phase(day);
    phase.class == Class::ThirdParty
        && flow.phase(day + 6).class == Class::ThirdParty
        && flow.phase(day - 30).class == Class::ThirdParty
        && flow.volume.curve.is_empty()
        && flow.volume.is_daily()
        && flow.volume.per_day * scale >= WORTH
}

/// Puts a phase in between, in which everything is as on its first day but for what is changed.
fn interrupt(
    flow: &mut Flow,
    (day, until): (i32, i32),
    class: Option<Class>,
    diagnosis: &'static str,
    change: impl Fn(&mut Authentication),
) {
    let mut broken = flow.phase(day).clone();
    let after = Phase { from: until, ..flow.phase(until).clone() };
    broken.from = day;
    broken.class = class.unwrap_or(broken.class);
    broken.diagnosis = diagnosis;
    broken.mix.iter_mut().for_each(change);
    flow.phases.retain(|phase| !(day..=until).contains(&phase.from));
    flow.phases.extend([broken, after]);
    flow.phases.sort_by_key(|phase| phase.from);
}

/// Writes `incidents.jsonl`: what was planted, and what the story has.
pub(crate) fn write(out: &mut dyn Write, world: &World, truth: &Truth, first: Day, days: u16) -> io::Result<()> {
    let mut all = Vec::new();
    let apex = world.estate.domains.first().map(|domain| organizational(&domain.name)).unwrap_or_default();
    for (day, until, kind, what) in &world.company.planted {
        let domain = if *kind == IncidentKind::ReporterSilent { "" } else { apex };
        let messages = messages(world, truth, what, *day);
        all.push(incident((*day, *until, *kind), domain, what, messages, first, true));
    }
    let planted = |kind: IncidentKind, what: &str, day: i32| {
        world
            .company
            .planted
            .iter()
            .any(|(from, until, of, on)| *of == kind && on == what && (*from..*until).contains(&day))
    };
    for (name, until) in &world.company.over_limit {
        all.push(incident((0, *until, IncidentKind::SpfBroken), organizational(name), name, None, first, false));
    }
    for reporter in &world.reporters {
        let name = &reporter.organization;
        let spans = reporter.silent.spans.iter();
        for (from, until) in spans.filter(|(from, _)| !planted(IncidentKind::ReporterSilent, name, *from)) {
            all.push(incident((*from, *until, IncidentKind::ReporterSilent), "", name, None, first, false));
        }
    }
    for flow in world.flows.iter().filter(|flow| !flow.id.starts_with("incident-")) {
        let Some((author, _)) = flow.authors.first() else { continue };
        let domain = organizational(&world.estate.domains[*author].name);
        for (kind, day, until) in of_flow(flow) {
            if !planted(kind, &flow.id, day) && !world.company.planted.iter().any(|p| p.0 == day && p.2 == kind) {
                let messages = messages(world, truth, &flow.id, day);
                all.push(incident((day, until, kind), domain, &flow.id, messages, first, false));
            }
        }
    }
    all.retain(|incident| incident.day.0 < first.0 + i32::from(days));
    all.sort_by(|a, b| (a.day, a.kind, &a.what).cmp(&(b.day, b.kind, &b.what)));
    for incident in all {
        serde_json::to_writer(&mut *out, &incident)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn messages(world: &World, truth: &Truth, flow: &str, day: i32) -> Option<u64> {
    let at = world.flows.iter().position(|known| known.id == flow)?;
    Some(truth.reported_on(at, usize::try_from(day).ok()?))
}

fn incident(
    (day, until, kind): (i32, i32, IncidentKind),
    domain: &str,
    what: &str,
    messages: Option<u64>,
    first: Day,
    planted: bool,
) -> Incident {
    Incident {
        day: first.plus(day.max(0)),
        until: (until < i32::MAX).then(|| first.plus(until - 1)),
        kind,
        domain: domain.to_owned(),
        what: what.to_owned(),
        messages,
        planted,
    }
}

/// What goes wrong with a stream by itself: kind, day, the day after the last.
fn of_flow(flow: &Flow) -> Vec<(IncidentKind, i32, i32)> {
    let failing = |class| {
        matches!(class, Class::OwnMisconfigured | Class::ThirdPartyUnaligned | Class::Campaign | Class::Unidentified)
    };
    let begins = flow.volume.curve.first().filter(|(_, share)| *share <= 0.0).map(|(day, _)| day + 1);
    let mut found = Vec::new();
    if let Some(day) = begins.filter(|day| *day > 0) {
        let class = flow.phase(day).class;
        if failing(class) {
            let until = flow.phases.iter().find(|phase| phase.from > day).map_or(i32::MAX, |phase| phase.from);
            found.push((IncidentKind::NewSender, day, until));
        } else if class == Class::Spoofer {
            found.push((IncidentKind::Wave, day, i32::MAX));
        }
    }
    for (at, phase) in flow.phases.iter().enumerate().skip(1) {
        let until = flow.phases.get(at + 1).map_or(i32::MAX, |next| next.from);
        let before = flow.phases[at - 1].class;
        if failing(phase.class) && !failing(before) && before != Class::Spoofer {
            found.push((IncidentKind::FlowBroken, phase.from, until));
        } else if phase.diagnosis == "new_key_cannot_be_used" {
            found.push((IncidentKind::KeyBroken, phase.from, until));
        }
    }
    found
}
