package control

import (
	"iter"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// parts are the schemas by which a schema checks values.
func parts(s *jsonschema.Schema) iter.Seq[*jsonschema.Schema] {
	return func(yield func(*jsonschema.Schema) bool) {
		single := []*jsonschema.Schema{
			s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties,
			s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema,
		}
		if s.DynamicRef != nil {
			single = append(single, s.DynamicRef.Ref)
		}
		for _, field := range []any{s.AdditionalProperties, s.AdditionalItems, s.Items} { // whether it is a schema or not
			if part, ok := field.(*jsonschema.Schema); ok {
				single = append(single, part)
			}
		}
		for _, list := range [][]*jsonschema.Schema{single, s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
			for _, part := range list {
				if part != nil && !yield(part) {
					return
				}
			}
		}
		for _, part := range s.Properties {
			if !yield(part) {
				return
			}
		}
		for _, part := range s.PatternProperties {
			if !yield(part) {
				return
			}
		}
		for _, part := range s.DependentSchemas {
			if !yield(part) {
				return
			}
		}
	}
}
