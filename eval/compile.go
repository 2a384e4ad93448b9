package eval

import (
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

// compileFlags compiles all flags. The segments are compiled already.
func (p *Program) compileFlags() {
	p.index = make(map[string]int, len(p.set.Flags))
	for i, f := range p.set.Flags {
		p.index[f.Key] = i
	}
	knots := feature.Knots(len(p.set.Flags), func(i int) string { return p.set.Flags[i].Key }, func(i int) []int {
		var next []int
		for _, pre := range p.set.Flags[i].Prerequisites {
			if j, ok := p.index[pre.Flag]; ok {
				next = append(next, j)
			}
		}
		return next
	})
	p.flags = make([]*flag, len(p.set.Flags))
	for i, f := range p.set.Flags {
		p.flags[i] = p.compileFlag(f, knots[i])
	}
}

// compileFlag compiles one flag. Its place among the flags is known already.
func (p *Program) compileFlag(source *feature.Flag, knot string) *flag {
	f := &flag{source: source, knot: knot}
	err := errors.New(knot)
	if knot == "" {
		c := flagCompiler{program: p, source: source}
		err = c.compile(f)
	}
	if err != nil {
		return &flag{source: source, knot: knot, fault: &feature.ResolutionDetails{
			Reason:       feature.ReasonError,
			ErrorCode:    feature.ErrorParse,
			ErrorMessage: err.Error(),
			Metadata:     source.Metadata,
		}}
	}
	return f
}

type flagCompiler struct {
	program *Program
	source  *feature.Flag
}

func (c *flagCompiler) compile(f *flag) error {
	if err := c.checkVariants(); err != nil {
		return err
	}
	off, err := c.answer(c.source.OffVariant, feature.ReasonDisabled, "")
	if err != nil {
		return fmt.Errorf("offVariant: %w", err)
	}
	switch c.source.State {
	case feature.StateEnabled:
	case feature.StateDisabled:
		f.disabled = off
	default:
		return fmt.Errorf("state %q is unknown", c.source.State)
	}
	f.failed, _ = c.answer(c.source.OffVariant, feature.ReasonPrerequisiteFailed, "")
	for i := range c.source.Prerequisites {
		pre := &c.source.Prerequisites[i]
		place, ok := c.program.index[pre.Flag]
		if !ok {
			place = -1
		}
		f.prerequisites = append(f.prerequisites, prerequisite{flag: place, variants: pre.Variants, source: pre})
	}
	if err := c.compileOverrides(f); err != nil {
		return err
	}
	for i := range c.source.Rules {
		source := &c.source.Rules[i]
		r := rule{source: source}
		if err := c.program.compileCondition(&r.when, &source.When); err != nil {
			return fmt.Errorf("rules[%d].when%w", i, err)
		}
		if r.serve, err = c.compileServe(&source.Serve, feature.ReasonTargetingMatch, source.ID); err != nil {
			return fmt.Errorf("rules[%d].serve: %w", i, err)
		}
		f.rules = append(f.rules, r)
	}
	static := len(f.prerequisites) == 0 && len(f.overrides) == 0 && len(f.rules) == 0
	reason := feature.ReasonDefault
	if static {
		reason = feature.ReasonStatic
	}
	if f.otherwise, err = c.compileServe(&c.source.Default, reason, ""); err != nil {
		return fmt.Errorf("default: %w", err)
	}
	switch {
	case f.disabled != nil:
		f.fixed = f.disabled
	case static:
		f.fixed = f.otherwise.answer
	}
	return nil
}

func (c *flagCompiler) checkVariants() error {
	var kind feature.ValueKind
	switch c.source.Type {
	case feature.TypeBoolean:
		kind = feature.KindBool
	case feature.TypeString:
		kind = feature.KindString
	case feature.TypeNumber:
		kind = feature.KindNumber
	case feature.TypeObject:
		kind = feature.KindObject
	default:
		return fmt.Errorf("type %q is unknown", c.source.Type)
	}
	for i := range c.source.Variants {
		if v := &c.source.Variants[i]; v.Value.Kind() != kind {
			return fmt.Errorf("variants.%s is a %s, the flag's type is %s", v.Key, v.Value.Kind(), c.source.Type)
		}
	}
	return nil
}

// answer makes the answer that serves a variant for a reason.
func (c *flagCompiler) answer(variant string, reason feature.Reason, rule string) (*feature.ResolutionDetails, error) {
	v := c.source.Variants.Get(variant)
	if v == nil {
		return nil, fmt.Errorf("variant %q is unknown", variant)
	}
	return &feature.ResolutionDetails{
		Value: v.Value, Variant: v.Key, Reason: reason, RuleID: rule, Metadata: c.source.Metadata,
	}, nil
}

func (c *flagCompiler) compileOverrides(f *flag) error {
	for i := range c.source.Overrides {
		source := &c.source.Overrides[i]
		answer, err := c.answer(source.Variant, feature.ReasonTargetingMatch, "")
		if err != nil {
			return fmt.Errorf("overrides[%d]: %w", i, err)
		}
		f.overrides = append(f.overrides, override{answer})
		if f.overridden == nil {
			f.overridden = make(map[string]int, len(source.TargetingKeys))
		}
		for _, key := range source.TargetingKeys {
			if _, taken := f.overridden[key]; !taken {
				f.overridden[key] = i
			}
		}
	}
	return nil
}

func (c *flagCompiler) compileServe(source *feature.Serve, reason feature.Reason, ruleID string) (serve, error) {
	if (source.Variant == "") == (source.Split == nil) {
		return serve{}, errors.New("it takes either a variant or a split")
	}
	if source.Split == nil {
		answer, err := c.answer(source.Variant, reason, ruleID)
		return serve{answer: answer}, err
	}
	s := &split{
		source: source.Split,
		by:     newAttribute(source.Split.Attribute()),
		salted: feature.NewMurmurPrefix(source.Split.Salt),
	}
	var err error
	if s.nothing, err = c.answer(c.source.OffVariant, feature.ReasonDefault, ruleID); err != nil {
		return serve{}, err
	}
	if !feature.ValidSalt(source.Split.Salt) {
		return serve{}, fmt.Errorf("salt %q is not of 1 to 64 letters, digits and . _ : -", source.Split.Salt)
	}
	below, seen := 0, map[string]bool{}
	for _, w := range source.Split.Weights {
		answer, err := c.answer(w.Variant, feature.ReasonSplit, ruleID)
		if err != nil {
			return serve{}, err
		}
		if w.Weight < 0 || w.Weight > feature.SplitTotal || seen[w.Variant] {
			return serve{}, fmt.Errorf("the weight of %q is negative, too large, or given twice", w.Variant)
		}
		seen[w.Variant] = true
		below += w.Weight
		s.shares = append(s.shares, share{below, answer})
	}
	if below != feature.SplitTotal {
		return serve{}, fmt.Errorf("the weights sum to %d, not %d", below, feature.SplitTotal)
	}
	return serve{split: s}, nil
}
