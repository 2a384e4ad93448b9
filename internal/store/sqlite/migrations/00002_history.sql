-- +goose Up

-- The oldest version at which the set can still be read; the changes after it are
-- those that can. The row of that version stays in changes, for its time.
ALTER TABLE sets ADD COLUMN oldest INTEGER NOT NULL DEFAULT 0 CHECK (oldest >= 0);
