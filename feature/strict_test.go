package feature

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const wholeFlag = `{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false},"clientVisible":true,` +
	`"metadata":{"owner":"checkout","tier":2,"beta":true},"state":"ENABLED","offVariant":"off",` +
	`"prerequisites":[{"flag":"payments-v2","variants":["on"]}],` +
	`"overrides":[{"variant":"on","targetingKeys":["user-42"]}],` +
	`"rules":[{"id":"r1","name":"pro plans","when":{"all":[{"attribute":"plan","op":"in","values":["pro",1,true]},` +
	`{"any":[{"not":{"attribute":"country","op":"exists"}},{"segment":"eu-beta"}]}]},` +
	`"serve":{"split":{"by":"org.id","salt":"new-checkout.","weights":[["on",25000],["off",75000]]}}}],` +
	`"default":{"variant":"off"}}`

const wholeSegment = `{"key":"eu-beta","name":"Beta in Europe","included":["a","b"],"excluded":["c"],` +
	`"when":{"attribute":"country","op":"in","values":["FR","DE"]}}`

func TestStrictDecodingKeepsDocuments(t *testing.T) {
	for text, target := range map[string]any{
		wholeFlag:                               new(Flag),
		wholeSegment:                            new(Segment),
		`{"key":"s","shards":{"included":128}}`: new(Segment),
		`{"segment":"s","list":"included","shard":3,"keys":["a"]}`:                      new(SegmentKeys),
		`{"targetingKey":"u","z":1,"a":{"b":[null,true,"x",1.5e-7]}}`:                   new(EvaluationContext),
		`[["on",25000],["off",75000]]`:                                                  new([]Weight),
		`{"z":1e+21,"a":-9007199254740992,"é":"\"\\\b\f\n\r\t\u0000é😀","n":null,"":{}}`: new(Value),
	} {
		if err := DecodeStrict([]byte(text), target); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		body, err := Encode(target)
		if err != nil || string(body) != text {
			t.Errorf("%s\nbecomes %s, %v", text, body, err)
		}
		lenient := reflect.New(reflect.TypeOf(target).Elem()).Interface()
		if err := json.Unmarshal([]byte(text), lenient); err != nil || !reflect.DeepEqual(lenient, target) {
			t.Errorf("%s: json.Unmarshal reads %v, %v; DecodeStrict reads %v", text, lenient, err, target)
		}
	}
}

// management is such a document as the management API decodes around ours.
type management struct {
	Definition
	*embedded
	Description string                   `json:"description,omitempty"`
	Tags        []string                 `json:"tags,omitempty"`
	Environment map[string]Configuration `json:"environments,omitempty"`
	At          time.Time                `json:"at,omitzero"`
	Level       level                    `json:"level,omitempty"`
	Count       *int                     `json:"count,omitempty"`
	Size        uint8                    `json:"size,omitempty"`
	Raw         json.RawMessage          `json:"raw,omitempty"`
	Free        any                      `json:"free,omitempty"`
	Secret      string                   `json:"-"`
	Plain       bool
}

type embedded struct {
	Owner string `json:"owner,omitempty"`
}

type level int

func (l *level) UnmarshalText(text []byte) error {
	if string(text) != "high" {
		return fmt.Errorf("unknown level %q", text)
	}
	*l = 1
	return nil
}

