package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// maxTokenProjects is how many projects a token may be limited to.
const maxTokenProjects = 100

// Token is an API token, without its secret.
type Token struct {
	// ID is public; it is what logs and histories say.
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Scope auth.Scope `json:"scope"`
	// Projects are the only ones that the token reaches; all where there is none.
	Projects  []string  `json:"projects,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy,omitempty"`
	// ExpiresAt is zero for never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// ReplacedBy is the ID of the token that a rotation made in its place.
	ReplacedBy string `json:"replacedBy,omitempty"`
	// LastUsedAt is zero for never; it is up to some minutes old.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
}

// TokenOf returns the token that is kept as a credential.
func TokenOf(c *store.Credential) Token {
	return Token{
		ID: c.ID, Name: c.Name, Scope: auth.Scope(c.Scope), Projects: c.Projects, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy,
		ExpiresAt: c.ExpiresAt, ReplacedBy: c.ReplacedBy, LastUsedAt: c.UsedAt,
	}
}

// NewToken is what is asked of a token that is made.
type NewToken struct {
	Name  string
	Scope auth.Scope
	// Projects are the only ones that it is to reach; all where there is none.
	Projects []string
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
}

// Tokens returns the tokens that a caller may manage, oldest first, those that
// have expired included. A caller that is limited to some projects manages the
// tokens that are limited to some of these.
func (c *Control) Tokens(ctx context.Context, caller *auth.Caller) ([]Token, error) {
	all, err := tokens(ctx, c.store, caller)
	if err != nil {
		return nil, err
	}
	listed := make([]Token, len(all))
	for i := range all {
		listed[i] = TokenOf(&all[i])
	}
	return listed, nil
}

// CreateToken makes a token, which may do no more than its maker.
func (c *Control) CreateToken(ctx context.Context, w Write, caller *auth.Caller, n NewToken) (Issued[Token], error) {
	var issued Issued[Token]
	now := time.Now()
	n.Projects = slices.Compact(slices.Sorted(slices.Values(n.Projects)))
	if err := n.check(caller, now); err != nil {
		return issued, err
	}
	secret := auth.NewSecret(auth.KindToken)
	err := c.update(ctx, w, &issued, func(tx store.Tx) error {
		for _, project := range n.Projects {
			if _, err := catalogue(ctx, tx, project); fault.Is(err, fault.NotFound) {
				return fault.InvalidField("projects", "there is no project %.80q", project)
			} else if err != nil {
				return err
			}
		}
		all, err := credentials(ctx, tx, func(c *store.Credential) bool { return c.Kind == auth.KindToken })
		if err != nil {
			return err
		}
		if len(all) >= MaxKeys {
			return fault.New(fault.Conflict, "There are %d tokens, which is the most; revoke some that are not used.", MaxKeys)
		}
		made := auth.NewCredential(secret, n.Name, store.SetID{}, now)
		made.Scope, made.Projects, made.CreatedBy, made.ExpiresAt = string(n.Scope), n.Projects, w.Actor, n.ExpiresAt
		if err := tx.AddCredential(ctx, made); err != nil {
			return fmt.Errorf("add credential: %w", err)
		}
		made = kept(made)
		issued = Issued[Token]{Item: TokenOf(&made), Secret: secret}
		return nil
	})
	return told(w, issued), err
}

func (n *NewToken) check(caller *auth.Caller, now time.Time) error {
	if err := checkCredentialName(n.Name); err != nil {
		return err
	}
	switch {
	case !n.Scope.Valid():
		return fault.InvalidField("scope", "%.40q is no scope; it is read, write or admin", n.Scope)
	case !caller.Scope.Covers(n.Scope):
		return fault.New(fault.Forbidden, "A token with the scope %s cannot make one with %s.", caller.Scope, n.Scope)
	case len(n.Projects) > maxTokenProjects:
		return fault.InvalidField("projects", "there are %d, at most %d are allowed", len(n.Projects), maxTokenProjects)
	case caller.Limited() && len(n.Projects) == 0:
		return fault.New(fault.Forbidden, "The token %s is limited to some projects and cannot make one for all; name some of its own.", caller.Token.ID)
	}
	for _, project := range n.Projects {
		if !caller.Reaches(project) {
			return fault.New(fault.Forbidden, "The token %s does not reach project %.80q and cannot make one that does.", caller.Token.ID, project)
		}
	}
	return checkExpiry(n.ExpiresAt, now)
}

// RotateToken makes a token in the place of another, which stays honoured for the
// overlap.
func (c *Control) RotateToken(ctx context.Context, w Write, caller *auth.Caller, id string, rotation Rotation) (Issued[Token], error) {
	var issued Issued[Token]
	now := time.Now()
	if err := rotation.check(now); err != nil {
		return issued, err
	}
	err := c.update(ctx, w, &issued, func(tx store.Tx) error {
		all, err := tokens(ctx, tx, caller)
		if err != nil {
			return err
		}
		old, err := byID(all, id, noToken(id))
		if err != nil {
			return err
		}
		secret := auth.NewSecret(auth.KindToken)
		made, replaced, err := replace(ctx, tx, old, secret, w.Actor, rotation, now)
		if err != nil {
			return err
		}
		before := TokenOf(&replaced)
		issued = Issued[Token]{Item: TokenOf(&made), Secret: secret, Replaced: &before}
		return nil
	})
	return told(w, issued), err
}

// RevokeToken forgets a token, which is refused from then on. The last one that
// may do everything stays: without it nobody could make another.
func (c *Control) RevokeToken(ctx context.Context, w Write, caller *auth.Caller, id string) (Revoked[Token], error) {
	var revoked Revoked[Token]
	err := c.update(ctx, w, &revoked, func(tx store.Tx) error {
		all, err := tokens(ctx, tx, caller)
		if err != nil {
			return err
		}
		old, err := byID(all, id, noToken(id))
		if err != nil {
			return err
		}
		now := time.Now()
		if masters(all, now) == 1 && master(&old, now) {
			return fault.New(fault.Conflict,
				"%s is the last token with the scope admin for all projects; without it nobody could make another. Make one first, then revoke this.", id)
		}
		if err := tx.DeleteCredential(ctx, id); err != nil {
			return fmt.Errorf("delete credential: %w", err)
		}
		revoked = Revoked[Token]{TokenOf(&old)}
		return nil
	})
	return revoked, err
}

// master reports whether a token may do everything, now.
func master(c *store.Credential, now time.Time) bool {
	return auth.Scope(c.Scope) == auth.ScopeAdmin && len(c.Projects) == 0 && (c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt))
}

func masters(all []store.Credential, now time.Time) int {
	count := 0
	for i := range all {
		if master(&all[i], now) {
			count++
		}
	}
	return count
}

// tokens returns the credentials that are tokens and within reach of a caller.
func tokens(ctx context.Context, r store.Reader, caller *auth.Caller) ([]store.Credential, error) {
	return credentials(ctx, r, func(c *store.Credential) bool {
		return c.Kind == auth.KindToken && caller.ReachesAll(c.Projects)
	})
}

func noToken(id string) *fault.Error {
	if isSecret(id) {
		return mistakenSecret()
	}
	return fault.New(fault.NotFound, "There is no token %.80q; list the tokens.", id)
}
