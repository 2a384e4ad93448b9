package auth

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// noteEvery is how often the uses of credentials are written.
const noteEvery = time.Minute

// noteAtEnd bounds how long the last uses may take to be written.
const noteAtEnd = 2 * time.Second

// Run follows the credentials until ctx is done. What the store hints at takes
// effect at once, on new requests and on holds; where a hint is lost, within two
// seconds. The uses of credentials are written once a minute, all together, and at
// the end.
func (k *Keyring) Run(ctx context.Context, log *slog.Logger) error {
	stop := k.store.Watch(k.hint)
	defer stop()
	lookAgain, note := time.NewTicker(cacheFor), time.NewTicker(noteEvery)
	defer lookAgain.Stop()
	defer note.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteAtEnd)
			defer cancel()
			k.note(ctx, log)
			return nil
		case <-note.C:
			k.note(ctx, log)
			continue
		case <-k.wake:
		case <-lookAgain.C:
		}
		err := k.compare(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			log.WarnContext(ctx, "open streams could not be held against the keys; will try again", "error", err, "after", cacheFor)
		}
		failing = err != nil
	}
}

// hint is called by the store.
func (k *Keyring) hint(hint store.Hint) {
	if !hint.Credentials {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.distrust()
	k.look()
}

// distrust forgets what was read before a credential changed. The mutex is held.
func (k *Keyring) distrust() {
	k.changes++
	clear(k.cached)
}

// look asks Run to compare.
func (k *Keyring) look() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// compare ends the holds on credentials that are gone or have expired.
func (k *Keyring) compare(ctx context.Context) error {
	// Those that come after the credentials were read must not be taken for gone.
	k.mu.Lock()
	before := maps.Clone(k.held)
	k.mu.Unlock()
	if len(before) == 0 {
		return nil
	}
	credentials, err := k.store.Credentials(ctx)
	if err != nil {
		return err
	}
	now := make(map[string]*store.Credential, len(credentials))
	for i := range credentials {
		now[credentials[i].ID] = &credentials[i]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, h := range before {
		switch c := now[id]; {
		case k.held[id] != h: // released or ended
		case c == nil:
			k.distrust()
			k.end(h, ReasonRevoked)
		case !c.ExpiresAt.Equal(h.credential.ExpiresAt):
			k.distrust()
			h.credential.ExpiresAt = c.ExpiresAt
			k.expire(h)
		}
	}
	return nil
}

// note writes which credentials were used. What cannot be written stays for the
// next time.
func (k *Keyring) note(ctx context.Context, log *slog.Logger) {
	k.mu.Lock()
	used := k.used
	k.used = make(map[string]time.Time)
	k.mu.Unlock()
	if len(used) == 0 {
		return
	}
	err := k.store.Update(ctx, func(tx store.Tx) error {
		for id, at := range used {
			if err := tx.UseCredential(ctx, id, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	log.WarnContext(ctx, "when keys were last used could not be written; will try again", "error", err, "after", noteEvery)
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, at := range used {
		if at.After(k.used[id]) {
			k.used[id] = at
		}
	}
}
