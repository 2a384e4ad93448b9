package flagfile

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/wigwag/wigwag/feature"
)

// Format is how a file is written.
type Format string

// The formats of files.
const (
	YAML Format = "yaml"
	JSON Format = "json"
)

// Encode writes a document as one file. The same document gives the same bytes:
// flags, segments and environments are sorted by key, the fields of each have one
// order, and what has an order of its own keeps it. Parsing the bytes gives the
// document again.
func Encode(d *Document, format Format) []byte {
	root := []feature.Attribute{}
	if len(d.Flags) > 0 {
		flags := make([]feature.Attribute, len(d.Flags))
		for i := range d.Flags {
			flags[i] = feature.Attribute{Name: d.Flags[i].Key, Value: flagValue(&d.Flags[i])}
		}
		root = append(root, feature.Attribute{Name: "flags", Value: feature.ObjectValue(flags...)})
	}
	if len(d.Segments) > 0 {
		segments := make([]feature.Attribute, len(d.Segments))
		for i := range d.Segments {
			segments[i] = feature.Attribute{Name: d.Segments[i].Key, Value: segmentValue(&d.Segments[i])}
		}
		root = append(root, feature.Attribute{Name: "segments", Value: feature.ObjectValue(segments...)})
	}
	if format == JSON {
		root = slices.Insert(root, 0, feature.Attribute{Name: "$schema", Value: feature.StringValue(SchemaURL)})
		w := writer{json: true}
		w.value(feature.ObjectValue(root...), 0)
		return append(w.text, '\n')
	}
	w := writer{}
	w.text = append(w.text, "# yaml-language-server: $schema="+SchemaURL+"\n"...)
	if len(root) == 0 {
		return append(w.text, "flags: {}\n"...)
	}
	w.value(feature.ObjectValue(root...), 0)
	return append(w.text, '\n')
}

// flagValue is what a file says of a flag.
func flagValue(f *Flag) feature.Value {
	definition := valueOf(f.Definition)
	var fields []feature.Attribute
	for _, name := range definitionFields {
		if value := definition.Field(name); value != nil {
			fields = append(fields, feature.Attribute{Name: name, Value: *value})
		}
	}
	return withEnvironments(fields, f.Environments, configurationValue)
}

func segmentValue(s *Segment) feature.Value {
	return withEnvironments(nil, s.Environments, func(segment feature.Segment) feature.Value {
		segment.Shards = feature.Shards{}
		return without(valueOf(segment), "key")
	})
}

func withEnvironments[T any](fields []feature.Attribute, environments map[string]T, value func(T) feature.Value) feature.Value {
	if len(environments) > 0 {
		var in []feature.Attribute
		for _, name := range slices.Sorted(maps.Keys(environments)) {
			in = append(in, feature.Attribute{Name: name, Value: value(environments[name])})
		}
		fields = append(fields, feature.Attribute{Name: environmentsField, Value: feature.ObjectValue(in...)})
	}
	return feature.ObjectValue(fields...)
}

// configurationValue leaves out what a file left out: ids and salts.
func configurationValue(c feature.Configuration) feature.Value {
	return withoutEmpty(valueOf(c))
}

// withoutEmpty returns a configuration without ids and salts that are empty.
func withoutEmpty(v feature.Value) feature.Value {
	clean := func(serve feature.Value) feature.Value {
		if split := serve.Field("split"); split != nil && isEmpty(split.Field("salt")) {
			return replace(serve, "split", without(*split, "salt"))
		}
		return serve
	}
	if serve := v.Field("default"); serve != nil {
		v = replace(v, "default", clean(*serve))
	}
	rules := v.Field("rules")
	if rules == nil {
		return v
	}
	list, _ := rules.List()
	cleaned := slices.Clone(list)
	for i := range cleaned {
		if isEmpty(cleaned[i].Field("id")) {
			cleaned[i] = without(cleaned[i], "id")
		}
		if serve := cleaned[i].Field("serve"); serve != nil {
			cleaned[i] = replace(cleaned[i], "serve", clean(*serve))
		}
	}
	return replace(v, "rules", feature.ListValue(cleaned...))
}

func isEmpty(v *feature.Value) bool {
	if v == nil {
		return false
	}
	text, ok := v.Text()
	return ok && text == ""
}

func without(v feature.Value, name string) feature.Value {
	fields, _ := v.Fields()
	return feature.ObjectValue(slices.DeleteFunc(slices.Clone(fields), func(a feature.Attribute) bool { return a.Name == name })...)
}

func replace(v feature.Value, name string, by feature.Value) feature.Value {
	fields, _ := v.Fields()
	fields = slices.Clone(fields)
	for i := range fields {
		if fields[i].Name == name {
			fields[i].Value = by
		}
	}
	return feature.ObjectValue(fields...)
}

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
