//! The generator, family by family: what it must make, what it must not, and that it is bounded and always the same.

use std::collections::HashSet;

use dns::{Name, Suffixes};
use lookalike::{Brand, BrandError, Candidate, Family, Limits, SIMILARITY_MAX, Words, generate};

fn brand(text: &str) -> Brand {
    Brand::new(&Name::from_unicode(text).expect(text), &Suffixes::default()).expect(text)
}

fn all(text: &str) -> Vec<Candidate> {
    generate(&brand(text), &Words::default(), &Limits::default())
}

/// A family, a domain, names that it makes of it, and names that it does not, with the reason.
type Case = (Family, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    (Family::Addition, "paypal.com", &["paypala.com", "paypal0.com"], &[("paypalaa.com", "one only")]),
    (Family::Addition, "a-b.com", &["ax-b.com", "a-bx.com"], &[("xa-b.com", "at the end of a part")]),
    (
        Family::Bitsquatting,
        "paypal.com",
        &["qaypal.com", "pay0al.com", "paypad.com"],
        &[("paypaz.com", "more than one bit")],
    ),
    (Family::Cyrillic, "paypal.com", &["раураӏ.com"], &[("pаypal.com", "the whole label or nothing")]),
    (Family::Cyrillic, "example.com", &["ехамрӏе.com"], &[]),
    (
        Family::Dictionary,
        "paypal.com",
        &["login-paypal.com", "paypallogin.com"],
        &[("paypal-xyzzy.com", "no word of the list")],
    ),
    (Family::Dictionary, "a-bank.com", &["login-bank.com", "a-login.com"], &[]),
    (
        Family::Homoglyph,
        "paypal.com",
        &["paypa1.com", "paypai.com", "pàypal.com", "pàypaĺ.com"],
        &[("p4yp41.com", "three of them")],
    ),
    (Family::Homoglyph, "microsoft.com", &["rnicrosoft.com", "micr0s0ft.com", "nnicrosoft.com"], &[]),
    (Family::Homoglyph, "google.com", &["g00gle.com", "g00g1e.com"], &[]),
    (Family::Hyphenation, "paypal.com", &["pay-pal.com"], &[("-paypal.com", "no label"), ("paypal-.com", "no label")]),
    (Family::Hyphenation, "pay-pal.com", &["paypal.com"], &[]),
    (
        Family::Insertion,
        "paypal.com",
        &["playpal.com", "paypqal.com", "paypalk.com"],
        &[("paypxal.com", "not beside p or a")],
    ),
    (Family::MixedScript, "paypal.com", &["pаypal.com", "pаypаl.com"], &[("раураӏ.com", "one script")]),
    (Family::Omission, "paypal.com", &["aypal.com", "paypa.com"], &[("payp.com", "one only")]),
    (Family::Plural, "bus.com", &["buses.com", "buss.com"], &[("busess.com", "one ending")]),
    (Family::Plural, "paypal.com", &["paypals.com"], &[]),
    (Family::Repetition, "paypal.com", &["paypall.com", "ppaypal.com"], &[("paypaala.com", "one only")]),
    (Family::Replacement, "paypal.com", &["oaypal.com", "psypal.com", "paypak.com"], &[("xaypal.com", "not beside p")]),
    (
        Family::SameSkeleton,
        "microsoft.com",
        &["rnicrosoft.com", "micros0ft.com"],
        &[("nnicrosoft.com", "alike, not the same")],
    ),
    (Family::Subdomain, "paypal.com", &["pay.pal.com", "p.aypal.com"], &[("paypal.c.om", "within the label")]),
    (Family::Subdomain, "a-b-c.com", &[], &[("a-.b-c.com", "no label ends with a hyphen")]),
    (
        Family::TldSwap,
        "paypal.com",
        &["paypal.net", "paypal.co.uk", "paypal.co"],
        &[("paypal.com", "the domain itself")],
    ),
    (Family::Transposition, "paypal.com", &["apypal.com", "paypla.com"], &[("paaypl.com", "neighbours only")]),
    (Family::Various, "ing.de", &["ingde.com", "ing-de.com", "ingde.de", "wwwing.de", "www-ing.de"], &[]),
    (Family::Various, "example.co.uk", &["example.uk", "exampleco.uk"], &[]),
    (Family::VowelSwap, "paypal.com", &["poypal.com", "paypul.com"], &[("pbypal.com", "no vowel")]),
    (Family::WholeScript, "paypal.com", &["раураӏ.com"], &[("раypal.com", "two scripts")]),
    (Family::WholeScript, "noo.gr", &["ոօօ.gr"], &[]),
];

