//! Samples: kept once, found by what people look for, and forgotten by a retention of their own.

use report::failure::Sample;
use report::{Day, Rejection, RejectionKind};

use super::support::{DAY, Dice, EPOCH, directory, report, take};
use crate::{Ledger, SampleFilter};

/// A sample of a day after [`EPOCH`]; what it does not say is nothing.
fn sample(day: i64, local_part: &str, domain: &str, source: Option<&str>) -> Sample {
    let source = source.map_or_else(|| "null".to_owned(), |source| format!("\"{source}\""));
    let json = format!(
        r#"{{"arrived":{},"reporter":"mx.example","user_agent":null,"shape":"feedback","source":{source},"source_port":null,
        "incidents":2,"domain":"{domain}","local_part":"{local_part}","subject":null,"auth_failure":"dmarc","failed":null,
        "delivery":null,"reported_domains":[],"envelope_from":null,"envelope_to":[],"spf_domain":null,"dkim":[],
        "dkim_identity":null,"authentication_results":[],"uri_hosts":[],"header":[],"flaws":[]}}"#,
        EPOCH + day * DAY
    );
    serde_json::from_str(&json).unwrap()
}

/// Takes an item with samples in, received on a day; says how many were new.
fn take_samples(ledger: &Ledger, name: &str, received: i64, samples: &[(u8, Sample)]) -> usize {
    let key = ledger.keep(&mut name.as_bytes(), name, EPOCH + received * DAY).unwrap().key;
    let mut intake = ledger.intake().unwrap();
    intake.begin_item(&key).unwrap();
    let new = samples.iter().filter(|(id, sample)| intake.sample(sample, &[*id; 32], None).unwrap()).count();
    intake.end_item().unwrap();
    intake.finish().unwrap();
    new
}

fn filled(ledger: &Ledger) {
    let one = sample(1, "VST", "example.com", Some("192.0.2.7"));
    let others = [
        (2, sample(2, "vst", "example.com", Some("192.0.2.9"))),
        (3, sample(3, "badge", "mail.example.com", Some("2001:db8::7"))),
        (4, sample(4, "", "example.org", None)),
        (1, one.clone()),
    ];
    assert_eq!(take_samples(ledger, "a", 10, &[(1, one.clone()), (1, one)]), 1, "the same one twice in an item");
    assert_eq!(take_samples(ledger, "b", 20, &others), 3, "and once more in another");
}

#[test]
fn samples_are_found_by_what_people_look_for() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    filled(&ledger);
    let all = SampleFilter::default();
    let day = |n| Day::of(EPOCH + n * DAY);
    let cases: [(&str, SampleFilter, &[i64]); 10] = [
        ("all, the newest first", all.clone(), &[4, 3, 2, 1]),
        ("a domain", SampleFilter { domain: Some("example.com".into()), ..all.clone() }, &[2, 1]),
        (
            "a domain and those below it",
            SampleFilter { domain: Some("mail.example.com".into()), subdomains: true, ..all.clone() },
            &[3, 2, 1],
        ),
        ("whatever its case", SampleFilter { local_part: Some("Vst".into()), ..all.clone() }, &[2, 1]),
        ("not known", SampleFilter { local_part: Some("".into()), ..all.clone() }, &[4]),
        ("a source", SampleFilter { network: Some(("192.0.2.9".parse().unwrap(), 32)), ..all.clone() }, &[2]),
        ("a network", SampleFilter { network: Some(("192.0.2.0".parse().unwrap(), 24)), ..all.clone() }, &[2, 1]),
        ("IPv6", SampleFilter { network: Some(("2001:db8::".parse().unwrap(), 32)), ..all.clone() }, &[3]),
        ("any address", SampleFilter { network: Some(("::".parse().unwrap(), 0)), ..all.clone() }, &[3, 2, 1]),
        ("days", SampleFilter { days: Some((day(2), day(3))), ..all.clone() }, &[3, 2]),
    ];
    for (why, filter, expected) in &cases {
        let (page, total) = ledger.samples(filter, 0, 10).unwrap();
        let days: Vec<i64> = page.iter().map(|entry| i64::from(entry.day.0) - EPOCH / DAY).collect();
        assert_eq!((&days[..], total), (*expected, expected.len()), "{why}");
    }
    let (second, total) = ledger.samples(&all, 1, 2).unwrap();
    assert_eq!((second[0].day, second.len(), total), (day(3), 2, 4));
    assert_eq!(ledger.sample(second[0].id).unwrap().unwrap(), second[0]);
    assert_eq!(ledger.sample(99).unwrap(), None);
    assert_eq!(ledger.sample_span().unwrap(), Some((day(1), day(4))));

    let (parts, total) = ledger.local_parts(&all, 2).unwrap();
    let seen: Vec<_> = parts.iter().map(|p| (p.local_part.as_str(), p.samples, p.incidents, p.sources)).collect();
    assert_eq!((seen, total), (vec![("vst", 2, 4, 2), ("", 1, 2, 0)], 3));
    assert_eq!((parts[0].first_day, parts[0].last_day), (day(1), day(2)));
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}

