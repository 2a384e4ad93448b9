package control

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

func parseValue(t testing.TB, text string) feature.Value {
	t.Helper()
	var value feature.Value
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// TestMergePatch has the cases of RFC 7396, appendix A, and of order.
func TestMergePatch(t *testing.T) {
	for _, test := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},

		{`{"c":1,"a":2,"b":3}`, `{"z":4,"b":5,"y":6,"c":null}`, `{"a":2,"b":5,"z":4,"y":6}`},
		{`{"a":{"c":1,"b":2}}`, `{"a":{"d":3,"c":4}}`, `{"a":{"c":4,"b":2,"d":3}}`},
		{`{"a":1}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
	} {
		target := parseValue(t, test.target)
		got := mergePatch(target, parseValue(t, test.patch)).String()
		if got != test.want {
			t.Errorf("%s patched with %s is %s, want %s", test.target, test.patch, got, test.want)
		}
		if target.String() != test.target {
			t.Errorf("patching changed the target %s to %s", test.target, target)
		}
	}
}

// mergeAny is the algorithm of RFC 7396, section 2, as it is written there.
func mergeAny(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = mergeAny(object[name], value)
		}
	}
	return object
}

func FuzzMergePatch(f *testing.F) {
	f.Add(`{"a":{"b":1},"c":[1]}`, `{"a":{"b":null,"d":{}},"c":{"e":null}}`)
	f.Add(`[]`, `{"a":{"b":{"c":null}}}`)
	f.Add(`{"a":1,"a":{"b":2}}`, `{"a":{"c":3},"a":{"d":4}}`)
	f.Fuzz(func(t *testing.T, targetText, patchText string) {
		var target, patch feature.Value
		if json.Unmarshal([]byte(targetText), &target) != nil || json.Unmarshal([]byte(patchText), &patch) != nil {
			t.Skip()
		}
		before, change := target.String(), patch.String()
		got := mergePatch(target, patch)
		if want := mergeAny(target.Any(), patch.Any()); !reflect.DeepEqual(got.Any(), want) {
			t.Fatalf("got %s, want %v", got, want)
		}
		if again := mergePatch(got, patch); !again.Equal(&got) {
			t.Fatalf("a second time gives %s, not %s", again, got)
		}
		if target.String() != before || patch.String() != change {
			t.Fatal("an argument was changed")
		}
		parseValue(t, got.String())
	})
}

func TestRefusedPatches(t *testing.T) {
	for _, text := range []string{``, `{`, `{} {}`, `null`, `[]`, `"x"`, `{"a":1e999}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}"} {
		if _, err := parsePatch([]byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("patch %q gives %v", text, err)
		}
	}
}

// People mean to replace one form by another: what RFC 7396 keeps of the old one
// would make every such patch an error.
func TestOneFormReplacesAnother(t *testing.T) {
	for _, test := range []struct{ document, patch, want string }{
		{`{"default":{"variant":"on"}}`, `{"default":{"split":{"salt":"x"}}}`, `{"default":{"split":{"salt":"x"}}}`},
		{`{"default":{"split":{}}}`, `{"default":{"variant":"on"}}`, `{"default":{"variant":"on"}}`},
		{`{"default":{"split":{}}}`, `{"default":{"variant":"on","split":null}}`, `{"default":{"variant":"on"}}`},
		{`{"default":{"split":{"salt":"x","by":"b"}}}`, `{"default":{"split":{"salt":"y"}}}`, `{"default":{"split":{"salt":"y","by":"b"}}}`},
		{`{"when":{"attribute":"a","op":"in","values":[1]}}`, `{"when":{"all":[]}}`, `{"when":{"all":[]}}`},
		{`{"when":{"attribute":"a","op":"exists"}}`, `{"when":{"op":"in","values":[1]}}`, `{"when":{"attribute":"a","op":"in","values":[1]}}`},
		{`{"when":{"all":[]}}`, `{"when":null}`, `{}`},
		{`{}`, `{"when":{"all":[],"any":[]}}`, `{"when":{"all":[],"any":[]}}`}, // for the validation to refuse
		{`{"default":{"variant":"on"}}`, `{"default":7}`, `{"default":7}`},
	} {
		document, patch := parseValue(t, test.document), parseValue(t, test.patch)
		for _, u := range unions {
			patch = u.settle(&document, patch)
		}
		if got := mergePatch(document, patch); got.String() != test.want {
			t.Errorf("%s patched with %s gives %s, want %s", test.document, test.patch, got, test.want)
		}
	}
}
