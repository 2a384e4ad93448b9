package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// Limits of keys and tokens.
const (
	// MaxKeys is how many keys an environment may have, and how many tokens there
	// may be.
	MaxKeys = 1000
	// DefaultOverlap is how long a key that is rotated is honoured beside its
	// replacement where nobody says otherwise.
	DefaultOverlap = 24 * time.Hour
	// MaxOverlap is how long it may be honoured at most.
	MaxOverlap = 30 * 24 * time.Hour
)

// Issued is the outcome of making a key or token. The secret is nowhere else: who
// asked is told, once.
type Issued[T any] struct {
	Item T
	// Secret is empty after a dry run.
	Secret auth.Secret
	// Replaced is what a rotation replaced, nil otherwise.
	Replaced *T
}

// settle implements outcome; keys and tokens are in no set.
func (*Issued[T]) settle([]ItemChange) {}

// Revoked is the outcome of revoking a key or token, which it shows as it was.
type Revoked[T any] struct{ Item T }

// settle implements outcome.
func (*Revoked[T]) settle([]ItemChange) {}

// Rotation says how a key or token is replaced.
type Rotation struct {
	// Overlap is how long the old one is still honoured, unless it expires before.
	Overlap time.Duration
	// ExpiresAt is when the new one expires. Where it is zero the new one lasts as
	// long from now as the old one did when it was made.
	ExpiresAt time.Time
}

func (r *Rotation) check(now time.Time) error {
	if r.Overlap < 0 || r.Overlap > MaxOverlap {
		return fault.InvalidField("overlap", "it must be from 0s to %s, such as 24h", hours(MaxOverlap))
	}
	return checkExpiry(r.ExpiresAt, now)
}

// hours writes a whole number of hours.
func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }

func checkExpiry(at, now time.Time) error {
	if !at.IsZero() && !at.After(now) {
		return fault.InvalidField("expiresAt", "it is not in the future; leave it out for a key that does not expire")
	}
	return nil
}

// checkCredentialName checks what a key or token is called.
func checkCredentialName(name string) error {
	if name == "" {
		return fault.InvalidField("name", "it is missing; say what the key is for, such as checkout-service")
	}
	return checkText("name", name, feature.MaxNameBytes)
}

// replacement returns the credential that takes the place of another, with what
// the other may do.
func replacement(secret auth.Secret, old *store.Credential, by string, expiresAt, now time.Time) store.Credential {
	made := auth.NewCredential(secret, old.Name, old.Set, now)
	made.Scope, made.Projects, made.CreatedBy, made.ExpiresAt = old.Scope, old.Projects, by, expiresAt
	if expiresAt.IsZero() && !old.ExpiresAt.IsZero() {
		made.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
	}
	return made
}

// replace keeps the replacement of a credential and lets the old one expire. It
// returns both as they are then.
func replace(ctx context.Context, tx store.Tx, old store.Credential, secret auth.Secret, by string, rotation Rotation, now time.Time) (made, replaced store.Credential, err error) {
	if old.ReplacedBy != "" {
		return made, old, fault.New(fault.Conflict, "%s was replaced by %s; rotate that one.", old.ID, old.ReplacedBy)
	}
	made = replacement(secret, &old, by, rotation.ExpiresAt, now)
	if err := tx.AddCredential(ctx, made); err != nil {
		return made, old, fmt.Errorf("add credential: %w", err)
	}
	until := now.Add(rotation.Overlap)
	if !old.ExpiresAt.IsZero() && old.ExpiresAt.Before(until) {
		until = old.ExpiresAt
	}
	old.ReplacedBy, old.ExpiresAt = made.ID, store.KeptTime(until)
	if err := tx.ReplaceCredential(ctx, old.ID, made.ID, old.ExpiresAt); err != nil {
		return made, old, fmt.Errorf("replace credential: %w", err)
	}
	return kept(made), old, nil
}

// kept returns a credential as the store keeps it.
func kept(c store.Credential) store.Credential {
	c.CreatedAt = store.KeptTime(c.CreatedAt)
	if !c.ExpiresAt.IsZero() {
		c.ExpiresAt = store.KeptTime(c.ExpiresAt)
	}
	return c
}

// credentials returns the credentials that are of interest.
func credentials(ctx context.Context, r store.Reader, wanted func(*store.Credential) bool) ([]store.Credential, error) {
	all, err := r.Credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	return slices.DeleteFunc(all, func(c store.Credential) bool { return !wanted(&c) }), nil
}

// isSecret reports whether an id is a secret that somebody took for one.
func isSecret(id string) bool { return auth.Secret(id).Kind() != "" }

// mistakenSecret refuses a secret in the place of an id, without repeating it.
func mistakenSecret() *fault.Error {
	return fault.New(fault.NotFound, "This is the secret of a key or token, not its id; list them to find the id, and take care where the secret goes.")
}

// byID returns one of some credentials, or missing.
func byID(all []store.Credential, id string, missing *fault.Error) (store.Credential, error) {
	at := slices.IndexFunc(all, func(c store.Credential) bool { return c.ID == id })
	if at < 0 {
		return store.Credential{}, missing
	}
	return all[at], nil
}
