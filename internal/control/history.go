package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// HistoryQuery asks for a page of a history.
type HistoryQuery struct {
	// Newest asks for the newest changes first; the oldest are first otherwise.
	Newest bool
	// After is the position behind which to go on in that order; zero begins.
	After snapshot.Position
	// Limit is the greatest number of changes, all where it is zero.
	Limit int
	// Flag and Segment, where they are given, leave out the changes that touch
	// neither.
	Flag, Segment string
}

// History is a page of a history.
type History struct {
	Changes []Change
	// Next is where to go on. It is zero where the newest come first and there are
	// no more, and where the oldest come first and there is no history yet.
	Next snapshot.Position
}

// Changes returns a page of the history of an environment.
func (c *Control) Changes(ctx context.Context, project, environment string, q HistoryQuery) (History, error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return History{}, err
	}
	return c.history(ctx, set, q)
}

// ProjectChanges returns a page of the history of a project: of its own document,
// its environments and the definitions of its flags. The query's Segment means
// nothing here.
func (c *Control) ProjectChanges(ctx context.Context, project string, q HistoryQuery) (History, error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return History{}, err
	}
	return c.history(ctx, set, q)
}

func (c *Control) history(ctx context.Context, set store.Set, q HistoryQuery) (History, error) {
	if q.Limit < 0 {
		return History{}, fault.InvalidField("limit", "it is %d; give a whole number from 1, or leave it out", q.Limit)
	}
	if !q.After.IsZero() {
		if q.After.Epoch != set.Position.Epoch {
			return History{}, fault.InvalidField("after",
				"it is of another history than there is now, whose epoch is %s; leave it out to begin anew", set.Position.Epoch)
		}
		if !q.Newest && q.After.Version < set.Oldest {
			return History{}, gone(set, q.After.Version)
		}
	}
	log, err := c.store.Log(ctx, set.ID, store.LogQuery{
		Newest: q.Newest, Cursor: q.After.Version, Limit: q.Limit, Refs: refsOf(set.ID, q.Flag, q.Segment),
	})
	if err != nil {
		return History{}, fmt.Errorf("read the log of %s: %w", set.ID, err)
	}
	history := History{Changes: make([]Change, len(log)), Next: q.After}
	for i := range log {
		history.Changes[i] = changeOf(set, &log[i])
		history.Next = history.Changes[i].Position
	}
	full := q.Limit > 0 && len(log) == q.Limit
	switch {
	case q.Newest && !full:
		history.Next = snapshot.Position{}
	case !full && q.Flag+q.Segment != "" && history.Next.Version < set.Position.Version:
		history.Next = set.Position // nothing of what lies before it was asked for
	}
	return history, nil
}

// changeOf returns an entry of a set's log as people read it.
func changeOf(set store.Set, entry *store.Entry) Change {
	change := Change{
		Position: snapshot.Position{Epoch: set.Position.Epoch, Version: entry.Version},
		At:       entry.At,
		Actor:    entry.Actor,
		Comment:  entry.Comment,
	}
	for _, refs := range [][]snapshot.Ref{entry.Put, entry.Delete} {
		for _, ref := range refs {
			switch ref.Kind {
			case snapshot.KindFlag, store.KindDefinition:
				change.Flags = append(change.Flags, ref.Key)
			case snapshot.KindSegment:
				change.Segments = append(change.Segments, ref.Key)
			case snapshot.KindKeys:
				change.Segments = append(change.Segments, segmentOfShard(ref))
			case store.KindEnvironment:
				change.Environments = append(change.Environments, ref.Key)
			}
		}
	}
	change.Flags, change.Segments = sortedKeys(change.Flags), sortedKeys(change.Segments)
	change.Environments = sortedKeys(change.Environments)
	return change
}

// refsOf names the items of a flag and of a segment with its keys; none where
// neither is given.
func refsOf(id store.SetID, flag, segment string) []snapshot.Ref {
	var refs []snapshot.Ref
	switch {
	case flag == "":
	case id.IsCatalogue():
		refs = append(refs, definitionRef(flag))
	default:
		refs = append(refs, flagRef(flag))
	}
	if segment != "" {
		refs = append(refs, segmentRef(segment), snapshot.Ref{Kind: snapshot.KindKeys, Key: segment + "/"})
	}
	return refs
}

// segmentOfShard returns the segment whose keys a shard holds.
func segmentOfShard(ref snapshot.Ref) string {
	segment, _, _ := strings.Cut(ref.Key, "/")
	return segment
}

// gone says of a version that retention has dropped it.
func gone(set store.Set, version uint64) *fault.Error {
	return fault.New(fault.Gone,
		"Version %d of %s is no longer kept: the server's history-retention has dropped what was before version %d.",
		version, describeSet(set.ID), set.Oldest)
}

// checkVersion refuses a version that cannot be read, or not any more.
func checkVersion(set store.Set, field string, version uint64) error {
	switch {
	case version > set.Position.Version:
		return fault.New(fault.NotFound, "%s has no version %d yet; its newest is %d.", title(describeSet(set.ID)), version, set.Position.Version)
	case version < set.Oldest:
		return gone(set, version)
	case version == 0:
		return fault.InvalidField(field, "versions begin at 1")
	}
	return nil
}

func describeSet(id store.SetID) string {
	if id.IsCatalogue() {
		return fmt.Sprintf("project %q", id.Project)
	}
	return fmt.Sprintf("environment %q of project %q", id.Environment, id.Project)
}

func title(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
