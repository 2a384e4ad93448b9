package flagplan

import (
	"encoding/json"
	"slices"

	"github.com/wigwag/wigwag/feature"
)

// valueOf returns a document as the value that its JSON is.
func valueOf(document any) feature.Value {
	var value feature.Value
	body, err := feature.Encode(document)
	if err == nil {
		err = json.Unmarshal(body, &value)
	}
	if err != nil {
		return feature.Value{} // not reached: our documents have a JSON form
	}
	return value
}

// aligned returns a value as it becomes when it is patched into another: the fields
// of objects that are there already come first, in their order. What is equal but
// for that order becomes what it was, so that order alone is no change.
func aligned(after, before feature.Value) feature.Value {
	if after.Equal(&before) {
		return before
	}
	fields, ok := after.Fields()
	known, _ := before.Fields()
	if !ok {
		return after
	}
	ordered := make([]feature.Attribute, 0, len(fields))
	for i := range known {
		if kept := after.Field(known[i].Name); kept != nil {
			ordered = append(ordered, feature.Attribute{Name: known[i].Name, Value: aligned(*kept, known[i].Value)})
		}
	}
	for i := range fields {
		if before.Field(fields[i].Name) == nil {
			ordered = append(ordered, feature.Attribute{Name: fields[i].Name, Value: aligned(fields[i].Value, feature.Value{})})
		}
	}
	return feature.ObjectValue(ordered...)
}

// mergePatch returns the JSON Merge Patch (RFC 7396) that makes one object of
// another, and whether there is one: a patch cannot set a field of an object to
// null.
func mergePatch(before, after feature.Value) (feature.Value, bool) {
	was, _ := before.Fields()
	is, ok := after.Fields()
	if !ok || before.Kind() != feature.KindObject {
		return after, !setsNull(after)
	}
	var changes []feature.Attribute
	possible := true
	for i := range was {
		if after.Field(was[i].Name) == nil {
			changes = append(changes, feature.Attribute{Name: was[i].Name})
		}
	}
	for i := range is {
		known := before.Field(is[i].Name)
		if known != nil && known.Equal(&is[i].Value) {
			continue
		}
		var old feature.Value
		if known != nil {
			old = *known
		}
		patch, ok := mergePatch(old, is[i].Value)
		possible = possible && ok && !is[i].Value.IsNull()
		changes = append(changes, feature.Attribute{Name: is[i].Name, Value: patch})
	}
	return feature.ObjectValue(changes...), possible
}

// setsNull reports whether an object that is patched in has a field that is null.
func setsNull(v feature.Value) bool {
	fields, _ := v.Fields()
	return slices.ContainsFunc(fields, func(f feature.Attribute) bool { return f.Value.IsNull() || setsNull(f.Value) })
}
