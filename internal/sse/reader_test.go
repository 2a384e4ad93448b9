package sse_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/sse"
)

func readAll(source io.Reader) ([]sse.Event, error) {
	reader := sse.NewReader(source, 0, 0)
	var events []sse.Event
	for {
		event, err := reader.Next()
		if err != nil {
			return events, err
		}
		if event.Data == nil {
			event.Data = []byte{}
		}
		events = append(events, event)
	}
}

func message(id, data string) sse.Event {
	return sse.Event{Name: "message", ID: id, Data: []byte(data)}
}

func TestReaderReadsTheFormat(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []sse.Event
	}{
		{"nothing", "", nil},
		{"named event with an id", "event: delta\nid: e:1\ndata: {}\n\n", []sse.Event{{Name: "delta", ID: "e:1", Data: []byte("{}")}}},
		{"CRLF", "data: a\r\ndata: b\r\n\r\n", []sse.Event{message("", "a\nb")}},
		{"CR", "data: a\rdata: b\r\r", []sse.Event{message("", "a\nb")}},
		{"mixed line ends", "data: a\r\ndata: b\rdata: c\n\n", []sse.Event{message("", "a\nb\nc")}},
		{"byte order mark", "\xEF\xBB\xBFdata: a\n\n", []sse.Event{message("", "a")}},
		{"byte order mark later on is text", "data: a\n\n\xEF\xBB\xBFdata: b\n\n", []sse.Event{message("", "a")}},
		{"one space is dropped, not two", "data:  a\n\ndata:b\n\n", []sse.Event{message("", " a"), message("", "b")}},
		{"field without a colon", "data\n\n", []sse.Event{message("", "")}},
		{"empty data lines", "data:\ndata:\n\n", []sse.Event{message("", "\n")}},
		{"no data, no event", "event: x\nid: 7\n\ndata: a\n\n", []sse.Event{message("7", "a")}},
		{"the name does not outlive its event", "event: x\ndata: a\n\ndata: b\n\n", []sse.Event{{Name: "x", Data: []byte("a")}, message("", "b")}},
		{"the id does", "id: 1\ndata: a\n\ndata: b\n\n", []sse.Event{message("1", "a"), message("1", "b")}},
		{"an empty id resets it", "id: 1\ndata: a\n\nid\ndata: b\n\n", []sse.Event{message("1", "a"), message("", "b")}},
		{"an id with NUL is ignored", "id: 1\nid: 2\x003\ndata: a\n\n", []sse.Event{message("1", "a")}},
		{"unknown fields", "foo: bar\nDATA: a\ndata: b\n\n", []sse.Event{message("", "b")}},
		{"comments", ":\n: hi\n\n", []sse.Event{{Kind: sse.KindComment, Data: []byte{}}, {Kind: sse.KindComment, Data: []byte(" hi")}}},
		{"a comment within an event", "data: a\n:\ndata: b\n\n", []sse.Event{{Kind: sse.KindComment, Data: []byte{}}, message("", "a\nb")}},
		{"retry", "retry: 1500\n\n", []sse.Event{{Kind: sse.KindRetry, Data: []byte{}, Retry: 1500 * time.Millisecond}}},
		{"retry that is no number", "retry: 1.5\nretry: -1\nretry:\nretry: 99999999999999999999\n\n", nil},
		{"an event cut off by the end", "data: a\n\ndata: b\n", []sse.Event{message("", "a")}},
		{"not UTF-8", "data: \xff\xfe\n\n", []sse.Event{message("", "\xff\xfe")}},
		{"a web page", "<!DOCTYPE html>\n<html>\n\n</html>\n\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for chunking, source := range map[string]io.Reader{
				"whole":          strings.NewReader(test.stream),
				"byte by byte":   iotest.OneByteReader(strings.NewReader(test.stream)),
				"data with EOF":  iotest.DataErrReader(strings.NewReader(test.stream)),
				"halves of each": iotest.HalfReader(strings.NewReader(test.stream)),
			} {
				got, err := readAll(source)
				if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, io.EOF) {
					t.Errorf("%s: error %v, events (-want +got):\n%s", chunking, err, diff)
				}
			}
		})
	}
}

// A change would wait for the next heartbeat if the reader waited for the byte
// behind a CR.
func TestReaderDoesNotWaitForTheByteBehindCR(t *testing.T) {
	source, sink := io.Pipe()
	reader := sse.NewReader(source, 0, 0)
	go func() { _, _ = sink.Write([]byte("data: a\r\r")) }()
	event, err := reader.Next()
	if err != nil || string(event.Data) != "a" {
		t.Fatalf("got %q, %v", event.Data, err)
	}
	_ = sink.Close()
}

