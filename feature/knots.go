package feature

import "fmt"

// Knots says, for each of n items, what is wrong with its place among the items
// that it refers to, empty for nothing: it is on a cycle, or evaluating it would
// cost more than [MaxPrerequisiteCost]. Edges are asked for once per item.
func Knots(n int, key func(i int) string, edges func(i int) []int) []string {
	graph := adjacency{start: make([]int, 1, n+1)}
	for i := range n {
		graph.to = append(graph.to, edges(i)...)
		graph.start = append(graph.start, len(graph.to))
	}
	knots := make([]string, n)
	if len(graph.to) == 0 {
		return knots
	}
	faults := findGraphFaults(n, graph.edges, MaxPrerequisiteCost)
	for i := range knots {
		if cycle := faults.cycles[i]; cycle != nil {
			knots[i] = "it depends on itself: " + cyclePath(cycle, key)
		} else if faults.costs[i] > MaxPrerequisiteCost {
			knots[i] = fmt.Sprintf("one evaluation would take more than %d", MaxPrerequisiteCost)
		}
	}
	return knots
}
