package flagfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/flagfile"
	"github.com/wigwag/wigwag/internal/store/memory"
)

// server returns the use cases over an empty project with one environment.
func server(t *testing.T) *control.Control {
	t.Helper()
	st := memory.New()
	t.Cleanup(func() { _ = st.Close() })
	c := control.New(st)
	if _, err := c.CreateProject(t.Context(), control.Write{}, control.Project{Key: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateEnvironment(t.Context(), control.Write{}, "p", control.Environment{Key: "e"}); err != nil {
		t.Fatal(err)
	}
	return c
}

func definition(f *flagfile.Flag) control.Definition {
	return control.Definition{
		Definition: f.Definition.Definition, Description: f.Description, Owner: f.Owner, Tags: f.Tags,
		Permanent: f.Permanent, Schema: f.Schema,
	}
}

// TestWhatIsLeftOutIsAsTheServerFillsIt compares with a server that is told no
// more than the file says.
func TestWhatIsLeftOutIsAsTheServerFillsIt(t *testing.T) {
	long := strings.Repeat("long-", 20)
	for _, key := range []string{"short", long[:63], long[:64], long} {
		for _, said := range []string{
			"type: boolean",
			"type: boolean, variants: {off: false, on: true}",
			"type: boolean, variants: {yes: true}",
			"type: boolean, variants: {no: false, never: false}",
			"type: string, variants: {a: x, b: y, c: z}",
			"type: number, variants: {a: 1}",
		} {
			c := server(t)
			text := fmt.Sprintf("flags: {%s: {%s}}", key, said)
			document, err := flagfile.Parse(flagfile.Source{Name: "x.yaml", Text: []byte(text)})
			if err != nil {
				t.Fatal(err)
			}
			flag := document.Flag(key)
			if _, err := c.CreateFlag(t.Context(), control.Write{}, "p", definition(flag)); err != nil {
				t.Fatal(err)
			}
			served, err := c.Flag(t.Context(), "p", "e", key)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(served.Value.Configuration, flagfile.Initial(flag.Definition.Definition)); diff != "" {
				t.Errorf("%s: the initial configuration (-server +file)\n%s", text, diff)
			}

			variant := flag.Variants[0].Key
			split := fmt.Sprintf(`{"split": {"weights": [["%s", 100000]]}}`, variant)
			patch := `{"state": "ENABLED", "default": ` + split + `, "rules": [{"id": "x", "when": {"attribute": "a", "op": "exists"}, "serve": ` + split + `}]}`
			patched, err := c.PatchFlag(t.Context(), control.Write{}, "p", "e", key, []byte(patch))
			if err != nil {
				t.Fatal(err)
			}
			text = fmt.Sprintf("flags: {%s: {%s, environments: {e: %s}}}", key, said, patch)
			if document, err = flagfile.Parse(flagfile.Source{Name: "x.yaml", Text: []byte(text)}); err != nil {
				t.Fatal(err)
			}
			configuration := flagfile.Complete(key, document.Flag(key).Environments["e"], nil)
			if diff := cmp.Diff(patched.Value.Configuration, configuration); diff != "" {
				t.Errorf("%s: the configuration (-server +file)\n%s", text, diff)
			}
		}
	}
}

// TestLimitsAreThoseOfTheServer gives both what is just allowed and what is just
// not.
func TestLimitsAreThoseOfTheServer(t *testing.T) {
	tags := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint("tag-", i)
		}
		return list
	}
	for name, change := range map[string]func(d *flagfile.Definition, over int){
		"description": func(d *flagfile.Definition, over int) { d.Description = strings.Repeat("x", 2000+over) },
		"owner":       func(d *flagfile.Definition, over int) { d.Owner = strings.Repeat("x", 200+over) },
		"tags":        func(d *flagfile.Definition, over int) { d.Tags = tags(20 + over) },
		"tag":         func(d *flagfile.Definition, over int) { d.Tags = []string{strings.Repeat("x", 64+over)} },
	} {
		for over := range 2 {
			d := flagfile.Definition{Definition: feature.Definition{Key: "a", Type: feature.TypeBoolean}}
			change(&d, over)
			flag := flagfile.Flag{Definition: d}
			_, refused := server(t).CreateFlag(t.Context(), control.Write{}, "p", definition(&flag))
			text := flagfile.Encode(&flagfile.Document{Flags: []flagfile.Flag{flag}}, flagfile.JSON)
			_, fault := flagfile.Parse(flagfile.Source{Name: "x.json", Text: text})
			if (refused != nil) != (over > 0) || (fault != nil) != (over > 0) {
				t.Errorf("%s, %d too much: the server says %v, the file %v", name, over, refused, fault)
			}
		}
	}
}
