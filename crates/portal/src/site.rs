//! Which page is where: the table of pages, and how each gets its answer.

use insight::{Period, ReportFilter, SampleFilter, Scope};

use crate::ask::{Ask, View};
use crate::call::{Call, Failure, Reply};
use crate::csv;
use crate::frame::Section;
use crate::links;
use crate::pages;
use crate::params::{self, DOMAINS, FLOWS, LISTED, PAGED, Param, SAMPLES, SOURCES, TREND, filters_and};

/// One page.
pub(crate) struct Route {
    /// Where it is, as the router writes it.
    pub(crate) path: &'static str,
    /// What it takes besides the filters, which every page takes.
    pub(crate) params: &'static [&'static Param],
    /// Its answer.
    pub(crate) answer: fn(&Call<'_>) -> Result<Reply, Failure>,
}

impl Route {
    /// Everything it takes.
    pub(crate) fn all_params(&self) -> Vec<&'static Param> {
        filters_and(self.params)
    }
}

/// Pages of XML shown at most; the rest is in the download.
const XML_SHOWN_BYTES: usize = 512 * 1024;
/// A report's XML that is handed out: far more than the largest seen in the wild, and still held in memory.
const XML_BYTES: usize = 256 * 1024 * 1024;
/// Names that a search lists.
const FOUND_MAX: usize = 50;

/// Every page.
pub(crate) static ROUTES: [Route; 45] = [
    Route { path: "/", params: &[], answer: today },
    Route { path: "/alerts", params: &[], answer: alerts },
    Route { path: "/domains", params: DOMAINS, answer: portfolio },
    Route { path: "/domains.csv", params: DOMAINS, answer: portfolio_csv },
    Route { path: "/domains/{domain}/trend", params: TREND, answer: domain_trend },
    Route { path: "/trend", params: TREND, answer: trend },
    Route { path: "/trend.csv", params: TREND, answer: trend_csv },
    Route { path: "/lists", params: &[], answer: lists },
    Route { path: "/lists.csv", params: &[], answer: lists_csv },
    Route { path: "/flows", params: FLOWS, answer: flows },
    Route { path: "/flows.csv", params: FLOWS, answer: flows_csv },
    Route { path: "/flows/{flow}", params: &[], answer: flow },
    Route { path: crate::decides::PAGE, params: &[], answer: decisions },
    Route { path: "/decisions.csv", params: &[], answer: decisions_csv },
    Route { path: "/sources", params: SOURCES, answer: sources },
    Route { path: "/sources.csv", params: SOURCES, answer: sources_csv },
    Route { path: "/sources/{ip}", params: &[], answer: source },
    Route { path: "/reputation", params: &[], answer: reputation },
    Route { path: "/dkim", params: &[], answer: dkim },
    Route { path: "/dkim.csv", params: &[], answer: dkim_csv },
    Route { path: "/spf", params: &[], answer: spf },
    Route { path: "/dns", params: &[], answer: dns },
    Route { path: "/dns.csv", params: &[], answer: dns_csv },
    Route { path: "/rows", params: PAGED, answer: rows },
    Route { path: "/rows.csv", params: PAGED, answer: rows_csv },
    Route { path: "/samples", params: SAMPLES, answer: samples },
    Route { path: "/samples.csv", params: SAMPLES, answer: samples_csv },
    Route { path: "/samples/{id}", params: &[], answer: sample },
    Route { path: "/reports", params: &[], answer: arrivals },
    Route { path: "/reports.csv", params: &[], answer: arrivals_csv },
    Route { path: "/reports/list", params: LISTED, answer: report_list },
    Route { path: "/reports/flaws", params: &[], answer: flaws },
    Route { path: "/reports/rejected", params: PAGED, answer: rejections },
    Route { path: "/reports/conflicts", params: PAGED, answer: conflicts },
    Route { path: "/reports/sources", params: &[], answer: collecting },
    Route { path: crate::upload::PAGE, params: &[], answer: upload },
    Route { path: "/reports/{id}", params: PAGED, answer: report },
    Route { path: "/reports/{id}/xml", params: &[], answer: report_xml },
    Route { path: "/reports/{id}/raw", params: &[], answer: report_raw },
    Route { path: "/preview", params: crate::plan::PREVIEW, answer: preview },
    Route { path: "/readiness", params: crate::plan::READINESS, answer: readiness },
    Route { path: "/lookalikes", params: &[], answer: lookalikes },
    Route { path: "/lookalikes.csv", params: &[], answer: lookalikes_csv },
    Route { path: "/owners", params: &[&params::WHO], answer: owners },
    Route { path: "/search", params: &[&params::Q], answer: search },
];

