//go:build !race

package cli

// manyFlagsCount is how many flags the test of many applies.
const manyFlagsCount = 2000
