package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/httpapi"
	"github.com/wigwag/wigwag/snapshot"
)

// modelState is what a project is said to hold: its flags, and by environment and
// key the flags, those that are archived as they were, and the keys of the segments.
type modelState struct {
	definitions map[string]modelDefinition
	flags       map[[2]string]modelFlag
	segments    map[[2]string]string
}

type modelDefinition struct {
	number   int // its metadata
	archived bool
}

// modelFlag is a flag in an environment; empty is what it does not have.
type modelFlag struct {
	Number                                               int
	State, Off, Default, Override, Prerequisite, Segment string
}

var (
	newFlag           = modelFlag{State: "DISABLED", Off: "off", Default: "on"}
	modelEnvironments = []string{"dev", "prod"}
)

// modelView is an environment as reading shows it.
type modelView struct {
	Flags    map[string]modelFlag
	Segments map[string]string
}

func (m *modelState) view(environment string) modelView {
	v := modelView{map[string]modelFlag{}, map[string]string{}}
	for id, flag := range m.flags {
		if d := m.definitions[id[1]]; id[0] == environment && !d.archived {
			flag.Number = d.number
			v.Flags[id[1]] = flag
		}
	}
	for id, keys := range m.segments {
		if id[0] == environment {
			v.Segments[id[1]] = keys
		}
	}
	return v
}

// broken reports whether something refers to what is not there, or to itself.
func (v *modelView) broken() bool {
	for _, flag := range v.Flags {
		if _, there := v.Segments[flag.Segment]; flag.Segment != "" && !there {
			return true
		}
		for steps := 0; flag.Prerequisite != ""; steps++ {
			next, there := v.Flags[flag.Prerequisite]
			if !there || steps > len(v.Flags) {
				return true
			}
			flag = next
		}
	}
	return false
}

// modelWrite is one write, of which the action says what else counts.
type modelWrite struct {
	action, environment, key string
	flag                     modelFlag // to set
	keys                     string    // of a segment to set, joined
	version                  uint64
	then                     *modelView // the version; nil where there is none
	kind                     string     // of what to restore; empty for everything
	parts                    []modelWrite
}

// apply makes the write. It returns how it is refused by itself, if it is, and how
// it would be if references broke by it.
func (w *modelWrite) apply(m *modelState) (refusal, broken int) {
	id := [2]string{w.environment, w.key}
	d, defined := m.definitions[w.key]
	keys, segment := m.segments[id]
	switch {
	case w.action == "createFlag" && defined, w.action == "createSegment" && segment,
		w.action == "patchDefinition" && d.archived, w.action == "deleteFlag" && defined && !d.archived:
		return 409, 0
	case slices.Contains([]string{"patchDefinition", "archiveFlag", "unarchiveFlag", "deleteFlag"}, w.action) && !defined,
		slices.Contains([]string{"putFlag", "patchFlag", "operateFlag"}, w.action) && (!defined || d.archived),
		slices.Contains([]string{"patchSegment", "deleteSegment", "updateSegmentKeys"}, w.action) && !segment:
		return 404, 0
	}
	switch w.action {
	case "createFlag":
		m.definitions[w.key] = modelDefinition{}
		for _, e := range modelEnvironments {
			m.flags[[2]string{e, w.key}] = newFlag
		}
	case "patchDefinition":
		m.definitions[w.key] = modelDefinition{number: w.flag.Number}
	case "archiveFlag", "unarchiveFlag":
		m.definitions[w.key] = modelDefinition{d.number, w.action == "archiveFlag"}
	case "deleteFlag":
		for other, flag := range m.flags {
			if flag.Prerequisite == w.key && other[1] != w.key && m.definitions[other[1]].archived {
				return 409, 0
			}
		}
		delete(m.definitions, w.key)
		maps.DeleteFunc(m.flags, func(id [2]string, _ modelFlag) bool { return id[1] == w.key })
	case "putFlag", "patchFlag", "operateFlag":
		if w.flag.Default == "none" {
			return 400, 0
		}
		next := w.flag
		if w.action == "operateFlag" { // it sets a part
			next = m.flags[id]
			next.State, next.Off, next.Default = w.flag.State, w.flag.Off, w.flag.Default
		}
		m.flags[id] = next
		return 0, 400
	case "createSegment", "patchSegment":
		m.segments[id] = w.keys
	case "deleteSegment":
		delete(m.segments, id)
	case "updateSegmentKeys":
		all := append(slices.DeleteFunc(strings.Split(keys, ","), func(k string) bool { return k == "u1" || k == "" }), "u4")
		slices.Sort(all)
		m.segments[id] = strings.Join(slices.Compact(all), ",")
	case "restore":
		return w.restore(m), 409
	case "batch":
		for i := range w.parts {
			if refusal, _ := w.parts[i].apply(m); refusal != 0 {
				return anyRefusal, 0
			}
		}
		return 0, anyRefusal
	}
	return 0, 409
}

