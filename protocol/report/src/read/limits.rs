//! What the reader takes from strangers at most.

/// Limits of one report. Each number says why it is what it is; a breach is a named [`crate::Rejection`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of XML. Four gigabytes are seven million rows; the largest real reports known have a few megabytes.
    pub xml_bytes: u64,
    /// Rows. Ten million keep all sums far inside 64 bits, see [`Limits::count`].
    pub rows: u64,
    /// Messages of one row. The world sends about 4 × 10¹¹ mails a day, so 10¹² in one row is a mistake or an attack;
    /// and 10⁷ rows of 10¹² messages still add up inside 64 bits.
    pub count: u64,
    /// Bytes of one text or tag. The longest DNS TXT record fits, which is the longest thing anybody would quote.
    pub field_bytes: usize,
    /// Elements inside elements. A report needs six levels, its extensions a few more.
    pub nesting: usize,
    /// Signatures, SPF checks and reasons of one row, each; errors of one header.
    /// RFC 9990 §3.1.1.11 asks for at most 100 signatures; 200 have been seen.
    pub results: usize,
    /// Bytes of one row, or of the header with whatever rows stand before its end and have to be held back.
    /// 200 signatures take 17,000 bytes; no known reporter writes the header last.
    pub part_bytes: u64,
    /// Different source addresses counted exactly; [`crate::Totals::sources`] stays there. Twenty megabytes at most.
    pub sources: usize,
    /// The last second, since 1970 UTC, that a report may be about. Whoever knows the time sets it: a report about days to come is a
    /// mistake or an attack, and would make every "last 90 days" empty.
    pub latest: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml_bytes: 4 << 30,
            rows: 10_000_000,
            count: 1_000_000_000_000,
            field_bytes: 64 << 10,
            nesting: 32,
            results: 1_000,
            part_bytes: 1 << 20,
            sources: 900_000,
            latest: i64::MAX,
        }
    }
}
