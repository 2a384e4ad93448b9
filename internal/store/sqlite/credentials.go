package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	var expires sql.NullInt64
	if err := scan(&c.ID, (*digest)(&c.Hash), &c.Kind, &c.Name, &c.Set.Project, &c.Set.Environment, &created, &expires); err != nil {
		return store.Credential{}, err
	}
	c.CreatedAt = fromMicros(created)
	if expires.Valid {
		c.ExpiresAt = fromMicros(expires.Int64)
	}
	return c, nil
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
		expires := sql.NullInt64{Int64: store.KeptTime(c.ExpiresAt).UnixMicro(), Valid: !c.ExpiresAt.IsZero()}
		_, err := t.exec(ctx, insertCredential, c.ID, c.Hash[:], c.Kind, c.Name,
			c.Set.Project, c.Set.Environment, store.KeptTime(c.CreatedAt).UnixMicro(), expires)
		return err
	})
}

func (t *tx) DeleteCredential(ctx context.Context, id string) error {
	return t.do(ctx, func(ctx context.Context) error {
		deleted, err := t.exec(ctx, deleteCredential, id)
		if err == nil && !deleted {
			return refuse(&store.NotFoundError{What: "credential", Key: id})
		}
		return err
	})
}
