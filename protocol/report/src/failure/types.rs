//! What a failure report says, as plain data: nothing left out but the body of the message it is about.

use std::net::IpAddr;

use serde::Serialize;

use crate::Text;

/// A report about one message that failed, or about several that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FailureReport {
    /// How it was written.
    pub shape: Shape,
    /// Domain of whoever sent the report: that of the carrying mail's author; empty where it has none.
    pub reporter: Text,
    /// The program that wrote it.
    pub user_agent: Option<Text>,
    /// The server that saw the message.
    pub reporting_mta: Option<Text>,
    /// When the message arrived, seconds since 1970 UTC.
    pub arrived: Option<i64>,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// The port there (RFC 6692).
    pub source_port: Option<u16>,
    /// Messages that the report stands for: 1 where it does not say.
    pub incidents: u64,
    /// What failed.
    pub auth_failure: AuthFailure,
    /// The mechanisms that gave no aligned identity; nothing where the report does not say.
    pub failed: Option<Mechanisms>,
    /// What became of the message.
    pub delivery: Option<Delivery>,
    /// Domains the report is about, as it names them.
    pub reported_domains: Vec<Text>,
    /// URIs it names.
    pub reported_uris: Vec<Text>,
    /// The receiver's name for the transaction.
    pub envelope_id: Option<Text>,
    /// The envelope sender; both of its parts are empty for `<>`.
    pub mail_from: Option<Mailbox>,
    /// The envelope recipients.
    pub rcpt_to: Vec<Mailbox>,
    /// What the receiver's filters said, as written.
    pub authentication_results: Vec<Text>,
    /// `d=` of the signature that failed.
    pub dkim_domain: Option<Text>,
    /// `s=` of it.
    pub dkim_selector: Option<Text>,
    /// `i=` of it.
    pub dkim_identity: Option<Text>,
    /// The key record that was used.
    pub dkim_selector_dns: Option<Text>,
    /// The SPF records that were used.
    pub spf_dns: Vec<Text>,
    /// The author of the message; its local part is empty where only the domain is known.
    pub author: Mailbox,
    /// The header of the message, in order. Empty where the report has none.
    pub header: Vec<HeaderField>,
}

/// An address in two parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize)]
pub struct Mailbox {
    /// Before the `@`. May be a hash that the reporter put in its place (RFC 6590).
    pub local_part: Text,
    /// After it, in lower-case A-labels where it is a domain.
    pub domain: Text,
}

/// A field of a header: its name as written, and its value as one line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct HeaderField {
    /// The name.
    pub name: Text,
    /// The value, unfolded, encoded words undone.
    pub value: Text,
}

/// How a report was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// As the standard has it: with a feedback part.
    #[default]
    Feedback,
    /// The message that failed is a part, and a text says the rest.
    Attached,
    /// All of it is text.
    Text,
}

/// Mechanisms of DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
pub struct Mechanisms {
    /// DKIM.
    pub dkim: bool,
    /// SPF.
    pub spf: bool,
}

/// Makes an enum of words, with one variant for words nobody specified.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$line:meta])+ $kind:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$line])+ $kind,)+
            /// Another word, as written.
            Unknown(Text),
        }

        impl $name {
            /// The word in reports and JSON.
            #[must_use]
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$kind => $word,)+
                    Self::Unknown(word) => word,
                }
            }

            /// The variant for a word, whatever its case.
            #[must_use]
            pub fn of(word: &str) -> Self {
                match word.to_ascii_lowercase().as_str() {
                    $($word => Self::$kind,)+
                    _ => Self::Unknown(Text::new(word)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Text::deserialize(deserializer).map(|word| Self::of(&word))
            }
        }
    };
}

words! {
    /// What failed (RFC 6591 §3.3, RFC 9991 §4).
    #[derive(Default)]
    AuthFailure {
        /// No mechanism gave an aligned identity.
        #[default]
        Dmarc = "dmarc",
        /// Author domain signing practices, a forerunner of DMARC.
        Adsp = "adsp",
        /// The body does not have the hash that was signed.
        BodyHash = "bodyhash",
        /// The key was revoked.
        Revoked = "revoked",
        /// The signature is not one of the key.
        Signature = "signature",
        /// SPF.
        Spf = "spf",
    }
}

words! {
    /// What became of the message (RFC 6591 §3.2.2).
    Delivery {
        /// It was delivered.
        Delivered = "delivered",
        /// It was put aside as junk.
        Spam = "spam",
        /// It was put aside for a policy.
        Policy = "policy",
        /// It was refused.
        Reject = "reject",
        /// Something else.
        Other = "other",
    }
}

impl Mailbox {
    /// Reads an address, with or without angle brackets and a display name. `<>` and nothing give an empty one.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let inner = match (text.rfind('<'), text.rfind('>')) {
            (Some(from), Some(to)) if from < to => &text[from + 1..to],
            _ => text.trim_matches(['<', '>']),
        };
        // `rfc822;user@example.com`, as delivery reports write it.
        let inner = inner.trim().strip_prefix("rfc822;").unwrap_or(inner).trim();
        match inner.rsplit_once('@') {
            Some((local, domain)) => Self { local_part: local.trim_matches('"').into(), domain: domain_text(domain) },
            None => Self { local_part: inner.into(), domain: Text::default() },
        }
    }
}

/// A domain in its one form where it is one, else as written without its final dot, in lower case.
pub(super) fn domain_text(text: &str) -> Text {
    let text = text.trim().trim_end_matches('.');
    match message::Domain::parse(text.as_bytes()) {
        Ok(domain) => Text::new(domain.as_str()),
        Err(_) => Text::new(text.to_lowercase()),
    }
}
