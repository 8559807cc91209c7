//! Profiles of sources: the newest counts, the older stay, and a rebuild leaves them alone.

use std::net::IpAddr;

use report::Day;

use super::support::directory;
use crate::{Error, Ledger};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_newest_counts_and_the_older_stay() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let (one, two, none) = (address("192.0.2.1"), address("2001:db8::1"), address("192.0.2.2"));
    ledger.put_profiles([(one, Day(10), "a"), (two, Day(10), "b")]).unwrap();
    ledger.put_profiles([(one, Day(12), "c"), (one, Day(11), "d"), (one, Day(12), "e")]).unwrap();
    let generation = ledger.generation().unwrap();
    ledger.put_profiles([(one, Day(12), "e")]).unwrap();
    assert!(ledger.generation().unwrap() > generation, "one that takes the place of another is a change too");
    let newest = ledger.profiles(&[one, two, none]).unwrap();
    assert_eq!(
        (newest.len(), &*newest[&one].profile, newest[&one].day, &*newest[&two].profile),
        (2, "e", Day(12), "b")
    );
    let history: Vec<_> = ledger.profile_history(one).unwrap().into_iter().map(|e| (e.day.0, e.profile)).collect();
    assert_eq!(history, [(12, "e".to_owned()), (11, "d".to_owned()), (10, "a".to_owned())]);
    let mut each = Vec::new();
    ledger.each_profile(|address, profile| each.push((address, profile.to_owned()))).unwrap();
    assert_eq!(each, [(one, "e".to_owned()), (two, "b".to_owned())]);
    assert_eq!(ledger.without_profile(&[two, none, one], Day(11)).unwrap(), [two, none]);
    // An IPv4 address and the IPv6 address that stands for it are one source, as in rows.
    assert!(ledger.profiles(&[address("::ffff:192.0.2.1")]).unwrap().len() == 1);
}

#[test]
fn they_outlive_a_restart_and_a_rebuild_and_are_in_backups() {
    let dir = directory();
    let one = address("192.0.2.1");
    let ledger = Ledger::open(dir.path()).unwrap();
    ledger.put_profiles([(one, Day(10), "a")]).unwrap();
    ledger.forget_derived().unwrap();
    drop(ledger);
    let reader = Ledger::read(dir.path()).unwrap();
    assert!(matches!(reader.put_profiles([(one, Day(11), "b")]), Err(Error::ReadOnly { .. })));
    assert_eq!(reader.profiles(&[one]).unwrap()[&one].profile, "a");
    let copy = directory();
    let copy = copy.path().join("copy");
    reader.backup(&copy).unwrap();
    assert_eq!(Ledger::read(&copy).unwrap().profiles(&[one]).unwrap()[&one].profile, "a");
}