func TestReaderStopsAtItsLimits(t *testing.T) {
	tests := []struct {
		name, stream      string
		maxLine, maxEvent int
		want              error
	}{
		{"line at the limit", "data: 1234\n\n", 10, 0, io.EOF},
		{"line over the limit", "data: 12345\n\n", 10, 0, sse.ErrLineTooLong},
		{"line over the limit without an end", ":" + strings.Repeat("x", 100_000), 10, 0, sse.ErrLineTooLong},
		{"event at the limit", "data: 12\ndata: 4\n\n", 0, 4, io.EOF},
		{"event over the limit", "data: 12\ndata: 45\n\n", 0, 4, sse.ErrEventTooLarge},
		{"event of many empty lines", strings.Repeat("data\n", 100), 0, 4, sse.ErrEventTooLarge},
		{"line that only an event's limit bounds", "data: 12345678901\n\n", 0, 4, sse.ErrLineTooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reader := sse.NewReader(iotest.OneByteReader(strings.NewReader(test.stream)), test.maxLine, test.maxEvent)
			var err error
			for err == nil {
				_, err = reader.Next()
			}
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if _, again := reader.Next(); !errors.Is(again, err) {
				t.Errorf("after %v came %v; the error must be final", err, again)
			}
		})
	}
}

// A stream that trickles must not cost more than its bytes: a quadratic reader
// needs minutes here.
func TestReaderIsLinear(t *testing.T) {
	const size = 4 << 20
	oneLine := "data: " + strings.Repeat("x", size) + "\n\n"
	manyLines := strings.Repeat("data:\n", size/8) + "\n"
	start := time.Now()
	for _, stream := range []string{oneLine, manyLines} {
		events, _ := readAll(iotest.OneByteReader(strings.NewReader(stream)))
		if len(events) != 1 {
			t.Fatalf("%d events, want 1", len(events))
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestReaderGivesUpOnASourceWithoutProgress(t *testing.T) {
	reader := sse.NewReader(iotest.ErrReader(nil), 0, 0)
	if _, err := reader.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v, want %v", err, io.ErrNoProgress)
	}
}

func TestAppendEventCannotBeSplitByItsNameOrID(t *testing.T) {
	stream := sse.AppendEvent(nil, "a\nid: evil", "1\r\ndata: evil", []byte("good"))
	want := "event: a\nid: 1\ndata: good\n\n"
	if string(stream) != want {
		t.Errorf("got %q, want %q", stream, want)
	}
}

func TestAppendCommentStaysAComment(t *testing.T) {
	stream := sse.AppendComment(nil, "one\r\ndata: two")
	stream = sse.AppendComment(stream, "")
	if want := ":one\n:data: two\n:\n"; string(stream) != want {
		t.Errorf("got %q, want %q", stream, want)
	}
}

// chunks hands out a stream in pieces whose lengths a seed gives.
type chunks struct {
	rest  []byte
	sizes []byte
	next  int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	size := 1
	if len(c.sizes) > 0 {
		size = 1 + int(c.sizes[c.next%len(c.sizes)])
		c.next++
	}
	n := copy(p[:min(size, len(p))], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("event: delta\nid: e:1\ndata: {}\n\n:\n"), []byte{3, 0, 7}, "delta", "e:1")
	f.Add([]byte("\xEF\xBB\xBFdata: a\r\n\r\nretry: 10\rdata\n\n"), []byte{0}, "", "")
	f.Add([]byte("data: a\r\r\n\nid: \x00\n"), []byte{1, 2}, "a\nb", "\x00")
	f.Fuzz(func(t *testing.T, stream, sizes []byte, name, id string) {
		want, wantErr := readAll(bytes.NewReader(stream))
		got, err := readAll(&chunks{rest: stream, sizes: sizes})
		if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, wantErr) {
			t.Fatalf("chunks of %v: error %v, want %v; events (-whole +chunks):\n%s", sizes, err, wantErr, diff)
		}

		written := sse.AppendComment(nil, name)
		written = sse.AppendEvent(written, name, id, stream)
		written = sse.AppendEvent(written, "", "", nil)
		events, err := readAll(bytes.NewReader(written))
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		for len(events) > 0 && events[0].Kind == sse.KindComment {
			events = events[1:]
		}
		cut := func(s string) string {
			if i := strings.IndexAny(s, "\r\n\x00"); i >= 0 {
				return s[:i]
			}
			return s
		}
		name, id = cut(name), cut(id)
		if name == "" {
			name = "message"
		}
		data := bytes.ReplaceAll(bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		back := []sse.Event{{Name: name, ID: id, Data: append([]byte{}, data...)}, message(id, "")}
		if diff := cmp.Diff(back, events); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
	})
}
