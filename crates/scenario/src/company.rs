//! `company.json`: what the company knows about itself, and what stood in its DNS when; and the README beside it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use report::Day;
use serde::Serialize;

use crate::estate::Role;
use crate::flow::{Class, Envelope};
use crate::habit::{Habit, Indent};
use crate::reporter::{Again, Reporter, Window};
use crate::story;
use crate::traffic::World;

#[derive(Serialize)]
struct Company<'a> {
    name: &'static str,
    seed: u64,
    first_day: Day,
    last_day: Day,
    domains: Vec<DomainLine<'a>>,
    /// Address space of its own.
    networks: [&'static str; 2],
    teams: Vec<TeamLine<'a>>,
    /// Records that matter to the story, with the days they stood there.
    dns: Vec<RecordLine>,
    selectors: Vec<SelectorLine>,
    events: Vec<EventLine>,
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
struct RecordLine {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    /// First day; absent where it was there before.
    from: Option<Day>,
    /// Last day; absent where it still stands.
    until: Option<Day>,
}

#[derive(Serialize)]
struct SelectorLine {
    domain: &'static str,
    selector: &'static str,
    bits: u16,
    published: &'static str,
}

#[derive(Serialize)]
struct EventLine {
    day: Day,
    what: &'static str,
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
        name: "Halden Works",
        seed: world.seed,
        first_day: first,
        last_day: first.plus(i32::from(days) - 1),
        domains: world.estate.domains.iter().map(|d| DomainLine { name: &d.name, role: d.role }).collect(),
        networks: ["198.18.0.0/16", "2001:db8:4a1::/48"],
        teams: teams(world),
        dns: dns(world, first),
        selectors: SELECTORS.to_vec_of_lines(),
        events: events(first),
        reporters: world.reporters.iter().map(reporter).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &company)?;
    out.write_all(b"\n")
}

fn teams(world: &World) -> Vec<TeamLine<'_>> {
    let mut teams: BTreeMap<&str, TeamLine<'_>> = BTreeMap::new();
    for flow in &world.flows {
        let Some(team) = flow.team else { continue };
        let line = teams.entry(team).or_insert_with(|| TeamLine {
            team,
            local_parts: Vec::new(),
            services: Vec::new(),
            flows: Vec::new(),
        });
        line.flows.push(flow.id);
        for (list, name) in [(&mut line.local_parts, flow.local_part), (&mut line.services, flow.service)] {
            if let Some(name) = name.filter(|name| !list.contains(name)) {
                list.push(name);
            }
        }
    }
    teams.into_values().collect()
}

/// Look-ups of the apex record before it was trimmed, in order; the second site stands behind them all.
const INCLUDES: [&str; 14] = [
    "_spf.bigoffice.example",
    "_spf.paperplane.example",
    "_spf.deskpilot.example",
    "_spf.pipelane.example",
    "_spf.hirewell.example",
    "_spf.askbird.example",
    "_spf.roomly.example",
    "_spf.kurslandet.test",
    "_spf.nimbus.example",
    "_spf.signoria.example",
    "_spf.newswire.test",
    "_spf.oldagency.test",
    "_spf.faktura-direkt.example",
    "_spf.pulsewatch.example",
];

fn dns(world: &World, first: Day) -> Vec<RecordLine> {
    let mut lines = Vec::new();
    let mut stands = |name: &str, versions: &[(i32, String)]| {
        for (n, (from, text)) in versions.iter().enumerate() {
            let until = versions.get(n + 1).map(|(next, _)| first.plus(next - 1));
            let from = (*from > i32::MIN).then(|| first.plus(*from));
            lines.push(RecordLine { name: name.to_owned(), kind: "TXT", text: text.clone(), from, until });
        }
    };
    let spf = |includes: &[&str]| {
        let includes = includes.join(" include:");
        format!("v=spf1 ip4:198.18.10.0/24 ip6:2001:db8:4a1:10::/64 include:{includes} ip4:198.18.42.0/24 ~all")
    };
    stands("halden.example", &[(i32::MIN, spf(&INCLUDES)), (story::SPF_TRIMMED, spf(&INCLUDES[..9]))]);
    stands("*.halden.example", &[(i32::MIN, "v=spf1 ~all".to_owned())]);
    for name in crate::cast::helo_names().into_iter().collect::<std::collections::BTreeSet<_>>() {
        stands(&name, &[(story::HELO_PUBLISHED, "v=spf1 a -all".to_owned())]);
    }
    for domain in &world.estate.domains {
        let versions: Vec<(i32, String)> = domain.records.iter().map(|(from, record)| (*from, record.text())).collect();
        stands(&format!("_dmarc.{}", domain.name), &versions);
        if domain.role == Role::Parked {
            stands(&domain.name, &[(i32::MIN, "v=spf1 -all".to_owned())]);
        }
    }
    lines
}

