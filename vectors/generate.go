package vectors

import "fmt"

// Accumulated is the recipe of the generated cases and what an evaluator arrives
// at.
type Accumulated struct {
	Description string `json:"description"`
	Seed        uint32 `json:"seed"`
	Pools       Pools  `json:"pools"`
	// Hashes are those after so many cases, ascending.
	Hashes []AccumulatedHash `json:"hashes"`
}

// AccumulatedHash is the SHA-256, in hexadecimal, of the lines of the first so
// many cases.
type AccumulatedHash struct {
	Cases  int    `json:"cases"`
	SHA256 string `json:"sha256"`
}

// Pools are what the generator picks from. Its documents are decoded JSON.
type Pools struct {
	TargetingKeys []string                  `json:"targetingKeys"`
	Types         []string                  `json:"types"`
	VariantKeys   []string                  `json:"variantKeys"`
	Variants      map[string]map[string]any `json:"variants"`
	SplitBy       []string                  `json:"splitBy"`
	Comparisons   []struct {
		Attributes []string `json:"attributes"`
		Operators  []string `json:"operators"`
		Values     []any    `json:"values"`
	} `json:"comparisons"`
	FaultyConditions []any `json:"faultyConditions"`
	Attributes       []struct {
		Name   string `json:"name"`
		Values []any  `json:"values"`
	} `json:"attributes"`
	OddValues []any `json:"oddValues"`
}

// The size of a round.
const (
	roundSegments = 3
	roundFlags    = 8
	roundContexts = 20
)

// Round is a generated flag set with contexts. Its cases are each of the
// contexts, and for each of them each of the flags.
type Round struct {
	Flags, Segments, Keys []map[string]any
	Contexts              []map[string]any
}

// Generator generates rounds, the same ones in every language. README.md gives
// its algorithm.
type Generator struct {
	state uint32
	pools Pools
	keys  []map[string]any // of the round
}

// ReadAccumulated returns the recipe of the generated cases.
func ReadAccumulated() (*Accumulated, error) {
	accumulated := new(Accumulated)
	return accumulated, read(accumulatedFile, accumulated)
}

// Generator returns a generator that stands at the first round.
func (a *Accumulated) Generator() *Generator { return &Generator{state: a.Seed, pools: a.Pools} }

// Round returns the next round. Its documents share parts with the pools and
// must not be changed.
func (g *Generator) Round() Round {
	var r Round
	g.keys = nil
	for i := range roundSegments {
		r.Segments = append(r.Segments, g.segment(i))
	}
	for i := range roundFlags {
		r.Flags = append(r.Flags, g.flag(i))
	}
	for range roundContexts {
		r.Contexts = append(r.Contexts, g.context())
	}
	r.Keys = g.keys
	return r
}

// next is the generator mulberry32.
func (g *Generator) next() uint32 {
	g.state += 0x6D2B79F5
	t := g.state
	t = (t ^ t>>15) * (t | 1)
	t ^= t + (t^t>>7)*(t|61)
	return t ^ t>>14
}

// below returns a number from 0 to n-1.
func (g *Generator) below(n int) int { return int(uint64(g.next()) * uint64(n) >> 32) }

func (g *Generator) chance(percent int) bool { return g.below(100) < percent }

func pick[T any](g *Generator, list []T) T { return list[g.below(len(list))] }

// some picks from 1 to most times.
func some[T any](g *Generator, most int, list []T) []any {
	picked := make([]any, 1+g.below(most))
	for i := range picked {
		picked[i] = pick(g, list)
	}
	return picked
}

func (g *Generator) segment(i int) map[string]any {
	key := fmt.Sprintf("s%d", i)
	segment := map[string]any{"key": key}
	shards := map[string]any{}
	for _, list := range []string{"included", "excluded"} {
		if !g.chance(40) {
			continue
		}
		keys := some(g, 4, g.pools.TargetingKeys)
		if !g.chance(25) {
			segment[list] = keys
			continue
		}
		// Keys go to the shards in turn, so that half of them are where nobody
		// looks for them.
		shards[list] = 2.0
		cut := [2][]any{{}, {}}
		for j, k := range keys {
			cut[j%2] = append(cut[j%2], k)
		}
		for shard := range cut {
			g.keys = append(g.keys, map[string]any{
				"segment": key, "list": list, "shard": float64(shard), "keys": cut[shard],
			})
		}
	}
	if len(shards) > 0 {
		segment["shards"] = shards
	}
	if g.chance(70) {
		segment["when"] = g.condition(2, i)
	}
	return segment
}

