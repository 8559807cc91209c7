//! Streams of mail that somebody could have sent, as rows: what the cases about flows are made of.

#![expect(dead_code, reason = "each file of cases uses a part of it")]

use std::net::IpAddr;

use enrich::{Catalogue, Profile};
use insight::{JudgedFlow, Organisation, Sheet, SheetRow};
use report::{Day, Disposition, Outcome};
use store::organizational_domain;

/// 2025-10-22, a Wednesday.
pub(crate) const FIRST: i32 = 20_383;
pub(crate) const DAYS: i32 = 60;

/// A stream of mail: so many messages a day, from these addresses in turn.
#[derive(Clone)]
pub(crate) struct Stream<'a> {
    days: (i32, i32),
    disposition: Disposition,
    /// A weekend day, in hundredths of a weekday.
    weekend: u64,
    sources: Vec<IpAddr>,
    /// How many of the sources are used on a day.
    at_once: usize,
    per_day: u64,
    domain: &'a str,
    dkim: &'a str,
    spf: &'a str,
    envelope: &'a str,
    overrides: &'a str,
    /// What the receivers made of it, where it is not what relaxed alignment makes.
    outcome: Option<Outcome>,
}

pub(crate) fn addresses(first: &str, many: u32, step: u32) -> Vec<IpAddr> {
    let first: std::net::Ipv4Addr = first.parse().expect("an address");
    (0..many).map(|n| IpAddr::V4(std::net::Ipv4Addr::from_bits(first.to_bits() + n * step))).collect()
}

impl<'a> Stream<'a> {
    /// Mail of people, all days.
    pub(crate) fn new(first: &str, many: u32, per_day: u64, dkim: &'a str, spf: &'a str) -> Self {
        let sources = addresses(first, many, 1);
        let at_once = sources.len();
        let (domain, overrides) = ("example.com", "");
        let envelope = spf.rsplit(' ').next().unwrap_or_default();
        let (days, disposition, outcome) = ((0, DAYS), Disposition::None, None);
        Self {
            days,
            disposition,
            weekend: 30,
            sources,
            at_once,
            per_day,
            domain,
            dkim,
            spf,
            envelope,
            overrides,
            outcome,
        }
    }

    pub(crate) fn flat(mut self) -> Self {
        self.weekend = 100;
        self
    }

    /// One address in each of so many networks, some of them on a day.
    pub(crate) fn strewn(mut self, first: &str, many: u32, at_once: usize) -> Self {
        (self.sources, self.at_once) = (addresses(first, many, 256), at_once);
        self
    }

    pub(crate) fn days(mut self, from: i32, to: i32) -> Self {
        self.days = (from, to);
        self
    }

    /// What receivers do with it.
    pub(crate) fn held_back(mut self) -> Self {
        self.disposition = Disposition::Reject;
        self
    }

    /// Receivers say that it does not pass: alignment is strict, or they contradict themselves.
    pub(crate) fn unaligned(mut self) -> Self {
        self.outcome = Some(Outcome::Unaligned);
        self
    }

    pub(crate) fn weekend(mut self, hundredths: u64) -> Self {
        self.weekend = hundredths;
        self
    }

    pub(crate) fn overrides(mut self, overrides: &'a str) -> Self {
        self.overrides = overrides;
        self
    }

    pub(crate) fn envelope(mut self, envelope: &'a str) -> Self {
        self.envelope = envelope;
        self
    }

    pub(crate) fn domain(mut self, domain: &'a str) -> Self {
        self.domain = domain;
        self
    }

