//! Portal: pages and a JSON API over the ledger. Nothing here writes, looks anything up elsewhere, or knows SQL; files that are handed
//! in and decisions that are made go to whoever writes.
//!
//! | module | is |
//! | --- | --- |
//! | `serve` | connections: how many, how slow, how long |
//! | `web` | the router, what every response carries, who is let in |
//! | `program` | what the program that serves the portal knows beside the ledger |
//! | `site`, `api` | the tables of pages and of API routes; OpenAPI is made from the latter |
//! | `upload`, `decides`, `says` | files that are handed in, decisions that are made and what is said to alerts here, and the seams they leave by |
//! | `changes` | small requests that change something: only from pages of ours and from programs |
//! | `call`, `answer` | one request as handlers see it; answers that are no pages |
//! | `metrics` | how the program fares, for Prometheus |
//! | `ask`, `params`, `url`, `links` | the query as data and back; links that can only point to ourselves |
//! | `around`, `frame`, `rail`, `filters` | what every page is drawn with, and the frame around it |
//! | `pages` | one file a page: a pure function from an answer to a document |
//! | `draw` | SVG: charts, bars, sparklines |
//! | `figures`, `text`, `words`, `csv` | how numbers, strangers' texts, classes and tables are written |
//! | `assets` | style sheet, script and icon, in the binary |
//!
//! Everything in a report is an attacker's text: templates escape by construction, `text` shows what is hidden in it, `url`
//! keeps links at home, `csv` guards formulas, and the Content-Security-Policy allows nothing inline.

mod answer;
mod api;
mod around;
mod ask;
mod assets;
mod call;
mod changes;
mod csv;
mod decides;
mod draw;
mod figures;
mod filters;
#[cfg(test)]
mod fixtures;
mod frame;
mod links;
mod metrics;
mod pages;
mod params;
mod plan;
pub mod program;
mod rail;
mod says;
mod serve;
mod site;
mod text;
mod upload;
mod url;
mod web;
mod words;

pub use serve::{Limits, serve};
pub use upload::{Became, Inbox, Incoming, Later, Refusal, UploadLimits};
pub use web::{Options, router};
