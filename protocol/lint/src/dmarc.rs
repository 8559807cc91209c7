//! The policy that counts for a domain, what is wrong with its record, and whether its reports arrive (RFC 9989 §4.7, §4.10, §5.4;
//! RFC 9990 §4).

use dmarc::{Discovery, Policy, PolicyAt, Problem, Published, Record, Selection, Walker};
use dns::{Data, Lookup, Name, RecordType, Response};

use crate::Lint;
use crate::finding::{About, Finding, Findings, Place};
use crate::text::text_of;

/// Walks the tree, and asks the hosts that reports go to whether they take them.
pub(crate) async fn look<L: Lookup>(lookup: &L, domain: &Name, findings: &mut Vec<Finding>) -> Discovery {
    let mut findings = Findings { about: About::Dmarc, all: findings };
    let mut walker = Walker::new(lookup);
    let discovery = walker.walk(domain).await;
    near_misses(&discovery, &mut findings);
    if let Some(step) = discovery.failure() {
        let what =
            format!("DNS failed on _dmarc.{}: receivers put mail off, or take it without a verdict", step.domain);
        findings.error("dmarc-dns-failure", what, "look at the name's servers", None);
    }
    match discovery.published() {
        Some((name, published, at)) => {
            let place = |span| Some(Place { name: record_name(name), record: published.text.as_bytes().into(), span });
            problems(published, &place, &mut findings);
            policies(domain, name, published, at, &mut findings);
            destinations(&mut walker, lookup, name, published, &mut findings).await;
        }
        None if discovery.failure().is_none() => {
            let what = format!(
                "no DMARC record counts for {domain}: anybody can use it as author domain, and nobody reports it"
            );
            let fix = "publish `_dmarc TXT \"v=DMARC1; p=none; rua=mailto:…\"`, look at the reports, then tighten";
            findings.error("dmarc-missing", what, fix, None);
        }
        None => {}
    }
    discovery
}

fn record_name(domain: &Name) -> Name {
    domain.child("_dmarc").unwrap_or_else(|_| domain.clone())
}

/// Records that do not count, though they were meant to.
fn near_misses(discovery: &Discovery, findings: &mut Findings<'_>) {
    for step in &discovery.steps {
        let name = record_name(&step.domain);
        let place = |text: &str| Some(Place { name: name.clone(), record: text.as_bytes().into(), span: 0..0 });
        match step.selection.as_deref() {
            Some(Selection::Several(texts)) => {
                let what = format!("{name} has several DMARC records, so none of them counts");
                findings.error("dmarc-several-records", what, "leave one", texts.first().and_then(|text| place(text)));
            }
            Some(Selection::Nothing(near)) => {
                for (text, why) in near {
                    let what = format!("a text at {name} is no DMARC record: {why}");
                    findings.error("dmarc-not-a-record", what, "correct it, or take it away", place(text));
                }
            }
            _ => {}
        }
    }
}

/// What is wrong with the record itself.
fn problems(
    published: &Published,
    place: &impl Fn(std::ops::Range<usize>) -> Option<Place>,
    findings: &mut Findings<'_>,
) {
    for found in &published.findings {
        // Said with what follows from it, below.
        let is_percent = matches!(found.problem, Problem::Historic(_))
            && published.text.get(found.span.clone()).is_some_and(|tag| tag.starts_with("pct"));
        if is_percent && published.record.percent.is_some_and(|percent| percent < 100) {
            continue;
        }
        let (what, at) = (found.to_string(), place(found.span.clone()));
        if found.problem.is_error() {
            findings.error("dmarc-tag", what, "correct the tag", at);
        } else {
            findings.notice("dmarc-tag-odd", what, "", at);
        }
    }
}

/// Whether the record does what it looks like.
fn policies(domain: &Name, at_name: &Name, published: &Published, at: PolicyAt, findings: &mut Findings<'_>) {
    let record = &published.record;
    let place = |tag: &str| {
        let span = tag_span(&published.text, tag);
        Some(Place { name: record_name(at_name), record: published.text.as_bytes().into(), span })
    };
    let policy = record.policy.policy().unwrap_or(Policy::None);
    if policy == Policy::None {
        let what = "p=none: mail that fails is delivered as if nothing were wrong".to_owned();
        let fix = "bring all senders to pass, then p=quarantine, then p=reject";
        findings.warning("dmarc-monitoring", what, fix, place("p"));
    }
    let below = [("sp", record.subdomain_policy.policy()), ("np", record.nonexistent_policy.policy())];
    for (tag, weaker) in
        below.into_iter().filter_map(|(tag, below)| below.filter(|below| *below < policy).map(|below| (tag, below)))
    {
        let whose = if tag == "sp" { "subdomains" } else { "names that do not exist" };
        let what = format!("{tag}={weaker} is weaker than p={policy}: {whose} can be used as author domain");
        findings.warning("dmarc-weaker-below", what, "remove the tag once their senders pass", place(tag));
    }
    if record.test_mode && policy != Policy::None {
        let what = format!(
            "t=y: receivers that follow RFC 9989 act as if it said p={}; those that follow RFC 7489 do not know t",
            policy.one_level_lower()
        );
        findings.notice("dmarc-test-mode", what, "remove t=y when the test is over", place("t"));
    }
    if let Some(percent) = record.percent.filter(|percent| *percent < 100)
        && policy != Policy::None
    {
        let what = format!(
            "pct={percent}: receivers that follow RFC 7489 apply the policy to {percent} % of failing mail, those that follow RFC 9989 to all of it"
        );
        findings.warning(
            "dmarc-percent",
            what,
            "tighten in other steps: t=y, a subdomain, quarantine before reject",
            place("pct"),
        );
    }
    if record.aggregate_uris.is_empty() {
        let what = "there is no rua: nobody tells you who sends in your name".to_owned();
        findings.error("dmarc-no-rua", what, "add rua=mailto: with the address that reports are read from", place("v"));
    }
    if at != PolicyAt::Author {
        let (tag, counts) = effective_below(record, policy);
        let what = format!("{domain} has no record of its own: {tag}={counts} of {at_name} counts for it");
        findings.notice("dmarc-inherited", what, "", None);
    }
}

