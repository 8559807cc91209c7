//! Those who use the company's names without any right: botnets, hired networks, a few loud hosts.

use report::AuthResult::{Fail, None as Nothing, Pass, SoftFail, TempError};

use super::{always, bounce, is, mail};
use crate::address::{row, row6, strewn};
use crate::estate::{Estate, Role};
use crate::flow::{Authentication, Class, Flow, Who};
use crate::volume::Volume;

fn spoofer(id: &'static str, volume: Volume, diagnosis: &'static str, mix: Vec<Authentication>) -> Flow {
    Flow::new(id, volume, always(Class::Spoofer, diagnosis, mix)).step(6).for_people()
}

/// Envelope and author both ours, and SPF says no.
fn plain() -> Vec<Authentication> {
    vec![mail(0.97, Who::Author, SoftFail), mail(0.02, Who::Author, TempError), mail(0.01, Who::Author, Nothing)]
}

pub(super) fn flows(estate: &Estate, seed: u64) -> Vec<Flow> {
    let mut flows = loud();
    flows.extend(hired());
    flows.extend(botnets(estate, seed));
    flows.extend(parked(estate, seed));
    flows
}

fn loud() -> Vec<Flow> {
    let falling = [(0, 1.08), (25, 1.02), (60, 0.97), (90, 0.94)];
    let host = |id, per_day, noise| {
        spoofer(
            id,
            Volume::crime(per_day).noise(noise).curve(&falling),
            "loud_host",
            vec![mail(1.0, Who::Author, SoftFail)],
        )
    };
    vec![
        host("spoof-loud-1", 1_560.0, 0.12).from(row([203, 0, 113, 212], 1)),
        host("spoof-loud-2", 1_330.0, 0.14).from(row([203, 0, 113, 213], 1)),
        host("spoof-loud-3", 1_040.0, 0.18).from(row([100, 92, 7, 203], 1)),
        host("spoof-loud-4", 640.0, 0.2).from(row([100, 92, 7, 204], 1)),
        spoofer(
            "spoof-loud-v6",
            Volume::crime(430.0).noise(0.2).curve(&[(19, 0.0), (22, 0.7), (40, 1.0), (90, 0.9)]),
            "loud_host",
            vec![mail(1.0, Who::Author, SoftFail)],
        )
        .from(row6("2001:db8:9e::7", 1)),
        spoofer(
            "spoof-rented-server",
            Volume::crime(230.0),
            "rented_server",
            vec![mail(1.0, is("vps-77.cheap-racks.test"), Pass)],
        )
        .from(row([100, 92, 61, 77], 1)),
        spoofer("spoof-fake-bounces", Volume::crime(84.0), "null_sender", vec![bounce(1.0, Nothing)])
            .from(row([203, 0, 113, 31], 4))
            .helo(vec!["mail.localdomain.test".into()]),
    ]
}

fn hired() -> Vec<Flow> {
    vec![
        spoofer(
            "spoof-snowshoe-deals",
            Volume::crime(330.0),
            "snowshoe_own_domain",
            vec![
                mail(0.8, is("bright-deals.test"), Pass).signed(is("bright-deals.test"), "mail", Pass),
                mail(0.2, is("brightdeals2.test"), Pass).signed(is("brightdeals2.test"), "mail", Pass),
            ],
        )
        .from(row([192, 0, 2, 1], 254))
        .a_day(96),
        spoofer(
            "spoof-snowshoe-invoices",
            Volume::crime(210.0).curve(&[(27, 0.0), (31, 1.0), (90, 1.1)]),
            "snowshoe_own_domain",
            vec![mail(1.0, is("invoice-portal.test"), Pass)],
        )
        .from(row([100, 101, 12, 2], 250))
        .a_day(60),
        // Signatures copied from real mail; they cannot fit.
        spoofer(
            "spoof-copied-signature",
            Volume::crime(46.0).active(0.6),
            "copied_signature",
            vec![mail(1.0, Who::Author, SoftFail).signed(Who::Organization, "s2021", Fail)],
        )
        .from(row([100, 103, 88, 40], 12)),
    ]
}

fn botnets(estate: &Estate, seed: u64) -> Vec<Flow> {
    vec![
        spoofer(
            "spoof-botnet-steady",
            Volume::crime(880.0).noise(0.1).curve(&[(0, 1.25), (30, 1.0), (90, 0.8)]),
            "botnet",
            plain(),
        )
        .from(strewn(seed, [100, 112, 0, 0], 12, 5_200))
        .a_day(1_400),
        spoofer("spoof-botnet-bursts", Volume::crime(1_450.0).noise(0.3).active(0.12), "botnet_burst", plain())
            .from(strewn(seed, [100, 104, 0, 0], 14, 900))
            .a_day(400),
        spoofer(
            "spoof-invented-names",
            Volume::crime(150.0).noise(0.25),
            "names_that_do_not_exist",
            vec![mail(0.5, Who::Author, Nothing), mail(0.5, is("webmail.bright-deals.test"), Nothing)],
        )
        .authors(
            estate,
            &[
                ("hr-portal.halden.example", 0.45),
                ("secure.halden.example", 0.3),
                ("accounts.halden.example", 0.2),
                ("mail-halden.norrvik.example", 0.05),
            ],
        )
        .from(strewn(seed, [100, 96, 0, 0], 14, 420))
        .a_day(110),
        spoofer("spoof-customer-mail", Volume::crime(140.0).active(0.8), "botnet", plain())
            .authors(estate, &[("email.halden.example", 1.0)])
            .from(strewn(seed, [100, 97, 0, 0], 16, 300))
            .a_day(90),
        spoofer("spoof-subsidiaries", Volume::crime(190.0), "botnet", plain())
            .authors(
                estate,
                &[("norrvik.example", 0.55), ("tellus.example", 0.25), ("solhem.example", 0.15), ("averin.test", 0.05)],
            )
            .from(strewn(seed, [100, 98, 0, 0], 16, 500))
            .a_day(140),
    ]
}

/// Parked domains are used in waves, each on its own days.
fn parked(estate: &Estate, seed: u64) -> Vec<Flow> {
    const IDS: [&str; 11] = [
        "spoof-parked-1",
        "spoof-parked-2",
        "spoof-parked-3",
        "spoof-parked-4",
        "spoof-parked-5",
        "spoof-parked-6",
        "spoof-parked-7",
        "spoof-parked-8",
        "spoof-parked-9",
        "spoof-parked-10",
        "spoof-parked-11",
    ];
    let parked = estate.domains.iter().enumerate().filter(|(_, domain)| domain.role == Role::Parked);
    IDS.into_iter()
        .zip(parked)
        .zip([620.0, 410.0, 260.0, 190.0, 150.0, 120.0, 90.0, 80.0, 60.0, 50.0, 40.0])
        .zip(0_u8..)
        .map(|(((id, (domain, _)), per_day), n)| {
            let mut flow = spoofer(
                id,
                Volume::crime(per_day).noise(0.4).active(0.3),
                "parked_domain",
                vec![mail(0.9, Who::Author, Fail), mail(0.1, is("bulk-7.cheap-racks.test"), Pass)],
            )
            .from(strewn(seed, [100, 120 + n % 4, 64 * (n / 4), 0], 18, 240))
            .a_day(55);
            flow.authors = vec![(domain, 1.0)];
            flow
        })
        .collect()
}
