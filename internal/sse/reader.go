package sse

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// Kind says what [Reader.Next] found.
type Kind uint8

// The things a stream holds.
const (
	// KindEvent is an event with data.
	KindEvent Kind = iota
	// KindComment is a comment line: no message, but a sign of life.
	KindComment
	// KindRetry is the server's wish for a delay before reconnecting.
	KindRetry
)

// Event is one thing found in a stream.
type Event struct {
	Kind Kind
	// Name is the event's name, "message" where the stream gives none.
	Name string
	// ID is the last id that the stream gave, in this event or an earlier one.
	ID string
	// Data is the event's data, or the comment's text. The caller owns it.
	Data []byte
	// Retry is set for KindRetry.
	Retry time.Duration
}

// DefaultMaxEvent is the largest event that a Reader accepts unless told
// otherwise, in bytes of data: 64 MiB.
const DefaultMaxEvent = 64 << 20

// Errors of a Reader that met its limits. They are final.
var (
	ErrLineTooLong   = errors.New("sse: a line is longer than the reader's limit")
	ErrEventTooLarge = errors.New("sse: an event is larger than the reader's limit")
)

const (
	startBuffer = 4 << 10
	// keepBuffer is what a Reader keeps after a large line has passed.
	keepBuffer = 64 << 10
	// fieldOverhead is what a data line holds besides its data.
	fieldOverhead = len("data: ")
	maxEmptyReads = 100
)

// Reader reads the events of a stream. It is not safe for concurrent use.
//
// An event is handed out as soon as the byte that ends it was read, however the
// bytes are cut into reads; the work is linear in the bytes. An event that the
// stream's end cuts off is dropped.
type Reader struct {
	source            io.Reader
	maxLine, maxEvent int
	err               error // final
	buffer            []byte
	start, seen, end  int // of buffer: the line's start, searched up to, filled up to
	skipLF, pastStart bool
	name, id          string
	data              []byte
	hasData           bool
}

// NewReader returns a reader whose lines and events are at most that many bytes
// long. A limit of 0 or less is the default: [DefaultMaxEvent] for events, and
// for lines whatever an event's limit allows.
func NewReader(source io.Reader, maxLine, maxEvent int) *Reader {
	if maxEvent <= 0 {
		maxEvent = DefaultMaxEvent
	}
	if maxLine <= 0 {
		maxLine = maxEvent + fieldOverhead
	}
	return &Reader{source: source, maxLine: maxLine, maxEvent: maxEvent}
}

// Next returns the next event, comment or retry. Its error is final: io.EOF at
// the stream's end, [ErrLineTooLong], [ErrEventTooLarge], or the source's.
func (r *Reader) Next() (Event, error) {
	for r.err == nil {
		var line []byte
		if line, r.err = r.line(); r.err != nil {
			break
		}
		event, found := r.field(line)
		if found {
			return event, nil
		}
	}
	return Event{}, r.err
}

// line returns the next line without its end. The bytes are valid until the
// next call.
func (r *Reader) line() ([]byte, error) {
	r.shrink()
	for {
		if r.skipLF && r.start < r.end {
			// A CR ended the line at once; an LF behind it belongs to it.
			r.skipLF = false
			if r.buffer[r.start] == '\n' {
				r.start++
			}
			r.seen = r.start
		}
		if i := indexLineEnd(r.buffer[r.seen:r.end]); i >= 0 {
			stop := r.seen + i
			line := r.buffer[r.start:stop]
			r.skipLF = r.buffer[stop] == '\r'
			r.start, r.seen = stop+1, stop+1
			if len(line) > r.maxLine {
				return nil, ErrLineTooLong
			}
			if !r.pastStart {
				r.pastStart = true
				line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
			}
			return line, nil
		}
		r.seen = r.end
		if r.end-r.start > r.maxLine {
			return nil, ErrLineTooLong
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

func indexLineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// shrink lets a buffer go that only a large line needed.
func (r *Reader) shrink() {
	if r.start == r.end && len(r.buffer) > keepBuffer {
		r.buffer, r.start, r.seen, r.end = nil, 0, 0, 0
	}
}

// fill reads once more, after it has made room: it moves the line to the front
// of the buffer, or doubles the buffer if the line fills more than half of it.
func (r *Reader) fill() error {
	if r.end == len(r.buffer) {
		to := r.buffer
		if held := r.end - r.start; held >= len(r.buffer)/2 {
			to = make([]byte, max(startBuffer, 2*len(r.buffer)))
		}
		r.end = copy(to, r.buffer[r.start:r.end])
		r.seen -= r.start
		r.start = 0
		r.buffer = to
	}
	for range maxEmptyReads {
		n, err := r.source.Read(r.buffer[r.end:])
		r.end += n
		if n > 0 {
			return nil // an error is met again by the next read
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// field takes one line in and says whether it completes anything.
func (r *Reader) field(line []byte) (Event, bool) {
	if len(line) == 0 {
		return r.dispatch()
	}
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(name) == 0 && line[0] == ':' {
		return Event{Kind: KindComment, ID: r.id, Data: bytes.Clone(value)}, true
	}
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		if r.hasData {
			r.data = append(r.data, '\n')
		}
		r.hasData = true
		if len(r.data)+len(value) > r.maxEvent {
			r.err = ErrEventTooLarge
			return Event{}, false
		}
		r.data = append(r.data, value...)
	case "event":
		r.name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = string(value)
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			return Event{Kind: KindRetry, ID: r.id, Retry: time.Duration(ms) * time.Millisecond}, true
		}
	}
	return Event{}, false
}

// dispatch ends the event at an empty line. One without any data line is none.
func (r *Reader) dispatch() (Event, bool) {
	event := Event{Kind: KindEvent, Name: r.name, ID: r.id, Data: r.data}
	complete := r.hasData
	r.name, r.data, r.hasData = "", nil, false
	if event.Name == "" {
		event.Name = "message"
	}
	return event, complete
}
