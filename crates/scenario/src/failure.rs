//! Failure reports: two reporters also tell of single messages, one as the standard has it, and not always, one in plain text.
//!
//! In: a reporter's rows of one day. Out: mails below `failures/`, in a folder for each day on which they arrive. They add nothing to
//! any count: what they speak of is in the aggregate reports already. RFC 9991, RFC 5965.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use report::{AuthResult, Disposition, Row};

use crate::flow::Flow;
use crate::post::Issue;
use crate::random::{Random, hash};
use crate::reporter::Reporter;
use crate::traffic::{Item, Today, World};

/// Places of the reporters who send them: as the standard has it, and as Exim writes it.
const STANDARD: usize = 1;
const EXIM: usize = 3;

/// Of one reporter on one day: the standard tells receivers to limit them.
const A_DAY_MAX: usize = 6;

/// How many rows of a stray machine have a message that is told of, and of anybody else.
const CHANCES: (f64, f64) = (0.3, 0.006);

/// Who spoofers say they are.
const SPOOFED: [&str; 6] = ["accounts", "ceo", "hr", "invoice", "noreply", "support"];

const SUBJECTS: [&str; 6] = [
    "Your document is ready",
    "Report for {day}",
    "=?utf-8?q?Nachtlauf_abgeschlossen_=E2=80=93_0_Fehler?=",
    "Alert: threshold exceeded",
    "Scan from device {n}",
    "Invoice {n}",
];

/// One message that failed.
struct Message<'a> {
    row: &'a Row,
    author: String,
    subject: String,
    at: i64,
    number: u64,
}

/// Sends what a reporter has to tell of its rows of a day, below `reports`' neighbour `failures`.
pub(crate) fn send(
    reports: &Path,
    world: &World,
    (place, reporter): (usize, &Reporter),
    today: Today,
    issues: &[Issue],
) -> io::Result<()> {
    if place != STANDARD && place != EXIM {
        return Ok(());
    }
    let mut random = Random::at(world.seed, &[hash("failures"), today.story.unsigned_abs().into(), place as u64]);
    let failing = |item: &&Item| !item.row.dkim_aligned && !item.row.spf_aligned;
    let mut told = Vec::new();
    for item in issues.iter().flat_map(|issue| &issue.items).filter(failing) {
        let flow = &world.flows[item.flow];
        let chance = if flow.local_part.is_some() { CHANCES.0 } else { CHANCES.1 };
        if random.chance(chance) {
            told.push(message(&mut random, flow, &item.row, today));
        }
        if told.len() == A_DAY_MAX {
            break;
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let folder = reports.with_file_name("failures").join(today.day.to_string());
    fs::create_dir_all(&folder)?;
    for (n, message) in told.iter().enumerate() {
        let text = if place == STANDARD { standard(reporter, message) } else { exim(reporter, message) };
        fs::write(folder.join(format!("{}-{n}.eml", reporter.domain)), text)?;
    }
    Ok(())
}

fn message<'a>(random: &mut Random, flow: &Flow, row: &'a Row, today: Today) -> Message<'a> {
    let local_part: &str = match &flow.local_part {
        Some(local_part) => local_part,
        None => SPOOFED[random.index(SPOOFED.len())],
    };
    let number = random.below(90_000) + 10_000;
    let subject = SUBJECTS[random.index(SUBJECTS.len())];
    let subject = subject.replace("{day}", &today.day.to_string()).replace("{n}", &number.to_string());
    let at = today.day.begin() + i64::try_from(random.below(86_000)).unwrap_or(0);
    Message { row, author: format!("{local_part}@{}", row.author_domain), subject, at, number }
}

/// A time as mail has it.
fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| String::new(), |time| time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

/// The header of the message, as the receiver got it.
fn header(reporter: &Reporter, message: &Message<'_>) -> String {
    let Message { row, author, subject, at, number } = message;
    let sender = row.envelope_from.as_deref().filter(|domain| !domain.is_empty()).unwrap_or(&row.author_domain);
    let mut text = format!(
        "Return-Path: <bounce-{number}@{sender}>\n\
         Received: from {sender} ([{source}])\n by mx.{domain} with ESMTP id {number}\n for <somebody{number}@{domain}>; {date}\n",
        source = row.source,
        domain = reporter.domain,
        date = date(*at),
    );
    for dkim in &row.dkim {
        let _ = writeln!(
            text,
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={}; s={};\n h=from:to:subject:date; bh=; b=",
            dkim.domain,
            dkim.selector.as_deref().unwrap_or("default")
        );
    }
    let _ = write!(
        text,
        "From: {author}\nTo: somebody{number}@{domain}\nSubject: {subject}\nDate: {date}\nMessage-ID: <{number}@{sender}>\n",
        domain = reporter.domain,
        date = date(*at),
    );
    text
}

