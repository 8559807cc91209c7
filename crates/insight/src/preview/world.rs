//! The DNS of a preview: what is published now as far as it is known, and the same with what would be different laid over it.
//!
//! In: a zone text, what reporters saw of DMARC records, and a [`WhatIf`]. Out: a [`World`] in which the evaluators of messages look up
//! records, so that a preview obeys the standards by the same code as a receiver does. Nothing is asked over the network.

use dmarc::{AlignmentMode, PolicyTag, Record};
use dns::{Data, Name, Overlay, RecordType, Zone};
use report::{Alignment, Day, Policy, PolicyPublished, Text};
use store::{Ledger, PolicyOfDay};

use super::what_if::{WhatIf, wrong};
use crate::Error;

/// Records now and then.
#[derive(Debug)]
pub(crate) struct World {
    /// What is published.
    pub(crate) now: Zone,
    /// What would be different.
    pub(crate) change: Zone,
    /// The records of the domain that change, before and after.
    pub(crate) changed: Vec<Changed>,
    /// Whether anything about SPF may be different.
    pub(crate) spf_changes: bool,
    /// By which standard.
    pub(crate) standard: dmarc::Standard,
    /// Where the DMARC record was known from.
    pub(crate) known_from: &'static str,
}

/// One record that would be different.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// As it is; absent where there is none, or it is not known.
    pub before: Option<String>,
    /// As it would be.
    pub after: String,
}

/// Seconds that made-up records live: an hour. Nobody keeps them.
const TTL: u32 = 3600;

impl World {
    /// Reads and changes records. `names` are author domains that exist because mail in their name passes.
    pub(crate) fn new(ledger: &Ledger, what_if: &WhatIf, days: (Day, Day), names: &[Text]) -> Result<Self, Error> {
        let mut now = known(ledger, what_if.zone.as_deref(), days.1)?;
        let reported = policies(ledger, days)?;
        let own = name(&what_if.domain)?;
        let given = what_if.zone.as_deref().and_then(|text| Zone::parse(text).ok());
        let known_from = if given.is_some_and(|zone| dmarc_text(&zone, &own).is_some()) {
            "the zone"
        } else if dmarc_text(&now, &own).is_some() {
            "the history of DNS"
        } else if reported.iter().any(|policy| policy.domain == what_if.domain) {
            "what reporters saw"
        } else {
            "nowhere"
        };
        for policy in &reported {
            let Ok(at) = name(&policy.domain).and_then(|name| below(&name)) else { continue };
            // What stands in the zone is nearer to the truth than what reporters made of it.
            if now.answer(&at, RecordType::Txt).records().is_empty() {
                let text = format!("v=DMARC1; {}", crate::policy_text(policy));
                now.add(&at, TTL, Data::Txt(text.into_bytes().into()));
            }
        }
        for exists in names {
            if let Ok(exists) = name(exists) {
                now.exists(&exists);
            }
        }
        let mut change = Zone::new();
        if let Some(text) = &what_if.change {
            change.read(text).map_err(|e| wrong(format!("the records to change cannot be read: {e}")))?;
        }
        let mut world = Self {
            now,
            change,
            changed: Vec::new(),
            spf_changes: what_if.changes_spf(),
            standard: what_if.receivers.standard(),
            known_from,
        };
        world.change_dmarc(what_if, &own)?;
        world.change_spf(what_if, &own)?;
        Ok(world)
    }

