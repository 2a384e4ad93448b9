package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// TargetingKeyAttribute is the attribute name under which conditions and splits
// address the targeting key.
const TargetingKeyAttribute = "targetingKey"

// EvaluationContext is what a flag is resolved for: a targeting key, which
// identifies the subject (a person, a device, a tenant), and any number of
// attributes. The zero value is the empty context.
//
// It is immutable and safe for concurrent use. Building one from attributes on
// the stack allocates nothing:
//
//	feature.NewContext("user-42", feature.String("plan", "pro"))
type EvaluationContext struct {
	targetingKey string
	attributes   []Attribute
}

// NewContext returns a context. It keeps the slice; of two attributes of one
// name the later counts. An attribute named targetingKey is the targeting key
// only where the argument is empty and its value is a string.
func NewContext(targetingKey string, attributes ...Attribute) EvaluationContext {
	return EvaluationContext{targetingKey: targetingKey, attributes: attributes}
}

// Bool returns a boolean attribute.
func Bool(name string, value bool) Attribute { return Attribute{name, BoolValue(value)} }

// Int returns a number attribute. Beyond ±2^53 it is rounded to the nearest
// double; give identifiers of that size as strings.
func Int(name string, value int64) Attribute { return Attribute{name, NumberValue(float64(value))} }

// Float returns a number attribute; NaN and infinities count as missing.
func Float(name string, value float64) Attribute { return Attribute{name, NumberValue(value)} }

// String returns a string attribute.
func String(name, value string) Attribute { return Attribute{name, StringValue(value)} }

// Strings returns a list attribute.
func Strings(name string, values ...string) Attribute { return Attribute{name, ValueOf(values)} }

// Object returns an object attribute, whose fields conditions address by a
// dotted path (org.plan).
func Object(name string, fields ...Attribute) Attribute {
	return Attribute{name, ObjectValue(fields...)}
}

// Any returns an attribute of whatever [ValueOf] makes of the value.
func Any(name string, value any) Attribute { return Attribute{name, ValueOf(value)} }

// TargetingKey returns the targeting key, empty where there is none.
func (c *EvaluationContext) TargetingKey() string {
	if c.targetingKey == "" {
		if v := find(c.attributes, TargetingKeyAttribute); v != nil {
			text, _ := v.Text()
			return text
		}
	}
	return c.targetingKey
}

// Attributes returns the attributes in their order. The caller must not change
// them.
func (c *EvaluationContext) Attributes() []Attribute { return c.attributes }

// With returns a context with more attributes; they override those of the same
// name. The receiver is unchanged.
func (c EvaluationContext) With(attributes ...Attribute) EvaluationContext {
	joined := make([]Attribute, 0, len(c.attributes)+len(attributes))
	joined = append(append(joined, c.attributes...), attributes...)
	return EvaluationContext{targetingKey: c.targetingKey, attributes: joined}
}

// Attribute returns the value of a top-level attribute, nil where there is none.
// The targeting key is no top-level attribute: ask [EvaluationContext.TargetingKey].
func (c *EvaluationContext) Attribute(name string) *Value { return find(c.attributes, name) }

// AttributePath is an attribute name as conditions hold it, cut at its dots once
// so that looking it up cuts nothing.
type AttributePath struct {
	name     string
	segments []string // nil without a dot
}

// ParseAttributePath cuts a name at its dots.
func ParseAttributePath(name string) AttributePath {
	p := AttributePath{name: name}
	if strings.Contains(name, ".") {
		p.segments = strings.Split(name, ".")
	}
	return p
}

// String returns the name.
func (p *AttributePath) String() string { return p.name }

// Lookup returns the value at a path: the attribute of that whole name, or else
// the field that its dots lead to. It returns nil where there is nothing or null.
// The targeting key is not looked up here.
func (c *EvaluationContext) Lookup(p *AttributePath) *Value {
	v := find(c.attributes, p.name)
	if v == nil && p.segments != nil {
		v = find(c.attributes, p.segments[0])
		for _, segment := range p.segments[1:] {
			if v == nil {
				return nil
			}
			v = v.Field(segment)
		}
	}
	if v == nil || v.kind == KindNull {
		return nil
	}
	return v
}

// MarshalJSON returns the context as one flat object, targetingKey first.
func (c EvaluationContext) MarshalJSON() ([]byte, error) {
	flat := fieldList{fields: make([]Attribute, 0, len(c.attributes)+1)}
	if key := c.TargetingKey(); key != "" {
		flat.set(TargetingKeyAttribute, StringValue(key))
	}
	for _, a := range c.attributes {
		if a.Name != TargetingKeyAttribute {
			flat.set(a.Name, a.Value)
		}
	}
	return appendFields(nil, flat.fields), nil
}

// UnmarshalJSON reads a flat object. A targetingKey that is neither a string nor
// null is an error.
func (c *EvaluationContext) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token == nil {
		*c = EvaluationContext{}
		return nil
	}
	if token != json.Delim('{') {
		return errors.New("an evaluation context is a JSON object")
	}
	fields, err := decodeFields(decoder)
	if err != nil {
		return err
	}
	read := EvaluationContext{}
	for _, f := range fields {
		if f.Name != TargetingKeyAttribute {
			read.attributes = append(read.attributes, f)
			continue
		}
		text, ok := f.Value.Text()
		if !ok && !f.Value.IsNull() {
			return &ValidationError{[]Problem{{TargetingKeyAttribute, "must be a string, not a " + f.Value.Kind().String()}}}
		}
		read.targetingKey = text
	}
	*c = read
	return nil
}
