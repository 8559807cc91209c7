//! Whether the mail that carried a report is its author domain's: who says so, or why nobody does (RFC 9990 §6.3.1 has reports sent so
//! that DMARC passes for them).
//!
//! In: the mail, what is known of the session it came in, a source of DNS answers, the time. Out: a [`Standing`]. Anybody can send a
//! report about anybody: one whose sender is not known is kept and not counted. Whose report it is to believe is not decided here.

use std::net::IpAddr;

use authres::ResultWord;
use dmarc::{Envelope, Evaluation, Settings};
use dns::Lookup;
use message::{Domain, Header, HeaderLimits};
use serde::{Deserialize, Serialize};

use crate::origin::Sender;

/// What is known of the session in which a mail came; less for one that was fetched from a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Address of the client.
    pub ip: Option<IpAddr>,
    /// What it said in HELO or EHLO.
    pub helo: String,
    /// What it said in MAIL FROM.
    pub mail_from: Option<Vec<u8>>,
}

/// Whoever says whose mail it is. Called from threads that may wait.
pub trait Judge: std::fmt::Debug + Send + Sync {
    /// Judges a mail; `session` is empty for one that was fetched from a mailbox.
    fn judge(&self, mail: &[u8], session: &Session) -> Standing;
}

/// Whether an item came as mail, by its origin: then anybody may have sent it.
pub(crate) fn is_mail(origin: &str) -> bool {
    origin.split_once(':').is_some_and(|(kind, _)| matches!(kind, "smtp" | "lmtp" | "imap" | "maildir" | "s3-mail"))
}

/// What is known of the session, from an item's origin.
pub(crate) fn session(origin: &str) -> Session {
    Sender::of(origin).map_or_else(Session::default, |Sender { ip, helo, mail_from }| Session {
        ip: Some(ip),
        helo,
        mail_from: Some(mail_from.into_bytes()),
    })
}

/// Who stands for a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// Whoever gave it to us by hand, or with a token of ours.
    Vouched,
    /// The author domain of the mail that carried it.
    Authenticated {
        /// Which.
        domain: String,
        /// Who says so: `dmarc` for our own evaluation, else the name of the host whose results are trusted.
        by: String,
    },
    /// Nobody.
    Unauthenticated {
        /// The domain that the mail claims to be from, where it claims one.
        domain: Option<String>,
        /// Why nobody does, as a sentence without a full stop.
        why: String,
    },
}

impl Standing {
    /// Whether its reports count.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self, Self::Unauthenticated { .. })
    }
}

/// Judges a mail by what a trusted host wrote on it, and where none did by our own evaluation.
///
/// `trusted` are names of hosts whose `Authentication-Results` are believed. They must be hosts that remove such fields from mail that
/// comes with them (RFC 8601 §5), or anybody could write them.
pub async fn standing<L: Lookup>(mail: &[u8], session: &Session, trusted: &[String], lookup: &L, now: u64) -> Standing {
    if !trusted.is_empty()
        && let Ok((header, _, _)) = message::split(mail, &HeaderLimits::default())
        && let Ok(author) = message::author(&header)
        && let Some(standing) = said(&header, &author.domain, trusted)
    {
        return standing;
    }
    // An address that nothing is known of fails SPF; DKIM is enough.
    let ip = session.ip.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let known = session.ip.is_some();
    let mail_from = session.mail_from.as_deref().filter(|_| known);
    let helo = if known { session.helo.as_str() } else { "" };
    let envelope = Envelope { ip, helo, mail_from, receiver: "unknown" };
    of(&dmarc::evaluate(mail, &envelope, lookup, now, &Settings::default()).await)
}

/// What our own evaluation comes to.
fn of(evaluation: &Evaluation) -> Standing {
    let domain = evaluation.author.as_ref().ok().map(|author| author.domain.as_str().to_owned());
    if let Some(domain) = &domain
        && evaluation.dmarc.result == ResultWord::Pass
    {
        return Standing::Authenticated { domain: domain.clone(), by: "dmarc".to_owned() };
    }
    let why = match &evaluation.author {
        Ok(_) => evaluation.dmarc.why(),
        Err(refused) => refused.to_string(),
    };
    Standing::Unauthenticated { domain, why }
}

/// What the trusted hosts say of DMARC, the topmost first: it is the one that was written last.
fn said(header: &Header, author: &Domain, trusted: &[String]) -> Option<Standing> {
    for field in header.named(authres::FIELD_NAME) {
        let (results, flaws) = authres::parse(field.value);
        let id = results.authserv_id.trim_end_matches('.');
        let Some(by) = trusted.iter().find(|trusted| trusted.trim_end_matches('.').eq_ignore_ascii_case(id)) else {
            continue;
        };
        let Some(method) = results.methods.iter().find(|method| method.name == "dmarc") else { continue };
        let from = method.properties.iter().find(|property| property.kind == "header" && property.name == "from");
        let about = from.and_then(|property| Domain::parse(property.value.as_bytes()).ok());
        let domain = Some(author.as_str().to_owned());
        let why = if !flaws.is_empty() {
            format!("the results of {by} cannot be read safely")
        } else if about.as_ref().is_some_and(|about| about != author) || (from.is_some() && about.is_none()) {
            format!("the results of {by} are about another author domain")
        } else if method.result == ResultWord::Pass.as_str() {
            return Some(Standing::Authenticated { domain: author.as_str().to_owned(), by: by.clone() });
        } else {
            format!("{by} says dmarc={}", method.result)
        };
        return Some(Standing::Unauthenticated { domain, why });
    }
    None
}

