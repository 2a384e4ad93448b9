package main

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// result is one benchmark of one round.
type result struct {
	nanoseconds float64 // per call
	allocations float64 // per call
}

// id names a benchmark: BenchmarkEvaluate/case/variant/engine.
type id struct{ name, variant, engine string }

// round is what one run of all benchmarks gave.
type round map[id]result

// parse reads the output of a test binary.
func parse(output []byte) (round, error) {
	r := round{}
	scanner := bufio.NewScanner(bytes.NewReader(output))
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		path := strings.Split(fields[0], "/")
		if len(path) != 4 {
			continue
		}
		engine := path[3]
		if i := strings.LastIndexByte(engine, '-'); i > 0 { // the number of processors
			engine = engine[:i]
		}
		var parsed result
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark line %q: %w", scanner.Text(), err)
			}
			switch fields[i+1] {
			case "ns/op":
				parsed.nanoseconds = value
			case "allocs/op":
				parsed.allocations = value
			}
		}
		r[id{path[1], path[2], engine}] = parsed
	}
	if len(r) == 0 {
		return nil, fmt.Errorf("the benchmarks printed no result:\n%s", output)
	}
	return r, scanner.Err()
}

// summary is all rounds together.
type summary struct{ rounds []round }

func summarize(rounds []round) *summary { return &summary{rounds} }

// median returns the median over the rounds of what of takes from each.
func (s *summary) median(of func(round) float64) float64 {
	values := make([]float64, len(s.rounds))
	for i, r := range s.rounds {
		values[i] = of(r)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

func (s *summary) nanoseconds(of id) float64 {
	return s.median(func(r round) float64 { return r[of].nanoseconds })
}

// allocations returns the most that any round saw: a call that allocates
// sometimes allocates.
func (s *summary) allocations(of id) float64 {
	most := 0.0
	for _, r := range s.rounds {
		most = max(most, r[of].allocations)
	}
	return most
}

// ratio returns the median over the rounds of ours over the fastest of theirs,
// each pair taken from one round, where the machine was the same for both.
func (s *summary) ratio(ours id, theirs ...id) float64 {
	return s.median(func(r round) float64 {
		best := r[theirs[0]].nanoseconds
		for _, other := range theirs[1:] {
			best = min(best, r[other].nanoseconds)
		}
		return r[ours].nanoseconds / best
	})
}
