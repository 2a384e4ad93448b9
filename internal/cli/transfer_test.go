package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{out: &out, what: "bytes sent:", total: 400}
		p.at(1) // at once
		for range 100 {
			p.at(2) // too soon
		}
		time.Sleep(progressPause)
		p.at(100)
		p.end()
		time.Sleep(progressPause)
		p.at(400) // too late
		const line = "\r\x1b[K"
		if got, want := out.String(), line+"bytes sent: 1 of 400 (0%)"+line+"bytes sent: 100 of 400 (25%)"+line; got != want {
			t.Errorf("progress is %q, want %q", got, want)
		}
	})
}

func TestProgressIsForTerminals(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&screen{out: &out, err: &out}, "keys:", 0)
	p.at(1)
	p.end()
	file, err := os.Create(filepath.Join(t.TempDir(), "err"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if newProgress(&screen{out: file, err: file}, "keys:", 0).out != nil || out.Len() > 0 {
		t.Error("progress goes to what is no terminal")
	}
}

func TestPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := patiently(t.Context(), func(ctx context.Context, watch *time.Timer) error {
			for range 5 { // what moves goes on
				time.Sleep(silence - time.Second)
				watch.Reset(silence)
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, errSilent) || time.Since(begin) != 5*(silence-time.Second)+silence {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if err := patiently(t.Context(), func(context.Context, *time.Timer) error { return io.EOF }); !errors.Is(err, io.EOF) || errors.Is(err, errSilent) {
			t.Errorf("error is %v", err)
		}
	})
}

// An export that is cut off leaves what was there before.
func TestExportThatIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "application/x-ndjson" {
			t.Errorf("Accept is %q", r.Header.Get("Accept"))
		}
		_, _ = io.WriteString(w, "\"a\"\n\"b\"\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	name := filepath.Join(t.TempDir(), "keys.txt")
	if err := os.WriteFile(name, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &segmentKeysExportCmd{File: name}
	c.Segment, c.List, c.Env, c.Project = "staff", "included", "production", "default"
	c.URL, c.Token, c.Output.Output = server.URL, "tk_given", "table"
	var out bytes.Buffer
	err := c.Run(t.Context(), &screen{out: &out, err: &out})
	if err == nil || !strings.Contains(err.Error(), "after 2 keys: cannot reach "+server.URL) {
		t.Errorf("error is %v", err)
	}
	if text, _ := os.ReadFile(name); string(text) != "before\n" {
		t.Errorf("the file has %q", text)
	}
	if files, _ := os.ReadDir(filepath.Dir(name)); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}
