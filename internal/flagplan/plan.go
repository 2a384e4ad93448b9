package flagplan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
)

// Options narrow and widen a plan.
type Options struct {
	// Environments are those that may change; where empty, all that the files name.
	// Definitions belong to all environments and are changed in any case.
	Environments []string
	// Prune deletes what the files do not have: flags of the project, unless
	// Environments narrow the plan, and segments of the environments.
	Prune bool
}

// Plan is what is to change. Flags and segments are sorted by key, segments by
// environment besides.
type Plan struct {
	Flags    []FlagChange
	Segments []SegmentChange
	// Kept are the keys of the flags that pruning would delete if the plan were not
	// narrowed to some environments.
	Kept []string
}

// FlagChange is what changes of one flag.
type FlagChange struct {
	Key string
	// Before and After are the definition; Before is nil for a new flag, After for
	// one that is deleted. Both are there, and equal, where only configurations
	// change.
	Before, After *flagfile.Definition
	// Configurations are those that change, by environment.
	Configurations []ConfigurationChange
}

// ConfigurationChange is what changes of a flag in one environment. Before is the
// initial configuration for a new flag.
type ConfigurationChange struct {
	Environment   string
	Before, After feature.Configuration
}

// SegmentChange is what changes of one segment in one environment. Before is nil
// for a new one, After for one that is deleted.
type SegmentChange struct {
	Environment, Key string
	Before, After    *feature.Segment
}

// Empty reports whether nothing is to change.
func (p *Plan) Empty() bool { return len(p.Flags) == 0 && len(p.Segments) == 0 }

// Redefined reports whether the definition itself changes.
func (c *FlagChange) Redefined() bool {
	return c.Before == nil || c.After == nil || !same(c.Before, c.After)
}

// Scope returns the environments that a plan may change, sorted: those of the
// options, or all that the files name.
func Scope(document *flagfile.Document, options Options) []string {
	if len(options.Environments) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(options.Environments)))
	}
	return document.Environments()
}

// Make compares. The state must have the environments of the [Scope]. The error is
// flagfile.Faults: what the files say that this server cannot have.
func Make(document *flagfile.Document, state *State, options Options) (*Plan, error) {
	m := maker{document: document, state: state, scope: Scope(document, options)}
	for i := range document.Flags {
		m.flag(&document.Flags[i])
	}
	for i := range document.Segments {
		m.segment(&document.Segments[i])
	}
	if options.Prune {
		m.prune(len(options.Environments) > 0)
	}
	m.sort()
	if len(m.faults) == 0 {
		m.references()
	}
	if len(m.faults) > 0 {
		return nil, m.faults
	}
	return &m.plan, nil
}

type maker struct {
	document *flagfile.Document
	state    *State
	scope    []string
	plan     Plan
	faults   flagfile.Faults
}

func (m *maker) fault(at flagfile.Place, message string) {
	m.faults = append(m.faults, flagfile.Fault{Place: at, Message: message})
}

func (m *maker) flag(flag *flagfile.Flag) {
	after := flag.Definition
	change := FlagChange{Key: flag.Key, After: &after}
	if known, ok := m.state.Definitions[flag.Key]; ok {
		before := known.Definition
		change.Before = &before
		if !m.fits(flag, &known) {
			return
		}
		if !m.become(flag, &before, &after) {
			return
		}
	}
	for _, name := range m.scope {
		said, ok := flag.Environments[name]
		if !ok {
			continue
		}
		before, served := m.state.Environments[name].Flags[flag.Key]
		if !served {
			before = flagfile.Initial(after.Definition)
		}
		configuration := flagfile.Complete(flag.Key, said, &before)
		if !same(before, configuration) {
			change.Configurations = append(change.Configurations, ConfigurationChange{name, before, configuration})
		}
	}
	if change.Redefined() || len(change.Configurations) > 0 {
		m.plan.Flags = append(m.plan.Flags, change)
	}
}

// fits reports what makes it impossible for a flag to become what the files say.
func (m *maker) fits(flag *flagfile.Flag, known *Definition) bool {
	switch {
	case known.Archived:
		m.fault(m.document.FlagPlace(flag.Key, "", ""),
			"flag "+flag.Key+" is archived on the server; restore it with wigwag flags restore "+flag.Key+", or take it out of the file")
	case known.Type != flag.Type:
		m.fault(m.document.FlagPlace(flag.Key, "", "type"),
			"flag "+flag.Key+" is a "+string(known.Type)+" flag on the server and stays one; give the "+string(flag.Type)+" flag another key")
	default:
		return true
	}
	return false
}

// become replaces a definition by what it is once it is patched into the one that
// is there, and reports where no patch leads to it.
func (m *maker) become(flag *flagfile.Flag, before, after *flagfile.Definition) bool {
	was := valueOf(before)
	is := aligned(valueOf(after), was)
	patched := flagfile.Definition{}
	err := is.Decode(&patched)
	if _, possible := mergePatch(was, is); err == nil && possible {
		*after = patched
		return true
	}
	m.fault(m.document.FlagPlace(flag.Key, "", "variants"), "flag "+flag.Key+
		": a value that is there already cannot be given a field that is null; leave the field out, or give the flag a new variant in two steps")
	return false
}

