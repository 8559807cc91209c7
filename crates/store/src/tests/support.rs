//! Synthetic reports for the ledger's tests: few names, so that groups are shared and everything that can collide does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use report::{
    Alignment, AuthResult, Dialect, Disposition, DispositionTotals, DkimResult, Finished, Flaw, FlawKind, Identity,
    Interval, Override, OverrideKind, Policy, PolicyPublished, Report, Reporter, Row, SpfResult, SpfScope, Text,
    Totals,
};
use sha2::{Digest, Sha256};

use crate::staged::Batching;
use crate::{Error, Intake, KeptState, Ledger, RawKey, Taken};

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;
/// 2025-01-01.
pub(crate) const EPOCH: i64 = 20_089 * DAY;

/// Batches of two reports.
pub(crate) const SMALL_BATCHES: Batching =
    Batching { reports: 2, rows: 1_000, text_bytes: 48 << 20, age: Duration::MAX };

/// A directory that is gone at the end: in memory where the system offers that, for these tests sync thousands of times.
pub(crate) fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A small generator of repeatable numbers (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    /// One in so many.
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// A report with its rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whole {
    pub(crate) report: Report,
    pub(crate) rows: Vec<Row>,
    pub(crate) flaws: Vec<Flaw>,
}

impl Whole {
    pub(crate) fn messages(&self) -> u64 {
        self.rows.iter().map(|row| row.count).fold(0, u64::saturating_add)
    }

    /// What a reader would say at the end of it.
    pub(crate) fn finished(&self) -> Finished {
        let r = &self.report;
        let name = format!("{:?}", (&r.reporter.organization, &r.report_id, &r.policy.domain, r.interval));
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(name)[..16]);
        let content = Sha256::digest(format!("{self:?}")).into();
        Finished {
            flaws: self.flaws.clone(),
            totals: Totals { disposition: DispositionTotals::default(), ..Totals::default() },
            bad_rows: 0,
            identity: Identity { key, content },
        }
    }

    /// Bytes that stand for it: different for different reports.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }
}

/// A report of one reporter about one day, with that many rows.
pub(crate) fn report(dice: &mut Dice, day: i64, rows: usize) -> Whole {
    let reporter = *dice.pick(&["google.com", "Yahoo", "Enterprise Outlook", "mail.ru"]);
    let domain = *dice.pick(&["example.com", "example.org", "example.co.uk"]);
    let begin = EPOCH + day * DAY;
    let report = Report {
        dialect: *dice.pick(&[Dialect::Rfc7489, Dialect::Rfc9990]),
        version: None,
        reporter: Reporter {
            organization: reporter.into(),
            email: format!("noreply@{reporter}").into(),
            extra_contact: None,
            generator: None,
        },
        report_id: format!("{}", dice.next()).into(),
        interval: Interval { begin, end: begin + DAY - 1 },
        errors: Vec::new(),
        policy: PolicyPublished {
            domain: domain.into(),
            p: *dice.pick(&[None, Some(Policy::None), Some(Policy::Reject)]),
            adkim: Some(Alignment::Relaxed),
            ..PolicyPublished::default()
        },
    };
    let flaw =
        Flaw { kind: FlawKind::MissingSelector, place: "row 1".into(), value: None, count: std::num::NonZeroU64::MIN };
    let flaws = if dice.one_in(4) { vec![flaw] } else { Vec::new() };
    Whole { report, rows: (0..rows).map(|_| row(dice, domain)).collect(), flaws }
}

/// A row about mail of that domain or of one below it.
pub(crate) fn row(dice: &mut Dice, domain: &str) -> Row {
    let author: Text = match dice.below(4) {
        0 => format!("news.{domain}").into(),
        1 => format!("bücher.{domain}").into(),
        _ => domain.into(),
    };
    let source = match dice.below(3) {
        0 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, small(dice, 2), 0, 0, 0, 0, small(dice, 6))),
        _ => IpAddr::V4(Ipv4Addr::new(192, 0, dice.below(3).to_le_bytes()[0], dice.below(20).to_le_bytes()[0])),
    };
    let results = [AuthResult::Pass, AuthResult::Fail, AuthResult::None, AuthResult::PermError];
    let names = [domain, "esp.example", "", "odd; pass d=x"];
    let dkim = (0..dice.below(3)).map(|_| DkimResult {
        domain: (*dice.pick(&names)).into(),
        selector: dice.pick(&[None, Some("s1"), Some("s 2")]).map(Text::from),
        result: *dice.pick(&results),
        human_result: None,
    });
    let dkim: Vec<_> = dkim.collect();
    let spf = (0..dice.below(3)).map(|_| SpfResult {
        domain: (*dice.pick(&names)).into(),
        scope: *dice.pick(&[None, Some(SpfScope::Helo), Some(SpfScope::Mfrom)]),
        result: *dice.pick(&results),
        human_result: None,
    });
    let spf: Vec<_> = spf.collect();
    let kinds = [OverrideKind::Forwarded, OverrideKind::LocalPolicy, OverrideKind::Unknown("strange, kind".into())];
    let overrides = (0..dice.below(2)).map(|_| Override {
        kind: dice.pick(&kinds).clone(),
        comment: dice.pick(&[None, Some("arc=pass")]).map(Text::from),
    });
    let overrides = overrides.collect();
    let dispositions = [Disposition::None, Disposition::Pass, Disposition::Quarantine, Disposition::Reject];
    Row {
        source,
        count: 1 + dice.below(50),
        author_domain: author,
        envelope_from: dice.pick(&[None, Some(""), Some("bounce.example")]).map(Text::from),
        envelope_to: dice.pick(&[None, Some("rcpt.example")]).map(Text::from),
        disposition: *dice.pick(&dispositions),
        dkim_aligned: dice.one_in(2),
        spf_aligned: dice.one_in(2),
        overrides,
        dkim,
        spf,
    }
}

fn small(dice: &mut Dice, end: u64) -> u16 {
    u16::try_from(dice.below(end)).unwrap()
}

/// Keeps the item of a report and takes it in.
pub(crate) fn take(ledger: &Ledger, intake: &mut Intake, whole: &Whole) -> Result<Option<Taken>, Error> {
    take_item(ledger, intake, &whole.bytes(), std::slice::from_ref(whole)).map(|taken| taken.first().copied())
}

/// Keeps an item and takes in the reports in it; repeated if it was there.
pub(crate) fn take_item(
    ledger: &Ledger,
    intake: &mut Intake,
    bytes: &[u8],
    reports: &[Whole],
) -> Result<Vec<Taken>, Error> {
    let kept = ledger.keep(&mut &bytes[..], "test", EPOCH)?;
    if kept.state != KeptState::New {
        let _ = intake.repeated_item(&kept.key)?;
        return Ok(Vec::new());
    }
    parse(intake, &kept.key, reports)
}

/// Takes in the reports of a kept item.
pub(crate) fn parse(intake: &mut Intake, key: &RawKey, reports: &[Whole]) -> Result<Vec<Taken>, Error> {
    let mut taken = Vec::new();
    intake.begin_item(key)?;
    for whole in reports {
        intake.begin_report(&whole.report, None)?;
        for row in &whole.rows {
            intake.row(row)?;
        }
        taken.push(intake.end_report(&whole.finished())?);
    }
    intake.end_item()?;
    Ok(taken)
}

/// The bytes of a raw copy.
pub(crate) fn raw(ledger: &Ledger, key: &RawKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut ledger.raw(key).unwrap(), &mut bytes).unwrap();
    bytes
}
