package control

import (
	"fmt"
	"testing"

	"github.com/wigwag/wigwag/feature"
)

func TestEvaluate(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	must(t)(f.PatchFlag(ctx, ann, "shop", "production", "checkout", []byte(
		`{"state":"ENABLED","rules":[{"id":"beta","when":{"segment":"beta"},"serve":{"variant":"on"}}],"default":{"variant":"off"}}`)))
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, numbered("u", 3_000), nil))

	ask := func(key string, e Evaluation) []Evaluated {
		t.Helper()
		e.Context = feature.NewContext(key)
		answers, position, err := f.Evaluate(ctx, "shop", "production", e)
		if err != nil || position != f.position(t, "production") {
			t.Fatalf("at %s: %v", position, err)
		}
		return answers
	}
	answers := ask("u-002999", Evaluation{})
	if len(answers) != 3 || answers[0].Key != "checkout" || answers[1].Key != "color" || answers[2].Key != "payments" {
		t.Fatalf("answers are %+v", answers)
	}
	if d := answers[0].Details; d.Variant != "on" || d.Reason != feature.ReasonTargetingMatch || d.RuleID != "beta" || answers[0].Trace != nil {
		t.Errorf("checkout is %+v", answers[0])
	}
	if d := answers[2].Details; d.Variant != "off" || d.Reason != feature.ReasonDisabled {
		t.Errorf("payments is %+v", d)
	}
	if d := ask("somebody", Evaluation{Flags: []string{"checkout"}})[0].Details; d.Variant != "off" || d.Reason != feature.ReasonDefault {
		t.Errorf("checkout is %+v for others", d)
	}

	answers = ask("u1", Evaluation{Flags: []string{"none", "checkout", "none"}, Explain: true})
	if len(answers) != 2 || answers[0].Key != "checkout" || answers[0].Trace == nil || answers[0].Details.Variant != "on" {
		t.Errorf("explained: %+v", answers)
	}
	if d := answers[1]; d.Key != "none" || d.Details.ErrorCode != feature.ErrorFlagNotFound || d.Details.Reason != feature.ReasonError {
		t.Errorf("an unknown flag is %+v", d)
	}

	// A write is seen by the next question, also where what was compiled is kept.
	must(t)(f.UpdateSegmentKeys(ctx, ann, "shop", "production", "beta", feature.ListIncluded, nil, []string{"u1"}))
	if d := ask("u1", Evaluation{Flags: []string{"checkout"}})[0].Details; d.Variant != "off" {
		t.Errorf("checkout is still %+v", d)
	}
}

func TestProgramsAreKeptAndBounded(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	ask := func(environment string) *compiled {
		t.Helper()
		must(t)(func() (any, error) { _, _, err := f.Evaluate(ctx, "shop", environment, Evaluation{}); return nil, err }())
		set, err := flagSet(ctx, f.store, "shop", environment)
		if err != nil {
			t.Fatal(err)
		}
		return f.programs.at(set)
	}
	first := ask("production")
	if first == nil || ask("production") != first {
		t.Error("the same flag set was compiled twice")
	}
	for i := range 2 * maxPrograms {
		environment := fmt.Sprintf("env-%d", i)
		must(t)(f.CreateEnvironment(ctx, ann, "shop", Environment{Key: environment}))
		ask(environment)
		if ask("production") != first {
			t.Fatal("what is asked for most was dropped")
		}
	}
	if n := len(f.programs.latest); n != maxPrograms || len(f.programs.order) != n {
		t.Errorf("%d programs are kept", n)
	}
}
