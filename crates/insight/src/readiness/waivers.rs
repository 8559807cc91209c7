//! Waivers: a gate that does not pass, and somebody who answers for going on all the same, until a day. Added one after the other, never
//! changed; taken back by another one.

use std::collections::HashSet;

use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Ledger;

use crate::Error;
use crate::preview::wrong;

/// Longest note and owner, in bytes: a sentence or two.
const TEXT_MAX: usize = 2_000;
/// The gates that there are.
pub(crate) const GATES: [&str; 11] = ["G0", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10"];

/// A waiver to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWaiver {
    /// The gate, `G0` to `G10`.
    pub gate: String,
    /// The domain it is for.
    pub domain: String,
    /// Who answers for it; `None` takes back the waiver in force.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Day>,
    /// Why.
    pub note: Option<String>,
}

/// A waiver as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiver {
    /// Its number.
    pub id: u64,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// The gate.
    pub gate: String,
    /// The domain it is for.
    pub domain: String,
    /// Who answers for it; absent where it took back the one before.
    pub owner: Option<String>,
    /// The last day on which it holds.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Day>,
    /// Why.
    pub note: Option<String>,
    /// Whether it holds: it is the newest about its gate and domain, took nothing back, and has not expired.
    pub in_force: bool,
}

/// Gives a waiver, or takes one back, and gives its number.
///
/// # Errors
/// [`Error::WhatIf`] if it makes no sense, and when the ledger cannot be written.
pub fn waive(ledger: &Ledger, new: &NewWaiver, at: i64) -> Result<u64, Error> {
    if !GATES.contains(&new.gate.as_str()) {
        return Err(wrong(format!(
            "`{}` is no gate: they are G0 to G10, as `lamppost readiness` prints them",
            new.gate
        )));
    }
    if new.domain.is_empty() {
        return Err(wrong("a waiver is for a domain: name it"));
    }
    let texts = [&new.owner, &new.note];
    if texts.into_iter().flatten().any(|text| text.len() > TEXT_MAX) {
        return Err(wrong("the note, or the owner, is longer than 2,000 bytes"));
    }
    match (&new.owner, new.expires) {
        (Some(owner), _) if owner.trim().is_empty() => return Err(wrong("a waiver needs somebody who answers for it")),
        (Some(_), None) => return Err(wrong("a waiver needs an end: say until which day it holds")),
        (Some(_), Some(day)) if day < Day::of(at) => return Err(wrong(format!("{day} is over: a waiver ends later"))),
        (None, _) => {
            let about = |known: &Waiver| known.in_force && known.gate == new.gate && known.domain == new.domain;
            if !waivers(ledger, Day::of(at))?.iter().any(about) {
                return Err(wrong("there is no waiver in force about it that could be taken back"));
            }
        }
        _ => {}
    }
    let text = serde_json::to_string(new).map_err(|e| wrong(e.to_string()))?;
    Ok(ledger.add_waiver(at, &text)?)
}

/// All waivers, the newest first. `today` says which have expired.
///
/// # Errors
/// When the ledger cannot be read.
pub fn waivers(ledger: &Ledger, today: Day) -> Result<Vec<Waiver>, Error> {
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let mut all = Vec::new();
    for entry in ledger.waivers()?.into_iter().rev() {
        // One of another version of this program counts as none.
        let Ok(new) = serde_json::from_str::<NewWaiver>(&entry.waiver) else { continue };
        let newest = seen.insert((new.gate.clone(), new.domain.clone()));
        let NewWaiver { gate, domain, owner, expires, note } = new;
        let in_force = newest && owner.is_some() && expires.is_some_and(|last| today <= last);
        all.push(Waiver { id: entry.id, at: entry.at, gate, domain, owner, expires, note, in_force });
    }
    Ok(all)
}
