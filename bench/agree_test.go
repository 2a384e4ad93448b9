package bench

import (
	"fmt"
	"testing"
)

// TestContendersAgree holds the contenders to one meaning of the flags: a figure
// for an engine that answers another question is worth nothing.
func TestContendersAgree(t *testing.T) {
	change := func(f func(*subject)) subject {
		s := asked
		f(&s)
		return s
	}
	for _, test := range []struct {
		name    string
		subject subject
		answers map[string]bool
	}{
		{"the subject asked about", asked, map[string]bool{
			flagPlain: true, flagRules: true, flagSplit: true, flagSegment: true, flagDependent: true,
		}},
		{"first rule", change(func(s *subject) { s.country, s.build = "US", 1 }), map[string]bool{flagRules: true}},
		{"second rule", change(func(s *subject) { s.age, s.build = 17.5, 1 }), map[string]bool{flagRules: true}},
		{"age at the bound", change(func(s *subject) { s.age, s.build = 18, 1 }), map[string]bool{flagRules: false}},
		{"third rule", change(func(s *subject) { s.device, s.build = "tablet", 1 }), map[string]bool{flagRules: true}},
		{"third rule at the bound", change(func(s *subject) { s.device, s.build, s.age = "tablet", 1, 21 }), map[string]bool{flagRules: true}},
		{"fourth rule", change(func(s *subject) { s.plan, s.build = "team", 1 }), map[string]bool{flagRules: true}},
		{"no rule: build", change(func(s *subject) { s.build = 1199 }), map[string]bool{flagRules: false}},
		{"fifth rule at the bound", change(func(s *subject) { s.build = 1200 }), map[string]bool{flagRules: true}},
		{"no rule: beta", change(func(s *subject) { s.beta = false }), map[string]bool{flagRules: false}},
		{"first key of the segment", change(func(s *subject) { s.key = "user-0" }), map[string]bool{flagSegment: true}},
		{"last key of the segment", change(func(s *subject) { s.key = "user-9999" }), map[string]bool{flagSegment: true}},
		{"a key outside of the segment", change(func(s *subject) { s.key = "user-10000" }), map[string]bool{flagSegment: false, flagDependent: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, c := range contenders(t) {
				for range 2 { // before and after a replacement
					for flag, want := range test.answers {
						if got := c.ask(flag, test.subject); got != want {
							t.Errorf("%s: %s is %v, want %v", c.name(), flag, got, want)
						}
					}
					c.replace()
				}
			}
		})
	}
}

// TestSplitsAreEven holds each contender's split to its half.
func TestSplitsAreEven(t *testing.T) {
	const subjects, tolerance = 20_000, 400
	for _, c := range contenders(t) {
		count := 0
		for i := range subjects {
			if c.ask(flagSplit, subject{key: fmt.Sprintf("someone-%d", i)}) {
				count++
			}
		}
		if count < subjects/2-tolerance || count > subjects/2+tolerance {
			t.Errorf("%s serves true to %d of %d", c.name(), count, subjects)
		}
	}
}

// TestReplacementsArrive makes sure that P2 measures replacements: each is in force
// in the client when replace returns.
func TestReplacementsArrive(t *testing.T) {
	w := newWigwag(t)
	for version := uint64(2); version < 5; version++ {
		w.replace()
		if got := w.client.At().Position().Version; got != version {
			t.Fatalf("the client is at version %d, want %d", got, version)
		}
	}
}
