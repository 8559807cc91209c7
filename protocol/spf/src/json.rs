//! An evaluation as JSON: the fields of `lamppost check`, the trace as a tree.
//!
//! In: an [`Evaluation`]. Out: a value whose fields may be added to, never renamed. Bytes of records beyond ASCII are shown as U+FFFD.

use serde_json::{Value, json};

use crate::tree::{RecordNode, Spent, TermNode, TermOutcome};
use crate::{Answer, End, Evaluation, Question, Selection};

impl Evaluation {
    /// Everything that is known about the evaluation.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "identity": self.identity.as_str(),
            "domain": self.domain.as_ref().map(ToString::to_string),
            "result": self.result.as_str(),
            "reason": self.why(),
            "explanation": self.explanation,
            "lookups": self.lookups,
            "void_lookups": self.void_lookups,
            "trace": self.tree().map_or_else(|| json!({}), |tree| record(&tree)),
        })
    }
}

fn record(node: &RecordNode<'_>) -> Value {
    let visit = node.visit;
    let mut value = visit.answer.to_json();
    value["domain"] = visit.domain.to_string().into();
    value["result"] = match visit.end {
        End::Matched(_, result) => result.as_str().into(),
        End::NothingMatched => "neutral".into(),
        End::Redirected(_) => "redirect".into(),
        End::Unread | End::Failed(_) => Value::Null,
    };
    match visit.selection.as_deref() {
        Some(Selection::Record(found)) => value["record"] = found.text().into(),
        Some(Selection::Faulty { text, errors }) => {
            value["record"] = String::from_utf8_lossy(text).into();
            let errors = errors
                .iter()
                .map(|error| json!({"start": error.span.start, "end": error.span.end, "message": error.to_string()}));
            value["errors"] = errors.collect();
        }
        Some(Selection::Several(texts)) => {
            value["records"] = texts.iter().map(|text| String::from_utf8_lossy(text)).collect();
        }
        Some(Selection::Nothing) | None => {}
    }
    value["terms"] = node.terms.iter().map(term).collect();
    value
}

fn term(node: &TermNode<'_>) -> Value {
    let (outcome, result) = match node.outcome {
        TermOutcome::Matched(result) => ("match", Some(result.as_str())),
        TermOutcome::NoMatch => ("no_match", None),
        TermOutcome::Failed => ("error", None),
        TermOutcome::NotReached => ("not_reached", None),
        TermOutcome::Followed => ("followed", None),
        TermOutcome::Modifier => ("modifier", None),
    };
    let spent = |spent: Spent| json!({"lookups": spent.lookups, "void_lookups": spent.voids});
    json!({
        "term": node.text,
        "start": node.span.start,
        "end": node.span.end,
        "outcome": outcome,
        "result": result,
        "before": spent(node.before),
        "after": spent(node.after),
        "queries": node.questions.iter().map(|question| query(question)).collect::<Value>(),
        "record": node.record.as_ref().map(record),
    })
}

fn query(question: &Question) -> Value {
    let mut value = question.answer.to_json();
    value["name"] = question.name.to_string().into();
    value["type"] = question.kind.as_str().into();
    value
}

impl Answer {
    /// The answer with its time to live, or how it failed.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Found { count, ttl } => json!({"answer": "found", "records": count, "ttl": ttl}),
            Self::NxDomain { ttl } => json!({"answer": "nxdomain", "ttl": ttl}),
            Self::NoData { ttl } => json!({"answer": "nodata", "ttl": ttl}),
            Self::ServFail(reason) => json!({"answer": "servfail", "reason": &**reason}),
            Self::Timeout => json!({"answer": "timeout"}),
        }
    }
}
