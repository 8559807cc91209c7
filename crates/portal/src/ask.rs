//! What a page or an API route was asked for: the query of the URL as data, and back.
//!
//! In: the pairs of a query string and the parameters the route takes. Out: an [`Ask`], or a [`BadQuery`] that names the
//! parameter, the value and what is allowed. [`Ask::pairs`] is the inverse, so that a view can be linked to and pasted.

use std::net::IpAddr;

use insight::{
    Applies, DomainOrder, DomainSort, FlowClass, FlowOrder, FlowSort, GroupBy, Period, Scope, SortBy, SourceOrder,
    WhatIf,
};
use report::{Day, FlawKind, Outcome, Policy};

use crate::params::Param;
use crate::url::Url;

/// Bytes of one value. A DNS name has at most 253; names in reports may be longer, and can still be asked for.
const VALUE_BYTES: usize = 1024;

/// Lines on a page where nothing else is asked.
pub(crate) const LINES: usize = 50;

/// Everything that can be asked; each route reads what it knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ask {
    /// Which part of the ledger.
    pub(crate) scope: Scope,
    /// One line per what, in the explorer.
    pub(crate) group: GroupBy,
    /// Sort key of the explorer.
    pub(crate) sort: SortBy,
    /// Sort key of the portfolio.
    pub(crate) domain_sort: DomainSort,
    /// Sort key of the list of flows.
    pub(crate) flow_sort: FlowSort,
    /// Only these classes of flows; empty is any.
    pub(crate) classes: Vec<FlowClass>,
    /// Turned round against the key's usual direction.
    pub(crate) reversed: bool,
    /// Lines passed over.
    pub(crate) offset: usize,
    /// Lines on a page; `None` is the route's own number.
    pub(crate) limit: Option<usize>,
    /// What a chart stacks.
    pub(crate) view: View,
    /// What a line of the trend's table covers; `None` is chosen by the length of the period.
    pub(crate) by: Option<By>,
    /// Text searched for.
    pub(crate) q: Option<String>,
    /// Only domains to which this policy applies.
    pub(crate) policy: Option<Applies>,
    /// Only reports with this flaw.
    pub(crate) flaw: Option<FlawKind>,
    /// Only samples written as this local part.
    pub(crate) local_part: Option<String>,
    /// What would be different, in a preview.
    pub(crate) what_if: WhatIf,
    /// The step that readiness is about.
    pub(crate) step: Option<Policy>,
    /// First day, before it is joined with `until`.
    pub(crate) since: Option<Day>,
    /// Last day, before it is joined with `since`.
    pub(crate) until: Option<Day>,
}

/// What a chart stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// By outcome.
    #[default]
    Outcome,
    /// By what receivers did.
    Disposition,
    /// By what the flows were taken for.
    Class,
}

impl View {
    /// Every view.
    pub(crate) const ALL: [Self; 3] = [Self::Outcome, Self::Class, Self::Disposition];

    /// The word in a URL.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Disposition => "disposition",
            Self::Class => "class",
        }
    }
}

/// What a line of a table of days covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// One day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

/// A query that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadQuery {
    /// The route does not know this parameter.
    #[error("There is no parameter “{name}” here. Known here: {known}.")]
    Unknown {
        /// As given.
        name: String,
        /// What is known.
        known: String,
    },
    /// A value that is not allowed.
    #[error("“{value}” is no value for {name}. Allowed: {allowed}.")]
    Value {
        /// The parameter.
        name: &'static str,
        /// As given, cut.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// One parameter twice.
    #[error("{name} is given twice. Give it once.")]
    Twice {
        /// The parameter.
        name: &'static str,
    },
    /// A relative and a fixed period.
    #[error(
        "days and since/until are both given. Give days for the newest days of the data, or since and until for fixed ones."
    )]
    TwoPeriods,
    /// Ends before it begins.
    #[error("since={since} is after until={until}. Give the earlier day as since.")]
    Backwards {
        /// First day.
        since: Day,
        /// Last day.
        until: Day,
    },
}

impl BadQuery {
    /// The parameter to look at.
    pub(crate) fn parameter(&self) -> &str {
        match self {
            Self::Unknown { name, .. } => name,
            Self::Value { name, .. } | Self::Twice { name } => name,
            Self::TwoPeriods => "days",
            Self::Backwards { .. } => "since",
        }
    }
}

/// The first day that can be asked for where only `until` is given, and the last where only `since` is.
pub(crate) const EVER: (Day, Day) = (Day(-365_000), Day(2_932_896));

impl Ask {
    /// Reads the pairs of a query. An empty value is an unset one: forms send those.
    pub(crate) fn parse(pairs: &[(String, String)], params: &[&'static Param]) -> Result<Self, BadQuery> {
        let mut ask = Self::default();
        let mut seen = Vec::new();
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            let Some(param) = params.iter().find(|param| param.name == name) else {
                let known = params.iter().map(|param| param.name).collect::<Vec<_>>().join(", ");
                return Err(BadQuery::Unknown { name: name.chars().take(60).collect(), known });
            };
            if seen.contains(&param.name) {
                return Err(BadQuery::Twice { name: param.name });
            }
            seen.push(param.name);
            if value.len() > VALUE_BYTES || (param.set)(&mut ask, value).is_none() {
                let value = value.chars().take(60).collect();
                return Err(BadQuery::Value { name: param.name, value, allowed: param.allowed });
            }
        }
        ask.join_days(seen.contains(&"days"))?;
        Ok(ask)
    }

