//! A small ledger with everything a page can show: weeks of mail, a campaign, hostile names, a flaw, a conflict, a refusal.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use report::{
    AuthResult, Day, Dialect, Disposition, DkimResult, Interval, Override, OverrideKind, Policy, PolicyPublished,
    Report, Reporter, Row, SpfResult, SpfScope, Text,
};
use store::Ledger;

/// The newest day.
pub(crate) const NEWEST: &str = "2025-12-20";
/// The day of the campaign.
pub(crate) const CAMPAIGN: &str = "2025-12-10";
/// Days of mail.
const DAYS: i32 = 40;

/// Names that a stranger might choose.
pub(crate) const HOSTILE: [&str; 4] = [
    "\"><script>alert(1)</script>",
    "=HYPERLINK(\"http://evil.example\")",
    "a\u{202e}b\u{200b}c",
    "javascript:alert(1)//",
];

/// Fills a ledger below `dir` and opens it for reading.
pub(crate) fn filled(dir: &Path) -> Ledger {
    let mail = dir.join("mail");
    fs::create_dir_all(&mail).unwrap();
    let newest: Day = NEWEST.parse().unwrap();
    for back in 0..DAYS {
        for (number, reporter) in ["bigmail.example", "postbox.example"].into_iter().enumerate() {
            // The second reporter is silent for some days.
            if number == 1 && (10..14).contains(&back) {
                continue;
            }
            let day = newest.plus(-back);
            save(&mail, &header(reporter, day, 0), &rows(day, number));
        }
    }
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let mut header = header(name, newest, number);
        header.report_id = name.into();
        header.reporter.email = name.into();
        header.reporter.extra_contact = Some(name.into());
        header.errors = vec![name.into()];
        let mut row = row("203.0.113.99", 7, name);
        row.dkim = vec![dkim(name, name, AuthResult::Pass)];
        row.spf = vec![spf(name, AuthResult::Fail)];
        row.envelope_from = Some(name.into());
        row.overrides = vec![Override { kind: OverrideKind::Unknown(name.into()), comment: Some(name.into()) }];
        save(&mail, &header, &[row]);
    }
    // The same name with another content.
    save(&mail.join("zz"), &header("bigmail.example", newest, 0), &[row("192.0.2.10", 1, "contoso.example")]);
    fs::write(mail.join("zz").join("no-report.txt"), "Dear customer, <b>nothing</b> is attached.").unwrap();
    fs::write(mail.join("failure.eml"), failure("visualstudio", "Build 4711")).unwrap();
    for (number, name) in HOSTILE.into_iter().enumerate().take(3) {
        fs::write(mail.join(format!("failure-{number}.eml")), failure(name, name)).unwrap();
    }
    let data = dir.join("ledger");
    let ledger = Ledger::open(&data).unwrap();
    let summary = collect::import(&ledger, &[mail], &collect::Options::default(), &()).unwrap();
    let refused = summary.rejections.iter().map(|r| r.rejection.message.as_str()).take(3).collect::<Vec<_>>();
    assert_eq!((summary.conflicts, summary.rejected), (1, 1), "{refused:?}");
    judge(&ledger);
    ledger
}

/// Judges the flows anew.
pub(crate) fn judge(ledger: &Ledger) {
    let (organisation, catalogue) = (insight::Organisation::default(), enrich::Catalogue::bundled());
    insight::refresh_flows(ledger, &organisation, &catalogue, NEWEST.parse().unwrap()).unwrap();
}

/// A failure report about a message of that author with that subject.
fn failure(local_part: &str, subject: &str) -> String {
    let quoted =
        if local_part.is_ascii() && !local_part.contains('"') { local_part.to_owned() } else { "odd".to_owned() };
    format!(
        "From: noreply@bigmail.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
         Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nUser-Agent: {subject}\nAuth-Failure: dmarc\n\
         Identity-Alignment: dkim, spf\nDelivery-Result: reject\nArrival-Date: Wed, 10 Dec 2025 10:00:00 +0000\n\
         Source-IP: 203.0.113.7\nReported-Domain: contoso.example\nAuthentication-Results: {subject}\n--b\n\
         Content-Type: text/rfc822-headers\n\nReceived: from a by b for <somebody@bigmail.example>; {subject}\n\
         From: \"{quoted}\"@contoso.example\nSubject: {subject}\n--b--\n"
    )
}

