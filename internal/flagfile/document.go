package flagfile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/wigwag/wigwag/feature"
)

// SchemaURL is where the JSON Schema of the files is published; editors read it.
const SchemaURL = "https://wigwag.dev/schema/flags-file.schema.json"

// Document is what some files say, joined. Flags and segments are sorted by key.
type Document struct {
	Flags    []Flag
	Segments []Segment

	sources sources
}

// Definition is what a flag is in every environment of its project.
type Definition struct {
	feature.Definition
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	// Permanent says that the flag is meant to stay.
	Permanent bool `json:"permanent,omitempty"`
	// Schema is a JSON Schema of the values of an object flag, nil where there is
	// none.
	Schema *feature.Value `json:"schema,omitempty"`
}

// Flag is a flag with its configurations in the environments that the files name.
// Ids of rules and salts of splits are empty where the files leave them out;
// [Complete] fills them.
type Flag struct {
	Definition
	Environments map[string]feature.Configuration
}

// Segment is a segment in the environments that the files name. Its lists are
// sorted.
type Segment struct {
	Key          string
	Environments map[string]feature.Segment
}

// Flag returns the flag of a key, nil where the files have none.
func (d *Document) Flag(key string) *Flag {
	i, found := slices.BinarySearchFunc(d.Flags, key, func(f Flag, key string) int { return cmp.Compare(f.Key, key) })
	if !found {
		return nil
	}
	return &d.Flags[i]
}

// Segment returns the segment of a key, nil where the files have none.
func (d *Document) Segment(key string) *Segment {
	i, found := slices.BinarySearchFunc(d.Segments, key, func(s Segment, key string) int { return cmp.Compare(s.Key, key) })
	if !found {
		return nil
	}
	return &d.Segments[i]
}

// Environments returns the environments that the files name, sorted.
func (d *Document) Environments() []string {
	named := map[string]bool{}
	for i := range d.Flags {
		for name := range d.Flags[i].Environments {
			named[name] = true
		}
	}
	for i := range d.Segments {
		for name := range d.Segments[i].Environments {
			named[name] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// FlagPlace returns where the files say something of a flag: path is in the names
// of the JSON document, such as rules[2].serve. Empty arguments mean the
// definition, and the whole. What is not in the files gives the nearest thing that
// is, a zero place where there is none.
func (d *Document) FlagPlace(flag, environment, path string) Place {
	return d.sources.flags[flag].place(environment, path)
}

// SegmentPlace is [Document.FlagPlace] for a segment in an environment.
func (d *Document) SegmentPlace(segment, environment, path string) Place {
	return d.sources.segments[segment].place(environment, path)
}
