package app

import (
	"context"
	_ "embed" // for the demo data
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// The keys of the development server. Everybody knows them: they are given only
// to a server on loopback.
const (
	DevToken     = "tk_dev"
	DevServerKey = "sk_dev"
	DevClientKey = "ck_dev"
)

//go:embed demo.json
var demoJSON []byte

type demo struct {
	Segments []feature.Segment `json:"segments"`
	Flags    []struct {
		Definition    control.Definition `json:"definition"`
		Configuration json.RawMessage    `json:"configuration"`
	} `json:"flags"`
}

// AddDemo gives a server the development keys and the demo flags and segments in
// both environments. What is there already is left as it is.
func (s *Server) AddDemo(ctx context.Context) error {
	if err := s.addDevKeys(ctx); err != nil {
		return err
	}
	var d demo
	if err := json.Unmarshal(demoJSON, &d); err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	write := control.Write{Actor: "wigwag dev", Comment: "demo data"}
	if _, err := s.control.Definition(ctx, defaultProject, d.Flags[0].Definition.Key); !fault.Is(err, fault.NotFound) {
		return err
	}
	for _, environment := range []string{development, production} {
		for i := range d.Segments {
			_, err := s.control.CreateSegment(ctx, write, defaultProject, environment, d.Segments[i])
			if err != nil && !fault.Is(err, fault.Conflict) {
				return fmt.Errorf("demo segment %s: %w", d.Segments[i].Key, err)
			}
		}
	}
	// All flags before their configurations, which name each other; the first one
	// last, because it is what tells that all are there.
	for i := len(d.Flags) - 1; i >= 0; i-- {
		_, err := s.control.CreateFlag(ctx, write, defaultProject, d.Flags[i].Definition)
		if err != nil && !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("demo flag %s: %w", d.Flags[i].Definition.Key, err)
		}
	}
	for _, environment := range []string{development, production} {
		for i := range d.Flags {
			key := d.Flags[i].Definition.Key
			if _, err := s.control.PatchFlag(ctx, write, defaultProject, environment, key, d.Flags[i].Configuration); err != nil {
				return fmt.Errorf("demo flag %s: %w", key, err)
			}
		}
	}
	return nil
}

func (s *Server) addDevKeys(ctx context.Context) error {
	set := store.SetID{Project: defaultProject, Environment: development}
	for _, c := range []store.Credential{
		auth.NewCredential(DevToken, "development", store.SetID{}, time.Now()),
		auth.NewCredential(DevServerKey, "development", set, time.Now()),
		auth.NewCredential(DevClientKey, "development", set, time.Now()),
	} {
		err := s.store.Update(ctx, func(tx store.Tx) error { return tx.AddCredential(ctx, builtIn(c)) })
		if err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return nil
}
