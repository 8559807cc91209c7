//! Every rule about flows, by rows that somebody could have sent: each case says why it is there.

mod streams;

use insight::{Diagnosis, FlowClass, Organisation};
use streams::{DAYS, FIRST, Stream, judge, named};

/// Why the case exists; streams beside the company's; the name of the flow looked at; class and beginning of the rule.
type Case<'a> = (&'a str, Vec<Stream<'a>>, &'a str, FlowClass, &'a str);

fn check(cases: Vec<Case<'_>>) {
    for (why, streams, name, class, rule) in cases {
        let flows = judge(&streams, &Organisation::default());
        let flow = &named(&flows, name).line;
        assert_eq!((flow.class, flow.rule.starts_with(rule)), (class, true), "{why}: {} by {}", flow.name, flow.rule);
    }
}

#[test]
fn what_is_ours() {
    use FlowClass::{Own, OwnMisconfigured};
    check(vec![
        ("the relays, a bad day now and then", vec![], "key s1", Own, "C1"),
        (
            "a printer beside the relays, neither in SPF nor signing",
            vec![Stream::new("192.0.2.77", 1, 20, "", "softfail mfrom example.com")],
            "unsigned from 192.0.2.0/24",
            OwnMisconfigured,
            "C2",
        ),
        (
            "applications of a listed relay: unsigned, and the record needs too many look-ups",
            vec![
                Stream::new("192.0.2.10", 2, 50, "", "permerror mfrom example.com"),
                Stream::new("192.0.2.10", 2, 3, "", "pass mfrom example.com"),
            ],
            "listed in SPF",
            OwnMisconfigured,
            "C2",
        ),
        (
            "bounces of the relays",
            vec![Stream::new("192.0.2.10", 4, 30, "", "none helo out.example.com").envelope("")],
            "bounces from 192.0.2.0/24",
            OwnMisconfigured,
            "C2",
        ),
        (
            "a plant gateway that signs, and something alters its mail",
            vec![Stream::new("192.0.2.90", 1, 20, "fail d=example.com s=plant", "softfail mfrom example.com")],
            "unsigned from 192.0.2.0/24",
            OwnMisconfigured,
            "C2",
        ),
    ]);
}

#[test]
fn beside_servers_of_ours_that_nobody_declared() {
    let organisation =
        Organisation { networks: vec![("192.0.2.0".parse().expect("an address"), 24)], ..Organisation::default() };
    let listed = Stream::new("203.0.113.10", 3, 60, "pass d=example.com s=b1", "pass mfrom example.com");
    let beside = Stream::new("203.0.113.13", 1, 8, "", "softfail mfrom example.com").flat();
    let name = "unsigned from 203.0.113.0/24";
    let flows = judge(&[listed.clone(), beside.clone()], &organisation);
    let flow = &named(&flows, name).line;
    assert_eq!(
        (flow.class, flow.rule.as_str()),
        (FlowClass::OwnMisconfigured, "C2-beside"),
        "the next machine in the row"
    );
    let neighbour = Stream::new("203.0.113.80", 2, 20, "pass d=other.example s=a", "pass mfrom other.example");
    let flows = judge(&[listed, beside, neighbour], &organisation);
    let flow = &named(&flows, name).line;
    assert_eq!((flow.class, flow.rule.as_str()), (FlowClass::Unknown, "U1"), "others send from there too");
}

