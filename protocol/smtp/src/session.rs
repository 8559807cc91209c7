//! One connection: commands in their order, replies, and what the caller has to do about a message.
//!
//! In: bytes from the client. Out: replies to send, bytes of messages, and [`Event`]s. The caller sends the replies before it waits for
//! more input, and after [`Event::End`] says by [`Session::answer`] what became of the message.
//!
//! RFC 5321 (SMTP), RFC 2033 (LMTP), RFC 2920 (pipelining), RFC 1870 (SIZE), RFC 3207 (STARTTLS), RFC 6152 (8BITMIME),
//! RFC 6531 (SMTPUTF8), RFC 2034 (enhanced status codes).

use crate::command::{self, Command};
use crate::data::{Data, Found};
use crate::settings::{Dialect, Settings, Tls};

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All input was used: send the replies and read on.
    More,
    /// A message begins; [`Session::envelope`] says from whom and to whom.
    Begin,
    /// There are bytes of the message in `body`: take them out.
    Body,
    /// The message is complete: keep it and call [`Session::answer`].
    End,
    /// The message is refused already: forget what came of it. Input may follow.
    Discard,
    /// Send the replies, then begin TLS and call [`Session::encrypted`].
    StartTls,
    /// Send the replies and close.
    Close,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is kept, for good.
    Kept,
    /// It could not be kept now; the client shall come again.
    Later,
    /// There is no room for it now; the client shall come again.
    Full,
}

/// Who sent a message to whom, as the client said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The name in HELO, EHLO or LHLO.
    pub helo: String,
    /// What stood between the brackets of MAIL FROM; empty for `<>`.
    pub mail_from: String,
    /// Recipients that were accepted, in order.
    pub recipients: Vec<String>,
    /// The connection was encrypted.
    pub encrypted: bool,
}

#[derive(Debug)]
enum State {
    /// Commands are expected. True: after MAIL FROM.
    Commands(bool),
    /// The message comes.
    Data {
        data: Data,
        bytes: u64,
        refused: Option<&'static str>,
    },
    /// The caller has to answer.
    Answering,
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    state: State,
    line: Vec<u8>,
    envelope: Envelope,
    errors: u32,
    commands: u32,
}

const TOO_LARGE: &str = "552 5.3.4 The message is larger than SIZE allows\r\n";
const BARE_LF: &str = "521 5.5.2 A bare line feed came, where RFC 5321 2.3.8 wants CR LF; good bye\r\n";

impl Session {
    /// A new connection, and the greeting to send.
    #[must_use]
    pub fn new(settings: Settings, reply: &mut Vec<u8>) -> Self {
        let protocol = if settings.dialect == Dialect::Lmtp { "LMTP" } else { "ESMTP" };
        put(reply, &format!("220 {} {protocol} lamppost\r\n", settings.host));
        let envelope = Envelope::default();
        Self { settings, state: State::Commands(false), line: Vec::new(), envelope, errors: 0, commands: 0 }
    }

    /// Who sent the message that is coming, or came last, to whom.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Whether a message is under way: begun, and neither ended nor refused.
    #[must_use]
    pub fn in_message(&self) -> bool {
        matches!(self.state, State::Data { refused: None, .. } | State::Answering)
    }