func TestDecodeStrictRefusals(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, c := range []struct {
		target any
		text   string
		want   []string // "path: message", where messages may be cut
	}{
		{new(Flag), ``, []string{"the document is empty"}},
		{new(Flag), " \n", []string{"the document is empty"}},
		{new(Flag), "\uFEFF{}", []string{"the document begins with a byte order mark"}},
		{new(Flag), "{\n \"key\": \"\xff\"}", []string{"invalid UTF-8 at line 2, column 10"}},
		{new(Flag), `{"key":"a"} {}`, []string{"there is more after the end of the document, at line 1, column 13"}},
		{new(Flag), `{"key":"a"}]`, []string{"there is more after the end of the document, at line 1, column 12"}},
		{new(Flag), "{\n  \"key\": \"é\",\n}", []string{"invalid character '}' looking for beginning of object key string at line 3, column 1"}},
		{new(Flag), `{"key":`, []string{"unexpected end of JSON input at line 1, column 8"}},
		{new(Flag), `null`, []string{"must be an object, not null"}},
		{new(Flag), `[]`, []string{"must be an object, not a list"}},
		{new(Flag), `{"key":"a","key":"b"}`, []string{"key: is given twice"}},
		{new(Flag), `{"variants":{"on":1,"\u006fn":2}}`, []string{"variants.on: is given twice"}},
		{new(Flag), `{"metadata":{"a b":1,"a b":2}}`, []string{`metadata["a b"]: is given twice`}},
		{new(Flag), `{"variants":{"on":{"x":[{"y":1,"y":1}]}}}`, []string{"variants.on.x[0].y: is given twice"}},
		{new(Flag), `{"Key":"a"}`, []string{"Key: unknown field; the fields here are key, type, variants,"}},
		{new(Flag), `{"rules":[{},{"when":{"al":[]}}]}`, []string{"rules[1].when.al: unknown field; the fields here are all, any, not, segment, attribute, op, values"}},
		{new(Flag), `{"key":1,"rules":{},"clientVisible":"yes","default":[],"state":true,"type":null}`, []string{
			"key: must be a string, not a number", "rules: must be a list, not an object", "clientVisible: must be true or false, not a string",
			"default: must be an object, not a list", "state: must be a string, not true or false", "type: must be a string, not null",
		}},
		{new(Flag), `{"variants":[]}`, []string{"variants: must be an object, not a list"}},
		{new(Flag), `{"metadata":"x"}`, []string{"metadata: must be an object, not a string"}},
		{new(Flag), `{"default":{"split":{"weights":[["on",1],["off"]]}}}`, []string{`default.split.weights[1]: must be a pair such as ["on",25000]`}},
		{new(Flag), `{"default":{"split":{"weights":[["on",1.5],["on","1"],[1,1],["on",1,1],null,{}]}}}`, []string{
			`default.split.weights[0]: must be a pair`, `default.split.weights[1]: must be a pair`, `default.split.weights[2]: must be a pair`,
			`default.split.weights[3]: must be a pair`, `default.split.weights[4]: must be a pair`, `default.split.weights[5]: must be a pair`,
		}},
		{new(EvaluationContext), `{"targetingKey":1}`, []string{"targetingKey: must be a string, not a number"}},
		{new(struct {
			Context EvaluationContext `json:"context"`
		}), `{"context":{"targetingKey":[]}}`, []string{"context.targetingKey: must be a string, not a list"}},
		{new(EvaluationContext), `[]`, []string{"must be an object, not a list"}},
		{new(Segment), `{"shards":{"included":1.5,"excluded":1e2}}`, []string{"shards.included: must be a whole number", "shards.excluded: must be a whole number"}},
		{new(Value), `[9007199254740993,-9007199254740993,12345678901234567890]`, []string{
			"[0]: 9007199254740993 is beyond 2^53, where numbers lose digits; give it as a string", "[1]: -9007199254740993", "[2]: 12345678901234567890 is beyond",
		}},
		{new(Value), `[9007199254740993.0,9007199254740991.5,1e20,1000000000000000000000]`, []string{"[0]: ", "[1]: ", "[2]: ", "[3]: "}},
		{new(Value), `[1e309,-1e309,1e-400]`, []string{"[0]: 1e309 is out of the range", "[1]: -1e309 is out", "[2]: 1e-400 is out"}},
		{new(Value), `["\ud83d","\ude00x","\ud83d\ude00","\ufffd","�"]`, []string{"[0]: holds an escape", "[1]: holds an escape"}},
		{new(Value), deep(MaxDepth + 1), []string{strings.Repeat("[0]", MaxDepth) + ": objects and lists are nested more than 32"}},
		{new(Value), deep(20_000), []string{"invalid character '[' exceeded max depth"}},
		{new(Flag), `{"metadata":` + deep(MaxDepth) + `}`, []string{"metadata: must be an object", "metadata" + strings.Repeat("[0]", MaxDepth-1)}},
		{new(management), `{"key":"a","owner":1,"environments":{"prod":{"rulez":[]}},"Secret":"x","plain":true}`, []string{
			"owner: must be a string", "environments.prod.rulez: unknown field", "Secret: unknown field", "plain: unknown field",
		}},
		{new(management), `{"at":"yesterday","level":"low","count":"1","size":300,"tags":["a",1]}`, []string{
			"at: ", `level: unknown level "low"`, "count: must be a whole number, not a string", "size: 300 is too large", "tags[1]: must be a string",
		}},
		{new(management), `{"size":-1,"level":1,"raw":{"a":1,"a":1},"free":{"b":[{"c":1,"c":1}]}}`, []string{
			"size: must be a whole number of at least 0", "level: must be a string", "raw.a: is given twice", "free.b[0].c: is given twice",
		}},
	} {
		err := DecodeStrict([]byte(c.text), c.target)
		var invalid *ValidationError
		if !errors.As(err, &invalid) {
			t.Errorf("%.80s: %v; want problems", c.text, err)
			continue
		}
		if !reflect.ValueOf(c.target).Elem().IsZero() {
			t.Errorf("%.80s: the target has changed", c.text)
		}
		if !samePrefixes(invalid.Problems, c.want) {
			t.Errorf("%.80s:\n got %q\nwant %q", c.text, invalid.Problems, c.want)
		}
	}
}

// samePrefixes reports whether problems begin as wanted, in order.
func samePrefixes(problems []Problem, want []string) bool {
	if len(problems) != len(want) {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(problems[i].String(), want[i]) {
			return false
		}
	}
	return true
}