#[test]
fn each_family_makes_its_names() {
    let mut seen = HashSet::new();
    for (family, domain, makes, not) in CASES {
        seen.insert(*family);
        let all = all(domain);
        let of_family = |text: &str| all.iter().any(|c| c.unicode == text && c.families.contains(*family));
        for text in *makes {
            assert!(of_family(text), "{family} of {domain} makes {text}");
        }
        for (text, why) in *not {
            assert!(!of_family(text), "{family} of {domain} does not make {text}: {why}");
        }
    }
    for family in Family::ALL {
        assert!(seen.contains(&family), "{family} has no case");
    }
    eprintln!("{} cases", CASES.len());
}

#[test]
fn every_candidate_can_be_registered_and_stands_once() {
    for domain in
        ["paypal.com", "ing.de", "a1-telekom.at", "example.co.uk", "müller.de", "bank-of-iceland.is", "24.com"]
    {
        let all = all(domain);
        let mut names = HashSet::new();
        for candidate in &all {
            assert!(names.insert(&candidate.name), "{} twice", candidate.name);
            assert_ne!(candidate.name, *brand(domain).name());
            assert!(candidate.similarity <= SIMILARITY_MAX);
            assert!(!candidate.families.is_empty());
            let ascii = idna::domain_to_ascii_strict(&candidate.unicode).expect(&candidate.unicode);
            assert_eq!(ascii, candidate.name.to_string(), "{}", candidate.unicode);
        }
        eprintln!("{domain}: {}", all.len());
    }
}

#[test]
fn the_order_is_always_the_same_and_the_most_alike_come_first() {
    let (one, two) = (all("microsoft.com"), all("microsoft.com"));
    assert_eq!(one, two);
    assert!(one.is_sorted_by(|a, b| (b.similarity, &a.unicode) <= (a.similarity, &b.unicode)));
    let of = |text: &str| one.iter().find(|c| c.unicode == text).map(|c| c.similarity).expect(text);
    assert!(of("rnicrosoft.com") > of("microsoft.net"));
    assert!(of("microsoft.net") > of("microsoft-login.com"));
    assert!(of("microsof.com") > of("icrosoft.com"), "the first letter is looked at");
}

#[test]
fn limits_hold() {
    let few = Limits { candidates: 100, words: 1, suffixes: 1 };
    let all = generate(&brand("microsoft.com"), &Words::default(), &few);
    assert!(all.len() <= 100 && all.len() > 90, "{}", all.len());
    let longest = format!("{}.com", "abcdefghi".repeat(7));
    let all = generate(&brand(&longest), &Words::default(), &Limits::default());
    assert!(all.len() <= Limits::default().candidates);
    assert!(all.iter().all(|c| c.name.labels().all(|label| label.len() <= 63)));
}

#[test]
fn what_nobody_can_register_has_none() {
    let of = |text: &str| Brand::new(&Name::parse(text).expect(text), &Suffixes::default());
    assert!(matches!(of("co.uk"), Err(BrandError::PublicSuffix(_))));
    assert!(matches!(of("."), Err(BrandError::PublicSuffix(_))));
    assert!(matches!(of("a_b.com"), Err(BrandError::Label(_))));
    assert!(matches!(of("-a.com"), Err(BrandError::Label(_))));
    assert_eq!(brand("mail.example.co.uk").name().to_string(), "example.co.uk");
}
