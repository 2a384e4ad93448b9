package cli

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/flagplan"
)

// TestApplyManyTwice applies many flags, and again: the second time changes nothing
// and says so. What is exported then makes another server the same.
func TestApplyManyTwice(t *testing.T) {
	environments := []string{"development", "production", "staging"}
	count := manyFlagsCount
	if testing.Short() {
		count = 200
	}
	server := startCodeServer(t, environments...)
	before := server.versions()
	file := server.file("many.yaml", manyFlags(count, environments...))

	out := server.must("apply", "-f", file)
	if want := fmt.Sprintf("Plan: %d flags to create, 3 segments to write, in development, production, staging", count); !strings.Contains(out, want) {
		t.Errorf("the plan does not say %q\n%.2000s", want, out)
	}
	after := server.versions()
	for id := range after {
		if after[id] != before[id]+1 {
			t.Errorf("%s went from version %d to %d, not by one commit", id, before[id], after[id])
		}
	}

	out = server.must("apply", "-f", file)
	if want := fmt.Sprintf("Nothing to change: shop is as the files say (%d flags, 1 segment)\n", count); out != want {
		t.Errorf("the second time it says %q, not %q", out, want)
	}
	if again := server.versions(); !maps.Equal(after, again) {
		t.Errorf("the second time it changed versions from %v to %v", after, again)
	}

	folder, one := filepath.Join(t.TempDir(), "flags"), filepath.Join(t.TempDir(), "all.json")
	server.must("export", "--dir", folder)
	server.must("export", "-o", one)
	other := startCodeServer(t, environments...)
	other.must("apply", "-f", folder)
	if want, got := server.digests(), other.digests(); !maps.Equal(want, got) {
		t.Errorf("exported and applied, the digests are %v, not %v", got, want)
	}
	if out := other.must("apply", "--prune", "-f", one); !strings.HasPrefix(out, "Nothing to change") {
		t.Errorf("one file and a folder differ: %.2000s", out)
	}
}

const small = `
flags:
  checkout:
    type: boolean
    description: The checkout.
    environments:
      production:
        state: ENABLED
        prerequisites: [{flag: payments, variants: [on]}]
        rules:
          - when: {segment: beta}
            serve: {variant: on}
        default: {split: {weights: [[on, 25000], [off, 75000]]}}
  payments:
    type: boolean
    environments:
      production: {state: ENABLED}
segments:
  beta:
    environments:
      production: {included: [user-1, user-2]}
`

func TestApplyShowsWhatChanges(t *testing.T) {
	server := startCodeServer(t, "production", "staging")
	server.must("apply", "-f", server.file("a.yaml", small))
	changed := strings.NewReplacer(
		"The checkout.", "The checkout on one page.\n    tags: [web]",
		"        rules:\n", "        rules:\n          - name: pro\n            when: {attribute: plan, op: in, values: [pro]}\n            serve: {variant: on}\n",
		"25000", "50000", "75000", "50000",
		"user-2", "user-3",
	).Replace(small)
	out := server.must("apply", "--dry-run", "-f", server.file("a.yaml", changed))
	want := `~ flag checkout
  - description: The checkout.
  + description: The checkout on one page.
  + tags: [web]
  ~ production
    + rule {id: r2, name: pro, when: {attribute: plan, op: in, values: [pro]}, serve: {variant: "on"}}
    - default: {split: {salt: checkout., weights: [["on", 25000], ["off", 75000]]}}
    + default: {split: {salt: checkout., weights: [["on", 50000], ["off", 50000]]}}
~ segment beta in production
  - included: user-2
  + included: user-3
Plan: 1 flag to change, 1 segment to write, in production
Dry run: the server would take this; nothing was changed
`
	if out != want {
		t.Errorf("it says\n%s\nnot\n%s", out, want)
	}
}

