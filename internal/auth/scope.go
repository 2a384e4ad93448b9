package auth

import (
	"slices"
	"strings"
	"unicode"

	"github.com/wigwag/wigwag/internal/store"
)

// Scope is how much an API token may do; each scope has those below it.
type Scope string

// The scopes of tokens, each with all of the one before it.
const (
	ScopeRead  Scope = "read"  // look at everything, and try evaluations
	ScopeWrite Scope = "write" // change flags and segments
	ScopeAdmin Scope = "admin" // delete, and manage projects, environments, keys and tokens
)

var scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Valid reports whether there is such a scope.
func (s Scope) Valid() bool { return slices.Contains(scopes, s) }

// Covers reports whether a token of this scope may do what needs another. A scope
// that does not exist covers nothing and is covered by none.
func (s Scope) Covers(needed Scope) bool {
	return s.Valid() && needed.Valid() && slices.Index(scopes, s) >= slices.Index(scopes, needed)
}

// Caller is who makes a request of the management API.
type Caller struct {
	// Actor is how the history names the caller: the token's name, and its id in
	// parentheses.
	Actor string
	// Scope is how much the caller may do.
	Scope Scope
	// Projects are the keys of the only projects that the caller may reach; nil is
	// all of them.
	Projects []string
	// Token is what the caller came with.
	Token store.Credential
}

// Limited reports whether the caller may reach some projects only.
func (c *Caller) Limited() bool { return len(c.Projects) > 0 }

// Reaches reports whether the caller may reach a project.
func (c *Caller) Reaches(project string) bool {
	return !c.Limited() || slices.Contains(c.Projects, project)
}

// ReachesAll reports whether the caller may reach everything that a token that is
// limited to these projects may; one that is not limited has none.
func (c *Caller) ReachesAll(projects []string) bool {
	if !c.Limited() {
		return true
	}
	return len(projects) > 0 && !slices.ContainsFunc(projects, func(p string) bool { return !c.Reaches(p) })
}

// actor names a token for the history: on one line, whatever its name is.
func actor(token *store.Credential) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, token.Name)
	return name + " (" + token.ID + ")"
}
