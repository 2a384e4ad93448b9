package feature

import "math/bits"

const (
	murmurC1 = 0xcc9e2d51
	murmurC2 = 0x1b873593
)

// Murmur3 returns MurmurHash3_x86_32 with seed 0 of the bytes of s.
// The function is Austin Appleby's, public domain:
// https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
func Murmur3(s string) uint32 { return NewMurmurPrefix("").Sum(s) }

// MurmurPrefix is the state of the hash after a prefix, from which the hash of
// prefix and suffix is computed without joining them.
type MurmurPrefix struct {
	h      uint32
	tail   uint32 // the bytes of the prefix past its last whole block
	tailN  int
	length int
}

// NewMurmurPrefix hashes a prefix.
func NewMurmurPrefix(prefix string) MurmurPrefix {
	var p MurmurPrefix
	p.length = len(prefix)
	for len(prefix) >= 4 {
		p.h = murmurBlock(p.h, load32(prefix))
		prefix = prefix[4:]
	}
	for i := range len(prefix) {
		p.tail |= uint32(prefix[i]) << (8 * i)
	}
	p.tailN = len(prefix)
	return p
}

// Sum returns the hash of the prefix followed by s.
func (p MurmurPrefix) Sum(s string) uint32 {
	h, length := p.h, uint32(p.length+len(s)) //nolint:gosec // the hash is defined over the length modulo 2^32
	tail, n := uint64(p.tail), 8*p.tailN
	for len(s) >= 4 {
		tail |= uint64(load32(s)) << n
		h = murmurBlock(h, uint32(tail))
		tail >>= 32
		s = s[4:]
	}
	for i := range len(s) {
		tail |= uint64(s[i]) << n
		n += 8
	}
	if n >= 32 {
		h = murmurBlock(h, uint32(tail))
		tail >>= 32
		n -= 32
	}
	if n > 0 {
		h ^= murmurMix(uint32(tail))
	}
	h ^= length
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return h
}

func murmurBlock(h, k uint32) uint32 {
	h ^= murmurMix(k)
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func murmurMix(k uint32) uint32 { return bits.RotateLeft32(k*murmurC1, 15) * murmurC2 }

func load32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// Bucket maps a hash to [0, SplitTotal). Raising the first weight of a split
// only ever adds contexts to its first variant.
func Bucket(hash uint32) int { return int(uint64(hash) * SplitTotal >> 32) }

// ShardOf returns the number of the shard, of so many, that holds a targeting
// key.
func ShardOf(key string, shards int) int {
	return int(uint64(Murmur3(key)) * uint64(shards) >> 32)
}
