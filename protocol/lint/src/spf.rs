//! The findings of an SPF survey, with how bad each is and what to do (RFC 7208 §3, §4.6.4, §5, §10.1).

use dns::{Lookup, Name, RecordType, organizational_domain};
use spf::{Finding as Found, Limits, Step, Survey, survey};

use crate::finding::{About, Finding, Findings, Place, Severity};

/// Surveys the tree.
pub(crate) async fn look<L: Lookup>(lookup: &L, domain: &Name, findings: &mut Vec<Finding>) -> Survey {
    let survey = survey(lookup, domain, &Limits::default()).await;
    let mut findings = Findings { about: About::Spf, all: findings };
    for found in &survey.findings {
        mistakes(&survey, found, &mut findings);
        limits(&survey, found, &mut findings);
        weaknesses(&survey, found, &mut findings);
        untidiness(&survey, found, &mut findings);
    }
    if survey.cut {
        let what = format!("the tree goes on behind lookup {}, and was not followed further", survey.lookups());
        findings.notice("spf-cut", what, "remove includes until ten lookups are left", None);
    }
    survey
}

/// What makes the record useless.
fn mistakes(survey: &Survey, found: &Found, findings: &mut Findings<'_>) {
    match found {
        Found::Faulty(name, errors) => {
            for error in errors {
                let what = format!("the record of {name} has a mistake, so its result is permerror: {error}");
                let place = record(survey, name, |length| error.span.range(length));
                findings.error("spf-syntax", what, "correct the term; nothing of the record counts until then", place);
            }
        }
        Found::Several(name) => findings.error(
            "spf-several-records",
            format!("{name} has more than one SPF record, so its result is permerror"),
            "merge them into one record",
            record(survey, name, |_| 0..0),
        ),
        Found::NoRecord(name, None) => findings.error(
            "spf-missing",
            format!("{name} has no SPF record"),
            "publish `v=spf1 …` with what sends for the domain, or `v=spf1 -all` if nothing does",
            None,
        ),
        Found::NoRecord(name, Some(step)) => findings.error(
            "spf-target-without-record",
            format!(
                "{} leads to {name}, which has no SPF record: permerror for every client that gets there",
                of(step)
            ),
            "remove the term, or correct the name",
            term(survey, step),
        ),
        Found::DnsFailed(name, kind) => findings.error(
            "spf-dns-failure",
            format!("DNS failed on {name} {kind}: mail is put off (temperror) while this lasts"),
            "look at the name's servers; if the name is given up, remove the term",
            None,
        ),
        Found::Loop(step) => findings.error(
            "spf-loop",
            format!("{} leads back to a record that leads to it: permerror", of(step)),
            "remove the term",
            term(survey, step),
        ),
        Found::MechanismAsModifier(step) => findings.error(
            "spf-mechanism-as-modifier",
            format!("{} is read as a modifier that nobody knows, and has no effect", of(step)),
            "write `:` where it has `=`",
            term(survey, step),
        ),
        _ => {}
    }
}

/// What spends the limits.
fn limits(survey: &Survey, found: &Found, findings: &mut Findings<'_>) {
    let limits = survey.limits();
    match found {
        Found::TooManyLookups(step) => {
            let spent: Vec<&str> =
                survey.asking.iter().take(usize::from(limits.lookups_max)).map(|step| &*step.text).collect();
            let (nth, max) = (limits.lookups_max + 1, limits.lookups_max);
            let what = format!(
                "{} is lookup {nth}, and {max} are allowed: permerror for every client that gets there. The {max} were spent by {}",
                of(step),
                spent.join(", ")
            );
            let fix = "remove what sends no more, or replace includes by the networks that are used";
            findings.error("spf-too-many-lookups", what, fix, term(survey, step));
        }
        // A host with addresses of one family only is void for clients of the other; that matters where it happens too often, and is
        // said there. What has neither is said here, once.
        Found::Void(step, name, RecordType::A) if is_void(survey, step, name, RecordType::Aaaa) => {
            let what = format!("{} asks for {name}, where there is nothing: a void lookup", of(step));
            findings.notice("spf-void", what, "remove the term if the name is gone", term(survey, step));
        }
        Found::Void(step, name, RecordType::Mx | RecordType::Txt) => {
            let what = format!("{} asks for {name}, where there is nothing: a void lookup", of(step));
            findings.notice("spf-void", what, "remove the term if the name is gone", term(survey, step));
        }
        Found::TooManyVoids(kind, count) => {
            let spent = survey.findings.iter().filter_map(|found| match found {
                Found::Void(step, _, of_kind) if of_kind == kind || *of_kind == RecordType::Mx => Some(&*step.text),
                _ => None,
            });
            let mut spent: Vec<&str> = spent.collect();
            spent.dedup();
            let (severity, clients) =
                if *kind == RecordType::A { (Severity::Error, "IPv4") } else { (Severity::Warning, "IPv6") };
            let what = format!(
                "{count} lookups have no answer for {clients} clients ({}), and {} are allowed: permerror for a client that gets past them",
                spent.join(", "),
                limits.voids_max
            );
            let fix = "remove the terms whose names are gone, and move networks in front of names";
            findings.add(severity, "spf-too-many-voids", what, fix, None);
        }
        Found::TooManyMxHosts(step, hosts) => findings.error(
            "spf-too-many-mx-hosts",
            format!("{} has {hosts} hosts, and {} are allowed: permerror", of(step), limits.mx_hosts_max),
            "name the networks instead",
            term(survey, step),
        ),
        Found::LongAnswer(name, octets) => findings.notice(
            "spf-long-answer",
            format!("the TXT records of {name} have {octets} octets with the name: answers may need TCP"),
            "remove TXT records that served once to prove ownership",
            record(survey, name, |_| 0..0),
        ),
        _ => {}
    }
}

