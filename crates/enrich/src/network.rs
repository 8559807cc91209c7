//! The network of an address: its number, organisation and country, from MMDB files that the operator has.
//!
//! In: paths of files in the layouts of IPinfo, MaxMind (GeoLite2, GeoIP2: ASN, ISP, Country, City) and DB-IP. Out: what they say
//! together about an address. A file may be missing, broken, or replaced at any time: whoever asks [`Networks::refresh`] now and then gets
//! the new one, and the old one stays until the new one can be read. Bundled is none.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use maxminddb::Reader;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::{printable, shorten};

/// How large a file may be, and how much of it is kept.
#[derive(Debug, Clone, Copy)]
pub struct NetworkLimits {
    /// Bytes of one file; it is held in memory. City files have 60 to 150 MB, the fullest ones some GB.
    pub file_bytes: u64,
    /// Characters of the name of an organisation.
    pub name_chars: usize,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self { file_bytes: 2 << 30, name_chars: 120 }
    }
}

/// The network that an address is in, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it.
    pub organisation: Option<String>,
    /// The domain of who runs it; IPinfo has it.
    pub domain: Option<String>,
    /// Country of the address, two letters (ISO 3166-1).
    pub country: Option<String>,
}

impl Network {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum NetworkFileError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Too large.
    #[error("has {found} bytes, {allowed} are allowed")]
    TooLarge {
        /// Bytes.
        found: u64,
        /// Bytes.
        allowed: u64,
    },
    /// Not an MMDB file, or a broken one.
    #[error("is no MMDB file, or not all of it: {0}")]
    Broken(String),
}

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says it is, such as `GeoLite2-ASN`; none while nothing of it could be read.
    pub kind: Option<String>,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub built: Option<i64>,
    /// Why the file that is there now cannot be used. An older one may be in use all the same.
    pub problem: Option<String>,
}

/// The files together.
#[derive(Debug)]
pub struct Networks {
    limits: NetworkLimits,
    files: RwLock<Vec<File>>,
}

#[derive(Clone)]
struct File {
    path: PathBuf,
    /// The file that was last looked at, whether it could be used or not.
    stamp: Option<Stamp>,
    reader: Option<Arc<Reader<Vec<u8>>>>,
    problem: Option<String>,
}

/// What tells one file from the next at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Networks {
    /// Opens files; those that cannot be used say so in [`Networks::files`] and are tried again by [`Networks::refresh`].
    #[must_use]
    pub fn open(paths: &[PathBuf], limits: NetworkLimits) -> Self {
        let file = |path: &PathBuf| File { path: path.clone(), stamp: None, reader: None, problem: None };
        let networks = Self { limits, files: RwLock::new(paths.iter().map(file).collect()) };
        networks.refresh();
        networks
    }

    /// Opens anew whatever changed on disk, and says whether anything did. Waits for the disk.
    pub fn refresh(&self) -> bool {
        let mut files = self.files.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut changed = false;
        for file in &mut files {
            changed |= file.refresh(self.limits);
        }
        if changed {
            // Only now do those who ask have to wait, for no longer than this takes.
            *self.files.write().unwrap_or_else(PoisonError::into_inner) = files;
        }
        changed
    }

    /// What is known of the files, in their order.
    #[must_use]
    pub fn files(&self) -> Vec<NetworkFile> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let about = |file: &File| {
            let metadata = file.reader.as_ref().map(|reader| reader.metadata());
            NetworkFile {
                path: file.path.clone(),
                kind: metadata.map(|metadata| shorten(&printable(&metadata.database_type), self.limits.name_chars)),
                built: metadata.and_then(|metadata| metadata.build_epoch.try_into().ok()),
                problem: file.problem.clone(),
            }
        };
        files.iter().map(about).collect()
    }

    /// What the files say about an address; none where they say nothing.
    ///
    /// Number and organisation come from the first file that has a number for it, the country from the first that has one. A record that
    /// cannot be read says nothing.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<Network> {
        let readers: Vec<_> = {
            let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
            files.iter().filter_map(|file| file.reader.clone()).collect()
        };
        let mut network = Network::default();
        for reader in readers {
            let Ok(found) = reader.lookup(address.to_canonical()) else { continue };
            let Ok(Some(record)) = found.decode::<Record>() else { continue };
            record.add_to(&mut network, self.limits.name_chars);
        }
        (!network.is_empty()).then_some(network)
    }
}

