//! What outcomes, dispositions and groupings are called, and which of the palette's places each has.
//!
//! One table for charts, chips, tables and exports, so that a class looks and reads the same wherever it stands.

use insight::{Dispositions, FlowClass, GroupBy};
use report::{Disposition, Outcome};

/// How one class is drawn and named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    /// Style class: the colour.
    pub(crate) fill: &'static str,
    /// Pattern drawn over the colour; `None` is solid.
    pub(crate) pattern: Option<&'static str>,
    /// One or two words, as on a chip.
    pub(crate) name: &'static str,
    /// The sentence behind the name.
    pub(crate) about: &'static str,
}

/// How an outcome is drawn and named.
pub(crate) fn outcome(outcome: Outcome) -> Class {
    let (fill, pattern, name, about) = match outcome {
        Outcome::Both => ("o-both", None, "Aligned both", "DKIM and SPF both aligned"),
        Outcome::DkimOnly => ("o-dkim", None, "DKIM only", "aligned DKIM alone: survives forwarding"),
        Outcome::SpfOnly => ("o-spf", Some("p-dots"), "SPF only", "aligned SPF alone: breaks when forwarded"),
        Outcome::Forwarded => {
            ("o-fwd", Some("p-bars"), "Forwarded", "fails; the receiver says it came through a forwarder or a list")
        }
        Outcome::Unaligned => (
            "o-third",
            Some("p-fall"),
            "Unaligned",
            "fails, but authenticated as another domain: somebody stands behind it",
        ),
        Outcome::Unauthenticated => ("o-spoof", None, "Unauthenticated", "fails, and nothing authenticated it"),
    };
    Class { fill, pattern, name, about }
}

/// Failing outcomes as they stand in a chart, from the baseline up: what can be mended lies where changes can be read.
pub(crate) const FAILING: [Outcome; 3] = [Outcome::Unaligned, Outcome::Forwarded, Outcome::Unauthenticated];
/// Passing outcomes, from the baseline up.
pub(crate) const PASSING: [Outcome; 3] = [Outcome::Both, Outcome::DkimOnly, Outcome::SpfOnly];

/// How a class of flows is drawn and named: what fails and can be mended in earth, who passes mail on in violet, what nobody knows in grey.
pub(crate) fn class(class: FlowClass) -> Class {
    let (fill, pattern, about) = match class {
        FlowClass::Own => ("o-both", None, "our own servers, and it passes"),
        FlowClass::ThirdParty => ("o-dkim", None, "a service that sends for us, and it passes"),
        FlowClass::ForwarderIntact => ("o-fwd", None, "passed on with our signature intact"),
        FlowClass::OwnMisconfigured => ("o-own", Some("p-rise"), "our own servers, and it does not pass: ours to mend"),
        FlowClass::ThirdPartyUnaligned => {
            ("o-third", Some("p-fall"), "a service that sends for us, and it does not pass")
        }
        FlowClass::ForwarderBroken => ("o-fwd", Some("p-bars"), "passed on, and altered on the way"),
        FlowClass::Unknown => ("o-unknown", Some("p-grain"), "not enough is known to say; that is no threat"),
        FlowClass::Spoofer => ("o-spoof", None, "sent in our name without any right"),
    };
    Class { fill, pattern, name: class.label(), about }
}

/// How a disposition is drawn and named.
pub(crate) fn disposition(disposition: Disposition) -> Class {
    let (fill, pattern, name, about) = match disposition {
        Disposition::None => ("d-none", None, "Delivered", "no policy was applied"),
        Disposition::Pass => ("d-pass", Some("p-dots"), "Delivered, passing", "passed DMARC under an enforcing policy"),
        Disposition::Quarantine => ("d-quarantine", Some("p-rise"), "Quarantined", "put aside, as junk"),
        Disposition::Reject => ("d-reject", None, "Rejected", "refused"),
    };
    Class { fill, pattern, name, about }
}

/// Dispositions that kept mail from the inbox, from the baseline up.
pub(crate) const STOPPED: [Disposition; 2] = [Disposition::Quarantine, Disposition::Reject];
/// Dispositions that delivered, from the baseline up.
pub(crate) const DELIVERED: [Disposition; 2] = [Disposition::None, Disposition::Pass];

/// How many messages met this disposition.
pub(crate) fn met(dispositions: &Dispositions, disposition: Disposition) -> u64 {
    match disposition {
        Disposition::None => dispositions.none,
        Disposition::Pass => dispositions.pass,
        Disposition::Quarantine => dispositions.quarantine,
        Disposition::Reject => dispositions.reject,
    }
}

/// What a grouping is called on its switch, over its column, and in the plural.
pub(crate) fn group(group: GroupBy) -> (&'static str, &'static str, &'static str) {
    match group {
        GroupBy::Address => ("Address", "Source", "sources"),
        GroupBy::Network => ("Network", "Network", "networks"),
        GroupBy::SpfDomain => ("SPF domain", "SPF domain", "SPF domains"),
        GroupBy::DkimDomain => ("DKIM domain", "DKIM domain", "DKIM domains"),
        GroupBy::Reporter => ("Reporter", "Reporter", "reporters"),
        GroupBy::Domain => ("Author domain", "Author domain", "author domains"),
    }
}

/// All groupings, in the order of the switch.
pub(crate) const GROUPS: [GroupBy; 6] =
    [GroupBy::Address, GroupBy::Network, GroupBy::SpfDomain, GroupBy::DkimDomain, GroupBy::Reporter, GroupBy::Domain];
