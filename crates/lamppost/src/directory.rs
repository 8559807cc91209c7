//! The directory: from settings to people and lists in memory, loaded in the background and asked at any time.
//!
//! In: `[directory]`, its files and servers. Out: an index that is asked without waiting, and how loading it went. A directory is loaded as
//! a whole or not at all; while it cannot be, the one before stays.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use collect::Secret;
use enrich::directory::{
    Directory, DirectoryLimits, Entries, Flaws, LdapSettings, LdapTls, load as ask_server, read_groups, read_people,
};
use insight::OwnerAnswer;
use portal::program::{DirectoryState, Mishap};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[directory]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// CSV files of people: name, mail, aliases, department, manager.
    pub(crate) people: Vec<PathBuf>,
    /// CSV files of distribution lists: name, mail, aliases, owners, members.
    pub(crate) lists: Vec<PathBuf>,
    /// Hours after which the directory is loaded anew.
    pub(crate) refresh_hours: u16,
    /// Directory servers.
    pub(crate) ldap: Vec<ServerSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { people: Vec::new(), lists: Vec::new(), refresh_hours: 24, ldap: Vec::new() }
    }
}

/// `[[directory.ldap]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerSettings {
    /// Where the server is: `ldaps://` and its name, or `ldap://`, which begins TLS before anything is said. With a port or without.
    pub(crate) url: String,
    /// Whether `ldap://` begins TLS. Without it the way is not protected: to this machine only.
    pub(crate) starttls: bool,
    /// A file with the authorities to trust (PEM), instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Whom to be there; empty for anonymous.
    pub(crate) bind_dn: String,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<Secret>,
    /// Where in the directory to look, such as dc=example,dc=com; each is searched with all that is below it.
    pub(crate) bases: Vec<String>,
    /// Which entries are people, if not those of the usual classes with an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) people_filter: Option<String>,
    /// Which entries are lists, if not those of the usual classes with an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lists_filter: Option<String>,
    /// Entries asked for at a time. Active Directory gives 1,000 at most.
    pub(crate) page_size: u16,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            starttls: true,
            ca: None,
            bind_dn: String::new(),
            password: None,
            bases: Vec::new(),
            people_filter: None,
            lists_filter: None,
            page_size: 500,
        }
    }
}

impl Settings {
    /// Whether there is nothing to load.
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.lists.is_empty() && self.ldap.is_empty()
    }

    /// Whether everything is as it must be, as far as that can be seen without loading.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.refresh_hours == 0 {
            bail!("directory.refresh_hours is 0, which would load it without end: leave it out for 24");
        }
        for server in &self.ldap {
            server.place().with_context(|| format!("[[directory.ldap]] {:?}", server.url))?;
            let wrong = |what: &str| bail!("[[directory.ldap]] {:?}: {what}", server.url);
            if server.bases.is_empty() || server.bases.iter().any(String::is_empty) {
                return wrong("it needs `bases`: where in the directory to look, such as [\"dc=example,dc=com\"]");
            }
            if server.page_size == 0 {
                return wrong("a `page_size` of 0 would ask for nothing: leave it out for 500");
            }
            if server.password.is_some() == server.bind_dn.is_empty() {
                return wrong("`bind_dn` and `password` go together; without both the server is asked as nobody");
            }
        }
        Ok(())
    }

    /// Where everything comes from, for people.
    fn from(&self) -> Vec<String> {
        let files = self.people.iter().chain(&self.lists).map(|path| path.display().to_string());
        let bases = |server: &ServerSettings| format!("{}: {}", server.url, server.bases.join("; "));
        files.chain(self.ldap.iter().map(bases)).collect()
    }
}

