//! Answers for tests: a small believable ledger, and the same with a stranger's text in every text field.
//!
//! Built by hand and not from a ledger, so that a page can be tested with what no ledger would ever hold.

mod alerts;
mod judged;
mod lookalikes;
mod program;
mod reports;
mod samples;

use insight::{
    Alignments, AuthenticationLine, CountLine, Dispositions, DomainLine, Failing, Finding, GroupBy, IncompleteDay,
    Outcomes, PolicySeen, PolicyShare, Portfolio, RowLine, Rows, SortBy, Source, SourceDay, SourceLine, SourceOrder,
    Sources, Spike, Trend, TrendDay, TrendTotals,
};
use report::{Day, Disposition, Outcome, Policy, Text};

use crate::around::Around;

/// Makes answers; every text goes through `say`.
pub(crate) struct Fixture {
    /// What becomes of a text.
    pub(crate) say: fn(&str) -> String,
}

/// The last day of the fixtures.
pub(crate) fn newest() -> Day {
    "2027-01-18".parse().unwrap()
}

/// A number between 0 and `below`, always the same for the same seed.
fn noise(seed: u64, below: u64) -> u64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x >> 33) % below.max(1)
}

impl Fixture {
    fn text(&self, text: &str) -> Text {
        Text::new((self.say)(text))
    }

    pub(crate) fn around(&self) -> Around {
        let names = |names: &[&str]| names.iter().map(|name| self.text(name)).collect();
        Around {
            domains: names(&["brand.example", "contoso.example", "email.contoso.example", "fabrikam.example"]),
            domains_total: 466,
            reporters: names(&["bigmail.example", "bigoffice.example", "postbox.example"]),
            days: Some((newest().plus(-500), newest())),
            last_received: Some(1_800_349_440),
            now: 1_800_349_920,
            uploads: true,
            decides: true,
            says: true,
        }
    }

    fn policy(&self, record: &str, from: i32, to: i32) -> PolicySeen {
        let p = if record.contains("p=quarantine") { Policy::Quarantine } else { Policy::None };
        PolicySeen {
            policy_domain: self.text("contoso.example"),
            record: (self.say)(record),
            applies: Some(p),
            from: newest().plus(from),
            to: newest().plus(to),
        }
    }

    pub(crate) fn portfolio(&self) -> Portfolio {
        let names = [
            "contoso.example",
            "email.contoso.example",
            "notify.contoso.example",
            "fabrikam.example",
            "brand.example",
            "a-very-long-name-of-a-department-that-once-sent-a-newsletter.marketing.emea.contoso.example",
            "parked-01.example",
            "parked-02.example",
        ];
        let mut totals = Outcomes::default();
        let domains = names
            .iter()
            .enumerate()
            .map(|(n, name)| {
                let n = n as u64;
                let weight = 2_861_034 / (1 + n * n * n * 7);
                let outcomes = Outcomes {
                    both: if n > 5 { 0 } else { weight },
                    dkim_only: if n > 5 { 0 } else { weight / 6 },
                    spf_only: if n > 5 { 0 } else { weight / 10 },
                    forwarded: weight / 900,
                    unaligned: weight / (20 + n * 30),
                    unauthenticated: weight / 5 / (n + 1),
                };
                for outcome in Outcome::ALL {
                    totals.add(outcome, outcomes.get(outcome));
                }
                let day = |day: u64| noise(n * 97 + day, 1 + outcomes.failing() / 60);
                DomainLine {
                    domain: self.text(name),
                    organizational_domain: self.text(if name.ends_with("contoso.example") {
                        "contoso.example"
                    } else {
                        name
                    }),
                    policy: (n != 4).then(|| {
                        self.policy(
                            if n.is_multiple_of(2) {
                                "p=none; sp=none; adkim=r; aspf=r; pct=100"
                            } else {
                                "p=quarantine; t=y"
                            },
                            -30,
                            0,
                        )
                    }),
                    outcomes,
                    failing_by_day: (0..90).map(day).collect(),
                    messages_by_day: (0..90)
                        .map(|day| if n == 3 && (20..32).contains(&day) { 0 } else { 1 + noise(day, 900) })
                        .collect(),
                    last_day: newest().plus(if n > 5 { -40 } else { 0 }),
                }
            })
            .collect();
        let share = |applies, domains, messages| PolicyShare { applies, domains, messages };
        let policies = vec![
            share(Some(Policy::Reject), 412, 2_245),
            share(Some(Policy::Quarantine), 4, 520_612),
            share(Some(Policy::None), 49, 4_407_807),
            share(None, 1, 8_377),
        ];
        Portfolio { days: Some((newest().plus(-89), newest())), domains, domains_total: 466, totals, policies }
    }