fn results(reporter: &Reporter, row: &Row) -> String {
    let mut text = format!("mx.{}; dmarc=fail header.from={}", reporter.domain, row.author_domain);
    for spf in &row.spf {
        let _ = write!(text, "; spf={} smtp.mailfrom={}", spf.result.word(), spf.domain);
    }
    for dkim in &row.dkim {
        let _ = write!(text, "; dkim={} header.d={}", dkim.result.word(), dkim.domain);
    }
    text
}

fn delivery(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::None | Disposition::Pass => "delivered",
        Disposition::Quarantine => "spam",
        Disposition::Reject => "reject",
    }
}

/// As RFC 9991 has it; some in base64, some with little in them.
fn standard(reporter: &Reporter, message: &Message<'_>) -> String {
    let Message { row, author, subject, at, number } = message;
    let (date, domain) = (date(*at), &reporter.domain);
    let mut feedback = format!(
        "Feedback-Type: auth-failure\nUser-Agent: PostboxFeedback/2.1\nVersion: 1\nSource-IP: {}\n",
        row.source
    );
    let bare = number % 13 == 6;
    if !bare {
        let sender = row.envelope_from.as_deref().unwrap_or(&row.author_domain);
        let path = if sender.is_empty() { "<>".to_owned() } else { format!("<bounce-{number}@{sender}>") };
        let _ = write!(
            feedback,
            "Auth-Failure: dmarc\nIdentity-Alignment: dkim, spf\nArrival-Date: {date}\nReported-Domain: {}\nOriginal-Mail-From: {path}\n\
             Original-Rcpt-To: <somebody{number}@{domain}>\nDelivery-Result: {}\nAuthentication-Results: {}\n",
            row.author_domain,
            delivery(row.disposition),
            results(reporter, row),
        );
        if let Some(dkim) = row.dkim.iter().find(|dkim| dkim.result != AuthResult::Pass) {
            let _ = writeln!(
                feedback,
                "DKIM-Domain: {}\nDKIM-Selector: {}",
                dkim.domain,
                dkim.selector.as_deref().unwrap_or("default")
            );
        }
    }
    let (encoding, feedback) = if number % 9 == 4 {
        let mut encoded = String::new();
        crate::container::base64(feedback.as_bytes(), &mut encoded);
        ("Content-Transfer-Encoding: base64\n", encoded)
    } else {
        ("", feedback)
    };
    format!(
        "From: DMARC <noreply-dmarc@{domain}>\nTo: ruf@{organization}\nSubject: FW: {subject}\nDate: {date}\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"=_{number}\"\n\n--=_{number}\nContent-Type: text/plain\n\n\
         This is an authentication failure report for a message from {author}.\n\n--=_{number}\nContent-Type: message/feedback-report\n\
         {encoding}\n{feedback}\n--=_{number}\nContent-Type: text/rfc822-headers\n\n{header}\n--=_{number}--\n",
        organization = row.author_domain,
        header = header(reporter, message),
    )
}

/// All in one text, as Exim writes it.
fn exim(reporter: &Reporter, message: &Message<'_>) -> String {
    let Message { row, at, .. } = message;
    let result = match row.disposition {
        Disposition::None | Disposition::Pass => "Accept",
        Disposition::Quarantine => "Quarantine",
        Disposition::Reject => "Reject",
    };
    format!(
        "From: noreply@{reporter}\nTo: ruf@{domain}\nSubject: DMARC report for {domain} from IP {source}\nDate: {date}\n\n\
         A message claiming to be from you has failed the published DMARC\npolicy for your domain.\n\n  Sender Domain: {domain}\n  \
         Sender IP Address: {source}\n  Received Date: {date}\n  SPF Alignment: no\n  DKIM Alignment: no\n  DMARC Results: {result}\n\n\
         ------ This is a copy of the headers that were received before the error\n       was detected.\n\n{header}",
        reporter = reporter.domain,
        domain = row.author_domain,
        source = row.source,
        date = date(*at),
        header = header(reporter, message),
    )
}