func (w *modelWrite) restore(m *modelState) (refusal int) {
	if w.then == nil {
		return 404
	}
	_, flag := w.then.Flags[w.key]
	keys, segment := w.then.Segments[w.key]
	now := m.view(w.environment)
	switch {
	case w.kind == "flag" && !flag, w.kind == "segment" && !segment:
		return 404
	case w.kind == "segment":
		m.segments[[2]string{w.environment, w.key}] = keys
		return 0
	case w.kind == "":
		maps.DeleteFunc(m.segments, func(id [2]string, _ string) bool { return id[0] == w.environment })
		for key, keys := range w.then.Segments {
			m.segments[[2]string{w.environment, key}] = keys
		}
		for key := range now.Flags {
			m.flags[[2]string{w.environment, key}] = newFlag
		}
	}
	for key, was := range w.then.Flags {
		if _, there := now.Flags[key]; w.kind == "" && !there || w.kind == "flag" && key == w.key && !there {
			return 409
		}
		if w.kind == "" || key == w.key {
			m.flags[[2]string{w.environment, key}] = was
		}
	}
	return 0
}

// anyRefusal is whatever the first change of a batch that is refused says.
const anyRefusal = -1

const modelProject = "/projects/shop"

func modelPath(environment string) string { return modelProject + "/environments/" + environment }

// request returns the write as a request; field is where a batch has the body.
func (w *modelWrite) request() (method, path, field, body string) {
	definition, environment := modelProject+"/flags/"+w.key, modelPath(w.environment)
	keys := "[]"
	if w.keys != "" {
		keys = `["` + strings.ReplaceAll(w.keys, ",", `","`) + `"]`
	}
	switch w.action {
	case "createFlag":
		return "POST", modelProject + "/flags", "document", fmt.Sprintf(`{"key":%q,"type":"boolean"}`, w.key)
	case "patchDefinition":
		return "PATCH", definition, "patch", fmt.Sprintf(`{"metadata":{"n":%d}}`, w.flag.Number)
	case "archiveFlag":
		return "POST", definition + "/archive?force=true", "", ""
	case "unarchiveFlag":
		return "POST", definition + "/unarchive", "", ""
	case "deleteFlag":
		return "DELETE", definition, "", ""
	case "putFlag":
		return "PUT", environment + "/flags/" + w.key, "document", w.configuration()
	case "patchFlag":
		return "PATCH", environment + "/flags/" + w.key, "patch", w.configuration()
	case "operateFlag":
		return "PATCH", environment + "/flags/" + w.key, "", fmt.Sprintf(
			`{"operations":[{"op":%q},{"op":"setOffVariant","variant":%q},{"op":"setDefault","variant":%q}]}`,
			strings.ToLower(strings.TrimSuffix(w.flag.State, "D")), w.flag.Off, w.flag.Default)
	case "createSegment":
		return "POST", environment + "/segments", "document", fmt.Sprintf(`{"key":%q,"included":%s}`, w.key, keys)
	case "patchSegment":
		return "PATCH", environment + "/segments/" + w.key, "patch", fmt.Sprintf(`{"included":%s}`, keys)
	case "deleteSegment":
		return "DELETE", environment + "/segments/" + w.key, "", ""
	case "updateSegmentKeys":
		return "POST", environment + "/segments/" + w.key + "/keys", "", `{"list":"included","add":["u4"],"remove":["u1"]}`
	case "restore":
		what := fmt.Sprintf(`{"version":%d`, w.version)
		if w.kind != "" {
			what += fmt.Sprintf(`,%q:%q`, w.kind, w.key)
		}
		return "POST", environment + "/restore", "", what + "}"
	}
	var changes []string
	for i := range w.parts {
		part := &w.parts[i]
		change := fmt.Sprintf(`{"action":%q`, part.action)
		if strings.HasSuffix(part.action, "Segment") || part.action == "putFlag" || part.action == "patchFlag" {
			change += fmt.Sprintf(`,"environment":%q`, part.environment)
		}
		if !strings.HasPrefix(part.action, "create") {
			change += fmt.Sprintf(`,"key":%q`, part.key)
		}
		if _, _, field, body := part.request(); field != "" {
			change += fmt.Sprintf(`,%q:%s`, field, body)
		}
		changes = append(changes, change+"}")
	}
	return "POST", modelProject + "/changes", "", `{"changes":[` + strings.Join(changes, ",") + `]}`
}

