//! Whole conversations: what a client says, which codes it gets, which messages come out. Each is held at once, byte by byte, and
//! in pieces of seven: all must agree.

#![expect(clippy::unwrap_used, reason = "what a test builds for itself does not fail")]

use smtp::{Answer, Dialect, Envelope, Event, Recipients, Session, SessionLimits, Settings, Tls};

fn settings(dialect: Dialect) -> Settings {
    Settings {
        dialect,
        host: "mx.test".to_owned(),
        tls: Tls::Offered,
        recipients: Recipients::new(["rua@example.com", "@reports.example"]),
        message_bytes_max: 64,
        limits: SessionLimits { command_bytes_max: 600, recipients_max: 3, errors_max: 4, commands_max: 20 },
    }
}

/// What came of a conversation.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Came {
    /// The code of each reply's last line.
    codes: Vec<u16>,
    messages: Vec<(Envelope, Vec<u8>)>,
    closed: bool,
}

fn hold(settings: &Settings, says: &[u8], piece: usize) -> (Came, String) {
    let (mut reply, mut body) = (Vec::new(), Vec::new());
    let mut session = Session::new(settings.clone(), &mut reply);
    let mut came = Came::default();
    let mut message: Option<Vec<u8>> = None;
    'all: for input in says.chunks(piece) {
        let mut at = 0;
        loop {
            let (used, event) = session.input(&input[at..], &mut reply, &mut body);
            at += used;
            match event {
                Event::More => break,
                Event::Begin => assert!(message.replace(Vec::new()).is_none(), "two messages at once"),
                Event::Body => message.as_mut().unwrap().append(&mut body),
                Event::End => {
                    came.messages.push((session.envelope().clone(), message.take().unwrap()));
                    session.answer(Answer::Kept, &mut reply);
                }
                Event::Discard => message = None,
                Event::StartTls => session.encrypted(),
                Event::Close => {
                    came.closed = true;
                    break 'all;
                }
            }
            assert!(body.is_empty(), "bytes of a message are announced");
        }
        assert_eq!(at, input.len(), "all input is used");
    }
    let text = String::from_utf8(reply).unwrap();
    let last = |line: &&str| line.as_bytes()[3] == b' ';
    came.codes = text.split_terminator("\r\n").filter(last).map(|line| line[..3].parse().unwrap()).collect();
    (came, text)
}

/// Holds it in three ways; `pieces` is false where what stands in one packet matters.
fn check(why: &str, settings: &Settings, says: &[u8], codes: &[u16], bodies: &[&[u8]], closed: bool) {
    let (came, text) = hold(settings, says, usize::MAX);
    assert_eq!(came.codes, codes, "{why}: {text}");
    assert_eq!(came.messages.iter().map(|(_, body)| body.as_slice()).collect::<Vec<_>>(), bodies, "{why}");
    assert_eq!(came.closed, closed, "{why}");
    for piece in [1, 7] {
        assert_eq!(hold(settings, says, piece).0, came, "{why}: in pieces of {piece}");
    }
}

const START: &str = "EHLO a.example\r\nMAIL FROM:<r@a.example>\r\nRCPT TO:<rua@example.com>\r\nDATA\r\n";

#[test]
fn messages() {
    let settings = settings(Dialect::Smtp);
    let held = |why, rest: &str, codes: &[u16], bodies: &[&[u8]], closed| {
        let codes = [&[220, 250, 250, 250, 354][..], codes].concat();
        check(why, &settings, format!("{START}{rest}").as_bytes(), &codes, bodies, closed);
    };
    let fifty = "x".repeat(50);
    let full = format!("{fifty}xxxxxxxxxxxx\r\n");
    held("one", "a\r\n.\r\nQUIT\r\n", &[250, 221], &[b"a\r\n"], true);
    let two = format!("a\r\n.\r\n{}b\r\n.\r\n", &START[16..]);
    held("two", &two, &[250, 250, 250, 354, 250], &[b"a\r\n", b"b\r\n"], false);
    held("smuggling by LF dot LF", "a\n.\nMAIL FROM:<x@y.example>\r\n", &[521], &[], true);
    held("smuggling by LF dot CR LF", "a\n.\r\nMAIL FROM:<x@y.example>\r\n", &[521], &[], true);
    held("CR dot CR is no end", "a\r.\rMAIL\r\n.\r\n", &[250], &[b"a\r.\rMAIL\r\n"], false);
    held("too large", &format!("{fifty}\r\n{fifty}\r\n.\r\nNOOP\r\n"), &[552, 250], &[], false);
    held("far too large", &fifty.repeat(4), &[552], &[], true);
    held("as large as allowed", &format!("{full}.\r\n"), &[250], &[full.as_bytes()], false);
    held("a dot too large", &format!("{full}x\r\n.\r\n"), &[552], &[], false);
}

