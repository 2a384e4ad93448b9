package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

const (
	// dropInterval is how often old history is dropped.
	dropInterval = 24 * time.Hour
	// dropBatch is about how many items of the history one transaction drops, so
	// that writers wait for moments only.
	dropBatch = 1000
)

// dropHistory drops, at once and then every day until ctx is done, the history of
// all sets that is older than retention. It does nothing where that is zero. What
// fails is logged and tried again the next day.
func dropHistory(ctx context.Context, st store.Store, retention time.Duration, log *slog.Logger) {
	if retention <= 0 {
		return
	}
	ticker := time.NewTicker(dropInterval)
	defer ticker.Stop()
	for {
		if err := dropBefore(ctx, st, time.Now().Add(-retention), log); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "old history could not be dropped; will try again", "error", err, "after", dropInterval)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func dropBefore(ctx context.Context, st store.Store, horizon time.Time, log *slog.Logger) error {
	sets, err := st.Sets(ctx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		for more := true; more; {
			if more, err = st.DropHistory(ctx, set.ID, horizon, dropBatch); errors.Is(err, store.ErrNotFound) {
				break // deleted since
			}
			if err != nil {
				return err
			}
		}
		now, err := st.Set(ctx, set.ID)
		if err == nil && now.Oldest > set.Oldest && now.Position.Epoch == set.Position.Epoch {
			log.InfoContext(ctx, "old history was dropped", "set", set.ID.String(), "changes", now.Oldest-set.Oldest, "before", horizon)
		}
	}
	return nil
}
