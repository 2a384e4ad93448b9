package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

// model is what the use cases are about, without versions, bytes and shards.
type model struct {
	flags    map[string]*modelFlag
	archived map[string]*modelFlag
	segments map[string]map[string]*modelSegment // by environment and key
}

type modelFlag struct {
	owner    string
	variants []string
	in       map[string]*modelConfiguration
	// bodies are the items of an archived flag by environment.
	bodies map[string]string
}

type modelConfiguration struct {
	enabled      bool
	off, def     string
	prerequisite string // key:variant, empty for none
	segment      string // of its rule, empty for none
}

type modelSegment struct{ included, excluded []string }

var (
	modelEnvironments = []string{"dev", "prod"}
	modelFlags        = []string{"a", "b", "c", "d"}
	modelSegments     = []string{"s", "t"}
	modelVariants     = []string{"v1", "v2", "v3"}
)

func (m *model) configurations(visit func(flag, environment string, c *modelConfiguration)) {
	for key, flag := range m.flags {
		for environment, c := range flag.in {
			visit(key, environment, c)
		}
	}
}

// leads reports whether a flag leads to another by prerequisites.
func (m *model) leads(environment, from, to string) bool {
	for from != to {
		demanded, _, some := strings.Cut(m.flags[from].in[environment].prerequisite, ":")
		if !some {
			return false
		}
		from = demanded
	}
	return true
}

// machine runs the model beside the use cases.
type machine struct {
	model
	control *Control
	store   store.Store
	read    map[string]snapshot.Position // what a forgetful person has read, by environment and flag
	before  map[store.SetID]setState
}

type setState struct {
	position snapshot.Position
	items    []store.Item
}

func (m *machine) state(t *rapid.T) map[store.SetID]setState {
	sets, err := m.store.Sets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[store.SetID]setState, len(sets))
	for _, set := range sets {
		items, err := m.store.Items(t.Context(), set.ID)
		if err != nil {
			t.Fatal(err)
		}
		all[set.ID] = setState{set.Position, items}
	}
	return all
}

