//! Names from mail against our own: what must be recognised, and what must never be.

use dns::Name;
use lookalike::{How, Likeness, Ours, RecogniseLimits};

fn name(text: &str) -> Name {
    Name::from_unicode(text).expect(text)
}

fn recognise(ours: &[&str], seen: &str) -> Option<Likeness> {
    let ours: Vec<Name> = ours.iter().map(|text| name(text)).collect();
    Ours::new(&ours, [], &RecogniseLimits::default()).recognise(&name(seen))
}

/// A domain of ours, a name in mail, how it imitates ours, and why the case is here.
const IMITATIONS: &[(&str, &str, How, &str)] = &[
    ("paypal.com", "paypal.com.spam.net", How::Inside, "the domain as a subdomain"),
    ("paypal.com", "www.paypal.com.account.spam.net", How::Inside, "in the middle"),
    ("paypal.com", "paypal-com.spam.net", How::Inside, "with a hyphen for the dot"),
    ("paypal.com", "paypal.com-login.net", How::Inside, "the suffix at the beginning of the next label"),
    ("paypal.com", "secure-paypal.com.spam.net", How::Inside, "after a hyphen"),
    ("paypal.com", "paypa1.com.spam.net", How::Inside, "and with a digit for a letter"),
    ("example.co.uk", "example.co.uk.spam.net", How::Inside, "a suffix of two labels"),
    ("ing.de", "ing.de.spam.net", How::Inside, "however short, where it is the whole domain"),
    ("paypal.com", "paypa1.com", How::SameLook, "a digit for a letter"),
    ("microsoft.com", "rnicrosoft.com", How::SameLook, "two letters for one"),
    ("microsoft.com", "mail.rnicrosoft.net", How::SameLook, "below it, and another suffix"),
    ("paypal.com", "раураӏ.com", How::SameLook, "whole-script: all Cyrillic"),
    ("paypal.com", "pаypal.com", How::SameLook, "mixed-script: one Cyrillic letter"),
    ("ing.de", "іng.de", How::SameLook, "short, but no Latin keyboard has that letter"),
    ("paypal.com", "pàypal.com", How::Slip, "a mark"),
    ("paypal.com", "payapl.com", How::Slip, "neighbours exchanged"),
    ("paypal.com", "pay-pal.com", How::Slip, "a hyphen"),
    ("paypal.com", "paypall.com", How::Slip, "a letter twice"),
    ("microsoft.com", "microsaft.com", How::Slip, "a vowel for a vowel, in a long name"),
    ("microsoft.com", "micrsoft.com", How::Slip, "a letter less, in a long name"),
    ("bank-of-iceland.is", "bankoficeland.is", How::Slip, "hyphens less"),
    ("paypal.com", "paypal-login.com", How::WithWord, "a word behind"),
    ("paypal.com", "secure-account-paypal.net", How::WithWord, "two words before"),
    ("paypal.com", "paypalsupport.com", How::WithWord, "a word that asks, joined"),
    ("paypal.com", "paypal-billing.spam.net", How::WithWord, "as a subdomain"),
    ("ubs.com", "ubs-login.com", How::WithWord, "short, with a word that asks"),
    ("paypal.com", "paypal-24.com", How::WithWord, "a number"),
    ("paypal.com", "paypal.xyz", How::OtherSuffix, "another suffix"),
    ("contoso.co.uk", "contoso.uk", How::OtherSuffix, "less of the suffix"),
];

#[test]
fn imitations_are_recognised() {
    for (ours, seen, how, why) in IMITATIONS {
        let found = recognise(&[ours], seen);
        assert_eq!(found.as_ref().map(|found| found.how), Some(*how), "{seen} for {ours}: {why}: {found:?}");
        let found = found.expect(seen);
        assert_eq!(found.domain, name(ours), "{seen}");
        assert!(found.similarity > 10, "{seen} {}", found.similarity);
        assert!(name(seen).is_subdomain_of(&found.lookalike), "{seen} {}", found.lookalike);
    }
    eprintln!("{} imitations", IMITATIONS.len());
}

