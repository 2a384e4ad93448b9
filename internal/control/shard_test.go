package control

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
)

func TestShardCount(t *testing.T) {
	for _, test := range []struct{ current, count, want int }{
		{0, 0, 0},
		{0, 1_000, 0},
		{0, 1_001, 2},
		{0, 2_000, 2},
		{0, 2_001, 4},
		{0, 100_000, 128},
		{0, 1_000_000, 1024},
		// What is cut is cut anew only beyond the bounds.
		{2, 2_000, 2},
		{2, 2_001, 4},
		{2, 500, 2},
		{2, 499, 0},
		{4, 1_000, 4},
		{4, 999, 2},
		{128, 32_000, 128},
		{128, 31_999, 64},
		{128, 300, 0},
		{128, 128_001, 256},
	} {
		if got := shardCount(test.current, test.count); got != test.want {
			t.Errorf("%d keys in %d shards are cut into %d, want %d", test.count, test.current, got, test.want)
		}
	}
}

func TestShardCountIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(0, feature.MaxSegmentKeys).Draw(t, "count")
		current := 0
		if power := rapid.IntRange(0, 11).Draw(t, "power"); power > 0 {
			current = 1 << power
		}
		n := shardCount(current, count)
		if bits.OnesCount(uint(n)) > 1 {
			t.Fatalf("%d is no power of two", n)
		}
		if again := shardCount(n, count); again != n {
			t.Fatalf("%d shards of %d keys would be cut anew into %d", n, count, again)
		}
		if n == 0 && count > feature.MaxInlineKeys || n > 0 && (count > maxShardAverage*n || count < minShardAverage*n) {
			t.Fatalf("%d keys in %d shards", count, n)
		}
	})
}

func numbered(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s-%06d", prefix, i)
	}
	return keys
}

func TestCut(t *testing.T) {
	keys := numbered("user", 5_000)
	shards := cut("beta", feature.ListIncluded, keys, 8)
	var all []string
	for i, shard := range shards {
		if shard.Shard != i || shard.Segment != "beta" || shard.List != feature.ListIncluded || !slices.IsSorted(shard.Keys) {
			t.Errorf("shard %d is %+v", i, shard)
		}
		for _, key := range shard.Keys {
			if feature.ShardOf(key, 8) != i {
				t.Errorf("shard %d holds %s", i, key)
			}
		}
		all = append(all, shard.Keys...)
	}
	slices.Sort(all)
	if !slices.Equal(all, keys) {
		t.Errorf("the shards hold %d keys", len(all))
	}
	for i, shard := range cut("beta", feature.ListIncluded, nil, 2) {
		body, err := feature.Encode(shard)
		want := fmt.Sprintf(`{"segment":"beta","list":"included","shard":%d,"keys":[]}`, i)
		if err != nil || string(body) != want {
			t.Errorf("an empty shard is %s, %v", body, err)
		}
	}
}
