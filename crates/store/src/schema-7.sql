-- Version 7: how often profiles were put, so that a change is seen without going through all of them.

ALTER TABLE state ADD COLUMN profiles_put INTEGER NOT NULL DEFAULT 0;   -- counted up by every transaction that puts some; never down
UPDATE state SET profiles_put = (SELECT count(*) FROM profile);
