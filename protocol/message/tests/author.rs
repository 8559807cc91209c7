//! The verdict on From, one case for each known way to make two readers see two authors.
//!
//! `legit.test` is the domain to be protected, `attack.test` the one that the sender may use. The numbers are those of the attack
//! list that the cases were written from; the ways come from the papers on composition attacks against mail authentication
//! (Chen, Paxson, Jiang 2020; Shen et al. 2021) and from the trackers of milters.

use message::{Author, HeaderLimits, Refusal, author, split};

/// The verdict as text: `domain [flags]`, or `refuse: name (candidates)`.
fn verdict(header: &[u8]) -> String {
    let message = [header, b"\r\n\r\nbody\r\n"].concat();
    let (header, _, _) = split(&message, &HeaderLimits::default()).expect("within the limits");
    shown(&author(&header))
}

fn shown(verdict: &Result<Author, Refusal>) -> String {
    match verdict {
        Ok(author) => {
            let flags: Vec<_> = author.flags.iter().map(|flag| flag.name()).collect();
            if flags.is_empty() {
                author.domain.to_string()
            } else {
                format!("{} [{}]", author.domain, flags.join(" "))
            }
        }
        Err(refusal) => {
            let domains: Vec<_> = refusal.candidates.iter().map(ToString::to_string).collect();
            format!("refuse: {} ({})", refusal.ambiguity.name(), domains.join(" "))
        }
    }
}

