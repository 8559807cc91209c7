//! Halden Works: who sends in its name, and who pretends to.
//!
//! Every name is below `.example` (RFC 2606). RFC 5737 has too few addresses for a large company, so most are from the benchmarking
//! range 198.18.0.0/15 (RFC 2544) and the shared range 100.64.0.0/10 (RFC 6598); IPv6 is from `2001:db8::/32` (RFC 3849).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use report::{AuthResult, Text};

use crate::calendar::{Story, day};
use crate::flow::{Class, Credentials, Flow, PassedOn, Signature, Volume};
use crate::rng::Rng;

/// The domain that carries nearly everything.
pub(crate) const APEX: &str = "halden.example";
/// Mail to customers.
pub(crate) const CUSTOMER: &str = "mail.halden.example";
/// The delegated subdomain for third parties.
pub(crate) const EMAIL: &str = "email.halden.example";
/// Subsidiaries with mail of their own.
pub(crate) const SUBSIDIARIES: [&str; 3] = ["halden-energy.example", "halden-marine.example", "haldenshop.example"];
/// Domains that never send.
pub(crate) const PARKED: [&str; 10] = [
    "halden-works.example",
    "haldenworks.example",
    "halden-group.example",
    "halden-careers.example",
    "halden-pay.example",
    "halden-support.example",
    "myhalden.example",
    "halden-invest.example",
    "haldencloud.example",
    "halden-online.example",
];

/// Teams that send through somebody else: team, vendor, messages on a working day, how the mail authenticates.
const VENDORS: [(&str, &str, u64, Vendor); 25] = [
    ("Customer marketing", "bluefinch-mail", 2_900, Vendor::Both),
    ("Web shop", "cartpost", 2_200, Vendor::Both),
    ("Billing", "invoicely", 1_350, Vendor::Both),
    ("Support desk", "ticketharbor", 1_180, Vendor::DkimOnly),
    ("Recruiting", "talentwell", 420, Vendor::DkimOnly),
    ("Payroll", "paymoor", 260, Vendor::DkimOnly),
    ("Travel desk", "tripledger", 310, Vendor::DkimOnly),
    ("Investor relations", "irwire", 45, Vendor::DkimOnly),
    ("Partner portal", "alliancehub", 380, Vendor::DkimOnly),
    ("Product telemetry", "alertkite", 1_450, Vendor::DkimOnly),
    ("Field service", "routewise", 540, Vendor::DkimOnly),
    ("Loyalty programme", "pointsmill", 980, Vendor::SpfOnly),
    ("Spare parts", "partsline", 350, Vendor::SpfOnly),
    ("Identity service", "signgate", 760, Vendor::SpfOnly),
    ("Energy portal", "meterpost", 640, Vendor::SpfOnly),
    ("Surveys", "askbird", 190, Vendor::Moves),
    ("Events", "gathermint", 140, Vendor::Moves),
    ("Training", "learnfold", 120, Vendor::Moves),
    ("Press office", "pressrelay", 60, Vendor::Moves),
    ("Facilities", "roomkeeper", 75, Vendor::Moves),
    ("Procurement", "bidstream", 90, Vendor::Moves),
    ("Legal", "clausewell", 35, Vendor::Moves),
    ("Fleet", "fleetnote", 55, Vendor::Moves),
    ("Social media", "crosspost", 80, Vendor::Moves),
    ("Alumni", "alumnique", 95, Vendor::Stays),
];

/// How a vendor's mail authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    /// Signs as us, and bounces go to our subdomain.
    Both,
    /// Signs as us; bounces go to the vendor.
    DkimOnly,
    /// Bounces go to our subdomain; no signature of ours.
    SpfOnly,
    /// Everything under the vendor's own name until the subdomain is delegated.
    Moves,
    /// Everything under the vendor's own name.
    Stays,
}

/// All flows of the company.
pub(crate) fn flows(seed: u64) -> Vec<Flow> {
    let mut flows = own();
    flows.extend(strays());
    flows.extend(
        VENDORS.iter().zip(0..).map(|((team, vendor, messages, how), n)| third_party(team, vendor, *messages, *how, n)),
    );
    flows.push(new_network());
    flows.extend(subsidiaries());
    flows.extend(forwarders(seed));
    flows.push(campaign());
    flows.extend(spoofers(seed));
    flows
}

fn flow(id: &str, class: Class, author_domain: &str, addresses: Vec<IpAddr>, messages: u64, look: Credentials) -> Flow {
    Flow {
        id: id.to_owned(),
        class,
        diagnosis: None,
        team: None,
        author_domain: author_domain.into(),
        volume: Volume { messages, rests: true, addresses_a_day: addresses.len() },
        addresses,
        from: None,
        to: None,
        phases: vec![(None, look)],
        days_a_week: 7,
    }
}

