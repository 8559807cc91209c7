//! `/metrics`: how the program fares, as Prometheus reads it (text format 0.0.4).
//!
//! In: the ledger's counters, what the program tells, what the portal itself has answered. Out: text. Labels are names from the
//! configuration, kinds, and routes of our own: no text from a report is ever one, so that their number is bounded.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use report::Day;
use store::Counters;

use crate::program::{Activity, Collecting, DirectoryState, DnsCache, Learning, ListState, SourceHealth};

/// Upper ends of the classes of time that answers are counted by, in seconds: a page should take less than 0.2.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0];
/// First digits of a status.
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was answered so far, by route.
#[derive(Debug)]
pub(crate) struct Requests(Vec<Route>);

#[derive(Debug)]
struct Route {
    path: &'static str,
    statuses: [AtomicU64; STATUSES.len()],
    /// Answers by their time; those that took longer than all buckets are in the count alone.
    buckets: [AtomicU64; BUCKETS.len()],
    microseconds: AtomicU64,
}

impl Requests {
    /// Nothing answered yet, on these routes; the last one stands for everything else.
    pub(crate) fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let route = |path| Route {
            path,
            statuses: Default::default(),
            buckets: Default::default(),
            microseconds: AtomicU64::new(0),
        };
        Self(paths.into_iter().chain(["other"]).map(route).collect())
    }

    /// The place of a route.
    pub(crate) fn place(&self, path: &str) -> usize {
        self.0.iter().position(|route| route.path == path).unwrap_or(self.0.len() - 1)
    }

    /// Something was answered.
    pub(crate) fn answered(&self, place: usize, status: u16, took: Duration) {
        let Some(route) = self.0.get(place).or(self.0.last()) else { return };
        let class = usize::from(status / 100).clamp(1, STATUSES.len()) - 1;
        route.statuses[class].fetch_add(1, Ordering::Relaxed);
        if let Some(bucket) = BUCKETS.iter().position(|end| took.as_secs_f64() <= *end) {
            route.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        route.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }
}

/// What is told.
pub(crate) struct Figures<'a> {
    pub(crate) counters: Counters,
    pub(crate) days: Option<(Day, Day)>,
    pub(crate) last_received: Option<i64>,
    pub(crate) collecting: Option<Collecting>,
    pub(crate) learning: Option<Learning>,
    pub(crate) directory: Option<DirectoryState>,
    pub(crate) dns: Vec<DnsCache>,
    /// Open alerts that nobody knows of: red, amber; and notices that were not sent yet.
    pub(crate) alerts: (usize, usize, usize),
    pub(crate) requests: &'a Requests,
    pub(crate) now: i64,
}

/// All of it as text.
pub(crate) fn text(figures: &Figures<'_>) -> String {
    let mut out = Text(String::new());
    out.family("lamppost_info", "gauge", "Always 1; the version of the program is a label.");
    out.sample("lamppost_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    ledger(&mut out, figures);
    alerts(&mut out, figures.alerts);
    sources(&mut out, figures);
    learning(&mut out, figures.learning.as_ref());
    directory(&mut out, figures.directory.as_ref());
    dns(&mut out, &figures.dns);
    http(&mut out, figures.requests);
    out.0
}

/// Text in the making.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"", if n == 0 { '{' } else { ',' });
            for c in text.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family with one sample and no labels; none where nothing is known.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: Option<impl std::fmt::Display>) {
        self.family(name, kind, help);
        if let Some(value) = value {
            self.sample(name, &[], value);
        }
    }
}

fn alerts(out: &mut Text, (red, amber, unsent): (usize, usize, usize)) {
    let name = "lamppost_alerts";
    out.family(name, "gauge", "Open alerts that are neither acknowledged nor silenced, by severity.");
    for (severity, value) in [("red", red), ("amber", amber)] {
        out.sample(name, &[("severity", severity)], value);
    }
    let help = "Notices that channels have not taken yet.";
    out.one("lamppost_notices_unsent", "gauge", help, Some(unsent));
}

