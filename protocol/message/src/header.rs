//! The header of a message or a part: where it ends, and its fields as they stand.
//!
//! In: bytes that begin with a header. Out: slices. Nothing is unfolded or decoded. RFC 5322 §2.2, §2.2.3.

use memchr::memchr;

/// One header field, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// The name, without the colon.
    pub(crate) name: &'a [u8],
    /// Everything after the colon, folded lines and the final line end included.
    pub(crate) value: &'a [u8],
}

/// Takes the first line off, its line end included.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1))
}

/// The length of the name of the field that this line begins, if it begins one.
fn name_length(line: &[u8]) -> Option<usize> {
    // RFC 5322 §3.6.8: "field-name = 1*ftext", printable US-ASCII except ":". A `<` is left out too: no field has it, and
    // XML that follows a header without the empty line must not be taken for more of it.
    let end = line.iter().position(|&b| !matches!(b, 33..=57 | 59 | 61..=126))?;
    // RFC 5322 §4.5 lets white space stand before the colon in old messages.
    let colon = line.get(end..)?.iter().position(|&b| !matches!(b, b' ' | b'\t'))?;
    (end > 0 && line.get(end + colon) == Some(&b':')).then_some(end)
}

/// Cuts a message or part into header and body.
///
/// The header ends at the empty line, which belongs to neither, or before the first line that is neither a field nor the
/// continuation of one. Lines like mbox's `From ` in front of the first field are passed over.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = bytes;
    let mut fields = false;
    loop {
        let (first, after) = line(rest);
        let end = bytes.len() - rest.len();
        match first {
            [] => return (bytes, &[]),
            [b'\n'] | [b'\r', b'\n'] => return (&bytes[..end], after),
            [b' ' | b'\t', ..] if fields => {}
            _ if name_length(first).is_some() => fields = true,
            _ if !fields && (first.starts_with(b"From ") || first.starts_with(b">From ")) => {}
            _ => return (&bytes[..end], rest),
        }
        rest = after;
    }
}

/// The fields of a header, in order.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let start = rest;
            let (first, mut after) = line(start);
            // RFC 5322 §2.2.3: a line that begins with white space continues the field before it.
            while matches!(after.first(), Some(b' ' | b'\t')) {
                after = line(after).1;
            }
            rest = after;
            if let Some(length) = name_length(first) {
                let whole = &start[..start.len() - after.len()];
                let colon = memchr(b':', whole).unwrap_or(length);
                return Some(Field { name: &whole[..length], value: &whole[colon + 1..] });
            }
        }
    })
}

/// The fields of a header for reading reports, never for a verdict: name and value of each, folding and all, in order. Lines that
/// are no fields are passed over, so that it also reads what was cut off or torn apart by empty lines.
pub fn raw_fields(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields(header).map(|field| (field.name, field.value))
}

/// The header of a message or part, without the empty line behind it: the forgiving way, for reports and never for a verdict.
#[must_use]
pub fn raw_header(message: &[u8]) -> &[u8] {
    split(message.trim_ascii_start()).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_where_it_must() {
        let cases: &[(&str, &str, &str, &str)] = &[
            ("CRLF", "A: 1\r\nB: 2\r\n\r\nbody\r\n", "A: 1\r\nB: 2\r\n", "body\r\n"),
            ("LF", "A: 1\n\nbody", "A: 1\n", "body"),
            ("folded", "A: 1\n\t2\n\nbody", "A: 1\n\t2\n", "body"),
            ("no fields at all", "\nbody", "", "body"),
            ("no body", "A: 1\n", "A: 1\n", ""),
            ("cut inside the header", "A: 1\nB", "A: 1\n", "B"),
            ("no empty line before base64", "A: 1\nH4sIAAAA\nBBBB\n", "A: 1\n", "H4sIAAAA\nBBBB\n"),
            ("no empty line before XML", "A: 1\n<d:feedback>\n", "A: 1\n", "<d:feedback>\n"),
            ("mbox line in front", "From a@b Thu Jan 1\nA: 1\n\nx", "From a@b Thu Jan 1\nA: 1\n", "x"),
            ("space before the colon", "A : 1\n\nx", "A : 1\n", "x"),
            ("nothing", "", "", ""),
        ];
        for (why, bytes, header, body) in cases {
            assert_eq!(split(bytes.as_bytes()), (header.as_bytes(), body.as_bytes()), "{why}");
        }
    }

    #[test]
    fn fields_keep_their_folding() {
        let all: Vec<_> = fields(b"From x\nA: 1\r\n 2\r\nB :3\n C: 4\n").collect();
        let expected: [(&[u8], &[u8]); 2] = [(b"A", b" 1\r\n 2\r\n"), (b"B", b"3\n C: 4\n")];
        assert_eq!(all, expected.map(|(name, value)| Field { name, value }));
    }
}
