//! Names that could be taken for ours: those that exist, what changed about them, and those that were seen in our mail.
//!
//! In: what was seen in DNS and is in the ledger, and the names that stand in reports. Out: lines with their score and its parts, the most
//! urgent first. DNS is asked elsewhere; what an hour of rows says is worked out now and then and kept, so that a page waits for nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use dns::Name;
use enrich::Catalogue;
use lookalike::{ALERT_SCORE, Candidate, Evidence, Ours, RecogniseLimits, score};
use report::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{
    Column, DerivedKey, Direction, Key, Ledger, LookalikeChange, LookalikeEntry, Measure, Question, SampleFilter, Value,
};

use crate::Error;
use crate::counts::number;

/// What there is in DNS of a name that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LookalikeState {
    /// Servers that take its mail, sorted; a null MX is none (RFC 7505).
    pub mx: Vec<String>,
    /// Whether it has addresses: a web site, perhaps. Which, changes all the time and is not kept.
    pub web: bool,
    /// Its name servers, sorted.
    pub ns: Vec<String>,
    /// Its SPF record.
    pub spf: Option<String>,
    /// Its DMARC record.
    pub dmarc: Option<String>,
}

/// What is kept of a look: the state, and how the name was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    state: LookalikeState,
    families: Vec<String>,
    similarity: u8,
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScorePart {
    /// What it says.
    pub what: String,
    /// Points; none for what was not looked up.
    pub points: u8,
}

/// A name that exists and could be taken for ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookalikeLine {
    /// The domain of ours that it is like.
    pub domain: String,
    /// The name, as DNS has it.
    pub name: String,
    /// As people see it.
    pub unicode: String,
    /// How it is made.
    pub families: Vec<String>,
    /// How alike it is, up to 40.
    pub similarity: u8,
    /// How much it deserves attention, up to 100.
    pub score: u8,
    /// What the score is made of.
    pub parts: Vec<ScorePart>,
    /// What there is; absent where the name is gone.
    pub state: Option<LookalikeState>,
    /// When it was first seen, seconds since 1970 UTC; absent where it was looked at once, by hand.
    pub first_seen: Option<i64>,
    /// Whether it was looked for before that and was not there: then it is new since.
    pub appeared: bool,
    /// When it last existed.
    pub last_seen: Option<i64>,
    /// Whether it was seen in our mail.
    pub in_mail: bool,
    /// What can be done.
    pub actions: Vec<String>,
}

/// A name in our mail that is made to be taken for ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenLookalike {
    /// The domain of ours.
    pub domain: String,
    /// The name as it stood there.
    pub name: String,
    /// The registrable domain of it.
    pub lookalike: String,
    /// How: `domain-inside`, `same-look`, `slip`, `with-word`, `other-suffix`.
    pub how: String,
    /// How alike it is, up to 40.
    pub similarity: u8,
    /// Where it stood: `envelope`, `dkim`, `spf`, `sample`, `link`.
    pub places: Vec<String>,
    /// Messages that reports tell of, and samples. One message counts in each place.
    pub messages: u64,
    /// The first day, of the last 90 days of mail.
    #[schemars(with = "String")]
    pub first_day: Day,
    /// The last day.
    #[schemars(with = "String")]
    pub last_day: Day,
}

/// A change of what there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookalikeChangeLine {
    /// Its number, ascending.
    pub id: u64,
    /// The domain of ours.
    pub domain: String,
    /// The name.
    pub name: String,
    /// As people see it.
    pub unicode: String,
    /// When it was seen, seconds since 1970 UTC.
    pub at: i64,
    /// What changed, in words.
    pub what: String,
    /// The score of the name now.
    pub score: u8,
    /// Whether somebody should be told: the name began to exist, or takes mail now, or something changed about one with a high score.
    /// Not what was there when it was first looked for: nothing has changed.
    pub alert: bool,
}