/// The page that is shown instead while there is nothing to show.
fn or_empty(
    call: &Call<'_>,
    section: Section,
    page: impl FnOnce() -> Result<Reply, Failure>,
) -> Result<Reply, Failure> {
    if call.around.days.is_none() { Ok(Reply::Page(pages::empty::page(call.here(), section))) } else { page() }
}

/// The scope of the portfolio: all domains, whatever the filter bar remembers.
pub(crate) fn all_domains(call: &Call<'_>) -> Scope {
    Scope { domain: None, subdomains: false, ..call.scope() }
}

fn today(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Today, || {
        let answer = insight::today(call.ledger)?;
        let alerts = insight::alerts(call.ledger, call.around.now, false)?;
        Ok(Reply::Page(pages::today::page(call.here(), &answer, &call.collecting(), &alerts)))
    })
}

/// Sources of reports may fail before the first report came.
fn alerts(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::alerts(call.ledger, call.around.now, false)?;
    Ok(Reply::Page(pages::alerts::page(call.here(), &answer)))
}

fn lists(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Lists, || {
        let answer = insight::two_lists(call.ledger, &call.scope())?;
        Ok(Reply::Page(pages::lists::page(call.here(), &answer)))
    })
}

fn lists_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("lists.csv", csv::lists(&insight::two_lists(call.ledger, &call.scope())?)))
}

fn portfolio(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Domains, || {
        let answer = insight::portfolio(call.ledger, &all_domains(call), &call.ask.domain_order())?;
        Ok(Reply::Page(pages::portfolio::page(call.here(), &answer)))
    })
}

fn portfolio_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::portfolio(call.ledger, &all_domains(call), &call.ask.domain_order())?;
    Ok(Reply::Csv("domains.csv", csv::portfolio(&answer)))
}

/// A trend is at its domain's own place.
fn trend(call: &Call<'_>) -> Result<Reply, Failure> {
    let url = links::trend(&call.ask.scope);
    if call.ask.scope.domain.as_deref().is_some_and(crate::url::is_segment) {
        let rest = Ask { scope: Scope::default(), ..call.ask.clone() };
        return Ok(Reply::Elsewhere(url.with_all(rest.pairs())));
    }
    trend_page(call)
}

fn domain_trend(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut ask = call.ask.clone();
    ask.scope.domain = Some(call.domain());
    trend_page(&Call { ledger: call.ledger, program: call.program, around: call.around, ask, path: call.path.clone() })
}

fn trend_page(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Trend, || {
        let answer = insight::trend(call.ledger, &trend_scope(call))?;
        let classes = insight::class_trend(call.ledger, &call.scope())?;
        Ok(Reply::Page(pages::trend::page(call.here(), &answer, &classes)))
    })
}

/// The scope of the trend: by class, only what flows are told by.
fn trend_scope(call: &Call<'_>) -> Scope {
    let scope = call.scope();
    if call.ask.view != View::Class {
        return scope;
    }
    Scope { domain: scope.domain, subdomains: scope.subdomains, period: scope.period, ..Scope::default() }
}

fn trend_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    if call.ask.view == View::Class {
        let answer = insight::class_trend(call.ledger, &call.scope())?;
        return Ok(Reply::Csv("trend-by-class.csv", csv::class_trend(&answer)));
    }
    Ok(Reply::Csv("trend.csv", csv::trend(&insight::trend(call.ledger, &call.scope())?)))
}

fn flows(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Flows, || {
        let answer = insight::flows(call.ledger, &call.scope(), &call.ask.flow_order())?;
        Ok(Reply::Page(pages::flows::page(call.here(), &answer)))
    })
}

fn flows_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::flows(call.ledger, &call.scope(), &call.ask.flow_order())?;
    Ok(Reply::Csv("flows.csv", csv::flows(&answer)))
}

