package feature

import (
	"fmt"
	"strings"
)

// ReferenceProblem is what is wrong with how a flag or a segment refers to
// others.
type ReferenceProblem struct {
	// Flag is the key of the flag at fault; empty where it is a segment.
	Flag string
	// Segment is the key of the segment at fault; empty where it is a flag.
	Segment string
	// Problem says where in that flag or segment, and what.
	Problem
}

// String names the flag or segment, the path and the message.
func (p ReferenceProblem) String() string {
	if p.Flag != "" {
		return fmt.Sprintf("flag %q: %s", p.Flag, p.Problem)
	}
	return fmt.Sprintf("segment %q: %s", p.Segment, p.Problem)
}

// References is how the items of a flag set refer to each other: flags to other
// flags as prerequisites, flags and segments to segments.
type References struct {
	// Problems are in the order of the set, flags first.
	Problems []ReferenceProblem
	// FlagOrder holds the indexes of all flags of the set, each after its
	// prerequisites. Around a cycle, which is a problem of the flags on it, there
	// is no such order.
	FlagOrder []int
	// SegmentOrder holds the indexes of all segments, each after those that its
	// condition names.
	SegmentOrder []int
}

// CheckReferences returns what is wrong between the items of a flag set:
//
//   - a flag or segment that is on a cycle, with the whole cycle; one that merely
//     leads to a cycle is not at fault itself;
//   - a prerequisite, or a condition, that names a flag or a segment that the set
//     does not have, or a variant that the other flag does not have;
//   - a flag or segment whose evaluation costs more than [MaxPrerequisiteCost].
//
// It takes time linear in the size of the set and survives chains of any length.
func CheckReferences(set *FlagSet) []ReferenceProblem { return FindReferences(set).Problems }

// FindReferences returns the references of a flag set, for a caller that needs
// an order of evaluation besides the problems.
func FindReferences(set *FlagSet) *References {
	flags := make(map[string]int, len(set.Flags))
	for i, flag := range set.Flags {
		flags[flag.Key] = i
	}
	segments := make(map[string]int, len(set.Segments))
	for i, segment := range set.Segments {
		segments[segment.Key] = i
	}
	r := &References{}
	r.checkFlags(set, flags, segments)
	r.checkSegments(set, segments)
	return r
}

// adjacency holds the edges of all nodes in one slice.
type adjacency struct{ start, to []int }

func (a *adjacency) edges(i int) []int { return a.to[a.start[i]:a.start[i+1]] }

// indexOf returns -1 for what is missing.
func indexOf(indexes map[string]int, key string) int {
	if i, ok := indexes[key]; ok {
		return i
	}
	return -1
}

func (r *References) checkFlags(set *FlagSet, flags, segments map[string]int) {
	graph := adjacency{start: make([]int, 1, len(set.Flags)+1)}
	for _, flag := range set.Flags {
		for i := range flag.Prerequisites {
			graph.to = append(graph.to, indexOf(flags, flag.Prerequisites[i].Flag))
		}
		graph.start = append(graph.start, len(graph.to))
	}
	faults := findGraphFaults(len(set.Flags), graph.edges, MaxPrerequisiteCost)
	r.FlagOrder = faults.order
	cycleMessage := cycleMessages("flag", func(i int) string { return set.Flags[i].Key })
	missing := false
	lookUp := func(key string) {
		_, known := segments[key]
		missing = missing || !known
	}
	for i, flag := range set.Flags {
		report := func(path, format string, args ...any) {
			r.Problems = append(r.Problems, ReferenceProblem{Flag: flag.Key, Problem: Problem{path, fmt.Sprintf(format, args...)}})
		}
		if cycle := faults.cycles[i]; cycle != nil {
			r.Problems = append(r.Problems, ReferenceProblem{Flag: flag.Key, Problem: Problem{"prerequisites", cycleMessage(cycle)}})
		} else if faults.costs[i] > MaxPrerequisiteCost {
			report("prerequisites", "one evaluation would take more than %d evaluations of prerequisites; make the chain shorter", MaxPrerequisiteCost)
		}
		for n := range flag.Prerequisites {
			checkPrerequisite(set, flags, indexPath("prerequisites", n), &flag.Prerequisites[n], report)
		}
		// Paths are built only where something is missing, because compiling a
		// large set comes through here.
		missing = false
		flag.EachSegment(lookUp)
		for n := 0; missing && n < len(flag.Rules); n++ {
			checkMentions(indexPath("rules", n)+".when", &flag.Rules[n].When, segments, report)
		}
	}
}

