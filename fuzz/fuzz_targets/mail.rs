//! Any bytes as a message, as an attachment of one, and as a mailbox.

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use message::{Envelope, Limits, Mailbox, base64, parts};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, group) in bytes.chunks(3).enumerate() {
        let value = group.iter().fold(0_u32, |value, &b| value << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for position in 0..4 {
            let digit = (value >> (18 - 6 * position) & 63) as usize;
            text.push(if position > group.len() { '=' } else { char::from(ALPHABET[digit]) });
        }
        if index % 19 == 18 {
            text.push('\n');
        }
    }
    text
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { parts: 50, depth: 6, decoded_bytes: 1 << 20 };
    let mut leaves = 0;
    let _ = parts(bytes, &limits, &mut |part| {
        leaves += 1;
        assert!(part.bytes.len() <= bytes.len());
        true
    });
    assert!(leaves <= limits.parts);
    let _ = Envelope::of(bytes);

    // Packed as an attachment, it comes out as it was.
    let encoded = encode(bytes);
    assert_eq!(base64(encoded.as_bytes()), bytes);
    let mail = format!(
        "Subject: x\nContent-Type: multipart/mixed; boundary=\"=b=\"\n\n--=b=\nContent-Type: a/b; name=\"n\"\n\
         Content-Transfer-Encoding: base64\n\n{encoded}\n--=b=--\n"
    );
    let mut seen = 0;
    parts(mail.as_bytes(), &Limits::default(), &mut |part| {
        assert_eq!((part.name.as_deref(), &part.bytes[..]), (Some("n"), bytes));
        seen += 1;
        true
    })
    .expect("one part");
    assert_eq!(seen, 1);

    // Quoted as mboxrd does it, it comes out of a mailbox as it was, up to its last line end.
    let mut mailbox = b"From a Thu Jan  1 00:00:00 1970\n".to_vec();
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let quotes = line.iter().take_while(|&&b| b == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            mailbox.push(b'>');
        }
        mailbox.extend_from_slice(line);
    }
    mailbox.extend_from_slice(b"\n\nFrom b Thu Jan  1 00:00:00 1970\nend");
    let mut mailbox = Mailbox::new(&mailbox[..]);
    assert!(mailbox.next_message().expect("memory"));
    let mut message = Vec::new();
    mailbox.read_to_end(&mut message).expect("memory");
    assert_eq!(message, [bytes, b"\n"].concat());
    assert!(mailbox.next_message().expect("memory"));
    message.clear();
    mailbox.read_to_end(&mut message).expect("memory");
    assert_eq!((&message[..], mailbox.next_message().expect("memory")), (&b"end"[..], false));
});
