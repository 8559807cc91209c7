//! One day of traffic: which addresses of which flow sent how many messages to which reporter, as rows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use report::{
    AuthResult, Day, Disposition, DkimResult, Override, OverrideKind, Policy, PolicyPublished, Row, SpfResult,
    SpfScope, Text,
};

use crate::calendar::{business_permille, parked_policy, policy, weekend};
use crate::company::{PARKED, policy_domain};
use crate::flow::{Class, Credentials, Flow, PassedOn};
use crate::reporters::{REPORTERS, Reporter};
use crate::rng::Rng;

/// Rows of one day: by reporter (its place in [`REPORTERS`]) and policy domain.
pub(crate) type DayRows = BTreeMap<(usize, String), Vec<Row>>;

/// What one flow sent on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Messages, as truly sent.
    pub(crate) messages: u64,
    /// Messages that stand in some report.
    pub(crate) reported: u64,
}

/// How much larger or smaller than life, in millionths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale(pub(crate) u64);

/// One day of one flow; its rows go to `rows`.
pub(crate) fn of_day(seed: u64, flow: &Flow, on: Day, scale: Scale, rows: &mut DayRows) -> Sent {
    let mut rng = Rng::new(seed ^ u64::from(on.0.unsigned_abs()).rotate_left(32), &flow.id);
    let (true, Some(look)) = (flow.active(on), flow.credentials(on)) else { return Sent::default() };
    // Small mailings go out on a few working days a week.
    if flow.days_a_week < 7 && (weekend(on) || rng.below(5) >= flow.days_a_week) {
        return Sent::default();
    }
    let busy = if flow.volume.rests { business_permille(on) } else { 1_000 };
    let usual = rng.share(flow.volume.messages, busy, 1_000);
    let messages = if flow.class == Class::UnauthorisedCampaign { usual } else { rng.about(usual) };
    let messages = rng.share(messages, scale.0, 1_000_000);
    let addresses = todays(flow, &mut rng);
    let mut sent = Sent { messages, reported: 0 };
    for (place, reporter) in REPORTERS.iter().enumerate() {
        let part = rng.share(messages, reporter.share, 1_000).min(messages - sent.reported);
        let silent = on.date().is_some_and(|date| reporter.habits.silent.contains(&date.day()));
        if part == 0 || silent {
            continue;
        }
        sent.reported += part;
        let key = (place, policy_domain(&flow.author_domain).to_owned());
        let into = rows.entry(key).or_default();
        for (address, count) in split(part, &addresses, &mut rng) {
            into.push(row(flow, look, reporter, on, address, count, &mut rng));
        }
    }
    sent
}

/// The addresses that send on a day.
fn todays(flow: &Flow, rng: &mut Rng) -> Vec<IpAddr> {
    let n = flow.volume.addresses_a_day;
    if n >= flow.addresses.len() {
        return flow.addresses.clone();
    }
    (0..n).filter_map(|_| rng.pick(&flow.addresses).copied()).collect()
}

/// Shares messages out over addresses: evenly where there are many messages, at random where there are few.
fn split(messages: u64, addresses: &[IpAddr], rng: &mut Rng) -> BTreeMap<IpAddr, u64> {
    let mut counts = BTreeMap::new();
    let all = addresses.len() as u64;
    if messages > all * 4 {
        let mut left = messages;
        for (place, address) in addresses.iter().enumerate() {
            let after = all - place as u64;
            let share = if after == 1 { left } else { rng.about(left / after).min(left) };
            *counts.entry(*address).or_default() += share;
            left -= share;
        }
    } else {
        for _ in 0..messages {
            if let Some(address) = rng.pick(addresses) {
                *counts.entry(*address).or_default() += 1;
            }
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// What one reporter writes about messages of a flow.
fn row(
    flow: &Flow,
    look: &Credentials,
    reporter: &Reporter,
    on: Day,
    source: IpAddr,
    count: u64,
    rng: &mut Rng,
) -> Row {
    let strict = look.strict_permerror && reporter.habits.strict_spf;
    let (result, spf_aligned) = if strict { (AuthResult::PermError, false) } else { (look.spf, look.spf_aligned) };
    let dkim_aligned = look.dkim_aligned();
    let dkim = look.dkim.iter().map(|signature| DkimResult {
        domain: signature.domain.clone(),
        selector: (!reporter.habits.no_selectors).then(|| signature.selector.clone()),
        result: signature.result,
        human_result: None,
    });
    let scope = if look.null_sender { SpfScope::Helo } else { SpfScope::Mfrom };
    let new = reporter.dialect == report::Dialect::Rfc9990;
    let spf = SpfResult {
        domain: look.spf_domain.clone(),
        // RFC 9990 Appendix A knows the envelope sender's scope only, RFC 7489 both.
        scope: (!new).then_some(scope),
        result,
        human_result: None,
    };
    let sender = if look.null_sender { Text::default() } else { look.spf_domain.clone() };
    let published = published(&flow.author_domain, on);
    let passes = dkim_aligned || (spf_aligned && result == AuthResult::Pass);
    let (disposition, overrides) = outcome(&published, passes, look, reporter, rng);
    Row {
        source,
        count,
        author_domain: flow.author_domain.clone(),
        envelope_from: (!reporter.habits.no_envelope).then_some(sender),
        envelope_to: None,
        disposition,
        dkim_aligned,
        spf_aligned: spf_aligned && result == AuthResult::Pass,
        overrides,
        dkim: dkim.collect(),
        spf: vec![spf],
    }
}

/// The policy published for a domain on a day.
pub(crate) fn published(author_domain: &Text, on: Day) -> PolicyPublished {
    let domain = policy_domain(author_domain);
    if PARKED.contains(&domain) { parked_policy(domain) } else { policy(domain, on) }
}

/// What the receiver did, and why it was not what the policy asks for.
fn outcome(
    published: &PolicyPublished,
    passes: bool,
    look: &Credentials,
    reporter: &Reporter,
    rng: &mut Rng,
) -> (Disposition, Vec<Override>) {
    let new = reporter.dialect == report::Dialect::Rfc9990;
    let why = |kind, comment: Option<&str>| vec![Override { kind, comment: comment.map(Text::new) }];
    let asked = match published.p {
        Some(Policy::Reject) => Disposition::Reject,
        Some(Policy::Quarantine) => Disposition::Quarantine,
        _ => Disposition::None,
    };
    if passes {
        return (if new && asked != Disposition::None { Disposition::Pass } else { Disposition::None }, Vec::new());
    }
    if let (Some(passed_on), true) = (look.passed_on, reporter.habits.says_forwarded) {
        let reason = match passed_on {
            _ if new || rng.permille(300) => {
                why(OverrideKind::LocalPolicy, Some("arc=pass as[1].d=lists.example as[1].s=arc1"))
            }
            PassedOn::Forwarder => why(OverrideKind::Forwarded, None),
            PassedOn::List => why(OverrideKind::MailingList, None),
        };
        return (Disposition::None, reason);
    }
    match asked {
        Disposition::Quarantine if new && published.testing == Some(true) => {
            (Disposition::None, why(OverrideKind::PolicyTestMode, None))
        }
        Disposition::Quarantine if published.pct == Some(0) => (Disposition::None, why(OverrideKind::SampledOut, None)),
        asked => (asked, Vec::new()),
    }
}
