-- How writes ended that their callers gave a key, for a day. The owner is the
-- credential of the caller.

-- +goose Up

CREATE TABLE outcomes (
    owner      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    request    BLOB    NOT NULL CHECK (length(request) = 32),
    body       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT;

CREATE INDEX outcomes_by_expiry ON outcomes (expires_at);
