package wigwag_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/feature"
)

var nobody = wigwag.NewContext("")

// An application that asks before the flags are there would hang, crash, or take
// a zero value for an answer.
func TestBeforeAnythingIsLoadedCallersGetTheirDefaults(t *testing.T) {
	client, err := wigwag.New(testKey)
	if err != nil {
		t.Fatal(err)
	}
	if !client.Bool("f", true, nobody) || client.String("f", "x", nobody) != "x" || client.Int("f", 7, nobody) != 7 || client.Float("f", 1.5, nobody) != 1.5 {
		t.Error("a default was not returned")
	}
	if value := client.Object("f", wigwag.ValueOf([]string{"a"}), nobody); value.String() != `["a"]` {
		t.Errorf("object %s, want the default", value)
	}
	d := client.StringDetails("f", "x", nobody)
	if d.Value != "x" || d.Reason != feature.ReasonError || d.ErrorCode != feature.ErrorProviderNotReady || d.ErrorMessage == "" || d.Variant != "" || !d.Position().IsZero() {
		t.Errorf("details %+v", d)
	}
	if client.Status() != wigwag.StatusNotReady {
		t.Errorf("status %v", client.Status())
	}
}

func TestEvaluationByType(t *testing.T) {
	document := newSnapshot(1,
		on("bool"),
		`{"key":"string","type":"string","variants":{"a":"A"},"state":"ENABLED","offVariant":"a","default":{"variant":"a"},"metadata":{"owner":"checkout"}}`,
		`{"key":"whole","type":"number","variants":{"a":12},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"edge","type":"number","variants":{"a":-9007199254740992},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"fraction","type":"number","variants":{"a":1.5},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"huge","type":"number","variants":{"a":1e300},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"object","type":"object","variants":{"a":{"x":[1]}},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"broken","type":"boolean","variants":{"on":true},"state":"ENABLED","offVariant":"nope","default":{"variant":"nope"}}`,
	).AppendJSON(nil)
	client, err := wigwag.New(testKey, wigwag.WithBootstrap(document), wigwag.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		value   any
		variant string
		code    wigwag.ErrorCode
	}
	of := func(value any, variant string, code wigwag.ErrorCode) result { return result{value, variant, code} }
	boolOf := func(key string) result {
		d := client.BoolDetails(key, false, nobody)
		return of(d.Value, d.Variant, d.ErrorCode)
	}
	stringOf := func(key string) result {
		d := client.StringDetails(key, "-", nobody)
		return of(d.Value, d.Variant, d.ErrorCode)
	}
	intOf := func(key string) result {
		d := client.IntDetails(key, -1, nobody)
		return of(d.Value, d.Variant, d.ErrorCode)
	}
	floatOf := func(key string) result {
		d := client.FloatDetails(key, -1, nobody)
		return of(d.Value, d.Variant, d.ErrorCode)
	}
	objectOf := func(key string) result {
		d := client.ObjectDetails(key, wigwag.ValueOf("-"), nobody)
		return of(d.Value.String(), d.Variant, d.ErrorCode)
	}
	const mismatch, missing, unreadable = feature.ErrorTypeMismatch, feature.ErrorFlagNotFound, feature.ErrorParse
	tests := []struct {
		name      string
		got, want result
	}{
		{"bool", boolOf("bool"), result{true, "on", ""}},
		{"bool of a string", boolOf("string"), result{false, "", mismatch}},
		{"bool of nothing", boolOf("none"), result{false, "", missing}},
		{"bool of a broken flag", boolOf("broken"), result{false, "", unreadable}},
		{"string", stringOf("string"), result{"A", "a", ""}},
		{"string of a bool", stringOf("bool"), result{"-", "", mismatch}},
		{"int", intOf("whole"), result{int64(12), "a", ""}},
		{"int at the edge", intOf("edge"), result{int64(-1 << 53), "a", ""}},
		{"int of a fraction", intOf("fraction"), result{int64(-1), "", mismatch}},
		{"int beyond the edge", intOf("huge"), result{int64(-1), "", mismatch}},
		{"int of a bool", intOf("bool"), result{int64(-1), "", mismatch}},
		{"float", floatOf("fraction"), result{1.5, "a", ""}},
		{"float of a whole number", floatOf("whole"), result{12.0, "a", ""}},
		{"float of an object", floatOf("object"), result{-1.0, "", mismatch}},
		{"object", objectOf("object"), result{`{"x":[1]}`, "a", ""}},
		{"object of a number", objectOf("whole"), result{`"-"`, "", mismatch}},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, test.got, test.want)
		}
	}
	if d := client.StringDetails("string", "", nobody); d.Metadata.Get("owner").String() != `"checkout"` {
		t.Errorf("metadata %v", d.Metadata)
	}
	if d := client.BoolDetails("string", false, nobody); d.Reason != feature.ReasonError || d.ErrorMessage != "the flag's value is a string, not a boolean" {
		t.Errorf("mismatch is explained as %q, reason %s", d.ErrorMessage, d.Reason)
	}
}

