package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
)

func TestCompareDocuments(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"equal", `{"a":1,"b":[1,{"c":2}],"d":{"e":null}}`, `{"b":[1,{"c":2}],"a":1,"d":{"e":null}}`, nil},
		{"changed", `{"state":"DISABLED"}`, `{"state":"ENABLED"}`, []string{`~ state: "DISABLED" → "ENABLED"`}},
		{"nested", `{"default":{"variant":"on"}}`, `{"default":{"split":{"salt":"s"}}}`, []string{
			`- default.variant: "on"`, `+ default.split: {"salt":"s"}`,
		}},
		{"another kind", `{"a":[1]}`, `{"a":{"b":1}}`, []string{`~ a: [1] → {"b":1}`}},
		{"null is something", `{"a":null}`, `{}`, []string{`- a: null`}},
		{"null is not zero", `{"a":null}`, `{"a":0}`, []string{`~ a: null → 0`}},
		{"rules by id", `{"rules":[{"id":"r1","serve":1},{"id":"r2","serve":1}]}`, `{"rules":[{"id":"r2","serve":2},{"id":"r3","serve":3}]}`, []string{
			`- rules[r1]: {"id":"r1","serve":1}`, `~ rules[r2].serve: 1 → 2`, `+ rules[r3]: {"id":"r3","serve":3}`,
		}},
		{"rules moved", `{"rules":[{"id":"r1"},{"id":"r2"},{"id":"r3"}]}`, `{"rules":[{"id":"r3"},{"id":"r1"}]}`, []string{
			`- rules[r2]: {"id":"r2"}`, `~ rules: in the order r1, r3 → r3, r1`,
		}},
		{"ids that are not unique", `{"rules":[{"id":"r1"},{"id":"r1","a":1}]}`, `{"rules":[{"id":"r1"}]}`, []string{
			`~ rules: [{"id":"r1"},{"id":"r1","a":1}] → [{"id":"r1"}]`,
		}},
		{"keys", `{"included":["b","c","c"]}`, `{"included":["a","b","c"]}`, []string{`- included: "c"`, `+ included: "a"`}},
		{"order of values", `{"tags":["a","b"]}`, `{"tags":["b","a"]}`, []string{`~ tags: in the order "b", "a"`}},
		{"types of values", `{"values":[1,"2"]}`, `{"values":["1","2"]}`, []string{`- values: 1`, `+ values: "1"`}},
		{"weights", `{"w":[["on",25000],["off",75000]]}`, `{"w":[["on",50000],["off",50000]]}`, []string{
			`~ w: [["on",25000],["off",75000]] → [["on",50000],["off",50000]]`,
		}},
		{"first list", `{}`, `{"tags":["a"]}`, []string{`+ tags: ["a"]`}},
		{"names with dots", `{"variants":{"a.b":1}}`, `{"variants":{"a.b":2}}`, []string{`~ variants["a.b"]: 1 → 2`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after feature.Value
			for text, into := range map[string]*feature.Value{c.before: &before, c.after: &after} {
				if err := json.Unmarshal([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, d := range compareDocuments(&before, &after) {
				got = append(got, fmt.Sprintf("%c %s: %s", d.sign, d.path, d.text))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAListIsNamedOnceForAllItsParts(t *testing.T) {
	got := wholeLists([]documentChange{
		{Kind: "keys", Key: "beta/excluded/0", Action: "delete"},
		{Kind: "keys", Key: "beta/included/0", Action: "update"},
		{Kind: "keys", Key: "beta/included/1", Action: "create"},
		{Kind: "segment", Key: "beta", Action: "update"},
	})
	var names []string
	for _, c := range got {
		names = append(names, c.Kind+" "+c.Key+" "+c.Action)
	}
	if want := []string{"keys beta/excluded update", "keys beta/included update", "segment beta update"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}
