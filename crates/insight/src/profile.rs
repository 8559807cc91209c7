//! Who is behind a source, as it was learned: kept by the ledger, made by `enrich`, shown beside what reports say.
//!
//! In: addresses. Out: [`Profile`]s, flattened for pages and programs. Nothing is asked of anybody here.

use std::collections::HashMap;
use std::net::IpAddr;

use report::Day;
use schemars::JsonSchema;
use serde::Serialize;
use store::{Ledger, ProfileEntry};

use crate::Error;

/// Who is behind a source, as it was learned on a day.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Profile {
    /// Its name: one that leads back to the address.
    pub name: Option<String>,
    /// All names that lead back to it.
    pub names: Vec<String>,
    /// Names that its PTR records claim and that do not lead back to it: not its names.
    pub claimed: Vec<String>,
    /// What its names say where nothing else is known, `P0` (none) to `P4` (a known service); absent where the questions failed.
    pub name_grade: Option<String>,
    /// Why.
    pub name_reason: Option<String>,
    /// Number of its autonomous system.
    pub asn: Option<u32>,
    /// Who runs its network.
    pub organisation: Option<String>,
    /// Country of its network, two letters.
    pub country: Option<String>,
    /// Known mail services behind it, those that run it first.
    pub services: Vec<ServiceLine>,
    /// Reputation from −10 to +10; absent where there is no evidence, which is not 0.
    pub grade: Option<f64>,
    /// `good`, `neutral`, `suspicious` or `unknown`.
    pub band: String,
    /// Whether the band rests on evidence; otherwise on its names alone.
    pub graded: bool,
    /// What the grade rests on.
    pub evidence: Vec<EvidenceLine>,
    /// What could not be learned, and why.
    pub gaps: Vec<String>,
    /// When all this was learned.
    #[schemars(with = "String")]
    pub learned: Day,
}

/// A known mail service behind a source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ServiceLine {
    /// Its name.
    pub name: String,
    /// What it does: `mailbox_provider`, `marketing`, `transactional`, `saas`, `security_gateway`, `list_host`, …
    pub kind: String,
    /// Whether it runs the source; otherwise only messages came through it.
    pub operator: bool,
    /// What showed it: `host`, `mail_from` or `dkim`.
    pub by: String,
    /// The name or domain that did.
    pub found: String,
}

/// One piece of evidence.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EvidenceLine {
    /// Who says so: a list, or `local` for our own reports.
    pub source: String,
    /// From −10 to +10.
    pub value: f64,
    /// Whether nothing else may outweigh it.
    pub hard: bool,
    /// In words.
    pub detail: String,
    /// The day it was so.
    #[schemars(with = "String")]
    pub day: Day,
}

/// What the grade was on some day.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GradeLine {
    /// The day.
    #[schemars(with = "String")]
    pub learned: Day,
    /// The grade then.
    pub grade: Option<f64>,
    /// The band then.
    pub band: String,
}

/// The newest profile of each address that has one. One that cannot be read, of another version, counts as none.
pub(crate) fn profiles(ledger: &Ledger, addresses: &[IpAddr]) -> Result<HashMap<IpAddr, Profile>, Error> {
    let found = ledger.profiles(addresses)?;
    Ok(found.into_iter().filter_map(|(address, entry)| Some((address, read(&entry)?))).collect())
}

/// The newest profile of an address, and its grades over time, the newest first.
pub(crate) fn of(ledger: &Ledger, address: IpAddr) -> Result<(Option<Profile>, Vec<GradeLine>), Error> {
    let all: Vec<Profile> = ledger.profile_history(address)?.iter().filter_map(read).collect();
    let line = |p: &Profile| GradeLine { learned: p.learned, grade: p.grade, band: p.band.clone() };
    let grades = all.iter().map(line).collect();
    Ok((all.into_iter().next(), grades))
}

fn read(entry: &ProfileEntry) -> Option<Profile> {
    let profile: enrich::Profile = serde_json::from_str(&entry.profile).ok()?;
    let standing = profile.standing();
    let network = profile.network.unwrap_or_default();
    let kind = |kind: enrich::ServiceKind| word(&kind);
    Some(Profile {
        name: profile.names.confirmed.first().cloned(),
        names: profile.names.confirmed,
        claimed: profile.names.claimed,
        name_grade: profile.named.as_ref().map(|named| named.grade.code().to_owned()),
        name_reason: profile.named.map(|named| named.why),
        asn: network.asn,
        organisation: network.organisation,
        country: network.country,
        services: profile
            .services
            .into_iter()
            .map(|found| ServiceLine {
                operator: found.is_operator(),
                name: found.name,
                kind: kind(found.kind),
                by: word(&found.by),
                found: found.found,
            })
            .collect(),
        grade: profile.grade.map(|grade| f64::from(grade.in_tenths()) / 10.0),
        band: word(&standing.band),
        graded: standing.graded,
        evidence: profile
            .evidence
            .into_iter()
            .map(|one| EvidenceLine {
                source: one.source,
                value: f64::from(one.value.in_hundredths()) / 100.0,
                hard: one.hard,
                detail: one.detail,
                day: one.day,
            })
            .collect(),
        gaps: profile.gaps.into_iter().map(|gap| format!("{}: {}", gap.source, gap.why)).collect(),
        learned: profile.learned,
    })
}

/// The word that an enumeration is written as.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
