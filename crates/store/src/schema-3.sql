-- Version 3: what is known of sources beyond what reports say.

-- A profile as it was learned on a day; the newest counts, the older ones say what was known then.
CREATE TABLE profile (
    address BLOB NOT NULL,             -- 16 bytes
    day INTEGER NOT NULL,
    profile TEXT NOT NULL,             -- JSON
    PRIMARY KEY (address, day)
) WITHOUT ROWID;