/// Whatever order they were taken in, within a day too; a message without a time is of the day of its report.
#[test]
fn samples_of_a_day_are_sorted_by_their_time() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let at = |second: Option<i64>| {
        let mut sample = sample(7, "vst", "example.com", None);
        sample.arrived = second.map(|second| EPOCH + 7 * DAY + second);
        sample
    };
    let taken = [(1, at(Some(500))), (2, at(None)), (3, at(Some(9))), (4, at(Some(70_000)))];
    assert_eq!(take_samples(&ledger, "a", 7, &taken), 4);
    let (page, _) = ledger.samples(&SampleFilter::default(), 0, 10).unwrap();
    let seconds: Vec<_> = page.iter().map(|entry| entry.sample.arrived.map(|s| s - EPOCH - 7 * DAY)).collect();
    assert_eq!(seconds, [Some(70_000), Some(500), Some(9), None]);
}

#[test]
fn samples_go_with_the_items_they_came_in() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    filled(&ledger);
    let mut intake = ledger.intake().unwrap();
    take(&ledger, &mut intake, &report(&mut Dice(1), 0, 3)).unwrap();
    intake.finish().unwrap();
    // Retention of rows leaves them.
    ledger.retain(Day::of(EPOCH + 400 * DAY)).unwrap();
    assert_eq!((ledger.counters().unwrap().samples, ledger.counters().unwrap().reports), (4, 0));
    assert_eq!(ledger.counters().unwrap().items, 2);
    // The item "a" was received on day 10.
    assert_eq!(ledger.retain_samples(EPOCH + 11 * DAY).unwrap(), 1);
    assert_eq!((ledger.counters().unwrap().samples, ledger.counters().unwrap().items), (3, 1));
    let (left, _) = ledger.samples(&SampleFilter::default(), 0, 10).unwrap();
    let gone = crate::RawKey(<sha2::Sha256 as sha2::Digest>::digest(b"a").into());
    assert!(ledger.raw(&gone).is_err(), "nothing leads to its raw copy any more");
    assert!(ledger.raw(&left[0].item).is_ok());
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!((ledger.pending().unwrap().len(), ledger.counters().unwrap().samples), (0, 3), "also after a restart");
    assert_eq!(ledger.retain_samples(EPOCH + 400 * DAY).unwrap(), 3);
    assert_eq!(ledger.counters().unwrap().items, 0);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_rebuild_works_samples_out_again() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    filled(&ledger);
    ledger.forget_derived().unwrap();
    assert_eq!(ledger.counters().unwrap().samples, 0);
    let pending = ledger.pending().unwrap();
    assert_eq!(pending.len(), 2);
    let mut intake = ledger.intake().unwrap();
    intake.begin_item(&pending[0].key).unwrap();
    assert!(intake.sample(&sample(1, "vst", "example.com", None), &[1; 32], None).unwrap());
    intake.end_item().unwrap();
    intake.begin_item(&pending[1].key).unwrap();
    intake.reject(None, &Rejection::new(RejectionKind::NoReport, "nothing")).unwrap();
    intake.end_item().unwrap();
    intake.finish().unwrap();
    assert_eq!(ledger.counters().unwrap().samples, 1);
    assert_eq!(ledger.check().unwrap().faults, [""; 0]);
    // A repeated item brings its samples again.
    let mut intake = ledger.intake().unwrap();
    intake.repeated_item(&pending[0].key).unwrap();
    assert_eq!(intake.finish().unwrap().samples_repeated, 1);
}