/// How far looking has come for a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookalikePassLine {
    /// The domain of ours.
    pub domain: String,
    /// Candidates that were looked at since the pass began.
    pub place: u64,
    /// Whole passes.
    pub passes: u64,
    /// When something was looked at last, seconds since 1970 UTC.
    pub looked_at: i64,
}

/// Names that could be taken for ours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Lookalikes {
    /// Domains whose candidates are looked at.
    pub watched: Vec<LookalikePassLine>,
    /// Those that exist or did, the highest score first.
    pub lines: Vec<LookalikeLine>,
    /// Those seen in our mail in 90 days, the most messages first.
    pub in_mail: Vec<SeenLookalike>,
    /// What changed, the newest first.
    pub changes: Vec<LookalikeChangeLine>,
}

/// From this score on a name deserves a look.
pub const LOOKALIKE_ALERT: u8 = ALERT_SCORE;
/// Changes that a page shows.
const CHANGES: usize = 200;
/// Names of a kind that are compared, those with most messages first: comparing costs microseconds each.
const NAMES: usize = 20_000;
/// Samples that are looked at, the newest first.
const SAMPLES: usize = 5_000;
/// Days of mail that are looked at.
const DAYS: i32 = 90;
/// Where names in our mail are kept.
const SEEN: DerivedKey<'_> = DerivedKey { kind: "lookalikes", name: "seen", number: 0 };
const DAY_SECONDS: i64 = 86_400;

/// What a ledger keeps of a look at a candidate.
#[must_use]
pub fn lookalike_text(candidate: &Candidate, state: &LookalikeState) -> String {
    let families = candidate.families.iter().map(|family| family.as_str().to_owned()).collect();
    let kept = Kept { state: state.clone(), families, similarity: candidate.similarity };
    serde_json::to_string(&kept).unwrap_or_default()
}

/// A candidate with what was seen of it, without a ledger.
#[must_use]
pub fn lookalike_line(domain: &Name, candidate: &Candidate, state: LookalikeState) -> LookalikeLine {
    let families = candidate.families.iter().map(|family| family.as_str().to_owned()).collect();
    let kept = Kept { state, families, similarity: candidate.similarity };
    line((&domain.to_string(), &candidate.name.to_string()), Some(kept), None, false)
}

/// Everything about names that could be taken for ours; of one domain, or of all.
///
/// # Errors
/// When the ledger cannot be read.
pub fn lookalikes(ledger: &Ledger, domain: Option<&str>, now: i64) -> Result<Lookalikes, Error> {
    let mut in_mail = seen(ledger)?;
    in_mail.retain(|seen| domain.is_none_or(|domain| seen.domain == domain));
    let entries = ledger.lookalikes(domain)?;
    let mut lines = scored(&entries, &in_mail, now);
    lines.sort_by(|a, b| (b.state.is_some(), b.score, &a.name).cmp(&(a.state.is_some(), a.score, &b.name)));
    let mut watched = Vec::new();
    for pass in ledger.lookalike_passes()? {
        if domain.is_none_or(|domain| domain == pass.0) {
            let (place, passes, looked_at) = (pass.1.place, pass.1.passes, pass.1.looked_at);
            watched.push(LookalikePassLine { domain: pass.0, place, passes, looked_at });
        }
    }
    let mut changes = changes_of(ledger, None, &entries, &lines)?;
    changes.retain(|change| domain.is_none_or(|domain| change.domain == domain));
    Ok(Lookalikes { watched, lines, in_mail, changes })
}

/// What changed at this moment or later, the newest first: for those who tell somebody.
///
/// # Errors
/// When the ledger cannot be read.
pub fn lookalike_changes(ledger: &Ledger, since: i64, now: i64) -> Result<Vec<LookalikeChangeLine>, Error> {
    let entries = ledger.lookalikes(None)?;
    changes_of(ledger, Some(since), &entries, &scored(&entries, &seen(ledger)?, now))
}

/// A line for each name that exists or did.
fn scored(entries: &[LookalikeEntry], in_mail: &[SeenLookalike], now: i64) -> Vec<LookalikeLine> {
    let names: HashSet<&str> = in_mail.iter().map(|seen| seen.lookalike.as_str()).collect();
    entries.iter().map(|entry| of_entry(entry, &names, now)).collect()
}

