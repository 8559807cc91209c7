//! Who may be behind an address, as the directory has it.

use std::io::Write;

use anyhow::{Context, bail};
use insight::{ContactLine, OwnerAnswer, OwnerLine, commas};

use super::Done;
use crate::cli::{OwnerArgs, TextOrJson};
use crate::config::Config;
use crate::directory;
use crate::term::shown;

pub(super) fn owner(args: &OwnerArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    if config.directory.is_empty() {
        bail!(
            "no directory is configured: name files of people and lists, or a directory server, under [directory] in \
             lamppost.toml; `lamppost config reference` has its keys"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let (directory, _) =
        runtime.block_on(directory::load(&config.directory)).context("the directory cannot be loaded")?;
    for (number, asked) in args.addresses.iter().enumerate() {
        let answer = insight::owners(&directory, asked);
        match args.format {
            TextOrJson::Json => {
                serde_json::to_writer(&mut *out, &answer)?;
                writeln!(out)?;
            }
            TextOrJson::Text => {
                if number > 0 {
                    writeln!(out)?;
                }
                text(&answer, out)?;
            }
        }
    }
    Ok(Done::Well)
}

fn text(answer: &OwnerAnswer, out: &mut impl Write) -> anyhow::Result<()> {
    let about = match (answer.exact, answer.candidates.len()) {
        (true, _) => "has this address".to_owned(),
        (false, 0) => "nobody has this address, and no name is like it".to_owned(),
        (false, n) => format!("nobody has this address; like it, the likeliest first: {}", commas(n as u64)),
    };
    writeln!(out, "{}: {about}", shown(&answer.asked))?;
    for line in &answer.candidates {
        one(line, out)?;
    }
    Ok(())
}

fn one(line: &OwnerLine, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "  {:>5}  {} <{}>", line.score, shown(&line.name), shown(&line.mail))?;
    let mut about = Vec::new();
    if line.kind == "list" {
        about.push(format!(
            "list of {} {}",
            commas(u64::from(line.members)),
            if line.members == 1 { "member" } else { "members" }
        ));
        match &line.owners[..] {
            [] => about.push("no owner known".to_owned()),
            owners => about.push(format!("owned by {}", owners.iter().map(contact).collect::<Vec<_>>().join(", "))),
        }
    } else {
        about.extend(line.department.as_deref().map(shown));
        about.extend(line.manager.as_ref().map(|manager| format!("reports to {}", contact(manager))));
    }
    if !about.is_empty() {
        writeln!(out, "         {}", about.join("; "))?;
    }
    writeln!(out, "         {}", shown(&line.why))?;
    Ok(())
}

fn contact(contact: &ContactLine) -> String {
    match &contact.mail {
        Some(mail) if *mail != contact.name => format!("{} <{}>", shown(&contact.name), shown(mail)),
        _ => shown(&contact.name),
    }
}
