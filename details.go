package wigwag

import (
	"time"

	"github.com/wigwag/wigwag/feature"
)

// Details is an evaluation with all that is known about it.
type Details[T any] struct {
	// Value is the variant's value, or the caller's default where ErrorCode is set.
	Value T
	// Variant is the key of the variant served; empty for the caller's default.
	Variant string
	// Reason says why: how the flag's configuration led to the variant, ERROR for
	// the caller's default, or STALE where the server has not confirmed the
	// configuration for longer than the maximum age ([WithMaxAge]). A stale
	// variant is served all the same.
	Reason Reason
	// RuleID is the rule that matched, if one did.
	RuleID string
	// ErrorCode is empty where the flag was resolved. PROVIDER_NOT_READY means that
	// nothing has been loaded yet, FLAG_NOT_FOUND that there is no such flag,
	// TYPE_MISMATCH that the flag is of another type than was asked for, PARSE_ERROR
	// that this version of the SDK cannot evaluate the flag.
	ErrorCode ErrorCode
	// ErrorMessage says to a person what is wrong.
	ErrorMessage string
	// Metadata is the flag's. It is shared and must not be changed.
	Metadata Metadata

	view *View // the version that answered; nil only in the zero Details
}

// Position returns the version of the flag set that answered; zero before
// anything was loaded.
func (d *Details[T]) Position() Position {
	if d.view == nil {
		return Position{}
	}
	return d.view.position
}

// Age returns how long ago the server last confirmed the configuration, where
// Reason is STALE; zero otherwise. For a bootstrap document that no server has
// confirmed it counts from the document's creation.
func (d *Details[T]) Age() time.Duration {
	if d.Reason != feature.ReasonStale || d.view == nil {
		return 0
	}
	return time.Since(d.view.confirmed)
}

// notReady is the answer before anything was loaded.
var notReady = feature.ResolutionDetails{
	Reason:       feature.ReasonError,
	ErrorCode:    feature.ErrorProviderNotReady,
	ErrorMessage: "no flags have been loaded yet",
}

// served is the details of a flag that was resolved from flags that are not stale.
// It is inlined, which spares evaluations a copy; all else goes the way of fill.
func served[T any](v *View, d *feature.ResolutionDetails, value T) Details[T] {
	return Details[T]{
		Value: value, Variant: d.Variant, Reason: d.Reason, RuleID: d.RuleID, Metadata: d.Metadata, view: v,
	}
}

// fill joins a resolution with its value as a T, in place because an evaluation
// should not copy what it answers. Without a value (ok is false) the caller's
// default stands for it.
func (details *Details[T]) fill(v *View, d *feature.ResolutionDetails, value T, ok bool, defaultValue T, wanted string) {
	details.view = v
	details.Metadata = d.Metadata
	if !ok {
		details.Value = defaultValue
		details.Reason = feature.ReasonError
		details.ErrorCode, details.ErrorMessage = d.ErrorCode, d.ErrorMessage
		if d.ErrorCode == "" {
			details.ErrorCode = feature.ErrorTypeMismatch
			details.ErrorMessage = "the flag's value is " + describe(&d.Value) + ", not " + wanted
		}
		return
	}
	details.Value = value
	details.Variant = d.Variant
	details.Reason = d.Reason
	details.RuleID = d.RuleID
	if v.stale {
		details.Reason = feature.ReasonStale
	}
}

func describe(v *Value) string {
	switch kind := v.Kind(); kind {
	case feature.KindNull:
		return "null"
	case feature.KindObject:
		return "an object"
	default:
		return "a " + kind.String()
	}
}