// TestApplyRefusesWhatChangedMeanwhile changes the server after its state was read.
func TestApplyRefusesWhatChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(c *control.Control) error{
		"configuration": func(c *control.Control) error {
			_, err := c.PatchFlag(t.Context(), control.Write{}, codeProject, "production", "payments", []byte(`{"state":"DISABLED"}`))
			return err
		},
		"definition": func(c *control.Control) error {
			_, err := c.PatchDefinition(t.Context(), control.Write{}, codeProject, "checkout", []byte(`{"description":"Other."}`))
			return err
		},
		"creation": func(c *control.Control) error {
			_, err := c.CreateFlag(t.Context(), control.Write{}, codeProject, control.Definition{Definition: feature.Definition{Key: "late", Type: feature.TypeBoolean}})
			return err
		},
		"segment": func(c *control.Control) error {
			_, err := c.UpdateSegmentKeys(t.Context(), control.Write{}, codeProject, "production", "beta", feature.ListIncluded, []string{"user-9"}, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startCodeServer(t, "production")
			server.must("apply", "-f", server.file("a.yaml", small))
			changed := strings.NewReplacer(
				"The checkout.", "The checkout on one page.", "production: {state: ENABLED}", "production: {state: ENABLED, default: {variant: off}}",
				"user-2", "user-3", "segments:", "  late: {type: boolean}\nsegments:",
			).Replace(small)
			file := server.file("a.yaml", changed)
			before := server.versions()
			server.beforeWrite(func() {
				if err := change(server.control); err != nil {
					t.Error(err)
				}
			})
			problems := server.refused("apply", "-f", file)
			if !strings.Contains(problems, "nothing was changed") || !strings.Contains(problems, "apply again") && name != "creation" {
				t.Errorf("it says %q", problems)
			}
			moved := 0
			for id, version := range server.versions() {
				moved += int(version - before[id])
			}
			if want := map[string]int{"creation": 2}[name]; moved != max(want, 1) {
				t.Errorf("the sets moved by %d versions: more than the other change was made", moved)
			}
			server.before = nil
			server.must("apply", "-f", file)
		})
	}
}

func TestApplyPrunes(t *testing.T) {
	server := startCodeServer(t, "production", "staging")
	more := strings.Replace(small, "segments:\n", `
  old-a: {type: boolean, environments: {production: {state: DISABLED, prerequisites: [{flag: old-b, variants: [on]}]}}}
  old-b: {type: boolean, environments: {production: {state: DISABLED, rules: [{when: {segment: old-c}, serve: {variant: on}}]}}}
segments:
  old-c: {environments: {production: {when: {segment: old-d}}}}
  old-d: {environments: {production: {included: [x]}, staging: {included: [x]}}}
`, 1)
	server.must("apply", "-f", server.file("more.yaml", more))
	file := server.file("a.yaml", small)

	if out := server.must("apply", "-f", file); !strings.HasPrefix(out, "Nothing to change") {
		t.Errorf("without --prune it says %q", out)
	}
	problems := server.refused("apply", "-f", file, "--prune", "--env", "production")
	if want := `flag old-b in production: rules[0].when.segment: there is no segment "old-c"`; !strings.Contains(problems, want) {
		t.Errorf("what stays needs a segment, and it says %q", problems)
	}
	out := server.must("apply", "-f", file, "--prune", "--env", "staging")
	if want := `- segment old-d in staging
  flag old-a is not in the files; it stays, because --env is given
  flag old-b is not in the files; it stays, because --env is given
Plan: 1 segment to delete, in staging
`; !strings.HasPrefix(out, want) {
		t.Errorf("with --env it says\n%s", out)
	}
	out = server.must("apply", "-f", file, "--prune")
	if want := `- flag old-a
- flag old-b
- segment old-c in production
- segment old-d in production
Plan: 2 flags to delete, 2 segments to delete, in production
`; !strings.HasPrefix(out, want) {
		t.Errorf("it says\n%s", out)
	}
	if out := server.must("apply", "-f", file, "--prune"); !strings.HasPrefix(out, "Nothing to change") {
		t.Errorf("again it says %q", out)
	}
	if left, err := server.control.DefinitionPage(t.Context(), codeProject, control.FlagQuery{Query: control.Query{Limit: 10}}); err != nil || len(left.Items) != 2 {
		t.Errorf("%d flags are left: %v", len(left.Items), err)
	}
}

// TestApplyPrunesWhatServesNothingElse leaves the server's refusal standing: what
// still decides is not deleted by the way.
func TestApplyPrunesWhatServesNothingElse(t *testing.T) {
	server := startCodeServer(t, "production")
	server.must("apply", "-f", server.file("a.yaml", small))
	before := server.versions()
	problems := server.refused("apply", "--prune", "-f", server.file("b.yaml", `
flags: {payments: {type: boolean, environments: {production: {state: DISABLED}}}}
`))
	if !strings.Contains(problems, "nothing was changed") || !strings.Contains(problems, "checkout") || !strings.Contains(problems, "still decides") {
		t.Errorf("it says %q", problems)
	}
	if after := server.versions(); !maps.Equal(before, after) {
		t.Errorf("versions went from %v to %v", before, after)
	}
}

