//! The rules that weigh what is known of addresses, and what receivers did: each case beside the one that must not be taken for it.

mod streams;

use std::net::IpAddr;

use enrich::{Moment, NameGrade, Named, Names, Profile};
use insight::{FlowClass, JudgedFlow, Organisation};
use streams::{Stream, company, judge_with, named};

const LIE: &str = "softfail mfrom example.com";

/// What is known of an address: names that lead back to it or only claim to, and what they say.
fn known(address: IpAddr, confirmed: &[&str], claimed: &[&str], grade: NameGrade) -> Profile {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Profile {
        address,
        names: Names { confirmed: list(confirmed), claimed: list(claimed), not_asked: 0 },
        named: Some(Named { grade, why: String::new() }),
        network: None,
        services: Vec::new(),
        grade: None,
        evidence: Vec::new(),
        gaps: Vec::new(),
        learned: Moment::of(0).day(),
    }
}

/// The same of so many addresses in a row.
fn row(first: &str, many: u32, one: impl Fn(IpAddr) -> Profile) -> Vec<Profile> {
    let first: std::net::Ipv4Addr = first.parse().expect("an address");
    (0..many).map(|n| one(std::net::Ipv4Addr::from_bits(first.to_bits() + n).into())).collect()
}

fn declared() -> Organisation {
    Organisation { networks: vec![("192.0.2.0".parse().expect("an address"), 24)], ..Organisation::default() }
}

/// A company whose machines send more than its people, on weekends as on weekdays.
fn machines() -> Vec<Stream<'static>> {
    let orders = Stream::new("192.0.2.30", 4, 6_000, "pass d=example.com s=s1", "pass mfrom example.com").flat();
    let status = Stream::new("192.0.2.40", 2, 1_500, "", "pass mfrom example.com").flat();
    company().into_iter().chain([orders, status]).collect()
}

fn is(flows: &[JudgedFlow], name: &str, class: FlowClass, rule: &str, why: &str) {
    let flow = &named(flows, name).line;
    assert_eq!((flow.class, flow.rule.as_str()), (class, rule), "{why}: {:?}", named(flows, name).evidence);
}

/// One or two a day, so that no rhythm is seen: from one address, or from two at once.
fn few(two: bool) -> [Stream<'static>; 2] {
    let second = if two { "203.0.113.61" } else { "203.0.113.60" };
    [Stream::new("203.0.113.60", 1, 1, "", LIE).flat(), Stream::new(second, 1, 1, "", LIE).weekend(0).days(0, 45)]
}

#[test]
fn a_household_has_one_address_at_a_time() {
    let profiles = row("203.0.113.60", 2, |address| known(address, &[], &[], NameGrade::Unconfirmed));
    let side = judge_with(&company(), &few(true), &declared(), &profiles);
    is(&side, "unsigned from 203.0.113.0/24", FlowClass::Spoofer, "C7-standing", "two machines at once, without names");
    let line = judge_with(&company(), &few(false), &declared(), &profiles);
    is(&line, "unsigned from 203.0.113.0/24", FlowClass::Unknown, "U1", "one line: somebody at home, perhaps");
}

#[test]
fn nobody_bears_a_providers_name_by_mistake() {
    let judged = |name: &str, organisation: &Organisation| {
        let profiles = row("203.0.113.60", 1, |address| known(address, &[], &[name], NameGrade::Unconfirmed));
        judge_with(&company(), &few(false), organisation, &profiles)
    };
    let (place, google) = ("unsigned from 203.0.113.0/24", "mail-ej1-f41.google.com");
    let (spoofer, unknown) = (FlowClass::Spoofer, FlowClass::Unknown);
    is(&judged(google, &declared()), place, spoofer, "C7-standing", "it says that it is a provider's, and is not");
    is(&judged("old.example.net", &declared()), place, unknown, "U1", "a name that was right once claims to be nobody");
    is(&judged("mail7.example.com", &declared()), place, spoofer, "C7-standing", "it says that it is ours");
    let why = "where no networks were declared it may be ours, and its name was forgotten";
    is(&judged("mail7.example.com", &Organisation::default()), place, unknown, "U1", why);
}

#[test]
fn bounces_of_nobody() {
    let mail = |name: &str, grade| {
        let bounces = Stream::new("203.0.113.60", 1, 7, "", "none helo localhost.localdomain.test").envelope("");
        let profiles = row("203.0.113.60", 1, |address| known(address, &[name], &[], grade));
        judge_with(&company(), &[bounces.weekend(57)], &declared(), &profiles)
    };
    let place = "unsigned from 203.0.113.0/24";
    let rented = mail("vps1.racks.test", NameGrade::Named);
    is(&rented, place, FlowClass::Spoofer, "C7-loud", "seven bounces a day for weeks, and no mail server");
    let server = mail("mail.partner.example", NameGrade::MailHost);
    is(&server, place, FlowClass::Unknown, "U1", "a mail server that answers for its people");
}

#[test]
fn mail_that_is_held_back_for_weeks_and_not_missed() {
    let place = "unsigned from 203.0.113.0/24";
    let loud = || Stream::new("203.0.113.60", 1, 30, "", LIE).flat();
    let profiles = row("203.0.113.60", 1, |address| known(address, &["vps1.racks.test"], &[], NameGrade::Named));
    let judged = |mail| judge_with(&machines(), &[mail], &declared(), &profiles);
    is(&judged(loud().held_back()), place, FlowClass::Spoofer, "C7-loud", "rejected for two months, and it goes on");
    is(
        &judged(loud()),
        place,
        FlowClass::Unknown,
        "U1",
        "delivered: a machine of somebody's, where ours keep no hours",
    );
    is(&judged(loud().held_back().days(0, 10)), place, FlowClass::Unknown, "U1", "gone before anybody could miss it");
}

