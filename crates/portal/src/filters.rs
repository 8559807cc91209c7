//! The filter bar: which part of the ledger a page shows, as a form whose state is the URL.
//!
//! In: what was asked and which fields mean something here. Out: markup. A field that is set and means nothing on this page is
//! shown, kept and switched off, so that a filter is never silently ignored; one that is not set is left out.

use insight::{FlowClass, Period, Scope};
use maud::{Markup, html};
use report::{Disposition, Outcome, Text};

use crate::around::Around;
use crate::ask::{Ask, EVER, classes_text, network_text, outcomes_text};
use crate::figures;
use crate::links;
use crate::text;
use crate::url::Url;
use crate::words;

/// One field of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// Author domain.
    Domain,
    /// Days.
    Period,
    /// Reporter.
    Reporter,
    /// Address or network.
    Network,
    /// Outcome.
    Outcome,
    /// Disposition.
    Disposition,
    /// Class of flows; shown only where it means something, or is set.
    Class,
}

/// Every field.
pub(crate) const ALL: &[Field] =
    &[Field::Domain, Field::Period, Field::Reporter, Field::Network, Field::Outcome, Field::Disposition];

/// What flows are told by.
pub(crate) const OF_FLOWS: &[Field] = &[Field::Domain, Field::Period, Field::Class];

/// The bar of one page.
pub(crate) struct Filters {
    /// Where the form goes; without a query.
    pub(crate) action: Url,
    /// Where this page is, for earlier and later: path segments.
    pub(crate) here: Vec<String>,
    /// The fields that mean something here.
    pub(crate) fields: &'static [Field],
}

/// What is folded away on a narrow screen.
const MORE: [Field; 4] = [Field::Reporter, Field::Network, Field::Outcome, Field::Disposition];
/// Names of the parameters that the bar itself sends.
const OWN: [&str; 9] = ["domain", "days", "since", "until", "reporter", "network", "outcome", "disposition", "class"];
/// Names offered while typing.
const OFFERED: usize = 100;
/// Why a field is switched off.
const OFF: &str = "does not apply to this page";
/// Lengths offered.
const LENGTHS: [(&str, &str); 5] =
    [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("all", "All")];

