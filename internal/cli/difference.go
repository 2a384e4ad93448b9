package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// difference is what became of one field.
type difference struct {
	// sign is + for what was added, - for what was removed, ~ for what changed.
	sign byte
	// path is where, such as rules[r1].serve.variant.
	path string
	// text is the value that was added or removed, or the old and the new one.
	text string
}

// compareDocuments returns what leads from one JSON document to another, field by
// field. Parts of lists that have names, such as rules, are compared by name.
func compareDocuments(before, after *feature.Value) []difference {
	var d differences
	d.compare("", before, after)
	return d
}

type differences []difference

func (d *differences) add(sign byte, path, text string) {
	*d = append(*d, difference{sign, path, shortened(text)})
}

// shortened cuts a value that would fill the screen.
func shortened(text string) string {
	const most = 400
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// compare compares what is at a path; nil is nothing.
func (d *differences) compare(path string, before, after *feature.Value) {
	switch {
	case before == nil && after == nil:
	case before == nil:
		d.add('+', path, after.String())
	case after == nil:
		d.add('-', path, before.String())
	case before.Equal(after):
	case before.Kind() == feature.KindObject && after.Kind() == feature.KindObject:
		d.objects(path, before, after)
	case before.Kind() == feature.KindList && after.Kind() == feature.KindList:
		was, _ := before.List()
		is, _ := after.List()
		d.lists(path, was, is)
	default:
		d.add('~', path, before.String()+" → "+after.String())
	}
}

func (d *differences) objects(path string, before, after *feature.Value) {
	was, _ := before.Fields()
	is, _ := after.Fields()
	names := make([]string, 0, len(was)+len(is))
	for i := range was {
		names = append(names, was[i].Name)
	}
	for i := range is {
		if before.Field(is[i].Name) == nil {
			names = append(names, is[i].Name)
		}
	}
	for _, name := range names {
		d.compare(below(path, name), before.Field(name), after.Field(name))
	}
}

// below is the path of a field.
func below(path, name string) string {
	if strings.ContainsAny(name, ".[]") {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func (d *differences) lists(path string, before, after []feature.Value) {
	for _, name := range []string{"id", "flag", "variant"} {
		was, ok := namesIn(before, name)
		is, both := namesIn(after, name)
		if ok && both {
			d.named(path, was, is, before, after)
			return
		}
	}
	was, ok := textsIn(before)
	is, both := textsIn(after)
	if ok && both {
		d.elements(path, was, is)
		return
	}
	if old, now := feature.ListValue(before...), feature.ListValue(after...); !old.Equal(&now) {
		d.add('~', path, old.String()+" → "+now.String())
	}
}

// named compares lists of objects by their names.
func (d *differences) named(path string, was, is []string, before, after []feature.Value) {
	for i, name := range was {
		j := slices.Index(is, name)
		if j < 0 {
			d.add('-', path+"["+name+"]", before[i].String())
			continue
		}
		d.compare(path+"["+name+"]", &before[i], &after[j])
	}
	for j, name := range is {
		if !slices.Contains(was, name) {
			d.add('+', path+"["+name+"]", after[j].String())
		}
	}
	d.order(path, was, is)
}

// order tells of what both lists hold when its order differs.
func (d *differences) order(path string, was, is []string) {
	held := func(other []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(other, name) }
	}
	old, now := slices.DeleteFunc(slices.Clone(was), held(is)), slices.DeleteFunc(slices.Clone(is), held(was))
	if !slices.Equal(old, now) {
		d.add('~', path, "in the order "+strings.Join(old, ", ")+" → "+strings.Join(now, ", "))
	}
}

// elements compares lists of plain values.
func (d *differences) elements(path string, was, is []string) {
	removed, added := missing(was, is), missing(is, was)
	if len(removed) > 0 {
		d.add('-', path, someTexts(removed))
	}
	if len(added) > 0 {
		d.add('+', path, someTexts(added))
	}
	if len(removed)+len(added) == 0 && !slices.Equal(was, is) {
		d.add('~', path, "in the order "+someTexts(is))
	}
}

// missing returns what one list has and another has not.
func missing(list, other []string) []string {
	held := make(map[string]int, len(other))
	for _, text := range other {
		held[text]++
	}
	var left []string
	for _, text := range list {
		if held[text]--; held[text] < 0 {
			left = append(left, text)
		}
	}
	return left
}

// someTexts lists texts, of many only the first.
func someTexts(texts []string) string {
	const most = 10
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return strings.Join(texts[:most], ", ") + " and " + strconv.Itoa(len(texts)-most) + " more"
}

// namesIn returns a field of each object of a list, where all have it as a text
// and no two have the same.
func namesIn(list []feature.Value, field string) ([]string, bool) {
	names := make([]string, len(list))
	for i := range list {
		value := list[i].Field(field)
		if value == nil {
			return nil, false
		}
		text, ok := value.Text()
		if !ok || slices.Contains(names[:i], text) {
			return nil, false
		}
		names[i] = text
	}
	return names, true
}

// textsIn returns the elements of a list as JSON, where all are plain.
func textsIn(list []feature.Value) ([]string, bool) {
	texts := make([]string, len(list))
	for i := range list {
		if kind := list[i].Kind(); kind == feature.KindObject || kind == feature.KindList {
			return nil, false
		}
		texts[i] = list[i].String()
	}
	return texts, true
}

// differences prints what became of documents.
func (s *screen) differences(documents []documentChange) {
	for i := range documents {
		c := &documents[i]
		where := c.Kind + " " + c.Key
		if c.Environment != "" {
			where += " in " + c.Environment
		}
		s.line("%s  %s", s.paint(strong, where), s.paint(actionTones[c.Action], actionWords[c.Action]))
		for _, d := range c.lines() {
			text := string(d.sign) + " " + d.text
			if d.path != "" {
				text = string(d.sign) + " " + d.path + ": " + d.text
			}
			s.line("  %s", s.paint(signTones[d.sign], text))
		}
	}
}

var (
	actionWords = map[string]string{"create": "created", "update": "changed", "delete": "deleted"}
	actionTones = map[string]tone{"create": good, "delete": bad}
	signTones   = map[byte]tone{'+': good, '-': bad}
)

// documentChange is what became of one document, as the API tells it.
type documentChange struct {
	Environment string         `json:"environment"`
	Kind        string         `json:"kind"`
	Key         string         `json:"key"`
	Action      string         `json:"action"`
	Before      *feature.Value `json:"before"`
	After       *feature.Value `json:"after"`
	Added       []string       `json:"added"`
	Removed     []string       `json:"removed"`
}

// lines are its fields that differ.
func (c *documentChange) lines() []difference {
	var lines []difference
	if len(c.Removed) > 0 {
		lines = append(lines, difference{'-', "", strconv.Itoa(len(c.Removed)) + " keys: " + someTexts(c.Removed)})
	}
	if len(c.Added) > 0 {
		lines = append(lines, difference{'+', "", strconv.Itoa(len(c.Added)) + " keys: " + someTexts(c.Added)})
	}
	if c.Before == nil && c.After == nil {
		return lines
	}
	none := feature.ObjectValue()
	before, after := c.Before, c.After
	if before == nil {
		before = &none
	}
	if after == nil {
		after = &none
	}
	return append(lines, compareDocuments(before, after)...)
}
