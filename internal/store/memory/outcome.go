package memory

import (
	"bytes"
	"context"
	"maps"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

// outcomeName is what an outcome is kept under.
type outcomeName struct{ owner, key string }

func (t *tx) Outcome(ctx context.Context, owner, key string) (store.Outcome, error) {
	if err := t.check(ctx); err != nil {
		return store.Outcome{}, err
	}
	outcome, ok := t.state.outcomes[outcomeName{owner, key}]
	if !ok {
		return store.Outcome{}, &store.NotFoundError{What: "outcome", Key: key}
	}
	return outcome, nil
}

func (t *tx) KeepOutcome(ctx context.Context, outcome store.Outcome, now time.Time) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	all := maps.Clone(t.state.outcomes)
	if all == nil {
		all = make(map[outcomeName]store.Outcome)
	}
	now = store.KeptTime(now)
	maps.DeleteFunc(all, func(_ outcomeName, o store.Outcome) bool { return o.Expired(now) })
	outcome.Body, outcome.ExpiresAt = bytes.Clone(outcome.Body), store.KeptTime(outcome.ExpiresAt)
	all[outcomeName{outcome.Owner, outcome.Key}] = outcome
	t.state.outcomes = all
	return nil
}
