package app

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

func TestOldHistoryIsDroppedEveryDay(t *testing.T) {
	for _, c := range []struct {
		retention time.Duration
		kept      int
	}{{0, 10}, {90 * time.Hour, 3}, {1000 * time.Hour, 10}} {
		synctest.Test(t, func(t *testing.T) {
			st := memory.New()
			defer st.Close()
			id := store.SetID{Project: "p", Environment: "e"}
			if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.CreateSet(t.Context(), id) }); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				dropHistory(ctx, st, c.retention, slog.New(slog.DiscardHandler))
			}()
			for day := range 10 {
				err := st.Update(t.Context(), func(tx store.Tx) error {
					_, err := tx.Commit(t.Context(), id, store.Commit{Put: []store.Item{
						{Ref: snapshot.Ref{Kind: snapshot.KindFlag, Key: "f"}, Body: []byte{byte(day)}},
					}})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(24 * time.Hour)
			}
			synctest.Wait()
			set, err := st.Set(t.Context(), id)
			if err != nil || set.Position.Version-set.Oldest != uint64(c.kept) {
				t.Errorf("with %s, the changes after version %d are kept, want %d of 10: %v", c.retention, set.Oldest, c.kept, err)
			}
			cancel()
			<-done
		})
	}
}
