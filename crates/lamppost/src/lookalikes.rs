//! Looking for names that could be taken for ours: which of them exist, in `serve` a part an hour, and by hand all at once.
//!
//! In: `[lookalikes]`, candidates, DNS. Out: states, and in `serve` what changed in the ledger. A name that does not exist costs one
//! question; names that exist are looked at once a day, all others once a week, within a number of names a day.

use std::sync::Arc;
use std::time::Duration;

use dns::{Data, Lookup, Name, RecordType, Response, Suffixes};
use futures_util::{StreamExt, stream};
use insight::LookalikeState;
use lookalike::{Brand, Candidate, Limits, Words, generate};
use resolver::{Cache, CacheLimits, Network, NetworkLimits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Ledger, LookalikeLook, LookalikePass};

use crate::config::Config;
use crate::enrichment;
use crate::organisation::names;

/// `[lookalikes]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Whether `serve` looks by itself which names exist that could be taken for ours. It asks DNS for thousands of names: choose a
    /// resolver that may be asked so much.
    pub(crate) watch: bool,
    /// The domains whose look-alikes are looked for; empty: those of organisation.domains.
    pub(crate) domains: Vec<String>,
    /// Words to try beside their names, with the usual ones: names of products, for example.
    pub(crate) words: Vec<String>,
    /// Names that are asked for a day, for all domains together.
    pub(crate) names_a_day: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { watch: false, domains: Vec::new(), words: Vec::new(), names_a_day: 20_000 }
    }
}

impl Settings {
    /// What was meant, or the first mistake.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.names().map(drop)
    }

    fn names(&self) -> anyhow::Result<Vec<Name>> {
        names("lookalikes.domains", &self.domains)
    }
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It exists.
    Found(LookalikeState),
    /// It does not.
    Absent,
    /// DNS did not answer.
    Failed,
}

/// Names under way at once: a resolver nearby answers in some 30 ms, so that 32 make a thousand a second.
const AT_ONCE: usize = 32;
/// Servers and name servers that are kept of one name.
const HOSTS: usize = 8;
/// Bytes of a record that are kept.
const RECORD_BYTES: usize = 500;

/// Looks at names, many at a time; what came of each, in their order.
pub(crate) async fn look_at<L: Lookup>(dns: &L, all: &[Candidate], mut done: impl FnMut(u64)) -> Vec<Looked> {
    let mut looks = stream::iter(all.iter().map(|candidate| look(dns, &candidate.name))).buffered(AT_ONCE);
    let mut looked = Vec::with_capacity(all.len());
    while let Some(one) = looks.next().await {
        looked.push(one);
        done(looked.len() as u64);
    }
    looked
}

/// Looks at one name. Where nothing at all is found below a name that answers, nobody uses it.
async fn look<L: Lookup>(dns: &L, name: &Name) -> Looked {
    let a = dns.lookup(name, RecordType::A).await;
    match a {
        // RFC 8020 §2: "there is nothing underneath".
        Response::NxDomain { .. } => return Looked::Absent,
        Response::Found(_) | Response::NoData { .. } => {}
        _ => return Looked::Failed,
    }
    let mut state = LookalikeState { web: !a.records().is_empty(), ..LookalikeState::default() };
    let mx = dns.lookup(name, RecordType::Mx).await;
    let ns = dns.lookup(name, RecordType::Ns).await;
    let txt = dns.lookup(name, RecordType::Txt).await;
    let aaaa = if state.web { None } else { Some(dns.lookup(name, RecordType::Aaaa).await) };
    if [Some(&mx), Some(&ns), Some(&txt), aaaa.as_ref()].into_iter().flatten().any(failed) {
        return Looked::Failed;
    }
    state.web |= aaaa.is_some_and(|aaaa| !aaaa.records().is_empty());
    // RFC 7505 §3: a null MX says that the name takes no mail.
    let host = |data: &Data| match data {
        Data::Mx(_, host) if !host.is_root() => Some(host.to_string()),
        Data::Ns(host) => Some(host.to_string()),
        _ => None,
    };
    let hosts = |answer: &Response| {
        let mut hosts: Vec<String> = answer.records().iter().filter_map(host).collect();
        hosts.sort_unstable();
        hosts.truncate(HOSTS);
        hosts
    };
    (state.mx, state.ns) = (hosts(&mx), hosts(&ns));
    state.spf = record(&txt, "v=spf1");
    if let Ok(place) = name.child("_dmarc") {
        state.dmarc = record(&dns.lookup(&place, RecordType::Txt).await, "v=DMARC1");
    }
    if state == LookalikeState::default() { Looked::Absent } else { Looked::Found(state) }
}

fn failed(answer: &Response) -> bool {
    !matches!(answer, Response::Found(_) | Response::NoData { .. } | Response::NxDomain { .. })
}

