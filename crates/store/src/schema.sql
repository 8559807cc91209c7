-- The catalog, version 1. Text from reports is stored as it came; days count from 1970-01-01 UTC.
-- Sums of messages are exact whatever a report claims: counts are added up as high and low halves of 32 bits,
-- `messages_high * 2^32 + messages_low`. Message counts of single reports are u64 in the bits of an i64.

CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,            -- counted up by every rebuild; an item of an older epoch is pending
    rebuild_to INTEGER NOT NULL,       -- items up to this number may be pending; 0 when no rebuild is under way
    next_report INTEGER NOT NULL,
    next_segment INTEGER NOT NULL,
    checkpoint_pack INTEGER NOT NULL,  -- everything in the spool before this place has a committed outcome
    checkpoint_offset INTEGER NOT NULL,
    items INTEGER NOT NULL,
    item_bytes INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    messages_high INTEGER NOT NULL,
    messages_low INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    flawed INTEGER NOT NULL
);
INSERT INTO state VALUES (1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- A raw item with its outcome. Numbered in the order of taking in, which a rebuild repeats.
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    prefix INTEGER NOT NULL,           -- the first 8 bytes of the key: an index a third the size of one on the key
    key BLOB NOT NULL,                 -- SHA-256
    pack INTEGER NOT NULL,             -- 0: a file of its own
    offset INTEGER NOT NULL,
    size INTEGER NOT NULL,
    origin TEXT NOT NULL,
    received INTEGER NOT NULL,
    reports INTEGER NOT NULL,          -- in it, duplicates included
    rejected INTEGER NOT NULL,
    repeats INTEGER NOT NULL,          -- how often the same bytes came again
    epoch INTEGER NOT NULL
);
CREATE INDEX item_prefix ON item (prefix);

CREATE TABLE reporter (
    id INTEGER PRIMARY KEY,
    organization TEXT NOT NULL,
    header TEXT NOT NULL,              -- the whole reporter as JSON
    UNIQUE (organization, header)
);
CREATE TABLE policy (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    header TEXT NOT NULL,              -- the whole policy published as JSON
    UNIQUE (domain, header)
);
CREATE TABLE domain (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    organizational TEXT NOT NULL
);

CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    key BLOB NOT NULL,                 -- 16 bytes: hash of the identity
    superseded_by INTEGER NOT NULL,    -- 0: it counts
    content BLOB NOT NULL,             -- SHA-256
    reporter INTEGER NOT NULL,
    policy INTEGER NOT NULL,
    report_id TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    version TEXT,
    errors TEXT,                       -- JSON, null if there are none
    rows INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bad_rows INTEGER NOT NULL,
    flaws TEXT,                        -- JSON, null if there are none
    item INTEGER NOT NULL,
    member TEXT
);
-- Among the reports that count an identity is unique.
CREATE UNIQUE INDEX report_identity ON report (day, key, superseded_by);
CREATE TABLE report_flaw (
    kind TEXT NOT NULL,
    report INTEGER NOT NULL,
    PRIMARY KEY (kind, report)
) WITHOUT ROWID;

CREATE TABLE rejection (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL,
    member TEXT,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX rejection_item ON rejection (item);
CREATE TABLE conflict (
    id INTEGER PRIMARY KEY,
    counts INTEGER NOT NULL,
    superseded INTEGER NOT NULL
);

CREATE TABLE segment (
    id INTEGER PRIMARY KEY,            -- segments/<id, ten digits>.parquet
    level INTEGER NOT NULL,            -- 0: as committed; 1: compacted
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    first_report INTEGER NOT NULL,
    last_report INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    cut INTEGER NOT NULL               -- 1: rows before first_day do not count, they were moved or forgotten
);
-- Rows of this report in this segment no longer count.
CREATE TABLE tombstone (
    segment INTEGER NOT NULL,
    report INTEGER NOT NULL,
    PRIMARY KEY (segment, report)
) WITHOUT ROWID;

-- Rollups, kept by the transactions that change what they sum up.
CREATE TABLE trend (
    day INTEGER NOT NULL,
    domain INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    disposition INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    messages_high INTEGER NOT NULL,
    messages_low INTEGER NOT NULL,
    PRIMARY KEY (day, domain, outcome, disposition)
) WITHOUT ROWID;
CREATE TABLE policy_seen (
    day INTEGER NOT NULL,
    policy INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    PRIMARY KEY (day, policy)
) WITHOUT ROWID;
CREATE TABLE arrival (
    day INTEGER NOT NULL,
    organization TEXT NOT NULL,
    reports INTEGER NOT NULL,
    flawed INTEGER NOT NULL,
    messages_high INTEGER NOT NULL,
    messages_low INTEGER NOT NULL,
    last_received INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    PRIMARY KEY (day, organization)
) WITHOUT ROWID;
CREATE TABLE flaw (
    day INTEGER NOT NULL,
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    reports INTEGER NOT NULL,
    report INTEGER NOT NULL,           -- the newest that has it
    PRIMARY KEY (day, organization, kind)
) WITHOUT ROWID;

-- Files of the spool that no longer belong to the ledger and are still to be removed.
CREATE TABLE garbage (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
