//! The parameters of pages and of the API: one table that reads them, refuses them and documents them.
//!
//! Names are those of the command line. Each entry says what it is, what is allowed, its JSON schema, and how it is read.

use insight::{FlowClass, GroupBy, Period, parse_network};
use report::{Day, Disposition, Outcome, Text};
use serde_json::{Value, json};

use crate::ask::{
    Ask, By, DOMAIN_SORTS, FLOW_SORTS, POLICIES, SORTS, View, domain_sort_word, flow_sort_word, group_word,
    policy_word, sort_word,
};
use crate::words;

/// Days that a relative period may have: ten years. A longer one is `all`.
const DAYS_MAX: u16 = 3660;
/// Lines that one answer may have: a page of this many is drawn in well under 200 ms.
pub(crate) const LIMIT_MAX: usize = 1000;
/// Lines that may be passed over.
const OFFSET_MAX: usize = 100_000_000;

/// One parameter.
#[derive(Debug)]
pub(crate) struct Param {
    /// Its name in the URL, the same as on the command line.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// What is allowed, for people.
    pub(crate) allowed: &'static str,
    /// What is allowed, for programs.
    pub(crate) schema: fn() -> Value,
    /// Takes the value; `None` if it is not allowed.
    pub(crate) set: fn(&mut Ask, &str) -> Option<()>,
}

fn any_text() -> Value {
    json!({"type": "string", "maxLength": 1024})
}

fn a_day() -> Value {
    json!({"type": "string", "format": "date"})
}

pub(crate) static DOMAIN: Param = Param {
    name: "domain",
    about: "Author domain.",
    allowed: "a domain name, e.g. contoso.example",
    schema: any_text,
    set: |ask, value| {
        ask.scope.domain = Some(Text::new(value.trim().trim_end_matches('.').to_lowercase()));
        Some(())
    },
};

pub(crate) static SUBDOMAINS: Param = Param {
    name: "subdomains",
    about: "With domain: every author domain with the same organizational domain.",
    allowed: "yes, no",
    schema: || json!({"enum": ["yes", "no"]}),
    set: |ask, value| {
        ask.scope.subdomains = match value {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        Some(())
    },
};

pub(crate) static DAYS: Param = Param {
    name: "days",
    about: "The newest so many days of the data; 90 if nothing is said.",
    allowed: "a number from 1 to 3660, or all",
    schema: || json!({"oneOf": [{"type": "integer", "minimum": 1, "maximum": DAYS_MAX}, {"const": "all"}], "default": 90}),
    set: |ask, value| {
        ask.scope.period = match value {
            "all" => Period::All,
            number => Period::Last(number.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days))?),
        };
        Some(())
    },
};

pub(crate) static SINCE: Param = Param {
    name: "since",
    about: "First day, UTC.",
    allowed: "a day written 2026-12-23",
    schema: a_day,
    set: |ask, value| {
        ask.since = Some(value.parse::<Day>().ok()?);
        Some(())
    },
};

pub(crate) static UNTIL: Param = Param {
    name: "until",
    about: "Last day, UTC, included.",
    allowed: "a day written 2026-12-23",
    schema: a_day,
    set: |ask, value| {
        ask.until = Some(value.parse::<Day>().ok()?);
        Some(())
    },
};

pub(crate) static REPORTER: Param = Param {
    name: "reporter",
    about: "The organisation that sent the report, as it names itself.",
    allowed: "a name, as the reports write it",
    schema: any_text,
    set: |ask, value| {
        ask.scope.reporter = Some(Text::new(value));
        Some(())
    },
};

pub(crate) static NETWORK: Param = Param {
    name: "network",
    about: "Source address, or the network it lies in.",
    allowed: "an address or a network, e.g. 192.0.2.1, 192.0.2.0/24, 2001:db8::/32",
    schema: any_text,
    set: |ask, value| {
        ask.scope.network = Some(parse_network(value)?);
        Some(())
    },
};

