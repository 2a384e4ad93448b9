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

// compileFlags compiles all flags. The segments are compiled already.
func (p *Program) compileFlags() {
	p.index = make(map[string]int, len(p.set.Flags))
	for i, f := range p.set.Flags {
		p.index[f.Key] = i
	}
	knots := feature.Knots(len(p.set.Flags), func(i int) string { return p.set.Flags[i].Key }, func(i int) []int {
		var next []int
		for _, pre := range p.set.Flags[i].Prerequisites {
			if j, ok := p.index[pre.Flag]; ok {
				next = append(next, j)
			}
		}
		return next
	})
	p.flags = make([]*flag, len(p.set.Flags))
	for i, f := range p.set.Flags {
		p.flags[i] = p.compileFlag(f, knots[i])
	}
}

// compileFlag compiles one flag. Its place among the flags is known already.
func (p *Program) compileFlag(source *feature.Flag, knot string) *flag {
	f := &flag{source: source, knot: knot}
	err := fmt.Errorf("%s", knot)
	if knot == "" {
		c := flagCompiler{program: p, source: source}
		err = c.compile(f)
	}
	if err != nil {
		return &flag{source: source, knot: knot, fault: &feature.ResolutionDetails{
			Reason:       feature.ReasonError,
			ErrorCode:    feature.ErrorParse,
			ErrorMessage: err.Error(),
			Metadata:     source.Metadata,
		}}
	}
	return f
}

type flagCompiler struct {
	program *Program
	source  *feature.Flag
}

func (c *flagCompiler) compile(f *flag) error {
	if err := c.checkVariants(); err != nil {
		return err
	}
	off, err := c.answer(c.source.OffVariant, feature.ReasonDisabled, "")
	if err != nil {
		return fmt.Errorf("offVariant: %w", err)
	}
	switch c.source.State {
	case feature.StateEnabled:
	case feature.StateDisabled:
		f.disabled = off
	default:
		return fmt.Errorf("state %q is unknown", c.source.State)
	}
	f.failed, _ = c.answer(c.source.OffVariant, feature.ReasonPrerequisiteFailed, "")
	for i := range c.source.Prerequisites {
		pre := &c.source.Prerequisites[i]
		place, ok := c.program.index[pre.Flag]
		if !ok {
			place = -1
		}
		f.prerequisites = append(f.prerequisites, prerequisite{flag: place, variants: pre.Variants, source: pre})
	}
	if err := c.compileOverrides(f); err != nil {
		return err
	}
	for i := range c.source.Rules {
		source := &c.source.Rules[i]
		r := rule{source: source}
		if err := c.program.compileCondition(&r.when, &source.When); err != nil {
			return fmt.Errorf("rules[%d].when%w", i, err)
		}
		if r.serve, err = c.compileServe(&source.Serve, feature.ReasonTargetingMatch, source.ID); err != nil {
			return fmt.Errorf("rules[%d].serve: %w", i, err)
		}
		f.rules = append(f.rules, r)
	}
	static := len(f.prerequisites) == 0 && len(f.overrides) == 0 && len(f.rules) == 0
	reason := feature.ReasonDefault
	if static {
		reason = feature.ReasonStatic
	}
	if f.otherwise, err = c.compileServe(&c.source.Default, reason, ""); err != nil {
		return fmt.Errorf("default: %w", err)
	}
	switch {
	case f.disabled != nil:
		f.fixed = f.disabled
	case static:
		f.fixed = f.otherwise.answer
	}
	return nil
}

func (c *flagCompiler) checkVariants() error {
	var kind feature.ValueKind
	switch c.source.Type {
	case feature.TypeBoolean:
		kind = feature.KindBool
	case feature.TypeString:
		kind = feature.KindString
	case feature.TypeNumber:
		kind = feature.KindNumber
	case feature.TypeObject:
		kind = feature.KindObject
	default:
		return fmt.Errorf("type %q is unknown", c.source.Type)
	}
	for i := range c.source.Variants {
		if v := &c.source.Variants[i]; v.Value.Kind() != kind {
			return fmt.Errorf("variants.%s is a %s, the flag's type is %s", v.Key, v.Value.Kind(), c.source.Type)
		}
	}
	return nil
}

