//! Fields written and read: what real servers write, what must not break out of a value, and that everything comes back.

use authres::{Flaw, Method, ResultWord, Results, parse};
use proptest::prelude::*;

/// `id; method/version=result (comment) reason=… kind.name=value`, then the flaws.
fn shown(value: &[u8]) -> String {
    let (results, flaws) = parse(value);
    let mut parts = vec![results.authserv_id];
    parts.extend(results.version.map(|version| format!(" {version}")));
    for method in results.methods {
        parts.push(format!("; {}", method.name));
        parts.extend(method.version.map(|version| format!("/{version}")));
        parts.push(format!("={}", method.result));
        parts.extend(method.comment.map(|comment| format!(" ({comment})")));
        parts.extend(method.reason.map(|reason| format!(" reason={reason}")));
        parts.extend(method.properties.iter().map(|p| format!(" {}.{}={}", p.kind, p.name, p.value)));
    }
    parts.extend((!flaws.is_empty()).then(|| format!(" {flaws:?}")));
    parts.concat()
}

const STRANGERS: &[(&str, &[u8], &str)] = &[
    ("RFC 8601 appendix B.2: nothing done", b" example.org 1; none\r\n", "example.org 1"),
    (
        "RFC 8601 appendix B.3",
        b" example.com;\r\n          spf=pass smtp.mailfrom=example.net\r\n",
        "example.com; spf=pass smtp.mailfrom=example.net",
    ),
    (
        "RFC 8601 appendix B.7: comments and quotes everywhere",
        b" foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n      policy (A dot can go here) . (like that) expired\r\n      (this surprised me) = (as I wasn't expecting it) 1362471462\r\n",
        "foo.example.net 1; dkim/1=fail policy.expired=1362471462",
    ),
    (
        "Gmail: a base64 value without quotes",
        b" mx.google.com; dkim=pass header.i=@a.test header.s=s1 header.b=\"Ab/+=\"; dkim=pass header.b=Cd/+1=",
        "mx.google.com; dkim=pass header.i=@a.test header.s=s1 header.b=Ab/+=; dkim=pass header.b=Cd/+1=",
    ),
    (
        "Outlook: no identifier, a property without its kind",
        b" spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.test; dkim=pass (signature was verified)\r\n header.d=a.test;dmarc=pass action=none\r\n header.from=a.test;compauth=pass reason=100\r\n",
        "; spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.test; dkim=pass (signature was verified) header.d=a.test; \
         dmarc=pass .action=none header.from=a.test; compauth=pass reason=100 [NoAuthservId]",
    ),
    (
        "Yahoo: a comment glued on, a semicolon at the end",
        b" atlas.yahoo.com;\r\n dkim=pass header.i=@a.test header.s=s;\r\n dmarc=pass(p=REJECT) header.from=a.test;\r\n",
        "atlas.yahoo.com; dkim=pass header.i=@a.test header.s=s; dmarc=pass (p=REJECT) header.from=a.test",
    ),
    (
        "Yahoo of old: words after the identifier",
        b" mta1.mail.yahoo.com  from=a.test; domainkeys=neutral (no sig);  from=a.test; dkim=neutral (no sig)",
        "mta1.mail.yahoo.com; domainkeys=neutral (no sig); dkim=neutral (no sig) [AuthservIdRest, Method]",
    ),
    ("a quoted identifier", b" \"a b.test\" ; spf=none", "a b.test; spf=none"),
    ("escapes", b" a.test; spf=fail (a \\) b (c)) reason=\"x \\\"y\\\" ; z\" smtp.helo=\"p;q\"", "a.test; spf=fail (a ) b (c)) reason=x \"y\" ; z smtp.helo=p;q"),
    ("a result of nobody's", b" a.test; spf=hardfail", "a.test; spf=hardfail"),
    ("broken parts are left out", b" a.test; spf; dkim=pass; =fail; x=y=z; dmarc=fail !! header.from=b.test", "a.test; dkim=pass; dmarc=fail header.from=b.test [Method, Property]"),
    ("a quote that does not end", b" a.test; spf=pass smtp.mailfrom=\"b; dkim=pass", "a.test; spf=pass smtp.mailfrom=b; dkim=pass [Open]"),
    ("a comment that does not end", b" a.test; spf=pass (b; dkim=pass", "a.test; spf=pass (b; dkim=pass) [Open]"),
    ("a lone LF", b" a.test;\nspf=pass", "a.test; spf=pass [StrangeBytes]"),
    ("a control character", b" a\x01b.test; spf=pass", "a\u{1}b.test; spf=pass [StrangeBytes]"),
    ("nothing", b"", " [NoAuthservId]"),
    ("only semicolons", b";;;", " [NoAuthservId, Method]"),
];

#[test]
fn strangers_fields() {
    let found = STRANGERS.iter().map(|(why, value, expected)| (why, shown(value), *expected));
    let wrong: Vec<_> = found.filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} fields of strangers", STRANGERS.len());
}

#[test]
fn bounds() {
    let methods = format!("a.test{}", "; spf=pass".repeat(1_000));
    let (results, flaws) = parse(methods.as_bytes());
    assert_eq!((results.methods.len(), flaws), (128, vec![Flaw::TooLong]));
    let properties = format!("a.test; spf=pass{}", " a.b=c".repeat(1_000));
    let (results, flaws) = parse(properties.as_bytes());
    assert_eq!((results.methods[0].properties.len(), flaws), (32, vec![Flaw::TooLong]));
    let (_, flaws) = parse(&vec![b'('; 100_000]);
    assert!(flaws.contains(&Flaw::TooLong) && flaws.contains(&Flaw::Open));
}

