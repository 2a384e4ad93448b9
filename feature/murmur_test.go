package feature

import (
	"encoding/json"
	"os"
	"testing"

	"pgregory.net/rapid"
)

func TestBucketingVectors(t *testing.T) {
	data, err := os.ReadFile("../vectors/bucketing.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Salt   string `json:"salt"`
		Value  string `json:"value"`
		Hash   uint32 `json:"hash_v2"`
		Bucket int    `json:"bucket100000_v2"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 215 {
		t.Fatalf("there are %d vectors, not 215", len(vectors))
	}
	for _, v := range vectors {
		hash := Murmur3(v.Salt + v.Value)
		if hash != v.Hash || Bucket(hash) != v.Bucket {
			t.Errorf("salt %q, value %q: hash %d, bucket %d; want %d, %d", v.Salt, v.Value, hash, Bucket(hash), v.Hash, v.Bucket)
		}
		if got := NewMurmurPrefix(v.Salt).Sum(v.Value); got != v.Hash {
			t.Errorf("salt %q as a prefix, value %q: hash %d; want %d", v.Salt, v.Value, got, v.Hash)
		}
	}
}

func TestMurmurPrefixIsTheHashOfBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 0, 40)
		prefix, suffix := string(bytes.Draw(t, "prefix")), string(bytes.Draw(t, "suffix"))
		if got, want := NewMurmurPrefix(prefix).Sum(suffix), Murmur3(prefix+suffix); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

func TestBucketEdges(t *testing.T) {
	for hash, want := range map[uint32]int{0: 0, 1 << 31: SplitTotal / 2, 1<<31 - 1: SplitTotal/2 - 1, 1<<32 - 1: SplitTotal - 1} {
		if got := Bucket(hash); got != want {
			t.Errorf("Bucket(%d) = %d, want %d", hash, got, want)
		}
	}
}

func TestShardOfIsInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		shards := 1 << rapid.IntRange(0, 12).Draw(t, "log2 shards")
		shard := ShardOf(key, shards)
		if shard < 0 || shard >= shards {
			t.Fatalf("shard %d of %d", shard, shards)
		}
		// A shard is split in two when their number doubles, so that growing a
		// list never moves keys between others.
		if double := ShardOf(key, 2*shards); double/2 != shard {
			t.Fatalf("shard %d of %d becomes %d of %d", shard, shards, double, 2*shards)
		}
	})
}
