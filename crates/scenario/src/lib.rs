//! The model company: DMARC aggregate reports about the mail of an invented enterprise, with the truth about every message beside them.
//!
//! | module | holds |
//! | --- | --- |
//! | `story` | the days on which something happens |
//! | `estate` | the company's domains and their DMARC records over time |
//! | `cast` | everybody who sends in its name: [`Class`], addresses, authentication |
//! | `reporter`, `habit` | those who report, and how sloppily |
//! | `volume`, `traffic`, `judge` | how much is sent on a day, to whom, and what receivers make of it |
//! | `post`, `container` | rows → reports → files |
//! | `truth`, `company` | what is written beside the reports |
//! | [`load`] | rows in bulk, for load tests |
//! | `random`, `address` | randomness that is the same everywhere, and the address plan |
//!
//! Who plays which part is told in `docs/concepts/scenario.md`.

mod address;
mod cast;
mod company;
mod container;
mod estate;
mod flow;
mod generate;
mod habit;
mod judge;
pub mod load;
mod post;
mod random;
mod reporter;
mod story;
mod traffic;
mod truth;
mod volume;

pub use flow::Class;
pub use generate::{Error, Options, Summary, generate};
