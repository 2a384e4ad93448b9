// Package snapshot holds the documents that travel from a server to its SDKs:
// the snapshot of a flag set, the delta between two versions, and the position
// and digests that let a client prove that it holds what the server holds.
//
// The formats are those of api/stream.md. Values are built once and then only
// read; all of them are safe for concurrent use.
package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

// Kind is the kind of an item of a flag set.
type Kind string

// The kinds of items that SDKs receive.
const (
	KindFlag    Kind = "flag"
	KindSegment Kind = "segment"
	// KindKeys is one shard of a long key list of a segment.
	KindKeys Kind = "keys"
)

// Ref names an item.
type Ref struct {
	Kind Kind
	Key  string
}

// String returns kind/key, the name under which an item enters the set digest.
func (r Ref) String() string { return string(r.Kind) + "/" + r.Key }

// Compare orders items as their names order bytewise.
func (r Ref) Compare(s Ref) int {
	return cmp.Or(cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.Key, s.Key))
}

// Item is one flag, segment or shard of keys, with the exact bytes that were
// committed. Items are shared between snapshots and never changed.
type Item struct {
	Ref
	Body   []byte
	Digest Digest

	decoded any    // *feature.Flag, *feature.Segment or *feature.SegmentKeys, by kind
	line    string // what the item adds to the set digest
	bucket  uint8  // and to which part of it
}

func newItem(ref Ref, body []byte, decoded any) *Item {
	digest := Digest(sha256.Sum256(body))
	return &Item{Ref: ref, Body: body, Digest: digest, decoded: decoded, line: line(ref, digest), bucket: bucketOf(ref)}
}

// line returns kind/key TAB digest LF.
func line(ref Ref, digest Digest) string {
	return string(ref.Kind) + "/" + ref.Key + "\t" + digest.String() + "\n"
}

// NewItem returns the item of a body, decoded and with its digest. It keeps the
// body. A body that is no document of that kind and key is an error; the item is
// returned all the same, and stands for a flag that cannot be evaluated.
func NewItem(ref Ref, body []byte) (*Item, error) {
	named, decoded, err := decode(ref.Kind, body)
	if err == nil && named != ref {
		err = fmt.Errorf("it calls itself %s", named)
	}
	if err != nil {
		if ref.Kind == KindFlag {
			decoded = &feature.Flag{Definition: feature.Definition{Key: ref.Key}}
		} else {
			decoded = nil
		}
		err = fmt.Errorf("item %s: %w", ref, err)
	}
	return newItem(ref, body, decoded), err
}

// decode reads a body and the name that it gives itself.
func decode(kind Kind, body []byte) (Ref, any, error) {
	switch kind {
	case KindFlag:
		flag := new(feature.Flag)
		err := json.Unmarshal(body, flag)
		return Ref{kind, flag.Key}, flag, err
	case KindSegment:
		segment := new(feature.Segment)
		err := json.Unmarshal(body, segment)
		if err == nil && !validShards(segment.Shards) {
			err = fmt.Errorf("its lists are cut into %+v shards", segment.Shards)
		}
		return Ref{kind, segment.Key}, segment, err
	case KindKeys:
		keys := new(feature.SegmentKeys)
		err := json.Unmarshal(body, keys)
		return KeysRef(keys.Segment, keys.List, keys.Shard), keys, err
	default:
		return Ref{}, nil, fmt.Errorf("kind %q is unknown", kind)
	}
}

// maxShards bounds what a document can make its reader walk through.
const maxShards = 1 << 16

func validShards(s feature.Shards) bool {
	return s.Included >= 0 && s.Included <= maxShards && s.Excluded >= 0 && s.Excluded <= maxShards
}

// EncodeItem returns the item of a *feature.Flag, *feature.Segment or
// *feature.SegmentKeys.
func EncodeItem(document any) (*Item, error) {
	var ref Ref
	switch d := document.(type) {
	case *feature.Flag:
		ref = Ref{KindFlag, d.Key}
	case *feature.Segment:
		ref = Ref{KindSegment, d.Key}
	case *feature.SegmentKeys:
		ref = KeysRef(d.Segment, d.List, d.Shard)
	default:
		return nil, fmt.Errorf("no item is made of a %T", document)
	}
	body, err := feature.Encode(document)
	if err != nil {
		return nil, err
	}
	return newItem(ref, body, document), nil
}

// KeysRef names a shard of a segment's list.
func KeysRef(segment string, list feature.ListName, shard int) Ref {
	return Ref{KindKeys, fmt.Sprintf("%s/%s/%d", segment, list, shard)}
}

// Flag returns the flag that the item holds, nil for another kind. The caller
// must not change it.
func (i *Item) Flag() *feature.Flag {
	flag, _ := i.decoded.(*feature.Flag)
	return flag
}

// Segment returns the segment that the item holds, nil for another kind. The
// caller must not change it.
func (i *Item) Segment() *feature.Segment {
	segment, _ := i.decoded.(*feature.Segment)
	return segment
}

// Keys returns the shard that the item holds, nil for another kind. The caller
// must not change it.
func (i *Item) Keys() *feature.SegmentKeys {
	keys, _ := i.decoded.(*feature.SegmentKeys)
	return keys
}