fn changes_of(
    ledger: &Ledger,
    since: Option<i64>,
    entries: &[LookalikeEntry],
    lines: &[LookalikeLine],
) -> Result<Vec<LookalikeChangeLine>, Error> {
    let scores: HashMap<(&str, &str), u8> = lines.iter().map(|l| ((&*l.domain, &*l.name), l.score)).collect();
    let entries: HashMap<(&str, &str), &LookalikeEntry> = entries.iter().map(|e| ((&*e.domain, &*e.name), e)).collect();
    let changes = ledger.lookalike_changes(since, CHANGES)?;
    Ok(changes
        .into_iter()
        .filter_map(|change| {
            let key = (&*change.domain, &*change.name);
            let score = scores.get(&key).copied().unwrap_or(0);
            let first = entries.get(&key).filter(|entry| entry.first_seen == change.at);
            told(&change, score, first.map(|entry| entry.absent_before))
        })
        .collect())
}

/// A change in words; nothing where only our own notes about the name differ. `first`: it is the first that was seen of the name, and
/// whether it was looked for before and was not there.
fn told(change: &LookalikeChange, score: u8, first: Option<bool>) -> Option<LookalikeChangeLine> {
    let state = |text: &Option<String>| text.as_deref().and_then(kept).map(|kept| kept.state);
    let (was, became) = (state(&change.was), state(&change.became));
    if was == became {
        return None;
    }
    let mut what = Vec::new();
    let appeared = first == Some(true);
    match (&was, &became) {
        (None, Some(_)) if appeared => what.push("it is new".to_owned()),
        (None, Some(_)) => what.push("it exists".to_owned()),
        (_, None) => what.push("it is gone".to_owned()),
        _ => {}
    }
    let (before, after) = (was.clone().unwrap_or_default(), became.clone().unwrap_or_default());
    let mail_now = before.mx.is_empty() && !after.mx.is_empty();
    if became.is_some() {
        let first = was.is_none();
        let flags = [
            (mail_now, "it takes mail"),
            (!before.mx.is_empty() && after.mx.is_empty(), "it takes no mail any more"),
            (!before.mx.is_empty() && !after.mx.is_empty() && before.mx != after.mx, "other servers take its mail"),
            (!before.web && after.web, "it has addresses"),
            (before.web && !after.web, "it has no addresses any more"),
            (!first && before.ns != after.ns, "its name servers are others"),
            (before.spf.is_none() && after.spf.is_some(), "it publishes SPF"),
            (before.dmarc.is_none() && after.dmarc.is_some(), "it publishes DMARC"),
        ];
        what.extend(flags.iter().filter(|(holds, _)| *holds).map(|(_, words)| (*words).to_owned()));
        if what.is_empty() {
            what.push("its SPF or DMARC record is another one".to_owned());
        }
    }
    let alert = became.is_some() && first != Some(false) && (score >= ALERT_SCORE || was.is_none() || mail_now);
    Some(LookalikeChangeLine {
        id: change.id,
        unicode: shown(&change.name),
        domain: change.domain.clone(),
        name: change.name.clone(),
        at: change.at,
        what: what.join(", "),
        score,
        alert,
    })
}

fn kept(text: &str) -> Option<Kept> {
    serde_json::from_str(text).ok()
}

fn of_entry(entry: &LookalikeEntry, in_mail: &HashSet<&str>, now: i64) -> LookalikeLine {
    let age = entry.absent_before.then(|| i32::try_from((now - entry.first_seen) / DAY_SECONDS).unwrap_or(i32::MAX));
    let state = entry.state.as_deref().and_then(kept);
    let mut line = line((&entry.domain, &entry.name), state, age, in_mail.contains(entry.name.as_str()));
    (line.first_seen, line.last_seen) = (Some(entry.first_seen), Some(entry.last_seen));
    line.appeared = entry.absent_before;
    line
}

