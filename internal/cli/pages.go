package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/wigwag/wigwag/internal/gen"
)

// largestPage is how much of a list a server gives at a time.
const largestPage = 1000

// Pages is how much of a list is wanted. Lists are read page by page to their end.
type Pages struct {
	Limit  int      `placeholder:"N" help:"List at most so many. Default all."`
	Search string   `placeholder:"TEXT" help:"Only those that have the text in their key, name or description."`
	Fields []string `placeholder:"NAME" help:"With -o json or yaml: only the key and these fields."`
}

// listing is an answer with a page of a list.
type listing struct {
	Position string            `json:"position,omitempty"`
	Items    []json.RawMessage `json:"items"`
	Next     string            `json:"next,omitempty"`
}

// pageCall asks for the page at a cursor.
type pageCall func(client *gen.Client, limit int, cursor string) (*http.Response, error)

// optional is a parameter that is sent only where there is something to send.
func optional[T ~string](value T) *T {
	if value == "" {
		return nil
	}
	return &value
}

// list reads a list, decodes its items, and returns it as one answer: the server's
// own where one page is all. Its position is that of the first page, and it has a
// next where the limit ended it.
func (p *Pages) list(ctx context.Context, r *Remote, into any, call pageCall) ([]byte, error) {
	if p.Limit < 0 {
		return nil, misused("--limit must be at least 1")
	}
	if len(p.Fields) > 0 && !r.json() {
		return nil, misused("--fields is for -o json and -o yaml; a table has columns of its own")
	}
	whole := listing{Items: []json.RawMessage{}}
	var only []byte
	for pages := 1; ; pages++ {
		var page listing
		limit := largestPage
		if p.Limit > 0 {
			limit = min(limit, p.Limit-len(whole.Items))
		}
		body, err := r.ask(ctx, &page, func(client *gen.Client) (*http.Response, error) { return call(client, limit, whole.Next) })
		if err != nil {
			return nil, err
		}
		if page.Next != "" && page.Next == whole.Next {
			return nil, fmt.Errorf("the server gives the same page again and again; is it a Wigwag server?")
		}
		only = body
		if pages == 1 {
			whole.Position = page.Position
		} else {
			only = nil
		}
		whole.Items, whole.Next = append(whole.Items, page.Items...), page.Next
		if page.Next == "" || p.Limit > 0 && len(whole.Items) >= p.Limit {
			break
		}
	}
	items, err := encodeAsIs(whole.Items)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(items, into); err != nil {
		return nil, unlike(r.URL, err)
	}
	if only == nil {
		if only, err = encodeAsIs(whole); err != nil {
			return nil, err
		}
	}
	return r.form(only)
}

// encodeAsIs encodes without escapes that the server did not write.
func encodeAsIs(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