pub(crate) static OUTCOME: Param = Param {
    name: "outcome",
    about: "What came of the messages; several with commas.",
    allowed: "failing, passing, both, dkim_only, spf_only, forwarded, unaligned, unauthenticated; several with commas",
    schema: || {
        let word = "(failing|passing|both|dkim_only|spf_only|forwarded|unaligned|unauthenticated)";
        json!({"type": "string", "pattern": format!("^{word}(,{word})*$")})
    },
    set: |ask, value| {
        for word in value.split(',') {
            match word {
                "failing" | "passing" => {
                    ask.scope.outcomes.extend(Outcome::ALL.into_iter().filter(|o| o.passes() == (word == "passing")));
                }
                word => ask.scope.outcomes.push(Outcome::from_word(word)?),
            }
        }
        ask.scope.outcomes.sort_unstable();
        ask.scope.outcomes.dedup();
        Some(())
    },
};

pub(crate) static DISPOSITION: Param = Param {
    name: "disposition",
    about: "What the receiver did.",
    allowed: "none, pass, quarantine, reject",
    schema: || json!({"enum": ["none", "pass", "quarantine", "reject"]}),
    set: |ask, value| {
        ask.scope.disposition = Some(Disposition::from_word(value)?);
        Some(())
    },
};

pub(crate) static SPF_DOMAIN: Param = Param {
    name: "spf_domain",
    about: "Domain of the most telling SPF check.",
    allowed: "a domain name",
    schema: any_text,
    set: |ask, value| {
        ask.scope.spf_domain = Some(Text::new(value.to_lowercase()));
        Some(())
    },
};

pub(crate) static DKIM_DOMAIN: Param = Param {
    name: "dkim_domain",
    about: "Domain of the most telling signature.",
    allowed: "a domain name",
    schema: any_text,
    set: |ask, value| {
        ask.scope.dkim_domain = Some(Text::new(value.to_lowercase()));
        Some(())
    },
};

pub(crate) static GROUP: Param = Param {
    name: "group",
    about: "One line per what.",
    allowed: "address, network, spf_domain, dkim_domain, reporter, domain",
    schema: || json!({"enum": words::GROUPS.map(group_word), "default": group_word(GroupBy::default())}),
    set: |ask, value| {
        ask.group = words::GROUPS.into_iter().find(|group| group_word(*group) == value)?;
        Some(())
    },
};

pub(crate) static SORT: Param = Param {
    name: "sort",
    about: "Sort key: numbers and days largest first, keys from A to Z.",
    allowed: "failing, messages, passing, first_day, last_day, active_days, reporters, key",
    schema: || json!({"enum": SORTS.map(sort_word), "default": "failing"}),
    set: |ask, value| {
        ask.sort = SORTS.into_iter().find(|sort| sort_word(*sort) == value)?;
        Some(())
    },
};

pub(crate) static DOMAIN_SORT: Param = Param {
    name: "sort",
    about: "Sort key: numbers and days largest first, names from A to Z.",
    allowed: "messages, failing, pass_share, last_day, domain",
    schema: || json!({"enum": DOMAIN_SORTS.map(domain_sort_word), "default": "messages"}),
    set: |ask, value| {
        ask.domain_sort = DOMAIN_SORTS.into_iter().find(|sort| domain_sort_word(*sort) == value)?;
        Some(())
    },
};

pub(crate) static ORDER: Param = Param {
    name: "order",
    about: "Turns the order of the sort key round.",
    allowed: "usual, reverse",
    schema: || json!({"enum": ["usual", "reverse"], "default": "usual"}),
    set: |ask, value| {
        ask.reversed = match value {
            "usual" => false,
            "reverse" => true,
            _ => return None,
        };
        Some(())
    },
};

pub(crate) static OFFSET: Param = Param {
    name: "offset",
    about: "Lines to pass over.",
    allowed: "a number from 0 to 100000000",
    schema: || json!({"type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": 0}),
    set: |ask, value| {
        ask.offset = value.parse().ok().filter(|offset| *offset <= OFFSET_MAX)?;
        Some(())
    },
};

pub(crate) static LIMIT: Param = Param {
    name: "limit",
    about: "Lines to return; 50 if nothing is said.",
    allowed: "a number from 1 to 1000",
    schema: || json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": 50}),
    set: |ask, value| {
        ask.limit = Some(value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))?);
        Some(())
    },
};

