package eval

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wigwag/wigwag/feature"
)

// notFound is the answer to an unknown key.
var notFound = feature.ResolutionDetails{
	Reason:       feature.ReasonError,
	ErrorCode:    feature.ErrorFlagNotFound,
	ErrorMessage: "there is no flag of this key",
}

// failed is the answer where resolving panicked.
var failed = feature.ResolutionDetails{
	Reason:       feature.ReasonError,
	ErrorCode:    feature.ErrorGeneral,
	ErrorMessage: "the evaluation failed; this is a defect of the evaluator",
}

// Resolve resolves one flag for one context. It never panics, and keeps nothing
// of the context. What it returns is shared by all who resolve, and must not be
// changed.
func (p *Program) Resolve(key string, ec *feature.EvaluationContext) *feature.ResolutionDetails {
	i, ok := p.index[key]
	if !ok {
		return &notFound
	}
	f := p.flags[i]
	if f.fixed != nil {
		return f.fixed
	}
	return p.guarded(f, ec)
}

// guarded contains a panic: a defect of the evaluator must not become one of the
// application that asks.
func (p *Program) guarded(f *flag, ec *feature.EvaluationContext) (answer *feature.ResolutionDetails) {
	defer func() {
		if recover() != nil {
			answer = &failed
		}
	}()
	return p.resolve(f, ec, nil)
}

// resolve is the algorithm of api/evaluation.md. With a trace it writes down
// each step, and resolves the same.
func (p *Program) resolve(f *flag, ec *feature.EvaluationContext, t *Trace) *feature.ResolutionDetails {
	if f.fault != nil {
		return f.fault
	}
	t.state(f)
	if f.disabled != nil {
		return f.disabled
	}
	for i := range f.prerequisites {
		if !p.passes(&f.prerequisites[i], ec, t) {
			return f.failed
		}
	}
	if len(f.overrides) > 0 {
		if answer := f.override(ec, t); answer != nil {
			return answer
		}
	}
	for i := range f.rules {
		r := &f.rules[i]
		seen := t.rule(r)
		if p.holds(&r.when, ec, seen.node()) {
			seen.holds()
			return r.serve.choose(ec, t)
		}
	}
	t.otherwise()
	return f.otherwise.choose(ec, t)
}

// passes reports whether the flag of a prerequisite resolves to one of the
// variants that are asked for. One that is in error has no variant.
func (p *Program) passes(pre *prerequisite, ec *feature.EvaluationContext, t *Trace) bool {
	seen := t.prerequisite(pre)
	if pre.flag < 0 {
		return false
	}
	other := p.flags[pre.flag]
	answer := other.fixed
	if answer == nil || t != nil {
		answer = p.resolve(other, ec, seen.trace())
	}
	holds := answer.ErrorCode == "" && slices.Contains(pre.variants, answer.Variant)
	seen.resolved(answer, holds)
	return holds
}

func (f *flag) override(ec *feature.EvaluationContext, t *Trace) *feature.ResolutionDetails {
	key := ec.TargetingKey()
	i, ok := -1, false
	if key != "" {
		i, ok = f.overridden[key]
	}
	t.overrides(f, i, ok)
	if !ok {
		return nil
	}
	return f.overrides[i].answer
}

// choose returns the one answer, or that of a split.
func (s *serve) choose(ec *feature.EvaluationContext, t *Trace) *feature.ResolutionDetails {
	if s.split == nil {
		return s.answer
	}
	return s.split.choose(ec, t)
}

func (s *split) choose(ec *feature.EvaluationContext, t *Trace) *feature.ResolutionDetails {
	value := s.by.text(ec)
	if value == "" {
		t.split(s, "", 0, 0, s.nothing)
		return s.nothing
	}
	if !utf8.ValidString(value) {
		value = replaceInvalid(value)
	}
	hash := s.salted.Sum(value)
	bucket := feature.Bucket(hash)
	for i := range s.shares {
		if share := &s.shares[i]; bucket < share.below {
			t.split(s, value, hash, bucket, share.answer)
			return share.answer
		}
	}
	return s.nothing // not reached: the last share ends above every bucket
}

// replaceInvalid puts U+FFFD in the place of each byte that is not UTF-8.
func replaceInvalid(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

// text returns the attribute's string, empty where there is none.
func (a *attribute) text(ec *feature.EvaluationContext) string {
	if a.isTargetingKey {
		return ec.TargetingKey()
	}
	v := a.value(ec)
	if v == nil {
		return ""
	}
	text, _ := v.Text()
	return text
}

// value returns what the name leads to, nil where that is nothing or null. It is
// not asked for the targeting key.
func (a *attribute) value(ec *feature.EvaluationContext) *feature.Value {
	if a.path != nil {
		return ec.Lookup(a.path)
	}
	if v := ec.Attribute(a.name); v != nil && !v.IsNull() {
		return v
	}
	return nil
}

// holds reports whether a condition holds; n, unless nil, is told how it came
// to that.
func (p *Program) holds(c *node, ec *feature.EvaluationContext, n *Node) bool {
	holds := false
	switch c.form {
	case formAll:
		holds = true
		n.many(c)
		if n == nil && c.comparisons != nil {
			for _, t := range c.comparisons {
				if !t.holds(ec, nil) {
					return false
				}
			}
			return true
		}
		for i := range c.nodes {
			if !p.holds(&c.nodes[i], ec, n.child(c)) {
				holds = false
				break
			}
		}
	case formAny:
		n.many(c)
		for i := range c.nodes {
			if p.holds(&c.nodes[i], ec, n.child(c)) {
				holds = true
				break
			}
		}
	case formNot:
		holds = !p.holds(&c.nodes[0], ec, n.child(c))
	case formSegment:
		holds = p.contains(p.segments[c.segment], ec, n)
	case formComparison:
		holds = c.comparison.holds(ec, n)
	}
	n.held(holds)
	return holds
}

// contains reports whether a segment holds the context: by its included keys,
// else not by its excluded ones, else by its condition.
func (p *Program) contains(s *segment, ec *feature.EvaluationContext, n *Node) bool {
	n.segment(s)
	if key := ec.TargetingKey(); key != "" {
		if s.included.has(key) {
			n.by("included")
			return true
		}
		if s.excluded.has(key) {
			n.by("excluded")
			return false
		}
	}
	if s.when == nil {
		n.by("none")
		return false
	}
	n.by("when")
	return p.holds(s.when, ec, n.condition())
}
