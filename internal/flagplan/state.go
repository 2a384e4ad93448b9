package flagplan

import (
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/snapshot"
)

// State is what a server has of a project. The plan is based on it: what changes
// after its positions were read makes carrying out the plan fail.
type State struct {
	// Position is that of the project, at which the definitions were read or before.
	Position snapshot.Position
	// Definitions are those of all flags, archived ones included, by key.
	Definitions map[string]Definition
	// Environments are those that the plan may change, by key.
	Environments map[string]*Environment
}

// Definition is a flag's definition on the server.
type Definition struct {
	flagfile.Definition
	Archived bool
}

// Environment is what a server has of one environment.
type Environment struct {
	// Position is that of the flag set, at which the rest was read or before.
	Position snapshot.Position
	// Flags are the configurations by the flag's key.
	Flags map[string]feature.Configuration
	// Segments have their lists whole.
	Segments map[string]feature.Segment
}

// Document returns what a server has as the files would say it: exporting. It
// leaves out archived flags.
func (s *State) Document() *flagfile.Document {
	document := &flagfile.Document{}
	for _, key := range sortedKeys(s.Definitions) {
		if s.Definitions[key].Archived {
			continue
		}
		flag := flagfile.Flag{Definition: s.Definitions[key].Definition, Environments: map[string]feature.Configuration{}}
		for name, environment := range s.Environments {
			if configuration, ok := environment.Flags[key]; ok {
				flag.Environments[name] = configuration
			}
		}
		document.Flags = append(document.Flags, flag)
	}
	segments := map[string]map[string]feature.Segment{}
	for name, environment := range s.Environments {
		for key, segment := range environment.Segments {
			if segments[key] == nil {
				segments[key] = map[string]feature.Segment{}
			}
			segments[key][name] = segment
		}
	}
	for _, key := range sortedKeys(segments) {
		document.Segments = append(document.Segments, flagfile.Segment{Key: key, Environments: segments[key]})
	}
	return document
}