fn ledger(out: &mut Text, figures: &Figures<'_>) {
    let counters = &figures.counters;
    let day = |day: Option<Day>| day.map(Day::begin);
    let (first, newest) = (figures.days.map(|days| days.0), figures.days.map(|days| days.1));
    out.one(
        "lamppost_ledger_first_day_timestamp_seconds",
        "gauge",
        "Begin of the first day in the ledger.",
        day(first),
    );
    out.one(
        "lamppost_ledger_newest_day_timestamp_seconds",
        "gauge",
        "Begin of the newest day in the ledger.",
        day(newest),
    );
    let help = "When the newest report was taken in.";
    out.one("lamppost_ledger_last_report_timestamp_seconds", "gauge", help, figures.last_received);
    let gauges = [
        ("lamppost_ledger_reports", "Reports that count.", counters.reports),
        ("lamppost_ledger_rows", "Rows of these.", counters.rows),
        ("lamppost_ledger_messages", "Messages of these.", counters.messages),
        ("lamppost_ledger_items", "Items taken in: files, mails, uploads.", counters.items),
        ("lamppost_ledger_item_bytes", "Bytes of these, as they came.", counters.item_bytes),
        ("lamppost_ledger_segments", "Files of rows.", counters.segments),
        ("lamppost_ledger_segment_bytes", "Bytes of these.", counters.segment_bytes),
        ("lamppost_ledger_flawed_reports", "Reports with at least one flaw, of those that count.", counters.flawed),
    ];
    for (name, help, value) in gauges {
        out.one(name, "gauge", help, Some(value));
    }
    let name = "lamppost_intake_total";
    out.family(name, "counter", "Reports that do not count a second time, and items that could not be taken in, since the ledger began, by outcome: duplicate, conflict, rejected.");
    for (outcome, value) in
        [("duplicate", counters.duplicates), ("conflict", counters.conflicts), ("rejected", counters.rejected)]
    {
        out.sample(name, &[("outcome", outcome)], value);
    }
}

/// A figure of a source; none where it is not known.
type OfSource = fn(&SourceHealth, i64) -> Option<i64>;

fn sources(out: &mut Text, figures: &Figures<'_>) {
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let collecting = figures.collecting.as_ref();
    let families: [(&str, &str, &str, OfSource); 10] = [
        (
            "up",
            "gauge",
            "Whether a source of reports works: 0 while it fails or is stopped. By source and kind; `ledger` takes in what the others kept.",
            |s, _| Some(i64::from(!matches!(s.activity, Activity::Failing | Activity::Stopped))),
        ),
        ("last_success_timestamp_seconds", "gauge", "When a source last got through, by source and kind.", |s, _| {
            s.last_success
        }),
        (
            "last_item_timestamp_seconds",
            "gauge",
            "When a source last took something new, by source and kind.",
            |s, _| s.last_item,
        ),
        ("lag_seconds", "gauge", "Seconds since a source last got through, by source and kind.", |s, now| {
            s.last_success.map(|at| now.saturating_sub(at).max(0))
        }),
        ("errors_total", "counter", "Failures of a source, by source and kind.", |s, _| i64::try_from(s.errors).ok()),
        ("items_total", "counter", "Items that a source took, by source and kind.", |s, _| i64::try_from(s.items).ok()),
        ("bytes_total", "counter", "Bytes of these, by source and kind.", |s, _| i64::try_from(s.bytes).ok()),
        ("repeated_total", "counter", "Items whose bytes had come before, by source and kind.", |s, _| {
            i64::try_from(s.repeated).ok()
        }),
        ("refused_total", "counter", "Items refused or put aside, by source and kind.", |s, _| {
            i64::try_from(s.refused).ok()
        }),
        (
            "backlog_items",
            "gauge",
            "Items that wait at a source, where that can be seen, by source and kind.",
            |s, _| s.backlog.and_then(|n| i64::try_from(n).ok()),
        ),
    ];
    for (name, kind, help, of) in families {
        let name = format!("lamppost_source_{name}");
        out.family(&name, kind, help);
        for source in collecting.into_iter().flat_map(|collecting| collecting.sources.iter().chain(&collecting.taking))
        {
            if let Some(value) = of(source, figures.now) {
                out.sample(&name, &[("source", &source.name), ("kind", &source.kind)], value);
            }
        }
    }
    let help = "Items that are kept and not yet taken into the ledger.";
    out.one("lamppost_backlog_items", "gauge", help, collecting.map(|collecting| whole(collecting.backlog)));
}

