package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

func exerciseOutcomes(t *testing.T, open opener) {
	ctx := t.Context()
	keep := func(t *testing.T, st store.Store, o store.Outcome, now time.Time) {
		t.Helper()
		if err := st.Update(ctx, func(tx store.Tx) error { return tx.KeepOutcome(ctx, o, now) }); err != nil {
			t.Fatal(err)
		}
	}
	get := func(t *testing.T, st store.Store, owner, key string) (outcome store.Outcome, err error) {
		t.Helper()
		updated := st.Update(ctx, func(tx store.Tx) error {
			outcome, err = tx.Outcome(ctx, owner, key)
			return nil
		})
		if updated != nil {
			t.Fatal(updated)
		}
		return outcome, err
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 7200))
	expires := now.Add(time.Hour)
	keptExpires := time.Date(2026, 1, 2, 2, 4, 5, 678901000, time.UTC)

	t.Run("round trip", func(t *testing.T) {
		st := open(t)
		body := []byte(`{"a":"ä"}`)
		keep(t, st, store.Outcome{Owner: "tk-1", Key: "k", Request: [32]byte{1, 31: 2}, Body: body, ExpiresAt: expires}, now)
		keep(t, st, store.Outcome{Owner: "tk-2", Key: "k", ExpiresAt: expires}, now)
		body[0] = 'x' // the store has its own
		got, err := get(t, st, "tk-1", "k")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "outcome", got, store.Outcome{Owner: "tk-1", Key: "k", Request: [32]byte{1, 31: 2}, Body: []byte(`{"a":"ä"}`), ExpiresAt: keptExpires})
		got, err = get(t, st, "tk-2", "k")
		if err != nil || len(got.Body) != 0 || got.Request != [32]byte{} {
			t.Errorf("an empty outcome is %+v, %v", got, err)
		}
		for _, missing := range [][2]string{{"tk-1", "K"}, {"tk-3", "k"}, {"", ""}} {
			_, err = get(t, st, missing[0], missing[1])
			wantError(t, "an unknown key", err, store.ErrNotFound)
		}
	})

	t.Run("replaced", func(t *testing.T) {
		st := open(t)
		keep(t, st, store.Outcome{Owner: "o", Key: "k", Body: []byte("1"), ExpiresAt: expires}, now)
		keep(t, st, store.Outcome{Owner: "o", Key: "k", Request: [32]byte{9}, Body: []byte("2"), ExpiresAt: expires.Add(time.Second)}, now)
		got, err := get(t, st, "o", "k")
		if err != nil || string(got.Body) != "2" || got.Request != [32]byte{9} || !got.ExpiresAt.Equal(keptExpires.Add(time.Second)) {
			t.Errorf("outcome is %+v, %v", got, err)
		}
	})

	t.Run("expired", func(t *testing.T) {
		st := open(t)
		keep(t, st, store.Outcome{Owner: "o", Key: "old", ExpiresAt: expires}, now)
		keep(t, st, store.Outcome{Owner: "o", Key: "late", ExpiresAt: expires.Add(time.Microsecond)}, now)
		if _, err := get(t, st, "o", "old"); err != nil {
			t.Error("an outcome went before another was kept")
		}
		keep(t, st, store.Outcome{Owner: "o", Key: "new", ExpiresAt: expires.Add(time.Hour)}, expires)
		_, err := get(t, st, "o", "old")
		wantError(t, "what has expired", err, store.ErrNotFound)
		for _, key := range []string{"late", "new"} {
			if _, err := get(t, st, "o", key); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	})

	t.Run("with the transaction", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		refused := errors.New("refused")
		err := st.Update(ctx, func(tx store.Tx) error {
			if _, err := tx.Commit(ctx, production, put(item(flag("a"), "1"))); err != nil {
				return err
			}
			if err := tx.KeepOutcome(ctx, store.Outcome{Owner: "o", Key: "k", ExpiresAt: expires}, now); err != nil {
				return err
			}
			if _, err := tx.Outcome(ctx, "o", "k"); err != nil {
				t.Errorf("the transaction does not see its own outcome: %v", err)
			}
			return refused
		})
		wantError(t, "the transaction", err, refused)
		_, err = get(t, st, "o", "k")
		wantError(t, "an outcome that was rolled back", err, store.ErrNotFound)
	})
}
