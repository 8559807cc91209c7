//! Networks from MMDB files in the layouts that are common, files that are missing, broken, replaced, or lie.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fs;
use std::path::PathBuf;

use enrich::{Network, NetworkLimits, Networks};
use scenario::mmdb;
use scenario::mmdb::Value::{self, List, Map, Number, Text};
use tempfile::TempDir;

/// A file that says what it is, with data for networks such as `192.0.2.0/24`.
fn file(kind: &str, networks: &[(&str, Value<'static>)]) -> Vec<u8> {
    let network = |(network, value): &(&str, Value<'static>)| {
        let (first, bits) = network.split_once('/').unwrap();
        (first.parse().unwrap(), bits.parse().unwrap(), value.clone())
    };
    mmdb::file(kind, "made by a test", 1_700_000_000, networks.iter().map(network))
}

fn maxmind_asn(asn: u32, organisation: &'static str) -> Value<'static> {
    Map(vec![("autonomous_system_number", Number(asn)), ("autonomous_system_organization", Text(organisation))])
}

fn maxmind_country(code: &'static str) -> Value<'static> {
    let country = Map(vec![
        ("geoname_id", Number(2_921_044)),
        ("iso_code", Text(code)),
        ("names", Map(vec![("de", Text("Land")), ("en", Text("Country"))])),
    ]);
    Map(vec![("continent", Map(vec![("code", Text("EU"))])), ("country", country)])
}

fn open(files: &[Vec<u8>]) -> (TempDir, Networks, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let paths: Vec<PathBuf> = (0..files.len()).map(|n| folder.path().join(format!("{n}.mmdb"))).collect();
    for (path, bytes) in paths.iter().zip(files) {
        fs::write(path, bytes).unwrap();
    }
    let networks = Networks::open(&paths, NetworkLimits::default());
    (folder, networks, paths)
}

/// Number, organisation, domain, country.
type Known<'a> = (Option<u32>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn known(network: Option<&Network>) -> Option<Known<'_>> {
    network.map(|n| (n.asn, n.organisation.as_deref(), n.domain.as_deref(), n.country.as_deref()))
}

/// Why, record, what is known by it.
type Case<'a> = (&'a str, Value<'static>, Option<Known<'a>>);

#[test]
fn every_layout_is_read() {
    let range = |value: Value<'static>| ("192.0.2.0/24", value);
    let everybody = Some((Some(64_500), Some("Contoso"), Some("contoso.example"), Some("DE")));
    let cases: Vec<Case<'_>> = vec![
        (
            "GeoLite2-ASN, DB-IP ASN Lite",
            maxmind_asn(64_500, "Contoso"),
            Some((Some(64_500), Some("Contoso"), None, None)),
        ),
        ("GeoLite2-Country and -City, DB-IP", maxmind_country("DE"), Some((None, None, None, Some("DE")))),
        (
            "GeoLite2-Country: in no country, but registered",
            Map(vec![("registered_country", Map(vec![("iso_code", Text("FR"))]))]),
            Some((None, None, None, Some("FR"))),
        ),
        (
            "IPinfo Lite",
            Map(vec![
                ("asn", Text("AS64500")),
                ("as_name", Text("Contoso")),
                ("as_domain", Text("contoso.example")),
                ("continent_code", Text("EU")),
                ("country", Text("Germany")),
                ("country_code", Text("DE")),
            ]),
            everybody,
        ),
        (
            "IPinfo country and ASN",
            Map(vec![
                ("asn", Text("AS64500")),
                ("as_name", Text("Contoso")),
                ("as_domain", Text("contoso.example")),
                ("country", Text("DE")),
                ("country_name", Text("Germany")),
            ]),
            everybody,
        ),
        (
            "IPinfo ASN",
            Map(vec![("asn", Text("AS64500")), ("name", Text("Contoso")), ("domain", Text("contoso.example"))]),
            Some((Some(64_500), Some("Contoso"), Some("contoso.example"), None)),
        ),
        (
            "a number in fewer bits",
            Map(vec![("autonomous_system_number", mmdb::Value::Short(7))]),
            Some((Some(7), None, None, None)),
        ),
        (
            "IPinfo: no network",
            Map(vec![("asn", Text("")), ("country_code", Text("de"))]),
            Some((None, None, None, Some("DE"))),
        ),
        ("a country that is none", Map(vec![("country", Text("<script>"))]), None),
        (
            "a name full of control characters",
            maxmind_asn(1, "a\u{0}b\u{202e}"),
            Some((Some(1), Some("a b"), None, None)),
        ),
        ("another type than any layout has", Map(vec![("asn", List(vec![]))]), None),
        ("not even a map", Text("hello"), None),
        ("nothing that we know", Map(vec![("x", Number(1))]), None),
    ];
    for (why, value, expected) in cases {
        let (_folder, networks, _) = open(&[file("Test", &[range(value)])]);
        let found = networks.find("192.0.2.77".parse().unwrap());
        assert_eq!(known(found.as_ref()), expected, "{why}");
        assert_eq!(networks.find("::ffff:192.0.2.77".parse().unwrap()), found, "{why}: written as IPv6");
        assert_eq!(networks.find("192.0.3.1".parse().unwrap()), None, "{why}: beyond the range");
    }
}

#[test]
fn files_add_up() {
    let six = ("2001:db8::/32", maxmind_asn(64_501, "Six"));
    let asn = file("GeoLite2-ASN", &[("192.0.2.0/24", maxmind_asn(64_500, "Contoso")), six]);
    let country = file(
        "GeoLite2-Country",
        &[("192.0.2.0/25", maxmind_country("DE")), ("198.51.100.0/24", maxmind_country("JP"))],
    );
    let other = file("Other", &[("192.0.0.0/16", maxmind_asn(64_999, "Other"))]);
    let (_folder, networks, _) = open(&[asn, country, other]);
    let find = |address: &str| networks.find(address.parse().unwrap());
    let cases = [
        ("192.0.2.1", Some((Some(64_500), Some("Contoso"), None, Some("DE"))), "each from its file"),
        ("192.0.2.200", Some((Some(64_500), Some("Contoso"), None, None)), "no country there"),
        ("192.0.3.1", Some((Some(64_999), Some("Other"), None, None)), "the last file"),
        ("198.51.100.1", Some((None, None, None, Some("JP"))), "a country alone"),
        ("2001:db8::1", Some((Some(64_501), Some("Six"), None, None)), "IPv6"),
        ("203.0.113.1", None, "nowhere"),
    ];
    for (address, expected, why) in cases {
        assert_eq!(known(find(address).as_ref()), expected, "{why}");
    }
    let kinds: Vec<_> = networks.files().into_iter().map(|file| file.kind.unwrap()).collect();
    assert_eq!(kinds, ["GeoLite2-ASN", "GeoLite2-Country", "Other"]);
    assert_eq!(networks.files()[0].built, Some(1_700_000_000));
}

#[test]
fn files_come_go_and_change() {
    let version = |asn| file("GeoLite2-ASN", &[("192.0.2.0/24", maxmind_asn(asn, "Contoso"))]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("asn.mmdb");
    let networks = Networks::open(std::slice::from_ref(&path), NetworkLimits::default());
    let asn = || networks.find("192.0.2.1".parse().unwrap()).and_then(|network| network.asn);
    let problem = || networks.files()[0].problem.clone();
    assert_eq!(asn(), None);
    assert!(problem().unwrap().contains("cannot be read"), "{:?}", problem());
    assert!(!networks.refresh(), "still missing: nothing changed");

    fs::write(&path, version(1)).unwrap();
    assert!(networks.refresh(), "it came");
    assert_eq!((asn(), problem()), (Some(1), None));
    assert!(!networks.refresh(), "not read again");

    // Replaced the way that downloads are: written beside, then renamed.
    let beside = folder.path().join("new");
    fs::write(&beside, version(2)).unwrap();
    fs::rename(&beside, &path).unwrap();
    assert_eq!(asn(), Some(1), "until somebody asks to look");
    assert!(networks.refresh());
    assert_eq!(asn(), Some(2));

    let half = version(3);
    fs::write(&path, &half[..half.len() / 2]).unwrap();
    assert!(networks.refresh(), "half a file");
    assert!(problem().unwrap().contains("MMDB"), "{:?}", problem());
    assert_eq!(asn(), Some(2), "the old one stays");
    fs::write(&path, &half).unwrap();
    assert!(networks.refresh(), "the other half came");
    assert_eq!((asn(), problem()), (Some(3), None));

    fs::remove_file(&path).unwrap();
    networks.refresh();
    assert_eq!(asn(), Some(3), "removed: what was read stays in use");
    assert!(problem().is_some());
}

#[test]
fn what_is_no_file_of_networks_is_refused() {
    let good = file("GeoLite2-ASN", &[("192.0.2.0/24", maxmind_asn(64_500, "Contoso"))]);
    let cases: [(&str, Vec<u8>); 4] = [
        ("empty", vec![]),
        ("text", b"<html>403</html>".to_vec()),
        ("only the marker", b"\xab\xcd\xefMaxMind.com".to_vec()),
        ("no end", good[..good.len() - 40].to_vec()),
    ];
    for (why, bytes) in cases {
        let (_folder, networks, _) = open(&[bytes]);
        assert!(networks.files()[0].problem.is_some(), "{why}");
        assert_eq!(networks.find("192.0.2.1".parse().unwrap()), None, "{why}");
    }
    let (_folder, _, paths) = open(&[good]);
    let tiny = NetworkLimits { file_bytes: 10, ..NetworkLimits::default() };
    let problem = Networks::open(&paths, tiny).files()[0].problem.clone().unwrap();
    assert!(problem.contains("10 are allowed"), "{problem}");
    let folder = Networks::open(&[std::env::temp_dir()], NetworkLimits::default());
    assert!(folder.files()[0].problem.is_some(), "a folder");
}

/// Each byte of a file, changed in one of three ways: an answer, or none, and never a panic or an endless loop.
#[test]
fn a_byte_changed_anywhere_does_no_harm() {
    let record = Map(vec![("asn", Text("AS64500")), ("as_name", Text("Contoso")), ("country", Text("DE"))]);
    let good = file("X", &[("0.0.0.0/1", record), ("2001:db8::/32", maxmind_country("DE"))]);
    let folder = TempDir::new().unwrap();
    let (mut opened, mut answered) = (0, 0);
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= [0x01, 0xff, 0x80][at % 3];
        let path = folder.path().join("x.mmdb");
        fs::write(&path, &bytes).unwrap();
        let networks = Networks::open(&[path], NetworkLimits::default());
        opened += usize::from(networks.files()[0].problem.is_none());
        for address in ["1.2.3.4", "255.0.0.1", "2001:db8::1", "::"] {
            answered += usize::from(networks.find(address.parse().unwrap()).is_some());
        }
    }
    println!("{} files, {opened} opened, {answered} answers", good.len());
    assert!(opened > good.len() / 2 && answered > 0, "most changes are not seen at the door");
}
