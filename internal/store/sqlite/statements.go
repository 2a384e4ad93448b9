package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// statement names one SQL statement. All are prepared once per connection.
type statement int

// The statements: first those that only read, which readers and the writer have,
// then those of the writer alone.
const (
	selectSets statement = iota
	selectSet
	selectItem
	selectItems
	selectItemsOfKinds
	selectItemsAfter
	selectItemsAt
	selectChange
	selectChanges
	selectChangeItems
	selectNamedItemsAt
	selectLog
	selectLogBackwards
	selectNamedLog
	selectNamedLogBackwards
	selectLogItems
	selectCredential
	selectCredentials

	begin
	commit
	rollback
	insertSet
	updateSet
	upsertItem
	deleteItem
	upsertChange
	upsertChangeItem
	selectOldChanges
	selectTouched
	deleteChangeItems
	deleteChanges
	updateOldest
	existsCredential
	insertCredential
	replaceCredential
	useCredential
	deleteCredential
	selectOutcome
	upsertOutcome
	deleteOutcomes
	deleteChangeItemsOf
	deleteChangesOf
	deleteItemsOf
	deleteCredentialsOf
	deleteSet

	statements
	readingStatements = begin
)

// namedVersions are the versions between two that touch items of some names, as in
// selectNamedItemsAt.
const namedVersions = `SELECT named.version
			FROM json_each(?5) AS name CROSS JOIN change_items AS named INDEXED BY change_items_by_name
			WHERE named.set_id = ?1 AND named.kind = name.value ->> 0
				AND named.key BETWEEN name.value ->> 1 AND name.value ->> 2 AND named.version > ?2 AND named.version < ?3`

