package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// The media types of JSON bodies.
const (
	JSONType       = "application/json"
	MergePatchType = "application/merge-patch+json"
)

// bodyTime is how long a body may take to arrive. Servers of streams cannot set
// [http.Server.ReadTimeout], so it is set here, for the body alone.
const bodyTime = 30 * time.Second

// ReadJSON reads the body of a request into target as [feature.DecodeStrict]
// does. It refuses media types other than the given ones (application/json where
// none is given), bodies of more than limit bytes, and everything that is not
// one JSON document of target's form; the error is a [*fault.Error] that names
// the fields at fault.
func ReadJSON(w http.ResponseWriter, r *http.Request, limit int64, target any, mediaTypes ...string) error {
	body, err := readBody(w, r, limit, mediaTypes)
	if err != nil {
		return err
	}
	return fault.OfValidation(feature.DecodeStrict(body, target))
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64, mediaTypes []string) ([]byte, error) {
	if len(mediaTypes) == 0 {
		mediaTypes = []string{JSONType}
	}
	if err := CheckType(r.Header, mediaTypes); err != nil {
		return nil, err
	}
	tooLarge := fault.New(fault.TooLarge, "The body is larger than %d bytes.", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	// Where the connection has no deadlines, as in some tests, there is none.
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Now().Add(bodyTime))
	defer func() { _ = controller.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, tooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.Header().Set("Connection", "close")
		return nil, fault.New(fault.Invalid, "The body did not arrive within %v.", bodyTime).Because(err)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The body did not arrive whole.").Because(err)
	}
	if len(body) == 0 {
		return nil, fault.New(fault.Invalid, "The body is empty; send a JSON document.")
	}
	return body, nil
}

// CheckType refuses a body of another media type than those, of another charset
// than UTF-8, or compressed; the error is a [*fault.Error] of kind UnsupportedType.
func CheckType(header http.Header, mediaTypes []string) error {
	wanted := "The body must be sent with Content-Type: " + strings.Join(mediaTypes, " or ")
	given := header.Get("Content-Type")
	mediaType, parameters, err := mime.ParseMediaType(given)
	switch {
	case given == "":
		return fault.New(fault.UnsupportedType, "%s.", wanted)
	case err != nil || !slices.Contains(mediaTypes, mediaType):
		return fault.New(fault.UnsupportedType, "%s, not %.80q.", wanted, given)
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.UnsupportedType, "The body must be in UTF-8, not %.40q.", charset)
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.UnsupportedType, "The body must be sent as it is, without Content-Encoding %.40q.", encoding)
	}
	return nil
}
