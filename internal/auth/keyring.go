package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// cacheFor bounds how long a credential that was deleted is still honoured where
// no hint tells of it.
const cacheFor = 2 * time.Second

// maxCached bounds the memory of the cache.
const maxCached = 10_000

// Keyring authenticates requests against a store. It is safe for concurrent use.
// Run it, so that it learns at once of credentials that are revoked, and notes
// which are used.
type Keyring struct {
	store store.Store
	wake  chan struct{} // asks Run to look at the credentials that are held

	mu     sync.Mutex // guards what follows; held for no I/O
	cached map[[32]byte]cachedCredential
	// changes counts the changes of credentials that were heard of: what was read
	// before one of them may be out of date after it.
	changes uint64
	// used is when credentials were used that the store does not know of, by id.
	used map[string]time.Time
	held map[string]*held // by id
}

type cachedCredential struct {
	credential store.Credential
	until      time.Time
}

// NewKeyring returns a keyring over a store.
func NewKeyring(st store.Store) *Keyring {
	return &Keyring{
		store: st, wake: make(chan struct{}, 1),
		cached: make(map[[32]byte]cachedCredential), used: make(map[string]time.Time), held: make(map[string]*held),
	}
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

// Manager authenticates a request to the management API and returns who asks.
// What the caller may do is for the API to hold against the operation. The errors
// are *fault.Error.
func (k *Keyring) Manager(r *http.Request) (Caller, error) {
	secret, _, err := secretOf(r, false)
	if err != nil {
		return Caller{}, err
	}
	credential, err := k.find(r.Context(), secret)
	if err != nil {
		return Caller{}, err
	}
	if credential.Kind != KindToken {
		return Caller{}, fault.New(fault.Forbidden, "Server and client keys only read flags; the management API needs an API token (tk_…).")
	}
	return Caller{
		Actor: actor(&credential), Scope: Scope(credential.Scope), Projects: credential.Projects, Token: credential,
	}, nil
}

// find returns the credential of a secret that is honoured now, and notes its use.
func (k *Keyring) find(ctx context.Context, secret Secret) (store.Credential, error) {
	if secret.Kind() == "" {
		return store.Credential{}, unknown()
	}
	hash, now := secret.Hash(), time.Now()
	k.mu.Lock()
	cached, ok := k.cached[hash]
	changes := k.changes
	k.mu.Unlock()
	credential := cached.credential
	if !ok || now.After(cached.until) {
		var err error
		credential, err = k.store.Credential(ctx, hash)
		if errors.Is(err, store.ErrNotFound) {
			k.mu.Lock()
			delete(k.cached, hash)
			k.mu.Unlock()
			return store.Credential{}, unknown()
		}
		if err != nil {
			return store.Credential{}, fault.New(fault.Unavailable, "The key could not be checked; try again.").Because(err)
		}
		k.cache(hash, credential, now, changes)
	}
	if subtle.ConstantTimeCompare(credential.Hash[:], hash[:]) != 1 {
		return store.Credential{}, unknown()
	}
	if expired(&credential, now) {
		return store.Credential{}, expiredFault(&credential)
	}
	k.use(credential.ID, now)
	return credential, nil
}

// cache keeps what was read, unless a change was heard of since.
func (k *Keyring) cache(hash [32]byte, credential store.Credential, now time.Time, changes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != changes {
		return
	}
	if len(k.cached) >= maxCached {
		clear(k.cached)
	}
	k.cached[hash] = cachedCredential{credential, now.Add(cacheFor)}
}

// use notes that a credential is used, to be written by and by.
func (k *Keyring) use(id string, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used[id] = now
}

func expired(c *store.Credential, now time.Time) bool {
	return !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt)
}

func expiredFault(c *store.Credential) *fault.Error {
	return fault.New(fault.Unauthenticated, "The key %s expired on %s; make a new one.",
		c.ID, c.ExpiresAt.UTC().Format(time.DateOnly))
}

func unknown() *fault.Error {
	return fault.New(fault.Unauthenticated, "The key is unknown here; check that it is whole and of this server.")
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
