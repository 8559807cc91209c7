-- Version 4: who stands for an item.

ALTER TABLE item ADD COLUMN standing TEXT;  -- JSON; null: whoever imported it
