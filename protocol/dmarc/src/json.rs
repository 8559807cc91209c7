//! An evaluation as JSON: the fields of `lamppost check`, which may be added to and are never renamed.
//!
//! In: an [`Evaluation`]. Out: one value. Result words are the standards' lower-case ones.

use serde_json::{Value, json};

use crate::why::answered;
use crate::{Alignment, Difference, Evaluation, Policy, Relation, Selection, Standard, Step, Verdict};

impl Evaluation {
    /// Everything that was found out; `authserv_id` is our name in the results field.
    #[must_use]
    pub fn to_json(&self, authserv_id: &str) -> Value {
        let mut value = json!({
            "spf": self.spf.to_json(),
            "spf_helo": {
                "domain": self.spf_helo.domain.as_ref().map(ToString::to_string),
                "result": self.spf_helo.result.as_str(),
                "reason": self.spf_helo.why(),
            },
            "dkim": self.dkim.iter().map(signature).collect::<Value>(),
            "arc": chain(&self.arc),
            "dmarc": self.dmarc.to_json(),
            "from": self.author_json(),
            "anomalies": self.anomalies.iter().map(|anomaly| {
                json!({"kind": anomaly.kind.name(), "at": anomaly.at, "count": anomaly.count})
            }).collect::<Value>(),
            "forged_results": self.forged.iter().map(|found| {
                json!({"field": found.index, "ordinal": found.ordinal})
            }).collect::<Value>(),
            "body": {"bytes": self.body.bytes, "bare_cr": self.body.bare_cr, "bare_lf": self.body.bare_lf},
            "authentication_results": self.authentication_results(authserv_id).field(),
        });
        if let Some(other) = &self.other {
            value[format!("dmarc_{}", other.standard.as_str())] = other.to_json();
            value["difference"] = self.difference().map_or(Value::Null, |difference| difference.to_json());
        }
        value
    }

    fn author_json(&self) -> Value {
        match &self.author {
            Ok(author) => json!({
                "verdict": "ok",
                "reason": null,
                "domain": author.domain.as_str(),
                "local_part": author.local_part,
                "display_name": author.display_name,
                "flags": author.flags.iter().map(|flag| flag.name()).collect::<Value>(),
            }),
            Err(refused) => json!({
                "verdict": "refuse",
                "reason": refused.name(),
                "message": refused.to_string(),
                "evaluated": self.candidates.iter().map(Verdict::to_json).collect::<Value>(),
            }),
        }
    }
}

fn signature(verdict: &dkim::Verdict) -> Value {
    let signature = verdict.signature.as_ref();
    json!({
        "domain": verdict.domain().map(message::Domain::as_str),
        "selector": signature.map(|signature| signature.selector.as_str()),
        "algorithm": signature.map(|signature| signature.algorithm.as_str()),
        "key_bits": verdict.key_bits,
        "result": verdict.result.as_str(),
        "reason": verdict.reason.as_ref().map(ToString::to_string),
        "usable_for_dmarc": verdict.usable_for_dmarc(),
        "flags": verdict.flags.iter().map(|flag| flag.name()).collect::<Value>(),
        "age_seconds": verdict.age,
        "signed_at": signature.and_then(|signature| signature.signed_at),
        "expires_at": signature.and_then(|signature| signature.expires_at),
        "field": verdict.field,
    })
}

fn chain(validation: &arc::Validation) -> Value {
    let newest = validation.sets.last();
    json!({
        "result": validation.result.as_str(),
        "instances": validation.sets.len(),
        "sealer": newest.map(|set| set.sealer.as_str()),
        "reason": validation.reason.as_ref().map(ToString::to_string),
        "oldest_pass": validation.oldest_pass,
        "sets": validation.sets.iter().map(|set| json!({
            "instance": set.instance,
            "sealer": set.sealer.as_str(),
            "selector": set.selector.as_str(),
            "status": set.status.as_str(),
            "sealed_at": set.sealed_at,
        })).collect::<Value>(),
    })
}

