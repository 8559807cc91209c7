-- Version 11: alerts, what is to be sent of them, and what people said to them. None of it can be worked out again: `rebuild` leaves it.

CREATE TABLE alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cause TEXT NOT NULL,         -- what is wrong where; open once at a time
    opened INTEGER NOT NULL,     -- seconds since 1970 UTC
    resolved INTEGER,            -- the same; NULL while it is open
    state TEXT NOT NULL          -- JSON
);
CREATE UNIQUE INDEX alert_open ON alert (cause) WHERE resolved IS NULL;
CREATE INDEX alert_resolved ON alert (resolved);

CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    due INTEGER NOT NULL,        -- not to be sent before, in seconds since 1970 UTC
    tries INTEGER NOT NULL DEFAULT 0,
    sent INTEGER,                -- when the channel took it
    given_up INTEGER,            -- when it was given up
    problem TEXT,                -- why the last try failed
    notice TEXT NOT NULL         -- JSON
);
CREATE INDEX notice_due ON notice (due) WHERE sent IS NULL AND given_up IS NULL;

-- Added one after the other, never changed.
CREATE TABLE alert_word (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    word TEXT NOT NULL           -- JSON
);

CREATE TABLE alert_mark (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