#[test]
fn what_is_ours_or_known_is_none() {
    for (seen, why) in [
        ("paypal.com", "ours"),
        ("mail.paypal.com", "below ours"),
        ("com", "a public suffix"),
        ("paypal.com.20230601.gappssmtp.com", "how a provider names its customers"),
        ("paypal-com.mail.protection.outlook.com", "the same"),
        ("paypal.zendesk.com", "a customer's own name at a provider"),
        ("paypal-emea.example.net", "a word that does not lure"),
        ("notpaypal.company.com", "a part of a word"),
        ("xn--80ak6aa92e.com", "another name in Cyrillic"),
    ] {
        assert_eq!(recognise(&["paypal.com"], seen), None, "{seen}: {why}");
    }
    let ours = name("paypal.com");
    let known = Ours::new([&ours], [name("paypal.xyz")], &RecogniseLimits::default());
    assert_eq!(known.recognise(&name("mail.paypal.xyz")), None, "somebody's, as the caller knows");
}

#[test]
fn the_nearest_of_ours_is_named() {
    let found = recognise(&["paypal.net", "paypal.com", "paypals.com"], "paypa1.com").expect("one of them");
    assert_eq!(found.domain, name("paypal.com"));
}

/// Companies whose names are short, or words: where other companies' names are near.
const BRANDS: &[&str] = &[
    "ing.de",
    "ubs.com",
    "bmw.de",
    "sap.com",
    "ibm.com",
    "dhl.de",
    "ups.com",
    "kia.com",
    "hp.com",
    "x.com",
    "visa.com",
    "meta.com",
    "dell.com",
    "nike.com",
    "audi.de",
    "ford.com",
    "ebay.de",
    "otto.de",
    "lidl.de",
    "aldi.de",
    "aol.com",
    "gmx.net",
    "web.de",
    "target.com",
    "apple.com",
    "delta.com",
    "chase.com",
    "shell.com",
    "tesco.com",
    "intel.com",
    "nokia.com",
    "zalando.de",
    "amazon.de",
    "google.com",
    "paypal.com",
    "halden.example",
    "contoso.com",
    "fabrikam.com",
    "siemens.com",
    "allianz.de",
    "santander.es",
    "barclays.co.uk",
    "microsoft.com",
    "vodafone.de",
    "telekom.de",
    "mercury.co.nz",
    "united.com",
    "orange.fr",
    "square.com",
    "stripe.com",
    "monzo.com",
    "revolut.com",
    "booking.com",
    "deutsche-bank.de",
    "bank-of-iceland.is",
    "mail.com",
    "post.ch",
];

#[test]
fn other_companies_are_no_look_alikes() {
    let vendors = include_str!("vendors.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let vendors: Vec<Name> = vendors.map(name).collect();
    assert!(vendors.len() > 300, "{}", vendors.len());
    let mut alarms = Vec::new();
    for brand in BRANDS {
        let brand_name = name(brand);
        let ours = Ours::new([&brand_name], [], &RecogniseLimits::default());
        for vendor in &vendors {
            // A company's own other domains are what it looks for.
            if let Some(found) = ours.recognise(vendor).filter(|found| found.how != How::OtherSuffix) {
                alarms.push(format!("{vendor} for {brand}: {}", found.how));
            }
        }
    }
    eprintln!("{} companies, {} names, {} pairs", BRANDS.len(), vendors.len(), BRANDS.len() * vendors.len());
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn any_octets_are_taken() {
    let ours = name("paypal.com");
    let ours = Ours::new([&ours], [], &RecogniseLimits::default());
    let long = vec![b'a'; 63];
    for labels in [
        vec![&b"\xff\x00"[..], b"paypal", b"com", b"net"],
        vec![b"xn--", b"com"],
        vec![b"xn--\xff", b"paypal.com", b"x", b"net"],
        vec![&long, &long, &long, b"com"],
        vec![b"-", b"-", b"-"],
    ] {
        let name = Name::from_labels(labels).expect("a name");
        let _ = ours.recognise(&name);
    }
    assert_eq!(ours.recognise(&Name::root()), None);
}
