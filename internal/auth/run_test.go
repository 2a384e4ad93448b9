package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
)

// deaf is a store whose hints are lost.
type deaf struct{ store.Store }

func (deaf) Watch(func(store.Hint)) func() { return func() {} }

// counting is a store that counts its transactions, and may fail.
type counting struct {
	store.Store
	updates atomic.Int64
	broken  atomic.Bool
}

func (c *counting) Update(ctx context.Context, fn func(store.Tx) error) error {
	c.updates.Add(1)
	if c.broken.Load() {
		return errors.New("the disk is full")
	}
	return c.Store.Update(ctx, fn)
}

// run runs a keyring over a store until the test ends.
func run(t *testing.T, st store.Store) (keys *auth.Keyring, stop func()) {
	t.Helper()
	keys = auth.NewKeyring(st)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- keys.Run(ctx, slog.New(slog.DiscardHandler)) }()
	synctest.Wait() // it watches
	return keys, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func update(t *testing.T, st store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := st.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// addKey keeps a server key, and returns it with a request that it makes.
func addKey(t *testing.T, st store.Store, expiresAt time.Time) (store.Credential, *http.Request) {
	t.Helper()
	secret := auth.NewSecret(auth.KindServer)
	credential := auth.NewCredential(secret, "shop", production, time.Now())
	credential.ExpiresAt = expiresAt
	keep(t, st, credential)
	return credential, request("/", "X-API-Key", string(secret))
}

// Users would miss: a key that leaked, and goes on working after it was revoked.
func TestARevokedKeyIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		defer st.Close()
		keys, stop := run(t, st)
		defer stop()
		credential, r := addKey(t, st, time.Time{})
		if _, err := keys.Reader(r); err != nil {
			t.Fatal(err)
		}
		update(t, st, func(tx store.Tx) error { return tx.DeleteCredential(t.Context(), credential.ID) })
		if _, err := keys.Reader(r); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("right after it was revoked: %v", err)
		}
	})
}

func TestHoldsEndWithTheirKey(t *testing.T) {
	const (
		lifetime = time.Hour
		overlap  = time.Minute
	)
	for name, c := range map[string]struct {
		lossy  bool // the hint is lost
		does   func(tx store.Tx, id string) error
		reason string
		from   time.Duration // when it ends, at the earliest
		to     time.Duration // and at the latest
	}{
		"revoked": {
			does:   func(tx store.Tx, id string) error { return tx.DeleteCredential(t.Context(), id) },
			reason: auth.ReasonRevoked, to: time.Second,
		},
		"revoked, and the hint was lost": {
			lossy:  true,
			does:   func(tx store.Tx, id string) error { return tx.DeleteCredential(t.Context(), id) },
			reason: auth.ReasonRevoked, to: 2 * time.Second,
		},
		"rotated": {
			does: func(tx store.Tx, id string) error {
				return tx.ReplaceCredential(t.Context(), id, "sk-other", time.Now().Add(overlap))
			},
			reason: auth.ReasonExpired, from: overlap, to: overlap + time.Second,
		},
		"rotated without overlap": {
			does: func(tx store.Tx, id string) error {
				return tx.ReplaceCredential(t.Context(), id, "sk-other", time.Now())
			},
			reason: auth.ReasonExpired, to: time.Second,
		},
		"expired": {
			does:   func(store.Tx, string) error { return nil },
			reason: auth.ReasonExpired, from: lifetime, to: lifetime + time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := memory.New()
				defer inner.Close()
				st := store.Store(inner)
				if c.lossy {
					st = deaf{inner}
				}
				keys, stop := run(t, st)
				defer stop()
				credential, r := addKey(t, st, time.Now().Add(lifetime))
				_, otherRequest := addKey(t, st, time.Time{})
				hold := func(r *http.Request) *auth.Hold {
					reader, err := keys.Reader(r)
					if err != nil {
						t.Fatal(err)
					}
					return keys.Hold(&reader)
				}
				first, second, other := hold(r), hold(r), hold(otherRequest)
				defer other.Release()
				synctest.Wait()
				began := time.Now()
				update(t, st, func(tx store.Tx) error { return c.does(tx, credential.ID) })
				<-first.Ended()
				if took := time.Since(began); took < c.from || took > c.to {
					t.Errorf("it ended after %s, not from %s to %s", took, c.from, c.to)
				}
				<-second.Ended()
				if first.Reason() != c.reason || second.Reason() != c.reason || !fault.Is(first.Err(), fault.Unauthenticated) {
					t.Errorf("%s, %s, %v", first.Reason(), second.Reason(), first.Err())
				}
				if _, err := keys.Reader(r); !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("a new request: %v", err)
				}
				first.Release()
				second.Release()
				time.Sleep(2 * lifetime)
				select {
				case <-other.Ended():
					t.Error("the hold on another key ended too")
				default:
				}
			})
		})
	}
}