// settle compares the outcome of a write with what the model says.
func settle[T any](t *rapid.T, m *machine, written Written[T], err error, kind fault.Kind) (accepted bool) {
	after := m.state(t)
	defer func() { m.before = after }()
	if kind != "" {
		if !fault.Is(err, kind) {
			t.Fatalf("got %v, want %s", err, kind)
		}
		if !reflect.DeepEqual(m.before, after) {
			t.Fatal("a refused write left its mark")
		}
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	for id, state := range after {
		old := m.before[id]
		changed := !reflect.DeepEqual(old.items, state.items)
		if moved := state.position.Version - old.position.Version; moved > 1 || changed != (moved == 1) {
			t.Fatalf("%s moved by %d, changed: %t", id, moved, changed)
		}
		reported, ok := written.Environments[id.Environment]
		if !id.IsCatalogue() && (changed && !ok || ok && reported != state.position) {
			t.Fatalf("%s is at %s, the write reports %s", id, state.position, reported)
		}
	}
	return true
}

func (m *machine) drawFlag(t *rapid.T) string { return rapid.SampledFrom(modelFlags).Draw(t, "flag") }

func (m *machine) drawEnvironment(t *rapid.T) string {
	return rapid.SampledFrom(modelEnvironments).Draw(t, "environment")
}

func (m *machine) create(t *rapid.T) {
	key := m.drawFlag(t)
	n := rapid.IntRange(0, len(modelVariants)).Draw(t, "variants")
	d := Definition{Definition: feature.Definition{Key: key, Type: feature.TypeString}}
	for _, variant := range modelVariants[:n] {
		d.Variants = append(d.Variants, feature.Variant{Key: variant, Value: feature.StringValue(variant)})
	}
	var kind fault.Kind
	switch {
	case n == 0:
		kind = fault.Invalid
	case m.flags[key] != nil || m.archived[key] != nil:
		kind = fault.Conflict
	}
	written, err := m.control.CreateFlag(t.Context(), Write{}, "p", d)
	if settle(t, m, written, err, kind) {
		flag := &modelFlag{variants: slices.Clone(modelVariants[:n]), in: map[string]*modelConfiguration{}}
		for _, environment := range modelEnvironments {
			flag.in[environment] = &modelConfiguration{off: modelVariants[n-1], def: modelVariants[0]}
		}
		m.flags[key] = flag
	}
}

func (m *machine) delete(t *rapid.T) {
	key := m.drawFlag(t)
	var kind fault.Kind
	switch {
	case m.flags[key] != nil:
		kind = fault.Conflict
	case m.archived[key] == nil:
		kind = fault.NotFound
	}
	for _, other := range m.archived {
		for _, c := range other.in {
			if strings.HasPrefix(c.prerequisite, key+":") {
				kind = cmp.Or(kind, fault.InUse)
			}
		}
	}
	written, err := m.control.DeleteFlag(t.Context(), Write{}, "p", key)
	if settle(t, m, written, err, kind) {
		delete(m.archived, key)
	}
}

func (m *machine) archive(t *rapid.T) {
	key, force := m.drawFlag(t), rapid.Bool().Draw(t, "force")
	flag := m.flags[key]
	var kind fault.Kind
	bodies := map[string]string{}
	switch {
	case flag != nil:
		m.configurations(func(other, _ string, c *modelConfiguration) {
			decides := other == key && c.enabled && c.prerequisite != "" && c.off != c.def
			if strings.HasPrefix(c.prerequisite, key+":") || decides && !force {
				kind = fault.InUse
			}
		})
		for _, environment := range modelEnvironments {
			bodies[environment] = m.body(t, environment, key)
		}
	case m.archived[key] == nil:
		kind = fault.NotFound
	}
	written, err := m.control.ArchiveFlag(t.Context(), Write{}, "p", key, force)
	if settle(t, m, written, err, kind) && flag != nil {
		flag.bodies = bodies
		m.archived[key] = flag
		delete(m.flags, key)
	}
}

func (m *machine) restore(t *rapid.T) {
	key := m.drawFlag(t)
	flag := m.archived[key]
	var kind fault.Kind
	switch {
	case flag != nil:
		for environment, c := range flag.in {
			if demanded, variant, some := strings.Cut(c.prerequisite, ":"); some {
				if other := m.flags[demanded]; other == nil || !slices.Contains(other.variants, variant) {
					kind = fault.Conflict
				}
			}
			if c.segment != "" && m.segments[environment][c.segment] == nil {
				kind = fault.Conflict
			}
		}
	case m.flags[key] == nil:
		kind = fault.NotFound
	}
	written, err := m.control.RestoreFlag(t.Context(), Write{}, "p", key)
	if settle(t, m, written, err, kind) && flag != nil {
		delete(m.archived, key)
		m.flags[key] = flag
		for environment, body := range flag.bodies {
			if got := m.body(t, environment, key); got != body {
				t.Fatalf("restored to %s, was %s", got, body)
			}
		}
	}
}

func (m *machine) body(t *rapid.T, environment, flag string) string {
	item, err := m.store.Item(t.Context(), store.SetID{Project: "p", Environment: environment}, flagRef(flag))
	if err != nil {
		t.Fatal(err)
	}
	return string(item.Body)
}

func (m *machine) define(t *rapid.T) {
	key := m.drawFlag(t)
	owner := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "owner")
	variant := rapid.SampledFrom(modelVariants).Draw(t, "variant")
	remove := rapid.Bool().Draw(t, "remove")
	value := `"` + variant + `"`
	if remove {
		value = "null"
	}
	var kind fault.Kind
	flag := m.flags[key]
	var variants []string
	switch {
	case m.archived[key] != nil:
		kind = fault.Conflict
	case flag == nil:
		kind = fault.NotFound
	case !remove && !slices.Contains(flag.variants, variant):
		variants = append(slices.Clone(flag.variants), variant)
	case !remove:
		variants = flag.variants
	default:
		variants = slices.DeleteFunc(slices.Clone(flag.variants), func(v string) bool { return v == variant })
		if len(variants) == 0 {
			kind = fault.Invalid
			break
		}
		if len(variants) == len(flag.variants) {
			break
		}
		m.configurations(func(other, _ string, c *modelConfiguration) {
			if other == key && (c.off == variant || c.def == variant) || c.prerequisite == key+":"+variant {
				kind = fault.InUse
			}
		})
	}
	written, err := m.control.PatchDefinition(t.Context(), Write{}, "p", key, fmt.Appendf(nil, `{"owner":%q,"variants":{%q:%s}}`, owner, variant, value))
	if settle(t, m, written, err, kind) {
		flag.owner, flag.variants = owner, variants
	}
}

