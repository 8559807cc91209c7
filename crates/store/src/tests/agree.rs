//! Whatever happens to a ledger, it answers every question as a plain table of the same rows does, from rollups and from segments.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use report::{Day, Disposition, Outcome, Rejection, RejectionKind};

use super::model::{self, Model};
use super::support::{DAY, Dice, EPOCH, Whole, directory, parse, report, row};
use crate::disk::Disk;
use crate::ledger::Tuning;
use crate::segment_write::Layout;
use crate::staged::Batching;
use crate::{
    Column, Condition, Direction, Intake, KeptState, Key, Ledger, Measure, Question, RawKey, Test, Value, compact,
    plan, rollup,
};

const COLUMNS: [Column; 20] = [
    Column::Day,
    Column::Report,
    Column::Reporter,
    Column::Domain,
    Column::OrgDomain,
    Column::PolicyDomain,
    Column::Source,
    Column::Network,
    Column::Disposition,
    Column::Outcome,
    Column::DkimDomain,
    Column::DkimSelector,
    Column::DkimResult,
    Column::Dkim,
    Column::SpfDomain,
    Column::SpfResult,
    Column::Spf,
    Column::EnvelopeFrom,
    Column::EnvelopeTo,
    Column::Overrides,
];
/// Those that the rollup knows.
const ROLLED_UP: [Column; 5] = [Column::Day, Column::Domain, Column::OrgDomain, Column::Disposition, Column::Outcome];

/// Those that files sorted by source have.
const OF_SOURCES: [Column; 13] = [
    Column::Day,
    Column::Reporter,
    Column::Domain,
    Column::OrgDomain,
    Column::Source,
    Column::Network,
    Column::Disposition,
    Column::Outcome,
    Column::DkimDomain,
    Column::Dkim,
    Column::SpfResult,
    Column::Spf,
    Column::Overrides,
];

/// A ledger, and what should be in it.
struct Pair {
    dir: tempfile::TempDir,
    ledger: Ledger,
    model: Model,
    oldest: Day,
    /// What was in each item.
    items: HashMap<RawKey, Vec<Whole>>,
    batching: Batching,
    nonce: u64,
}

impl Pair {
    fn new(dice: &mut Dice) -> Self {
        let dir = directory();
        let ledger = open(dir.path());
        let batching = Batching {
            reports: 1 + usize::try_from(dice.below(30)).unwrap(),
            // Small enough that some reports, and some items, are larger than a batch.
            rows: 20 + usize::try_from(dice.below(200)).unwrap(),
            text_bytes: if dice.one_in(3) { 8_000 } else { 48 << 20 },
            age: Duration::MAX,
        };
        Self { dir, ledger, model: Model::default(), oldest: Day(i32::MIN), items: HashMap::new(), batching, nonce: 0 }
    }

    /// One thing that happens.
    fn step(&mut self, dice: &mut Dice) {
        match dice.below(12) {
            0 => drop(compact::compact(&self.ledger.inner, 10 + dice.below(2_000)).unwrap()),
            1 => self.reopen(),
            2 if dice.one_in(2) => self.rebuild(),
            3 if dice.one_in(4) => {
                let oldest = Day::of(EPOCH).plus(i32::try_from(dice.below(8)).unwrap());
                self.oldest = self.oldest.max(oldest);
                self.ledger.retain(oldest).unwrap();
                self.model.retain(oldest);
            }
            _ => self.import(dice),
        }
        assert_eq!(self.ledger.check().unwrap().faults, [""; 0]);
    }

    fn reopen(&mut self) {
        // The lock is held until the last clone is gone.
        let empty = directory();
        drop(std::mem::replace(&mut self.ledger, open(empty.path())));
        self.ledger = open(self.dir.path());
        assert_eq!(self.ledger.pending().unwrap(), []);
    }

    /// Forgets and takes in again; comes out the same.
    fn rebuild(&mut self) {
        // Raw copies that outlive their reports would bring them back.
        if self.oldest > Day(i32::MIN) {
            return;
        }
        let before = self.ledger.counters().unwrap();
        self.ledger.forget_derived().unwrap();
        assert_eq!(self.ledger.span().unwrap(), None);
        let mut model = Model::default();
        let mut intake = self.ledger.intake_with(self.batching).unwrap();
        for pending in self.ledger.pending().unwrap() {
            let wholes = &self.items[&pending.key];
            for (whole, taken) in wholes.iter().zip(take(&mut intake, &pending.key, wholes)) {
                model.take(whole, taken);
            }
        }
        intake.finish().unwrap();
        assert_eq!(self.ledger.pending().unwrap(), []);
        let after = self.ledger.counters().unwrap();
        assert_eq!(
            (before.reports, before.rows, before.messages, before.duplicates, before.conflicts, before.rejected),
            (after.reports, after.rows, after.messages, after.duplicates, after.conflicts, after.rejected)
        );
        assert_eq!((before.items, before.item_bytes, before.flawed), (after.items, after.item_bytes, after.flawed));
        self.model = model;
    }

