package hub

import (
	"bytes"
	"compress/gzip"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/wigwag/wigwag/internal/sse"
	"github.com/wigwag/wigwag/snapshot"
)

// Event is the name of a document in a stream.
type Event string

// The events that carry documents.
const (
	EventSnapshot Event = "snapshot"
	EventDelta    Event = "delta"
)

// Document is an encoded snapshot or delta, shared by all who are sent it. Its
// bytes must not be changed.
type Document struct {
	Event Event
	// Position is where a reader stands that has applied the document.
	Position snapshot.Position
	JSON     []byte

	frame   once
	encoded [encodings]once
}

// once is a form of a document that is made when it is first asked for.
type once struct {
	sync.Once
	bytes []byte
}

func (o *once) get(encode func() []byte) []byte {
	o.Do(func() { o.bytes = encode() })
	return o.bytes
}

// Frame returns the document as a server-sent event.
func (d *Document) Frame() []byte {
	return d.frame.get(func() []byte {
		return sse.AppendEvent(nil, string(d.Event), d.Position.String(), d.JSON)
	})
}

// Encoding is a content coding.
type Encoding uint8

// The content codings, in the order in which a server prefers them.
const (
	Zstd Encoding = iota
	Brotli
	Gzip
	encodings
	Identity = encodings
)

// String returns the coding's name in HTTP.
func (e Encoding) String() string {
	switch e {
	case Zstd:
		return "zstd"
	case Brotli:
		return "br"
	case Gzip:
		return "gzip"
	default:
		return "identity"
	}
}

// smallest is the size below which compressing gains nothing.
const smallest = 1024

// Encoded returns the document in a content coding, and the coding, which is
// Identity for a document too small to gain by one.
func (d *Document) Encoded(e Encoding) ([]byte, Encoding) {
	if e >= encodings || len(d.JSON) < smallest {
		return d.JSON, Identity
	}
	return d.encoded[e].get(func() []byte { return compress(d.JSON, e) }), e
}

// compress cannot fail: it writes to memory, at levels that exist.
func compress(data []byte, e Encoding) []byte {
	var b bytes.Buffer
	switch e {
	case Zstd:
		w, _ := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		_, _ = w.Write(data)
		_ = w.Close()
	case Brotli:
		w := brotli.NewWriterLevel(&b, 5)
		_, _ = w.Write(data)
		_ = w.Close()
	default:
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data)
		_ = w.Close()
	}
	return b.Bytes()
}
