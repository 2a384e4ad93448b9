package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wigwag/wigwag/internal/app"
	"github.com/wigwag/wigwag/internal/sse"
)

// tailCmd follows a flag set.
type tailCmd struct {
	Address `embed:""`
	Key     string `placeholder:"KEY" env:"WIGWAG_KEY" help:"Server or client key of the environment; not needed for wigwag dev."`
	KeyFile string `placeholder:"FILE" env:"WIGWAG_KEY_FILE" help:"File with the key."`
	Output  string `short:"o" default:"table" enum:"table,json" placeholder:"FORM" help:"table or json; json is one object a line. Default ${default}."`
}

// Run prints changes until the context is done.
func (c *tailCmd) Run(ctx context.Context, s *screen) error {
	server, err := c.check()
	if err != nil {
		return err
	}
	key, assumed, err := credential("key", "server key", c.Key, c.KeyFile, app.DevServerKey, server)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	f := &follower{
		transport: transport, server: server.String(), key: key, version: version(),
		handle: func(e sse.Event) error {
			change, err := readChange(e)
			if err != nil {
				return fmt.Errorf("%s sent what this program cannot read: %w", server, err)
			}
			if c.Output == "json" {
				line, err := json.Marshal(change)
				if err != nil {
					return err
				}
				s.json(line)
				return nil
			}
			s.line("%s  %s  %s", s.paint(faint, change.at.Local().Format("15:04:05.000")),
				s.paint(neutral, change.Position), s.paint(neutral, change.text()))
			return nil
		},
		notice: func(err error, pause time.Duration) {
			fmt.Fprintf(s.err, "wigwag: %s; connecting again in %s\n", plain(err.Error()), pause.Round(10*time.Millisecond))
		},
	}
	err = f.run(ctx)
	if assumed {
		return notDev(err, "key")
	}
	return err
}

// change is a snapshot or delta without the items themselves.
type change struct {
	Event       string `json:"event"`
	Project     string `json:"project"`
	Environment string `json:"environment"`
	Projection  string `json:"projection"`
	From        string `json:"from,omitempty"`
	Position    string `json:"position"`
	CreatedAt   string `json:"createdAt"`
	Digest      string `json:"digest"`
	// Put and Delete are of a delta.
	Put    *names `json:"put,omitempty"`
	Delete *names `json:"delete,omitempty"`
	// Flags and Segments count what a snapshot holds.
	Flags    *int `json:"flags,omitempty"`
	Segments *int `json:"segments,omitempty"`

	at time.Time
}

// names are the keys of items by their kind.
type names struct {
	Flags    []string `json:"flags"`
	Segments []string `json:"segments"`
	Keys     []string `json:"keys"`
}

// readChange reads an event of a stream.
func readChange(e sse.Event) (*change, error) {
	var document struct {
		Project, Environment, Projection, From, To, Position, CreatedAt, Digest string

		Flags, Segments []json.RawMessage
		Put             struct {
			Flags, Segments []struct{ Key string }
			Keys            []struct {
				Segment, List string
				Shard         int
			}
		}
		Delete names
	}
	if e.Name != "snapshot" && e.Name != "delta" {
		return nil, fmt.Errorf("an event %q", e.Name)
	}
	if err := json.Unmarshal(e.Data, &document); err != nil {
		return nil, err
	}
	c := &change{
		Event: e.Name, Project: document.Project, Environment: document.Environment, Projection: document.Projection,
		Position: document.Position, CreatedAt: document.CreatedAt, Digest: document.Digest,
	}
	var err error
	if c.at, err = time.Parse(time.RFC3339Nano, document.CreatedAt); err != nil {
		return nil, err
	}
	if e.Name == "snapshot" {
		flags, segments := len(document.Flags), len(document.Segments)
		c.Flags, c.Segments = &flags, &segments
		return c, nil
	}
	c.From, c.Position = document.From, document.To
	c.Delete = &document.Delete
	c.Put = &names{Flags: []string{}, Segments: []string{}, Keys: []string{}}
	for _, f := range document.Put.Flags {
		c.Put.Flags = append(c.Put.Flags, f.Key)
	}
	for _, g := range document.Put.Segments {
		c.Put.Segments = append(c.Put.Segments, g.Key)
	}
	for _, k := range document.Put.Keys {
		c.Put.Keys = append(c.Put.Keys, fmt.Sprintf("%s/%s/%d", k.Segment, k.List, k.Shard))
	}
	return c, nil
}

// text is the change in words.
func (c *change) text() string {
	if c.Event == "snapshot" {
		return fmt.Sprintf("snapshot of %s/%s: %d flags, %d segments", c.Project, c.Environment, *c.Flags, *c.Segments)
	}
	var parts []string
	for _, part := range []struct {
		what string
		keys []string
	}{
		{"", c.Put.Flags},
		{"segment ", c.Put.Segments},
		{"keys ", c.Put.Keys},
		{"deleted ", c.Delete.Flags},
		{"deleted segment ", c.Delete.Segments},
		{"deleted keys ", c.Delete.Keys},
	} {
		for _, key := range part.keys {
			parts = append(parts, part.what+key)
		}
	}
	if len(parts) == 0 {
		return "no item changed"
	}
	const most = 20
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(parts, ", ")
}
