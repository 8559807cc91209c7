//! What is noted beside an item: which source it came through, where it lay, and for mail that was handed to us, by whom.
//!
//! Written as one line, which people read on pages, and read back by whoever evaluates the carrying mail:
//! `smtp:reports ip=192.0.2.1 helo=mx.example from=<noreply@mx.example>`.

use std::fmt;
use std::net::IpAddr;

/// Where an item came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The kind of source, as in the configuration.
    pub kind: &'static str,
    /// Its name in the configuration.
    pub name: String,
    /// Where it lay at the source: a mailbox and number, a path, a key. Empty for mail that was handed to us.
    pub place: String,
    /// Who handed it to us.
    pub sender: Option<Sender>,
}

/// Who handed a mail to us: what an evaluation of it needs besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The client's address.
    pub ip: IpAddr,
    /// The name in its HELO, EHLO or LHLO.
    pub helo: String,
    /// What stood between the brackets of MAIL FROM; empty for `<>`.
    pub mail_from: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)?;
        match &self.sender {
            // A name in HELO has no space in it, and a path may: so the path comes last.
            Some(Sender { ip, helo, mail_from }) => write!(f, " ip={ip} helo={helo} from=<{mail_from}>"),
            None if self.place.is_empty() => Ok(()),
            None => write!(f, " {}", self.place),
        }
    }
}

impl Sender {
    /// Who handed an item in, from its origin as the ledger has it; nothing if it was not handed to us as mail.
    #[must_use]
    pub fn of(origin: &str) -> Option<Self> {
        let (source, rest) = origin.split_once(" ip=")?;
        if !matches!(source.split_once(':')?.0, "smtp" | "lmtp") || source.contains(' ') {
            return None;
        }
        let (ip, rest) = rest.split_once(" helo=")?;
        let (helo, from) = rest.split_once(" from=<")?;
        Some(Self { ip: ip.parse().ok()?, helo: helo.to_owned(), mail_from: from.strip_suffix('>')?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for mail_from in ["a@b.example", "", "\"a b> from=<x\"@b.example"] {
            let sender = Sender {
                ip: "2001:db8::1".parse().unwrap(),
                helo: "mx.example".to_owned(),
                mail_from: mail_from.to_owned(),
            };
            let origin =
                Origin { kind: "smtp", name: "in".to_owned(), place: String::new(), sender: Some(sender.clone()) };
            assert_eq!(Sender::of(&origin.to_string()), Some(sender));
        }
        let place = "/x ip=192.0.2.1 helo=a from=<b@c.example>".to_owned();
        let origin = Origin { kind: "folder", name: "f".to_owned(), place, sender: None };
        assert_eq!(Sender::of(&origin.to_string()), None, "a file's name claims nothing");
    }
}