func (m *machine) configure(t *rapid.T) {
	key, environment := m.drawFlag(t), m.drawEnvironment(t)
	flag := m.flags[key]
	next := modelConfiguration{def: modelVariants[0]}
	var variants []string
	if flag != nil {
		next, variants = *flag.in[environment], flag.variants
	}
	var patch string
	var unreadable, wrong bool
	field := rapid.SampledFrom([]string{"state", "off", "default", "prerequisite", "segment", "unreadable", "wrong"}).Draw(t, "field")
	switch field {
	case "state":
		next.enabled = rapid.Bool().Draw(t, "enabled")
		patch = `{"state":"` + map[bool]string{true: "ENABLED", false: "DISABLED"}[next.enabled] + `"}`
	case "off":
		next.off = rapid.SampledFrom(modelVariants).Draw(t, "variant")
		patch = `{"offVariant":"` + next.off + `"}`
		wrong = !slices.Contains(variants, next.off)
	case "default":
		next.def = rapid.SampledFrom(modelVariants).Draw(t, "variant")
		next.segment = "" // its rule serves the variant that was the default
		patch = `{"default":{"variant":"` + next.def + `"},"rules":null}`
		wrong = !slices.Contains(variants, next.def)
	case "prerequisite":
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			next.prerequisite, patch = "", `{"prerequisites":null}`
			break
		}
		demanded, variant := m.drawFlag(t), rapid.SampledFrom(modelVariants).Draw(t, "variant")
		next.prerequisite = demanded + ":" + variant
		patch = fmt.Sprintf(`{"prerequisites":[{"flag":%q,"variants":[%q]}]}`, demanded, variant)
		other := m.flags[demanded]
		wrong = flag == nil || other == nil || !slices.Contains(other.variants, variant) || m.leads(environment, demanded, key)
	case "segment":
		next.segment = rapid.SampledFrom(append([]string{""}, modelSegments...)).Draw(t, "segment")
		patch = `{"rules":null}`
		if next.segment != "" {
			patch = fmt.Sprintf(`{"rules":[{"when":{"segment":%q},"serve":{"variant":%q}}]}`, next.segment, next.def)
			wrong = m.segments[environment][next.segment] == nil
		}
	case "unreadable":
		patch, unreadable = rapid.SampledFrom([]string{`{`, `[]`, `{"variants":{}}`}).Draw(t, "patch"), true
	default:
		patch, wrong = rapid.SampledFrom([]string{`{"state":"ON"}`, `{"rules":[{}]}`, `{"stat":1}`}).Draw(t, "patch"), true
	}

	w := Write{}
	stale := false
	if current, err := m.control.Flag(t.Context(), "p", environment, key); err == nil {
		if rapid.IntRange(0, 4).Draw(t, "careful") == 0 {
			w.IfMatch = m.read[environment+key]
			stale = !w.IfMatch.IsZero() && w.IfMatch.Version < current.ChangedAt.Version
		}
		if rapid.Bool().Draw(t, "remember") {
			m.read[environment+key] = current.ChangedAt
		}
	}
	var kind fault.Kind
	switch {
	case unreadable:
		kind = fault.Invalid
	case flag == nil:
		kind = fault.NotFound
	case stale:
		kind = fault.Stale
	case wrong:
		kind = fault.Invalid
	}
	written, err := m.control.PatchFlag(t.Context(), w, "p", environment, key, []byte(patch))
	if settle(t, m, written, err, kind) {
		*flag.in[environment] = next
	}
}

