//! The JSON API: one table that registers the routes and documents them.
//!
//! In: the same parameters as the pages. Out: `insight`'s answers as they are, and `/api/openapi.json` (OpenAPI 3.1) made from
//! this table and from the types' own schemas, so that the document cannot say anything else than the program does.

mod judged;

use std::sync::LazyLock;

use insight::{
    Alerts, Arrivals, Conflicts, Expected, Flaws, LocalParts, Lookalikes, Portfolio, Preview, Readiness, Rejections,
    ReportDetail, Reports, Reputation, Rows, SampleDetail, Samples, Source, Sources, Spike, Trend, Waiver,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::ask::Ask;
use crate::call::{Call, Failure, OwnersFound};
use crate::pages::api::Shown;
use crate::params::{self, DOMAINS, FILTERS, LISTED, PAGED, PERIOD, Param, SOURCES};
use crate::plan;
use crate::program::{Collecting, Learning};
use crate::site;
use crate::upload;
use crate::url::Url;
use crate::{decides, says};

type Answered = dyn Fn(&Call<'_>) -> Result<Vec<u8>, Failure> + Send + Sync;

/// One route.
pub(crate) struct Route {
    /// Where it is, as the router and OpenAPI both write it.
    pub(crate) path: &'static str,
    /// Its name in generated clients.
    name: &'static str,
    /// What it answers.
    about: &'static str,
    /// The parameters in its path: name, meaning, schema.
    path_params: &'static [PathParam],
    /// Everything it takes in the query.
    pub(crate) params: Vec<&'static Param>,
    /// Its answer, as JSON.
    pub(crate) answer: Box<Answered>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A parameter in a path.
struct PathParam {
    name: &'static str,
    about: &'static str,
    schema: fn() -> Value,
}

const IP: PathParam = PathParam { name: "ip", about: "IPv4 or IPv6 address.", schema: || json!({"type": "string"}) };
const ID: PathParam = PathParam {
    name: "id",
    about: "Number of the report or sample in the ledger.",
    schema: || json!({"type": "integer", "minimum": 1}),
};
const DAY: PathParam =
    PathParam { name: "day", about: "A UTC day.", schema: || json!({"type": "string", "format": "date"}) };

fn route<T: Serialize + JsonSchema + 'static>(
    (path, name): (&'static str, &'static str),
    about: &'static str,
    path_params: &'static [PathParam],
    params: &[&[&'static Param]],
    answer: fn(&Call<'_>) -> Result<T, Failure>,
) -> Route {
    Route {
        path,
        name,
        about,
        path_params,
        params: params.concat(),
        answer: Box::new(move |call| Ok(json_of(&answer(call)?))),
        schema: |generator| generator.subschema_for::<T>(),
    }
}

/// Plain data of ours always becomes JSON: its keys are strings and its numbers are finite.
fn json_of(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_else(|_| b"null".to_vec())
}

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = mail_routes();
    routes.extend(judged::routes());
    routes.extend(record_routes());
    routes.extend(plan_routes());
    routes.extend(sample_routes());
    routes.extend(report_routes());
    routes.extend(program_routes());
    routes
}

/// What the running program knows beside the ledger.
fn program_routes() -> Vec<Route> {
    vec![
        route::<Collecting>(
            ("/api/v1/collecting", "collecting"),
            "How the sources of reports fare, since the program started.",
            &[],
            &[],
            |call| Ok(call.collecting()),
        ),
        route::<Option<Learning>>(
            ("/api/v1/learning", "learning"),
            "How learning about sources of mail goes: runs, lists with their budgets, files; null where the program does not learn.",
            &[],
            &[],
            |call| Ok(call.learning()),
        ),
        route::<Alerts>(
            ("/api/v1/alerts", "alerts"),
            "What has become wrong: open alerts, and those that were over in the last two weeks.",
            &[],
            &[],
            |call| Ok(insight::alerts(call.ledger, call.around.now, false)?),
        ),
        route::<insight::Digest>(
            ("/api/v1/digest", "digest"),
            "The week: what changed, what is open, how legitimate mail fared, what was stopped, who is new.",
            &[],
            &[],
            |call| Ok(insight::digest(call.ledger, call.around.now)?),
        ),
        route::<OwnersFound>(
            ("/api/v1/owners", "owners"),
            "Who may be behind an address: the directory's entry that has it, or those like it.",
            &[],
            &[&[&params::WHO]],
            |call| Ok(call.owners()),
        ),
    ]
}

/// What would be, and whether it may.
fn plan_routes() -> Vec<Route> {
    vec![
        route::<Preview>(
            ("/api/v1/preview", "preview"),
            "What would happen to mail under other records: harm and benefit a day, with a bound. Without a plan, p=quarantine.",
            &[],
            &[plan::OF, plan::PREVIEW],
            |call| {
                let what_if = plan::what_if(call).ok_or_else(|| Failure::Missing("mail in the ledger".to_owned()))?;
                Ok(insight::preview(call.ledger, &what_if)?)
            },
        ),
        route::<Readiness>(
            ("/api/v1/readiness", "readiness"),
            "Whether a policy may be tightened: eleven gates, each with what was measured and what stands in the way.",
            &[],
            &[&[&params::DOMAIN], plan::READINESS],
            |call| {
                let domain = plan::domain(call).ok_or_else(|| Failure::Missing("mail in the ledger".to_owned()))?;
                Ok(plan::readiness(call, &domain)?)
            },
        ),
        route::<Vec<Waiver>>(
            ("/api/v1/waivers", "waivers"),
            "Who answers for which gate of readiness until when, the newest first.",
            &[],
            &[],
            |call| Ok(insight::waivers(call.ledger, report::Day::of(call.around.now))?),
        ),
    ]
}

/// What mail was seen.
fn mail_routes() -> Vec<Route> {
    let portfolio_filters: Vec<&'static Param> = FILTERS[2..].to_vec();
    vec![
        route::<Portfolio>(
            ("/api/v1/portfolio", "portfolio"),
            "The author domains, and how their mail fares.",
            &[],
            &[&portfolio_filters, DOMAINS],
            |call| Ok(insight::portfolio(call.ledger, &site::all_domains(call), &call.ask.domain_order())?),
        ),
        route::<Trend>(
            ("/api/v1/trend", "trend"),
            "What happened, day by day; the policies seen, and the days that stand out.",
            &[],
            &[&FILTERS],
            |call| Ok(insight::trend(call.ledger, &call.scope())?),
        ),
        route::<Option<Spike>>(
            ("/api/v1/explain/{day}", "explain"),
            "What made a day different from its neighbours; null where nothing failed or there is nothing to compare it with.",
            &[DAY],
            &[&[&params::DOMAIN, &params::SUBDOMAINS], &FILTERS[5..]],
            explain,
        ),
        route::<Sources>(
            ("/api/v1/sources", "sources"),
            "Who sends, one by one or grouped.",
            &[],
            &[&FILTERS, SOURCES],
            |call| Ok(insight::sources(call.ledger, &call.scope(), call.ask.source_order())?),
        ),
        route::<Source>(
            ("/api/v1/sources/{ip}", "source"),
            "One address and its history.",
            &[IP],
            &[&FILTERS],
            |call| Ok(insight::source(call.ledger, call.address()?, &call.scope())?),
        ),
        route::<Reputation>(
            ("/api/v1/reputation", "reputation"),
            "Failing sources with a good reputation, and with a bad one.",
            &[],
            &[&FILTERS],
            |call| Ok(insight::reputation(call.ledger, &call.scope())?),
        ),
        route::<Lookalikes>(
            ("/api/v1/lookalikes", "lookalikes"),
            "Names that could be taken for ours: those that exist with their score, those seen in our mail, and what changed.",
            &[],
            &[&[&params::DOMAIN]],
            site::lookalikes_found,
        ),
        route::<Rows>(("/api/v1/rows", "rows"), "The rows behind a number.", &[], &[&FILTERS, PAGED], |call| {
            Ok(insight::rows(call.ledger, &call.scope(), call.ask.offset, call.ask.lines())?)
        }),
    ]
}

/// What is published, and what it carries.
fn record_routes() -> Vec<Route> {
    let scope: Vec<&'static Param> = [&[&params::DOMAIN][..], PERIOD].concat();
    vec![
        route::<insight::DnsHistory>(
            ("/api/v1/dns", "dnsHistory"),
            "What was published in DNS for a domain or for all, when it was seen, and what changed.",
            &[],
            &[&[&params::DOMAIN]],
            site::history,
        ),
        route::<insight::DkimInventory>(
            ("/api/v1/inventory/dkim", "dkimInventory"),
            "The DKIM keys that sign in our name: how strong, how old, how much they carry.",
            &[],
            &[&scope],
            site::keys,
        ),
        route::<insight::SpfInventory>(
            ("/api/v1/inventory/spf", "spfInventory"),
            "An SPF record joined with traffic: what each term costs, and what mail it let pass. Without domain, that of most mail.",
            &[],
            &[&scope],
            site::record,
        ),
        route::<insight::HeloInventory>(
            ("/api/v1/inventory/helo", "heloInventory"),
            "The names that hosts greet with, and which of them have no SPF.",
            &[],
            &[&scope],
            |call| Ok(insight::helo_inventory(call.ledger, &call.scope())?),
        ),
    ]
}

/// Which messages failed.
fn sample_routes() -> Vec<Route> {
    let scope: Vec<&'static Param> =
        [&[&params::DOMAIN, &params::SUBDOMAINS][..], PERIOD, &[&params::NETWORK]].concat();
    vec![
        route::<Samples>(
            ("/api/v1/samples", "samples"),
            "Single messages that failed, from failure reports, the newest first; recipients are not kept.",
            &[],
            &[&scope, params::SAMPLES],
            |call| Ok(insight::samples(call.ledger, &call.scope(), &site::sample_filter(call))?),
        ),
        route::<SampleDetail>(
            ("/api/v1/samples/{id}", "sample"),
            "One of them with all that is kept of it.",
            &[ID],
            &[],
            site::sample_detail,
        ),
        route::<LocalParts>(
            ("/api/v1/local-parts", "localParts"),
            "Who failing messages were written as, most messages first.",
            &[],
            &[&scope, &[&params::LOCAL_PART, &params::LIMIT]],
            |call| Ok(insight::local_parts(call.ledger, &call.scope(), &site::sample_filter(call))?),
        ),
    ]
}

/// Which reports said so, and which could not be read.
fn report_routes() -> Vec<Route> {
    let listed: Vec<&'static Param> = [&[&params::DOMAIN, &params::REPORTER][..], PERIOD].concat();
    vec![
        route::<Arrivals>(("/api/v1/arrivals", "arrivals"), "Who sent reports, and when.", &[], &[PERIOD], |call| {
            Ok(insight::arrivals(call.ledger, call.scope().period)?)
        }),
        route::<Expected>(
            ("/api/v1/expected", "expected"),
            "Which reporters have sent what they usually send, and which are silent, as of the newest day of the ledger.",
            &[],
            &[],
            |call| Ok(insight::expected(call.ledger)?),
        ),
        route::<Reports>(
            ("/api/v1/reports", "reports"),
            "The reports, the newest taken in first. domain is the policy domain here.",
            &[],
            &[&listed, LISTED],
            |call| Ok(insight::reports(call.ledger, &site::report_filter(call)?, call.ask.offset, call.ask.lines())?),
        ),
        route::<ReportDetail>(
            ("/api/v1/reports/{id}", "report"),
            "One report with all that is known of it.",
            &[ID],
            &[],
            site::detail,
        ),
        route::<Rows>(
            ("/api/v1/reports/{id}/rows", "reportRows"),
            "The rows of one report.",
            &[ID],
            &[PAGED],
            |call| {
                let id = site::detail(call)?.line.id;
                Ok(insight::report_rows(call.ledger, id, call.ask.offset, call.ask.lines())?)
            },
        ),
        route::<Rejections>(
            ("/api/v1/rejections", "rejections"),
            "What could not be taken in.",
            &[],
            &[PAGED],
            |call| Ok(insight::rejections(call.ledger, call.ask.offset, call.ask.lines())?),
        ),
        route::<Conflicts>(
            ("/api/v1/conflicts", "conflicts"),
            "Reports whose identity came with two contents.",
            &[],
            &[PAGED],
            |call| Ok(insight::conflicts(call.ledger, call.ask.offset, call.ask.lines())?),
        ),
        route::<Flaws>(("/api/v1/flaws", "flaws"), "Which flaws reports have.", &[], &[PERIOD], |call| {
            Ok(insight::flaws(call.ledger, call.scope().period)?)
        }),
    ]
}

fn explain(call: &Call<'_>) -> Result<Option<Spike>, Failure> {
    let text = call.path.first().map_or("", String::as_str);
    let day = text
        .parse()
        .map_err(|_| Failure::Path { what: "day, written 2026-12-23", value: text.chars().take(60).collect() })?;
    Ok(insight::explain(call.ledger, &call.scope(), day)?)
}

/// What a page shows, as this route gives it: parameters that the route does not take are left out.
pub(crate) fn link(ask: &Ask, path: &[&str]) -> Url {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(routes);
    let place = Url::path(path);
    let route = ROUTES.iter().find(|route| matches(route.path, path));
    route.map_or(place, |route| ask.at(path, &route.params))
}

/// Whether these segments lie on the path of a route.
fn matches(route: &str, path: &[&str]) -> bool {
    let parts: Vec<_> = route.split('/').skip(1).collect();
    parts.len() == path.len() && parts.iter().zip(path).all(|(part, segment)| part.starts_with('{') || part == segment)
}

/// What handing in does.
const HANDING_IN: &str =
    "Takes in files: XML, gzip, zip, mail or mailbox, one as the body or several as a form. Answered when they count.";

/// The routes as the page for people shows them.
pub(crate) fn shown(routes: &[Route]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = routes
        .iter()
        .map(|route| Shown { method: "GET", path: route.path, about: route.about, params: route.params.clone() })
        .collect();
    shown.push(Shown { method: "POST", path: upload::API, about: HANDING_IN, params: Vec::new() });
    shown.push(Shown { method: "POST", path: decides::API, about: judged::DECIDING, params: Vec::new() });
    shown.push(Shown { method: "POST", path: says::API, about: judged::SAYING, params: Vec::new() });
    shown
}

/// An error as RFC 9457 has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The status in words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened and what is allowed.
    pub(crate) detail: String,
    /// The parameter to look at.
    pub(crate) parameter: Option<String>,
}

/// The OpenAPI 3.1 document of these routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes {
        paths.insert(route.path.to_owned(), json!({ "get": operation(route, &mut generator) }));
    }
    if let Some(Value::Object(reports)) = paths.get_mut(upload::API) {
        reports.insert("post".to_owned(), handing_in(&mut generator));
    }
    if let Some(Value::Object(decisions)) = paths.get_mut(decides::API) {
        decisions.insert("post".to_owned(), judged::deciding(&mut generator));
    }
    if let Some(Value::Object(alerts)) = paths.get_mut(says::API) {
        alerts.insert("post".to_owned(), judged::saying(&mut generator));
    }
    let problem = generator.subschema_for::<Problem>();
    let problem =
        json!({"description": "Why there is no answer", "content": {"application/problem+json": {"schema": problem}}});
    let responses = json!({"Problem": problem});
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "lamppost",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything the portal shows, as JSON. Days are UTC, written 2026-12-23; times are seconds since 1970 UTC.",
        },
        "paths": paths,
        "components": {"schemas": schemas, "responses": responses},
    })
}