impl ServerSettings {
    /// Host, port and how the way there is protected.
    fn place(&self) -> anyhow::Result<(String, u16, LdapTls)> {
        let (rest, tls) = match (self.url.split_once("://"), self.starttls) {
            (Some(("ldaps", rest)), _) => (rest, LdapTls::Ldaps),
            (Some(("ldap", rest)), true) => (rest, LdapTls::StartTls),
            (Some(("ldap", rest)), false) => (rest, LdapTls::Clear),
            _ => bail!("`url` is ldaps:// or ldap:// and the name of the server, such as ldaps://dc.example.com"),
        };
        let rest = rest.trim_end_matches('/');
        let usual = if tls == LdapTls::Ldaps { 636 } else { 389 };
        // An IPv6 address stands in brackets, and has colons of its own.
        let (host, port) = match rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, port.parse().context("what follows the last colon of `url` is no port")?),
            None => (rest, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '?', '@', ' ']) {
            bail!(
                "`url` names no server: no more than a scheme, a name and a port, such as ldaps://dc.example.com:636"
            );
        }
        let own = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        if tls == LdapTls::Clear && !own {
            bail!("without TLS only this machine may be asked: take ldaps://, or leave out `starttls = false`");
        }
        Ok((host.to_owned(), port, tls))
    }

    /// As the room that asks servers wants it, for one base. Reads the password.
    fn settings(&self, base: &str) -> anyhow::Result<LdapSettings> {
        let (host, port, tls) = self.place()?;
        let usual = LdapSettings::new(&host, tls, base);
        let authorities = self.ca.as_ref().map(|path| {
            std::fs::read(path).with_context(|| format!("the authorities in {} cannot be read", path.display()))
        });
        Ok(LdapSettings {
            port,
            authorities: authorities.transpose()?,
            bind_dn: self.bind_dn.clone(),
            password: self
                .password
                .as_ref()
                .map(Secret::read)
                .transpose()
                .map_err(anyhow::Error::msg)?
                .unwrap_or_default(),
            people_filter: self.people_filter.clone().unwrap_or(usual.people_filter.clone()),
            group_filter: self.lists_filter.clone().unwrap_or(usual.group_filter.clone()),
            page: self.page_size,
            ..usual
        })
    }
}

/// Loads everything, or says why it cannot be.
pub(crate) async fn load(settings: &Settings) -> anyhow::Result<(Directory, Flaws)> {
    let limits = DirectoryLimits::default();
    let files = settings.clone();
    // Files may be large and disks slow: nobody else waits for them.
    let (mut entries, mut flaws) = tokio::task::spawn_blocking(move || from_files(&files, &limits)).await??;
    for server in &settings.ldap {
        for base in &server.bases {
            let settings = server.settings(base).with_context(|| format!("[[directory.ldap]] {:?}", server.url))?;
            let loaded = ask_server(&settings, &limits).await.with_context(|| format!("{} ({base})", server.url))?;
            add(&mut entries, &mut flaws, loaded);
        }
    }
    let (directory, odd) = tokio::task::spawn_blocking(move || Directory::new(entries, limits)).await?;
    flaws.total += odd.total;
    flaws.first.extend(odd.first);
    flaws.first.truncate(FLAWS_SHOWN);
    Ok((directory, flaws))
}

/// What the files have.
fn from_files(settings: &Settings, limits: &DirectoryLimits) -> anyhow::Result<(Entries, Flaws)> {
    let (mut entries, mut flaws) = (Entries::default(), Flaws::default());
    for path in &settings.people {
        let found = read_people(&read(path, *limits)?, limits);
        let found = found.with_context(|| format!("in the people of {}", path.display()))?;
        add(&mut entries, &mut flaws, found);
    }
    for path in &settings.lists {
        let found = read_groups(&read(path, *limits)?, limits);
        let found = found.with_context(|| format!("in the lists of {}", path.display()))?;
        add(&mut entries, &mut flaws, found);
    }
    Ok((entries, flaws))
}

fn add(entries: &mut Entries, flaws: &mut Flaws, (part, odd): (Entries, Flaws)) {
    entries.extend(part);
    flaws.total += odd.total;
    flaws.first.extend(odd.first);
}

/// Flaws that are told in words.
const FLAWS_SHOWN: usize = 10;

/// A file, unless it is far too large to be one.
fn read(path: &Path, limits: DirectoryLimits) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("the directory in {} cannot be read", path.display());
    let size = std::fs::metadata(path).with_context(cannot)?.len();
    if size > limits.file_bytes as u64 {
        bail!("{} has {size} bytes, {} are allowed: is it a list of people?", path.display(), limits.file_bytes);
    }
    std::fs::read(path).with_context(cannot)
}

/// The directory as it is at the moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(Arc<RwLock<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    directory: Option<Arc<Directory>>,
    state: DirectoryState,
}

impl Held {
    pub(crate) fn new(settings: &Settings) -> Self {
        let held = Self::default();
        held.write(|inside| inside.state.from = settings.from());
        held
    }

