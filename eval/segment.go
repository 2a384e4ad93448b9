package eval

import (
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

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
