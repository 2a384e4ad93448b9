package flagfile

import (
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

// FlagSet returns what an environment of an empty project would serve once it is
// as the files say. Flags that are not configured there are as [Initial] says.
func (d *Document) FlagSet(environment string) *feature.FlagSet {
	set := &feature.FlagSet{}
	for i := range d.Flags {
		flag := &feature.Flag{Definition: d.Flags[i].Definition.Definition}
		if configuration, ok := d.Flags[i].Environments[environment]; ok {
			flag.Configuration = Complete(flag.Key, configuration, nil)
		} else {
			flag.Configuration = Initial(flag.Definition)
		}
		set.Flags = append(set.Flags, flag)
	}
	for i := range d.Segments {
		if segment, ok := d.Segments[i].Environments[environment]; ok {
			set.Segments = append(set.Segments, &segment)
		}
	}
	return set
}

// Check validates what flags and segments say of each other in each environment:
// that what they name is there, and that nothing depends on itself. The error is
// [Faults].
func (d *Document) Check() error {
	f := &faults{}
	for _, environment := range d.Environments() {
		f.found = append(f.found, d.References(environment, d.FlagSet(environment))...)
	}
	return f.err()
}

// References returns what is wrong with the references of a flag set that an
// environment is to have, with the places of what the files say.
func (d *Document) References(environment string, set *feature.FlagSet) Faults {
	f := &faults{}
	for _, problem := range feature.CheckReferences(set) {
		if problem.Flag != "" {
			f.add(d.FlagPlace(problem.Flag, environment, problem.Path), "%s", inEnvironment("flag", problem.Flag, environment, problem.Problem))
		} else {
			f.add(d.SegmentPlace(problem.Segment, environment, problem.Path), "%s", inEnvironment("segment", problem.Segment, environment, problem.Problem))
		}
	}
	return f.found
}

func inEnvironment(what, key, environment string, problem feature.Problem) string {
	return fmt.Sprintf("%s %s in %s: %s", what, key, environment, problem)
}
