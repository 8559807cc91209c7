//! Written, read, and written again.

use std::net::IpAddr;

use proptest::prelude::*;
use report::{
    Alignment, AuthResult, Dialect, DiscoveryMethod, Disposition, DkimResult, FlawKind, Interval, Override,
    OverrideKind, Policy, PolicyPublished, Report, Reporter, Row, SpfResult, SpfScope, Text, write,
};

use crate::corners::texts;
use crate::support::{Whole, file, manifest, read, suites};

/// Anything XML can hold, without white space at its ends.
fn text() -> impl Strategy<Value = Text> {
    let nasty = prop::sample::select(vec!["]]>", "&amp;", "<b>", "a\r\nb", "x\ry", "\"'", "<!--", "é€😀", "-", "=1"]);
    prop_oneof![r"\PC{1,40}".prop_map(String::from), nasty.prop_map(String::from), "[a-zA-Z0-9.@ -]{1,40}"]
        .prop_map(|text| Text::new(text.trim()))
        .prop_filter("empty", |text| !text.is_empty())
}

fn domain() -> impl Strategy<Value = Text> {
    "[a-z0-9_][a-z0-9-]{0,20}(\\.[a-z0-9-]{1,20}){0,3}\\.[a-z]{2,9}".prop_map(Text::from)
}