fn line((domain, name): (&str, &str), kept: Option<Kept>, age_days: Option<i32>, seen: bool) -> LookalikeLine {
    let (families, similarity) = kept.as_ref().map_or((Vec::new(), 0), |kept| (kept.families.clone(), kept.similarity));
    let state = kept.map(|kept| kept.state);
    let of = state.clone().unwrap_or_default();
    let evidence = Evidence {
        similarity,
        mail: !of.mx.is_empty(),
        web: of.web,
        policy: of.spf.is_some() || of.dmarc.is_some(),
        age_days,
        listed: false,
        seen,
    };
    let score = if state.is_some() || seen { score(&evidence) } else { lookalike::Score { points: 0, parts: vec![] } };
    let parts = score.parts.iter();
    LookalikeLine {
        unicode: shown(name),
        domain: domain.to_owned(),
        name: name.to_owned(),
        families,
        similarity,
        score: score.points,
        parts: parts.map(|(part, points)| ScorePart { what: part.as_str().to_owned(), points: *points }).collect(),
        actions: actions(&evidence, state.is_some(), score.points),
        state,
        first_seen: None,
        appeared: false,
        last_seen: None,
        in_mail: seen,
    }
}

/// What can be done about a name, the most useful first.
fn actions(evidence: &Evidence, exists: bool, points: u8) -> Vec<String> {
    let mut actions = Vec::new();
    if !exists {
        actions.push(
            "Register it before somebody else does, and park it: `lamppost lookalikes DOMAIN --park NAME`.".to_owned(),
        );
        return actions;
    }
    if evidence.seen || (evidence.mail && points >= ALERT_SCORE) {
        actions.push("Refuse mail from it at your own gateway, as envelope sender and as author domain.".to_owned());
    }
    if points >= ALERT_SCORE {
        actions.push(
            "Ask its registrar and the host of its mail to take it down: send its records, its score, and samples."
                .to_owned(),
        );
    }
    if evidence.mail && !evidence.web {
        actions.push("It is made for mail alone: warn those who pay invoices.".to_owned());
    }
    actions.push(
        "If it is yours, add it to organisation.domains; without mail, park it: `lamppost lookalikes DOMAIN --park NAME`."
            .to_owned(),
    );
    actions
}

/// A name as people see it.
fn shown(name: &str) -> String {
    lookalike::unicode_of(name)
}

/// Names in our mail that are made to be taken for ours, as they were worked out last.
///
/// # Errors
/// When the ledger cannot be read.
fn seen(ledger: &Ledger) -> Result<Vec<SeenLookalike>, Error> {
    let found = ledger.derived(SEEN)?;
    Ok(found.and_then(|found| serde_json::from_slice(&found.bytes).ok()).unwrap_or_default())
}

/// Looks through the names in our mail for those that imitate ours, and keeps what it finds. Says how many there are.
///
/// # Errors
/// When the ledger cannot be read or written.
pub fn refresh_seen_lookalikes(ledger: &Ledger, declared: &[Name], catalogue: &Catalogue) -> Result<usize, Error> {
    let ours = our_names(ledger, declared)?;
    let services = catalogue.services().iter();
    let known = services.flat_map(|service| service.hosts.iter().chain(&service.dkim).chain(&service.mail_from));
    let known = known.filter_map(|text| Name::parse(text.trim_start_matches(['*', '.'])).ok());
    let ours = Ours::new(&ours, known, &RecogniseLimits::default());
    let mut found: BTreeMap<String, SeenLookalike> = BTreeMap::new();
    let days = ledger.span()?.map(|(_, last)| (last.plus(1 - DAYS), last));
    if let Some(days) = days {
        for (column, place) in
            [(Column::EnvelopeFrom, "envelope"), (Column::DkimDomain, "dkim"), (Column::SpfDomain, "spf")]
        {
            for (name, messages, days) in names_in(ledger, column, days)? {
                note(&mut found, &ours, (&name, place), messages, days);
            }
        }
    }
    let (samples, _) = ledger.samples(&SampleFilter::default(), 0, SAMPLES)?;
    for entry in samples {
        let (sample, day) = (&entry.sample, entry.day);
        let signed = sample.dkim.iter().map(|(domain, _)| domain);
        let names = signed.chain(&sample.spf_domain).chain(&sample.reported_domains).map(|name| (name, "sample"));
        let names = names.chain(sample.uri_hosts.iter().map(|name| (name, "link")));
        for (name, place) in names {
            note(&mut found, &ours, (name, place), sample.incidents, (day, day));
        }
        let envelope = sample.envelope_from.as_ref().and_then(|path| path.rsplit_once('@'));
        if let Some((_, domain)) = envelope {
            note(&mut found, &ours, (domain, "sample"), sample.incidents, (day, day));
        }
    }
    let mut all: Vec<SeenLookalike> = found.into_values().collect();
    all.sort_by(|a, b| (b.messages, &a.name).cmp(&(a.messages, &b.name)));
    let bytes = serde_json::to_vec(&all).unwrap_or_default();
    ledger.put_derived(SEEN.kind, [(SEEN.name, SEEN.number, 0, &bytes[..])])?;
    Ok(all.len())
}