func TestDecodeStrictAccepts(t *testing.T) {
	for text, target := range map[string]any{
		`{"rules":null,"variants":null,"metadata":null,"prerequisites":null}`:              new(Flag),
		`{"not":null,"segment":"a"}`:                                                       new(Condition),
		`{"owner":"me","at":"2026-05-31T09:30:00Z","level":"high","count":3,"Plain":true}`: &management{embedded: &embedded{}},
		`{"count":null,"raw":[1],"free":null,"environments":null,"key":"a"}`:               new(management),
		strings.Repeat(`[`, MaxDepth) + strings.Repeat(`]`, MaxDepth):                      new(Value),
		` [1.0, 1e3, -0, 9007199254740992, 1e300, "9007199254740993"] `:                    new(Value),
	} {
		if err := DecodeStrict([]byte(text), target); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestDecodeStrictReportsSomeProblems(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"x":0`)
	for i := range 100 {
		fmt.Fprintf(&b, `,"x%d":0`, i)
	}
	b.WriteString(`}`)
	var invalid *ValidationError
	if err := DecodeStrict([]byte(b.String()), new(Flag)); !errors.As(err, &invalid) || len(invalid.Problems) != MaxProblems {
		t.Errorf("got %v", err)
	}
}

func TestDecodeStrictWithoutATarget(t *testing.T) {
	for _, target := range []any{nil, Flag{}, (*Flag)(nil)} {
		var invalid *json.InvalidUnmarshalError
		if err := DecodeStrict([]byte(`{}`), target); !errors.As(err, &invalid) {
			t.Errorf("%T: %v", target, err)
		}
	}
}

// An object of many fields is decoded in linear time and keeps each name once.
func TestManyFields(t *testing.T) {
	const n = 5_000
	var b strings.Builder
	b.WriteString(`{"f0":-1`)
	for round := range 2 {
		for i := range n {
			fmt.Fprintf(&b, `,"f%d":%d`, i, i+round)
		}
	}
	b.WriteString(`}`)
	var v Value
	if err := json.Unmarshal([]byte(b.String()), &v); err != nil {
		t.Fatal(err)
	}
	fields, _ := v.Fields()
	if len(fields) != n {
		t.Fatalf("%d fields, want %d", len(fields), n)
	}
	for i := range fields {
		if number, _ := fields[i].Value.Number(); fields[i].Name != fmt.Sprintf("f%d", i) || number != float64(i+1) {
			t.Fatalf("field %d is %s = %v", i, fields[i].Name, number)
		}
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, text := range []string{
		wholeFlag, wholeSegment, `{"key":"a","type":"number","variants":{"a":1e21,"b":9007199254740992},"state":"DISABLED","offVariant":"a","default":{"variant":"b"}}`,
		`{"key":"a","type":"object","variants":{"a":{"x":[{"y":null}]}},"state":"ENABLED","offVariant":"a","default":{"variant":"a"},"rules":[]}`,
		`{"key":"s","when":{"attribute":"v","op":"semver_gt","values":["1.2.3"]}}`, `{"key":"s","shards":{"excluded":4}}`, `{"key":"\ud800","key":1}`, `[`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var flag Flag
		if err := DecodeStrict(data, &flag); err == nil && flag.Validate() == nil {
			checkRoundTrip(t, &flag, new(Flag))
		}
		var segment Segment
		if err := DecodeStrict(data, &segment); err == nil && segment.Validate() == nil {
			checkRoundTrip(t, &segment, new(Segment))
		}
		// The lenient reader takes whatever the strict one does.
		var value Value
		if DecodeStrict(data, &value) == nil {
			checkRoundTrip(t, &value, new(Value))
		}
	})
}

// checkRoundTrip encodes a document, decodes it into another and compares their
// encodings, which do not tell an empty list from none.
func checkRoundTrip(t *testing.T, document, again any) {
	t.Helper()
	body, err := Encode(document)
	if err != nil {
		t.Fatalf("%+v does not encode: %v", document, err)
	}
	if err := DecodeStrict(body, again); err != nil {
		t.Fatalf("%s is refused: %v", body, err)
	}
	if v, ok := again.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			t.Fatalf("%s is invalid: %v", body, err)
		}
	}
	if second, err := Encode(again); err != nil || string(second) != string(body) {
		t.Fatalf("%s becomes %s, %v", body, second, err)
	}
}

func FuzzContext(f *testing.F) {
	for _, text := range []string{`{"targetingKey":"u","a":{"b":[1]}}`, `{"targetingKey":null}`, `{"a.b":1,"a":{"b":2}}`, `null`, `{"a":1,"a":2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ec EvaluationContext
		if json.Unmarshal(data, &ec) != nil {
			return
		}
		body, err := json.Marshal(ec)
		if err != nil {
			t.Fatal(err)
		}
		var again EvaluationContext
		if err := json.Unmarshal(body, &again); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if again.TargetingKey() != ec.TargetingKey() || len(again.Attributes()) != len(ec.Attributes()) {
			t.Fatalf("%s becomes %s", data, body)
		}
		for _, a := range ec.Attributes() {
			path := ParseAttributePath(a.Name)
			x, y := ec.Lookup(&path), again.Lookup(&path)
			if (x == nil) != (y == nil) || x != nil && !x.Equal(y) {
				t.Fatalf("%q is %v, then %v", a.Name, x, y)
			}
		}
	})
}
