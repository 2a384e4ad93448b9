// Package auth says who asks. It makes secrets, keeps only their hashes, and is
// the one place where the kind of a key decides what it may reach: sk_ and ck_
// keys reach the synchronisation paths of their own flag set, tk_ tokens the
// management API, and nothing else.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
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

// cacheFor bounds how long a credential that was deleted is still honoured.
const cacheFor = 2 * time.Second

// maxCached bounds the memory of the cache.
const maxCached = 10_000

// Keyring authenticates requests against a store. It is safe for concurrent use.
type Keyring struct {
	store store.Store

	mu     sync.Mutex // guards cached; held for no I/O
	cached map[[32]byte]cachedCredential
}

type cachedCredential struct {
	credential store.Credential
	until      time.Time
}

// NewKeyring returns a keyring over a store.
func NewKeyring(st store.Store) *Keyring {
	return &Keyring{store: st, cached: make(map[[32]byte]cachedCredential)}
}

// Reader is who asks for a flag set.
type Reader struct {
	Credential store.Credential
	Set        store.SetID
	Projection snapshot.Projection
}

// Reader authenticates a request to a synchronisation path. The errors are
// *fault.Error.
func (k *Keyring) Reader(r *http.Request) (Reader, error) {
	secret, inURL, err := secretOf(r, true)
	if err != nil {
		return Reader{}, err
	}
	if inURL && secret.Kind() != KindClient {
		return Reader{}, fault.New(fault.Forbidden, "Only client keys (ck_…) may be given in the URL; send this one in the Authorization header.")
	}
	credential, err := k.find(r.Context(), secret)
	if err != nil {
		return Reader{}, err
	}
	switch credential.Kind {
	case KindServer:
		return Reader{credential, credential.Set, snapshot.ProjectionServer}, nil
	case KindClient:
		return Reader{credential, credential.Set, snapshot.ProjectionClient}, nil
	default:
		return Reader{}, fault.New(fault.Forbidden, "API tokens (tk_…) manage flags; an SDK needs a server key (sk_…) or a client key (ck_…).")
	}
}

// Manager authenticates a request to the management API and returns who asks, as
// the audit log names them. The errors are *fault.Error.
func (k *Keyring) Manager(r *http.Request) (actor string, err error) {
	secret, _, err := secretOf(r, false)
	if err != nil {
		return "", err
	}
	credential, err := k.find(r.Context(), secret)
	if err != nil {
		return "", err
	}
	if credential.Kind != KindToken {
		return "", fault.New(fault.Forbidden, "Server and client keys only read flags; the management API needs an API token (tk_…).")
	}
	return credential.Name + " (" + credential.ID + ")", nil
}

func (k *Keyring) find(ctx context.Context, secret Secret) (store.Credential, error) {
	if secret.Kind() == "" {
		return store.Credential{}, unknown(nil)
	}
	hash, now := secret.Hash(), time.Now()
	k.mu.Lock()
	cached, ok := k.cached[hash]
	k.mu.Unlock()
	if !ok || now.After(cached.until) {
		credential, err := k.store.Credential(ctx, hash)
		if errors.Is(err, store.ErrNotFound) {
			k.mu.Lock()
			delete(k.cached, hash)
			k.mu.Unlock()
			return store.Credential{}, unknown(nil)
		}
		if err != nil {
			return store.Credential{}, fault.New(fault.Unavailable, "The key could not be checked; try again.").Because(err)
		}
		cached = cachedCredential{credential, now.Add(cacheFor)}
		k.mu.Lock()
		if len(k.cached) >= maxCached {
			clear(k.cached)
		}
		k.cached[hash] = cached
		k.mu.Unlock()
	}
	credential := cached.credential
	if subtle.ConstantTimeCompare(credential.Hash[:], hash[:]) != 1 {
		return store.Credential{}, unknown(nil)
	}
	if !credential.ExpiresAt.IsZero() && now.After(credential.ExpiresAt) {
		return store.Credential{}, fault.New(fault.Unauthenticated, "The key %s expired on %s; make a new one.",
			credential.ID, credential.ExpiresAt.UTC().Format(time.DateOnly))
	}
	return credential, nil
}

func unknown(cause error) *fault.Error {
	return fault.New(fault.Unauthenticated, "The key is unknown here; check that it is whole and of this server.").Because(cause)
}

// secretOf reads the secret of a request, from one place only.
func secretOf(r *http.Request, urlToo bool) (secret Secret, inURL bool, err error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, rest, ok := strings.Cut(header, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return "", false, fault.New(fault.Unauthenticated, "The Authorization header must be: Bearer <key>.")
		}
		return Secret(strings.TrimSpace(rest)), false, nil
	}
	if header := r.Header.Get("X-API-Key"); header != "" {
		return Secret(header), false, nil
	}
	if urlToo {
		if key := r.URL.Query().Get("key"); key != "" {
			return Secret(key), true, nil
		}
	}
	return "", false, fault.New(fault.Unauthenticated, "A key is needed: send it as Authorization: Bearer <key>.")
}
