//! How well somebody told the streams apart: their answers beside the truth, in messages.
//!
//! In: a folder that [`crate::generate()`] wrote, and an answer for the rows of each day, in the order of days, in the words of the ledger's
//! columns. Out: a confusion matrix, precision and recall, and the worst mistakes. Nothing here knows how answers come about.
//!
//! A campaign is a third party that is not set up: nobody could say more from outside. Of what nobody can place, every answer is
//! accepted but `spoofer`; it counts for no other class.

mod text;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use report::Text;
use serde::Serialize;

use crate::cells::{Behind, Cell};
use crate::flow::Class;

/// The answer for what nobody can be named for.
pub const UNKNOWN: &str = "unknown";
const SPOOFER: &str = "spoofer";

/// Mistakes that are kept in a [`Score`].
const WORST: usize = 20;

/// The classes that are asked for, each with the true ones that it stands for.
pub const ASKED: [&str; 7] = [
    "own",
    "own_misconfigured",
    "third_party",
    "third_party_unaligned",
    "forwarder_intact",
    "forwarder_broken",
    SPOOFER,
];

/// The right answer for a true class.
#[must_use]
pub const fn expected(class: Class) -> &'static str {
    match class {
        Class::Own => ASKED[0],
        Class::OwnMisconfigured => ASKED[1],
        Class::ThirdParty => ASKED[2],
        Class::ThirdPartyUnaligned | Class::Campaign => ASKED[3],
        Class::ForwarderIntact => ASKED[4],
        Class::ForwarderBroken => ASKED[5],
        Class::Spoofer => SPOOFER,
        Class::Unidentified => UNKNOWN,
    }
}

/// Why there is no truth.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; `lamppost scenario generate --out DIR` writes it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of it is something else.
    #[error("{}, line {line}: {problem}; it was not written by this version", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: serde_json::Error,
    },
}

/// What rows say, as the ledger's columns have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Words {
    domain: Text,
    source: IpAddr,
    dkim: Text,
    spf: Text,
    envelope_from: Text,
    overrides: Text,
}

/// One answer: what the messages of rows that look alike were taken for.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Author domain.
    pub domain: &'a str,
    /// Source.
    pub source: IpAddr,
    /// All signatures.
    pub dkim: &'a str,
    /// All SPF checks.
    pub spf: &'a str,
    /// Envelope sender domain; empty for `<>`, `-` where unknown.
    pub envelope_from: &'a str,
    /// Kinds of override.
    pub overrides: &'a str,
    /// Messages.
    pub messages: u64,
    /// One of [`ASKED`], or `unknown`.
    pub class: &'a str,
    /// The rule that decided.
    pub rule: &'a str,
    /// Why, for people.
    pub why: &'a str,
}

/// Answers and truth, side by side.
#[derive(Debug)]
pub struct Scorer {
    truth: HashMap<Words, VecDeque<Behind>>,
    matrix: BTreeMap<Class, BTreeMap<Text, u64>>,
    mistakes: HashMap<(Text, Class, Text, Text), Mistake>,
    unexpected: u64,
}

/// The truth to the row, from a folder that `generate` wrote.
///
/// # Errors
/// If the truth cannot be read.
pub fn truth_cells(folder: &Path) -> Result<Vec<Cell>, TruthError> {
    let path = folder.join("truth-cells.jsonl.gz");
    let read = |source| TruthError::Read { path: path.clone(), source };
    let lines = BufReader::new(GzDecoder::new(File::open(&path).map_err(read)?)).lines();
    let mut cells = Vec::new();
    for (line, number) in lines.zip(1..) {
        let line = line.map_err(read)?;
        let problem = |problem| TruthError::Line { path: path.clone(), line: number, problem };
        cells.push(serde_json::from_str(&line).map_err(problem)?);
    }
    Ok(cells)
}

impl Scorer {
    /// Reads the truth of a folder.
    ///
    /// # Errors
    /// If it is not there, or something else.
    pub fn open(folder: &Path) -> Result<Self, TruthError> {
        Ok(Self::new(truth_cells(folder)?))
    }

    /// Takes the truth as it is.
    #[must_use]
    pub fn new(cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut truth: HashMap<Words, VecDeque<Behind>> = HashMap::new();
        for cell in cells {
            let Cell { domain, source, dkim, spf, envelope_from, overrides, truth: mut behind } = cell;
            behind.sort_by_key(|behind| behind.first_day);
            truth.insert(Words { domain, source, dkim, spf, envelope_from, overrides }, behind.into());
        }
        Self { truth, matrix: BTreeMap::new(), mistakes: HashMap::new(), unexpected: 0 }
    }