    /// Some items: new reports, the same again, others with the same identity, several in one item, rejections.
    fn import(&mut self, dice: &mut Dice) {
        let mut intake = self.ledger.intake_with(self.batching).unwrap();
        for _ in 0..=dice.below(12) {
            if dice.one_in(8)
                && let Some(key) = self.items.keys().copied().min_by_key(|key| key.0[0] ^ self.nonce.to_le_bytes()[0])
            {
                intake.repeated_item(&key).unwrap();
                continue;
            }
            let wholes: Vec<Whole> = (0..=dice.below(3) * dice.below(2)).map(|_| self.whole(dice)).collect();
            self.nonce += 1;
            let bytes = format!("{} {wholes:?}", self.nonce).into_bytes();
            let kept = self.ledger.keep(&mut &bytes[..], "random", EPOCH + 9 * DAY).unwrap();
            assert_eq!(kept.state, KeptState::New);
            for (whole, taken) in wholes.iter().zip(take(&mut intake, &kept.key, &wholes)) {
                self.model.take(whole, taken);
            }
            self.items.insert(kept.key, wholes);
        }
        intake.finish().unwrap();
    }

    fn whole(&self, dice: &mut Dice) -> Whole {
        let first = self.oldest.0.max(20_089) - 20_089;
        let old: Vec<_> = self.model.counts.values().map(|(_, whole)| whole).collect();
        if !old.is_empty() && dice.one_in(3) {
            // The map's order is not repeatable.
            let mut again = (*old.iter().min_by_key(|w| w.finished().identity.content).unwrap()).clone();
            if dice.one_in(2) {
                let domain = again.report.policy.domain.clone();
                again.rows.push(row(dice, &domain));
            }
            return again;
        }
        let rows = if dice.one_in(6) { 300 } else { 12 };
        let day = i64::from(first) + i64::try_from(dice.below(9)).unwrap();
        let rows = usize::try_from(dice.below(rows)).unwrap();
        let mut whole = report(dice, day, rows);
        if dice.one_in(4) {
            let seconds = i64::try_from(dice.below(4 * DAY.unsigned_abs())).unwrap();
            whole.report.interval.end = whole.report.interval.begin + seconds;
            whole.report.interval.begin += 7 * 3_600;
        }
        whole
    }

    /// Gives how many questions could be answered from files sorted by source.
    fn compare(&self, dice: &mut Dice, questions: usize) -> usize {
        let table = self.model.table(self.oldest);
        let mut by_source = 0;
        for _ in 0..questions {
            let question = question(dice, &table);
            let expected = model::answer(&table, &question);
            let plan = plan::plan(&question).unwrap();
            assert_eq!(self.ledger.ask(&question).unwrap(), expected, "{question:?}");
            if rollup::suffices(&question, &plan) || plan.by_source {
                let rows = plan::Plan { by_source: false, sharp: false, ..plan };
                assert_eq!(self.ledger.ask_segments(&question, &rows).unwrap(), expected, "by segments: {question:?}");
                by_source += usize::from(plan.by_source && self.served());
            }
            // Others about the same rows, in one go with it; some of them for the second time.
            let alike = |other: Question| Question { days: question.days, filter: question.filter.clone(), ..other };
            let others = [self::question(dice, &table), question.clone(), self::question(dice, &table)].map(alike);
            let together = self.ledger.ask_together(&others).unwrap();
            for (other, answer) in others.iter().zip(together) {
                assert_eq!(answer, model::answer(&table, other), "together: {other:?}");
            }
        }
        by_source
    }

    /// Whether there is a file sorted by source that is asked.
    fn served(&self) -> bool {
        self.ledger.inner.snapshot().unwrap().iter().any(|part| part.by_source.is_some() && part.dead.is_empty())
    }
}

/// With pages and row groups so small that questions pass many over.
fn open(dir: &Path) -> Ledger {
    let layout = Layout { group_rows_max: 150, group_rows_min: 20, page_rows: 8 };
    Ledger::open_on(dir, &Disk::default(), Tuning { layout, ..Tuning::default() }).unwrap()
}

/// Takes an item in; between its reports something may be refused.
fn take(intake: &mut Intake, key: &RawKey, wholes: &[Whole]) -> Vec<crate::Taken> {
    if key.0[1].is_multiple_of(4) {
        let rejection = Rejection::new(RejectionKind::NotWellFormed, "cut off");
        let mut taken = Vec::new();
        intake.begin_item(key).unwrap();
        for whole in wholes {
            intake.begin_report(&whole.report, Some("bad.xml")).unwrap();
            for row in &whole.rows {
                intake.row(row).unwrap();
            }
            intake.abandon_report(&rejection).unwrap();
            intake.reject(None, &rejection).unwrap();
            intake.begin_report(&whole.report, Some("good.xml")).unwrap();
            for row in &whole.rows {
                intake.row(row).unwrap();
            }
            taken.push(intake.end_report(&whole.finished()).unwrap());
        }
        intake.end_item().unwrap();
        return taken;
    }
    parse(intake, key, wholes).unwrap()
}