    pub(crate) fn spike(&self) -> Spike {
        let finding = |dimension: &str, value: &str, messages, usual, share| Finding {
            dimension: dimension.to_owned(),
            value: (self.say)(value),
            messages,
            usual,
            share,
        };
        Spike {
            day: "2026-12-23".parse().unwrap(),
            outcome: Outcome::Unaligned,
            failing: 24_300,
            usual: 5_900,
            findings: vec![
                finding("network", "198.51.100.0/24", 17_900, 60, 0.969_6),
                finding("envelope_from", "bounce.northwind-esp.example", 17_860, 58, 0.967),
                finding("dkim_domain", "northwind-esp.example", 17_860, 60, 0.966),
                finding("reporter", "bigmail.example", 11_204, 2_310, 0.483),
            ],
            one_campaign: true,
            sentence: (self.say)(
                "One campaign, not many spoofers: 97 % of the 18,400 extra messages came from 6 addresses in 198.51.100.0/24, with envelope sender bounce.northwind-esp.example.",
            ),
        }
    }

    pub(crate) fn trend(&self) -> Trend {
        let spike = self.spike();
        let mut totals = TrendTotals::default();
        let days: Vec<TrendDay> = (0..90_i32)
            .map(|n| {
                let day = newest().plus(n - 89);
                let weekend = day.is_weekend();
                let seed = u64::try_from(n).unwrap();
                let busy = if weekend { 3 } else { 1 };
                let campaign = if day == spike.day { 18_400 } else { 0 };
                let counts = counts(Outcomes {
                    both: (41_000 + noise(seed, 6_000)) / busy,
                    dkim_only: (5_500 + noise(seed + 1000, 900)) / busy,
                    spf_only: (3_600 + noise(seed + 2000, 600)) / busy,
                    forwarded: 7 + noise(seed + 3000, 9),
                    unaligned: campaign + if n < 56 { (2_400 - seed * 30) / busy } else { 250 / busy },
                    unauthenticated: (5_000 + noise(seed + 4000, 1_900)) / (busy.min(2)),
                });
                totals = sum(totals, counts);
                TrendDay { day, counts }
            })
            .collect();
        let policies = vec![
            self.policy("p=none", -89, -49),
            self.policy("p=none; np=reject", -48, -8),
            self.policy("p=quarantine; np=reject; t=y; pct=0", -7, 0),
        ];
        let incomplete = vec![IncompleteDay { day: newest(), reporters: 2, usual: 5 }];
        Trend {
            domain: Some(self.text("contoso.example")),
            days,
            totals,
            policies,
            dns: Vec::new(),
            spikes: vec![spike],
            incomplete,
        }
    }

