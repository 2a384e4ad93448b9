package main

import (
	"fmt"
	"io"
)

const (
	limit        = "limit"
	wigwag       = "wigwag"
	details      = "wigwag-details"
	launchDarkly = "launchdarkly"
	growthBook   = "growthbook"

	ready = "ready"
	built = "built"
)

// engines are the columns of both tables.
var engines = []string{limit, wigwag, details, launchDarkly, growthBook}

// owed are the bounds of one case: at most so many times each of the others.
// A zero bound is none.
type owed struct {
	name string
	// limit bounds the ratio to the hand-written limit.
	limit float64
	// rivals bounds the ratio to the fastest of those named.
	rivals float64
	named  []string
	// allocations bounds those of a call.
	allocations float64
}

// owedReady is owed where the context was made before the call.
var owedReady = []owed{
	{"F1", 3, 0.25, []string{launchDarkly, growthBook}, 0},
	{"F2", 3, 0.25, []string{launchDarkly, growthBook}, 0},
	{"F3", 3, 0.25, []string{launchDarkly, growthBook}, 0},
	{"F4", 3, 0.30, []string{launchDarkly}, 0},
	{"F5", 3, 0.25, []string{launchDarkly, growthBook}, 0},
	{"P2", 3, 0.25, []string{launchDarkly, growthBook}, 0},
}

// owedBuilt is owed where the call makes its context from attributes.
var owedBuilt = []owed{
	{"F1", 0, 0.25, []string{launchDarkly}, 1},
	{"F2", 0, 0.25, []string{launchDarkly}, 1},
	{"F3", 0, 0.25, []string{launchDarkly}, 1},
	{"F4", 0, 0.25, []string{launchDarkly}, 1},
	{"F5", 0, 0.25, []string{launchDarkly}, 1},
}

// report writes both tables and returns how many bounds are missed.
func report(w io.Writer, s *summary) (missed int) {
	fmt.Fprint(w, "## Evaluation, context made before the call (ns; allocations where there are any)\n\n")
	missed += table(w, s, ready, owedReady)
	fmt.Fprint(w, "\n## Evaluation, context made in the call (ns; allocations where there are any)\n\n")
	missed += table(w, s, built, owedBuilt)
	fmt.Fprint(w, "\nRatios are medians of the ratios within a round; the greater of `wigwag` and `wigwag-details`. **Bold** is missed.\n")
	return missed
}

func table(w io.Writer, s *summary, variant string, bounds []owed) (missed int) {
	fmt.Fprint(w, "|")
	for _, title := range append([]string{""}, engines...) {
		fmt.Fprintf(w, " %s |", title)
	}
	fmt.Fprint(w, " / limit | / rivals | allocations |\n|---|")
	for range len(engines) + 3 {
		fmt.Fprint(w, "---:|")
	}
	fmt.Fprintln(w)

	verdict := func(value, bound float64, format string) {
		text := fmt.Sprintf(format+" ≤ "+format, value, bound)
		if value > bound {
			missed++
			text = "**" + text + "**"
		}
		fmt.Fprintf(w, " %s |", text)
	}
	for _, owed := range bounds {
		of := func(engine string) id { return id{owed.name, variant, engine} }
		fmt.Fprintf(w, "| %s |", owed.name)
		for _, engine := range engines {
			fmt.Fprintf(w, " %s", figure(s.nanoseconds(of(engine))))
			if n := s.allocations(of(engine)); n > 0 {
				fmt.Fprintf(w, " (%.0f)", n)
			}
			fmt.Fprint(w, " |")
		}
		worst := func(theirs ...id) float64 {
			return max(s.ratio(of(wigwag), theirs...), s.ratio(of(details), theirs...))
		}
		if owed.limit > 0 {
			verdict(worst(of(limit)), owed.limit, "%.2f")
		} else {
			fmt.Fprintf(w, " %.2f |", worst(of(limit)))
		}
		rivals := make([]id, len(owed.named))
		for i, name := range owed.named {
			rivals[i] = of(name)
		}
		verdict(worst(rivals...), owed.rivals, "%.2f")
		verdict(max(s.allocations(of(wigwag)), s.allocations(of(details))), owed.allocations, "%.0f")
		fmt.Fprintln(w)
	}
	return missed
}

// figure prints nanoseconds with three significant digits or all whole ones.
func figure(nanoseconds float64) string {
	switch {
	case nanoseconds < 10:
		return fmt.Sprintf("%.2f", nanoseconds)
	case nanoseconds < 100:
		return fmt.Sprintf("%.1f", nanoseconds)
	default:
		return fmt.Sprintf("%.0f", nanoseconds)
	}
}
