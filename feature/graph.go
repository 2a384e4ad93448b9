package feature

// graphFaults is what is wrong in a graph whose nodes are numbered from 0.
type graphFaults struct {
	// order holds every node once, those that it leads to before it, except
	// around a cycle.
	order []int
	// cycles holds, for each node that is on a cycle, the nodes of a shortest
	// cycle from it back to it, without the repetition at the end. A knot of more
	// than maxKnot nodes is given one cycle for all of them, which need not hold
	// the node.
	cycles map[int][]int
	// costs holds 1 for each node, and besides the costs of what its edges lead
	// to; a node on a cycle, and a missing one, costs 1. Limit+1 stands for any
	// greater cost.
	costs []int
}

// maxKnot bounds the search for a cycle of each node by itself, which takes time
// in the square of the nodes that lie on cycles with each other.
const maxKnot = 256

// findGraphFaults examines a graph of n nodes in time linear in its edges (but
// see maxKnot) and without recursion, so that a chain may be of any length.
//
// The algorithm is Tarjan's for strongly connected components: a component is
// complete only when all that it leads to are, which is the order in which costs
// can be summed.
//
// An edge to a negative number leads to a node that is missing.
func findGraphFaults(n int, edges func(i int) []int, limit int) graphFaults {
	faults := graphFaults{order: make([]int, 0, n), costs: make([]int, n)}
	type visit struct{ node, next int }
	var (
		number = make([]int, n) // the order of discovery from 1; 0 is not yet
		low    = make([]int, n) // the least number known to be reached
		open   = make([]bool, n)
		stack  []int // open nodes, in the order of discovery
		path   []visit
		count  int
	)
	enter := func(i int) {
		count++
		number[i], low[i], open[i] = count, count, true
		stack = append(stack, i)
		path = append(path, visit{node: i})
	}
	for root := range n {
		if number[root] == 0 {
			enter(root)
		}
		for len(path) > 0 {
			at := &path[len(path)-1]
			i := at.node
			if out := edges(i); at.next < len(out) {
				j := out[at.next]
				at.next++
				if j < 0 {
					continue
				}
				if number[j] == 0 {
					enter(j)
				} else if open[j] {
					low[i] = min(low[i], number[j])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				parent := path[len(path)-1].node
				low[parent] = min(low[parent], low[i])
			}
			if low[i] < number[i] {
				continue
			}
			first := len(stack) - 1
			for stack[first] != i {
				first--
			}
			component := stack[first:]
			stack = stack[:first]
			faults.close(component, open, edges, limit)
		}
	}
	return faults
}

// close takes a component that is complete.
func (f *graphFaults) close(component []int, open []bool, edges func(i int) []int, limit int) {
	for _, i := range component {
		open[i] = false
	}
	f.order = append(f.order, component...)
	i := component[0]
	if len(component) == 1 {
		f.costs[i] = 1
		for _, j := range edges(i) {
			if j == i {
				f.addCycle(i, []int{i})
				f.costs[i] = 1
				return
			}
			cost := 1
			if j >= 0 {
				cost = f.costs[j]
			}
			f.costs[i] = min(f.costs[i]+cost, limit+1)
		}
		return
	}
	knot := make(map[int]bool, len(component))
	for _, i := range component {
		knot[i] = true
		f.costs[i] = 1
	}
	var shared []int
	if len(component) > maxKnot {
		shared = shortestCycle(i, knot, edges)
	}
	for _, i := range component {
		cycle := shared
		if cycle == nil {
			cycle = shortestCycle(i, knot, edges)
		}
		f.addCycle(i, cycle)
	}
}

func (f *graphFaults) addCycle(i int, cycle []int) {
	if f.cycles == nil {
		f.cycles = map[int][]int{}
	}
	f.cycles[i] = cycle
}

// shortestCycle returns a shortest way from a node back to it within a strongly
// connected set.
func shortestCycle(start int, within map[int]bool, edges func(i int) []int) []int {
	from := map[int]int{}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		i := queue[0]
		for _, j := range edges(i) {
			if j == start {
				var cycle []int
				for ; i != start; i = from[i] {
					cycle = append(cycle, i)
				}
				cycle = append(cycle, start)
				for a, b := 0, len(cycle)-1; a < b; a, b = a+1, b-1 {
					cycle[a], cycle[b] = cycle[b], cycle[a]
				}
				return cycle
			}
			if _, seen := from[j]; within[j] && !seen {
				from[j] = i
				queue = append(queue, j)
			}
		}
	}
	return nil
}
