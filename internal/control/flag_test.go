package control

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func TestPatchFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	staging, catalogue := f.position(t, "staging"), f.position(t, "")
	written, err := f.PatchFlag(ctx, Write{Actor: "bob", Comment: "launch"}, "shop", "production", "checkout", []byte(`{
		"state":"ENABLED",
		"prerequisites":[{"flag":"payments","variants":["on"]}],
		"rules":[{"name":"beta","when":{"segment":"beta"},"serve":{"split":{"weights":[["on",25000],["off",75000]]}}}],
		"default":{"variant":"off"}}`))
	if err != nil {
		t.Fatal(err)
	}
	id := written.Value.Rules[0].ID
	want := `{"key":"checkout","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off",` +
		`"prerequisites":[{"flag":"payments","variants":["on"]}],` +
		`"rules":[{"id":"` + id + `","name":"beta","when":{"segment":"beta"},"serve":{"split":{"salt":"checkout.","weights":[["on",25000],["off",75000]]}}}],` +
		`"default":{"variant":"off"}}`
	if got := text(written.Value); id == "" || got != want {
		t.Errorf("the flag is\n%s, want\n%s", got, want)
	}
	flag, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil || text(flag.Value) != want || flag.ChangedAt != written.Position || flag.Position != written.Position {
		t.Errorf("read back: %+v, %v", flag, err)
	}
	item, err := f.store.Item(ctx, store.SetID{Project: "shop", Environment: "production"}, flagRef("checkout"))
	if err != nil || string(item.Body) != want {
		t.Errorf("SDKs would get %s, %v", item.Body, err)
	}
	if diff := cmp.Diff(map[string]snapshot.Position{"production": written.Position}, written.Environments); diff != "" {
		t.Error(diff)
	}
	if f.position(t, "staging") != staging || f.position(t, "") != catalogue {
		t.Error("another set was touched")
	}

	t.Run("nothing", func(t *testing.T) {
		f.leavesAsIs(t, func() error {
			again, err := f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED","overrides":null}`))
			if again.Position != written.Position {
				t.Errorf("the position is %s", again.Position)
			}
			return err
		})
	})
	t.Run("other flags are as they were", func(t *testing.T) {
		flags, err := f.Flags(ctx, "shop", "production")
		if err != nil || len(flags) != 3 || flags[2].ChangedAt.Version >= written.Position.Version || flags[2].Position != written.Position {
			t.Errorf("%+v, %v", flags, err)
		}
	})
	t.Run("taking back", func(t *testing.T) {
		cleared, err := f.PatchFlag(ctx, Write{IfMatch: written.Position}, "shop", "production", "checkout",
			[]byte(`{"prerequisites":null,"rules":[]}`))
		if err != nil || len(cleared.Value.Prerequisites)+len(cleared.Value.Rules) != 0 || cleared.Position.Version != written.Position.Version+1 {
			t.Errorf("%+v, %v", cleared, err)
		}
	})
}

