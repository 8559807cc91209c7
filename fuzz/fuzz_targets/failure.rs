//! Any bytes as a mail with failure reports: nothing panics, reading is repeatable, and what may be kept is small and holds no address
//! of a recipient.

#![no_main]

use libfuzzer_sys::fuzz_target;
use report::failure::{Limits, Sample, read, redact};

/// What the longest sample may take as JSON: 40 fields of 600 bytes, and as much again, escaped.
const JSON_BYTES_MAX: usize = 400_000;

fuzz_target!(|mail: &[u8]| {
    if let Ok(text) = std::str::from_utf8(mail) {
        let once = redact(text);
        assert_eq!(redact(&once), once, "nothing is left to take out");
    }
    let limits = Limits { reports: 5, header_bytes: 16 << 10, text_bytes: 16 << 10, latest: 1_800_000_000, ..Limits::default() };
    let Some(all) = read(mail, &limits) else { return };
    assert!(!all.is_empty() && all.len() <= limits.reports + 1);
    assert_eq!(Some(&all), read(mail, &limits).as_ref());
    for failure in all.into_iter().flatten() {
        assert!(!failure.report.author.domain.is_empty(), "in whose name is always known");
        assert!(failure.report.arrived.is_none_or(|arrived| arrived <= limits.latest));
        let sample = Sample::of(&failure);
        let json = serde_json::to_string(&sample).expect("plain data");
        assert!(json.len() < JSON_BYTES_MAX, "{} bytes", json.len());
        assert_eq!(serde_json::from_str::<Sample>(&json).expect("what was written is read"), sample);
        assert!(sample.envelope_to.iter().all(|domain| !domain.contains('@')));
    }
});