#[test]
fn an_unsigned_moment_without_dns_is_no_stream_of_its_own() {
    // A hundredth of what the relays of the second site send meets receivers that could look nothing up.
    let site = |per_day, dkim, spf| Stream::new("203.0.113.10", 2, per_day, dkim, spf);
    let flows = judge(
        &[site(400, "pass d=example.com s=b1", "pass mfrom example.com"), site(4, "", "temperror mfrom example.com")],
        &Organisation::default(),
    );
    assert!(!flows.iter().any(|flow| flow.line.name.contains("listed in SPF")), "it stays with the key");
    assert_eq!(named(&flows, "key b1").line.class, FlowClass::Own);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn who_sends_for_us() {
    use FlowClass::{Own, ThirdParty, ThirdPartyUnaligned, Unknown};
    let odd = |days, per_day| {
        Stream::new("203.0.113.5", 1, per_day, "pass d=events.example s=m", "pass mfrom bounce.events.example")
            .days(0, days)
    };
    check(vec![
        ("a key of ours, an envelope below ours, and its own signature", vec![], "key desk1", ThirdParty, "C3"),
        (
            "a key of ours and an envelope of its own",
            vec![Stream::new("203.0.113.5", 2, 40, "pass d=example.com s=pay1", "pass mfrom bounce.pay.example")],
            "key pay1",
            ThirdParty,
            "C3-key",
        ),
        (
            "a sending service that has a key of ours and an envelope of its own, for a part of its mail: it does not forward",
            vec![
                Stream::new(
                    "203.0.113.5",
                    2,
                    40,
                    "pass d=example.com s=ses1; pass d=amazonses.com",
                    "pass mfrom amazonses.com",
                ),
                Stream::new("203.0.113.5", 2, 40, "pass d=example.com s=ses1", "pass mfrom ses.bnc.example.com"),
            ],
            "key ses1",
            ThirdParty,
            "C3",
        ),
        (
            "an envelope below ours, and its own signature",
            vec![Stream::new("203.0.113.5", 2, 40, "pass d=roam.example s=a", "pass mfrom roam.bnc.example.com")],
            "bounces to roam.bnc",
            ThirdParty,
            "C3-envelope",
        ),
        (
            "the same service from an address that nobody set up",
            vec![Stream::new("203.0.113.99", 1, 17, "", "pass mfrom bounce.desk.example")],
            "sent as desk.example",
            ThirdPartyUnaligned,
            "C6-vendor",
        ),
        (
            "signs and sends as itself, keeps our hours, week after week",
            vec![odd(DAYS, 14)],
            "sent as events.example",
            ThirdPartyUnaligned,
            "C6-steady",
        ),
        ("the same for two days: ask", vec![odd(2, 14)], "sent as events.example", Unknown, "U2"),
        (
            "our record names it, and it signs as itself: a service in our SPF record, not a server of ours",
            vec![Stream::new("203.0.113.5", 2, 40, "pass d=care.example s=mta", "pass mfrom example.com")],
            "unsigned from 203.0.113.0/24, listed",
            ThirdParty,
            "C3-listed",
        ),
        (
            "our mailbox provider signs with a name that it made for us: mail of our people",
            vec![Stream::new("203.0.113.5", 2, 40, "pass d=example.onprovider.test s=a", "pass mfrom example.com")],
            "unsigned from 203.0.113.0/24, listed",
            Own,
            "C1",
        ),
        (
            "an envelope name below ours that has an SPF record: somebody of ours set that up",
            vec![Stream::new("203.0.113.5", 6, 20_000, "", "softfail mfrom offers.example.com").flat().days(40, 41)],
            "unsigned from 203.0.113.0/24",
            ThirdPartyUnaligned,
            "C6-insider",
        ),
        (
            "one large mailing from addresses beside a service of ours, unsigned: no attack",
            vec![Stream::new("198.51.100.16", 6, 20_000, "", "softfail mfrom offers.example.com").flat().days(40, 41)],
            "unsigned from 198.51.100.0/24",
            ThirdPartyUnaligned,
            "C6-beside",
        ),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn who_passes_mail_on() {
    use FlowClass::{ForwarderBroken, ForwarderIntact, Spoofer, Unknown};
    let forwarder = "pass d=example.com s=s1";
    check(vec![
        (
            "our signature verifies behind an envelope that the forwarder rewrote",
            vec![Stream::new("203.0.113.5", 3, 30, forwarder, "pass mfrom srs.campus.example").flat()],
            "forwarded by campus.example",
            ForwarderIntact,
            "C4",
        ),
        (
            "and behind one that it left alone",
            vec![Stream::new("203.0.113.5", 3, 30, forwarder, "softfail mfrom example.com").flat()],
            "forwarded by 203.0.113.0/24",
            ForwarderIntact,
            "C4",
        ),
        (
            "a list that alters the body and stands behind it",
            vec![Stream::new("203.0.113.5", 1, 9, "fail d=example.com s=s1", "pass mfrom lists.forum.example")],
            "forwarded by forum.example, altered",
            ForwarderBroken,
            "C5-altered",
        ),
        (
            "a list that takes our signature off, and receivers know it",
            vec![
                Stream::new("203.0.113.5", 1, 9, "pass d=forum.example", "pass mfrom lists.forum.example")
                    .overrides("mailing_list"),
            ],
            "forwarded by forum.example, altered",
            ForwarderBroken,
            "C5-override",
        ),
        (
            "a signature of ours that never fits, and nobody stands behind it: a gateway of recipients, or copied",
            vec![Stream::new("203.0.113.40", 12, 40, "fail d=example.com s=s1", "softfail mfrom example.com")],
            "forwarded by 203.0.113.0/24",
            Unknown,
            "U3",
        ),
        (
            "on weekends as on weekdays: nobody hands on then what was written on weekdays",
            vec![Stream::new("203.0.113.40", 12, 40, "fail d=example.com s=s1", "softfail mfrom example.com").flat()],
            "forwarded by 203.0.113.0/24",
            Spoofer,
            "C7-copied",
        ),
        (
            "nor do a few that were sent again whole make a forwarder",
            vec![
                Stream::new("203.0.113.40", 12, 40, "fail d=example.com s=s1", "softfail mfrom example.com").flat(),
                Stream::new("203.0.113.40", 12, 1, forwarder, "none mfrom racks.test").flat(),
            ],
            "forwarded by 203.0.113.0/24, altered",
            Spoofer,
            "C7-copied",
        ),
        (
            "what came without a signature from where other mail of ours is passed on intact",
            vec![
                Stream::new("203.0.113.40", 2, 40, forwarder, "softfail mfrom example.com"),
                Stream::new("203.0.113.41", 1, 4, "", "softfail mfrom example.com"),
            ],
            "unsigned from 203.0.113.0/24",
            ForwarderBroken,
            "C5-stripped",
        ),
        (
            "a list that takes our signature off: its envelope is named as those of lists are",
            vec![Stream::new("203.0.113.5", 1, 20, "pass d=forum.example", "pass mfrom lists.forum.example")],
            "sent as forum.example",
            ForwarderBroken,
            "C5-service",
        ),
        (
            "unless the same network passes other mail of ours on intact",
            vec![
                Stream::new("203.0.113.40", 12, 40, "fail d=example.com s=s1", "softfail mfrom example.com"),
                Stream::new("203.0.113.40", 12, 40, forwarder, "softfail mfrom example.com"),
            ],
            "forwarded by 203.0.113.0/24, altered",
            ForwarderBroken,
            "C5-carries",
        ),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn who_has_no_right() {
    use FlowClass::{Spoofer, ThirdPartyUnaligned, Unknown};
    let lie = "softfail mfrom example.com";
    check(vec![
        (
            "a botnet: many networks, a few messages each, every day of the week",
            vec![Stream::new("203.0.113.1", 1, 200, "", lie).flat().strewn("100.64.0.9", 200, 100)],
            "unsigned from 100.64.7.0/24",
            Spoofer,
            "C7-crowd",
        ),
        (
            "consultants at home do the same, on working days: no threat",
            vec![Stream::new("203.0.113.1", 1, 200, "", lie).strewn("100.64.0.9", 200, 100)],
            "unsigned from 100.64.7.0/24",
            Unknown,
            "U1",
        ),
        (
            "one loud host, on weekends too",
            vec![Stream::new("203.0.113.5", 2, 700, "", lie).flat()],
            "unsigned from 203.0.113.0/24",
            Spoofer,
            "C7-loud",
        ),
        (
            "a forgotten server that keeps office hours may be as loud",
            vec![Stream::new("203.0.113.5", 2, 700, "", lie)],
            "unsigned from 203.0.113.0/24",
            Unknown,
            "U1",
        ),
        (
            "what little is known of one day says nothing",
            vec![Stream::new("203.0.113.5", 2, 700, "", lie).flat().days(3, 4)],
            "unsigned from 203.0.113.0/24",
            Unknown,
            "U1",
        ),
        (
            "a quiet host, every day: it may be anybody's cron job",
            vec![Stream::new("203.0.113.5", 1, 7, "", lie).flat()],
            "unsigned from 203.0.113.0/24",
            Unknown,
            "U1",
        ),
        (
            "snowshoe: a whole network, thinly, and properly authenticated as itself",
            vec![Stream::new("203.0.113.1", 240, 480, "pass d=deals.test s=m", "pass mfrom deals.test").flat()],
            "sent as deals.test",
            Spoofer,
            "C7-snowshoe",
        ),
        (
            "a rented server that authenticates as itself: ask",
            vec![Stream::new("203.0.113.77", 1, 12, "", "pass mfrom vps-77.racks.test").flat()],
            "sent as racks.test",
            Unknown,
            "U2",
        ),
        (
            "hundreds a day, never signed, on weekends too: no form on a website",
            vec![Stream::new("203.0.113.77", 1, 230, "", "pass mfrom vps-77.racks.test").flat()],
            "sent as racks.test",
            Spoofer,
            "C7-loud",
        ),
        (
            "the same in office hours: somebody works with it",
            vec![Stream::new("203.0.113.77", 1, 230, "", "pass mfrom vps-77.racks.test")],
            "sent as racks.test",
            ThirdPartyUnaligned,
            "C6-steady",
        ),
        (
            "one host that claims to be us, and others, and none of them knows it",
            vec![
                Stream::new("203.0.113.5", 2, 30, "", lie).flat(),
                Stream::new("203.0.113.5", 2, 30, "", "none mfrom returns.racks.test").flat(),
            ],
            "unsigned from 203.0.113.0/24",
            Spoofer,
            "C7-borrowed",
        ),
    ]);
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("more than ten look-ups", "", "permerror mfrom example.com", "example.com", Diagnosis::SpfPermerror),
        ("bounces without SPF for the greeting", "", "none helo out.example.com", "", Diagnosis::HeloWithoutSpf),
        ("neither listed nor signing", "", "softfail mfrom example.com", "example.com", Diagnosis::UnlistedUnsigned),
        (
            "signs as another",
            "pass d=it.test s=a",
            "softfail mfrom example.com",
            "example.com",
            Diagnosis::SignsAsAnother,
        ),
        (
            "a broken key",
            "fail d=example.com s=new",
            "softfail mfrom example.com",
            "example.com",
            Diagnosis::BrokenSignature,
        ),
        ("an envelope of another", "", "pass mfrom hosting.test", "hosting.test", Diagnosis::UnalignedBounceDomain),
        ("DNS does not answer", "", "temperror mfrom example.com", "example.com", Diagnosis::DnsTrouble),
    ];
    for (why, dkim, spf, envelope, expected) in cases {
        let organisation = Organisation { networks: vec![("10.0.0.0".parse().unwrap(), 8)], ..Organisation::default() };
        let flows = judge(&[Stream::new("10.9.8.7", 1, 30, dkim, spf).envelope(envelope)], &organisation);
        let flow = flows.iter().find(|flow| flow.line.sources == 1).unwrap();
        assert_eq!(flow.line.class, FlowClass::OwnMisconfigured, "{why}: declared as ours; {}", flow.line.rule);
        assert_eq!(flow.line.diagnosis, Some(expected), "{why}");
        assert!(flow.line.confidence > 95, "{why}");
    }
}

/// Mail that authenticates, and does not pass all the same.
#[test]
fn what_is_wrong_is_not_that_nothing_is_set_up() {
    let cases = [
        (
            "signs as a name below, and alignment is strict",
            "pass d=mail.example.com s=a",
            "softfail mfrom example.com",
            Some(Diagnosis::SignsAsAnother),
        ),
        (
            "an envelope below, and alignment is strict",
            "",
            "pass mfrom bounce.example.com",
            Some(Diagnosis::UnalignedBounceDomain),
        ),
        (
            "the report contradicts itself",
            "pass d=example.com s=a",
            "pass mfrom example.com",
            Some(Diagnosis::ReportsContradict),
        ),
    ];
    for (why, dkim, spf, expected) in cases {
        let organisation = Organisation { networks: vec![("10.0.0.0".parse().unwrap(), 8)], ..Organisation::default() };
        let flows = judge(&[Stream::new("10.9.8.7", 1, 30, dkim, spf).unaligned()], &organisation);
        let flow = flows.iter().find(|flow| flow.line.sources == 1).unwrap();
        assert_eq!(flow.line.class, FlowClass::OwnMisconfigured, "{why}: declared as ours; {}", flow.line.rule);
        assert_eq!(flow.line.diagnosis, expected, "{why}");
    }
}

#[test]
fn a_flow_has_phases_and_an_id_that_lasts() {
    let set_up = [
        Stream::new("192.0.2.77", 1, 20, "", "softfail mfrom example.com").days(0, 30),
        Stream::new("192.0.2.77", 1, 20, "", "pass mfrom example.com").days(30, DAYS),
    ];
    let flows = judge(&set_up, &Organisation::default());
    let printer = &named(&flows, "unsigned from 192.0.2.0/24").line;
    let phases: Vec<_> = printer.phases.iter().map(|phase| (phase.first_day.0 - FIRST, phase.class)).collect();
    assert_eq!(phases, [(0, FlowClass::OwnMisconfigured), (30, FlowClass::Own)]);
    assert_eq!(printer.class, FlowClass::Own, "what it is now");
    let longer = judge(
        &[&set_up[..], &[Stream::new("192.0.2.77", 1, 5, "", "none mfrom example.com")]].concat(),
        &Organisation::default(),
    );
    assert_eq!(named(&longer, "unsigned from 192.0.2.0/24").line.id, printer.id, "more mail, the same flow");
    // Mail whose selector a reporter leaves out is no flow of its own.
    assert!(!flows.iter().any(|flow| flow.line.name == "signed by example.com"));
    let mut ids: Vec<&str> = flows.iter().map(|flow| flow.line.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), flows.len());
}

#[test]
fn addresses_that_stand_for_nobody_are_not_ours() {
    // Reports that were made unrecognisable name one address for all.
    let blank = [
        Stream::new("127.0.0.1", 1, 900, "pass d=other.example s=s1", "pass mfrom other.example"),
        Stream::new("127.0.0.1", 1, 20, "", "softfail mfrom other.example"),
    ];
    let blank = blank.map(|stream| stream.domain("other.example"));
    let flows = judge(&blank, &Organisation::default());
    let flow = flows.iter().find(|flow| flow.line.name == "unsigned from 127.0.0.0/24").expect("a flow");
    assert_eq!(flow.line.class, FlowClass::Unknown, "{}", flow.line.rule);
}

/// Forwarders hand on what we signed, and of what we did not sign as much as each other: what is far more than that came from spoofers who
/// write to the same mailboxes.
#[test]
fn unsigned_mail_from_forwarders_is_as_much_as_others_hand_on() {
    const FORWARDED: (&str, &str) = ("pass d=example.com s=s1", "softfail mfrom example.com");
    let sources = ["203.0.113.9", "198.51.100.9", "198.51.99.9", "198.51.98.9", "198.51.97.9"];
    let judged = |signed: u64, unsigned: &[u64]| {
        let forwarder = |(at, (source, unsigned)): (usize, (&&'static str, &u64))| {
            let signed = if at == 0 { signed } else { 40 };
            [
                Stream::new(source, 1, signed, FORWARDED.0, FORWARDED.1),
                Stream::new(source, 1, *unsigned, "", FORWARDED.1),
            ]
        };
        let streams: Vec<_> = sources.iter().zip(unsigned).enumerate().flat_map(forwarder).collect();
        let flows = judge(&streams, &Organisation::default());
        let line = &named(&flows, "unsigned from 203.0.113.0/24").line;
        assert_eq!((line.class, line.rule.as_str()), (FlowClass::ForwarderBroken, "C5-stripped"));
        line.confidence
    };
    assert_eq!(judged(40, &[4, 4, 4, 4, 4]), 65, "all the same");
    assert_eq!(judged(40, &[7, 4, 4, 4, 4]), 65, "not twice as much is chance");
    assert_eq!(judged(40, &[40, 4, 4, 4, 4]), 10, "ten times as much: a tenth of it can be ours");
    assert_eq!(judged(40, &[40, 40, 4, 4, 4]), 10, "even if others have spoofers too");
    assert_eq!(judged(40, &[40, 4, 4]), 65, "two others say nothing of what is usual");
    assert_eq!(
        judged(2, &[20, 4, 4, 4, 4]),
        65,
        "who hands on next to nothing with our signature says nothing of the rest"
    );
}

#[test]
fn names_from_which_nothing_passes() {
    let parked = Stream::new("203.0.113.1", 1, 60, "", "fail mfrom parked.example").domain("parked.example").flat();
    let crowd = parked.clone().strewn("100.64.0.9", 120, 55);
    let flows = judge(&[crowd], &Organisation::default());
    let flow = &named(&flows, "unsigned from 100.64.7.0/24").line;
    assert_eq!(flow.class, FlowClass::Spoofer, "a domain that never sends, from everywhere: {}", flow.rule);
    let flows = judge(&[parked.days(0, 2)], &Organisation::default());
    let flow = flows.iter().find(|flow| flow.line.organizational_domain == "parked.example").unwrap();
    assert_eq!(flow.line.class, FlowClass::Unknown, "one host for two days: {}", flow.line.rule);
}
