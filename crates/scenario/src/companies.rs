//! The model companies: which there are, and what all of them have.
//!
//! In: kind and seed. Out: a [`World`]. Halden Works is told in full by hand (`cast`, `estate`, `story`, `reporter`); the others are put
//! together from the seed.

mod access;
mod build;
mod halden;
mod hostile;
mod kinds;
mod later;
mod mediators;
mod own;
mod receivers;
mod units;
mod vendors;

use report::Text;

use crate::book::{Book, Cidr};
use crate::generate::Options;
use crate::records::Records;
use crate::traffic::World;

/// What is known of a company beside its domains and its mail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Company {
    pub(crate) name: Text,
    /// One sentence about it.
    pub(crate) about: Text,
    /// Address space of its own.
    pub(crate) networks: Vec<Cidr>,
    /// Domains whose SPF record needs more than ten look-ups, until a day of the story.
    pub(crate) over_limit: Vec<(Text, i32)>,
    /// SPF records that are broken or gone for some days.
    pub(crate) broken_spf: Vec<crate::incidents::BrokenSpf>,
    /// What was planted to go wrong.
    pub(crate) planted: Vec<crate::incidents::Planted>,
    pub(crate) book: Book,
    pub(crate) records: Records,
    pub(crate) events: Vec<(i32, Text)>,
    /// People in its directory, beside those who answer for something.
    pub(crate) people: usize,
}

/// Which company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Halden Works, a large manufacturer, told by hand.
    Halden,
    /// Forty people with one mailbox provider.
    Firm,
    /// A web shop with seasons.
    Shop,
    /// A university with departments, lists and forwarders.
    University,
    /// A bank: strict, and attacked.
    Bank,
    /// A group of companies.
    Group,
    /// One of these, as the seed has it; not Halden Works.
    Any,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Halden, Self::Firm, Self::Shop, Self::University, Self::Bank, Self::Group, Self::Any];

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Halden => "halden",
            Self::Firm => "firm",
            Self::Shop => "shop",
            Self::University => "university",
            Self::Bank => "bank",
            Self::Group => "group",
            Self::Any => "any",
        }
    }
}

/// There is no such company.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no company: {known} are known", known = Kind::ALL.map(Kind::word).join(", "))]
pub struct NoSuchCompany(String);

impl std::str::FromStr for Kind {
    type Err = NoSuchCompany;

    fn from_str(text: &str) -> Result<Self, NoSuchCompany> {
        Self::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| NoSuchCompany(text.to_owned()))
    }
}

/// The world of one company.
pub(crate) fn world(options: &Options) -> World {
    let (seed, scale) = (options.seed, options.scale);
    let mut world = match options.company {
        Kind::Halden => halden::world(seed, scale),
        Kind::Any => {
            let kinds = [Kind::Firm, Kind::Shop, Kind::University, Kind::Bank, Kind::Group];
            kinds::world(kinds[usize::try_from(seed % 5).unwrap_or(0)], seed, scale)
        }
        kind => kinds::world(kind, seed, scale),
    };
    // Nobody knows yet of what comes after the last day.
    world.flows.retain(|flow| options.company == Kind::Halden || flow.volume.begins_before(options.days.into()));
    if options.incidents {
        crate::incidents::plant(&mut world, options.days.into());
    }
    let company = &mut world.company;
    company.records.derive(&world.estate, &world.flows, &company.book);
    world
}
