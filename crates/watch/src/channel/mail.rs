//! Mail: plain text, one message a notice.
//!
//! In: a notice. Out: a message at the server. Subject and body are base64, so that nothing in them can end a header field or the message.

use std::path::PathBuf;

use insight::Notice;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::Secret;

use super::submission::{Server, base64, submit};
use super::text::{lines, subject};
use super::{Wants, submission};

pub use submission::Security;

/// `[[alerts.channel.mail]]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The server that takes mail from us.
    pub server: String,
    /// Its port; by default 587, with TLS 465, without encryption 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected: `starttls`, `tls`, or `none` to a server on this machine.
    pub security: Security,
    /// The user, where the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Certificates of the authorities to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The address it is from.
    pub from: String,
    /// The addresses it goes to.
    pub to: Vec<String>,
    /// What it is told.
    pub wants: Wants,
}

/// Addresses are ours, and plain: what has a space, a bracket or a control could say more to the server than an address.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && text.chars().all(plain)
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.server.is_empty() {
            return Err("it needs a `server` that takes mail".to_owned());
        }
        if self.to.is_empty() {
            return Err("it needs addresses to send `to`".to_owned());
        }
        if let Some(wrong) = self.to.iter().chain([&self.from]).find(|address| !is_address(address)) {
            return Err(format!(
                "`{}` is no address: `from` and `to` are written as alerts@example.com",
                wrong.escape_debug()
            ));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("`user` and `password` go together".to_owned());
        }
        Ok(())
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        })
    }
}

pub(super) async fn send(settings: &Settings, notice: &Notice, base: &str) -> Result<(), String> {
    let server = Server {
        host: &settings.server,
        port: settings.port(),
        security: settings.security,
        ca: settings.ca.as_deref(),
        login: settings.user.as_deref().zip(settings.password.as_ref()),
    };
    submit(&server, &settings.from, &settings.to, &message(settings, notice, base)).await
}

/// The message, with lines that end in CRLF.
fn message(settings: &Settings, notice: &Notice, base: &str) -> String {
    let domain = settings.from.rsplit('@').next().unwrap_or("localhost");
    let date = jiff::Timestamp::from_second(notice.at)
        .ok()
        .and_then(|at| jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).ok())
        .unwrap_or_default();
    let fields = [
        format!("From: lamppost <{}>", settings.from),
        format!("To: {}", settings.to.join(",\r\n ")),
        format!("Subject: {}", encoded(&subject(notice))),
        format!("Date: {date}"),
        // The same for the same notice: whoever gets it twice sees one message.
        format!("Message-ID: <{}.{}@{domain}>", notice.id, settings.name),
        // RFC 3834 §5: so that nobody's holiday answers.
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
    ];
    let body = base64(lines(notice, base).join("\r\n").as_bytes());
    // RFC 2045 §6.8: "encoded lines must not be longer than 76 characters".
    let body: Vec<&str> = body.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("{}\r\n\r\n{}\r\n", fields.join("\r\n"), body.join("\r\n"))
}

/// RFC 2047 §2: encoded words of at most 75 characters, whole characters in each.
fn encoded(text: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 39) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", base64(word.as_bytes()))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain() {
        let cases = [
            ("alerts@example.com", true),
            ("a.b+c@mail.example.com", true),
            ("nobody", false),
            ("@example.com", false),
            ("a@", false),
            ("a@b\r\nBcc: c@d", false),
            ("a@b>\r\nRCPT TO:<c@d", false),
            ("Name <a@b>", false),
            ("a b@c", false),
        ];
        for (text, good) in cases {
            assert_eq!(is_address(text), good, "{text:?}");
        }
    }
}
