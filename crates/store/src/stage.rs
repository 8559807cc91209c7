//! The staging area: rows on their way into a segment, column by column, texts as codes; about 90 bytes a row.
//!
//! In: rows of the report that is open. Out: columns for the segment writer. Rows at the end can be taken back. It knows nothing of
//! files and transactions.

use std::collections::HashMap;

use arrow_array::Array;
use report::{Day, Disposition, DkimResult, Outcome, Override, Report, Row, SpfResult, Text};

use crate::batch::{Batch, index};
use crate::field::Field;
use crate::names::Names;
use crate::organizational_domain;
use crate::telling::{self, UNKNOWN};

/// Position of a field in [`Stage::texts`].
pub(crate) fn text_slot(field: Field) -> usize {
    field as usize
}

/// Staged rows.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) names: Names,
    pub(crate) day: Vec<i32>,
    /// Position in [`Self::reports`].
    pub(crate) report: Vec<u32>,
    /// Address bytes as one number; IPv4 as mapped IPv6.
    pub(crate) source: Vec<u128>,
    pub(crate) messages: Vec<u64>,
    pub(crate) outcome: Vec<Outcome>,
    pub(crate) disposition: Vec<Disposition>,
    /// Codes, by field; those that are held elsewhere are empty here.
    texts: [Vec<u32>; 22],
    pub(crate) reports: Vec<StagedHeader>,
    /// Organizational domain by the code of the name; `NONE` where not asked for yet.
    org: Vec<u32>,
    last: Last,
    scratch: String,
}

/// What all rows of a report share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StagedHeader {
    /// The number of the report in the ledger.
    pub(crate) id: u64,
    /// Its rows do not count: another report with the same identity came after it.
    pub(crate) dead: bool,
    reporter: u32,
    policy_domain: u32,
    policy: u32,
}

const NONE: u32 = u32::MAX;

/// The row before: rows next to each other are alike, and comparing is cheaper than looking up.
#[derive(Default)]
struct Last {
    domain: Memo<Text, 1>,
    dkim: Memo<(Vec<DkimResult>, bool, u32), 4>,
    spf: Memo<Vec<SpfResult>, 3>,
    overrides: Memo<Vec<Override>, 2>,
    envelope_from: Memo<Option<Text>, 1>,
    envelope_to: Memo<Option<Text>, 1>,
}

/// A value and its codes.
struct Memo<T, const N: usize> {
    value: T,
    codes: Option<[u32; N]>,
}

impl<T: Default, const N: usize> Default for Memo<T, N> {
    fn default() -> Self {
        Self { value: T::default(), codes: None }
    }
}

/// The fields whose texts are held row by row.
const ROW_TEXTS: [Field; 12] = [
    Field::Domain,
    Field::DkimDomain,
    Field::DkimSelector,
    Field::DkimResult,
    Field::Dkim,
    Field::SpfDomain,
    Field::SpfResult,
    Field::Spf,
    Field::EnvelopeFrom,
    Field::EnvelopeTo,
    Field::Overrides,
    Field::OverrideComment,
];
/// Their codes in a row, in that order.
type Codes = [u32; ROW_TEXTS.len()];

impl Stage {
    pub(crate) fn len(&self) -> usize {
        self.day.len()
    }

    /// Bytes of the texts held.
    pub(crate) fn text_bytes(&self) -> usize {
        self.names.bytes()
    }

    /// Adds a report whose rows follow; gives its position.
    pub(crate) fn add_report(&mut self, report: &Report) -> u32 {
        let position = u32::try_from(self.reports.len()).unwrap_or(NONE);
        let reporter = self.names.code(&report.reporter.organization);
        let policy_domain = self.names.code(&report.policy.domain);
        let policy = self.names.code(telling::policy(&report.policy));
        self.reports.push(StagedHeader { id: 0, dead: false, reporter, policy_domain, policy });
        position
    }

    /// Adds a row of that report, once for each of its days.
    pub(crate) fn add_row(&mut self, report: u32, row: &Row, shares: impl IntoIterator<Item = (Day, u64)>) {
        let codes = self.codes(row);
        let (source, outcome) = (number(row.source), row.outcome());
        for (day, messages) in shares {
            self.outcome.push(outcome);
            self.disposition.push(row.disposition);
            self.day.push(day.0);
            self.report.push(report);
            self.source.push(source);
            self.messages.push(messages);
            for (field, code) in ROW_TEXTS.into_iter().zip(codes) {
                self.texts[text_slot(field)].push(code);
            }
        }
    }

