//! One message evaluated: read piece by piece, answered with the verdict and its reasons.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use dmarc::{Envelope, Evaluation, Evaluator, Settings, Standard};
use message::{HeaderReader, Progress};

use super::lookup::{self, Asking};
use super::{Done, now};
use crate::cli::{self, CheckArgs, TextOrJson};

/// Bytes of the message in memory at a time, beside its header.
const PIECE_BYTES: usize = 64 << 10;

pub(super) fn check(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<Done> {
    let mut message = open(&args.message)?;
    let envelope = Envelope {
        ip: args.envelope.ip,
        helo: &args.envelope.helo,
        mail_from: args.envelope.mail_from.as_deref().map(str::as_bytes),
        receiver: &args.authserv_id,
    };
    let standard = match args.standard {
        cli::Standard::Rfc9989 | cli::Standard::Both => Standard::Rfc9989,
        cli::Standard::Rfc7489 => Standard::Rfc7489,
    };
    let settings = Settings { standard, both: args.standard == cli::Standard::Both, ..Settings::default() };
    let time = u64::try_from(args.at.unwrap_or_else(now)).context("the time is before 1970")?;
    let evaluation = lookup::with(&args.dns, async |dns| {
        evaluate(&mut message, &envelope, dns, time, &settings)
            .await
            .with_context(|| format!("cannot read {}", args.message.display()))
    })?;
    match args.format {
        TextOrJson::Text => write!(out, "{}", evaluation.to_text())?,
        TextOrJson::Json => writeln!(out, "{}", evaluation.to_json(&args.authserv_id))?,
    }
    Ok(Done::Well)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot open the message {}", path.display()))?;
    Ok(Box::new(file))
}

async fn evaluate(
    message: &mut dyn Read,
    envelope: &Envelope<'_>,
    lookup: &Asking<'_>,
    time: u64,
    settings: &Settings,
) -> io::Result<Evaluation> {
    let mut reader = HeaderReader::new(settings.header);
    let mut piece = vec![0; PIECE_BYTES];
    let (header, body, begun) = loop {
        let read = read(message, &mut piece)?;
        if read == 0 {
            match reader.finish() {
                Ok((header, body)) => break (header, body, 0..0),
                Err(error) => return Ok(Evaluation::too_large(error, envelope, lookup, time, settings).await),
            }
        }
        match reader.feed(&piece[..read]) {
            Ok(Progress::More) => {}
            Ok(Progress::Done { header, body, rest }) => break (header, body, rest..read),
            Err(error) => return Ok(Evaluation::too_large(error, envelope, lookup, time, settings).await),
        }
    };
    let mut evaluator = Evaluator::new(&header, body, settings);
    evaluator.feed(&piece[begun]);
    loop {
        match read(message, &mut piece)? {
            // On the heap, as it holds all questions that are under way.
            0 => return Ok(Box::pin(evaluator.finish(envelope, lookup, time)).await),
            read => evaluator.feed(&piece[..read]),
        }
    }
}

/// Reads once more where a signal came between.
fn read(message: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match message.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
