package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/wigwag/wigwag/feature"
)

// Format is the version of the document formats that this package writes. A
// reader refuses documents of a later format.
const Format = 1

// AppendJSON appends the snapshot as a document: JSON with a header on the first
// line and one item on each line that follows, so that a reader in any language
// can hash the exact bytes of an item. It ends without a line break.
func (s *Snapshot) AppendJSON(b []byte) []byte {
	b = append(b, `{"format":`...)
	b = strconv.AppendInt(b, Format, 10)
	b = s.appendJSON(b)
	b = append(b, `,"position":"`...)
	b = append(b, s.Position.String()...)
	b = appendStamp(b, s.CreatedAt, s.Digest)
	b = appendItems(append(b, ','), s.Items, true)
	return append(b, '}')
}

// AppendJSON appends the delta as a document, laid out as a snapshot is.
func (d *Delta) AppendJSON(b []byte) []byte {
	b = append(b, `{"format":`...)
	b = strconv.AppendInt(b, Format, 10)
	b = d.appendJSON(b)
	b = append(b, `,"from":"`...)
	b = append(b, d.From.String()...)
	b = append(b, `","to":"`...)
	b = append(b, d.To.String()...)
	b = appendStamp(b, d.CreatedAt, d.Digest)
	b = appendItems(append(b, `,"put":{`...), d.Put, false)
	b = append(b, `},"delete":{`...)
	after := 0
	for _, group := range groups {
		keys := 0
		for _, ref := range d.Delete {
			if ref.Kind != group.kind {
				continue
			}
			if keys == 0 {
				b = appendGroup(b, group.name, &after)
			} else {
				b = append(b, ',')
			}
			keys++
			b = feature.AppendJSONString(b, ref.Key)
		}
		if keys > 0 {
			b = append(b, ']')
		}
	}
	return append(b, '}', '}')
}

// appendGroup begins a list, after a comma where it is not the first.
func appendGroup(b []byte, name string, after *int) []byte {
	if *after > 0 {
		b = append(b, ',')
	}
	*after++
	return append(feature.AppendJSONString(b, name), ':', '[')
}

// groups are the item lists of a document, in their order.
var groups = [...]struct {
	name string
	kind Kind
}{{"flags", KindFlag}, {"segments", KindSegment}, {"keys", KindKeys}}

func (h *Header) appendJSON(b []byte) []byte {
	b = feature.AppendJSONString(append(b, `,"project":`...), h.Project)
	b = feature.AppendJSONString(append(b, `,"environment":`...), h.Environment)
	return feature.AppendJSONString(append(b, `,"projection":`...), string(h.Projection))
}

func appendStamp(b []byte, createdAt time.Time, digest Digest) []byte {
	b = append(b, `","createdAt":"`...)
	b = createdAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","digest":"`...)
	b = append(b, digest.String()...)
	return append(b, '"')
}

// appendItems appends the lists of items; with empty, those also that are empty.
func appendItems(b []byte, items []*Item, empty bool) []byte {
	after := 0
	for _, group := range groups {
		count := 0
		for _, item := range items {
			if item.Kind != group.kind {
				continue
			}
			if count == 0 {
				b = appendGroup(b, group.name, &after)
			} else {
				b = append(b, ',')
			}
			count++
			b = append(append(b, '\n'), item.Body...)
		}
		switch {
		case count > 0:
			b = append(b, '\n', ']')
		case empty:
			b = append(appendGroup(b, group.name, &after), ']')
		}
	}
	return b
}

type wireHeader struct {
	Format      int        `json:"format"`
	Project     string     `json:"project"`
	Environment string     `json:"environment"`
	Projection  Projection `json:"projection"`
	CreatedAt   time.Time  `json:"createdAt"`
	Digest      string     `json:"digest"`
}

type wireItems struct {
	Flags    []json.RawMessage `json:"flags"`
	Segments []json.RawMessage `json:"segments"`
	Keys     []json.RawMessage `json:"keys"`
}

// Parse reads a snapshot document and checks it: the format, the position and
// the digest over the exact bytes of its items. Whatever it returns without an
// error is what a server committed.
func Parse(data []byte) (*Snapshot, error) {
	var wire struct {
		wireHeader
		wireItems
		Position Position `json:"position"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("not a snapshot: %w", err)
	}
	digest, err := wire.check()
	if err != nil {
		return nil, fmt.Errorf("not a snapshot: %w", err)
	}
	if wire.Position.IsZero() {
		return nil, fmt.Errorf("not a snapshot: it has no position")
	}
	items, err := wire.items()
	if err != nil {
		return nil, fmt.Errorf("not a snapshot: %w", err)
	}
	s := New(wire.header(), wire.Position, wire.CreatedAt, items)
	if s.Digest != digest {
		return nil, fmt.Errorf("snapshot %s has digest %s, its items %s", wire.Position, digest, s.Digest)
	}
	return s, nil
}

