package httpapi

import (
	"net/http"
	"strconv"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/web"
	"github.com/wigwag/wigwag/snapshot"
)

// answer is what an operation that succeeded says.
type answer struct {
	// created is the path of what the request created, where it has one.
	created string
	// status is 200 where zero.
	status int
	// etag is sent unless zero.
	etag snapshot.Position
	body any
}

// serve runs an operation and writes its answer or its problem.
func serve(w http.ResponseWriter, r *http.Request, operation func() (answer, error)) {
	web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		a, err := operation()
		if once := onceOf(r); once != nil && once.Replayed {
			w.Header().Set("Idempotency-Replayed", "true")
		}
		if err != nil {
			return err
		}
		body, err := feature.Encode(a.body)
		if err != nil {
			return err
		}
		header := w.Header()
		if !a.etag.IsZero() {
			header.Set("ETag", strconv.Quote(a.etag.String()))
		}
		if a.created != "" {
			header.Set("Location", a.created)
		}
		header.Set("Content-Type", web.JSONType)
		header.Set("Content-Length", strconv.Itoa(len(body)))
		if a.status != 0 {
			w.WriteHeader(a.status)
		}
		// A caller that is gone cannot be told.
		_, _ = w.Write(body)
		return nil
	}).ServeHTTP(w, r)
}

// one is the answer to a read of one thing.
func one[T any](read control.Read[T], err error) (answer, error) {
	return answer{etag: read.ChangedAt, body: read.Value}, err
}

// list returns the values of what was read, and the position of their set: zero
// where there are none.
func list[T any](reads []control.Read[T]) ([]T, snapshot.Position) {
	values := make([]T, len(reads))
	var position snapshot.Position
	for i := range reads {
		values[i], position = reads[i].Value, reads[i].Position
	}
	return values, position
}

// pointees is for the documents that control shares and the API answers with.
func pointees[T any](pointers []*T) []T {
	values := make([]T, len(pointers))
	for i, p := range pointers {
		values[i] = *p
	}
	return values
}

// orEmpty makes a list that a contract promises out of one that may be nil.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