func (m *machine) createSegment(t *rapid.T) {
	environment, key := m.drawEnvironment(t), rapid.SampledFrom(modelSegments).Draw(t, "segment")
	var kind fault.Kind
	if m.segments[environment][key] != nil {
		kind = fault.Conflict
	}
	n := rapid.SampledFrom([]int{0, 3, 1_000, 1_001, 4_000}).Draw(t, "keys")
	written, err := m.control.CreateSegment(t.Context(), Write{}, "p", environment, feature.Segment{Key: key, Included: numbered("k", n)})
	if settle(t, m, written, err, kind) {
		m.segments[environment][key] = &modelSegment{included: numbered("k", n)}
	}
}

func (m *machine) deleteSegment(t *rapid.T) {
	environment, key := m.drawEnvironment(t), rapid.SampledFrom(modelSegments).Draw(t, "segment")
	var kind fault.Kind
	if m.segments[environment][key] == nil {
		kind = fault.NotFound
	}
	m.configurations(func(_, in string, c *modelConfiguration) {
		if in == environment && c.segment == key {
			kind = fault.InUse
		}
	})
	written, err := m.control.DeleteSegment(t.Context(), Write{}, "p", environment, key)
	if settle(t, m, written, err, kind) {
		delete(m.segments[environment], key)
	}
}

func (m *machine) updateKeys(t *rapid.T) {
	environment, key := m.drawEnvironment(t), rapid.SampledFrom(modelSegments).Draw(t, "segment")
	list := rapid.SampledFrom(listNames).Draw(t, "list")
	some := func(name string) []string {
		from := rapid.IntRange(0, 4_000).Draw(t, name+" from")
		count := rapid.SampledFrom([]int{0, 1, 2, 900}).Draw(t, name+" count")
		return numbered("k", 5_000)[from : from+count]
	}
	add, remove := some("add"), some("remove")
	segment := m.segments[environment][key]
	var kind fault.Kind
	_, both := common(add, remove)
	switch {
	case both:
		kind = fault.Invalid
	case segment == nil:
		kind = fault.NotFound
	default:
		other := segment.excluded
		if list == feature.ListExcluded {
			other = segment.included
		}
		if _, held := common(add, other); held {
			kind = fault.Invalid
		}
	}
	written, err := m.control.UpdateSegmentKeys(t.Context(), Write{}, "p", environment, key, list, add, remove)
	if settle(t, m, written, err, kind) {
		keys := &segment.included
		if list == feature.ListExcluded {
			keys = &segment.excluded
		}
		*keys = slices.DeleteFunc(sortedKeys(slices.Concat(*keys, add)), func(k string) bool {
			_, found := slices.BinarySearch(remove, k)
			return found
		})
	}
}

// check compares everything that can be read with the model.
func (m *machine) check(t *rapid.T) {
	ctx := t.Context()
	definitions, err := m.control.Definitions(ctx, "p")
	archived := 0
	definitions = slices.DeleteFunc(definitions, func(d Read[Definition]) bool {
		if d.Value.Archived {
			archived++
		}
		return d.Value.Archived
	})
	if archived != len(m.archived) {
		t.Fatalf("%d flags are archived, want %d", archived, len(m.archived))
	}
	if err != nil || len(definitions) != len(m.flags) {
		t.Fatalf("%d definitions, %v", len(definitions), err)
	}
	for i, key := range slices.Sorted(maps.Keys(m.flags)) {
		d, want := definitions[i].Value, m.flags[key]
		var variants []string
		for _, v := range d.Variants {
			variants = append(variants, v.Key)
		}
		if d.Key != key || d.Owner != want.owner || !slices.Equal(variants, want.variants) {
			t.Fatalf("flag %s is %+v, want %+v", key, d, want)
		}
	}
	for _, environment := range modelEnvironments {
		m.checkEnvironment(ctx, t, environment)
	}
}

