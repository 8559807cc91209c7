//! Reporters with other habits than those of the first company: the same kinds, dealt out anew by the seed.

use report::Text;

use super::build::Build;
use crate::reporter::{Again, Ids, Reporter, Silence, Window, reporters};

/// The large ones keep their names, because they are mailbox providers of the world; the small ones get new ones.
const LARGE: usize = 4;

/// All reporters, largest first.
pub(super) fn varied(build: &mut Build) -> Vec<Reporter> {
    let mut dice = build.dice("reporters");
    let mut all = reporters();
    let habits: Vec<_> = all.iter().map(|reporter| (reporter.habit, reporter.packed)).collect();
    for (n, reporter) in all.iter_mut().enumerate() {
        reporter.business *= 0.75 + 0.4 * dice.unit();
        reporter.consumer *= 0.75 + 0.4 * dice.unit();
        if n >= LARGE {
            rename(build, reporter);
            (reporter.habit, reporter.packed) = habits[LARGE + dice.index(habits.len() - LARGE)];
            let ids = [Ids::Digits, Ids::Hex, Ids::Dated, Ids::Uuid, Ids::DomainSeconds, Ids::Seconds];
            if reporter.ids != Ids::Reused {
                reporter.ids = ids[dice.index(ids.len())];
            }
            if dice.chance(0.2) {
                reporter.window =
                    Window::Day { hour: u8::try_from(dice.below(24)).unwrap_or(0), inclusive: dice.chance(0.5) };
            }
            reporter.lenient = dice.chance(0.3);
            reporter.softens = dice.chance(0.25);
            reporter.late = i32::from(dice.chance(0.25));
        }
        reporter.silent = silence(&mut dice);
        if let Some((_, share)) = &mut reporter.recognises {
            *share = (*share * (0.5 + dice.unit())).min(0.95);
        }
    }
    // Companies that report about the little that they get.
    for _ in 0..3 + dice.index(8) {
        let mut small = all[LARGE + dice.index(all.len() - LARGE)].clone();
        rename(build, &mut small);
        small.business = 0.001 + 0.004 * dice.unit();
        small.consumer = 0.0005;
        small.again = Again::Nothing;
        small.corrects = None;
        small.silent = silence(&mut dice);
        all.push(small);
    }
    all
}

fn rename(build: &mut Build, reporter: &mut Reporter) {
    let (name, domain) = build.firm();
    reporter.organization = if reporter.organization == reporter.domain { domain.clone() } else { name };
    reporter.email = Text::new(format!("dmarc-reports@{domain}"));
    reporter.contact = reporter.contact.as_ref().map(|_| Text::new(format!("https://postmaster.{domain}/")));
    reporter.domain = domain;
}

fn silence(dice: &mut crate::random::Random) -> Silence {
    let mut silence = Silence { spans: Vec::new(), weekly: None };
    match dice.below(10) {
        0 => silence.weekly = Some(4),
        1 => {
            let from = i32::try_from(dice.below(80)).unwrap_or(0);
            silence.spans.push((from, from + 1 + i32::try_from(dice.below(12)).unwrap_or(0)));
        }
        _ => {}
    }
    silence
}
