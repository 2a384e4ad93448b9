package flagfile_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/wigwag/wigwag/internal/flagfile"
)

const schemaFile = "../../api/flags-file.schema.json"

func readSchema(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema := readSchema(t, schemaFile)
	if schema["$id"] != flagfile.SchemaURL {
		t.Errorf("the schema is %v, files refer to %s", schema["$id"], flagfile.SchemaURL)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("file:schema", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("file:schema")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// asEditorsDo reads a file into what a schema is held against.
func asEditorsDo(t *testing.T, file flagfile.Source) any {
	t.Helper()
	text := file.Text
	if filepath.Ext(file.Name) != ".json" {
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatalf("%s: %v", file.Name, err)
		}
		var err error
		if text, err = json.Marshal(value); err != nil {
			t.Fatal(err)
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSchemaTakesGoodFiles(t *testing.T) {
	schema := compile(t)
	for _, name := range examples(t, "testdata/good") {
		files, err := flagfile.Read(nil, name)
		if err != nil {
			t.Fatal(err)
		}
		document, err := flagfile.Parse(files...)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []flagfile.Format{flagfile.YAML, flagfile.JSON} {
			files = append(files, flagfile.Source{Name: name + " as written." + string(format), Text: flagfile.Encode(document, format)})
		}
		for _, file := range files {
			if len(bytes.TrimSpace(file.Text)) > 0 && filepath.Base(name) != "empty.yaml" {
				if err := schema.Validate(asEditorsDo(t, file)); err != nil {
					t.Errorf("%s: %v", file.Name, err)
				}
			}
		}
	}
}

func TestSchemaRefusesBadFiles(t *testing.T) {
	schema := compile(t)
	for name, where := range map[string][]string{
		"list.yaml":  {"''"},
		"shape.yaml": {"''", "/flags", "/segments/a", "/segments/b", "/segments/c"},
		"types.yaml": {"/flags/a/type", "/flags/a/description", "/flags/a/tags", "/flags/a/clientVisible", "/flags/b/type", "/flags/c/variants/on"},
		"configuration.yaml": {
			"/flags/a'", "/flags/a/environments/one", "/flags/a/environments/two", "/flags/a/environments/three/state",
			"/flags/a/environments/four/overrides/0/targetingKeys/1", "/flags/a/environments/five/overrides/0/targetingKeys",
			"/flags/a/environments/five/rules/0/when/op", "/flags/a/environments/five/rules/1/when/any",
			"/flags/a/environments/five/rules/2/when", "/flags/a/environments/five/rules/2/serve", "/flags/a/environments/six",
			"/flags/a/environments/seven/rules/0/serve", "/flags/a/environments/eight/default/split/weights/0/1",
			"/flags/a/environments/eight/default/split/weights/1",
		},
		"segments.yaml": {
			"/segments/a/environments/production", "/segments/a/environments/staging/included", "/segments/a/environments/test/when",
			"/segments/b.c-/environments/production/name", "/segments/e'",
		},
		"notes.yaml": {"/flags/a/owner", "/flags/a/tags/1", "/flags/a/tags'"},
	} {
		files, err := flagfile.Read(nil, filepath.Join("testdata/bad", name))
		if err != nil {
			t.Fatal(err)
		}
		err = schema.Validate(asEditorsDo(t, files[0]))
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		for _, path := range where {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%s: nothing is said of %s\n%v", name, path, err)
			}
		}
	}
}

// TestSchemaIsThatOfItems holds what the two schemas have in common together:
// feature's tests hold that of items to the constants.
func TestSchemaIsThatOfItems(t *testing.T) {
	items := readSchema(t, "../../api/flag-set.schema.json")["$defs"].(map[string]any)
	files := readSchema(t, schemaFile)["$defs"].(map[string]any)
	for _, name := range []string{
		"key", "variantKey", "ruleId", "salt", "name", "attribute", "targetingKey", "type", "state", "operator",
		"prerequisite", "override", "serve", "condition",
	} {
		if diff := cmp.Diff(items[name], files[name]); diff != "" {
			t.Errorf("$defs/%s (-items +files)\n%s", name, diff)
		}
	}
	properties := func(of map[string]any, name string) map[string]any {
		return of[name].(map[string]any)["properties"].(map[string]any)
	}
	for _, same := range []struct {
		items, files string
		fields       []string
	}{
		{"flag", "flag", []string{"type", "metadata"}},
		{"flag", "configuration", []string{"state", "prerequisites", "overrides"}},
		{"segment", "group", []string{"name", "included", "excluded", "when"}},
		{"rule", "rule", []string{"name", "when", "serve"}},
		{"split", "split", []string{"by", "weights"}},
	} {
		for _, field := range same.fields {
			item, file := properties(items, same.items)[field].(map[string]any), properties(files, same.files)[field].(map[string]any)
			delete(item, "description")
			delete(file, "description")
			if diff := cmp.Diff(item, file); diff != "" {
				t.Errorf("%s of $defs/%s (-items +files)\n%s", field, same.files, diff)
			}
		}
	}
	want := []string{"clientVisible", "description", "environments", "metadata", "owner", "permanent", "schema", "tags", "type", "variants"}
	var fields []string
	for field := range properties(files, "flag") {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("the fields of a flag (-want +got)\n%s", diff)
	}
}
