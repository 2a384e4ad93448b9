package gen_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/wigwag/wigwag/internal/gen"
)

// TestContractIsTheContract wants that what is handed out says what
// api/openapi.yaml says, but for what is meant for our own generator.
func TestContractIsTheContract(t *testing.T) {
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var written, handedOut any
	if err := yaml.Load(text, &written); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Load([]byte(gen.Contract), &handedOut); err != nil {
		t.Fatal(err)
	}
	for _, place := range extensions("", handedOut) {
		t.Errorf("%s is handed out; write it so that the line in doc.go takes it out", place)
	}
	if !cmp.Equal(withoutExtensions(written), withoutExtensions(handedOut)) {
		t.Error("it says something else than api/openapi.yaml; run go generate ./internal/gen")
	}
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData([]byte(gen.Contract))
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(loader.Context); err != nil {
		t.Error(err)
	}
}

func ours(name string) bool { return strings.HasPrefix(name, "x-go-") || name == "x-omitzero" }

// extensions are the places in a document that are for our own generator.
func extensions(place string, value any) []string {
	var found []string
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if ours(name) {
				found = append(found, place+"/"+name)
			}
			found = append(found, extensions(place+"/"+name, inner)...)
		}
	case []any:
		for i, inner := range value {
			found = append(found, extensions(place+"/"+strconv.Itoa(i), inner)...)
		}
	}
	return found
}

func withoutExtensions(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if ours(name) {
				delete(value, name)
			} else {
				value[name] = withoutExtensions(inner)
			}
		}
	case []any:
		for i := range value {
			value[i] = withoutExtensions(value[i])
		}
	}
	return value
}