    /// Reads on. Says how much of the input was used and what to do; call it again with the rest until it says [`Event::More`].
    pub fn input(&mut self, input: &[u8], reply: &mut Vec<u8>, body: &mut Vec<u8>) -> (usize, Event) {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            let (more, event) = match &self.state {
                State::Closed => return (used, Event::Close),
                State::Answering => return (used, Event::End),
                _ if rest.is_empty() => return (used, Event::More),
                State::Commands(_) => self.commands(rest, reply),
                State::Data { .. } => self.data(rest, reply, body),
            };
            used += more;
            if let Some(event) = event {
                return (used, event);
            }
        }
    }

    /// Says what became of the message that ended.
    pub fn answer(&mut self, answer: Answer, reply: &mut Vec<u8>) {
        if !matches!(self.state, State::Answering) {
            return;
        }
        let line = match answer {
            Answer::Kept => "250 2.0.0 Kept\r\n",
            Answer::Later => "451 4.3.0 It could not be kept now; try again later\r\n",
            Answer::Full => "452 4.3.1 There is no room for it now; try again later\r\n",
        };
        self.answer_all(line, reply);
        self.reset();
    }

    /// The connection is encrypted from here on. RFC 3207 §4.2: "the server MUST discard any knowledge obtained from the client".
    pub fn encrypted(&mut self) {
        self.line.clear();
        self.reset();
        self.envelope = Envelope { encrypted: true, ..Envelope::default() };
    }

    /// The reply that ends a session on the server's own account: it is told to stop, or the client took too long.
    pub fn close(&mut self, why: &str, reply: &mut Vec<u8>) {
        put(reply, &format!("421 4.3.2 {} {why}\r\n", self.settings.host));
        self.state = State::Closed;
    }

    /// RFC 2033 §4.2: after the final dot there is "one reply for each previously successful RCPT command".
    fn answer_all(&self, line: &str, reply: &mut Vec<u8>) {
        let replies = match self.settings.dialect {
            Dialect::Smtp => 1,
            Dialect::Lmtp => self.envelope.recipients.len(),
        };
        for _ in 0..replies {
            put(reply, line);
        }
    }

    fn reset(&mut self) {
        self.state = State::Commands(false);
        self.commands = 0;
    }

    fn data(&mut self, input: &[u8], reply: &mut Vec<u8>, body: &mut Vec<u8>) -> (usize, Option<Event>) {
        let max = self.settings.message_bytes_max;
        let State::Data { data, bytes, refused } = &mut self.state else { return (0, None) };
        let before = body.len();
        // Where the connection is closed does not depend on how the input came in pieces: at this many bytes, not behind them.
        let close_at = max.saturating_mul(2).saturating_add(2);
        let room = usize::try_from(close_at.saturating_sub(*bytes)).unwrap_or(usize::MAX);
        // A carriage return that was held back may come with the first byte.
        let input = &input[..input.len().min(room.saturating_sub(1).max(1))];
        let (used, found) = data.read(input, body);
        *bytes += (body.len() - before) as u64;
        if refused.is_some() {
            body.truncate(before);
        }
        if found == Found::BareLf {
            body.clear();
            return (used, Some(self.violation(reply)));
        }
        if *bytes > max && refused.is_none() {
            *refused = Some(TOO_LARGE);
            body.clear();
            if found == Found::More && *bytes / 2 <= max {
                return (used, Some(Event::Discard));
            }
        }
        match (*refused, found) {
            (None, Found::End) => {
                self.state = State::Answering;
                // The bytes first, then the end.
                (used, (body.len() > before).then_some(Event::Body))
            }
            (None, _) => (used, Some(Event::Body).filter(|_| !body.is_empty())),
            (Some(line), Found::End) => {
                let line = line.to_owned();
                self.answer_all(&line, reply);
                self.reset();
                (used, Some(Event::Discard))
            }
            // Somebody who sends twice of what is allowed will not stop.
            (Some(line), _) if *bytes / 2 > max => {
                put(reply, line);
                self.state = State::Closed;
                (used, Some(Event::Close))
            }
            (Some(_), _) => (used, None),
        }
    }

    /// What smuggling is made of: nothing that came is taken, and nothing more is read.
    fn violation(&mut self, reply: &mut Vec<u8>) -> Event {
        put(reply, BARE_LF);
        self.state = State::Closed;
        Event::Close
    }

    fn commands(&mut self, input: &[u8], reply: &mut Vec<u8>) -> (usize, Option<Event>) {
        let Some(end) = memchr::memchr(b'\n', input) else {
            self.line.extend_from_slice(input);
            if self.line.len() > self.settings.limits.command_bytes_max {
                put(reply, "500 5.5.2 The line is too long; good bye\r\n");
                self.state = State::Closed;
                return (input.len(), Some(Event::Close));
            }
            return (input.len(), None);
        };
        self.line.extend_from_slice(&input[..end]);
        let line = std::mem::take(&mut self.line);
        let used = end + 1;
        if line.len() > self.settings.limits.command_bytes_max {
            put(reply, "500 5.5.2 The line is too long; good bye\r\n");
            self.state = State::Closed;
            return (used, Some(Event::Close));
        }
        let Some(line) = line.strip_suffix(b"\r") else { return (used, Some(self.violation(reply))) };
        self.commands += 1;
        let event = match command::parse(line) {
            Ok(command) => self.command(&command, input.len() > used, reply),
            Err(refusal) => self.refuse(refusal, reply),
        };
        if event.is_none() && self.commands > self.settings.limits.commands_max {
            self.close("too many commands; good bye", reply);
            return (used, Some(Event::Close));
        }
        (used, event)
    }

    /// Refuses a command; too many of these end the session.
    fn refuse(&mut self, line: &str, reply: &mut Vec<u8>) -> Option<Event> {
        put(reply, line);
        self.errors += 1;
        if self.errors < self.settings.limits.errors_max {
            return None;
        }
        self.close("too many errors; good bye", reply);
        Some(Event::Close)
    }

    fn command(&mut self, command: &Command<'_>, more: bool, reply: &mut Vec<u8>) -> Option<Event> {
        let lmtp = self.settings.dialect == Dialect::Lmtp;
        match command {
            // RFC 2033 §4.1: "The HELO and EHLO commands of ESMTP are replaced by the LHLO command."
            Command::Lhlo(name) if lmtp => self.hello(name, true, reply),
            Command::Ehlo(name) if !lmtp => self.hello(name, true, reply),
            Command::Helo(name) if !lmtp => self.hello(name, false, reply),
            Command::Lhlo(_) | Command::Ehlo(_) | Command::Helo(_) => {
                return self.refuse("500 5.5.1 This is the other protocol's greeting\r\n", reply);
            }
            Command::StartTls => return self.start_tls(more, reply),
            Command::Mail(path, size) => return self.mail(path, *size, reply),
            Command::Rcpt(mailbox) => return self.rcpt(mailbox, reply),
            Command::Data => return self.begin(reply),
            Command::Rset => {
                self.state = State::Commands(false);
                put(reply, "250 2.0.0 Forgotten\r\n");
            }
            Command::Noop => put(reply, "250 2.0.0 Still here\r\n"),
            // RFC 5321 §3.5.3: 252 where an address is not verified.
            Command::Vrfy => put(reply, "252 2.5.0 Send it and see\r\n"),
            Command::Help => put(reply, "214 2.0.0 This host takes reports; see RFC 9990\r\n"),
            Command::Quit => {
                put(reply, "221 2.0.0 Good bye\r\n");
                self.state = State::Closed;
                return Some(Event::Close);
            }
        }
        None
    }

    fn hello(&mut self, name: &str, extended: bool, reply: &mut Vec<u8>) {
        self.state = State::Commands(false);
        name.clone_into(&mut self.envelope.helo);
        if !extended {
            return put(reply, &format!("250 {}\r\n", self.settings.host));
        }
        put(reply, &format!("250-{}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n", self.settings.host));
        if self.settings.tls != Tls::Absent && !self.envelope.encrypted {
            put(reply, "250-STARTTLS\r\n");
        }
        put(reply, &format!("250-ENHANCEDSTATUSCODES\r\n250 SIZE {}\r\n", self.settings.message_bytes_max));
    }

    fn start_tls(&mut self, more: bool, reply: &mut Vec<u8>) -> Option<Event> {
        if self.settings.tls == Tls::Absent || self.envelope.encrypted {
            return self.refuse("502 5.5.1 There is no STARTTLS here\r\n", reply);
        }
        if more {
            // Commands slipped in before the encryption would count as said inside of it.
            put(reply, "503 5.5.1 Nothing may follow STARTTLS; good bye\r\n");
            self.state = State::Closed;
            return Some(Event::Close);
        }
        put(reply, "220 2.0.0 Go ahead\r\n");
        Some(Event::StartTls)
    }

    fn mail(&mut self, path: &str, size: Option<u64>, reply: &mut Vec<u8>) -> Option<Event> {
        if self.envelope.helo.is_empty() || !matches!(self.state, State::Commands(false)) {
            return self.refuse("503 5.5.1 Not now: greet first, and one message after the other\r\n", reply);
        }
        if self.settings.tls == Tls::Required && !self.envelope.encrypted {
            return self.refuse("530 5.7.0 STARTTLS must come first\r\n", reply);
        }
        // RFC 1870 §6.1: refused at once with 552.
        if size.is_some_and(|size| size > self.settings.message_bytes_max) {
            return self.refuse(TOO_LARGE, reply);
        }
        path.clone_into(&mut self.envelope.mail_from);
        self.envelope.recipients.clear();
        self.state = State::Commands(true);
        put(reply, "250 2.1.0 Sender noted\r\n");
        None
    }

    fn rcpt(&mut self, mailbox: &str, reply: &mut Vec<u8>) -> Option<Event> {
        if !matches!(self.state, State::Commands(true)) {
            return self.refuse("503 5.5.1 MAIL must come first\r\n", reply);
        }
        if !self.settings.recipients.accept(mailbox) {
            return self.refuse("550 5.1.1 No such mailbox here; nothing is passed on\r\n", reply);
        }
        if self.envelope.recipients.len() >= self.settings.limits.recipients_max {
            put(reply, "452 4.5.3 Too many recipients; the others in another message\r\n");
            return None;
        }
        self.envelope.recipients.push(mailbox.to_owned());
        put(reply, "250 2.1.5 Recipient noted\r\n");
        None
    }

    fn begin(&mut self, reply: &mut Vec<u8>) -> Option<Event> {
        if !matches!(self.state, State::Commands(true)) {
            return self.refuse("503 5.5.1 MAIL must come first\r\n", reply);
        }
        // RFC 2033 §4.2: without a valid recipient "the server MUST … fail the DATA command with 503"; RFC 5321 §3.3 has 554 too.
        if self.envelope.recipients.is_empty() {
            return self.refuse("503 5.5.1 There is no valid recipient\r\n", reply);
        }
        put(reply, "354 End with a dot on a line of its own\r\n");
        self.state = State::Data { data: Data::new(), bytes: 0, refused: None };
        Some(Event::Begin)
    }
}

fn put(reply: &mut Vec<u8>, line: &str) {
    reply.extend_from_slice(line.as_bytes());
}