/// One flow, or the failure that says there is none.
pub(crate) fn flow_detail(call: &Call<'_>) -> Result<insight::Flow, Failure> {
    let id = call.path.first().map_or("", String::as_str);
    let found = insight::flow(call.ledger, id, &call.scope(), crate::web::today())?;
    found.ok_or_else(|| Failure::Missing(format!("flow {}", id.chars().take(60).collect::<String>())))
}

fn flow(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Page(pages::flow::page(call.here(), &flow_detail(call)?)))
}

fn decisions(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::decisions(call.ledger, crate::web::today())?;
    Ok(Reply::Page(pages::deciding::page(call.here(), &answer)))
}

fn decisions_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("decisions.csv", csv::decisions(&insight::decisions(call.ledger, crate::web::today())?)))
}

fn sources(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Explorer, || {
        let scope = call.scope();
        let answer = insight::sources(call.ledger, &scope, call.ask.source_order())?;
        let explained = match answer.days {
            Some((first, last)) if first == last => insight::explain(call.ledger, &scope, first)?,
            _ => None,
        };
        // A day on which no more failed than usual needs no explanation.
        let explained = explained.filter(|spike| !spike.findings.is_empty() && spike.failing > spike.usual);
        Ok(Reply::Page(pages::explorer::page(call.here(), &answer, explained.as_ref())))
    })
}

fn sources_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::sources(call.ledger, &call.scope(), call.ask.source_order())?;
    Ok(Reply::Csv("sources.csv", csv::sources(&answer)))
}

fn source(call: &Call<'_>) -> Result<Reply, Failure> {
    let address = call.address()?;
    or_empty(call, Section::Explorer, || {
        let answer = insight::source(call.ledger, address, &call.scope())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let filter = SampleFilter { limit: pages::samples::OF_SOURCE_MAX, ..SampleFilter::default() };
        let samples = insight::samples(call.ledger, &links::from_network(&call.scope(), (address, full)), &filter)?;
        let flows = insight::source_flows(call.ledger, address)?;
        Ok(Reply::Page(pages::source::page(call.here(), &answer, &flows, &samples)))
    })
}

fn reputation(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Lists, || {
        let answer = insight::reputation(call.ledger, &call.scope())?;
        Ok(Reply::Page(pages::reputation::page(call.here(), &answer, call.learning().as_ref())))
    })
}

/// The keys of a scope.
pub(crate) fn keys(call: &Call<'_>) -> Result<insight::DkimInventory, Failure> {
    Ok(insight::dkim_inventory(call.ledger, &call.scope(), &insight::KeyLimits::default())?)
}

fn dkim(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Dkim, || Ok(Reply::Page(pages::dkim::page(call.here(), &keys(call)?))))
}

fn dkim_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("dkim.csv", csv::dkim(&keys(call)?)))
}

/// The SPF record of the domain that was chosen; of the one with most mail, where none was.
pub(crate) fn record(call: &Call<'_>) -> Result<insight::SpfInventory, Failure> {
    let scope = call.scope();
    let domain = scope.domain.clone().or_else(|| call.around.domains.first().cloned()).unwrap_or_default();
    Ok(insight::spf_inventory(call.ledger, &domain, &scope)?)
}

fn spf(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Spf, || {
        let answer = record(call)?;
        let whose = Scope { domain: Some(answer.domain.as_str().into()), ..call.scope() };
        let greetings = insight::helo_inventory(call.ledger, &whose)?;
        Ok(Reply::Page(pages::spf::page(call.here(), &answer, &greetings)))
    })
}

/// What was published for the domain that was chosen, or for all.
pub(crate) fn history(call: &Call<'_>) -> Result<insight::DnsHistory, Failure> {
    Ok(insight::dns_history(call.ledger, call.ask.scope.domain.as_deref())?)
}

fn dns(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Dns, || Ok(Reply::Page(pages::dns::page(call.here(), &history(call)?))))
}

fn dns_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("dns.csv", csv::dns(&history(call)?)))
}

/// Names that could be taken for ours, or for the domain that is asked about.
pub(crate) fn lookalikes_found(call: &Call<'_>) -> Result<insight::Lookalikes, Failure> {
    Ok(insight::lookalikes(call.ledger, call.scope().domain.as_deref(), call.around.now)?)
}

