//! What is found in the records of a domain: each finding by its name, and nothing where all is in order.

use dns::{Name, Zone, now};
use lint::{Lint, Settings, Severity, lint};

const ORDER: &str = r#"
$ORIGIN legit.test.
$TTL 300
@ TXT "v=spf1 ip4:192.0.2.0/24 -all"
@ MX 10 mail
mail A 192.0.2.1
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@legit.test"
sel._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_mta-sts TXT "v=STSv1; id=20260501"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@legit.test"
"#;

/// The RSA key of 1024 bits of RFC 6376 Appendix C.
const WEAK: &str = "sel._domainkey TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQ\" \"PNUYckcQ2QIDAQAB\"";

fn look(zone: &str, domain: &str, selectors: &[&str]) -> Lint {
    let zone = Zone::parse(zone).unwrap_or_else(|error| panic!("{error}\n{zone}"));
    let settings = Settings { selectors: selectors.iter().map(|&selector| selector.to_owned()).collect() };
    now(lint(&zone, &Name::parse(domain).expect("a name"), &settings))
}

fn ids(lint: &Lint) -> Vec<&'static str> {
    let mut ids: Vec<_> = lint.findings.iter().map(|finding| finding.id).collect();
    ids.sort_unstable();
    ids
}

/// The zone in order, with the line that begins like this replaced.
fn with(line: &str, instead: &str) -> String {
    assert!(ORDER.lines().any(|other| other.starts_with(line)), "{line}");
    let lines = ORDER.lines().map(|other| if other.starts_with(line) { instead } else { other });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_domain_in_order_has_nothing_against_it() {
    let lint = look(ORDER, "legit.test", &["sel"]);
    assert_eq!(ids(&lint), [""; 0], "{}", lint.to_text(false));
    assert!(lint.to_text(false).starts_with("legit.test: nothing to say against it\n"));
}

/// Why the case exists; the line of the zone in order that is replaced, and by what; what is found.
const CASES: &[(&str, &str, &str, &[&str])] = &[
    ("nobody can pass a record with a mistake", "@ TXT", "@ TXT \"v=spf1 ipv4:192.0.2.1 -all\"", &["spf-syntax"]),
    ("two records are none", "@ TXT", "@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf1 a -all\"", &["spf-several-records"]),
    ("no record", "@ TXT", "", &["spf-missing"]),
    (
        "an include of a provider that is gone",
        "@ TXT",
        "@ TXT \"v=spf1 include:gone.test -all\"",
        &["spf-target-without-record"],
    ),
    (
        "a name server that fails",
        "@ TXT",
        "@ TXT \"v=spf1 include:x.test -all\"\n;@ servfail x.test.",
        &["spf-dns-failure"],
    ),
    (
        "+all, and the second `all` behind it",
        "@ TXT",
        "@ TXT \"v=spf1 +all -all\"",
        &["spf-never-reached", "spf-pass-all"],
    ),
    ("?all protects nobody", "@ TXT", "@ TXT \"v=spf1 ip4:192.0.2.1 ?all\"", &["spf-nobody-fails"]),
    ("half of IPv4", "@ TXT", "@ TXT \"v=spf1 ip4:128.0.0.0/1 -all\"", &["spf-wide-network"]),
    ("ip4=: read as a modifier", "@ TXT", "@ TXT \"v=spf1 ip4=192.0.2.1 -all\"", &["spf-mechanism-as-modifier"]),
    (
        "the same network twice, the second with host bits",
        "@ TXT",
        "@ TXT \"v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.9/28 -all\"",
        &["spf-covered", "spf-host-bits"],
    ),
    ("ptr", "@ TXT", "@ TXT \"v=spf1 ptr -all\"", &["spf-ptr"]),
    ("a loop", "@ TXT", "@ TXT \"v=spf1 include:legit.test -all\"", &["spf-loop"]),
    ("a host with IPv4 only is nothing to talk of", "@ TXT", "@ TXT \"v=spf1 a:mail.legit.test -all\"", &[]),
    (
        "three hosts that are gone",
        "@ TXT",
        "@ TXT \"v=spf1 a:x.legit.test a:y.legit.test a:z.legit.test -all\"",
        &["spf-too-many-voids", "spf-too-many-voids", "spf-void", "spf-void", "spf-void"],
    ),
    (
        "three hosts with IPv4 only are too much for IPv6 clients",
        "@ TXT",
        "@ TXT \"v=spf1 a:mail.legit.test a:mail2.legit.test a:mail3.legit.test -all\"\nmail2 A 192.0.2.2\nmail3 A 192.0.2.3",
        &["spf-too-many-voids"],
    ),
    (
        "what a provider could tidy is not said to its customers",
        "@ TXT",
        "@ TXT \"v=spf1 include:p.test -all\"\np.test. TXT \"v=spf1 ip4:198.51.100.0/24 ip4:198.51.100.7/24 ~all\"",
        &[],
    ),
    ("a host that is gone", "@ TXT", "@ TXT \"v=spf1 a:gone.legit.test -all\"", &["spf-void"]),
    ("monitoring mode", "_dmarc", "_dmarc TXT \"v=DMARC1; p=none; rua=mailto:a@legit.test\"", &["dmarc-monitoring"]),
    ("no record at all", "_dmarc", "", &["dmarc-missing"]),
    ("no reports", "_dmarc", "_dmarc TXT \"v=DMARC1; p=reject\"", &["dmarc-no-rua"]),
    (
        "an exception for all subdomains",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; sp=none; rua=mailto:a@legit.test\"",
        &["dmarc-weaker-below"],
    ),
    (
        "pct means two things",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=quarantine; pct=20; rua=mailto:a@legit.test\"",
        &["dmarc-percent"],
    ),
    ("test mode", "_dmarc", "_dmarc TXT \"v=DMARC1; p=reject; t=y; rua=mailto:a@legit.test\"", &["dmarc-test-mode"]),
    (
        "a value that nobody knows",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; adkim=x; rua=mailto:a@legit.test\"",
        &["dmarc-tag"],
    ),
    (
        "a comma for a semicolon",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1, p=reject\"",
        &["dmarc-missing", "dmarc-not-a-record"],
    ),
    (
        "two records",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject\"\n_dmarc TXT \"v=DMARC1; p=none\"",
        &["dmarc-missing", "dmarc-several-records"],
    ),
    ("DNS fails", "_dmarc", ";@ servfail _dmarc", &["dmarc-dns-failure"]),
    (
        "a stranger's mailbox that did not agree",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@reports.test,mailto:b@reports.test\"",
        &["dmarc-destination"],
    ),
    (
        "one that agreed",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@reports.test\"\nlegit.test._report._dmarc.reports.test. TXT \"v=DMARC1;\"",
        &[],
    ),
    (
        "one that agreed for everybody",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@reports.test\"\n*._report._dmarc.reports.test. TXT \"v=DMARC1\"",
        &[],
    ),
    (
        "one whose DNS fails",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@reports.test\"\n;@ timeout legit.test._report._dmarc.reports.test.",
        &["dmarc-destination-unknown"],
    ),
    (
        "a subdomain of ours needs no leave",
        "_dmarc",
        "_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@in.legit.test\"",
        &[],
    ),
    ("a key of another age", "sel", WEAK, &["dkim-weak-key"]),
    (
        "a key cut short when it was pasted",
        "sel",
        "sel._domainkey TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3\"",
        &["dkim-broken-key", "dkim-no-key"],
    ),
    ("no key where signatures point", "sel", "", &["dkim-missing-key", "dkim-no-key"]),
    (
        "a test that never ended",
        "sel",
        "sel._domainkey TXT \"v=DKIM1; t=y; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
        &["dkim-testing"],
    ),
    ("an MX whose name is gone", "mail", "", &["mx-no-address"]),
    ("an MX that is an alias", "mail", "mail CNAME host\nhost A 192.0.2.1", &["mx-alias"]),
    ("an MX that is an address", "@ MX", "@ MX 10 192.0.2.1.", &["mx-address"]),
    ("a null MX beside another", "@ MX", "@ MX 10 mail\n@ MX 0 .", &["mx-null-and-others"]),
    ("mail to the domain's own address", "@ MX", "@ A 192.0.2.1", &["mx-implicit"]),
    ("no MTA-STS", "_mta-sts", "", &["mta-sts-missing"]),
    ("an id with a hyphen", "_mta-sts", "_mta-sts TXT \"v=STSv1; id=2026-05-01\"", &["mta-sts-id"]),
    (
        "two MTA-STS records",
        "_mta-sts",
        "_mta-sts TXT \"v=STSv1; id=1\"\n_mta-sts TXT \"v=STSv1; id=2\"",
        &["mta-sts-several-records"],
    ),
    ("MTA-STS without reports", "_smtp", "", &["tls-rpt-missing"]),
    ("TLS reports to nowhere", "_smtp", "_smtp._tls TXT \"v=TLSRPTv1; rua=tls@legit.test\"", &["tls-rpt-rua"]),
    (
        "two records for TLS reports",
        "_smtp",
        "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:a@legit.test\"\n_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:b@legit.test\"",
        &["tls-rpt-several-records"],
    ),
];

#[test]
fn findings() {
    for (why, line, instead, expected) in CASES {
        let zone = with(line, instead);
        let lint = look(&zone, "legit.test", &["sel"]);
        assert_eq!(ids(&lint), *expected, "{why}\n{}", lint.to_text(false));
        for place in lint.findings.iter().filter_map(|finding| finding.place.as_ref()) {
            assert!(place.span.end <= place.record.len(), "{why}");
        }
    }
}

#[test]
fn the_eleventh_lookup_is_named_and_what_spent_the_ten() {
    let includes: Vec<String> = ('a'..='k').map(|c| format!("include:{c}.test")).collect();
    let mut zone = vec![with("@ TXT", &format!("@ TXT \"v=spf1 {} -all\"", includes.join(" ")))];
    zone.extend(('a'..='k').map(|c| format!("{c}.test. TXT \"v=spf1 ip4:198.51.100.{} -all\"", u32::from(c))));
    let zone = zone.join("\n");
    let lint = look(&zone, "legit.test", &["sel"]);
    assert_eq!(ids(&lint), ["spf-too-many-lookups"]);
    let finding = &lint.findings[0];
    assert_eq!(finding.severity, Severity::Error);
    assert!(
        finding.what.starts_with("`include:k.test` of legit.test is lookup 11, and 10 are allowed"),
        "{}",
        finding.what
    );
    for c in 'a'..='j' {
        assert!(finding.what.contains(&format!("include:{c}.test")), "{c}: {}", finding.what);
    }
    let place = finding.place.as_ref().expect("a term");
    assert_eq!(&place.record[place.span.clone()], b"include:k.test");
    let text = lint.to_text(false);
    assert!(text.contains("      11 include:k.test   ← one too many\n"), "{text}");
    // The caret stands under the guilty term.
    let lines: Vec<&str> = text.lines().collect();
    let caret = lines.iter().position(|line| line.contains("^^^")).expect("carets");
    let at = lines[caret].find('^').expect("it has one");
    let under: String =
        lines[caret - 1].chars().skip(lines[caret][..at].chars().count()).take("include:k.test".len()).collect();
    assert_eq!(under, "include:k.test");
}

#[test]
fn nested_includes_are_indented_under_what_reached_them() {
    let zone = with(
        "@ TXT",
        "@ TXT \"v=spf1 include:a.test mx -all\"\na.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 ip4:198.51.100.1 -all\"",
    );
    let text = look(&zone, "legit.test", &["sel"]).to_text(false);
    assert!(text.contains("       1 include:a.test\n       2   include:b.test\n       3 mx\n"), "{text}");
}

#[test]
fn a_parked_domain_says_so_everywhere() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "all four",
            "p.test. TXT \"v=spf1 -all\"\np.test. MX 0 .\n_dmarc.p.test. TXT \"v=DMARC1; p=reject; rua=mailto:a@p.test\"\n*._domainkey.p.test. TXT \"v=DKIM1; p=\"",
            &["dkim-no-key"],
        ),
        (
            "only SPF",
            "p.test. TXT \"v=spf1 -all\"\n_dmarc.p.test. TXT \"v=DMARC1; p=none; rua=mailto:a@p.test\"",
            &["dkim-no-key", "dmarc-monitoring", "parked-dkim", "parked-mx", "parked-policy"],
        ),
        ("nothing", "www.p.test. A 192.0.2.1", &["dkim-no-key", "dmarc-missing", "parked-silent", "spf-missing"]),
    ];
    for (why, zone, expected) in cases {
        let lint = look(zone, "p.test", &[]);
        assert_eq!(ids(&lint), *expected, "{why}\n{}", lint.to_text(false));
    }
}

