package control

import (
	"slices"

	"github.com/wigwag/wigwag/feature"
)

// The size of shards, in keys. Between the bounds nothing is cut anew, so that a
// list that grows and shrinks by a few keys does not rewrite all its items.
const (
	// maxShardAverage and minShardAverage bound the average over a list.
	maxShardAverage = 1000
	minShardAverage = 250
	// maxShard and minShard are the sizes of a single shard that make a look at
	// the whole list worth while. They are wide of the averages: a hash fills
	// shards unevenly.
	maxShard = 2 * maxShardAverage
	minShard = 4 * minShardAverage / 5
)

// shardCount returns into how many shards a list of count keys is cut that is cut
// into current shards now; zero is an inline list. The result is zero or a power
// of two.
func shardCount(current, count int) int {
	switch {
	case current == 0 && count <= feature.MaxInlineKeys:
		return 0
	case count < feature.MaxInlineKeys/2:
		return 0
	}
	n := max(current, 1)
	for count > maxShardAverage*n {
		n *= 2
	}
	for n > 1 && count < minShardAverage*n {
		n /= 2
	}
	return n
}

// telling reports whether the size of one shard of n calls for a look at the
// whole list: to cut it anew, or because it may have as many keys as is allowed.
func telling(n, size int) bool {
	return size > maxShard || size < minShard || size*n < feature.MaxInlineKeys/2 || size*n > feature.MaxSegmentKeys/8*7
}

// cut spreads a sorted list over its shards, in order; a shard without keys has
// an empty list.
func cut(segment string, list feature.ListName, keys []string, n int) []*feature.SegmentKeys {
	shards := make([]*feature.SegmentKeys, n)
	for i := range shards {
		shards[i] = &feature.SegmentKeys{Segment: segment, List: list, Shard: i, Keys: []string{}}
	}
	for _, key := range keys {
		shard := shards[feature.ShardOf(key, n)]
		shard.Keys = append(shard.Keys, key)
	}
	return shards
}

// sortedKeys returns a sorted copy of a list with each key once.
func sortedKeys(keys []string) []string {
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// common returns the first key that both sorted lists hold.
func common(a, b []string) (string, bool) {
	if len(a) > len(b) {
		a, b = b, a
	}
	for _, key := range a {
		if _, found := slices.BinarySearch(b, key); found {
			return key, true
		}
	}
	return "", false
}
