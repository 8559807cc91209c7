//! Looking at report files without taking them in.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use report::package::{self, Found, PackageLimits};
use report::show::{Format, Show};
use report::{Limits, Rejection, RejectionKind};

use super::Done;
use crate::cli::{ShowArgs, ShowFormat};
use crate::table::Look;

pub(super) fn show(args: &ShowArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let format = match args.format {
        ShowFormat::Text => Format::Text { colour: Look::of_stdout().colour },
        ShowFormat::Json => Format::Json,
        ShowFormat::Csv => Format::Csv,
        ShowFormat::Parsedmarc => Format::Parsedmarc,
    };
    let mut show = Show::new(out, format, Limits::default());
    let mut rejected = false;
    for file in &args.files {
        let name = file.to_string_lossy();
        match open(file) {
            Ok(mut item) => rejected |= item_of(&mut show, &name, &mut item)?,
            Err(error) => {
                rejected = true;
                show.rejected(&name, None, &unreadable(&error))?;
            }
        }
    }
    show.finish()?.flush()?;
    Ok(Done::unless(rejected))
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    if file.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; `lamppost import` takes those"));
    }
    Ok(Box::new(BufReader::new(File::open(file)?)))
}

/// Shows all that is in one item; says whether anything in it was refused.
fn item_of(show: &mut Show<impl Write>, name: &str, item: &mut dyn BufRead) -> anyhow::Result<bool> {
    let (mut rejected, mut failed) = (false, None);
    let read = package::open(item, &PackageLimits::default(), &mut |found| {
        if failed.is_some() {
            return;
        }
        let shown = match found {
            Found::Report { member, xml } => show.report(name, member, xml).map(|rejection| rejection.is_some()),
            Found::Failure { member, failure } => {
                if show.format() == Format::Csv {
                    eprintln!("lamppost: {name}: a failure report has no rows for a table; --format json shows it");
                }
                show.failure(name, member, &failure).map(|()| false)
            }
            Found::Rejected { member, rejection } => show.rejected(name, member, &rejection).map(|()| true),
        };
        match shown {
            Ok(refused) => rejected |= refused,
            Err(error) => failed = Some(error),
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    if let Err(error) = read {
        show.rejected(name, None, &unreadable(&error))?;
        rejected = true;
    }
    Ok(rejected)
}

fn unreadable(error: &io::Error) -> Rejection {
    Rejection::new(RejectionKind::Unreadable, format!("it cannot be read: {error}"))
}
