package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

func value(t testing.TB, text string) feature.Value {
	t.Helper()
	var v feature.Value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func object(t testing.TB, key, schema string, variants ...string) Definition {
	t.Helper()
	d := Definition{Definition: feature.Definition{Key: key, Type: feature.TypeObject}}
	for i, text := range variants {
		d.Variants = append(d.Variants, feature.Variant{Key: fmt.Sprint("v", i+1), Value: value(t, text)})
	}
	s := value(t, schema)
	d.Schema = &s
	return d
}

const ranking = `{
	"$schema":"https://json-schema.org/draft/2020-12/schema",
	"type":"object","required":["model"],"additionalProperties":false,
	"properties":{"model":{"type":"string"},"weights":{"type":"array","items":{"$ref":"#/$defs/weight"}}},
	"$defs":{"weight":{"type":"number","minimum":0,"maximum":1}}}`

func TestSchemas(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.CreateFlag(ctx, ann, "shop", object(t, "ranking", ranking, `{"model":"bm25"}`, `{"model":"dense","weights":[0.5,1]}`)))
	read, err := f.Definition(ctx, "shop", "ranking")
	if err != nil || read.Value.Schema == nil || read.Value.Schema.Field("required") == nil {
		t.Fatalf("%+v, %v", read, err)
	}
	flag, err := f.Flag(ctx, "shop", "production", "ranking")
	if err != nil || strings.Contains(text(flag.Value), "schema") {
		t.Errorf("SDKs receive the schema: %s, %v", text(flag.Value), err)
	}
	// A wider schema and a value for it go together; without a schema all goes.
	must(t)(f.PatchDefinition(ctx, ann, "shop", "ranking", []byte(`{"schema":{"properties":{"limit":{"type":"integer"}}},"variants":{"v3":{"model":"x","limit":3}}}`)))
	must(t)(f.PatchDefinition(ctx, ann, "shop", "ranking", []byte(`{"schema":null,"variants":{"v4":{}}}`)))
	if read, err := f.Definition(ctx, "shop", "ranking"); err != nil || read.Value.Schema != nil {
		t.Errorf("%+v, %v", read, err)
	}
}

func TestRefusedSchemas(t *testing.T) {
	f := newFixture(t)
	must(t)(f.CreateFlag(t.Context(), ann, "shop", object(t, "ranking", ranking, `{"model":"bm25"}`)))
	create := func(d Definition) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error { _, err := f.CreateFlag(ctx, ann, "shop", d); return err }
	}
	with := func(schema string) func(context.Context, *fixture) error { return create(object(t, "a", schema, `{}`)) }
	patch := func(patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchDefinition(ctx, ann, "shop", "ranking", []byte(patch))
			return err
		}
	}
	boolean := boolean("a")
	schema := value(t, `{}`)
	boolean.Schema = &schema
	// Each level holds the next twice: what checking costs doubles with each.
	doubling := `{"$ref":"#/$defs/0","$defs":{"40":true`
	for i := range 40 {
		doubling += fmt.Sprintf(`,"%d":{"allOf":[{"$ref":"#/$defs/%d"},{"$ref":"#/$defs/%d"}]}`, i, i+1, i+1)
	}
	doubling += `}}`
	f.refuses(t, []refusal{
		{"of a boolean flag", create(boolean), fault.Invalid, "only object flags", "schema"},
		{"no object", patch(`{"schema":true}`), fault.Invalid, "a schema is an object", "schema"},
		{"wrong keyword", with(`{"type":"objekt"}`), fault.Invalid, "/type", "schema"},
		{"wrong expression", with(`{"pattern":"("}`), fault.Invalid, "", "schema"},
		{"another version", with(`{"$schema":"http://json-schema.org/draft-07/schema#"}`), fault.Invalid, "2020-12", "schema"},
		{"another version below", with(`{"$defs":{"a":{"$id":"b","$schema":"http://json-schema.org/draft-07/schema#"}},"$ref":"#/$defs/a"}`), fault.Invalid, "2020-12", "schema"},
		{"version of somebody else", with(`{"$schema":"https://example.org/schema"}`), fault.Invalid, "another document", "schema"},
		{"reference to the web", with(`{"$ref":"https://example.org/schema"}`), fault.Invalid, "another document", "schema"},
		{"reference to a file", with(`{"$ref":"file:///etc/passwd"}`), fault.Invalid, "another document", "schema"},
		{"reference to nothing", with(`{"$ref":"#/$defs/a"}`), fault.Invalid, "$defs/a", "schema"},
		{"reference to itself", with(`{"properties":{"a":{"$ref":"#"}}}`), fault.Invalid, "leads back", "schema"},
		{"doubling", with(doubling), fault.Invalid, "more than 10000", "schema"},
		{"large", with(`{"title":"` + strings.Repeat("x", maxSchemaBytes) + `"}`), fault.Invalid, "at most 65536", "schema"},

		{"missing field", patch(`{"variants":{"v2":{}}}`), fault.Invalid, "model", "variants.v2"},
		{"place of a fault", patch(`{"variants":{"v2":{"model":"a","weights":[0,7]}}}`), fault.Invalid, "at /weights/1: ", "variants.v2"},
		{"additional field", patch(`{"variants":{"v2":{"model":"a","wheights":[]}}}`), fault.Invalid, "wheights", "variants.v2"},
		{"schema that a value breaks", patch(`{"schema":{"properties":{"model":{"enum":["dense"]}}}}`), fault.Invalid, "at /model: ", "variants.v1"},
	})
}

// FuzzSchema holds that a schema, whatever it is, is refused or checks a value.
func FuzzSchema(f *testing.F) {
	for _, schema := range []string{ranking, `{}`, `{"$ref":"#"}`, `{"$dynamicRef":"#a","$defs":{"a":{"$dynamicAnchor":"a"}}}`, `{"unevaluatedProperties":false}`} {
		f.Add(schema, `{"model":"a"}`)
	}
	f.Fuzz(func(t *testing.T, schema, instance string) {
		var s, v feature.Value
		if json.Unmarshal([]byte(schema), &s) != nil || json.Unmarshal([]byte(instance), &v) != nil {
			return
		}
		d := Definition{Schema: &s}
		d.Type, d.Variants = feature.TypeObject, feature.Variants{{Key: "v", Value: v}}
		if err := checkSchema(&d); err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s with %s: %v", schema, instance, err)
		}
	})
}