/// What works, and is weaker than it looks.
fn weaknesses(survey: &Survey, found: &Found, findings: &mut Findings<'_>) {
    match found {
        Found::PassAll(step) => findings.error(
            "spf-pass-all",
            format!("{} lets everybody send for the domain", of(step)),
            "write `-all`, or `~all` while you still look for senders",
            term(survey, step),
        ),
        Found::NobodyFails(name) => findings.warning(
            "spf-nobody-fails",
            format!("nobody fails the record of {name}: it says nothing about those it does not name"),
            "end it with `-all` or `~all`",
            record(survey, name, |_| 0..0),
        ),
        Found::Ptr(step) => findings.warning(
            "spf-ptr",
            format!("{} uses the names of the client's address: slow, unreliable, and “SHOULD NOT be published” (RFC 7208 §5.5)", of(step)),
            "name the networks instead",
            term(survey, step),
        ),
        Found::Wide(step, bits) => findings.warning(
            "spf-wide-network",
            format!("{} names a network of /{bits}: more addresses than any one sender needs, others among them", of(step)),
            "name the networks that send",
            term(survey, step),
        ),
        Found::NeverReached(step) => findings.warning(
            "spf-never-reached",
            format!("{} is never looked at, because of `all`", of(step)),
            "move it in front of `all`, or remove it",
            term(survey, step),
        ),
        _ => {}
    }
}

/// What could be shorter. Only in records of the domain's own organization: nobody can tidy those of others.
fn untidiness(survey: &Survey, found: &Found, findings: &mut Findings<'_>) {
    let (Found::Covered(step, _) | Found::Overlap(step, _) | Found::HostBits(step)) = found else { return };
    let own = survey.records.first().map(|record| organizational_domain(&record.domain));
    if own != Some(organizational_domain(&step.domain)) {
        return;
    }
    match found {
        Found::Covered(step, before) => findings.notice(
            "spf-covered",
            format!("{} names nothing that {} has not named before", of(step), of(before)),
            "remove it",
            term(survey, step),
        ),
        Found::Overlap(step, before) => findings.notice(
            "spf-overlap",
            format!("{} names some of what {} has named before", of(step), of(before)),
            "",
            term(survey, step),
        ),
        Found::HostBits(step) => findings.notice(
            "spf-host-bits",
            format!("{} has bits behind its prefix: it counts as the whole network", of(step)),
            "write the network's first address, or a longer prefix if one host is meant",
            term(survey, step),
        ),
        _ => {}
    }
}

/// Whether the term asks for a name that has no such records.
fn is_void(survey: &Survey, step: &Step, name: &Name, kind: RecordType) -> bool {
    let this =
        |found: &Found| matches!(found, Found::Void(other, asked, of) if other == step && asked == name && *of == kind);
    survey.findings.iter().any(this)
}

fn of(step: &Step) -> String {
    format!("`{}` of {}", step.text, step.domain)
}

/// The place of a term.
fn term(survey: &Survey, step: &Step) -> Option<Place> {
    let surveyed = survey.records.iter().find(|record| record.domain == step.domain)?;
    let record = spf::Record::parse(&surveyed.text).ok()?;
    let span = record.terms().get(usize::from(step.term))?.span.range(surveyed.text.len());
    Some(Place { name: surveyed.domain.clone(), record: surveyed.text.clone(), span })
}

/// A place in the record of a name.
fn record(survey: &Survey, name: &Name, span: impl FnOnce(usize) -> std::ops::Range<usize>) -> Option<Place> {
    let surveyed = survey.records.iter().find(|record| record.domain == *name)?;
    let span = span(surveyed.text.len());
    Some(Place { name: surveyed.domain.clone(), record: surveyed.text.clone(), span })
}
