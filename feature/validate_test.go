package feature

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func decodeFlag(t *testing.T, text string) *Flag {
	t.Helper()
	flag := new(Flag)
	if err := DecodeStrict([]byte(text), flag); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return flag
}

func problemsOf(err error) []Problem {
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		return invalid.Problems
	}
	return nil
}

func TestValidDocuments(t *testing.T) {
	if err := decodeFlag(t, wholeFlag).Validate(); err != nil {
		t.Error(err)
	}
	var segment Segment
	if err := DecodeStrict([]byte(wholeSegment), &segment); err != nil {
		t.Fatal(err)
	}
	if err := segment.Validate(); err != nil {
		t.Error(err)
	}
	for _, sharded := range []Segment{{Key: "empty"}, {Key: "s", Shards: Shards{Included: 128, Excluded: 1}}} {
		if err := sharded.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// Each case changes a valid flag and names the problems, as "path: message" with
// the message cut.
func TestFlagProblems(t *testing.T) {
	many := func(n int, format string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return list
	}
	for name, c := range map[string]struct {
		change func(f *Flag)
		want   []string
	}{
		"key":          {func(f *Flag) { f.Key = ".x" }, []string{"key: must be 1 to 128 letters"}},
		"unknown type": {func(f *Flag) { f.Type = "bool" }, []string{`type: unknown type "bool"; the types are boolean, string, number, object`}},
		"value of another type": {func(f *Flag) { f.Variants[0].Value = StringValue("true") }, []string{
			"variants.on: the flag is of type boolean, the value is of type string",
		}},
		"null": {func(f *Flag) { f.Variants[1].Value = Value{} }, []string{"variants.off: the flag is of type boolean, the value is of type null"}},
		"list": {func(f *Flag) {
			f.Type = TypeObject
			f.Variants[0].Value = ListValue()
			f.Variants[1].Value = ObjectValue()
		}, []string{"variants.on: the flag is of type object, the value is of type list"}},
		"no variants": {func(f *Flag) { f.Variants = nil }, []string{"variants: a flag needs at least one variant"}},
		"two variants of one key": {func(f *Flag) { f.Variants = append(f.Variants, f.Variants[0]) }, []string{
			"variants.on: two variants have this key",
		}},
		"variant key": {func(f *Flag) { f.Variants = append(f.Variants, Variant{"a b", BoolValue(true)}) }, []string{
			`variants["a b"]: a variant key must be 1 to 64`,
		}},
		"too many variants": {func(f *Flag) {
			for _, key := range many(99, "v%d") {
				f.Variants = append(f.Variants, Variant{key, BoolValue(true)})
			}
		}, []string{"variants: a flag has at most 100 variants, not 101"}},
		"deep value": {func(f *Flag) {
			f.Type = TypeObject
			deep := ObjectValue()
			for range MaxDepth - 2 {
				deep = ObjectValue(Attribute{"x", deep})
			}
			f.Variants = Variants{{"on", deep}, {"off", ObjectValue()}}
		}, []string{"variants.on: objects and lists are nested more than 30 levels deep"}},
		"metadata": {func(f *Flag) {
			f.Metadata = Metadata{
				Strings("list", "a"), Any("null", nil), Object("object"), String("a\n", ""), String("twice", ""), String("twice", ""),
			}
		}, []string{
			"metadata.list: must be a boolean, a number or a string, not of type list", "metadata.null: must be", "metadata.object: must be",
			`metadata["a\n"]: a name must be 1 to 256 bytes`, "metadata.twice: two entries have this name",
		}},
		"too much metadata": {func(f *Flag) {
			f.Metadata = nil
			for _, name := range many(51, "m%d") {
				f.Metadata = append(f.Metadata, String(name, ""))
			}
		}, []string{"metadata: metadata has at most 50 entries, not 51"}},
		"state": {func(f *Flag) { f.State = "enabled" }, []string{`state: unknown state "enabled"; the states are ENABLED, DISABLED`}},
		"unknown variants": {func(f *Flag) {
			f.OffVariant = "onn"
			f.Overrides[0].Variant = "onn"
			f.Rules[0].Serve.Split.Weights[0].Variant = "onn"
			f.Default.Variant = "onn"
		}, []string{
			`offVariant: unknown variant "onn"; the flag has on, off`, `overrides[0].variant: unknown variant "onn"`,
			`rules[0].serve.split.weights[0]: unknown variant "onn"`, `default.variant: unknown variant "onn"`,
		}},
		"no off variant": {func(f *Flag) { f.OffVariant = "" }, []string{"offVariant: name a variant; the flag has on, off"}},
		"prerequisites": {func(f *Flag) {
			f.Prerequisites = []Prerequisite{
				{f.Key, []string{"on"}}, {"a", []string{"on", "on"}}, {"a", []string{"b b"}}, {"no/key", nil},
			}
		}, []string{
			"prerequisites[0].flag: a flag cannot be its own prerequisite", `prerequisites[1].variants[1]: the variant "on" is listed twice`,
			`prerequisites[2].flag: prerequisites[1] names the flag "a" already`, "prerequisites[2].variants[0]: must be the key of a variant",
			"prerequisites[3].flag: must be the key of another flag", "prerequisites[3].variants: name at least one variant",
		}},
		"too many prerequisites": {func(f *Flag) { f.Prerequisites = make([]Prerequisite, 21) }, []string{"prerequisites: a flag has at most 20"}},
		"targeting keys": {func(f *Flag) {
			f.Overrides = []Override{{"on", []string{"a", "b"}}, {"off", []string{"a", "", "c", "c"}}, {"on", nil}}
		}, []string{
			`overrides[1].targetingKeys[0]: the targeting key "a" is in overrides[0].targetingKeys already`,
			"overrides[1].targetingKeys[1]: a targeting key must be 1 to 512 bytes",
			`overrides[1].targetingKeys[3]: the targeting key "c" is in overrides[1].targetingKeys already`,
			"overrides[2].targetingKeys: list at least one",
		}},
		"too many targeting keys": {func(f *Flag) {
			f.Overrides = []Override{{"on", many(600, "a%d")}, {"off", many(401, "b%d")}}
		}, []string{"overrides: the overrides of a flag list at most 1000 targeting keys, not 1001"}},
		"rules": {func(f *Flag) {
			f.Rules = append(f.Rules, f.Rules[0], f.Rules[0])
			f.Rules[1].ID, f.Rules[1].Name = "r 1", "a\x00"
		}, []string{
			"rules[1].id: must be 1 to 64", "rules[1].name: must be at most 256", `rules[2].id: rules[0] has the id "r1" already`,
		}},
		"too many rules": {func(f *Flag) { f.Rules = make([]Rule, 201) }, []string{"rules: a flag has at most 200 rules, not 201"}},
		"serve":          {func(f *Flag) { f.Default = Serve{}; f.Rules[0].Serve.Variant = "on" }, []string{"rules[0].serve: has both", "default: say what is served"}},
		"weights": {func(f *Flag) {
			f.Rules[0].Serve.Split.Weights = []Weight{{"on", 25_000}, {"off", 60_000}, {"on", 5_000}}
			f.Default = Serve{Split: &Split{By: "a\n", Salt: "a b", Weights: []Weight{{"on", -1}}}}
		}, []string{
			`rules[0].serve.split.weights[2]: weights[0] is of the variant "on" already`,
			"rules[0].serve.split.weights: the weights must sum to 100000 (thousandths of a percent); these sum to 90000",
			"default.split.by: an attribute name", "default.split.salt: must be 1 to 64", "default.split.weights[0]: a weight must be from 0 to 100000",
		}},
		"no weights": {func(f *Flag) { f.Default = Serve{Split: &Split{Salt: "s"}} }, []string{"default.split.weights: the weights must sum to 100000"}},
		"huge weights": {func(f *Flag) {
			f.Default = Serve{Split: &Split{Salt: "s", Weights: []Weight{{"on", 1 << 62}, {"off", 1 << 62}}}}
		}, []string{"default.split.weights[0]: a weight must be from 0 to 100000"}},
		"size": {func(f *Flag) {
			f.Type, f.Variants[0].Value, f.Variants[1].Value = TypeString, StringValue(strings.Repeat("a", MaxFlagBytes)), StringValue("")
		}, []string{"the flag has "}},
	} {
		flag := decodeFlag(t, wholeFlag)
		c.change(flag)
		if got := problemsOf(flag.Validate()); !samePrefixes(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestConditionProblems(t *testing.T) {
	repeat := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	nested := func(levels int) string {
		return strings.Repeat(`{"not":`, levels-1) + `{"segment":"s"}` + strings.Repeat(`}`, levels-1)
	}
	for text, want := range map[string][]string{
		`{}`:                                   {"when: the condition is empty"},
		`{"all":[]}`:                           {"when.all: list at least one condition"},
		`{"any":[{"all":[]}]}`:                 {"when.any[0].all: list at least one condition"},
		`{"segment":"a","any":[]}`:             {"when: give one of any, segment, not 2 of them", "when.any: list"},
		`{"segment":"a b"}`:                    {"when.segment: must be the key of a segment"},
		`{"not":{"all":[{"segment":"a"},{}]}}`: {"when.not.all[1]: the condition is empty"},
		`{"attribute":"a"}`:                    {"when.op: name an operator: in, contains,"},
		`{"op":"exists"}`:                      {"when.attribute: name an attribute"},
		`{"values":["a"]}`:                     {"when.attribute: name an attribute", "when.op: name an operator"},
		`{"attribute":"a\u0001","op":"equals","values":[1]}`: {
			"when.attribute: an attribute name must be 1 to 256", `when.op: unknown operator "equals"; the operators are in, contains, starts_with`,
		},
		`{"attribute":"a","op":"in"}`:                                      {"when.values: in needs at least one value"},
		`{"attribute":"a","op":"in","values":[]}`:                          {"when.values: in needs at least one value"},
		`{"attribute":"a","op":"exists","values":[true]}`:                  {"when.values: exists takes no values"},
		`{"attribute":"a","op":"in","values":[` + repeat(1001, "1") + `]}`: {"when.values: a condition has at most 1000 values, not 1001"},
		`{"attribute":"a","op":"in","values":["","x",1,true,null,[],{}]}`: {
			"when.values[0]: must not be empty", "when.values[4]: must be a string, a number or a boolean, not of type null",
			"when.values[5]: must be", "when.values[6]: must be",
		},
		`{"attribute":"a","op":"contains","values":["",1]}`:             {"when.values[0]: must not be empty", "when.values[1]: must be a string, not of type number"},
		`{"attribute":"a","op":"matches","values":["a(","(?i)a",1,""]}`: {"when.values[0]: the regular", "when.values[1]: the only group", "when.values[2]: must be a regular", "when.values[3]: the regular"},
		`{"attribute":"a","op":"gte","values":["1",2]}`:                 {"when.values[0]: must be a number, not of type string"},
		`{"attribute":"a","op":"before","values":["2026-02-30T00:00:00Z",1e12,true,0,"2026-05-31T09:30:00Z"]}`: {
			"when.values[0]: must be a date and time such as", "when.values[1]: must be within the years", "when.values[2]: must be a date",
		},
		`{"attribute":"a","op":"semver_lt","values":["1.x",1,"v1.2"]}`:           {"when.values[0]: must be a semantic version", "when.values[1]: must be a string"},
		`{"attribute":"a","op":"in_cidr","values":["10.0.0.0/33",1,"10.0.0.1"]}`: {"when.values[0]: must be a block of addresses", "when.values[1]: must be a string"},
		nested(MaxConditionDepth):                                                               {},
		nested(MaxConditionDepth + 1):                                                           {"when" + strings.Repeat(".not", 10) + ": conditions are nested more than 10 levels deep"},
		`{"all":[` + repeat(499, `{"segment":"s"}`) + `]}`:                                      {},
		`{"all":[` + repeat(600, `{"segment":"s"}`) + `]}`:                                      {"when.all[499]: this is one condition more than 500"},
		`{"attribute":"a","op":"in","values":["` + strings.Repeat("a", MaxValueBytes+1) + `"]}`: {"when.values[0]: must be at most 1024 bytes"},
	} {
		segment := Segment{Key: "x", When: new(Condition)}
		if err := DecodeStrict([]byte(text), segment.When); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := problemsOf(segment.Validate()); !samePrefixes(got, want) {
			t.Errorf("%.100s:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestConditionsOfAllRulesCount(t *testing.T) {
	flag := decodeFlag(t, wholeFlag)
	flag.Rules = nil
	for i := range 126 {
		flag.Rules = append(flag.Rules, Rule{
			ID: fmt.Sprintf("r%d", i), Serve: Serve{Variant: "on"},
			When: Condition{Not: &Condition{Any: []Condition{{Segment: "a"}, {Segment: "b"}}}},
		})
	}
	want := []string{"rules[125].when: this is one condition more than 500"}
	if got := problemsOf(flag.Validate()); !samePrefixes(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSegmentProblems(t *testing.T) {
	for name, c := range map[string]struct {
		segment Segment
		want    []string
	}{
		"key and name": {Segment{Key: "..", Name: strings.Repeat("a", 257)}, []string{"key: must be 1 to 128", "name: must be at most 256"}},
		"keys": {Segment{Key: "s", Included: []string{"a", "b", "a"}, Excluded: []string{"b", "c\t"}}, []string{
			`included[2]: the targeting key "a" is in included already`, `excluded[0]: the targeting key "b" is in included already`,
			"excluded[1]: a targeting key must be",
		}},
		"shards": {Segment{Key: "s", Included: []string{"a"}, Shards: Shards{Included: 2, Excluded: 3}}, []string{
			"shards.included: a list that is cut into shards is empty", "shards.excluded: must be a power of two, not 3",
		}},
		"negative shards": {Segment{Key: "s", Shards: Shards{Included: -2}}, []string{"shards.included: must be a power of two"}},
		"too many keys":   {Segment{Key: "s", Excluded: make([]string, MaxSegmentKeys+1)}, []string{"excluded: a list of a segment has at most 1000000"}},
	} {
		if got := problemsOf(c.segment.Validate()); !samePrefixes(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestProblemsAreCounted(t *testing.T) {
	segment := Segment{Key: "s", Included: make([]string, 100)}
	if got := problemsOf(segment.Validate()); len(got) != MaxProblems {
		t.Errorf("%d problems, want %d", len(got), MaxProblems)
	}
}

func TestDefinitionByItself(t *testing.T) {
	definition := decodeFlag(t, wholeFlag).Definition
	if err := definition.Validate(); err != nil {
		t.Error(err)
	}
	definition.Variants[0].Value = NumberValue(1)
	if got := problemsOf(definition.Validate()); !samePrefixes(got, []string{"variants.on: "}) {
		t.Errorf("got %q", got)
	}
}

func TestEveryOperatorHasACheck(t *testing.T) {
	if len(operandChecks) != len(Operators) {
		t.Errorf("%d checks for %d operators", len(operandChecks), len(Operators))
	}
	for _, op := range Operators {
		if operandChecks[op] == nil {
			t.Errorf("%s has none", op)
		}
	}
	for _, kind := range Types {
		if _, ok := kindOfType[kind]; !ok {
			t.Errorf("the type %s has no kind", kind)
		}
	}
}

func TestKnownNamesAreCut(t *testing.T) {
	list := strings.Split("a b c d e f g h i j k l", " ")
	if got, want := names(list), "a, b, c, d, e, f, g, h, i, j and 2 more"; got != want {
		t.Errorf("got %q", got)
	}
	if got, want := names(list[:11]), strings.Join(list[:11], ", "); got != want {
		t.Errorf("got %q", got)
	}
}

func TestJSONForms(t *testing.T) {
	variants := Variants{{"z", BoolValue(true)}, {"a", BoolValue(false)}, {"m", BoolValue(true)}}
	body, err := json.Marshal(variants)
	if err != nil || string(body) != `{"z":true,"a":false,"m":true}` {
		t.Errorf("%s, %v", body, err)
	}
	ec := NewContext("u", Int("n", 1), String("s", "<x>"), Int("n", 2)).With(Object("o", Bool("b", true)))
	if body, err = Encode(ec); err != nil || string(body) != `{"targetingKey":"u","n":2,"s":"<x>","o":{"b":true}}` {
		t.Errorf("%s, %v", body, err)
	}
	// An object made of a map has one order, so that its bytes have one digest.
	object := ValueOf(map[string]any{"c": 1, "a": []any{nil, "x"}, "b": map[string]string{"y": "1", "x": "2"}})
	if got, want := object.String(), `{"a":[null,"x"],"b":{"x":"2","y":"1"},"c":1}`; got != want {
		t.Errorf("got %s", got)
	}
	keys := []string{}
	for _, v := range decodeFlag(t, wholeFlag).Variants {
		keys = append(keys, v.Key)
	}
	if !slices.Equal(keys, []string{"on", "off"}) {
		t.Errorf("variants are in the order %v", keys)
	}
}