#[cfg(test)]
mod tests {
    use dns::{Zone, now};

    use super::*;

    const ZONE: &str = "
reporter.test.        TXT \"v=spf1 ip4:192.0.2.1 -all\"
_dmarc.reporter.test. TXT \"v=DMARC1; p=reject\"
open.test.            TXT \"v=spf1 ip4:192.0.2.1 -all\"
_dmarc.slow.test.     TXT \"v=DMARC1; p=reject\"
;@ timeout slow.test. TXT
";

    fn judged(results: &str, from: &str, client: Option<&str>, mail_from: &str) -> Standing {
        let mail = format!("{results}From: {from}\r\nTo: dmarc@legit.test\r\nSubject: Report\r\n\r\nbody\r\n");
        let session = Session {
            ip: client.map(|ip| ip.parse().unwrap()),
            helo: "mail.reporter.test".to_owned(),
            mail_from: Some(mail_from.as_bytes().to_vec()),
        };
        let zone = Zone::parse(ZONE).unwrap();
        now(standing(mail.as_bytes(), &session, &["mx.legit.test".to_owned()], &zone, 1_777_636_800))
    }

    #[test]
    fn own_evaluation() {
        // Author, client, MAIL FROM; whether it counts; what the answer must say.
        let cases = [
            ("a@reporter.test", Some("192.0.2.1"), "a@reporter.test", true, "dmarc", "its own server"),
            ("a@reporter.test", Some("192.0.2.9"), "a@reporter.test", false, "nothing vouches", "a stranger's server"),
            ("a@reporter.test", Some("192.0.2.1"), "a@open.test", false, "nothing vouches", "another domain's pass"),
            ("a@reporter.test", None, "a@reporter.test", false, "nothing vouches", "from a mailbox, unsigned"),
            (
                "a@open.test",
                Some("192.0.2.1"),
                "a@open.test",
                false,
                "no DMARC record",
                "a domain without DMARC cannot be told from its forger",
            ),
            ("a@reporter.test, b@open.test", Some("192.0.2.1"), "a@reporter.test", false, "", "two authors"),
            (
                "a@slow.test",
                Some("192.0.2.1"),
                "a@slow.test",
                false,
                "could not be checked",
                "DNS that does not answer",
            ),
        ];
        for (from, client, mail_from, counts, says, why) in cases {
            let standing = judged("", from, client, mail_from);
            assert_eq!(standing.counts(), counts, "{why}: {standing:?}");
            assert!(format!("{standing:?}").contains(says), "{why}: {standing:?}");
        }
    }

    #[test]
    fn results_of_a_trusted_host() {
        // Fields above From; whether it counts; why the case exists.
        let cases = [
            (
                "Authentication-Results: mx.legit.test; dmarc=pass header.from=reporter.test\r\n",
                true,
                "what the host says",
            ),
            (
                "Authentication-Results: MX.legit.test.; dmarc=pass (p=none) header.from=reporter.test\r\n",
                true,
                "names have no case",
            ),
            (
                "Authentication-Results: mx.legit.test; spf=pass\r\nAuthentication-Results: mx.legit.test; dmarc=pass\r\n",
                true,
                "a field for each filter",
            ),
            (
                "Authentication-Results: mx.attack.test; dmarc=pass header.from=reporter.test\r\n",
                false,
                "anybody can write a field",
            ),
            (
                "Authentication-Results: mx.legit.test.attack.test; dmarc=pass\r\n",
                false,
                "a name that begins like ours",
            ),
            (
                "Authentication-Results: mx.legit.test; dmarc=fail header.from=reporter.test\r\nAuthentication-Results: mx.legit.test; dmarc=pass header.from=reporter.test\r\n",
                false,
                "the topmost was written last",
            ),
            (
                "Authentication-Results: mx.legit.test; dmarc=pass header.from=other.test\r\n",
                false,
                "about another author",
            ),
            ("Authentication-Results: mx.legit.test; dmarc=pass header.from=\"a b\"\r\n", false, "about nobody"),
            ("Authentication-Results: mx.legit.test; dmarc=pass (\r\n", false, "an open comment may hide what follows"),
            ("Authentication-Results: mx.legit.test; dmarc=bestguesspass\r\n", false, "a word of one provider's own"),
        ];
        for (results, counts, why) in cases {
            let standing = judged(results, "a@reporter.test", None, "");
            assert_eq!(standing.counts(), counts, "{why}: {standing:?}");
        }
    }

    #[test]
    fn a_standing_is_kept_as_json() {
        let standing = judged("", "a@reporter.test", Some("192.0.2.1"), "a@reporter.test");
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(json, r#"{"standing":"authenticated","domain":"reporter.test","by":"dmarc"}"#);
        assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
    }
}
