package bench

import "testing"

// TestAllocations fails where a call of ours allocates more than is owed. Times
// depend on the machine and are no test; this does not.
func TestAllocations(t *testing.T) {
	const readyCall, builtCall = 0, 1
	client := newWigwag(t).client
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ec := wigwagContext(&asked)
			for _, call := range []struct {
				name    string
				allowed float64
				run     func()
			}{
				{"Bool", readyCall, func() { client.Bool(c.flag, false, ec) }},
				{"BoolDetails", readyCall, func() { _ = client.BoolDetails(c.flag, false, ec) }},
				{"Bool, context built", builtCall, func() { client.Bool(c.flag, false, wigwagContext(&asked)) }},
				{"BoolDetails, context built", builtCall, func() { _ = client.BoolDetails(c.flag, false, wigwagContext(&asked)) }},
			} {
				if got := testing.AllocsPerRun(100, call.run); got > call.allowed {
					t.Errorf("%s: %v allocations, want at most %v", call.name, got, call.allowed)
				}
			}
		})
	}
}
