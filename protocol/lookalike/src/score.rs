//! How much a look-alike deserves attention: from 0 to 100, with the parts it is made of.
//!
//! In: what is known of a candidate. Out: the parts that count, each with its points, and their sum, at most 100. What is not known does not
//! count, and [`Part::NotLookedUp`] says so for certificates and lists of domains, which nobody looks up for us.

/// From this score on, or when its state changes, a look-alike is reported.
pub const ALERT_SCORE: u8 = 60;

/// A name is young for so many days after it was first seen.
const YOUNG_DAYS: i32 = 90;

/// What is known of a candidate that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, looked up or not")]
pub struct Evidence {
    /// How alike it is, up to [`crate::SIMILARITY_MAX`].
    pub similarity: u8,
    /// Whether it takes mail: an MX that is not null (RFC 7505).
    pub mail: bool,
    /// Whether it has addresses: a web site, perhaps.
    pub web: bool,
    /// Whether it publishes SPF or DMARC: it means to send.
    pub policy: bool,
    /// Days since it was first seen to exist, where it was seen not to exist before; else nobody knows its age.
    pub age_days: Option<i32>,
    /// Whether a list says ill of it, where somebody has looked.
    pub listed: bool,
    /// Whether it was seen in our mail.
    pub seen: bool,
}

/// A part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It looks like ours.
    Similarity,
    /// It takes mail.
    Mail,
    /// It takes mail and has no web site: made for mail alone.
    MailOnly,
    /// It came into being a short while ago.
    Young,
    /// It publishes SPF or DMARC.
    Policy,
    /// A list has it.
    Listed,
    /// It was in our mail.
    Seen,
    /// Whether a certificate names it, and whether a list of domains has it, is not looked up and does not count.
    NotLookedUp,
}

impl Part {
    /// What it says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Similarity => "looks alike",
            Self::Mail => "takes mail",
            Self::MailOnly => "has mail and no web site",
            Self::Young => "is new",
            Self::Policy => "publishes SPF or DMARC",
            Self::Listed => "is on a blocking list",
            Self::Seen => "was seen in our mail",
            Self::NotLookedUp => "certificates and lists of domains are not looked up",
        }
    }
}

/// A score and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Up to 100.
    pub points: u8,
    /// The parts that count, and those that could not be looked at with no points.
    pub parts: Vec<(Part, u8)>,
}

/// The score of a candidate.
#[must_use]
pub fn score(evidence: &Evidence) -> Score {
    let young = evidence.age_days.is_some_and(|days| days < YOUNG_DAYS);
    let parts = [
        (Part::Similarity, true, evidence.similarity.min(crate::SIMILARITY_MAX)),
        (Part::Mail, evidence.mail, 20),
        (Part::MailOnly, evidence.mail && !evidence.web, 10),
        (Part::Young, young, 15),
        (Part::Policy, evidence.policy, 5),
        (Part::Listed, evidence.listed, 10),
        (Part::Seen, evidence.seen, 20),
        (Part::NotLookedUp, true, 0),
    ];
    let parts: Vec<(Part, u8)> =
        parts.into_iter().filter(|(_, holds, _)| *holds).map(|(part, _, n)| (part, n)).collect();
    Score { points: parts.iter().map(|(_, points)| points).sum::<u8>().min(100), parts }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Part, score};

    #[test]
    fn parts_add_up() {
        let none = Evidence::default();
        let all = Evidence {
            similarity: 40,
            mail: true,
            web: false,
            policy: true,
            age_days: Some(0),
            listed: true,
            seen: true,
        };
        for (evidence, points, why) in [
            (none, 0, "nothing is known"),
            (Evidence { similarity: 39, ..none }, 39, "it only looks alike"),
            (Evidence { similarity: 30, mail: true, web: true, ..none }, 50, "a company of that name"),
            (Evidence { similarity: 30, mail: true, ..none }, 60, "made for mail"),
            (Evidence { web: true, ..none }, 0, "a web site alone is nothing"),
            (Evidence { age_days: Some(89), ..none }, 15, "young"),
            (Evidence { age_days: Some(90), ..none }, 0, "not young any more"),
            (Evidence { similarity: 200, ..none }, 40, "no part is more than its share"),
            (all, 100, "no more than a hundred"),
        ] {
            let score = score(&evidence);
            assert_eq!(score.points, points, "{why}");
            assert!(score.parts.contains(&(Part::NotLookedUp, 0)), "what was not looked at is said");
        }
    }
}