// A key may be revoked after its request was authenticated and before it holds.
func TestAHoldOnAKeyThatIsGoneEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		defer st.Close()
		keys, stop := run(t, st)
		defer stop()
		credential, r := addKey(t, st, time.Time{})
		reader, err := keys.Reader(r)
		if err != nil {
			t.Fatal(err)
		}
		update(t, st, func(tx store.Tx) error { return tx.DeleteCredential(t.Context(), credential.ID) })
		synctest.Wait()
		began := time.Now()
		hold := keys.Hold(&reader)
		defer hold.Release()
		<-hold.Ended()
		if took := time.Since(began); took > 0 {
			t.Errorf("it ended after %s", took)
		}
	})
}

func TestAKeyThatIsMadeIsHeldAndStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		defer st.Close()
		keys, stop := run(t, st)
		defer stop()
		for range 20 {
			_, r := addKey(t, st, time.Time{})
			reader, err := keys.Reader(r)
			if err != nil {
				t.Fatal(err)
			}
			hold := keys.Hold(&reader)
			time.Sleep(3 * time.Second)
			select {
			case <-hold.Ended():
				t.Errorf("it ended: %s", hold.Reason())
			default:
			}
			hold.Release()
		}
	})
}

func usedAt(t *testing.T, st store.Store, id string) time.Time {
	t.Helper()
	all, err := st.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == id {
			return c.UsedAt
		}
	}
	t.Fatalf("no credential %s", id)
	return time.Time{}
}

func TestUsesAreWrittenTogetherOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		defer inner.Close()
		st := &counting{Store: inner}
		first, r := addKey(t, inner, time.Time{})
		second, other := addKey(t, inner, time.Time{})
		idle, _ := addKey(t, inner, time.Time{})
		keys, stop := run(t, st)
		ask := func(r *http.Request) {
			t.Helper()
			if _, err := keys.Reader(r); err != nil {
				t.Fatal(err)
			}
		}
		for range 590 {
			ask(r)
			ask(other)
			time.Sleep(time.Second)
		}
		if n := st.updates.Load(); n != 9 {
			t.Errorf("%d transactions in not quite ten minutes", n)
		}
		for _, id := range []string{first.ID, second.ID} {
			if age := time.Since(usedAt(t, st, id)); age < 0 || age > time.Minute {
				t.Errorf("the last use of %s is %s ago", id, age)
			}
		}
		if at := usedAt(t, st, idle.ID); !at.IsZero() {
			t.Errorf("a key that nobody used was used at %s", at)
		}
		// A minute without use writes nothing.
		time.Sleep(2 * time.Minute)
		before := st.updates.Load()
		time.Sleep(10 * time.Minute)
		if n := st.updates.Load() - before; n != 0 {
			t.Errorf("%d transactions without a use", n)
		}
		// What cannot be written is written later.
		st.broken.Store(true)
		ask(r)
		used := store.KeptTime(time.Now())
		time.Sleep(time.Minute)
		st.broken.Store(false)
		time.Sleep(time.Minute)
		if at := usedAt(t, st, first.ID); !at.Equal(used) {
			t.Errorf("used at %s, and known as of %s", used, at)
		}
		// The last uses are written when the server stops.
		ask(other)
		used = store.KeptTime(time.Now())
		time.Sleep(time.Second)
		stop()
		if at := usedAt(t, st, second.ID); !at.Equal(used) {
			t.Errorf("used at %s before the end, and known as of %s", used, at)
		}
	})
}

func TestScopesCoverThoseBelow(t *testing.T) {
	all := []auth.Scope{"", auth.ScopeRead, auth.ScopeWrite, auth.ScopeAdmin, "root"}
	covered := map[auth.Scope]string{
		auth.ScopeRead: "read", auth.ScopeWrite: "read write", auth.ScopeAdmin: "read write admin",
	}
	for _, has := range all {
		var got []string
		for _, needs := range all {
			if has.Covers(needs) {
				got = append(got, string(needs))
			}
		}
		if strings.Join(got, " ") != covered[has] {
			t.Errorf("%q covers %q", has, got)
		}
	}
}

func TestReach(t *testing.T) {
	everywhere, shop := &auth.Caller{}, &auth.Caller{Projects: []string{"shop", "web"}}
	for _, c := range []struct {
		caller   *auth.Caller
		projects []string
		want     bool
	}{
		{everywhere, nil, true},
		{everywhere, []string{"shop"}, true},
		{shop, nil, false}, // nothing is less than everything
		{shop, []string{"shop"}, true},
		{shop, []string{"shop", "web"}, true},
		{shop, []string{"shop", "other"}, false},
	} {
		if got := c.caller.ReachesAll(c.projects); got != c.want {
			t.Errorf("%q reaches all of %q: %t", c.caller.Projects, c.projects, got)
		}
	}
}

// A name is what somebody chose; a history and a log are read line by line.
func TestActorsStandOnOneLine(t *testing.T) {
	st := memory.New()
	defer st.Close()
	secret := auth.NewSecret(auth.KindToken)
	token := auth.NewCredential(secret, "ci\nroot (tk-admin)", store.SetID{}, time.Now())
	keep(t, st, token)
	caller, err := auth.NewKeyring(st).Manager(request("/", "X-API-Key", string(secret)))
	if err != nil || strings.ContainsAny(caller.Actor, "\n\r") || !strings.HasSuffix(caller.Actor, "("+token.ID+")") {
		t.Errorf("%q, %v", caller.Actor, err)
	}
}
