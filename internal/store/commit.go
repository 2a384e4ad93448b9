package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/wigwag/wigwag/snapshot"
)

// Check returns why a commit cannot be written whatever the set holds: a name
// without kind or key, put twice, or both put and deleted.
func (c *Commit) Check() error {
	put := make(map[snapshot.Ref]struct{}, len(c.Put))
	for i := range c.Put {
		ref := c.Put[i].Ref
		if ref.Kind == "" || ref.Key == "" {
			return fmt.Errorf("item %q has no kind or no key", ref)
		}
		if _, twice := put[ref]; twice {
			return fmt.Errorf("item %s is put twice in one commit", ref)
		}
		put[ref] = struct{}{}
	}
	for _, ref := range c.Delete {
		if _, both := put[ref]; both {
			return fmt.Errorf("item %s is both put and deleted in one commit", ref)
		}
	}
	return nil
}

// NewEpoch returns an epoch that is greater than every one that this process made
// before: a lower-case UUIDv7.
func NewEpoch() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an epoch: %w", err)
	}
	return id.String(), nil
}

// Now returns the time for a commit: the clock's, to the microsecond and in UTC,
// but never before the commit that precedes it, wherever the clock was set to.
func Now(previous time.Time) time.Time {
	now := KeptTime(time.Now())
	if now.Before(previous) {
		return previous
	}
	return now
}

// KeptTime returns a time as stores keep it: to the microsecond, rounded down, in
// UTC.
func KeptTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
