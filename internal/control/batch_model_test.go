package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store/memory"
)

// batchModel is the boolean flags of one environment, as operations speak of them.
type batchModel map[string]batchFlag

type batchFlag struct {
	enabled       bool
	def           string
	overrides     map[string]string // variant by targeting key
	prerequisites map[string]bool
}

func (m batchModel) clone() batchModel {
	c := batchModel{}
	for key, flag := range m {
		flag.overrides, flag.prerequisites = maps.Clone(flag.overrides), maps.Clone(flag.prerequisites)
		c[key] = flag
	}
	return c
}

// dangling returns the kind of refusal that prerequisites deserve.
func (m batchModel) dangling() bool {
	var leads func(from, to string, seen map[string]bool) bool
	leads = func(from, to string, seen map[string]bool) bool {
		for next := range m[from].prerequisites {
			if next == to {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if leads(next, to, seen) {
					return true
				}
			}
		}
		return false
	}
	for key, flag := range m {
		for other := range flag.prerequisites {
			if _, exists := m[other]; !exists {
				return true
			}
		}
		if leads(key, key, map[string]bool{}) {
			return true
		}
	}
	return false
}

var batchKeys = []string{"a", "b", "c", "d"}

// drawOperation draws an operation, does it to the model and reports whether it
// can be done whatever follows, and what it leaves as its default otherwise.
func drawOperation(t *rapid.T, flag *batchFlag) string {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"u1", "u2", "u3"}), 1, 2, rapid.ID).Draw(t, "keys")
	listed, _ := json.Marshal(keys)
	variant := rapid.SampledFrom([]string{"on", "on", "off", "off", "nope"}).Draw(t, "variant")
	other := rapid.SampledFrom(batchKeys).Draw(t, "other")
	switch op := rapid.SampledFrom([]string{"enable", "disable", "setDefault", "addOverride", "removeOverride", "addPrerequisite", "removePrerequisite"}).Draw(t, "op"); op {
	case "setDefault":
		flag.def = variant
		return fmt.Sprintf(`{"op":"setDefault","variant":%q}`, variant)
	case "addOverride":
		for _, key := range keys {
			flag.overrides[key] = variant
		}
		return fmt.Sprintf(`{"op":"addOverride","variant":%q,"targetingKeys":%s}`, variant, listed)
	case "removeOverride":
		for _, key := range keys {
			delete(flag.overrides, key)
		}
		return fmt.Sprintf(`{"op":"removeOverride","targetingKeys":%s}`, listed)
	case "addPrerequisite":
		flag.prerequisites[other] = true
		return fmt.Sprintf(`{"op":"addPrerequisite","flag":%q,"variants":["on"]}`, other)
	case "removePrerequisite":
		delete(flag.prerequisites, other)
		return fmt.Sprintf(`{"op":"removePrerequisite","flag":%q}`, other)
	default:
		flag.enabled = op == "enable"
		return fmt.Sprintf(`{"op":%q}`, op)
	}
}

func (f *batchFlag) wrong() bool {
	return f.def == "nope" || slices.Contains(slices.Collect(maps.Values(f.overrides)), "nope")
}

// drawChange draws a change and does it to the model; kind is what it is refused
// with by itself.
func drawChange(t *rapid.T, m batchModel) (change BatchChange, kind fault.Kind) {
	key := rapid.SampledFrom(batchKeys).Draw(t, "flag")
	flag, exists := m[key]
	if rapid.IntRange(0, 3).Draw(t, "create") == 0 {
		if exists {
			kind = fault.Conflict
		} else {
			m[key] = batchFlag{def: "on", overrides: map[string]string{}, prerequisites: map[string]bool{}}
		}
		return BatchChange{Action: "createFlag", Document: fmt.Appendf(nil, `{"key":%q,"type":"boolean"}`, key)}, kind
	}
	if !exists {
		flag = batchFlag{overrides: map[string]string{}, prerequisites: map[string]bool{}}
		kind = fault.NotFound
	}
	change = BatchChange{Action: "patchFlag", Environment: "dev", Key: key}
	for range rapid.IntRange(1, 3).Draw(t, "operations") {
		change.Operations = append(change.Operations, json.RawMessage(drawOperation(t, &flag)))
	}
	if exists {
		m[key] = flag
		if flag.wrong() || flag.prerequisites[key] {
			kind = fault.Invalid
		}
	}
	return change, kind
}

