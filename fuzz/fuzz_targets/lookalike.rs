//! Any octets as a name in mail, against domains of ours; and any name as a domain of ours, of which look-alikes are made.

#![no_main]

use dns::{Name, Suffixes};
use libfuzzer_sys::fuzz_target;
use lookalike::{Brand, Limits, Ours, RecogniseLimits, SIMILARITY_MAX, Words, generate, skeleton};

fuzz_target!(|data: &[u8]| {
    let Ok(name) = Name::from_dotted(data).or_else(|_| Name::from_unicode(&String::from_utf8_lossy(data))) else {
        return;
    };
    let ours =
        ["paypal.com", "ing.de", "example.co.uk", "xn--mller-kva.de"].map(|ours| Name::parse(ours).expect("a name"));
    if let Some(found) = Ours::new(&ours, [], &RecogniseLimits::default()).recognise(&name) {
        assert!(found.similarity <= SIMILARITY_MAX);
        assert!(ours.contains(&found.domain));
        assert!(name.is_subdomain_of(&found.lookalike));
    }
    let Ok(brand) = Brand::new(&name, &Suffixes::default()) else { return };
    let _ = skeleton(brand.label());
    let limits = Limits { candidates: 300, words: 2, suffixes: 2 };
    let all = generate(&brand, &Words::default(), &limits);
    assert!(all.len() <= limits.candidates);
    for candidate in all {
        assert_ne!(&candidate.name, brand.name());
        assert_eq!(Name::from_unicode(&candidate.unicode).as_ref(), Ok(&candidate.name));
    }
});