    fn outcome(&self) -> Outcome {
        let organization = organizational_domain(self.domain);
        let passed = |text: &str| -> Vec<bool> {
            let checks = text.split("; ").filter(|check| check.starts_with("pass "));
            let name = |check: &str| {
                let named = check.split(' ').find_map(|word| word.strip_prefix("d=").map(str::to_owned));
                named.unwrap_or_else(|| check.rsplit(' ').next().unwrap_or_default().to_owned())
            };
            checks.map(|check| organizational_domain(&name(check)) == organization).collect()
        };
        let (dkim, spf) = (passed(self.dkim), passed(self.spf));
        match (dkim.contains(&true), spf.contains(&true)) {
            (true, true) => Outcome::Both,
            (true, false) => Outcome::DkimOnly,
            (false, true) => Outcome::SpfOnly,
            _ if ["forwarded", "mailing_list"].contains(&self.overrides) => Outcome::Forwarded,
            _ if dkim.is_empty() && spf.is_empty() => Outcome::Unauthenticated,
            _ => Outcome::Unaligned,
        }
    }

    fn write(&self, sheet: &mut Sheet) {
        for day in self.days.0..self.days.1 {
            let weekend = matches!((FIRST + day + 4).rem_euclid(7), 0 | 6);
            // In hundredths, so that everything is whole.
            let today = (self.per_day * if weekend { self.weekend } else { 100 } + 50) / 100;
            let from = usize::try_from(day).expect("a day") * self.at_once;
            let turn = (0..self.at_once).map(|n| self.sources[(from + n) % self.sources.len()]);
            for (n, source) in (0_u64..).zip(turn) {
                let at_once = self.at_once as u64;
                let messages = today / at_once + u64::from(n < today % at_once);
                if messages > 0 {
                    sheet.add(&SheetRow {
                        day: Day(FIRST + day),
                        source,
                        domain: self.domain,
                        dkim: self.dkim,
                        spf: self.spf,
                        envelope_from: self.envelope,
                        overrides: self.overrides,
                        outcome: self.outcome.unwrap_or_else(|| self.outcome()),
                        disposition: self.disposition,
                        messages,
                    });
                }
            }
        }
    }
}

/// A company whose relays sign and pass SPF, with some noise, and one service that signs for it.
pub(crate) fn company() -> Vec<Stream<'static>> {
    let relays = |per_day, dkim, spf| Stream::new("192.0.2.10", 4, per_day, dkim, spf);
    vec![
        relays(900, "pass d=example.com s=s1", "pass mfrom example.com"),
        relays(8, "fail d=example.com s=s1", "pass mfrom example.com"),
        relays(8, "pass d=example.com s=s1", "temperror mfrom example.com"),
        relays(4, "temperror d=example.com s=s1", "pass mfrom example.com"),
        // A reporter that leaves selectors out.
        relays(60, "pass d=example.com", "pass mfrom example.com"),
        Stream::new(
            "198.51.100.40",
            3,
            120,
            "pass d=example.com s=desk1; pass d=desk.example s=mta",
            "pass mfrom desk.bnc.example.com",
        ),
    ]
}

pub(crate) fn judge(streams: &[Stream<'_>], organisation: &Organisation) -> Vec<JudgedFlow> {
    judge_with(&company(), streams, organisation, &[])
}

/// Judges one's own mail and what else there is, with what is known of addresses.
pub(crate) fn judge_with(
    own: &[Stream<'_>],
    streams: &[Stream<'_>],
    organisation: &Organisation,
    profiles: &[Profile],
) -> Vec<JudgedFlow> {
    let mut sheet = Sheet::default();
    for stream in own.iter().chain(streams) {
        stream.write(&mut sheet);
    }
    sheet.packed().judge(organisation, &Catalogue::bundled(), profiles)
}

/// The flow that has the stream's words in its name, and no other stream's.
pub(crate) fn named<'a>(flows: &'a [JudgedFlow], name: &str) -> &'a JudgedFlow {
    flows.iter().find(|flow| flow.line.name.contains(name)).unwrap_or_else(|| {
        let names: Vec<&str> = flows.iter().map(|flow| flow.line.name.as_str()).collect();
        panic!("no flow is called {name}: {names:?}")
    })
}
