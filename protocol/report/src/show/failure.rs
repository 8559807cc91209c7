//! A failure report as one line of JSON, or as text for people: all that it says, recipients included, because whoever looks has the
//! mail at hand.

use std::io::{self, Write};

use serde::Serialize;

use super::text::{Style, name, printable, time};
use super::{Origin, json};
use crate::failure::{Failure, FailureReport, Mailbox};
use crate::{Flaw, Text};

#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    origin: Origin<'a>,
    failure: &'a FailureReport,
    flaws: &'a [Flaw],
    identity: String,
}

pub(super) fn as_json(failure: &Failure, origin: Origin<'_>, out: &mut dyn Write) -> io::Result<()> {
    let identity = json::sha256(&failure.content);
    serde_json::to_writer(&mut *out, &View { origin, failure: &failure.report, flaws: &failure.flaws, identity })?;
    writeln!(out)
}

pub(super) fn as_text(failure: &Failure, origin: Origin<'_>, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { colour };
    let report = &failure.report;
    writeln!(out, "{}{}{}", style.strong(), name(origin), style.end())?;
    let mut field = |name: &str, text: &str| {
        if text.is_empty() { Ok(()) } else { writeln!(out, "  {name:<16}{}", printable(text)) }
    };
    let some = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
    field("failure report", report.auth_failure.word())?;
    field("reporter", &report.reporter)?;
    field("written by", &some(&report.user_agent))?;
    field("arrived", &report.arrived.map(time).unwrap_or_default())?;
    field("source", &report.source.map(|source| source.to_string()).unwrap_or_default())?;
    field("author", &address(&report.author))?;
    field("envelope sender", &report.mail_from.as_ref().map(path).unwrap_or_default())?;
    field("recipients", &report.rcpt_to.iter().map(path).collect::<Vec<_>>().join(", "))?;
    if let Some(failed) = report.failed {
        let said = |failed: bool| if failed { "not aligned" } else { "aligned" };
        field("alignment", &format!("DKIM {}, SPF {}", said(failed.dkim), said(failed.spf)))?;
    }
    field("delivery", report.delivery.as_ref().map_or("", |delivery| delivery.word()))?;
    let signature = [("d=", &report.dkim_domain), ("s=", &report.dkim_selector), ("i=", &report.dkim_identity)];
    let signature = signature.iter().filter_map(|(tag, value)| value.as_ref().map(|value| format!("{tag}{value}")));
    field("DKIM", &signature.collect::<Vec<_>>().join(" "))?;
    for (name, texts) in [
        ("reported", &report.reported_domains),
        ("results", &report.authentication_results),
        ("SPF record", &report.spf_dns),
        ("URI", &report.reported_uris),
    ] {
        for text in texts {
            field(name, text)?;
        }
    }
    field("messages", &if report.incidents == 1 { String::new() } else { report.incidents.to_string() })?;
    if !report.header.is_empty() {
        writeln!(out, "\n  {}header of the message{}", style.dim(), style.end())?;
    }
    for field in &report.header {
        writeln!(out, "  {}: {}", printable(&field.name), printable(&field.value))?;
    }
    if !failure.flaws.is_empty() {
        writeln!(out)?;
    }
    for flaw in &failure.flaws {
        writeln!(out, "  {}flaw{} {}", style.bad(), style.end(), flaw.kind.meaning())?;
    }
    Ok(())
}

fn address(mailbox: &Mailbox) -> String {
    format!("{}@{}", if mailbox.local_part.is_empty() { "?" } else { &mailbox.local_part }, mailbox.domain)
}

/// A path of the envelope; the null one as it is written.
fn path(mailbox: &Mailbox) -> String {
    match (mailbox.local_part.is_empty(), mailbox.domain.is_empty()) {
        (true, true) => "<>".to_owned(),
        (_, true) => mailbox.local_part.to_string(),
        _ => format!("{}@{}", mailbox.local_part, mailbox.domain),
    }
}
