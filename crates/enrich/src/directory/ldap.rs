//! People and lists from a directory server over LDAP: TLS, a name and a password, page by page.
//!
//! In: where the server is and whom to be there. Out: entries, with owners and managers as addresses where the directory has them. Asks
//! for the attributes that inetOrgPerson, groupOfNames and Active Directory have. Not: writing, other ways to log in, referrals to other servers.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ldap3::adapters::{Adapter, PagedResults};
use ldap3::asn1::{PL, StructureTag};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::timeout;

use super::csv::without_smtp;
use super::entries::{DirectoryLimits, Entries, Flaws, Group, Person, text};

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LdapTls {
    /// Plain at first, then TLS before anything is said (StartTLS).
    StartTls,
    /// TLS from the beginning (`ldaps://`).
    Ldaps,
    /// Not at all: for servers on the same machine.
    Clear,
}

/// Where a directory server is, and what to ask it for.
#[derive(Clone)]
pub struct LdapSettings {
    /// Host name or address, as in its certificate.
    pub host: String,
    /// Port; 389, or 636 for [`LdapTls::Ldaps`].
    pub port: u16,
    /// How the way is protected.
    pub tls: LdapTls,
    /// Certificates of authorities to trust, in PEM; none: those of the machine.
    pub authorities: Option<Vec<u8>>,
    /// Whom to be there; empty for anonymous.
    pub bind_dn: String,
    /// Its password.
    pub password: String,
    /// Where the directory begins: `dc=contoso,dc=example`.
    pub base: String,
    /// Which entries are people.
    pub people_filter: String,
    /// Which entries are lists.
    pub group_filter: String,
    /// Entries of one page. Active Directory gives 1,000 at most.
    pub page: u16,
    /// Time for one answer.
    pub answer_time: Duration,
    /// Time in all.
    pub time: Duration,
}

impl LdapSettings {
    /// The usual ones for a server and a base.
    #[must_use]
    pub fn new(host: &str, tls: LdapTls, base: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: if tls == LdapTls::Ldaps { 636 } else { 389 },
            tls,
            authorities: None,
            bind_dn: String::new(),
            password: String::new(),
            base: base.to_owned(),
            // No class that a server may not know stands behind a `!`: RFC 4511 §4.5.1.7 makes that “undefined”, and nobody would match.
            people_filter: String::from("(&(|(objectClass=inetOrgPerson)(objectClass=person))(mail=*))"),
            group_filter: String::from(
                "(&(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=extensibleObject))(mail=*)(!(objectClass=person)))",
            ),
            page: 500,
            answer_time: Duration::from_secs(30),
            time: Duration::from_mins(10),
        }
    }
}

impl fmt::Debug for LdapSettings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, bind_dn, base, .. } = self;
        let all = f
            .debug_struct("LdapSettings")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .finish_non_exhaustive();
        all.and_then(|()| write!(f, " as {bind_dn} at {base}"))
    }
}

/// Why a directory cannot be loaded.
#[derive(Debug, Error)]
pub enum LdapError {
    /// The certificates of authorities are none.
    #[error("the certificates to trust cannot be read: {0}")]
    Authorities(String),
    /// No way to the server.
    #[error("cannot connect to {server}: {why}")]
    Connect {
        /// Host and port.
        server: String,
        /// In the words of the library.
        why: String,
    },
    /// Not let in.
    #[error("the server did not accept {who}: {why}")]
    Bind {
        /// Whom.
        who: String,
        /// In the words of the server.
        why: String,
    },
    /// The question was refused, or went wrong half way.
    #[error("the search for {what} failed after {entries} entries: {why}")]
    Search {
        /// `people` or `lists`.
        what: &'static str,
        /// Entries that had come.
        entries: usize,
        /// In the words of the server or the library.
        why: String,
    },
    /// It took too long in all.
    #[error("the directory did not come within {} seconds", .0.as_secs())]
    Time(Duration),
    /// The answer was none that the library understands.
    #[error("the server sent something that is no LDAP")]
    Broken,
}

