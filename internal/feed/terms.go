package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/internal/hub"
	"github.com/wigwag/wigwag/internal/store"
)

// place is what of the document of a project or an environment concerns its
// readers.
type place struct {
	Archived bool `json:"archived"`
	// Streaming is on where it is absent.
	Streaming *bool `json:"streaming"`
}

// followCatalogue tells the hub on which terms the flag sets of a project are
// served, unless it was told since the project last changed.
func (f *Feed) followCatalogue(ctx context.Context, id store.SetID) error {
	set, err := f.store.Set(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		delete(f.catalogues, id)
		return nil
	case err != nil:
		return fmt.Errorf("project %s: %w", id.Project, err)
	case f.catalogues[id] == set.Position:
		return nil
	}
	items, err := f.store.Items(ctx, id, store.KindProject, store.KindEnvironment)
	if err != nil {
		return fmt.Errorf("project %s: %w", id.Project, err)
	}
	project := false
	environments := make(map[string]place)
	for _, item := range items {
		var p place
		if err := json.Unmarshal(item.Body, &p); err != nil {
			return fmt.Errorf("project %s: %s: %w", id.Project, item.Ref, err)
		}
		if item.Kind == store.KindProject {
			project = p.Archived
		} else {
			environments[item.Key] = p
		}
	}
	for key, p := range environments {
		terms := hub.Terms{NoStreams: p.Streaming != nil && !*p.Streaming}
		switch {
		case project:
			terms.Archived = "project"
		case p.Archived:
			terms.Archived = "environment"
		}
		f.hub.SetTerms(hub.Set{Project: id.Project, Environment: key}, terms)
	}
	f.catalogues[id] = set.Position
	return nil
}

// drop ends the service of a flag set that the store does not have.
func (f *Feed) drop(id store.SetID) {
	delete(f.published, id)
	place := hub.Set{Project: id.Project, Environment: id.Environment}
	f.hub.Remove(place)
	f.hub.SetTerms(place, hub.Terms{})
}
