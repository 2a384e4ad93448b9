package feature

import (
	"fmt"
	"unicode/utf8"
)

// operandChecks says, for each operator, what is wrong with a value of a
// condition; an empty answer is nothing.
var operandChecks = map[Operator]func(*Value) string{
	OpIn:         checkScalar,
	OpContains:   checkText,
	OpStartsWith: checkText,
	OpEndsWith:   checkText,
	OpMatches:    checkPattern,
	OpLT:         checkNumber,
	OpLTE:        checkNumber,
	OpGT:         checkNumber,
	OpGTE:        checkNumber,
	OpBefore:     checkInstant,
	OpAfter:      checkInstant,
	OpSemverEQ:   checkSemver,
	OpSemverLT:   checkSemver,
	OpSemverLTE:  checkSemver,
	OpSemverGT:   checkSemver,
	OpSemverGTE:  checkSemver,
	OpInCIDR:     checkPrefix,
	OpExists:     func(*Value) string { return "exists takes no values" },
}

func checkScalar(v *Value) string {
	switch v.Kind() {
	case KindString:
		return checkText(v)
	case KindNumber, KindBool:
		return ""
	default:
		return "must be a string, a number or a boolean, not of type " + v.Kind().String()
	}
}

func checkText(v *Value) string {
	text, ok := v.Text()
	switch {
	case !ok:
		return "must be a string, not of type " + v.Kind().String()
	case text == "":
		return "must not be empty"
	case len(text) > MaxValueBytes:
		return fmt.Sprintf("must be at most %d bytes, not %d", MaxValueBytes, len(text))
	case !utf8.ValidString(text):
		return "must be UTF-8"
	default:
		return ""
	}
}

func checkNumber(v *Value) string {
	if _, ok := v.Number(); !ok {
		return "must be a number, not of type " + v.Kind().String()
	}
	return ""
}

func checkPattern(v *Value) string {
	text, ok := v.Text()
	if !ok {
		return "must be a regular expression as a string, not of type " + v.Kind().String()
	}
	if _, err := CompilePattern(text); err != nil {
		return err.Error()
	}
	return ""
}

func checkInstant(v *Value) string {
	const want = "must be a date and time such as 2026-05-31T09:30:00Z or 2026-05-31T11:30:00+02:00, or seconds since 1970"
	if seconds, ok := v.Number(); ok {
		if _, ok := InstantOfSeconds(seconds); !ok {
			return "must be within the years 0001 to 9999, in seconds since 1970"
		}
		return ""
	}
	text, ok := v.Text()
	if !ok {
		return want + ", not of type " + v.Kind().String()
	}
	if _, ok := ParseInstant(text); !ok {
		return fmt.Sprintf("%s, not %.60q", want, text)
	}
	return ""
}

func checkSemver(v *Value) string {
	if problem := checkText(v); problem != "" {
		return problem
	}
	text, _ := v.Text()
	if _, ok := ParseSemver(text); !ok {
		return fmt.Sprintf("must be a semantic version such as 1.4.0 or 2.0.0-rc.1, not %.60q", text)
	}
	return ""
}

func checkPrefix(v *Value) string {
	text, ok := v.Text()
	if !ok {
		return "must be a string, not of type " + v.Kind().String()
	}
	if _, ok := ParsePrefix(text); !ok {
		return fmt.Sprintf("must be a block of addresses such as 10.0.0.0/8 or 2001:db8::/32, or an address, not %.60q", text)
	}
	return ""
}