const PEOPLE: [&str; 14] = [
    "cn",
    "displayName",
    "givenName",
    "sn",
    "mail",
    "proxyAddresses",
    "mailAlternateAddress",
    "mailLocalAddress",
    "rfc822MailAlias",
    "department",
    "departmentNumber",
    "ou",
    "manager",
    "objectClass",
];

const GROUPS: [&str; 12] = [
    "cn",
    "displayName",
    "mail",
    "proxyAddresses",
    "mailAlternateAddress",
    "mailLocalAddress",
    "owner",
    "managedBy",
    "member",
    "uniqueMember",
    "rfc822MailMember",
    "objectClass",
];

/// Further addresses, of people and lists alike.
const ALIASES: [&str; 4] = ["proxyaddresses", "mailalternateaddress", "maillocaladdress", "rfc822mailalias"];

/// Loads the whole directory.
///
/// # Errors
/// It could not be loaded in full: half a directory would say of people that they are not there.
pub async fn load(settings: &LdapSettings, limits: &DirectoryLimits) -> Result<(Entries, Flaws), LdapError> {
    let (settings, limits) = (settings.clone(), *limits);
    let time = settings.time;
    // A task of its own: where the library stumbles over an answer, the task ends and nothing else.
    let mut task = tokio::spawn(async move { load_all(&settings, &limits).await });
    match timeout(time, &mut task).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(_)) => Err(LdapError::Broken),
        Err(_) => {
            task.abort();
            Err(LdapError::Time(time))
        }
    }
}

async fn load_all(settings: &LdapSettings, limits: &DirectoryLimits) -> Result<(Entries, Flaws), LdapError> {
    let mut ldap = connect(settings).await?;
    let mut flaws = Flaws::default();
    let people = search(&mut ldap, settings, "people", limits, &mut flaws).await?;
    let groups = search(&mut ldap, settings, "lists", limits, &mut flaws).await?;
    // The answers are all here: whether the server hears the farewell makes no difference.
    let _ = ldap.unbind().await;
    Ok((resolve(&people, &groups, limits), flaws))
}

async fn connect(settings: &LdapSettings) -> Result<Ldap, LdapError> {
    let scheme = if settings.tls == LdapTls::Ldaps { "ldaps" } else { "ldap" };
    let host = if settings.host.contains(':') { format!("[{}]", settings.host) } else { settings.host.clone() };
    let server = format!("{host}:{}", settings.port);
    let failed = |why: ldap3::LdapError| LdapError::Connect { server: server.clone(), why: why.to_string() };
    let mut options = LdapConnSettings::new().set_conn_timeout(settings.answer_time);
    if settings.tls != LdapTls::Clear {
        options = options.set_config(tls(settings)?).set_starttls(settings.tls == LdapTls::StartTls);
    }
    let (connection, mut ldap) =
        LdapConnAsync::with_settings(options, &format!("{scheme}://{server}")).await.map_err(failed)?;
    // Ends when the last handle is gone; what goes wrong there is said by whatever is asked next.
    tokio::spawn(async move { drop(connection.drive().await) });
    if settings.bind_dn.is_empty() {
        return Ok(ldap);
    }
    let refused = |why: String| LdapError::Bind { who: settings.bind_dn.clone(), why };
    ldap.with_timeout(settings.answer_time);
    let answer = ldap.simple_bind(&settings.bind_dn, &settings.password).await;
    answer.map_err(|error| refused(error.to_string()))?.success().map_err(|error| refused(error.to_string()))?;
    Ok(ldap)
}

