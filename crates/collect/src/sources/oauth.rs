//! Access tokens of an identity provider (RFC 6749), for mailboxes that take no passwords: asked for when needed, kept until they expire.
//!
//! In: the provider's token endpoint and how we show who we are: a refresh token (Gmail), or the client's own credentials (Microsoft 365,
//! §4.4). Out: a token. Nothing of it is stored or logged.

use std::time::{Duration, Instant};

use hyper::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use wire::http;
use wire::{Opened, Secret};

/// Bytes of an endpoint's answer at most.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A token is renewed so long before it expires.
const MARGIN: Duration = Duration::from_mins(2);

/// RFC 6749 §5.1 only recommends that the lifetime is said; this long a token is used if it is not.
const LIFETIME_SECONDS: u64 = 300;

/// Access by tokens instead of a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The token endpoint: `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token` for Microsoft 365,
    /// `https://oauth2.googleapis.com/token` for Gmail.
    pub token_url: String,
    /// The client's identifier, as registered with the provider.
    pub client_id: String,
    /// The client's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// A refresh token; without it the client's own credentials are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// What access is asked for: `https://outlook.office365.com/.default` for Microsoft 365; not needed for Gmail.
    pub scope: String,
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.token_url.is_empty() || self.client_id.is_empty() {
            return Err("`oauth` needs `token_url` and `client_id`".to_owned());
        }
        if self.client_secret.is_none() && self.refresh_token.is_none() {
            return Err("`oauth` needs `client_secret` or `refresh_token`, or both".to_owned());
        }
        Ok(())
    }
}

/// Tokens of one client.
pub(crate) struct Tokens {
    settings: Settings,
    connector: TlsConnector,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: String,
    until: Instant,
    /// The provider may give another refresh token, and the old one may end (RFC 6749 §6).
    refresh: Option<Opened>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    pub(crate) fn new(settings: Settings, connector: TlsConnector) -> Self {
        Self { settings, connector, held: Mutex::default() }
    }

    /// A token that is valid for a while.
    pub(crate) async fn get(&self) -> Result<Opened, String> {
        let mut held = self.held.lock().await;
        if let Some(held) = &*held
            && held.until > Instant::now()
        {
            return Ok(Opened::new(held.token.clone()));
        }
        let newest = held.take().and_then(|held| held.refresh);
        let granted = self.ask(newest.as_ref()).await?;
        let lifetime = Duration::from_secs(granted.expires_in.unwrap_or(LIFETIME_SECONDS));
        // Far beyond any lifetime, and within what the clock can add.
        let lifetime = lifetime.min(Duration::from_hours(24)).saturating_sub(MARGIN);
        let refresh = granted.refresh_token.map(Opened::new).or(newest);
        *held = Some(Held { token: granted.access_token.clone(), until: Instant::now() + lifetime, refresh });
        Ok(Opened::new(granted.access_token))
    }

    /// Forgets a token that a server did not take.
    pub(crate) async fn forget(&self) {
        if let Some(held) = &mut *self.held.lock().await {
            held.until = Instant::now();
        }
    }

    async fn ask(&self, newest: Option<&Opened>) -> Result<Granted, String> {
        let Settings { token_url, client_id, client_secret, refresh_token, scope } = &self.settings;
        let mut form = Form::default();
        let configured = refresh_token.as_ref().map(Secret::open).transpose()?;
        match newest.or(configured.as_ref()) {
            Some(token) => form.add("grant_type", "refresh_token").add("refresh_token", token.expose()),
            None => form.add("grant_type", "client_credentials"),
        };
        form.add("client_id", client_id);
        if let Some(secret) = client_secret {
            form.add("client_secret", secret.open()?.expose());
        }
        if !scope.is_empty() {
            form.add("scope", scope);
        }
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        let body = form.0.into_bytes();
        let answer = http::ask(&self.connector, Method::POST, token_url, &fields, body, ANSWER_BYTES_MAX).await?;
        if !answer.status.is_success() {
            let why = match serde_json::from_slice::<Refused>(&answer.body) {
                Ok(Refused { error, error_description }) => format!("{error} {error_description}"),
                Err(_) => "without saying why".to_owned(),
            };
            return Err(format!("{token_url} gives no token ({}): {why}", answer.status));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| format!("{token_url} answers with something else than a token"))
    }
}

/// A form as browsers send it.
#[derive(Default)]
struct Form(String);

impl Form {
    fn add(&mut self, key: &str, value: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(key);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push('%');
                for half in [byte >> 4, byte & 15] {
                    self.0.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
                }
            }
        }
        self
    }
}