fn signature(domain: &str, selector: &str, aligned: bool) -> Signature {
    Signature { domain: domain.into(), selector: selector.into(), result: AuthResult::Pass, aligned }
}

fn spf(domain: &str, spf: AuthResult, spf_aligned: bool) -> Credentials {
    Credentials { spf_domain: domain.into(), spf, spf_aligned, ..Credentials::default() }
}

fn signed(mut look: Credentials, signatures: impl IntoIterator<Item = Signature>) -> Credentials {
    look.dkim.extend(signatures);
    look
}

fn v4(a: u8, b: u8, c: u8, hosts: impl IntoIterator<Item = u8>) -> Vec<IpAddr> {
    hosts.into_iter().map(|host| IpAddr::V4(Ipv4Addr::new(a, b, c, host))).collect()
}

/// Our own outbound hosts: signed corporate mail, an old relay that does not sign, customer mail, and bounces.
fn own() -> Vec<Flow> {
    let strict = |look: Credentials| Credentials { strict_permerror: true, ..look };
    let trimmed = Some(day(Story::SPF_TRIMMED));
    let corporate = |selector| signed(spf(APEX, AuthResult::Pass, true), [signature(APEX, selector, true)]);
    let mut addresses = v4(198, 18, 1, 10..=21);
    addresses.extend((1..=2).map(|n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x18, 1, 0, 0, 0, n))));
    let mut outbound = flow("own-outbound", Class::Own, APEX, addresses, 27_000, strict(corporate("s2021")));
    outbound.team = Some("Mail operations".to_owned());
    outbound.phases.push((trimmed, corporate("s2021")));
    outbound.phases.push((Some(day(Story::NEW_KEY)), corporate("s2026a")));

    let mut relay = flow(
        "own-old-relay",
        Class::OwnMisconfigured,
        APEX,
        v4(198, 18, 1, 40..=42),
        4_300,
        strict(spf(APEX, AuthResult::Pass, true)),
    );
    relay.team = Some("Mail operations".to_owned());
    relay.diagnosis = Some("spf_permerror_lookup_limit");
    relay.phases.push((trimmed, spf(APEX, AuthResult::Pass, true)));

    let customer = signed(spf(CUSTOMER, AuthResult::Pass, true), [signature(CUSTOMER, "2023q2", true)]);
    let mut customers = flow("own-customer-mail", Class::Own, CUSTOMER, v4(198, 18, 4, 20..=27), 11_500, customer);
    customers.team = Some("Customer mail".to_owned());

    let bounce =
        |result| Credentials { null_sender: true, ..spf("out.halden.example", result, result == AuthResult::Pass) };
    let mut bounces =
        flow("own-bounces", Class::OwnMisconfigured, APEX, v4(198, 18, 1, 10..=21), 560, bounce(AuthResult::None));
    bounces.team = Some("Mail operations".to_owned());
    bounces.diagnosis = Some("helo_without_spf");
    bounces.phases.push((Some(day(Story::HELO_SPF)), bounce(AuthResult::Pass)));
    vec![outbound, relay, customers, bounces]
}

/// Machines of ours that send past the relay: no signature, not in SPF.
fn strays() -> Vec<Flow> {
    let strays: [(&str, &str, [u8; 2], u64, bool); 8] = [
        ("lab-monitor", "Test laboratory", [7, 14], 96, true),
        ("badge-system", "Site security", [7, 31], 58, false),
        ("print-server", "Workplace", [9, 77], 41, true),
        ("build-farm", "Engineering tools", [12, 140], 170, true),
        ("ups-alarms", "Data centre", [7, 201], 12, false),
        ("canteen-kiosk", "Facilities", [14, 9], 9, false),
        ("plant-scada", "Plant operations", [22, 5], 33, false),
        ("old-crm", "Sales tools", [9, 130], 64, false),
    ];
    strays
        .into_iter()
        .map(|(name, team, [c, d], messages, fixed)| {
            let id = format!("own-stray-{name}");
            let mut stray = flow(
                &id,
                Class::OwnMisconfigured,
                APEX,
                v4(198, 18, c, [d]),
                messages,
                spf(APEX, AuthResult::SoftFail, false),
            );
            stray.team = Some(team.to_owned());
            stray.diagnosis = Some("unlisted_unsigned_server");
            stray.to = fixed.then(|| day(Story::STRAYS_FIXED).plus(-1));
            stray
        })
        .collect()
}