    pub(crate) fn sources(&self, group: GroupBy) -> Sources {
        let keys: &[&str] = match group {
            GroupBy::Address => &[
                "203.0.113.212",
                "203.0.113.213",
                "198.51.100.18",
                "2001:db8:4f::25",
                "192.0.2.77",
                "198.51.100.240",
                "203.0.113.61",
            ],
            GroupBy::Network => &["203.0.113.0/24", "198.51.100.0/24", "2001:db8:4f::/48"],
            _ => &["bounce.northwind-esp.example", "contoso.example", "-"],
        };
        let mut totals = Outcomes::default();
        let lines = keys
            .iter()
            .enumerate()
            .map(|(n, key)| {
                let seed = n as u64;
                let weight = 31_080 / (1 + seed * seed);
                let ours = seed % 3 == 2;
                let outcomes = Outcomes {
                    both: if ours { weight * 3 } else { 0 },
                    dkim_only: if ours { weight / 4 } else { 0 },
                    spf_only: 0,
                    forwarded: if seed == 3 { weight } else { 0 },
                    unaligned: if seed == 2 { weight } else { 0 },
                    unauthenticated: if ours { 3 } else { weight },
                };
                for outcome in Outcome::ALL {
                    totals.add(outcome, outcomes.get(outcome));
                }
                let steady = seed.is_multiple_of(2);
                let by_day: Vec<u64> = (0..90)
                    .map(|day| if steady || (40..46).contains(&day) { 20 + noise(seed * 31 + day, 40) } else { 0 })
                    .collect();
                SourceLine {
                    key: if group == GroupBy::Address || group == GroupBy::Network {
                        (*key).to_owned()
                    } else {
                        (self.say)(key)
                    },
                    addresses: if group == GroupBy::Address { 1 } else { 6 + seed },
                    outcomes,
                    dispositions: Dispositions { none: outcomes.messages(), ..Dispositions::default() },
                    reporters: 15 - seed,
                    first_day: newest().plus(-89),
                    last_day: newest(),
                    active_days: by_day.iter().filter(|n| **n > 0).count() as u64,
                    by_day,
                    spf: (self.say)("pass bounce.northwind-esp.example"),
                    dkim: (self.say)(if ours { "pass contoso.example" } else { "none" }),
                    profile: (group == GroupBy::Address).then(|| self.profile()),
                    flow: (group == GroupBy::Address).then(|| self.source_flow()),
                }
            })
            .collect();
        let order = SourceOrder { group, sort: SortBy::Failing, descending: true, offset: 0, limit: 50 };
        Sources { days: Some((newest().plus(-89), newest())), order, lines, lines_total: 282, totals }
    }

    pub(super) fn profile(&self) -> insight::Profile {
        let say = |words: &str| (self.say)(words);
        insight::Profile {
            name: None,
            names: Vec::new(),
            claimed: vec![say("o1.ptr.northwind-esp.example")],
            name_grade: Some("P0".to_owned()),
            name_reason: Some(say("claims to be o1.ptr.northwind-esp.example, which does not lead back to it")),
            asn: Some(64_500),
            organisation: Some(say("Cheap Racks Ltd")),
            country: Some("ZZ".to_owned()),
            services: vec![insight::ServiceLine {
                name: say("Northwind ESP"),
                kind: "marketing".to_owned(),
                operator: false,
                by: "dkim".to_owned(),
                found: say("northwind-esp.example"),
            }],
            grade: Some(-3.2),
            band: "suspicious".to_owned(),
            graded: true,
            evidence: vec![insight::EvidenceLine {
                source: "drop".to_owned(),
                value: -3.2,
                hard: true,
                detail: say("192.0.2.0/24 is listed"),
                day: newest(),
            }],
            gaps: vec![say("ptr: no answer in time")],
            learned: newest(),
        }
    }

