package feature

// Validate checks a flag by itself: names, limits, values, and that every
// variant it mentions is one of its own. What it says of other flags and of
// segments is for [CheckReferences]. The error is a [*ValidationError] with all
// problems, up to [MaxProblems].
func (f *Flag) Validate() error {
	v := validator{flag: f}
	v.definition(&f.Definition)
	v.configuration(&f.Configuration)
	if len(v.found) == 0 {
		if body, err := Encode(f); err != nil {
			v.add("", "the flag cannot be encoded: %s", err)
		} else if len(body) > MaxFlagBytes {
			v.add("", "the flag has %d bytes as JSON; at most %d are allowed: move lists of targeting keys to a segment, or shorten the values of its variants",
				len(body), MaxFlagBytes)
		}
	}
	return v.err()
}

// Validate checks what a flag is in all environments, by itself. The error is as
// that of [Flag.Validate].
func (d *Definition) Validate() error {
	var v validator
	v.definition(d)
	return v.err()
}

// validator collects the problems of one flag or segment.
type validator struct {
	problems
	flag       *Flag // nil for a segment
	conditions int
}

const keyShape = "must be 1 to 128 letters, digits, dots, underscores and hyphens, the first a letter or a digit"

func (v *validator) definition(d *Definition) {
	if !ValidKey(d.Key) {
		v.add("key", keyShape)
	}
	kind, known := kindOfType[d.Type]
	if !known {
		v.add("type", "unknown type %.40q; the types are %s", d.Type, names(Types))
	}
	switch n := len(d.Variants); {
	case n == 0:
		v.add("variants", "a flag needs at least one variant")
	case n > MaxVariants:
		v.add("variants", "a flag has at most %d variants, not %d", MaxVariants, n)
	}
	seen := make(map[string]bool, len(d.Variants))
	for i := range d.Variants {
		variant := &d.Variants[i]
		path := fieldPath("variants", variant.Key)
		if !ValidVariantKey(variant.Key) {
			v.add(path, "a variant key must be 1 to 64 letters, digits, underscores and hyphens")
		}
		if seen[variant.Key] {
			v.add(path, "two variants have this key; give each its own")
		}
		seen[variant.Key] = true
		if known && variant.Value.Kind() != kind {
			v.add(path, "the flag is of type %s, the value is of type %s", d.Type, variant.Value.Kind())
		}
		// A flag's variant is on level 3 of the document.
		if nestsDeeper(&variant.Value, MaxDepth-2) {
			v.add(path, "objects and lists are nested more than %d levels deep", MaxDepth-2)
		}
	}
	v.metadata(d.Metadata)
}

// kindOfType says what the variants of a flag of each type hold.
var kindOfType = map[Type]ValueKind{
	TypeBoolean: KindBool, TypeString: KindString, TypeNumber: KindNumber, TypeObject: KindObject,
}

// nestsDeeper reports whether objects and lists nest more than so many levels.
func nestsDeeper(v *Value, levels int) bool {
	if v.compound == nil {
		return false
	}
	if levels == 0 {
		return true
	}
	for i := range v.compound.list {
		if nestsDeeper(&v.compound.list[i], levels-1) {
			return true
		}
	}
	for i := range v.compound.fields {
		if nestsDeeper(&v.compound.fields[i].Value, levels-1) {
			return true
		}
	}
	return false
}

func (v *validator) metadata(m Metadata) {
	if len(m) > MaxMetadata {
		v.add("metadata", "metadata has at most %d entries, not %d", MaxMetadata, len(m))
	}
	seen := make(map[string]bool, len(m))
	for i := range m {
		path := fieldPath("metadata", m[i].Name)
		if !isPlain(m[i].Name, MaxNameBytes) {
			v.add(path, "a name must be 1 to %d bytes without control characters", MaxNameBytes)
		}
		if seen[m[i].Name] {
			v.add(path, "two entries have this name; keep one of them")
		}
		seen[m[i].Name] = true
		switch kind := m[i].Value.Kind(); kind {
		case KindBool, KindNumber, KindString:
		default:
			v.add(path, "must be a boolean, a number or a string, not of type %s", kind)
		}
	}
}

func (v *validator) configuration(c *Configuration) {
	if c.State != StateEnabled && c.State != StateDisabled {
		v.add("state", "unknown state %.40q; the states are %s", c.State, names(States))
	}
	v.variant("offVariant", c.OffVariant)
	v.prerequisites(c.Prerequisites)
	v.overrides(c.Overrides)
	v.rules(c.Rules)
	v.serve("default", &c.Default)
}

// variant checks that the flag has a variant; a flag without any has a problem
// of its own.
func (v *validator) variant(path, key string) {
	variants := v.flag.Variants
	switch {
	case len(variants) == 0 || variants.Get(key) != nil:
	case key == "":
		v.add(path, "name a variant; the flag has %s", variantNames(variants))
	default:
		v.add(path, "unknown variant %.80q; the flag has %s", key, variantNames(variants))
	}
}

