//! What is asked of the pages that look ahead: the parameters of previews and of readiness, under the names of tags where they are some.
//!
//! In: pairs of a query. Out: a [`WhatIf`] of `insight`. State stands in the URL, so that a plan can be linked to and pasted.

use insight::{Period, Readiness, ReadinessAsk, Receivers, WhatIf};
use report::{Alignment, Day, Policy, Text};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::call::Call;
use crate::params::{self, Param};

/// Includes, ranges or flows in one value.
const LISTED_MAX: usize = 50;

fn policies() -> Value {
    json!({"enum": ["none", "quarantine", "reject"]})
}

fn modes() -> Value {
    json!({"enum": ["r", "s"]})
}

fn text() -> Value {
    json!({"type": "string", "maxLength": 1024})
}

fn list(value: &str) -> Option<Vec<String>> {
    let all: Vec<String> =
        value.split([',', ' ']).map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    (all.len() <= LISTED_MAX).then_some(all)
}

static P: Param = Param {
    name: "p",
    about: "p. A policy that is changed is changed in full: t and pct go unless they are given.",
    allowed: "none, quarantine, reject",
    schema: policies,
    set: |ask, value| {
        ask.what_if.p = Some(Policy::from_word(value)?);
        Some(())
    },
};

static SP: Param = Param {
    name: "sp",
    about: "sp, for names below that exist.",
    allowed: "none, quarantine, reject",
    schema: policies,
    set: |ask, value| {
        ask.what_if.sp = Some(Policy::from_word(value)?);
        Some(())
    },
};

static NP: Param = Param {
    name: "np",
    about: "np, for names below that do not exist.",
    allowed: "none, quarantine, reject",
    schema: policies,
    set: |ask, value| {
        ask.what_if.np = Some(Policy::from_word(value)?);
        Some(())
    },
};

static ADKIM: Param = Param {
    name: "adkim",
    about: "How closely a signing domain must match.",
    allowed: "r, s",
    schema: modes,
    set: |ask, value| {
        ask.what_if.adkim = Some(Alignment::from_word(value)?);
        Some(())
    },
};

static ASPF: Param = Param {
    name: "aspf",
    about: "How closely an envelope domain must match.",
    allowed: "r, s",
    schema: modes,
    set: |ask, value| {
        ask.what_if.aspf = Some(Alignment::from_word(value)?);
        Some(())
    },
};

static PCT: Param = Param {
    name: "pct",
    about: "pct, which only receivers by RFC 7489 obey.",
    allowed: "a number from 0 to 100",
    schema: || json!({"type": "integer", "minimum": 0, "maximum": 100}),
    set: |ask, value| {
        ask.what_if.pct = Some(value.parse().ok().filter(|pct| *pct <= 100)?);
        Some(())
    },
};

static T: Param = Param {
    name: "t",
    about: "t=y lowers the policy by one step; only receivers by RFC 9989 obey it.",
    allowed: "y, n",
    schema: || json!({"enum": ["y", "n"]}),
    set: |ask, value| {
        ask.what_if.testing = match value {
            "y" => Some(true),
            "n" => Some(false),
            _ => return None,
        };
        Some(())
    },
};

static SPF: Param = Param {
    name: "spf",
    about: "Another SPF record for the domain.",
    allowed: "a record, v=spf1 …",
    schema: text,
    set: |ask, value| {
        ask.what_if.spf = Some(value.trim().to_owned());
        Some(())
    },
};

static REMOVE_INCLUDE: Param = Param {
    name: "remove_include",
    about: "The SPF record without these includes.",
    allowed: "names, with commas between them",
    schema: text,
    set: |ask, value| {
        ask.what_if.remove_includes = list(value)?;
        Some(())
    },
};

static ADD_RANGE: Param = Param {
    name: "add_range",
    about: "The SPF record with these addresses or networks.",
    allowed: "networks, e.g. 192.0.2.0/24, with commas between them",
    schema: text,
    set: |ask, value| {
        ask.what_if.add_ranges = list(value)?;
        ask.what_if.add_ranges.iter().all(|one| insight::parse_network(one).is_some()).then_some(())
    },
};

static DKIM_FOR: Param = Param {
    name: "dkim_for",
    about: "Mail of these flows carries an aligned signature.",
    allowed: "ids of flows, with commas between them",
    schema: text,
    set: |ask, value| {
        ask.what_if.dkim_for = list(value)?;
        Some(())
    },
};

static CHANGE: Param = Param {
    name: "change",
    about: "Records in master-file form; each replaces those of its name and type.",
    allowed: "zone text of at most 1,024 bytes; the command line takes files",
    schema: text,
    set: |ask, value| {
        ask.what_if.change = Some(value.to_owned());
        Some(())
    },
};

