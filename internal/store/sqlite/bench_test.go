package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// fill puts flags of about 500 bytes into a new set.
func fill(b *testing.B, count int) *Store {
	b.Helper()
	st := openTemp(b)
	createSet(b, st)
	var c store.Commit
	for i := range count {
		c.Put = append(c.Put, store.Item{
			Ref:  snapshot.Ref{Kind: snapshot.KindFlag, Key: fmt.Sprintf("flag-%05d", i)},
			Body: fmt.Appendf(nil, `{"n":%d,"fill":%q}`, i, strings.Repeat("x", 480)),
		})
	}
	err := st.Update(b.Context(), func(tx store.Tx) error {
		_, err := tx.Commit(b.Context(), production, c)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return st
}

func BenchmarkCommitOneItem(b *testing.B) {
	for _, count := range []int{10, 10_000} {
		b.Run(fmt.Sprint(count, " items"), func(b *testing.B) {
			st := fill(b, count)
			ctx := context.Background()
			padding := strings.Repeat("x", 480)
			n := 0
			for b.Loop() {
				n++
				key := fmt.Sprintf("flag-%05d", n*7919%count)
				if err := putFlag(ctx, st, key, fmt.Appendf(nil, `{"new":%d,"fill":%q}`, n, padding)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSnapshotAt(b *testing.B) {
	for name, version := range map[string]uint64{"current": 0, "past": 1} {
		b.Run(name+" of 1000 items", func(b *testing.B) {
			st := fill(b, 1000)
			if err := putFlag(b.Context(), st, "flag-00000", []byte("{}")); err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			for b.Loop() {
				if _, items, err := st.SnapshotAt(ctx, production, version); err != nil || len(items) != 1000 {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}

func BenchmarkChangesOfOneVersion(b *testing.B) {
	st := fill(b, 1000)
	ctx := context.Background()
	for i := range 100 {
		if err := putFlag(ctx, st, "flag-00000", fmt.Append(nil, i)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if changes, err := st.Changes(ctx, production, 100, 0); err != nil || len(changes) != 1 {
			b.Fatal(len(changes), err)
		}
	}
}

func BenchmarkSets(b *testing.B) {
	st := fill(b, 10)
	ctx := context.Background()
	for b.Loop() {
		if _, err := st.Sets(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
