//! The keys that sign in our name, or could: how strong, how old, how much they carry, and what is to be done about them (RFC 6376 §3.6.1,
//! RFC 8301 §3.2).
//!
//! In: the signatures in the cells of days, and the history of DNS. Out: a line a key. A key's age counts from the first time it was seen at
//! all, in mail or in DNS, and from its replacement where the key at a selector was replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use dkim::{Key, KeyError, KeyKind};
use report::{Day, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Ledger, PublishedState};

use super::cells::{meant, visit};
use super::{InventoryFinding, Weight, between};
use crate::counts::ratio;
use crate::flows::cell::{Cell, Own};
use crate::flows::snapshot::{KeyDays, key_days, load};
use crate::flows::{FlowClass, Map, v4};
use crate::published::{History, PublishedLine, RecordKind};
use crate::{Error, Scope};

/// From when on something about a key is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyLimits {
    /// RFC 8301 §3.2: "Signers … SHOULD use RSA keys of at least 2048 bits."
    pub bits: usize,
    /// Days after which a key is to be replaced: noted, worth a plan, overdue. Six months is what M3AAWG advises for most, a year what it
    /// tolerates.
    pub age_days: [i32; 3],
    /// Days without mail after which a published key is not used any more: a quarterly mailing must not be taken for dead.
    pub unused_days: i32,
    /// Days within which a key counts as in use.
    pub used_days: i32,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self { bits: 2048, age_days: [183, 365, 730], unused_days: 90, used_days: 30 }
    }
}

/// What DNS says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// A key stands there.
    Published,
    /// It was taken back: an empty `p=`.
    Revoked,
    /// A record that gives no key.
    Broken,
    /// Nothing stands there.
    Missing,
    /// Nobody has looked.
    Unknown,
}

/// A stream of mail that signs with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyFlow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is taken for.
    pub class: FlowClass,
}

/// One key: a selector of a domain.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DkimKeyLine {
    /// `d=`
    pub domain: String,
    /// `s=`
    pub selector: String,
    /// What DNS says.
    pub state: KeyState,
    /// `rsa` or `ed25519`, where there is a key.
    pub key_type: Option<String>,
    /// Bits of the modulus, or 256.
    pub bits: Option<usize>,
    /// `t=y`: receivers are told that it is being tested.
    pub testing: bool,
    /// The record as it stands.
    pub record: Option<String>,
    /// Messages of the period that carry its signature, verified or not.
    pub messages: u64,
    /// Of these: it verified.
    pub passing: u64,
    /// Its share of the messages signed for the same organizational domain.
    pub share: f64,
    /// Addresses that signed with it in the period.
    pub sources: u64,
    /// First and last day on which it signed, as far back as flows go.
    #[schemars(with = "Option<String>")]
    pub first_in_mail: Option<Day>,
    /// The last.
    #[schemars(with = "Option<String>")]
    pub last_in_mail: Option<Day>,
    /// First and last day on which this key was seen in DNS.
    #[schemars(with = "Option<String>")]
    pub first_in_dns: Option<Day>,
    /// The last.
    #[schemars(with = "Option<String>")]
    pub last_in_dns: Option<Day>,
    /// Days since it was first seen at all; it may be older.
    pub age_days: Option<i32>,
    /// Who signs with it.
    pub flows: Vec<KeyFlow>,
    /// What to do about it.
    pub findings: Vec<InventoryFinding>,
}

/// The keys of a scope.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DkimInventory {
    /// First and last day counted; absent when the ledger is empty.
    #[schemars(with = "Option<(String, String)>")]
    pub days: Option<(Day, Day)>,
    /// When DNS was last looked at, in seconds since 1970 UTC; absent if never.
    pub looked_at: Option<i64>,
    /// Messages in our name in the period.
    pub messages: u64,
    /// Of these: signed by us, verified or not.
    pub signed: u64,
    /// The keys, most messages first.
    pub keys: Vec<DkimKeyLine>,
}

/// What mail says of a key.
#[derive(Default)]
struct Seen {
    messages: u64,
    passing: u64,
    sources: AddressSet,
    first: Option<Day>,
    last: Option<Day>,
}

impl Seen {
    fn plus(&mut self, other: Self) {
        self.messages += other.messages;
        self.passing += other.passing;
        self.sources.plus(other.sources);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }
}

