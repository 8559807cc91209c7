//! Who is asked about: the client and the names it gave, as they were read once from the envelope (RFC 7208 §2.3, §2.4, §4.1).
//!
//! In: the SMTP session's address and HELO name. Out: what checks and macros need of them. The reverse-path is
//! [`message::ReversePath`]; what is no mailbox there is never read as some other mailbox, and never as the null reverse-path.

use std::net::IpAddr;

use message::{Domain, PathError};

/// The SMTP client, and what macros may say about the session.
#[derive(Debug, Clone)]
pub struct Client<'a> {
    /// Its address; an IPv4-mapped IPv6 address is the IPv4 address.
    pub ip: IpAddr,
    /// The argument of HELO or EHLO as it was given, for `%{h}`.
    pub helo: &'a str,
    /// The same as a domain. RFC 7208 §2.3: a check "can only be performed when the "HELO" string is a valid, multi-label domain name".
    pub helo_domain: Result<Domain, PathError>,
    /// The host that checks, for `%{r}`.
    pub receiver: &'a str,
    /// Seconds since 1970, for `%{t}`.
    pub time: u64,
}

impl<'a> Client<'a> {
    /// A client as a host without a name sees it, at no time: both are used by explanations only.
    #[must_use]
    pub fn new(ip: IpAddr, helo: &'a str) -> Self {
        Self { ip, helo, helo_domain: message::helo(helo.as_bytes()), receiver: "unknown", time: 0 }
    }
}

/// Which of the session's names is checked (RFC 7208 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The reverse-path of MAIL FROM; where it is null, `postmaster` at the HELO name.
    MailFrom,
    /// The HELO name.
    Helo,
}

impl Identity {
    /// As in aggregate reports and `Authentication-Results`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MailFrom => "mailfrom",
            Self::Helo => "helo",
        }
    }
}
