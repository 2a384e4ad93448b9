package auth

import (
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// held is a credential that open streams and long polls are held with. Its fields
// are guarded by the mutex of the keyring; ended is closed once, after reason is
// set.
type held struct {
	credential store.Credential
	readers    int
	timer      *time.Timer // until it expires; nil for never
	ended      chan struct{}
	reason     string
}

// The reasons for which a hold ends.
const (
	ReasonRevoked = "key-revoked"
	ReasonExpired = "key-expired"
)

// Hold is what keeps a stream or a long poll open after its request was
// authenticated: it ends when the credential does. Release it.
type Hold struct {
	keys *Keyring
	held *held
}

// Hold returns a hold on the credential of a reader.
func (k *Keyring) Hold(reader *Reader) *Hold {
	id := reader.Credential.ID
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.held[id]
	if h == nil {
		h = &held{credential: reader.Credential, ended: make(chan struct{})}
		k.held[id] = h
		k.expire(h)
		// It may have been revoked since the request was authenticated.
		k.look()
	}
	h.readers++
	return &Hold{k, h}
}

// Ended returns a channel that is closed when the credential has expired or was
// revoked.
func (h *Hold) Ended() <-chan struct{} { return h.held.ended }

// Reason returns why it ended: [ReasonRevoked] or [ReasonExpired]. It is called
// after Ended is closed.
func (h *Hold) Reason() string { return h.held.reason }

// Err returns the refusal of who comes back with the credential. It is called
// after Ended is closed.
func (h *Hold) Err() *fault.Error {
	if h.held.reason == ReasonExpired {
		return expiredFault(&h.held.credential)
	}
	return unknown()
}

// Use notes that the credential is still in use.
func (h *Hold) Use() { h.keys.use(h.held.credential.ID, time.Now()) }

// Release gives the hold up. It is called once.
func (h *Hold) Release() {
	k := h.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	h.held.readers--
	if h.held.readers == 0 {
		k.forget(h.held)
	}
}

// end ends all holds on a credential. The mutex is held.
func (k *Keyring) end(h *held, reason string) {
	if k.held[h.credential.ID] != h {
		return // ended already
	}
	k.forget(h)
	h.reason = reason
	close(h.ended)
}

// forget lets the next hold on the credential begin anew. The mutex is held.
func (k *Keyring) forget(h *held) {
	if h.timer != nil {
		h.timer.Stop()
	}
	if k.held[h.credential.ID] == h {
		delete(k.held, h.credential.ID)
	}
}

// expire ends a credential that has expired, or sees to it that it will. The
// mutex is held.
func (k *Keyring) expire(h *held) {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	now := time.Now()
	switch at := h.credential.ExpiresAt; {
	case at.IsZero():
	case expired(&h.credential, now):
		k.end(h, ReasonExpired)
	default:
		h.timer = time.AfterFunc(at.Sub(now), func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.held[h.credential.ID] == h {
				k.expire(h) // again, since the time may have been moved
			}
		})
	}
}
