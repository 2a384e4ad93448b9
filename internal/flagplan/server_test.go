package flagplan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/internal/flagplan"
	"github.com/wigwag/wigwag/internal/store/memory"
)

const project = "p"

var environments = []string{"production", "staging"}

// server is the use cases over an empty project.
type server struct {
	t       testing.TB
	control *control.Control
}

// tb is what tests and properties have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newServer(t *testing.T, tb tb) *server {
	tb.Helper()
	st := memory.New()
	t.Cleanup(func() { _ = st.Close() })
	s := &server{t, control.New(st)}
	_, err := s.control.CreateProject(t.Context(), control.Write{}, control.Project{Key: project})
	for _, key := range environments {
		if err == nil {
			_, err = s.control.CreateEnvironment(t.Context(), control.Write{}, project, control.Environment{Key: key})
		}
	}
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return s
}

// state reads what the server has.
func (s *server) state(tb tb) *flagplan.State {
	tb.Helper()
	state := &flagplan.State{Definitions: map[string]flagplan.Definition{}, Environments: map[string]*flagplan.Environment{}}
	all := control.Query{Limit: 10_000}
	var definitions []control.Definition
	for _, archived := range []bool{false, true} {
		page, err := s.control.DefinitionPage(s.t.Context(), project, control.FlagQuery{Query: all, Archived: archived})
		if err != nil {
			tb.Fatalf("%v", err)
		}
		state.Position = page.Position
		definitions = append(definitions, page.Items...)
	}
	for i := range definitions {
		d := &definitions[i]
		state.Definitions[d.Key] = flagplan.Definition{Archived: d.Archived, Definition: flagfile.Definition{
			Definition: d.Definition, Description: d.Description, Owner: d.Owner, Tags: d.Tags, Permanent: d.Permanent, Schema: d.Schema,
		}}
	}
	for _, key := range environments {
		environment := &flagplan.Environment{Flags: map[string]feature.Configuration{}, Segments: map[string]feature.Segment{}}
		state.Environments[key] = environment
		flags, err := s.control.FlagPage(s.t.Context(), project, key, control.FlagQuery{Query: all})
		if err != nil {
			tb.Fatalf("%v", err)
		}
		environment.Position = flags.Position
		for _, flag := range flags.Items {
			environment.Flags[flag.Key] = flag.Configuration
		}
		segments, err := s.control.SegmentPage(s.t.Context(), project, key, all)
		if err != nil {
			tb.Fatalf("%v", err)
		}
		for _, segment := range segments.Items {
			environment.Segments[segment.Key] = *segment
		}
	}
	return state
}

// carryOut sends a plan as a request would.
func (s *server) carryOut(tb tb, plan *flagplan.Plan, state *flagplan.State) error {
	tb.Helper()
	body, err := json.Marshal(plan.Operations(state))
	if err != nil {
		tb.Fatalf("%v", err)
	}
	var changes []control.BatchChange
	if err := feature.DecodeStrict(body, &changes); err != nil {
		tb.Fatalf("the request is not of the contract: %v\n%s", err, body)
	}
	if _, err := s.control.ApplyChanges(s.t.Context(), control.Write{}, project, changes); err != nil {
		return fmt.Errorf("%w\n%s", err, body)
	}
	return nil
}

func parse(tb tb, text string) *flagfile.Document {
	tb.Helper()
	document, err := flagfile.Parse(flagfile.Source{Name: "x.yaml", Text: []byte(text)})
	if err == nil {
		err = document.Check()
	}
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return document
}