/// A figure of something.
type Of<T> = fn(&T) -> u64;

fn learning(out: &mut Text, learning: Option<&Learning>) {
    let learning = learning.filter(|learning| learning.enabled);
    let flag = |flag: bool| u64::from(flag);
    let failed = learning.map(|l| flag(l.problem.is_some()));
    out.one(
        "lamppost_learning_failed",
        "gauge",
        "Whether learning about sources of mail failed the last time.",
        failed,
    );
    let running = learning.map(|l| flag(l.running));
    out.one("lamppost_learning_running", "gauge", "Whether sources of mail are being learned about.", running);
    let left = learning.map(|l| if l.running { l.sources.saturating_sub(l.done) } else { 0 });
    out.one(
        "lamppost_learning_pending_sources",
        "gauge",
        "Sources that the run under way has still to learn about.",
        left,
    );
    let done = learning.map(|l| l.done_total);
    out.one("lamppost_learning_sources_total", "counter", "Sources learned about since the program started.", done);
    let families: [(&str, &str, Of<ListState>); 3] = [
        ("lamppost_list_questions_today", "Questions sent to a list over DNS on this UTC day, by list.", |l| {
            l.questions_today
        }),
        ("lamppost_list_questions_daily", "Questions that may be sent to it on one day, by list.", |l| {
            l.questions_daily
        }),
        ("lamppost_list_off", "Whether it is switched off because of what it answers, by list.", |l| {
            u64::from(l.state == "off")
        }),
    ];
    for (name, help, of) in families {
        out.family(name, "gauge", help);
        for list in learning.into_iter().flat_map(|learning| &learning.lists) {
            out.sample(name, &[("list", &list.id)], of(list));
        }
    }
}

fn directory(out: &mut Text, state: Option<&DirectoryState>) {
    let entries = state.map(|state| state.entries);
    out.one("lamppost_directory_entries", "gauge", "People and lists in the directory.", entries);
    let loaded = state.and_then(|state| state.loaded);
    out.one("lamppost_directory_loaded_timestamp_seconds", "gauge", "When the directory was loaded.", loaded);
    let failed = state.map(|state| u64::from(state.problem.is_some()));
    out.one("lamppost_directory_failed", "gauge", "Whether loading the directory failed the last time.", failed);
}

fn dns(out: &mut Text, caches: &[DnsCache]) {
    let families: [(&str, &str, Of<DnsCache>); 3] = [
        (
            "lamppost_dns_questions_total",
            "Questions to a cache of DNS answers, by cache: enrichment, reporters.",
            |c| c.asked,
        ),
        ("lamppost_dns_sent_total", "Of these, questions that went to a resolver, by cache.", |c| c.passed_on),
        ("lamppost_dns_failed_total", "Of these, questions that failed, by cache.", |c| c.failed),
    ];
    for (name, help, of) in families {
        out.family(name, "counter", help);
        for cache in caches {
            out.sample(name, &[("cache", cache.name)], of(cache));
        }
    }
}

