//! SMTP and LMTP: mail that is handed to us, taken for good or refused. Nothing is ever passed on.
//!
//! In: connections. Out: items, with who handed them in; a client reads 250 when its message is on disk. What is said on a connection
//! is decided by the `smtp` room; here are sockets, time and TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::smtp::{Answer, Dialect, Event, Recipients, Session, SessionLimits, Tls};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::context::Context;
use super::listen::{self, Doors, Place};
use crate::arrival::Arrival;
use crate::desk::KeepError;
use crate::health::{Activity, Mishap};
use crate::origin::{Origin, Sender};
use crate::tls::Certified;

/// Mail that is handed to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name, for pages and messages.
    pub name: String,
    /// Address and port to listen on.
    pub listen: Option<SocketAddr>,
    /// Our name in the greeting; the one in the MX record, where there is one.
    pub host: String,
    /// The addresses mail is taken for; `@example.com` takes everything for that domain.
    pub recipients: Vec<String>,
    /// A file with the certificate and those that vouch for it (PEM); with it STARTTLS is offered. It is read at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A file with its private key (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Whether nothing is taken without STARTTLS.
    pub require_tls: bool,
    /// Bytes of a message at most.
    pub message_bytes_max: u64,
    /// Connections at the same time, in all.
    pub connections_max: u32,
    /// Connections at the same time from one address.
    pub connections_per_address_max: u32,
    /// Seconds a client may be silent. RFC 5321 §4.5.3.2.7 asks for five minutes; when three quarters of the connections are in use it
    /// is ten seconds.
    pub timeout_seconds: u32,
    /// Seconds a client may take for one message, from DATA to its end, and as many to begin one.
    pub message_seconds_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            listen: None,
            host: "localhost".to_owned(),
            recipients: Vec::new(),
            certificate: None,
            key: None,
            require_tls: false,
            message_bytes_max: 50 << 20,
            connections_max: 200,
            connections_per_address_max: 50,
            timeout_seconds: 300,
            message_seconds_max: 1_200,
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(what.to_owned());
        if self.listen.is_none() {
            return wrong("it needs `listen`: an address and a port, such as \"127.0.0.1:8424\"");
        }
        if self.recipients.is_empty() || self.recipients.iter().any(|address| !address.contains('@')) {
            return wrong(
                "it needs `recipients`: addresses as in the rua of your DMARC record, or \"@example.com\" for all of a domain",
            );
        }
        if self.certificate.is_some() != self.key.is_some() {
            return wrong("`certificate` and `key` go together");
        }
        if self.require_tls && self.certificate.is_none() {
            return wrong("`require_tls` needs `certificate` and `key`");
        }
        if self.host.is_empty() || !self.host.chars().all(|c| c.is_ascii_graphic()) {
            return wrong("`host` is no host name");
        }
        let numbers =
            [self.connections_max, self.connections_per_address_max, self.timeout_seconds, self.message_seconds_max];
        if numbers.contains(&0) || self.message_bytes_max == 0 {
            return wrong("a limit of 0 would let nothing in: leave it out for the default");
        }
        Ok(())
    }
}

const TOO_MANY: &[u8] = b"421 4.7.0 Too many connections; try again later\r\n";

/// A client's silence when connections run short.
const SHORT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to accept a reply; replies are short and fit into its system's buffers.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;

/// A listening source.
pub(super) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    session: ::smtp::Settings,
    certified: Option<Certified>,
    context: Context,
    doors: Doors,
}

impl Server {
    pub(super) async fn open(settings: &Settings, context: Context) -> Result<Self, String> {
        let certified = Certified::open(settings.certificate.as_deref(), settings.key.as_deref(), &context.board)?;
        let (listener, address) = listen::bind(settings.listen).await?;
        let session = ::smtp::Settings {
            dialect: if context.kind == "lmtp" { Dialect::Lmtp } else { Dialect::Smtp },
            host: settings.host.clone(),
            tls: match &certified {
                None => Tls::Absent,
                Some(_) if settings.require_tls => Tls::Required,
                Some(_) => Tls::Offered,
            },
            recipients: Recipients::new(&settings.recipients),
            message_bytes_max: settings.message_bytes_max,
            limits: SessionLimits::default(),
        };
        let doors = Doors::new(settings.connections_max, settings.connections_per_address_max);
        let shared = Shared { settings: settings.clone(), session, certified, context, doors };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until told to stop.
    pub(super) async fn run(self) {
        let Self { listener, shared, .. } = self;
        let (context, of) = (shared.context.clone(), shared.clone());
        listen::accept(listener, &context, &shared.doors, (TOO_MANY, TOO_MANY), |stream, ip, place| {
            session(of.clone(), stream, ip, place)
        })
        .await;
    }
}

impl Shared {
    /// How long a client may be silent now.
    fn patience(&self) -> Duration {
        let usual = Duration::from_secs(u64::from(self.settings.timeout_seconds));
        if self.doors.crowded() { usual.min(SHORT_TIMEOUT) } else { usual }
    }

    /// How long a message may take, and how long it may take to begin one.
    fn message_time(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.message_seconds_max))
    }
}

