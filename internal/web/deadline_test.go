package web_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/web"
)

// oneConnection is a listener of a single connection.
type oneConnection struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *oneConnection) Accept() (net.Conn, error) {
	var conn net.Conn
	l.once.Do(func() { conn = l.conn })
	if conn != nil {
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}
func (l *oneConnection) Close() error   { close(l.closed); return nil }
func (l *oneConnection) Addr() net.Addr { return l.conn.LocalAddr() }

// Users would miss: the server, when callers that never read fill it up.
func TestACallerWhoDoesNotReadIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, conn := net.Pipe()
		ended := make(chan error, 1)
		server := &http.Server{Handler: web.Deadline(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		}))}
		served := make(chan error)
		go func() { served <- server.Serve(&oneConnection{conn: conn, closed: make(chan struct{})}) }()
		if _, err := client.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		_ = client.Close()
		_ = server.Close()
		<-served
	})
}