fn third_party(team: &str, vendor: &str, messages: u64, how: Vendor, n: u8) -> Flow {
    let own_name = format!("{vendor}.example");
    let bounce = format!("bounce.{own_name}");
    let selector = format!("{vendor}1");
    let author = if n % 6 == 4 { CUSTOMER } else { APEX };
    let theirs = signed(spf(&bounce, AuthResult::Pass, false), [signature(&own_name, "k1", false)]);
    let ours = [signature(author, &selector, true), signature(&own_name, "k1", false)];
    let look = match how {
        Vendor::Both => signed(spf(EMAIL, AuthResult::Pass, true), ours.clone()),
        Vendor::DkimOnly => signed(spf(&bounce, AuthResult::Pass, false), ours.clone()),
        Vendor::SpfOnly => spf(EMAIL, AuthResult::Pass, true),
        Vendor::Moves | Vendor::Stays => theirs,
    };
    let class = match how {
        Vendor::Moves | Vendor::Stays => Class::ThirdPartyUnaligned,
        _ => Class::ThirdParty,
    };
    let hosts = 11 + n..=11 + n + u8::try_from(messages.ilog10()).unwrap_or(1) * 2;
    let mut flow = flow(&format!("vendor-{vendor}"), class, author, v4(198, 19, 16 + n, hosts), messages, look);
    flow.team = Some(team.to_owned());
    flow.days_a_week = if messages < 100 { 3 } else { 7 };
    if class == Class::ThirdPartyUnaligned {
        flow.diagnosis = Some("signs_with_its_own_domain");
    }
    if how == Vendor::Moves {
        let moved = day(Story::SUBDOMAIN).plus(i32::from(n % 4));
        flow.phases.push((Some(moved), signed(spf(EMAIL, AuthResult::Pass, true), ours)));
    }
    flow
}

/// In January a vendor begins to send from a network that no record knows yet; its signature is the same.
fn new_network() -> Flow {
    let look = signed(spf(EMAIL, AuthResult::SoftFail, false), [signature(APEX, "bluefinch-mail1", true)]);
    let mut flow =
        flow("vendor-bluefinch-mail-new-network", Class::ThirdParty, APEX, v4(198, 19, 90, 4..=7), 650, look);
    flow.team = Some("Customer marketing".to_owned());
    flow.from = Some(day(Story::NEW_NETWORK));
    flow
}

fn subsidiaries() -> Vec<Flow> {
    SUBSIDIARIES
        .into_iter()
        .zip([2_600, 900, 1_700])
        .zip(0..)
        .map(|((domain, messages), n)| {
            let look = signed(spf(domain, AuthResult::Pass, true), [signature(domain, "default", true)]);
            let mut flow =
                flow(&format!("own-{domain}"), Class::Own, domain, v4(198, 18, 60 + n, 5..=7), messages, look);
            flow.team = Some("Subsidiaries".to_owned());
            flow
        })
        .collect()
}

/// Mailbox providers and lists that pass our mail on: a few messages a day from many addresses.
fn forwarders(seed: u64) -> Vec<Flow> {
    let mut rng = Rng::new(seed, "forwarders");
    let mut flows = Vec::new();
    for (n, (name, messages)) in
        [("uni-postbox", 420_u64), ("alumni-forward", 160), ("isp-redirect", 310), ("mailhop", 90)]
            .into_iter()
            .enumerate()
    {
        let n = u8::try_from(n).unwrap_or(0);
        let host = format!("{name}.example");
        let ours = [signature(APEX, "s2021", true)];
        let look = |spf_domain: &str, result, aligned| Credentials {
            passed_on: Some(PassedOn::Forwarder),
            ..signed(spf(spf_domain, result, aligned), ours.clone())
        };
        // Half of them rewrite the envelope sender (SRS), half keep ours.
        let look =
            if n % 2 == 0 { look(&host, AuthResult::Pass, false) } else { look(APEX, AuthResult::SoftFail, false) };
        let addresses = spread(&mut rng, [100, 72 + n], 60);
        let mut flow = flow(&format!("forwarder-{name}"), Class::ForwarderIntact, APEX, addresses, messages, look);
        flow.volume.addresses_a_day = 34;
        flows.push(flow);
    }
    for (n, (name, messages)) in
        [("trade-list", 44_u64), ("standards-list", 31), ("legacy-gateway", 26), ("scanning-relay", 52)]
            .into_iter()
            .enumerate()
    {
        let n = u8::try_from(n).unwrap_or(0);
        let host = format!("lists.{name}.example");
        let list = n < 2;
        let broken = Signature { result: AuthResult::Fail, ..signature(APEX, "s2021", true) };
        let (spf_domain, result) = if list { (&*host, AuthResult::Pass) } else { (APEX, AuthResult::SoftFail) };
        let passed_on = Some(if list { PassedOn::List } else { PassedOn::Forwarder });
        let look = Credentials { passed_on, ..signed(spf(spf_domain, result, false), [broken]) };
        let addresses = spread(&mut rng, [100, 80 + n], if list { 3 } else { 12 });
        flows.push(flow(&format!("broken-{name}"), Class::ForwarderBroken, APEX, addresses, messages, look));
    }
    flows
}

