//go:build race

package cli

// manyFlagsCount is how many flags the test of many applies; the race detector makes
// everything some ten times slower.
const manyFlagsCount = 200