func checkPrerequisite(set *FlagSet, flags map[string]int, path string, p *Prerequisite, report func(path, format string, args ...any)) {
	i, ok := flags[p.Flag]
	if !ok {
		report(path+".flag", "there is no flag %.80q", p.Flag)
		return
	}
	for n, variant := range p.Variants {
		if variants := set.Flags[i].Variants; variants.Get(variant) == nil {
			report(indexPath(path+".variants", n), "unknown variant %.80q; the flag %s has %s", variant, p.Flag, variantNames(variants))
		}
	}
}

func (r *References) checkSegments(set *FlagSet, segments map[string]int) {
	graph := adjacency{start: make([]int, 1, len(set.Segments)+1)}
	for _, segment := range set.Segments {
		segment.EachSegment(func(key string) {
			graph.to = append(graph.to, indexOf(segments, key))
		})
		graph.start = append(graph.start, len(graph.to))
	}
	faults := findGraphFaults(len(set.Segments), graph.edges, MaxPrerequisiteCost)
	r.SegmentOrder = faults.order
	cycleMessage := cycleMessages("segment", func(i int) string { return set.Segments[i].Key })
	for i, segment := range set.Segments {
		report := func(path, format string, args ...any) {
			r.Problems = append(r.Problems, ReferenceProblem{Segment: segment.Key, Problem: Problem{path, fmt.Sprintf(format, args...)}})
		}
		if cycle := faults.cycles[i]; cycle != nil {
			r.Problems = append(r.Problems, ReferenceProblem{Segment: segment.Key, Problem: Problem{"when", cycleMessage(cycle)}})
		} else if faults.costs[i] > MaxPrerequisiteCost {
			report("when", "one evaluation would take more than %d evaluations of segments; nest fewer of them", MaxPrerequisiteCost)
		}
		if segment.When != nil {
			checkMentions("when", segment.When, segments, report)
		}
	}
}

// checkMentions reports the segments that a condition names and that are not
// there.
func checkMentions(path string, c *Condition, segments map[string]int, report func(path, format string, args ...any)) {
	if _, known := segments[c.Segment]; c.Segment != "" && !known {
		report(path+".segment", "there is no segment %.80q", c.Segment)
	}
	for i := range c.All {
		checkMentions(indexPath(path+".all", i), &c.All[i], segments, report)
	}
	for i := range c.Any {
		checkMentions(indexPath(path+".any", i), &c.Any[i], segments, report)
	}
	if c.Not != nil {
		checkMentions(path+".not", c.Not, segments, report)
	}
}

// cycleMessages returns what words a cycle; a cycle that many items share is
// worded once.
func cycleMessages(what string, key func(i int) string) func(cycle []int) string {
	worded := map[*int]string{}
	return func(cycle []int) string {
		message, ok := worded[&cycle[0]]
		if !ok {
			message = fmt.Sprintf("the %s depends on itself: %s; remove one of these references", what, cyclePath(cycle, key))
			worded[&cycle[0]] = message
		}
		return message
	}
}

// cyclePath writes a cycle as a → b → a; of a long one, the middle is left out.
func cyclePath(cycle []int, key func(i int) string) string {
	const shown = 50
	var b strings.Builder
	for n, i := range cycle {
		if len(cycle) > shown && n == shown/2 {
			fmt.Fprintf(&b, "… (%d more) → ", len(cycle)-shown)
		}
		if len(cycle) > shown && n >= shown/2 && n < len(cycle)-shown/2 {
			continue
		}
		b.WriteString(key(i))
		b.WriteString(" → ")
	}
	b.WriteString(key(cycle[0]))
	return b.String()
}

func variantNames(variants Variants) string {
	keys := make([]string, len(variants))
	for i := range variants {
		keys[i] = variants[i].Key
	}
	if len(keys) == 0 {
		return "none"
	}
	return names(keys)
}