/// The bar, for a page on which at least one filter means something.
pub(crate) fn filter_bar(filters: &Filters, around: &Around, ask: &Ask, exports: &[(&'static str, Url)]) -> Markup {
    let bar = Bar { on: filters.fields, around, scope: &ask.scope, classes: &ask.classes };
    let other = ask.pairs().into_iter().filter(|(name, _)| !OWN.contains(name) && *name != "offset");
    let end = html! {
        span.end {
            (bar.neighbours(filters, ask))
            @for (name, url) in exports { a href=(url) { (name) } }
        }
    };
    html! {
        form.filters method="get" action=(filters.action) aria-label="Filters" {
            (bar.domain())
            (bar.period())
            (bar.dates())
            @if filters.fields.contains(&Field::Class) { (bar.class()) }
            @if bar.more_set() || MORE.iter().any(|field| !bar.off(*field)) { details.more open[bar.more_set()] {
                summary { "More filters" }
                (bar.reporter())
                (bar.network())
                (bar.outcome())
                (bar.disposition())
                @if !filters.fields.contains(&Field::Class) && !ask.classes.is_empty() { (bar.class()) }
            } }
            @for (name, value) in other { input type="hidden" name=(name) value=(value); }
            button { "Apply" }
            (bar.drilled(filters, ask))
            (end)
        }
    }
}

struct Bar<'a> {
    on: &'static [Field],
    around: &'a Around,
    scope: &'a Scope,
    classes: &'a [FlowClass],
}

impl Bar<'_> {
    fn off(&self, field: Field) -> bool {
        !self.on.contains(&field)
    }

    /// A choice among words; `chosen` is the value sent, empty for any. Where the field is off its value travels hidden.
    fn choice(&self, field: Field, label: &str, name: &str, chosen: &str, options: &[(String, String)]) -> Markup {
        let off = self.off(field);
        if off && chosen.is_empty() {
            return html! {};
        }
        html! {
            label {
                (label) " "
                select name=(name) class=[(!chosen.is_empty()).then_some("set")] disabled[off] title=[off.then_some(OFF)] {
                    @for (value, name) in options { option value=(value) selected[value == chosen] { (name) } }
                    @if !options.iter().any(|(value, _)| value == chosen) { option value=(chosen) selected { (text::plain(chosen)) } }
                }
            }
            @if off && !chosen.is_empty() { input type="hidden" name=(name) value=(chosen); }
        }
    }

    /// Whether any of the fields that a narrow screen folds away is set.
    fn more_set(&self) -> bool {
        if !self.classes.is_empty() && self.off(Field::Class) {
            return true;
        }
        let Scope { reporter, network, outcomes, disposition, .. } = self.scope;
        reporter.is_some() || network.is_some() || !outcomes.is_empty() || disposition.is_some()
    }

    /// A field for a name: typed, or picked from the ones with the most mail. A list of thousands is no choice.
    fn name(
        &self,
        field: Field,
        (label, name, any): (&str, &str, &str),
        chosen: Option<&str>,
        known: &[Text],
    ) -> Markup {
        let off = self.off(field);
        let list = format!("known-{name}");
        html! {
            label {
                (label) " "
                input class=(if chosen.is_some() { "name set" } else { "name" }) name=(name) value=[chosen] placeholder=(any) list=[(!off).then_some(&list)]
                    autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="300" disabled[off] title=[off.then_some(OFF)];
            }
            @if off {
                @if let Some(chosen) = chosen { input type="hidden" name=(name) value=(chosen); }
            } @else {
                datalist id=(list) { @for name in known.iter().take(OFFERED) { option value=(name) {} } }
            }
        }
    }

    fn domain(&self) -> Markup {
        self.name(Field::Domain, ("Domain", "domain", "all"), self.scope.domain.as_deref(), &self.around.domains)
    }

    fn reporter(&self) -> Markup {
        if self.off(Field::Reporter) && self.scope.reporter.is_none() {
            return html! {};
        }
        self.name(
            Field::Reporter,
            ("Reporter", "reporter", "any"),
            self.scope.reporter.as_deref(),
            &self.around.reporters,
        )
    }

    fn period(&self) -> Markup {
        let chosen = match self.scope.period {
            Period::Last(days) => days.to_string(),
            Period::All => "all".to_owned(),
            Period::Days(..) => String::new(),
        };
        let off = self.off(Field::Period);
        if off && self.scope.period == Period::default() {
            return html! {};
        }
        let listed = LENGTHS.iter().any(|(value, _)| *value == chosen);
        html! {
            label {
                "Period "
                select name="days" disabled[off] title=[off.then_some(OFF)] class=[(chosen != "90" && !chosen.is_empty()).then_some("set")] {
                    @if chosen.is_empty() { option value="" selected { "Dates" } }
                    @for (value, name) in LENGTHS { option value=(value) selected[value == chosen] { (name) } }
                    @if !listed && !chosen.is_empty() { option value=(chosen) selected { (chosen) " days" } }
                }
            }
            @if off && !chosen.is_empty() { input type="hidden" name="days" value=(chosen); }
        }
    }

    /// Fixed days, folded away while they are not used. `dates=set` tells the server that they were set before this form was
    /// sent, so that choosing a length afterwards wins over them.
    fn dates(&self) -> Markup {
        let set = match self.scope.period {
            Period::Days(since, until) => Some((since, until)),
            _ => None,
        };
        let since = set.map(|(since, _)| since).filter(|since| *since != EVER.0);
        let until = set.map(|(_, until)| until).filter(|until| *until != EVER.1);
        let shown = match (set, self.around.resolve(self.scope.period)) {
            (Some(_), Some((first, last))) if first == last => figures::day(first),
            (Some(_), Some((first, last))) => format!("{} – {}", figures::day(first), figures::day(last)),
            _ => "Dates".to_owned(),
        };
        if self.off(Field::Period) {
            return html! {
                @if let Some(day) = since { input type="hidden" name="since" value=(day); }
                @if let Some(day) = until { input type="hidden" name="until" value=(day); }
            };
        }
        html! {
            details.dates {
                summary class=[set.is_some().then_some("set")] { (shown) }
                div.drop {
                    label { "From " input type="date" name="since" value=[since.map(|day| day.to_string())]; }
                    label { "To " input type="date" name="until" value=[until.map(|day| day.to_string())]; }
                }
            }
            @if set.is_some() { input type="hidden" name="dates" value="set"; }
        }
    }

    fn network(&self) -> Markup {
        let value = self.scope.network.map(|(address, length)| network_text(address, length));
        let off = self.off(Field::Network);
        if off && value.is_none() {
            return html! {};
        }
        html! {
            label {
                "IP or CIDR "
                input class=(if value.is_some() { "cidr set" } else { "cidr" }) name="network" placeholder="192.0.2.0/24" autocomplete="off" spellcheck="false" maxlength="60"
                    value=[value.as_ref()] disabled[off] title=[off.then_some(OFF)];
            }
            @if let (true, Some(value)) = (off, value) { input type="hidden" name="network" value=(value); }
        }
    }

    fn outcome(&self) -> Markup {
        let chosen = outcomes_text(&self.scope.outcomes);
        let mut options = vec![
            (String::new(), "Any".to_owned()),
            ("failing".to_owned(), "All that fail".to_owned()),
            ("passing".to_owned(), "All that pass".to_owned()),
        ];
        options.extend(Outcome::ALL.into_iter().map(|o| (o.word().to_owned(), words::outcome(o).name.to_owned())));
        if !options.iter().any(|(value, _)| *value == chosen) {
            options.push((chosen.clone(), format!("{} outcomes", self.scope.outcomes.len())));
        }
        self.choice(Field::Outcome, "Outcome", "outcome", &chosen, &options)
    }

    fn disposition(&self) -> Markup {
        let all = [Disposition::None, Disposition::Pass, Disposition::Quarantine, Disposition::Reject];
        let named = all.into_iter().map(|d| (d.word().to_owned(), words::disposition(d).name.to_owned()));
        let options: Vec<_> = std::iter::once((String::new(), "Any".to_owned())).chain(named).collect();
        let chosen = self.scope.disposition.map_or("", Disposition::word);
        self.choice(Field::Disposition, "Disposition", "disposition", chosen, &options)
    }

    fn class(&self) -> Markup {
        let chosen = classes_text(self.classes);
        let mut options = vec![(String::new(), "Any".to_owned())];
        options.extend(FlowClass::ALL.into_iter().map(|class| (class.word().to_owned(), class.label().to_owned())));
        if !options.iter().any(|(value, _)| *value == chosen) {
            options.push((chosen.clone(), format!("{} classes", self.classes.len())));
        }
        self.choice(Field::Class, "Class", "class", &chosen, &options)
    }

    /// Filters that have no field: set by following a link, taken off here.
    fn drilled(&self, filters: &Filters, ask: &Ask) -> Markup {
        let path: Vec<_> = filters.here.iter().map(String::as_str).collect();
        let without = |change: fn(&mut Scope)| {
            let mut ask = ask.clone();
            change(&mut ask.scope);
            ask.to(&path)
        };
        let chip = |name: &str, value: &str, url: Url| {
            html! { a.drilled href=(url) title="take this filter off" { (name) " " (text::cut(value, 40)) span aria-hidden="true" { " ×" } } }
        };
        html! {
            @if let Some(domain) = &self.scope.spf_domain { (chip("SPF", domain, without(|scope| scope.spf_domain = None))) }
            @if let Some(domain) = &self.scope.dkim_domain { (chip("DKIM", domain, without(|scope| scope.dkim_domain = None))) }
            @if self.scope.subdomains { (chip("with", "subdomains", without(|scope| scope.subdomains = false))) }
        }
    }

    fn neighbours(&self, filters: &Filters, ask: &Ask) -> Markup {
        let (earlier, later) =
            if self.off(Field::Period) { (None, None) } else { self.around.neighbours(self.scope.period) };
        let path: Vec<_> = filters.here.iter().map(String::as_str).collect();
        let moved = |days: (report::Day, report::Day)| {
            Ask { scope: links::within(&ask.scope, days.0, days.1), ..ask.clone() }.to(&path)
        };
        html! {
            @if let Some(days) = earlier { a.move href=(moved(days)) data-key="[" aria-label="Earlier" title="Earlier" { "‹" } " " }
            @if let Some(days) = later { a.move href=(moved(days)) data-key="]" aria-label="Later" title="Later" { "›" } }
        }
    }
}