/// Different addresses. Millions of IPv4 take a quarter of the memory, and of the time to get at it, that they would take with all others.
#[derive(Default)]
struct AddressSet {
    v4: HashSet<u32, foldhash::fast::RandomState>,
    v6: HashSet<u128, foldhash::fast::RandomState>,
}

impl AddressSet {
    fn insert(&mut self, source: u128) {
        match v4(source) {
            Some(source) => self.v4.insert(source),
            None => self.v6.insert(source),
        };
    }

    fn plus(&mut self, mut other: Self) {
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        self.v4.extend(other.v4);
        self.v6.extend(other.v6);
    }

    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.v4.is_disjoint(&other.v4) && self.v6.is_disjoint(&other.v6)
    }
}

/// What one core has seen; names are numbers.
#[derive(Default)]
struct Numbered {
    messages: u64,
    signed: u64,
    keys: Map<(u32, u32), Seen>,
}

/// What mail of a period says of keys, with its messages and those of them that are signed; when keys were used, by all days that are judged.
type Signed = (BTreeMap<(Text, Text), Seen>, u64, u64);

fn signed(ledger: &Ledger, scope: &Scope, period: (Day, Day)) -> Result<Signed, Error> {
    let mut seen: BTreeMap<(Text, Text), Seen> = BTreeMap::new();
    let (mut messages, mut signed) = (0_u64, 0_u64);
    for organization in meant(ledger, scope.domain.as_deref(), (Day(i32::MIN), Day(i32::MAX)))? {
        let each = |of: &mut Numbered, day: Day, cell: &Cell| {
            let total = cell.total();
            of.messages += total;
            if cell.shape.own() == Own::Absent || cell.own_selector == 0 {
                return;
            }
            of.signed += total;
            let seen = of.keys.entry((cell.own_domain, cell.own_selector)).or_default();
            seen.messages += total;
            if cell.shape.own() == Own::Pass {
                seen.passing += total;
                // A selector that somebody made up is not a key that was in use.
                seen.first = Some(seen.first.map_or(day, |first| first.min(day)));
                seen.last = Some(seen.last.map_or(day, |last| last.max(day)));
            }
            seen.sources.insert(cell.source);
        };
        let parts = visit(ledger, &organization, period, |_| Numbered::default(), each, |of| of)?;
        for (of, names) in parts {
            (messages, signed) = (messages + of.messages, signed + of.signed);
            for ((domain, selector), of_key) in of.keys {
                // A key of one organizational domain signs for another only where somebody shares it.
                seen.entry((names.name(domain).clone(), names.name(selector).clone())).or_default().plus(of_key);
            }
        }
        for KeyDays { domain, selector, first, last } in key_days(ledger, &organization)? {
            let used = Seen { first: Some(first), last: Some(last), ..Seen::default() };
            seen.entry((domain, selector)).or_default().plus(used);
        }
    }
    Ok((seen, messages, signed))
}

/// The keys that sign in our name, or stand in DNS: of the scope, days and author domain count.
///
/// # Errors
/// When the ledger cannot be read.
pub fn dkim_inventory(ledger: &Ledger, scope: &Scope, limits: &KeyLimits) -> Result<DkimInventory, Error> {
    let mut inventory = DkimInventory { days: None, looked_at: None, messages: 0, signed: 0, keys: Vec::new() };
    let (Some(period), Some((_, newest))) = (scope.period.days(ledger)?, ledger.span()?) else { return Ok(inventory) };
    inventory.days = Some(period);
    let (seen, messages, signed) = signed(ledger, scope, period)?;
    (inventory.messages, inventory.signed) = (messages, signed);
    let history = History::read(ledger, None)?;
    inventory.looked_at = history.looked_at();
    let organization = scope.domain.as_deref().map(store::organizational_domain);
    let wanted = |domain: &str| organization.as_ref().is_none_or(|of| store::organizational_domain(domain) == *of);
    let mut records: HashMap<(Text, Text), Vec<PublishedLine>> = HashMap::new();
    for line in history.lines() {
        let below = format!("._domainkey.{}", line.domain);
        let selector = line.name.strip_suffix(&below).filter(|_| line.kind == RecordKind::Dkim && wanted(&line.domain));
        if let Some(selector) = selector {
            records.entry((Text::new(&line.domain), Text::new(selector))).or_default().push(line);
        }
    }
    let published = |lines: &Vec<PublishedLine>| lines.iter().any(|line| line.state == PublishedState::Found);
    let known = records.iter().filter(|(_, lines)| published(lines)).map(|(key, _)| key);
    let keys: BTreeSet<&(Text, Text)> = seen.keys().chain(known).collect();
    let (no_mail, no_records) = (Seen::default(), Vec::new());
    for key in keys {
        let (mail, of_key) = (seen.get(key).unwrap_or(&no_mail), records.get(key).unwrap_or(&no_records));
        inventory.keys.push(line(key, mail, of_key, newest, signed));
    }
    // What nobody ever verified with and DNS does not have is a stranger's invention.
    inventory.keys.retain(|line| line.first_in_mail.is_some() || line.first_in_dns.is_some());
    flows_of(ledger, &mut inventory.keys)?;
    inventory.keys.sort_by(|a, b| {
        b.messages.cmp(&a.messages).then_with(|| (&a.domain, &a.selector).cmp(&(&b.domain, &b.selector)))
    });
    let newer: Vec<Option<String>> = inventory.keys.iter().map(|line| newer(line, &inventory.keys, &seen)).collect();
    for (line, newer) in inventory.keys.iter_mut().zip(newer) {
        line.findings = findings(line, newer.as_deref(), newest, limits);
    }
    Ok(inventory)
}

