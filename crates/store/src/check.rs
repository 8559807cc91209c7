//! Check: reads everything there is and compares what must agree.
//!
//! Segments with the trend rollup, the list of reports with the rollups about reports, raw copies with their names. Changes nothing.

use std::collections::HashSet;
use std::io::{self, Read};

use report::Text;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::ledger::{Ledger, Writer};
use crate::spool::{self, Place};
use crate::trend::{self, Deltas};
use crate::{Checked, Error, RawKey, by_source, catalog_read, supersede};

/// More faults than this are not told apart.
const FAULTS_MAX: usize = 100;

impl Ledger {
    /// Reads everything and compares what must agree: rows with rollups, raw copies with their names.
    ///
    /// # Errors
    /// What reading the catalog gives. What is found wrong is in the answer.
    pub fn check(&self) -> Result<Checked, Error> {
        let _one = self.inner.writer().ok().map(Writer::upkeep);
        let mut checked = Checked::default();
        self.check_rows(&mut checked)?;
        self.check_reports(&mut checked)?;
        self.check_items(&mut checked)?;
        Ok(checked)
    }

    fn check_rows(&self, checked: &mut Checked) -> Result<(), Error> {
        // Of one moment; what is committed later is in neither.
        let ((expected, days), listed) =
            self.inner.catalog.read(|c| Ok((trend::all(c)?, catalog_read::segments(c)?)))?;
        let parts = self.inner.parts(listed);
        let mut found = Deltas::new();
        for part in &parts {
            checked.segments += 1;
            if let Err(error) = supersede::trend(part, None, &mut found) {
                checked.fault(error.to_string());
            }
            match by_source::agrees(part) {
                Ok(true) => {}
                Ok(false) => {
                    let id = part.entry.id;
                    checked.fault(format!("segment {id}: its file sorted by source holds something else"));
                }
                Err(error) => checked.fault(error.to_string()),
            }
        }
        checked.rows = found.values().map(|sum| sum.rows.unsigned_abs()).sum();
        compare(&expected, &found, checked);
        let mut over_all = Deltas::new();
        for ((day, _, outcome, disposition), sum) in found {
            over_all.entry((day, Text::default(), outcome, disposition)).or_default().plus(sum);
        }
        compare(&days, &over_all, checked);
        Ok(())
    }

    fn check_reports(&self, checked: &mut Checked) -> Result<(), Error> {
        for sentence in self.inner.catalog.read(disagreements)? {
            checked.fault(sentence);
        }
        Ok(())
    }

    fn check_items(&self, checked: &mut Checked) -> Result<(), Error> {
        let items = self.inner.catalog.read(|c| {
            c.prepare("SELECT key, pack, offset FROM item ORDER BY pack, offset")?
                .query_map([], |r| {
                    Ok((RawKey(r.get(0)?), Place { pack: r.get(1)?, offset: catalog_read::unsigned(r, 2)? }))
                })?
                .collect::<Result<Vec<_>, _>>()
        })?;
        let dir = self.inner.spool_dir();
        for (key, place) in items {
            checked.items += 1;
            match spool::read_raw(&dir, &key, place).map(|mut raw| hash(&mut raw)) {
                Err(error) => checked.fault(error.to_string()),
                Ok(Err(error)) => checked.fault(format!("the raw copy {key} cannot be read: {error}")),
                Ok(Ok(found)) if found != key => checked.fault(format!("the raw copy {key} holds other bytes")),
                Ok(Ok(_)) => {}
            }
        }
        Ok(())
    }
}

/// Holds a rollup against what the segments add up to.
fn compare(rollup: &Deltas, segments: &Deltas, checked: &mut Checked) {
    let keys: HashSet<_> = rollup.keys().chain(segments.keys()).collect();
    for key in keys {
        let says = rollup.get(key).copied().unwrap_or_default();
        let are = segments.get(key).copied().unwrap_or_default();
        if says != are {
            let (day, domain, outcome, disposition) = key;
            let domain = if domain.is_empty() { "all domains" } else { domain };
            checked.fault(format!(
                "{}, {domain}, {}, {disposition}: the rollup says {} messages in {} rows, the segments hold {} in {}",
                report::Day(*day),
                outcome.word(),
                says.messages,
                says.rows,
                are.messages,
                are.rows,
            ));
        }
    }
}

impl Checked {
    fn fault(&mut self, sentence: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(sentence);
        }
    }
}

fn hash(raw: &mut dyn Read) -> io::Result<RawKey> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match raw.read(&mut buffer)? {
            0 => return Ok(RawKey(hash.finalize().into())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Where the rollups about reports and the counters do not agree with the list of reports.
fn disagreements(c: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut compare = |what: &str, sql: &str| -> rusqlite::Result<()> {
        let differing: i64 = c.query_row(sql, [], |r| r.get(0))?;
        if differing != 0 {
            found.push(format!("{differing} {what} do not agree with the list of reports"));
        }
        Ok(())
    };
    compare(
        "counts of reports, rows, or messages",
        "SELECT (reports <> r) + (rows <> n) + (flawed <> f) + ((messages_high - h) * 4294967296 + messages_low - l <> 0)
         FROM state, (SELECT count(*) AS r, coalesce(sum(rows), 0) AS n, coalesce(sum(flaws IS NOT NULL), 0) AS f,
                             coalesce(sum((messages >> 32) & 0xffffffff), 0) AS h, coalesce(sum(messages & 0xffffffff), 0) AS l
                      FROM report WHERE superseded_by = 0)",
    )?;
    compare("counts of samples", "SELECT samples <> (SELECT count(*) FROM sample) FROM state")?;
    compare(
        "days of reporters",
        "WITH counted AS (SELECT day, organization, count(*) AS reports, sum(flaws IS NOT NULL) AS flawed,
                                 sum((messages >> 32) & 0xffffffff) AS high, sum(messages & 0xffffffff) AS low
                          FROM report JOIN reporter ON reporter.id = reporter WHERE superseded_by = 0 GROUP BY day, organization),
              said AS (SELECT day, organization, reports, flawed, messages_high, messages_low FROM arrival)
         SELECT (SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM said))
              + (SELECT count(*) FROM (SELECT * FROM said EXCEPT SELECT * FROM counted))",
    )?;
    compare(
        "days of policies",
        "WITH counted AS (SELECT day, policy, count(*) FROM report WHERE superseded_by = 0 GROUP BY day, policy)
         SELECT (SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM policy_seen))
              + (SELECT count(*) FROM (SELECT * FROM policy_seen EXCEPT SELECT * FROM counted))",
    )?;
    compare(
        "days of flaws",
        "WITH counted AS (SELECT day, organization, kind, count(*) FROM report JOIN reporter ON reporter.id = reporter
                          JOIN report_flaw ON report_flaw.report = report.id WHERE superseded_by = 0
                          GROUP BY day, organization, kind),
              said AS (SELECT day, organization, kind, reports FROM flaw)
         SELECT (SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM said))
              + (SELECT count(*) FROM (SELECT * FROM said EXCEPT SELECT * FROM counted))",
    )?;
    Ok(found)
}
