//! Any bytes as an item: limits hold, and gzip around it changes nothing of what is found.

#![no_main]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use report::package::{Found, PackageLimits, open};
use report::{Rejection, RejectionKind};

/// Members, and either their bytes – of a failure report its hash – or why they were refused.
type All = Vec<(Option<String>, Result<Vec<u8>, RejectionKind>)>;

fn found(item: &[u8], limits: &PackageLimits) -> All {
    let mut all = All::new();
    let mut expanded = 0;
    open(&mut &item[..], limits, &mut |found| {
        all.push(match found {
            Found::Rejected { member, rejection } => (member.map(str::to_owned), Err(rejection.kind)),
            Found::Failure { member, failure } => (member.map(str::to_owned), Ok(failure.content.to_vec())),
            Found::Report { member, xml } => {
                let mut bytes = Vec::new();
                let read = xml.read_to_end(&mut bytes);
                expanded += bytes.len();
                let member = member.map(str::to_owned);
                (member, read.map(|_| bytes).map_err(|error| Rejection::carried(error).expect("memory").kind))
            }
        });
    })
    .expect("memory");
    assert!(!all.is_empty(), "every item has an outcome");
    // Base64 and stored members give as many bytes as they take, and a member may be stored several times over.
    assert!(expanded as u64 <= limits.expanded_bytes + limits.members * item.len() as u64 * 2);
    all
}

fuzz_target!(|item: &[u8]| {
    let limits = PackageLimits {
        expanded_bytes: 8 << 20,
        ratio_from_bytes: 64 << 10,
        members: 20,
        depth: 5,
        held_bytes: 4 << 20,
        ..PackageLimits::default()
    };
    let bare = found(item, &limits);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(item).expect("memory");
    let deeper = PackageLimits { depth: 6, ..limits };
    let wrapped = found(&gzip.finish().expect("memory"), &deeper);
    let limited = |all: &All| all.iter().any(|(_, outcome)| matches!(outcome, Err(RejectionKind::ExpandedSizeLimit)));
    if !limited(&bare) && !limited(&wrapped) {
        assert_eq!(bare, wrapped);
    }
});
