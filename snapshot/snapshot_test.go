package snapshot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
)

var header = snapshot.Header{Project: "default", Environment: "test", Projection: snapshot.ProjectionServer}

const epoch = "0192aaaa-0000-7000-8000-000000000000"

func at(version uint64) snapshot.Position { return snapshot.Position{Epoch: epoch, Version: version} }

func flagItem(t interface{ Fatal(...any) }, key, off string, change ...func(*feature.Flag)) *snapshot.Item {
	f := &feature.Flag{
		Definition: feature.Definition{Key: key, Type: feature.TypeString, Variants: feature.Variants{
			{Key: "a", Value: feature.StringValue("x < y & \u2028 ü\"")}, {Key: "b", Value: feature.StringValue("")},
		}},
		Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: off, Default: feature.Serve{Variant: "a"}},
	}
	for _, c := range change {
		c(f)
	}
	item, err := snapshot.EncodeItem(f)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func TestDocumentsKeepTheExactBytesOfItems(t *testing.T) {
	// Blanks that our own encoder would not write: the bytes count, not their meaning.
	body := []byte(`{"key": "spaced", "type":"boolean","variants":{"on" :true},"state":"ENABLED","offVariant":"on","default":{"variant":"on"}}`)
	spaced, err := snapshot.NewItem(snapshot.Ref{Kind: snapshot.KindFlag, Key: "spaced"}, body)
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.New(header, at(7), time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC), []*snapshot.Item{flagItem(t, "f", "a"), spaced})
	document := want.AppendJSON(nil)
	got, err := snapshot.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != want.Digest || got.Position != want.Position || got.Header != want.Header || !got.CreatedAt.Equal(want.CreatedAt) {
		t.Errorf("read %+v, wrote %+v", got, want)
	}
	if item := got.Get(spaced.Ref); !bytes.Equal(item.Body, body) {
		t.Errorf("body is %s", item.Body)
	}
	if !bytes.Equal(got.AppendJSON(nil), document) {
		t.Error("written again, the document differs")
	}
}

