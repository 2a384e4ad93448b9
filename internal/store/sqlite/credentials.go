package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

func (r reader) credential(ctx context.Context, hash [32]byte) (store.Credential, error) {
	c, err := scanCredential(r.stmt(ctx, selectCredential).QueryRowContext(ctx, hash[:]).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Credential{}, &store.NotFoundError{What: "credential", Key: "of that secret"}
	case err != nil:
		return store.Credential{}, failed(ctx, "read a credential", err)
	}
	return c, nil
}

func (r reader) credentials(ctx context.Context) ([]store.Credential, error) {
	var all []store.Credential
	err := r.each(ctx, selectCredentials, func(scan scanner) error {
		c, err := scanCredential(scan)
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, failed(ctx, "read credentials", err)
	}
	return all, nil
}

func scanCredential(scan scanner) (store.Credential, error) {
	var c store.Credential
	var created int64
	var expires, used sql.NullInt64
	var projects string
	err := scan(&c.ID, (*digest)(&c.Hash), &c.Kind, &c.Name, &c.Set.Project, &c.Set.Environment,
		&c.Scope, &projects, &created, &c.CreatedBy, &expires, &c.ReplacedBy, &used)
	if err != nil {
		return store.Credential{}, err
	}
	if err := json.Unmarshal([]byte(projects), &c.Projects); err != nil {
		return store.Credential{}, fmt.Errorf("projects of credential %s: %w", c.ID, err)
	}
	if len(c.Projects) == 0 {
		c.Projects = nil
	}
	c.CreatedAt, c.ExpiresAt, c.UsedAt = fromMicros(created), fromNullMicros(expires), fromNullMicros(used)
	return c, nil
}

// nullMicros is a time that may be zero.
func nullMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: store.KeptTime(t).UnixMicro(), Valid: !t.IsZero()}
}

func fromNullMicros(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return fromMicros(us.Int64)
}

func (t *tx) Credentials(ctx context.Context) (all []store.Credential, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		all, err = t.reader.credentials(ctx)
		return err
	})
	return all, err
}

func (t *tx) AddCredential(ctx context.Context, c store.Credential) error {
	return t.do(ctx, func(ctx context.Context) error {
		var exists bool
		if err := t.stmt(existsCredential).QueryRowContext(ctx, c.ID, c.Hash[:]).Scan(&exists); err != nil {
			return failed(ctx, "look for a credential", err)
		}
		if exists {
			return refuse(fmt.Errorf("credential %s: %w", c.ID, store.ErrExists))
		}
		projects := []byte("[]")
		if len(c.Projects) > 0 {
			var err error
			if projects, err = json.Marshal(c.Projects); err != nil {
				return refuse(fmt.Errorf("projects of credential %s: %w", c.ID, err))
			}
		}
		_, err := t.exec(ctx, insertCredential, c.ID, c.Hash[:], c.Kind, c.Name, c.Set.Project, c.Set.Environment,
			c.Scope, string(projects), store.KeptTime(c.CreatedAt).UnixMicro(), c.CreatedBy, nullMicros(c.ExpiresAt), c.ReplacedBy, nullMicros(c.UsedAt))
		return err
	})
}

func (t *tx) ReplaceCredential(ctx context.Context, id, by string, expiresAt time.Time) error {
	return t.do(ctx, func(ctx context.Context) error {
		found, err := t.exec(ctx, replaceCredential, by, nullMicros(expiresAt), id)
		if err == nil && !found {
			return refuse(&store.NotFoundError{What: "credential", Key: id})
		}
		if err == nil {
			t.hintCredentials()
		}
		return err
	})
}

func (t *tx) UseCredential(ctx context.Context, id string, at time.Time) error {
	return t.do(ctx, func(ctx context.Context) error {
		_, err := t.exec(ctx, useCredential, nullMicros(at), id)
		return err
	})
}

func (t *tx) DeleteCredential(ctx context.Context, id string) error {
	return t.do(ctx, func(ctx context.Context) error {
		deleted, err := t.exec(ctx, deleteCredential, id)
		if err == nil && !deleted {
			return refuse(&store.NotFoundError{What: "credential", Key: id})
		}
		if err == nil {
			t.hintCredentials()
		}
		return err
	})
}

// hintCredentials adds the hint of credentials, once.
func (t *tx) hintCredentials() {
	for _, hint := range t.hints {
		if hint.Credentials {
			return
		}
	}
	t.hints = append(t.hints, store.Hint{Credentials: true})
}
