package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/wigwag/wigwag/internal/store"
)

func (t *tx) Outcome(ctx context.Context, owner, key string) (outcome store.Outcome, err error) {
	err = t.do(ctx, func(ctx context.Context) error {
		var expires int64
		outcome = store.Outcome{Owner: owner, Key: key}
		err := t.stmt(selectOutcome).QueryRowContext(ctx, owner, key).Scan((*digest)(&outcome.Request), &outcome.Body, &expires)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return &store.NotFoundError{What: "outcome", Key: key}
		case err != nil:
			return failed(ctx, "read an outcome", err)
		}
		outcome.ExpiresAt = fromMicros(expires)
		return nil
	})
	return outcome, err
}

func (t *tx) KeepOutcome(ctx context.Context, outcome store.Outcome, now time.Time) error {
	return t.do(ctx, func(ctx context.Context) error {
		if _, err := t.exec(ctx, deleteOutcomes, store.KeptTime(now).UnixMicro()); err != nil {
			return err
		}
		if outcome.Body == nil {
			outcome.Body = []byte{} // nil would be NULL
		}
		_, err := t.exec(ctx, upsertOutcome, outcome.Owner, outcome.Key, outcome.Request[:], outcome.Body,
			store.KeptTime(outcome.ExpiresAt).UnixMicro())
		return err
	})
}
