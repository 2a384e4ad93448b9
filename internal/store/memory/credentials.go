package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// allCredentials returns the credentials, which the caller may keep.
func (s *state) allCredentials() []store.Credential {
	all := slices.Clone(s.credentials)
	for i := range all {
		all[i].Projects = slices.Clone(all[i].Projects)
	}
	return all
}

func (t *tx) Credentials(ctx context.Context) ([]store.Credential, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return t.state.allCredentials(), nil
}

func (t *tx) AddCredential(ctx context.Context, c store.Credential) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	for i := range t.state.credentials {
		if old := &t.state.credentials[i]; old.ID == c.ID || old.Hash == c.Hash {
			return fmt.Errorf("credential %s: %w", c.ID, store.ErrExists)
		}
	}
	c.CreatedAt, c.ExpiresAt, c.UsedAt = store.KeptTime(c.CreatedAt), store.KeptTime(c.ExpiresAt), store.KeptTime(c.UsedAt)
	c.Projects = slices.Clone(c.Projects)
	all := append(slices.Clone(t.state.credentials), c)
	slices.SortFunc(all, func(a, b store.Credential) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	t.state.credentials = all
	return nil
}

// credential returns a credential of the transaction's own list, which it may
// change, or nil.
func (t *tx) credential(id string) *store.Credential {
	at := slices.IndexFunc(t.state.credentials, func(c store.Credential) bool { return c.ID == id })
	if at < 0 {
		return nil
	}
	t.state.credentials = slices.Clone(t.state.credentials)
	return &t.state.credentials[at]
}

func (t *tx) ReplaceCredential(ctx context.Context, id, by string, expiresAt time.Time) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	c := t.credential(id)
	if c == nil {
		return &store.NotFoundError{What: "credential", Key: id}
	}
	c.ReplacedBy, c.ExpiresAt = by, store.KeptTime(expiresAt)
	t.hintCredentials()
	return nil
}

func (t *tx) UseCredential(ctx context.Context, id string, at time.Time) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if c := t.credential(id); c != nil && c.UsedAt.Before(at) {
		c.UsedAt = store.KeptTime(at)
	}
	return nil
}

func (t *tx) DeleteCredential(ctx context.Context, id string) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	at := slices.IndexFunc(t.state.credentials, func(c store.Credential) bool { return c.ID == id })
	if at < 0 {
		return &store.NotFoundError{What: "credential", Key: id}
	}
	t.state.credentials = slices.Delete(slices.Clone(t.state.credentials), at, at+1)
	t.hintCredentials()
	return nil
}

// hintCredentials adds the hint of credentials, once.
func (t *tx) hintCredentials() {
	if !slices.ContainsFunc(t.hints, func(h store.Hint) bool { return h.Credentials }) {
		t.hints = append(t.hints, store.Hint{Credentials: true})
	}
}
