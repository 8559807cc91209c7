//! Where the evaluators' DNS answers come from: zone files, named resolvers, or those of this machine.

use std::path::Path;

use anyhow::Context;
use dns::{Lookup, Name, RecordType, Response, Zone};
use resolver::{Budget, BudgetLimits, Cache, CacheLimits, Network, NetworkLimits, Resolver};

use crate::cli::DnsArgs;

/// A source of answers.
pub(super) enum Dns {
    /// Only what is in the files.
    Zone(Zone),
    /// The network, within the budget of one message or one domain.
    Network(Box<Resolver>),
}

impl Lookup for Dns {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        match self {
            Self::Zone(zone) => zone.lookup(name, kind).await,
            Self::Network(resolver) => resolver.lookup(name, kind).await,
        }
    }
}

/// A source of answers with the budget of one message, or one domain.
pub(super) type Asking<'a> = Budget<&'a Dns>;

/// Runs something that asks DNS about one message or one client.
pub(super) fn with<T>(args: &DnsArgs, work: impl AsyncFnOnce(&Asking<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    inside(args, async |dns| work(&asking(dns)).await)
}

/// Runs something that asks DNS; the source is made where the network can be used, and once.
pub(super) fn inside<T>(args: &DnsArgs, work: impl AsyncFnOnce(&Dns) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async { work(&source(args)?).await })
}

/// A fresh budget.
pub(super) fn asking(dns: &Dns) -> Asking<'_> {
    Budget::new(dns, BudgetLimits::default())
}

/// A source of answers; to be made where the network can be used.
pub(super) fn source(args: &DnsArgs) -> anyhow::Result<Dns> {
    if args.zone.is_empty() {
        let network = match args.resolver.as_slice() {
            [] => Network::system(NetworkLimits::default())?,
            servers => Network::servers(servers, NetworkLimits::default())?,
        };
        return Ok(Dns::Network(Box::new(Cache::new(network, CacheLimits::default()))));
    }
    let mut zone = Zone::new();
    for file in &args.zone {
        read(&mut zone, file)?;
    }
    Ok(Dns::Zone(zone))
}

pub(super) fn read(zone: &mut Zone, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the zone {}", file.display()))?;
    zone.read(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
}
