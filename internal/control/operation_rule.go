package control

import (
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// place is where a rule goes: before or after another, or at an index counted from
// 0 of the list as it is without the rule; at most one of the three.
type place struct {
	Before string `json:"before"`
	After  string `json:"after"`
	At     *int   `json:"at"`
}

// index returns where in the rules, and false where no place is given.
func (p *place) index(rules []feature.Rule) (at int, given bool, err error) {
	n := 0
	for _, is := range []bool{p.Before != "", p.After != "", p.At != nil} {
		if is {
			n++
		}
	}
	switch {
	case n > 1:
		return 0, true, fault.InvalidField("before", "give one of before, after and at")
	case p.Before != "":
		at, err = ruleIndex(rules, "before", p.Before)
		return at, true, err
	case p.After != "":
		at, err = ruleIndex(rules, "after", p.After)
		return at + 1, true, err
	case p.At == nil:
		return len(rules), false, nil
	case *p.At < 0 || *p.At > len(rules):
		return 0, true, fault.InvalidField("at", "it must be from 0, the first, to %d, the last", len(rules))
	default:
		return *p.At, true, nil
	}
}

// ruleIndex finds a rule by its id, which a field of an operation names.
func ruleIndex(rules []feature.Rule, field, id string) (int, error) {
	if id == "" {
		return 0, fault.InvalidField(field, "give the id of a rule")
	}
	at := slices.IndexFunc(rules, func(r feature.Rule) bool { return r.ID == id })
	if at < 0 {
		return 0, fault.InvalidField(field, "the flag has no rule %.80q", id)
	}
	return at, nil
}

// copiedRule is as copied, for a rule.
func copiedRule(r *feature.Rule) feature.Rule {
	rule := *r
	rule.Serve = copied(&r.Serve)
	return rule
}

// insertRule adds a rule, at the end unless it says where.
type insertRule struct {
	named
	Rule feature.Rule `json:"rule"`
	place
}

func (o *insertRule) apply(flag *feature.Flag, mark marker) error {
	at, _, err := o.index(flag.Rules)
	if err != nil {
		return err
	}
	rule := copiedRule(&o.Rule)
	taken := make(map[string]bool, len(flag.Rules))
	for i := range flag.Rules {
		taken[flag.Rules[i].ID] = true
	}
	switch {
	case rule.ID == "":
		rule.ID = freshRuleID(taken)
	case taken[rule.ID]:
		return fault.InvalidField("rule.id", "the flag has a rule %.80q already; leave the id out to be given one", rule.ID)
	}
	flag.Rules = slices.Insert(flag.Rules, at, rule)
	mark(partRule(rule.ID), "", "rule")
	return nil
}

// updateRule replaces a rule where it is.
type updateRule struct {
	named
	ID   string       `json:"id"`
	Rule feature.Rule `json:"rule"`
}

func (o *updateRule) apply(flag *feature.Flag, mark marker) error {
	at, err := ruleIndex(flag.Rules, "id", o.ID)
	if err != nil {
		return err
	}
	if o.Rule.ID != "" && o.Rule.ID != o.ID {
		return fault.InvalidField("rule.id", "the id of a rule stays; leave it out or give %q", o.ID)
	}
	rule := copiedRule(&o.Rule)
	rule.ID = o.ID
	keepSalt(rule.Serve.Split, flag.Rules[at].Serve.Split)
	flag.Rules[at] = rule
	mark(partRule(o.ID), "", "rule")
	return nil
}

// keepSalt gives a split without a salt the one of the split that it replaces.
func keepSalt(split, before *feature.Split) {
	if split != nil && split.Salt == "" && before != nil {
		split.Salt = before.Salt
	}
}

// removeRule removes a rule.
type removeRule struct {
	named
	ID string `json:"id"`
}

func (o *removeRule) apply(flag *feature.Flag, _ marker) error {
	at, err := ruleIndex(flag.Rules, "id", o.ID)
	if err == nil {
		flag.Rules = slices.Delete(flag.Rules, at, at+1)
	}
	return err
}

// moveRule changes the place of a rule.
type moveRule struct {
	named
	ID string `json:"id"`
	place
}

func (o *moveRule) apply(flag *feature.Flag, _ marker) error {
	from, err := ruleIndex(flag.Rules, "id", o.ID)
	if err != nil {
		return err
	}
	rule := flag.Rules[from]
	others := slices.Delete(slices.Clone(flag.Rules), from, from+1)
	if o.Before == o.ID || o.After == o.ID {
		return fault.InvalidField("id", "a rule does not move next to itself; name another")
	}
	to, given, err := o.index(others)
	if err != nil {
		return err
	}
	if !given {
		return fault.InvalidField("at", "say where to: before or after another rule, or at an index")
	}
	flag.Rules = slices.Insert(others, to, rule)
	return nil
}

// setSplit changes the weights of a rule's split, or of the default's; what is
// served as one variant becomes a split.
type setSplit struct {
	named
	Rule    string           `json:"rule"`
	Default bool             `json:"default"`
	By      string           `json:"by"`
	Weights []feature.Weight `json:"weights"`
}

func (o *setSplit) apply(flag *feature.Flag, mark marker) error {
	serve, written, within := &flag.Default, partDefault, "split"
	switch {
	case o.Rule != "" && o.Default:
		return fault.InvalidField("rule", "give a rule, or default as true, not both")
	case o.Rule != "":
		at, err := ruleIndex(flag.Rules, "rule", o.Rule)
		if err != nil {
			return err
		}
		serve, written, within = &flag.Rules[at].Serve, partRule(o.Rule), "serve.split"
	case !o.Default:
		return fault.InvalidField("rule", "say of what: give the id of a rule, or default as true")
	}
	split := feature.Split{By: o.By, Weights: slices.Clone(o.Weights)}
	if serve.Split != nil {
		split.Salt = serve.Split.Salt
		if o.By == "" {
			split.By = serve.Split.By
		}
	}
	*serve = feature.Serve{Split: &split}
	mark(written, within, "")
	return nil
}
