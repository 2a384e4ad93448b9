package wigwag

import (
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/snapshot"
)

// These are the nouns of an evaluation, from package feature, under the names by
// which applications mostly need them. The reasons and error codes that [Details]
// may carry are the constants feature.Reason… and feature.Error….
type (
	// EvaluationContext is what a flag is resolved for. See [NewContext].
	EvaluationContext = feature.EvaluationContext
	// Attribute is a named value: one entry of a context, one field of an object.
	Attribute = feature.Attribute
	// Value is an immutable JSON value: what [Client.Object] deals in.
	Value = feature.Value
	// Reason says why a variant was served.
	Reason = feature.Reason
	// ErrorCode says why the caller's default was returned; empty where it was not.
	ErrorCode = feature.ErrorCode
	// Metadata is a flag's metadata.
	Metadata = feature.Metadata
	// Position is a place in the log of a flag set, as epoch:version.
	Position = snapshot.Position
)

// NewContext returns an evaluation context: the targeting key, which identifies
// the subject (a person, a device, a tenant), and its attributes. Of two
// attributes of one name the later counts. It keeps the slice of attributes.
//
//	ec := wigwag.NewContext("user-42", wigwag.String("plan", "pro"), wigwag.Int("seats", 12))
func NewContext(targetingKey string, attributes ...Attribute) EvaluationContext {
	return feature.NewContext(targetingKey, attributes...)
}

// Bool returns a boolean attribute.
func Bool(name string, value bool) Attribute { return feature.Bool(name, value) }

// Int returns a number attribute. Beyond ±2^53 it is rounded to the nearest
// double; give identifiers of that size as strings.
func Int(name string, value int64) Attribute { return feature.Int(name, value) }

// Float returns a number attribute; NaN and infinities count as missing.
func Float(name string, value float64) Attribute { return feature.Float(name, value) }

// String returns a string attribute.
func String(name, value string) Attribute { return feature.String(name, value) }

// Strings returns an attribute that is a list of strings.
func Strings(name string, values ...string) Attribute { return feature.Strings(name, values...) }

// Object returns an attribute with fields, which conditions address by a dotted
// path (org.plan).
func Object(name string, fields ...Attribute) Attribute { return feature.Object(name, fields...) }

// ValueOf converts what Go programs hold in an any to a [Value], for the default
// of [Client.Object] and for attributes of other types. What has no JSON form is
// null.
func ValueOf(value any) Value { return feature.ValueOf(value) }
