-- What tokens may do, who made a key, which other took its place,
-- and when it was last used. scope and projects, a JSON array, are of tokens; an empty
-- array is every project.

-- +goose Up

ALTER TABLE credentials ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN projects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE credentials ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN used_at INTEGER;

-- Until now every token could do everything.
UPDATE credentials SET scope = 'admin' WHERE kind = 'tk';
