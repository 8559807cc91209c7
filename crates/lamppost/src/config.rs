//! The configuration file: TOML, every key optional, unknown keys refused with their place.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use collect::sources::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{alerting, directory, enrichment, lookalikes, organisation, reporters, watching};

/// Read when `--config` is not given and it is there.
const DEFAULT_FILE: &str = "lamppost.toml";
const DEFAULT_DATA: &str = "lamppost-data";
/// The portal's port when nothing else is said.
pub(crate) const DEFAULT_PORT: u16 = 8425;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Directory that holds the ledger; relative to where the program is started.
    pub(crate) data: PathBuf,
    /// The portal.
    pub(crate) portal: Portal,
    /// How long things are kept.
    pub(crate) retention: Retention,
    /// Where reports arrive by themselves; each kind may be there many times over.
    #[serde(skip_serializing_if = "Settings::is_empty")]
    pub(crate) source: Settings,
    /// What belongs to us: domains and address space.
    pub(crate) organisation: organisation::Settings,
    /// Whose reports are believed.
    pub(crate) reporter: reporters::Settings,
    /// Who is behind sources.
    pub(crate) enrichment: enrichment::Settings,
    /// What our domains publish in DNS, looked at again and again.
    pub(crate) watch: watching::Settings,
    /// Names that could be taken for ours.
    pub(crate) lookalikes: lookalikes::Settings,
    /// Who is behind a local part: people and distribution lists, from files and from directory servers.
    pub(crate) directory: directory::Settings,
    /// What is needed before a policy is tightened.
    pub(crate) readiness: insight::ReadinessThresholds,
    /// What is worth an alert, and who is told.
    pub(crate) alerts: alerting::Settings,
}

/// `[portal]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Portal {
    /// Address and port; loopback only until there are user accounts.
    pub(crate) listen: SocketAddr,
}

/// `[retention]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Days of rows to keep, counted back from the newest day; without it everything is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) days: Option<u16>,
    /// Days for which samples from failure reports are kept, counted from when each was received; 0 keeps them for good.
    pub(crate) samples_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: None, samples_days: 30 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from(DEFAULT_DATA),
            portal: Portal::default(),
            retention: Retention::default(),
            source: Settings::default(),
            organisation: organisation::Settings::default(),
            reporter: reporters::Settings::default(),
            enrichment: enrichment::Settings::default(),
            watch: watching::Settings::default(),
            lookalikes: lookalikes::Settings::default(),
            directory: directory::Settings::default(),
            readiness: insight::ReadinessThresholds::default(),
            alerts: alerting::Settings::default(),
        }
    }
}

impl Default for Portal {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)) }
    }
}

/// Where the configuration in force came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The file, if one was read.
    pub(crate) file: Option<PathBuf>,
    /// What is in force.
    pub(crate) config: Config,
}

/// Reads the file named, or the default one if it is there; `--data` wins over the file.
pub(crate) fn load(file: Option<&Path>, data: Option<&Path>) -> anyhow::Result<Loaded> {
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.is_file()),
    };
    let mut config = match &file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the configuration file {} cannot be read", file.display()))?;
            parse(&text).with_context(|| format!("in the configuration file {}", file.display()))?
        }
        None => Config::default(),
    };
    if let Some(data) = data {
        data.clone_into(&mut config.data);
    }
    Ok(Loaded { file, config })
}

fn parse(text: &str) -> anyhow::Result<Config> {
    let config: Config = toml::from_str(text)?;
    check_listen(config.portal.listen)?;
    config.source.check()?;
    config.directory.check()?;
    config.lookalikes.check()?;
    config.alerts.check()?;
    config.organisation.declared()?;
    if config.retention.days == Some(0) {
        bail!("retention.days is 0, which would keep nothing: leave it out to keep everything, or give at least 1");
    }
    Ok(config)
}

/// The portal has no user accounts yet, so it must not be reachable from elsewhere.
pub(crate) fn check_listen(listen: SocketAddr) -> anyhow::Result<()> {
    if !listen.ip().is_loopback() {
        bail!(
            "the portal would listen on {listen}, which others can reach; it has no user accounts yet, so only loopback \
             addresses are allowed: use 127.0.0.1:{} and a tunnel",
            listen.port()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_read_back_as_they_are_printed() {
        let printed = toml::to_string(&Config::default()).unwrap();
        assert_eq!(parse(&printed).unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_refused_with_their_place() {
        let cases = [
            ("unknown key", "[portal]\nlisten = \"127.0.0.1:1\"\nlissten = 1\n", "unknown field `lissten`"),
            ("unknown table", "[portall]\n", "unknown field `portall`"),
            ("no address", "[portal]\nlisten = \"everywhere\"\n", "invalid socket address"),
            ("reachable from elsewhere", "[portal]\nlisten = \"0.0.0.0:80\"\n", "only loopback"),
            ("keeps nothing", "[retention]\ndays = 0\n", "keep nothing"),
            ("no network", "[organisation]\nnetworks = [\"10.0.0/8\"]\n", "is no network"),
            ("a source without a name", "[[source.folder]]\npath = \"in\"\n", "it needs a `name`"),
            (
                "two of one name",
                "[[source.folder]]\nname=\"a\"\npath=\"b\"\n[[source.folder]]\nname=\"a\"\npath=\"c\"\n",
                "same name",
            ),
            ("nobody to take mail for", "[[source.smtp]]\nname=\"a\"\nlisten=\"127.0.0.1:0\"\n", "`recipients`"),
            ("a key of a source", "[[source.folder]]\nname=\"a\"\npth=\"b\"\n", "unknown field `pth`"),
            ("a server without a base", "[[directory.ldap]]\nurl = \"ldaps://dc.example.com\"\n", "`bases`"),
            ("no TOML", "data = \n", "line 1"),
        ];
        for (why, text, expected) in cases {
            let message = format!("{:#}", parse(text).unwrap_err());
            assert!(message.contains(expected), "{why}: {message}");
        }
    }
}
