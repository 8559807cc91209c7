//! What domains publish, and what is wrong with it.

use std::io::Write;

use anyhow::Context;
use dns::Name;
use lint::Settings;

use super::{Done, lookup};
use crate::cli::{LintArgs, TextOrJson};
use crate::table::Look;

pub(super) fn lint(args: &LintArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let named = |text: &String| Name::from_unicode(text).with_context(|| format!("`{text}` is no domain"));
    let domains = args.domains.iter().map(named).collect::<anyhow::Result<Vec<Name>>>()?;
    let settings = Settings { selectors: args.selector.clone() };
    let colour = Look::of_stdout().colour;
    lookup::inside(&args.dns, async |dns| {
        for (domain, at) in domains.iter().zip(0..) {
            let lint = lint::lint(&lookup::asking(dns), domain, &settings).await;
            match args.format {
                TextOrJson::Text if at > 0 => write!(out, "\n{}", lint.to_text(colour))?,
                TextOrJson::Text => write!(out, "{}", lint.to_text(colour))?,
                TextOrJson::Json => writeln!(out, "{}", lint.to_json())?,
            }
        }
        Ok(Done::Well)
    })
}
