//! The lists beside questions: reports, policies, arrivals, rejections, conflicts, flaws, pending items. Reads only.

use report::{
    Day, Dialect, Flaw, FlawKind, Interval, PolicyPublished, Rejection, RejectionKind, Report, Reporter, Text,
};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::catalog_read::unsigned;
use crate::commit::word;
use crate::ledger::Ledger;
use crate::{
    Arrival, ConflictEntry, Error, FlawEntry, Pending, PolicyOfDay, RawKey, RejectionEntry, ReportEntry, ReportFilter,
};

impl Ledger {
    /// Policies as reporters saw them, by day, then policy domain, then most reports first.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn policies(&self, policy_domain: Option<&str>, days: Option<(Day, Day)>) -> Result<Vec<PolicyOfDay>, Error> {
        let (first, last) = bounds(days);
        self.inner.catalog.read(|c| {
            let sql = "SELECT day, header, reports FROM policy_seen JOIN policy ON policy.id = policy
                       WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR domain = ?3) ORDER BY day, domain, reports DESC, header";
            c.prepare_cached(sql)?
                .query_map(params![first, last, policy_domain], |r| {
                    Ok(PolicyOfDay { day: Day(r.get(0)?), policy: json(r, 1)?, reports: unsigned(r, 2)? })
                })?
                .collect()
        })
    }

    /// Who reported on which day, by day, then reporter.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn arrivals(&self, days: Option<(Day, Day)>) -> Result<Vec<Arrival>, Error> {
        let (first, last) = bounds(days);
        self.inner.catalog.read(|c| {
            let sql = "SELECT day, organization, reports, messages_high, messages_low, flawed, last_received, dialect
                       FROM arrival WHERE day BETWEEN ?1 AND ?2 ORDER BY day, organization";
            c.prepare_cached(sql)?
                .query_map([first, last], |r| {
                    Ok(Arrival {
                        day: Day(r.get(0)?),
                        reporter: text(r, 1)?,
                        reports: unsigned(r, 2)?,
                        messages: crate::trend::messages(r.get(3)?, r.get(4)?),
                        flawed: unsigned(r, 5)?,
                        last_received: r.get(6)?,
                        dialect: dialect(r, 7)?,
                    })
                })?
                .collect()
        })
    }

    /// A page of reports, the newest taken in first, and how many there are in all. Superseded ones are among them.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn reports(
        &self,
        filter: &ReportFilter,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ReportEntry>, usize), Error> {
        let (conditions, mut values) = conditions(filter);
        self.inner.catalog.read(|c| {
            let count = format!("SELECT count(*) FROM report WHERE {conditions}");
            let total = c.query_row(&count, params_from_iter(&values), |r| unsigned(r, 0))?;
            values.extend([number(limit), number(offset)]);
            let sql = format!("{REPORT} WHERE {conditions} ORDER BY report.id DESC LIMIT ? OFFSET ?");
            let page = c.prepare(&sql)?.query_map(params_from_iter(&values), entry)?.collect::<Result<_, _>>()?;
            Ok((page, usize::try_from(total).unwrap_or(usize::MAX)))
        })
    }

    /// One report by its number.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn report(&self, id: u64) -> Result<Option<ReportEntry>, Error> {
        self.inner.catalog.read(|c| one(c, id))
    }

    /// The other reports with the same identity as this one, oldest first.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn conflicts_of(&self, id: u64) -> Result<Vec<u64>, Error> {
        self.inner.catalog.read(|c| {
            let sql = "SELECT other.id FROM report JOIN report AS other USING (day, key)
                       WHERE report.id = ?1 AND other.id <> ?1 ORDER BY other.id";
            c.prepare_cached(sql)?.query_map([id.cast_signed()], |r| unsigned(r, 0))?.collect()
        })
    }

    /// A page of rejections, the newest first, and how many there are in all.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn rejections(&self, offset: usize, limit: usize) -> Result<(Vec<RejectionEntry>, usize), Error> {
        self.inner.catalog.read(|c| {
            let total: i64 = c.query_row("SELECT count(*) FROM rejection", [], |r| r.get(0))?;
            let sql =
                "SELECT key, size, origin, member, received, kind, message FROM rejection JOIN item ON item.id = item
                       ORDER BY rejection.id DESC LIMIT ?1 OFFSET ?2";
            let page = c
                .prepare_cached(sql)?
                .query_map([number(limit), number(offset)], |r| {
                    Ok(RejectionEntry {
                        item: RawKey(r.get(0)?),
                        item_bytes: unsigned(r, 1)?,
                        origin: r.get(2)?,
                        member: r.get(3)?,
                        received: r.get(4)?,
                        rejection: Rejection::new(kind::<RejectionKind>(r, 5)?, r.get::<_, String>(6)?),
                    })
                })?
                .collect::<Result<_, _>>()?;
            Ok((page, usize::try_from(total).unwrap_or_default()))
        })
    }

    /// A page of conflicts, the newest first, and how many there are in all.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn conflicts(&self, offset: usize, limit: usize) -> Result<(Vec<ConflictEntry>, usize), Error> {
        self.inner.catalog.read(|c| {
            let total: i64 = c.query_row("SELECT count(*) FROM conflict", [], |r| r.get(0))?;
            let pairs = c
                .prepare_cached("SELECT counts, superseded FROM conflict ORDER BY id DESC LIMIT ?1 OFFSET ?2")?
                .query_map([number(limit), number(offset)], |r| Ok((unsigned(r, 0)?, unsigned(r, 1)?)))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut page = Vec::with_capacity(pairs.len());
            for (counts, superseded) in pairs {
                if let (Some(counts), Some(superseded)) = (one(c, counts)?, one(c, superseded)?) {
                    page.push(ConflictEntry { counts, superseded });
                }
            }
            Ok((page, usize::try_from(total).unwrap_or_default()))
        })
    }

    /// Flaws by kind and reporter, most reports first.
    ///
    /// # Errors
    /// What reading the catalog gives.
    pub fn flaws(&self, days: Option<(Day, Day)>) -> Result<Vec<FlawEntry>, Error> {
        let (first, last) = bounds(days);
        self.inner.catalog.read(|c| {
            let sql = "WITH found AS (SELECT kind, organization, sum(reports) AS reports, max(report) AS newest
                                      FROM flaw WHERE day BETWEEN ?1 AND ?2 GROUP BY kind, organization)
                       SELECT kind, organization, found.reports, newest, flaws FROM found JOIN report ON report.id = newest
                       ORDER BY found.reports DESC, kind, organization";
            let mut select = c.prepare_cached(sql)?;
            let mut rows = select.query([first, last])?;
            let mut found = Vec::new();
            while let Some(r) = rows.next()? {
                let kind: FlawKind = kind(r, 0)?;
                let flaws: Vec<Flaw> = json(r, 4)?;
                if let Some(example) = flaws.into_iter().find(|flaw| flaw.kind == kind) {
                    let (reporter, reports, report) = (text(r, 1)?, unsigned(r, 2)?, unsigned(r, 3)?);
                    found.push(FlawEntry { kind, reporter, reports, report, example });
                }
            }
            Ok(found)
        })
    }
}