#[test]
fn a_name_that_is_not_there_is_one_finding() {
    // What of the organizational domain counts for it is said; what it lacks is not listed.
    assert_eq!(ids(&look(ORDER, "tpyo.legit.test", &[])), ["dmarc-inherited", "no-such-name"]);
    assert_eq!(ids(&look(ORDER, "legitt.test", &[])), ["dmarc-missing", "no-such-name"]);
}

/// Records are strangers' bytes: none of them moves a cursor, whatever they contain.
#[test]
fn control_characters_do_not_reach_the_terminal() {
    let zone = with("@ TXT", r#"@ TXT "v=spf1 \027[2J\200 -all""#);
    let lint = look(&zone, "legit.test", &["sel"]);
    let text = lint.to_text(false);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(lint.findings.iter().any(|finding| finding.id == "spf-syntax"));
}

/// Text that is no UTF-8 is longer when shown than it was, so places in it may lie anywhere: none may split a character.
#[test]
fn bytes_beyond_ascii_do_no_harm() {
    for record in
        [r"v=DMARC1; p=\255\254; pct=20; fo=2", r"v=DMARC1; \200\200\200=x; pct=1; p=reject;\195", r"\255v=DMARC1"]
    {
        let zone = with("_dmarc", &format!("_dmarc TXT \"{record}\""));
        let lint = look(&zone, "legit.test", &["sel"]);
        assert!(!lint.findings.is_empty(), "{record}");
        let _ = (lint.to_text(true), lint.to_json());
    }
}

#[test]
fn json_has_every_finding_with_its_place() {
    let zone = with("_dmarc", "_dmarc TXT \"v=DMARC1; p=quarantine; sp=none; rua=mailto:a@legit.test\"");
    let json = look(&zone, "legit.test", &["sel"]).to_json();
    assert_eq!(json["findings"][0]["id"], "dmarc-weaker-below");
    let (record, span) = (&json["findings"][0]["place"]["record"], &json["findings"][0]["place"]["span"]);
    let at = |n: usize| usize::try_from(span[n].as_u64().expect("a number")).expect("small");
    assert_eq!(&record.as_str().expect("text")[at(0)..at(1)], "sp=none");
    assert_eq!(json["dkim"][0]["algorithm"], "ed25519");
    assert_eq!(json["spf"]["lookups_max"], 10);
}