// TestApplyReplacesVariants takes away a variant that is served, and gives the flag
// another one: neither is possible without the other.
func TestApplyReplacesVariants(t *testing.T) {
	server := startCodeServer(t, "production")
	text := `
flags:
  ranking:
    type: object
    variants: {old: {model: bm25, boost: {title: 2, none: null}}, kept: {x: 1, y: [1, null]}}
    metadata: {a: 1, b: 2}
    schema: {type: object}
    environments:
      production: {state: ENABLED, offVariant: old, default: {variant: old}}
`
	server.must("apply", "-f", server.file("a.yaml", text))
	changed := strings.NewReplacer(
		"old: {model: bm25, boost: {title: 2, none: null}}", "new: {model: hybrid}", "{x: 1, y: [1, null]}", "{y: [null], z: {a: {}}}",
		"{a: 1, b: 2}", "{b: 2, c: x}", "variant: old", "variant: new", "offVariant: old", "offVariant: new", "    schema: {type: object}\n", "",
	).Replace(text)
	file := server.file("b.yaml", changed)
	server.must("apply", "-f", file)
	if out := server.must("apply", "-f", file); !strings.HasPrefix(out, "Nothing to change") {
		t.Errorf("again it says %q", out)
	}
	flag, err := server.control.Flag(t.Context(), codeProject, "production", "ranking")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := feature.Encode(flag.Value.Definition); err != nil ||
		string(got) != `{"key":"ranking","type":"object","variants":{"kept":{"y":[null],"z":{"a":{}}},"new":{"model":"hybrid"}},"metadata":{"b":2,"c":"x"}}` {
		t.Errorf("it is %s, %v", got, err)
	}
	reordered := strings.Replace(changed, "{y: [null], z: {a: {}}}", "{z: {a: {}}, y: [null]}", 1)
	if out := server.must("apply", "-f", server.file("c.yaml", reordered)); !strings.HasPrefix(out, "Nothing to change") {
		t.Errorf("in another order it says %q", out)
	}
	null := strings.Replace(changed, "z: {a: {}}", "z: {a: null}", 1)
	if problems := server.refused("apply", "-f", server.file("d.yaml", null)); !strings.Contains(problems, "d.yaml:5:5: flag ranking: a value that is there already cannot be given a field that is null") {
		t.Errorf("of a null it says %q", problems)
	}
}

func TestApplySaysWhereTheServerFindsFault(t *testing.T) {
	server := startCodeServer(t, "production")
	for text, want := range map[string]string{
		`
flags:
  a:
    type: object
    variants: {x: {model: 7}}
    schema: {properties: {model: {type: string}}}
`: "a.yaml:5:16: at /model",
		`
flags:
  a: {type: boolean, environments: {production: {state: ENABLED}, nowhere: {state: ENABLED}}}
`: "project shop has no environment nowhere",
		`
flags:
  a: {type: boolean, environments: {production: {state: ENABLED, prerequisites: [{flag: b, variants: [on]}]}}}
`: `a.yaml:3:83: flag a in production: prerequisites[0].flag: there is no flag "b"`,
	} {
		if problems := server.refused("apply", "-f", server.file("a.yaml", text)); !strings.Contains(problems, want) {
			t.Errorf("it says %q, not %q", problems, want)
		}
	}
	server.must("apply", "-f", server.file("a.yaml", "flags: {a: {type: boolean}}"))
	if problems := server.refused("apply", "-f", server.file("a.yaml", "flags: {a: {type: string, variants: {x: y}}}")); !strings.Contains(problems, "a.yaml:1:13: flag a is a boolean flag on the server") {
		t.Errorf("of another type it says %q", problems)
	}
	if _, err := server.control.ArchiveFlag(t.Context(), control.Write{}, codeProject, "a", true); err != nil {
		t.Fatal(err)
	}
	if problems := server.refused("apply", "-f", server.file("a.yaml", "flags: {a: {type: boolean}}")); !strings.Contains(problems, "a.yaml:1:9: flag a is archived on the server") {
		t.Errorf("of an archived flag it says %q", problems)
	}
}

// TestApplyPaintsThePlan wants what comes in green and what goes in red, and no
// colours where nobody sees them.
func TestApplyPaintsThePlan(t *testing.T) {
	t.Setenv("CLICOLOR_FORCE", "1")
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	plan := &flagplan.Plan{Segments: []flagplan.SegmentChange{{
		Environment: "production", Key: "beta",
		Before: &feature.Segment{Key: "beta", Included: []string{"a"}}, After: &feature.Segment{Key: "beta", Included: []string{"b\x1b[0m"}},
	}}}
	for _, rich := range []bool{true, false} {
		var out bytes.Buffer
		a := applying{applyCmd: &applyCmd{}, Plan: plan, screen: &screen{out: &out, err: &out, rich: rich}}
		a.show()
		green, red := strings.Contains(out.String(), "\x1b[32m+ included: \"b"), strings.Contains(out.String(), "\x1b[31m- included: a")
		if green != rich || red != rich || strings.Contains(out.String(), "b\x1b") {
			t.Errorf("rich %t: it prints %q", rich, out.String())
		}
	}
}
