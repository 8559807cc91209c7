//! Machines on the company's own address space that send past the relays: printers, monitors, a fax gateway.

use report::AuthResult::{Fail, None as Nothing, Pass, SoftFail};

use super::{always, is, mail, phase};
use crate::address::{row, strewn};
use crate::estate::Estate;
use crate::flow::{Authentication, Class, Flow, Phase, Who};
use crate::story;
use crate::volume::Volume;

/// Neither in SPF nor signed.
fn unlisted(envelope: Who) -> Vec<Phase> {
    always(Class::OwnMisconfigured, "unlisted_and_unsigned", vec![mail(1.0, envelope, SoftFail)])
}

fn misconfigured(diagnosis: &'static str, mix: Vec<Authentication>) -> Vec<Phase> {
    always(Class::OwnMisconfigured, diagnosis, mix)
}

/// The story's strays. Most move to the relay in December: their own streams run out.
pub(super) fn flows(estate: &Estate, seed: u64) -> Vec<Flow> {
    let mut flows = offices(estate, seed);
    flows.extend(workshops(estate));
    flows
}

/// Printers, doors, telephones.
fn offices(estate: &Estate, seed: u64) -> Vec<Flow> {
    let apex = || unlisted(Who::Organization);
    vec![
        Flow::new("stray-print-relays", Volume::office(118.0).until(58), apex())
            .step(3)
            .team("Facilities IT", "scan-to-mail")
            .from(strewn(seed, [198, 18, 64, 0], 20, 11)),
        Flow::new("stray-print-relay-last", Volume::office(9.0), apex())
            .step(3)
            .team("Facilities IT", "scan-to-mail")
            .from(row([198, 18, 70, 61], 1)),
        Flow::new(
            "stray-printer-new",
            Volume::office(330.0).curve(&[
                (story::NEW_PRINTER - 1, 0.0),
                (story::NEW_PRINTER, 0.6),
                (story::NEW_PRINTER + 1, 1.0),
            ]),
            apex(),
        )
        .step(3)
        .team("Facilities IT", "scan-to-mail")
        .from(row([198, 18, 70, 77], 1)),
        Flow::new("stray-badge-system", Volume::machine(6.0), apex())
            .step(3)
            .team("Site Security", "badge")
            .from(row([198, 18, 80, 201], 1)),
        Flow::new("stray-fax-gateway", Volume::office(41.0).until(52), unlisted(Who::Author))
            .step(3)
            .team("Telephony", "fax")
            .authors(estate, &[("fax.halden.example", 0.5), ("halden.example", 0.5)])
            .from(row([198, 18, 81, 9], 1)),
        Flow::new("stray-door-cameras", Volume::machine(24.0).until(61), apex())
            .step(3)
            .team("Site Security", "cctv")
            .from(strewn(seed, [198, 18, 128, 0], 20, 14)),
        Flow::new("stray-room-panels", Volume::office(7.0), apex())
            .step(3)
            .team("Facilities IT", "rooms")
            .from(strewn(seed, [198, 18, 176, 0], 20, 22)),
    ]
}

/// Laboratories, plants, programmers.
fn workshops(estate: &Estate) -> Vec<Flow> {
    vec![
        Flow::new("stray-lab-monitors", Volume::machine(9.0), unlisted(Who::Author))
            .step(3)
            .team("Materials Laboratory", "labmon")
            .authors(estate, &[("labs.halden.example", 0.4), ("halden.example", 0.6)])
            .from(row([198, 18, 77, 140], 2)),
        Flow::new("stray-build-servers", Volume::machine(62.0).until(46), unlisted(Who::Organization))
            .step(3)
            .team("Software Platform", "vst")
            .from(row([198, 18, 112, 20], 3)),
        Flow::new(
            "stray-compute-cluster",
            Volume::machine(74.0).noise(0.4),
            vec![
                phase(
                    i32::MIN,
                    Class::OwnMisconfigured,
                    "unlisted_and_unsigned",
                    vec![mail(1.0, Who::Author, Nothing)],
                ),
                phase(57, Class::Own, "unsigned", vec![mail(1.0, Who::Author, Pass)]),
            ],
        )
        .step(3)
        .team("Research Computing", "slurm")
        .authors(estate, &[("hpc.halden.example", 1.0)])
        .from(row([198, 18, 144, 2], 4)),
        Flow::new(
            "stray-wrong-signer",
            Volume::office(28.0).until(49),
            misconfigured(
                "signs_with_wrong_domain",
                vec![mail(1.0, Who::Organization, SoftFail).signed(is("halden-it.test"), "default", Pass)],
            ),
        )
        .step(3)
        .team("Test Centre", "testlab")
        .from(row([198, 18, 150, 30], 1)),
        Flow::new(
            "stray-plant-gateway",
            Volume::office(96.0).until(44),
            misconfigured(
                "body_altered_by_gateway",
                vec![
                    mail(0.9, Who::Organization, SoftFail).signed(Who::Organization, "2023q2", Fail),
                    mail(0.1, Who::Author, Nothing),
                ],
            ),
        )
        .step(3)
        .team("Plant Gävle", "shift")
        .authors(estate, &[("plant-gavle.halden.example", 0.7), ("halden.example", 0.3)])
        .from(row([198, 18, 160, 4], 2)),
    ]
}
