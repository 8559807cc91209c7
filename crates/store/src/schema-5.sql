-- Version 5: how often the rows of a day have changed, what other rooms worked out from them, and what people decided.

CREATE TABLE day_version (
    day INTEGER PRIMARY KEY,
    version INTEGER NOT NULL           -- counted up by every transaction that changes rows of the day; never down
);
INSERT INTO day_version SELECT day, 1 FROM trend_day;

-- What can be worked out again: whoever puts it here says from which version of what it was made. Emptied by a rebuild.
CREATE TABLE derived (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,               -- zstd
    PRIMARY KEY (kind, name, number)
);

-- Only ever added to. Nothing here can be worked out again: a rebuild leaves it, and backups have it.
CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,               -- seconds since 1970 UTC
    decision TEXT NOT NULL             -- JSON
);
