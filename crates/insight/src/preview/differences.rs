//! Where the records as they are and what reporters said do not agree, and why: what shows how far a preview may be believed.
//!
//! In: a cell and how it fares. Out: one [`Difference`], of which the first is that there is none. Told of the records *as they are*: a
//! replay that changes nothing must give what was reported.

use super::mailer::{Asked, Fares};
use crate::flows::{Cell, Own, Spf};

/// How replay and report agree about some messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The replay gives what the reporter said.
    Agrees,
    /// The reporter counted an aligned pass that its own results do not show.
    PassNotShown,
    /// SPF passed for the name in the greeting only, which the reporter did not count.
    GreetingOnly,
    /// Results show an aligned pass, and the reporter had none: most often another mode of alignment, or a record of then.
    PassNotCounted,
    /// It fails as replayed and as reported, and the receiver knew it as forwarded and did not do what was asked.
    Forwarded,
    /// It fails as replayed and as reported, and less was done than the record asks for now: it was another one then, or the receiver
    /// does not obey, or it was sampled out.
    DoneLess,
    /// It fails as replayed and as reported, and more was done than the record asks for.
    DoneMore,
    /// It passes and was quarantined or rejected all the same: for another reason than DMARC.
    PassStopped,
}

impl Difference {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Agrees,
        Self::PassNotShown,
        Self::GreetingOnly,
        Self::PassNotCounted,
        Self::Forwarded,
        Self::DoneLess,
        Self::DoneMore,
        Self::PassStopped,
    ];

    /// In a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Agrees => "the replay gives what was reported",
            Self::PassNotShown => {
                "the reporter counted an aligned pass that its own results do not show; taken as it says"
            }
            Self::GreetingOnly => {
                "SPF passed for the greeting alone, which the reporter did not count; taken as it says"
            }
            Self::PassNotCounted => {
                "the results show an aligned pass that the reporter did not count (another record or mode of alignment on \
                 that day, or a signature it did not trust); taken as it says"
            }
            Self::Forwarded => "fails as reported; the receiver knew it as forwarded and spared it",
            Self::DoneLess => {
                "fails as reported; less was done than the record asks for now (another record on that day, sampling, or a \
                 receiver that does not obey)"
            }
            Self::DoneMore => {
                "fails as reported; more was done than the record asks for (another record on that day, or local policy)"
            }
            Self::PassStopped => "passes as reported; stopped for another reason than DMARC",
        }
    }

    /// Whether pass or fail itself comes out otherwise.
    #[must_use]
    pub const fn is_about_the_verdict(self) -> bool {
        matches!(self, Self::PassNotShown | Self::GreetingOnly | Self::PassNotCounted)
    }
}

/// How replay and report agree about a cell. Of a cell with several dispositions the larger part counts.
pub(crate) fn difference(cell: &Cell, fares: Fares, asked: &Asked) -> Difference {
    match (fares.replayed, fares.reported) {
        (false, true) => return Difference::PassNotShown,
        (true, false) => {
            let by_greeting = cell.shape.own() != Own::Pass && cell.shape.spf() == Spf::Pass && cell.shape.bounce();
            return if by_greeting { Difference::GreetingOnly } else { Difference::PassNotCounted };
        }
        _ => {}
    }
    let was_stopped = cell.was_stopped();
    if fares.reported {
        return if was_stopped { Difference::PassStopped } else { Difference::Agrees };
    }
    match (asked.stopped >= 0.5, was_stopped) {
        (true, false) if cell.shape.says_forwarded() => Difference::Forwarded,
        (true, false) => Difference::DoneLess,
        (false, true) => Difference::DoneMore,
        _ => Difference::Agrees,
    }
}
