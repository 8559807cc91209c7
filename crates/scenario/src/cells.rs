//! The truth to the row: which streams are behind what reports say in the same words.
//!
//! In: rows as they were reported, each with its flow. Out: one JSON object for each different (author domain, source, DKIM results, SPF
//! results, envelope sender, kinds of override), with the messages of every flow and class behind it over the whole time. The words are
//! those of the ledger's columns (`docs/reference/segments.md`). Memory grows with the number of different cells, not with days.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use report::{Day, Row, Text};
use serde::{Deserialize, Serialize};

use crate::flow::Class;
use crate::habit::Habit;
use crate::traffic::World;

/// One line of `truth-cells.jsonl.gz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Author domain.
    pub domain: Text,
    /// Where the messages came from.
    pub source: IpAddr,
    /// All signatures: `pass d=example.com s=s1; fail d=example.net`; empty where there is none.
    pub dkim: Text,
    /// All SPF checks: `pass mfrom example.com`.
    pub spf: Text,
    /// Envelope sender domain; empty for `<>`, `-` where the reporter does not say.
    pub envelope_from: Text,
    /// Kinds of override, sorted, joined with `,`.
    pub overrides: Text,
    /// Who is behind it.
    pub truth: Vec<Behind>,
}

/// One flow's part of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The flow, as in `truth.jsonl`.
    pub flow: Text,
    /// What the messages truly are.
    pub class: Class,
    /// Messages over the whole time.
    pub messages: u64,
    /// The first day with a report of it.
    pub first_day: Day,
}

/// Texts once, by number.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Text, u32>,
    texts: Vec<Text>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Text::new(text));
        self.numbers.insert(Text::new(text), number);
        number
    }

    fn text(&self, number: u32) -> Text {
        self.texts.get(number as usize).cloned().unwrap_or_default()
    }
}

/// Author domain, source, then the numbers of the four texts.
type Key = (usize, IpAddr, [u32; 4]);

/// Messages, and the first day.
type Seen = (u64, Day);

/// What was reported so far.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    texts: Texts,
    seen: HashMap<Key, BTreeMap<(usize, Class), Seen>>,
    scratch: String,
}

impl Cells {
    /// A row is in a report that stands.
    pub(crate) fn reported(
        &mut self,
        (flow, class): (usize, Class),
        author: usize,
        day: Day,
        row: &Row,
        habit: &Habit,
    ) {
        let scratch = &mut self.scratch;
        dkim(row, habit, scratch);
        let dkim = self.texts.number(scratch);
        spf(row, habit, scratch);
        let spf = self.texts.number(scratch);
        let says = !habit.drop.contains(&"envelope_from");
        let envelope = self.texts.number(row.envelope_from.as_deref().filter(|_| says).unwrap_or("-"));
        overrides(row, scratch);
        let overrides = self.texts.number(scratch);
        let key = (author, row.source, [dkim, spf, envelope, overrides]);
        self.seen.entry(key).or_default().entry((flow, class)).or_insert((0, day)).0 += row.count;
    }

    /// Writes one line a cell, in an order that depends on nothing but what is in them.
    pub(crate) fn write(&self, out: &mut dyn Write, world: &World) -> io::Result<()> {
        let mut keys: Vec<&Key> = self.seen.keys().collect();
        let texts = |key: &Key| key.2.map(|number| self.texts.texts.get(number as usize));
        keys.sort_unstable_by(|a, b| (a.0, a.1, texts(a)).cmp(&(b.0, b.1, texts(b))));
        for key in keys {
            let [dkim, spf, envelope_from, overrides] = key.2.map(|number| self.texts.text(number));
            let truth = self.seen[key].iter().map(|(&(flow, class), &(messages, first_day))| Behind {
                flow: world.flows[flow].id.clone(),
                class,
                messages,
                first_day,
            });
            let domain = world.estate.domains[key.0].name.clone();
            let cell = Cell { domain, source: key.1, dkim, spf, envelope_from, overrides, truth: truth.collect() };
            serde_json::to_writer(&mut *out, &cell)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn separate(out: &mut String, with: &str) {
    if !out.is_empty() {
        out.push_str(with);
    }
}

fn dkim(row: &Row, habit: &Habit, out: &mut String) {
    out.clear();
    for one in &row.dkim {
        separate(out, "; ");
        let _infallible = write!(out, "{} d={}", one.result.word(), one.domain);
        if let Some(selector) = one.selector.as_ref().filter(|_| !habit.drop.contains(&"selector")) {
            let _infallible = write!(out, " s={selector}");
        }
    }
}

fn spf(row: &Row, habit: &Habit, out: &mut String) {
    out.clear();
    for one in &row.spf {
        separate(out, "; ");
        out.push_str(one.result.word());
        if let Some(scope) = one.scope.filter(|_| !habit.drop.contains(&"scope")) {
            out.push(' ');
            out.push_str(scope.word());
        }
        let _infallible = write!(out, " {}", one.domain);
    }
}

fn overrides(row: &Row, out: &mut String) {
    out.clear();
    let mut kinds: Vec<&str> = row.overrides.iter().map(|reason| reason.kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        separate(out, ",");
        out.push_str(kind);
    }
}