    fn join_days(&mut self, relative: bool) -> Result<(), BadQuery> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(());
        }
        if relative {
            return Err(BadQuery::TwoPeriods);
        }
        let (since, until) = (self.since.take().unwrap_or(EVER.0), self.until.take().unwrap_or(EVER.1));
        if since > until {
            return Err(BadQuery::Backwards { since, until });
        }
        self.scope.period = Period::Days(since, until);
        Ok(())
    }

    /// Everything that differs from the default, as pairs for a URL: the inverse of [`Ask::parse`].
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = scope_pairs(&self.scope);
        let mut push = |name: &'static str, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        push("class", (!self.classes.is_empty()).then(|| classes_text(&self.classes)));
        push("group", (self.group != GroupBy::default()).then(|| group_word(self.group).to_owned()));
        push("sort", (self.sort != SortBy::default()).then(|| sort_word(self.sort).to_owned()));
        push(
            "sort",
            (self.domain_sort != DomainSort::default()).then(|| domain_sort_word(self.domain_sort).to_owned()),
        );
        push("order", self.reversed.then(|| "reverse".to_owned()));
        push("sort", (self.flow_sort != FlowSort::default()).then(|| flow_sort_word(self.flow_sort).to_owned()));
        push("view", (self.view != View::default()).then(|| self.view.word().to_owned()));
        push("by", self.by.map(|by| by.word().to_owned()));
        push("q", self.q.clone());
        push("policy", self.policy.map(|policy| policy_word(policy).to_owned()));
        push("flaw", self.flaw.map(flaw_word));
        push("local_part", self.local_part.clone());
        push("for", self.step.map(|step| step.to_string()));
        push("offset", (self.offset > 0).then(|| self.offset.to_string()));
        push("limit", self.limit.map(|limit| limit.to_string()));
        pairs.extend(crate::plan::pairs(&self.what_if));
        pairs
    }

    /// Lines on a page.
    pub(crate) fn lines(&self) -> usize {
        self.limit.unwrap_or(LINES)
    }

    /// How the explorer is cut.
    pub(crate) fn source_order(&self) -> SourceOrder {
        // Numbers and days fall, names rise, unless turned round.
        let descending = (self.sort != SortBy::Key) != self.reversed;
        SourceOrder { group: self.group, sort: self.sort, descending, offset: self.offset, limit: self.lines() }
    }

    /// How the portfolio is cut.
    pub(crate) fn domain_order(&self) -> DomainOrder {
        let descending = (self.domain_sort != DomainSort::Domain) != self.reversed;
        DomainOrder {
            sort: self.domain_sort,
            descending,
            search: self.q.clone(),
            policy: self.policy,
            offset: self.offset,
            limit: self.lines(),
        }
    }

    /// How the list of flows is cut.
    pub(crate) fn flow_order(&self) -> FlowOrder {
        // Names and classes rise, numbers and days fall, unless turned round.
        let descending = !matches!(self.flow_sort, FlowSort::Name | FlowSort::Class) != self.reversed;
        FlowOrder {
            classes: self.classes.clone(),
            sort: self.flow_sort,
            descending,
            search: self.q.clone(),
            offset: self.offset,
            limit: self.lines(),
        }
    }

    /// This view at another place: the same filters and switches, from the first line on.
    pub(crate) fn to(&self, path: &[&str]) -> Url {
        Self { offset: 0, ..self.clone() }.here(path)
    }

    /// This view at a place that takes only these parameters.
    pub(crate) fn at(&self, path: &[&str], params: &[&Param]) -> Url {
        let known = |name: &str| params.iter().any(|param| param.name == name);
        Url::path(path).with_all(self.pairs().into_iter().filter(|(name, _)| known(name)))
    }

    /// Exactly this view, at this place.
    pub(crate) fn here(&self, path: &[&str]) -> Url {
        // The trend of one domain has it in its path.
        let named = matches!(path, ["domains", _, "trend"]);
        Url::path(path).with_all(self.pairs().into_iter().filter(|(name, _)| !(named && *name == "domain")))
    }
}

