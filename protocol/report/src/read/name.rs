//! The element names of both generations, told apart by length first.

/// Makes the enum and both directions of its words.
macro_rules! names {
    ($($len:literal { $($variant:ident = $word:literal),+ $(,)? })+) => {
        /// An element of an aggregate report.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Name {
            $($($variant,)+)+
            /// Any other: an extension, junk, or a text in angle brackets.
            Unknown,
        }

        impl Name {
            /// The name of an element, without a prefix.
            #[inline]
            pub(super) fn of(name: &[u8]) -> Self {
                match name.len() {
                    $($len => $(if name == $word.as_bytes() { Self::$variant } else)+ { Self::Unknown },)+
                    _ => Self::Unknown,
                }
            }

            /// As it is written, without the angle brackets.
            #[inline]
            pub(super) fn word(self) -> &'static str {
                match self {
                    $($(Self::$variant => $word,)+)+
                    Self::Unknown => "unknown",
                }
            }
        }
    };
}

names! {
    1 { P = "p" }
    2 { Sp = "sp", Np = "np", Fo = "fo" }
    3 { End = "end", Pct = "pct", Row = "row", Spf = "spf" }
    4 { Aspf = "aspf", Dkim = "dkim", Type = "type" }
    5 { Email = "email", Begin = "begin", Error = "error", Adkim = "adkim", Count = "count", Scope = "scope" }
    6 { Domain = "domain", Record = "record", Reason = "reason", Result = "result" }
    7 { Version = "version", Testing = "testing", Comment = "comment" }
    8 { Feedback = "feedback", Organization = "org_name", Selector = "selector" }
    9 { ReportId = "report_id", Generator = "generator", SourceIp = "source_ip" }
    10 { DateRange = "date_range", Identities = "identities" }
    11 { Disposition = "disposition", Identifiers = "identifiers", HeaderFrom = "header_from", EnvelopeTo = "envelope_to" }
    12 { AuthResults = "auth_results", HumanResult = "human_result" }
    13 { EnvelopeFrom = "envelope_from" }
    15 { ReportMetadata = "report_metadata" }
    16 { PolicyPublished = "policy_published", DiscoveryMethod = "discovery_method", PolicyEvaluated = "policy_evaluated" }
    18 { ExtraContactInfo = "extra_contact_info" }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn each_name_is_found_at_its_length() {
        let words = "feedback version report_metadata org_name email extra_contact_info report_id date_range begin end error generator policy_published domain p sp np adkim aspf pct \
            fo testing discovery_method record row source_ip count policy_evaluated disposition dkim spf reason type comment identifiers header_from envelope_from envelope_to auth_results selector result scope human_result identities";
        for word in words.split(' ') {
            assert_eq!(Name::of(word.as_bytes()).word(), word);
        }
        assert_eq!(Name::of(b"dkin"), Name::Unknown);
    }
}
