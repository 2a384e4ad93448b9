package feature

import (
	"cmp"
	"strings"
)

// Semver is a version as Semantic Versioning 2.0.0 orders them. It keeps parts
// of the string that it was read from. The zero Semver is no version.
type Semver struct {
	core       [3]string // decimal, without leading zeros
	prerelease string
}

// ParseSemver reads a version. Beyond the specification it accepts a leading v
// or V, and 1 and 1.2 for 1.0.0 and 1.2.0 (but no 1.2-beta). Build metadata is
// checked and dropped. It never allocates.
func ParseSemver(s string) (Semver, bool) {
	if s != "" && s[0]|0x20 == 'v' {
		s = s[1:]
	}
	core, tail := s, ""
	if i := strings.IndexAny(s, "-+"); i >= 0 {
		core, tail = s[:i], s[i:]
	}
	var v Semver
	n := 0
	for more := true; more; n++ {
		var part string
		part, core, more = strings.Cut(core, ".")
		if n == len(v.core) || !isNumeric(part) || len(part) > 1 && part[0] == '0' {
			return Semver{}, false
		}
		v.core[n] = part
	}
	if n < len(v.core) && tail != "" {
		return Semver{}, false
	}
	for ; n < len(v.core); n++ {
		v.core[n] = "0"
	}
	if tail == "" {
		return v, true
	}
	tail, build, hasBuild := strings.Cut(tail, "+")
	if hasBuild && !validIdentifiers(build, true) {
		return Semver{}, false
	}
	if tail != "" {
		v.prerelease = tail[1:]
		if !validIdentifiers(v.prerelease, false) {
			return Semver{}, false
		}
	}
	return v, true
}

// Compare returns -1, 0 or 1 as v comes before w, has the same precedence, or
// comes after it.
func (v Semver) Compare(w Semver) int {
	for i := range v.core {
		if order := compareNumeric(v.core[i], w.core[i]); order != 0 {
			return order
		}
	}
	if v.prerelease == "" || w.prerelease == "" {
		// A version without a pre-release comes after one with.
		return cmp.Compare(len(w.prerelease), 0) - cmp.Compare(len(v.prerelease), 0)
	}
	a, b := v.prerelease, w.prerelease
	for moreA, moreB := true, true; moreA && moreB; {
		var x, y string
		x, a, moreA = strings.Cut(a, ".")
		y, b, moreB = strings.Cut(b, ".")
		if order := compareIdentifiers(x, y); order != 0 {
			return order
		}
		if moreA != moreB {
			if moreA {
				return 1
			}
			return -1
		}
	}
	return 0
}

func compareIdentifiers(x, y string) int {
	switch numericX, numericY := isNumeric(x), isNumeric(y); {
	case numericX && numericY:
		return compareNumeric(x, y)
	case numericX:
		return -1
	case numericY:
		return 1
	default:
		return cmp.Compare(x, y)
	}
}

// compareNumeric orders decimals of any length without leading zeros.
func compareNumeric(x, y string) int {
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
}

func validIdentifiers(s string, leadingZeros bool) bool {
	for more := true; more; {
		var id string
		id, s, more = strings.Cut(s, ".")
		if id == "" || !all(id, isIdentifierByte) || !leadingZeros && len(id) > 1 && id[0] == '0' && isNumeric(id) {
			return false
		}
	}
	return true
}

func isIdentifierByte(c byte) bool { return isAlphanumeric(c) || c == '-' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNumeric(s string) bool { return s != "" && all(s, isDigit) }