    fn codes(&mut self, row: &Row) -> Codes {
        let [domain] = self.domain(row);
        let [dkim_domain, dkim_selector, dkim_result, dkim] = self.dkim(row, domain);
        let [spf_domain, spf_result, spf] = self.spf(row);
        let [overrides, comment] = self.overrides(row);
        let envelope_from = envelope(&mut self.names, &mut self.last.envelope_from, row.envelope_from.as_ref());
        let envelope_to = envelope(&mut self.names, &mut self.last.envelope_to, row.envelope_to.as_ref());
        [
            domain,
            dkim_domain,
            dkim_selector,
            dkim_result,
            dkim,
            spf_domain,
            spf_result,
            spf,
            envelope_from,
            envelope_to,
            overrides,
            comment,
        ]
    }

    fn domain(&mut self, row: &Row) -> [u32; 1] {
        let memo = &mut self.last.domain;
        if let Some(codes) = memo.codes.filter(|_| memo.value == row.author_domain) {
            return codes;
        }
        memo.value.clone_from(&row.author_domain);
        *memo.codes.insert([self.names.code(&row.author_domain)])
    }

    fn dkim(&mut self, row: &Row, domain: u32) -> [u32; 4] {
        let memo = &mut self.last.dkim;
        let same = memo.value.1 == row.dkim_aligned && memo.value.2 == domain && memo.value.0 == row.dkim;
        if let Some(codes) = memo.codes.filter(|_| same) {
            return codes;
        }
        memo.value.0.clone_from(&row.dkim);
        (memo.value.1, memo.value.2) = (row.dkim_aligned, domain);
        let names = &mut self.names;
        let telling = telling::dkim(row);
        telling::dkim_list(&row.dkim, &mut self.scratch);
        *memo.codes.insert([
            names.code(telling.map_or(UNKNOWN, |d| &d.domain)),
            names.code(telling.and_then(|d| d.selector.as_deref()).unwrap_or(UNKNOWN)),
            names.code(telling.map_or(UNKNOWN, |d| d.result.word())),
            names.code(&self.scratch),
        ])
    }

    fn spf(&mut self, row: &Row) -> [u32; 3] {
        let memo = &mut self.last.spf;
        if let Some(codes) = memo.codes.filter(|_| memo.value == row.spf) {
            return codes;
        }
        memo.value.clone_from(&row.spf);
        let telling = telling::spf(row);
        telling::spf_list(&row.spf, &mut self.scratch);
        *memo.codes.insert([
            self.names.code(telling.map_or(UNKNOWN, |s| &s.domain)),
            self.names.code(telling.map_or(UNKNOWN, |s| s.result.word())),
            self.names.code(&self.scratch),
        ])
    }

    fn overrides(&mut self, row: &Row) -> [u32; 2] {
        let memo = &mut self.last.overrides;
        if let Some(codes) = memo.codes.filter(|_| memo.value == row.overrides) {
            return codes;
        }
        memo.value.clone_from(&row.overrides);
        telling::overrides(&row.overrides, &mut self.scratch);
        let kinds = self.names.code(&self.scratch);
        telling::comments(&row.overrides, &mut self.scratch);
        *memo.codes.insert([kinds, self.names.code(&self.scratch)])
    }