const planFlag = `{"key":"pro","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","rules":[{"id":"r1","when":{"attribute":"plan","op":"in","values":["pro"]},"serve":{"variant":"on"}}],"default":{"variant":"off"}}`

// A client that kept a context would give one user what is another's.
func TestTheContextOfTheCallIsTheOneUsed(t *testing.T) {
	server := newServer(t, planFlag)
	client := start(t, server.client(t, wigwag.WithAttributes(wigwag.String("region", "eu"))))
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			plan, want := "free", false
			if i%2 == 0 {
				plan, want = "pro", true
			}
			for range 500 {
				if got := client.Bool("pro", !want, wigwag.NewContext(fmt.Sprint("user-", i), wigwag.String("plan", plan))); got != want {
					t.Errorf("plan %s got %v", plan, got)
					return
				}
			}
		})
	}
	callers.Wait()
	if client.Bool("pro", true, nobody) {
		t.Error("an earlier call's context was used")
	}
}

func ruleFlag(attribute, op, value string) string {
	return fmt.Sprintf(`{"key":"f","type":"boolean","variants":{"on":true,"off":false},"state":"ENABLED","offVariant":"off","rules":[{"id":"r1","when":{"attribute":%q,"op":%q,"values":[%q]},"serve":{"variant":"on"}}],"default":{"variant":"off"}}`, attribute, op, value)
}

// Rules for a version of the application would never match.
func TestStaticAttributesLieBeneathThoseOfTheCall(t *testing.T) {
	tests := []struct {
		name, flag string
		ec         wigwag.EvaluationContext
		want       bool
	}{
		{"version of the application", ruleFlag("app.version", "semver_gte", "2.0.0"), nobody, true},
		{"name of the application", ruleFlag("app.name", "in", "shop"), wigwag.NewContext("u", wigwag.Int("seats", 3)), true},
		{"the call's own app", ruleFlag("app.version", "semver_gte", "2.0.0"), wigwag.NewContext("u", wigwag.Object("app", wigwag.String("version", "1.0.0"))), false},
		{"static attribute", ruleFlag("region", "in", "eu"), nobody, true},
		{"the call overrides it", ruleFlag("region", "in", "eu"), wigwag.NewContext("u", wigwag.String("region", "us")), false},
		{"the targeting key stays", ruleFlag("targetingKey", "in", "u"), wigwag.NewContext("u"), true},
		{"more attributes than a small array", ruleFlag("a20", "in", "x"), manyAttributes(), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, err := wigwag.New(testKey, wigwag.WithBootstrap(newSnapshot(1, test.flag).AppendJSON(nil)),
				wigwag.WithApp("shop", "2.1.0"), wigwag.WithAttributes(wigwag.String("region", "eu")))
			if err != nil {
				t.Fatal(err)
			}
			if got := client.Bool("f", !test.want, test.ec); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func manyAttributes() wigwag.EvaluationContext {
	attributes := make([]wigwag.Attribute, 30)
	for i := range attributes {
		attributes[i] = wigwag.String(fmt.Sprint("a", i), "x")
	}
	return wigwag.NewContext("u", attributes...)
}

// A page whose header and body came from two versions would contradict itself.
func TestAViewKeepsItsVersionWhileFlagsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("header"), on("body"))
		client := start(t, server.client(t))
		synctest.Wait()

		request := client.At()
		header := request.Bool("header", false, nobody)
		server.commit(off("header"), off("body"))
		synctest.Wait()
		if client.Bool("body", true, nobody) {
			t.Fatal("the change did not arrive")
		}
		if body := request.Bool("body", false, nobody); body != header {
			t.Errorf("header %v, body %v of one request", header, body)
		}
		if request.Position().Version != 1 || client.At().Position().Version != 2 {
			t.Errorf("positions %v and %v", request.Position(), client.At().Position())
		}
		if d := request.BoolDetails("body", false, nobody); d.Position() != request.Position() {
			t.Errorf("details are of %v", d.Position())
		}
	})
}

