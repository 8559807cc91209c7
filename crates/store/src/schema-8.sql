-- Version 8: what was published in DNS, and when it was seen.

-- A line for each answer that a name gave, from the first time it was seen to the last; another answer is another line. Only ever added
-- to, but for `last_seen`. Nothing here can be worked out again: a rebuild leaves it, and backups have it.
CREATE TABLE published (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,              -- whom it was asked for
    kind TEXT NOT NULL,                -- and what for: spf, dmarc, dkim, mx
    name TEXT NOT NULL,                -- the name in DNS
    type TEXT NOT NULL,                -- of the records: TXT, MX, A, AAAA
    state INTEGER NOT NULL,            -- 0: there is something, 1: there is nothing, 2: the question failed
    value TEXT NOT NULL,               -- the records, one a line; of a failure, which
    first_seen INTEGER NOT NULL,       -- seconds since 1970 UTC
    last_seen INTEGER NOT NULL
);
CREATE INDEX published_key ON published (domain, kind, name, type, last_seen);
CREATE INDEX published_first ON published (first_seen);