func (m *maker) segment(segment *flagfile.Segment) {
	for _, name := range m.scope {
		after, ok := segment.Environments[name]
		if !ok {
			continue
		}
		change := SegmentChange{Environment: name, Key: segment.Key, After: &after}
		if before, known := m.state.Environments[name].Segments[segment.Key]; known {
			if same(before, after) {
				continue
			}
			change.Before = &before
		}
		m.plan.Segments = append(m.plan.Segments, change)
	}
}

func (m *maker) prune(narrowed bool) {
	for _, key := range sortedKeys(m.state.Definitions) {
		known := m.state.Definitions[key]
		switch {
		case m.document.Flag(key) != nil || known.Archived:
		case narrowed:
			m.plan.Kept = append(m.plan.Kept, key)
		default:
			m.plan.Flags = append(m.plan.Flags, FlagChange{Key: key, Before: &known.Definition})
		}
	}
	for _, name := range m.scope {
		for _, key := range sortedKeys(m.state.Environments[name].Segments) {
			segment := m.document.Segment(key)
			if segment != nil {
				if _, said := segment.Environments[name]; said {
					continue
				}
			}
			before := m.state.Environments[name].Segments[key]
			m.plan.Segments = append(m.plan.Segments, SegmentChange{Environment: name, Key: key, Before: &before})
		}
	}
}

func (m *maker) sort() {
	slices.SortFunc(m.plan.Flags, func(a, b FlagChange) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(m.plan.Segments, func(a, b SegmentChange) int {
		return cmp.Compare(a.Key+"\x00"+a.Environment, b.Key+"\x00"+b.Environment)
	})
}

// references looks at the environments that were read as they would be.
func (m *maker) references() {
	for _, name := range sortedKeys(m.state.Environments) {
		set := m.after(name)
		m.leftovers(name, set)
		m.faults = append(m.faults, m.document.References(name, set)...)
	}
}

// leftovers reports the configurations that the plan leaves as they are and that do
// not fit the new definition, such as those that serve a variant that goes.
func (m *maker) leftovers(name string, after *feature.FlagSet) {
	for i := range m.plan.Flags {
		change := &m.plan.Flags[i]
		if change.Before == nil || change.After == nil || !change.Redefined() ||
			slices.ContainsFunc(change.Configurations, func(c ConfigurationChange) bool { return c.Environment == name }) {
			continue
		}
		at, _ := slices.BinarySearchFunc(after.Flags, change.Key, func(f *feature.Flag, key string) int { return cmp.Compare(f.Key, key) })
		var invalid *feature.ValidationError
		if !errors.As(after.Flags[at].Validate(), &invalid) {
			continue
		}
		for _, problem := range invalid.Problems {
			m.fault(m.document.FlagPlace(change.Key, "", "variants"),
				fmt.Sprintf("flag %s in %s, which stays as it is, does not fit: %s", change.Key, name, problem))
		}
	}
}

// after returns the flags and segments of an environment once the plan is carried
// out.
func (m *maker) after(name string) *feature.FlagSet {
	environment := m.state.Environments[name]
	flags := map[string]*feature.Flag{}
	for key, definition := range m.state.Definitions {
		if configuration, ok := environment.Flags[key]; ok {
			flags[key] = &feature.Flag{Definition: definition.Definition.Definition, Configuration: configuration}
		}
	}
	for i := range m.plan.Flags {
		change := &m.plan.Flags[i]
		if change.After == nil {
			delete(flags, change.Key)
			continue
		}
		flag := &feature.Flag{Definition: change.After.Definition, Configuration: flagfile.Initial(change.After.Definition)}
		if before := flags[change.Key]; before != nil {
			flag.Configuration = before.Configuration
		}
		for n := range change.Configurations {
			if change.Configurations[n].Environment == name {
				flag.Configuration = change.Configurations[n].After
			}
		}
		flags[change.Key] = flag
	}
	segments := maps.Clone(environment.Segments)
	for _, change := range m.plan.Segments {
		switch {
		case change.Environment != name:
		case change.After == nil:
			delete(segments, change.Key)
		default:
			segments[change.Key] = *change.After
		}
	}
	set := &feature.FlagSet{}
	for _, key := range sortedKeys(flags) {
		set.Flags = append(set.Flags, flags[key])
	}
	for _, key := range sortedKeys(segments) {
		segment := segments[key]
		set.Segments = append(set.Segments, &segment)
	}
	return set
}

// same reports whether two documents have the same JSON.
func same(a, b any) bool {
	left, err := feature.Encode(a)
	if err != nil {
		return false
	}
	right, err := feature.Encode(b)
	return err == nil && string(left) == string(right)
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