impl File {
    fn refresh(&mut self, limits: NetworkLimits) -> bool {
        let stamp = fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp == self.stamp {
            return false;
        }
        let before = self.problem.take();
        match read(&self.path, limits) {
            Ok((reader, stamp)) => {
                self.reader = Some(Arc::new(reader));
                self.stamp = Some(stamp);
                true
            }
            Err(error) => {
                // A file half written is complete the next time; until then the old one is better than none.
                self.stamp = None;
                self.problem = Some(error.to_string());
                self.problem != before
            }
        }
    }
}

fn read(path: &Path, limits: NetworkLimits) -> Result<(Reader<Vec<u8>>, Stamp), NetworkFileError> {
    // Size and content of one and the same file, also where it is being replaced.
    let mut file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let (found, allowed) = (metadata.len(), limits.file_bytes);
    if found > allowed {
        return Err(NetworkFileError::TooLarge { found, allowed });
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(&mut file, allowed), &mut bytes)?;
    let reader = Reader::from_source(bytes).map_err(|error| NetworkFileError::Broken(error.to_string()))?;
    Ok((reader, Stamp::of(&metadata)))
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readable = self.reader.is_some();
        f.debug_struct("File").field("path", &self.path).field("readable", &readable).finish_non_exhaustive()
    }
}

/// A record of any of the layouts; each field is there in some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    /// MaxMind, DB-IP.
    autonomous_system_number: Option<Asn>,
    autonomous_system_organization: Option<String>,
    /// IPinfo: `AS64500`.
    asn: Option<Asn>,
    as_name: Option<String>,
    as_domain: Option<String>,
    /// IPinfo, in files of networks alone.
    name: Option<String>,
    domain: Option<String>,
    /// MaxMind, DB-IP: a map with `iso_code`. IPinfo: two letters, or the name beside `country_code`.
    country: Option<Country>,
    country_code: Option<String>,
    /// MaxMind: where the network is registered, for addresses that are in no country in particular.
    registered_country: Option<Country>,
}

impl Record {
    fn add_to(self, network: &mut Network, chars: usize) {
        let fit = |text: String| {
            let text = shorten(printable(&text).trim(), chars);
            (!text.is_empty()).then_some(text)
        };
        let asn = self.autonomous_system_number.or(self.asn).filter(|asn| asn.0 != 0);
        if let (Some(asn), None) = (asn, network.asn) {
            network.asn = Some(asn.0);
            let name = self.autonomous_system_organization.or(self.as_name).or(self.name);
            network.organisation = name.and_then(fit);
            network.domain = self.as_domain.or(self.domain).and_then(fit);
        }
        if network.country.is_none() {
            let code = |country: Option<Country>| country.and_then(|country| country.0);
            let found = [self.country_code, code(self.country), code(self.registered_country)];
            let mut codes = found.into_iter().flatten().map(|text| text.to_ascii_uppercase());
            network.country = codes.find(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
        }
    }
}

/// The number of a network: `AS64500`, `64500` as text, or as a number.
#[derive(Debug, Clone, Copy)]
struct Asn(u32);

impl<'de> Deserialize<'de> for Asn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsnVisitor)
    }
}

struct AsnVisitor;

impl Visitor<'_> for AsnVisitor {
    type Value = Asn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of an autonomous system")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Asn, E> {
        // Where there is no network the text is empty.
        Ok(Asn(text.trim_start_matches(['A', 'S', 'a', 's']).parse().unwrap_or(0)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Asn, E> {
        u32::try_from(number).map(Asn).map_err(E::custom)
    }
}

/// A country: a map with `iso_code`, or text.
#[derive(Debug)]
struct Country(Option<String>);

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountryVisitor)
    }
}

struct CountryVisitor;

impl<'de> Visitor<'de> for CountryVisitor {
    type Value = Country;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a country")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Country, E> {
        Ok(Country(Some(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Country, A::Error> {
        let mut code = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "iso_code" {
                code = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Country(code))
    }
}
