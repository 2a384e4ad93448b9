package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/internal/flagplan"
	"github.com/wigwag/wigwag/internal/gen"
)

// stateReader reads what a server has of a project.
type stateReader struct {
	*Remote
	screen *screen
}

// newStateReader returns a reader that is silent on standard output.
func newStateReader(t *Target, s *screen) stateReader {
	return stateReader{&Remote{Target: *t}, s}
}

// environments returns the environments of the project that are not archived.
func (r stateReader) environments(ctx context.Context) ([]string, error) {
	var list []gen.Environment
	_, err := new(Pages).list(ctx, r.Remote, &list, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListEnvironments(ctx, r.Project, &gen.ListEnvironmentsParams{Limit: &limit, Cursor: optional(cursor)})
	})
	var keys []string
	for i := range list {
		if !list[i].Archived {
			keys = append(keys, list[i].Key)
		}
	}
	return keys, err
}

// known returns some environments, all of the project where none are named, and
// refuses names that it does not have.
func (r stateReader) known(ctx context.Context, named []string) ([]string, error) {
	all, err := r.environments(ctx)
	if err != nil || len(named) == 0 {
		return all, err
	}
	for _, name := range named {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("project %s has no environment %s, or it is archived; create it with: wigwag environments create %s", r.Project, name, name)
		}
	}
	return named, nil
}

// state reads the definitions of the project and all of some environments.
func (r stateReader) state(ctx context.Context, environments []string) (*flagplan.State, error) {
	state := &flagplan.State{Definitions: map[string]flagplan.Definition{}, Environments: map[string]*flagplan.Environment{}}
	shown := newProgress(r.screen, "lists read of project "+plain(r.Project)+":", int64(2+2*len(environments)))
	defer shown.end()
	for n, archived := range []bool{false, true} {
		shown.at(int64(n))
		if err := r.definitions(ctx, state, archived); err != nil {
			return nil, err
		}
	}
	for n, name := range environments {
		environment := &flagplan.Environment{Flags: map[string]feature.Configuration{}, Segments: map[string]feature.Segment{}}
		state.Environments[name] = environment
		shown.at(int64(2 + 2*n))
		if err := r.flags(ctx, environment, name); err != nil {
			return nil, err
		}
		shown.at(int64(3 + 2*n))
		if err := r.segments(ctx, environment, name); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// positionOf reads the position of the list that was read first: what changed after
// it may have been read, and is refused when it is written.
func positionOf(body []byte, into any) error { return json.Unmarshal(body, into) }

func (r stateReader) definitions(ctx context.Context, state *flagplan.State, archived bool) error {
	var list []gen.Definition
	body, err := new(Pages).list(ctx, r.Remote, &list, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListDefinitions(ctx, r.Project, &gen.ListDefinitionsParams{Limit: &limit, Cursor: optional(cursor), Archived: &archived})
	})
	if err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		state.Definitions[d.Key] = flagplan.Definition{
			Definition: flagfile.Definition{
				Definition: d.Definition, Description: d.Description, Owner: d.Owner, Tags: d.Tags,
				Permanent: d.Permanent, Schema: d.Schema,
			},
			Archived: d.Archived,
		}
	}
	if !state.Position.IsZero() {
		return nil
	}
	return positionOf(body, &struct{ Position any }{&state.Position})
}

func (r stateReader) flags(ctx context.Context, environment *flagplan.Environment, name string) error {
	var list []gen.Flag
	body, err := new(Pages).list(ctx, r.Remote, &list, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListFlags(ctx, r.Project, name, &gen.ListFlagsParams{Limit: &limit, Cursor: optional(cursor)})
	})
	if err != nil {
		return err
	}
	for i := range list {
		environment.Flags[list[i].Key] = list[i].Configuration
	}
	return positionOf(body, &struct{ Position any }{&environment.Position})
}

func (r stateReader) segments(ctx context.Context, environment *flagplan.Environment, name string) error {
	var list []gen.Segment
	_, err := new(Pages).list(ctx, r.Remote, &list, func(client *gen.Client, limit int, cursor string) (*http.Response, error) {
		return client.ListSegments(ctx, r.Project, name, &gen.ListSegmentsParams{Limit: &limit, Cursor: optional(cursor)})
	})
	if err != nil {
		return err
	}
	for i := range list {
		segment := list[i]
		if segment.Shards != (feature.Shards{}) { // its lists are only counted
			if _, err := r.ask(ctx, &segment, func(client *gen.Client) (*http.Response, error) {
				return client.GetSegment(ctx, r.Project, name, list[i].Key)
			}); err != nil {
				return err
			}
			segment.Shards = feature.Shards{}
		}
		environment.Segments[segment.Key] = segment
	}
	return nil
}
