package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
)

func exerciseBodies(t *testing.T, open opener) {
	ctx := t.Context()
	big := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{1})
	if _, err := random.Read(big); err != nil {
		t.Fatal(err)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}

	t.Run("exact", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		bodies := map[string][]byte{
			"empty":       {},
			"nil":         nil,
			"spaces":      []byte(" { \"a\" :\t1 }\r\n"),
			"numbers":     []byte(`[1.0,1e2,-0,123456789012345678901234567890]`),
			"digits":      []byte("0042"),
			"non-ASCII":   []byte(`{"name":"Grüße, 世界 🚦","e\u0301":"\u2028"}`),
			"not UTF-8":   {0xff, 0xfe, 0x00, 0x80},
			"zero":        []byte("a\x00b"),
			"date":        []byte("2026-01-02 03:04:05"),
			"every byte":  all,
			"a mebibyte":  big,
			"Ключ/with 1": []byte("a key of many letters"),
		}
		var c store.Commit
		for key, body := range bodies {
			c.Put = append(c.Put, store.Item{Ref: flag(key), Body: body})
		}
		commit(t, st, production, c)
		// Past versions are kept elsewhere than the current one.
		commit(t, st, production, put(item(flag("later"), "1")))
		check := func(where string, got store.Item) {
			t.Helper()
			want := bodies[got.Key]
			if !bytes.Equal(got.Body, want) {
				t.Errorf("%s: body %q came back as %.80q (%d bytes)", where, got.Key, got.Body, len(got.Body))
			}
			if got.Digest != sha256.Sum256(want) || got.Version != 1 {
				t.Errorf("%s: digest or version of %q is wrong", where, got.Key)
			}
		}
		for key := range bodies {
			got, err := st.Item(ctx, production, flag(key))
			if err != nil {
				t.Fatalf("%q: %v", key, err)
			}
			check("Item", got)
		}
		_, past := snapshotAt(t, st, production, 1)
		put := getChanges(t, st, production, 0, 1)[0].Put
		if len(past) != len(bodies) || len(put) != len(bodies) {
			t.Fatalf("%d items then, %d put, want %d", len(past), len(put), len(bodies))
		}
		for i := range past {
			check("SnapshotAt", past[i])
			check("Changes", put[i])
		}
	})

	t.Run("actor and comment", func(t *testing.T) {
		st := open(t)
		create(t, st, production)
		c := put(item(flag("a"), "1"))
		c.Actor, c.Comment = "Ada <ada@example.org>", "Grüße\n'); DROP TABLE sets; --"
		commit(t, st, production, c)
		change := getChanges(t, st, production, 0, 0)[0]
		if change.Actor != c.Actor || change.Comment != c.Comment {
			t.Errorf("came back as %q, %q", change.Actor, change.Comment)
		}
	})

	t.Run("many", func(t *testing.T) {
		const count = 10_000
		st := open(t)
		create(t, st, production)
		var c store.Commit
		for i := range count {
			c.Put = append(c.Put, item(flag(fmt.Sprintf("flag-%05d", i)), fmt.Sprintf(`{"n":%d}`, i)))
		}
		commit(t, st, production, c)
		commit(t, st, production, put(item(flag("flag-00007"), "7"), item(flag("flag-99999"), "new")))
		commit(t, st, production, del(flag("flag-00000")))
		items := getItems(t, st, production)
		if len(items) != count {
			t.Fatalf("%d items, want %d", len(items), count)
		}
		wantItems(t, items[:2], `flag/flag-00001@1={"n":1}`, `flag/flag-00002@1={"n":2}`)
		wantItems(t, items[count-2:], `flag/flag-09999@1={"n":9999}`, `flag/flag-99999@2=new`)
		_, then := snapshotAt(t, st, production, 1)
		if len(then) != count {
			t.Fatalf("%d items at version 1, want %d", len(then), count)
		}
		wantItems(t, then[6:8], `flag/flag-00006@1={"n":6}`, `flag/flag-00007@1={"n":7}`)
		changes := getChanges(t, st, production, 0, 0)
		if len(changes) != 3 || len(changes[0].Put) != count || len(changes[1].Put) != 2 || len(changes[2].Delete) != 1 {
			t.Fatalf("%d changes, or of the wrong sizes", len(changes))
		}
	})
}
