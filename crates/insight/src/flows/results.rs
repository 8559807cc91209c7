//! How SPF and DKIM came out for the messages of a flow, one beside the other.
//!
//! In: shapes of cells. Out: [`FlowResult`]s, the commonest first. What receivers did about it is not told here.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::{Cell, Own, Spf};

/// How SPF came out, as far as DMARC cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpfSeen {
    /// It passed for a name that fits the author domain.
    Aligned,
    /// It passed for another name.
    Elsewhere,
    /// `fail` or `softfail`.
    Fails,
    /// No record, no opinion, or the report does not say.
    Nothing,
    /// `permerror` or `temperror`: it could not be worked out.
    Error,
}

/// How DKIM came out, as far as DMARC cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DkimSeen {
    /// A signature that fits the author domain verified.
    Aligned,
    /// One is there and did not verify.
    Broken,
    /// Somebody else's verified.
    Elsewhere,
    /// There is none.
    Nothing,
}

/// One combination of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowResult {
    /// SPF.
    pub spf: SpfSeen,
    /// DKIM.
    pub dkim: DkimSeen,
    /// Messages.
    pub messages: u64,
    /// Of these: fail DMARC.
    pub failing: u64,
}

impl SpfSeen {
    /// All, the best first.
    pub const ALL: [Self; 5] = [Self::Aligned, Self::Elsewhere, Self::Fails, Self::Nothing, Self::Error];
}

impl DkimSeen {
    /// All, the best first.
    pub const ALL: [Self; 4] = [Self::Aligned, Self::Broken, Self::Elsewhere, Self::Nothing];
}

/// Messages by results; most flows have one or two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Results(Vec<FlowResult>);

impl Results {
    pub(crate) fn add(&mut self, cell: &Cell, messages: u64) {
        let shape = cell.shape;
        let spf = match shape.spf() {
            _ if shape.spf_aligned() => SpfSeen::Aligned,
            Spf::Pass => SpfSeen::Elsewhere,
            Spf::Fail | Spf::SoftFail => SpfSeen::Fails,
            Spf::Neutral | Spf::None | Spf::Unsaid => SpfSeen::Nothing,
            Spf::TempError | Spf::PermError => SpfSeen::Error,
        };
        let dkim = match shape.own() {
            Own::Pass => DkimSeen::Aligned,
            Own::Broken | Own::Temporary => DkimSeen::Broken,
            Own::Absent if cell.other != 0 => DkimSeen::Elsewhere,
            Own::Absent => DkimSeen::Nothing,
        };
        let failing = if shape.passes() { 0 } else { messages };
        add(&mut self.0, FlowResult { spf, dkim, messages, failing });
    }

    /// Adds those of other messages.
    pub(crate) fn plus(&mut self, more: &Self) {
        more.0.iter().for_each(|line| add(&mut self.0, *line));
    }

    /// Those there are, most messages first.
    pub(crate) fn lines(&self) -> Vec<FlowResult> {
        let mut lines: Vec<_> = self.0.iter().filter(|line| line.messages > 0).copied().collect();
        sort(&mut lines);
        lines
    }
}

fn add(lines: &mut Vec<FlowResult>, more: FlowResult) {
    match lines.iter_mut().find(|line| (line.spf, line.dkim) == (more.spf, more.dkim)) {
        Some(line) => {
            line.messages = line.messages.saturating_add(more.messages);
            line.failing = line.failing.saturating_add(more.failing);
        }
        None => lines.push(more),
    }
}

/// Most messages first; of equals the best.
fn sort(lines: &mut [FlowResult]) {
    lines.sort_unstable_by_key(|line| (Reverse(line.messages), line.spf, line.dkim));
}

/// Adds the lines of another flow.
pub(crate) fn add_lines(lines: &mut Vec<FlowResult>, more: &[FlowResult]) {
    for one in more {
        add(lines, *one);
    }
    sort(lines);
}
