package feature

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// schemaNode is as much of a JSON Schema as the tests compare.
type schemaNode struct {
	Pattern       string                `json:"pattern"`
	Enum          []string              `json:"enum"`
	MaxItems      int                   `json:"maxItems"`
	MaxLength     int                   `json:"maxLength"`
	MaxProperties int                   `json:"maxProperties"`
	PropertyNames *schemaNode           `json:"propertyNames"`
	Properties    map[string]schemaNode `json:"properties"`
	Items         json.RawMessage       `json:"items"`
	PrefixItems   []json.RawMessage     `json:"prefixItems"`
	Definitions   map[string]schemaNode `json:"$defs"`
	Description   string                `json:"description"`
}

func readSchema(t *testing.T) map[string]schemaNode {
	t.Helper()
	data, err := os.ReadFile("../api/flag-set.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema schemaNode
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Definitions
}

func TestSchemaHasTheConstants(t *testing.T) {
	defs := readSchema(t)
	for name, want := range map[string][]string{
		"type": texts(Types), "state": texts(States), "operator": texts(Operators),
	} {
		if got := defs[name].Enum; !slices.Equal(got, want) {
			t.Errorf("$defs/%s has %v, the constants are %v", name, got, want)
		}
	}
	if got, want := defs["keys"].Properties["list"].Enum, texts([]ListName{ListIncluded, ListExcluded}); !slices.Equal(got, want) {
		t.Errorf("the lists are %v, the constants are %v", got, want)
	}
	for name, want := range map[string]string{
		"key": KeyPattern, "variantKey": VariantKeyPattern, "ruleId": RuleIDPattern, "salt": SaltPattern,
	} {
		if got := defs[name].Pattern; got != want {
			t.Errorf("$defs/%s has the pattern %s, the constant is %s", name, got, want)
		}
	}
}

func TestSchemaHasTheLimits(t *testing.T) {
	defs := readSchema(t)
	flag, segment, condition := defs["flag"].Properties, defs["segment"].Properties, defs["condition"].Properties
	var value schemaNode
	if err := json.Unmarshal(condition["values"].Items, &value); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []struct {
		name      string
		got, want int
	}{
		{"variants", flag["variants"].MaxProperties, MaxVariants},
		{"metadata", flag["metadata"].MaxProperties, MaxMetadata},
		{"metadata names", flag["metadata"].PropertyNames.MaxLength, MaxNameBytes},
		{"prerequisites", flag["prerequisites"].MaxItems, MaxPrerequisites},
		{"prerequisite variants", defs["prerequisite"].Properties["variants"].MaxItems, MaxVariants},
		{"overrides", flag["overrides"].MaxItems, MaxOverrideKeys},
		{"override keys", defs["override"].Properties["targetingKeys"].MaxItems, MaxOverrideKeys},
		{"rules", flag["rules"].MaxItems, MaxRules},
		{"weights", defs["split"].Properties["weights"].MaxItems, MaxVariants},
		{"all", condition["all"].MaxItems, MaxConditions - 1},
		{"any", condition["any"].MaxItems, MaxConditions - 1},
		{"values", condition["values"].MaxItems, MaxConditionValues},
		{"value", value.MaxLength, MaxValueBytes},
		{"name", defs["name"].MaxLength, MaxNameBytes},
		{"attribute", defs["attribute"].MaxLength, MaxAttributeBytes},
		{"targeting key", defs["targetingKey"].MaxLength, MaxTargetingKeyBytes},
		{"included", segment["included"].MaxItems, MaxSegmentKeys},
		{"excluded", segment["excluded"].MaxItems, MaxSegmentKeys},
	} {
		if limit.got != limit.want {
			t.Errorf("the schema limits %s to %d, the constant is %d", limit.name, limit.got, limit.want)
		}
	}
	if want := "nest at most 10 levels deep; a flag or a segment has at most 500"; MaxConditionDepth != 10 || MaxConditions != 500 ||
		!strings.Contains(defs["condition"].Description, want) {
		t.Error("the description of conditions has other limits than the constants")
	}
}

func TestSchemaHasTheFields(t *testing.T) {
	defs := readSchema(t)
	for name, document := range map[string]any{
		"flag": Flag{}, "segment": Segment{}, "keys": SegmentKeys{}, "prerequisite": Prerequisite{}, "override": Override{},
		"rule": Rule{}, "serve": Serve{}, "split": Split{}, "condition": Condition{}, "shards": Shards{},
	} {
		fields := structFields{types: map[string]reflect.Type{}}
		fields.collect(reflect.TypeOf(document))
		for _, field := range fields.names {
			if _, ok := defs[name].Properties[field]; !ok {
				t.Errorf("$defs/%s lacks %s", name, field)
			}
		}
		if got, want := len(defs[name].Properties), len(fields.names); got != want {
			t.Errorf("$defs/%s has %d properties, the Go type %d", name, got, want)
		}
	}
}

func texts[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = string(list[i])
	}
	return out
}
