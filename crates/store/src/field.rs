//! The columns of a segment: their names, types and order in the file, one place for writer, reader and SQL.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};

use crate::Column;

/// A column of a segment. The discriminant is its position there.
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

/// The two orders in which rows are kept. What questions read of a file depends on its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SortedBy {
    /// A segment: all rows with all fields, sorted by author domain inside of days.
    Domain,
    /// What a segment holds, without reports and without what no question about a source asks for; sorted by source, equal rows added
    /// up.
    Source,
}

/// The last column of files sorted by source: how many rows each line stands for.
pub(crate) const ROWS: &str = "rows";

impl SortedBy {
    pub(crate) const BOTH: [Self; 2] = [Self::Domain, Self::Source];

    /// The fields of a file, in the order of its columns.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Domain => &Field::ALL,
            Self::Source => &[
                Field::Day,
                Field::Reporter,
                Field::Domain,
                Field::OrgDomain,
                Field::Source,
                Field::Messages,
                Field::Disposition,
                Field::Outcome,
                Field::DkimDomain,
                Field::DkimResult,
                Field::Dkim,
                Field::SpfDomain,
                Field::SpfResult,
                Field::Spf,
                Field::Overrides,
            ],
        }
    }

    /// The columns of a file. Nothing is ever null.
    pub(crate) fn schema(self) -> SchemaRef {
        static BY_DOMAIN: LazyLock<SchemaRef> = LazyLock::new(|| schema(SortedBy::Domain));
        static BY_SOURCE: LazyLock<SchemaRef> = LazyLock::new(|| schema(SortedBy::Source));
        match self {
            Self::Domain => BY_DOMAIN.clone(),
            Self::Source => BY_SOURCE.clone(),
        }
    }

    /// Fields by whose smallest and largest value on a page questions pass it over.
    pub(crate) fn pruned(self) -> &'static [Field] {
        match self {
            Self::Domain => &[Field::Day, Field::Domain, Field::OrgDomain, Field::Source],
            Self::Source => &[Field::Source],
        }
    }

    /// The position of a field's column in a file; behind all of them if it has none.
    pub(crate) fn position(self, field: Field) -> usize {
        self.fields().iter().position(|&f| f == field).unwrap_or(usize::MAX)
    }
}

fn schema(sorted: SortedBy) -> SchemaRef {
    let field = |f: &Field| ArrowField::new(f.name(), f.data_type(), false);
    let mut fields: Vec<ArrowField> = sorted.fields().iter().map(field).collect();
    if sorted == SortedBy::Source {
        fields.push(ArrowField::new(ROWS, DataType::UInt64, false));
    }
    Arc::new(Schema::new(fields))
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
