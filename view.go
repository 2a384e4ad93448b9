package wigwag

import (
	"math"
	"time"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
)

// View is one version of the flags, frozen: every evaluation through it sees the
// same configuration, whatever arrives meanwhile. Take one with [Client.At] at the
// start of a request to keep the request consistent in itself. A View is
// immutable, safe for concurrent use, costs nothing to take, and needs no closing.
type View struct {
	program   *eval.Program // nil before anything was loaded
	position  Position
	createdAt time.Time
	// static attributes lie beneath those of each call.
	static []Attribute
	// stale says that the server has not confirmed this version for longer than
	// the maximum age. It is a flag, set by the client's background work, so that
	// an evaluation reads no clock.
	stale     bool
	confirmed time.Time // the last confirmation; kept up to date only in stale views
}

// Position returns the version of the flag set; zero before anything was loaded.
func (v *View) Position() Position { return v.position }

// CreatedAt returns when that version was committed.
func (v *View) CreatedAt() time.Time { return v.createdAt }

// Stale reports whether the server had not confirmed the version for longer than
// the maximum age when the view was taken.
func (v *View) Stale() bool { return v.stale }

// Keys returns the keys of all flags, sorted.
func (v *View) Keys() []string {
	if v.program == nil {
		return nil
	}
	return v.program.Keys()
}

// Bool returns the value of a boolean flag. See [Client.Bool].
func (v *View) Bool(key string, defaultValue bool, ec EvaluationContext) bool {
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Bool(); ok {
		return value
	}
	return defaultValue
}

// String returns the value of a string flag. See [Client.String].
func (v *View) String(key, defaultValue string, ec EvaluationContext) string {
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Text(); ok {
		return value
	}
	return defaultValue
}

// Int returns the value of a number flag that is whole. See [Client.Int].
func (v *View) Int(key string, defaultValue int64, ec EvaluationContext) int64 {
	d := v.resolve(key, &ec)
	if value, ok := wholeNumber(&d.Value); ok {
		return value
	}
	return defaultValue
}

// Float returns the value of a number flag. See [Client.Float].
func (v *View) Float(key string, defaultValue float64, ec EvaluationContext) float64 {
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Number(); ok {
		return value
	}
	return defaultValue
}

// Object returns the value of an object flag. See [Client.Object].
func (v *View) Object(key string, defaultValue Value, ec EvaluationContext) Value {
	d := v.resolve(key, &ec)
	if isObject(&d.Value) {
		return d.Value
	}
	return defaultValue
}

// BoolDetails returns the value of a boolean flag and how it came about.
func (v *View) BoolDetails(key string, defaultValue bool, ec EvaluationContext) (details Details[bool]) {
	d := v.resolve(key, &ec)
	value, ok := d.Value.Bool()
	details.fill(v, d, value, ok, defaultValue, "a boolean")
	return details
}

// StringDetails returns the value of a string flag and how it came about.
func (v *View) StringDetails(key, defaultValue string, ec EvaluationContext) (details Details[string]) {
	d := v.resolve(key, &ec)
	value, ok := d.Value.Text()
	details.fill(v, d, value, ok, defaultValue, "a string")
	return details
}

// IntDetails returns the value of a number flag that is whole and how
// it came about.
func (v *View) IntDetails(key string, defaultValue int64, ec EvaluationContext) (details Details[int64]) {
	d := v.resolve(key, &ec)
	value, ok := wholeNumber(&d.Value)
	details.fill(v, d, value, ok, defaultValue, "a whole number within ±2^53")
	return details
}

// FloatDetails returns the value of a number flag and how it came about.
func (v *View) FloatDetails(key string, defaultValue float64, ec EvaluationContext) (details Details[float64]) {
	d := v.resolve(key, &ec)
	value, ok := d.Value.Number()
	details.fill(v, d, value, ok, defaultValue, "a number")
	return details
}

// ObjectDetails returns the value of an object flag and how it came about.
func (v *View) ObjectDetails(key string, defaultValue Value, ec EvaluationContext) (details Details[Value]) {
	d := v.resolve(key, &ec)
	details.fill(v, d, d.Value, isObject(&d.Value), defaultValue, "an object")
	return details
}

// resolve answers from the program, or says that there is none yet.
func (v *View) resolve(key string, ec *EvaluationContext) *feature.ResolutionDetails {
	switch {
	case v.program == nil:
		return &notReady
	case len(v.static) > 0:
		return v.resolveJoined(key, ec)
	default:
		return v.program.Resolve(key, ec)
	}
}

// resolveJoined resolves with the static attributes beneath those of the call.
// Up to the size of its array, joining them allocates nothing.
func (v *View) resolveJoined(key string, ec *EvaluationContext) *feature.ResolutionDetails {
	var array [16]Attribute
	joined := append(append(array[:0], v.static...), ec.Attributes()...)
	both := feature.NewContext(ec.TargetingKey(), joined...)
	return v.program.Resolve(key, &both)
}

// maxWhole is 2^53: up to there a double holds every whole number.
const maxWhole = 1 << 53

func wholeNumber(v *Value) (int64, bool) {
	number, ok := v.Number()
	if !ok || number != math.Trunc(number) || math.Abs(number) > maxWhole {
		return 0, false
	}
	return int64(number), true
}

// isObject reports whether a value is one that an object flag may have.
func isObject(v *Value) bool { return v.Kind() == feature.KindObject || v.Kind() == feature.KindList }
