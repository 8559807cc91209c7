//! The routes about what was judged: flows, one flow, classes day by day, decisions; and the one that decides.

use insight::{ClassTrend, Decided, Decision, Flow, FlowLine, Flows, NewDecision, NewWord, Today, TwoLists};
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::{IP, PathParam, Route, route};
use crate::params::{CLASS, FLOWS, OF_FLOWS};
use crate::site;

const FLOW: PathParam = PathParam {
    name: "flow",
    about: "A flow's id, or the beginning of it where only one has that.",
    schema: || json!({"type": "string", "minLength": 3, "maxLength": 10}),
};

/// What deciding does.
pub(super) const DECIDING: &str =
    "Takes down what a flow or a network is, or takes the decision in force back; answered when it is seen everywhere.";

/// What saying something to an alert does.
pub(super) const SAYING: &str =
    "Says to an alert that somebody knows of it, or silences its cause until a moment, or takes back what was said.";

pub(super) fn routes() -> Vec<Route> {
    vec![
        route::<Today>(
            ("/api/v1/today", "today"),
            "What needs somebody: how the domains fare, and what to do first.",
            &[],
            &[],
            |call| Ok(insight::today(call.ledger)?),
        ),
        route::<TwoLists>(
            ("/api/v1/lists", "lists"),
            "Good sources that fail beside bad ones, and whether it looks safe to tighten.",
            &[],
            &[&OF_FLOWS],
            |call| Ok(insight::two_lists(call.ledger, &call.scope())?),
        ),
        route::<Flows>(
            ("/api/v1/flows", "flows"),
            "The streams of mail in our name: what each is taken for, and how sure that is.",
            &[],
            &[&OF_FLOWS, &[&CLASS], FLOWS],
            |call| Ok(insight::flows(call.ledger, &call.scope(), &call.ask.flow_order())?),
        ),
        route::<Flow>(
            ("/api/v1/flows/{flow}", "flow"),
            "One flow, with all reasons for what it is taken for.",
            &[FLOW],
            &[&OF_FLOWS],
            site::flow_detail,
        ),
        route::<ClassTrend>(
            ("/api/v1/trend/classes", "classTrend"),
            "What happened, day by day and class by class.",
            &[],
            &[&OF_FLOWS],
            |call| Ok(insight::class_trend(call.ledger, &call.scope())?),
        ),
        route::<Vec<FlowLine>>(
            ("/api/v1/sources/{ip}/flows", "sourceFlows"),
            "The flows that come from an address, with the address's messages in each over all days.",
            &[IP],
            &[],
            |call| Ok(insight::source_flows(call.ledger, call.address()?)?),
        ),
        route::<Vec<Decision>>(
            ("/api/v1/decisions", "decisions"),
            "What was decided about flows, by whom and why; the newest first.",
            &[],
            &[],
            |call| Ok(insight::decisions(call.ledger, crate::web::today())?),
        ),
    ]
}

/// Deciding, for the document.
pub(super) fn deciding(generator: &mut SchemaGenerator) -> Value {
    let schema = generator.subschema_for::<Decided>();
    let new = generator.subschema_for::<NewDecision>();
    json!({
        "operationId": "decide",
        "summary": DECIDING,
        "parameters": [],
        "requestBody": {"required": true, "content": {"application/json": {"schema": new}}},
        "responses": {
            "200": {"description": "Its number, and what it changed", "content": {"application/json": {"schema": schema}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    })
}

/// Saying something to an alert, for the document.
pub(super) fn saying(generator: &mut SchemaGenerator) -> Value {
    let new = generator.subschema_for::<NewWord>();
    let number = json!({"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]});
    json!({
        "operationId": "say",
        "summary": SAYING,
        "parameters": [],
        "requestBody": {"required": true, "content": {"application/json": {"schema": new}}},
        "responses": {
            "200": {"description": "Its number", "content": {"application/json": {"schema": number}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    })
}
