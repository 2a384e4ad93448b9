package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
)

// checkFlagReferences checks what a changed flag refers to. It reads all flags
// and segments of the set.
func checkFlagReferences(ctx context.Context, r store.Reader, id store.SetID, changed *feature.Flag) error {
	before, err := served(ctx, r, id)
	if err != nil {
		return err
	}
	after := &feature.FlagSet{Flags: slices.Clone(before.Flags), Segments: before.Segments}
	at, found := slices.BinarySearchFunc(after.Flags, changed.Key, func(f *feature.Flag, key string) int { return strings.Compare(f.Key, key) })
	if !found {
		return fmt.Errorf("flag %s is not among the flags of %s", changed.Key, id)
	}
	after.Flags[at] = changed
	return newProblems(before, after, "prerequisites", func(p *feature.ReferenceProblem) bool { return p.Flag == changed.Key })
}

// checkSegmentReferences checks what a new or changed segment refers to. It reads
// all flags and segments of the set.
func checkSegmentReferences(ctx context.Context, r store.Reader, id store.SetID, changed *feature.Segment) error {
	before, err := served(ctx, r, id)
	if err != nil {
		return err
	}
	after := &feature.FlagSet{Flags: before.Flags, Segments: slices.Clone(before.Segments)}
	at, found := slices.BinarySearchFunc(after.Segments, changed.Key, func(s *feature.Segment, key string) int { return strings.Compare(s.Key, key) })
	if found {
		after.Segments[at] = changed
	} else {
		after.Segments = slices.Insert(after.Segments, at, changed)
	}
	return newProblems(before, after, "when", func(p *feature.ReferenceProblem) bool { return p.Segment == changed.Key })
}

// newProblems returns the problems of what was changed, and those that the change
// makes for others; these are put down to a field of the change.
func newProblems(before, after *feature.FlagSet, field string, own func(*feature.ReferenceProblem) bool) error {
	problems := feature.CheckReferences(after)
	if len(problems) == 0 {
		return nil
	}
	known := feature.CheckReferences(before)
	var found, others []feature.Problem
	for i := range problems {
		p := &problems[i]
		switch {
		case own(p):
			found = append(found, p.Problem)
		case !slices.Contains(known, *p):
			others = append(others, feature.Problem{Path: field, Message: "the change would leave " + p.String()})
		}
	}
	found = append(found, others...)
	if len(found) == 0 {
		return nil
	}
	return fault.OfValidation(&feature.ValidationError{Problems: found[:min(len(found), feature.MaxProblems)]})
}

// newReferenceProblems returns what would be wrong with a flag set once some flags
// and segments were put into it: with them, and with others because of them.
func newReferenceProblems(before *feature.FlagSet, flags []*feature.Flag, segments []*feature.Segment) []feature.ReferenceProblem {
	after := &feature.FlagSet{Flags: slices.Clone(before.Flags), Segments: slices.Clone(before.Segments)}
	changedFlags, changedSegments := map[string]bool{}, map[string]bool{}
	for _, flag := range flags {
		changedFlags[flag.Key] = true
		at, found := slices.BinarySearchFunc(after.Flags, flag.Key, func(f *feature.Flag, key string) int { return strings.Compare(f.Key, key) })
		if found {
			after.Flags[at] = flag
		} else {
			after.Flags = slices.Insert(after.Flags, at, flag)
		}
	}
	for _, segment := range segments {
		changedSegments[segment.Key] = true
		at, found := slices.BinarySearchFunc(after.Segments, segment.Key, func(s *feature.Segment, key string) int { return strings.Compare(s.Key, key) })
		if found {
			after.Segments[at] = segment
		} else {
			after.Segments = slices.Insert(after.Segments, at, segment)
		}
	}
	problems := feature.CheckReferences(after)
	if len(problems) == 0 {
		return nil
	}
	known := feature.CheckReferences(before)
	return slices.DeleteFunc(problems, func(p feature.ReferenceProblem) bool {
		return !changedFlags[p.Flag] && !changedSegments[p.Segment] && slices.Contains(known, p)
	})
}