#[test]
fn commands() {
    let settings = settings(Dialect::Smtp);
    let held = |why, says: &str, codes: &[u16], closed| check(why, &settings, says.as_bytes(), codes, &[], closed);
    held("a bare LF", "EHLO a.example\nMAIL", &[220, 521], true);
    let sizes = "EHLO a\r\nMAIL FROM:<> SIZE=65\r\nMAIL FROM:<> SIZE=64\r\n";
    held("announced as too large", sizes, &[220, 250, 552, 250], false);
    let nobody = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.com>\r\nDATA\r\n";
    held("nobody of that name", nobody, &[220, 250, 250, 550, 503], false);
    let any = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<Any@Reports.Example>\r\n";
    held("a whole domain, in any case", any, &[220, 250, 250, 250], false);
    let ends_like = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b@xreports.example>\r\n";
    held("not what ends like it", ends_like, &[220, 250, 250, 550], false);
    let four = format!("EHLO a\r\nMAIL FROM:<>\r\n{}", "RCPT TO:<rua@example.com>\r\n".repeat(4));
    held("four recipients of three", &four, &[220, 250, 250, 250, 250, 250, 452], false);
    held("no greeting", "MAIL FROM:<>\r\n", &[220, 503], false);
    held("MAIL twice", "HELO a\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", &[220, 250, 250, 503], false);
    let forgets = "HELO a\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<rua@example.com>\r\n";
    held("RSET forgets", forgets, &[220, 250, 250, 250, 503], false);
    held("the other protocol", "LHLO a\r\n", &[220, 500], false);
    let browser = "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
    held("a browser goes soon", browser, &[220, 500, 500, 500, 500, 421], true);
    let chatter = [&[220][..], &[250; 21], &[421]].concat();
    held("chatter goes too", &"NOOP\r\n".repeat(21), &chatter, true);
    held("a line without end", &"x".repeat(700), &[220, 500], true);
    held("no chunks, no passwords", "EHLO a\r\nBDAT 3 LAST\r\nAUTH PLAIN\r\n", &[220, 250, 500, 500], false);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let settings = settings(Dialect::Lmtp);
    let start = "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<rua@example.com>\r\nRCPT TO:<no@example.com>\r\nRCPT TO:<b@reports.example>\r\nDATA\r\n";
    let codes: &[u16] = &[220, 250, 250, 250, 550, 250, 354, 250, 250, 221];
    check("two of three", &settings, format!("{start}a\r\n.\r\nQUIT\r\n").as_bytes(), codes, &[b"a\r\n"], true);
    let large = format!("{start}{}\r\n.\r\n", "x".repeat(70));
    check(
        "too large for both",
        &settings,
        large.as_bytes(),
        &[220, 250, 250, 250, 550, 250, 354, 552, 552],
        &[],
        false,
    );
    check("HELO is not spoken here", &settings, b"EHLO a\r\n", &[220, 500], &[], false);
    let (came, _) = hold(&settings, format!("{start}a\r\n.\r\n").as_bytes(), usize::MAX);
    let envelope = &came.messages[0].0;
    assert_eq!(envelope.recipients, ["rua@example.com", "b@reports.example"]);
    assert_eq!((envelope.helo.as_str(), envelope.mail_from.as_str(), envelope.encrypted), ("a", "", false));
}

#[test]
fn encryption() {
    let mut settings = settings(Dialect::Smtp);
    settings.tls = Tls::Required;
    let plain = b"EHLO a\r\nMAIL FROM:<>\r\n";
    check("nothing without it", &settings, plain, &[220, 250, 530], &[], false);
    // In one packet: whatever stands behind STARTTLS was said before the encryption (CVE-2011-0411).
    let (came, _) = hold(&settings, b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<>\r\n", usize::MAX);
    assert_eq!((came.codes.as_slice(), came.closed), (&[220, 250, 503][..], true));
    // Byte by byte, as after a handshake: the greeting is forgotten, and STARTTLS is not offered again.
    let says = b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<>\r\nEHLO a\r\nMAIL FROM:<>\r\nSTARTTLS\r\n";
    let (came, text) = hold(&settings, says, 1);
    assert_eq!(came.codes, [220, 250, 220, 503, 250, 250, 502]);
    assert_eq!(text.matches("250-STARTTLS").count(), 1);
    settings.tls = Tls::Absent;
    let (came, text) = hold(&settings, b"EHLO a\r\nSTARTTLS\r\n", usize::MAX);
    assert_eq!(came.codes, [220, 250, 502]);
    assert!(!text.contains("STARTTLS\r\n250"));
}

#[test]
fn what_could_not_be_kept_comes_again() {
    for (answer, code) in [(Answer::Later, "451 "), (Answer::Full, "452 "), (Answer::Kept, "250 ")] {
        let (mut reply, mut body) = (Vec::new(), Vec::new());
        let mut session = Session::new(settings(Dialect::Smtp), &mut reply);
        let says = format!("{START}a\r\n.\r\n");
        let mut at = 0;
        loop {
            let (used, event) = session.input(&says.as_bytes()[at..], &mut reply, &mut body);
            at += used;
            if event == Event::End {
                break;
            }
        }
        reply.clear();
        session.answer(answer, &mut reply);
        assert!(reply.starts_with(code.as_bytes()), "{answer:?}");
        reply.clear();
        session.answer(answer, &mut reply);
        assert!(reply.is_empty(), "one answer for one message");
    }
}
