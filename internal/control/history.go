package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/snapshot"
)

// Changes returns the history of an environment after a version, oldest first,
// at most limit changes; zero means all.
func (c *Control) Changes(ctx context.Context, project, environment string, after uint64, limit int) ([]Change, error) {
	if limit < 0 {
		return nil, fault.InvalidField("limit", "it is %d; give a whole number from 1, or leave it out", limit)
	}
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return nil, err
	}
	log, err := c.store.Changes(ctx, set.ID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read changes of %s: %w", set.ID, err)
	}
	changes := make([]Change, len(log))
	for i := range log {
		entry := &log[i]
		refs := make([]snapshot.Ref, 0, len(entry.Put)+len(entry.Delete))
		for j := range entry.Put {
			refs = append(refs, entry.Put[j].Ref)
		}
		refs = append(refs, entry.Delete...)
		changes[i] = Change{
			Position: snapshot.Position{Epoch: set.Position.Epoch, Version: entry.Version},
			At:       entry.At,
			Actor:    entry.Actor,
			Comment:  entry.Comment,
		}
		changes[i].Flags, changes[i].Segments = named(refs)
	}
	return changes, nil
}

// named returns the flags and the segments that a change is about.
func named(refs []snapshot.Ref) (flags, segments []string) {
	for _, ref := range refs {
		switch ref.Kind {
		case snapshot.KindFlag:
			flags = append(flags, ref.Key)
		case snapshot.KindSegment:
			segments = append(segments, ref.Key)
		case snapshot.KindKeys:
			segments = append(segments, segmentOfShard(ref))
		}
	}
	return sortedKeys(flags), sortedKeys(segments)
}

// segmentOfShard returns the segment whose keys a shard holds.
func segmentOfShard(ref snapshot.Ref) string {
	segment, _, _ := strings.Cut(ref.Key, "/")
	return segment
}