    pub(crate) fn source(&self) -> Source {
        let days: Vec<SourceDay> = (0..90)
            .map(|n| SourceDay {
                day: newest().plus(n - 89),
                outcomes: Outcomes {
                    unaligned: if n == 63 { 3_120 } else { noise(u64::try_from(n).unwrap(), 12) },
                    both: if n % 7 == 0 { 30 } else { 0 },
                    ..Outcomes::default()
                },
            })
            .collect();
        let mut outcomes = Outcomes::default();
        for day in &days {
            outcomes.add(Outcome::Unaligned, day.outcomes.unaligned);
            outcomes.add(Outcome::Both, day.outcomes.both);
        }
        let line = |domain: &str, spf: &str, dkim: &str, outcome, messages| AuthenticationLine {
            domain: (self.say)(domain),
            spf: (self.say)(spf),
            dkim: (self.say)(dkim),
            outcome,
            messages,
            first_day: newest().plus(-89),
            last_day: newest().plus(-1),
        };
        let count = |name: &str, messages| CountLine { name: (self.say)(name), messages };
        Source {
            address: "198.51.100.18".parse().unwrap(),
            network: "198.51.100.0/24".to_owned(),
            outcomes,
            dispositions: Dispositions { none: outcomes.messages() - 40, quarantine: 30, reject: 10, pass: 0 },
            first_day: Some(newest().plus(-300)),
            last_day: Some(newest().plus(-1)),
            days,
            authentications: vec![
                line(
                    "contoso.example",
                    "pass mfrom bounce.northwind-esp.example",
                    "pass d=northwind-esp.example s=k1",
                    Outcome::Unaligned,
                    3_480,
                ),
                line(
                    "contoso.example",
                    "pass mfrom contoso.example; none helo mail-18.northwind-esp.example",
                    "pass d=contoso.example s=s2027a; pass d=northwind-esp.example s=k1",
                    Outcome::Both,
                    390,
                ),
            ],
            reporters: vec![count("bigmail.example", 2_704), count("bigoffice.example", 980), count("-", 186)],
            overrides: vec![count("local_policy", 12), count("mailing_list", 3)],
            neighbours: 5,
            profile: Some(self.profile()),
            grades: vec![
                insight::GradeLine { learned: newest(), grade: Some(-3.2), band: "suspicious".to_owned() },
                insight::GradeLine { learned: newest().plus(-30), grade: None, band: "neutral".to_owned() },
            ],
        }
    }

    pub(crate) fn rows(&self) -> Rows {
        let lines = (0..8_u64)
            .map(|n| RowLine {
                day: newest().plus(-i32::try_from(n / 3).unwrap()),
                report: 4_811 - n,
                reporter: (self.say)("bigmail.example"),
                source: if n % 2 == 0 { "198.51.100.18".parse().unwrap() } else { "2001:db8:4f::25".parse().unwrap() },
                domain: (self.say)("contoso.example"),
                messages: 1_240 / (n + 1),
                outcome: Outcome::ALL[usize::try_from(n % 6).unwrap()],
                disposition: if n == 5 { Disposition::Reject } else { Disposition::None },
                spf: (self.say)("pass mfrom bounce.northwind-esp.example"),
                dkim: (self.say)(if n % 3 == 0 {
                    "pass d=northwind-esp.example s=k1; fail d=contoso.example s=s2021"
                } else {
                    ""
                }),
                envelope_from: if n == 2 { String::new() } else { (self.say)("bounce.northwind-esp.example") },
                overrides: if n == 3 { (self.say)("forwarded,local_policy") } else { String::new() },
            })
            .collect();
        Rows { lines, lines_total: 12_044, messages_total: 702_575 }
    }
}

fn counts(outcomes: Outcomes) -> TrendTotals {
    let Outcomes { both, dkim_only, spf_only, forwarded, unaligned, unauthenticated } = outcomes;
    let neither = outcomes.failing();
    TrendTotals {
        messages: outcomes.messages(),
        dmarc_pass: outcomes.passing(),
        dkim_aligned: both + dkim_only,
        spf_aligned: both + spf_only,
        disposition: Dispositions {
            none: outcomes.messages() - neither / 9 - neither / 20,
            pass: 0,
            quarantine: neither / 9,
            reject: neither / 20,
        },
        outcome: Alignments { both, dkim_only, spf_only, neither },
        failing: Failing { forwarded, unaligned, unauthenticated },
    }
}

fn sum(a: TrendTotals, b: TrendTotals) -> TrendTotals {
    let mut outcomes = a.outcomes();
    for outcome in Outcome::ALL {
        outcomes.add(outcome, b.outcomes().get(outcome));
    }
    let (x, y) = (a.disposition, b.disposition);
    TrendTotals {
        disposition: Dispositions {
            none: x.none + y.none,
            pass: x.pass + y.pass,
            quarantine: x.quarantine + y.quarantine,
            reject: x.reject + y.reject,
        },
        ..counts(outcomes)
    }
}
