package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// usesOf says where an environment uses variants of a flag; where other flags do,
// unless that is looked at later.
func (w Write) usesOf(ctx context.Context, r store.Reader, id store.SetID, flag *feature.Flag, variants []string) ([]string, error) {
	if len(variants) == 0 {
		return nil, nil
	}
	var uses []string
	for _, variant := range variants {
		for _, place := range places(&flag.Configuration, variant) {
			uses = append(uses, fmt.Sprintf("variant %q in environment %q by %s", variant, id.Environment, place))
		}
	}
	if w.later != nil {
		return uses, nil
	}
	others, err := decodeAll[feature.Flag](ctx, r, id, snapshot.KindFlag)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		for _, p := range other.Prerequisites {
			if p.Flag != flag.Key {
				continue
			}
			for _, variant := range variants {
				if slices.Contains(p.Variants, variant) {
					uses = append(uses, fmt.Sprintf("variant %q in environment %q by a prerequisite of flag %q", variant, id.Environment, other.Key))
				}
			}
		}
	}
	return uses, nil
}

// prerequisiteUses says which flags have a flag as prerequisite, unless that is
// looked at later.
func (w Write) prerequisiteUses(ctx context.Context, r store.Reader, sets []store.Set, flag string) ([]string, error) {
	if w.later != nil {
		return nil, nil
	}
	var uses []string
	for _, set := range sets {
		flags, err := decodeAll[feature.Flag](ctx, r, set.ID, snapshot.KindFlag)
		if err != nil {
			return nil, err
		}
		for _, other := range flags {
			if demands(other, flag) {
				uses = append(uses, fmt.Sprintf("flag %q in environment %q", other.Key, set.ID.Environment))
			}
		}
	}
	return uses, nil
}

// demands reports whether a flag has another as prerequisite.
func demands(flag *feature.Flag, other string) bool {
	return slices.ContainsFunc(flag.Prerequisites, func(p feature.Prerequisite) bool { return p.Flag == other })
}

// few lists what stands in the way of a write, cut to what a person reads.
func few(uses []string) string {
	const most = 5
	if len(uses) > most {
		return strings.Join(uses[:most], ", ") + fmt.Sprintf(" and %d more", len(uses)-most)
	}
	return strings.Join(uses, ", ")
}

// segmentUses says which flags and segments refer to a segment, unless that is
// looked at later.
func (w Write) segmentUses(ctx context.Context, r store.Reader, id store.SetID, segment string) ([]string, error) {
	if w.later != nil {
		return nil, nil
	}
	set, err := served(ctx, r, id)
	if err != nil {
		return nil, err
	}
	var uses []string
	for _, flag := range set.Flags {
		if slices.Contains(mentions(flag.EachSegment), segment) {
			uses = append(uses, fmt.Sprintf("flag %q", flag.Key))
		}
	}
	for _, other := range set.Segments {
		if slices.Contains(mentions(other.EachSegment), segment) {
			uses = append(uses, fmt.Sprintf("segment %q", other.Key))
		}
	}
	return uses, nil
}

// places names where a configuration serves a variant.
func places(c *feature.Configuration, variant string) []string {
	var found []string
	add := func(place string, uses bool) {
		if uses {
			found = append(found, place)
		}
	}
	add("the off variant", c.OffVariant == variant)
	add("the default", serves(&c.Default, variant))
	for i := range c.Overrides {
		add("an override", c.Overrides[i].Variant == variant)
	}
	for i := range c.Rules {
		rule := &c.Rules[i]
		add("rule "+rule.ID, serves(&rule.Serve, variant))
	}
	return found
}

func serves(s *feature.Serve, variant string) bool {
	if s.Variant == variant {
		return true
	}
	if s.Split != nil {
		for _, w := range s.Split.Weights {
			if w.Variant == variant {
				return true
			}
		}
	}
	return false
}

// outcomes returns the variants that a flag can serve, sorted.
func outcomes(flag *feature.Flag) []string {
	if flag.State == feature.StateDisabled {
		return []string{flag.OffVariant}
	}
	var found []string
	add := func(s *feature.Serve) {
		if s.Split == nil {
			found = append(found, s.Variant)
			return
		}
		found = append(found, flag.OffVariant) // for contexts that have nothing to split by
		for _, w := range s.Split.Weights {
			if w.Weight > 0 {
				found = append(found, w.Variant)
			}
		}
	}
	if len(flag.Prerequisites) > 0 {
		found = append(found, flag.OffVariant)
	}
	for i := range flag.Overrides {
		found = append(found, flag.Overrides[i].Variant)
	}
	for i := range flag.Rules {
		add(&flag.Rules[i].Serve)
	}
	add(&flag.Default)
	return sortedKeys(found)
}
