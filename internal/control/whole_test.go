package control

import (
	"context"
	"fmt"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// What follows reads lists whole, for tests; callers outside of them read pages.

// Definitions returns the flags of a project.
func (c *Control) Definitions(ctx context.Context, project string) ([]Read[Definition], error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return nil, err
	}
	items, err := items(ctx, c.store, set.ID, store.KindDefinition)
	if err != nil {
		return nil, err
	}
	definitions := make([]Read[Definition], len(items))
	for i := range items {
		definition, err := decode[Definition](set.ID, items[i])
		if err != nil {
			return nil, err
		}
		definitions[i] = read(*definition, set, items[i].Version)
	}
	return definitions, nil
}

// Flags returns the flags of an environment, as SDKs receive them.
func (c *Control) Flags(ctx context.Context, project, environment string) ([]Read[*feature.Flag], error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return nil, err
	}
	items, err := items(ctx, c.store, set.ID, snapshot.KindFlag)
	if err != nil {
		return nil, err
	}
	flags := make([]Read[*feature.Flag], len(items))
	for i := range items {
		flag, err := decode[feature.Flag](set.ID, items[i])
		if err != nil {
			return nil, err
		}
		flags[i] = read(flag, set, items[i].Version)
	}
	return flags, nil
}

// Segments returns the segments of an environment. A list too long to be kept in
// the segment is only counted, in Shards; [Control.Segment] returns it.
func (c *Control) Segments(ctx context.Context, project, environment string) ([]Read[*feature.Segment], error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return nil, err
	}
	stored, err := items(ctx, c.store, set.ID, snapshot.KindSegment)
	if err != nil {
		return nil, err
	}
	segments := make([]Read[*feature.Segment], len(stored))
	sharded := false
	for i := range stored {
		segment, err := decode[feature.Segment](set.ID, stored[i])
		if err != nil {
			return nil, err
		}
		sharded = sharded || segment.Shards != feature.Shards{}
		segments[i] = read(segment, set, stored[i].Version)
	}
	if !sharded {
		return segments, nil
	}
	shards, err := items(ctx, c.store, set.ID, snapshot.KindKeys)
	if err != nil {
		return nil, err
	}
	latest := make(map[string]uint64)
	for i := range shards {
		segment := segmentOfShard(shards[i].Ref)
		latest[segment] = max(latest[segment], shards[i].Version)
	}
	for i := range segments {
		segments[i] = read(segments[i].Value, set, max(segments[i].ChangedAt.Version, latest[segments[i].Value.Key]))
	}
	return segments, nil
}

// Projects returns all projects.
func (c *Control) Projects(ctx context.Context) ([]Project, error) {
	sets, err := c.store.Sets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sets: %w", err)
	}
	projects := []Project{}
	for _, set := range sets {
		if !set.ID.IsCatalogue() {
			continue
		}
		items, err := items(ctx, c.store, set.ID, store.KindProject)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			project, err := decode[Project](set.ID, item)
			if err != nil {
				return nil, err
			}
			projects = append(projects, *project)
		}
	}
	return projects, nil
}

// Environments returns the environments of a project.
func (c *Control) Environments(ctx context.Context, project string) ([]Environment, error) {
	set, err := catalogue(ctx, c.store, project)
	if err != nil {
		return nil, err
	}
	documents, err := decodeAll[Environment](ctx, c.store, set.ID, store.KindEnvironment)
	if err != nil {
		return nil, err
	}
	environments := make([]Environment, len(documents))
	for i, d := range documents {
		environments[i] = *d
	}
	return environments, nil
}
