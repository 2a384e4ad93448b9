package flagfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// The fields of a flag and of a segment that are not in their documents.
const environmentsField = "environments"

var (
	definitionFields = []string{
		"type", "description", "owner", "tags", "clientVisible", "permanent", "variants", "metadata", "schema",
	}
	segmentFields = []string{"name", "included", "excluded", "when"}
)

// environmentKey is the shape of an environment's key.
var environmentKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Parse reads files as one document and validates each flag and each segment by
// itself; [Document.Check] validates what they say of each other. The error is
// [Faults].
func Parse(files ...Source) (*Document, error) {
	f := &faults{}
	said := sources{flags: map[string]*entry{}, segments: map[string]*entry{}}
	for _, file := range files {
		f.join(&said, f.tree(file))
	}
	document := &Document{sources: said}
	if f.unread {
		return document, f.err()
	}
	for _, e := range sorted(said.flags) {
		document.Flags = append(document.Flags, f.flag(e))
	}
	for _, e := range sorted(said.segments) {
		document.Segments = append(document.Segments, f.segment(e))
	}
	return document, f.err()
}

// problems reports an error of package feature about an entry. Only some paths are
// reported, all where about is nil.
func (f *faults) problems(e *entry, environment, what string, err error, about func(path string) bool) {
	var invalid *feature.ValidationError
	if !errors.As(err, &invalid) {
		if err != nil {
			f.add(e.place(environment, ""), "%s: %s", what, err)
		}
		return
	}
	for _, problem := range invalid.Problems {
		if about == nil || about(problem.Path) {
			f.add(e.place(environment, problem.Path), "%s: %s", what, problem)
		}
	}
}

// known reports the fields that a thing does not have, and returns the others.
func (f *faults) known(fields []field, names []string, what string) []field {
	kept := make([]field, 0, len(fields))
	for _, one := range fields {
		if slices.Contains(names, one.name) {
			kept = append(kept, one)
			continue
		}
		f.add(one.at, "%s: unknown field %.80q; the fields here are %s and %s", what, one.name, strings.Join(names, ", "), environmentsField)
	}
	return kept
}

// environment reports a name that no environment can have.
func (f *faults) environment(one *field, what string) bool {
	if environmentKey.MatchString(one.name) {
		return true
	}
	f.add(one.at, "%s: %.80q is no key of an environment; use 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit", what, one.name)
	return false
}

func (f *faults) flag(e *entry) Flag {
	what := fmt.Sprintf("flag %.140s", e.key)
	flag := Flag{Environments: map[string]feature.Configuration{}}
	fields := f.known(e.fields, definitionFields, what)
	document := appendObject(nil, append([]field{{name: "key", value: &node{kind: feature.KindString, text: e.key}}}, fields...))
	decoded := feature.DecodeStrict(document, &flag.Definition)
	f.problems(e, "", what, decoded, nil)
	flag.Key = e.key

	valid := decoded == nil
	switch {
	case !valid:
	case e.field("type") == nil:
		f.add(e.at, "%s: say its type: boolean, string, number or object", what)
		valid = false
	default:
		if flag.Type == feature.TypeBoolean && len(flag.Variants) == 0 {
			flag.Variants = onOff()
		}
		invalid := flag.Validate()
		f.problems(e, "", what, invalid, nil)
		valid = invalid == nil
	}
	if valid {
		f.notes(e, &flag.Definition, what)
		whole := feature.Flag{Definition: flag.Definition.Definition, Configuration: Initial(flag.Definition.Definition)}
		f.problems(e, "", what, whole.Validate(), nil)
	}
	for i := range e.environments {
		one := &e.environments[i]
		if !f.environment(one, what) {
			continue
		}
		if configuration, ok := f.configuration(e, one, &flag); ok {
			flag.Environments[one.name] = configuration
		}
	}
	return flag
}

func (e *entry) field(name string) *node {
	for i := range e.fields {
		if e.fields[i].name == name {
			return e.fields[i].value
		}
	}
	return nil
}

// configuration reads what a flag does in an environment.
func (f *faults) configuration(e *entry, one *field, flag *Flag) (feature.Configuration, bool) {
	what := fmt.Sprintf("flag %.140s in %s", e.key, one.name)
	var configuration feature.Configuration
	if _, ok := f.object(one.value, what+": a configuration"); !ok {
		return configuration, false
	}
	if err := feature.DecodeStrict(appendObject(nil, one.value.fields), &configuration); err != nil {
		f.problems(e, one.name, what, err, nil)
		return configuration, false
	}
	if one.value.field("state") == nil {
		f.add(one.at, "%s: say its state: ENABLED or DISABLED", what)
		return configuration, false
	}
	fill(&configuration, flag.Definition.Definition)
	whole := feature.Flag{
		Definition:    flag.Definition.Definition,
		Configuration: Complete(flag.Key, configuration, nil),
	}
	f.problems(e, one.name, what, whole.Validate(), ofConfiguration)
	return configuration, true
}

// ofConfiguration reports whether a path of a flag is in its configuration; the
// definition is reported once, not in each environment.
func ofConfiguration(path string) bool {
	name := path
	if end := strings.IndexAny(path, ".["); end >= 0 {
		name = path[:end]
	}
	return name == "" || slices.Contains([]string{"state", "offVariant", "prerequisites", "overrides", "rules", "default"}, name)
}

func (f *faults) segment(e *entry) Segment {
	what := fmt.Sprintf("segment %.140s", e.key)
	segment := Segment{Key: e.key, Environments: map[string]feature.Segment{}}
	for _, one := range e.fields {
		f.add(one.at, "%s: unknown field %.80q; a segment has %s, and the rest below its environments", what, one.name, environmentsField)
	}
	if len(e.environments) == 0 && len(e.fields) == 0 {
		f.add(e.at, "%s: say what it holds, in an environment: %s: {production: {included: [user-42]}}", what, environmentsField)
	}
	for i := range e.environments {
		one := &e.environments[i]
		if !f.environment(one, what) {
			continue
		}
		if read, ok := f.segmentIn(e, one); ok {
			segment.Environments[one.name] = read
		}
	}
	return segment
}

func (f *faults) segmentIn(e *entry, one *field) (feature.Segment, bool) {
	what := fmt.Sprintf("segment %.140s in %s", e.key, one.name)
	segment := feature.Segment{}
	fields, ok := f.object(one.value, what+": a segment")
	if !ok {
		return segment, false
	}
	for _, below := range fields {
		if !slices.Contains(segmentFields, below.name) {
			f.add(below.at, "%s: unknown field %.80q; the fields here are %s", what, below.name, strings.Join(segmentFields, ", "))
			ok = false
		}
	}
	if !ok {
		return segment, false
	}
	if err := feature.DecodeStrict(appendObject(nil, fields), &segment); err != nil {
		f.problems(e, one.name, what, err, nil)
		return segment, false
	}
	segment.Key = e.key
	f.problems(e, one.name, what, segment.Validate(), nil)
	// The order of a list means nothing.
	slices.Sort(segment.Included)
	slices.Sort(segment.Excluded)
	return segment, true
}
