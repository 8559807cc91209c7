//! Rows that lie in no ledger, judged by the same rules: for trying them out and for measuring them.
//!
//! In: rows as texts, as the ledger's columns have them. Out: flows. Nothing is kept.

use std::collections::BTreeMap;
use std::net::IpAddr;

use enrich::Catalogue;
use report::{Day, Disposition, Outcome, Text};
use store::organizational_domain;

use super::answers::FlowLine;
use super::assess::{AssessedFlow, Ground, InForce, OfOrganization as Judged, Organisation, assess};
use super::cell::RowTexts;
use super::class::FlowEvidence;
use super::day::{Kept, OfOrganization, Seen, number};
use super::fold::record;
use super::parts::CELLS;
use super::rules::Thresholds;
use super::snapshot::{FlowLimits, profiled};

/// A row as texts, or all rows of a day that look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow<'a> {
    /// The day.
    pub day: Day,
    /// The address.
    pub source: IpAddr,
    /// Author domain.
    pub domain: &'a str,
    /// All signatures, `pass d=example.com s=s1; fail d=…`.
    pub dkim: &'a str,
    /// All SPF checks, `pass mfrom example.com; none helo …`.
    pub spf: &'a str,
    /// Envelope sender domain: empty for `<>`, `-` where unknown.
    pub envelope_from: &'a str,
    /// Override kinds, joined with `,`.
    pub overrides: &'a str,
    /// What came of it.
    pub outcome: Outcome,
    /// What the receiver did.
    pub disposition: Disposition,
    /// Messages.
    pub messages: u64,
}

/// Rows, day by day.
#[derive(Default)]
pub struct Sheet {
    days: BTreeMap<Text, BTreeMap<Day, OfOrganization>>,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet").field("domains", &self.days.len()).finish()
    }
}

/// The packed cells of a sheet, by organizational domain, ascending.
#[derive(Debug, Clone)]
pub struct PackedSheet(Vec<(Text, Days)>);

type Days = Vec<(Day, Vec<u8>)>;

/// A flow as it was judged, with its evidence.
#[derive(Debug, Clone)]
pub struct JudgedFlow {
    /// The flow.
    pub line: FlowLine,
    /// What its verdict rests on.
    pub evidence: Vec<FlowEvidence>,
}

impl Sheet {
    /// Adds a row.
    pub fn add(&mut self, row: &SheetRow<'_>) {
        let of = self.days.entry(organizational_domain(row.domain)).or_default().entry(row.day).or_default();
        of.add(&Seen {
            texts: RowTexts {
                author: row.domain,
                dkim: row.dkim,
                spf: row.spf,
                envelope_from: row.envelope_from,
                overrides: row.overrides,
                outcome: row.outcome,
            },
            source: row.source,
            disposition: row.disposition,
            messages: row.messages,
            reporters: 1,
        });
    }

    /// Packs the rows as the ledger keeps them.
    #[must_use]
    pub fn packed(self) -> PackedSheet {
        let days = |days: BTreeMap<Day, OfOrganization>| days.into_iter().map(|(day, of)| (day, of.packed())).collect();
        PackedSheet(self.days.into_iter().map(|(name, of)| (name, days(of))).collect())
    }
}

impl PackedSheet {
    pub(crate) fn names(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The cells of an organizational domain.
    pub(crate) fn kept(&self, name: &Text) -> Kept {
        let days = self.0.binary_search_by(|(known, _)| known.cmp(name)).map(|at| self.0[at].1.as_slice());
        Kept::of(days.unwrap_or_default().iter().map(|(day, bytes)| (*day, bytes.as_slice())))
    }

    /// Judges the rows. `profiles` is what is known of the sources.
    #[must_use]
    pub fn judge(
        &self,
        organisation: &Organisation,
        catalogue: &Catalogue,
        profiles: &[enrich::Profile],
    ) -> Vec<JudgedFlow> {
        let names: Vec<Text> = self.names().cloned().collect();
        let mut ours: Vec<String> = names.iter().map(ToString::to_string).collect();
        ours.sort_unstable();
        let ground = Ground {
            organisation,
            catalogue,
            profiles: profiles
                .iter()
                .map(|profile| (number(profile.address), profiled(profile, &ours, organisation, catalogue)))
                .collect(),
            decided: InForce::default(),
            thresholds: Thresholds::default(),
            part: CELLS,
        };
        let read = |name: &Text| -> Result<Kept, std::convert::Infallible> { Ok(self.kept(name)) };
        let judged = |of: Judged, flows: Vec<AssessedFlow>| -> Vec<JudgedFlow> {
            let flow = |flow| {
                let record = record(&of.name, flow, FlowLimits::default());
                JudgedFlow { line: record.line, evidence: record.more.evidence }
            };
            flows.into_iter().map(flow).collect()
        };
        let Ok(found) = assess(&names, &ground, read, |_| Vec::new(), judged);
        let mut flows: Vec<JudgedFlow> = found.into_iter().flatten().collect();
        flows.sort_by(|a, b| b.line.messages.cmp(&a.line.messages).then_with(|| a.line.id.cmp(&b.line.id)));
        flows
    }
}