func (m *machine) checkEnvironment(ctx context.Context, t *rapid.T, environment string) {
	id := store.SetID{Project: "p", Environment: environment}
	set, err := served(ctx, m.store, id)
	if err != nil || len(set.Flags) != len(m.flags) || len(set.Segments) != len(m.segments[environment]) {
		t.Fatalf("%+v, %v", set, err)
	}
	if problems := feature.CheckReferences(set); len(problems) > 0 {
		t.Fatalf("%s would be served with %v", id, problems)
	}
	for _, flag := range set.Flags {
		if err := flag.Validate(); err != nil {
			t.Fatal(err)
		}
		got := modelConfiguration{enabled: flag.State == feature.StateEnabled, off: flag.OffVariant, def: flag.Default.Variant}
		for _, p := range flag.Prerequisites {
			got.prerequisite = p.Flag + ":" + p.Variants[0]
		}
		got.segment = strings.Join(mentions(flag.EachSegment), ",")
		if want := m.flags[flag.Key].in[environment]; got != *want || len(flag.Variants) != len(m.flags[flag.Key].variants) {
			t.Fatalf("%s in %s is %+v, want %+v", flag.Key, environment, got, *want)
		}
	}
	for key, want := range m.segments[environment] {
		got, err := m.control.Segment(ctx, "p", environment, key)
		if err != nil || !slices.Equal(got.Value.Included, want.included) || !slices.Equal(got.Value.Excluded, want.excluded) {
			t.Fatalf("segment %s in %s: %v", key, environment, err)
		}
	}
}

// checkHistory replays the log of an environment.
func (m *machine) checkHistory(t *rapid.T, environment string) {
	id := store.SetID{Project: "p", Environment: environment}
	changes, err := m.store.Changes(t.Context(), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	replayed := map[string]string{}
	for i, change := range changes {
		if change.Version != uint64(i+1) || len(change.Put)+len(change.Delete) == 0 {
			t.Fatalf("change %d is %+v", i, change)
		}
		for _, item := range change.Put {
			replayed[item.Ref.String()] = string(item.Body)
		}
		for _, ref := range change.Delete {
			delete(replayed, ref.String())
		}
	}
	current := map[string]string{}
	for _, item := range m.before[id].items {
		current[item.Ref.String()] = string(item.Body)
	}
	if diff := gocmp.Diff(current, replayed); diff != "" {
		t.Fatal(diff)
	}
}

// TestAgainstModel makes random writes, valid and not, and holds the use cases to
// the model: what is refused leaves no mark, what is accepted moves each set that
// it changes by one version, and what can be read is what the model says.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := memory.New()
		defer st.Close()
		m := &machine{control: New(st), store: st, read: map[string]snapshot.Position{}}
		m.flags, m.archived = map[string]*modelFlag{}, map[string]*modelFlag{}
		m.segments = map[string]map[string]*modelSegment{}
		if _, err := m.control.CreateProject(t.Context(), Write{}, Project{Key: "p"}); err != nil {
			t.Fatal(err)
		}
		for _, environment := range modelEnvironments {
			m.segments[environment] = map[string]*modelSegment{}
			if _, err := m.control.CreateEnvironment(t.Context(), Write{}, "p", Environment{Key: environment}); err != nil {
				t.Fatal(err)
			}
		}
		m.before = m.state(t)
		t.Repeat(map[string]func(*rapid.T){
			"create":          m.create,
			"delete":          m.delete,
			"archive":         m.archive,
			"restore":         m.restore,
			"define":          m.define,
			"configure":       m.configure,
			"configure again": m.configure,
			"create segment":  m.createSegment,
			"delete segment":  m.deleteSegment,
			"update keys":     m.updateKeys,
			"":                m.check,
		})
		for _, environment := range modelEnvironments {
			m.checkHistory(t, environment)
		}
	})
}
