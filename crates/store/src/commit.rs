//! The commit: one transaction that makes a batch visible, and takes back what it supersedes.
//!
//! The spool and the segments of the batch are on disk before this is called. What is superseded is subtracted exactly: its rows
//! are read once more from its segments, and what they added to the rollups is taken off in the same transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::catalog_read::{prefix, unsigned};
use crate::ledger::{Inner, Known};
use crate::staged::{StagedBatch, StagedItem, StagedReport, StagedSample};
use crate::trend::{self, Sum};
use crate::{Error, supersede};

/// Messages that one failure report may stand for: more is nonsense, and sums must stay inside 64 bits.
const INCIDENTS_MAX: u64 = u32::MAX as u64;

/// Makes the batch visible.
pub(crate) fn commit(inner: &Arc<Inner>, batch: &StagedBatch, epoch: i64) -> Result<(), Error> {
    let writer = inner.writer()?;
    // Segments must not be merged away between reading what they hold of a superseded report and marking it there.
    let _maintenance = writer.maintenance();
    let (tombstones, taken_off) = supersede::rows(inner, batch)?;
    let mut connection = writer.connection();
    let mut known = writer.known();
    let settled: HashSet<_> = batch.items.iter().map(|item| item.key).collect();
    let checkpoint = writer.spool.checkpoint(&|key| settled.contains(key));
    let mut run = |transaction: &Transaction<'_>| -> rusqlite::Result<()> {
        let mut change = Change { c: transaction, known: &mut known, state: StateChange::default() };
        for &(segment, report) in &tombstones {
            transaction
                .prepare_cached("INSERT INTO tombstone VALUES (?1, ?2)")?
                .execute([segment.cast_signed(), report.cast_signed()])?;
        }
        for &(counts, superseded) in &batch.conflicts {
            change.conflict(counts, superseded)?;
        }
        for &old in &batch.replaced {
            change.take_off(old)?;
        }
        change.batch(batch, epoch)?;
        trend::apply(transaction, &batch.deltas, &mut change.known.domains)?;
        trend::apply(transaction, &taken_off, &mut change.known.domains)?;
        let days: HashSet<i32> = batch.deltas.keys().chain(taken_off.keys()).map(|(day, ..)| *day).collect();
        crate::derived::changed(transaction, days)?;
        let state = std::mem::take(&mut change.state);
        state.apply(transaction)?;
        transaction
            .prepare_cached(
                "UPDATE state SET next_report = ?1, next_segment = ?2, checkpoint_pack = ?3, checkpoint_offset = ?4",
            )?
            .execute(params![
                writer.next_report.load(std::sync::atomic::Ordering::Relaxed).cast_signed(),
                writer.next_segment.load(std::sync::atomic::Ordering::Relaxed).cast_signed(),
                checkpoint.pack,
                checkpoint.offset.cast_signed()
            ])?;
        Ok(())
    };
    let done = (|| {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| inner.catalog.failed(e))?;
        run(&transaction).map_err(|e| inner.catalog.failed(e))?;
        inner.disk.before_commit(inner.catalog.path())?;
        transaction.commit().map_err(|e| inner.catalog.failed(e))
    })();
    if done.is_err() {
        // Numbers given to names by a transaction that was rolled back mean nothing.
        *known = Known::default();
    }
    done?;
    writer.spool.settle(&settled);
    Ok(())
}

/// A transaction under way.
struct Change<'a> {
    c: &'a Connection,
    known: &'a mut Known,
    state: StateChange,
}

/// What is added to the counters.
#[derive(Default)]
struct StateChange {
    items: i64,
    item_bytes: i64,
    reports: i64,
    rows: i64,
    messages: Sum,
    duplicates: i64,
    conflicts: i64,
    rejected: i64,
    flawed: i64,
    samples: i64,
}