func (w *modelWrite) configuration() string {
	c, prerequisites, rules, overrides := &w.flag, "", "", ""
	if c.Prerequisite != "" {
		prerequisites = fmt.Sprintf(`{"flag":%q,"variants":["on"]}`, c.Prerequisite)
	}
	if c.Segment != "" {
		rules = fmt.Sprintf(`{"id":"r1","when":{"segment":%q},"serve":{"variant":"on"}}`, c.Segment)
	}
	if c.Override != "" {
		overrides = fmt.Sprintf(`{"variant":"on","targetingKeys":[%q]}`, c.Override)
	}
	return fmt.Sprintf(`{"state":%q,"offVariant":%q,"default":{"variant":%q},"prerequisites":[%s],"rules":[%s],"overrides":[%s]}`,
		c.State, c.Off, c.Default, prerequisites, rules, overrides)
}

var (
	batchActions = []string{
		"createFlag", "createFlag", "patchDefinition", "unarchiveFlag", "deleteFlag", "putFlag", "patchFlag", "patchFlag",
		"createSegment", "patchSegment", "deleteSegment",
	}
	modelActions = append([]string{"archiveFlag", "archiveFlag", "unarchiveFlag", "unarchiveFlag", "deleteSegment", "operateFlag", "updateSegmentKeys", "restore", "restore", "batch", "batch"}, batchActions...)
)

func (m *apiMachine) draw(t *rapid.T, actions []string) modelWrite {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	w := modelWrite{action: pick("action", actions...), environment: pick("environment", "dev", "dev", "dev", "prod")}
	flag, segment := pick("flag", "a", "a", "a", "b", "c"), pick("segment", "s", "s", "s", "t")
	w.key = flag
	switch w.action {
	case "createSegment", "patchSegment", "deleteSegment", "updateSegmentKeys":
		w.key, w.keys = segment, pick("keys", "", "u1", "u2,u3")
	case "patchDefinition":
		w.flag.Number = rapid.IntRange(1, 3).Draw(t, "n")
	case "putFlag", "patchFlag", "operateFlag":
		w.flag = modelFlag{
			State: pick("state", "ENABLED", "DISABLED"), Off: pick("off", "on", "off"), Default: pick("default", "on", "off", "on", "none"),
			Override: pick("override", "", "u1"), Prerequisite: pick("demands", "", "", "a", "b", "c"), Segment: pick("in", "", "s", "s", "s", "t"),
		}
	case "restore":
		if w.kind = pick("what", "flag", "segment", ""); w.kind == "segment" {
			w.key = segment
		}
		w.version = rapid.Uint64Range(1, m.positions[w.environment].Version+1).Draw(t, "version")
		if then, known := m.past[w.environment][w.version]; known {
			w.then = &then
		}
	case "batch":
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			w.parts = append(w.parts, m.draw(t, batchActions))
		}
	}
	return w
}

// apiMachine runs the model beside the API.
type apiMachine struct {
	modelState
	*service
	positions map[string]snapshot.Position
	past      map[string]map[uint64]modelView
	texts     map[string]map[uint64]string // the flags of a version, as they were read
	tags      map[string]string            // what somebody has read, by path
}