/// One connection from its greeting to its end.
async fn session(shared: Arc<Shared>, stream: TcpStream, ip: IpAddr, place: Place) {
    // Replies are small and answer one another.
    let _ = stream.set_nodelay(true);
    let mut reply = Vec::new();
    let session = Session::new(shared.session.clone(), &mut reply);
    let now = Instant::now();
    let mut talk =
        Talk { shared: shared.clone(), ip, session, reply, body: Vec::new(), message: None, heard: now, idle: now };
    let ended = match talk.run(stream).await {
        Ok(Some(stream)) => match &shared.certified {
            Some(certified) => match timeout(shared.patience(), certified.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    talk.session.encrypted();
                    talk.run(stream).await.map(drop)
                }
                Ok(Err(error)) => Err(format!("the handshake failed: {error}")),
                Err(_) => Err("the handshake took too long".to_owned()),
            },
            None => Ok(()),
        },
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!("source {}: a connection from {ip} broke off: {error}", shared.context.name);
    }
    drop(place);
}

/// A message that is coming, until when, and why it is no longer kept.
struct Message {
    arrival: Result<Arrival, KeepError>,
    until: Instant,
}

/// One connection: the session, and what goes to and from it.
struct Talk {
    shared: Arc<Shared>,
    ip: IpAddr,
    session: Session,
    reply: Vec<u8>,
    body: Vec<u8>,
    message: Option<Message>,
    /// When it last was patience's turn to begin anew: a command was complete, or there was a byte of a message.
    heard: Instant,
    /// Since when there was no message.
    idle: Instant,
}

impl Talk {
    /// Talks until the end, or until TLS begins: then the stream comes back.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(&mut self, mut stream: S) -> Result<Option<S>, String> {
        let mut input = vec![0; READ_BYTES];
        loop {
            self.send(&mut stream).await?;
            let count = match self.read(&mut stream, &mut input).await {
                Some(Ok(0)) => return Ok(None),
                Some(Ok(count)) => count,
                Some(Err(error)) => return Err(error.to_string()),
                None => {
                    self.session.close("it took too long; good bye", &mut self.reply);
                    self.send(&mut stream).await?;
                    listen::part(stream).await;
                    return Err("it took too long".to_owned());
                }
            };
            let mut at = 0;
            loop {
                let (used, event) = self.session.input(&input[at..count], &mut self.reply, &mut self.body);
                at += used;
                match event {
                    Event::More => break,
                    Event::Begin => self.begin(),
                    Event::Body => self.body().await,
                    Event::End => self.end().await,
                    Event::Discard => self.discard("larger than `message_bytes_max`"),
                    Event::StartTls => {
                        self.send(&mut stream).await?;
                        return Ok(Some(stream));
                    }
                    Event::Close => {
                        self.discard("broken off: a bare line feed, or far too large");
                        self.send(&mut stream).await?;
                        listen::part(stream).await;
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads on; nothing if the client took too long. How long is too long changes while it is waited for: when places run short,
    /// those who hold one without using it are asked to go.
    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S, input: &mut [u8]) -> Option<std::io::Result<usize>> {
        loop {
            let silent = self.heard + self.shared.patience();
            let until = match &self.message {
                Some(message) => message.until,
                None => self.idle + self.shared.message_time(),
            };
            let (until, now) = (until.min(silent), Instant::now());
            if now >= until {
                return None;
            }
            if let Ok(read) = timeout_at(until.min(now + SHORT_TIMEOUT), stream.read(input)).await {
                if self.message.is_some() {
                    self.heard = Instant::now();
                }
                return Some(read);
            }
        }
    }

    async fn send<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Result<(), String> {
        if self.reply.is_empty() {
            return Ok(());
        }
        // A reply means that a command was complete: single bytes of one do not buy time.
        self.heard = Instant::now();
        let write = async {
            stream.write_all(&self.reply).await?;
            stream.flush().await
        };
        let written = timeout(WRITE_TIMEOUT, write).await;
        self.reply.clear();
        match written {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err("it does not read".to_owned()),
        }
    }

    fn sender(&self) -> Sender {
        let envelope = self.session.envelope();
        Sender { ip: self.ip, helo: envelope.helo.clone(), mail_from: envelope.mail_from.clone() }
    }

    fn begin(&mut self) {
        let context = &self.shared.context;
        let sender = Some(self.sender());
        let origin = Origin { kind: context.kind, name: context.name.clone(), place: String::new(), sender };
        let arrival =
            if context.desk.is_full() { Err(KeepError::Busy) } else { Ok(context.desk.arrival(origin.to_string())) };
        self.message = Some(Message { arrival, until: Instant::now() + self.shared.message_time() });
    }

    async fn body(&mut self) {
        if let Some(Message { arrival, .. }) = &mut self.message
            && let Ok(coming) = arrival
            && let Err(error) = coming.write(&self.body).await
        {
            // The rest of the message is read, and the client told at its end.
            *arrival = Err(error);
        }
        self.body.clear();
    }

    async fn end(&mut self) {
        let kept = match self.message.take() {
            Some(Message { arrival: Ok(arrival), .. }) => arrival.finish().await,
            Some(Message { arrival: Err(error), .. }) => Err(error),
            None => Err(KeepError::Busy),
        };
        let board = &self.shared.context.board;
        let answer = match kept {
            Ok(receipt) => {
                board.kept(&[receipt]);
                Answer::Kept
            }
            Err(error) => {
                board.failed(&format!("a message from {} was put off: {error}", self.ip));
                if matches!(error, KeepError::Full) { Answer::Full } else { Answer::Later }
            }
        };
        if answer == Answer::Kept {
            board.is(Activity::Waiting);
        }
        self.session.answer(answer, &mut self.reply);
        self.idle = Instant::now();
    }

    fn discard(&mut self, why: &str) {
        if self.message.take().is_some() {
            self.idle = Instant::now();
            let Sender { ip, mail_from, .. } = self.sender();
            let mishap = Mishap::now(format!("a message from <{mail_from}> by {ip}: {why}"));
            self.shared.context.board.refused(mishap);
        }
    }
}