#[test]
fn strangers_where_our_own_mail_keeps_no_hours() {
    const NAMES: [(&str, &str); 6] = [
        ("pass d=one.example s=a", "pass mfrom one.example"),
        ("pass d=two.example s=a", "pass mfrom two.example"),
        ("pass d=three.example s=a", "pass mfrom three.example"),
        ("pass d=four.example s=a", "pass mfrom four.example"),
        ("pass d=five.example s=a", "pass mfrom five.example"),
        ("pass d=six.example s=a", "pass mfrom six.example"),
    ];
    let mailboxes: Vec<Stream<'_>> = NAMES
        .iter()
        .zip(["203.0.113.9", "198.51.100.201", "100.64.1.9", "100.64.2.9", "100.64.3.9", "100.64.4.9"])
        .map(|((dkim, spf), source)| Stream::new(source, 1, 4, dkim, spf).flat())
        .collect();
    let judged = judge_with(&machines(), &mailboxes, &declared(), &[]);
    let why = "they would pass on our mail with its signature: this never had one, so it is no mail of ours";
    is(&judged, "sent as two.example", FlowClass::Spoofer, "C7-strangers", why);
    let unsigned = Stream::new("192.0.2.30", 4, 9_000, "", "pass mfrom example.com").flat();
    let bare: Vec<Stream<'_>> = company().into_iter().chain([unsigned]).collect();
    let judged = judge_with(&bare, &mailboxes, &declared(), &[]);
    assert_ne!(named(&judged, "sent as two.example").line.class, FlowClass::Spoofer, "most of ours is not signed");
}

#[test]
fn a_mailing_on_the_working_days_of_one_week() {
    let survey = |weekend| {
        let mail = Stream::new("203.0.113.60", 2, 60, "pass d=survey.test s=m", "pass mfrom bounce.survey.test");
        mail.weekend(weekend).days(12, 22)
    };
    let host = |grade| row("203.0.113.60", 2, move |address| known(address, &["mta.survey.test"], &[], grade));
    let judged = |weekend, grade| judge_with(&company(), &[survey(weekend)], &declared(), &host(grade));
    let place = "sent as survey.test";
    let found = judged(0, NameGrade::MailHost);
    is(&found, place, FlowClass::ThirdPartyUnaligned, "C6-mailing", "mail servers that answer for it, on working days");
    is(&judged(100, NameGrade::MailHost), place, FlowClass::Unknown, "U2-vendor-unapproved", "on the weekend as well");
    is(&judged(0, NameGrade::Named), place, FlowClass::Unknown, "U2-vendor-unapproved", "no mail servers");
}

#[test]
fn guests_among_mailboxes() {
    // Names live as long as the process.
    let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let one = |n: u32, weekend| {
        let (dkim, spf) = (text(format!("pass d=org{n}.example s=a")), text(format!("pass mfrom org{n}.example")));
        Stream::new(text(format!("100.64.{n}.9")), 1, 1, dkim, spf).weekend(weekend).days(0, 25)
    };
    let all: Vec<Stream<'_>> = (0..24).map(|n| one(n, if n == 0 { 0 } else { 100 })).collect();
    let judged = judge_with(&company(), &all, &declared(), &[]);
    is(&judged, "sent as org7.example", FlowClass::Spoofer, "C7-strangers", "one of many that send at all hours");
    let why = "all of its few messages on working days: no mailbox that somebody broke into";
    is(&judged, "sent as org0.example", FlowClass::Unknown, "U2-vendor-unapproved", why);
}

#[test]
fn guests_beside_mailboxes_that_send_much_more() {
    let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let one = |name: &str, n: i32, per_day, weekend| {
        let (dkim, spf) =
            (text(format!("pass d={name}{n}.example s=a")), text(format!("pass mfrom {name}{n}.example")));
        Stream::new(text(format!("100.{}.{n}.9", 64 + name.len())), 1, per_day, dkim, spf).weekend(weekend)
    };
    // Of none of them alone can one tell whether it keeps hours, of all of them one can.
    let guests = (0..10).map(|n| one("guest", n, 2, 50).days(5 * n, 5 * n + 21));
    let mailboxes = (0..6).map(|n| one("mailbox", n, 15, 100));
    let all: Vec<Stream<'_>> = guests.chain(mailboxes).collect();
    let judged = judge_with(&company(), &all, &declared(), &[]);
    is(&judged, "sent as mailbox3.example", FlowClass::Spoofer, "C7-strangers", "as much on weekends");
    is(
        &judged,
        "sent as guest4.example",
        FlowClass::ForwarderBroken,
        "C5-guests",
        "not drowned by those that send much more",
    );
    let loud: Vec<Stream<'_>> = (0..6).map(|n| one("mailbox", n, 45, 100)).collect();
    let judged = judge_with(&company(), &loud, &declared(), &[]);
    let why = "forty-five a day are no mailbox";
    assert_ne!(named(&judged, "sent as mailbox3.example").line.rule, "C7-strangers", "{why}");
}

#[test]
fn bots_have_no_names_of_their_own() {
    let crowd = [Stream::new("203.0.113.1", 1, 200, "", LIE).flat().strewn("100.64.0.9", 200, 100)];
    let server = |address| known(address, &["filter7.partner.example"], &[], NameGrade::Named);
    let judged = judge_with(&company(), &crowd, &Organisation::default(), &row("100.64.7.9", 1, server));
    let (bot, named) = ("unsigned from 100.64.8.0/24", "unsigned from 100.64.7.0/24");
    is(&judged, bot, FlowClass::Spoofer, "C7-crowd", "one of very many lines");
    is(&judged, named, FlowClass::Unknown, "U1", "a server of somebody's, which happens to send as little");
}
