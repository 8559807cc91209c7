//! From a host name to a session: connected, encrypted, logged in; a deadline on every step.

use std::time::Duration;

use async_imap::{Authenticator, Client, Session};
use hyper::body::Bytes;

use super::{Source, TlsMode};
use wire::{Wire, timed};

/// How long an ordinary command may take.
pub(super) const COMMAND: Duration = Duration::from_mins(1);

pub(super) type Mail = Session<Box<dyn Wire>>;

/// A session, and whether the server can MOVE, UID EXPUNGE, and IDLE.
pub(super) struct Open {
    pub(super) session: Mail,
    pub(super) can_move: bool,
    pub(super) can_expunge: bool,
    pub(super) can_idle: bool,
}

impl Source {
    pub(super) async fn login(&self) -> Result<Open, String> {
        let client = self.connect().await?;
        let mut session = self.authenticate(client).await?;
        // Servers can do more once they know who asks.
        let can = timed("CAPABILITY", COMMAND, session.capabilities()).await?;
        Ok(Open {
            can_move: can.has_str("MOVE"),
            can_expunge: can.has_str("UIDPLUS"),
            can_idle: can.has_str("IDLE"),
            session,
        })
    }

    async fn connect(&self) -> Result<Client<Box<dyn Wire>>, String> {
        let settings = &self.settings;
        let host = settings.host.as_str();
        let usual = if settings.tls == TlsMode::Implicit { 993 } else { 143 };
        let stream = wire::connect(host, settings.port.unwrap_or(usual)).await?;
        match settings.tls {
            TlsMode::Implicit => {
                let stream = wire::encrypt(&self.connector, host, stream).await?;
                greeted(Client::new(stream)).await
            }
            TlsMode::Starttls => {
                let stream: Box<dyn Wire> = Box::new(stream);
                let mut client = greeted(Client::new(stream)).await?;
                timed("STARTTLS", COMMAND, client.run_command_and_check_ok("STARTTLS", None)).await?;
                // What may have been slipped in behind the answer is dropped with the client's buffer.
                Ok(Client::new(wire::encrypt(&self.connector, host, client.into_inner()).await?))
            }
            TlsMode::None if wire::is_local(&stream) => greeted(Client::new(Box::new(stream))).await,
            TlsMode::None => Err(format!("{host} is another machine: `tls = \"none\"` is for this one only")),
        }
    }

    async fn authenticate(&self, client: Client<Box<dyn Wire>>) -> Result<Mail, String> {
        let user = &self.settings.user;
        let refused = |error: async_imap::error::Error| format!("{user} cannot log in: {error}");
        if let Some(tokens) = &self.tokens {
            let token = tokens.get().await?;
            let said = Xoauth2 { response: Some(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose())) };
            let login = async { client.authenticate("XOAUTH2", said).await.map_err(|(error, _)| refused(error)) };
            let done = timed("AUTHENTICATE", COMMAND, login).await;
            if done.is_err() {
                tokens.forget().await;
            }
            return done;
        }
        let secret = self.settings.password.as_ref().ok_or("there is no password")?.open()?;
        let login = async { client.login(user, secret.expose()).await.map_err(|(error, _)| refused(error)) };
        timed("LOGIN", COMMAND, login).await
    }
}

async fn greeted(mut client: Client<Box<dyn Wire>>) -> Result<Client<Box<dyn Wire>>, String> {
    match timed("the greeting", COMMAND, client.read_response()).await? {
        Some(_) => Ok(client),
        None => Err("the server hangs up without a greeting".to_owned()),
    }
}

/// The answer to the one challenge; to what the server says when it refuses, an empty one.
struct Xoauth2 {
    response: Option<String>,
}

impl Authenticator for Xoauth2 {
    type Response = Bytes;

    fn process(&mut self, _challenge: &[u8]) -> Bytes {
        self.response.take().unwrap_or_default().into()
    }
}
