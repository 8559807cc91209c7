//! Any bytes as the value of an Authentication-Results field, and as a header with several.

#![no_main]

use authres::{OurIds, forged, parse};
use libfuzzer_sys::fuzz_target;
use message::{HeaderLimits, split};

fuzz_target!(|bytes: &[u8]| {
    let (results, _) = parse(bytes);
    let (again, flaws) = parse(results.value(0).as_bytes());
    // What has a control character in it, or is very long, is not written.
    let id = &results.authserv_id;
    if !id.is_empty() && id.len() <= 512 && !id.chars().any(char::is_control) {
        assert_eq!(flaws, [], "{}", results.value(0));
        // What was read once and written is what is read then.
        assert_eq!(parse(again.value(0).as_bytes()).0, again);
    }
    assert!(again.methods.len() <= results.methods.len());

    let ours = OurIds::new(["our.test"], &["X-Ours"]);
    let Ok((header, _, _)) = split(bytes, &HeaderLimits::default()) else { return };
    let fields: Vec<_> = header.fields().map(|field| (field.name, field.value)).collect();
    let removals = forged(fields.iter().copied(), &ours);
    assert!(removals.windows(2).all(|pair| pair[0].index > pair[1].index));
    // With those taken out, none is left.
    let mut left = fields;
    for removal in &removals {
        left.remove(removal.index);
    }
    assert!(forged(left, &ours).is_empty());
});