/// The first record that begins so.
fn record(answer: &Response, begin: &str) -> Option<String> {
    let text = |data: &Data| match data {
        Data::Txt(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let head = text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin));
            head.then(|| text[..text.floor_char_boundary(RECORD_BYTES)].to_owned())
        }
        _ => None,
    };
    answer.records().iter().find_map(text)
}

/// Between two parts of a day.
const PART: Duration = Duration::from_hours(1);
/// Names that exist are looked at so often.
const EXISTING: i64 = 86_400;
/// And all others so often.
const WEEK: i64 = 7 * 86_400;

/// Looks as long as the program runs: through the names in our mail always, into DNS where that is switched on.
pub(crate) async fn keep_looking(ledger: Ledger, config: Config) {
    let dns = match config.lookalikes.watch.then(|| Network::system(NetworkLimits::default())) {
        Some(Ok(network)) => Some(Cache::new(network, CacheLimits::default())),
        Some(Err(error)) => {
            tracing::error!("look-alikes are not looked for: {error}");
            None
        }
        None => None,
    };
    let config = Arc::new(config);
    loop {
        let (seen_in, of) = (ledger.clone(), Arc::clone(&config));
        let seen = tokio::task::spawn_blocking(move || in_our_mail(&seen_in, &of)).await;
        if let Ok(Err(error)) = seen {
            tracing::warn!("our mail was not looked through for look-alikes, and is in an hour: {error:#}");
        }
        if let Some(dns) = &dns {
            let budget = usize::try_from(config.lookalikes.names_a_day / 24).unwrap_or(usize::MAX).max(1);
            let now = jiff::Timestamp::now().as_second();
            match part(&ledger, &config, dns, budget, now).await {
                Ok(Part { changed, .. }) if changed > 0 => tracing::info!("{changed} look-alikes have changed"),
                Ok(_) => {}
                Err(error) => tracing::warn!("look-alikes were not looked for, and are in an hour: {error:#}"),
            }
        }
        tokio::time::sleep(PART).await;
    }
}

fn in_our_mail(ledger: &Ledger, config: &Config) -> anyhow::Result<usize> {
    let (names, catalogue) = (config.organisation.names()?, enrichment::catalogue(&config.enrichment)?);
    Ok(insight::refresh_seen_lookalikes(ledger, &names, &catalogue)?)
}

/// What a part of a day did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Names that were asked for.
    pub(crate) asked: usize,
    /// States that are other ones than before.
    pub(crate) changed: u64,
}

/// One part: names that exist and are due, then the next ones of each domain's pass, within a number of names.
pub(crate) async fn part<L: Lookup>(
    ledger: &Ledger,
    config: &Config,
    dns: &L,
    budget: usize,
    now: i64,
) -> anyhow::Result<Part> {
    let mut names = config.lookalikes.names()?;
    if names.is_empty() {
        names = config.organisation.names()?;
    }
    let mut words = Words::default();
    words.words.extend(config.lookalikes.words.iter().map(|word| word.to_lowercase()));
    let suffixes = Suffixes::default();
    let mut brands: Vec<Brand> = names.iter().filter_map(|name| Brand::new(name, &suffixes).ok()).collect();
    brands.sort_by(|a, b| a.name().cmp(b.name()));
    brands.dedup();
    let own: Vec<Name> = brands.iter().map(|brand| brand.name().clone()).collect();
    let mut done = Part::default();
    // Each has its share; what one leaves over, the next ones have.
    for (at, brand) in brands.iter().enumerate() {
        let left = budget.saturating_sub(done.asked).div_ceil(brands.len() - at);
        let one = of_domain(ledger, (brand, &words, &own), dns, left, now).await?;
        done.asked += one.asked;
        done.changed += one.changed;
    }
    Ok(done)
}

async fn of_domain<L: Lookup>(
    ledger: &Ledger,
    (brand, words, own): (&Brand, &Words, &[Name]),
    dns: &L,
    budget: usize,
    now: i64,
) -> anyhow::Result<Part> {
    let domain = brand.name().to_string();
    let due: std::collections::HashSet<String> = ledger
        .lookalikes(Some(&domain))?
        .into_iter()
        .filter(|entry| entry.state.is_some() && entry.looked_at <= now - EXISTING)
        .map(|entry| entry.name)
        .collect();
    let mut pass = ledger.lookalike_pass(&domain)?.unwrap_or_default();
    // A pass that ended rests until a week after.
    let goes_on = pass.passes == 0 || pass.place > 0 || pass.looked_at <= now - WEEK;
    if due.is_empty() && !goes_on {
        return Ok(Part::default());
    }
    let (brand, words) = (brand.clone(), words.clone());
    let mut all = tokio::task::spawn_blocking(move || generate(&brand, &words, &Limits::default())).await?;
    all.retain(|candidate| !own.iter().any(|own| candidate.name.is_subdomain_of(own)));
    let mut these: Vec<Candidate> =
        all.iter().filter(|candidate| due.contains(&candidate.name.to_string())).take(budget).cloned().collect();
    if goes_on {
        let from = usize::try_from(pass.place).unwrap_or(usize::MAX).min(all.len());
        let to = from.saturating_add(budget - these.len()).min(all.len());
        these.extend_from_slice(&all[from..to]);
        let ended = to == all.len();
        pass = LookalikePass {
            place: if ended { 0 } else { to as u64 },
            passes: pass.passes + u64::from(ended),
            looked_at: now,
        };
    }
    let looked = look_at(dns, &these, |_| {}).await;
    let looks = these.iter().zip(looked).filter_map(|(candidate, looked)| {
        let state = match looked {
            Looked::Failed => return None,
            Looked::Absent => None,
            Looked::Found(state) => Some(insight::lookalike_text(candidate, &state)),
        };
        Some(LookalikeLook { name: candidate.name.to_string(), state })
    });
    let looks: Vec<LookalikeLook> = looks.collect();
    let changed = ledger.note_lookalikes(&domain, &looks, Some(pass), now)?;
    Ok(Part { asked: these.len(), changed })
}