/// Items whose outcome was forgotten for a rebuild.
pub(crate) fn pending(c: &Connection) -> rusqlite::Result<Vec<Pending>> {
    let sql = "SELECT key, origin, received, size FROM item, state
               WHERE item.id <= state.rebuild_to AND item.epoch < state.epoch ORDER BY item.id";
    c.prepare_cached(sql)?
        .query_map([], |r| {
            Ok(Pending { key: RawKey(r.get(0)?), origin: r.get(1)?, received: r.get(2)?, size: unsigned(r, 3)? })
        })?
        .collect()
}

const REPORT: &str = "SELECT report.id, report.day, reporter.header, policy.header, report_id, begins, ends, dialect, version,
        errors, rows, messages, bad_rows, flaws, content, item.key, item.size, item.origin, member, item.received, superseded_by
    FROM report JOIN reporter ON reporter.id = reporter JOIN policy ON policy.id = policy JOIN item ON item.id = item";

fn one(c: &Connection, id: u64) -> rusqlite::Result<Option<ReportEntry>> {
    use rusqlite::OptionalExtension as _;
    c.prepare_cached(&format!("{REPORT} WHERE report.id = ?1"))?.query_row([id.cast_signed()], entry).optional()
}

fn entry(r: &Row<'_>) -> rusqlite::Result<ReportEntry> {
    let optional = |at| -> rusqlite::Result<Option<String>> { r.get(at) };
    Ok(ReportEntry {
        id: unsigned(r, 0)?,
        day: Day(r.get(1)?),
        report: Report {
            dialect: dialect(r, 7)?,
            version: optional(8)?.map(Text::from),
            reporter: json::<Reporter>(r, 2)?,
            report_id: text(r, 4)?,
            interval: Interval { begin: r.get(5)?, end: r.get(6)? },
            errors: optional(9)?.and_then(|errors| serde_json::from_str(&errors).ok()).unwrap_or_default(),
            policy: json::<PolicyPublished>(r, 3)?,
        },
        rows: unsigned(r, 10)?,
        messages: unsigned(r, 11)?,
        bad_rows: unsigned(r, 12)?,
        flaws: optional(13)?.and_then(|flaws| serde_json::from_str(&flaws).ok()).unwrap_or_default(),
        content: r.get(14)?,
        item: RawKey(r.get(15)?),
        item_bytes: unsigned(r, 16)?,
        origin: r.get(17)?,
        member: r.get(18)?,
        received: r.get(19)?,
        superseded_by: Some(unsigned(r, 20)?).filter(|&id| id != 0),
    })
}

