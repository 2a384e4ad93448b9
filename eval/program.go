// Package eval resolves flags: it compiles a flag set to a program once and then
// answers from memory, with no I/O, no clock, no lock and no allocation. The
// algorithm is that of api/evaluation.md; resolve.go reads like it.
package eval

import (
	"slices"

	"github.com/wigwag/wigwag/feature"
)

// Program is a compiled flag set. It is immutable and safe for concurrent use.
type Program struct {
	set *feature.FlagSet
	// index finds a flag in flags. Programs of the same flag keys share it.
	index map[string]int
	// flags and segments stand in the order of the set. Compiled parts name each
	// other by place, so that one may be exchanged and the rest stay as they are.
	flags    []*flag
	segments []*segment
	keys     map[*feature.SegmentKeys]keySet
}

// Compile compiles a flag set, which it keeps. It never fails as a whole: a flag
// that cannot be compiled resolves to ERROR with PARSE_ERROR, and is listed by
// [Program.Faults].
func Compile(set *feature.FlagSet) *Program {
	return (&Program{set: &feature.FlagSet{}}).Recompile(set)
}

// Recompile compiles another version of the program's flag set. What did not
// change, which is what stands in both as the same pointer, is reused: the cost
// of a change of a flag does not grow with the number of flags but for a copy of
// a list of pointers.
func (p *Program) Recompile(set *feature.FlagSet) *Program {
	next := &Program{set: set, keys: p.keys}
	sameSegments := slices.Equal(p.set.Segments, set.Segments) && slices.Equal(p.set.Keys, set.Keys)
	if sameSegments {
		next.segments = p.segments
	} else {
		next.compileSegments()
		// A flag notices a segment only by its place and by whether it compiles.
		sameSegments = slices.EqualFunc(p.segments, next.segments, func(a, b *segment) bool {
			return a.source.Key == b.source.Key && (a.fault == "") == (b.fault == "")
		})
	}
	sameKeys := slices.EqualFunc(p.set.Flags, set.Flags, func(a, b *feature.Flag) bool { return a == b || a.Key == b.Key })
	if !sameKeys || !sameSegments {
		next.compileFlags()
		return next
	}
	next.index = p.index
	next.flags = slices.Clone(p.flags)
	for i, f := range set.Flags {
		if f == p.set.Flags[i] {
			continue
		}
		if !slices.EqualFunc(f.Prerequisites, p.set.Flags[i].Prerequisites, func(a, b feature.Prerequisite) bool { return a.Flag == b.Flag }) {
			next.compileFlags()
			return next
		}
		next.flags[i] = next.compileFlag(f, p.flags[i].knot)
	}
	return next
}

// Fault is a flag that does not compile.
type Fault struct {
	Flag    string
	Message string
}

// Faults lists the flags that do not compile, by key.
func (p *Program) Faults() []Fault {
	var faults []Fault
	for _, f := range p.flags {
		if f.fault != nil {
			faults = append(faults, Fault{f.source.Key, f.fault.ErrorMessage})
		}
	}
	return faults
}

// Keys returns the keys of all flags, sorted.
func (p *Program) Keys() []string {
	keys := make([]string, len(p.flags))
	for i, f := range p.flags {
		keys[i] = f.source.Key
	}
	return keys
}

// flag is a compiled flag. Every answer that it can give is made when it is
// compiled; resolving it is choosing one.
type flag struct {
	source *feature.Flag
	// fault is the answer of a flag that does not compile; nothing else is set
	// then but knot.
	fault *feature.ResolutionDetails
	// knot says what is wrong with the flag's place among the prerequisites.
	knot string
	// fixed is the answer where it depends on no context.
	fixed *feature.ResolutionDetails

	disabled      *feature.ResolutionDetails // nil where the flag is enabled
	prerequisites []prerequisite
	failed        *feature.ResolutionDetails // the answer where one of them fails
	overrides     []override
	overridden    map[string]int // targeting key → first override that holds it
	rules         []rule
	otherwise     serve
}

type prerequisite struct {
	flag     int // -1 where there is no such flag
	variants []string
	source   *feature.Prerequisite
}

type override struct {
	answer *feature.ResolutionDetails
}

type rule struct {
	source *feature.Rule
	when   node
	serve  serve
}

// serve is one answer or, with a split, one of several.
type serve struct {
	answer *feature.ResolutionDetails
	split  *split
}

type split struct {
	source *feature.Split
	by     attribute
	salted feature.MurmurPrefix
	shares []share
	// nothing is the answer where there is nothing to hash.
	nothing *feature.ResolutionDetails
}

// share is the part of a split below a bound, down to that of the share before.
type share struct {
	below  int
	answer *feature.ResolutionDetails
}

// attribute is how a compiled condition or split addresses the context.
type attribute struct {
	name string
	// path is the name cut at its dots, nil where it has none.
	path *feature.AttributePath
	// isTargetingKey makes the name mean the targeting key.
	isTargetingKey bool
}

// nodeForm is the form of a condition.
type nodeForm uint8

const (
	formAll nodeForm = iota
	formAny
	formNot
	formSegment
	formComparison
)

// node is a compiled condition.
type node struct {
	form  nodeForm
	nodes []node // of all, any and not
	// comparisons are the nodes of an all where each is one, as most are: resolving
	// spares the calls between.
	comparisons []*comparison
	segment     int // place of the segment
	comparison  *comparison
}

type segment struct {
	source             *feature.Segment
	fault              string
	included, excluded keyList
	when               *node
}

type keySet map[string]struct{}

// keyList is one list of a segment: a single set, or one a shard.
type keyList []keySet

func (l keyList) has(key string) bool {
	switch len(l) {
	case 0:
		return false
	case 1:
		_, ok := l[0][key]
		return ok
	default:
		_, ok := l[feature.ShardOf(key, len(l))][key]
		return ok
	}
}
