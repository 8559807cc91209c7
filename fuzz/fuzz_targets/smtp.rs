//! Any bytes from an SMTP or LMTP client: they lead to the same in one piece and byte by byte, and messages stay within their limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp::{Answer, Dialect, Event, Recipients, Session, SessionLimits, Settings, Tls};

const BYTES_MAX: usize = 4096;

fn hold(dialect: Dialect, says: &[u8], piece: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let settings = Settings {
        dialect,
        host: "mx.test".to_owned(),
        tls: Tls::Absent,
        recipients: Recipients::new(["@a.example"]),
        message_bytes_max: BYTES_MAX as u64,
        limits: SessionLimits::default(),
    };
    let (mut reply, mut body) = (Vec::new(), Vec::new());
    let mut session = Session::new(settings, &mut reply);
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    for input in says.chunks(piece) {
        let mut at = 0;
        loop {
            let (used, event) = session.input(&input[at..], &mut reply, &mut body);
            at += used;
            match event {
                Event::More => break,
                Event::Begin | Event::Discard => message.clear(),
                Event::Body => message.append(&mut body),
                Event::End => {
                    assert!(message.len() <= BYTES_MAX && !session.envelope().recipients.is_empty());
                    messages.push(std::mem::take(&mut message));
                    session.answer(Answer::Kept, &mut reply);
                }
                Event::StartTls | Event::Close => return (messages, reply),
            }
        }
        assert_eq!(at, input.len());
    }
    (messages, reply)
}

fuzz_target!(|bytes: &[u8]| {
    // Four conversations in five would never greet.
    let greeted = [b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@a.example>\r\nDATA\r\n", bytes].concat();
    for (dialect, says) in [(Dialect::Smtp, bytes), (Dialect::Lmtp, bytes), (Dialect::Lmtp, &greeted)] {
        let whole = hold(dialect, says, usize::MAX);
        let single = hold(dialect, says, 1);
        assert_eq!(whole.0, single.0);
        // A line that is too long is noticed sooner or later.
        assert_eq!(whole.1, single.1);
    }
});
