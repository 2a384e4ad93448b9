package storetest

import (
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

func exerciseCredentials(t *testing.T, open opener) {
	ctx := t.Context()
	add := func(t *testing.T, st store.Store, c store.Credential) error {
		t.Helper()
		return st.Update(ctx, func(tx store.Tx) error { return tx.AddCredential(ctx, c) })
	}
	made := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 7200))
	kept := time.Date(2026, 1, 2, 1, 4, 5, 678901000, time.UTC)

	t.Run("round trip", func(t *testing.T) {
		st := open(t)
		server := store.Credential{
			ID: "sk_1", Hash: [32]byte{1, 2, 3}, Kind: "sk", Name: "Büro 'server'", Set: production,
			CreatedAt: made, ExpiresAt: made.Add(time.Hour),
		}
		token := store.Credential{ID: "tk_1", Hash: [32]byte{31: 1}, Kind: "tk", CreatedAt: made.Add(time.Microsecond)}
		for _, c := range []store.Credential{token, server} {
			if err := add(t, st, c); err != nil {
				t.Fatal(err)
			}
		}
		server.CreatedAt, server.ExpiresAt = kept, kept.Add(time.Hour)
		token.CreatedAt = kept.Add(time.Microsecond)
		for _, want := range []store.Credential{server, token} {
			got, err := st.Credential(ctx, want.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("credential is %+v, want %+v", got, want)
			}
		}
		all, err := st.Credentials(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "credentials", all, []store.Credential{server, token})
		_, err = st.Credential(ctx, [32]byte{1, 2, 4})
		wantError(t, "an unknown hash", err, store.ErrNotFound)
	})

	t.Run("oldest first", func(t *testing.T) {
		st := open(t)
		for i, c := range []store.Credential{
			{ID: "c", CreatedAt: kept.Add(time.Second)},
			{ID: "b", CreatedAt: kept},
			{ID: "z", CreatedAt: kept.Add(-time.Second)},
			{ID: "a", CreatedAt: kept},
			{ID: "0"},
		} {
			c.Hash[0] = byte(i)
			if err := add(t, st, c); err != nil {
				t.Fatal(err)
			}
		}
		all, err := st.Credentials(ctx)
		if err != nil {
			t.Fatal(err)
		}
		order := ""
		for _, c := range all {
			order += c.ID
		}
		if order != "0zabc" {
			t.Errorf("order is %s", order)
		}
		if !all[0].CreatedAt.IsZero() || !all[0].ExpiresAt.IsZero() {
			t.Errorf("zero times came back as %v, %v", all[0].CreatedAt, all[0].ExpiresAt)
		}
	})

	t.Run("exists", func(t *testing.T) {
		st := open(t)
		first := store.Credential{ID: "sk_1", Hash: [32]byte{1}, Kind: "sk", CreatedAt: kept}
		if err := add(t, st, first); err != nil {
			t.Fatal(err)
		}
		wantError(t, "the same ID", add(t, st, store.Credential{ID: "sk_1", Hash: [32]byte{2}}), store.ErrExists)
		wantError(t, "the same hash", add(t, st, store.Credential{ID: "sk_2", Hash: [32]byte{1}}), store.ErrExists)
		all, err := st.Credentials(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "credentials", all, []store.Credential{first})
	})

	t.Run("delete", func(t *testing.T) {
		st := open(t)
		c := store.Credential{ID: "sk_1", Hash: [32]byte{1}, Kind: "sk", CreatedAt: kept}
		if err := add(t, st, c); err != nil {
			t.Fatal(err)
		}
		forget := func() error {
			return st.Update(ctx, func(tx store.Tx) error { return tx.DeleteCredential(ctx, "sk_1") })
		}
		if err := forget(); err != nil {
			t.Fatal(err)
		}
		_, err := st.Credential(ctx, c.Hash)
		wantError(t, "a deleted credential", err, store.ErrNotFound)
		wantError(t, "deleting again", forget(), store.ErrNotFound)
		// Both its ID and its hash are free.
		err = st.Update(ctx, func(tx store.Tx) error {
			if err := tx.AddCredential(ctx, c); err != nil {
				return err
			}
			wantError(t, "added before in the transaction", tx.AddCredential(ctx, c), store.ErrExists)
			if err := tx.DeleteCredential(ctx, c.ID); err != nil {
				return err
			}
			return tx.AddCredential(ctx, c)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
