package flagfile

import (
	"maps"
	"slices"
)

// sources is what the files say of each flag and segment, by key.
type sources struct{ flags, segments map[string]*entry }

// entry is what the files say of one flag or segment. The fields may be spread
// over files; each is given once.
type entry struct {
	key          string
	at           Place
	fields       []field
	environments []field
}

// place returns the place of something of the entry.
func (e *entry) place(environment, path string) Place {
	if e == nil {
		return Place{}
	}
	fields, around := e.fields, e.at
	if environment != "" {
		for i := range e.environments {
			if e.environments[i].name == environment {
				fields, around = e.environments[i].value.fields, e.environments[i].at
				break
			}
		}
	}
	if at, ok := find(fields, path); ok {
		return at
	}
	return around
}

// sorted returns entries by key.
func sorted(entries map[string]*entry) []*entry {
	list := make([]*entry, 0, len(entries))
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		list = append(list, entries[key])
	}
	return list
}

// join collects what a file says into sources.
func (f *faults) join(into *sources, root *node) {
	if root == nil || root.kind == 0 {
		return
	}
	fields, ok := f.object(root, "a file")
	if !ok {
		return
	}
	for i := range fields {
		switch top := &fields[i]; top.name {
		case "$schema": // for editors
		case "flags":
			f.entries(into.flags, top.value, "flag")
		case "segments":
			f.entries(into.segments, top.value, "segment")
		default:
			f.add(top.at, "unknown field %.80q; a file has flags and segments", top.name)
		}
	}
}

// object returns the fields of an object; null is one without fields.
func (f *faults) object(n *node, what string) ([]field, bool) {
	switch n.kind.String() {
	case "object":
		return n.fields, true
	case "null":
		return nil, true
	default:
		f.add(n.at, "%s must be an object of names and values, not a %s", what, n.kind)
		return nil, false
	}
}

func (f *faults) entries(into map[string]*entry, n *node, what string) {
	listed, _ := f.object(n, "the "+what+"s")
	for i := range listed {
		one := &listed[i]
		known := into[one.name]
		if known == nil {
			known = &entry{key: one.name, at: one.at}
			into[one.name] = known
		}
		fields, _ := f.object(one.value, "a "+what)
		for _, below := range fields {
			if below.name != environmentsField {
				f.take(&known.fields, below, what+" "+one.name)
				continue
			}
			environments, _ := f.object(below.value, "environments")
			for _, environment := range environments {
				f.take(&known.environments, environment, what+" "+one.name+" in "+environmentsField)
			}
		}
	}
}

// take adds a field that no other file may give.
func (f *faults) take(to *[]field, one field, of string) {
	for i := range *to {
		if (*to)[i].name == one.name {
			f.add(one.at, "%s: %.80q is given in %s already; keep one of them", of, one.name, (*to)[i].at)
			return
		}
	}
	*to = append(*to, one)
}
