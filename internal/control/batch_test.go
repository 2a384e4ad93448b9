package control

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// batch reads changes as the API does.
func batch(t testing.TB, changes string) []BatchChange {
	t.Helper()
	var list []BatchChange
	if err := feature.DecodeStrict([]byte(changes), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Flags and segments that name each other come in any order, and each set moves by
// one version.
func TestBatch(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	before := map[string]uint64{}
	for _, environment := range []string{"", "production", "staging"} {
		before[environment] = f.position(t, environment).Version
	}
	changes := batch(t, `[
		{"action":"patchFlag","environment":"production","key":"checkout","operations":[
			{"op":"enable"},
			{"op":"addPrerequisite","flag":"search","variants":["on"]},
			{"op":"insertRule","rule":{"id":"r1","when":{"segment":"new"},"serve":{"variant":"on"}}}]},
		{"action":"createFlag","document":{"key":"search","type":"boolean"}},
		{"action":"putFlag","environment":"production","key":"search","document":{"state":"ENABLED","offVariant":"off","default":{"variant":"on"}}},
		{"action":"createSegment","environment":"production","document":{"key":"new","included":["u9"],"when":{"segment":"newer"}}},
		{"action":"createSegment","environment":"production","document":{"key":"newer","included":["u8"]}},
		{"action":"patchSegment","environment":"production","key":"newer","patch":{"included":["u7"]}},
		{"action":"patchDefinition","key":"color","patch":{"owner":"ann"}},
		{"action":"deleteSegment","environment":"production","key":"beta"}]`)
	tried, err := f.ApplyChanges(ctx, Write{DryRun: true}, "shop", changes)
	if err != nil {
		t.Fatal(err)
	}
	if f.position(t, "production").Version != before["production"] || tried.Position != f.position(t, "") {
		t.Error("the dry run left its mark")
	}
	written, err := f.ApplyChanges(ctx, Write{Actor: "ann", Comment: "all at once"}, "shop", changes)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"update  definition/color", "create  definition/search",
		"update production flag/checkout", "create production flag/search",
		"delete production segment/beta", "create production segment/new", "create production segment/newer",
		"create staging flag/search",
	}
	if diff := cmp.Diff(want, changeNames(written.Changes)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, changeNames(tried.Changes)); diff != "" {
		t.Error(diff)
	}
	for environment, version := range before {
		if position := f.position(t, environment); position.Version != version+1 {
			t.Errorf("%q moved from %d to %d", environment, version, position.Version)
		} else if environment != "" && written.Environments[environment] != position {
			t.Errorf("%s is told to be at %s", environment, written.Environments[environment])
		}
	}
	if written.Position != f.position(t, "") || written.Value != len(changes) {
		t.Errorf("written: %+v", written)
	}
	log, err := f.store.Changes(ctx, store.SetID{Project: "shop", Environment: "production"}, before["production"], 0)
	if err != nil || len(log) != 1 || log[0].Actor != "ann" || log[0].Comment != "all at once" {
		t.Errorf("the log has %+v, %v", log, err)
	}
}

// A condition is on what there was before the batch, whatever else the batch does.
func TestBatchConditions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	base, err := f.Flag(ctx, "shop", "production", "checkout")
	if err != nil {
		t.Fatal(err)
	}
	changes := func() []BatchChange {
		return batch(t, fmt.Sprintf(`[
			{"action":"patchDefinition","key":"checkout","patch":{"clientVisible":true}},
			{"action":"patchFlag","environment":"production","key":"checkout","patch":{"state":"ENABLED"},"ifMatch":%q}]`, base.ChangedAt))
	}
	must(t)(f.ApplyChanges(ctx, ann, "shop", changes()))
	must(t)(f.PatchDefinition(ctx, ann, "shop", "checkout", []byte(`{"clientVisible":false}`)))
	f.refuses(t, []refusal{{"stale", func(ctx context.Context, f *fixture) error {
		_, err := f.ApplyChanges(ctx, ann, "shop", changes())
		return err
	}, fault.Stale, "changes[1]: The write is based on", "changes[1]"}})
}

