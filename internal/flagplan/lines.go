package flagplan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
)

// Sign says what a line of a plan tells.
type Sign byte

// The signs of lines.
const (
	Heading Sign = ' '
	Added   Sign = '+'
	Removed Sign = '-'
	Changed Sign = '~'
)

// Line is a line of a plan, written like a diff.
type Line struct {
	// Level is how deep it belongs, from 0.
	Level int
	Sign  Sign
	Text  string
}

const (
	// detailed is of how many flags and segments a plan is shown field by field; a
	// larger one names them.
	detailed = 100
	// longest is how much of a value is shown, in characters.
	longest = 500
	// shownKeys is how many targeting keys are shown of those that come and go.
	shownKeys = 10
)

// Lines returns the plan like a diff: by flag, environment and field, what goes
// before what comes. What is deleted is first.
func (p *Plan) Lines() []Line {
	w := lines{brief: len(p.Flags)+len(p.Segments) > detailed}
	for _, deleted := range []bool{true, false} {
		for i := range p.Flags {
			if (p.Flags[i].After == nil) == deleted {
				w.flag(&p.Flags[i])
			}
		}
		for i := range p.Segments {
			if (p.Segments[i].After == nil) == deleted {
				w.segment(&p.Segments[i])
			}
		}
	}
	return w.list
}

type lines struct {
	brief bool
	list  []Line
}

func (w *lines) add(level int, sign Sign, format string, args ...any) {
	w.list = append(w.list, Line{level, sign, fmt.Sprintf(format, args...)})
}

func (w *lines) flag(c *FlagChange) {
	sign := Changed
	switch {
	case c.After == nil:
		w.add(0, Removed, "flag %s", c.Key)
		return
	case c.Before == nil:
		sign = Added
	}
	if w.brief {
		var parts []string
		if c.Redefined() {
			parts = append(parts, "definition")
		}
		for i := range c.Configurations {
			parts = append(parts, c.Configurations[i].Environment)
		}
		w.add(0, sign, "flag %s: %s", c.Key, strings.Join(parts, ", "))
		return
	}
	w.add(0, sign, "flag %s", c.Key)
	if c.Redefined() {
		before := feature.Value{}
		if c.Before != nil {
			before = valueOf(c.Before)
		}
		w.fields(1, before, valueOf(c.After), []string{
			"type", "description", "owner", "tags", "clientVisible", "permanent", "variants", "metadata", "schema",
		})
	}
	for i := range c.Configurations {
		w.configuration(&c.Configurations[i], c.Before == nil)
	}
}

// fields shows those fields of two objects that differ.
func (w *lines) fields(level int, before, after feature.Value, names []string) {
	for _, name := range names {
		was, is := before.Field(name), after.Field(name)
		if was != nil && is != nil && was.Equal(is) {
			continue
		}
		if was != nil {
			w.add(level, Removed, "%s: %s", name, shorten(flagfile.Inline(*was)))
		}
		if is != nil {
			w.add(level, Added, "%s: %s", name, shorten(flagfile.Inline(*is)))
		}
	}
}

// configuration shows what differs; of a new flag, all.
func (w *lines) configuration(c *ConfigurationChange, created bool) {
	before, after := valueOf(c.Before), valueOf(c.After)
	if created {
		before = feature.Value{}
		w.add(1, Added, "%s", c.Environment)
	} else {
		w.add(1, Changed, "%s", c.Environment)
	}
	w.fields(2, before, after, []string{"state", "offVariant"})
	w.entries(before, after, "prerequisites", "prerequisite", "flag")
	w.entries(before, after, "overrides", "override", "variant")
	w.entries(before, after, "rules", "rule", "id")
	w.fields(2, before, after, []string{"default"})
}

