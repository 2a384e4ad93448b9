package eval

import (
	"fmt"
	"math"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

var opcodes = map[feature.Operator]opcode{
	feature.OpIn: codeIn, feature.OpContains: codeContains, feature.OpStartsWith: codeStartsWith,
	feature.OpEndsWith: codeEndsWith, feature.OpMatches: codeMatches,
	feature.OpLT: codeLT, feature.OpLTE: codeLTE, feature.OpGT: codeGT, feature.OpGTE: codeGTE,
	feature.OpBefore: codeBefore, feature.OpAfter: codeAfter,
	feature.OpSemverEQ: codeSemverEQ, feature.OpSemverLT: codeSemverLT, feature.OpSemverLTE: codeSemverLTE,
	feature.OpSemverGT: codeSemverGT, feature.OpSemverGTE: codeSemverGTE,
	feature.OpInCIDR: codeInCIDR, feature.OpExists: codeExists,
}

func newAttribute(name string) attribute {
	a := attribute{name: name, isTargetingKey: name == feature.TargetingKeyAttribute}
	if strings.Contains(name, ".") {
		path := feature.ParseAttributePath(name)
		a.path = &path
	}
	return a
}

// compileCondition fills a node. Its errors start with the path below the
// condition.
func (p *Program) compileCondition(n *node, source *feature.Condition) error {
	forms := 0
	for _, filled := range [...]bool{
		source.All != nil, source.Any != nil, source.Not != nil, source.Segment != "", source.Attribute != "" || source.Op != "",
	} {
		if filled {
			forms++
		}
	}
	if forms != 1 {
		return fmt.Errorf(": a condition has exactly one of all, any, not, segment, and attribute with op")
	}
	switch {
	case source.All != nil:
		n.form = formAll
		if err := p.compileConditions(n, "all", source.All); err != nil {
			return err
		}
		n.gatherComparisons()
	case source.Any != nil:
		n.form = formAny
		return p.compileConditions(n, "any", source.Any)
	case source.Not != nil:
		n.form = formNot
		n.nodes = make([]node, 1)
		if err := p.compileCondition(&n.nodes[0], source.Not); err != nil {
			return fmt.Errorf(".not%w", err)
		}
	case source.Segment != "":
		n.form = formSegment
		place, ok := p.placeOfSegment(source.Segment)
		if !ok {
			return fmt.Errorf(": segment %q is unknown", source.Segment)
		}
		n.segment = place
		if fault := p.segments[place].fault; fault != "" {
			return fmt.Errorf(": segment %q: %s", source.Segment, fault)
		}
	default:
		n.form = formComparison
		compared, err := compileComparison(source)
		if err != nil {
			return fmt.Errorf(": %w", err)
		}
		n.comparison = compared
	}
	return nil
}

func (p *Program) compileConditions(n *node, name string, sources []feature.Condition) error {
	n.nodes = make([]node, len(sources))
	for i := range sources {
		if err := p.compileCondition(&n.nodes[i], &sources[i]); err != nil {
			return fmt.Errorf(".%s[%d]%w", name, i, err)
		}
	}
	return nil
}

func (n *node) gatherComparisons() {
	for i := range n.nodes {
		if n.nodes[i].comparison == nil {
			n.comparisons = nil
			return
		}
		n.comparisons = append(n.comparisons, n.nodes[i].comparison)
	}
}

func (p *Program) placeOfSegment(key string) (int, bool) {
	low, high := 0, len(p.set.Segments)
	for low < high {
		middle := (low + high) / 2
		if p.set.Segments[middle].Key < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(p.set.Segments) && p.set.Segments[low].Key == key
}

func compileComparison(source *feature.Condition) (*comparison, error) {
	code, ok := opcodes[source.Op]
	if !ok {
		return nil, fmt.Errorf("operator %q is unknown", source.Op)
	}
	if source.Attribute == "" {
		return nil, fmt.Errorf("attribute is missing")
	}
	t := &comparison{by: newAttribute(source.Attribute), op: source.Op, code: code, source: source}
	// Where there are no values, nothing is below or above.
	t.bound, t.instant = math.Inf(-1), math.MinInt64
	if code == codeGT || code == codeGTE || code == codeAfter {
		t.bound, t.instant = math.Inf(1), math.MaxInt64
	}
	if code == codeExists && len(source.Values) > 0 {
		return nil, fmt.Errorf("exists takes no values")
	}
	for i := range source.Values {
		if err := t.addValue(&source.Values[i]); err != nil {
			return nil, fmt.Errorf("values[%d]: %w", i, err)
		}
	}
	if code == codeIn && len(t.texts) > manyStrings {
		t.set, t.texts = newKeySet(t.texts), nil
	}
	return t, nil
}

func (t *comparison) addValue(v *feature.Value) error {
	wrong := fmt.Errorf("%s does not take %s", t.op, v)
	text, isText := v.Text()
	number, isNumber := v.Number()
	switch t.code {
	case codeIn:
		switch v.Kind() {
		case feature.KindString:
			t.texts = append(t.texts, text)
		case feature.KindNumber:
			t.numbers = append(t.numbers, number)
		case feature.KindBool:
			if b, _ := v.Bool(); b {
				t.bools[1] = true
			} else {
				t.bools[0] = true
			}
		default:
			return wrong
		}
		return nil
	case codeLT, codeLTE, codeGT, codeGTE:
		if !isNumber {
			return wrong
		}
		if t.code == codeLT || t.code == codeLTE {
			t.bound = max(t.bound, number)
		} else {
			t.bound = min(t.bound, number)
		}
		return nil
	case codeBefore, codeAfter:
		ms, ok := instant(v)
		if !ok {
			return wrong
		}
		if t.code == codeBefore {
			t.instant = max(t.instant, ms)
		} else {
			t.instant = min(t.instant, ms)
		}
		return nil
	}
	if !isText {
		return wrong
	}
	switch t.code {
	case codeContains, codeStartsWith, codeEndsWith:
		t.texts = append(t.texts, text)
	case codeMatches:
		pattern, err := feature.CompilePattern(text)
		if err != nil {
			return err
		}
		t.patterns = append(t.patterns, pattern)
	case codeInCIDR:
		prefix, ok := feature.ParsePrefix(text)
		if !ok {
			return wrong
		}
		t.prefixes = append(t.prefixes, prefix)
	default:
		version, ok := feature.ParseSemver(text)
		if !ok {
			return wrong
		}
		t.versions = append(t.versions, version)
	}
	return nil
}