pub(crate) static VIEW: Param = Param {
    name: "view",
    about: "What the chart stacks.",
    allowed: "outcome, class, disposition",
    schema: || json!({"enum": View::ALL.map(View::word), "default": View::default().word()}),
    set: |ask, value| {
        ask.view = View::ALL.into_iter().find(|view| view.word() == value)?;
        Some(())
    },
};

pub(crate) static CLASS: Param = Param {
    name: "class",
    about: "What flows were taken for; several with commas.",
    allowed: "own, third_party, forwarder_intact, own_misconfigured, third_party_unaligned, forwarder_broken, unknown, spoofer; several with commas",
    schema: || {
        let word = format!("({})", FlowClass::ALL.map(FlowClass::word).join("|"));
        json!({"type": "string", "pattern": format!("^{word}(,{word})*$")})
    },
    set: |ask, value| {
        for word in value.split(',') {
            ask.classes.push(FlowClass::from_word(word)?);
        }
        ask.classes.sort_unstable_by_key(|class| class.place());
        ask.classes.dedup();
        Some(())
    },
};

pub(crate) static FLOW_SORT: Param = Param {
    name: "sort",
    about: "Sort key: numbers and days largest first, names from A to Z, classes as charts stack them.",
    allowed: "messages, failing, class, confidence, first_day, last_day, sources, name",
    schema: || json!({"enum": FLOW_SORTS.map(flow_sort_word), "default": "messages"}),
    set: |ask, value| {
        ask.flow_sort = FLOW_SORTS.into_iter().find(|sort| flow_sort_word(*sort) == value)?;
        Some(())
    },
};

pub(crate) static BY: Param = Param {
    name: "by",
    about: "What a line of the table covers.",
    allowed: "day, week, month",
    schema: || json!({"enum": By::ALL.map(By::word)}),
    set: |ask, value| {
        ask.by = Some(By::ALL.into_iter().find(|by| by.word() == value)?);
        Some(())
    },
};

pub(crate) static Q: Param = Param {
    name: "q",
    about: "Text that names must contain.",
    allowed: "any text",
    schema: any_text,
    set: |ask, value| {
        ask.q = Some(value.trim().to_owned());
        Some(())
    },
};

pub(crate) static WHO: Param = Param {
    name: "q",
    about: "An address, or what stands before its @.",
    allowed: "any text",
    schema: any_text,
    set: |ask, value| {
        ask.q = Some(value.trim().to_owned());
        Some(())
    },
};

pub(crate) static POLICY: Param = Param {
    name: "policy",
    about: "Only domains to which this policy applies, as most reporters last saw it.",
    allowed: "none, quarantine, reject, unseen",
    schema: || json!({"enum": POLICIES.map(policy_word)}),
    set: |ask, value| {
        ask.policy = Some(POLICIES.into_iter().find(|policy| policy_word(*policy) == value)?);
        Some(())
    },
};

pub(crate) static FLAW: Param = Param {
    name: "flaw",
    about: "Only reports with this flaw.",
    allowed: "a kind of flaw, as /api/v1/flaws names it",
    schema: || json!({"type": "string"}),
    set: |ask, value| {
        ask.flaw = Some(serde_json::from_value(Value::String(value.to_owned())).ok()?);
        Some(())
    },
};

pub(crate) static LOCAL_PART: Param = Param {
    name: "local_part",
    about: "What stands before the @ of the author's address, whatever its case.",
    allowed: "any text",
    schema: any_text,
    set: |ask, value| {
        ask.local_part = Some(value.trim().to_owned());
        Some(())
    },
};

/// The filter bar: accepted by every page, so that it is kept from one to the next.
pub(crate) static FILTERS: [&Param; 11] = [
    &DOMAIN,
    &SUBDOMAINS,
    &DAYS,
    &SINCE,
    &UNTIL,
    &REPORTER,
    &NETWORK,
    &OUTCOME,
    &DISPOSITION,
    &SPF_DOMAIN,
    &DKIM_DOMAIN,
];