// step makes one write and holds its answer and its traces against the model.
func (m *apiMachine) step(t *rapid.T, actions ...string) {
	w := m.draw(t, actions)
	ctx := context.Background()
	method, path, _, body := w.request()
	after := modelState{maps.Clone(m.definitions), maps.Clone(m.flags), maps.Clone(m.segments)}
	want, broken := w.apply(&after)
	for _, environment := range modelEnvironments {
		if v := after.view(environment); want == 0 && v.broken() {
			want = broken
		}
	}
	header := []string{}
	if w.action == "operateFlag" {
		header = append(header, "Content-Type", httpapi.OperationsType)
	}
	if method != "POST" {
		tag := m.send(ctx, "GET", path, "").Header.Get("ETag")
		switch based := m.tags[path]; rapid.IntRange(0, 4).Draw(t, "condition") {
		case 0:
			header = append(header, "If-Match", tag)
		case 1:
			if tag != "" && based != "" {
				header = append(header, "If-Match", based)
				if based != tag {
					want = 412
				}
			}
		case 2:
			m.tags[path] = tag
		case 3:
			if method != "DELETE" && tag != "" && want != 409 {
				body, want = rapid.SampledFrom([]string{"{", "[]", `{"state":"ON"}`, `{"stat":1}`}).Draw(t, "wrong"), 400
				ctx = context.WithValue(ctx, wrongOnPurpose{}, true)
			}
		}
	}
	dry := rapid.IntRange(0, 4).Draw(t, "dry run") == 0
	separator := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
	resp := m.send(ctx, method, path+separator+"dryRun="+strconv.FormatBool(dry), body, header...)
	text, err := io.ReadAll(resp.Body)
	got := resp.StatusCode
	if ok := got == want || want == 0 && got < 300 || want == anyRefusal && got >= 400 && got < 500; !ok || err != nil {
		t.Fatalf("%s %s %s %v: %d %s, want %d", method, path, body, header, got, text, want)
	}
	before := m.modelState
	if want == 0 && !dry {
		m.modelState = after
	}
	for _, environment := range modelEnvironments {
		was, is := before.view(environment), m.view(environment)
		m.check(t, environment, was, is, w.action == "batch" && want == 0 && !dry)
	}
}

func readInto(t *rapid.T, m *apiMachine, path string, value any) {
	resp := m.send(context.Background(), "GET", path, "")
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == 200 {
		err = json.Unmarshal(body, value)
	}
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("GET %s: %d %s, %v", path, resp.StatusCode, body, err)
	}
}

// check reads an environment after a write that did what makes was into is.
func (m *apiMachine) check(t *rapid.T, environment string, was, is modelView, batch bool) {
	var flags gen.FlagList
	var segments gen.SegmentList
	readInto(t, m, modelPath(environment)+"/flags", &flags)
	readInto(t, m, modelPath(environment)+"/segments", &segments)
	got, set := modelView{map[string]modelFlag{}, map[string]string{}}, &feature.FlagSet{}
	for i := range flags.Items {
		flag := &flags.Items[i]
		if err := flag.Validate(); err != nil {
			t.Fatalf("served in %s: %v", environment, err)
		}
		set.Flags = append(set.Flags, flag)
		got.Flags[flag.Key] = readBack(t, flag)
	}
	for i := range segments.Items {
		set.Segments = append(set.Segments, &segments.Items[i])
		got.Segments[segments.Items[i].Key] = strings.Join(segments.Items[i].Included, ",")
	}
	if problems := feature.CheckReferences(set); len(problems) > 0 {
		t.Fatalf("served in %s: %v", environment, problems)
	}
	if diff := gocmp.Diff(is, got); diff != "" {
		t.Fatalf("%s is not as it should be:\n%s", environment, diff)
	}
	position, old := flags.Position, m.positions[environment]
	names := append(differing(was.Flags, is.Flags), differing(was.Segments, is.Segments)...)
	switch grown := position.Version - old.Version; {
	case position.Epoch != old.Epoch, grown > 1, len(names) > 0 && grown != 1, len(names) == 0 && grown != 0 && !batch:
		t.Fatalf("%s went from %s to %s, changed: %v", environment, old, position, names)
	case grown == 1:
		var newest gen.ChangeList
		readInto(t, m, modelPath(environment)+"/changes?order=desc&limit=1", &newest)
		told := slices.Concat(newest.Changes[0].Flags, newest.Changes[0].Segments)
		// A batch may besides tell of what it put back itself.
		told = slices.DeleteFunc(told, func(key string) bool { return batch && !slices.Contains(names, key) })
		if newest.Changes[0].Position != position || !slices.Equal(told, names) {
			t.Fatalf("the newest change of %s is %+v, want %s of %v", environment, newest.Changes[0], position, names)
		}
	}
	m.positions[environment], m.past[environment][position.Version] = position, is
	items, err := json.Marshal(flags.Items)
	if err != nil {
		t.Fatal(err)
	}
	m.texts[environment][position.Version] = string(items)
}

