package bench

import (
	"maps"
	"sync/atomic"
	"testing"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	evaluation "github.com/launchdarkly/go-server-sdk-evaluation/v3"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldbuilders"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"
)

// launchDarkly is the evaluation engine of LaunchDarkly's Go server SDK, without
// the client around it. Flags are found by key in a map, as in the others, which
// is less than the SDK's own store does.
type launchDarkly struct {
	configuration atomic.Pointer[ldConfiguration]
}

// ldConfiguration is the engine with the flags that it asks for.
type ldConfiguration struct {
	engine  evaluation.Evaluator
	flags   map[string]*ldmodel.FeatureFlag
	segment *ldmodel.Segment
}

func (c *ldConfiguration) GetFeatureFlag(key string) *ldmodel.FeatureFlag { return c.flags[key] }
func (c *ldConfiguration) GetSegment(string) *ldmodel.Segment             { return c.segment }

func newLaunchDarkly() *launchDarkly {
	segment := ldbuilders.NewSegmentBuilder("big").Included(segmentKeys()...).Build()
	l := new(launchDarkly)
	l.configuration.Store(&ldConfiguration{segment: &segment, flags: map[string]*ldmodel.FeatureFlag{}})
	l.put(
		ldFlag(flagPlain).FallthroughVariation(ldTrue),
		ldFlag(flagSplit).Salt("a").Fallthrough(ldbuilders.Rollout(
			ldbuilders.Bucket(ldTrue, 50_000), ldbuilders.Bucket(ldFalse, 50_000))),
		ldFlag(flagSegment).AddRule(ldRule("r1", ldbuilders.SegmentMatchClause("big"))),
		ldFlag(flagDependent).AddPrerequisite(flagPlain, ldTrue).FallthroughVariation(ldTrue))
	for i := range fillers {
		l.put(ldFlag(fillerKey(i)).FallthroughVariation(ldTrue))
	}
	l.replace()
	return l
}

func (l *launchDarkly) name() string { return "launchdarkly" }

const (
	ldFalse = iota
	ldTrue
)

func ldFlag(key string) *ldbuilders.FlagBuilder {
	return ldbuilders.NewFlagBuilder(key).On(true).Salt(key).
		Variations(ldvalue.Bool(false), ldvalue.Bool(true)).OffVariation(ldFalse).FallthroughVariation(ldFalse)
}

func ldRule(id string, clauses ...ldmodel.Clause) *ldbuilders.RuleBuilder {
	return ldbuilders.NewRuleBuilder().ID(id).Variation(ldTrue).Clauses(clauses...)
}

func ldIn(attribute string, values ...string) ldmodel.Clause {
	list := make([]ldvalue.Value, len(values))
	for i, v := range values {
		list[i] = ldvalue.String(v)
	}
	return ldbuilders.Clause(attribute, ldmodel.OperatorIn, list...)
}

func ldNumber(attribute string, op ldmodel.Operator, bound float64) ldmodel.Clause {
	return ldbuilders.Clause(attribute, op, ldvalue.Float64(bound))
}

func (l *launchDarkly) replace() {
	l.put(ldFlag(flagRules).
		AddRule(ldRule("r1", ldIn("plan", "enterprise", "pro"), ldIn("country", "US", "CA"))).
		AddRule(ldRule("r2", ldIn("country", "FR", "DE", "IT"), ldNumber("age", ldmodel.OperatorLessThan, 18))).
		AddRule(ldRule("r3", ldNumber("age", ldmodel.OperatorGreaterThanOrEqual, 21), ldIn("device", "tablet"))).
		AddRule(ldRule("r4", ldIn("device", "phone", "watch"), ldIn("plan", "free", "team"))).
		AddRule(ldRule("r5", ldbuilders.Clause("beta", ldmodel.OperatorIn, ldvalue.Bool(true)),
			ldNumber("build", ldmodel.OperatorGreaterThanOrEqual, 1200))))
}

// put stores a configuration with flags added or replaced; the rest is shared
// with the one before.
func (l *launchDarkly) put(builders ...*ldbuilders.FlagBuilder) {
	before := l.configuration.Load()
	next := &ldConfiguration{segment: before.segment, flags: maps.Clone(before.flags)}
	for _, builder := range builders {
		flag := builder.Build()
		next.flags[flag.Key] = &flag
	}
	next.engine = evaluation.NewEvaluator(next)
	l.configuration.Store(next)
}

func (l *launchDarkly) resolve(key string, defaultValue bool, context ldcontext.Context) bool {
	c := l.configuration.Load()
	flag := c.GetFeatureFlag(key)
	if flag == nil {
		return defaultValue
	}
	result := c.engine.Evaluate(flag, context, nil)
	if result.Detail.IsDefaultValue() {
		return defaultValue
	}
	return result.Detail.Value.BoolValue()
}

func ldContext(s *subject) ldcontext.Context {
	return ldcontext.NewBuilder(s.key).
		SetString("plan", s.plan).SetString("country", s.country).SetString("device", s.device).
		SetFloat64("age", s.age).SetFloat64("build", s.build).SetBool("beta", s.beta).Build()
}

func (l *launchDarkly) ask(flag string, s subject) bool { return l.resolve(flag, false, ldContext(&s)) }

func (l *launchDarkly) ready(b *testing.B, flag string) {
	context := ldContext(&asked)
	for b.Loop() {
		l.resolve(flag, false, context)
	}
}

func (l *launchDarkly) built(b *testing.B, flag string) {
	for b.Loop() {
		l.resolve(flag, false, ldContext(&asked))
	}
}

func (l *launchDarkly) shared(pb *testing.PB, flag string) {
	context := ldContext(&asked)
	for pb.Next() {
		l.resolve(flag, false, context)
	}
}
