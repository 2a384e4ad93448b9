package bench

import (
	"sync/atomic"
	"testing"

	"github.com/wigwag/wigwag/feature"
)

// limit is the least that the work can reasonably cost in Go: the rules as
// closures over a struct whose fields are known when it is compiled, and nothing
// that a flag system needs besides. It keeps what no flag system can do without:
// flags are found by key, and a configuration is replaced by swapping a pointer.
type limit struct{ program atomic.Pointer[limitProgram] }

type limitProgram struct{ flags map[string]*limitFlag }

type limitFlag struct {
	requires *limitFlag
	rules    []limitRule
	split    *feature.MurmurPrefix
	fallback bool
}

type (
	limitRule      struct{ conditions []limitCondition }
	limitCondition func(*subject) bool
)

func newLimit() *limit {
	l := new(limit)
	l.replace()
	return l
}

func (l *limit) name() string { return "limit" }

func (l *limit) replace() {
	plan := func(s *subject) string { return s.plan }
	country := func(s *subject) string { return s.country }
	device := func(s *subject) string { return s.device }
	age := func(s *subject) float64 { return s.age }
	build := func(s *subject) float64 { return s.build }
	beta := func(s *subject) bool { return s.beta }

	members := limitMembers
	salt := feature.NewMurmurPrefix("split.")
	plain := &limitFlag{fallback: true}
	flags := map[string]*limitFlag{
		flagPlain: plain,
		flagRules: {rules: []limitRule{
			{[]limitCondition{isOneOf(plan, "enterprise", "pro"), isOneOf(country, "US", "CA")}},
			{[]limitCondition{isOneOf(country, "FR", "DE", "IT"), isBelow(age, 18)}},
			{[]limitCondition{isAtLeast(age, 21), isOneOf(device, "tablet")}},
			{[]limitCondition{isOneOf(device, "phone", "watch"), isOneOf(plan, "free", "team")}},
			{[]limitCondition{beta, isAtLeast(build, 1200)}},
		}},
		flagSplit: {split: &salt},
		flagSegment: {rules: []limitRule{{[]limitCondition{func(s *subject) bool {
			_, found := members[s.key]
			return found
		}}}}},
		flagDependent: {requires: plain, fallback: true},
	}
	for i := range fillers {
		flags[fillerKey(i)] = plain
	}
	l.program.Store(&limitProgram{flags})
}

var limitMembers = func() map[string]struct{} {
	members := make(map[string]struct{}, segmentSize)
	for _, key := range segmentKeys() {
		members[key] = struct{}{}
	}
	return members
}()

func isOneOf(field func(*subject) string, values ...string) limitCondition {
	return func(s *subject) bool {
		value := field(s)
		for _, v := range values {
			if v == value {
				return true
			}
		}
		return false
	}
}

func isBelow(field func(*subject) float64, bound float64) limitCondition {
	return func(s *subject) bool { return field(s) < bound }
}

func isAtLeast(field func(*subject) float64, bound float64) limitCondition {
	return func(s *subject) bool { return field(s) >= bound }
}

func (l *limit) resolve(key string, defaultValue bool, s *subject) bool {
	flag := l.program.Load().flags[key]
	if flag == nil {
		return defaultValue
	}
	return flag.resolve(s)
}

func (f *limitFlag) resolve(s *subject) bool {
	if f.requires != nil && !f.requires.resolve(s) {
		return false
	}
rules:
	for i := range f.rules {
		for _, holds := range f.rules[i].conditions {
			if !holds(s) {
				continue rules
			}
		}
		return true
	}
	if f.split != nil {
		return feature.Bucket(f.split.Sum(s.key)) < feature.SplitTotal/2
	}
	return f.fallback
}

func (l *limit) ask(flag string, s subject) bool { return l.resolve(flag, false, &s) }

func (l *limit) ready(b *testing.B, flag string) {
	s := asked
	for b.Loop() {
		l.resolve(flag, false, &s)
	}
}

func (l *limit) built(b *testing.B, flag string) {
	for b.Loop() {
		s := subject{
			key: asked.key, plan: asked.plan, country: asked.country, device: asked.device,
			age: asked.age, build: asked.build, beta: asked.beta,
		}
		l.resolve(flag, false, &s)
	}
}

func (l *limit) shared(pb *testing.PB, flag string) {
	s := asked
	for pb.Next() {
		l.resolve(flag, false, &s)
	}
}
