//! Any text as a zone: read, written, read again, and asked about each of its names.

#![no_main]

use dns::{Name, RecordType, Zone};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Zone::parse(text) {
        Ok(zone) => {
            let written = zone.to_string();
            let again = Zone::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again.to_string(), written);
            for name in written.split_whitespace().filter_map(|word| Name::parse(word).ok()).take(50) {
                for kind in RecordType::ALL {
                    assert_eq!(zone.answer(&name, kind), again.answer(&name, kind), "{name} {kind}");
                }
            }
        }
        Err(error) => {
            let pointed_at = text.get(error.span.clone()).expect("a place in the text");
            assert!(!pointed_at.is_empty());
            assert!(error.line > 0 && error.column > 0);
        }
    }
});