/// One team, one bulk mailer, one day, nobody told: our own envelope sender, no signature, six addresses in one network.
fn campaign() -> Flow {
    let look = spf("news.halden.example", AuthResult::SoftFail, false);
    let mut flow =
        flow("campaign-winter-sale", Class::UnauthorisedCampaign, APEX, v4(203, 0, 113, 41..=46), 18_400, look);
    flow.team = Some("Customer marketing".to_owned());
    flow.diagnosis = Some("unannounced_bulk_mailer");
    (flow.from, flow.to) = (Some(day(Story::CAMPAIGN)), Some(day(Story::CAMPAIGN)));
    flow.volume.rests = false;
    flow
}

fn spoofers(seed: u64) -> Vec<Flow> {
    let mut rng = Rng::new(seed, "spoofers");
    let mut flows = Vec::new();
    let mut push = |id: &str, domain: &str, addresses: Vec<IpAddr>, a_day: usize, messages: u64, look: Credentials| {
        let mut spoofer = flow(id, Class::Spoofer, domain, addresses, messages, look);
        spoofer.volume = Volume { messages, rests: false, addresses_a_day: a_day };
        flows.push(spoofer);
    };
    let fails = |domain: &str| spf(domain, AuthResult::SoftFail, false);
    let bots = spread_wide(&mut rng, 3_600);
    push("spoof-botnet", APEX, bots, 260, 780, fails(APEX));
    for (n, messages) in [1_480, 1_290, 1_010, 880, 310].into_iter().enumerate() {
        let n = u8::try_from(n).unwrap_or(0);
        push(&format!("spoof-host-{}", n + 1), APEX, v4(100, 96 + n, 12, [13 + n * 40]), 1, messages, fails(APEX));
    }
    let snow =
        signed(spf("offers-daily.example", AuthResult::Pass, false), [signature("offers-daily.example", "d1", false)]);
    push("spoof-snowshoe", APEX, v4(192, 0, 2, 20..=90), 48, 330, snow);
    let six: Vec<IpAddr> =
        (0..40_u16).map(|n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x9e00 + n, 0, 0, 0, 0, 7))).collect();
    push("spoof-v6", CUSTOMER, six, 9, 70, spf("cheap-vps.example", AuthResult::None, false));
    for domain in PARKED {
        let id = format!("spoof-{}", domain.trim_end_matches(".example"));
        let addresses = spread_wide(&mut rng, 160);
        push(&id, domain, addresses, 6, 14, spf(domain, AuthResult::Fail, false));
    }
    push(
        "spoof-sub",
        "hr.halden.example",
        spread_wide(&mut rng, 120),
        8,
        30,
        spf("hr.halden.example", AuthResult::None, false),
    );
    flows
}

/// Addresses in one /16, each in a network of its own more often than not.
fn spread(rng: &mut Rng, [a, b]: [u8; 2], n: usize) -> Vec<IpAddr> {
    distinct(n, || Ipv4Addr::new(a, b, octet(rng), octet(rng).clamp(1, 254)))
}

/// Addresses all over 100.104.0.0/13.
fn spread_wide(rng: &mut Rng, n: usize) -> Vec<IpAddr> {
    distinct(n, || Ipv4Addr::new(100, 104 + octet(rng) % 8, octet(rng), octet(rng).clamp(1, 254)))
}

fn octet(rng: &mut Rng) -> u8 {
    u8::try_from(rng.below(256)).unwrap_or(0)
}

fn distinct(n: usize, mut next: impl FnMut() -> Ipv4Addr) -> Vec<IpAddr> {
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < n {
        seen.insert(next());
    }
    seen.into_iter().map(IpAddr::V4).collect()
}

/// The domains reports are about, each with whether it is parked.
pub(crate) fn policy_domains() -> impl Iterator<Item = (&'static str, bool)> {
    let sending = std::iter::once(APEX).chain(SUBSIDIARIES).map(|domain| (domain, false));
    sending.chain(PARKED.into_iter().map(|domain| (domain, true)))
}

/// The policy domain of an author domain: subdomains are reported under the apex.
pub(crate) fn policy_domain(author_domain: &Text) -> &str {
    let below = author_domain.strip_suffix(APEX).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if below { APEX } else { author_domain }
}