fn note(
    found: &mut BTreeMap<String, SeenLookalike>,
    ours: &Ours,
    (name, place): (&str, &str),
    messages: u64,
    (first_day, last_day): (Day, Day),
) {
    if !found.contains_key(name) {
        let Some(likeness) = Name::parse(name).ok().and_then(|name| ours.recognise(&name)) else { return };
        let line = SeenLookalike {
            domain: likeness.domain.to_string(),
            name: name.to_owned(),
            lookalike: likeness.lookalike.to_string(),
            how: likeness.how.as_str().to_owned(),
            similarity: likeness.similarity,
            places: Vec::new(),
            messages: 0,
            first_day,
            last_day,
        };
        found.insert(name.to_owned(), line);
    }
    let Some(line) = found.get_mut(name) else { return };
    line.messages = line.messages.saturating_add(messages);
    (line.first_day, line.last_day) = (line.first_day.min(first_day), line.last_day.max(last_day));
    if !line.places.iter().any(|known| known == place) {
        line.places.push(place.to_owned());
    }
}

/// Our own domains: those declared, or else the organizational domains that reports are about.
///
/// # Errors
/// When the ledger cannot be read.
pub fn our_names(ledger: &Ledger, declared: &[Name]) -> Result<Vec<Name>, Error> {
    if !declared.is_empty() {
        return Ok(declared.to_vec());
    }
    let question = Question {
        group: vec![Column::OrgDomain],
        measures: vec![Measure::Messages],
        order: vec![(Key::Measure(Measure::Messages), Direction::Descending)],
        limit: Some(RecogniseLimits::default().domains),
        ..Question::default()
    };
    let answer = ledger.ask(&question)?;
    let name = |line: &store::Line| match line.key.first() {
        Some(Value::Text(name)) => Name::parse(name).ok(),
        _ => None,
    };
    Ok(answer.lines.iter().filter_map(name).collect())
}

/// A name that stands in mail: with messages, and the first and the last day.
type Standing = (String, u64, (Day, Day));

/// Names that stand in a column.
fn names_in(ledger: &Ledger, column: Column, days: (Day, Day)) -> Result<Vec<Standing>, Error> {
    let question = Question {
        days: Some(days),
        group: vec![column],
        measures: vec![Measure::Messages, Measure::FirstDay, Measure::LastDay],
        order: vec![(Key::Measure(Measure::Messages), Direction::Descending)],
        limit: Some(NAMES),
        ..Question::default()
    };
    let answer = ledger.ask(&question)?;
    let line = |line: &store::Line| match (&line.key[..], &line.measures[..]) {
        ([Value::Text(name)], [messages, Value::Day(first), Value::Day(last)]) => {
            Some((name.to_string(), number(messages), (*first, *last)))
        }
        _ => None,
    };
    Ok(answer.lines.iter().filter_map(line).collect())
}
