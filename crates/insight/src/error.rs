//! Why a question could not be answered.

/// What can go wrong while answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A decision that makes no sense.
    #[error("the decision was not taken down: {what}")]
    Decision {
        /// Why.
        what: String,
    },
    /// A preview or a question about readiness that makes no sense, or needs what is not known here.
    #[error("{what}")]
    WhatIf {
        /// What, and what to do.
        what: String,
    },
    /// The raw copy of a report could not be read back.
    #[error("the raw copy of report {report} cannot be read back: {source}")]
    Raw {
        /// The report.
        report: u64,
        /// Why.
        source: std::io::Error,
    },
}