/// A ledger with nothing in it.
pub(crate) fn empty(dir: &Path) -> Ledger {
    Ledger::open(&dir.join("ledger")).unwrap()
}

fn save(dir: &Path, report: &Report, rows: &[Row]) {
    fs::create_dir_all(dir).unwrap();
    let mut xml = Vec::new();
    report::write(&mut xml, report, rows).unwrap();
    let name = fs::read_dir(dir).unwrap().count();
    fs::write(dir.join(format!("{name:04}.xml")), xml).unwrap();
}

pub(crate) fn header(reporter: &str, day: Day, number: usize) -> Report {
    let enforced = day > CAMPAIGN.parse().unwrap();
    Report {
        dialect: if number == 0 { Dialect::Rfc7489 } else { Dialect::Rfc9990 },
        version: None,
        reporter: Reporter {
            organization: reporter.into(),
            email: "dmarc@reporter.example".into(),
            extra_contact: None,
            generator: None,
        },
        report_id: Text::new(format!("{day}.{number}")),
        interval: Interval { begin: day.begin(), end: day.plus(1).begin() - 1 },
        errors: vec![],
        policy: PolicyPublished {
            domain: "contoso.example".into(),
            p: Some(if enforced { Policy::Quarantine } else { Policy::None }),
            pct: Some(100),
            ..PolicyPublished::default()
        },
    }
}

fn rows(day: Day, reporter: usize) -> Vec<Row> {
    let mut ours = row("192.0.2.10", 400, "contoso.example");
    (ours.dkim_aligned, ours.spf_aligned) = (true, true);
    ours.dkim = vec![dkim("contoso.example", "s1", AuthResult::Pass)];
    ours.spf = vec![spf("contoso.example", AuthResult::Pass)];
    let mut news = row("192.0.2.20", 60, "email.contoso.example");
    news.dkim_aligned = true;
    news.dkim = vec![dkim("email.contoso.example", "", AuthResult::Pass)];
    let mut forwarded = row("2001:db8:4f::25", 3, "contoso.example");
    forwarded.overrides = vec![Override { kind: OverrideKind::Forwarded, comment: None }];
    let mut spoofed = row("203.0.113.7", 40, "contoso.example");
    spoofed.disposition = Disposition::Quarantine;
    let mut rows = vec![ours, news, forwarded, spoofed];
    if day == CAMPAIGN.parse().unwrap() {
        for host in 1..=6 {
            let mut campaign = row(&format!("198.51.100.{host}"), 700 + host, "contoso.example");
            campaign.dkim = vec![dkim("northwind-esp.example", "k1", AuthResult::Pass)];
            campaign.spf = vec![spf("bounce.northwind-esp.example", AuthResult::Pass)];
            campaign.envelope_from = Some("bounce.northwind-esp.example".into());
            rows.push(campaign);
        }
    }
    for row in &mut rows {
        row.count += u64::try_from(reporter).unwrap();
    }
    rows
}

pub(crate) fn row(source: &str, count: u64, author_domain: &str) -> Row {
    Row { source: source.parse::<IpAddr>().unwrap(), count, author_domain: author_domain.into(), ..Row::default() }
}

fn dkim(domain: &str, selector: &str, result: AuthResult) -> DkimResult {
    DkimResult {
        domain: domain.into(),
        selector: (!selector.is_empty()).then(|| selector.into()),
        result,
        human_result: None,
    }
}

fn spf(domain: &str, result: AuthResult) -> SpfResult {
    SpfResult { domain: domain.into(), scope: Some(SpfScope::Mfrom), result, human_result: None }
}
