//! What a session is told beforehand: which of the two protocols it speaks, for whom it takes mail, and how much of everything.

/// Which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 5321: from any mail server.
    Smtp,
    /// RFC 2033: from our own mail server, with an answer for each recipient.
    Lmtp,
}

/// Whether the connection can be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// There is no certificate: STARTTLS is not offered.
    Absent,
    /// STARTTLS is offered.
    Offered,
    /// STARTTLS is offered, and nothing is taken without it.
    Required,
}

/// Everything a session is told beforehand.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which protocol.
    pub dialect: Dialect,
    /// The name in the greeting.
    pub host: String,
    /// Whether it can be encrypted.
    pub tls: Tls,
    /// Whom mail is taken for.
    pub recipients: Recipients,
    /// Bytes of a message at most, as announced by SIZE.
    pub message_bytes_max: u64,
    /// How much of everything else.
    pub limits: SessionLimits,
}

/// How much of everything one session may use.
#[derive(Debug, Clone)]
pub struct SessionLimits {
    /// Bytes of a command line. RFC 5321 §4.5.3.1.4 has 512 with the CR LF; extensions add to it, SMTPUTF8 the most.
    pub command_bytes_max: usize,
    /// Recipients of one message. RFC 5321 §4.5.3.1.8: "The minimum total number of recipients that MUST be buffered is 100".
    pub recipients_max: usize,
    /// Commands that are unknown, malformed or out of order, after which the session ends. An honest client has none or one.
    pub errors_max: u32,
    /// Commands without a message in between, after which the session ends; enough for [`Self::recipients_max`] twice over.
    pub commands_max: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { command_bytes_max: 2048, recipients_max: 100, errors_max: 10, commands_max: 250 }
    }
}

/// Whom mail is taken for. Nothing is passed on, so what is not listed is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// In lower case; `@domain` for everybody there.
    accepted: Vec<String>,
}

impl Recipients {
    /// From addresses; `@example.com` means every address at that domain.
    pub fn new<T: AsRef<str>>(addresses: impl IntoIterator<Item = T>) -> Self {
        Self { accepted: addresses.into_iter().map(|address| address.as_ref().to_lowercase()).collect() }
    }

    /// Whether mail for this address is taken. Upper and lower case are the same, also in the local part: RFC 5321 §2.4 leaves it to
    /// the host that receives.
    #[must_use]
    pub fn accept(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let domain = address.rfind('@').map(|at| &address[at..]);
        self.accepted.iter().any(|accepted| *accepted == address || domain == Some(accepted))
    }
}
