package httpapi

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

const (
	textType  = "text/plain"
	linesType = "application/x-ndjson"

	// MaxKeysBody is the greatest size of an imported list, in bytes.
	MaxKeysBody = 128 << 20
	// importTime is how long an import may take to arrive, silence how long
	// nothing of it may, or how long a part of an export may take to be accepted.
	importTime = 15 * time.Minute
	silence    = 30 * time.Second
)

// asLines says whether keys are wanted as JSON, one a line, rather than as text.
func asLines(accept string) bool {
	for media := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(media, ";")
		switch strings.TrimSpace(name) {
		case linesType:
			return true
		case textType:
			return false
		}
	}
	return false
}

func (a *api) ListSegmentKeys(w http.ResponseWriter, r *http.Request, project, environment, segment string, params gen.ListSegmentKeysParams) {
	web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		keys, err := a.control.ListSegmentKeys(r.Context(), project, environment, segment, params.List)
		if err != nil {
			return err
		}
		header := w.Header()
		header.Set("ETag", strconv.Quote(keys.ChangedAt.String()))
		header.Set("X-Content-Type-Options", "nosniff")
		inJSON := asLines(r.Header.Get("Accept"))
		if inJSON {
			header.Set("Content-Type", linesType)
		} else {
			header.Set("Content-Type", textType+"; charset=utf-8")
		}
		return writeKeys(w, keys.Value, inJSON)
	}).ServeHTTP(w, r)
}

// writeKeys writes a list part by part, each of which the caller must accept in
// its own time.
func writeKeys(w http.ResponseWriter, keys *control.SegmentKeys, inJSON bool) error {
	connection := http.NewResponseController(w)
	out := bufio.NewWriterSize(w, 64<<10)
	for part, err := range keys.Parts() {
		if err != nil {
			return err
		}
		_ = connection.SetWriteDeadline(time.Now().Add(silence)) // where there are deadlines
		for _, key := range part {
			if inJSON {
				line, err := feature.Encode(key)
				if err != nil {
					return err
				}
				_, _ = out.Write(line) // flushing tells
			} else {
				_, _ = out.WriteString(key)
			}
			_ = out.WriteByte('\n')
		}
		if out.Flush() != nil {
			return nil // a caller who is gone cannot be told
		}
	}
	return nil
}

func (a *api) ReplaceSegmentKeys(w http.ResponseWriter, r *http.Request, project, environment, segment string, params gen.ReplaceSegmentKeysParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, params.IfMatch, params.WigwagComment)
		if err != nil {
			return answer{}, err
		}
		lines, err := readKeyLines(w, r)
		if err != nil {
			return answer{}, err
		}
		written, err := a.control.ReplaceSegmentKeys(r.Context(), by, project, environment, segment, params.List, lines.Keys)
		if err != nil {
			return answer{}, err
		}
		return answer{
			etag: written.Position,
			body: gen.SegmentKeysReplaced{
				Position:   written.Position,
				List:       written.Value.List,
				Keys:       written.Value.Keys,
				Added:      written.Value.Added,
				Removed:    written.Value.Removed,
				Duplicates: lines.Duplicates,
				Blank:      lines.Blank,
				Changes:    itemChanges(by, written.Changes),
			},
		}, nil
	})
}

// readKeyLines reads the body as it arrives: only the keys are kept.
func readKeyLines(w http.ResponseWriter, r *http.Request) (control.KeyLines, error) {
	if err := web.CheckType(r.Header, []string{textType}); err != nil {
		return control.KeyLines{}, err
	}
	tooLarge := fault.New(fault.TooLarge, "The body is larger than %d bytes.", MaxKeysBody)
	if r.ContentLength > MaxKeysBody {
		return control.KeyLines{}, tooLarge
	}
	connection := http.NewResponseController(w)
	end := time.Now().Add(importTime)
	// Where the connection has no deadlines, as in some tests, there are none.
	_ = connection.SetWriteDeadline(end.Add(time.Minute))
	defer func() {
		_ = connection.SetReadDeadline(time.Time{})
		_ = connection.SetWriteDeadline(time.Now().Add(time.Minute))
	}()
	body := &patientReader{from: http.MaxBytesReader(w, r.Body, MaxKeysBody), connection: connection, end: end}
	lines, err := control.ReadKeyLines(body)
	known := (*fault.Error)(nil)
	switch {
	case err == nil || errors.As(err, &known):
		return lines, err
	case errors.As(err, new(*http.MaxBytesError)):
		return lines, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return lines, fault.New(fault.Invalid, "The body stopped arriving; nothing came for %v, or it took longer than %v.", silence, importTime).Because(err)
	default:
		return lines, fault.New(fault.Invalid, "The body did not arrive whole.").Because(err)
	}
}

// patientReader gives each read of a body its own time, and all of them together
// until the end.
type patientReader struct {
	from       io.Reader
	connection *http.ResponseController
	end        time.Time
}

func (p *patientReader) Read(b []byte) (int, error) {
	deadline := time.Now().Add(silence)
	if deadline.After(p.end) {
		deadline = p.end
	}
	_ = p.connection.SetReadDeadline(deadline)
	return p.from.Read(b)
}

func (a *api) GetSegmentKey(w http.ResponseWriter, r *http.Request, project, environment, segment, targetingKey string) {
	serve(w, r, func() (answer, error) {
		found, err := a.control.SegmentKey(r.Context(), project, environment, segment, targetingKey)
		return answer{
			etag: found.ChangedAt,
			body: gen.SegmentKey{Position: found.Position, Key: found.Value.Key, List: found.Value.List},
		}, err
	})
}
