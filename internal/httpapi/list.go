package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/snapshot"
)

const (
	cursorName = "cursor"
	fieldsName = "fields"
)

// pageOf are the parameters that every list has.
type pageOf struct {
	limit  *int
	cursor *string
	text   *string
}

func (p pageOf) query() (control.Query, error) {
	limit, err := parseLimit(p.limit)
	if err != nil {
		return control.Query{}, err
	}
	after, err := parseCursor(given(p.cursor))
	return control.Query{After: after, Limit: limit, Text: given(p.text)}, err
}

// given returns what a parameter is, zero where it is absent.
func given[T any](parameter *T) T {
	if parameter == nil {
		return *new(T)
	}
	return *parameter
}

// cursorForm begins what a cursor encodes, so that its form can change.
const cursorForm = "1"

// newCursor returns the cursor of the page after a key. It is opaque to callers.
func newCursor(after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorForm + after))
}

func parseCursor(cursor string) (after string, err error) {
	if cursor == "" {
		return "", nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(cursor)
	after, known := strings.CutPrefix(string(decoded), cursorForm)
	if err != nil || !known || !feature.ValidKey(after) {
		return "", fault.InvalidField(cursorName, "%.100q is no cursor; give the next of an answer as it is, or leave it out to begin at the beginning", cursor)
	}
	return after, nil
}

// listBody is the body of every list; gen has its form for callers.
type listBody struct {
	Position snapshot.Position `json:"position,omitzero"`
	Items    any               `json:"items"`
	Next     string            `json:"next,omitempty"`
}

// listed is the answer with a page. Its link to the next one is in the headers
// too.
func listed[T any](w http.ResponseWriter, r *http.Request, page control.Page[T], fields []string) (answer, error) {
	body := listBody{Position: page.Position, Items: orEmpty(page.Items)}
	if len(fields) > 0 {
		items := make([]json.RawMessage, len(page.Items))
		for i := range page.Items {
			var err error
			if items[i], err = sparse(page.Items[i], fields); err != nil {
				return answer{}, err
			}
		}
		body.Items = items
	}
	if page.Next != "" {
		body.Next = newCursor(page.Next)
		query := r.URL.Query()
		query.Set(cursorName, body.Next)
		next := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		w.Header().Set("Link", "<"+next.String()+`>; rel="next"`)
	}
	return answer{body: body}, nil
}

// sparse returns the key of a document and some of its other fields, in the order
// of the fields.
func sparse(document any, fields []string) (json.RawMessage, error) {
	whole, err := feature.Encode(document)
	if err != nil {
		return nil, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(whole, &values); err != nil {
		return nil, fmt.Errorf("take a document apart: %w", err)
	}
	text := []byte{'{'}
	for _, field := range fields {
		value, has := values[field]
		if !has {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, '"')
		text = append(text, field...) // a field of ours, which needs no escapes
		text = append(text, '"', ':')
		text = append(text, value...)
	}
	return append(text, '}'), nil
}

// parseFields checks the fields of a sparse list against those that a document
// has. The key always comes, and comes first.
func parseFields(fields []string, document any) ([]string, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	known := fieldNames(reflect.TypeOf(document))
	for _, field := range fields {
		if !slices.Contains(known, field) {
			return nil, fault.InvalidField(fieldsName, "%.40q is no field; use %s, separated by commas", field, strings.Join(known, ", "))
		}
	}
	wanted := []string{"key"}
	for _, field := range fields {
		if !slices.Contains(wanted, field) {
			wanted = append(wanted, field)
		}
	}
	return wanted, nil
}

// fieldNames returns the names of a document's fields in JSON.
func fieldNames(document reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(document) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