fn conditions(filter: &ReportFilter) -> (String, Vec<Sql>) {
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    if let Some((first, last)) = filter.days {
        conditions.push("report.day BETWEEN ? AND ?");
        values.extend([Sql::Integer(first.0.into()), Sql::Integer(last.0.into())]);
    }
    if let Some(reporter) = &filter.reporter {
        conditions.push("report.reporter IN (SELECT id FROM reporter WHERE organization = ?)");
        values.push(Sql::Text(reporter.to_string()));
    }
    if let Some(domain) = &filter.policy_domain {
        conditions.push("report.policy IN (SELECT id FROM policy WHERE domain = ?)");
        values.push(Sql::Text(domain.to_string()));
    }
    if let Some(kind) = &filter.flaw {
        conditions.push("report.id IN (SELECT report FROM report_flaw WHERE kind = ?)");
        values.push(Sql::Text(word(kind)));
    }
    if let Some(key) = &filter.item {
        conditions.push("report.item IN (SELECT id FROM item WHERE prefix = ? AND key = ?)");
        values.extend([Sql::Integer(crate::catalog_read::prefix(key)), Sql::Blob(key.0.to_vec())]);
    }
    if conditions.is_empty() {
        conditions.push("TRUE");
    }
    (conditions.join(" AND "), values)
}

fn bounds(days: Option<(Day, Day)>) -> (i32, i32) {
    days.map_or((i32::MIN, i32::MAX), |(first, last)| (first.0, last.0))
}

fn number(number: usize) -> Sql {
    Sql::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn text(r: &Row<'_>, at: usize) -> rusqlite::Result<Text> {
    Ok(Text::new(r.get_ref(at)?.as_str()?))
}

fn bad(at: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
}

fn json<T: serde::de::DeserializeOwned>(r: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    serde_json::from_str(r.get_ref(at)?.as_str()?).map_err(|e| bad(at, e))
}

/// Why an item, or members of it, were refused: (member, why), in order.
pub(crate) fn rejections_of(c: &Connection, item: i64) -> rusqlite::Result<Vec<(Option<String>, Rejection)>> {
    c.prepare_cached("SELECT member, kind, message FROM rejection WHERE item = ?1 ORDER BY id")?
        .query_map([item], |r| Ok((r.get(0)?, Rejection::new(kind::<RejectionKind>(r, 1)?, r.get::<_, String>(2)?))))?
        .collect()
}

/// An enum's variant from its word in JSON.
fn kind<T: serde::de::DeserializeOwned>(r: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let word = r.get_ref(at)?.as_str()?;
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|e| bad(at, e))
}

fn dialect(r: &Row<'_>, at: usize) -> rusqlite::Result<Dialect> {
    kind(r, at)
}