/// The selector of a younger key of the same domain that hosts of this one sign with too.
fn newer(line: &DkimKeyLine, all: &[DkimKeyLine], seen: &BTreeMap<(Text, Text), Seen>) -> Option<String> {
    let of = |line: &DkimKeyLine| seen.get(&(Text::new(&line.domain), Text::new(&line.selector)));
    let younger = |other: &&DkimKeyLine| {
        other.domain == line.domain
            && other.messages > 0
            && other.age_days.zip(line.age_days).is_some_and(|(theirs, ours)| theirs < ours)
            && of(other).zip(of(line)).is_some_and(|(theirs, ours)| !theirs.sources.is_disjoint(&ours.sources))
    };
    all.iter().find(younger).map(|other| other.selector.clone())
}

fn line(
    (domain, selector): &(Text, Text),
    mail: &Seen,
    records: &[PublishedLine],
    newest: Day,
    signed: u64,
) -> DkimKeyLine {
    // The newest first; a question that failed says nothing.
    let answers: Vec<&PublishedLine> = records.iter().filter(|line| line.state != PublishedState::Failed).collect();
    let record = answers.first().filter(|line| line.state == PublishedState::Found).map(|line| line.value.clone());
    let parsed =
        record.as_deref().map(|text| text.lines().map(|line| Key::parse(line.as_bytes())).min_by_key(Result::is_err));
    let (state, key) = match (answers.first(), parsed.flatten()) {
        (None, _) => (KeyState::Unknown, None),
        (_, Some(Ok(key))) => (KeyState::Published, Some(key)),
        (_, Some(Err(KeyError::Revoked))) => (KeyState::Revoked, None),
        (_, Some(Err(_))) => (KeyState::Broken, None),
        (_, None) => (KeyState::Missing, None),
    };
    // As far back as the same key stood there without a break.
    let material = |line: &PublishedLine| material(&line.value).map(str::to_owned);
    let now = answers.first().and_then(|line| material(line));
    let run: Vec<_> = answers.iter().take_while(|line| material(line) == now && now.is_some()).collect();
    let replaced =
        run.len() < answers.len() && answers.iter().skip(run.len()).any(|l| l.state == PublishedState::Found);
    let (first_in_dns, last_in_dns) =
        (run.last().map(|line| Day::of(line.first_seen)), run.first().map(|line| Day::of(line.last_seen)));
    let first_in_mail = mail.first.filter(|_| !replaced);
    let begin = [first_in_mail, first_in_dns].into_iter().flatten().min();
    DkimKeyLine {
        domain: domain.to_string(),
        selector: selector.to_string(),
        state,
        key_type: key.as_ref().map(|key| if key.kind() == KeyKind::Rsa { "rsa" } else { "ed25519" }.to_owned()),
        bits: key.as_ref().map(Key::bits),
        testing: key.as_ref().is_some_and(Key::is_testing),
        record,
        messages: mail.messages,
        passing: mail.passing,
        share: ratio(mail.messages, signed),
        sources: mail.sources.len() as u64,
        first_in_mail: mail.first,
        last_in_mail: mail.last,
        first_in_dns,
        last_in_dns,
        age_days: begin.map(|begin| between(begin, newest).max(0)),
        flows: Vec::new(),
        findings: Vec::new(),
    }
}

