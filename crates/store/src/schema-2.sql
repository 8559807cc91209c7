-- Version 2: segments sorted by source, and a trend that is packed.

ALTER TABLE segment ADD COLUMN by_source INTEGER NOT NULL DEFAULT 0;  -- bytes of by-source/<id, ten digits>.parquet; 0: there is none

ALTER TABLE trend RENAME TO trend_1;
CREATE TABLE trend (
    day INTEGER NOT NULL,
    domain INTEGER NOT NULL,
    sums BLOB NOT NULL,                -- for each outcome and disposition: number, rows, messages; see trend.rs
    PRIMARY KEY (day, domain)
) WITHOUT ROWID;
-- The same over all domains.
CREATE TABLE trend_day (
    day INTEGER PRIMARY KEY,
    sums BLOB NOT NULL
);
-- What trend_1 holds is moved by trend.rs, and the table dropped.