// answer makes the answer that serves a variant for a reason.
func (c *flagCompiler) answer(variant string, reason feature.Reason, rule string) (*feature.ResolutionDetails, error) {
	v := c.source.Variants.Get(variant)
	if v == nil {
		return nil, fmt.Errorf("variant %q is unknown", variant)
	}
	return &feature.ResolutionDetails{
		Value: v.Value, Variant: v.Key, Reason: reason, RuleID: rule, Metadata: c.source.Metadata,
	}, nil
}

func (c *flagCompiler) compileOverrides(f *flag) error {
	for i := range c.source.Overrides {
		source := &c.source.Overrides[i]
		answer, err := c.answer(source.Variant, feature.ReasonTargetingMatch, "")
		if err != nil {
			return fmt.Errorf("overrides[%d]: %w", i, err)
		}
		f.overrides = append(f.overrides, override{answer})
		if f.overridden == nil {
			f.overridden = make(map[string]int, len(source.TargetingKeys))
		}
		for _, key := range source.TargetingKeys {
			if _, taken := f.overridden[key]; !taken {
				f.overridden[key] = i
			}
		}
	}
	return nil
}

func (c *flagCompiler) compileServe(source *feature.Serve, reason feature.Reason, ruleID string) (serve, error) {
	if (source.Variant == "") == (source.Split == nil) {
		return serve{}, fmt.Errorf("it takes either a variant or a split")
	}
	if source.Split == nil {
		answer, err := c.answer(source.Variant, reason, ruleID)
		return serve{answer: answer}, err
	}
	s := &split{
		source: source.Split,
		by:     newAttribute(source.Split.Attribute()),
		salted: feature.NewMurmurPrefix(source.Split.Salt),
	}
	var err error
	if s.nothing, err = c.answer(c.source.OffVariant, feature.ReasonDefault, ruleID); err != nil {
		return serve{}, err
	}
	if !feature.ValidSalt(source.Split.Salt) {
		return serve{}, fmt.Errorf("salt %q is not of 1 to 64 letters, digits and . _ : -", source.Split.Salt)
	}
	below, seen := 0, map[string]bool{}
	for _, w := range source.Split.Weights {
		answer, err := c.answer(w.Variant, feature.ReasonSplit, ruleID)
		if err != nil {
			return serve{}, err
		}
		if w.Weight < 0 || w.Weight > feature.SplitTotal || seen[w.Variant] {
			return serve{}, fmt.Errorf("the weight of %q is negative, too large, or given twice", w.Variant)
		}
		seen[w.Variant] = true
		below += w.Weight
		s.shares = append(s.shares, share{below, answer})
	}
	if below != feature.SplitTotal {
		return serve{}, fmt.Errorf("the weights sum to %d, not %d", below, feature.SplitTotal)
	}
	return serve{split: s}, nil
}

func newAttribute(name string) attribute {
	a := attribute{name: name, isTargetingKey: name == feature.TargetingKeyAttribute}
	if strings.Contains(name, ".") {
		path := feature.ParseAttributePath(name)
		a.path = &path
	}
	return a
}

// compileSegments compiles all segments; shards that did not change are reused.
func (p *Program) compileSegments() {
	p.compileKeys()
	shards := make(map[string][]*feature.SegmentKeys)
	for _, k := range p.set.Keys {
		name := k.Segment + "/" + string(k.List)
		shards[name] = append(shards[name], k)
	}
	places := make(map[string]int, len(p.set.Segments))
	for i, s := range p.set.Segments {
		places[s.Key] = i
	}
	knots := feature.Knots(len(p.set.Segments), func(i int) string { return p.set.Segments[i].Key }, func(i int) []int {
		var next []int
		p.set.Segments[i].EachSegment(func(key string) {
			if j, ok := places[key]; ok {
				next = append(next, j)
			}
		})
		return next
	})
	p.segments = make([]*segment, len(p.set.Segments))
	for i, source := range p.set.Segments {
		p.segments[i] = &segment{source: source, fault: knots[i]}
	}
	for _, s := range p.segments {
		if s.fault == "" {
			s.fault = p.compileSegment(s, shards)
		}
	}
	p.spreadFaults()
}

