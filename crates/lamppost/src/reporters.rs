//! Whose reports are believed: from settings to a judge of the mail they come in.
//!
//! In: `[reporter]`, DNS. Out: a [`Judge`]. The keys and records of a handful of large reporters are asked for once and kept, so that
//! most mails are judged without a question.

use std::sync::Arc;

use collect::{Judge, Session, Standing};
use resolver::{Budget, BudgetLimits, Cache, CacheLimits, Network, NetworkLimits, Resolver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

/// `[reporter]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Whether reports that come by mail count only if DMARC passes for the mail. Without it anybody can report anything.
    pub(crate) authenticate: bool,
    /// Hosts whose Authentication-Results are believed, as their names stand first in them. Name only hosts that remove such fields
    /// from mail that comes with them. Mail without such a field is judged by DKIM, and by SPF where it was handed to us.
    pub(crate) trusted_hosts: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { authenticate: true, trusted_hosts: Vec::new() }
    }
}

/// Through what the judge asks; nothing where every mail is believed.
pub(crate) fn resolver(settings: &Settings) -> anyhow::Result<Option<Arc<Resolver>>> {
    if !settings.authenticate {
        return Ok(None);
    }
    Ok(Some(Arc::new(Cache::new(Network::system(NetworkLimits::default())?, CacheLimits::default()))))
}

/// Makes the judge. To be called inside of a tokio runtime.
pub(crate) fn judge(settings: &Settings, resolver: Option<&Arc<Resolver>>) -> Arc<dyn Judge> {
    let Some(resolver) = resolver else { return Arc::new(Trusting) };
    let (resolver, trusted) = (Arc::clone(resolver), settings.trusted_hosts.clone());
    Arc::new(Evaluating { resolver, trusted, runtime: Handle::current() })
}

/// Believes every mail: what the operator asked for.
#[derive(Debug)]
struct Trusting;

impl Judge for Trusting {
    fn judge(&self, _: &[u8], _: &Session) -> Standing {
        Standing::Vouched
    }
}

/// Evaluates every mail.
#[derive(Debug)]
struct Evaluating {
    resolver: Arc<Resolver>,
    trusted: Vec<String>,
    runtime: Handle,
}

impl Judge for Evaluating {
    fn judge(&self, mail: &[u8], session: &Session) -> Standing {
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let dns = Budget::new(&*self.resolver, BudgetLimits::default());
        self.runtime.block_on(Box::pin(collect::standing(mail, session, &self.trusted, &dns, now)))
    }
}
