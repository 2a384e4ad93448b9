package httpapi

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
)

const (
	idempotencyKey = "Idempotency-Key"
	maxKey         = 255
)

type onceKey struct{}

// onceOf returns what names the write of a request, nil where nothing does.
func onceOf(r *http.Request) *control.Once {
	once, _ := r.Context().Value(onceKey{}).(*control.Once)
	return once
}

// withOnce gives a request that has an Idempotency-Key what names its write. The
// body is hashed as it is read, and every write has read it before it begins.
func withOnce(r *http.Request, o *operation) (*http.Request, error) {
	values := r.Header.Values(idempotencyKey)
	if len(values) == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r, nil
	}
	if o.secret {
		return r, fault.InvalidField(idempotencyKey,
			"it is not taken here: the answer tells a secret, and is kept nowhere; leave it out, and delete what was made in vain")
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return r, fault.InvalidField(idempotencyKey, "it must be 1 to %d visible ASCII characters, once", maxKey)
	}
	sum := sha256.New()
	for _, part := range []string{
		r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
		r.Header.Get("Content-Type"), r.Header.Get("If-Match"), r.Header.Get("Wigwag-Comment"),
	} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	once := &control.Once{
		Owner:   caller(r).Token.ID,
		Key:     key,
		Request: func() [32]byte { return [32]byte(sum.Sum(nil)) },
	}
	r = r.WithContext(context.WithValue(r.Context(), onceKey{}, once))
	if r.Body != nil {
		r.Body = &hashedBody{r.Body, sum}
	}
	return r, nil
}

// hashedBody is a body that is hashed as it is read.
type hashedBody struct {
	io.ReadCloser
	sum hash.Hash
}

func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sum.Write(p[:n])
	return n, err
}