    /// Adds rows read from a segment with all its fields. `slots` remembers the positions of their reports.
    pub(crate) fn add_batch(&mut self, batch: &Batch<'_>, rows: &[u32], slots: &mut HashMap<u64, u32>) {
        let at = |row: &u32| *row as usize;
        let (days, ids, messages) = (batch.days(), batch.numbers(Field::Report), batch.numbers(Field::Messages));
        let (keys, addresses) = batch.sources();
        self.day.extend(rows.iter().map(|row| days[at(row)]));
        self.messages.extend(rows.iter().map(|row| messages[at(row)]));
        self.source.extend(rows.iter().map(|row| addresses[index(keys[at(row)])]));
        if let Some((keys, texts)) = batch.texts(Field::Outcome) {
            let word = |text: Option<&str>| text.and_then(Outcome::from_word).unwrap_or(Outcome::Unauthenticated);
            let outcomes: Vec<Outcome> = texts.iter().map(word).collect();
            self.outcome.extend(rows.iter().map(|row| outcomes[index(keys[at(row)])]));
        }
        if let Some((keys, texts)) = batch.texts(Field::Disposition) {
            let word = |text: Option<&str>| text.and_then(Disposition::from_word).unwrap_or_default();
            let dispositions: Vec<Disposition> = texts.iter().map(word).collect();
            self.disposition.extend(rows.iter().map(|row| dispositions[index(keys[at(row)])]));
        }
        for field in ROW_TEXTS {
            let codes = self.translate(batch, rows, field);
            self.texts[text_slot(field)].extend(codes);
        }
        let of_report = [Field::Reporter, Field::PolicyDomain, Field::Policy].map(|f| self.translate(batch, rows, f));
        for (position, row) in rows.iter().enumerate() {
            let id = ids[at(row)];
            let slot = *slots.entry(id).or_insert_with(|| {
                let [reporter, policy_domain, policy] = [0, 1, 2].map(|which| of_report[which][position]);
                self.reports.push(StagedHeader { id, dead: false, reporter, policy_domain, policy });
                u32::try_from(self.reports.len() - 1).unwrap_or(NONE)
            });
            self.report.push(slot);
        }
    }

    /// The texts of a batch's column as codes of this stage.
    fn translate(&mut self, batch: &Batch<'_>, rows: &[u32], field: Field) -> Vec<u32> {
        let Some((keys, texts)) = batch.texts(field) else { return Vec::new() };
        let mut codes = vec![NONE; texts.len()];
        let mut code = |row: &u32| {
            let key = index(keys[*row as usize]);
            if codes[key] == NONE {
                codes[key] = self.names.code(texts.value(key));
            }
            codes[key]
        };
        rows.iter().map(&mut code).collect()
    }

    /// The code of a field's text in a row; not for outcome and disposition.
    pub(crate) fn text_code(&self, field: Field, row: usize) -> u32 {
        let header = || &self.reports[self.report[row] as usize];
        match field {
            Field::Reporter => header().reporter,
            Field::PolicyDomain => header().policy_domain,
            Field::Policy => header().policy,
            Field::OrgDomain => {
                let domain = self.texts[text_slot(Field::Domain)][row];
                self.org.get(domain as usize).copied().unwrap_or(NONE)
            }
            _ => self.texts[text_slot(field)][row],
        }
    }

    /// Author domains by row.
    pub(crate) fn domains(&self) -> &[u32] {
        &self.texts[text_slot(Field::Domain)]
    }

    /// Makes sure that the organizational domains of these author domains are known.
    pub(crate) fn resolve_org_domains(&mut self, domains: &[u32]) {
        for &domain in domains {
            if self.org.len() <= domain as usize {
                self.org.resize(domain as usize + 1, NONE);
            }
            if self.org[domain as usize] == NONE {
                let organizational = organizational_domain(self.names.text(domain));
                self.org[domain as usize] = self.names.code(&organizational);
            }
        }
    }

    /// The organizational domain of an author domain, once resolved.
    pub(crate) fn org_domain(&self, domain: u32) -> &Text {
        self.names.text(self.org[domain as usize])
    }

    /// Takes back all rows from `length` on.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.day.truncate(length);
        self.report.truncate(length);
        self.source.truncate(length);
        self.messages.truncate(length);
        self.outcome.truncate(length);
        self.disposition.truncate(length);
        for codes in &mut self.texts {
            codes.truncate(length);
        }
    }

    /// Forgets all rows and reports; and the texts too, if they have become many.
    pub(crate) fn clear(&mut self, keep_text_bytes: usize) {
        self.truncate(0);
        self.reports.clear();
        if self.text_bytes() > keep_text_bytes {
            self.names = Names::default();
            self.org.clear();
            self.last = Last::default();
        }
    }
}

fn envelope(names: &mut Names, memo: &mut Memo<Option<Text>, 1>, value: Option<&Text>) -> u32 {
    if let Some([code]) = memo.codes.filter(|_| memo.value.as_ref() == value) {
        return code;
    }
    memo.value = value.cloned();
    let code = names.code(value.map_or(UNKNOWN, Text::as_str));
    memo.codes = Some([code]);
    code
}

/// An address as one number that sorts as its 16 bytes do.
pub(crate) fn number(address: std::net::IpAddr) -> u128 {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        std::net::IpAddr::V6(v6) => v6.to_bits(),
    }
}