/// `p=` of a key record.
fn material(record: &str) -> Option<&str> {
    record.split([';', '\n']).find_map(|tag| tag.trim().strip_prefix("p="))
}

/// Fills in who signs with each key.
fn flows_of(ledger: &Ledger, lines: &mut [DkimKeyLine]) -> Result<(), Error> {
    let Some((snapshot, _)) = load(ledger)? else { return Ok(()) };
    for line in lines {
        let words = crate::Sender::Key { domain: line.domain.clone(), selector: line.selector.clone() }.words();
        let of_key = snapshot.flows.iter().filter(|flow| flow.name == words);
        line.flows =
            of_key.map(|flow| KeyFlow { id: flow.id.clone(), name: flow.name.clone(), class: flow.class }).collect();
    }
    Ok(())
}

fn findings(line: &DkimKeyLine, newer: Option<&str>, newest: Day, limits: &KeyLimits) -> Vec<InventoryFinding> {
    let (domain, selector) = (&line.domain, &line.selector);
    let name = format!("{selector}._domainkey.{domain}");
    let used = line.last_in_mail.is_some_and(|last| between(last, newest) < limits.used_days);
    let still = line.messages > 0;
    let mut found = Vec::new();
    let mut add =
        |id: &str, weight, what: String, remedy: String| found.push(InventoryFinding::new(id, weight, what, remedy));
    match line.state {
        KeyState::Missing | KeyState::Revoked | KeyState::Broken if still => {
            let why = match line.state {
                KeyState::Missing => "nothing stands at its name",
                KeyState::Revoked => "it was revoked",
                _ => "its record gives no key",
            };
            let what = format!("signs {} messages, but {why}: they fail", crate::commas(line.messages));
            add(
                "key-gone",
                Weight::Act,
                what,
                format!("publish the key at {name} again, or let who signs use another selector"),
            );
        }
        KeyState::Broken => add(
            "key-broken",
            Weight::Watch,
            "the record gives no key".to_owned(),
            format!("publish the record at {name} again as the signer shows it, or remove it"),
        ),
        _ => {}
    }
    if let (Some(bits), Some("rsa")) = (line.bits, line.key_type.as_deref())
        && bits < limits.bits
    {
        let weight = if used { Weight::Act } else { Weight::Watch };
        let what = format!("an RSA key of {bits} bits; receivers need 1024, signers should use {}", limits.bits);
        add("key-weak", weight, what, rotate(domain, limits.bits));
    }
    if line.testing {
        let what = "t=y tells receivers that it is being tested".to_owned();
        add("key-testing", Weight::Watch, what, format!("remove t=y from {name} once signatures verify"));
    }
    if let Some(age) = line.age_days.filter(|_| used && line.state != KeyState::Missing) {
        let [note, plan, overdue] = limits.age_days;
        let weight = match age {
            age if age >= overdue => Some(Weight::Act),
            age if age >= plan => Some(Weight::Watch),
            age if age >= note => Some(Weight::Note),
            _ => None,
        };
        if let Some(weight) = weight {
            let what = format!("in use for {} at least", age_words(age));
            add("key-old", weight, what, rotate(domain, limits.bits));
        }
    }
    if let Some(newer) = newer.filter(|_| used) {
        let what = format!("still signs, from hosts that sign with the newer {newer} too");
        let remedy =
            format!("bring all hosts to {newer}, watch reports until {selector} is gone for a week, then revoke it");
        add("key-outlived", Weight::Note, what, remedy);
    }
    let unused = line.last_in_mail.is_none_or(|last| between(last, newest) >= limits.unused_days);
    if line.state == KeyState::Published && unused {
        let what = format!("published, and no mail was signed with it for {} days", limits.unused_days);
        let remedy = format!("revoke it: publish an empty p= at {name} for a month, then delete the record");
        add("key-unused", Weight::Watch, what, remedy);
    }
    found.sort_by_key(|finding| finding.weight);
    found
}

fn rotate(domain: &str, bits: usize) -> String {
    format!(
        "publish a key of {bits} bits at a new selector of {domain}, sign with it after a few days, watch reports until the old one is \
         gone for a week, then revoke the old one"
    )
}

/// An age in words.
fn age_words(days: i32) -> String {
    match days {
        days if days >= 730 => format!("{} years", days / 365),
        days if days >= 60 => format!("{} months", days * 12 / 365),
        days => format!("{days} days"),
    }
}