func TestRefusedConfigurations(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	before, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"prerequisites":[{"flag":"payments","variants":["on"]}]}`)))
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "payments", []byte(`{"prerequisites":[{"flag":"color","variants":["red","blue"]}]}`)))
	patch := func(w Write, flag, patch string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.PatchFlag(ctx, w, "shop", "production", flag, []byte(patch))
			return err
		}
	}
	refusals := []refusal{
		{"no JSON", patch(ann, "checkout", `{`), fault.Invalid, "line 1", ""},
		{"no object", patch(ann, "checkout", `"ENABLED"`), fault.Invalid, "send a JSON object", ""},
		{"twice", patch(ann, "checkout", `{"state":"ENABLED","state":"DISABLED"}`), fault.Invalid, "twice", "state"},
		{"unknown field", patch(ann, "checkout", `{"sate":"ENABLED"}`), fault.Invalid, "sate", "sate"},
		{"unknown field below", patch(ann, "checkout", `{"rules":[{"wen":{}}]}`), fault.Invalid, "wen", "rules[0].wen"},
		{"unknown state", patch(ann, "checkout", `{"state":"ON"}`), fault.Invalid, "ENABLED", "state"},
		{"no state", patch(ann, "checkout", `{"state":null}`), fault.Invalid, "state", "state"},
		{"unknown variant", patch(ann, "checkout", `{"default":{"variant":"maybe"}}`), fault.Invalid, "maybe", "default.variant"},
		{"two forms", patch(ann, "checkout", `{"default":{"variant":"on","split":{"weights":[["on",100000]]}}}`), fault.Invalid, "", "default"},
		{"weights", patch(ann, "checkout", `{"default":{"variant":null,"split":{"weights":[["on",1]]}}}`), fault.Invalid, "100000", "default.split.weights"},
		{"unknown segment", patch(ann, "checkout", `{"rules":[{"when":{"all":[{"segment":"gamma"}]},"serve":{"variant":"on"}}]}`), fault.Invalid, `"gamma"`, "rules[0].when.all[0].segment"},
		{"unknown flag", patch(ann, "checkout", `{"prerequisites":[{"flag":"none","variants":["on"]}]}`), fault.Invalid, `"none"`, "prerequisites[0].flag"},
		{"unknown variant of a flag", patch(ann, "checkout", `{"prerequisites":[{"flag":"color","variants":["on"]}]}`), fault.Invalid, `"on"`, "prerequisites[0].variants[0]"},
		{"itself", patch(ann, "color", `{"prerequisites":[{"flag":"color","variants":["red"]}]}`), fault.Invalid, "its own prerequisite", ""},
		{"cycle", patch(ann, "color", `{"prerequisites":[{"flag":"checkout","variants":["on"]}]}`), fault.Invalid, "color → checkout → payments → color", "prerequisites"},
		{"too large", patch(ann, "checkout", `{"rules":[`+largeRules()+`]}`), fault.Invalid, "at most", ""},
		{"stale", patch(Write{IfMatch: before.ChangedAt}, "checkout", `{"state":"ENABLED"}`), fault.Stale, "last changed at " + before.Position.Epoch, ""},
		{"stale epoch", patch(Write{IfMatch: snapshot.Position{Epoch: "0", Version: 1 << 40}}, "checkout", `{"state":"ENABLED"}`), fault.Stale, "another history", ""},
		{"stale, though nothing changes", patch(Write{IfMatch: before.ChangedAt}, "checkout", `{}`), fault.Stale, "Read it again", ""},
	}
	for _, field := range definitionFields {
		refusals = append(refusals, refusal{
			"definition's " + field, patch(ann, "checkout", `{"`+field+`":null}`), fault.Invalid,
			"belongs to the flag's definition; patch projects/shop/flags/checkout", field,
		})
	}
	f.refuses(t, refusals)
}

func largeRules() string {
	value := `"` + strings.Repeat("v", 900) + `"`
	values := strings.Repeat(value+",", 299) + value
	rule := `{"when":{"attribute":"a","op":"in","values":[` + values + `]},"serve":{"variant":"on"}}`
	return rule + "," + rule
}

// TestPatchThatBreaksAnotherFlag makes a flag whose evaluation costs as much as
// is allowed too expensive by a change of its prerequisite.
func TestPatchThatBreaksAnotherFlag(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	// Each flag demands all flags before it, which doubles the cost.
	var demanded []feature.Prerequisite
	for i := range 10 {
		key := fmt.Sprintf("step-%d", i)
		must(t)(f.CreateFlag(ctx, ann, "shop", boolean(key)))
		must(t)(f.PatchFlag(ctx, ann, "shop", "production", key, []byte(`{"prerequisites":`+text(demanded)+`}`)))
		demanded = append(demanded, feature.Prerequisite{Flag: key, Variants: []string{"on"}})
	}
	f.refuses(t, []refusal{{
		"too expensive", func(ctx context.Context, f *fixture) error {
			_, err := f.PatchFlag(ctx, ann, "shop", "production", "step-0",
				[]byte(`{"prerequisites":[{"flag":"checkout","variants":["on"]},{"flag":"payments","variants":["on"]}]}`))
			return err
		}, fault.Invalid, `flag "step-9"`, "prerequisites",
	}})
}

// TestToggleReadsOneItem holds the cost of the most frequent write: it must not
// grow with the flag set.
func TestToggleReadsOneItem(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(
		`{"prerequisites":[{"flag":"payments","variants":["on"]}],"rules":[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	f.store.reset()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(`{"state":"ENABLED"}`)))
	// The flag, and the documents of project and environment, which may be archived.
	if reads, lists, puts := f.store.reads.Load(), f.store.lists.Load(), f.store.puts.Load(); reads != 3 || lists != 0 || puts != 1 {
		t.Errorf("a toggle reads %d items and %d lists and writes %d items", reads, lists, puts)
	}
}

// TestWritersLoseNothing has writers that add a targeting key each to one
// override, reading, changing and writing with If-Match until it is accepted.
func TestWritersLoseNothing(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	const writers, each = 4, 10
	add := func(key string) error {
		for {
			flag, err := f.Flag(ctx, "shop", "production", "checkout")
			if err != nil {
				return err
			}
			var keys []string
			if len(flag.Value.Overrides) > 0 {
				keys = flag.Value.Overrides[0].TargetingKeys
			}
			patch := `{"overrides":` + text([]feature.Override{{Variant: "on", TargetingKeys: append(keys[:len(keys):len(keys)], key)}}) + `}`
			_, err = f.PatchFlag(ctx, Write{IfMatch: flag.ChangedAt}, "shop", "production", "checkout", []byte(patch))
			if !fault.Is(err, fault.Stale) {
				return err
			}
		}
	}
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for i := range each {
				if err := add(fmt.Sprintf("user-%d-%d", writer, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	flag, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil || len(flag.Value.Overrides) != 1 || len(flag.Value.Overrides[0].TargetingKeys) != writers*each {
		t.Errorf("%s, %v", text(flag.Value), err)
	}
}
