package control

import (
	"encoding/json"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// parsePatch reads a JSON Merge Patch of a document that is an object.
func parsePatch(data []byte) (feature.Value, error) {
	var patch feature.Value
	// Strictly, because merging would hide a name that is given twice.
	if err := fault.OfValidation(feature.DecodeStrict(data, &patch)); err != nil {
		return patch, err
	}
	if patch.Kind() != feature.KindObject {
		return patch, fault.New(fault.Invalid,
			`The patch is a %s; send a JSON object with the fields to change, such as {"state":"ENABLED"}.`, patch.Kind())
	}
	return patch, nil
}

// parseDocument reads a document that is an object.
func parseDocument(data []byte) (feature.Value, error) {
	var document feature.Value
	if err := fault.OfValidation(feature.DecodeStrict(data, &document)); err != nil {
		return document, err
	}
	if document.Kind() != feature.KindObject {
		return document, fault.New(fault.Invalid, "The document is a %s; send a JSON object.", document.Kind())
	}
	return document, nil
}

// mergePatch applies a JSON Merge Patch (RFC 7396) and returns the result; the
// arguments are unchanged. Fields keep their order, new ones follow in that of
// the patch.
func mergePatch(target, patch feature.Value) feature.Value {
	changes, ok := patch.Fields()
	if !ok {
		return patch
	}
	fields, _ := target.Fields() // what is no object is merged with as an empty one
	before, change := byName(fields), byName(changes)

	merged := make([]feature.Attribute, 0, len(fields)+len(changes))
	seen := make(map[string]bool, len(fields)+len(changes))
	add := func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		value, changed := change[name]
		switch {
		case !changed:
			merged = append(merged, feature.Attribute{Name: name, Value: before[name]})
		case !value.IsNull():
			merged = append(merged, feature.Attribute{Name: name, Value: mergePatch(before[name], value)})
		}
	}
	for i := range fields {
		add(fields[i].Name)
	}
	for i := range changes {
		add(changes[i].Name)
	}
	return feature.ObjectValue(merged...)
}

// byName indexes fields; of two of one name the later counts.
func byName(fields []feature.Attribute) map[string]feature.Value {
	values := make(map[string]feature.Value, len(fields))
	for i := range fields {
		values[fields[i].Name] = fields[i].Value
	}
	return values
}

// patchDocument applies a patch to the JSON of document and decodes the result
// strictly into target.
func patchDocument(document any, patch feature.Value, target any) error {
	body, err := feature.Encode(document)
	if err != nil {
		return err
	}
	var value feature.Value
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	for _, u := range unions {
		patch = u.settle(&value, patch)
	}
	merged := mergePatch(value, patch)
	return fault.OfValidation(feature.DecodeStrict(merged.AppendJSON(nil), target))
}

// union is a field whose object takes exactly one of several forms. By RFC 7396 a
// patch that gives one form would keep the other that is there, which nobody can
// mean: here, one form replaces another.
type union struct {
	field string
	forms [][]string
}

var unions = []union{
	{"default", [][]string{{"variant"}, {"split"}}},
	{"when", [][]string{{"all"}, {"any"}, {"not"}, {"segment"}, {"attribute", "op", "values"}}},
}

// settle returns the patch with null for each form that it replaces.
func (u *union) settle(document *feature.Value, patch feature.Value) feature.Value {
	before, change := document.Field(u.field), patch.Field(u.field)
	if before == nil || change == nil || change.Kind() != feature.KindObject {
		return patch
	}
	var nulls []feature.Attribute
	given := false
	for _, form := range u.forms {
		if names(change, form) {
			given = true
			continue
		}
		for _, name := range form {
			if before.Field(name) != nil {
				nulls = append(nulls, feature.Attribute{Name: name})
			}
		}
	}
	if !given || len(nulls) == 0 {
		return patch
	}
	fields, _ := patch.Fields()
	changes, _ := change.Fields()
	settled := append(slices.Clone(fields), feature.Attribute{
		Name: u.field, Value: feature.ObjectValue(append(nulls, changes...)...),
	})
	return feature.ObjectValue(settled...)
}

// names reports whether a patch gives something of a form.
func names(change *feature.Value, form []string) bool {
	return slices.ContainsFunc(form, func(name string) bool {
		v := change.Field(name)
		return v != nil && !v.IsNull()
	})
}
