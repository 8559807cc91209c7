//! A mail handed to a server: as little of SMTP as that takes (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314), and a
//! name and password where it asks for them (RFC 4954, PLAIN).
//!
//! In: server, envelope, message. Out: that it was taken, or why not. Every reply has a deadline and a longest size.

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::{Secret, Wire, connect, connector, encrypt, is_local, timed};

/// How long a reply may take. RFC 5321 §4.5.3.2 has minutes; a server of one's own answers in seconds.
const REPLY: Duration = Duration::from_mins(2);
/// Bytes of a reply at most: RFC 5321 §4.5.3.1.5 has 512 a line, and some servers say a lot in EHLO.
const REPLY_MAX: usize = 16 << 10;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// `STARTTLS`; a server that has none is not used.
    #[default]
    Starttls,
    /// TLS from the start.
    Tls,
    /// None: to a server on this machine only.
    None,
}

/// Where mail is handed in.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) ca: Option<&'a Path>,
    pub(super) login: Option<(&'a str, &'a Secret)>,
}

/// A dialogue under way.
struct Dialogue {
    stream: Box<dyn Wire>,
    read: Vec<u8>,
}

impl Dialogue {
    /// A whole reply: its code, and its text.
    async fn reply(&mut self) -> Result<(u16, String), String> {
        let mut text = String::new();
        loop {
            let line = self.line().await?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let Some(code) = code else { return Err("the server answers with something else than SMTP".to_owned()) };
            text.push_str(line.get(4..).unwrap_or_default());
            text.push('\n');
            if text.len() > REPLY_MAX {
                return Err("the server answers without end".to_owned());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok((code, text));
            }
        }
    }

    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.read.len() > REPLY_MAX {
                return Err("the server answers without end".to_owned());
            }
            let mut buffer = [0; 1024];
            let read = timed("the server's answer", REPLY, self.stream.read(&mut buffer)).await?;
            if read == 0 {
                return Err("the server closed the connection".to_owned());
            }
            self.read.extend_from_slice(&buffer[..read]);
        }
    }

    /// Says something and wants a reply of one kind. `shown` is what is said of it where it fails.
    async fn say(&mut self, text: &str, shown: &str, wanted: u16) -> Result<String, String> {
        let write = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.write_all(b"\r\n").await?;
            self.stream.flush().await
        };
        timed("saying something to the server", REPLY, write).await?;
        self.expect(shown, wanted).await
    }

    async fn expect(&mut self, shown: &str, wanted: u16) -> Result<String, String> {
        let (code, text) = self.reply().await?;
        if code / 100 == wanted / 100 {
            Ok(text)
        } else {
            Err(format!("the server does not take {shown}: {code} {}", super::text::plain(text.trim())))
        }
    }
}

/// Hands a message in. Lines of `message` end in CRLF; no name in `from` and `to` has a space, a bracket or a control.
pub(super) async fn submit(server: &Server<'_>, from: &str, to: &[String], message: &str) -> Result<(), String> {
    let connector = connector(server.ca)?;
    let stream = connect(server.host, server.port).await?;
    let local = is_local(&stream);
    if server.security == Security::None && !local {
        return Err("without encryption mail is handed to this machine only: set `security`".to_owned());
    }
    let stream: Box<dyn Wire> = match server.security {
        Security::Tls => encrypt(&connector, server.host, stream).await?,
        Security::Starttls | Security::None => Box::new(stream),
    };
    let mut dialogue = Dialogue { stream, read: Vec::new() };
    dialogue.expect("a connection", 220).await?;
    // The domain that answers for the mail; RFC 5321 §4.1.1.1 wants a name, and servers that take mail of their own do not look it up.
    let greeting = format!("EHLO {}", from.rsplit('@').next().unwrap_or("localhost"));
    let mut offers = dialogue.say(&greeting, "the greeting", 250).await?;
    if server.security == Security::Starttls {
        dialogue.say("STARTTLS", "STARTTLS", 220).await?;
        // RFC 3207 §6: what was read before is not to be trusted; a server that said more than its reply is an attacker in between.
        if !dialogue.read.is_empty() {
            return Err("the server said something between STARTTLS and TLS".to_owned());
        }
        dialogue.stream = encrypt(&connector, server.host, dialogue.stream).await?;
        offers = dialogue.say(&greeting, "the greeting", 250).await?;
    }
    if let Some((user, secret)) = server.login {
        let plain =
            |line: &str| line.to_ascii_uppercase().starts_with("AUTH ") && line.to_ascii_uppercase().contains("PLAIN");
        if !offers.lines().any(plain) {
            return Err(
                "the server has no AUTH PLAIN, and a user is set: leave `user` out, or choose another `security`"
                    .to_owned(),
            );
        }
        let said = base64(format!("\0{user}\0{}", secret.open()?.expose()).as_bytes());
        dialogue.say(&format!("AUTH PLAIN {said}"), "the user and password", 235).await?;
    }
    dialogue.say(&format!("MAIL FROM:<{from}>"), "the sender", 250).await?;
    for recipient in to {
        dialogue.say(&format!("RCPT TO:<{recipient}>"), &format!("the recipient {recipient}"), 250).await?;
    }
    dialogue.say("DATA", "DATA", 354).await?;
    // RFC 5321 §4.5.2: a line that begins with a period gets another one.
    let stuffed: String = message
        .split_inclusive("\r\n")
        .map(|line| if line.starts_with('.') { format!(".{line}") } else { line.to_owned() })
        .collect();
    dialogue.say(&format!("{stuffed}."), "the message", 250).await?;
    // It is taken; how the server says good-bye is of no interest.
    let _ = dialogue.say("QUIT", "QUIT", 221).await;
    Ok(())
}

/// RFC 4648 §4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_in_the_standard() {
        // RFC 4648 §10.
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