impl StateChange {
    fn apply(&self, c: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE state SET items = items + ?1, item_bytes = item_bytes + ?2, reports = reports + ?3, rows = rows + ?4,
            messages_high = messages_high + ?5, messages_low = messages_low + ?6, duplicates = duplicates + ?7,
            conflicts = conflicts + ?8, rejected = rejected + ?9, flawed = flawed + ?10, samples = samples + ?11";
        let values = params![
            self.items,
            self.item_bytes,
            self.reports,
            self.rows,
            self.messages.halves().0,
            self.messages.halves().1,
            self.duplicates,
            self.conflicts,
            self.rejected,
            self.flawed,
            self.samples
        ];
        c.prepare_cached(sql)?.execute(values).map(drop)
    }
}

/// A report's part in the rollups that are about reports rather than rows.
struct Contribution<'a> {
    id: u64,
    day: i32,
    organization: &'a str,
    policy: i64,
    messages: u64,
    flaws: Vec<String>,
    received: i64,
    dialect: &'a str,
    /// 1 to add, −1 to take off.
    sign: i64,
}

impl Change<'_> {
    fn conflict(&mut self, counts: u64, superseded: u64) -> rusqlite::Result<()> {
        self.state.conflicts += 1;
        let (counts, superseded) = (counts.cast_signed(), superseded.cast_signed());
        self.c
            .prepare_cached("INSERT INTO conflict (counts, superseded) VALUES (?1, ?2)")?
            .execute([counts, superseded])?;
        self.c
            .prepare_cached("UPDATE report SET superseded_by = ?1 WHERE id = ?2")?
            .execute([counts, superseded])
            .map(drop)
    }

    /// Takes a committed report off the rollups.
    fn take_off(&mut self, id: u64) -> rusqlite::Result<()> {
        let sql = "SELECT report.day, organization, policy, messages, flaws, item.received, report.dialect, report.rows
                   FROM report JOIN reporter ON reporter.id = reporter JOIN item ON item.id = item WHERE report.id = ?1";
        let mut select = self.c.prepare_cached(sql)?;
        let mut found = select.query([id.cast_signed()])?;
        let Some(row) = found.next()? else { return Ok(()) };
        let (organization, dialect): (String, String) = (row.get(1)?, row.get(6)?);
        let flaws: Vec<report::Flaw> =
            row.get::<_, Option<String>>(4)?.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let contribution = Contribution {
            id,
            day: row.get(0)?,
            organization: &organization,
            policy: row.get(2)?,
            messages: unsigned(row, 3)?,
            flaws: flaw_kinds(&flaws),
            received: row.get(5)?,
            dialect: &dialect,
            sign: -1,
        };
        self.state.rows -= row.get::<_, i64>(7)?;
        self.roll_up(&contribution)
    }

    fn batch(&mut self, batch: &StagedBatch, epoch: i64) -> rusqlite::Result<()> {
        let mut items = Vec::with_capacity(batch.items.len());
        for item in &batch.items {
            items.push(self.item(item, epoch)?);
        }
        for report in &batch.reports {
            self.report(report, items[report.item], batch.items[report.item].waiting.received)?;
        }
        for rejection in &batch.rejections {
            let kind = word(&rejection.rejection.kind);
            self.c
                .prepare_cached("INSERT INTO rejection (item, member, kind, message) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![items[rejection.item], rejection.member, kind, rejection.rejection.message])?;
        }
        for sample in &batch.samples {
            self.sample(sample, items[sample.item])?;
        }
        for (item, times) in &batch.repeats {
            self.c.prepare_cached("UPDATE item SET repeats = repeats + ?2 WHERE id = ?1")?.execute([item, times])?;
        }
        for s in &batch.segments {
            self.segment(s)?;
        }
        self.state.rejected += i64::try_from(batch.rejections.len()).unwrap_or(0);
        self.state.duplicates += batch.duplicates.cast_signed();
        Ok(())
    }

    fn sample(&mut self, staged: &StagedSample, item: i64) -> rusqlite::Result<()> {
        self.state.samples += 1;
        let sample = &staged.sample;
        let json =
            serde_json::to_string(sample).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.c
            .prepare_cached(
                "INSERT INTO sample (content, day, domain, local_part, source, incidents, sample, item, member)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                staged.content,
                staged.day.0,
                sample.domain.as_str(),
                sample.local_part.to_lowercase().as_str(),
                sample.source.map(|source| crate::stage::number(source).to_be_bytes()),
                sample.incidents.min(INCIDENTS_MAX).cast_signed(),
                json,
                item,
                staged.member
            ])
            .map(drop)
    }

    fn segment(&self, s: &crate::segment::SegmentEntry) -> rusqlite::Result<()> {
        insert_segment(self.c, s)
    }

    fn item(&mut self, item: &StagedItem, epoch: i64) -> rusqlite::Result<i64> {
        let waiting = &item.waiting;
        self.state.items += 1;
        self.state.item_bytes += waiting.size.cast_signed();
        let (reports, rejected) = (item.reports.cast_signed(), item.rejected.cast_signed());
        if let Some(id) = item.existing {
            self.c
                .prepare_cached("UPDATE item SET reports = ?2, rejected = ?3, repeats = ?4, epoch = ?5, standing = coalesce(?6, standing), samples = ?7 WHERE id = ?1")?
                .execute(params![id, reports, rejected, item.repeats, epoch, item.standing, item.samples.cast_signed()])?;
            return Ok(id);
        }
        let sql =
            "INSERT INTO item (prefix, key, pack, offset, size, origin, received, reports, rejected, repeats, epoch, standing, samples)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        self.c.prepare_cached(sql)?.insert(params![
            prefix(&item.key),
            item.key.0,
            waiting.place.pack,
            waiting.place.offset.cast_signed(),
            waiting.size.cast_signed(),
            &*waiting.origin,
            waiting.received,
            reports,
            rejected,
            item.repeats,
            epoch,
            item.standing,
            item.samples.cast_signed()
        ])
    }

    fn report(&mut self, staged: &StagedReport, item: i64, received: i64) -> rusqlite::Result<()> {
        let report = &staged.report;
        let reporter = self.known.reporter(self.c, &report.reporter)?;
        let policy = self.known.policy(self.c, &report.policy)?;
        let json = |empty: bool, json: serde_json::Result<String>| if empty { None } else { json.ok() };
        let sql = "INSERT INTO report VALUES
            (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
        self.c.prepare_cached(sql)?.execute(params![
            staged.id.cast_signed(),
            staged.days.0.0,
            staged.days.1.0,
            staged.key,
            staged.superseded_by.cast_signed(),
            staged.content,
            reporter,
            policy,
            report.report_id.as_str(),
            report.interval.begin,
            report.interval.end,
            report.dialect.word(),
            report.version.as_deref(),
            json(report.errors.is_empty(), serde_json::to_string(&report.errors)),
            staged.rows.cast_signed(),
            staged.messages.cast_signed(),
            staged.bad_rows.cast_signed(),
            json(staged.flaws.is_empty(), serde_json::to_string(&staged.flaws)),
            item,
            staged.member
        ])?;
        let flaws = flaw_kinds(&staged.flaws);
        for kind in &flaws {
            self.c
                .prepare_cached("INSERT INTO report_flaw VALUES (?1, ?2)")?
                .execute(params![kind, staged.id.cast_signed()])?;
        }
        if staged.superseded_by != 0 {
            return Ok(());
        }
        self.state.rows += staged.rows.cast_signed();
        self.roll_up(&Contribution {
            id: staged.id,
            day: staged.days.0.0,
            organization: &report.reporter.organization,
            policy,
            messages: staged.messages,
            flaws,
            received,
            dialect: report.dialect.word(),
            sign: 1,
        })
    }

    /// Adds a report to the rollups about reports, or takes it off.
    fn roll_up(&mut self, part: &Contribution<'_>) -> rusqlite::Result<()> {
        let mut messages = Sum::default();
        messages.add(part.messages);
        if part.sign < 0 {
            messages = messages.negative();
        }
        let flawed = if part.flaws.is_empty() { 0 } else { part.sign };
        self.state.reports += part.sign;
        self.state.flawed += flawed;
        self.state.messages.plus(messages);
        self.c
            .prepare_cached(
                "INSERT INTO policy_seen VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET reports = reports + ?3",
            )?
            .execute(params![part.day, part.policy, part.sign])?;
        let sql = "INSERT INTO arrival VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET
                reports = reports + ?3, flawed = flawed + ?4, messages_high = messages_high + ?5,
                messages_low = messages_low + ?6,
                dialect = CASE WHEN ?3 > 0 AND ?7 >= last_received THEN ?8 ELSE dialect END,
                last_received = max(last_received, ?7)";
        self.c.prepare_cached(sql)?.execute(params![
            part.day,
            part.organization,
            part.sign,
            flawed,
            messages.halves().0,
            messages.halves().1,
            part.received,
            part.dialect
        ])?;
        for kind in &part.flaws {
            let sql = "INSERT INTO flaw VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT DO UPDATE SET reports = reports + ?4, report = max(report, ?5)";
            self.c.prepare_cached(sql)?.execute(params![
                part.day,
                part.organization,
                kind,
                part.sign,
                part.id.cast_signed()
            ])?;
        }
        if part.sign < 0 {
            self.c.prepare_cached("DELETE FROM policy_seen WHERE day = ?1 AND reports = 0")?.execute([part.day])?;
            self.c.prepare_cached("DELETE FROM flaw WHERE day = ?1 AND reports = 0")?.execute([part.day])?;
            self.c.prepare_cached("DELETE FROM arrival WHERE day = ?1 AND reports = 0")?.execute([part.day])?;
        }
        Ok(())
    }
}