    /// DNS as it would be.
    pub(crate) const fn then(&self) -> Overlay<'_, &Zone> {
        Overlay::new(&self.change, &self.now)
    }

    fn change_dmarc(&mut self, what_if: &WhatIf, own: &Name) -> Result<(), Error> {
        if !what_if.changes_dmarc() {
            return Ok(());
        }
        let before = dmarc_text(&self.change, own).or_else(|| dmarc_text(&self.now, own));
        let mut record = match &before {
            Some(text) => Record::parse(text).map(|(record, _)| record).unwrap_or_default(),
            None if what_if.p.is_none() => {
                return Err(wrong(format!(
                    "the DMARC record of {} is not known, so only `p` can be put into a new one: give --policy, or the record \
                     by --zone",
                    what_if.domain
                )));
            }
            None => Record::default(),
        };
        let policy = |policy: Policy| match policy {
            Policy::None => dmarc::Policy::None,
            Policy::Quarantine => dmarc::Policy::Quarantine,
            Policy::Reject => dmarc::Policy::Reject,
        };
        let tags = [
            (what_if.p, &mut record.policy),
            (what_if.sp, &mut record.subdomain_policy),
            (what_if.np, &mut record.nonexistent_policy),
        ];
        let mut enforced = false;
        for (wanted, tag) in tags {
            let Some(wanted) = wanted else { continue };
            *tag = PolicyTag::Is(policy(wanted));
            enforced = true;
        }
        if enforced {
            (record.test_mode, record.percent) = (false, None);
        }
        let mode = |alignment: Alignment| match alignment {
            Alignment::Relaxed => AlignmentMode::Relaxed,
            Alignment::Strict => AlignmentMode::Strict,
        };
        record.dkim_alignment = what_if.adkim.map_or(record.dkim_alignment, mode);
        record.spf_alignment = what_if.aspf.map_or(record.spf_alignment, mode);
        record.test_mode = what_if.testing.unwrap_or(record.test_mode);
        record.percent = what_if.pct.or(record.percent);
        self.publish(&below(own)?, before, record.to_string());
        Ok(())
    }

    fn change_spf(&mut self, what_if: &WhatIf, own: &Name) -> Result<(), Error> {
        if what_if.spf.is_none() && !what_if.edits_spf() {
            return Ok(());
        }
        let before = spf_text(&self.change, own).or_else(|| spf_text(&self.now, own));
        let after = if let Some(text) = &what_if.spf {
            text.trim().to_owned()
        } else {
            let before = before.as_deref().ok_or_else(|| {
                    wrong(format!(
                        "the SPF record of {} is not known here, so nothing can be taken from it or added to it: give the whole \
                         record by --spf, or what DNS says by --zone",
                        what_if.domain
                    ))
                })?;
            edited(before, what_if)?
        };
        if let Err(errors) = spf::Record::parse(&after) {
            let why = errors.first().map(ToString::to_string).unwrap_or_default();
            return Err(wrong(format!("`{after}` is no SPF record: {why}")));
        }
        self.publish(own, before, after);
        Ok(())
    }

    fn publish(&mut self, at: &Name, before: Option<String>, after: String) {
        self.change.take_away(at, RecordType::Txt);
        self.change.add(at, TTL, Data::Txt(after.clone().into_bytes().into()));
        self.changed.push(Changed { name: at.to_string(), before, after });
    }
}

/// What is known of DNS: the zone text if there is one, and what was seen to be published on a day.
pub(crate) fn known(ledger: &Ledger, text: Option<&str>, day: Day) -> Result<Zone, Error> {
    let mut zone = Zone::new();
    if let Some(text) = text {
        zone.read(text).map_err(|e| wrong(format!("the zone cannot be read: {e}")))?;
    }
    let history = crate::History::read(ledger, None)?.as_of(day);
    for (name, kind, records) in history.records() {
        if zone.answer(name, kind).records().is_empty() {
            for data in records {
                zone.add(name, TTL, data.clone());
            }
        }
    }
    Ok(zone)
}

/// A name from text.
pub(crate) fn name(text: &str) -> Result<Name, Error> {
    Name::from_unicode(text).map_err(|e| wrong(format!("`{text}` is no domain: {e}")))
}

/// Whether anything that matters here is known of a domain.
pub(crate) fn has_records(zone: &Zone, domain: &Name) -> bool {
    spf_text(zone, domain).is_some() || dmarc_text(zone, domain).is_some()
}

fn below(domain: &Name) -> Result<Name, Error> {
    domain.child("_dmarc").map_err(|e| wrong(format!("{domain} is too long for a DMARC record: {e}")))
}

fn dmarc_text(zone: &Zone, domain: &Name) -> Option<String> {
    text(zone, &below(domain).ok()?, |text| Record::parse(text).is_ok())
}

/// The SPF record of a name in a zone.
pub(crate) fn spf_text(zone: &Zone, domain: &Name) -> Option<String> {
    text(zone, domain, spf::is_spf)
}

