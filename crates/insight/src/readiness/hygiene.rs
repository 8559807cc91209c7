//! G6: whether what is published is in order, by the same rules as `lamppost lint`, over what is known of DNS.

use lint::{About, Severity};
use store::Ledger;

use super::answers::{GateState, See};
use super::assemble::{Draft, Ground};
use crate::Error;
use crate::flows::snapshot::key_days;
use crate::preview::known;

/// Selectors that are looked at.
const SELECTORS_MAX: usize = 50;
/// Findings told.
const TOLD: usize = 8;

pub(super) fn gate(ledger: &Ledger, ground: &Ground<'_>) -> Result<Draft, Error> {
    let mut draft = Draft {
        id: "G6",
        title: "DNS in order",
        state: GateState::Unknown,
        measured: "no DNS records are known".to_owned(),
        needed: "SPF valid with ≤ 10 look-ups, DKIM keys ≥ 1024 bits without t=y, one DMARC record with rua".to_owned(),
        why: Vec::new(),
        flows: Vec::new(),
        see: See::Dns,
    };
    let zone = known(ledger, ground.zone, ground.days.1)?;
    let domain = crate::preview::name(ground.domain)?;
    if !crate::preview::has_records(&zone, &domain) {
        draft.why.push(
            "Let `lamppost serve` watch DNS, or give what stands there: `lamppost readiness --zone FILE`.".to_owned(),
        );
        return Ok(draft);
    }
    let settings = lint::Settings { selectors: selectors(ledger, ground)? };
    let found = dns::now(lint::lint(&zone, &domain, &settings));
    let about =
        |finding: &&lint::Finding| matches!(finding.about, About::Name | About::Spf | About::Dmarc | About::Dkim);
    // What this step is going to change is no reason not to take it, and what was not asked is not wrong.
    let matters = |finding: &&lint::Finding| {
        let step =
            matches!(finding.id, "dmarc-monitoring" | "dmarc-test-mode" | "dmarc-percent" | "dmarc-weaker-below");
        about(finding) && !step && finding.severity != Severity::Notice && !finding.id.ends_with("-unknown")
    };
    let blocks = |finding: &&lint::Finding| finding.severity == Severity::Error || finding.id == "dkim-testing";
    let told: Vec<&lint::Finding> = found.findings.iter().filter(matters).collect();
    let errors = told.iter().copied().filter(|finding| blocks(finding)).count();
    let warnings = told.len() - errors;
    draft.state = match (errors, warnings) {
        (0, 0) => GateState::Pass,
        (0, _) => GateState::Warn,
        _ => GateState::Fail,
    };
    let ending = |n: usize| if n == 1 { "" } else { "s" };
    draft.measured = format!("{errors} error{}, {warnings} warning{}", ending(errors), ending(warnings));
    let sentence = |finding: &&lint::Finding| {
        let mark = if blocks(finding) { "" } else { "Warning: " };
        let fix = if finding.fix.is_empty() { String::new() } else { format!(" Remedy: {}.", finding.fix) };
        format!("{mark}{}.{fix}", finding.what)
    };
    let (bad, rest): (Vec<&lint::Finding>, Vec<_>) = told.into_iter().partition(|finding| blocks(finding));
    draft.why = bad.iter().chain(&rest).take(TOLD).map(sentence).collect();
    Ok(draft)
}

/// The selectors that the domain signed with in these days, those used last first. A signature that never verified may be anybody's, and is no
/// reason to look for its key.
fn selectors(ledger: &Ledger, ground: &Ground<'_>) -> Result<Vec<String>, Error> {
    let mut keys = key_days(ledger, &store::organizational_domain(ground.domain))?;
    keys.retain(|key| key.domain == ground.domain && key.last >= ground.days.0);
    keys.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.selector.cmp(&b.selector)));
    Ok(keys.into_iter().take(SELECTORS_MAX).map(|key| key.selector.to_string()).collect())
}
