-- Version 10: waivers, of gates that do not pass.

-- Only ever added to: one that is taken back has another line that says so. Nothing here can be worked out again: a rebuild leaves it, and
-- backups have it.
CREATE TABLE waiver (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,               -- seconds since 1970 UTC
    waiver TEXT NOT NULL               -- JSON
);
