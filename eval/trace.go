package eval

import (
	"encoding/json"

	"github.com/wigwag/wigwag/feature"
)

// Trace is the way by which a flag was resolved, step by step, as far as
// resolving went. Server, dashboard, command line and SDKs print one and the same
// JSON, which api/evaluation.md defines.
//
// Its unexported methods are what resolving calls; on a nil Trace or Node they
// do nothing, which is how resolving and explaining are one code path. They are
// split in two, so that the test for nil is inlined. They copy what they are shown
// of the context, so that contexts stay on their stacks.
type Trace struct {
	Flag  string  `json:"flag"`
	Steps []*Step `json:"steps"`
}

// Step is one step of a trace; which fields are filled depends on Step.
type Step struct {
	// Step is state, prerequisite, override, rule, split or default.
	Step       string        `json:"step"`
	State      feature.State `json:"state,omitempty"`
	Flag       string        `json:"flag,omitempty"`
	Rule       string        `json:"rule,omitempty"`
	Name       string        `json:"name,omitempty"`
	Variants   []string      `json:"variants,omitempty"`
	By         string        `json:"by,omitempty"`
	Value      *string       `json:"value,omitempty"`
	Salt       string        `json:"salt,omitempty"`
	Hash       *uint32       `json:"hash,omitempty"`
	Bucket     *int          `json:"bucket,omitempty"`
	Boundaries []Boundary    `json:"boundaries,omitempty"`
	Variant    string        `json:"variant,omitempty"`
	Holds      *bool         `json:"holds,omitempty"`
	When       *Node         `json:"when,omitempty"`
	Trace      *Trace        `json:"trace,omitempty"`
}

// Boundary is the bucket below which a split serves a variant; in JSON the pair
// ["on",25000].
type Boundary struct {
	Variant string
	Below   int
}

// MarshalJSON returns the pair.
func (b Boundary) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{b.Variant, b.Below})
}

// UnmarshalJSON reads the pair.
func (b *Boundary) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&b.Variant, &b.Below})
}

// Node is a condition in a trace; which fields are filled depends on its form.
type Node struct {
	All       []*Node          `json:"all,omitzero"`
	Any       []*Node          `json:"any,omitzero"`
	Not       *Node            `json:"not,omitempty"`
	Segment   string           `json:"segment,omitempty"`
	Attribute string           `json:"attribute,omitempty"`
	Op        feature.Operator `json:"op,omitempty"`
	Values    []feature.Value  `json:"values,omitempty"`
	// Value is what was seen, nil where the attribute was missing.
	Value *feature.Value `json:"value,omitempty"`
	// By says what decided about a segment: included, excluded, when or none.
	By    string `json:"by,omitempty"`
	When  *Node  `json:"when,omitempty"`
	Holds bool   `json:"holds"`
}

// Explain resolves a flag as [Program.Resolve] does and returns every step on the
// way.
func (p *Program) Explain(key string, ec *feature.EvaluationContext) (*feature.ResolutionDetails, *Trace) {
	trace := &Trace{Flag: key, Steps: []*Step{}}
	i, ok := p.index[key]
	if !ok {
		return &notFound, trace
	}
	return p.resolve(p.flags[i], ec, trace), trace
}

func (t *Trace) add(step *Step) *Step {
	t.Steps = append(t.Steps, step)
	return step
}

func (t *Trace) state(f *flag) {
	if t != nil {
		t.add(&Step{Step: "state", State: f.source.State})
	}
}

func (t *Trace) prerequisite(p *prerequisite) *Step {
	if t == nil {
		return nil
	}
	return t.addPrerequisite(p)
}

func (t *Trace) addPrerequisite(p *prerequisite) *Step {
	return t.add(&Step{Step: "prerequisite", Flag: p.source.Flag, Variants: p.variants, Holds: new(bool)})
}

// trace makes room for the trace of a prerequisite's flag.
func (s *Step) trace() *Trace {
	if s == nil {
		return nil
	}
	s.Trace = &Trace{Flag: s.Flag, Steps: []*Step{}}
	return s.Trace
}

