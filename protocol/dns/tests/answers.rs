//! Names and answers: what compares equal, what is refused, what a zone says, what lies over what.

use std::net::Ipv4Addr;

use dns::{Data, Fault, Lookup as _, Name, NameError, Overlay, RecordType, Records, Response, Zone, now};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn a(last: u8) -> Data {
    Data::A(Ipv4Addr::new(192, 0, 2, last))
}

fn found(ttl: u32, data: &[Data]) -> Response {
    Response::Found(Records::new(data.to_vec(), ttl, None))
}

#[test]
fn names() {
    let long = "a".repeat(63);
    let cases: [(&str, Result<&str, NameError>); 14] = [
        ("Example.COM", Ok("example.com")), // RFC 4343: case is ignored
        ("example.com.", Ok("example.com")),
        (".", Ok(".")),
        ("", Err(NameError::Empty)),
        ("..", Err(NameError::EmptyLabel(1))),
        ("a..b", Err(NameError::EmptyLabel(2))),
        (".a", Err(NameError::EmptyLabel(1))),
        (r"a\.b.c", Ok(r"a\.b.c")),    // one label with a dot in it
        (r"\097.\000", Ok(r"a.\000")), // an octet is an octet, however it is written
        (r"\256", Err(NameError::BadEscape)),
        (r"a\", Err(NameError::BadEscape)),
        (&long, Ok(&long)),
        ("é.example", Err(NameError::NotAscii('é'))),
        ("_dmarc.a b", Ok(r"_dmarc.a\032b")), // a space is legal in DNS, and printed so that it can be read back
    ];
    for (text, expected) in cases {
        assert_eq!(Name::parse(text).map(|name| name.to_string()), expected.map(str::to_owned), "{text}");
    }
    let octets = |count: usize| Name::from_labels(vec![vec![b'a'; 1]; count]);
    assert_eq!(octets(127).map(|name| name.wire_len()), Ok(255), "RFC 1035 §2.3.4");
    assert_eq!(octets(128), Err(NameError::TooLong));
    let label = vec![b'a'; 64];
    assert_eq!(Name::from_labels([&label]), Err(NameError::LabelTooLong { label: 1, octets: 64 }));
    assert_eq!(Name::from_dotted(br"a\.b"), Name::from_labels([br"a\".as_slice(), b"b"]), "a backslash is a backslash");
    assert_eq!(Name::from_unicode("BÜCHER.example"), Ok(name("xn--bcher-kva.example")));
    assert_eq!(Name::from_unicode("a\u{202e}b.example"), Err(NameError::NotIdna), "an override of direction");
}

#[test]
fn dotted_text_is_its_labels() {
    let label = |octets: usize| "a".repeat(octets);
    let long = |last: usize| [label(63), label(63), label(63), label(last)].join(".");
    let cases = [
        "a",
        "A.b",
        "Legit.EXAMPLE",
        "a..b",
        ".a",
        "a..",
        "..",
        "\\.a",
        "a b.\0\u{fc}",
        "a.b.c.d.e.f.g.h",
        &label(63),
        &label(64),
        &format!("x.{}.y", label(63)),
        &format!("x.{}.y", label(64)),
        &label(300),
        &long(61),
        &long(62),
        &long(63),
        &vec!["a"; 127].join("."),
        &vec!["a"; 128].join("."),
    ];
    for text in cases {
        let labels = Name::from_labels(text.split('.'));
        assert_eq!(Name::from_dotted(text.as_bytes()), labels.clone(), "{text}");
        assert_eq!(Name::from_dotted_parts(&[text.as_bytes()]), labels, "{text}");
        let below = Name::from_labels(["x", "_y"].into_iter().chain(text.split('.')));
        assert_eq!(Name::from_dotted_parts(&[b"X._Y", text.as_bytes()]), below, "below {text}");
        if !text.ends_with('.') {
            assert_eq!(Name::from_dotted(format!("{text}.").as_bytes()), labels, "{text} and a final dot");
        }
    }
    assert_eq!(Name::from_dotted(b""), Err(NameError::Empty));
    assert_eq!(Name::from_dotted(b"."), Ok(Name::root()));
}

#[test]
fn relations() {
    let cases = [
        ("a.example.com", "example.com", true),
        ("example.com", "example.com", true),
        ("badexample.com", "example.com", false), // not at a dot
        ("com", "example.com", false),
        ("a", ".", true),
        (r"a\.example.com", "example.com", false), // the dot is inside the label
    ];
    for (below, above, expected) in cases {
        assert_eq!(name(below).is_subdomain_of(&name(above)), expected, "{below} below {above}");
    }
    let ancestors: Vec<String> = name("a.b.c").ancestors().map(|name| name.to_string()).collect();
    assert_eq!(ancestors, ["a.b.c", "b.c", "c", "."]);
    assert_eq!(name("a.b.c").last(2), name("b.c"));
    assert_eq!(name("b.c").child("A"), Ok(name("a.b.c")));
    assert_eq!(Name::parse_relative("a", &name("b.c")), Ok(name("a.b.c")));
    assert_eq!(Name::parse_relative("a.", &name("b.c")), Ok(name("a")));
    assert_eq!(Name::parse_relative("@", &name("b.c")), Ok(name("b.c")));
    assert_eq!(Name::root().child("a"), Ok(name("a")));
    // 63 + 63 + 63 octets with their lengths, and what is left of 254 beside the length of one more label: 61.
    let long = name(&[&*"x".repeat(63); 3].join("."));
    let label = |octets| "y".repeat(octets);
    for (octets, fits) in [(60, true), (61, true), (62, false), (63, false)] {
        let whole = Name::parse(&format!("{}.{long}", label(octets)));
        assert_eq!(whole.is_ok(), fits, "{octets}");
        assert_eq!(long.child(label(octets)), whole);
        assert_eq!(Name::parse_relative(&label(octets), &long), whole);
    }
}

#[test]
fn parsed_once() {
    let records = Records::new([a(1)], 60, None);
    let first = records.parsed(<[Data]>::len);
    let counted_down = records.clone().with_ttl(30);
    assert_eq!(*counted_down.parsed(|_| -> usize { panic!("parsed a second time") }), *first);
    assert_eq!(*records.parsed(|data| data[0].kind()), RecordType::A, "another type is parsed beside it");
}

/// A zone with an alias, a chain, a loop, a wildcard, an empty non-terminal and faults.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.add(&name("example.com"), 300, a(1));
    zone.add(&name("a.ent.example.com"), 300, a(2));
    zone.add(&name("alias.example.com"), 60, Data::Cname(name("example.com")));
    zone.add(&name("chain.example.com"), 10, Data::Cname(name("alias.example.com")));
    zone.add(&name("dangling.example.com"), 10, Data::Cname(name("nx.example.com")));
    zone.add(&name("loop.example.com"), 10, Data::Cname(name("pool.example.com")));
    zone.add(&name("pool.example.com"), 10, Data::Cname(name("loop.example.com")));
    zone.add(&name("*.wild.example.com"), 300, a(3));
    zone.add(&name("x.y.wild.example.com"), 300, a(4));
    zone.fail(&name("broken.example.com"), None, Fault::ServFail);
    zone.fail(&name("example.com"), Some(RecordType::Mx), Fault::Timeout);
    zone
}

#[test]
fn zone_answers() {
    use RecordType::{A, Aaaa, Cname, Mx};
    let zone = zone();
    let no_data = Response::NoData { ttl: 0 };
    let nx = Response::NxDomain { ttl: 0 };
    let cases = [
        ("EXAMPLE.com", A, found(300, &[a(1)])),
        ("example.com", Aaaa, no_data.clone()),
        ("example.com", Mx, Response::Timeout),
        ("ent.example.com", A, no_data.clone()), // RFC 8020: something is below it
        ("com", A, no_data.clone()),
        ("nx.example.com", A, nx.clone()),
        ("alias.example.com", A, found(60, &[a(1)])), // the shortest time to live of the chain
        ("chain.example.com", A, found(10, &[a(1)])),
        ("chain.example.com", Cname, found(10, &[Data::Cname(name("alias.example.com"))])),
        ("dangling.example.com", A, nx.clone()), // RFC 6604 §3: the last name decides
        ("q.wild.example.com", A, found(300, &[a(3)])),
        ("p.q.wild.example.com", A, found(300, &[a(3)])), // a wildcard covers several labels
        ("q.wild.example.com", Aaaa, no_data.clone()),
        ("y.wild.example.com", A, no_data), // RFC 4592 §2.2.2: it exists, so no synthesis
        ("z.y.wild.example.com", A, nx),    // RFC 4592 §3.3.1: the closest encloser is y, which has no `*`
    ];
    for (asked, kind, expected) in cases {
        assert_eq!(zone.answer(&name(asked), kind), expected, "{asked} {kind}");
    }
    for (asked, kind) in [("loop.example.com", A), ("broken.example.com", A), ("broken.example.com", Mx)] {
        assert!(matches!(zone.answer(&name(asked), kind), Response::ServFail(_)), "{asked} {kind}");
    }
}

#[test]
fn overlay() {
    use RecordType::{A, Mx, Txt};
    let below = zone();
    let mut above = Zone::new();
    above.add(&name("example.com"), 5, Data::Txt(Box::from(&b"new"[..])));
    above.add(&name("a.ent.example.com"), 5, a(9));
    above.add(&name("new.example.org"), 5, Data::Cname(name("alias.example.com")));
    let over = Overlay::new(&above, &below);
    let cases = [
        ("example.com", Txt, found(5, &[Data::Txt(Box::from(&b"new"[..]))])),
        ("example.com", A, found(300, &[a(1)])), // only the text is different
        ("example.com", Mx, Response::Timeout),
        ("a.ent.example.com", A, found(5, &[a(9)])),
        ("new.example.org", A, found(5, &[a(1)])), // an alias in the overlay leads below
        ("example.org", A, Response::NoData { ttl: 0 }), // exists now
        ("nx.example.org", A, Response::NxDomain { ttl: 0 }),
    ];
    for (asked, kind, expected) in cases {
        assert_eq!(now(over.lookup(&name(asked), kind)), expected, "{asked} {kind}");
    }
}