fn maybe_domain() -> impl Strategy<Value = Text> {
    prop_oneof![9 => domain(), 1 => Just(Text::default())]
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

/// Whether a generation knows an element.
#[derive(Clone, Copy)]
enum Presence {
    Never,
    Maybe,
    Always,
}

use Presence::{Always, Maybe, Never};

fn present<T: Strategy>(presence: Presence, strategy: T) -> impl Strategy<Value = Option<T::Value>> {
    let there = match presence {
        Never => Just(false).boxed(),
        Maybe => any::<bool>().boxed(),
        Always => Just(true).boxed(),
    };
    (there, strategy).prop_map(|(there, value)| there.then_some(value))
}

fn policy(new: bool) -> impl Strategy<Value = PolicyPublished> {
    let p = || one_of(&[Policy::None, Policy::Quarantine, Policy::Reject]);
    let alignment = || prop::option::of(one_of(&[Alignment::Relaxed, Alignment::Strict]));
    // RFC 7489 Appendix C requires `sp`, `pct` and `fo`.
    let (added, required) = if new { (Maybe, Maybe) } else { (Never, Always) };
    (
        domain(),
        p(),
        present(required, p()),
        present(added, p()),
        (alignment(), alignment()),
        present(if new { Never } else { Always }, 0_u8..=100),
        present(required, text()),
        present(added, any::<bool>()),
        present(added, one_of(&[DiscoveryMethod::Psl, DiscoveryMethod::TreeWalk])),
    )
        .prop_map(|(domain, p, sp, np, (adkim, aspf), pct, fo, testing, discovery_method)| PolicyPublished {
            domain,
            p: Some(p),
            sp,
            np,
            adkim,
            aspf,
            pct,
            fo,
            testing,
            discovery_method,
        })
}

fn header(new: bool) -> impl Strategy<Value = Report> {
    let time = || 0_i64..4_102_444_800;
    let errors = prop::collection::vec(text(), 0..if new { 2 } else { 4 });
    (
        text(),
        text(),
        prop::option::of(text()),
        present(if new { Maybe } else { Never }, text()),
        text(),
        (time(), time()),
        errors,
        policy(new),
    )
        .prop_map(
            move |(organization, email, extra_contact, generator, report_id, (begin, end), errors, policy)| Report {
                dialect: if new { Dialect::Rfc9990 } else { Dialect::Rfc7489 },
                version: Some(Text::new("1.0")),
                reporter: Reporter { organization, email, extra_contact, generator },
                report_id,
                interval: Interval { begin, end },
                errors,
                policy,
            },
        )
}

/// A result, one of them known to SPF or to DKIM alone.
fn result(of_one: AuthResult) -> impl Strategy<Value = AuthResult> {
    use AuthResult::{Fail, Neutral, None, Pass, PermError, TempError};
    one_of(&[None, Neutral, Pass, Fail, TempError, PermError, of_one])
}

fn dkim(new: bool) -> impl Strategy<Value = DkimResult> {
    let selector = present(if new { Always } else { Maybe }, "[a-z0-9._-]{1,30}".prop_map(Text::from));
    (maybe_domain(), selector, result(AuthResult::Policy), prop::option::of(text()))
        .prop_map(|(domain, selector, result, human_result)| DkimResult { domain, selector, result, human_result })
}

fn spf(new: bool) -> impl Strategy<Value = SpfResult> {
    let scope = one_of(if new { &[SpfScope::Mfrom] } else { &[SpfScope::Mfrom, SpfScope::Helo] });
    (maybe_domain(), scope, result(AuthResult::SoftFail), present(if new { Maybe } else { Never }, text())).prop_map(
        |(domain, scope, result, human_result)| SpfResult { domain, scope: Some(scope), result, human_result },
    )
}

fn reason(new: bool) -> impl Strategy<Value = Override> {
    use OverrideKind::{Forwarded, LocalPolicy, MailingList, Other, PolicyTestMode, SampledOut, TrustedForwarder};
    let one_generation = if new { vec![PolicyTestMode] } else { vec![Forwarded, SampledOut] };
    let kinds = [vec![LocalPolicy, MailingList, Other, TrustedForwarder], one_generation].concat();
    (one_of(&kinds), prop::option::of(text())).prop_map(|(kind, comment)| Override { kind, comment })
}

fn row(new: bool) -> impl Strategy<Value = Row> {
    let dispositions = [Disposition::None, Disposition::Quarantine, Disposition::Reject, Disposition::Pass];
    let sender = prop_oneof![domain(), Just(Text::default())];
    (
        any::<IpAddr>().prop_map(|source| source.to_canonical()),
        prop_oneof![0_u64..10, 0..=1_000_000_000_000_u64],
        domain(),
        present(if new { Maybe } else { Always }, sender),
        prop::option::of(domain()),
        one_of(&dispositions[..if new { 4 } else { 3 }]),
        (any::<bool>(), any::<bool>()),
        prop::collection::vec(reason(new), 0..3),
        prop::collection::vec(dkim(new), 0..4),
        prop::collection::vec(spf(new), if new { 0..2 } else { 1..4 }),
    )
        .prop_map(
            |(source, count, author_domain, envelope_from, envelope_to, disposition, aligned, overrides, dkim, spf)| {
                let (dkim_aligned, spf_aligned) = aligned;
                Row {
                    source,
                    count,
                    author_domain,
                    envelope_from,
                    envelope_to,
                    disposition,
                    dkim_aligned,
                    spf_aligned,
                    overrides,
                    dkim,
                    spf,
                }
            },
        )
}

fn report() -> impl Strategy<Value = (Report, Vec<Row>)> {
    any::<bool>().prop_flat_map(|new| (header(new), prop::collection::vec(row(new), 0..8)))
}

fn written(report: &Report, rows: &[Row]) -> Vec<u8> {
    let mut xml = Vec::new();
    write(&mut xml, report, rows).unwrap();
    xml
}

proptest! {
    #[test]
    fn what_a_generation_can_say_is_read_as_it_was_written((report, rows) in report()) {
        let whole = read(written(&report, &rows).as_slice()).unwrap();
        prop_assert_eq!(&whole.report, &report);
        prop_assert_eq!(&whole.rows, &rows);
        let harmless = |kind| matches!(kind, FlawKind::ZeroCount | FlawKind::EarlyTime | FlawKind::ZeroSpan | FlawKind::EndBeforeBegin
            | FlawKind::LongSpan | FlawKind::MissingSelector | FlawKind::MissingDkimDomain | FlawKind::MissingSpfDomain
            | FlawKind::MissingAuthResults);
        let flaws: Vec<_> = whole.finished.flaws.iter().filter(|flaw| !harmless(flaw.kind)).collect();
        prop_assert!(flaws.is_empty(), "{:?}", flaws);
        prop_assert_eq!(whole.finished.totals.messages, rows.iter().map(|row| row.count).sum::<u64>());
    }

    #[test]
    fn one_changed_row_changes_the_content_and_not_the_key((report, mut rows) in report(), extra in row(true)) {
        let before = read(written(&report, &rows).as_slice()).unwrap().finished.identity;
        rows.push(extra);
        let after = read(written(&report, &rows).as_slice()).unwrap().finished.identity;
        prop_assert_eq!(before.key, after.key);
        prop_assert_ne!(before.content, after.content);
    }
}

/// The writer brings what was read to what its generation can say; from then on nothing changes.
fn check_settled(whole: &Whole, name: &str) {
    let once = written(&whole.report, &whole.rows);
    let again = read(once.as_slice()).unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
    assert_eq!(again.rows.len(), whole.rows.len(), "{name}");
    for (a, b) in again.rows.iter().zip(&whole.rows) {
        assert_eq!(
            (a.source, a.count, &a.author_domain, a.dkim_aligned, a.spf_aligned, &a.dkim),
            (b.source, b.count, &b.author_domain, b.dkim_aligned, b.spf_aligned, &b.dkim),
            "{name}"
        );
    }
    assert_eq!(again.finished.identity.key, whole.finished.identity.key, "{name}");
    let twice = written(&again.report, &again.rows);
    assert_eq!(String::from_utf8(twice).unwrap(), String::from_utf8(once).unwrap(), "{name}");
}

#[test]
fn every_real_report_settles() {
    let Some(suites) = suites() else { return };
    let mut ran = 0;
    for expected in manifest(&suites) {
        let Ok(whole) = read(file(&suites.join("reports").join(&expected.file)).as_slice()) else { continue };
        check_settled(&whole, &expected.file);
        ran += 1;
    }
    println!("{ran} real reports written and read again");
    assert!(ran > 1_700, "only {ran} ran");
}

#[test]
fn every_corner_case_settles() {
    for text in texts() {
        if let Ok(whole) = read(text.as_bytes()) {
            check_settled(&whole, &text);
        }
    }
}
