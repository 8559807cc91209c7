//! `company.json`: what the company knows about itself, and what stood in its DNS when; and the README beside it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use report::Day;
use serde::Serialize;

use crate::estate::{Role, organizational};
use crate::flow::Class;
use crate::generate::Summary;
use crate::habit::{Habit, Indent};
use crate::reporter::{Again, Reporter, Window};
use crate::traffic::World;

#[derive(Serialize)]
struct Company<'a> {
    name: &'a str,
    seed: u64,
    first_day: Day,
    last_day: Day,
    domains: Vec<DomainLine<'a>>,
    /// Address space of its own.
    networks: Vec<String>,
    teams: Vec<TeamLine<'a>>,
    /// Records that matter to the story, with the days they stood there.
    dns: Vec<RecordLine<'a>>,
    events: Vec<EventLine<'a>>,
    reporters: Vec<ReporterLine<'a>>,
}

#[derive(Serialize)]
struct DomainLine<'a> {
    name: &'a str,
    role: Role,
}

#[derive(Serialize)]
struct TeamLine<'a> {
    team: &'a str,
    local_parts: Vec<&'a str>,
    services: Vec<&'a str>,
    flows: Vec<&'a str>,
}

#[derive(Serialize)]
struct RecordLine<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    /// First day; absent where it was there before.
    from: Option<Day>,
    /// Last day; absent where it still stands.
    until: Option<Day>,
}

#[derive(Serialize)]
struct EventLine<'a> {
    day: Day,
    what: &'a str,
}

#[derive(Serialize)]
struct ReporterLine<'a> {
    organization: &'a str,
    domain: &'a str,
    dialect: report::Dialect,
    habits: Vec<String>,
}

/// Writes `company.json`.
pub(crate) fn write(out: &mut dyn Write, world: &World, first: Day, days: u16) -> io::Result<()> {
    let company = Company {
        name: &world.company.name,
        seed: world.seed,
        first_day: first,
        last_day: first.plus(i32::from(days) - 1),
        domains: world.estate.domains.iter().map(|d| DomainLine { name: &d.name, role: d.role }).collect(),
        networks: world.company.networks.iter().map(ToString::to_string).collect(),
        teams: teams(world),
        dns: dns(world, first),
        events: world
            .company
            .events
            .iter()
            .filter(|(day, _)| *day < i32::from(days))
            .map(|(day, what)| EventLine { day: first.plus(*day), what })
            .collect(),
        reporters: world.reporters.iter().map(reporter).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &company)?;
    out.write_all(b"\n")
}

fn teams(world: &World) -> Vec<TeamLine<'_>> {
    let mut teams: BTreeMap<&str, TeamLine<'_>> = BTreeMap::new();
    for flow in &world.flows {
        let Some(team) = flow.team.as_deref() else { continue };
        let line = teams.entry(team).or_insert_with(|| TeamLine {
            team,
            local_parts: Vec::new(),
            services: Vec::new(),
            flows: Vec::new(),
        });
        line.flows.push(&flow.id);
        for (list, name) in
            [(&mut line.local_parts, flow.local_part.as_deref()), (&mut line.services, flow.service.as_deref())]
        {
            if let Some(name) = name.filter(|name| !list.contains(name)) {
                list.push(name);
            }
        }
    }
    teams.into_values().collect()
}

/// Records at names of our own; `dns/` has those of all others too.
fn dns(world: &World, first: Day) -> Vec<RecordLine<'_>> {
    let mut lines = Vec::new();
    let domains = &world.estate.domains;
    let ours = |name: &str| domains.iter().any(|domain| organizational(&domain.name) == organizational(name));
    for (name, kind, versions) in world.company.records.all().filter(|(name, ..)| ours(name)) {
        let mut versions = versions.iter().peekable();
        while let Some((from, text)) = versions.next() {
            let until = versions.peek().map(|(next, _)| first.plus(**next - 1));
            let from = (*from > i32::MIN).then(|| first.plus(*from));
            lines.push(RecordLine { name, kind: kind.word(), text, from, until });
        }
    }
    lines
}