// ParseDelta reads a delta document. Its digest is checked when it is applied.
func ParseDelta(data []byte) (*Delta, error) {
	var wire struct {
		wireHeader
		From   Position  `json:"from"`
		To     Position  `json:"to"`
		Put    wireItems `json:"put"`
		Delete struct {
			Flags    []string `json:"flags"`
			Segments []string `json:"segments"`
			Keys     []string `json:"keys"`
		} `json:"delete"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("not a delta: %w", err)
	}
	digest, err := wire.check()
	if err != nil {
		return nil, fmt.Errorf("not a delta: %w", err)
	}
	put, err := wire.Put.items()
	if err != nil {
		return nil, fmt.Errorf("not a delta: %w", err)
	}
	d := &Delta{Header: wire.header(), From: wire.From, To: wire.To, CreatedAt: wire.CreatedAt, Digest: digest, Put: put}
	for i, keys := range [...][]string{wire.Delete.Flags, wire.Delete.Segments, wire.Delete.Keys} {
		for _, key := range keys {
			d.Delete = append(d.Delete, Ref{groups[i].kind, key})
		}
	}
	slices.SortFunc(d.Put, func(a, b *Item) int { return a.Compare(b.Ref) })
	slices.SortFunc(d.Delete, Ref.Compare)
	for i := 1; i < len(d.Put); i++ {
		if d.Put[i].Ref == d.Put[i-1].Ref {
			return nil, fmt.Errorf("not a delta: it puts %s twice", d.Put[i].Ref)
		}
	}
	return d, nil
}

func (w *wireHeader) header() Header { return Header{w.Project, w.Environment, w.Projection} }

func (w *wireHeader) check() (Digest, error) {
	if w.Format < 1 || w.Format > Format {
		return Digest{}, fmt.Errorf("format %d is not supported; this version reads formats up to %d", w.Format, Format)
	}
	return ParseDigest(w.Digest)
}

// items decodes leniently: a flag that this version cannot read is kept, fails
// to compile, and is the only one that does. Only what has no name is an error.
func (w *wireItems) items() ([]*Item, error) {
	items := make([]*Item, 0, len(w.Flags)+len(w.Segments)+len(w.Keys))
	for i, bodies := range [...][]json.RawMessage{w.Flags, w.Segments, w.Keys} {
		for _, body := range bodies {
			item, err := parseItem(groups[i].kind, body)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
	}
	return items, nil
}

func parseItem(kind Kind, body []byte) (*Item, error) {
	ref, decoded, err := decode(kind, body)
	if err == nil {
		return newItem(ref, body, decoded), nil
	}
	var name struct {
		Key     string           `json:"key"`
		Segment string           `json:"segment"`
		List    feature.ListName `json:"list"`
		Shard   int              `json:"shard"`
	}
	if err := json.Unmarshal(body, &name); err != nil {
		return nil, fmt.Errorf("a %s without a name: %w", kind, err)
	}
	ref = Ref{kind, name.Key}
	if kind == KindKeys {
		ref = KeysRef(name.Segment, name.List, name.Shard)
	}
	item, _ := NewItem(ref, body) // its own error is why it will not compile
	return item, nil
}
