package control

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// operated is a flag with something of everything.
const operated = `{"key":"f","type":"string","variants":{"a":"A","b":"B","c":"C"},
	"state":"DISABLED","offVariant":"c",
	"prerequisites":[{"flag":"p","variants":["on"]}],
	"overrides":[{"variant":"a","targetingKeys":["u1","u2"]},{"variant":"b","targetingKeys":["u3"]}],
	"rules":[
		{"id":"r1","when":{"attribute":"x","op":"exists"},"serve":{"variant":"a"}},
		{"id":"r2","when":{"attribute":"x","op":"exists"},"serve":{"split":{"by":"org","salt":"own.","weights":[["a",50000],["b",50000]]}}},
		{"id":"r3","when":{"attribute":"y","op":"exists"},"serve":{"variant":"b"}}],
	"default":{"variant":"a"}}`

func operatedFlag(t testing.TB) *feature.Flag {
	t.Helper()
	flag := new(feature.Flag)
	if err := json.Unmarshal([]byte(operated), flag); err != nil {
		t.Fatal(err)
	}
	return flag
}

// operate applies operations and completes the flag.
func operate(t testing.TB, list string) (*feature.Flag, error) {
	t.Helper()
	parsed, err := parseOperations([]byte(`{"operations":` + list + `}`))
	if err != nil {
		return nil, err
	}
	before := operatedFlag(t)
	after, locate, err := parsed.apply(before)
	if err != nil {
		return nil, err
	}
	if diff := cmp.Diff(text(operatedFlag(t)), text(before)); diff != "" {
		t.Errorf("the operations changed what they were given:\n%s", diff)
	}
	complete(after, before)
	return after, locate.fields(fault.OfValidation(after.Validate()))
}

