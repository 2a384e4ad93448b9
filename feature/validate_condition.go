package feature

import (
	"strings"
)

func (v *validator) attribute(path, name string) {
	switch {
	case name == "":
		v.add(path, "name an attribute")
	case !isPlain(name, MaxAttributeBytes):
		v.add(path, "an attribute name must be 1 to %d bytes without control characters", MaxAttributeBytes)
	}
}

func (v *validator) condition(path string, c *Condition, depth int) {
	v.conditions++
	if v.conditions > MaxConditions {
		if v.conditions == MaxConditions+1 {
			v.add(path, "this is one condition more than %d, the most that a flag or a segment has; put some in a segment, or list values in one condition", MaxConditions)
		}
		return
	}
	if depth > MaxConditionDepth {
		v.add(path, "conditions are nested more than %d levels deep", MaxConditionDepth)
		return
	}
	switch forms := c.forms(); len(forms) {
	case 0:
		v.add(path, "the condition is empty; give all, any, not, segment, or attribute with op and values")
	case 1:
	default:
		v.add(path, "give one of %s, not %d of them; all joins conditions", strings.Join(forms, ", "), len(forms))
	}
	v.conditionList(path+".all", c.All, depth)
	v.conditionList(path+".any", c.Any, depth)
	if c.Not != nil {
		v.condition(path+".not", c.Not, depth+1)
	}
	if c.Segment != "" && !ValidKey(c.Segment) {
		v.add(path+".segment", "must be the key of a segment")
	}
	if c.comparesAttribute() {
		v.comparison(path, c)
	}
}

func (v *validator) conditionList(path string, list []Condition, depth int) {
	if list != nil && len(list) == 0 {
		v.add(path, "list at least one condition")
	}
	for i := range list {
		v.condition(indexPath(path, i), &list[i], depth+1)
	}
}

// forms names the forms of the condition that are filled.
func (c *Condition) forms() []string {
	forms := make([]string, 0, 5)
	if c.All != nil {
		forms = append(forms, "all")
	}
	if c.Any != nil {
		forms = append(forms, "any")
	}
	if c.Not != nil {
		forms = append(forms, "not")
	}
	if c.Segment != "" {
		forms = append(forms, "segment")
	}
	if c.comparesAttribute() {
		forms = append(forms, "attribute")
	}
	return forms
}

func (c *Condition) comparesAttribute() bool {
	return c.Attribute != "" || c.Op != "" || c.Values != nil
}

func (v *validator) comparison(path string, c *Condition) {
	v.attribute(path+".attribute", c.Attribute)
	check, known := operandChecks[c.Op]
	switch {
	case c.Op == "":
		v.add(path+".op", "name an operator: %s", allOperators)
	case !known:
		v.add(path+".op", "unknown operator %.40q; the operators are %s", c.Op, allOperators)
	case c.Op == OpExists:
		if len(c.Values) > 0 {
			v.add(path+".values", "exists takes no values; leave them out")
		}
	case len(c.Values) == 0:
		v.add(path+".values", "%s needs at least one value", c.Op)
	case len(c.Values) > MaxConditionValues:
		v.add(path+".values", "a condition has at most %d values, not %d; put targeting keys in a segment", MaxConditionValues, len(c.Values))
	default:
		for i := range c.Values {
			if problem := check(&c.Values[i]); problem != "" {
				v.add(indexPath(path+".values", i), "%s", problem)
			}
		}
	}
}

// allOperators names them all: a person who mistyped one looks for it here.
var allOperators = func() string {
	list := make([]string, len(Operators))
	for i, op := range Operators {
		list[i] = string(op)
	}
	return strings.Join(list, ", ")
}()
