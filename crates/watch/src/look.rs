//! One domain, looked at for one purpose: which questions are asked, and what of the answers is kept.
//!
//! In: a domain, and for DKIM its selectors. Out: [`Look`]s. Of the many texts at a name only those for the purpose are kept: a token that
//! proves ownership to somebody is not a change of SPF. For SPF everything is kept that the record leads to, also behind the tenth
//! look-up, so that the record can be evaluated again as it was then (RFC 7208 §4.6.4, RFC 9989 §4.10, RFC 6376 §3.6.2.1).

use std::time::Duration;

use dns::{Data, Lookup, Name, RecordType, Response};
use insight::{RecordKind, value_of};
use spf::{Limits, is_spf};
use store::{Look, PublishedState};
use tokio::time::Instant;

use crate::notes::Notes;

/// Questions about one domain for one purpose. An SPF tree within its limits asks 111 at most (ten `mx` of ten hosts and itself), for two
/// families of addresses; one far beyond them is still seen.
const QUESTIONS_MAX: usize = 500;
/// Time for one domain and purpose: a name server that is silent costs some six seconds a question.
const TIME: Duration = Duration::from_mins(1);
/// Terms of an SPF record that are followed: so that what is behind the tenth look-up is seen as well.
const LOOKUPS_MAX: u16 = 100;

/// Looks at a domain for one purpose. Names that are no names are left out.
pub async fn look<L: Lookup>(lookup: &L, domain: &str, kind: RecordKind, selectors: &[String]) -> Vec<Look> {
    let Ok(name) = Name::from_unicode(domain) else { return Vec::new() };
    let notes = Notes::new(lookup, QUESTIONS_MAX, Instant::now() + TIME);
    match kind {
        RecordKind::Spf => {
            let limits = Limits { lookups_max: LOOKUPS_MAX, voids_max: LOOKUPS_MAX, ..Limits::default() };
            spf::survey(&notes, &name, &limits).await;
            // What depends on addresses is asked for here: hosts of both families.
            spf::compile(&notes, &name, &limits).await;
        }
        RecordKind::Dmarc => {
            if let Ok(below) = name.child("_dmarc") {
                notes.lookup(&below, RecordType::Txt).await;
            }
        }
        RecordKind::Mx => {
            notes.lookup(&name, RecordType::Mx).await;
        }
        RecordKind::Dkim => {
            for selector in selectors {
                let labels = selector.split('.').map(str::as_bytes).chain(std::iter::once(&b"_domainkey"[..]));
                if let Ok(key) = Name::from_labels(labels.chain(name.labels())) {
                    notes.lookup(&key, RecordType::Txt).await;
                }
            }
        }
    }
    let asked = notes.into_noted().into_iter();
    asked.map(|(at, record_type, response)| kept(&name, kind, &at, record_type, &response)).collect()
}

fn kept(domain: &Name, kind: RecordKind, name: &Name, record_type: RecordType, response: &Response) -> Look {
    let (state, value) = match response {
        Response::Found(records) => {
            let meant: Vec<Data> = records.records().iter().filter(|data| is_meant(kind, data)).cloned().collect();
            if meant.is_empty() {
                (PublishedState::Nothing, String::new())
            } else {
                (PublishedState::Found, value_of(&meant))
            }
        }
        Response::NxDomain { .. } | Response::NoData { .. } => (PublishedState::Nothing, String::new()),
        Response::ServFail(_) => (PublishedState::Failed, String::from("SERVFAIL")),
        Response::Timeout => (PublishedState::Failed, String::from("timeout")),
    };
    Look {
        domain: domain.to_string(),
        kind: kind.word().to_owned(),
        name: name.to_string(),
        record_type: record_type.to_string(),
        state,
        value,
    }
}

/// Whether a record at a name was put there for this purpose. What was meant so and is written wrong counts: it is what its owner must see.
fn is_meant(kind: RecordKind, data: &Data) -> bool {
    let Data::Txt(text) = data else { return true };
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    let dmarc = begins("v=dmarc") || begins("v = dmarc") || begins("dmarc");
    match kind {
        RecordKind::Spf => is_spf(text),
        RecordKind::Dmarc => dmarc,
        // A wildcard's text stands at the name of a key too.
        RecordKind::Dkim => !is_spf(text) && !dmarc && text.windows(2).any(|pair| pair == b"p="),
        RecordKind::Mx => true,
    }
}