fn http(out: &mut Text, requests: &Requests) {
    let name = "lamppost_http_requests_total";
    out.family(name, "counter", "Requests to the portal that were answered, by route and class of status.");
    for route in &requests.0 {
        for (status, count) in STATUSES.iter().zip(&route.statuses) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                out.sample(name, &[("route", route.path), ("status", status)], count);
            }
        }
    }
    let name = "lamppost_http_request_duration_seconds";
    out.family(name, "histogram", "Time until an answer of the portal was ready to be sent, by route.");
    let (bucket, sum, count) = (format!("{name}_bucket"), format!("{name}_sum"), format!("{name}_count"));
    for route in &requests.0 {
        let all: u64 = route.statuses.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        if all == 0 {
            continue;
        }
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(&route.buckets) {
            below += count.load(Ordering::Relaxed);
            // Counted one after the other while others count on: no class may hold more than all.
            out.sample(&bucket, &[("route", route.path), ("le", &end.to_string())], below.min(all));
        }
        out.sample(&bucket, &[("route", route.path), ("le", "+Inf")], all);
        let seconds = Duration::from_micros(route.microseconds.load(Ordering::Relaxed)).as_secs_f64();
        out.sample(&sum, &[("route", route.path)], seconds);
        out.sample(&count, &[("route", route.path)], all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(collecting: Option<Collecting>, requests: &Requests) -> String {
        text(&Figures {
            counters: Counters { reports: 7, duplicates: 3, ..Counters::default() },
            days: Some((Day(1), Day(2))),
            last_received: None,
            collecting,
            learning: None,
            directory: None,
            dns: Vec::new(),
            alerts: (1, 2, 0),
            requests,
            now: 1_000,
        })
    }

    /// What every reader of the format relies on: each sample belongs to the family above it.
    fn is_whole(text: &str) {
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap_or_default().to_owned();
                let help = format!("# HELP {family} ");
                assert!(text.contains(&help), "{line}");
                assert_eq!(text.matches(&format!("# TYPE {family} ")).count(), 1, "{line}");
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap_or_default();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
                assert!(name == family || base == family, "{line} stands below {family}");
                let value = line.rsplit(' ').next().unwrap_or_default();
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn figures_are_told_and_what_is_not_known_is_not() {
        let source = SourceHealth {
            last_success: Some(940),
            errors: 2,
            activity: Activity::Failing,
            ..SourceHealth::new("a\"b\\c\nd", "imap")
        };
        let collecting = Collecting { sources: vec![source], taking: None, backlog: 5 };
        let text = told(Some(collecting), &Requests::new([]));
        is_whole(&text);
        let labels = "{source=\"a\\\"b\\\\c\\nd\",kind=\"imap\"}";
        for line in [
            "lamppost_ledger_reports 7",
            "lamppost_ledger_newest_day_timestamp_seconds 172800",
            "lamppost_intake_total{outcome=\"duplicate\"} 3",
            "lamppost_backlog_items 5",
            &format!("lamppost_source_up{labels} 0"),
            &format!("lamppost_source_lag_seconds{labels} 60"),
            &format!("lamppost_source_errors_total{labels} 2"),
        ] {
            assert!(text.lines().any(|there| there == line), "{line}:\n{text}");
        }
        for absent in ["lamppost_source_last_item_timestamp_seconds{", "lamppost_ledger_last_report_timestamp_seconds "]
        {
            let samples = text.lines().filter(|line| !line.starts_with('#'));
            assert!(!samples.into_iter().any(|line| line.starts_with(absent)), "{absent} is not known");
        }
    }

    #[test]
    fn answers_are_counted_by_route_status_and_time() {
        let requests = Requests::new(["/domains", "/rows"]);
        let domains = requests.place("/domains");
        for (status, milliseconds) in [(200, 3), (200, 80), (404, 3), (500, 20_000)] {
            requests.answered(domains, status, Duration::from_millis(milliseconds));
        }
        requests.answered(requests.place("/made/up/by/a/stranger"), 404, Duration::ZERO);
        let text = told(None, &requests);
        is_whole(&text);
        for line in [
            "lamppost_http_requests_total{route=\"/domains\",status=\"2xx\"} 2",
            "lamppost_http_requests_total{route=\"/domains\",status=\"4xx\"} 1",
            "lamppost_http_requests_total{route=\"other\",status=\"4xx\"} 1",
            "lamppost_http_request_duration_seconds_bucket{route=\"/domains\",le=\"0.005\"} 2",
            "lamppost_http_request_duration_seconds_bucket{route=\"/domains\",le=\"0.1\"} 3",
            "lamppost_http_request_duration_seconds_bucket{route=\"/domains\",le=\"10\"} 3",
            "lamppost_http_request_duration_seconds_bucket{route=\"/domains\",le=\"+Inf\"} 4",
            "lamppost_http_request_duration_seconds_sum{route=\"/domains\"} 20.086",
            "lamppost_http_request_duration_seconds_count{route=\"/domains\"} 4",
        ] {
            assert!(text.lines().any(|there| there == line), "{line}:\n{text}");
        }
        assert!(!text.contains("route=\"/rows\""), "nothing was asked there");
    }
}
