// Package apidoc serves the contract of the management API to those who write
// programs against it: the OpenAPI document itself, and a page that is made from
// it. Neither tells anything of what a server holds, so neither asks for a token.
package apidoc

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wigwag/wigwag/internal/web"
)

// DocumentType is the media type of an OpenAPI document in YAML.
const DocumentType = "application/yaml"

//go:embed page.html
var layout string

//go:embed page.css
var style string

// Document serves a contract as it is. The handler takes GET and HEAD.
func Document(contract string) http.Handler {
	return fixed([]byte(contract), http.Header{"Content-Type": {DocumentType}})
}

// Page serves a contract, an OpenAPI 3.0 document in YAML, as a page for people.
// The page needs nothing besides: no script, no other file. It is made when it is
// first asked for; a contract that cannot be read is an internal error of every
// request. The handler takes GET and HEAD.
func Page(contract string) http.Handler {
	page := sync.OnceValues(func() (http.Handler, error) {
		body, err := render(contract)
		if err != nil {
			return nil, err
		}
		return fixed(body, http.Header{
			"Content-Type":            {"text/html; charset=utf-8"},
			"Content-Security-Policy": {policy()},
			"Referrer-Policy":         {"no-referrer"},
			"X-Content-Type-Options":  {"nosniff"},
		}), nil
	})
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		handler, err := page()
		if err != nil {
			return err
		}
		handler.ServeHTTP(w, r)
		return nil
	})
}

// policy lets the page use its own style and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// fixed serves one body, which caches keep and ask about by its ETag.
func fixed(body []byte, header http.Header) http.Handler {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.Header().Set("ETag", tag)
		// It changes with the server's version, and asking costs little.
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

func render(text string) ([]byte, error) {
	read, err := parse(text)
	if err != nil {
		return nil, err
	}
	page, err := template.New("page").Funcs(template.FuncMap{"lower": strings.ToLower}).Parse(layout)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		*contract
		Style template.CSS
	}{read, template.CSS(style)})
	return out.Bytes(), err
}
