//! Gzip as reporters write it: one member or several, and whatever stands behind the last (RFC 1952).
//!
//! In: a reader that begins with a gzip member. Out: the members' content, joined. Bytes after the last member that begin no
//! further one are passed over: Mimecast sends them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::meter::Decompress;
use crate::{Rejection, RejectionKind};

/// The content of all members, joined: RFC 1952 §2.2: "A gzip file consists of a series of members".
pub(super) struct Members<R> {
    /// `None` after the last member.
    decoder: Option<GzDecoder<Counted<R>>>,
    /// Members begun.
    begun: u64,
    limit: u64,
    taken: u64,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { decoder: Some(GzDecoder::new(Counted { inner, count: 0 })), begun: 1, limit, taken: 0 }
    }

    fn next_member(&mut self) -> io::Result<()> {
        let Some(decoder) = self.decoder.take() else { return Ok(()) };
        let mut input = decoder.into_inner();
        self.taken = input.count;
        // The second byte of the magic number may still be out of sight; then the header decides.
        if matches!(input.fill_buf()?, [0x1f] | [0x1f, 0x8b, ..]) {
            self.begun += 1;
            if self.begun > self.limit {
                let message = format!("It is made of more than the {} gzip members that are allowed.", self.limit);
                return Err(Rejection::new(RejectionKind::MemberLimit, message).into());
            }
            self.decoder = Some(GzDecoder::new(input));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            match decoder.read(into) {
                Ok(0) if !into.is_empty() => self.next_member()?,
                // What follows the last member only looked like another one.
                Err(_) if self.begun > 1 && decoder.header().is_none() => {
                    self.taken = decoder.get_ref().count;
                    self.decoder = None;
                }
                other => return other,
            }
        }
        Ok(0)
    }
}

impl<R: BufRead> Decompress for Members<R> {
    fn taken(&self) -> u64 {
        self.decoder.as_ref().map_or(self.taken, |decoder| decoder.get_ref().count)
    }
}

/// Counts what is consumed.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count += amount as u64;
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
