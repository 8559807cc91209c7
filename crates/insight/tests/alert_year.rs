//! Alerts, day by day, over a model company in which things go wrong: every planted incident is found within a day of its data, and less than
//! one alert a week tells of nothing.
//!
//! Nothing here knows the wall clock: a day's items are taken in as they would have arrived, the rules are asked on the next morning, and so
//! on. The rules never see `incidents.jsonl`. `LAMPPOST_FULL=1` walks a year of three companies and prints the table of `docs/concepts/alerts.md`.

use std::collections::BTreeMap;
use std::path::Path;

use insight::{AlertLine, AlertRule, Organisation, Watching};
use report::Day;
use scenario::{Incident, IncidentKind, Kind};
use store::Ledger;

/// Days before which nothing is expected: rules have to learn what is usual first.
const LEARNING: i32 = 35;

struct Year {
    first: Day,
    days: u16,
    incidents: Vec<Incident>,
    alerts: Vec<AlertLine>,
    /// The day before the morning on which an alert was first seen, by its number.
    seen: BTreeMap<u64, Day>,
    spoofed: BTreeMap<Day, u64>,
    authors: BTreeMap<String, Day>,
}

/// Takes in what arrived on a day.
fn arrive(ledger: &Ledger, folder: &Path, at: i64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for path in files {
        let mut file = std::fs::File::open(&path).expect("a file");
        ledger.keep(&mut file, &path.to_string_lossy(), at).expect("kept");
    }
    ledger.sync_spool().expect("synced");
    collect::resume(ledger, &collect::Options::default(), &()).expect("taken in");
}

fn walk(company: Kind, seed: u64, days: u16, scale: f64) -> Year {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = dir.path().join("company");
    let options = scenario::Options { company, seed, days, scale, incidents: true, ..scenario::Options::default() };
    scenario::generate(&options, &folder, &mut |_| {}).expect("a company");
    let ledger = Ledger::open(&dir.path().join("data")).expect("a ledger");
    let catalogue = enrich::Catalogue::bundled();
    let watching = Watching::default();
    let mut first_seen = BTreeMap::new();
    for n in 0..=i32::from(days) {
        let day = options.from.plus(n);
        let morning = i64::from(day.0) * 86_400;
        arrive(&ledger, &folder.join("reports").join(day.to_string()), morning + 6 * 3_600);
        insight::refresh_flows(&ledger, &Organisation::default(), &catalogue, day).expect("flows");
        insight::watch_over(&ledger, &watching, morning + 9 * 3_600, &[]).expect("alerts");
        for alert in insight::alerts(&ledger, morning + 9 * 3_600, true).expect("alerts").lines {
            first_seen.entry(alert.id).or_insert(day.plus(-1));
        }
    }
    let end = (i64::from(options.from.0) + i64::from(days) + 2) * 86_400;
    let alerts = insight::alerts(&ledger, end, true).expect("alerts").lines;
    let text = std::fs::read_to_string(folder.join("incidents.jsonl")).expect("incidents");
    let incidents = text.lines().map(|line| serde_json::from_str(line).expect("an incident")).collect();
    let (spoofed, authors) = truth(&folder);
    Year { first: options.from, days, incidents, alerts, seen: first_seen, spoofed, authors }
}

/// Spoofed messages in reports by day; and the first day on which somebody of the company's sent as a name.
fn truth(folder: &Path) -> (BTreeMap<Day, u64>, BTreeMap<String, Day>) {
    let text = std::fs::read_to_string(folder.join("truth.jsonl")).expect("the truth");
    let (mut spoofed, mut authors) = (BTreeMap::new(), BTreeMap::<String, Day>::new());
    for line in text.lines() {
        let flow: serde_json::Value = serde_json::from_str(line).expect("a flow");
        let day = |value: &serde_json::Value| value["day"].as_str().expect("a day").parse::<Day>().expect("a day");
        let days = flow["days"].as_array().expect("days");
        if flow["class"] == "spoofer" {
            for of in days {
                *spoofed.entry(day(of)).or_default() += of["reported"].as_u64().expect("a number");
            }
            continue;
        }
        if let Some(first) = days.iter().find(|of| of["reported"].as_u64() > Some(0)).map(day) {
            for author in flow["author_domains"].as_array().expect("domains") {
                let name = author["domain"].as_str().expect("a name").to_owned();
                let known = authors.entry(name).or_insert(first);
                *known = first.min(*known);
            }
        }
    }
    (spoofed, authors)
}

/// Which alerts tell of an incident.
fn tells(rule: AlertRule, kind: IncidentKind) -> bool {
    use AlertRule::{Campaign, DeliveredSpoof, DkimBroken, FlowFails, NewFlow, OwnDrop, SpfMissing, SpfPermerror};
    match kind {
        IncidentKind::SpfBroken => matches!(rule, SpfPermerror | OwnDrop | FlowFails),
        IncidentKind::SpfGone => matches!(rule, SpfMissing | OwnDrop | FlowFails),
        IncidentKind::KeyBroken => matches!(rule, DkimBroken | OwnDrop | FlowFails),
        IncidentKind::FlowBroken => matches!(rule, FlowFails | OwnDrop | NewFlow),
        IncidentKind::NewSender => matches!(rule, NewFlow | FlowFails | Campaign),
        IncidentKind::Wave => matches!(rule, Campaign | DeliveredSpoof),
        IncidentKind::ReporterSilent => rule == AlertRule::ReporterSilent,
    }
}

impl Year {
    /// When an incident's first day of data is in, and the rules have what they ask for: two days of lateness are nobody's silence.
    fn visible(incident: &Incident) -> Day {
        incident.day.plus(if incident.kind == IncidentKind::ReporterSilent { 2 } else { 0 })
    }