/// Handing in files: the one thing that is not only asked.
fn handing_in(generator: &mut SchemaGenerator) -> Value {
    let schema = generator.subschema_for::<upload::Uploaded>();
    let binary = json!({"type": "string", "format": "binary"});
    let form = json!({"type": "object", "properties": {"file": {"type": "array", "items": binary}}});
    json!({
        "operationId": "uploadReports",
        "summary": HANDING_IN,
        "parameters": [],
        "requestBody": {"required": true, "content": {
            "multipart/form-data": {"schema": form},
            "application/octet-stream": {"schema": binary},
        }},
        "responses": {
            "200": {"description": "What became of each file; a file that was refused is no error", "content": {"application/json": {"schema": schema}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let schema = (route.schema)(generator);
    let in_path = route.path_params.iter().map(|param| {
        json!({"name": param.name, "in": "path", "required": true, "description": param.about, "schema": (param.schema)()})
    });
    let in_query = route.params.iter().map(|param| {
        let about = format!("{} Allowed: {}.", param.about, param.allowed);
        json!({"name": param.name, "in": "query", "required": false, "description": about, "schema": (param.schema)()})
    });
    json!({
        "operationId": route.name,
        "summary": route.about,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": {
            "200": {"description": "The answer", "content": {"application/json": {"schema": schema}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    })
}
