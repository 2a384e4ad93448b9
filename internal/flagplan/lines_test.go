package flagplan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/flagplan"
)

// shown applies one file to an empty server and plans the other one.
func shown(t *testing.T, before, after string, options flagplan.Options) *flagplan.Plan {
	t.Helper()
	s := newServer(t, t)
	state := s.state(t)
	plan, err := flagplan.Make(parse(t, before), state, flagplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Empty() {
		if err := s.carryOut(t, plan, state); err != nil {
			t.Fatal(err)
		}
	}
	if plan, err = flagplan.Make(parse(t, after), s.state(t), options); err != nil {
		t.Fatal(err)
	}
	return plan
}

func texts(p *flagplan.Plan) string {
	var b strings.Builder
	for _, line := range p.Lines() {
		fmt.Fprintf(&b, "%s%c %s\n", strings.Repeat("  ", line.Level), line.Sign, line.Text)
	}
	return b.String()
}

func TestLines(t *testing.T) {
	const other = "  b: {type: boolean}\n"
	flag := func(configuration string) string {
		return "flags:\n" + other + "  a:\n    type: string\n    variants: {x: X, y: Y}\n    environments: {production: " + configuration + "}\n"
	}
	segment := func(text string) string {
		return "segments:\n  s: {environments: {production: {" + text + "}}}\n"
	}
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("k%02d", i))
	}
	for name, test := range map[string]struct{ before, after, want string }{
		"a new flag in no environment": {
			"flags:\n", "flags: {a: {type: boolean, description: 'a: b'}}",
			"+ flag a\n  + type: boolean\n  + description: \"a: b\"\n  + variants: {\"on\": true, \"off\": false}\n",
		},
		"rules in another order": {
			flag("{state: ENABLED, rules: [{id: r, when: {attribute: p, op: exists}, serve: {variant: x}}, {id: s, when: {attribute: q, op: exists}, serve: {variant: x}}]}"),
			flag("{state: ENABLED, rules: [{id: s, when: {attribute: q, op: exists}, serve: {variant: x}}, {id: r, when: {attribute: p, op: exists}, serve: {variant: x}}]}"),
			"~ flag a\n  ~ production\n    - rules in the order r, s\n    + rules in the order s, r\n",
		},
		"a rule that changes, one that goes": {
			flag("{state: ENABLED, rules: [{id: r, when: {attribute: p, op: exists}, serve: {variant: x}}, {id: s, when: {attribute: q, op: exists}, serve: {variant: x}}]}"),
			flag("{state: ENABLED, rules: [{id: s, when: {attribute: q, op: exists}, serve: {variant: y}}]}"),
			"~ flag a\n  ~ production\n" +
				"    - rule {id: r, when: {attribute: p, op: exists}, serve: {variant: x}}\n" +
				"    - rule {id: s, when: {attribute: q, op: exists}, serve: {variant: x}}\n" +
				"    + rule {id: s, when: {attribute: q, op: exists}, serve: {variant: \"y\"}}\n",
		},
		"overrides and prerequisites": {
			flag("{state: ENABLED, overrides: [{variant: x, targetingKeys: [u]}]}"),
			flag("{state: ENABLED, offVariant: x, prerequisites: [{flag: b, variants: [on]}], overrides: [{variant: x, targetingKeys: [u, v]}]}"),
			"~ flag a\n  ~ production\n    - offVariant: \"y\"\n    + offVariant: x\n    + prerequisite {flag: b, variants: [\"on\"]}\n" +
				"    - override {variant: x, targetingKeys: [u]}\n    + override {variant: x, targetingKeys: [u, v]}\n",
		},
		"two overrides of one variant": {
			flag("{state: ENABLED, overrides: [{variant: x, targetingKeys: [u]}, {variant: x, targetingKeys: [v]}]}"),
			flag("{state: ENABLED, overrides: [{variant: x, targetingKeys: [u]}, {variant: x, targetingKeys: [w]}]}"),
			"~ flag a\n  ~ production\n" +
				"    - overrides: [{variant: x, targetingKeys: [u]}, {variant: x, targetingKeys: [v]}]\n" +
				"    + overrides: [{variant: x, targetingKeys: [u]}, {variant: x, targetingKeys: [w]}]\n",
		},
		"keys of a segment": {
			segment("name: S, included: [a, b]"), segment("included: [b, " + strings.Join(keys, ", ") + "], when: {attribute: p, op: exists}"),
			"~ segment s in production\n  - name: S\n  - included: a\n  + included: k00, k01, k02, k03, k04, k05, k06, k07, k08, k09 and 20 more\n  + when: {attribute: p, op: exists}\n",
		},
		"a long text": {
			flag("{state: ENABLED}"), strings.Replace(flag("{state: ENABLED}"), "{x: X", "{x: "+strings.Repeat("é", 600), 1),
			"~ flag a\n  - variants: {x: X, \"y\": \"Y\"}\n  + variants: {x: \"" + strings.Repeat("é", 495) + "…\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, texts(shown(t, test.before, test.after, flagplan.Options{}))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestLargePlansNameEverything keeps the plan of many flags readable, and names
// what is deleted first.
func TestLargePlansNameEverything(t *testing.T) {
	var text strings.Builder
	text.WriteString("flags:\n")
	for i := range 120 {
		fmt.Fprintf(&text, "  f%03d: {type: boolean, environments: {production: {state: ENABLED}, staging: {state: ENABLED}}}\n", i)
	}
	plan := shown(t, "flags: {x: {type: boolean}}\nsegments: {s: {environments: {production: {included: [a]}}}}", text.String(), flagplan.Options{Prune: true})
	lines := strings.Split(texts(plan), "\n")
	if len(lines) != 123 || lines[0] != "- flag x" || lines[1] != "- segment s in production" || lines[2] != "+ flag f000: definition, production, staging" {
		t.Errorf("%d lines: %q", len(lines), lines[:3])
	}
	if want := "120 flags to create, 1 flag to delete, 1 segment to delete, in production, staging"; plan.Summary() != want {
		t.Errorf("the summary is %q, not %q", plan.Summary(), want)
	}
}

// TestOperationsAreConditional wants every operation on something that is there to
// say what it is based on.
func TestOperationsAreConditional(t *testing.T) {
	s := newServer(t, t)
	state := s.state(t)
	plan, err := flagplan.Make(parse(t, `
flags:
  a: {type: boolean, environments: {production: {state: ENABLED}}}
  gone: {type: boolean}
segments:
  s: {environments: {production: {included: [a]}, staging: {included: [a]}}}
`), state, flagplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.carryOut(t, plan, state); err != nil {
		t.Fatal(err)
	}
	state = s.state(t)
	plan, err = flagplan.Make(parse(t, `
flags:
  a: {type: boolean, description: D, variants: {off: false, no: false}, environments: {production: {state: DISABLED, default: {variant: no}}, staging: {state: ENABLED}}}
  new: {type: boolean, environments: {production: {state: ENABLED}}}
segments:
  s: {environments: {production: {included: [b]}}}
  t: {environments: {production: {included: [b]}}}
`), state, flagplan.Options{Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, o := range plan.Operations(state) {
		actions = append(actions, strings.TrimSpace(o.Action+" "+o.Environment))
		want := state.Position
		if o.Environment != "" {
			want = state.Environments[o.Environment].Position
		}
		if create := strings.HasPrefix(o.Action, "create"); create == (o.IfMatch == want) || create != o.IfMatch.IsZero() {
			t.Errorf("%s %s is based on %s", o.Action, o.Key, o.IfMatch)
		}
		if key, environment, segment := o.About(); key == "" || environment != o.Environment || segment != strings.HasSuffix(o.Action, "Segment") {
			t.Errorf("%s is about %q in %q, a segment: %t", o.Action, key, environment, segment)
		}
	}
	want := []string{
		"createFlag", "patchDefinition", "patchSegment production", "createSegment production",
		"putFlag production", "putFlag staging", "putFlag production", "patchDefinition", "deleteSegment staging", "archiveFlag", "deleteFlag",
	}
	if !slices.Equal(actions, want) {
		t.Errorf("the operations are\n%q\nnot\n%q", actions, want)
	}
	if err := s.carryOut(t, plan, state); err != nil {
		t.Error(err)
	}
}
