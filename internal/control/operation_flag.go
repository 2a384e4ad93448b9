package control

import (
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// named is the field that says which operation it is.
type named struct {
	Op string `json:"op"`
}

// switchState is enable and disable.
type switchState struct {
	named
	state feature.State
}

func (o *switchState) apply(flag *feature.Flag, _ marker) error {
	flag.State = o.state
	return nil
}

// setDefault sets what is served where no rule matches.
type setDefault struct {
	named
	feature.Serve
}

func (o *setDefault) apply(flag *feature.Flag, mark marker) error {
	flag.Default = copied(&o.Serve)
	mark(partDefault, "", "")
	return nil
}

// copied returns what is served with a split of its own, so that a patch can be
// applied more than once.
func copied(s *feature.Serve) feature.Serve {
	serve := *s
	if s.Split != nil {
		split := *s.Split
		serve.Split = &split
	}
	return serve
}

// setOffVariant sets what a disabled flag serves.
type setOffVariant struct {
	named
	Variant string `json:"variant"`
}

func (o *setOffVariant) apply(flag *feature.Flag, mark marker) error {
	flag.OffVariant = o.Variant
	mark(partOffVariant, "", "variant")
	return nil
}

// addOverride serves a variant to targeting keys, whatever was served to them.
type addOverride struct {
	named
	Variant       string   `json:"variant"`
	TargetingKeys []string `json:"targetingKeys"`
}

func (o *addOverride) apply(flag *feature.Flag, mark marker) error {
	if len(o.TargetingKeys) == 0 {
		return fault.InvalidField("targetingKeys", "name at least one targeting key")
	}
	takeOverrides(flag, o.TargetingKeys, func(variant string) bool { return variant != o.Variant })
	at := slices.IndexFunc(flag.Overrides, func(v feature.Override) bool { return v.Variant == o.Variant })
	if at < 0 {
		at = len(flag.Overrides)
		flag.Overrides = append(flag.Overrides, feature.Override{Variant: o.Variant})
	}
	keys := &flag.Overrides[at].TargetingKeys
	for _, key := range o.TargetingKeys {
		if !slices.Contains(*keys, key) {
			*keys = append(*keys, key)
		}
	}
	mark(partOverride(o.Variant), "", "")
	return nil
}

// takeOverrides takes targeting keys out of the overrides of some variants. An
// override that holds no key any more goes.
func takeOverrides(flag *feature.Flag, keys []string, of func(variant string) bool) {
	left := make([]feature.Override, 0, len(flag.Overrides))
	for _, v := range flag.Overrides {
		if of(v.Variant) {
			kept := make([]string, 0, len(v.TargetingKeys))
			for _, key := range v.TargetingKeys {
				if !slices.Contains(keys, key) {
					kept = append(kept, key)
				}
			}
			v.TargetingKeys = kept
		}
		if len(v.TargetingKeys) > 0 {
			left = append(left, v)
		}
	}
	flag.Overrides = left
}

// removeOverride takes targeting keys out of the overrides, or a variant's
// override as a whole.
type removeOverride struct {
	named
	Variant       string   `json:"variant"`
	TargetingKeys []string `json:"targetingKeys"`
}

func (o *removeOverride) apply(flag *feature.Flag, _ marker) error {
	switch {
	case o.Variant != "" && flag.Variants.Get(o.Variant) == nil:
		return fault.InvalidField("variant", "the flag has no variant %.80q", o.Variant)
	case o.TargetingKeys != nil:
		takeOverrides(flag, o.TargetingKeys, func(variant string) bool { return o.Variant == "" || variant == o.Variant })
	case o.Variant != "":
		flag.Overrides = slices.DeleteFunc(flag.Overrides, func(v feature.Override) bool { return v.Variant == o.Variant })
	default:
		return fault.InvalidField("targetingKeys", "name the targeting keys, or a variant to remove all of its keys")
	}
	return nil
}

// addPrerequisite demands that another flag resolves to some variants, besides
// those that are demanded of it already.
type addPrerequisite struct {
	named
	Flag     string   `json:"flag"`
	Variants []string `json:"variants"`
}

func (o *addPrerequisite) apply(flag *feature.Flag, mark marker) error {
	at := slices.IndexFunc(flag.Prerequisites, func(p feature.Prerequisite) bool { return p.Flag == o.Flag })
	if at < 0 {
		at = len(flag.Prerequisites)
		flag.Prerequisites = append(flag.Prerequisites, feature.Prerequisite{Flag: o.Flag, Variants: []string{}})
	}
	variants := &flag.Prerequisites[at].Variants
	for _, variant := range o.Variants {
		if !slices.Contains(*variants, variant) {
			*variants = append(*variants, variant)
		}
	}
	mark(partPrerequisite(o.Flag), "", "")
	return nil
}

// removePrerequisite demands nothing of another flag any more.
type removePrerequisite struct {
	named
	Flag string `json:"flag"`
}

func (o *removePrerequisite) apply(flag *feature.Flag, _ marker) error {
	if !feature.ValidKey(o.Flag) {
		return fault.InvalidField("flag", "name the flag that is the prerequisite")
	}
	flag.Prerequisites = slices.DeleteFunc(flag.Prerequisites, func(p feature.Prerequisite) bool { return p.Flag == o.Flag })
	return nil
}
