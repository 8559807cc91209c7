//! What a survey of SPF records found, with its weight and what to do: RFC 7208 §4.6.4, §5, §10.1.
//!
//! In: findings with the term that each is about. Out: findings as inventories tell them.

use spf::{Finding, Survey};

use super::spf_tree::Term;
use super::{InventoryFinding, Weight};

/// Whether a finding is about a term.
pub(super) fn about(found: &Finding, term: &Term) -> bool {
    let Some((domain, _)) = term.path.last() else { return false };
    let (Finding::Void(step, ..)
    | Finding::Wide(step, _)
    | Finding::Covered(step, _)
    | Finding::Overlap(step, _)
    | Finding::PassAll(step)
    | Finding::Ptr(step)
    | Finding::Loop(step)
    | Finding::NeverReached(step)
    | Finding::HostBits(step)
    | Finding::TooManyMxHosts(step, _)
    | Finding::NoRecord(_, Some(step))
    | Finding::MechanismAsModifier(step)) = found
    else {
        return false;
    };
    step.domain == *domain && step.term == term.at
}

/// Name, weight, what was found, what to do.
type Told = (&'static str, Weight, String, &'static str);

/// What the survey found about a term; `own` says whether it stands in the domain's own record.
pub(super) fn of_term(found: &Finding, own: bool) -> Option<InventoryFinding> {
    let (id, weight, what, remedy) = addresses(found).or_else(|| mistakes(found))?;
    // Somebody else's record is theirs to mend.
    let remedy = if own { remedy.to_owned() } else { format!("{remedy}: whoever publishes that record can") };
    Some(InventoryFinding::new(id, weight, what, remedy))
}

/// What a term names, and has been named already or is too much.
fn addresses(found: &Finding) -> Option<Told> {
    Some(match found {
        Finding::Covered(_, before) => (
            "spf-covered",
            Weight::Watch,
            format!("everything it names, {} has named before", before.text),
            "remove it",
        ),
        Finding::Overlap(_, before) => (
            "spf-overlap",
            Weight::Note,
            format!("some of what it names, {} has named before", before.text),
            "name each network once",
        ),
        Finding::Wide(_, bits) => (
            "spf-wide",
            Weight::Watch,
            format!("a /{bits} lets very many addresses send as the domain"),
            "name only the networks that send",
        ),
        Finding::Void(_, name, kind) => (
            "spf-void",
            Weight::Watch,
            format!("asks for {name} {kind}, where there is nothing"),
            "remove the term if the name is gone",
        ),
        _ => return None,
    })
}

/// What makes a term useless or harmful.
fn mistakes(found: &Finding) -> Option<Told> {
    Some(match found {
        Finding::NoRecord(name, _) => (
            "spf-no-target",
            Weight::Act,
            format!("{name} has no SPF record: a permanent error for whoever comes that far"),
            "remove the term, or correct the name",
        ),
        Finding::Loop(_) => {
            ("spf-loop", Weight::Act, "leads back to a record that leads to it".to_owned(), "remove the term")
        }
        Finding::Ptr(_) => (
            "spf-ptr",
            Weight::Watch,
            "ptr is slow and should not be published (RFC 7208 §5.5)".to_owned(),
            "name the networks instead",
        ),
        Finding::PassAll(_) => {
            ("spf-pass-all", Weight::Act, "everybody passes".to_owned(), "end the record with ~all or -all")
        }
        Finding::NeverReached(_) => (
            "spf-behind-all",
            Weight::Watch,
            "stands behind all, and is never evaluated".to_owned(),
            "move it before all, or remove it",
        ),
        Finding::HostBits(_) => (
            "spf-host-bits",
            Weight::Note,
            "the address has bits behind its prefix".to_owned(),
            "write the first address of the network",
        ),
        Finding::TooManyMxHosts(_, hosts) => (
            "spf-mx-hosts",
            Weight::Act,
            format!("{hosts} hosts, and ten are allowed: a permanent error"),
            "name their networks instead",
        ),
        Finding::MechanismAsModifier(_) => (
            "spf-modifier",
            Weight::Act,
            "read as a modifier that nobody knows: it has no effect".to_owned(),
            "write `:` where it has `=`",
        ),
        _ => return None,
    })
}

/// What the survey found about the whole.
pub(super) fn of_record(found: &Finding, survey: &Survey) -> Option<InventoryFinding> {
    let (id, weight, what, remedy): Told = match found {
        Finding::TooManyLookups(step) => (
            "spf-lookup-limit",
            Weight::Act,
            format!(
                "{} look-ups, and {} are allowed: a permanent error from {} on",
                survey.lookups(),
                survey.limits().lookups_max,
                step.text
            ),
            "remove what buys nothing, or let services bounce to names below the domain, which have ten look-ups of their own",
        ),
        Finding::NoRecord(name, None) => (
            "spf-missing",
            Weight::Act,
            format!("{name} has no SPF record"),
            "publish one: `v=spf1 -all` if nothing sends",
        ),
        Finding::Several(name) => (
            "spf-several",
            Weight::Act,
            format!("{name} has more than one SPF record: a permanent error"),
            "merge them into one",
        ),
        Finding::Faulty(name, errors) => {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            (
                "spf-syntax",
                Weight::Act,
                format!("the record of {name} has a mistake: {first}"),
                "correct it; nothing of the record counts until then",
            )
        }
        Finding::DnsFailed(name, kind) => (
            "spf-unknown",
            Weight::Note,
            format!("what {name} {kind} gives was not seen"),
            "nothing, if the next look sees it",
        ),
        Finding::TooManyVoids(kind, voids) => {
            let family = if kind.as_str() == "A" { "IPv4" } else { "IPv6" };
            (
                "spf-voids",
                Weight::Act,
                format!("{voids} questions without an answer for {family} clients, and two are allowed"),
                "remove the names that are gone",
            )
        }
        Finding::NobodyFails(_) => {
            ("spf-neutral", Weight::Watch, "nobody fails".to_owned(), "end the record with ~all or -all")
        }
        Finding::LongAnswer(name, octets) => (
            "spf-long",
            Weight::Note,
            format!("the answer at {name} has {octets} octets: it may not fit into one packet"),
            "move other TXT records elsewhere, or shorten it",
        ),
        _ => return None,
    };
    Some(InventoryFinding::new(id, weight, what, remedy))
}