    fn write(&self, change: impl FnOnce(&mut Inside)) {
        // Every change is complete before anything can panic.
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// For the portal: how it is loaded, and the way to ask it.
    pub(crate) fn told(&self) -> portal::program::Directory {
        let (asked, held) = (self.clone(), self.clone());
        let state = move || held.0.read().unwrap_or_else(PoisonError::into_inner).state.clone();
        portal::program::Directory { state: Arc::new(state), find: Arc::new(move |text| asked.find(text)) }
    }

    fn find(&self, asked: &str) -> Option<OwnerAnswer> {
        // Asking takes a while, and loading must not wait for it.
        let directory = self.0.read().unwrap_or_else(PoisonError::into_inner).directory.clone();
        directory.map(|directory| insight::owners(&directory, asked))
    }

    fn take(&self, loaded: anyhow::Result<(Directory, Flaws)>, now: i64) {
        match loaded {
            Ok((directory, flaws)) => self.write(|inside| {
                inside.state.entries = directory.len() as u64;
                inside.state.loaded = Some(now);
                inside.state.problem = None;
                inside.state.flaws = flaws.total as u64;
                inside.state.first_flaws = flaws.first;
                inside.state.loading = false;
                inside.directory = Some(Arc::new(directory));
            }),
            Err(error) => {
                let message = format!("{error:#}");
                tracing::warn!("the directory cannot be loaded: {message}");
                self.write(|inside| {
                    inside.state.problem = Some(Mishap { at: now, message });
                    inside.state.loading = false;
                });
            }
        }
    }
}

/// After a failure: a server that was away for a moment is asked again before anybody misses it.
const RETRY: Duration = Duration::from_mins(5);

/// Loads the directory again and again as long as the program runs.
pub(crate) async fn keep_loaded(held: Held, settings: Settings) {
    if settings.is_empty() {
        return std::future::pending().await;
    }
    let rest = Duration::from_hours(u64::from(settings.refresh_hours));
    loop {
        held.write(|inside| inside.state.loading = true);
        let loaded = load(&settings).await;
        let pause = if loaded.is_ok() { rest } else { RETRY.min(rest) };
        held.take(loaded, jiff::Timestamp::now().as_second());
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, starttls: bool) -> ServerSettings {
        ServerSettings { url: url.to_owned(), starttls, bases: vec!["dc=x".to_owned()], ..ServerSettings::default() }
    }

    #[test]
    fn addresses_of_servers() {
        let cases = [
            ("ldaps://dc.example.com", true, Some(("dc.example.com", 636, LdapTls::Ldaps))),
            ("ldaps://dc.example.com:3269/", true, Some(("dc.example.com", 3269, LdapTls::Ldaps))),
            ("ldap://dc.example.com", true, Some(("dc.example.com", 389, LdapTls::StartTls))),
            ("ldap://127.0.0.1:1389", false, Some(("127.0.0.1", 1389, LdapTls::Clear))),
            ("ldap://[::1]", false, Some(("::1", 389, LdapTls::Clear))),
            ("ldaps://[2001:db8::1]:636", true, Some(("2001:db8::1", 636, LdapTls::Ldaps))),
            ("ldap://dc.example.com", false, None),
            ("ldaps://", true, None),
            ("dc.example.com", true, None),
            ("http://dc.example.com", true, None),
            ("ldaps://user@dc.example.com", true, None),
            ("ldaps://dc.example.com/dc=x", true, None),
            ("ldaps://dc.example.com:port", true, None),
        ];
        for (url, starttls, expected) in cases {
            let found = server(url, starttls).place().ok();
            let found = found.as_ref().map(|(host, port, tls)| (host.as_str(), *port, *tls));
            assert_eq!(found, expected, "{url} {starttls}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let of = |server| Settings { ldap: vec![server], ..Settings::default() };
        let good = || server("ldaps://dc.example.com", true);
        let cases = [
            (of(ServerSettings { bases: Vec::new(), ..good() }), "`bases`"),
            (of(ServerSettings { page_size: 0, ..good() }), "`page_size`"),
            (of(ServerSettings { bind_dn: "cn=x".to_owned(), ..good() }), "go together"),
            (of(server("dc", true)), "`url`"),
            (Settings { refresh_hours: 0, ..Settings::default() }, "refresh_hours"),
        ];
        for (settings, expected) in cases {
            let message = format!("{:#}", settings.check().unwrap_err());
            assert!(message.contains(expected), "{expected}: {message}");
        }
        of(good()).check().unwrap();
    }

    #[tokio::test]
    async fn what_was_loaded_stays_while_nothing_newer_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        std::fs::write(&path, "name,mail\nAda Lovelace,ada@contoso.example\nNobody,\n").unwrap();
        let settings = Settings { people: vec![path.clone()], ..Settings::default() };
        let held = Held::new(&settings);
        let told = held.told();
        assert_eq!((told.find)("ada"), None, "nothing is loaded yet");
        held.take(load(&settings).await, 1);
        assert!((told.find)("ada@contoso.example").unwrap().exact);
        let state = (told.state)();
        assert_eq!(
            (state.entries, state.loaded, state.flaws, state.problem),
            (1, Some(1), 1, None),
            "one has no address"
        );
        std::fs::remove_file(&path).unwrap();
        held.take(load(&settings).await, 2);
        let state = (told.state)();
        assert_eq!((state.entries, state.loaded), (1, Some(1)));
        assert!(state.problem.unwrap().message.contains("people.csv"));
        assert!((told.find)("ada@contoso.example").unwrap().exact, "the one before still answers");
    }
}
