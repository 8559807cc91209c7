//! Syslog: one line an alert, as RFC 5424 has it; over UDP (RFC 5426), TCP with counted octets (RFC 6587 §3.4.1), or TLS (RFC 5425). With CEF
//! where a SIEM wants that.
//!
//! In: a notice. Out: lines on the way. UDP says nothing about whether anybody heard them.

use std::path::PathBuf;
use std::time::Duration;

use insight::{Notice, NoticeAlert, NoticeKind, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::UdpSocket;
use wire::{Wire, connect, connector, encrypt, timed};

use super::Wants;
use super::text::{link, plain, sentence, subject};

/// RFC 5426 §3.2: receivers "SHOULD be able to accept messages with lengths of up to and including 2048 octets".
const LINE_MAX: usize = 2_048;
/// How long a line may take on its way into a connection.
const WRITE: Duration = Duration::from_secs(30);
/// local0, for those who sort by it.
const FACILITY: u8 = 16;

/// How lines travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams: quick, and nobody knows whether they came.
    Udp,
    /// A connection.
    #[default]
    Tcp,
    /// An encrypted connection.
    Tls,
}

/// What a line says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A sentence.
    #[default]
    Text,
    /// Common Event Format.
    Cef,
}

/// `[[alerts.channel.syslog]]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The server.
    pub server: String,
    /// Its port; by default 514, with TLS 6514.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How lines travel: `udp`, `tcp`, `tls`.
    pub transport: Transport,
    /// What they say: `text`, `cef`.
    pub format: Format,
    /// The name under which this machine is known there; by default none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Certificates of the authorities to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// What it is told.
    pub wants: Wants,
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.server.is_empty() {
            return Err("it needs a `server`".to_owned());
        }
        let good = |name: &String| !name.is_empty() && name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic());
        if self.hostname.as_ref().is_some_and(|name| !good(name)) {
            return Err("`hostname` is a name without spaces".to_owned());
        }
        Ok(())
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(if self.transport == Transport::Tls { 6_514 } else { 514 })
    }
}

pub(super) async fn send(settings: &Settings, notice: &Notice, base: &str) -> Result<(), String> {
    let said = said(settings, notice, base);
    let (host, port) = (settings.server.as_str(), settings.port());
    if settings.transport == Transport::Udp {
        let sent = async {
            let mut addresses = tokio::net::lookup_host((host, port)).await?;
            let to = addresses.next().ok_or_else(|| std::io::Error::other("it has no address"))?;
            let any: std::net::IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
            let socket = UdpSocket::bind((any, 0)).await?;
            socket.connect(to).await?;
            for line in &said {
                socket.send(line.as_bytes()).await?;
            }
            Ok::<(), std::io::Error>(())
        };
        return timed(&format!("sending to {host}:{port}"), WRITE, sent).await;
    }
    let stream = connect(host, port).await?;
    let mut stream: Box<dyn Wire> = match settings.transport {
        Transport::Tls => encrypt(&connector(settings.ca.as_deref())?, host, stream).await?,
        _ => Box::new(stream),
    };
    let write = async {
        for line in &said {
            // RFC 6587 §3.4.1: MSG-LEN SP SYSLOG-MSG.
            stream.write_all(format!("{} {line}", line.len()).as_bytes()).await?;
        }
        stream.flush().await?;
        stream.shutdown().await
    };
    timed(&format!("writing to {host}:{port}"), WRITE, write).await
}

/// One line an alert; of a digest and a test, one.
fn said(settings: &Settings, notice: &Notice, base: &str) -> Vec<String> {
    if notice.alerts.is_empty() {
        let text = match &notice.digest {
            Some(digest) => format!("{}: {}", subject(notice), digest.heartbeat),
            None => subject(notice),
        };
        let kind = if notice.kind == NoticeKind::Test { "test" } else { "digest" };
        let text = match settings.format {
            Format::Text => plain(&text),
            Format::Cef => {
                format!("CEF:0|lamppost|lamppost|1|{kind}|{}|1|msg={}", header(&subject(notice)), extension(&text))
            }
        };
        return vec![line(settings, notice, kind, 6, &format!("{text} [id {}]", notice.id))];
    }
    let of_alert = |(n, alert): (usize, &NoticeAlert)| {
        let severity = match (notice.kind, alert.severity) {
            (NoticeKind::Resolved, _) => 5,
            (_, Severity::Red) => 2,
            (_, Severity::Amber) => 4,
        };
        // Each line has an id of its own, which is the same if it comes again.
        let id = if notice.alerts.len() == 1 { notice.id.clone() } else { format!("{}-{n}", notice.id) };
        let text = match settings.format {
            Format::Text => {
                let url = link(base, &alert.link).map(|url| format!(" {url}")).unwrap_or_default();
                let state = if notice.kind == NoticeKind::Resolved { "resolved" } else { alert.severity.word() };
                format!("{state} {}{url} [id {id}]", sentence(alert, notice.kind))
            }
            Format::Cef => cef(notice, alert, &id, base),
        };
        line(settings, notice, alert.rule.word(), severity, &text)
    };
    notice.alerts.iter().enumerate().map(of_alert).collect()
}

/// RFC 5424 §6: HEADER SP STRUCTURED-DATA SP MSG. The text has no controls any more.
fn line(settings: &Settings, notice: &Notice, kind: &str, severity: u8, text: &str) -> String {
    let at = jiff::Timestamp::from_second(notice.at).map_or_else(|_| "-".to_owned(), |at| at.to_string());
    let host = settings.hostname.as_deref().unwrap_or("-");
    let pri = FACILITY * 8 + severity;
    let mut line = format!("<{pri}>1 {at} {host} lamppost - {kind} - \u{feff}{text}");
    line.truncate(line.floor_char_boundary(LINE_MAX));
    line
}

fn cef(notice: &Notice, alert: &NoticeAlert, id: &str, base: &str) -> String {
    let severity = match (notice.kind, alert.severity) {
        (NoticeKind::Resolved, _) => 1,
        (_, Severity::Red) => 9,
        (_, Severity::Amber) => 5,
    };
    let mut text = format!(
        "CEF:0|lamppost|lamppost|1|{}|{}|{severity}|externalId={} rt={} dhost={} outcome={} msg={}",
        alert.rule.word(),
        header(&alert.title),
        extension(id),
        notice.at * 1_000,
        extension(&alert.domain),
        if notice.kind == NoticeKind::Resolved { "resolved" } else { "open" },
        extension(&sentence(alert, notice.kind)),
    );
    if let Some(url) = link(base, &alert.link) {
        text.push_str(" request=");
        text.push_str(&extension(&url));
    }
    text
}

/// CEF: in the header, `|` and `\` are escaped.
fn header(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// CEF: in the extension, `=` and `\` are escaped.
fn extension(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('=', "\\=")
}
