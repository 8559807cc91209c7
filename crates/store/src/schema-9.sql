-- Version 9: names that could be taken for ours and that exist.

-- What was last seen of each; only names that existed at some time. Nothing here can be worked out again: a rebuild leaves it, and
-- backups have it.
CREATE TABLE lookalike (
    domain TEXT NOT NULL,              -- which of our domains it is like
    name TEXT NOT NULL,
    state TEXT,                        -- what there is in DNS, JSON; NULL: the name is gone
    absent_before INTEGER NOT NULL,    -- 1: it was looked for before, and was not there
    first_seen INTEGER NOT NULL,       -- seconds since 1970 UTC
    last_seen INTEGER NOT NULL,        -- when it last existed
    looked_at INTEGER NOT NULL,
    PRIMARY KEY (domain, name)
) WITHOUT ROWID;

-- A line for each change of a state, the first included. Only ever added to.
CREATE TABLE lookalike_change (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    was TEXT,                          -- NULL: it was not there, or not known
    became TEXT                        -- NULL: it is gone
);
CREATE INDEX lookalike_change_at ON lookalike_change (at);

-- How far looking has come: many thousand names are looked at a part a day.
CREATE TABLE lookalike_pass (
    domain TEXT NOT NULL PRIMARY KEY,
    place INTEGER NOT NULL,            -- candidates of this pass that were looked at
    passes INTEGER NOT NULL,           -- passes that were finished
    looked_at INTEGER NOT NULL
) WITHOUT ROWID;
