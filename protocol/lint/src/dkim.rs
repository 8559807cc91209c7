//! The keys that a domain publishes, at the selectors that are known or usual (RFC 6376 §3.6, RFC 8301 §3.2).
//!
//! DNS does not list selectors. They come from whoever asks (from reports, from headers), and a list of usual names is tried besides.

use dkim::{Key, KeyError, KeyKind, KeySet};
use dns::{Data, Lookup, Name, RecordType, Response};

use crate::finding::{About, Finding, Findings, Place};

/// Names that large senders have their customers publish, or that signers propose.
const USUAL: [&str; 40] = [
    "default",
    "dkim",
    "mail",
    "email",
    "smtp",
    "key1",
    "key2",
    "dkim1",
    "dkim2",
    "s1",
    "s2",
    "k1",
    "k2",
    "k3",
    "google",
    "selector1",
    "selector2",
    "fm1",
    "fm2",
    "fm3",
    "sig1",
    "mandrill",
    "mte1",
    "mxvault",
    "pm",
    "cm",
    "zmail",
    "zoho",
    "protonmail",
    "protonmail2",
    "protonmail3",
    "s1024",
    "s2048",
    "hs1",
    "hs2",
    "everlytickey1",
    "everlytickey2",
    "turbo-smtp",
    "sm",
    "rsa1",
];

/// A selector and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Its name.
    pub selector: String,
    /// What is at its name.
    pub state: SelectorState,
}

/// What is at the name of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorState {
    /// A key.
    Key {
        /// RSA or Ed25519.
        kind: KeyKind,
        /// Bits of the modulus, or 256.
        bits: usize,
        /// `t=y`.
        testing: bool,
    },
    /// A key that was taken back: an empty `p=`.
    Revoked,
    /// A record that gives no key.
    Broken(KeyError),
    /// Nothing.
    Missing,
    /// DNS failed.
    Failed,
}

/// Looks for keys. Usual names without one are not listed.
pub(crate) async fn look<L: Lookup>(
    lookup: &L,
    domain: &Name,
    known: &[String],
    findings: &mut Vec<Finding>,
) -> Vec<Selector> {
    let mut findings = Findings { about: About::Dkim, all: findings };
    let mut selectors = Vec::new();
    let Ok(keys) = domain.child("_domainkey") else { return selectors };
    let known = known.iter().map(|selector| (selector.as_str(), true));
    // RFC 8020 §2: "there really is nothing underneath" a name that does not exist, so that the usual names need not be tried.
    let nothing = matches!(lookup.lookup(&keys, RecordType::Txt).await, Response::NxDomain { .. });
    let usual = USUAL.iter().filter(|_| !nothing).map(|selector| (*selector, false));
    for (selector, known) in
        known.clone().chain(usual.filter(|(name, _)| !known.clone().any(|(other, _)| other == *name)))
    {
        let Some(name) = name(selector, &keys) else {
            let what = format!("`{selector}` cannot be a selector");
            findings.error("dkim-selector", what, "selectors are labels with dots between them", None);
            continue;
        };
        let response = lookup.lookup(&name, RecordType::Txt).await;
        let state = state(&response);
        if known || matches!(state, SelectorState::Key { .. } | SelectorState::Revoked) || is_meant_as_key(&response) {
            judge(&name, &state, known, response.records(), &mut findings);
            selectors.push(Selector { selector: selector.to_owned(), state });
        }
    }
    if !selectors.iter().any(|selector| matches!(selector.state, SelectorState::Key { .. })) {
        let what = if nothing {
            format!("{domain} has no DKIM keys at all: nothing exists below {keys}")
        } else {
            "no DKIM key was found at the selectors that are usual; others may be there".to_owned()
        };
        let fix =
            "name the selectors with --selector; they stand as s= in the DKIM-Signature fields of the domain's mail";
        findings.notice("dkim-no-key", what, fix, None);
    }
    selectors
}

fn name(selector: &str, keys: &Name) -> Option<Name> {
    let labels = selector.split('.').map(str::as_bytes).chain(keys.labels());
    Name::from_labels(labels).ok()
}

fn state(response: &Response) -> SelectorState {
    match response {
        Response::Found(records) => {
            let keys = KeySet::read(records.records());
            let first = keys.keys().next();
            match first {
                Some(Ok(key)) => key_state(key),
                Some(Err(KeyError::Revoked)) => SelectorState::Revoked,
                Some(Err(error)) => SelectorState::Broken(error),
                None => SelectorState::Missing,
            }
        }
        Response::NxDomain { .. } | Response::NoData { .. } => SelectorState::Missing,
        Response::ServFail(_) | Response::Timeout => SelectorState::Failed,
    }
}

fn key_state(key: &Key) -> SelectorState {
    SelectorState::Key { kind: key.kind(), bits: key.bits(), testing: key.is_testing() }
}

/// Whether somebody meant the text at a usual name as a key: a wildcard's SPF record is none.
fn is_meant_as_key(response: &Response) -> bool {
    let has = |text: &[u8], what: &[u8]| text.windows(what.len()).any(|part| part == what);
    response.records().iter().any(
        |data| matches!(data, Data::Txt(text) if has(text, b"p=") && !has(text, b"v=spf1") && !has(text, b"v=DMARC1")),
    )
}

fn judge(name: &Name, state: &SelectorState, known: bool, records: &[Data], findings: &mut Findings<'_>) {
    let place = || {
        let Some(Data::Txt(record)) = records.first() else { return None };
        Some(Place { name: name.clone(), record: record.clone(), span: 0..0 })
    };
    match state {
        SelectorState::Key { kind: KeyKind::Rsa, bits, .. } if *bits < 2_048 => {
            let what = format!("the key at {name} has {bits} bits");
            findings.warning(
                "dkim-weak-key",
                what,
                "publish a key of 2048 bits at a new selector, and sign with it",
                None,
            );
        }
        SelectorState::Broken(error) => {
            let what = format!("{name} gives no key: {error}");
            findings.error(
                "dkim-broken-key",
                what,
                "publish the record again as your signer or provider shows it",
                place(),
            );
        }
        SelectorState::Missing if known => {
            let what = format!("there is no key at {name}: what is signed with it fails");
            findings.error("dkim-missing-key", what, "publish the key, or stop signing with this selector", None);
        }
        SelectorState::Failed => {
            let what = format!("DNS failed on {name}");
            findings.warning("dkim-dns-failure", what, "look at the name's servers", None);
        }
        _ => {}
    }
    if let SelectorState::Key { testing: true, .. } = state {
        let what = format!("the key at {name} says that it is being tested (t=y)");
        findings.notice("dkim-testing", what, "remove t=y once signing works", place());
    }
    if records.len() > 1 {
        let what =
            format!("{name} has {} TXT records: which of them counts is undefined (RFC 6376 §3.6.2.2)", records.len());
        findings.warning("dkim-several-records", what, "leave one", None);
    }
}
