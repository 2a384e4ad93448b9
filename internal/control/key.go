package control

import (
	"context"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// KeyKind says what a key reads.
type KeyKind string

// The kinds of keys.
const (
	ServerKey KeyKind = "server" // everything of its environment
	ClientKey KeyKind = "client" // what clients may see
)

// prefixes are the kinds by the prefix of their secrets.
var prefixes = map[string]KeyKind{auth.KindServer: ServerKey, auth.KindClient: ClientKey}

// Key is a server or client key of an environment, without its secret.
type Key struct {
	// ID is public; it is what logs say.
	ID        string    `json:"id"`
	Kind      KeyKind   `json:"kind"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy,omitempty"`
	// ExpiresAt is zero for never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// ReplacedBy is the ID of the key that a rotation made in its place.
	ReplacedBy string `json:"replacedBy,omitempty"`
	// LastUsedAt is zero for never; it is up to some minutes old.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
}

func keyOf(c *store.Credential) Key {
	return Key{
		ID: c.ID, Kind: prefixes[c.Kind], Name: c.Name, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy,
		ExpiresAt: c.ExpiresAt, ReplacedBy: c.ReplacedBy, LastUsedAt: c.UsedAt,
	}
}

// NewKey is what is asked of a key that is made.
type NewKey struct {
	Kind KeyKind
	Name string
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
}

func (n *NewKey) prefix() (string, error) {
	for prefix, kind := range prefixes {
		if kind == n.Kind {
			return prefix, nil
		}
	}
	return "", fault.InvalidField("kind", "%.40q is no kind of key; it is server or client", n.Kind)
}

// Keys returns the keys of an environment, oldest first, those that have expired
// included.
func (c *Control) Keys(ctx context.Context, project, environment string) ([]Key, error) {
	all, err := keys(ctx, c.store, project, environment)
	if err != nil {
		return nil, err
	}
	listed := make([]Key, len(all))
	for i := range all {
		listed[i] = keyOf(&all[i])
	}
	return listed, nil
}

// CreateKey makes a key.
func (c *Control) CreateKey(ctx context.Context, w Write, project, environment string, n NewKey) (Issued[Key], error) {
	var issued Issued[Key]
	now := time.Now()
	prefix, err := n.prefix()
	if err != nil {
		return issued, err
	}
	if err := checkCredentialName(n.Name); err != nil {
		return issued, err
	}
	if err := checkExpiry(n.ExpiresAt, now); err != nil {
		return issued, err
	}
	secret := auth.NewSecret(prefix)
	err = c.update(ctx, w, &issued, func(tx store.Tx) error {
		all, err := keys(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		set := store.SetID{Project: project, Environment: environment}
		if err := writable(ctx, tx, set); err != nil {
			return err
		}
		if len(all) >= MaxKeys {
			return fault.New(fault.Conflict, "Environment %s has %d keys, which is the most; revoke some that are not used.", set, MaxKeys)
		}
		made := auth.NewCredential(secret, n.Name, set, now)
		made.CreatedBy, made.ExpiresAt = w.Actor, n.ExpiresAt
		if err := tx.AddCredential(ctx, made); err != nil {
			return fmt.Errorf("add credential: %w", err)
		}
		made = kept(made)
		issued = Issued[Key]{Item: keyOf(&made), Secret: secret}
		return nil
	})
	return told(w, issued), err
}

// RotateKey makes a key in the place of another, which stays honoured for the
// overlap.
func (c *Control) RotateKey(ctx context.Context, w Write, project, environment, id string, rotation Rotation) (Issued[Key], error) {
	var issued Issued[Key]
	now := time.Now()
	if err := rotation.check(now); err != nil {
		return issued, err
	}
	err := c.update(ctx, w, &issued, func(tx store.Tx) error {
		all, err := keys(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		old, err := byID(all, id, noKey(project, environment, id))
		if err != nil {
			return err
		}
		secret := auth.NewSecret(old.Kind)
		made, replaced, err := replace(ctx, tx, old, secret, w.Actor, rotation, now)
		if err != nil {
			return err
		}
		before := keyOf(&replaced)
		issued = Issued[Key]{Item: keyOf(&made), Secret: secret, Replaced: &before}
		return nil
	})
	return told(w, issued), err
}

// RevokeKey forgets a key. Streams that are open with it end at once.
func (c *Control) RevokeKey(ctx context.Context, w Write, project, environment, id string) (Revoked[Key], error) {
	var revoked Revoked[Key]
	err := c.update(ctx, w, &revoked, func(tx store.Tx) error {
		all, err := keys(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		old, err := byID(all, id, noKey(project, environment, id))
		if err != nil {
			return err
		}
		if err := tx.DeleteCredential(ctx, id); err != nil {
			return fmt.Errorf("delete credential: %w", err)
		}
		revoked = Revoked[Key]{keyOf(&old)}
		return nil
	})
	return revoked, err
}

// keys returns the credentials of an environment.
func keys(ctx context.Context, r store.Reader, project, environment string) ([]store.Credential, error) {
	set, err := flagSet(ctx, r, project, environment)
	if err != nil {
		return nil, err
	}
	return credentials(ctx, r, func(c *store.Credential) bool { return c.Set == set.ID && prefixes[c.Kind] != "" })
}

func noKey(project, environment, id string) *fault.Error {
	if isSecret(id) {
		return mistakenSecret()
	}
	return fault.New(fault.NotFound, "There is no key %.80q in %s/%s; list the keys of the environment.", id, project, environment)
}

// told keeps the secret of a dry run from being told: it is nobody's.
func told[T any](w Write, issued Issued[T]) Issued[T] {
	if w.DryRun {
		issued.Secret = ""
	}
	return issued
}