func (s *Step) resolved(answer *feature.ResolutionDetails, holds bool) {
	if s != nil {
		s.Variant = answer.Variant
		*s.Holds = holds
	}
}

// overrides lists those that were asked: all before the one that holds.
func (t *Trace) overrides(f *flag, hit int, found bool) {
	if t != nil {
		t.addOverrides(f, hit, found)
	}
}

func (t *Trace) addOverrides(f *flag, hit int, found bool) {
	for i := range f.overrides {
		holds := found && i == hit
		t.add(&Step{Step: "override", Variant: f.overrides[i].answer.Variant, Holds: &holds})
		if holds {
			return
		}
	}
}

func (t *Trace) rule(r *rule) *Step {
	if t == nil {
		return nil
	}
	return t.addRule(r)
}

func (t *Trace) addRule(r *rule) *Step {
	return t.add(&Step{Step: "rule", Rule: r.source.ID, Name: r.source.Name, Holds: new(bool)})
}

// node makes room for the condition of a rule.
func (s *Step) node() *Node {
	if s == nil {
		return nil
	}
	s.When = &Node{}
	return s.When
}

func (s *Step) holds() {
	if s != nil {
		*s.Holds = true
	}
}

func (t *Trace) otherwise() {
	if t != nil {
		t.add(&Step{Step: "default"})
	}
}

func (t *Trace) split(s *split, value string, hash uint32, bucket int, answer *feature.ResolutionDetails) {
	if t != nil {
		t.addSplit(s, value, hash, bucket, answer)
	}
}

func (t *Trace) addSplit(s *split, value string, hash uint32, bucket int, answer *feature.ResolutionDetails) {
	step := t.add(&Step{Step: "split", By: s.source.Attribute(), Salt: s.source.Salt, Variant: answer.Variant})
	for i := range s.shares {
		step.Boundaries = append(step.Boundaries, Boundary{s.shares[i].answer.Variant, s.shares[i].below})
	}
	if value != "" {
		seen, h, b := clone(value), hash, bucket // copies: only these reach the heap
		step.Value, step.Hash, step.Bucket = &seen, &h, &b
	}
}

// clone copies a string of the context, which must not be kept.
func clone(s string) string { return string([]byte(s)) }

// many says that the node has a list of nodes, even if none is reached.
func (n *Node) many(c *node) {
	if n != nil {
		n.begin(c)
	}
}

func (n *Node) begin(c *node) {
	if c.form == formAll {
		n.All = []*Node{}
	} else {
		n.Any = []*Node{}
	}
}

func (n *Node) child(c *node) *Node {
	if n == nil {
		return nil
	}
	return n.addChild(c)
}

func (n *Node) addChild(c *node) *Node {
	child := &Node{}
	switch c.form {
	case formAll:
		n.All = append(n.All, child)
	case formAny:
		n.Any = append(n.Any, child)
	default:
		n.Not = child
	}
	return child
}

func (n *Node) held(holds bool) {
	if n != nil {
		n.Holds = holds
	}
}

func (n *Node) segment(s *segment) {
	if n != nil {
		n.Segment = s.source.Key
	}
}

func (n *Node) by(what string) {
	if n != nil {
		n.By = what
	}
}

// condition makes room for the condition of a segment.
func (n *Node) condition() *Node {
	if n == nil {
		return nil
	}
	n.When = &Node{}
	return n.When
}

func (n *Node) comparison(t *comparison, seen *feature.Value) {
	if n != nil {
		n.setComparison(t, seen)
	}
}

func (n *Node) setComparison(t *comparison, seen *feature.Value) {
	n.Attribute, n.Op, n.Values = t.by.name, t.op, t.source.Values
	if seen != nil {
		n.Value = new(feature.Value)
		_ = n.Value.UnmarshalJSON(seen.AppendJSON(nil)) // a copy by way of its own JSON cannot fail
	}
}
