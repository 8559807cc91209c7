//! A notice as plain text: a subject, and lines. Text from reports is an attacker's: what controls, hides or turns text round is taken out here,
//! once for all channels; what means something in one of them is escaped there.

use insight::{Digest, Notice, NoticeAlert, NoticeKind};

/// Longest line, in characters: what is longer came from somebody who wants it to be.
const LINE_MAX: usize = 600;
/// Most alerts that are told in full; the rest is counted.
const ALERTS_MAX: usize = 30;

/// Text without controls, line breaks, and characters that change the direction or hide.
pub(super) fn plain(text: &str) -> String {
    let hides = |c: char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    let kept = text.chars().filter(|c| !hides(*c)).map(|c| if c.is_control() { ' ' } else { c });
    kept.take(LINE_MAX).collect()
}

/// What it is about, in a line.
pub(super) fn subject(notice: &Notice) -> String {
    let text = match (notice.kind, &notice.alerts[..]) {
        (NoticeKind::Test, _) => "lamppost: a test of this channel".to_owned(),
        (NoticeKind::Digest, _) => match notice.digest.as_ref().and_then(|digest| digest.days) {
            Some((_, until)) => format!("lamppost: the week to {until}"),
            None => "lamppost: the week".to_owned(),
        },
        (kind, [alert]) => {
            let state = if kind == NoticeKind::Resolved { "resolved" } else { alert.severity.word() };
            let of = if alert.domain.is_empty() { String::new() } else { format!(": {}", alert.domain) };
            format!("[{state}] {}{of}", alert.title)
        }
        (NoticeKind::Resolved, alerts) => format!("[resolved] {} alerts are over", alerts.len()),
        (_, alerts) => {
            let red = alerts.iter().filter(|alert| alert.severity == insight::Severity::Red).count();
            format!("{} alerts, {red} of them red", alerts.len())
        }
    };
    plain(&text)
}

/// What is to be said, line by line; an empty one between parts.
pub(super) fn lines(notice: &Notice, base: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match (notice.kind, &notice.digest) {
        (NoticeKind::Test, _) => lines.push("This channel works. Nothing is wrong: somebody tried it.".to_owned()),
        (NoticeKind::Digest, Some(digest)) => of_digest(digest, &mut lines),
        _ => {
            for alert in notice.alerts.iter().take(ALERTS_MAX) {
                of_alert(alert, notice.kind, base, &mut lines);
            }
            if let Some(more @ 1..) = notice.alerts.len().checked_sub(ALERTS_MAX) {
                lines.push(format!("And {more} more."));
            }
        }
    }
    if let Some(url) = link(base, "/alerts") {
        lines.push(String::new());
        lines.push(format!("All alerts: {url}"));
    }
    lines.push(format!("Notice {}", notice.id));
    lines.iter().map(|line| plain(line)).collect()
}

/// A digest, line by line.
pub(super) fn digest_lines(digest: &Digest) -> Vec<String> {
    let mut lines = Vec::new();
    of_digest(digest, &mut lines);
    lines.iter().map(|line| plain(line)).collect()
}

/// The one sentence about an alert.
pub(super) fn sentence(alert: &NoticeAlert, kind: NoticeKind) -> String {
    plain(&if kind == NoticeKind::Resolved { format!("Over: {}", alert.sentence) } else { alert.sentence.clone() })
}

fn of_alert(alert: &NoticeAlert, kind: NoticeKind, base: &str, lines: &mut Vec<String>) {
    let state = if kind == NoticeKind::Resolved { "resolved" } else { alert.severity.word() };
    lines.push(format!("[{state}] {}", alert.title));
    lines.push(sentence(alert, kind));
    if kind != NoticeKind::Resolved {
        lines.extend(alert.evidence.iter().map(|evidence| format!("- {evidence}")));
        lines.push(format!("What to do: {}", alert.remedy));
    }
    lines.extend(link(base, &alert.link));
    lines.push(String::new());
}

fn of_digest(digest: &Digest, lines: &mut Vec<String>) {
    lines.push(digest.heartbeat.clone());
    if !digest.changed {
        lines.push("Nothing has changed.".to_owned());
        return;
    }
    lines.push(String::new());
    lines.push(format!(
        "Legitimate mail: {} messages, {:.1} % passed ({:.1} % the week before); {} put aside or refused.",
        digest.legitimate, digest.passing, digest.passing_before, digest.harmed
    ));
    lines.push(format!("Spoofed: {} messages, {} of them put aside or refused.", digest.spoofed, digest.stopped));
    let mut list = |title: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(entries.iter().map(|entry| format!("- {entry}")));
        }
    };
    let sender = |flow: &insight::DigestFlow| {
        format!(
            "{} in the name of {}: {}, {} messages",
            flow.name,
            flow.domain,
            flow.class.label().to_lowercase(),
            flow.messages
        )
    };
    list("New senders", digest.new_senders.iter().map(sender).collect());
    list("Alerts of the week", digest.opened.clone());
    list("Over", digest.resolved.clone());
    list("Open", digest.open.clone());
}

/// A link to a page of the portal. The path is ours but for names from reports: whatever could end a link is encoded.
pub(super) fn link(base: &str, path: &str) -> Option<String> {
    if base.is_empty() {
        return None;
    }
    let mut url = base.trim_end_matches('/').to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/?&=-._~:".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.extend([byte >> 4, byte & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])));
        }
    }
    Some(url)
}
