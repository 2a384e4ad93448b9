package feature

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// flagsOf makes flags with the variants on and off; a line is a flag and its
// prerequisites, whose variant on they demand.
func flagsOf(lines ...string) *FlagSet {
	set := &FlagSet{}
	for _, line := range lines {
		keys := strings.Fields(line)
		flag := &Flag{Definition: Definition{Key: keys[0], Variants: Variants{{"on", BoolValue(true)}, {"off", BoolValue(false)}}}}
		for _, key := range keys[1:] {
			flag.Prerequisites = append(flag.Prerequisites, Prerequisite{key, []string{"on"}})
		}
		set.Flags = append(set.Flags, flag)
	}
	return set
}

func segmentsOf(lines ...string) *FlagSet {
	set := &FlagSet{}
	for _, line := range lines {
		keys := strings.Fields(line)
		segment := &Segment{Key: keys[0]}
		for _, key := range keys[1:] {
			if segment.When == nil {
				segment.When = &Condition{}
			}
			segment.When.Any = append(segment.When.Any, Condition{Not: &Condition{Segment: key}})
		}
		set.Segments = append(set.Segments, segment)
	}
	return set
}

func referenceTexts(set *FlagSet) []string {
	var lines []string
	for _, p := range CheckReferences(set) {
		lines = append(lines, p.String())
	}
	return lines
}

func TestCheckReferences(t *testing.T) {
	cycle := func(key, path string) string {
		return fmt.Sprintf("flag %q: prerequisites: the flag depends on itself: %s; remove one of these references", key, path)
	}
	unknown := flagsOf("a b", "b")
	unknown.Flags[0].Prerequisites[0].Variants = []string{"on", "onn"}
	mentions := flagsOf("a")
	mentions.Flags[0].Rules = []Rule{{ID: "r", When: Condition{All: []Condition{
		{Segment: "known"}, {Not: &Condition{Segment: "gone"}}, {Any: []Condition{{Segment: "lost"}}},
	}}}}
	mentions.Segments = segmentsOf("known").Segments
	for name, c := range map[string]struct {
		set  *FlagSet
		want []string
	}{
		"empty":           {&FlagSet{}, nil},
		"diamond":         {flagsOf("a b c", "b d", "c d", "d"), nil},
		"itself":          {flagsOf("a a"), []string{cycle("a", "a → a")}},
		"two":             {flagsOf("a b", "b a"), []string{cycle("a", "a → b → a"), cycle("b", "b → a → b")}},
		"leads to":        {flagsOf("x a", "a b", "b a", "y x"), []string{cycle("a", "a → b → a"), cycle("b", "b → a → b")}},
		"between cycles":  {flagsOf("a a between", "between c", "c c"), []string{cycle("a", "a → a"), cycle("c", "c → c")}},
		"shortest of two": {flagsOf("a b c", "b c", "c a"), []string{cycle("a", "a → c → a"), cycle("b", "b → c → a → b"), cycle("c", "c → a → c")}},
		"missing flag":    {flagsOf("a b gone", "b"), []string{`flag "a": prerequisites[1].flag: there is no flag "gone"`}},
		"unknown variant": {unknown, []string{`flag "a": prerequisites[0].variants[1]: unknown variant "onn"; the flag b has on, off`}},
		"missing segments": {mentions, []string{
			`flag "a": rules[0].when.all[1].not.segment: there is no segment "gone"`, `flag "a": rules[0].when.all[2].any[0].segment: there is no segment "lost"`,
		}},
		"segments": {segmentsOf("a b", "b a gone", "c a"), []string{
			`segment "a": when: the segment depends on itself: a → b → a; remove one of these references`,
			`segment "b": when: the segment depends on itself: b → a → b; remove one of these references`,
			`segment "b": when.any[1].not.segment: there is no segment "gone"`,
		}},
	} {
		if got := referenceTexts(c.set); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestPrerequisiteCost(t *testing.T) {
	// Each level doubles the evaluations, and adds one: level n costs 2^(n+1)-1.
	lines := []string{"l0"}
	for n := 1; n <= 60; n++ {
		lines = append(lines, fmt.Sprintf("l%d l%d l%d", n, n-1, n-1))
	}
	for _, set := range []*FlagSet{flagsOf(lines...), segmentsOf(lines...)} {
		problems := CheckReferences(set)
		if len(problems) != 60-8 {
			t.Fatalf("%d are at fault, want those above the 8th: %v", len(problems), problems)
		}
		for i, p := range problems {
			if key := fmt.Sprintf("l%d", i+9); p.Flag+p.Segment != key || !strings.Contains(p.Message, "more than 1000 evaluations") {
				t.Errorf("got %s, want %s", p, key)
			}
		}
	}
	// What is missing or on a cycle costs one.
	exactly := make([]string, 0, 1000)
	exactly = append(exactly, "knot knot", "f0 knot gone")
	for n := 1; n <= 998; n++ {
		exactly = append(exactly, fmt.Sprintf("f%d f%d", n, n-1))
	}
	var costly []string
	for _, p := range CheckReferences(flagsOf(exactly...)) {
		if p.Path == "prerequisites" && p.Flag != "knot" {
			costly = append(costly, p.Flag)
		}
	}
	if !slices.Equal(costly, []string{"f998"}) { // f0 costs 3, f997 costs 1000
		t.Errorf("over the limit are %v", costly)
	}
}

// chainOf is of n items that each name the next; the last names the first or,
// unless closed, none.
func chainOf(n int, closed bool) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("f%d f%d", i, (i+1)%n)
	}
	if !closed {
		lines[n-1] = fmt.Sprintf("f%d", n-1)
	}
	return lines
}