fn lookalikes(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Page(pages::lookalikes::page(call.here(), &lookalikes_found(call)?)))
}

fn lookalikes_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("lookalikes.csv", csv::lookalikes(&lookalikes_found(call)?)))
}

fn preview(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Preview, || {
        let Some(what_if) = crate::plan::what_if(call) else {
            return Ok(Reply::Page(pages::empty::page(call.here(), Section::Preview)));
        };
        Ok(Reply::Page(match insight::preview(call.ledger, &what_if) {
            Ok(answer) => pages::preview::page(call.here(), &what_if, Ok(&answer)),
            Err(insight::Error::WhatIf { what }) => pages::preview::page(call.here(), &what_if, Err(&what)),
            Err(error) => return Err(error.into()),
        }))
    })
}

fn readiness(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Readiness, || {
        let (domain, step) = (crate::plan::domain(call).unwrap_or_default(), call.ask.step());
        Ok(Reply::Page(match crate::plan::readiness(call, &domain) {
            Ok(answer) => pages::readiness::page(call.here(), &domain, step, Ok(&answer)),
            Err(insight::Error::WhatIf { what }) => pages::readiness::page(call.here(), &domain, step, Err(&what)),
            Err(error) => return Err(error.into()),
        }))
    })
}

fn rows(call: &Call<'_>) -> Result<Reply, Failure> {
    or_empty(call, Section::Explorer, || {
        let answer = insight::rows(call.ledger, &call.scope(), call.ask.offset, call.ask.lines())?;
        Ok(Reply::Page(pages::rows::page(call.here(), &answer)))
    })
}

fn rows_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::rows(call.ledger, &call.scope(), call.ask.offset, call.ask.lines())?;
    Ok(Reply::Csv("rows.csv", csv::rows(&answer)))
}

/// Which samples are asked for, beside the scope.
pub(crate) fn sample_filter(call: &Call<'_>) -> SampleFilter {
    SampleFilter { local_part: call.ask.local_part.clone(), offset: call.ask.offset, limit: call.ask.lines() }
}

fn samples(call: &Call<'_>) -> Result<Reply, Failure> {
    let (scope, filter) = (call.scope(), sample_filter(call));
    let answer = insight::samples(call.ledger, &scope, &filter)?;
    let most = SampleFilter { offset: 0, limit: pages::samples::AUTHORS_MAX, ..filter };
    let authors = insight::local_parts(call.ledger, &scope, &most)?;
    Ok(Reply::Page(pages::samples::page(call.here(), &answer, &authors)))
}

fn samples_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::samples(call.ledger, &call.scope(), &sample_filter(call))?;
    Ok(Reply::Csv("samples.csv", csv::samples(&answer)))
}

/// One sample, or the failure that says there is none.
pub(crate) fn sample_detail(call: &Call<'_>) -> Result<insight::SampleDetail, Failure> {
    let id = call.id()?;
    insight::sample(call.ledger, id)?.ok_or_else(|| Failure::Missing(format!("sample {id}")))
}

fn sample(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Page(pages::samples::one(call.here(), &sample_detail(call)?)))
}

fn arrivals(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::arrivals(call.ledger, call.scope().period)?;
    let expected = insight::expected(call.ledger)?;
    Ok(Reply::Page(pages::arrivals::page(call.here(), &answer, &expected)))
}

fn arrivals_csv(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Csv("reports.csv", csv::arrivals(&insight::arrivals(call.ledger, call.scope().period)?)))
}

/// Which reports the list shows: the filter bar's domain is the policy's here.
pub(crate) fn report_filter(call: &Call<'_>) -> Result<ReportFilter, Failure> {
    let scope = call.scope();
    let days = if scope.period == Period::All { None } else { scope.period.days(call.ledger)? };
    Ok(ReportFilter { days, reporter: scope.reporter, policy_domain: scope.domain, flaw: call.ask.flaw })
}

fn report_list(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::reports(call.ledger, &report_filter(call)?, call.ask.offset, call.ask.lines())?;
    Ok(Reply::Page(pages::report_list::page(call.here(), &answer)))
}

