//! Webhooks: JSON over HTTP, in the forms that services take.
//!
//! In: a notice. Out: a request. In Slack and Teams text is put where no markup is read (`plain_text`, `TextRun`), and in Matrix it has no
//! formatted body: no text from a report can make a link, a mention or a picture.

use std::path::PathBuf;

use insight::{Notice, NoticeAlert, NoticeKind, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::Secret;
use wire::http::{Method, ask};

use super::Wants;
use super::text::{lines, link, plain, sentence, subject};

/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 64 << 10;
/// Characters of a text in Slack: a section takes 3,000, a header 150.
const SLACK_TEXT: usize = 2_900;
const SLACK_HEADER: usize = 140;

/// How the body looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// All that is known, as JSON.
    #[default]
    Generic,
    /// As Slack's and Mattermost's incoming webhooks take it.
    Slack,
    /// As a workflow of Microsoft Teams takes it: an adaptive card.
    Teams,
    /// As a Matrix home server takes it; the URL ends in `/rooms/ROOM/send/m.room.message`.
    Matrix,
}

/// `[[alerts.channel.webhook]]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Where it is sent: `https`, or `http` on this machine.
    pub url: String,
    /// The same, where the URL itself is a secret, as Slack's and Teams' are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_url: Option<Secret>,
    /// A token that is sent as `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// How the body looks: `generic`, `slack`, `teams`, `matrix`.
    pub shape: Shape,
    /// Certificates of the authorities to trust instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// What it is told.
    pub wants: Wants,
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.url.is_empty() != self.secret_url.is_some() {
            return Err("it needs a `url`, or a `secret_url` in a file or the environment, and not both".to_owned());
        }
        if !self.url.is_empty() && !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            return Err("its `url` begins with neither https:// nor http://".to_owned());
        }
        if self.shape == Shape::Matrix && self.token.is_none() {
            return Err("Matrix needs a `token`".to_owned());
        }
        Ok(())
    }
}

pub(super) async fn send(settings: &Settings, notice: &Notice, base: &str) -> Result<(), String> {
    let connector = wire::connector(settings.ca.as_deref())?;
    let mut url = match &settings.secret_url {
        Some(secret) => secret.open()?.expose().trim().to_owned(),
        None => settings.url.clone(),
    };
    let method = if settings.shape == Shape::Matrix {
        // The client-server API, §10.6.2: the same transaction id is the same message.
        url = format!("{}/{}", url.trim_end_matches('/'), notice.id);
        Method::PUT
    } else {
        Method::POST
    };
    let body = body(settings.shape, notice, base).to_string().into_bytes();
    let token = settings.token.as_ref().map(Secret::open).transpose()?;
    let authorization = token.map(|token| format!("Bearer {}", token.expose()));
    let mut fields =
        vec![("content-type", "application/json"), ("idempotency-key", notice.id.as_str()), ("user-agent", "lamppost")];
    fields.extend(authorization.as_deref().map(|value| ("authorization", value)));
    // A URL that is a secret is in no message: what fails is told by the name of the server alone.
    let answer = ask(&connector, method, &url, &fields, body, ANSWER_MAX)
        .await
        .map_err(|error| error.replace(&url, "the webhook"))?;
    if answer.status.is_success() {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    Err(format!("it answers {}: {}", answer.status, plain(&said)))
}

fn body(shape: Shape, notice: &Notice, base: &str) -> Value {
    match shape {
        Shape::Generic => generic(notice, base),
        Shape::Slack => slack(notice, base),
        Shape::Teams => teams(notice, base),
        Shape::Matrix => {
            json!({"msgtype": "m.text", "body": format!("{}\n{}", subject(notice), lines(notice, base).join("\n"))})
        }
    }
}

fn generic(notice: &Notice, base: &str) -> Value {
    let alert = |alert: &NoticeAlert| {
        json!({
            "cause": plain(&alert.cause),
            "rule": alert.rule,
            "severity": alert.severity,
            "title": alert.title,
            "domain": plain(&alert.domain),
            "sentence": sentence(alert, NoticeKind::Opened),
            "evidence": alert.evidence.iter().map(|text| plain(text)).collect::<Vec<_>>(),
            "remedy": plain(&alert.remedy),
            "url": link(base, &alert.link),
            "opened": alert.opened,
            "resolved": alert.resolved,
        })
    };
    json!({
        "id": notice.id,
        "kind": notice.kind,
        "at": notice.at,
        "subject": subject(notice),
        "alerts": notice.alerts.iter().map(alert).collect::<Vec<_>>(),
        "digest": notice.digest,
    })
}

fn slack(notice: &Notice, base: &str) -> Value {
    let cut = |text: &str, most: usize| -> String { text.chars().take(most).collect() };
    let text = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let title = subject(notice);
    let mut blocks = vec![json!({"type": "header", "text": text(&cut(&title, SLACK_HEADER))})];
    let said = lines(notice, "").join("\n");
    blocks.push(json!({"type": "section", "text": text(&cut(&said, SLACK_TEXT))}));
    if let Some(url) = first_link(notice, base) {
        blocks.push(json!({"type": "actions", "elements": [{"type": "button", "text": text("Open"), "url": url}]}));
    }
    // Shown in notifications, where the three characters that begin markup are escaped as Slack asks.
    let fallback = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({"text": fallback, "blocks": blocks})
}

fn teams(notice: &Notice, base: &str) -> Value {
    let color = match notice.alerts.iter().map(|alert| alert.severity).max() {
        Some(Severity::Red) if notice.kind == NoticeKind::Opened => "attention",
        Some(Severity::Amber) if notice.kind == NoticeKind::Opened => "warning",
        _ => "default",
    };
    // A TextBlock reads Markdown; the runs of a RichTextBlock do not.
    let run = |text: &str, bold: bool| {
        let weight = if bold { "bolder" } else { "default" };
        let color = if bold { color } else { "default" };
        json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight, "color": color}]})
    };
    let mut body = vec![run(&subject(notice), true)];
    body.extend(lines(notice, "").iter().filter(|line| !line.is_empty()).map(|line| run(line, false)));
    let actions: Vec<Value> = first_link(notice, base)
        .into_iter()
        .map(|url| json!({"type": "Action.OpenUrl", "title": "Open", "url": url}))
        .collect();
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions}
    }]})
}

/// Where the first alert is looked at.
fn first_link(notice: &Notice, base: &str) -> Option<String> {
    link(base, notice.alerts.first().map_or("/alerts", |alert| &alert.link))
}