func TestLongChainsAndCycles(t *testing.T) {
	problems := CheckReferences(flagsOf(chainOf(10_000, true)...))
	if len(problems) != 10_000 || !strings.Contains(problems[5].Message, "depends on itself") || !strings.Contains(problems[5].Message, "(9950 more)") {
		t.Fatalf("a cycle of all: %d problems, such as %s", len(problems), problems[5])
	}
	for _, set := range []*FlagSet{flagsOf(chainOf(100_000, false)...), segmentsOf(chainOf(10_000, false)...)} {
		n := len(set.Flags) + len(set.Segments)
		references := FindReferences(set)
		if got, want := len(references.Problems), n-MaxPrerequisiteCost; got != want {
			t.Errorf("a chain of all: %d are at fault, want %d", got, want)
		}
		order := references.FlagOrder
		if len(set.Segments) > 0 {
			order = references.SegmentOrder
		}
		if len(order) != n || order[0] != n-1 || order[n-1] != 0 {
			t.Errorf("the order has %d, from %d to %d", len(order), order[0], order[n-1])
		}
	}
}

// The graph is compared with a search from each node by itself.
func TestGraphFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		graph := make([][]int, n)
		for i := range graph {
			graph[i] = rapid.SliceOfN(rapid.IntRange(-1, n-1), 0, 3).Draw(t, "edges")
		}
		reaches := make([][]bool, n) // by one edge or more
		for i := range graph {
			reaches[i] = make([]bool, n)
			for todo := slices.Clone(graph[i]); len(todo) > 0; todo = todo[1:] {
				if j := todo[0]; j >= 0 && !reaches[i][j] {
					reaches[i][j] = true
					todo = append(todo, graph[j]...)
				}
			}
		}
		const limit = 20
		var cost func(i int) int
		cost = func(i int) int {
			if i < 0 || reaches[i][i] {
				return 1
			}
			sum := 1
			for _, j := range graph[i] {
				sum += cost(j)
			}
			return sum
		}
		faults := findGraphFaults(n, func(i int) []int { return graph[i] }, limit)
		place := make([]int, n)
		for at, i := range faults.order {
			place[i] = at
		}
		if sorted := slices.Sorted(slices.Values(faults.order)); len(sorted) != n || sorted[n-1] != n-1 || len(slices.Compact(sorted)) != n {
			t.Fatalf("the order is %v", faults.order)
		}
		for i := range graph {
			cycle := faults.cycles[i]
			if (cycle != nil) != reaches[i][i] {
				t.Fatalf("node %d: the cycle is %v, it reaches itself: %v", i, cycle, reaches[i][i])
			}
			for at, j := range cycle {
				if cycle[0] != i || !slices.Contains(graph[j], cycle[(at+1)%len(cycle)]) {
					t.Fatalf("node %d: %v is no cycle", i, cycle)
				}
			}
			if want := min(cost(i), limit+1); faults.costs[i] != want {
				t.Fatalf("node %d costs %d, want %d", i, faults.costs[i], want)
			}
			for _, j := range graph[i] {
				if j >= 0 && !reaches[j][i] && place[j] > place[i] {
					t.Fatalf("node %d leads to %d, but comes before it in %v", i, j, faults.order)
				}
			}
		}
	})
}
