//! The company's own outbound hosts: corporate mail, applications, bounces, subsidiaries.

use report::AuthResult::{Fail, None as Nothing, Pass, PermError, SoftFail, TempError};
use report::Text;

use super::{always, bounce, is, mail, phase};
use crate::address::{row, row6};
use crate::estate::Estate;
use crate::flow::{Authentication, Class, Flow, Who};
use crate::story;
use crate::volume::Volume;

/// Outbound hosts of the first site: 12 with IPv4 and 4 with IPv6.
fn site_a() -> Vec<std::net::IpAddr> {
    let mut hosts = row([198, 18, 10, 11], 12);
    hosts.extend(row6("2001:db8:4a1:10::11", 4));
    hosts
}

/// Outbound hosts of the second site.
fn site_b() -> Vec<std::net::IpAddr> {
    row([198, 18, 42, 11], 6)
}

/// The names that the hosts of both sites greet with.
pub(crate) fn helo_names() -> Vec<Text> {
    let of = |number: usize| Text::new(format!("out{number:02}.halden.example"));
    // The IPv6 addresses are second addresses of the first four.
    (1..=12).chain(1..=4).chain(13..=18).map(of).collect()
}

/// Signed corporate mail: nearly all of it passes twice; a few per mille meet a bad day in DNS or a gateway that rewrites.
fn signed(selectors: &[(&str, f64)], spf: report::AuthResult) -> Vec<Authentication> {
    let mut mix = Vec::new();
    for (selector, weight) in selectors {
        mix.push(mail(0.984 * weight, Who::Organization, spf).signed(Who::Organization, selector, Pass));
        mix.push(mail(0.006 * weight, Who::Organization, spf).signed(Who::Organization, selector, Fail));
        mix.push(mail(0.004 * weight, Who::Organization, spf).signed(Who::Organization, selector, TempError));
    }
    mix.push(mail(0.004, Who::Organization, TempError).signed(Who::Organization, selectors[0].0, Pass));
    mix.push(mail(0.002, Who::Organization, spf));
    mix
}

pub(super) fn flows(estate: &Estate) -> Vec<Flow> {
    let mut flows = corporate(estate);
    flows.extend(subsidiaries(estate));
    flows
}

fn corporate(estate: &Estate) -> Vec<Flow> {
    let authors: &[(&str, f64)] =
        &[("halden.example", 0.965), ("corp.halden.example", 0.025), ("labs.halden.example", 0.01)];
    let drift = [(0, 1.0), (30, 1.02), (60, 1.05), (90, 1.07)];
    let own = |mix| always(Class::Own, "authenticated", mix);
    let both: Vec<_> = site_a().into_iter().chain(site_b()).collect();
    let rotated = |from, new: f64| {
        phase(from, Class::Own, "authenticated", signed(&[("s2021", 1.0 - new), ("s2026a", new)], Pass))
    };
    vec![
        Flow::new("own-corporate-site-a", Volume::office(28_000.0).curve(&drift), {
            let mut phases = own(signed(&[("s2021", 1.0)], Pass));
            phases.extend([rotated(story::KEY_ROTATED, 0.14), rotated(story::KEY_ROTATED + 5, 0.26)]);
            phases.push(rotated(story::KEY_ROTATED + 10, 0.38));
            phases
        })
        .step(5)
        .team("Messaging", "postmaster")
        .authors(estate, authors)
        .from(site_a()),
        Flow::new(
            "own-corporate-site-b",
            Volume::office(8_200.0).curve(&drift),
            vec![
                phase(i32::MIN, Class::Own, "spf_permerror_but_signed", signed(&[("2023q2", 1.0)], PermError)),
                phase(story::SPF_TRIMMED, Class::Own, "authenticated", signed(&[("2023q2", 1.0)], Pass)),
            ],
        )
        .step(2)
        .team("Messaging", "postmaster")
        .authors(estate, authors)
        .from(site_b()),
        Flow::new(
            "own-applications-site-b",
            Volume::office(1_420.0).noise(0.07),
            vec![
                phase(
                    i32::MIN,
                    Class::OwnMisconfigured,
                    "spf_permerror",
                    vec![mail(0.97, Who::Organization, PermError), mail(0.03, Who::Organization, TempError)],
                ),
                phase(
                    story::SPF_TRIMMED,
                    Class::Own,
                    "unsigned",
                    vec![mail(0.997, Who::Organization, Pass), mail(0.003, Who::Organization, TempError)],
                ),
            ],
        )
        .step(2)
        .team("Enterprise Applications", "sap-batch")
        .from(site_b()),
        Flow::new(
            "own-bounces",
            Volume::office(540.0).weekend(0.55).noise(0.1),
            vec![
                phase(i32::MIN, Class::OwnMisconfigured, "helo_without_spf", vec![bounce(1.0, Nothing)]),
                phase(story::HELO_PUBLISHED, Class::Own, "unsigned", vec![bounce(1.0, Pass)]),
            ],
        )
        .step(2)
        .team("Messaging", "mailer-daemon")
        .from(both)
        .helo(helo_names()),
    ]
}

fn subsidiaries(estate: &Estate) -> Vec<Flow> {
    let only = |name: &'static str| [(name, 1.0)];
    vec![
        Flow::new(
            "norrvik-corporate",
            Volume::office(3_100.0),
            always(Class::Own, "authenticated", signed(&[("nm2022", 1.0)], Pass)),
        )
        .team("Norrvik IT", "postmaster")
        .authors(estate, &only("norrvik.example"))
        .from(row([198, 18, 90, 11], 4)),
        Flow::new(
            "norrvik-ship-links",
            Volume::machine(130.0),
            vec![
                phase(
                    i32::MIN,
                    Class::OwnMisconfigured,
                    "unlisted_and_unsigned",
                    vec![mail(1.0, Who::Author, SoftFail)],
                ),
                phase(44, Class::Own, "unsigned", vec![mail(1.0, Who::Author, Pass)]),
            ],
        )
        .step(3)
        .team("Norrvik Fleet", "bridge")
        .authors(estate, &only("norrvik.example"))
        .from(row([198, 18, 91, 40], 9)),
        Flow::new(
            "tellus-corporate",
            Volume::office(1_250.0),
            always(Class::Own, "authenticated", signed(&[("selector1", 0.7), ("selector2", 0.3)], Pass)),
        )
        .team("Tellus IT", "postmaster")
        .service("BigOffice")
        .authors(estate, &only("tellus.example"))
        .from(row([198, 19, 200, 64], 16)),
        Flow::new(
            "solhem-corporate",
            Volume::office(880.0).weekend(0.6),
            vec![
                phase(
                    i32::MIN,
                    Class::Own,
                    "unsigned",
                    vec![mail(0.99, Who::Author, Pass), mail(0.01, Who::Author, TempError)],
                ),
                phase(38, Class::Own, "authenticated", signed(&[("sol1", 1.0)], Pass)),
            ],
        )
        .team("Solhem IT", "postmaster")
        .authors(estate, &only("solhem.example"))
        .from(row([198, 18, 96, 5], 2)),
        Flow::new(
            "averin-corporate",
            Volume::office(520.0).from(story::AVERIN_BOUGHT),
            always(
                Class::Own,
                "partly_signed",
                vec![
                    mail(0.82, Who::Author, Pass).signed(Who::Author, "dkim", Pass),
                    mail(0.12, Who::Author, Pass),
                    mail(0.06, is("averin-hosting.test"), Pass),
                ],
            ),
        )
        .team("Averin", "postmaster")
        .authors(estate, &only("averin.test"))
        .from(row([198, 19, 201, 10], 3)),
    ]
}