// entries shows what differs of a list whose entries have names, by name.
func (w *lines) entries(before, after feature.Value, list, one, name string) {
	was, is := entriesOf(before, list, name), entriesOf(after, list, name)
	if !distinct(was) || !distinct(is) {
		w.fields(2, before, after, []string{list})
		return
	}
	var kept, order []string
	for i := range was {
		other := slices.IndexFunc(is, func(e entry) bool { return e.name == was[i].name })
		if other >= 0 {
			kept = append(kept, was[i].name)
		}
		if other < 0 || !was[i].value.Equal(&is[other].value) {
			w.add(2, Removed, "%s %s", one, shorten(flagfile.Inline(was[i].value)))
		}
		if other >= 0 && !was[i].value.Equal(&is[other].value) {
			w.add(2, Added, "%s %s", one, shorten(flagfile.Inline(is[other].value)))
		}
	}
	for i := range is {
		if slices.ContainsFunc(was, func(e entry) bool { return e.name == is[i].name }) {
			order = append(order, is[i].name)
		} else {
			w.add(2, Added, "%s %s", one, shorten(flagfile.Inline(is[i].value)))
		}
	}
	if !slices.Equal(kept, order) {
		w.add(2, Removed, "%s in the order %s", list, shorten(strings.Join(names(was), ", ")))
		w.add(2, Added, "%s in the order %s", list, shorten(strings.Join(names(is), ", ")))
	}
}

// entry is an entry of a list, by its name.
type entry struct {
	name  string
	value feature.Value
}

func entriesOf(v feature.Value, list, name string) []entry {
	field := v.Field(list)
	if field == nil {
		return nil
	}
	values, _ := field.List()
	entries := make([]entry, len(values))
	for i := range values {
		entries[i].value = values[i]
		if text := values[i].Field(name); text != nil {
			entries[i].name, _ = text.Text()
		}
	}
	return entries
}

func names(entries []entry) []string {
	list := make([]string, len(entries))
	for i := range entries {
		list[i] = entries[i].name
	}
	return list
}

// distinct reports whether no two entries have one name.
func distinct(entries []entry) bool {
	all := names(entries)
	slices.Sort(all)
	return len(slices.Compact(all)) == len(entries)
}

func (w *lines) segment(c *SegmentChange) {
	sign := Changed
	switch {
	case c.After == nil:
		w.add(0, Removed, "segment %s in %s", c.Key, c.Environment)
		return
	case c.Before == nil:
		sign = Added
	}
	w.add(0, sign, "segment %s in %s", c.Key, c.Environment)
	if w.brief {
		return
	}
	before := feature.Segment{}
	if c.Before != nil {
		before = *c.Before
	}
	w.fields(1, valueOf(before), valueOf(c.After), []string{"name"})
	w.keys("included", before.Included, c.After.Included)
	w.keys("excluded", before.Excluded, c.After.Excluded)
	w.fields(1, valueOf(before), valueOf(c.After), []string{"when"})
}

// keys shows which targeting keys go and come; both lists are sorted.
func (w *lines) keys(name string, before, after []string) {
	for _, side := range []struct {
		sign         Sign
		these, those []string
	}{{Removed, before, after}, {Added, after, before}} {
		var only []string
		for _, key := range side.these {
			if _, both := slices.BinarySearch(side.those, key); !both {
				only = append(only, key)
			}
		}
		if len(only) == 0 {
			continue
		}
		shown := make([]feature.Value, min(len(only), shownKeys))
		for i := range shown {
			shown[i] = feature.StringValue(only[i])
		}
		text := strings.Trim(flagfile.Inline(feature.ListValue(shown...)), "[]")
		if more := len(only) - len(shown); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		w.add(1, side.sign, "%s: %s", name, text)
	}
}

// shorten keeps the beginning of what is too long to be read.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

// Summary counts what the plan changes, in words.
func (p *Plan) Summary() string {
	var create, change, remove, written, gone int
	environments := map[string]bool{}
	for i := range p.Flags {
		switch c := &p.Flags[i]; {
		case c.After == nil:
			remove++
		case c.Before == nil:
			create++
		default:
			change++
		}
		for n := range p.Flags[i].Configurations {
			environments[p.Flags[i].Configurations[n].Environment] = true
		}
	}
	for i := range p.Segments {
		environments[p.Segments[i].Environment] = true
		if p.Segments[i].After == nil {
			gone++
		} else {
			written++
		}
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{create, "%s to create"}, {change, "%s to change"}, {remove, "%s to delete"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.what, count(part.n, "flag")))
		}
	}
	if written > 0 {
		parts = append(parts, count(written, "segment")+" to write")
	}
	if gone > 0 {
		parts = append(parts, count(gone, "segment")+" to delete")
	}
	text := strings.Join(parts, ", ")
	if len(environments) > 0 {
		text += ", in " + strings.Join(sortedKeys(environments), ", ")
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