fn question(dice: &mut Dice, table: &rusqlite::Connection) -> Question {
    let columns: &[Column] = match dice.below(5) {
        0 | 1 => &ROLLED_UP,
        2 => &OF_SOURCES,
        _ => &COLUMNS,
    };
    let mut group: Vec<Column> = Vec::new();
    for _ in 0..dice.below(4) {
        let column = *dice.pick(columns);
        if !group.contains(&column) {
            group.push(column);
        }
    }
    let measures: Vec<Measure> = (0..dice.below(4)).map(|_| measure(dice, columns)).collect();
    let mut order = Vec::new();
    for _ in 0..dice.below(3) {
        let direction = *dice.pick(&[Direction::Ascending, Direction::Descending]);
        let by_measure = group.is_empty() || dice.one_in(2);
        let key = if by_measure { Key::Measure(measure(dice, columns)) } else { Key::Column(*dice.pick(&group)) };
        order.push((key, direction));
    }
    let day = |dice: &mut Dice| Day::of(EPOCH).plus(i32::try_from(dice.below(12)).unwrap() - 1);
    let mut filter: Vec<Condition> = Vec::new();
    for _ in 0..dice.below(3) {
        let column = *dice.pick(columns);
        filter.push(condition(dice, column, table));
    }
    if columns == OF_SOURCES {
        let column = *dice.pick(&[Column::Source, Column::Network]);
        filter.push(condition(dice, column, table));
    }
    Question {
        days: dice.one_in(2).then(|| (day(dice), day(dice))),
        filter,
        group,
        measures,
        order,
        offset: usize::try_from(if dice.one_in(2) { 0 } else { dice.below(10) }).unwrap(),
        limit: dice.one_in(2).then(|| usize::try_from(dice.below(20)).unwrap()),
    }
}

fn measure(dice: &mut Dice, columns: &[Column]) -> Measure {
    match dice.below(9) {
        0 | 1 => Measure::Messages,
        2 => Measure::Rows,
        3 => Measure::Outcome(*dice.pick(&Outcome::ALL)),
        4 => Measure::Disposition(*dice.pick(&[Disposition::None, Disposition::Pass, Disposition::Reject])),
        5 => *dice.pick(&[Measure::Passing, Measure::Failing]),
        6 => Measure::FirstDay,
        7 => Measure::LastDay,
        _ => Measure::Distinct(*dice.pick(columns)),
    }
}

/// A condition, with values that occur and some that do not.
fn condition(dice: &mut Dice, column: Column, table: &rusqlite::Connection) -> Condition {
    let all = Question { group: vec![column], ..Question::default() };
    let mut occurring: Vec<Value> =
        model::answer(table, &all).lines.into_iter().map(|line| line.key[0].clone()).collect();
    if column == Column::Source && dice.one_in(2) {
        let v4 = std::net::IpAddr::from([192, 0, 2, 0]);
        let v6 = "2001:db8:1::".parse().unwrap();
        let (address, length) = *dice.pick(&[(v4, 24), (v4, 28), (v4, 0), (v6, 48), (v6, 32), (v6, 0), (v6, 128)]);
        return Condition { column, test: Test::Within(address, length) };
    }
    occurring.push(match column {
        Column::Day => Value::Day(Day(0)),
        Column::Report => Value::Number(1 << 40),
        Column::Source => Value::Address([10, 0, 0, 1].into()),
        Column::Network => Value::Network([10, 0, 0, 0].into(), 24),
        _ => Value::Text("it's nowhere".into()),
    });
    let values = (0..dice.below(4)).map(|_| dice.pick(&occurring).clone()).collect();
    Condition { column, test: if dice.one_in(3) { Test::NotIn(values) } else { Test::In(values) } }
}

#[test]
fn ledger_and_table_agree() {
    let (mut asked, mut by_source) = (0, 0);
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let mut pair = Pair::new(&mut dice);
        for step in 0..7 {
            pair.step(&mut dice);
            if step == 2 {
                compact::compact(&pair.ledger.inner, 200).unwrap();
            }
            by_source += pair.compare(&mut dice, 20);
            asked += 20;
        }
        let counters = pair.ledger.counters().unwrap();
        assert_eq!(counters.conflicts, pair.model.conflicts, "seed {seed}");
        assert_eq!(counters.reports, pair.model.counts.len() as u64, "seed {seed}");
    }
    assert!(by_source > 50, "{by_source} of {asked}: files sorted by source are asked too");
    println!("{asked} questions agree, {by_source} of them from files sorted by source");
}
