package bench

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	wigwag "github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
)

// wigwagClient is the Go SDK as an application uses it, connected to a server in
// memory: what is put in force arrives as a delta on a stream, is verified,
// applied and compiled.
type wigwagClient struct {
	client *wigwag.Client
	server *wigwagServer
	// versions are the flag flagRules in two versions with one meaning.
	versions [2]*snapshot.Item
	next     int
}

// wigwagFlags are the flags as a server sends them.
const wigwagFlags = `[
{"key":"plain","type":"boolean","state":"ENABLED","variants":{"on":true,"off":false},"offVariant":"off","default":{"variant":"on"}},
{"key":"rules","type":"boolean","state":"ENABLED","variants":{"on":true,"off":false},"offVariant":"off","rules":[
  {"id":"r1","when":{"all":[{"attribute":"plan","op":"in","values":["enterprise","pro"]},{"attribute":"country","op":"in","values":["US","CA"]}]},"serve":{"variant":"on"}},
  {"id":"r2","when":{"all":[{"attribute":"country","op":"in","values":["FR","DE","IT"]},{"attribute":"age","op":"lt","values":[18]}]},"serve":{"variant":"on"}},
  {"id":"r3","when":{"all":[{"attribute":"age","op":"gte","values":[21]},{"attribute":"device","op":"in","values":["tablet"]}]},"serve":{"variant":"on"}},
  {"id":"r4","when":{"all":[{"attribute":"device","op":"in","values":["phone","watch"]},{"attribute":"plan","op":"in","values":["free","team"]}]},"serve":{"variant":"on"}},
  {"id":"r5","when":{"all":[{"attribute":"beta","op":"in","values":[true]},{"attribute":"build","op":"gte","values":[1200]}]},"serve":{"variant":"on"}}],
 "default":{"variant":"off"}},
{"key":"split","type":"boolean","state":"ENABLED","variants":{"on":true,"off":false},"offVariant":"off","default":{"split":{"by":"targetingKey","salt":"split.","weights":[["on",50000],["off",50000]]}}},
{"key":"segment","type":"boolean","state":"ENABLED","variants":{"on":true,"off":false},"offVariant":"off","rules":[{"id":"r1","when":{"segment":"big"},"serve":{"variant":"on"}}],"default":{"variant":"off"}},
{"key":"dependent","type":"boolean","state":"ENABLED","variants":{"on":true,"off":false},"offVariant":"off","prerequisites":[{"flag":"plain","variants":["on"]}],"default":{"variant":"on"}}
]`

// wigwagShards is into how many items the keys of the segment are cut.
const wigwagShards = 16

func newWigwag(t testing.TB) *wigwagClient {
	t.Helper()
	w := new(wigwagClient)
	var items []*snapshot.Item
	put := func(document any) *snapshot.Item {
		item, err := snapshot.EncodeItem(document)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
		return item
	}

	var flags []*feature.Flag
	if err := json.Unmarshal([]byte(wigwagFlags), &flags); err != nil {
		t.Fatal(err)
	}
	for i := range fillers {
		filler := *flags[0]
		filler.Key = fillerKey(i)
		flags = append(flags, &filler)
	}
	for _, flag := range flags {
		if flag.Key != flagRules {
			put(flag)
			continue
		}
		for i := range w.versions {
			version := *flag
			version.Rules = slices.Clone(flag.Rules)
			version.Rules[0].Name = strings.Repeat("b", i+1)
			w.versions[i] = put(&version) // of two items of one name, a snapshot keeps the later
		}
	}

	put(&feature.Segment{Key: "big", Shards: feature.Shards{Included: wigwagShards}})
	shards := make([]feature.SegmentKeys, wigwagShards)
	for _, key := range segmentKeys() {
		shard := &shards[feature.ShardOf(key, wigwagShards)]
		shard.Keys = append(shard.Keys, key)
	}
	for i := range shards {
		shards[i].Segment, shards[i].List, shards[i].Shard = "big", feature.ListIncluded, i
		put(&shards[i])
	}

	w.server = newWigwagServer(items)
	client, err := wigwag.New("sk_bench", wigwag.WithTransport(w.server), wigwag.WithMode(wigwag.ModeStreaming),
		wigwag.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	w.client = client
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	client.OnConfiguration(w.server.applied)
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.server.wait(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wigwagClient) name() string { return "wigwag" }

// replace returns when the client has applied the change. Should it not, the
// table shows what it costs to wait.
func (w *wigwagClient) replace() {
	w.server.publish(w.versions[w.next])
	w.next = 1 - w.next
	_ = w.server.wait(time.Second)
}

func wigwagContext(s *subject) wigwag.EvaluationContext {
	return wigwag.NewContext(s.key, wigwag.String("plan", s.plan), wigwag.String("country", s.country),
		wigwag.String("device", s.device), wigwag.Float("age", s.age), wigwag.Float("build", s.build), wigwag.Bool("beta", s.beta))
}

func (w *wigwagClient) ask(flag string, s subject) bool {
	return w.client.Bool(flag, false, wigwagContext(&s))
}

func (w *wigwagClient) ready(b *testing.B, flag string) {
	ec := wigwagContext(&asked)
	for b.Loop() {
		w.client.Bool(flag, false, ec)
	}
}

func (w *wigwagClient) built(b *testing.B, flag string) {
	s := &asked
	for b.Loop() {
		w.client.Bool(flag, false, wigwag.NewContext(s.key, wigwag.String("plan", s.plan), wigwag.String("country", s.country),
			wigwag.String("device", s.device), wigwag.Float("age", s.age), wigwag.Float("build", s.build), wigwag.Bool("beta", s.beta)))
	}
}

func (w *wigwagClient) shared(pb *testing.PB, flag string) {
	ec := wigwagContext(&asked)
	for pb.Next() {
		w.client.Bool(flag, false, ec)
	}
}

// BenchmarkContextOfAFunction times calls whose context is made by a function of the
// application, which returns it: it then takes one allocation.
func BenchmarkContextOfAFunction(b *testing.B) {
	w := newWigwag(b)
	b.ReportAllocs()
	for b.Loop() {
		w.client.Bool(flagPlain, false, wigwagContext(&asked))
	}
}

// wigwagDetails is the same client asked for details.
type wigwagDetails struct{ *wigwagClient }

func newWigwagDetails(t testing.TB) wigwagDetails {
	t.Helper()
	return wigwagDetails{newWigwag(t)}
}

func (wigwagDetails) name() string { return "wigwag-details" }

func (w wigwagDetails) ask(flag string, s subject) bool {
	return w.client.BoolDetails(flag, false, wigwagContext(&s)).Value
}

func (w wigwagDetails) ready(b *testing.B, flag string) {
	ec := wigwagContext(&asked)
	for b.Loop() {
		_ = w.client.BoolDetails(flag, false, ec)
	}
}

func (w wigwagDetails) built(b *testing.B, flag string) {
	s := &asked
	for b.Loop() {
		_ = w.client.BoolDetails(flag, false, wigwag.NewContext(s.key, wigwag.String("plan", s.plan), wigwag.String("country", s.country),
			wigwag.String("device", s.device), wigwag.Float("age", s.age), wigwag.Float("build", s.build), wigwag.Bool("beta", s.beta)))
	}
}

func (w wigwagDetails) shared(pb *testing.PB, flag string) {
	ec := wigwagContext(&asked)
	for pb.Next() {
		_ = w.client.BoolDetails(flag, false, ec)
	}
}