/// A value that somebody else chose, and how it is written; `None`: left out.
const VALUES: &[(&str, &str, Option<&str>)] = &[
    ("a domain", "legit.test", Some("legit.test")),
    ("an address", "a+b@legit.test", Some("a+b@legit.test")),
    ("an identity without local part", "@legit.test", Some("@legit.test")),
    ("A4 a semicolon ends no method", "a; dmarc=pass", Some("\"a; dmarc=pass\"")),
    ("A4 a parenthesis begins no comment", "legit.test(a.attack.test", Some("\"legit.test(a.attack.test\"")),
    ("A4 a quote", "legit.test\"", Some("\"legit.test\\\"\"")),
    ("a backslash at the end", "a\\", Some("\"a\\\\\"")),
    ("A4 CR and LF would begin a field", "a.test\r\nSubject: x", None),
    ("A4 a lone LF", "a\nb", None),
    ("NUL", "a\0b", None),
    ("C1 control: next line", "a\u{85}b", None),
    ("A8 8 bits in the local part", "j\u{f6}rg@legit.test", Some("\"j\u{f6}rg@legit.test\"")),
    ("two signs", "any@legit.test'@attack.test", Some("\"any@legit.test'@attack.test\"")),
    ("an equals sign", "ab=", Some("\"ab=\"")),
    ("nothing", "", Some("\"\"")),
];

/// Where strangers' values go.
const PROPERTIES: [(&str, &str, &str); 7] = [
    ("spf", "smtp", "mailfrom"),
    ("spf", "smtp", "helo"),
    ("dkim", "header", "d"),
    ("dkim", "header", "s"),
    ("dkim", "header", "i"),
    ("dkim", "header", "b"),
    ("dmarc", "header", "from"),
];

#[test]
fn no_value_breaks_out() {
    for (why, value, expected) in VALUES {
        for (method, kind, name) in PROPERTIES {
            let method =
                Method::new(method, ResultWord::Fail).property(kind, name, *value).property("policy", "dmarc", "x");
            let field = Results::by("our.test").with(method.clone()).field();
            let middle = expected.map(|text| format!(" {kind}.{name}={text}")).unwrap_or_default();
            let line = format!("Authentication-Results: our.test; {}=fail{middle} policy.dmarc=x\r\n", method.name);
            assert_eq!(field.replace("\r\n\t", " "), line, "{why}");
        }
        let noted = Method::new("spf", ResultWord::Fail).reason(*value).comment(*value);
        let (read, flaws) = parse(Results::by("our.test").with(noted).value(0).as_bytes());
        assert_eq!((read.authserv_id.as_str(), read.methods.len(), flaws), ("our.test", 1, vec![]), "{why}");
        let kept = expected.map(|_| (*value).to_owned());
        assert_eq!((&read.methods[0].reason, &read.methods[0].comment), (&kept, &kept), "{why}");
    }
    let long = Method::new("spf", ResultWord::Fail).property("smtp", "helo", "a".repeat(2_000));
    assert_eq!(Results::by("our.test").with(long).value(0), "our.test;\r\n\tspf=fail", "an overlong value");
    assert_eq!(Results::by("our.test").field(), "Authentication-Results: our.test; none\r\n");
    assert_eq!(Results::by("our.test").with(Method::new("a=b", ResultWord::Pass)).value(0), "our.test; none");
}

/// A7: the field goes on top, above Received, so it is complete in itself and needs nothing before it.
#[test]
fn ours_goes_on_top() {
    let method = Method::new("dmarc", ResultWord::Fail).comment("p=reject").property("header", "from", "legit.test");
    let field = Results::by("our.test").with(method).field();
    assert_eq!(field, "Authentication-Results: our.test;\r\n\tdmarc=fail (p=reject) header.from=legit.test\r\n");
}

fn any_method() -> impl Strategy<Value = Method> {
    let text = || prop::option::of("\\PC{0,40}");
    let property = ("[a-z]{1,8}", "[a-z][a-z0-9-]{0,8}[a-z0-9]", "\\PC{0,60}");
    let properties = prop::collection::vec(property, 0..5);
    ("[a-z][a-z-]{0,6}[a-z]", prop::option::of(0..9_u32), 0..8_usize, text(), text(), properties).prop_map(
        |(name, version, word, comment, reason, properties)| {
            let mut method = Method::new(&name, ResultWord::ALL[word]);
            (method.version, method.comment, method.reason) = (version, comment, reason);
            properties.into_iter().fold(method, |method, (kind, name, value)| method.property(&kind, &name, value))
        },
    )
}

proptest! {
    /// Whatever is written is read back as it was, line by line within bounds.
    #[test]
    fn written_is_read(id in "[a-z0-9.-]{1,30}", version in prop::option::of(1..9_u32), methods in prop::collection::vec(any_method(), 1..6)) {
        let results = Results { authserv_id: id, version, methods };
        let field = results.field();
        let (read, flaws) = parse(field.strip_prefix("Authentication-Results:").unwrap().as_bytes());
        prop_assert_eq!(&read, &results, "{}", field);
        prop_assert_eq!(flaws, vec![]);
        prop_assert!(field.split("\r\n").skip(1).all(|line| line.is_empty() || line.starts_with('\t')));
    }

    /// No bytes make the reader fail, and what it read can be written and read again.
    #[test]
    fn anything_is_read(value in prop::collection::vec(prop::sample::select(b"ab1.;=/()\"\\ \t\r\n\0@\xff".to_vec()), 0..60)) {
        let (results, _) = parse(&value);
        let (again, _) = parse(results.value(0).as_bytes());
        prop_assert!(again.methods.len() <= results.methods.len());
    }
}