static STANDARD: Param = Param {
    name: "standard",
    about: "By which standard receivers judge.",
    allowed: "rfc9989, rfc7489",
    schema: || json!({"enum": ["rfc9989", "rfc7489"], "default": "rfc9989"}),
    set: |ask, value| {
        ask.what_if.receivers = Receivers::from_word(value)?;
        Some(())
    },
};

static FOR: Param = Param {
    name: "for",
    about: "The step.",
    allowed: "quarantine, reject",
    schema: || json!({"enum": ["quarantine", "reject"], "default": "quarantine"}),
    set: |ask, value| {
        ask.step = Some(Policy::from_word(value).filter(|step| *step != Policy::None)?);
        Some(())
    },
};

/// What previews take.
pub(crate) static PREVIEW: &[&Param] =
    &[&P, &SP, &NP, &ADKIM, &ASPF, &PCT, &T, &SPF, &REMOVE_INCLUDE, &ADD_RANGE, &DKIM_FOR, &CHANGE, &STANDARD];
/// What readiness takes.
pub(crate) static READINESS: &[&Param] = &[&FOR];
/// Which mail a preview is about.
pub(crate) static OF: &[&Param] = &[&params::DOMAIN, &params::DAYS, &params::SINCE, &params::UNTIL];

/// The plan as pairs for a URL.
pub(crate) fn pairs(what_if: &WhatIf) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut push = |name: &'static str, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    push("p", what_if.p.map(|policy| policy.to_string()));
    push("sp", what_if.sp.map(|policy| policy.to_string()));
    push("np", what_if.np.map(|policy| policy.to_string()));
    push("adkim", what_if.adkim.map(|mode| mode.to_string()));
    push("aspf", what_if.aspf.map(|mode| mode.to_string()));
    push("pct", what_if.pct.map(|pct| pct.to_string()));
    push("t", what_if.testing.map(|testing| if testing { "y" } else { "n" }.to_owned()));
    push("spf", what_if.spf.clone());
    let list = |all: &Vec<String>| (!all.is_empty()).then(|| all.join(","));
    push("remove_include", list(&what_if.remove_includes));
    push("add_range", list(&what_if.add_ranges));
    push("dkim_for", list(&what_if.dkim_for));
    push("change", what_if.change.clone());
    let usual = what_if.receivers == Receivers::default();
    push("standard", (!usual).then(|| what_if.receivers.word().to_owned()));
    pairs
}

/// The domain that is looked at: the one asked for, else that of the domain with most mail.
pub(crate) fn domain(call: &Call<'_>) -> Option<Text> {
    let asked = call.ask.scope.domain.clone();
    asked.or_else(|| call.around.domains.first().map(|domain| store::organizational_domain(domain)))
}

/// What is asked, with the policy that comes next where nothing is.
pub(crate) fn what_if(call: &Call<'_>) -> Option<WhatIf> {
    let mut what_if = call.ask.what_if.clone();
    what_if.domain = domain(call)?.to_string();
    what_if.subdomains = true;
    let period = call.scope().period;
    what_if.period = (period != Period::default()).then_some(period);
    if pairs(&what_if).is_empty() {
        what_if.p = Some(Policy::Quarantine);
    }
    Some(what_if)
}

/// Whether the policy of a domain may be tightened.
pub(crate) fn readiness(call: &Call<'_>, domain: &str) -> Result<Readiness, insight::Error> {
    let ask = ReadinessAsk {
        domain,
        step: call.ask.step(),
        thresholds: &call.program.readiness,
        zone: None,
        today: Day::of(call.around.now),
    };
    insight::readiness(call.ledger, &ask)
}

impl Ask {
    /// The step of readiness.
    pub(crate) fn step(&self) -> Policy {
        self.step.unwrap_or(Policy::Quarantine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let query = [
            ("p", "reject"),
            ("sp", "quarantine"),
            ("np", "reject"),
            ("adkim", "s"),
            ("aspf", "r"),
            ("pct", "25"),
            ("t", "y"),
            ("remove_include", "a.example,b.example"),
            ("add_range", "192.0.2.0/24,2001:db8::1"),
            ("dkim_for", "abcdefghij"),
            ("change", "x.example. TXT \"v=spf1 -all\""),
            ("standard", "rfc7489"),
        ];
        let given: Vec<(String, String)> = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let ask = Ask::parse(&given, PREVIEW).unwrap();
        assert_eq!(pairs(&ask.what_if), query.map(|(name, value)| (name, value.to_owned())));
        for (name, value) in
            [("p", "strict"), ("pct", "101"), ("t", "yes"), ("add_range", "10.0.0/8"), ("standard", "rfc1")]
        {
            let error = Ask::parse(&[(name.to_owned(), value.to_owned())], PREVIEW).unwrap_err();
            assert_eq!(error.parameter(), name);
        }
    }
}
