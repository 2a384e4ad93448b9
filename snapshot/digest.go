package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what [Digest.String] writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("digest %.80q is not 64 hexadecimal digits", s)
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return d, fmt.Errorf("digest %q is not 64 hexadecimal digits", s)
	}
	return d, nil
}

// buckets is into how many parts the items are cut for the set digest, so that a
// change hashes the few items of its own bucket and not the whole set.
const buckets = 256

// bucketOf returns the bucket of an item's name: the high byte of its hash.
func bucketOf(ref Ref) uint8 { return uint8(feature.Murmur3(ref.String()) >> 24) }

// digests is the set digest in the making: the SHA-256 of each bucket's lines.
type digests [buckets]Digest

var emptyBucket = Digest(sha256.Sum256(nil))

// sum returns the set digest: the SHA-256 over the digests of all buckets.
func (d *digests) sum() Digest {
	var all [buckets * sha256.Size]byte
	for i := range d {
		copy(all[i*sha256.Size:], d[i][:])
	}
	return sha256.Sum256(all[:])
}

// newDigests hashes all items, which are sorted.
func newDigests(items []*Item) *digests {
	var lines [buckets][]byte
	for _, item := range items {
		lines[item.bucket] = append(lines[item.bucket], item.line...)
	}
	d := new(digests)
	for i := range d {
		d[i] = emptyBucket
		if lines[i] != nil {
			d[i] = sha256.Sum256(lines[i])
		}
	}
	return d
}

// with returns the digests after some buckets were touched, given all items and,
// beside each, its bucket.
func (d *digests) with(touched map[uint8]struct{}, items []*Item, bucket []uint8) *digests {
	if len(touched) > buckets/4 {
		return newDigests(items)
	}
	next := *d
	var lines []byte
	for b := range touched {
		lines = lines[:0]
		for i := 0; ; i++ {
			n := bytes.IndexByte(bucket[i:], b)
			if n < 0 {
				break
			}
			i += n
			lines = append(lines, items[i].line...)
		}
		next[b] = sha256.Sum256(lines)
	}
	return &next
}