func TestRefusedBatches(t *testing.T) {
	f := newFixture(t)
	must(t)(f.PatchFlag(t.Context(), ann, "shop", "production", "payments",
		[]byte(`{"rules":[{"id":"r","when":{"segment":"beta"},"serve":{"variant":"on"}}]}`)))
	good := `{"action":"patchFlag","environment":"production","key":"checkout","operations":[{"op":"enable"}]}`
	apply := func(changes string) func(context.Context, *fixture) error {
		return func(ctx context.Context, f *fixture) error {
			_, err := f.ApplyChanges(ctx, ann, "shop", batch(t, changes))
			return err
		}
	}
	f.refuses(t, []refusal{
		{"none", apply(`[]`), fault.Invalid, "there are none", "changes"},
		{"unknown action", apply(`[{"action":"dropAll"}]`), fault.Invalid, `"dropAll" is no action; the actions are archiveFlag`, "changes[0].action"},
		{"no environment", apply(`[{"action":"putFlag","key":"checkout","document":{}}]`), fault.Invalid, "needs it", "changes[0].environment"},
		{"no key", apply(`[{"action":"deleteFlag"}]`), fault.Invalid, "needs it", "changes[0].key"},
		{"a key too many", apply(`[{"action":"createFlag","key":"x","document":{}}]`), fault.Invalid, "does not take it", "changes[0].key"},
		{"no body", apply(`[` + good + `,{"action":"patchFlag","environment":"production","key":"checkout"}]`), fault.Invalid, "needs patch or operations", "changes[1].patch"},
		{"two bodies", apply(`[{"action":"patchFlag","environment":"production","key":"checkout","patch":{},"operations":[{"op":"enable"}]}]`), fault.Invalid, "needs", "changes[0].patch"},
		{"a wrong body", apply(`[{"action":"putFlag","environment":"production","key":"checkout","patch":{}}]`), fault.Invalid, "does not take", "changes[0].patch"},
		{"condition on what is new", apply(`[{"action":"createFlag","document":{"key":"x","type":"boolean"},"ifMatch":"0197-a:1"}]`), fault.Invalid, "no condition", "changes[0].ifMatch"},
		{"unknown field", apply(`[{"action":"createFlag","document":{"key":"x","type":"boolean","colour":1}}]`), fault.Invalid, "unknown", "changes[0].document.colour"},
		{"bad document", apply(`[` + good + `,{"action":"createFlag","document":{"key":"x","type":"bool"}}]`), fault.Invalid, "unknown type", "changes[1].document.type"},
		{"bad patch", apply(`[` + good + `,{"action":"patchFlag","environment":"production","key":"color","patch":{"default":{"variant":"x"}}}]`), fault.Invalid, "unknown variant", "changes[1].patch.default.variant"},
		{"bad operation", apply(`[` + good + `,{"action":"patchFlag","environment":"production","key":"color","operations":[{"op":"enable"},{"op":"setDefault","variant":"x"}]}]`), fault.Invalid, "unknown variant", "changes[1].operations[1].variant"},
		{"unreadable operation", apply(`[{"action":"patchFlag","environment":"production","key":"color","operations":[{"op":"enable"},7]}]`), fault.Invalid, "object", "changes[0].operations[1]"},
		{"unknown flag", apply(`[` + good + `,{"action":"putFlag","environment":"production","key":"none","document":{}}]`), fault.NotFound, "changes[1]: Project", "changes[1]"},
		{"taken key", apply(`[{"action":"createFlag","document":{"key":"x","type":"boolean"}},{"action":"createFlag","document":{"key":"x","type":"boolean"}}]`), fault.Conflict, "changes[1]: Project", "changes[1]"},
		{"dangling reference", apply(`[{"action":"patchFlag","environment":"production","key":"checkout","operations":[{"op":"enable"},{"op":"addPrerequisite","flag":"none","variants":["on"]}]}]`), fault.Invalid, "none", "changes[0].operations[1].flag"},
		{"dangling reference of a patch", apply(`[` + good + `,{"action":"patchFlag","environment":"production","key":"checkout","patch":{"prerequisites":[{"flag":"none","variants":["on"]}]}}]`), fault.Invalid, "none", "changes[1].patch.prerequisites[0].flag"},
		{"dangling reference of a segment", apply(`[{"action":"createSegment","environment":"production","document":{"key":"x","when":{"segment":"none"}}}]`), fault.Invalid, "none", "changes[0].document.when.segment"},
		{"a cycle", apply(`[
			{"action":"patchFlag","environment":"production","key":"checkout","patch":{"prerequisites":[{"flag":"payments","variants":["on"]}]}},
			{"action":"patchFlag","environment":"production","key":"payments","patch":{"prerequisites":[{"flag":"checkout","variants":["on"]}]}}]`), fault.Invalid, "depends on itself", "changes[0].patch.prerequisites"},
		{"a cycle of an operation", apply(`[{"action":"patchFlag","environment":"production","key":"checkout","operations":[{"op":"enable"},{"op":"addPrerequisite","flag":"checkout","variants":["on"]}]}]`), fault.Invalid, "own prerequisite", "changes[0].operations[1].flag"},
		{"what others need", apply(`[` + good + `,{"action":"deleteSegment","environment":"production","key":"beta"}]`), fault.InUse, `in environment "production", flag "payments"`, "changes"},
		{"a variant that is served", apply(`[{"action":"patchDefinition","key":"color","patch":{"variants":{"blue":null}}}]`), fault.InUse, "off variant", "changes[0]"},
		{"no project", func(ctx context.Context, f *fixture) error {
			_, err := f.ApplyChanges(ctx, ann, "none", batch(t, `[`+good+`]`))
			return err
		}, fault.NotFound, `no project "none"`, ""},
	})
	many := make([]BatchChange, MaxChanges+1)
	if _, err := f.ApplyChanges(t.Context(), ann, "shop", many); !fault.Is(err, fault.Invalid) || !contains(err, "at most") {
		t.Errorf("too many: %v", err)
	}
}

// What a variant is needed for can be changed in the same batch.
func TestBatchFreesAVariant(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "payments", []byte(`{"prerequisites":[{"flag":"color","variants":["green"]}]}`)))
	remove := `{"action":"patchDefinition","key":"color","patch":{"variants":{"green":null}}}`
	if _, err := f.ApplyChanges(ctx, ann, "shop", batch(t, `[`+remove+`]`)); !fault.Is(err, fault.InUse) {
		t.Fatalf("got %v", err)
	}
	must(t)(f.ApplyChanges(ctx, ann, "shop", batch(t, `[`+remove+`,
		{"action":"patchFlag","environment":"production","key":"payments","operations":[{"op":"removePrerequisite","flag":"color"}]}]`)))
}

func BenchmarkBatch(b *testing.B) {
	f := newFixture(b)
	for i := range b.N {
		var changes []BatchChange
		for j := range 1_000 {
			key := fmt.Sprintf("f-%d-%d", i, j)
			changes = append(changes,
				BatchChange{Action: "createFlag", Document: json.RawMessage(`{"key":"` + key + `","type":"boolean"}`)},
				BatchChange{Action: "patchFlag", Environment: "production", Key: key, Patch: json.RawMessage(`{"state":"ENABLED"}`)})
		}
		if _, err := f.ApplyChanges(b.Context(), ann, "shop", changes); err != nil {
			b.Fatal(err)
		}
	}
}