func (g *Generator) flag(i int) map[string]any {
	p := &g.pools
	key := fmt.Sprintf("f%d", i)
	flagType := pick(g, p.Types)
	flag := map[string]any{"key": key, "type": flagType, "variants": p.Variants[flagType], "state": "ENABLED"}
	if g.chance(8) {
		flag["state"] = "DISABLED"
	}
	flag["offVariant"] = pick(g, p.VariantKeys)
	if i > 0 && g.chance(25) {
		prerequisites := make([]any, 1+g.below(2))
		for j := range prerequisites {
			other := i
			if g.below(25) == 0 {
				other = roundFlags + 1 // also itself, a later one, and one that is not there
			}
			prerequisite := map[string]any{"flag": fmt.Sprintf("f%d", g.below(other))}
			variants := []any{}
			for _, variant := range p.VariantKeys {
				if g.chance(60) {
					variants = append(variants, variant)
				}
			}
			prerequisite["variants"] = variants
			prerequisites[j] = prerequisite
		}
		flag["prerequisites"] = prerequisites
	}
	if g.chance(30) {
		overrides := make([]any, 1+g.below(2))
		for j := range overrides {
			variant := pick(g, p.VariantKeys)
			overrides[j] = map[string]any{"variant": variant, "targetingKeys": some(g, 3, p.TargetingKeys)}
		}
		flag["overrides"] = overrides
	}
	rules := make([]any, g.below(4))
	for j := range rules {
		when := g.condition(2, roundSegments)
		rules[j] = map[string]any{"id": fmt.Sprintf("r%d", j), "when": when, "serve": g.serve(key)}
	}
	flag["rules"] = rules
	flag["default"] = g.serve(key)
	return flag
}

func (g *Generator) serve(key string) map[string]any {
	keys := g.pools.VariantKeys
	if !g.chance(35) {
		return map[string]any{"variant": pick(g, keys)}
	}
	split := map[string]any{"salt": key + "."}
	if by := g.below(4); by > 0 {
		split["by"] = pick(g, g.pools.SplitBy)
	}
	first := g.below(len(keys))
	a, b := g.below(100001), g.below(100001)
	low, high := min(a, b), max(a, b)
	weights := []any{}
	for i, weight := range []int{low, high - low, 100000 - high} {
		weights = append(weights, []any{keys[(first+i)%len(keys)], float64(weight)})
	}
	split["weights"] = weights
	return map[string]any{"split": split}
}

// condition mentions only the first so many segments.
func (g *Generator) condition(depth, segments int) any {
	form := g.below(10)
	switch {
	case form == 0 && depth > 0:
		return map[string]any{"all": g.conditions(depth-1, segments)}
	case form == 1 && depth > 0:
		return map[string]any{"any": g.conditions(depth-1, segments)}
	case form == 2 && depth > 0:
		return map[string]any{"not": g.condition(depth-1, segments)}
	case form == 3 && segments > 0:
		return map[string]any{"segment": fmt.Sprintf("s%d", g.below(segments))}
	}
	if g.below(200) == 0 {
		return pick(g, g.pools.FaultyConditions)
	}
	comparison := pick(g, g.pools.Comparisons)
	condition := map[string]any{"attribute": pick(g, comparison.Attributes)}
	condition["op"] = pick(g, comparison.Operators)
	if len(comparison.Values) > 0 {
		condition["values"] = some(g, 3, comparison.Values)
	}
	return condition
}

func (g *Generator) conditions(depth, segments int) []any {
	list := make([]any, 1+g.below(3))
	for i := range list {
		list[i] = g.condition(depth, segments)
	}
	return list
}

func (g *Generator) context() map[string]any {
	context := map[string]any{}
	if g.chance(85) {
		context["targetingKey"] = pick(g, g.pools.TargetingKeys)
	}
	for _, attribute := range g.pools.Attributes {
		switch {
		case !g.chance(70):
		case g.chance(85):
			context[attribute.Name] = pick(g, attribute.Values)
		default:
			context[attribute.Name] = pick(g, g.pools.OddValues)
		}
	}
	return context
}