impl Verdict {
    /// The verdict with the steps that led to it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let steps = self.discovery.iter().flat_map(|discovery| &discovery.steps);
        let published = self.published();
        json!({
            "standard": self.standard.as_str(),
            "author_domain": self.author_domain.as_ref().map(message::Domain::as_str),
            "organizational_domain": self.organizational_domain().map(ToString::to_string),
            "policy_domain": self.policy_domain().map(ToString::to_string),
            "policy": self.policy.map(|requested| requested.policy.as_str()),
            "published_policy": self.policy.map(|requested| requested.published.as_str()),
            "policy_tag": self.policy.map(|requested| requested.source.as_str()),
            "test_mode": self.policy.is_some_and(|requested| requested.test_mode),
            "sampled_out": self.policy.is_some_and(|requested| requested.sampled_out),
            "result": self.result.as_str(),
            "spf_aligned": self.spf_aligned(),
            "dkim_aligned": self.dkim_aligned(),
            "requested_disposition": self.requested_disposition.map(Policy::as_str),
            "reason": self.why(),
            "author_domain_exists": self.existence.as_ref().and_then(exists),
            "alignments": self.alignments.iter().map(alignment).collect::<Value>(),
            "discovery_method": match self.standard {
                Standard::Rfc9989 => "treewalk",
                Standard::Rfc7489 => "psl",
            },
            "discovery": steps.map(step).collect::<Value>(),
            "walks": self.walks.iter().map(|walk| json!({
                "domain": walk.domain.to_string(),
                "organizational_domain": walk.organizational_domain.as_ref().map(ToString::to_string),
                "discovery": walk.steps.iter().map(step).collect::<Value>(),
            })).collect::<Value>(),
            "record": published.map(|published| &*published.text),
            "record_findings": published.map(|published| published.findings.iter().map(|finding| json!({
                "start": finding.span.start,
                "end": finding.span.end,
                "message": finding.to_string(),
            })).collect::<Value>()),
        })
    }
}

impl Difference {
    /// The difference with its causes in words.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "result": {"rfc9989": self.results.0.as_str(), "rfc7489": self.results.1.as_str()},
            "requested_disposition": {
                "rfc9989": self.requested_dispositions.0.map(Policy::as_str),
                "rfc7489": self.requested_dispositions.1.map(Policy::as_str),
            },
            "reason": self.to_string(),
        })
    }
}

fn exists(answer: &spf::Answer) -> Option<bool> {
    (!answer.is_failure()).then_some(!matches!(answer, spf::Answer::NxDomain { .. }))
}

fn alignment(alignment: &Alignment) -> Value {
    let relation = alignment.relation.as_ref().map(|relation| match relation {
        Relation::Same => "same",
        Relation::SameOrganization => "same_organization",
        Relation::NotSame => "not_same",
        Relation::OtherOrganization(_) => "other_organization",
        Relation::Unknown => "unknown",
    });
    json!({
        "method": alignment.identifier.method.as_str(),
        "domain": alignment.identifier.domain.as_ref().map(ToString::to_string),
        "result": alignment.identifier.result.as_str(),
        "relation": relation,
        "aligned": alignment.relation.as_ref().map(Relation::is_aligned),
    })
}

fn step(step: &Step) -> Value {
    let mut value = step.answer.as_ref().map_or_else(|| json!({"answer": "name_too_long"}), spf::Answer::to_json);
    value["name"] = format!("_dmarc.{}", step.domain).into();
    value["domain"] = step.domain.to_string().into();
    value["found"] = match step.selection.as_deref() {
        Some(Selection::Record(_)) => "record",
        Some(Selection::Several(_)) => "several",
        Some(Selection::Nothing(_)) => "no_record",
        None => "nothing",
    }
    .into();
    match step.selection.as_deref() {
        Some(Selection::Record(published)) => value["record"] = (*published.text).into(),
        Some(Selection::Several(texts)) => value["records"] = texts.iter().map(|text| &**text).collect(),
        Some(Selection::Nothing(near)) => {
            let near = near.iter().map(|(text, why)| json!({"text": &**text, "message": why.to_string()}));
            value["nearly"] = near.collect();
        }
        None => value["message"] = answered(step).into(),
    }
    value
}
