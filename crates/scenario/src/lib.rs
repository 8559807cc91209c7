//! The model company: DMARC aggregate reports about the mail of an invented enterprise, with the truth about every message beside them.
//!
//! | module | holds |
//! | --- | --- |
//! | `story` | the days on which something happens at Halden Works |
//! | `estate` | a company's domains and their DMARC records over time |
//! | `cast` | everybody who sends in the name of Halden Works: [`Class`], addresses, authentication |
//! | `companies` | the companies there are; those that are put together from a seed |
//! | `reporter`, `habit` | those who report, and how sloppily |
//! | `volume`, `traffic`, `judge` | how much is sent on a day, to whom, and what receivers make of it |
//! | `post`, `container` | rows → reports → files |
//! | `book`, `records` | what anybody can look up: names and networks of addresses, DNS over time |
//! | `zones`, `networks`, `directory`, `settings` | the same as files |
//! | `truth`, `cells`, `company` | what is written beside the reports |
//! | `incidents` | what goes wrong, and when |
//! | [`score`] | answers beside the truth |
//! | `failure` | failure reports of two of those who report |
//! | [`mmdb`] | files that say whose networks are |
//! | [`load`] | rows in bulk, for load tests |
//! | `random`, `address` | randomness that is the same everywhere, and the address plan |
//!
//! Who plays which part is told in `docs/concepts/scenario.md`.

mod address;
mod book;
mod cast;
mod cells;
mod companies;
mod company;
mod container;
mod directory;
mod estate;
mod failure;
mod flow;
mod generate;
mod habit;
mod incidents;
mod judge;
pub mod load;
pub mod mmdb;
mod networks;
mod post;
mod random;
mod records;
mod reporter;
pub mod score;
mod settings;
mod story;
mod traffic;
mod truth;
mod volume;
mod zones;

pub use cells::{Behind, Cell};
pub use companies::{Kind, NoSuchCompany};
pub use flow::Class;
pub use generate::{Error, Options, Summary, generate};
pub use incidents::{Incident, IncidentKind};
pub use score::truth_cells;
