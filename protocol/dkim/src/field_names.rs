//! The name of a header field, kept in place where it is as short as names are.
//!
//! In: bytes. Out: the same bytes. A signature names some twenty fields; a piece of memory for each would cost more than reading it.

use std::fmt;
use std::ops::Deref;

/// Bytes that are kept in place: the longest name in common use, `content-transfer-encoding`, has 25.
const SHORT_BYTES: usize = 30;

/// The name of a header field, as a signature names it.
#[derive(Clone)]
pub struct FieldName(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; SHORT_BYTES] },
    Long(Box<[u8]>),
}

impl From<&[u8]> for FieldName {
    fn from(name: &[u8]) -> Self {
        let mut bytes = [0; SHORT_BYTES];
        match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(kept), Ok(length)) => {
                kept.copy_from_slice(name);
                Self(Kept::Short { length, bytes })
            }
            _ => Self(Kept::Long(name.into())),
        }
    }
}

impl<const N: usize> From<[u8; N]> for FieldName {
    fn from(name: [u8; N]) -> Self {
        Self::from(&name[..])
    }
}

impl FieldName {
    /// The same in lower case; none where it is no name of a field. RFC 5322 §3.6.8: "field-name = 1*ftext". RFC 6376 §3.5 has
    /// semicolons end the list that names stand in.
    pub(crate) fn lower(name: &[u8]) -> Option<Self> {
        let odd =
            |bytes: &[u8]| bytes.iter().fold(0, |odd, b| odd | u8::from(!matches!(b, b'!'..=b'9' | b'<'..=b'~'))) != 0;
        // All of the room is looked at and lowered, which is one piece of work where a length would make it many.
        let mut bytes = [b'a'; SHORT_BYTES];
        let (kept, is_odd) = match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(kept), Ok(length)) => {
                kept.copy_from_slice(name);
                let is_odd = odd(&bytes);
                bytes.make_ascii_lowercase();
                (Kept::Short { length, bytes }, is_odd)
            }
            _ => (Kept::Long(name.to_ascii_lowercase().into()), odd(name)),
        };
        (!name.is_empty() && !is_odd).then_some(Self(kept))
    }
}

impl Deref for FieldName {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for FieldName {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for FieldName {}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_names() {
        for length in [0, 1, 25, 29, 30, 31, 300] {
            let name = vec![b'A'; length];
            assert_eq!(*FieldName::from(&name[..]), name);
            assert_eq!(FieldName::lower(&name).as_deref(), (length > 0).then(|| vec![b'a'; length]).as_deref());
            assert_eq!(FieldName::from(&name[..]), FieldName::from(&name[..]).clone());
        }
        assert_ne!(FieldName::from(&b"to"[..]), FieldName::from(&b"to\0"[..]));
        for length in [1, 29, 30, 31, 300] {
            for odd in *b" :;\0\t\x7f\xff" {
                for place in [0, length - 1] {
                    let mut name = vec![b'A'; length];
                    name[place] = odd;
                    assert_eq!(FieldName::lower(&name), None, "{odd} at {place} of {length}");
                }
            }
        }
        assert_eq!(format!("{:?}", FieldName::from(&b"to"[..])), "\"to\"");
    }
}
