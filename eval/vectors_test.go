package eval_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
	"github.com/wigwag/wigwag/vectors"
)

func TestVectors(t *testing.T) {
	files, err := vectors.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Topic, func(t *testing.T) {
			programs := map[string]*eval.Program{}
			for name, set := range file.FlagSets {
				programs[name] = eval.Compile(flagSet(set.Flags, set.Segments, set.Keys))
			}
			for _, c := range file.Cases {
				t.Run(c.Name, func(t *testing.T) {
					program, ok := programs[c.FlagSet]
					if !ok {
						t.Fatalf("the file has no flag set %q", c.FlagSet)
					}
					runCase(t, program, &c)
				})
			}
		})
	}
}

func runCase(t *testing.T, program *eval.Program, c *vectors.Case) {
	var context feature.EvaluationContext
	if err := json.Unmarshal(c.Context, &context); err != nil {
		t.Fatal(err)
	}
	want := c.Expect
	if want.Value == nil {
		want.Value = json.RawMessage("null")
	}
	got := program.Resolve(c.Flag, &context)
	if got.Variant != want.Variant || string(got.Reason) != want.Reason || got.RuleID != want.Rule ||
		string(got.ErrorCode) != want.ErrorCode {
		t.Errorf("got %q %s, rule %q, error %q (%s); want %q %s, rule %q, error %q", got.Variant, got.Reason, got.RuleID,
			got.ErrorCode, got.ErrorMessage, want.Variant, want.Reason, want.Rule, want.ErrorCode)
	}
	if (got.ErrorMessage == "") != (got.ErrorCode == "") {
		t.Errorf("error code %q has the message %q", got.ErrorCode, got.ErrorMessage)
	}
	if !sameJSON(t, got.Value.AppendJSON(nil), want.Value) {
		t.Errorf("got the value %s, want %s", got.Value, want.Value)
	}
	explained, trace := program.Explain(c.Flag, &context)
	if !reflect.DeepEqual(explained, got) {
		t.Errorf("Explain gives %+v, Resolve %+v", explained, got)
	}
	if want.Trace == nil {
		return
	}
	written, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, written, want.Trace) {
		t.Errorf("got the trace\n%s\nwant\n%s", written, want.Trace)
	}
}

func TestBucketingVectors(t *testing.T) {
	cases, err := vectors.Bucketing()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		hash := feature.NewMurmurPrefix(c.Salt).Sum(c.Value)
		if hash != c.Hash || feature.Murmur3(c.Salt+c.Value) != c.Hash || feature.Bucket(hash) != c.Bucket {
			t.Errorf("%q %q: hash %d, bucket %d; want %d, %d", c.Salt, c.Value, hash, feature.Bucket(hash), c.Hash, c.Bucket)
		}
	}
}

// FuzzCompile checks that no flag set and no context makes compiling or
// resolving fail as a whole, and that explaining answers as resolving does.
func FuzzCompile(f *testing.F) {
	files, err := vectors.Files()
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		contexts := map[string]json.RawMessage{}
		for _, c := range file.Cases {
			contexts[c.FlagSet] = c.Context
		}
		for name, set := range file.FlagSets {
			data, err := json.Marshal(set)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 1<<13 {
				f.Add(data, []byte(contexts[name]))
			}
		}
	}
	f.Add([]byte(`{"flags":[{"key":"f","type":"boolean","state":"ENABLED","variants":{"on":true},"offVariant":"on",`+
		`"rules":[{"id":"r","when":{"segment":"s"},"serve":{"variant":"on"}}],"default":{"variant":"on"}}],`+
		`"segments":[{"key":"s","shards":{"included":-1,"excluded":1099511627776}}]}`), []byte(`{"targetingKey":"u"}`))
	f.Fuzz(func(t *testing.T, set, context []byte) {
		var documents vectors.FlagSet
		var ec feature.EvaluationContext
		if json.Unmarshal(set, &documents) != nil || json.Unmarshal(context, &ec) != nil {
			return
		}
		program := eval.Compile(flagSet(documents.Flags, documents.Segments, documents.Keys))
		for _, key := range append(program.Keys(), "no such flag") {
			resolved := program.Resolve(key, &ec)
			explained, trace := program.Explain(key, &ec)
			if !reflect.DeepEqual(resolved, explained) {
				t.Errorf("%q: Resolve gives %+v, Explain %+v", key, resolved, explained)
			}
			if (resolved.ErrorCode != "") != (len(trace.Steps) == 0) {
				t.Errorf("%q: error %q with %d steps", key, resolved.ErrorCode, len(trace.Steps))
			}
			if _, err := json.Marshal(trace); err != nil {
				t.Errorf("%q: the trace has no JSON: %v", key, err)
			}
		}
	})
}

// flagSet decodes documents as a client decodes the items of a snapshot: what
// cannot be decoded is a flag that does not compile, or is left out.
func flagSet(flags, segments, keys []json.RawMessage) *feature.FlagSet {
	var items []*snapshot.Item
	add := func(ref snapshot.Ref, body []byte) {
		item, _ := snapshot.NewItem(ref, body) // an item with an error stands for what does not compile
		items = append(items, item)
	}
	for _, body := range flags {
		add(snapshot.Ref{Kind: snapshot.KindFlag, Key: name(body).Key}, body)
	}
	for _, body := range segments {
		add(snapshot.Ref{Kind: snapshot.KindSegment, Key: name(body).Key}, body)
	}
	for _, body := range keys {
		n := name(body)
		add(snapshot.KeysRef(n.Segment, n.List, n.Shard), body)
	}
	return snapshot.New(snapshot.Header{}, snapshot.Position{}, time.Time{}, items).FlagSet()
}

type documentName struct {
	Key     string           `json:"key"`
	Segment string           `json:"segment"`
	List    feature.ListName `json:"list"`
	Shard   int              `json:"shard"`
}

func name(body []byte) documentName {
	var n documentName
	_ = json.Unmarshal(body, &n) // what it leaves empty makes the item one with an error
	return n
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return reflect.DeepEqual(x, y)
}