// anyFile draws a valid file. What a flag or a segment names comes before it and is
// in the same file. Quiet flags are all disabled.
func anyFile(t *rapid.T, label string, quiet bool) string {
	draw := func(format string, args ...any) bool { return rapid.Bool().Draw(t, label+fmt.Sprintf(format, args...)) }
	pick := func(of []string, format string, args ...any) string {
		return rapid.SampledFrom(of).Draw(t, label+fmt.Sprintf(format, args...))
	}
	var flags, segments strings.Builder
	inSegments := map[string][]string{}
	for i := range 4 {
		if !draw("segment %d", i) {
			continue
		}
		key := fmt.Sprintf("s%d", i)
		var in []string
		for _, environment := range environments {
			if !draw("segment %d in %s", i, environment) {
				continue
			}
			when := pick([]string{
				`{attribute: x, op: exists}`, `{not: {attribute: x, op: in, values: [1]}}`, `{any: [{attribute: y, op: in, values: [a, b]}]}`,
			}, "when %d %s", i, environment)
			if known := inSegments[environment]; len(known) > 0 && draw("nested %d %s", i, environment) {
				when = pick([]string{`{segment: %s}`, `{not: {segment: %s}}`, `{all: [{segment: %s}]}`}, "nesting %d %s", i, environment)
				when = fmt.Sprintf(when, pick(known, "known %d %s", i, environment))
			}
			fields := []string{"included: [" + pick([]string{"a", "a, b", "c"}, "included %d %s", i, environment) + "]"}
			if draw("conditional %d %s", i, environment) {
				fields = append(fields, "when: "+when)
			}
			if draw("named %d %s", i, environment) {
				fields = append(fields, "name: "+pick([]string{"A", "B"}, "name %d %s", i, environment))
			}
			in = append(in, environment+": {"+strings.Join(fields, ", ")+"}")
		}
		if len(in) == 0 {
			continue
		}
		for _, said := range in {
			environment, _, _ := strings.Cut(said, ":")
			inSegments[environment] = append(inSegments[environment], key)
		}
		fmt.Fprintf(&segments, "  %s: {environments: {%s}}\n", key, strings.Join(in, ", "))
	}
	values := map[string][]string{"a": {"{m: 1}", "{m: 2, n: {o: [null]}}"}, "b": {"{n: {p: x}}", "{}"}, "c": {"{z: 1}"}}
	var before []string // flags, each with its variants
	for i := range 5 {
		if !draw("flag %d", i) {
			continue
		}
		variants := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, label+fmt.Sprint("variants ", i))]
		if draw("reversed %d", i) {
			variants = slices.Clone(variants)
			slices.Reverse(variants)
		}
		if draw("shifted %d", i) {
			variants = variants[1:]
		}
		if len(variants) == 0 {
			variants = []string{"c"}
		}
		fmt.Fprintf(&flags, "  f%d:\n    type: object\n    variants: {", i)
		for _, variant := range variants {
			fmt.Fprintf(&flags, "%s: %s, ", variant, pick(values[variant], "value %d %s", i, variant))
		}
		flags.WriteString("}\n")
		for _, field := range []string{"description: D", "owner: O", "tags: [x, y]", "clientVisible: true", "metadata: {k: 1}", "metadata: {l: x, k: true}", "schema: {type: object}"} {
			if draw("%s %d", field, i) && !(strings.HasPrefix(field, "metadata: {l") && strings.Contains(flags.String()[strings.LastIndex(flags.String(), fmt.Sprintf("  f%d:", i)):], "metadata")) {
				flags.WriteString("    " + field + "\n")
			}
		}
		flags.WriteString("    environments:\n")
		for _, environment := range environments {
			if !draw("flag %d in %s", i, environment) {
				continue
			}
			state := "ENABLED"
			if quiet || draw("off %d %s", i, environment) {
				state = "DISABLED"
			}
			variant := func(what string) string { return pick(variants, "%s %d %s", what, i, environment) }
			fmt.Fprintf(&flags, "      %s:\n        state: %s\n", environment, state)
			if draw("off variant %d %s", i, environment) {
				fmt.Fprintf(&flags, "        offVariant: %s\n", variant("offVariant"))
			}
			if len(before) > 0 && draw("prerequisite %d %s", i, environment) {
				flags.WriteString("        prerequisites: [" + pick(before, "before %d %s", i, environment) + "]\n")
			}
			if draw("split %d %s", i, environment) {
				fmt.Fprintf(&flags, "        default: {split: {weights: [[%s, 100000]]}}\n", variant("weight"))
			}
			rules := rapid.IntRange(0, 2).Draw(t, label+fmt.Sprintf("rules %d %s", i, environment))
			if rules > 0 {
				flags.WriteString("        rules:\n")
			}
			for n := range rules {
				when := pick([]string{`{attribute: x, op: exists}`, `{attribute: x, op: in, values: [1, 2]}`}, "rule %d %s %d", i, environment, n)
				if known := inSegments[environment]; len(known) > 0 && draw("rule in segment %d %s %d", i, environment, n) {
					when = "{segment: " + pick(known, "segment %d %s %d", i, environment, n) + "}"
				}
				fmt.Fprintf(&flags, "          - {when: %s, serve: {variant: %s}}\n", when, variant(fmt.Sprint("serve ", n)))
			}
		}
		before = append(before, fmt.Sprintf("{flag: f%d, variants: [%s]}", i, variants[0]))
	}
	return "flags:\n" + flags.String() + "segments:\n" + segments.String()
}

// refusals are why files that are valid by themselves cannot be planned.
var refusals = []string{"there is no segment", "there is no flag", "unknown variant", "does not fit", "null", "depends on itself"}

// TestWhatIsPlannedIsTaken plans from any state to any files: the server takes every
// plan, and then there is nothing left to plan.
func TestWhatIsPlannedIsTaken(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t, rt)
		options := flagplan.Options{Prune: rapid.Bool().Draw(rt, "prune")}
		if rapid.Bool().Draw(rt, "narrow") {
			options.Environments = []string{"staging"}
		}
		for step := range 3 {
			text := anyFile(rt, fmt.Sprintf("%d: ", step), options.Prune)
			document := parse(rt, text)
			state := s.state(rt)
			plan, err := flagplan.Make(document, state, options)
			var faults flagfile.Faults
			if errors.As(err, &faults) {
				// What is left of the files before may need what these take away; a
				// patch cannot set a null.
				for _, fault := range faults {
					if !slices.ContainsFunc(refusals, func(part string) bool { return strings.Contains(fault.Message, part) }) {
						rt.Fatalf("it cannot be planned: %v\n%s", err, text)
					}
				}
				continue
			}
			if plan.Empty() {
				continue
			}
			if err := s.carryOut(rt, plan, state); err != nil {
				rt.Fatalf("the server refuses the plan: %v\n%s", err, text)
			}
			again, err := flagplan.Make(document, s.state(rt), options)
			if err != nil || !again.Empty() {
				rt.Fatalf("there is more to plan: %v %+v\n%s", err, again.Lines(), text)
			}
			if options.Prune && len(options.Environments) == 0 && len(s.state(rt).Definitions) != len(document.Flags) {
				rt.Fatalf("flags are left that the files do not have\n%s", text)
			}
		}
	})
}