func (p *Program) compileKeys() {
	compiled := make(map[*feature.SegmentKeys]keySet, len(p.set.Keys))
	for _, k := range p.set.Keys {
		set, ok := p.keys[k]
		if !ok {
			set = newKeySet(k.Keys)
		}
		compiled[k] = set
	}
	p.keys = compiled
}

func newKeySet(keys []string) keySet {
	set := make(keySet, len(keys))
	for _, key := range keys {
		set[key] = struct{}{}
	}
	return set
}

// maxShards bounds what a document can make the compiler allocate.
const maxShards = 1 << 16

// compileSegment returns what is wrong with the segment, empty for nothing.
func (p *Program) compileSegment(s *segment, shards map[string][]*feature.SegmentKeys) string {
	list := func(name feature.ListName, inline []string, count int) (keyList, error) {
		if count < 0 || count > maxShards {
			return nil, fmt.Errorf("its %s keys are cut into %d shards", name, count)
		}
		if count == 0 {
			if len(inline) == 0 {
				return nil, nil
			}
			return keyList{newKeySet(inline)}, nil
		}
		cut := shards[s.source.Key+"/"+string(name)]
		keys := make(keyList, count)
		for _, k := range cut {
			if k.Shard >= 0 && k.Shard < count {
				keys[k.Shard] = p.keys[k]
			}
		}
		for i := range keys {
			if keys[i] == nil {
				return nil, fmt.Errorf("shard %d of %d of its %s keys is missing", i, count, name)
			}
		}
		return keys, nil
	}
	var err error
	if s.included, err = list(feature.ListIncluded, s.source.Included, s.source.Shards.Included); err != nil {
		return err.Error()
	}
	if s.excluded, err = list(feature.ListExcluded, s.source.Excluded, s.source.Shards.Excluded); err != nil {
		return err.Error()
	}
	if s.source.When != nil {
		s.when = new(node)
		if err := p.compileCondition(s.when, s.source.When); err != nil {
			return "when" + err.Error()
		}
	}
	return ""
}

// spreadFaults makes segments faulty whose conditions name faulty ones, until
// nothing changes: once a level of nesting.
func (p *Program) spreadFaults() {
	for changed := true; changed; {
		changed = false
		for _, s := range p.segments {
			if s.fault != "" || s.when == nil {
				continue
			}
			if err := p.faultBelow(s.when); err != nil {
				s.fault, changed = err.Error(), true
			}
		}
	}
}

func (p *Program) faultBelow(n *node) error {
	if n.form == formSegment {
		if s := p.segments[n.segment]; s.fault != "" {
			return fmt.Errorf("segment %q: %s", s.source.Key, s.fault)
		}
	}
	for i := range n.nodes {
		if err := p.faultBelow(&n.nodes[i]); err != nil {
			return err
		}
	}
	return nil
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
		n.gatherTests()
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
		n.form = formTest
		test, err := compileTest(source)
		if err != nil {
			return fmt.Errorf(": %w", err)
		}
		n.test = test
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

func (n *node) gatherTests() {
	for i := range n.nodes {
		if n.nodes[i].test == nil {
			n.tests = nil
			return
		}
		n.tests = append(n.tests, n.nodes[i].test)
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

func compileTest(source *feature.Condition) (*test, error) {
	code, ok := opcodes[source.Op]
	if !ok {
		return nil, fmt.Errorf("operator %q is unknown", source.Op)
	}
	if source.Attribute == "" {
		return nil, fmt.Errorf("attribute is missing")
	}
	t := &test{by: newAttribute(source.Attribute), op: source.Op, code: code, source: source}
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

func (t *test) addValue(v *feature.Value) error {
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
