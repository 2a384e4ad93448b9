package bench

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	growthbook "github.com/growthbook/growthbook-golang"
)

// growthBook is GrowthBook's Go SDK with its features set in memory and nothing
// that listens to evaluations.
type growthBook struct {
	client   *growthbook.Client
	versions [2]growthbook.FeatureMap
	next     int
}

// growthBookFeatures are the features, as GrowthBook's API would send them. The
// word VERSION stands where one version differs from the next.
const growthBookFeatures = `{
"plain": {"defaultValue": true},
"rules": {"defaultValue": false, "rules": [
  {"id": "r1-VERSION", "condition": {"plan": {"$in": ["enterprise", "pro"]}, "country": {"$in": ["US", "CA"]}}, "force": true},
  {"id": "r2", "condition": {"country": {"$in": ["FR", "DE", "IT"]}, "age": {"$lt": 18}}, "force": true},
  {"id": "r3", "condition": {"age": {"$gte": 21}, "device": {"$in": ["tablet"]}}, "force": true},
  {"id": "r4", "condition": {"device": {"$in": ["phone", "watch"]}, "plan": {"$in": ["free", "team"]}}, "force": true},
  {"id": "r5", "condition": {"beta": true, "build": {"$gte": 1200}}, "force": true}]},
"split": {"defaultValue": false, "rules": [
  {"id": "r1", "force": true, "coverage": 0.5, "hashAttribute": "id", "hashVersion": 2, "seed": "a"}]},
"segment": {"defaultValue": false, "rules": [{"id": "r1", "condition": {"id": {"$inGroup": "big"}}, "force": true}]},
"dependent": {"defaultValue": true, "rules": [
  {"id": "r1", "parentConditions": [{"id": "plain", "condition": {"value": true}, "gate": true}], "force": true}]}
}`

func newGrowthBook(t testing.TB) *growthBook {
	t.Helper()
	client, err := growthbook.NewClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := json.Marshal(map[string][]string{"big": segmentKeys()})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.UpdateFromApiResponseJSON(`{"features":{},"savedGroups":` + string(groups) + `}`); err != nil {
		t.Fatal(err)
	}
	g := &growthBook{client: client}
	for v, version := range []string{"a", "b"} {
		if err := json.Unmarshal([]byte(strings.ReplaceAll(growthBookFeatures, "VERSION", version)), &g.versions[v]); err != nil {
			t.Fatal(err)
		}
		for i := range fillers {
			g.versions[v][fillerKey(i)] = &growthbook.Feature{DefaultValue: true}
		}
	}
	g.replace()
	return g
}

func (g *growthBook) name() string { return "growthbook" }

// replace swaps parsed features: what the SDK spends on parsing is not counted.
func (g *growthBook) replace() {
	_ = g.client.SetFeatures(g.versions[g.next]) // its error is always nil
	g.next = 1 - g.next
}

// clientFor returns the client of one subject, which is how the SDK is told about it.
func (g *growthBook) clientFor(s *subject) *growthbook.Client {
	client, err := g.client.WithAttributes(growthbook.Attributes{
		"id": s.key, "plan": s.plan, "country": s.country, "device": s.device,
		"age": s.age, "build": s.build, "beta": s.beta,
	})
	if err != nil {
		return g.client
	}
	return client
}

func (g *growthBook) ask(flag string, s subject) bool {
	return g.clientFor(&s).EvalFeature(context.Background(), flag).On
}

func (g *growthBook) ready(b *testing.B, flag string) {
	client, ctx := g.clientFor(&asked), b.Context()
	for b.Loop() {
		_ = client.EvalFeature(ctx, flag).On
	}
}

func (g *growthBook) built(b *testing.B, flag string) {
	ctx := b.Context()
	for b.Loop() {
		_ = g.clientFor(&asked).EvalFeature(ctx, flag).On
	}
}

func (g *growthBook) shared(pb *testing.PB, flag string) {
	client, ctx := g.clientFor(&asked), context.Background()
	for pb.Next() {
		_ = client.EvalFeature(ctx, flag).On
	}
}