/// Domain, selector, bits of the key, day of publication.
struct Selectors([(&'static str, &'static str, u16, &'static str); 6]);

const SELECTORS: Selectors = Selectors([
    ("halden.example", "s2021", 1024, "2021-03-14"),
    ("halden.example", "2023q2", 2048, "2023-04-18"),
    ("halden.example", "s2026a", 2048, "2026-01-05"),
    ("norrvik.example", "nm2022", 2048, "2022-09-01"),
    ("tellus.example", "selector1", 2048, "2024-06-11"),
    ("solhem.example", "sol1", 2048, "2025-11-27"),
]);

impl Selectors {
    fn to_vec_of_lines(&self) -> Vec<SelectorLine> {
        self.0
            .iter()
            .map(|&(domain, selector, bits, published)| SelectorLine { domain, selector, bits, published })
            .collect()
    }
}

fn events(first: Day) -> Vec<EventLine> {
    [
        (story::SPF_TRIMMED, "SPF of halden.example trimmed from 14 look-ups to 9"),
        (story::HELO_PUBLISHED, "SPF for 18 HELO names: bounces authenticate"),
        (story::NP_PUBLISHED, "sp=none and np=reject published"),
        (story::AVERIN_BOUGHT, "averin.test bought; its first DMARC record published"),
        (story::DELEGATED, "email.halden.example delegated; services move to it"),
        (story::CAMPAIGN, "an unannounced mailing of Brand Marketing"),
        (story::KEY_ROTATED, "s2026a signs at the first hosts"),
        (story::NEW_ADDRESS, "Deskpilot sends from a new address"),
        (story::QUARANTINE_TESTED, "p=quarantine; t=y; pct=0 published"),
        (story::NEW_PRINTER, "a new printer sends past the relay"),
    ]
    .map(|(day, what)| EventLine { day: first.plus(day), what })
    .into()
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
    say((0..120).any(reporter.silent), "misses days");
    if reporter.habit.drop != Habit::NONE.drop {
        habits.push(format!("leaves out {}", reporter.habit.drop.join(", ")));
    }
    ReporterLine { organization: reporter.organization, domain: reporter.domain, dialect: reporter.dialect, habits }
}

/// Writes `README.md`.
pub(crate) fn readme(
    out: &mut dyn Write,
    world: &World,
    first: Day,
    days: u16,
    reports: u64,
    messages: u64,
) -> io::Result<()> {
    let last = first.plus(i32::from(days) - 1);
    let null = world.flows.iter().filter(|f| f.phases[0].mix.iter().any(|a| a.envelope == Envelope::Null)).count();
    writeln!(
        out,
        "# Halden Works\n\n\
         The mail of an invented company, seen through {reports} DMARC aggregate reports of {first} to {last} about {messages} messages.\n\
         Made with seed {seed}; the same seed, days and scale give the same bytes.\n\n\
         | file | holds |\n| --- | --- |\n\
         | `reports/DAY/` | what arrived on a day: XML, gzip, zip and mails from {reporters} reporters, sloppy ones among them |\n\
         | `truth.jsonl` | one line for each of the {flows} mail streams: what it is, who answers for it, where it comes from, how it authenticates, and how many messages were sent and are in the reports, by day |\n\
         | `company.json` | domains, teams, DNS records and when they stood there, the reporters and their habits |\n\n\
         Classes in `truth.jsonl`: {classes}. {null} streams are bounces.\n\
         Reports that come twice count once, and of a corrected report the correction counts: then the sums of `truth.jsonl` and of the\n\
         reports agree to the message. A day of `truth.jsonl` holds, as `reported`, the reports that begin on it.\n\n\
         All names end in `.example` or `.test` (RFC 2606). All addresses are from ranges that stand for nobody: 192.0.2.0/24,\n\
         198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849), 198.18.0.0/15 (RFC 2544), 100.64.0.0/10 (RFC 6598).",
        seed = world.seed,
        reporters = world.reporters.len(),
        flows = world.flows.len(),
        classes =
            Class::ALL.map(|class| serde_json::to_string(&class).unwrap_or_default().replace('"', "`")).join(", "),
    )
}
