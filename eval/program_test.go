package eval_test

import (
	"fmt"
	"testing"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
)

func sizedSet() *feature.FlagSet {
	set := &feature.FlagSet{}
	variants := feature.Variants{{Key: "on", Value: feature.BoolValue(true)}, {Key: "off", Value: feature.BoolValue(false)}}
	in := func(attribute string, values ...string) feature.Condition {
		c := feature.Condition{Attribute: attribute, Op: feature.OpIn}
		for _, v := range values {
			c.Values = append(c.Values, feature.StringValue(v))
		}
		return c
	}
	add := func(key string, change func(*feature.Flag)) {
		f := &feature.Flag{
			Definition:    feature.Definition{Key: key, Type: feature.TypeBoolean, Variants: variants},
			Configuration: feature.Configuration{State: feature.StateEnabled, OffVariant: "off", Default: feature.Serve{Variant: "on"}},
		}
		change(f)
		set.Flags = append(set.Flags, f)
	}
	add("f1", func(*feature.Flag) {})
	add("f2", func(f *feature.Flag) {
		for i := range 5 {
			f.Rules = append(f.Rules, feature.Rule{
				ID:    fmt.Sprint("r", i),
				When:  feature.Condition{All: []feature.Condition{in("country", "DE", "FR"), in("plan", fmt.Sprint("plan-", i))}},
				Serve: feature.Serve{Variant: "on"},
			})
		}
	})
	add("f3", func(f *feature.Flag) {
		f.Default = feature.Serve{Split: &feature.Split{Salt: "f3.", Weights: []feature.Weight{{Variant: "on", Weight: 50_000}, {Variant: "off", Weight: 50_000}}}}
	})
	add("f4", func(f *feature.Flag) {
		f.Rules = []feature.Rule{{ID: "r", When: feature.Condition{Segment: "big"}, Serve: feature.Serve{Variant: "on"}}}
	})
	add("f5", func(f *feature.Flag) {
		f.Prerequisites = []feature.Prerequisite{{Flag: "f1", Variants: []string{"on"}}}
	})
	big := &feature.Segment{Key: "big"}
	for i := range 10_000 {
		big.Included = append(big.Included, fmt.Sprint("user-", i))
	}
	set.Segments = []*feature.Segment{big}
	return set
}

var contexts = feature.NewContext("user-42",
	feature.String("country", "DE"), feature.String("plan", "plan-4"), feature.Int("age", 30))

func TestResolveAllocatesNothing(t *testing.T) {
	program := eval.Compile(sizedSet())
	for _, key := range program.Keys() {
		if n := testing.AllocsPerRun(100, func() { program.Resolve(key, &contexts) }); n != 0 {
			t.Errorf("Resolve(%s) allocates %v times", key, n)
		}
		built := testing.AllocsPerRun(100, func() {
			ec := feature.NewContext("user-42", feature.String("country", "DE"), feature.String("plan", "plan-4"))
			program.Resolve(key, &ec)
		})
		if built != 0 {
			t.Errorf("Resolve(%s) with a context built for the call allocates %v times", key, built)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	program := eval.Compile(sizedSet())
	for _, key := range program.Keys() {
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				program.Resolve(key, &contexts)
			}
		})
	}
}