/// Which tag of a record counts for an existing subdomain.
fn effective_below(record: &Record, policy: Policy) -> (&'static str, Policy) {
    record.subdomain_policy.policy().map_or(("p", policy), |below| ("sp", below))
}

/// The bytes of a tag with its value.
fn tag_span(text: &str, tag: &str) -> std::ops::Range<usize> {
    let mut start = 0;
    for part in text.split(';') {
        if part.split_once('=').is_some_and(|(name, _)| name.trim() == tag) {
            let lead = part.len() - part.trim_start().len();
            return start + lead..start + part.trim_end().len();
        }
        start += part.len() + 1;
    }
    0..0
}

/// RFC 9990 §4: whether those whom reports are to go to have agreed.
async fn destinations<L: Lookup>(
    walker: &mut Walker<'_, L>,
    lookup: &L,
    at_name: &Name,
    published: &Published,
    findings: &mut Findings<'_>,
) {
    let ours = walker.walk(at_name).await.organizational_domain;
    let uris = published.record.aggregate_uris.iter().map(|uri| ("rua", uri));
    let uris = uris.chain(published.record.failure_destinations().iter().map(|uri| ("ruf", uri)));
    let mut asked: Vec<Name> = Vec::new();
    for (tag, uri) in uris {
        let host = uri.mailbox.as_ref().and_then(|mailbox| Name::from_dotted(mailbox.domain.as_str().as_bytes()).ok());
        let Some(host) = host else { continue };
        if asked.contains(&host) {
            continue;
        }
        asked.push(host.clone());
        // "the Organizational Domain of the host … is not identical to the Organizational Domain" of the policy record.
        let theirs = walker.walk(&host).await.organizational_domain;
        if theirs.is_some() && theirs == ours {
            continue;
        }
        let place = Some(Place {
            name: record_name(at_name),
            record: published.text.as_bytes().into(),
            span: tag_span(&published.text, tag),
        });
        let labels = at_name.labels().chain([b"_report".as_slice(), b"_dmarc"]).chain(host.labels());
        let Ok(name) = Name::from_labels(labels) else {
            let what = format!("{host} cannot allow reports about {at_name}: the name to say so at would be too long");
            findings.error("dmarc-destination", what, "name another address", place);
            continue;
        };
        let fix = format!("publish at {host}: `{name} TXT \"v=DMARC1\"`, or name an address of your own domain");
        match lookup.lookup(&name, RecordType::Txt).await {
            Response::ServFail(_) | Response::Timeout => {
                let what = format!("whether {host} takes reports about {at_name} is not known: DNS failed on {name}");
                findings.warning("dmarc-destination-unknown", what, "look at the name's servers", place);
            }
            response if response.records().iter().any(allows) => {}
            _ => {
                let what =
                    format!("{host} has not said that it takes reports about {at_name}, so reporters send none there");
                findings.error("dmarc-destination", what, &fix, place);
            }
        }
    }
}

/// RFC 9990 §4: "v=DMARC1" is enough; what follows may name another address.
fn allows(data: &Data) -> bool {
    let Data::Txt(text) = data else { return false };
    Record::parse(text).is_ok()
}

impl Lint {
    /// What counts for the domain, in lines.
    pub(crate) fn dmarc_lines(&self, out: &mut String) -> std::fmt::Result {
        use std::fmt::Write as _;
        match self.dmarc.published() {
            Some((name, published, at)) => {
                let whose = match at {
                    PolicyAt::Author => "its own record".to_owned(),
                    PolicyAt::Organizational => format!("the record of its organizational domain {name}"),
                    PolicyAt::PublicSuffix => format!("the record of its public suffix domain {name}"),
                };
                writeln!(out, "DMARC    {whose}\n         {}", text_of(published.text.as_bytes()))
            }
            None => writeln!(out, "DMARC    no record"),
        }
    }
}
