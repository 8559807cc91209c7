//! An evaluation as an Authentication-Results field (RFC 8601; RFC 9989 §9 for `policy.dmarc`; RFC 6008 for `header.b`).
//!
//! In: an [`Evaluation`] and our name. Out: [`authres::Results`], whose writer quotes or drops whatever could break out of its place.

use authres::{Method, Results};

use crate::{Evaluation, Verdict};

/// RFC 6008 §4: "at least the first eight characters" of `b=`.
const SIGNATURE_CHARACTERS: usize = 8;

impl Evaluation {
    /// The field to be put on top of the message, said by `authserv_id`.
    #[must_use]
    pub fn authentication_results(&self, authserv_id: &str) -> Results {
        let mut results = Results::by(authserv_id);
        for spf in [&self.spf, &self.spf_helo] {
            // Where MAIL FROM is null both are the same check.
            let is_same = spf.identity == spf::Identity::Helo && self.has_null_path();
            if !is_same {
                results = results.with(sender(spf, self.has_null_path()));
            }
        }
        for verdict in &self.dkim {
            results = results.with(signature(verdict));
        }
        if self.dkim.is_empty() {
            results = results.with(Method::new("dkim", authres::ResultWord::None));
        }
        if self.arc.result != authres::ResultWord::None {
            results = results.with(chain(&self.arc));
        }
        results.with(policy(&self.dmarc))
    }
}

fn sender(spf: &spf::Evaluation, null_path: bool) -> Method {
    let word = authres::ResultWord::parse(spf.result.as_str()).unwrap_or(authres::ResultWord::None);
    // RFC 8601 §2.7.2: `smtp.helo` where the HELO name is what was checked, which it is for the null path.
    let name = if spf.identity == spf::Identity::Helo || null_path { "helo" } else { "mailfrom" };
    let method = Method::new("spf", word);
    // The domain alone: local parts may be anything, and RFC 8601 asks for none.
    spf.domain
        .as_ref()
        .map_or_else(|| method.clone(), |domain| method.clone().property("smtp", name, domain.to_string()))
}

fn signature(verdict: &dkim::Verdict) -> Method {
    let mut method = Method::new("dkim", verdict.result);
    if let Some(reason) = &verdict.reason {
        method = method.reason(reason.to_string());
    }
    if let Some(domain) = verdict.domain() {
        method = method.property("header", "d", domain.as_str());
    }
    let Some(signature) = &verdict.signature else { return method };
    let mut start = dkim::to_base64(&signature.signature);
    start.truncate(SIGNATURE_CHARACTERS);
    method
        .property("header", "s", signature.selector.as_str())
        .property("header", "a", signature.algorithm.as_str())
        .property("header", "b", start)
}

fn chain(validation: &arc::Validation) -> Method {
    let mut method = Method::new("arc", validation.result);
    if let Some(reason) = &validation.reason {
        method = method.reason(reason.to_string());
    }
    // RFC 8617 §4.1.1 and its registration.
    match validation.oldest_pass {
        Some(oldest) => method.property("header", "oldest-pass", oldest.to_string()),
        None => method,
    }
}

fn policy(verdict: &Verdict) -> Method {
    let mut method = Method::new("dmarc", verdict.result);
    if let Some(domain) = &verdict.author_domain {
        method = method.property("header", "from", domain.as_str());
    }
    // RFC 9989 §9 registers it: the policy as evaluated, after sp, np and t.
    match verdict.policy {
        Some(requested) => method.property("policy", "dmarc", requested.policy.as_str()),
        None => method,
    }
}