fn reporter(reporter: &Reporter) -> ReporterLine<'_> {
    let mut habits = Vec::new();
    let mut say = |habit: bool, words: &str| {
        if habit {
            habits.push(words.to_owned());
        }
    };
    say(reporter.habit.is_clean(), "writes valid reports");
    say(matches!(reporter.window, Window::Day { hour: 1.., .. }), "days begin at 07:00 UTC");
    say(reporter.window == Window::Quarters, "reports every six hours");
    say(reporter.ids == crate::reporter::Ids::Reused, "uses report ids again on other days");
    say(!reporter.recipients.is_empty(), "names recipient domains");
    say(reporter.softens, "quarantines what should be rejected");
    say(reporter.lenient, "does not count SPF look-ups");
    say(reporter.late > 0, "follows DNS a day late");
    say(reporter.habit.shouts, "writes Pass and hardfail");
    say(reporter.habit.empty_dkim, "adds empty dkim elements");
    say(reporter.habit.indent == Indent::OneLine, "writes one line");
    say(matches!(reporter.again, Again::SameFile(_)), "sends some files twice");
    say(matches!(reporter.again, Again::OtherContainer(_)), "sends some reports twice, packed differently");
    say(reporter.corrects.is_some(), "corrects one report a day later");
    say((0..120).any(|day| reporter.silent.holds(day)), "misses days");
    if reporter.habit.drop != Habit::NONE.drop {
        habits.push(format!("leaves out {}", reporter.habit.drop.join(", ")));
    }
    ReporterLine { organization: &reporter.organization, domain: &reporter.domain, dialect: reporter.dialect, habits }
}

/// Writes `README.md`.
pub(crate) fn readme(out: &mut dyn Write, world: &World, first: Day, days: u16, summary: &Summary) -> io::Result<()> {
    let last = first.plus(i32::from(days) - 1);
    writeln!(
        out,
        "# {name}\n\n\
         {about}\n\n\
         The mail of an invented company, seen through {reports} DMARC aggregate reports of {first} to {last} about {messages} messages.\n\
         Made with seed {seed}; the same company, seed, days and scale give the same bytes.\n\n\
         | file | holds |\n| --- | --- |\n\
         | `reports/DAY/` | what arrived on a day: XML, gzip, zip and mails from {reporters} reporters, sloppy ones among them |\n\
         | `truth.jsonl` | one line for each of the {flows} mail streams: what it is, who answers for it, where it comes from, how it authenticates, and how many messages were sent and are in the reports, by day |\n\
         | `incidents.jsonl` | what goes wrong, one line each: since when, what kind, in whose name |\n\
         | `truth-cells.jsonl.gz` | the same to the row: for everything that reports say in different words, whose messages those are |\n\
         | `company.json` | domains, teams, DNS records and when they stood there, what happened, the reporters and their habits |\n\
         | `dns/names.zone` | PTR records, and the addresses of the names that lead back |\n\
         | `dns/current.zone` | SPF, DKIM, DMARC and MX records on the last day |\n\
         | `dns/history/DAY.zone` | the same from that day on, one file for each day on which something changed; those of years before say how old keys are |\n\
         | `networks.mmdb`, `networks.csv` | number, organisation and country of networks |\n\
         | `people.csv`, `lists.csv` | the directory |\n\
         | `services.toml` | mail services that are publicly known |\n\
         | `drop.json` | networks on a list of criminal ones |\n\
         | `lamppost.toml` | settings that name all of these |\n\n\
         ```sh\n\
         lamppost import reports\n\
         lamppost enrich --zone dns/names.zone --zone dns/current.zone\n\
         lamppost serve\n\
         ```\n\n\
         Classes in `truth.jsonl`: {classes}.\n\
         Reports that come twice count once, and of a corrected report the correction counts: then the sums of the truth and of the\n\
         reports agree to the message. A day of `truth.jsonl` holds, as `reported`, the reports that begin on it.\n\n\
         All names end in `.example` or `.test` (RFC 2606). All addresses are from ranges that stand for nobody: 192.0.2.0/24,\n\
         198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849), 198.18.0.0/15 (RFC 2544), 100.64.0.0/10 (RFC 6598).",
        name = world.company.name,
        about = world.company.about,
        reports = summary.reports,
        messages = summary.messages,
        seed = world.seed,
        reporters = world.reporters.len(),
        flows = world.flows.len(),
        classes = Class::ALL.map(|class| format!("`{}`", class.word())).join(", "),
    )
}
