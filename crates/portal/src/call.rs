//! One request as the pages and the API see it, and what can come of it.
//!
//! In: the ledger, what is around, the path's parameters, the query. Out: a [`Reply`] or a [`Failure`]. Handlers are plain
//! functions that may block: the web layer runs them off the reactor.

use std::net::IpAddr;

use insight::{OwnerAnswer, Period, Scope};
use maud::Markup;
use report::Text;
use schemars::JsonSchema;
use serde::Serialize;
use store::Ledger;

use crate::around::Around;
use crate::ask::{Ask, BadQuery, EVER};
use crate::pages::Here;
use crate::program::{Collecting, DirectoryState, Learning, Program};
use crate::url::Url;

/// A request.
pub(crate) struct Call<'a> {
    /// Where the answers come from.
    pub(crate) ledger: &'a Ledger,
    /// What the program knows beside it.
    pub(crate) program: &'a Program,
    /// What every page is drawn with.
    pub(crate) around: &'a Around,
    /// The query.
    pub(crate) ask: Ask,
    /// The path's parameters, decoded, in order.
    pub(crate) path: Vec<String>,
}

/// An answer.
pub(crate) enum Reply {
    /// A page.
    Page(Markup),
    /// A table to be saved.
    Csv(&'static str, String),
    /// Text of a stranger, to be saved and never to be shown by the browser.
    Attachment(String, Vec<u8>),
    /// Go there instead.
    Elsewhere(Url),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The query cannot be answered.
    #[error(transparent)]
    Query(#[from] BadQuery),
    /// A part of the path is not what it should be.
    #[error("“{value}” is no {what}.")]
    Path {
        /// What it should be.
        what: &'static str,
        /// As given, cut.
        value: String,
    },
    /// There is no such thing.
    #[error("There is no {0}.")]
    Missing(String),
    /// What is asked makes no sense, or needs what is not known here.
    #[error("{0}")]
    Plan(String),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(insight::Error),
}

impl From<insight::Error> for Failure {
    fn from(error: insight::Error) -> Self {
        match error {
            insight::Error::WhatIf { what } => Self::Plan(what),
            other => Self::Ledger(other),
        }
    }
}

/// What the directory answers, and how it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OwnersFound {
    /// How the directory is loaded; absent where none is configured.
    pub(crate) directory: Option<DirectoryState>,
    /// Who may be behind the address; absent where none was asked about, or nothing is loaded yet.
    pub(crate) answer: Option<OwnerAnswer>,
}

impl Call<'_> {
    /// How learning about sources goes; nothing where the program does not learn.
    pub(crate) fn learning(&self) -> Option<Learning> {
        self.program.learning.as_ref().map(|tell| tell())
    }

    /// How the sources of reports fare.
    pub(crate) fn collecting(&self) -> Collecting {
        self.program.collecting.as_ref().map(|tell| tell()).unwrap_or_default()
    }

    /// Who may be behind what was asked.
    pub(crate) fn owners(&self) -> OwnersFound {
        let asked = self.ask.q.as_deref().filter(|asked| !asked.is_empty());
        let directory = self.program.directory.as_ref();
        OwnersFound {
            directory: directory.map(|directory| (directory.state)()),
            answer: directory.zip(asked).and_then(|(directory, asked)| (directory.find)(asked)),
        }
    }

    /// What a page is drawn with.
    pub(crate) fn here(&self) -> Here<'_> {
        Here { around: self.around, ask: &self.ask }
    }

    /// The scope that is asked of the ledger: an open end of a period is the ledger's own.
    pub(crate) fn scope(&self) -> Scope {
        let mut scope = self.ask.scope.clone();
        if let (Period::Days(since, until), Some(days)) = (scope.period, self.around.resolve(scope.period))
            && (since == EVER.0 || until == EVER.1)
        {
            scope.period = Period::Days(days.0, days.1);
        }
        scope
    }

    /// The address in the path.
    pub(crate) fn address(&self) -> Result<IpAddr, Failure> {
        let text = self.path.first().map_or("", String::as_str);
        text.parse::<IpAddr>()
            .map(|address| address.to_canonical())
            .map_err(|_| Failure::Path { what: "IPv4 or IPv6 address", value: text.chars().take(60).collect() })
    }

    /// The number of a report or sample in the path.
    pub(crate) fn id(&self) -> Result<u64, Failure> {
        let text = self.path.first().map_or("", String::as_str);
        text.parse()
            .map_err(|_| Failure::Path { what: "number of a report or sample", value: text.chars().take(60).collect() })
    }

    /// The domain in the path.
    pub(crate) fn domain(&self) -> Text {
        Text::new(self.path.first().map_or("", String::as_str).trim_end_matches('.').to_lowercase())
    }
}
