package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestSecondSignalEndsAtOnce leaves a request half sent, for which a draining
// server waits as long as it may.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	server, err := start(t.TempDir(), append(os.Environ(), "WIGWAG_BOOTSTRAP_TOKEN="+crashToken),
		"serve", "--addr", "127.0.0.1:0", "--ops-addr", "off", "--drain", "1h")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.kill)
	url, err := server.url()
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", crashToken)
	// The server asks for the body: the request is under way.
	if _, err := connection.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}

	if err := server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := server.await(regexp.MustCompile(`msg=draining`)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-server.ended:
		t.Fatal("the server did not wait for the request")
	default:
	}
	if err := server.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, ok := server.state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("the server ended with %s", server.state)
	}
}