func readBack(t *rapid.T, flag *feature.Flag) modelFlag {
	body, err := feature.Encode(flag)
	var read struct{ Metadata struct{ N int } }
	if err == nil {
		err = json.Unmarshal(body, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := modelFlag{Number: read.Metadata.N, State: string(flag.State), Off: flag.OffVariant, Default: flag.Default.Variant}
	for _, o := range flag.Overrides {
		f.Override += strings.Join(o.TargetingKeys, ",")
	}
	for _, p := range flag.Prerequisites {
		f.Prerequisite += p.Flag
	}
	flag.EachSegment(func(key string) { f.Segment += key })
	return f
}

// differing returns the keys of what is in one only, or not alike in both.
func differing[V comparable](a, b map[string]V) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if v, both := b[key]; !both || v != a[key] {
			keys = append(keys, key)
		}
	}
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// checkHistory reads all versions back.
func (m *apiMachine) checkHistory(t *rapid.T, environment string) {
	var history gen.ChangeList
	readInto(t, m, modelPath(environment)+"/changes?limit=1000", &history)
	for i := range history.Changes {
		version := history.Changes[i].Position.Version
		if version != uint64(i+1) {
			t.Fatalf("change %d of %s makes version %d", i, environment, version)
		}
		var past gen.PastFlags
		readInto(t, m, fmt.Sprintf("%s/versions/%d/flags", modelPath(environment), version), &past)
		items, err := json.Marshal(past.Items)
		if err != nil || string(items) != m.texts[environment][version] {
			t.Fatalf("version %d of %s is\n%s\nand was\n%s", version, environment, items, m.texts[environment][version])
		}
	}
	if n := uint64(len(history.Changes)); n != m.positions[environment].Version {
		t.Fatalf("%d changes lead to %s", n, m.positions[environment])
	}
}

// TestAPIAgainstModel makes random writes, valid and not, and holds the API to the
// model: what is refused or a dry run leaves no mark, what is accepted moves each
// environment that it changes by one version, which the history tells and keeps.
func TestAPIAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &apiMachine{
			modelState: modelState{map[string]modelDefinition{}, map[[2]string]modelFlag{}, map[[2]string]string{}},
			service:    serve(t), positions: map[string]snapshot.Position{}, tags: map[string]string{},
			past: map[string]map[uint64]modelView{}, texts: map[string]map[uint64]string{},
		}
		m.must("POST", "/projects", `{"key":"shop"}`)
		for _, key := range modelEnvironments {
			m.must("POST", modelProject+"/environments", `{"key":"`+key+`"}`)
			m.past[key], m.texts[key] = map[uint64]modelView{}, map[uint64]string{}
			m.positions[key] = get[gen.FlagList](m.service, modelPath(key)+"/flags").Position
		}
		// Something to refer to, and at times what refers to it put away meanwhile.
		beginning := []string{"createFlag", "createSegment", "createFlag", "patchFlag", "archiveFlag", "deleteSegment", "unarchiveFlag"}
		for _, action := range beginning[:rapid.SampledFrom([]int{4, 7}).Draw(r, "beginning")] {
			m.step(r, action)
		}
		for range rapid.IntRange(1, 25).Draw(r, "writes") {
			m.step(r, modelActions...)
		}
		for _, environment := range modelEnvironments {
			m.checkHistory(r, environment)
		}
	})
}

// TestNoUpdateIsLost has two writers count in one document, each on the strength of
// what it has read.
func TestNoUpdateIsLost(t *testing.T) {
	const each = 25
	s := shop(t)
	s.must("PATCH", modelProject+"/flags/payments-v2", `{"metadata":{"n":0}}`)
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for done := 0; done < each; {
				resp := s.send(context.Background(), "GET", modelProject+"/flags/payments-v2", "")
				var read struct{ Metadata struct{ N int } }
				if err := json.NewDecoder(resp.Body).Decode(&read); err != nil {
					t.Error(err)
					return
				}
				body := fmt.Sprintf(`{"metadata":{"n":%d}}`, read.Metadata.N+1)
				resp = s.send(context.Background(), "PATCH", modelProject+"/flags/payments-v2", body, "If-Match", resp.Header.Get("ETag"))
				switch resp.StatusCode {
				case 200:
					done++
				case 412:
				default:
					t.Errorf("answered %d", resp.StatusCode)
					return
				}
			}
		})
	}
	writers.Wait()
	if body, text := answerOf[struct{ Metadata struct{ N int } }](t, s.send(t.Context(), "GET", modelProject+"/flags/payments-v2", ""), 200); body.Metadata.N != 2*each {
		t.Errorf("%d writes lead to %s", 2*each, text)
	}
}
