package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/wigwag/wigwag/internal/gen"
)

// segmentKeysListCmd prints keys.
type segmentKeysListCmd struct {
	KeyList `embed:""`
	Limit   int `placeholder:"N" help:"List at most so many. Default all."`
}

// Run prints them, one a line.
func (c *segmentKeysListCmd) Run(ctx context.Context, s *screen) error {
	if c.Limit < 0 {
		return misused("--limit must be at least 1")
	}
	return c.export(ctx, s.out, c.Limit, newProgress(&screen{}, "", 0))
}

// segmentKeysExportCmd writes a list to a file.
type segmentKeysExportCmd struct {
	KeyList `embed:""`
	File    string `arg:"" optional:"" default:"-" help:"The file, - for standard output. It is replaced once the list is whole."`
}

// Run writes it.
func (c *segmentKeysExportCmd) Run(ctx context.Context, s *screen) error {
	shown := newProgress(s, "keys received:", 0)
	defer shown.end()
	if c.File == "-" {
		return c.export(ctx, s.out, 0, shown)
	}
	return replaceFile(c.File, func(file io.Writer) error { return c.export(ctx, file, 0, shown) })
}

// replaceFile writes a file beside the one that is meant, and puts it there when
// it is whole.
func replaceFile(name string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// errEnough ends an export that is to have only some keys.
var errEnough = errors.New("enough")

// export writes a list as it arrives: one key a line, as text, as JSON or as a
// list in YAML. At most limit keys are written, all where it is 0.
func (k *KeyList) export(ctx context.Context, to io.Writer, limit int, shown *progress) error {
	if err := k.Scope.check(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(to, 64<<10)
	err := k.download(ctx, func(ctx context.Context, client *gen.Client) (*http.Response, error) {
		return client.ListSegmentKeys(ctx, k.Project, k.Env, k.Segment, &gen.ListSegmentKeysParams{List: k.name()},
			func(_ context.Context, request *http.Request) error {
				request.Header.Set("Accept", "application/x-ndjson")
				return nil
			})
	}, func(from io.Reader) error {
		lines := json.NewDecoder(from)
		for n := 0; ; n++ {
			var key string
			err := lines.Decode(&key)
			switch {
			case errors.Is(err, io.EOF) && n == 0 && k.Output.Output == "yaml":
				_, err = out.WriteString("[]\n")
				return err
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return fmt.Errorf("after %d keys: %w", n, err)
			case limit > 0 && n == limit:
				return errEnough
			}
			if err := k.writeKey(out, key); err != nil {
				return err
			}
			shown.at(int64(n) + 1)
		}
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return out.Flush()
}

// writeKey writes a key in the form that was asked for.
func (k *KeyList) writeKey(out *bufio.Writer, key string) error {
	switch k.Output.Output {
	case "json":
		text, err := encodeAsIs(key)
		if err != nil {
			return err
		}
		_, err = out.Write(append(text, '\n'))
		return err
	case "yaml":
		text, err := encodeAsIs([]string{key})
		if err == nil {
			text, err = toYAML(text)
		}
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	default:
		_, err := out.WriteString(plain(key) + "\n") // no valid key is changed by it
		return err
	}
}
