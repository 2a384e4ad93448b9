package control

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Copy says what of one environment is copied to another of the same project.
type Copy struct {
	// From is the environment that is copied from.
	From string `json:"from"`
	// Flags are the keys of the flags whose configurations are copied; All copies
	// those of all.
	Flags []string `json:"flags,omitempty"`
	All   bool     `json:"all,omitempty"`
	// Segments are the keys of the segments that are copied, with their targeting
	// keys; NeededSegments copies those too that what is copied refers to.
	Segments       []string `json:"segments,omitempty"`
	NeededSegments bool     `json:"neededSegments,omitempty"`
}

// Copied is what a copy wrote; what was the same already is left out.
type Copied struct {
	Flags    []string `json:"flags"`
	Segments []string `json:"segments"`
}

// CopyEnvironment copies configurations of flags, and segments, from one
// environment to another in one commit. Everything that is copied replaces what is
// there of that key. What would refer to something that the environment does not
// have is refused. IfMatch speaks of all that would be replaced.
func (c *Control) CopyEnvironment(ctx context.Context, w Write, project, environment string, request Copy) (Written[Copied], error) {
	var written Written[Copied]
	if request.From == environment {
		return written, fault.InvalidField("from", "it is the environment itself; name another")
	}
	if request.All && len(request.Flags) > 0 {
		return written, fault.InvalidField("flags", "name some flags or ask for all, not both")
	}
	if !request.All && len(request.Flags)+len(request.Segments) == 0 {
		return written, fault.InvalidField("flags", "nothing is named; name flags or segments, or ask for all")
	}
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		from, err := readPlace(ctx, tx, project, request.From)
		if err != nil {
			return err
		}
		to, err := readPlace(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		flags, segments, err := from.selected(&request)
		if err != nil {
			return err
		}
		if err := checkCopy(to, flags, segments, request.NeededSegments); err != nil {
			return err
		}
		put, del, copied := from.differing(to, flags, segments)
		changedAt := to.changedAt(put, del)
		if err := w.unchangedSince(to.set.ID, changedAt.ref, changedAt.position, "what is to be replaced"); err != nil {
			return err
		}
		position, err := w.commit(ctx, tx, to.set.ID, put, del)
		written = inFlagSet(copied, to.set, position)
		return err
	})
	return written, err
}

// servedPlace is an environment with all its items.
type servedPlace struct {
	set   store.Set
	items map[snapshot.Ref]store.Item
	flags *feature.FlagSet
}

func readPlace(ctx context.Context, r store.Reader, project, environment string) (*servedPlace, error) {
	set, err := flagSet(ctx, r, project, environment)
	if err != nil {
		return nil, err
	}
	all, err := items(ctx, r, set.ID)
	if err != nil {
		return nil, err
	}
	p := &servedPlace{set: set, items: make(map[snapshot.Ref]store.Item, len(all)), flags: &feature.FlagSet{}}
	for _, item := range all {
		p.items[item.Ref] = item
		switch item.Kind {
		case snapshot.KindFlag:
			flag, err := decode[feature.Flag](set.ID, item)
			if err != nil {
				return nil, err
			}
			p.flags.Flags = append(p.flags.Flags, flag)
		case snapshot.KindSegment:
			segment, err := decode[feature.Segment](set.ID, item)
			if err != nil {
				return nil, err
			}
			p.flags.Segments = append(p.flags.Segments, segment)
		}
	}
	return p, nil
}

func (p *servedPlace) flag(key string) *feature.Flag {
	at, found := slices.BinarySearchFunc(p.flags.Flags, key, func(f *feature.Flag, key string) int { return strings.Compare(f.Key, key) })
	if !found {
		return nil
	}
	return p.flags.Flags[at]
}

func (p *servedPlace) segment(key string) *feature.Segment {
	at, found := slices.BinarySearchFunc(p.flags.Segments, key, func(s *feature.Segment, key string) int { return strings.Compare(s.Key, key) })
	if !found {
		return nil
	}
	return p.flags.Segments[at]
}

