package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Query asks for one page of a list. Lists are in the order of their keys, and a
// page begins after a key, so that writes between two pages neither hide nor
// repeat what they do not touch.
type Query struct {
	// After is the key after which the page begins; the first where empty.
	After string
	// Limit is how many the page has at most; at least 1.
	Limit int
	// Text must be in the key, the name or the description, in capitals or not.
	// Empty is everything.
	Text string
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	// Position is that of the set, read before the items: a write that is based on
	// it is refused where an item has changed since. It is zero for projects, which
	// have no set in common.
	Position snapshot.Position
	// Next is what a query for the following page gives as After; empty at the end.
	// A page of a filtered list may be short, even empty, and not be the last.
	Next string
}

const (
	// maxWalk bounds how many items are read for one page of a filtered list.
	maxWalk = 2000
	// walkStep is how many are read at a time for one.
	walkStep = 250
)

// walk reads items of one kind until the page is full, there are no more, or
// maxWalk were read. take decodes an item and says whether it is on the page;
// filtered is whether it ever says no.
func walk[T any](ctx context.Context, r store.Reader, id store.SetID, kind snapshot.Kind, q Query, filtered bool, take func(store.Item) (T, bool, error)) (page Page[T], err error) {
	after := q.After
	for read := 0; read < maxWalk; {
		step := q.Limit - len(page.Items) + 1 // one more tells whether there is a next page
		if filtered {
			step = max(step, walkStep)
		}
		items, err := r.ItemsAfter(ctx, id, kind, after, step)
		if err != nil {
			return page, fmt.Errorf("read a page of %s of %s: %w", kind, id, err)
		}
		for i := range items {
			if len(page.Items) == q.Limit {
				page.Next = after
				return page, nil
			}
			after = items[i].Key
			value, taken, err := take(items[i])
			if err != nil {
				return page, err
			}
			if taken {
				page.Items = append(page.Items, value)
			}
		}
		if len(items) < step {
			return page, nil
		}
		read += len(items)
	}
	page.Next = after
	return page, nil
}

// holds reports whether one of some texts has the text that is looked for.
func (q *Query) holds(texts ...string) bool {
	if q.Text == "" {
		return true
	}
	wanted := strings.ToLower(q.Text)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), wanted) })
}

// ProjectPage returns a page of those projects that the caller may see.
func (c *Control) ProjectPage(ctx context.Context, q Query, visible func(project string) bool) (Page[Project], error) {
	page := Page[Project]{Items: []Project{}}
	sets, err := c.store.Sets(ctx)
	if err != nil {
		return page, fmt.Errorf("read sets: %w", err)
	}
	after := q.After
	for _, set := range sets {
		if !set.ID.IsCatalogue() || set.ID.Project <= q.After || !visible(set.ID.Project) {
			continue
		}
		if len(page.Items) == q.Limit {
			page.Next = after
			return page, nil
		}
		after = set.ID.Project
		items, err := items(ctx, c.store, set.ID, store.KindProject)
		if err != nil {
			return page, err
		}
		for i := range items {
			project, err := decode[Project](set.ID, items[i])
			if err != nil {
				return page, err
			}
			if q.holds(project.Key, project.Name) {
				page.Items = append(page.Items, *project)
			}
		}
	}
	return page, nil
}

// EnvironmentPage returns a page of the environments of a project. Position is
// that of the project's catalogue.
func (c *Control) EnvironmentPage(ctx context.Context, project string, q Query) (Page[Environment], error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return Page[Environment]{}, err
	}
	page, err := walk(ctx, c.store, set.ID, store.KindEnvironment, q, q.Text != "", func(item store.Item) (Environment, bool, error) {
		environment, err := decode[Environment](set.ID, item)
		if err != nil {
			return Environment{}, false, err
		}
		return *environment, q.holds(environment.Key, environment.Name), nil
	})
	page.Position = set.Position
	return page, err
}

// SegmentPage returns a page of the segments of an environment. A list too long
// to be kept in the segment is only counted, in Shards.
func (c *Control) SegmentPage(ctx context.Context, project, environment string, q Query) (Page[*feature.Segment], error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Page[*feature.Segment]{}, err
	}
	page, err := walk(ctx, c.store, set.ID, snapshot.KindSegment, q, q.Text != "", func(item store.Item) (*feature.Segment, bool, error) {
		segment, err := decode[feature.Segment](set.ID, item)
		if err != nil {
			return nil, false, err
		}
		return segment, q.holds(segment.Key, segment.Name), nil
	})
	page.Position = set.Position
	return page, err
}
