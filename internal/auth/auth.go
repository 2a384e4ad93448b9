// Package auth says who asks. It makes secrets, keeps only their hashes, and is
// the one place where the kind of a key decides what it may reach: sk_ and ck_
// keys reach the synchronisation paths of their own flag set, tk_ tokens the
// management API, and nothing else.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// The kinds of credentials: the prefixes of their secrets.
const (
	KindServer = "sk" // an SDK on a server: the server projection
	KindClient = "ck" // an SDK in a browser or an app: the client projection
	KindToken  = "tk" // a person or a program that manages
)

// Secret is a key or token in clear. It prints as its kind alone.
type Secret string

// String returns the kind, never the secret.
func (s Secret) String() string {
	kind, _, _ := strings.Cut(string(s), "_")
	if kind != KindServer && kind != KindClient && kind != KindToken {
		kind = "key"
	}
	return kind + "_…"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, for logs and JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Hash returns what is kept of a secret.
func (s Secret) Hash() [32]byte { return sha256.Sum256([]byte(s)) }

// Kind returns the prefix of the secret, empty where it is no secret of ours.
func (s Secret) Kind() string {
	kind, rest, ok := strings.Cut(string(s), "_")
	if !ok || rest == "" || (kind != KindServer && kind != KindClient && kind != KindToken) {
		return ""
	}
	return kind
}

var alphabet = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// NewSecret returns a fresh secret of a kind, of 160 random bits.
func NewSecret(kind string) Secret {
	random := make([]byte, 20)
	_, _ = rand.Read(random) // never fails: it ends the process instead
	return Secret(kind + "_" + alphabet.EncodeToString(random))
}

// NewCredential returns the credential that a secret is kept as. Its ID is
// derived from the hash, so that it can be told which secret an entry of a log
// means without telling the secret.
func NewCredential(secret Secret, name string, set store.SetID, now time.Time) store.Credential {
	hash := secret.Hash()
	return store.Credential{
		ID:        secret.Kind() + "-" + alphabet.EncodeToString(hash[:5]),
		Hash:      hash,
		Kind:      secret.Kind(),
		Name:      name,
		Set:       set,
		CreatedAt: now,
	}
}