func TestEachItemOfADocumentStandsOnItsOwnLine(t *testing.T) {
	items := []*snapshot.Item{flagItem(t, "f", "a"), flagItem(t, "g", "b")}
	s := snapshot.New(header, at(1), time.Now(), items)
	found := 0
	for line := range strings.Lines(string(s.AppendJSON(nil))) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), ",")
		for _, item := range items {
			if line == string(item.Body) {
				found++
			}
		}
	}
	if found != len(items) {
		t.Errorf("%d of %d items stand on a line of their own in\n%s", found, len(items), s.AppendJSON(nil))
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(snapshot.New(header, at(7), time.Now(), []*snapshot.Item{flagItem(t, "f", "a")}).AppendJSON(nil))
	for name, document := range map[string]string{
		"nothing":         "",
		"null":            "null",
		"an HTML page":    "<!doctype html><title>Log in</title>",
		"other JSON":      `{"error":"forbidden"}`,
		"cut short":       good[:len(good)-40],
		"a later format":  strings.Replace(good, `"format":1`, `"format":2`, 1),
		"no format":       strings.Replace(good, `"format":1,`, ``, 1),
		"no position":     strings.Replace(good, at(7).String(), "", 1),
		"a bad position":  strings.Replace(good, at(7).String(), "seven", 1),
		"a changed item":  strings.Replace(good, `"offVariant":"a"`, `"offVariant":"b"`, 1),
		"a bad digest":    strings.Replace(good, `"digest":"`, `"digest":"zz`, 1),
		"an unnamed item": strings.Replace(good, `{"key":"f",`, `[{"key":"f",`, 1),
	} {
		if _, err := snapshot.Parse([]byte(document)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAnItemThatCannotBeReadSpoilsOnlyItself(t *testing.T) {
	body := []byte(`{"key":"future","type":"boolean","variants":[1,2,3]}`)
	future, err := snapshot.NewItem(snapshot.Ref{Kind: snapshot.KindFlag, Key: "future"}, body)
	if err == nil {
		t.Fatal("no error for a body that cannot be read")
	}
	s := snapshot.New(header, at(1), time.Now(), []*snapshot.Item{future, flagItem(t, "f", "a")})
	got, err := snapshot.Parse(s.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.FlagSet().Flags) != 2 || got.Digest != s.Digest {
		t.Errorf("read %d flags", len(got.FlagSet().Flags))
	}
}

func TestApplyRefuses(t *testing.T) {
	one := snapshot.New(header, at(1), time.Now(), []*snapshot.Item{flagItem(t, "f", "a")})
	three := one.With(at(3), time.Now(), []*snapshot.Item{flagItem(t, "f", "b")}, nil)
	delta := snapshot.Diff(one, three)
	for name, change := range map[string]func(*snapshot.Delta){
		"another environment": func(d *snapshot.Delta) { d.Environment = "production" },
		"another projection":  func(d *snapshot.Delta) { d.Projection = snapshot.ProjectionClient },
		"another epoch":       func(d *snapshot.Delta) { d.From.Epoch, d.To.Epoch = "0193", "0193" },
		"a gap":               func(d *snapshot.Delta) { d.From.Version = 2 },
		"the past":            func(d *snapshot.Delta) { d.From.Version, d.To.Version = 0, 1 },
		"another digest":      func(d *snapshot.Delta) { d.Digest[0]++ },
		"a missing item":      func(d *snapshot.Delta) { d.Put = nil },
	} {
		changed := *delta
		change(&changed)
		var refused *snapshot.ApplyError
		if got, err := one.Apply(&changed); !errors.As(err, &refused) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := one.Apply(delta); err != nil || got.Digest != three.Digest {
		t.Errorf("the delta itself: %v", err)
	}
}

func TestPositions(t *testing.T) {
	for _, s := range []string{"", "0192-a:0", "0192-a:18446744073709551615"} {
		if p, err := snapshot.ParsePosition(s); err != nil || p.String() != s {
			t.Errorf("%q: %v, %v", s, p, err)
		}
	}
	for _, s := range []string{":", "a", "a:", ":1", "a:-1", "a:+1", "a:01", "a:1 ", "A:1", "a:18446744073709551616", "a\n:1", strings.Repeat("a", 65) + ":1"} {
		if p, err := snapshot.ParsePosition(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

// TestClientProjection proves that browsers are told of no flag but those that
// are client-visible and what these need.
func TestClientProjection(t *testing.T) {
	segment := func(key string, when *feature.Condition, shards int) *snapshot.Item {
		item, err := snapshot.EncodeItem(&feature.Segment{Key: key, When: when, Shards: feature.Shards{Included: shards}})
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
	keys := func(segment string, shard int) *snapshot.Item {
		item, err := snapshot.EncodeItem(&feature.SegmentKeys{Segment: segment, List: feature.ListIncluded, Shard: shard, Keys: []string{"k"}})
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
	s := snapshot.New(header, at(1), time.Now(), []*snapshot.Item{
		flagItem(t, "visible", "a", func(f *feature.Flag) {
			f.ClientVisible = true
			f.Prerequisites = []feature.Prerequisite{{Flag: "needed", Variants: []string{"a"}}}
			f.Rules = []feature.Rule{{ID: "r", When: feature.Condition{Not: &feature.Condition{Segment: "outer"}}}}
		}),
		flagItem(t, "needed", "a", func(f *feature.Flag) {
			f.Prerequisites = []feature.Prerequisite{{Flag: "visible", Variants: []string{"a"}}} // a cycle must not hang
		}),
		flagItem(t, "secret", "a", func(f *feature.Flag) {
			f.Rules = []feature.Rule{{ID: "r", When: feature.Condition{Segment: "private"}}}
		}),
		segment("outer", &feature.Condition{All: []feature.Condition{{Segment: "inner"}}}, 0),
		segment("inner", nil, 2),
		segment("private", nil, 1),
		keys("inner", 0), keys("inner", 1), keys("private", 0),
	})
	var names []string
	for _, item := range s.Client().Items {
		names = append(names, item.String())
	}
	want := "flag/needed flag/visible keys/inner/included/0 keys/inner/included/1 segment/inner segment/outer"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("client projection holds %s, not %s", got, want)
	}
}

// TestEverySequenceEndsInTheServersDigest: whatever spans of the log a reader is
// sent, in whatever pieces, and wherever it starts, it ends at the digest that
// the server has, or notices that it does not.
func TestEverySequenceEndsInTheServersDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := []*snapshot.Snapshot{snapshot.New(header, at(1), time.Now(), nil)}
		for range rapid.IntRange(1, 12).Draw(t, "commits") {
			last := log[len(log)-1]
			put := map[string]*snapshot.Item{}
			var del []snapshot.Ref
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				key := fmt.Sprint("f", rapid.IntRange(0, 5).Draw(t, "key"))
				if rapid.Bool().Draw(t, "delete") {
					delete(put, key)
					del = append(del, snapshot.Ref{Kind: snapshot.KindFlag, Key: key})
				} else {
					put[key] = flagItem(t, key, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "off"))
				}
			}
			items := []*snapshot.Item{}
			for _, item := range last.Items {
				gone := false
				for _, ref := range del {
					gone = gone || ref == item.Ref
				}
				if !gone {
					items = append(items, item)
				}
			}
			for _, item := range put {
				items = append(items, item)
			}
			log = append(log, snapshot.New(header, at(last.Position.Version+1), time.Now(), items))
		}
		end := log[len(log)-1]
		reader := log[rapid.IntRange(0, len(log)-1).Draw(t, "start")]
		for reader.Position != end.Position {
			here := int(reader.Position.Version) - 1
			from := rapid.IntRange(0, here).Draw(t, "from")
			to := rapid.IntRange(here+1, len(log)-1).Draw(t, "to")
			delta := union(log[from : to+1])
			parsed, err := snapshot.ParseDelta(delta.AppendJSON(nil))
			if err != nil {
				t.Fatal(err)
			}
			next, err := reader.Apply(parsed)
			if err != nil {
				t.Fatal(err)
			}
			reader = next
		}
		if reader.Digest != end.Digest || !bytes.Equal(reader.AppendJSON(nil), withTime(reader, end).AppendJSON(nil)) {
			t.Fatalf("the reader ended at %s, the server is at %s", reader.Digest, end.Digest)
		}
	})
}

func withTime(reader, end *snapshot.Snapshot) *snapshot.Snapshot {
	s := *end
	s.CreatedAt = reader.CreatedAt
	return &s
}

// union is what a server sends for a span: every item that any commit of it
// touched, as it is at the end.
func union(span []*snapshot.Snapshot) *snapshot.Delta {
	first, last := span[0], span[len(span)-1]
	touched := map[snapshot.Ref]bool{}
	for i := 1; i < len(span); i++ {
		step := snapshot.Diff(span[i-1], span[i])
		for _, item := range step.Put {
			touched[item.Ref] = true
		}
		for _, ref := range step.Delete {
			touched[ref] = true
		}
	}
	d := &snapshot.Delta{Header: last.Header, From: first.Position, To: last.Position, CreatedAt: last.CreatedAt, Digest: last.Digest}
	for ref := range touched {
		if item := last.Get(ref); item != nil {
			d.Put = append(d.Put, item)
		} else {
			d.Delete = append(d.Delete, ref)
		}
	}
	return d
}

// FuzzApply feeds arbitrary documents to a reader that holds something: it never
// panics, and what it accepts has the digest that it claims.
func FuzzApply(f *testing.F) {
	one := snapshot.New(header, at(1), time.Unix(0, 0), []*snapshot.Item{flagItem(f, "f", "a")})
	two := one.With(at(2), time.Unix(1, 0), []*snapshot.Item{flagItem(f, "g", "b")}, []snapshot.Ref{{Kind: snapshot.KindFlag, Key: "f"}})
	f.Add(snapshot.Diff(one, two).AppendJSON(nil))
	f.Add(two.AppendJSON(nil))
	f.Add([]byte(`{"format":1,"put":{"keys":[{"segment":"s","list":"x","shard":-1}]}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		if s, err := snapshot.Parse(document); err == nil {
			if again, err := snapshot.Parse(s.AppendJSON(nil)); err != nil || again.Digest != s.Digest {
				t.Fatalf("written again it is not read: %v", err)
			}
			s.Client()
			s.FlagSet()
		}
		delta, err := snapshot.ParseDelta(document)
		if err != nil {
			return
		}
		if next, err := one.Apply(delta); err == nil && next.Digest != delta.Digest {
			t.Fatal("a delta was applied that does not arrive at its digest")
		}
	})
}

func ExampleSnapshot_Apply() {
	v1 := snapshot.New(header, at(1), time.Now(), nil)
	body, _ := json.Marshal(map[string]any{
		"key": "f", "type": "boolean", "variants": map[string]any{"on": true},
		"state": "ENABLED", "offVariant": "on", "default": map[string]any{"variant": "on"},
	})
	item, _ := snapshot.NewItem(snapshot.Ref{Kind: snapshot.KindFlag, Key: "f"}, body)
	v2 := v1.With(at(2), time.Now(), []*snapshot.Item{item}, nil)

	reader, err := v1.Apply(snapshot.Diff(v1, v2))
	fmt.Println(reader.Position.Version, reader.Digest == v2.Digest, err)
	// Output: 2 true <nil>
}