// Garbage on the hot path becomes latency of every request.
func TestEvaluationAllocatesNothing(t *testing.T) {
	flags := []string{
		on("static"), planFlag,
		`{"key":"split","type":"string","variants":{"a":"A","b":"B"},"state":"ENABLED","offVariant":"a","default":{"split":{"salt":"split.","weights":[["a",50000],["b",50000]]}}}`,
		`{"key":"object","type":"object","variants":{"a":{"x":1}},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
		`{"key":"number","type":"number","variants":{"a":1},"state":"ENABLED","offVariant":"a","default":{"variant":"a"}}`,
	}
	document := newSnapshot(1, flags...).AppendJSON(nil)
	plain, err := wigwag.New(testKey, wigwag.WithBootstrap(document))
	if err != nil {
		t.Fatal(err)
	}
	withApp, err := wigwag.New(testKey, wigwag.WithBootstrap(document), wigwag.WithApp("shop", "2.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := wigwag.New(testKey)
	if err != nil {
		t.Fatal(err)
	}
	prebuilt := wigwag.NewContext("user-42", wigwag.String("plan", "pro"))
	user, plan := fmt.Sprint("user-", 42), fmt.Sprint("pr", "o")
	null := wigwag.Value{}
	tests := map[string]func(){
		"bool":                    func() { plain.Bool("static", false, prebuilt) },
		"bool of an unknown flag": func() { plain.Bool("none", false, prebuilt) },
		"bool of another type":    func() { plain.Bool("split", false, prebuilt) },
		"bool before ready":       func() { empty.Bool("static", false, prebuilt) },
		"rule":                    func() { plain.Bool("pro", false, prebuilt) },
		"split":                   func() { plain.String("split", "", prebuilt) },
		"int":                     func() { plain.Int("number", 0, prebuilt) },
		"float":                   func() { plain.Float("number", 0, prebuilt) },
		"object":                  func() { plain.Object("object", null, prebuilt) },
		"details":                 func() { _ = plain.BoolDetails("pro", false, prebuilt).Reason },
		"view":                    func() { plain.At().Bool("pro", false, prebuilt) },
		"context built for the call": func() {
			plain.Bool("pro", false, wigwag.NewContext(user, wigwag.String("plan", plan), wigwag.Int("seats", 3)))
		},
		"details with a context built for the call": func() {
			_ = plain.StringDetails("split", "", wigwag.NewContext(user, wigwag.String("plan", plan))).Variant
		},
		"static attributes": func() { withApp.Bool("pro", false, prebuilt) },
		"static attributes and a context built for the call": func() {
			withApp.Bool("pro", false, wigwag.NewContext(user, wigwag.String("plan", plan)))
		},
	}
	for name, evaluate := range tests {
		if allocations := testing.AllocsPerRun(200, evaluate); allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}

func BenchmarkBool(b *testing.B) {
	client, err := wigwag.New(testKey, wigwag.WithBootstrap(newSnapshot(1, on("static"), planFlag).AppendJSON(nil)))
	if err != nil {
		b.Fatal(err)
	}
	prebuilt := wigwag.NewContext("user-42", wigwag.String("plan", "pro"))
	b.Run("static", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			client.Bool("static", false, prebuilt)
		}
	})
	b.Run("rule", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			client.Bool("pro", false, prebuilt)
		}
	})
	b.Run("rule, context built for the call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			client.Bool("pro", false, wigwag.NewContext("user-42", wigwag.String("plan", "pro")))
		}
	})
	b.Run("rule, details", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			client.BoolDetails("pro", false, prebuilt)
		}
	})
}

// An outage of the server would be one of every application.
func TestAnOutageOnlyMakesAnswersStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		client := server.client(t)
		statuses := collect(client.OnStatus)
		start(t, client)
		time.Sleep(10 * time.Minute) // heartbeats alone keep it fresh
		if d := client.BoolDetails("f", false, nobody); d.Reason != feature.ReasonStatic || d.Age() != 0 || client.Status() != wigwag.StatusReady {
			t.Fatalf("reason %s, age %v, status %v on a healthy stream", d.Reason, d.Age(), client.Status())
		}
		server.setDown(true)
		down := time.Now()
		for time.Since(down) < 10*time.Minute {
			time.Sleep(time.Second)
			d := client.BoolDetails("f", false, nobody)
			if !d.Value || d.Variant != "on" || d.ErrorCode != "" || !client.Bool("f", false, nobody) {
				t.Fatalf("after %v: %+v", time.Since(down), d)
			}
			switch age := time.Since(down); {
			case age < 35*time.Second && d.Reason != feature.ReasonStatic:
				t.Fatalf("after %v already %s", age, d.Reason)
			case age > 61*time.Second && (d.Reason != feature.ReasonStale || d.Age() < age || d.Age() > age+25*time.Second || client.Status() != wigwag.StatusStale):
				t.Fatalf("after %v: reason %s, age %v, status %v", age, d.Reason, d.Age(), client.Status())
			}
		}
		server.commit(off("f"))
		server.setDown(false)
		time.Sleep(31 * time.Second)
		if d := client.BoolDetails("f", true, nobody); d.Value || d.Reason != feature.ReasonStatic {
			t.Errorf("after recovery %+v", d)
		}
		if got := fmt.Sprint(statuses()); got != "[READY STALE READY]" {
			t.Errorf("statuses %s", got)
		}
	})
}
