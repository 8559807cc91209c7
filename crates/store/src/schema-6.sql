-- Version 6: samples from failure reports.

ALTER TABLE item ADD COLUMN samples INTEGER NOT NULL DEFAULT 0;   -- failure reports in it, those that had come before included
ALTER TABLE state ADD COLUMN samples INTEGER NOT NULL DEFAULT 0;  -- rows of the table below

-- What is kept of a failure report: no recipients, no body.
CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    content BLOB NOT NULL UNIQUE,      -- SHA-256 of what the report says: its identity
    day INTEGER NOT NULL,              -- on which the message arrived
    domain TEXT NOT NULL,              -- author domain
    local_part TEXT NOT NULL,          -- of the author, in lower case; empty where it is not known
    source BLOB,                       -- 16 bytes
    incidents INTEGER NOT NULL,        -- messages the report stands for
    sample TEXT NOT NULL,              -- all of it as JSON
    item INTEGER NOT NULL,
    member TEXT
);
CREATE INDEX sample_day ON sample (day);
CREATE INDEX sample_author ON sample (domain, local_part, day);
CREATE INDEX sample_source ON sample (source, day);
CREATE INDEX sample_item ON sample (item);