    /// Enters an answer. Answers come in the order of days: where the same words mean first this and then that, the first answers are
    /// held against what was there first. Of several at the same time each gets its number, in the same order.
    pub fn answer(&mut self, answer: &Answer<'_>) {
        let words = Words {
            domain: answer.domain.into(),
            source: answer.source,
            dkim: answer.dkim.into(),
            spf: answer.spf.into(),
            envelope_from: answer.envelope_from.into(),
            overrides: answer.overrides.into(),
        };
        let mut left = answer.messages;
        let Some(truth) = self.truth.get_mut(&words) else {
            self.unexpected += left;
            return;
        };
        while let Some(behind) = truth.front_mut().filter(|_| left > 0) {
            let messages = left.min(behind.messages);
            left -= messages;
            behind.messages -= messages;
            *self.matrix.entry(behind.class).or_default().entry(answer.class.into()).or_default() += messages;
            if !accepted(behind.class, answer.class) && messages > 0 {
                let key = (behind.flow.clone(), behind.class, Text::new(answer.class), Text::new(answer.rule));
                let mistake = self.mistakes.entry(key).or_insert_with(|| Mistake::of(behind, answer));
                mistake.messages += messages;
            }
            if behind.messages == 0 {
                truth.pop_front();
            }
        }
        self.unexpected += left;
    }

    /// What it adds up to.
    #[must_use]
    pub fn finish(self) -> Score {
        let unanswered = self.truth.values().flatten().map(|behind| behind.messages).sum();
        let mut worst: Vec<Mistake> = self.mistakes.into_values().collect();
        worst.sort_by(|a, b| (b.messages, &a.flow, &a.called, &a.rule).cmp(&(a.messages, &b.flow, &b.called, &b.rule)));
        worst.truncate(WORST);
        let classes = ASKED.map(|class| ClassScore::of(class, &self.matrix)).into();
        let total: u64 = self.matrix.values().flat_map(BTreeMap::values).sum();
        let unknown: u64 = self.matrix.values().filter_map(|called| called.get(UNKNOWN)).sum();
        Score {
            messages: total,
            unknown,
            unknown_share: share(unknown, total),
            unanswered,
            unexpected: self.unexpected,
            classes,
            matrix: self.matrix,
            worst,
        }
    }
}

fn accepted(class: Class, called: &str) -> bool {
    match class {
        Class::Unidentified => called != SPOOFER,
        class => called == expected(class),
    }
}

/// How well it was told apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Messages with an answer and a truth.
    pub messages: u64,
    /// Messages that were called `unknown`.
    pub unknown: u64,
    /// Their share.
    pub unknown_share: Option<f64>,
    /// Messages of the truth that nobody answered for: reports that were not taken in.
    pub unanswered: u64,
    /// Messages answered for that the truth does not have: other reports are in the ledger too.
    pub unexpected: u64,
    /// Of each class that is asked for.
    pub classes: Vec<ClassScore>,
    /// True class, then what it was called: messages.
    pub matrix: BTreeMap<Class, BTreeMap<Text, u64>>,
    /// The largest mistakes, at most twenty.
    pub worst: Vec<Mistake>,
}

/// One class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScore {
    /// Which.
    pub class: &'static str,
    /// Messages that truly are of it.
    pub truly: u64,
    /// Messages that were called so.
    pub called: u64,
    /// Messages of both.
    pub right: u64,
    /// Of those called so, the part that is.
    pub precision: Option<f64>,
    /// Of those that are, the part called so.
    pub recall: Option<f64>,
}

