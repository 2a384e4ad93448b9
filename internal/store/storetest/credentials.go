package storetest

import (
	"errors"
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
			CreatedAt: made, ExpiresAt: made.Add(time.Hour), CreatedBy: "ada (tk_0)",
		}
		token := store.Credential{
			ID: "tk_1", Hash: [32]byte{31: 1}, Kind: "tk", CreatedAt: made.Add(time.Microsecond),
			Scope: "write", Projects: []string{"shop", "web"}, ReplacedBy: "tk_2", UsedAt: made.Add(time.Minute),
		}
		for _, c := range []store.Credential{token, server} {
			if err := add(t, st, c); err != nil {
				t.Fatal(err)
			}
		}
		server.CreatedAt, server.ExpiresAt = kept, kept.Add(time.Hour)
		token.CreatedAt, token.UsedAt = kept.Add(time.Microsecond), kept.Add(time.Minute)
		for _, want := range []store.Credential{server, token} {
			got, err := st.Credential(ctx, want.Hash)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "credential", got, want)
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

	t.Run("replace", func(t *testing.T) {
		st := open(t)
		c := store.Credential{ID: "sk_1", Hash: [32]byte{1}, Kind: "sk", CreatedAt: kept}
		if err := add(t, st, c); err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{made.Add(time.Hour), {}} {
			err := st.Update(ctx, func(tx store.Tx) error { return tx.ReplaceCredential(ctx, "sk_1", "sk_9", at) })
			if err != nil {
				t.Fatal(err)
			}
			c.ReplacedBy, c.ExpiresAt = "sk_9", store.KeptTime(at)
			got, err := st.Credential(ctx, c.Hash)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "credential", got, c)
		}
		err := st.Update(ctx, func(tx store.Tx) error { return tx.ReplaceCredential(ctx, "sk_2", "sk_9", made) })
		wantError(t, "an unknown credential", err, store.ErrNotFound)
	})

	t.Run("use", func(t *testing.T) {
		st := open(t)
		for i, id := range []string{"sk_1", "sk_2"} {
			if err := add(t, st, store.Credential{ID: id, Hash: [32]byte{byte(i)}, Kind: "sk", CreatedAt: kept}); err != nil {
				t.Fatal(err)
			}
		}
		var all []store.Credential
		err := st.Update(ctx, func(tx store.Tx) error {
			for id, times := range map[string][]time.Time{
				"sk_1": {made, made.Add(time.Hour), made.Add(time.Minute)}, // the latest counts
				"sk_3": {made},                                             // one that was revoked meanwhile
			} {
				for _, at := range times {
					if err := tx.UseCredential(ctx, id, at); err != nil {
						return err
					}
				}
			}
			var err error
			all, err = tx.Credentials(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "credentials in the transaction", all, []store.Credential{
			{ID: "sk_1", Kind: "sk", CreatedAt: kept, UsedAt: kept.Add(time.Hour)},
			{ID: "sk_2", Hash: [32]byte{1}, Kind: "sk", CreatedAt: kept},
		})
		after, err := st.Credentials(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "credentials after it", after, all)
	})

	t.Run("hints", func(t *testing.T) {
		st := open(t)
		for i, id := range []string{"sk_1", "sk_2", "sk_3"} {
			if err := add(t, st, store.Credential{ID: id, Hash: [32]byte{byte(i)}, Kind: "sk", Set: production, CreatedAt: kept}); err != nil {
				t.Fatal(err)
			}
		}
		create(t, st, production)
		h := watch(t, st)
		for what, fn := range map[string]func(store.Tx) error{
			"replace": func(tx store.Tx) error { return tx.ReplaceCredential(ctx, "sk_1", "sk_9", made) },
			"delete":  func(tx store.Tx) error { return tx.DeleteCredential(ctx, "sk_2") },
			"twice in one transaction, beside a commit": func(tx store.Tx) error {
				if err := tx.ReplaceCredential(ctx, "sk_1", "sk_9", made); err != nil {
					return err
				}
				if _, err := tx.Commit(ctx, production, put(item(flag("a"), "1"))); err != nil {
					return err
				}
				return tx.ReplaceCredential(ctx, "sk_1", "sk_9", kept)
			},
		} {
			if err := st.Update(ctx, fn); err != nil {
				t.Fatal(err)
			}
			h.untilCredentials(t, what)
		}
		// What is used or was not committed is no news.
		no := errors.New("no")
		err := st.Update(ctx, func(tx store.Tx) error {
			if err := tx.DeleteCredential(ctx, "sk_3"); err != nil {
				return err
			}
			return no
		})
		wantError(t, "Update", err, no)
		err = st.Update(ctx, func(tx store.Tx) error { return tx.UseCredential(ctx, "sk_3", made) })
		if err != nil {
			t.Fatal(err)
		}
		commit(t, st, production, put(item(flag("a"), "2")))
		for _, hint := range h.until(t, production, 2) {
			if hint.Credentials {
				t.Errorf("hint %+v", hint)
			}
		}
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
