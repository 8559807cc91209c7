//! How much one evaluation may ask and answer (RFC 7208 §4.6.4, §11.1).

/// Limits of one evaluation. Time is not among them: the [`dns::Lookup`] answers `Timeout` when it is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Terms that ask DNS. RFC 7208 §4.6.4: "implementations MUST limit the total number of those terms to 10 during SPF evaluation".
    pub lookups_max: u16,
    /// Questions without an answer. RFC 7208 §4.6.4: "SHOULD limit "void lookups" to two. An implementation MAY choose to make such a
    /// limit configurable."
    pub voids_max: u16,
    /// Hosts of one `mx`; more are a permanent error. RFC 7208 §4.6.4: "MUST NOT result in querying more than 10 address records".
    pub mx_hosts_max: usize,
    /// Names of one address that `ptr` and `%{p}` look at; RFC 7208 §4.6.4: "all records other than the first 10 MUST be ignored".
    pub ptr_names_max: usize,
    /// Bytes of an explanation once its macros are expanded: it goes into one SMTP reply, and a hostile record could make it huge.
    pub explanation_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lookups_max: 10, voids_max: 2, mx_hosts_max: 10, ptr_names_max: 10, explanation_bytes_max: 1000 }
    }
}