func TestOperations(t *testing.T) {
	rule := `"when":{"attribute":"z","op":"exists"}`
	ids := func(f *feature.Flag) string {
		var all []string
		for i := range f.Rules {
			all = append(all, f.Rules[i].ID)
		}
		return strings.Join(all, " ")
	}
	part := func(of func(f *feature.Flag) any) func(*feature.Flag) string {
		return func(f *feature.Flag) string { return text(of(f)) }
	}
	defaults := part(func(f *feature.Flag) any { return f.Default })
	overrides := part(func(f *feature.Flag) any { return f.Overrides })
	prerequisites := part(func(f *feature.Flag) any { return f.Prerequisites })
	serves := func(i int) func(*feature.Flag) string {
		return part(func(f *feature.Flag) any { return f.Rules[i].Serve })
	}
	for _, test := range []struct {
		name, operations string
		see              func(*feature.Flag) string
		want             string
	}{
		{"enable", `[{"op":"enable"}]`, part(func(f *feature.Flag) any { return f.State }), `"ENABLED"`},
		{"in order", `[{"op":"enable"},{"op":"disable"}]`, part(func(f *feature.Flag) any { return f.State }), `"DISABLED"`},
		{"default variant", `[{"op":"setDefault","variant":"b"}]`, defaults, `{"variant":"b"}`},
		{"default split", `[{"op":"setDefault","split":{"weights":[["a",1],["b",99999]]}}]`, defaults, `{"split":{"salt":"f.","weights":[["a",1],["b",99999]]}}`},
		{"off variant", `[{"op":"setOffVariant","variant":"b"}]`, part(func(f *feature.Flag) any { return f.OffVariant }), `"b"`},
		{
			"override of a new key", `[{"op":"addOverride","variant":"a","targetingKeys":["u9","u1"]}]`, overrides,
			`[{"variant":"a","targetingKeys":["u1","u2","u9"]},{"variant":"b","targetingKeys":["u3"]}]`,
		},
		{
			"override moves a key", `[{"op":"addOverride","variant":"b","targetingKeys":["u1"]}]`, overrides,
			`[{"variant":"a","targetingKeys":["u2"]},{"variant":"b","targetingKeys":["u3","u1"]}]`,
		},
		{
			"override empties another", `[{"op":"addOverride","variant":"c","targetingKeys":["u3"]}]`, overrides,
			`[{"variant":"a","targetingKeys":["u1","u2"]},{"variant":"c","targetingKeys":["u3"]}]`,
		},
		{"remove keys", `[{"op":"removeOverride","targetingKeys":["u1","u3","u9"]}]`, overrides, `[{"variant":"a","targetingKeys":["u2"]}]`},
		{
			"remove keys of one variant", `[{"op":"removeOverride","variant":"b","targetingKeys":["u1"]}]`, overrides,
			`[{"variant":"a","targetingKeys":["u1","u2"]},{"variant":"b","targetingKeys":["u3"]}]`,
		},
		{"remove an override", `[{"op":"removeOverride","variant":"a"}]`, overrides, `[{"variant":"b","targetingKeys":["u3"]}]`},
		{"rule at the end", `[{"op":"insertRule","rule":{"id":"n",` + rule + `,"serve":{"variant":"a"}}}]`, ids, "r1 r2 r3 n"},
		{"rule before", `[{"op":"insertRule","rule":{"id":"n",` + rule + `,"serve":{"variant":"a"}},"before":"r1"}]`, ids, "n r1 r2 r3"},
		{"rule after", `[{"op":"insertRule","rule":{"id":"n",` + rule + `,"serve":{"variant":"a"}},"after":"r1"}]`, ids, "r1 n r2 r3"},
		{"rule at", `[{"op":"insertRule","rule":{"id":"n",` + rule + `,"serve":{"variant":"a"}},"at":2}]`, ids, "r1 r2 n r3"},
		{
			"update keeps the salt", `[{"op":"updateRule","id":"r2","rule":{` + rule + `,"serve":{"split":{"weights":[["c",100000]]}}}}]`, serves(1),
			`{"split":{"salt":"own.","weights":[["c",100000]]}}`,
		},
		{"update keeps the place", `[{"op":"updateRule","id":"r2","rule":{"id":"r2",` + rule + `,"serve":{"variant":"a"}}}]`, ids, "r1 r2 r3"},
		{"remove and insert again", `[{"op":"removeRule","id":"r1"},{"op":"insertRule","rule":{"id":"r1",` + rule + `,"serve":{"variant":"a"}}}]`, ids, "r2 r3 r1"},
		{"move down", `[{"op":"moveRule","id":"r1","after":"r2"}]`, ids, "r2 r1 r3"},
		{"move up", `[{"op":"moveRule","id":"r3","before":"r1"}]`, ids, "r3 r1 r2"},
		{"move to the end", `[{"op":"moveRule","id":"r1","at":2}]`, ids, "r2 r3 r1"},
		{"move nowhere", `[{"op":"moveRule","id":"r2","at":1}]`, ids, "r1 r2 r3"},
		{
			"weights keep salt and attribute", `[{"op":"setSplit","rule":"r2","weights":[["a",100000]]}]`, serves(1),
			`{"split":{"by":"org","salt":"own.","weights":[["a",100000]]}}`,
		},
		{
			"a variant becomes a split", `[{"op":"setSplit","default":true,"by":"org","weights":[["a",100000]]}]`, defaults,
			`{"split":{"by":"org","salt":"f.","weights":[["a",100000]]}}`,
		},
		{
			"prerequisite", `[{"op":"addPrerequisite","flag":"q","variants":["x"]}]`, prerequisites,
			`[{"flag":"p","variants":["on"]},{"flag":"q","variants":["x"]}]`,
		},
		{"more of a prerequisite", `[{"op":"addPrerequisite","flag":"p","variants":["on","half"]}]`, prerequisites, `[{"flag":"p","variants":["on","half"]}]`},
		{"no prerequisite", `[{"op":"removePrerequisite","flag":"p"},{"op":"removePrerequisite","flag":"q"}]`, prerequisites, `[]`},
		{"only the end must be valid", `[{"op":"setDefault","variant":"nope"},{"op":"setDefault","variant":"c"}]`, defaults, `{"variant":"c"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			flag, err := operate(t, test.operations)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.see(flag); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestInsertedRuleGetsAnID(t *testing.T) {
	rule := `{"op":"insertRule","rule":{"when":{"attribute":"z","op":"exists"},"serve":{"variant":"a"}}}`
	flag, err := operate(t, `[`+rule+`,`+rule+`]`)
	if err != nil || len(flag.Rules) != 5 || flag.Rules[3].ID == "" || flag.Rules[3].ID == flag.Rules[4].ID {
		t.Errorf("got %+v, %v", flag.Rules, err)
	}
}

// A repetition of what is so already writes nothing.
func TestOperationsThatChangeNothing(t *testing.T) {
	for _, operations := range []string{
		`{"op":"disable"}`,
		`{"op":"setDefault","variant":"a"}`,
		`{"op":"addOverride","variant":"a","targetingKeys":["u1"]}`,
		`{"op":"removeOverride","targetingKeys":["u9"]}`,
		`{"op":"removeOverride","variant":"c"}`,
		`{"op":"moveRule","id":"r1","before":"r2"}`,
		`{"op":"setSplit","rule":"r2","weights":[["a",50000],["b",50000]]}`,
		`{"op":"addPrerequisite","flag":"p","variants":["on"]}`,
		`{"op":"removePrerequisite","flag":"q"}`,
	} {
		flag, err := operate(t, `[`+operations+`]`)
		if diff := cmp.Diff(text(operatedFlag(t)), text(flag)); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", operations, err, diff)
		}
	}
}

func TestRefusedOperations(t *testing.T) {
	rule := `{"when":{"attribute":"z","op":"exists"},"serve":{"variant":"a"}}`
	for _, test := range []struct{ name, operations, field, says string }{
		{"none", `[]`, "operations", "there are none"},
		{"no list", `{}`, "operations", "must be a list"},
		{"no object", `[7]`, "operations[0]", "must be an object"},
		{"no name", `[{}]`, "operations[0].op", "is no operation"},
		{"unknown", `[{"op":"enable"},{"op":"explode"}]`, "operations[1].op", `"explode" is no operation; the operations are addOverride`},
		{"unknown field", `[{"op":"enable","variant":"a"}]`, "operations[0].variant", "unknown"},
		{"twice", `[{"op":"enable","op":"enable"}]`, "operations[0].op", "twice"},
		{"unknown variant", `[{"op":"enable"},{"op":"setDefault","variant":"x"}]`, "operations[1].variant", "unknown variant"},
		{"the last counts", `[{"op":"setDefault","variant":"x"},{"op":"setDefault","variant":"y"}]`, "operations[1].variant", `"y"`},
		{"nothing to serve", `[{"op":"setDefault"}]`, "operations[0]", ""},
		{"weights", `[{"op":"setDefault","split":{"weights":[["a",1]]}}]`, "operations[0].split.weights", "100000"},
		{"off variant", `[{"op":"setOffVariant","variant":""}]`, "operations[0].variant", "name a variant"},
		{"override", `[{"op":"addOverride","variant":"x","targetingKeys":["u"]}]`, "operations[0].variant", "unknown variant"},
		{"no keys", `[{"op":"addOverride","variant":"a"}]`, "operations[0].targetingKeys", "at least one"},
		{"bad key", `[{"op":"addOverride","variant":"b","targetingKeys":["ok",""]}]`, "operations[0].targetingKeys[2]", ""},
		{"remove what", `[{"op":"removeOverride"}]`, "operations[0].targetingKeys", "name the targeting keys"},
		{"remove of no variant", `[{"op":"removeOverride","variant":"x"}]`, "operations[0].variant", "no variant"},
		{"rule", `[{"op":"insertRule","rule":{"when":{"attribute":"z","op":"in"},"serve":{"variant":"a"}},"at":0}]`, "operations[0].rule.when.values", ""},
		{"a rule that moved", `[{"op":"insertRule","rule":{"id":"n","when":{"attribute":"z","op":"exists"},"serve":{"variant":"x"}},"at":0},{"op":"moveRule","id":"n","after":"r3"}]`, "operations[0].rule.serve.variant", ""},
		{"rule twice", `[{"op":"insertRule","rule":{"id":"r1","when":{"attribute":"z","op":"exists"},"serve":{"variant":"a"}}}]`, "operations[0].rule.id", "already"},
		{"two places", `[{"op":"insertRule","rule":` + rule + `,"before":"r1","at":0}]`, "operations[0].before", "one of"},
		{"unknown place", `[{"op":"insertRule","rule":` + rule + `,"after":"r9"}]`, "operations[0].after", `no rule "r9"`},
		{"too far", `[{"op":"insertRule","rule":` + rule + `,"at":4}]`, "operations[0].at", "from 0"},
		{"unknown rule", `[{"op":"updateRule","id":"r9","rule":` + rule + `}]`, "operations[0].id", "no rule"},
		{"other id", `[{"op":"updateRule","id":"r1","rule":{"id":"r9","when":{"attribute":"z","op":"exists"},"serve":{"variant":"a"}}}]`, "operations[0].rule.id", "stays"},
		{"remove twice", `[{"op":"removeRule","id":"r1"},{"op":"removeRule","id":"r1"}]`, "operations[1].id", "no rule"},
		{"move where", `[{"op":"moveRule","id":"r1"}]`, "operations[0].at", "where to"},
		{"move to itself", `[{"op":"moveRule","id":"r1","before":"r1"}]`, "operations[0].id", "itself"},
		{"move too far", `[{"op":"moveRule","id":"r1","at":3}]`, "operations[0].at", "to 2"},
		{"split of nothing", `[{"op":"setSplit","weights":[["a",100000]]}]`, "operations[0].rule", "of what"},
		{"split of both", `[{"op":"setSplit","rule":"r1","default":true,"weights":[["a",100000]]}]`, "operations[0].rule", "not both"},
		{"split of no variant", `[{"op":"setSplit","rule":"r2","weights":[["x",100000]]}]`, "operations[0].weights[0]", ""},
		{"the rule around a split", `[{"op":"updateRule","id":"r2","rule":{"when":{"attribute":"","op":"exists"},"serve":{"variant":"a"}}},{"op":"setSplit","rule":"r2","weights":[["a",100000]]}]`, "operations[0].rule.when", ""},
		{"prerequisite", `[{"op":"addPrerequisite","flag":"q","variants":[]}]`, "operations[0].variants", ""},
		{"what was wrong stays unnamed", `[{"op":"removeOverride","variant":"a"},{"op":"addPrerequisite","flag":"f","variants":["a"]}]`, "operations[1].flag", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := operate(t, test.operations)
			var known *fault.Error
			if !errors.As(err, &known) || known.Kind != fault.Invalid || len(known.Fields) == 0 {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(known.Fields[0].Path, test.field) || !strings.Contains(known.Message, test.says) {
				t.Errorf("got %+v, want %s: %s", known.Fields, test.field, test.says)
			}
			if !strings.HasPrefix(known.Message, known.Fields[0].Path) {
				t.Errorf("message %q does not begin with %s", known.Message, known.Fields[0].Path)
			}
		})
	}
}

func FuzzOperations(f *testing.F) {
	for _, seed := range []string{
		`{"operations":[{"op":"enable"},{"op":"setDefault","split":{"weights":[["a",1],["b",99999]]}}]}`,
		`{"operations":[{"op":"insertRule","rule":{"when":{"segment":"s"},"serve":{"variant":"a"}},"at":0},{"op":"moveRule","id":"r1","after":"r3"}]}`,
		`{"operations":[{"op":"addOverride","variant":"b","targetingKeys":["u1","u1"]},{"op":"removeOverride","targetingKeys":[]}]}`,
		`{"operations":[{"op":"setSplit","rule":"r2","weights":[]},{"op":"updateRule","id":"r2","rule":{"when":{"all":[]},"serve":{}}}]}`,
		`{"operations":[{"op":"addPrerequisite","flag":"q","variants":["x"]},{"op":"removePrerequisite","flag":"p"},{"op":"setOffVariant","variant":"x"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, patch string) {
		list, err := parseOperations([]byte(patch))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		before := operatedFlag(t)
		given := text(before)
		after, locate, err := list.apply(before)
		if text(before) != given {
			t.Fatal("the operations changed what they were given")
		}
		if err == nil {
			complete(after, before)
			err = locate.fields(fault.OfValidation(after.Validate()))
		}
		if err == nil {
			return
		}
		var known *fault.Error
		if !errors.As(err, &known) || known.Kind != fault.Invalid || len(known.Fields) == 0 {
			t.Fatalf("refused with %v", err)
		}
		for _, field := range known.Fields {
			if !strings.HasPrefix(field.Path, "operations") {
				t.Errorf("field %q is none of the request", field.Path)
			}
		}
	})
}
