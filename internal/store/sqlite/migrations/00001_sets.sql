-- Times are microseconds since 1970 in UTC. Digests are SHA-256, 32 bytes.
-- Bodies are the exact bytes that were committed, hence BLOB.

-- +goose Up

-- A set without an environment is the catalogue of its project.
CREATE TABLE sets (
    id           INTEGER PRIMARY KEY,
    project      TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    epoch        TEXT    NOT NULL UNIQUE,
    version      INTEGER NOT NULL CHECK (version >= 0),
    committed_at INTEGER NOT NULL,
    UNIQUE (project, environment)
) STRICT;

-- What each set holds now. Tables with bodies keep their rowid: in a WITHOUT ROWID
-- table the bodies would lie in the inner nodes of the tree and make it deep.
CREATE TABLE items (
    set_id  INTEGER NOT NULL REFERENCES sets (id),
    kind    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    version INTEGER NOT NULL,
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    body    BLOB    NOT NULL,
    PRIMARY KEY (set_id, kind, key)
) STRICT;

CREATE TABLE changes (
    set_id  INTEGER NOT NULL REFERENCES sets (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    comment TEXT    NOT NULL,
    PRIMARY KEY (set_id, version)
) STRICT, WITHOUT ROWID;

-- What each change put, or deleted where digest and body are null. The row of an
-- item may outlive that of its change: it is what a later version still holds.
CREATE TABLE change_items (
    id      INTEGER PRIMARY KEY,
    set_id  INTEGER NOT NULL REFERENCES sets (id),
    version INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    digest  BLOB    CHECK (length(digest) = 32),
    body    BLOB    CHECK ((body IS NULL) = (digest IS NULL))
) STRICT;

-- The latest of an item at or before a version.
CREATE UNIQUE INDEX change_items_by_name ON change_items (set_id, kind, key, version);

-- What one change holds, in order.
CREATE INDEX change_items_by_version ON change_items (set_id, version, kind, key);

-- project and environment are empty where the kind reads no set.
CREATE TABLE credentials (
    id          TEXT    NOT NULL PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    project     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
) STRICT;