fn tls(settings: &LdapSettings) -> Result<Arc<ClientConfig>, LdapError> {
    let bad = |why: String| LdapError::Authorities(why);
    let mut roots = RootCertStore::empty();
    match &settings.authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            }
        }
        None => {
            // Some of a machine's certificates may be odd; the others serve.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(bad(String::from("there are none; name a file with the certificate of your authority")));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| bad(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// One entry of the server: its name there, and its attributes in lower case.
#[derive(Debug, Default)]
struct Raw {
    dn: String,
    attributes: HashMap<String, Vec<String>>,
    members: u32,
}

async fn search(
    ldap: &mut Ldap,
    settings: &LdapSettings,
    what: &'static str,
    limits: &DirectoryLimits,
    flaws: &mut Flaws,
) -> Result<Vec<Raw>, LdapError> {
    let mut found = Vec::new();
    let failed = |entries: usize, why: ldap3::LdapError| LdapError::Search { what, entries, why: why.to_string() };
    let (filter, attributes) = if what == "people" {
        (settings.people_filter.as_str(), PEOPLE.to_vec())
    } else {
        (settings.group_filter.as_str(), GROUPS.to_vec())
    };
    let pages: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> = vec![Box::new(PagedResults::new(i32::from(settings.page)))];
    ldap.with_timeout(settings.answer_time);
    let stream = ldap.streaming_search_with(pages, &settings.base, Scope::Subtree, filter, attributes).await;
    let mut stream = stream.map_err(|error| failed(0, error))?;
    while let Some(entry) = stream.next().await.map_err(|error| failed(found.len(), error))? {
        if found.len() == limits.entries {
            flaws.add(|| format!("more than {} {what}: the rest is left out", limits.entries));
            return Ok(found);
        }
        // Referrals to other servers come in between; they are not followed.
        found.extend(raw(entry.0, limits));
    }
    stream.finish().await.success().map_err(|error| failed(found.len(), error))?;
    Ok(found)
}

/// An entry of an answer (RFC 4511 §4.5.2: `SearchResultEntry ::= [APPLICATION 4] SEQUENCE { objectName, attributes }`).
fn raw(tag: StructureTag, limits: &DirectoryLimits) -> Option<Raw> {
    let parts = |tag: StructureTag| if let PL::C(parts) = tag.payload { Some(parts) } else { None };
    let bytes = |tag: StructureTag| if let PL::P(bytes) = tag.payload { Some(bytes) } else { None };
    if tag.id != 4 {
        return None;
    }
    let mut entry = parts(tag)?.into_iter();
    let dn = String::from_utf8_lossy(&bytes(entry.next()?)?).into_owned();
    let mut raw = Raw { dn, ..Raw::default() };
    for attribute in parts(entry.next()?)? {
        let mut attribute = parts(attribute)?.into_iter();
        let name = String::from_utf8_lossy(&bytes(attribute.next()?)?).to_ascii_lowercase();
        // `displayName;lang-de`, `member;range=0-1499`
        let name = name.split(';').next().unwrap_or_default().to_owned();
        let values = parts(attribute.next()?)?;
        if ["member", "uniquemember", "rfc822mailmember"].contains(&name.as_str()) {
            raw.members = raw.members.saturating_add(u32::try_from(values.len()).unwrap_or(u32::MAX));
            continue;
        }
        let values = values.into_iter().take(limits.aliases.saturating_mul(4)).filter_map(bytes);
        // A name of a megabyte is cut before anybody looks at it; `text` cuts it to what is kept.
        let values =
            values.map(|value| String::from_utf8_lossy(value.get(..VALUE_BYTES_MAX).unwrap_or(&value)).into_owned());
        raw.attributes.entry(name).or_default().extend(values);
    }
    Some(raw)
}

/// Bytes of one value that are looked at: more than any name, address or place in a directory has.
const VALUE_BYTES_MAX: usize = 4_096;

impl Raw {
    fn first(&self, names: &[&str]) -> Option<String> {
        let values = names.iter().filter_map(|name| self.attributes.get(*name)?.first());
        values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
    }

    fn all(&self, names: &[&str]) -> impl Iterator<Item = &String> {
        names.iter().filter_map(|name| self.attributes.get(*name)).flatten()
    }

    fn name(&self) -> String {
        let parts = [self.first(&["givenname"]), self.first(&["sn"])];
        let both = || parts.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        self.first(&["displayname", "cn"]).unwrap_or_else(both)
    }

    fn aliases(&self) -> Vec<String> {
        let more = self.attributes.get("mail").into_iter().flatten().skip(1);
        let others = self.all(&ALIASES);
        // `proxyAddresses` holds fax numbers and old X.400 names too.
        let other_scheme = |value: &&String| without_smtp(value).contains('@') && !without_smtp(value).contains(':');
        more.chain(others).filter(other_scheme).map(|value| without_smtp(value).to_owned()).collect()
    }
}

/// Puts addresses where names of the directory stand.
fn resolve(people: &[Raw], groups: &[Raw], limits: &DirectoryLimits) -> Entries {
    let by_dn: HashMap<String, String> =
        people.iter().chain(groups).filter_map(|raw| Some((plain_dn(&raw.dn), raw.first(&["mail"])?))).collect();
    let who = |dn: &String| by_dn.get(&plain_dn(dn)).cloned().unwrap_or_else(|| text(&name_in(dn), limits));
    let person = |raw: &Raw| Person {
        name: raw.name(),
        mail: raw.first(&["mail"]).unwrap_or_default(),
        aliases: raw.aliases(),
        department: raw.first(&["department", "departmentnumber", "ou"]),
        manager: raw.first(&["manager"]).as_ref().map(who),
    };
    let group = |raw: &Raw| Group {
        name: raw.name(),
        mail: raw.first(&["mail"]).unwrap_or_default(),
        aliases: raw.aliases(),
        owners: raw.all(&["owner", "managedby"]).map(who).collect(),
        members: raw.members,
    };
    Entries { people: people.iter().map(person).collect(), groups: groups.iter().map(group).collect() }
}

/// A name in the directory, so that two ways of writing it are equal in practice: case and spaces around commas.
fn plain_dn(dn: &str) -> String {
    dn.split(',').map(|part| part.trim().to_lowercase()).collect::<Vec<_>>().join(",")
}

/// `cn=Ada Lovelace,ou=people,…` as `Ada Lovelace`: for those who are not in what was loaded.
fn name_in(dn: &str) -> String {
    let (_, value) = dn.split_once('=').unwrap_or(("", dn));
    let mut name = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => break,
            // RFC 4514 §2.4: special characters stand behind a backslash.
            '\\' => name.extend(chars.next()),
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_directory() {
        assert_eq!(name_in(r"cn=Lovelace\, Ada,ou=people,dc=x"), "Lovelace, Ada");
        assert_eq!(name_in("nothing of the kind"), "nothing of the kind");
        assert_eq!(name_in("cn="), "");
        assert_eq!(name_in("cn=x\\"), "x");
        assert_eq!(plain_dn("CN=Ada, OU=People,dc=x"), plain_dn("cn=ada,ou=people, DC=x"));
    }

    #[test]
    fn the_password_is_not_shown() {
        let mut settings = LdapSettings::new("ldap.example", LdapTls::StartTls, "dc=x");
        settings.password = String::from("topsecret");
        assert!(!format!("{settings:?}").contains("topsecret"));
    }

    #[test]
    fn odd_values_are_left_out() {
        let values = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let raw = Raw {
            attributes: HashMap::from([
                ("mail".to_owned(), values(&["a@x.example", "b@x.example"])),
                (
                    "proxyaddresses".to_owned(),
                    values(&[
                        "SMTP:a@x.example",
                        "smtp:c@x.example",
                        "X400:c=de;a= ;p=x",
                        "x500:/o=x/cn=a@b",
                        "sip:a@x.example",
                    ]),
                ),
            ]),
            ..Raw::default()
        };
        assert_eq!(raw.aliases(), ["b@x.example", "a@x.example", "c@x.example"]);
    }
}