/// Name and reason, header without the empty line, verdict.
const CASES: &[(&str, &[u8], &str)] = &[
    ("the ordinary one", b"From: \"A. B\" <a@legit.test>\r\nTo: x@y.test", "legit.test"),
    ("F1 two From fields", b"From: a@attack.test\r\nFrom: a@legit.test", "refuse: repeated (attack.test legit.test)"),
    (
        "F2 a first line that begins with white space",
        b" From: a@attack.test\r\nFrom: a@legit.test",
        "refuse: first_line_continuation (legit.test)",
    ),
    (
        "F3 white space before the colon of the second",
        b"From: a@attack.test\r\nFrom : a@legit.test",
        "refuse: repeated (attack.test legit.test)",
    ),
    ("F3 of the only one", b"From\t: a@legit.test", "refuse: space_before_colon (legit.test)"),
    ("F4 the colon on the next line", b"From\r\n : a@legit.test", "refuse: folded_name (legit.test)"),
    (
        "F4 beside a real one",
        b"From\r\n : a@legit.test\r\nFrom: a@attack.test",
        "refuse: repeated (legit.test attack.test)",
    ),
    ("F5 no From, but a Sender", b"Sender: a@legit.test\r\nResent-From: a@legit.test", "refuse: missing ()"),
    (
        "F6 two mailboxes, two domains",
        b"From: a@legit.test, x@attack.test",
        "refuse: multiple_mailboxes (legit.test attack.test)",
    ),
    ("F6 two mailboxes, one domain", b"From: a@legit.test, <b@LEGIT.test>", "refuse: multiple_mailboxes (legit.test)"),
    (
        "F7 an address as encoded word: it is none, but people see it",
        b"From: =?utf-8?B?PGFkbWluQGxlZ2l0LnRlc3Q+?=,<x@attack.test>",
        "attack.test [display_name_address stray_encoded_word]",
    ),
    (
        "F7 the same as display name",
        b"From: =?utf-8?Q?admin=40legit.test?= <x@attack.test>",
        "attack.test [display_name_address]",
    ),
    (
        "F7 with the address bare inside",
        b"From: =?B?<a@legit.test>?=,<x@attack.test>",
        "refuse: syntax (legit.test attack.test)",
    ),
    ("F8 a source route", b"From: <@attack.test,@any.test:admin@legit.test>", "legit.test [source_route]"),
    ("F9 an escaped comma", b"From: <admin@legit.test>\\,<x@attack.test>", "refuse: syntax (legit.test attack.test)"),
    (
        "F10 a bare address first",
        b"From: admin@legit.test,<x@attack.test>",
        "refuse: multiple_mailboxes (legit.test attack.test)",
    ),
    (
        "F11 text after the brackets",
        b"From: <any@attack.test>admin@legit.test",
        "refuse: syntax (attack.test legit.test)",
    ),
    ("F12 an address as quoted local part", b"From: \"S <s@attack.test>\"@legit.test", "legit.test"),
    ("F13 a bracket too many", b"From: admin@legit.test>", "refuse: syntax (legit.test)"),
    (
        "F14 an address as display name",
        b"From: \"admin@legit.test\" <x@attack.test>",
        "attack.test [display_name_address]",
    ),
    ("F14 its own address as display name", b"From: \"x@attack.test\" <x@attack.test>", "attack.test"),
    (
        "F15 an address as display name without quotes",
        b"From: admin@legit.test <x@attack.test>",
        "attack.test [display_name_address unquoted_display_name]",
    ),
    ("F16 a group of one", b"From: Staff: a@legit.test;", "refuse: group (legit.test)"),
    ("F16 a group of two", b"From: Staff: a@legit.test, B <b@attack.test>;", "refuse: group (legit.test attack.test)"),
    ("F17 an empty group", b"From: Undisclosed:;", "refuse: group ()"),
    ("F17 a group that does not end", b"From: Staff: a@legit.test", "refuse: syntax (legit.test)"),
    ("F18 a comment in front", b"From: (c (d) \\) x) a@legit.test", "legit.test"),
    ("F19 a comment behind, and around the sign", b"From: a (c) @ (d) legit.test (e)", "legit.test"),
    ("F19 an address in a comment", b"From: a@attack.test (admin@legit.test)", "attack.test [display_name_address]"),
    ("F19 a comment inside the domain", b"From: a@legit.test(.attack.test).", "refuse: syntax (legit.test)"),
    ("F20 a U-label", "From: a@b\u{fc}cher.test".as_bytes(), "xn--bcher-kva.test"),
    ("F20 decomposed", "From: a@bu\u{308}cher.test".as_bytes(), "xn--bcher-kva.test"),
    ("F20 mixed script", "From: a@l\u{435}git.test".as_bytes(), "xn--lgit-v4d.test"),
    ("F20 not an A-label", b"From: a@xn--a.test", "refuse: invalid_domain ()"),
    ("F21 a final dot", b"From: admin@legit.test.", "legit.test"),
    ("F22 upper case", b"FROM: ADMIN@LEGIT.TEST", "legit.test"),
    ("F23 NUL in the domain", b"From: a@legit.test\0.attack.test", "refuse: nul (legit.test)"),
    ("F23 NUL in another field", b"From: a@legit.test\r\nSubject: \0", "refuse: nul (legit.test)"),
    ("F24 an empty From beside a real one", b"From:\r\nFrom: a@legit.test", "refuse: repeated (legit.test)"),
    ("F24 an empty From", b"From: \r\nTo: x@y.test", "refuse: empty ()"),
    ("F24 nothing but a comment", b"From: (a@legit.test)", "refuse: empty (legit.test)"),
    ("F24 empty brackets", b"From: A <>", "refuse: syntax ()"),
    ("F25 two signs", b"From: a@legit.test@attack.test", "refuse: syntax (legit.test attack.test)"),
    ("F26 an address in brackets", b"From: a@[192.0.2.1]", "refuse: domain_literal ()"),
    (
        "F27 a lone CR inserts a From",
        b"Subject: x\rFrom: a@legit.test\r\nFrom: a@attack.test",
        "refuse: hidden_line (legit.test attack.test)",
    ),
    (
        "F28 a lone LF inserts a From",
        b"Subject: x\r\nX: y\nfrom \t: a@legit.test\r\nFrom: a@attack.test",
        "refuse: hidden_line (legit.test attack.test)",
    ),
    (
        "F28 all lines of the message end in LF: it is a second From",
        b"Subject: x\nFrom: a@legit.test\nFrom: a@attack.test",
        "refuse: repeated (legit.test attack.test)",
    ),
    ("F28 a lone LF elsewhere does no harm", b"Subject: x\r\nX: y\nfromage: z\r\nFrom: a@legit.test", "legit.test"),
    ("F28 a lone LF inside From", b"Subject: x\r\nFrom: a\n@legit.test", "refuse: syntax (legit.test)"),
    ("F29 en quad", "From: a@legit.test\u{2000}".as_bytes(), "refuse: invalid_domain ()"),
    ("F29 zero-width space", "From: a@legit.test\u{200b}".as_bytes(), "refuse: invisible_character ()"),
    ("F29 right-to-left override", "From: a@\u{202e}tset.tigel".as_bytes(), "refuse: invisible_character ()"),
    ("F29 soft hyphen", "From: a@leg\u{ad}it.test".as_bytes(), "refuse: invisible_character ()"),
    (
        "F29 in the display name",
        "From: \"\u{202e}tset.tigel\" <a@attack.test>".as_bytes(),
        "attack.test [display_name_invisible]",
    ),
    ("F31 a quoted local part with a sign", b"From: \"a@attack.test\"@legit.test", "legit.test"),
    ("F31 a quoted local part that escapes the quote", b"From: \"a\\\"@attack.test\"@legit.test", "legit.test"),
    ("F31 a local part in UTF-8", "From: j\u{f6}rg@legit.test".as_bytes(), "legit.test"),
    ("an apostrophe ends no domain", b"From: a@legit.test'a.attack.test", "refuse: invalid_domain (legit.test)"),
    ("a null element", b"From: ,<x@attack.test>", "refuse: syntax (attack.test)"),
    ("a name with a comma and no quotes", b"From: Doe, John <a@legit.test>", "refuse: syntax (legit.test)"),
    ("initials with dots", b"From: John Q. Public <a@legit.test>", "legit.test"),
    ("brackets in a display name", b"From: [Bugs] John <a@legit.test>", "legit.test [unquoted_display_name]"),
    (
        "a bracket that could hide one",
        b"From: [x <a@legit.test>] <x@attack.test>",
        "refuse: syntax (legit.test attack.test)",
    ),
    (
        "the local parts that a mobile operator gave away",
        b"From: a..b.@legit.test",
        "legit.test [irregular_local_part]",
    ),
    ("folded", b"From: John\r\n Doe\r\n\t<a@legit.test>\r\nTo: b@c.test", "legit.test"),
    ("a fold inside quotes", b"From: \"John\r\n Doe\" <a@legit.test>", "legit.test"),
    ("quotes that do not end", b"From: \"John <a@legit.test>", "refuse: syntax (legit.test)"),
    ("a comment that does not end", b"From: (John <a@legit.test>", "refuse: syntax (legit.test)"),
    ("white space inside the domain", b"From: a@legit. test", "refuse: syntax ()"),
    ("no domain", b"From: root", "refuse: syntax ()"),
    ("8 bits in the display name", b"From: J\xf6rg <a@legit.test>", "legit.test"),
    ("8 bits in the domain", b"From: a@leg\xeft.test", "refuse: invalid_domain ()"),
    ("another field that begins with From", b"From-X: a@attack.test\r\nFrom: a@legit.test", "legit.test"),
    (
        "a name with a space in it: some readers drop the space",
        b"From: a@attack.test\r\nFr om: a@legit.test",
        "refuse: broken_header (attack.test)",
    ),
    (
        "a line that is no field: some readers go on after it",
        b"From: a@attack.test\r\nrubbish\r\nFrom: a@legit.test",
        "refuse: broken_header (attack.test)",
    ),
    ("a name without a colon at the end", b"From: a@attack.test\r\nFrom", "refuse: broken_header (attack.test)"),
    ("an mbox line in front", b"From a@attack.test Thu Jan  1 00:00:00 1970\r\nFrom: a@legit.test", "legit.test"),
];