#[cfg(test)]
mod tests {
    use dns::{Zone, now};

    use super::*;

    const ZONE: &str = "$ORIGIN .\n$TTL 60\n\
        paypa1.com. NS ns.bad.test.\npaypa1.com. MX 10 mx.bad.test.\npaypa1.com. TXT \"v=spf1 mx -all\"\n\
        _dmarc.paypa1.com. TXT \"v=DMARC1; p=none\"\n\
        paypal.net. A 192.0.2.1\npaypal.net. MX 0 .\n\
        ;@ servfail paypal.org\n";

    fn zone(text: &str) -> Zone {
        let mut zone = Zone::new();
        zone.read(text).unwrap();
        zone
    }

    fn state_of(text: &str, name: &str) -> Looked {
        now(look(&zone(text), &Name::parse(name).unwrap()))
    }

    #[test]
    fn a_name_is_seen_as_it_is() {
        let Looked::Found(state) = state_of(ZONE, "paypa1.com") else { panic!() };
        assert_eq!((&state.mx[..], state.web), (&["mx.bad.test".to_owned()][..], false));
        assert_eq!(state.spf.as_deref(), Some("v=spf1 mx -all"));
        assert_eq!(state.dmarc.as_deref(), Some("v=DMARC1; p=none"));
        let Looked::Found(state) = state_of(ZONE, "paypal.net") else { panic!() };
        assert_eq!((state.mx.len(), state.web), (0, true), "a null MX takes no mail");
        assert_eq!(state_of(ZONE, "paypal.xyz"), Looked::Absent);
        assert_eq!(state_of(ZONE, "paypal.org"), Looked::Failed, "a failure is not an absence");
    }

    #[tokio::test]
    async fn a_pass_goes_on_where_it_stood_and_what_exists_is_looked_at_daily() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let mut config = Config::default();
        config.lookalikes.domains = vec!["paypal.com".to_owned()];
        let start = 1_800_000_000;
        let first = zone(ZONE);
        let mut asked = 0;
        let mut parts = 0;
        while ledger.lookalike_pass("paypal.com").unwrap().is_none_or(|pass| pass.passes == 0) {
            asked += part(&ledger, &config, &first, 2_000, start + parts).await.unwrap().asked;
            parts += 1;
            assert!(parts < 20, "a pass ends");
        }
        assert!(asked > 2_000 && parts > 1, "{asked} names in {parts} parts");
        let names = |ledger: &Ledger| -> Vec<String> {
            ledger.lookalikes(None).unwrap().into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(&ledger), ["paypa1.com", "paypal.net"]);
        let rest = part(&ledger, &config, &first, 2_000, start + 60).await.unwrap();
        assert_eq!(rest, Part::default(), "all is looked at");
        let next = zone(&ZONE.replace("paypal.net. MX 0 .", "paypal.net. MX 5 mx.bad.test."));
        let day = part(&ledger, &config, &next, 2_000, start + EXISTING + 60).await.unwrap();
        assert_eq!(day, Part { asked: 2, changed: 1 }, "a day later, those that exist");
        let changes = insight::lookalike_changes(&ledger, start + EXISTING, start + EXISTING + 60).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!((&*changes[0].what, changes[0].alert), ("it takes mail", true));
        let more = zone(&format!("{ZONE}paypal.xyz. A 192.0.2.9\n"));
        let mut week = start + WEEK + 60;
        while names(&ledger).len() < 3 {
            part(&ledger, &config, &more, 60_000, week).await.unwrap();
            week += 1;
            assert!(week < start + WEEK + 90, "a week later all are looked at again");
        }
        let all = insight::lookalikes(&ledger, None, week).unwrap();
        let appeared = all.lines.iter().find(|line| line.name == "paypal.xyz").unwrap();
        assert!(appeared.appeared && appeared.parts.iter().any(|part| part.what == "is new"), "{appeared:?}");
        assert!(all.changes[0].what.starts_with("it is new") && all.changes[0].alert, "{:?}", all.changes[0]);
    }
}