fn flaws(call: &Call<'_>) -> Result<Reply, Failure> {
    let scope = call.scope();
    let mut answer = insight::flaws(call.ledger, scope.period)?;
    answer.lines.retain(|line| scope.reporter.as_deref().is_none_or(|reporter| reporter == line.reporter));
    Ok(Reply::Page(pages::quality::flaws(call.here(), &answer)))
}

fn rejections(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::rejections(call.ledger, call.ask.offset, call.ask.lines())?;
    Ok(Reply::Page(pages::quality::rejections(call.here(), &answer)))
}

fn conflicts(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = insight::conflicts(call.ledger, call.ask.offset, call.ask.lines())?;
    Ok(Reply::Page(pages::quality::conflicts(call.here(), &answer)))
}

#[expect(clippy::unnecessary_wraps, reason = "every page may fail, and is called as if it could")]
fn collecting(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Page(pages::collecting::page(call.here(), &call.collecting())))
}

#[expect(clippy::unnecessary_wraps, reason = "every page may fail, and is called as if it could")]
fn owners(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Page(pages::owners::page(call.here(), &call.owners())))
}

fn upload(call: &Call<'_>) -> Result<Reply, Failure> {
    if call.around.uploads {
        return Ok(Reply::Page(pages::upload::page(call.here(), &[])));
    }
    Err(Failure::Missing("way to hand in files here: the program that writes the ledger takes them".to_owned()))
}

/// One report, or the failure that says there is none.
pub(crate) fn detail(call: &Call<'_>) -> Result<insight::ReportDetail, Failure> {
    let id = call.id()?;
    insight::report(call.ledger, id)?.ok_or_else(|| Failure::Missing(format!("report {id}")))
}

fn report(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = detail(call)?;
    let rows = insight::report_rows(call.ledger, answer.line.id, call.ask.offset, call.ask.lines())?;
    Ok(Reply::Page(pages::one_report::page(call.here(), &answer, &rows)))
}

fn report_xml(call: &Call<'_>) -> Result<Reply, Failure> {
    let answer = detail(call)?;
    let raw = insight::raw_xml(call.ledger, answer.line.id, XML_SHOWN_BYTES)?;
    let raw = raw.ok_or_else(|| Failure::Missing(format!("XML of report {}", answer.line.id)))?;
    Ok(Reply::Page(pages::one_report::xml(call.here(), &answer, &raw)))
}

fn report_raw(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id()?;
    let raw = insight::raw_xml(call.ledger, id, XML_BYTES)?;
    let raw = raw.ok_or_else(|| Failure::Missing(format!("report {id}")))?;
    Ok(Reply::Attachment(format!("report-{id}.xml.txt"), raw.bytes))
}

fn search(call: &Call<'_>) -> Result<Reply, Failure> {
    let wanted = call.ask.q.as_deref().unwrap_or("").trim();
    if let Some((address, length)) = insight::parse_network(wanted) {
        let full = if address.is_ipv4() { 32 } else { 128 };
        let scope = Scope::default();
        return Ok(Reply::Elsewhere(if length == full {
            links::source(address, &scope)
        } else {
            links::sources(&links::from_network(&scope, (address, length)))
        }));
    }
    let name = wanted.trim_end_matches('.').to_lowercase();
    if call.around.domains.iter().any(|domain| *domain == name) {
        return Ok(Reply::Elsewhere(links::trend(&links::of_domain(&Scope::default(), &name))));
    }
    let domains = if name.is_empty() {
        Vec::new()
    } else {
        let scope = Scope { period: Period::All, ..Scope::default() };
        let order =
            insight::DomainOrder { search: Some(name.clone()), limit: FOUND_MAX, ..insight::DomainOrder::default() };
        insight::portfolio(call.ledger, &scope, &order)?.domains.into_iter().map(|line| line.domain).collect()
    };
    let reporters =
        call.around.reporters.iter().filter(|reporter| !name.is_empty() && reporter.to_lowercase().contains(&name));
    let found = pages::search::Found {
        wanted,
        domains: domains.iter().collect(),
        reporters: reporters.take(FOUND_MAX).collect(),
    };
    Ok(Reply::Page(pages::search::page(call.here(), &found)))
}
