//! What one generation has no word for, and what is written instead.

use report::{AuthResult, Dialect, Disposition, Override, OverrideKind, Row, SpfScope};

use crate::support::{full, full_row, spf, text};

/// Why, for whom, what the row says, what must be there, what must not.
type Case = (&'static str, Dialect, fn(&mut Row), &'static [&'static str], &'static [&'static str]);

const OVERRIDES: &[Case] = &[
    ("`pass` is new", Dialect::Rfc7489, |r| r.disposition = Disposition::Pass, &["<disposition>none<"], &[]),
    ("and kept", Dialect::Rfc9990, |r| r.disposition = Disposition::Pass, &["<disposition>pass<"], &[]),
    (
        "`forwarded` is old",
        Dialect::Rfc9990,
        |r| r.overrides = vec![Override { kind: OverrideKind::Forwarded, comment: Some("by a list".into()) }],
        &["<type>other<", "<comment>forwarded: by a list<"],
        &["<type>forwarded<"],
    ),
    (
        "`sampled_out` too, with nothing to add",
        Dialect::Rfc9990,
        |r| r.overrides = vec![Override { kind: OverrideKind::SampledOut, comment: None }],
        &["<type>other<", "<comment>sampled_out<"],
        &[],
    ),
    (
        "`policy_test_mode` is new",
        Dialect::Rfc7489,
        |r| r.overrides = vec![Override { kind: OverrideKind::PolicyTestMode, comment: None }],
        &["<type>other<", "<comment>policy_test_mode<"],
        &[],
    ),
];

const ENVELOPES: &[Case] = &[
    (
        "no envelope sender, but SPF knew it",
        Dialect::Rfc7489,
        |r| r.envelope_from = None,
        &["<envelope_from>bounce.halden.example<"],
        &[],
    ),
    (
        "no envelope sender, and only the greeting was checked",
        Dialect::Rfc7489,
        |r| {
            r.envelope_from = None;
            r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)];
        },
        &["<envelope_from><", "<scope>helo<"],
        &[],
    ),
    (
        "the null path stays the null path",
        Dialect::Rfc7489,
        |r| r.envelope_from = Some("".into()),
        &["<envelope_from><"],
        &[],
    ),
    (
        "one SPF check, of the envelope sender",
        Dialect::Rfc9990,
        |r| r.spf.insert(0, spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)),
        &["<domain>bounce.halden.example<"],
        &["mx.halden.example", "helo"],
    ),
    (
        "a greeting is no envelope sender",
        Dialect::Rfc9990,
        |r| r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)],
        &[],
        &["<spf>\n"],
    ),
    (
        "unless the path was null: then it is",
        Dialect::Rfc9990,
        |r| {
            r.envelope_from = Some("".into());
            r.spf = vec![spf("mx.halden.example", SpfScope::Helo, AuthResult::Pass)];
        },
        &["<domain>mx.halden.example<", "<scope>mfrom<"],
        &["helo"],
    ),
    (
        "no SPF check",
        Dialect::Rfc7489,
        |r| r.spf.clear(),
        &["<spf>\n        <domain>bounce.halden.example</domain>\n        <scope>mfrom</scope>\n        <result>none<"],
        &[],
    ),
];

#[test]
fn what_a_generation_has_no_word_for_is_mapped() {
    for (why, dialect, change, present, absent) in OVERRIDES.iter().chain(ENVELOPES) {
        let mut row = full_row(*dialect);
        change(&mut row);
        let xml = text(&full(*dialect), &[row]);
        for part in *present {
            assert!(xml.contains(part), "{why}: {part} in\n{xml}");
        }
        for part in *absent {
            assert!(!xml.contains(part), "{why}: no {part} in\n{xml}");
        }
    }
}