/// Enters a segment.
pub(crate) fn insert_segment(c: &Connection, s: &crate::segment::SegmentEntry) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO segment VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(params![
            s.id.cast_signed(),
            s.level,
            s.first_day,
            s.last_day,
            s.first_report.cast_signed(),
            s.last_report.cast_signed(),
            s.rows.cast_signed(),
            s.bytes.cast_signed(),
            s.cut,
            s.by_source.cast_signed()
        ])
        .map(drop)
}

/// The kinds of flaw of a report, each once.
fn flaw_kinds(flaws: &[report::Flaw]) -> Vec<String> {
    let mut kinds: Vec<String> = flaws.iter().map(|flaw| word(&flaw.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The word that an enum's variant has in JSON.
pub(crate) fn word(variant: &impl serde::Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

impl Known {
    fn reporter(&mut self, c: &Connection, reporter: &report::Reporter) -> rusqlite::Result<i64> {
        let sql = (
            "INSERT INTO reporter (organization, header) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            "SELECT id FROM reporter WHERE organization = ?1 AND header = ?2",
        );
        let json = serde_json::to_string(reporter).unwrap_or_default();
        number_of(c, &mut self.reporters, sql, &reporter.organization, json)
    }

    fn policy(&mut self, c: &Connection, policy: &report::PolicyPublished) -> rusqlite::Result<i64> {
        let sql = (
            "INSERT INTO policy (domain, header) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            "SELECT id FROM policy WHERE domain = ?1 AND header = ?2",
        );
        let json = serde_json::to_string(policy).unwrap_or_default();
        number_of(c, &mut self.policies, sql, &policy.domain, json)
    }
}

/// The number of a header, given to it now if it has none.
fn number_of(
    c: &Connection,
    known: &mut HashMap<String, i64>,
    (insert, select): (&str, &str),
    name: &str,
    json: String,
) -> rusqlite::Result<i64> {
    const MOST: usize = 50_000;
    if let Some(&id) = known.get(&json) {
        return Ok(id);
    }
    c.prepare_cached(insert)?.execute([name, &json])?;
    let id = c.prepare_cached(select)?.query_row([name, &json], |r| r.get(0))?;
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(json, id);
    Ok(id)
}
