//! Those who pass mail on: forwarders that leave it alone, lists and gateways that change it, and senders nobody can place.

use report::AuthResult::{Fail, Neutral, None as Nothing, Pass, SoftFail};

use super::{always, is, mail};
use crate::address::{row, row6, strewn};
use crate::estate::Estate;
use crate::flow::{Authentication, Class, Flow, Mediator, Who};
use crate::volume::Volume;

/// Forwarded with the signature intact: some rewrite the envelope (SRS), some do not.
fn intact(by: &str) -> Vec<Authentication> {
    let ours = |part: f64, selector| {
        [
            mail(0.55 * part, is(by), Pass).signed(Who::Organization, selector, Pass),
            mail(0.45 * part, Who::Organization, SoftFail).signed(Who::Organization, selector, Pass),
        ]
    };
    ours(0.8, "s2021").into_iter().chain(ours(0.2, "2023q2")).collect()
}

/// Changed on the way: our signature is there and no longer fits; the list may add its own.
fn changed(by: &str, signs: bool) -> Vec<Authentication> {
    let broken = mail(1.0, is(by), Pass).signed(Who::Organization, "s2021", Fail);
    vec![if signs { broken.signed(is(by), "list", Pass) } else { broken }]
}

pub(super) fn flows(estate: &Estate, seed: u64) -> Vec<Flow> {
    let mut flows = forwarders(seed);
    flows.extend(lists());
    flows.extend(unidentified(estate, seed));
    flows
}

fn forwarders(seed: u64) -> Vec<Flow> {
    let forwarder = |id, per_day, by: &'static str| {
        let mut flow = Flow::new(
            id,
            Volume::office(per_day).weekend(0.4),
            always(Class::ForwarderIntact, "signature_survives", intact(by)),
        )
        .step(6)
        .service(by)
        .for_people();
        flow.mediator = Some(Mediator::Forwarder(by.into()));
        flow
    };
    vec![
        forwarder("forwarder-mailboxes", 640.0, "fwd.mailnest.example")
            .from(strewn(seed, [100, 64, 0, 0], 16, 240))
            .a_day(120),
        forwarder("forwarder-universities", 170.0, "fwd.alder-state.example").from(row([100, 68, 25, 10], 14)),
        forwarder("forwarder-providers", 210.0, "relay.cablenet.example").from(strewn(seed, [100, 70, 0, 0], 16, 64)),
        forwarder("forwarder-alumni", 36.0, "alumni.tekniska.example").from(row6("2001:db8:f1::25", 3)),
    ]
}

fn lists() -> Vec<Flow> {
    let list = |id, per_day, by: &'static str, signs| {
        let mut flow = Flow::new(
            id,
            Volume::office(per_day).noise(0.3),
            always(Class::ForwarderBroken, "body_changed", changed(by, signs)),
        )
        .step(6)
        .service(by);
        flow.mediator = Some(Mediator::List(by.into()));
        flow
    };
    let gateway = |id, per_day, by: &'static str| {
        let mut flow = list(id, per_day, by, false);
        flow.mediator = Some(Mediator::Forwarder(by.into()));
        flow
    };
    vec![
        list("list-standards", 26.0, "lists.standards-forum.example", true).from(row([100, 72, 3, 9], 2)),
        list("list-open-source", 31.0, "lists.freecode.example", true).from(row([100, 72, 40, 25], 3)),
        list("list-industry", 12.0, "groups.steelmakers.example", true).from(row([100, 72, 51, 6], 1)),
        list("list-old-school", 8.0, "listserv.old-school.test", false).from(row([100, 72, 60, 14], 1)),
        gateway("gateway-link-rewriter", 34.0, "edge.mailguard.example").from(row([100, 73, 8, 30], 4)),
        gateway("gateway-footer", 11.0, "mx.adatum-legal.test").from(row([100, 73, 61, 2], 1)),
    ]
}

/// Legitimate in truth, and hard to place: a website's form, a consultant's laptop, somebody's server at home.
fn unidentified(estate: &Estate, seed: u64) -> Vec<Flow> {
    let nobody = |id, per_day, diagnosis, mix| {
        Flow::new(id, Volume::office(per_day).noise(0.35), always(Class::Unidentified, diagnosis, mix))
    };
    let visitor = |result| mail(1.0, Who::Organization, result);
    vec![
        nobody(
            "unidentified-web-forms",
            118.0,
            "form_writes_as_its_visitor",
            vec![mail(0.8, is("forms.trade-fair.example"), Pass), mail(0.2, Who::Organization, SoftFail)],
        )
        .from(strewn(seed, [100, 74, 0, 0], 18, 40))
        .a_day(18),
        nobody(
            "unidentified-consultants",
            46.0,
            "laptop_through_another_provider",
            vec![visitor(SoftFail), mail(0.3, Who::Organization, Neutral)],
        )
        .from(strewn(seed, [100, 75, 0, 0], 18, 60))
        .a_day(14),
        nobody("unidentified-home-server", 7.0, "server_at_home", vec![visitor(SoftFail)])
            .from(row([100, 76, 12, 201], 1)),
        nobody(
            "unidentified-old-agency",
            62.0,
            "contract_ended",
            vec![mail(1.0, is("mailer.pixelbureau.example"), Nothing)],
        )
        .from(row([100, 76, 90, 17], 2)),
        nobody(
            "unidentified-plant-supplier",
            21.0,
            "supplier_writes_as_us",
            vec![mail(1.0, is("supplier-parts.test"), Pass)],
        )
        .authors(estate, &[("plant-gavle.halden.example", 1.0)])
        .from(row([100, 77, 4, 4], 1)),
    ]
}
