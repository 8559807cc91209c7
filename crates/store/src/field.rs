//! The columns of a segment: their names, types and order in the file, one place for writer, reader and SQL.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};

use crate::Column;

/// A column of a segment. The discriminant is its position in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub(crate) enum Field {
    Day,
    Report,
    Reporter,
    Domain,
    OrgDomain,
    PolicyDomain,
    Source,
    Messages,
    Disposition,
    Outcome,
    DkimDomain,
    DkimSelector,
    DkimResult,
    Dkim,
    SpfDomain,
    SpfResult,
    Spf,
    EnvelopeFrom,
    EnvelopeTo,
    Overrides,
    OverrideComment,
    Policy,
}

impl Field {
    pub(crate) const ALL: [Self; 22] = [
        Self::Day,
        Self::Report,
        Self::Reporter,
        Self::Domain,
        Self::OrgDomain,
        Self::PolicyDomain,
        Self::Source,
        Self::Messages,
        Self::Disposition,
        Self::Outcome,
        Self::DkimDomain,
        Self::DkimSelector,
        Self::DkimResult,
        Self::Dkim,
        Self::SpfDomain,
        Self::SpfResult,
        Self::Spf,
        Self::EnvelopeFrom,
        Self::EnvelopeTo,
        Self::Overrides,
        Self::OverrideComment,
        Self::Policy,
    ];

    /// Its name in files and in SQL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Report => "report",
            Self::Reporter => "reporter",
            Self::Domain => "domain",
            Self::OrgDomain => "org_domain",
            Self::PolicyDomain => "policy_domain",
            Self::Source => "source",
            Self::Messages => "messages",
            Self::Disposition => "disposition",
            Self::Outcome => "outcome",
            Self::DkimDomain => "dkim_domain",
            Self::DkimSelector => "dkim_selector",
            Self::DkimResult => "dkim_result",
            Self::Dkim => "dkim",
            Self::SpfDomain => "spf_domain",
            Self::SpfResult => "spf_result",
            Self::Spf => "spf",
            Self::EnvelopeFrom => "envelope_from",
            Self::EnvelopeTo => "envelope_to",
            Self::Overrides => "overrides",
            Self::OverrideComment => "override_comment",
            Self::Policy => "policy",
        }
    }

    /// Whether it holds text; the others are numbers, days and addresses.
    pub(crate) fn is_text(self) -> bool {
        !matches!(self, Self::Day | Self::Report | Self::Source | Self::Messages)
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Day => DataType::Date32,
            Self::Report | Self::Messages => DataType::UInt64,
            Self::Source => DataType::FixedSizeBinary(16),
            // Few different values, many rows: readers get them as categories without looking at the text.
            _ => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        }
    }
}

/// The schema of every segment. Nothing is ever null.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let field = |f: Field| ArrowField::new(f.name(), f.data_type(), false);
        Arc::new(Schema::new(Field::ALL.into_iter().map(field).collect::<Vec<_>>()))
    });
    SCHEMA.clone()
}

impl Column {
    /// The column of a segment that this one is, or is computed from.
    pub(crate) fn field(self) -> Field {
        match self {
            Self::Day => Field::Day,
            Self::Report => Field::Report,
            Self::Reporter => Field::Reporter,
            Self::Domain => Field::Domain,
            Self::OrgDomain => Field::OrgDomain,
            Self::PolicyDomain => Field::PolicyDomain,
            Self::Source | Self::Network => Field::Source,
            Self::Disposition => Field::Disposition,
            Self::Outcome => Field::Outcome,
            Self::DkimDomain => Field::DkimDomain,
            Self::DkimSelector => Field::DkimSelector,
            Self::DkimResult => Field::DkimResult,
            Self::Dkim => Field::Dkim,
            Self::SpfDomain => Field::SpfDomain,
            Self::SpfResult => Field::SpfResult,
            Self::Spf => Field::Spf,
            Self::EnvelopeFrom => Field::EnvelopeFrom,
            Self::EnvelopeTo => Field::EnvelopeTo,
            Self::Overrides => Field::Overrides,
            Self::Policy => Field::Policy,
        }
    }
}
