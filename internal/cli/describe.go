package cli

import (
	"strconv"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/gen"
)

// describeFlag is a flag in rows of names and painted texts.
func describeFlag(s *screen, f *gen.Flag) [][]string {
	rows := [][]string{
		{"flag", s.paint(strong, f.Key)},
		{"type", s.paint(neutral, string(f.Type))},
		{"variants", s.paint(neutral, describeVariants(f.Variants))},
		{"clients", yesNo(f.ClientVisible)},
		{"state", s.state(string(f.State))},
		{"off variant", s.paint(neutral, f.OffVariant)},
	}
	add := func(name, text string) { rows = append(rows, []string{name, s.paint(neutral, text)}) }
	for _, p := range f.Prerequisites {
		add("prerequisite", p.Flag+" is "+strings.Join(p.Variants, " or "))
	}
	for _, o := range f.Overrides {
		add("override", o.Variant+" for "+someKeys(o.TargetingKeys))
	}
	for i := range f.Rules {
		r := &f.Rules[i]
		name := r.ID
		if r.Name != "" {
			name += " (" + r.Name + ")"
		}
		add("rule", name+": if "+describeCondition(&r.When, false)+" then "+describeServe(&r.Serve))
	}
	add("default", describeServe(&f.Default))
	return rows
}

// someKeys lists targeting keys, of many only the first.
func someKeys(keys []string) string {
	const most = 5
	if len(keys) <= most {
		return strings.Join(keys, ", ")
	}
	return strings.Join(keys[:most], ", ") + " and " + strconv.Itoa(len(keys)-most) + " more"
}

func describeVariants(variants feature.Variants) string {
	texts := make([]string, len(variants))
	for i := range variants {
		texts[i] = variants[i].Key + "=" + string(variants[i].Value.AppendJSON(nil))
	}
	return strings.Join(texts, ", ")
}

// describeServe is a variant, or a split in percent.
func describeServe(serve *gen.Serve) string {
	if serve.Split == nil {
		return serve.Variant
	}
	parts := make([]string, len(serve.Split.Weights))
	for i, w := range serve.Split.Weights {
		parts[i] = percent(w.Weight) + " " + w.Variant
	}
	text := strings.Join(parts, ", ")
	if by := serve.Split.Attribute(); by != feature.TargetingKeyAttribute {
		text += " by " + by
	}
	return text
}

// percent writes a weight, which is in thousandths of a percent.
func percent(weight int) string {
	return strconv.FormatFloat(float64(weight)/(feature.SplitTotal/100), 'f', -1, 64) + "%"
}

// describeCondition is a condition in words, in parentheses where it must be.
func describeCondition(c *feature.Condition, inner bool) string {
	switch {
	case c.Segment != "":
		return "in segment " + c.Segment
	case c.Not != nil:
		return "not " + describeCondition(c.Not, true)
	case c.Attribute != "":
		return strings.TrimSpace(c.Attribute + " " + string(c.Op) + " " + describeValues(c.Values))
	}
	members, word, none := c.All, " and ", "always"
	if c.Any != nil {
		members, word, none = c.Any, " or ", "never"
	}
	if len(members) == 0 {
		return none
	}
	texts := make([]string, len(members))
	for i := range members {
		texts[i] = describeCondition(&members[i], true)
	}
	text := strings.Join(texts, word)
	if inner && len(texts) > 1 {
		return "(" + text + ")"
	}
	return text
}

func describeValues(values []feature.Value) string {
	texts := make([]string, len(values))
	for i := range values {
		texts[i] = string(values[i].AppendJSON(nil))
	}
	return strings.Join(texts, ", ")
}