fn text(zone: &Zone, at: &Name, is: impl Fn(&[u8]) -> bool) -> Option<String> {
    zone.answer(at, RecordType::Txt).records().iter().find_map(|data| match data {
        Data::Txt(text) if is(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    })
}

/// The newest policy of each policy domain, as most reporters saw it.
fn policies(ledger: &Ledger, days: (Day, Day)) -> Result<Vec<PolicyPublished>, Error> {
    let mut seen: Vec<PolicyOfDay> = ledger.policies(None, Some(days))?;
    seen.sort_by(|a, b| a.policy.domain.cmp(&b.policy.domain).then(a.day.cmp(&b.day)));
    let newest = |of_domain: &[PolicyOfDay]| {
        let last = of_domain.chunk_by(|a, b| a.day == b.day).last()?;
        Some(crate::trend::majority(last)).filter(|policy| policy.p.is_some())
    };
    Ok(seen.chunk_by(|a, b| a.policy.domain == b.policy.domain).filter_map(newest).collect())
}

/// The record without some includes and with some ranges.
fn edited(before: &str, what_if: &WhatIf) -> Result<String, Error> {
    let mut terms: Vec<String> = before.split_ascii_whitespace().map(str::to_owned).collect();
    for unwanted in &what_if.remove_includes {
        let unwanted = unwanted.trim().trim_end_matches('.');
        let is = |term: &String| included(term).is_some_and(|name| name.eq_ignore_ascii_case(unwanted));
        let count = terms.len();
        terms.retain(|term| !is(term));
        if terms.len() == count {
            let there: Vec<&str> = terms.iter().filter_map(|term| included(term)).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(wrong(format!("the SPF record has no include:{unwanted}; it includes {there}")));
        }
    }
    let ranges = what_if.ranges()?;
    // Behind what is there, and before what decides about the rest.
    let last = |term: &String| {
        let bare = term.trim_start_matches(['+', '-', '~', '?']).to_ascii_lowercase();
        bare == "all" || bare.starts_with("redirect=")
    };
    let at = terms.iter().position(last).unwrap_or(terms.len());
    for (address, length) in ranges.into_iter().rev() {
        let family = if address.is_ipv4() { "ip4" } else { "ip6" };
        terms.insert(at, format!("{family}:{address}/{length}"));
    }
    Ok(terms.join(" "))
}

fn included(term: &str) -> Option<&str> {
    let bare = term.trim_start_matches(['+', '-', '~', '?']);
    let (word, name) = bare.split_once(':')?;
    word.eq_ignore_ascii_case("include").then_some(name.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_taken_out_and_put_in() {
        let what_if = |remove: &[&str], add: &[&str]| WhatIf {
            remove_includes: remove.iter().map(ToString::to_string).collect(),
            add_ranges: add.iter().map(ToString::to_string).collect(),
            ..WhatIf::default()
        };
        let record = "v=spf1 ip4:192.0.2.0/24 include:A.example ?include:b.example ~all";
        let cases: [(&str, &[&str], &[&str], &str); 4] = [
            ("in any case", &["a.example."], &[], "v=spf1 ip4:192.0.2.0/24 ?include:b.example ~all"),
            ("whatever its qualifier", &["b.example"], &[], "v=spf1 ip4:192.0.2.0/24 include:A.example ~all"),
            (
                "before what decides about the rest",
                &[],
                &["198.51.100.7", "2001:db8::/32"],
                "v=spf1 ip4:192.0.2.0/24 include:A.example ?include:b.example ip4:198.51.100.7/32 ip6:2001:db8::/32 ~all",
            ),
            (
                "both",
                &["A.example", "b.example"],
                &["203.0.113.0/24"],
                "v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.0/24 ~all",
            ),
        ];
        for (why, remove, add, expected) in cases {
            assert_eq!(edited(record, &what_if(remove, add)).unwrap(), expected, "{why}");
        }
        let error = edited(record, &what_if(&["c.example"], &[])).unwrap_err().to_string();
        assert!(error.contains("includes A.example, b.example"), "it says what is there: {error}");
        assert_eq!(
            edited("v=spf1 redirect=_spf.example.com", &what_if(&[], &["192.0.2.1"])).unwrap(),
            "v=spf1 ip4:192.0.2.1/32 redirect=_spf.example.com"
        );
    }
}
