package eval_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
)

// splitFlag serves on to so many thousandths of a percent.
func splitFlag(key string, weight int, prerequisites ...feature.Prerequisite) *feature.Flag {
	return &feature.Flag{
		Definition: feature.Definition{Key: key, Type: feature.TypeBoolean, Variants: feature.Variants{
			{Key: "on", Value: feature.BoolValue(true)}, {Key: "off", Value: feature.BoolValue(false)},
		}},
		Configuration: feature.Configuration{
			State: feature.StateEnabled, OffVariant: "off", Prerequisites: prerequisites,
			Default: feature.Serve{Split: &feature.Split{Salt: key + ".", Weights: []feature.Weight{
				{Variant: "on", Weight: weight}, {Variant: "off", Weight: feature.SplitTotal - weight},
			}}},
		},
	}
}

func isOn(program *eval.Program, flag, key string) bool {
	ec := feature.NewContext(key)
	on, _ := program.Resolve(flag, &ec).Value.Bool()
	return on
}

// Users would miss: that half is half, also among those that another flag chose,
// where two splits that hash alike would give all or nothing.
func TestAPercentageIsWhatItSays(t *testing.T) {
	outer := []feature.Prerequisite{{Flag: "outer", Variants: []string{"on"}}}
	program := eval.Compile(&feature.FlagSet{Flags: []*feature.Flag{
		splitFlag("inner", 50_000, outer...), splitFlag("outer", 30_000), splitFlag("rare", 100),
	}})
	const people = 200_000
	var inner, outerOn, rare int
	for i := range people {
		key := fmt.Sprintf("user-%d@example.com", i)
		if isOn(program, "outer", key) {
			outerOn++
		}
		if isOn(program, "inner", key) {
			inner++
		}
		if isOn(program, "rare", key) {
			rare++
		}
	}
	// Five standard deviations: a right split fails once in two million runs, and
	// the keys here are the same in each.
	within := func(name string, got, of int, share float64) {
		if off := math.Abs(float64(got) - float64(of)*share); off > 5*math.Sqrt(float64(of)*share*(1-share)) {
			t.Errorf("%s: %d of %d, which is not %g", name, got, of, share)
		}
	}
	within("outer", outerOn, people, 0.3)
	within("inner, among those of outer", inner, outerOn, 0.5)
	within("rare", rare, people, 0.001)
}

// Users would miss: the feature that they had, because somebody gave it to more.
func TestRaisingTheFirstWeightMovesNobodyOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.IntRange(0, feature.SplitTotal).Draw(t, "low")
		high := rapid.IntRange(low, feature.SplitTotal).Draw(t, "high")
		key := rapid.String().Draw(t, "key")
		before := eval.Compile(&feature.FlagSet{Flags: []*feature.Flag{splitFlag("f", low)}})
		after := eval.Compile(&feature.FlagSet{Flags: []*feature.Flag{splitFlag("f", high)}})
		if isOn(before, "f", key) && !isOn(after, "f", key) {
			t.Fatalf("%q is on at %d and off at %d", key, low, high)
		}
	})
}

// TestRecompileEqualsCompile: however a program came about, it answers as one
// that was compiled from nothing.
func TestRecompileEqualsCompile(t *testing.T) {
	segment := func(t *rapid.T, key string) *feature.Segment {
		s := &feature.Segment{Key: key}
		switch rapid.IntRange(0, 4).Draw(t, "segment") {
		case 0:
			s.Included = []string{"u1"}
		case 1:
			s.When = &feature.Condition{Segment: rapid.SampledFrom([]string{"s0", "s1", "s2"}).Draw(t, "nested")}
		case 2:
			s.Shards.Included = 1
		case 3:
			s.When = &feature.Condition{Attribute: "a", Op: "no such operator"}
		}
		return s
	}
	flag := func(t *rapid.T, key string) *feature.Flag {
		f := splitFlag(key, rapid.SampledFrom([]int{0, 50_000, 100_000, 100_001}).Draw(t, "weight"))
		if rapid.Bool().Draw(t, "prerequisite") {
			f.Prerequisites = []feature.Prerequisite{{Flag: rapid.SampledFrom([]string{"f0", "f1", "f2", "f3"}).Draw(t, "other"), Variants: []string{"on"}}}
		}
		if rapid.Bool().Draw(t, "rule") {
			f.Rules = []feature.Rule{{
				ID: "r", When: feature.Condition{Segment: rapid.SampledFrom([]string{"s0", "s1", "s2"}).Draw(t, "s")},
				Serve: feature.Serve{Variant: "on"},
			}}
		}
		if rapid.IntRange(0, 3).Draw(t, "state") == 0 {
			f.State = feature.StateDisabled
		}
		return f
	}
	rapid.Check(t, func(t *rapid.T) {
		program := eval.Compile(&feature.FlagSet{})
		set := &feature.FlagSet{}
		for range rapid.IntRange(1, 8).Draw(t, "versions") {
			next := &feature.FlagSet{}
			for i := range 4 {
				key := fmt.Sprint("f", i)
				at := indexOf(len(set.Flags), func(i int) bool { return set.Flags[i].Key == key })
				switch what := rapid.IntRange(0, 3).Draw(t, "flag"); {
				case what == 0: // it is not there
				case what == 1 || at < 0:
					next.Flags = append(next.Flags, flag(t, key))
				default:
					next.Flags = append(next.Flags, set.Flags[at])
				}
			}
			for i := range 3 {
				key := fmt.Sprint("s", i)
				at := indexOf(len(set.Segments), func(i int) bool { return set.Segments[i].Key == key })
				switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
				case what == 0:
				case what == 1 || at < 0:
					next.Segments = append(next.Segments, segment(t, key))
				default:
					next.Segments = append(next.Segments, set.Segments[at])
				}
			}
			if rapid.Bool().Draw(t, "keys") {
				next.Keys = []*feature.SegmentKeys{{Segment: "s1", List: feature.ListIncluded, Keys: []string{"u1"}}}
			}
			set = next
			program = program.Recompile(set)
			fresh := eval.Compile(set)
			ec := feature.NewContext("u1")
			for _, key := range append(fresh.Keys(), "f9") {
				got, want := program.Resolve(key, &ec), fresh.Resolve(key, &ec)
				if got.Variant != want.Variant || got.Reason != want.Reason || got.ErrorCode != want.ErrorCode || got.RuleID != want.RuleID {
					t.Fatalf("%s: recompiled %+v, compiled %+v", key, got, want)
				}
			}
			if a, b := fmt.Sprint(program.Keys(), len(program.Faults())), fmt.Sprint(fresh.Keys(), len(fresh.Faults())); a != b {
				t.Fatalf("recompiled %s, compiled %s", a, b)
			}
		}
	})
}

func indexOf(n int, is func(i int) bool) int {
	for i := range n {
		if is(i) {
			return i
		}
	}
	return -1
}