// TestBatchesAgainstModel makes random batches of semantic patches, valid and not:
// what is refused leaves no mark, a dry run says what the batch does and does
// nothing, and what is accepted is what the model says, at the next version.
func TestBatchesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := memory.New()
		defer st.Close()
		c := New(st)
		ctx := t.Context()
		machine := &machine{store: st}
		if _, err := c.CreateProject(ctx, ann, Project{Key: "p"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateEnvironment(ctx, ann, "p", Environment{Key: "dev"}); err != nil {
			t.Fatal(err)
		}
		model := batchModel{}
		t.Repeat(map[string]func(*rapid.T){"batch": func(t *rapid.T) {
			next := model.clone()
			var changes []BatchChange
			var kind fault.Kind
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				change, refused := drawChange(t, next)
				changes = append(changes, change)
				if kind == "" {
					kind = refused
				}
			}
			if kind == "" && next.dangling() {
				kind = fault.Invalid
			}
			before := machine.state(t)
			tried, tryErr := c.ApplyChanges(ctx, Write{DryRun: true}, "p", changes)
			if !reflect.DeepEqual(before, machine.state(t)) {
				t.Fatal("a dry run left its mark")
			}
			done, err := c.ApplyChanges(ctx, ann, "p", changes)
			after := machine.state(t)
			if kind != "" {
				if !fault.Is(err, kind) || !fault.Is(tryErr, kind) || !reflect.DeepEqual(before, after) {
					t.Fatalf("got %v and %v, want %s", err, tryErr, kind)
				}
				return
			}
			if err != nil || tryErr != nil || !reflect.DeepEqual(done.Changes, tried.Changes) {
				t.Fatalf("%v, %v: %v, tried %v", err, tryErr, done.Changes, tried.Changes)
			}
			for id, is := range after {
				changed := !reflect.DeepEqual(before[id].items, is.items)
				if moved := is.position.Version - before[id].position.Version; changed != (moved == 1) || moved > 1 {
					t.Fatalf("%s moved by %d, changed: %t", id, moved, changed)
				}
			}
			model = next
		}, "": func(t *rapid.T) {
			flags, err := c.Flags(ctx, "p", "dev")
			if err != nil || len(flags) != len(model) {
				t.Fatalf("%d flags, %v", len(flags), err)
			}
			for i := range flags {
				flag := flags[i].Value
				want := model[flag.Key]
				got := batchFlag{flag.State == feature.StateEnabled, flag.Default.Variant, map[string]string{}, map[string]bool{}}
				for _, o := range flag.Overrides {
					for _, key := range o.TargetingKeys {
						got.overrides[key] = o.Variant
					}
				}
				for _, p := range flag.Prerequisites {
					got.prerequisites[p.Flag] = true
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("flag %s is %+v, want %+v", flag.Key, got, want)
				}
			}
		}})
	})
}

// Writers that each change what they have read, on the condition that it is still
// so, lose nothing of each other.
func TestConditionsLoseNoUpdate(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	const writers, each = 4, 20
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for i := range each {
				add := fmt.Sprintf("u-%d-%d", writer, i)
				for {
					read, err := f.Flag(ctx, "shop", "production", "checkout")
					if err != nil {
						t.Error(err)
						return
					}
					err = addByWhole(ctx, f, read, add)
					if err == nil {
						break
					}
					if !fault.Is(err, fault.Stale) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	read, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil || len(read.Value.Overrides) != 1 {
		t.Fatalf("%+v, %v", read, err)
	}
	if got := len(read.Value.Overrides[0].TargetingKeys); got != writers*each {
		t.Errorf("%d of %d updates are there: %s", got, writers*each, strings.Join(read.Value.Overrides[0].TargetingKeys, " "))
	}
}

// addByWhole adds a targeting key by writing back the whole configuration.
func addByWhole(ctx context.Context, f *fixture, read Read[*feature.Flag], key string) error {
	flag := *read.Value
	override := feature.Override{Variant: "on"}
	if len(flag.Overrides) > 0 {
		override.TargetingKeys = slices.Clone(flag.Overrides[0].TargetingKeys)
	}
	override.TargetingKeys = append(override.TargetingKeys, key)
	flag.Overrides = []feature.Override{override}
	w := Write{Actor: "ann", IfMatch: read.ChangedAt}
	_, err := f.PutFlag(ctx, w, "shop", "production", "checkout", []byte(text(flag)))
	return err
}
