package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/internal/store/sqlite"
)

// Config is what a server is told. The zero value of a field means its default.
type Config struct {
	// Addr is where the API and the SDK paths are served; ":8080". Port 0 takes a
	// free one.
	Addr string
	// OpsAddr is where metrics and profiles are served; "127.0.0.1:8081". "off"
	// serves them nowhere.
	OpsAddr string
	// Database is sqlite:PATH, or memory: for trials; "sqlite:wigwag.db".
	Database string
	// Log is where the server writes its log; a discarded log by default.
	Log *slog.Logger
	// Out is where what a person must read is written, such as a token that is
	// shown once; nowhere by default.
	Out io.Writer
	// Version is the program's own version.
	Version string

	// BootstrapToken, BootstrapServerKey and BootstrapClientKey are the API token
	// and the keys of default/production that an empty database is given. Without
	// a token, one is made and shown on Out.
	BootstrapToken, BootstrapServerKey, BootstrapClientKey string

	// MaxStreams bounds the open streams and long polls; 15,000.
	MaxStreams int
	// Heartbeat is how long a stream may be silent; 20 s.
	Heartbeat time.Duration
	// CompareInterval is how often versions are compared with the database when
	// no hint came; 5 s.
	CompareInterval time.Duration
	// HistoryRetention is how long changes are kept in the history; zero keeps
	// them for ever. What is older is dropped within a day.
	HistoryRetention time.Duration
	// Drain is how long a stopping server waits for requests under way, and the
	// time over which it asks SDKs to come back; 5 s.
	Drain time.Duration
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = ":8080"
	}
	if c.OpsAddr == "" {
		c.OpsAddr = "127.0.0.1:8081"
	}
	if c.Database == "" {
		c.Database = "sqlite:wigwag.db"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Drain <= 0 {
		c.Drain = 5 * time.Second
	}
	return c
}

// openStore opens the database that a configuration names.
func openStore(ctx context.Context, database string) (store.Store, error) {
	scheme, path, err := cutDatabase(database)
	switch {
	case err != nil:
		return nil, err
	case scheme == "memory":
		return memory.New(), nil
	default:
		st, err := sqlite.Open(ctx, path)
		if err != nil {
			return nil, err // not a nil *sqlite.Store in a store.Store
		}
		return st, nil
	}
}