#[test]
fn whose_mail_it_is() {
    let found = CASES.iter().map(|(why, header, expected)| (why, verdict(header), *expected));
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} cases of From", CASES.len());
}

#[test]
fn huge_fields_are_refused_within_bounds() {
    let million = [b"From: \"".as_slice(), &vec![b'a'; 1_000_000], b"\" <a@legit.test>"].concat();
    assert_eq!(verdict(&million), "refuse: too_long ()", "F30: the address lies beyond what is read");
    let many: Vec<_> = (0..10_000).map(|n| format!("a@d{n}.test,\r\n ")).collect();
    let all = verdict(format!("From: {}a@legit.test", many.concat()).as_bytes());
    let names: Vec<_> = (0..10).map(|n| format!("d{n}.test")).collect();
    assert_eq!(all, format!("refuse: too_long ({})", names.join(" ")), "F30: ten domains at most are named");
    let hundred = verdict(format!("From: {}a@legit.test", many[..200].concat()).as_bytes());
    assert_eq!(hundred, format!("refuse: syntax ({})", names.join(" ")), "more mailboxes than are read");
    let nested = verdict(format!("From: {}a@legit.test", "(".repeat(10_000)).as_bytes());
    assert_eq!(nested, "refuse: syntax (legit.test)", "comments inside each other");
}

#[test]
fn what_is_known_of_the_author() {
    let message = "From: =?utf-8?Q?J=C3=B6rg?= \"M.\" <\"j m\"@legit.test>\r\n\r\n".as_bytes();
    let (header, _, _) = split(message, &HeaderLimits::default()).unwrap();
    let author = author(&header).unwrap();
    assert_eq!(author.display_name.as_deref(), Some("J\u{f6}rg M."));
    assert_eq!(author.local_part, "j m");
}