var text = [statements]string{
	selectSets: `SELECT project, environment, epoch, version, committed_at, oldest FROM sets ORDER BY project, environment`,

	selectSet: `SELECT id, epoch, version, committed_at, oldest FROM sets WHERE project = ? AND environment = ?`,

	selectItem: `SELECT items.version, items.digest, items.body FROM sets JOIN items ON items.set_id = sets.id
		WHERE sets.project = ? AND sets.environment = ? AND items.kind = ? AND items.key = ?`,

	selectItems: `SELECT items.kind, items.key, items.version, items.digest, items.body
		FROM sets JOIN items ON items.set_id = sets.id
		WHERE sets.project = ? AND sets.environment = ?
		ORDER BY items.kind, items.key`,

	selectItemsOfKinds: `SELECT items.kind, items.key, items.version, items.digest, items.body
		FROM sets JOIN items ON items.set_id = sets.id
		WHERE sets.project = ? AND sets.environment = ? AND items.kind IN (SELECT value FROM json_each(?))
		ORDER BY items.kind, items.key`,

	selectItemsAfter: `SELECT items.kind, items.key, items.version, items.digest, items.body
		FROM sets JOIN items ON items.set_id = sets.id
		WHERE sets.project = ? AND sets.environment = ? AND items.kind = ? AND items.key > ?
		ORDER BY items.key LIMIT ?`,

	// With max(version) the bare column id is that of the row with the maximum.
	// The inner query reads the index alone, which is in the order of the groups,
	// so only the bodies that count are read and nothing is sorted.
	selectItemsAt: `SELECT change_items.kind, change_items.key, change_items.version, change_items.digest, change_items.body
		FROM (
			SELECT id, max(version) FROM change_items INDEXED BY change_items_by_name
			WHERE set_id = ? AND version <= ? GROUP BY kind, key
		) AS latest
		CROSS JOIN change_items ON change_items.id = latest.id
		WHERE change_items.digest IS NOT NULL`,

	selectChange: `SELECT at FROM changes WHERE set_id = ? AND version = ?`,

	selectChanges: `SELECT version, at, actor, comment FROM changes
		WHERE set_id = ? AND version > ? AND version <= ? ORDER BY version`,

	selectChangeItems: `SELECT version, kind, key, digest, body FROM change_items
		WHERE set_id = ? AND version > ? AND version <= ? ORDER BY version, kind, key`,

	// The names are a JSON list of kind, least key and greatest key.
	selectNamedItemsAt: `SELECT change_items.kind, change_items.key, change_items.version, change_items.digest, change_items.body
		FROM (
			SELECT named.id, max(named.version)
			FROM json_each(?2) AS name CROSS JOIN change_items AS named INDEXED BY change_items_by_name
			WHERE named.set_id = ?1 AND named.kind = name.value ->> 0
				AND named.key BETWEEN name.value ->> 1 AND name.value ->> 2 AND named.version <= ?3
			GROUP BY named.kind, named.key
		) AS latest
		CROSS JOIN change_items ON change_items.id = latest.id
		WHERE change_items.digest IS NOT NULL`,

	selectLog: `SELECT version, at, actor, comment FROM changes
		WHERE set_id = ? AND version > ? AND version < ? ORDER BY version LIMIT ?`,

	selectLogBackwards: `SELECT version, at, actor, comment FROM changes
		WHERE set_id = ? AND version > ? AND version < ? ORDER BY version DESC LIMIT ?`,

	selectNamedLog: `SELECT version, at, actor, comment FROM changes
		WHERE set_id = ?1 AND version IN (` + namedVersions + `) ORDER BY version LIMIT ?4`,

	selectNamedLogBackwards: `SELECT version, at, actor, comment FROM changes
		WHERE set_id = ?1 AND version IN (` + namedVersions + `) ORDER BY version DESC LIMIT ?4`,

	selectLogItems: `SELECT version, kind, key, digest IS NULL FROM change_items
		WHERE set_id = ? AND version IN (SELECT value FROM json_each(?)) ORDER BY version, kind, key`,

	selectCredential: `SELECT id, hash, kind, name, project, environment, scope, projects, created_at, created_by, expires_at, replaced_by, used_at
		FROM credentials WHERE hash = ?`,

	selectCredentials: `SELECT id, hash, kind, name, project, environment, scope, projects, created_at, created_by, expires_at, replaced_by, used_at
		FROM credentials ORDER BY created_at, id`,

	begin:    `BEGIN IMMEDIATE`,
	commit:   `COMMIT`,
	rollback: `ROLLBACK`,

	insertSet: `INSERT INTO sets (project, environment, epoch, version, committed_at) VALUES (?, ?, ?, 0, ?)`,

	updateSet: `UPDATE sets SET version = ?, committed_at = ? WHERE id = ?`,

	// Changes no row where the item has these bytes already.
	upsertItem: `INSERT INTO items (set_id, kind, key, version, digest, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (set_id, kind, key) DO UPDATE
		SET version = excluded.version, digest = excluded.digest, body = excluded.body
		WHERE digest <> excluded.digest`,

	deleteItem: `DELETE FROM items WHERE set_id = ? AND kind = ? AND key = ?`,

	upsertChange: `INSERT INTO changes (set_id, version, at, actor, comment) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (set_id, version) DO UPDATE
		SET at = excluded.at, actor = excluded.actor, comment = excluded.comment`,

	upsertChangeItem: `INSERT INTO change_items (set_id, version, kind, key, digest, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (set_id, kind, key, version) DO UPDATE
		SET digest = excluded.digest, body = excluded.body`,

	selectOldChanges: `SELECT version, at,
			(SELECT count(*) FROM change_items WHERE change_items.set_id = changes.set_id AND change_items.version = changes.version)
		FROM changes WHERE set_id = ? AND version > ? AND at < ? ORDER BY version LIMIT ?`,

	selectTouched: `SELECT kind, key, max(version) FROM change_items INDEXED BY change_items_by_version
		WHERE set_id = ? AND version > ? AND version <= ? GROUP BY kind, key`,

	// A deletion need not be remembered where there is nothing older.
	deleteChangeItems: `DELETE FROM change_items
		WHERE set_id = ?1 AND kind = ?2 AND key = ?3 AND version <= ?4 AND (version < ?4 OR digest IS NULL)`,

	deleteChanges: `DELETE FROM changes WHERE set_id = ? AND version < ?`,

	updateOldest: `UPDATE sets SET oldest = ? WHERE id = ?`,

	existsCredential: `SELECT EXISTS (SELECT 1 FROM credentials WHERE id = ? OR hash = ?)`,

	insertCredential: `INSERT INTO credentials
		(id, hash, kind, name, project, environment, scope, projects, created_at, created_by, expires_at, replaced_by, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,

	replaceCredential: `UPDATE credentials SET replaced_by = ?, expires_at = ? WHERE id = ?`,

	useCredential: `UPDATE credentials SET used_at = max(?1, ifnull(used_at, ?1)) WHERE id = ?2`,

	deleteCredential: `DELETE FROM credentials WHERE id = ?`,

	selectOutcome: `SELECT request, body, expires_at FROM outcomes WHERE owner = ? AND key = ?`,

	upsertOutcome: `INSERT INTO outcomes (owner, key, request, body, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (owner, key) DO UPDATE
		SET request = excluded.request, body = excluded.body, expires_at = excluded.expires_at`,

	deleteOutcomes: `DELETE FROM outcomes WHERE expires_at <= ?`,

	deleteChangeItemsOf: `DELETE FROM change_items WHERE set_id = ?`,

	deleteChangesOf: `DELETE FROM changes WHERE set_id = ?`,

	deleteItemsOf: `DELETE FROM items WHERE set_id = ?`,

	deleteCredentialsOf: `DELETE FROM credentials WHERE project = ? AND environment = ?`,

	deleteSet: `DELETE FROM sets WHERE id = ?`,
}

// prepared holds the statements of one connection or pool.
type prepared [statements]*sql.Stmt

// prepare prepares the first n statements.
func prepare(ctx context.Context, n statement, on interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
},
) (*prepared, error) {
	p := new(prepared)
	for i := range n {
		stmt, err := on.PrepareContext(ctx, text[i])
		if err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", text[i], err), p.close())
		}
		p[i] = stmt
	}
	return p, nil
}

// close closes the statements. SQLite keeps a connection open, with its
// transaction and its locks, for as long as there are statements of it.
func (p *prepared) close() error {
	var errs []error
	for _, stmt := range p {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}
