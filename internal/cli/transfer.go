package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

// patiently runs fn with a context that ends when nothing has moved for too long:
// long transfers have no other bound. Its watch is given to what moves.
func patiently(ctx context.Context, fn func(ctx context.Context, watch *time.Timer) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()
	err := fn(ctx, watch)
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return errors.Join(errSilent, err)
	}
	return err
}

// openKeys opens a file, or standard input for -, and returns its size, 0 where it
// is not known.
func openKeys(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), 0, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = misused("%s is a directory; give a file with one targeting key a line", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// upload is a body that is sent as it is read.
type upload struct {
	from     io.Reader
	watch    *time.Timer
	progress *progress
	sent     int64
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	u.watch.Reset(silence)
	u.sent += int64(n)
	u.progress.at(u.sent)
	return n, err
}

// upload makes a request with a long body, decodes the answer, and returns its
// body in the form in which it is to be printed.
func (r *Remote) upload(ctx context.Context, s *screen, from io.Reader, size int64, into any, request func(context.Context, *gen.Client, *upload) (*http.Response, error)) (answer []byte, err error) {
	err = patiently(ctx, func(ctx context.Context, watch *time.Timer) error {
		caller := httpClient()
		caller.Timeout = 0
		defer caller.CloseIdleConnections()
		l, err := r.connect(caller)
		if err != nil {
			return err
		}
		shown := newProgress(s, "bytes sent:", size)
		defer shown.end()
		response, err := request(ctx, l.client, &upload{from: from, watch: watch, progress: shown})
		if err != nil {
			return unreachable(l.server, err)
		}
		body, err := read(l.server, response)
		if err != nil {
			return l.explain(err)
		}
		if err := json.Unmarshal(body, into); err != nil {
			return unlike(l.server, err)
		}
		answer, err = r.form(body)
		return err
	})
	return answer, err
}

// download makes a request with a long answer, and hands it to take as it arrives.
func (r *Remote) download(ctx context.Context, request func(context.Context, *gen.Client) (*http.Response, error), take func(io.Reader) error) error {
	return patiently(ctx, func(ctx context.Context, watch *time.Timer) error {
		caller := httpClient()
		caller.Timeout = 0
		defer caller.CloseIdleConnections()
		l, err := r.connect(caller)
		if err != nil {
			return err
		}
		response, err := request(ctx, l.client)
		if err != nil {
			return unreachable(l.server, err)
		}
		if response.StatusCode != http.StatusOK {
			_, err := read(l.server, response)
			return l.explain(err)
		}
		defer response.Body.Close()
		return take(&arriving{response.Body, watch, l.server})
	})
}

// arriving is the body of an answer whose errors say where it came from.
type arriving struct {
	from   io.Reader
	watch  *time.Timer
	server string
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.from.Read(p)
	a.watch.Reset(silence)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unreachable(a.server, err)
	}
	return n, err
}
