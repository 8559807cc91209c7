//! What happens after the first 90 days: services come, are set up and go, machines appear, waves of spoofing rise and fall. It goes on
//! for four years.

use std::sync::Arc;

use super::build::Build;
use super::vendors::{Set, vendor};
use crate::cast::{always, is, mail};
use crate::flow::{Class, Flow, Who};
use crate::volume::Volume;

/// Names of what is tried out one day.
const TRIED: [(&str, &str, &str); 12] = [
    ("later-polls", "Communications", "polls"),
    ("later-webinars", "Marketing", "webinar"),
    ("later-parking", "Facilities", "parking"),
    ("later-contracts", "Legal", "contracts"),
    ("later-coaching", "People", "coaching"),
    ("later-fleet", "Logistics", "fleet"),
    ("later-badges", "Reception", "visitors"),
    ("later-expenses", "Finance", "expenses"),
    ("later-status", "Operations", "status"),
    ("later-partners", "Partners", "partners"),
    ("later-awards", "Communications", "awards"),
    ("later-health", "People", "wellbeing"),
];

/// Adds all of it.
pub(super) fn later(build: &mut Build) {
    let mut dice = build.dice("later");
    // As large as what the company is used to.
    let usual = build.flows.iter().map(|flow| flow.volume.per_day).fold(0.0, f64::max) * 0.02;
    for (n, (what, team, local_part)) in (0_i32..).zip(TRIED) {
        let day = 96 + n * 112 + i32::try_from(dice.below(60)).unwrap_or(0);
        let lasts = 14 + i32::try_from(dice.below(50)).unwrap_or(0);
        let set = if dice.chance(0.7) { Set::Begins(day, lasts) } else { Set::Begins(day, 4_000) };
        build.hire(&vendor(what, team, local_part, Volume::office(usual * (0.3 + dice.unit())), set));
        wave(build, n, day + 30, usual * (0.5 + 3.0 * dice.unit()));
    }
}

/// Three weeks of a botnet.
fn wave(build: &mut Build, n: i32, day: i32, per_day: f64) {
    let hosts = build.lines(2, 60);
    let victim = Who::OfAddress(Arc::from([build.firm().1, build.firm().1]));
    let mix = vec![
        mail(0.7, Who::Author, build.deny),
        mail(0.3, victim, report::AuthResult::None),
        mail(0.05, is("wave.cheap-racks.test"), report::AuthResult::None),
    ];
    let volume =
        Volume::crime(per_day).noise(0.3).curve(&[(day - 1, 0.0), (day, 1.0), (day + 14, 1.2), (day + 21, 0.0)]);
    build.flows.push(
        Flow::new(format!("spoof-wave-{n}"), volume, always(Class::Spoofer, "botnet", mix))
            .from(hosts)
            .a_day(40)
            .for_people(),
    );
}