// selected returns the flags and segments that a request is about, sorted.
func (p *servedPlace) selected(request *Copy) ([]*feature.Flag, []*feature.Segment, error) {
	var flags []*feature.Flag
	if request.All {
		flags = p.flags.Flags
	}
	for _, key := range sortedKeys(request.Flags) {
		flag := p.flag(key)
		if flag == nil {
			return nil, nil, fault.InvalidField("flags", "project %q has no flag %.140q, or it is archived; leave it out", p.set.ID.Project, key)
		}
		flags = append(flags, flag)
	}
	wanted := slices.Clone(request.Segments)
	for i := 0; i < len(wanted); i++ {
		if p.segment(wanted[i]) == nil {
			return nil, nil, noSegment(p.set.ID, wanted[i])
		}
	}
	if request.NeededSegments {
		for _, flag := range flags {
			flag.EachSegment(func(key string) { wanted = append(wanted, key) })
		}
	}
	var segments []*feature.Segment
	seen := make(map[string]bool)
	for i := 0; i < len(wanted); i++ { // it grows by what segments refer to
		segment := p.segment(wanted[i])
		if segment == nil || seen[wanted[i]] {
			continue
		}
		seen[wanted[i]] = true
		segments = append(segments, segment)
		if request.NeededSegments {
			segment.EachSegment(func(key string) { wanted = append(wanted, key) })
		}
	}
	slices.SortFunc(segments, func(a, b *feature.Segment) int { return strings.Compare(a.Key, b.Key) })
	return flags, segments, nil
}

// checkCopy checks what would refer to what once the copies were there.
func checkCopy(to *servedPlace, flags []*feature.Flag, segments []*feature.Segment, needed bool) error {
	found := newReferenceProblems(to.flags, flags, segments)
	if len(found) == 0 {
		return nil
	}
	var problems []feature.Problem
	for _, p := range found[:min(len(found), feature.MaxProblems)] {
		path, message := "segments."+p.Segment, p.Message
		if p.Flag != "" {
			path = "flags." + p.Flag
		}
		if p.Path != "" {
			path += "." + p.Path
		}
		problems = append(problems, feature.Problem{Path: path, Message: message})
	}
	err := fault.OfValidation(&feature.ValidationError{Problems: problems})
	if invalid := fault.From(err); !needed {
		invalid.Message += ". Segments that are needed are copied too where neededSegments is true."
		return invalid
	}
	return err
}

// differing returns the items of flags and segments that are not the same in
// another environment, what to delete there, and the keys of both.
func (p *servedPlace) differing(to *servedPlace, flags []*feature.Flag, segments []*feature.Segment) (put []store.Item, del []snapshot.Ref, copied Copied) {
	copied = Copied{Flags: []string{}, Segments: []string{}}
	add := func(ref snapshot.Ref) bool {
		item := p.items[ref]
		if present, ok := to.items[ref]; ok && bytes.Equal(present.Body, item.Body) {
			return false
		}
		put = append(put, store.Item{Ref: ref, Body: item.Body})
		return true
	}
	for _, flag := range flags {
		if add(flagRef(flag.Key)) {
			copied.Flags = append(copied.Flags, flag.Key)
		}
	}
	for _, segment := range segments {
		changed := add(segmentRef(segment.Key))
		present := to.segment(segment.Key)
		for _, name := range listNames {
			_, shards := listOf(segment, name)
			for shard := range *shards {
				changed = add(snapshot.KeysRef(segment.Key, name, shard)) || changed
			}
			if present == nil {
				continue
			}
			_, before := listOf(present, name)
			for shard := *shards; shard < *before; shard++ {
				del = append(del, snapshot.KeysRef(segment.Key, name, shard))
				changed = true
			}
		}
		if changed {
			copied.Segments = append(copied.Segments, segment.Key)
		}
	}
	return put, del, copied
}

// changed is an item and where it last changed.
type changed struct {
	ref      snapshot.Ref
	position snapshot.Position
}

// changedAt returns the item that changed last of those that a write replaces or
// deletes.
func (p *servedPlace) changedAt(put []store.Item, del []snapshot.Ref) changed {
	last := changed{position: snapshot.Position{Epoch: p.set.Position.Epoch}}
	look := func(ref snapshot.Ref) {
		if item, ok := p.items[ref]; ok && item.Version > last.position.Version {
			last.ref, last.position.Version = ref, item.Version
		}
	}
	for i := range put {
		look(put[i].Ref)
	}
	for _, ref := range del {
		look(ref)
	}
	return last
}