    /// Whether it has to be found: planted, large enough, after the rules have learned, and before the end.
    fn expected(&self, incident: &Incident) -> bool {
        let enough = incident.messages.is_none_or(|messages| messages >= 100);
        let long = incident.until.is_none_or(|until| until >= Self::visible(incident));
        incident.planted
            && enough
            && long
            && incident.day.0 - self.first.0 >= LEARNING
            && Self::visible(incident).0 < self.first.0 + i32::from(self.days) - 1
    }

    /// The days from when an incident could be seen to when it was.
    fn found(&self, incident: &Incident) -> Option<i32> {
        let visible = Self::visible(incident);
        let until = incident.until.unwrap_or(visible.plus(7));
        let of = self.alerts.iter().filter(|alert| tells(alert.rule, incident.kind) && Self::about(alert, incident));
        of.filter_map(|alert| {
            let seen = self.seen[&alert.id];
            // An alert that was open already, or came back, tells of it as well.
            let last = alert.last_day.unwrap_or(seen);
            if seen < incident.day {
                (last >= visible).then_some(0)
            } else {
                (seen <= until.plus(3)).then_some((seen.0 - visible.0).max(0))
            }
        })
        .min()
    }

    fn about(alert: &AlertLine, incident: &Incident) -> bool {
        match incident.kind {
            IncidentKind::ReporterSilent => alert.cause.ends_with(&incident.what),
            _ => alert.domain == incident.domain,
        }
    }

    /// Why an alert is right, in a word; nothing if it is not.
    fn reason(&self, alert: &AlertLine) -> Option<String> {
        let seen = self.seen[&alert.id];
        let last = alert.last_day.unwrap_or(seen);
        let explains = |incident: &&Incident| {
            let until = incident.until.unwrap_or(incident.day.plus(14));
            tells(alert.rule, incident.kind)
                && Self::about(alert, incident)
                && incident.day <= last
                && seen <= until.plus(4)
        };
        if let Some(incident) = self.incidents.iter().find(explains) {
            return Some(format!("{:?} {}", incident.kind, incident.what));
        }
        match alert.rule {
            // More was spoofed than half as much again as usual.
            AlertRule::Campaign => {
                let first = alert.first_day.unwrap_or(seen);
                let mut around: Vec<u64> = self.spoofed.range(first.plus(-28)..first).map(|(_, n)| *n).collect();
                around.sort_unstable();
                let usual = around.get(around.len() / 2).copied().unwrap_or(0);
                let wave = self.spoofed.range(first..=last).any(|(_, n)| *n * 2 > usual * 3);
                wave.then(|| "more was spoofed".to_owned())
            }
            AlertRule::NewSubdomain => {
                let name = alert.cause.rsplit(' ').next().unwrap_or_default();
                let new = self.authors.get(name).is_some_and(|first| first.0.abs_diff(seen.0) <= 4);
                new.then(|| "it is new".to_owned())
            }
            _ => None,
        }
    }

    /// Compares, prints, and gives: expected, found within a day, alerts, those that tell of nothing, weeks.
    fn score(&self, name: &str) -> (usize, usize, usize, usize, f64) {
        let (mut expected, mut found) = (0, 0);
        for incident in &self.incidents {
            let days = self.found(incident);
            let must = self.expected(incident);
            expected += usize::from(must);
            found += usize::from(must && days.is_some_and(|days| days <= 1));
            eprintln!(
                "{name} {} {:?} {} {:?} {}: {}",
                incident.day,
                incident.kind,
                incident.what,
                incident.messages,
                if must { "expected" } else { "-" },
                days.map_or("NOT FOUND".to_owned(), |days| format!("found, {days} days"))
            );
        }
        let mut false_ones = 0;
        let mut counted = 0;
        for alert in &self.alerts {
            let seen = self.seen[&alert.id];
            let reason = self.reason(alert);
            counted += 1;
            false_ones += usize::from(reason.is_none());
            eprintln!(
                "{name} {seen} alert {} {} back {} until {:?}: {}",
                alert.severity.word(),
                alert.sentence,
                alert.back,
                alert.last_day.map(|day| day.to_string()),
                reason.as_deref().unwrap_or("FALSE")
            );
        }
        (expected, found, counted, false_ones, f64::from(self.days) / 7.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few alerts")]
fn hold(companies: &[(Kind, u64, u16, f64)]) {
    let mut table = String::new();
    let mut failed = false;
    for &(company, seed, days, scale) in companies {
        let year = walk(company, seed, days, scale);
        let (expected, found, alerts, wrong, weeks) = year.score(company.word());
        let a_week = wrong as f64 / weeks;
        let word = company.word();
        let line = format!("| {word} {seed} | {days} | {expected} | {found} | {alerts} | {wrong} | {a_week:.2} |\n");
        table.push_str(&line);
        failed |= found < expected || expected == 0 || a_week >= 1.0;
    }
    eprintln!("| company | days | incidents | found within a day | alerts | of nothing | of nothing a week |\n{table}");
    assert!(!failed, "an incident was missed, or too many alerts tell of nothing:\n{table}");
}

#[test]
fn what_goes_wrong_is_found() {
    let full = std::env::var_os("LAMPPOST_FULL").is_some();
    if full {
        hold(&[(Kind::Halden, 1, 365, 0.2), (Kind::Shop, 2, 365, 0.3), (Kind::Bank, 3, 365, 0.2)]);
    } else {
        eprintln!("one company and a quarter of a year; LAMPPOST_FULL=1 walks a year of three");
        hold(&[(Kind::Bank, 3, 80, 0.2)]);
    }
}
