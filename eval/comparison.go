package eval

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/wigwag/wigwag/feature"
)

// manyStrings is from how many strings on a set is faster than a scan.
const manyStrings = 8

// comparison is a compiled comparison of an attribute with values. Only the operands
// of its operator are filled; all were parsed when it was compiled.
type comparison struct {
	// The first fields are all that most comparisons touch: they fill one cache line.
	by    attribute
	texts []string
	code  opcode
	bools [2]bool // of in: whether false, whether true

	bound    float64   // of lt, lte, gt, gte: the one that decides
	instant  int64     // of before and after: likewise
	set      keySet    // of in, in the place of texts where they are many
	numbers  []float64 // of in
	versions []feature.Semver
	prefixes []netip.Prefix
	patterns []*regexp.Regexp

	op     feature.Operator
	source *feature.Condition
}

// opcode is an operator as a number, for the switch on the hot path.
type opcode uint8

const (
	codeIn opcode = iota
	codeContains
	codeStartsWith
	codeEndsWith
	codeMatches
	codeLT
	codeLTE
	codeGT
	codeGTE
	codeBefore
	codeAfter
	codeSemverEQ
	codeSemverLT
	codeSemverLTE
	codeSemverGT
	codeSemverGTE
	codeInCIDR
	codeExists
)

// holds reports whether the context's attribute passes; n, unless nil, is told
// what was seen.
//
// Of several bounds one decides for all, which was chosen when it was
// compiled: to be below any of them is to be below the greatest.
func (t *comparison) holds(ec *feature.EvaluationContext, n *Node) bool {
	// As t.by.value does, and for the targeting key; calls would cost as much as
	// what they do.
	var v *feature.Value
	switch {
	case t.by.isTargetingKey:
		if key := ec.TargetingKey(); key != "" {
			seen := feature.StringValue(key)
			v = &seen
		}
	case t.by.path != nil:
		v = ec.Lookup(t.by.path)
	default:
		if v = ec.Attribute(t.by.name); v != nil && v.IsNull() {
			v = nil
		}
	}
	n.comparison(t, v)
	if v == nil {
		return false
	}
	switch t.code {
	case codeIn:
		if text, ok := v.Text(); ok {
			return t.hasText(text)
		}
		return t.has(v)
	case codeExists:
		return true
	case codeLT:
		number, ok := v.Number()
		return ok && number < t.bound
	case codeLTE:
		number, ok := v.Number()
		return ok && number <= t.bound
	case codeGT:
		number, ok := v.Number()
		return ok && number > t.bound
	case codeGTE:
		number, ok := v.Number()
		return ok && number >= t.bound
	case codeBefore:
		ms, ok := instant(v)
		return ok && ms < t.instant
	case codeAfter:
		ms, ok := instant(v)
		return ok && ms > t.instant
	}
	text, ok := v.Text()
	return ok && t.acceptsText(text)
}

// acceptsText is for the operators that take nothing but strings.
func (t *comparison) acceptsText(text string) bool {
	switch t.code {
	case codeContains:
		return slices.ContainsFunc(t.texts, func(s string) bool { return strings.Contains(text, s) })
	case codeStartsWith:
		return slices.ContainsFunc(t.texts, func(s string) bool { return strings.HasPrefix(text, s) })
	case codeEndsWith:
		return slices.ContainsFunc(t.texts, func(s string) bool { return strings.HasSuffix(text, s) })
	case codeMatches:
		return t.matches(text)
	case codeInCIDR:
		address, ok := feature.ParseAddress(text)
		return ok && slices.ContainsFunc(t.prefixes, func(p netip.Prefix) bool { return p.Contains(address) })
	default:
		version, ok := feature.ParseSemver(text)
		return ok && t.orders(version)
	}
}

// has is the operator in: one of the values, or over a list one of its elements.
func (t *comparison) has(v *feature.Value) bool {
	switch v.Kind() {
	case feature.KindString:
		text, _ := v.Text()
		return t.hasText(text)
	case feature.KindNumber:
		number, _ := v.Number()
		return slices.Contains(t.numbers, number)
	case feature.KindBool:
		b, _ := v.Bool()
		return t.bools[0] && !b || t.bools[1] && b
	case feature.KindList:
		list, _ := v.List()
		for i := range list {
			if list[i].Kind() != feature.KindList && t.has(&list[i]) {
				return true
			}
		}
	}
	return false
}

func (t *comparison) hasText(text string) bool {
	if t.set != nil {
		_, ok := t.set[text]
		return ok
	}
	return slices.Contains(t.texts, text)
}

// largestSubject bounds the memory of a buffer that is kept.
const largestSubject = 64 << 10

// subjects holds buffers that patterns are matched against.
var subjects = sync.Pool{New: func() any { return new([]byte) }}

// matches copies the text: package regexp lets its subject escape to the heap, and
// with it would go every context that is built on its caller's stack.
func (t *comparison) matches(text string) bool {
	buffer := subjects.Get().(*[]byte)
	*buffer = append((*buffer)[:0], text...)
	if cap(*buffer) <= largestSubject {
		defer subjects.Put(buffer)
	}
	for _, p := range t.patterns {
		if p.Match(*buffer) {
			return true
		}
	}
	return false
}

func (t *comparison) orders(version feature.Semver) bool {
	for i := range t.versions {
		c := version.Compare(t.versions[i])
		if t.code == codeSemverEQ && c == 0 || t.code == codeSemverLT && c < 0 || t.code == codeSemverLTE && c <= 0 ||
			t.code == codeSemverGT && c > 0 || t.code == codeSemverGTE && c >= 0 {
			return true
		}
	}
	return false
}

// instant reads a date or epoch seconds.
func instant(v *feature.Value) (ms int64, ok bool) {
	if number, isNumber := v.Number(); isNumber {
		return feature.InstantOfSeconds(number)
	}
	if text, isText := v.Text(); isText {
		return feature.ParseInstant(text)
	}
	return 0, false
}