impl ClassScore {
    fn of(class: &'static str, matrix: &BTreeMap<Class, BTreeMap<Text, u64>>) -> Self {
        let (mut truly, mut called, mut right) = (0, 0, 0);
        for (truth, answers) in matrix {
            let here = answers.get(class).copied().unwrap_or(0);
            // What nobody can place may be called anything but this.
            if *truth != Class::Unidentified || class == SPOOFER {
                called += here;
            }
            if expected(*truth) == class {
                truly += answers.values().sum::<u64>();
                right += here;
            }
        }
        Self { class, truly, called, right, precision: share(right, called), recall: share(right, truly) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of messages; nobody counts 2^52 of them")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Messages of one flow that were called something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The flow, as in `truth.jsonl`.
    pub flow: Text,
    /// What it truly is.
    pub truth: Class,
    /// What it was called.
    pub called: Text,
    /// By which rule.
    pub rule: Text,
    /// Messages.
    pub messages: u64,
    /// The first of them: author domain and source.
    pub example: (Text, IpAddr),
    /// What was said about that one.
    pub why: String,
}

impl Mistake {
    fn of(behind: &Behind, answer: &Answer<'_>) -> Self {
        Self {
            flow: behind.flow.clone(),
            truth: behind.class,
            called: answer.class.into(),
            rule: answer.rule.into(),
            messages: 0,
            example: (answer.domain.into(), answer.source),
            why: answer.why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn cell(spf: &str, truth: &[(&str, Class, u64, i32)]) -> Cell {
        let behind = |(flow, class, messages, day): &(&str, Class, u64, i32)| Behind {
            flow: Text::new(flow),
            class: *class,
            messages: *messages,
            first_day: report::Day(*day),
        };
        let [domain, dkim, envelope_from, overrides] = ["a.example", "", "-", ""].map(Text::new);
        Cell {
            domain,
            source: SOURCE,
            dkim,
            spf: spf.into(),
            envelope_from,
            overrides,
            truth: truth.iter().map(behind).collect(),
        }
    }

    fn answer<'a>(spf: &'a str, messages: u64, class: &'a str) -> Answer<'a> {
        let (domain, source) = ("a.example", SOURCE);
        Answer {
            domain,
            source,
            dkim: "",
            spf,
            envelope_from: "-",
            overrides: "",
            messages,
            class,
            rule: "r1",
            why: "because",
        }
    }

    #[test]
    fn answers_are_held_against_the_truth_in_the_order_of_days() {
        let mut scorer = Scorer::new([
            cell("one", &[("later", Class::Own, 30, 9), ("first", Class::OwnMisconfigured, 10, 1)]),
            cell("two", &[("crime", Class::Spoofer, 50, 1)]),
            cell("three", &[("nobody", Class::Unidentified, 4, 1), ("bulk", Class::Campaign, 6, 2)]),
            cell("four", &[("lost", Class::ThirdParty, 5, 1)]),
        ]);
        scorer.answer(&answer("one", 10, "own_misconfigured"));
        scorer.answer(&answer("one", 25, "own"));
        scorer.answer(&answer("one", 5, "spoofer"));
        scorer.answer(&answer("two", 45, "spoofer"));
        scorer.answer(&answer("two", 5, "unknown"));
        scorer.answer(&answer("three", 4, "own"));
        scorer.answer(&answer("three", 8, "third_party_unaligned"));
        scorer.answer(&answer("five", 3, "own"));
        let score = scorer.finish();
        assert_eq!((score.messages, score.unknown, score.unanswered, score.unexpected), (100, 5, 5, 5));
        let of = |class: &str| {
            score.classes.iter().find(|one| one.class == class).map(|one| (one.truly, one.called, one.right))
        };
        assert_eq!(of("own"), Some((30, 25, 25)), "what nobody can place may be called anything");
        assert_eq!(of("own_misconfigured"), Some((10, 10, 10)));
        assert_eq!(of("spoofer"), Some((50, 50, 45)));
        assert_eq!(of("third_party_unaligned"), Some((6, 6, 6)), "so is a campaign");
        assert_eq!(score.classes[6].precision, Some(0.9));
        let worst: Vec<(&str, &str, u64)> =
            score.worst.iter().map(|m| (m.flow.as_str(), m.called.as_str(), m.messages)).collect();
        assert_eq!(worst, [("crime", "unknown", 5), ("later", "spoofer", 5)]);
        let text = score.to_string();
        assert!(text.contains("90.00 %"), "{text}");
        assert!(text.contains("crime (spoofer) called unknown by r1"), "{text}");
        assert!(text.contains("5 more are in the truth") && text.contains("5 more are in the ledger"), "{text}");
    }

    #[test]
    fn a_spoofer_must_not_be_somebody_nobody_knows() {
        let mut scorer = Scorer::new([cell("one", &[("nobody", Class::Unidentified, 10, 1)])]);
        scorer.answer(&answer("one", 10, "spoofer"));
        let score = scorer.finish();
        assert_eq!((score.classes[6].called, score.classes[6].right, score.worst.len()), (10, 0, 1));
    }
}