func (v *validator) prerequisites(list []Prerequisite) {
	if len(list) > MaxPrerequisites {
		v.add("prerequisites", "a flag has at most %d prerequisites, not %d", MaxPrerequisites, len(list))
		return
	}
	flags := map[string]int{}
	for i := range list {
		p := &list[i]
		path := indexPath("prerequisites", i)
		if first, twice := flags[p.Flag]; twice {
			v.add(path+".flag", "prerequisites[%d] names the flag %.80q already; join the two", first, p.Flag)
		}
		flags[p.Flag] = i
		switch {
		case !ValidKey(p.Flag):
			v.add(path+".flag", "must be the key of another flag")
		case p.Flag == v.flag.Key:
			v.add(path+".flag", "a flag cannot be its own prerequisite; name another flag")
		}
		switch n := len(p.Variants); {
		case n == 0:
			v.add(path+".variants", "name at least one variant of the flag %.80q", p.Flag)
		case n > MaxVariants:
			v.add(path+".variants", "a flag has at most %d variants, not %d", MaxVariants, n)
		}
		variants := map[string]bool{}
		for n, variant := range p.Variants {
			switch {
			case !ValidVariantKey(variant):
				v.add(indexPath(path+".variants", n), "must be the key of a variant of the flag %.80q", p.Flag)
			case variants[variant]:
				v.add(indexPath(path+".variants", n), "the variant %q is listed twice; keep one of them", variant)
			}
			variants[variant] = true
		}
	}
}

func (v *validator) overrides(list []Override) {
	total := 0
	for i := range list {
		total += len(list[i].TargetingKeys)
	}
	if total > MaxOverrideKeys || len(list) > MaxOverrideKeys {
		v.add("overrides", "the overrides of a flag list at most %d targeting keys, not %d; put them in a segment and name it in a rule",
			MaxOverrideKeys, max(total, len(list)))
		return
	}
	where := make(map[string]string, total)
	for i := range list {
		path := indexPath("overrides", i)
		v.variant(path+".variant", list[i].Variant)
		if len(list[i].TargetingKeys) == 0 {
			v.add(path+".targetingKeys", "list at least one targeting key, or remove the override")
		}
		v.targetingKeys(path+".targetingKeys", list[i].TargetingKeys, where)
	}
}

// targetingKeys checks a list; where says in which list keys were found before.
func (v *validator) targetingKeys(path string, keys []string, where map[string]string) {
	for i, key := range keys {
		if !ValidTargetingKey(key) {
			v.add(indexPath(path, i), "a targeting key must be 1 to %d bytes of text without control characters", MaxTargetingKeyBytes)
		}
		if first, twice := where[key]; twice {
			v.add(indexPath(path, i), "the targeting key %.80q is in %s already; keep one of them", key, first)
		}
		where[key] = path
		if v.full() {
			return
		}
	}
}

func (v *validator) rules(list []Rule) {
	if len(list) > MaxRules {
		v.add("rules", "a flag has at most %d rules, not %d", MaxRules, len(list))
		return
	}
	ids := map[string]int{}
	for i := range list {
		rule := &list[i]
		path := indexPath("rules", i)
		if !validRuleID(rule.ID) {
			v.add(path+".id", "must be 1 to 64 letters, digits, underscores and hyphens")
		} else if first, twice := ids[rule.ID]; twice {
			v.add(path+".id", "rules[%d] has the id %q already; give each rule its own", first, rule.ID)
		}
		ids[rule.ID] = i
		v.name(path+".name", rule.Name)
		v.condition(path+".when", &rule.When, 1)
		v.serve(path+".serve", &rule.Serve)
	}
}

// name checks the name that people give to a thing, which may be empty.
func (v *validator) name(path, name string) {
	if name != "" && !isPlain(name, MaxNameBytes) {
		v.add(path, "must be at most %d bytes of text without control characters", MaxNameBytes)
	}
}

func (v *validator) serve(path string, s *Serve) {
	switch {
	case s.Variant != "" && s.Split != nil:
		v.add(path, "has both variant and split; give one of them")
	case s.Split != nil:
		v.split(path+".split", s.Split)
	case s.Variant == "":
		v.add(path, "say what is served: variant or split")
	default:
		v.variant(path+".variant", s.Variant)
	}
}

func (v *validator) split(path string, s *Split) {
	if s.By != "" {
		v.attribute(path+".by", s.By)
	}
	if !ValidSalt(s.Salt) {
		v.add(path+".salt", "must be 1 to 64 letters, digits, dots, underscores, colons and hyphens")
	}
	if len(s.Weights) > MaxVariants {
		v.add(path+".weights", "a flag has at most %d variants, not %d", MaxVariants, len(s.Weights))
		return
	}
	seen := map[string]int{}
	sum := 0
	for i, w := range s.Weights {
		at := indexPath(path+".weights", i)
		v.variant(at, w.Variant)
		if first, twice := seen[w.Variant]; twice {
			v.add(at, "weights[%d] is of the variant %.80q already; add the two", first, w.Variant)
		}
		seen[w.Variant] = i
		if w.Weight < 0 || w.Weight > SplitTotal {
			v.add(at, "a weight must be from 0 to %d thousandths of a percent, not %d", SplitTotal, w.Weight)
			return
		}
		sum += w.Weight
	}
	if sum != SplitTotal {
		v.add(path+".weights", "the weights must sum to %d (thousandths of a percent); these sum to %d", SplitTotal, sum)
	}
}
