package flagplan

import (
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/snapshot"
)

// Operation is one change of the request that carries out a plan, in the form of
// the management API.
type Operation struct {
	Action      string            `json:"action"`
	Environment string            `json:"environment,omitempty"`
	Key         string            `json:"key,omitempty"`
	Document    any               `json:"document,omitempty"`
	Patch       *feature.Value    `json:"patch,omitempty"`
	IfMatch     snapshot.Position `json:"ifMatch,omitzero"`

	of string // the key of what it is about, also where Key is empty
}

// About says what an operation changes: the key of a flag, or of a segment, and the
// environment, empty for a definition.
func (o *Operation) About() (key, environment string, segment bool) {
	switch o.Action {
	case "createSegment", "patchSegment", "deleteSegment":
		segment = true
	}
	return o.of, o.Environment, segment
}

// Operations returns what a server must do, in an order in which each is possible:
// definitions, segments, configurations, and then what goes. Each is conditional on
// what the state was read as.
func (p *Plan) Operations(state *State) []Operation {
	var create, define, narrow, put, archive, remove []Operation
	for i := range p.Flags {
		change := &p.Flags[i]
		switch {
		case change.After == nil:
			archive = append(archive, Operation{Action: "archiveFlag", Key: change.Key, IfMatch: state.Position, of: change.Key})
			remove = append(remove, Operation{Action: "deleteFlag", Key: change.Key, IfMatch: state.Position, of: change.Key})
			continue
		case change.Before == nil:
			create = append(create, Operation{Action: "createFlag", Document: change.After, of: change.Key})
		case change.Redefined():
			wide, narrower := definitionPatches(change.Before, change.After)
			for n, patch := range []*feature.Value{wide, narrower} {
				if patch == nil {
					continue
				}
				operation := Operation{Action: "patchDefinition", Key: change.Key, Patch: patch, IfMatch: state.Position, of: change.Key}
				if n == 0 {
					define = append(define, operation)
				} else {
					narrow = append(narrow, operation)
				}
			}
		}
		for n := range change.Configurations {
			c := &change.Configurations[n]
			put = append(put, Operation{
				Action: "putFlag", Environment: c.Environment, Key: change.Key, Document: c.After,
				IfMatch: state.Environments[c.Environment].Position, of: change.Key,
			})
		}
	}
	order := state.dependentsFirst()
	byOrder := func(a, b Operation) int { return order[a.Key] - order[b.Key] }
	slices.SortStableFunc(archive, byOrder)
	slices.SortStableFunc(remove, byOrder)
	segments, gone := p.segmentOperations(state)
	return slices.Concat(create, define, segments, put, narrow, gone, archive, remove)
}

// definitionPatches returns the patch that gives a definition everything it is to
// have, and the one that takes away the variants that it is not to have any more,
// which configurations may need until they are changed. Nil is none.
func definitionPatches(before, after *flagfile.Definition) (wide, narrower *feature.Value) {
	between := *after
	between.Variants = slices.Clone(after.Variants)
	for _, variant := range before.Variants {
		if after.Variants.Get(variant.Key) == nil {
			between.Variants = append(between.Variants, variant)
		}
	}
	return patchOf(before, &between), patchOf(&between, after)
}

// patchOf returns the patch from one document to another, nil where they are equal.
func patchOf(before, after any) *feature.Value {
	was, is := valueOf(before), valueOf(after)
	if was.Equal(&is) {
		return nil
	}
	patch, _ := mergePatch(was, is)
	return &patch
}

func (p *Plan) segmentOperations(state *State) (written, gone []Operation) {
	for i := range p.Segments {
		change := &p.Segments[i]
		operation := Operation{
			Environment: change.Environment, Key: change.Key,
			IfMatch: state.Environments[change.Environment].Position, of: change.Key,
		}
		switch {
		case change.After == nil:
			operation.Action = "deleteSegment"
			gone = append(gone, operation)
			continue
		case change.Before == nil:
			operation.Action, operation.Document = "createSegment", change.After
			operation.Key, operation.IfMatch = "", snapshot.Position{}
		default:
			operation.Action, operation.Patch = "patchSegment", patchOf(change.Before, change.After)
		}
		written = append(written, operation)
	}
	orders := map[string]map[string]int{}
	for name, environment := range state.Environments {
		orders[name] = environment.segmentsDependentsFirst()
	}
	slices.SortStableFunc(gone, func(a, b Operation) int {
		return orders[a.Environment][a.Key] - orders[b.Environment][b.Key]
	})
	return written, gone
}

// dependentsFirst numbers the flags so that each comes before its prerequisites in
// all environments that were read.
func (s *State) dependentsFirst() map[string]int {
	joined := &feature.FlagSet{}
	for _, key := range sortedKeys(s.Definitions) {
		flag := &feature.Flag{Definition: feature.Definition{Key: key}}
		for _, environment := range s.Environments {
			flag.Prerequisites = append(flag.Prerequisites, environment.Flags[key].Prerequisites...)
		}
		joined.Flags = append(joined.Flags, flag)
	}
	order := map[string]int{}
	for n, i := range feature.FindReferences(joined).FlagOrder {
		order[joined.Flags[i].Key] = -n
	}
	return order
}

// segmentsDependentsFirst numbers the segments so that each comes before those that
// its condition names.
func (e *Environment) segmentsDependentsFirst() map[string]int {
	set := &feature.FlagSet{}
	for _, key := range sortedKeys(e.Segments) {
		segment := e.Segments[key]
		set.Segments = append(set.Segments, &segment)
	}
	order := map[string]int{}
	for n, i := range feature.FindReferences(set).SegmentOrder {
		order[set.Segments[i].Key] = -n
	}
	return order
}
