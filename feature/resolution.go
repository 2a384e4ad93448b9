package feature

// Reason says why a variant was served: OpenFeature's reasons and one of ours.
type Reason string

// The reasons of a resolution.
const (
	ReasonStatic             Reason = "STATIC"
	ReasonDefault            Reason = "DEFAULT"
	ReasonTargetingMatch     Reason = "TARGETING_MATCH"
	ReasonSplit              Reason = "SPLIT"
	ReasonDisabled           Reason = "DISABLED"
	ReasonPrerequisiteFailed Reason = "PREREQUISITE_FAILED"
	ReasonStale              Reason = "STALE"
	ReasonError              Reason = "ERROR"
)

// ErrorCode is OpenFeature's closed list of resolution errors; empty is none.
type ErrorCode string

// The error codes of a resolution.
const (
	ErrorFlagNotFound        ErrorCode = "FLAG_NOT_FOUND"
	ErrorTypeMismatch        ErrorCode = "TYPE_MISMATCH"
	ErrorParse               ErrorCode = "PARSE_ERROR"
	ErrorProviderNotReady    ErrorCode = "PROVIDER_NOT_READY"
	ErrorProviderFatal       ErrorCode = "PROVIDER_FATAL"
	ErrorInvalidContext      ErrorCode = "INVALID_CONTEXT"
	ErrorTargetingKeyMissing ErrorCode = "TARGETING_KEY_MISSING"
	ErrorGeneral             ErrorCode = "GENERAL"
)

// Metadata is a flag's metadata: booleans, numbers and strings by name, in the
// order in which they were written. It is shared and must not be changed.
type Metadata []Attribute

// ResolutionDetails is the answer of an evaluator to one flag and one context.
type ResolutionDetails struct {
	// Value is the variant's value; null where ErrorCode is set, when the
	// caller's default applies.
	Value Value
	// Variant is the key of the variant served.
	Variant string
	Reason  Reason
	// RuleID is the rule that matched, if one did.
	RuleID string
	// ErrorCode is empty where the flag was resolved.
	ErrorCode ErrorCode
	// ErrorMessage says to a person what is wrong.
	ErrorMessage string
	// Metadata is the flag's.
	Metadata Metadata
}
