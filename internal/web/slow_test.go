package web_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/web"
)

// pipe is a listener of one connection in memory.
type pipe struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error { close(p.done); return nil }

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{} }

func TestBodyThatNeverArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := &pipe{make(chan net.Conn, 1), make(chan struct{})}
		server := &http.Server{Handler: web.Observe(slog.New(slog.DiscardHandler), web.Handler(
			func(w http.ResponseWriter, r *http.Request) error { return web.ReadJSON(w, r, 100, new(any)) }))}
		go server.Serve(listener)
		defer server.Close()

		caller, served := net.Pipe()
		defer caller.Close()
		listener.conns <- served
		begin := time.Now()
		_, err := io.WriteString(caller, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(caller), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if took := time.Since(begin); resp.StatusCode != 400 || took != 30*time.Second {
			t.Errorf("status %d after %v", resp.StatusCode, took)
		}
		if problem := problemOf(t, resp.Body); problem.Detail != "The body did not arrive within 30s." {
			t.Errorf("detail is %q", problem.Detail)
		}
	})
}
