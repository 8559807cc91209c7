//! DNS over the network, for the evaluators: [`dns::Lookup`] with a cache and a budget.
//!
//! | module | holds |
//! | --- | --- |
//! | `network` | questions to recursive resolvers, each by itself |
//! | `cache` | answers kept with what was parsed of them, failures too (RFC 9520) |
//! | `budget` | how much one message may ask, and how long it may take |
//!
//! In: names. Out: answers. The only room that opens DNS sockets. A recursive resolver nearby does the recursion and the validation;
//! what it says of DNSSEC is carried along.

mod budget;
mod cache;
mod network;

pub use budget::{Budget, BudgetLimits};
pub use cache::{Cache, CacheLimits, Counts};
pub use network::{Network, NetworkError, NetworkLimits};

/// What the product asks through: the network behind a cache.
pub type Resolver = Cache<Network>;
