//! Fields that claim to be ours: every way of writing our name that some reader would take for it.

use authres::{Claim, OurIds, forged};

fn ours() -> OurIds {
    OurIds::new(["mx.our.test", "our.test", "b\u{fc}cher.test"], &["X-Our-Verdict"])
}

/// Value, and whether it goes.
const VALUES: &[(&str, &[u8], bool)] = &[
    ("as we write it", b" our.test; dmarc=pass\r\n", true),
    ("another's", b" attack.test; dmarc=pass\r\n", false),
    ("A2 case", b" OUR.Test; dmarc=pass", true),
    ("A2 quotes", b" \"our.test\"; dmarc=pass", true),
    ("quotes with an escape", b" \"our\\.test\"; dmarc=pass", true),
    ("half in quotes", b" our.\"test\"; dmarc=pass", true),
    ("A2 a comment in front", b" (attack.test) our.test; dmarc=pass", true),
    ("a comment behind", b" our.test(x); dmarc=pass", true),
    ("a comment inside", b" our(x).test; dmarc=pass", true),
    ("A2 a version", b" our.test 1; dmarc=pass", true),
    ("a version glued on", b" our.test/1; dmarc=pass", true),
    ("A2 a final dot", b" our.test.; dmarc=pass", true),
    ("A2 a name below ours", b" mx7.eu.our.test; dmarc=pass", true),
    ("a name that ends like ours", b" not-our.test; dmarc=pass", false),
    ("a name that begins like ours", b" our.test.attack.test; dmarc=pass", false),
    ("ours as a value, not as the writer", b" attack.test; spf=pass smtp.mailfrom=our.test", false),
    ("our U-label", " b\u{fc}cher.test; dmarc=pass".as_bytes(), true),
    ("its A-label", b" xn--bcher-kva.test; dmarc=pass", true),
    ("its U-label in upper case", " B\u{dc}CHER.test; dmarc=pass".as_bytes(), true),
    ("on the second line", b"\r\n our.test;\r\n dmarc=pass", true),
    ("no writer: nobody's name in it", b" dmarc=pass header.from=legit.test", false),
    ("no writer: our name in it", b" dmarc=pass header.from=our.test", true),
    ("A3 unreadable with our name", b" our.test attack.test; dmarc=pass", true),
    ("A3 unreadable with our name second", b" attack.test our.test; dmarc=pass", true),
    ("a quote that does not end", b" \"our.test; dmarc=pass", true),
    ("a comment that does not end", b" (our.test; dmarc=pass", true),
    ("NUL inside", b" our\0.test; dmarc=pass", true),
    ("a lone LF inside", b" our.te\nst; dmarc=pass", true),
    ("folded inside", b" our.\r\n test; dmarc=pass", true),
    ("empty", b"", false),
    ("only semicolons, and our name", b"; our.test; dmarc=pass", true),
];

#[test]
fn every_way_of_writing_our_name() {
    for (why, value, goes) in VALUES {
        assert_eq!(ours().claimed_by(value), *goes, "{why}");
    }
    println!("{} ways of writing a name", VALUES.len());
}

/// A message's fields, and what is taken out: place among all, ordinal among its like, claim.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [(usize, usize, Claim)]);

const MESSAGES: &[Case] = &[
    (
        "A1 two of ours among eight: last to first, and milter ordinals count their like alone",
        &[
            ("Received", "x"),
            ("Authentication-Results", " a.test; spf=pass"),
            ("Authentication-Results", " our.test; spf=pass"),
            ("Authentication-Results", " b.test; spf=pass"),
            ("authentication-results", " c.test; spf=pass"),
            ("Subject", "y"),
            ("AUTHENTICATION-RESULTS", " mx.our.test; dmarc=pass"),
            ("Authentication-Results", " d.test; none"),
            ("Authentication-Results", " e.test; none"),
            ("Authentication-Results ", " f.test; none"),
        ],
        &[(6, 5, Claim::AuthenticationResults), (2, 2, Claim::AuthenticationResults)],
    ),
    (
        "A5 what filters wrote",
        &[
            ("Received-SPF", " pass (our.test: domain of x designates y) receiver=our.test"),
            ("Received-SPF", " pass (elsewhere.test: domain of x)"),
            ("DMARC-Filter", " OpenDMARC Filter v1.4.2 our.test 1234"),
            ("x-our-verdict", " ham"),
            ("X-Our-Verdict-2", " ham"),
        ],
        &[(3, 1, Claim::Private), (2, 1, Claim::Filter), (0, 1, Claim::Filter)],
    ),
    (
        "A6 ARC results by us",
        &[
            ("ARC-Authentication-Results", " i=2; our.test; dmarc=pass"),
            ("ARC-Authentication-Results", " i=1; list.test; dmarc=pass"),
            ("ARC-Authentication-Results", " our.test; dmarc=pass"),
        ],
        &[(2, 3, Claim::ArcAuthenticationResults), (0, 1, Claim::ArcAuthenticationResults)],
    ),
    (
        "hidden behind a lone line end",
        &[
            ("Subject", " x\nAuthentication-Results: our.test; dmarc=pass\r\n"),
            ("X-A", " x\rauthentication-results : a.test;\rx=our.test"),
            ("X-B", " x\nAuthentication-Results: b.test; none\r\n"),
            ("X-C", " x\r\n Authentication-Results: our.test; folded\r\n"),
            ("X-D", " y\nX-Our-Verdict: ham"),
        ],
        &[(4, 1, Claim::HiddenLine), (1, 1, Claim::HiddenLine), (0, 1, Claim::HiddenLine)],
    ),
    ("nothing", &[], &[]),
];

#[test]
fn positions_from_the_end() {
    for (why, fields, expected) in MESSAGES {
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let found: Vec<_> = forged(fields, &ours()).iter().map(|r| (r.index, r.ordinal, r.claim)).collect();
        assert_eq!(found, *expected, "{why}");
    }
}