/// What flows of a scope are told by.
pub(crate) static OF_FLOWS: [&Param; 5] = [&DOMAIN, &SUBDOMAINS, &DAYS, &SINCE, &UNTIL];
/// What the list of flows takes.
pub(crate) static FLOWS: &[&Param] = &[&FLOW_SORT, &ORDER, &Q, &OFFSET, &LIMIT];
/// What the portfolio takes.
pub(crate) static DOMAINS: &[&Param] = &[&DOMAIN_SORT, &ORDER, &Q, &POLICY, &OFFSET, &LIMIT];
/// What the trend's page takes.
pub(crate) static TREND: &[&Param] = &[&VIEW, &BY];
/// What the explorer takes.
pub(crate) static SOURCES: &[&Param] = &[&GROUP, &SORT, &ORDER, &OFFSET, &LIMIT];
/// What a list in pages takes.
pub(crate) static PAGED: &[&Param] = &[&OFFSET, &LIMIT];
/// What the list of reports takes.
pub(crate) static LISTED: &[&Param] = &[&FLAW, &OFFSET, &LIMIT];
/// What the list of samples takes.
pub(crate) static SAMPLES: &[&Param] = &[&LOCAL_PART, &OFFSET, &LIMIT];
/// A period alone.
pub(crate) static PERIOD: &[&Param] = &[&DAYS, &SINCE, &UNTIL];

/// What every page takes and some more.
pub(crate) fn filters_and(more: &[&'static Param]) -> Vec<&'static Param> {
    FILTERS.iter().chain(&[&CLASS]).chain(more).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::BadQuery;

    fn parse(query: &str, params: &[&'static Param]) -> Result<Ask, BadQuery> {
        let pairs: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ask::parse(&pairs, params)
    }

    #[test]
    fn every_query_comes_back_as_it_was() {
        let sources = filters_and(&[&GROUP, &SORT, &ORDER, &OFFSET, &LIMIT, &VIEW, &BY, &Q, &POLICY]);
        let cases = [
            "",
            "domain=contoso.example&subdomains=yes",
            "days=30",
            "days=all",
            "since=2026-12-23&until=2026-12-24",
            "since=2026-12-23",
            "until=2026-12-23",
            "reporter=bigmail.example&network=192.0.2.0/24&outcome=failing&disposition=reject",
            "network=2001:db8::1&outcome=both,unaligned",
            "spf_domain=a.example&dkim_domain=b.example",
            "class=own,own_misconfigured,spoofer",
            "group=network&sort=active_days&order=reverse&view=disposition&by=day&q=x&policy=unseen&offset=50&limit=20",
        ];
        for case in cases {
            let ask = parse(case, &sources).unwrap();
            let again = ask.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
            assert_eq!(again, case);
        }
    }

    #[test]
    fn what_is_usual_is_not_written() {
        let ask =
            parse("days=90&outcome=forwarded,unauthenticated,unaligned&limit=5&reporter=", &filters_and(&[&LIMIT]))
                .unwrap();
        assert_eq!(ask.pairs(), [("outcome", "failing".to_owned()), ("limit", "5".to_owned())]);
    }

    #[test]
    fn bad_values_are_named_with_what_is_allowed() {
        let all = filters_and(&[&GROUP, &SORT, &ORDER, &OFFSET, &LIMIT, &VIEW, &BY, &FLAW, &POLICY]);
        let cases = [
            ("days=0", "days"),
            ("days=99999", "days"),
            ("days=-1", "days"),
            ("since=23.12.2026", "since"),
            ("until=2026-02-30", "until"),
            ("network=192.0.2.0/33", "network"),
            ("network=example", "network"),
            ("outcome=bad", "outcome"),
            ("outcome=both,,", "outcome"),
            ("disposition=delivered", "disposition"),
            ("class=friend", "class"),
            ("group=asn", "group"),
            ("sort=reputation", "sort"),
            ("order=up", "order"),
            ("offset=-1", "offset"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("view=x", "view"),
            ("by=year", "by"),
            ("flaw=nosuch", "flaw"),
            ("policy=strict", "policy"),
            ("nosuch=1", "nosuch"),
            ("days=7&days=8", "days"),
            ("days=7&since=2026-12-23", "days"),
            ("since=2026-12-24&until=2026-12-23", "since"),
        ];
        for (query, parameter) in cases {
            let error = parse(query, &all).unwrap_err();
            assert_eq!(error.parameter(), parameter, "{query}: {error}");
        }
        let long = format!("reporter={}", "x".repeat(2000));
        assert!(parse(&long, &all).is_err(), "a value has a length");
    }
}
