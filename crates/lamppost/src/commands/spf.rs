//! SPF alone: the result for a client, with the tree of terms.

use std::io::Write;

use message::ReversePath;
use serde_json::json;
use spf::{Client, Limits, check_helo, check_mail_from};

use super::{Done, lookup, now};
use crate::cli::{SpfArgs, TextOrJson};

pub(super) fn spf(args: &SpfArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let envelope = &args.envelope;
    let path = ReversePath::parse(envelope.mail_from.as_deref().map(str::as_bytes));
    let limits = Limits::default();
    let (mail_from, helo) = lookup::with(&args.dns, async |dns| {
        let mut client = Client::new(envelope.ip, &envelope.helo);
        client.time = u64::try_from(now()).unwrap_or_default();
        let mail_from = check_mail_from(dns, &client, &path, &limits).await;
        Ok((mail_from, check_helo(dns, &client, &limits).await))
    })?;
    match args.format {
        TextOrJson::Json => writeln!(out, "{}", json!({ "spf": mail_from.to_json(), "spf_helo": helo.to_json() }))?,
        TextOrJson::Text => {
            // Who gives one identity wants to hear of that one.
            if envelope.mail_from.is_some() || envelope.helo.is_empty() {
                write!(out, "{}", mail_from.to_text())?;
            }
            if !envelope.helo.is_empty() {
                let gap = if envelope.mail_from.is_some() { "\n" } else { "" };
                write!(out, "{gap}{}", helo.to_text())?;
            }
        }
    }
    Ok(Done::Well)
}