/// The filters of a scope as pairs for a URL.
pub(crate) fn scope_pairs(scope: &Scope) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut push = |name: &'static str, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    push("domain", scope.domain.as_ref().map(ToString::to_string));
    push("subdomains", scope.subdomains.then(|| "yes".to_owned()));
    match scope.period {
        period if period == Period::default() => {}
        Period::Last(days) => push("days", Some(days.to_string())),
        Period::All => push("days", Some("all".to_owned())),
        Period::Days(since, until) => {
            push("since", (since != EVER.0).then(|| since.to_string()));
            push("until", (until != EVER.1).then(|| until.to_string()));
        }
    }
    push("reporter", scope.reporter.as_ref().map(ToString::to_string));
    push("network", scope.network.map(|(address, length)| network_text(address, length)));
    push("outcome", (!scope.outcomes.is_empty()).then(|| outcomes_text(&scope.outcomes)));
    push("disposition", scope.disposition.map(|disposition| disposition.word().to_owned()));
    push("spf_domain", scope.spf_domain.as_ref().map(ToString::to_string));
    push("dkim_domain", scope.dkim_domain.as_ref().map(ToString::to_string));
    pairs
}

/// `192.0.2.0/24`, or the address alone where it is one.
pub(crate) fn network_text(address: IpAddr, length: u8) -> String {
    let full = if address.is_ipv4() { 32 } else { 128 };
    if length == full { address.to_string() } else { format!("{address}/{length}") }
}

/// `failing`, `passing`, or the words with commas.
pub(crate) fn outcomes_text(outcomes: &[Outcome]) -> String {
    let chosen =
        |passes: bool| Outcome::ALL.into_iter().filter(|o| o.passes() == passes).all(|o| outcomes.contains(&o));
    match (outcomes.len(), chosen(false), chosen(true)) {
        (3, true, _) => "failing".to_owned(),
        (3, _, true) => "passing".to_owned(),
        _ => outcomes.iter().map(|o| o.word()).collect::<Vec<_>>().join(","),
    }
}

/// The word for a grouping in a URL.
pub(crate) fn group_word(group: GroupBy) -> &'static str {
    match group {
        GroupBy::Address => "address",
        GroupBy::Network => "network",
        GroupBy::SpfDomain => "spf_domain",
        GroupBy::DkimDomain => "dkim_domain",
        GroupBy::Reporter => "reporter",
        GroupBy::Domain => "domain",
    }
}

/// The word for a sort key in a URL.
pub(crate) fn sort_word(sort: SortBy) -> &'static str {
    match sort {
        SortBy::Failing => "failing",
        SortBy::Messages => "messages",
        SortBy::Passing => "passing",
        SortBy::FirstDay => "first_day",
        SortBy::LastDay => "last_day",
        SortBy::ActiveDays => "active_days",
        SortBy::Reporters => "reporters",
        SortBy::Key => "key",
    }
}

/// Every sort key of the explorer.
pub(crate) const SORTS: [SortBy; 8] = [
    SortBy::Failing,
    SortBy::Messages,
    SortBy::Passing,
    SortBy::FirstDay,
    SortBy::LastDay,
    SortBy::ActiveDays,
    SortBy::Reporters,
    SortBy::Key,
];

/// The words of classes, with commas.
pub(crate) fn classes_text(classes: &[FlowClass]) -> String {
    classes.iter().map(|class| class.word()).collect::<Vec<_>>().join(",")
}

/// The word for a sort key of flows in a URL.
pub(crate) fn flow_sort_word(sort: FlowSort) -> &'static str {
    match sort {
        FlowSort::Messages => "messages",
        FlowSort::Failing => "failing",
        FlowSort::Class => "class",
        FlowSort::Confidence => "confidence",
        FlowSort::FirstDay => "first_day",
        FlowSort::LastDay => "last_day",
        FlowSort::Sources => "sources",
        FlowSort::Name => "name",
    }
}

/// Every sort key of flows.
pub(crate) const FLOW_SORTS: [FlowSort; 8] = [
    FlowSort::Messages,
    FlowSort::Failing,
    FlowSort::Class,
    FlowSort::Confidence,
    FlowSort::FirstDay,
    FlowSort::LastDay,
    FlowSort::Sources,
    FlowSort::Name,
];

/// The word for a kind of flaw, as JSON has it.
pub(crate) fn flaw_word(flaw: FlawKind) -> String {
    serde_json::to_value(flaw).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The word for a policy that applies, or for none seen, in a URL.
pub(crate) fn policy_word(policy: Applies) -> &'static str {
    match policy {
        Applies::Seen(policy) => policy.word(),
        Applies::Unseen => "unseen",
    }
}

/// Every policy that can be asked for.
pub(crate) const POLICIES: [Applies; 4] =
    [Applies::Seen(Policy::None), Applies::Seen(Policy::Quarantine), Applies::Seen(Policy::Reject), Applies::Unseen];

/// The word for a sort key of the portfolio in a URL.
pub(crate) fn domain_sort_word(sort: DomainSort) -> &'static str {
    match sort {
        DomainSort::Messages => "messages",
        DomainSort::Failing => "failing",
        DomainSort::PassShare => "pass_share",
        DomainSort::LastDay => "last_day",
        DomainSort::Domain => "domain",
    }
}

/// Every sort key of the portfolio.
pub(crate) const DOMAIN_SORTS: [DomainSort; 5] =
    [DomainSort::Messages, DomainSort::Failing, DomainSort::PassShare, DomainSort::LastDay, DomainSort::Domain];

impl By {
    /// Every length.
    pub(crate) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in a URL.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}
