package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"syscall"
	"time"

	"github.com/wigwag/wigwag/internal/app"
)

var durationType = reflect.TypeFor[time.Duration]()

// serveCmd runs a server.
type serveCmd struct {
	Config configFile `placeholder:"FILE" env:"WIGWAG_CONFIG" help:"YAML file with values of these options; the keys are their names."`

	Addr     string `default:":8080" placeholder:"ADDR" env:"WIGWAG_ADDR" help:"Where SDKs and the API are served; port 0 takes a free one. Default ${default}."`
	OpsAddr  string `default:"127.0.0.1:8081" placeholder:"ADDR" env:"WIGWAG_OPS_ADDR" help:"Where metrics and profiles are served, or off. Default ${default}."`
	Database string `default:"sqlite:wigwag.db" placeholder:"URL" env:"WIGWAG_DATABASE" help:"The database, sqlite:PATH. Default ${default}."`

	LogLevel  string `default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" env:"WIGWAG_LOG_LEVEL" help:"Least level that is logged: debug, info, warn or error. Default ${default}."`
	LogFormat string `default:"text" enum:"text,json" placeholder:"FORMAT" env:"WIGWAG_LOG_FORMAT" help:"Form of the log: text or json. Default ${default}."`

	MaxStreams       int           `default:"15000" placeholder:"N" env:"WIGWAG_MAX_STREAMS" help:"Most streams and long polls at a time. Default ${default}."`
	Heartbeat        time.Duration `default:"20s" placeholder:"TIME" env:"WIGWAG_HEARTBEAT" help:"How long a stream may be silent. Default ${default}."`
	CompareInterval  time.Duration `default:"5s" placeholder:"TIME" env:"WIGWAG_COMPARE_INTERVAL" help:"How often the database is looked at when nothing hints at a change. Default ${default}."`
	HistoryRetention time.Duration `default:"0s" placeholder:"TIME" env:"WIGWAG_HISTORY_RETENTION" help:"How long changes are kept in the history, such as 2160h; 0s keeps them for ever. Default ${default}."`
	Drain            time.Duration `default:"5s" placeholder:"TIME" env:"WIGWAG_DRAIN" help:"How long a stopping server waits for requests under way. Default ${default}."`

	BootstrapTokenFile     string `placeholder:"FILE" env:"WIGWAG_BOOTSTRAP_TOKEN_FILE" help:"File with the API token that an empty database is given; or the token itself in WIGWAG_BOOTSTRAP_TOKEN."`
	BootstrapServerKeyFile string `placeholder:"FILE" env:"WIGWAG_BOOTSTRAP_SERVER_KEY_FILE" help:"File with the server key of default/production; or WIGWAG_BOOTSTRAP_SERVER_KEY."`
	BootstrapClientKeyFile string `placeholder:"FILE" env:"WIGWAG_BOOTSTRAP_CLIENT_KEY_FILE" help:"File with the client key of default/production; or WIGWAG_BOOTSTRAP_CLIENT_KEY."`
}

// Run serves until the context is done.
func (c *serveCmd) Run(ctx context.Context, s *screen) error {
	config, err := c.config(s)
	if err != nil {
		return err
	}
	server, err := app.Open(ctx, config)
	if err != nil {
		return opening(err)
	}
	return serve(ctx, server, func() { s.line("Wigwag is running at %s", server.URL()) })
}

func (c *serveCmd) config(s *screen) (app.Config, error) {
	config := app.Config{
		Addr: c.Addr, OpsAddr: c.OpsAddr, Database: c.Database,
		Log: newLog(s.err, c.LogLevel, c.LogFormat), Out: s.out, Version: version(),
		MaxStreams: c.MaxStreams, Heartbeat: c.Heartbeat, CompareInterval: c.CompareInterval, Drain: c.Drain,
		HistoryRetention: c.HistoryRetention,
	}
	if c.MaxStreams < 1 {
		return config, misused("max-streams must be at least 1")
	}
	if c.HistoryRetention < 0 {
		return config, misused("history-retention must not be negative; 0s keeps everything")
	}
	for name, duration := range map[string]time.Duration{
		"heartbeat": c.Heartbeat, "compare-interval": c.CompareInterval, "drain": c.Drain,
	} {
		if duration <= 0 {
			return config, misused("%s must be longer than nothing, such as 5s", name)
		}
	}
	secrets := map[string]struct {
		file string
		to   *string
	}{
		"bootstrap-token":      {c.BootstrapTokenFile, &config.BootstrapToken},
		"bootstrap-server-key": {c.BootstrapServerKeyFile, &config.BootstrapServerKey},
		"bootstrap-client-key": {c.BootstrapClientKeyFile, &config.BootstrapClientKey},
	}
	for _, option := range secretOptions {
		var err error
		if *secrets[option].to, err = secret(option, os.Getenv(variable(option)), secrets[option].file); err != nil {
			return config, err
		}
	}
	return config, nil
}

// newLog returns a log of a level and format that the grammar allows.
func newLog(w io.Writer, level, format string) *slog.Logger {
	options := &slog.HandlerOptions{}
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // the grammar allows only names that it knows
	options.Level = least
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// opening adds to an error of opening a server what to do about it.
func opening(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; another server may be running: stop it, or choose another address with --addr and --ops-addr", err)
	}
	return err
}

// serve runs a server and calls announce once it serves.
func serve(ctx context.Context, server *app.Server, announce func()) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	select {
	case <-server.Ready():
		announce()
		return <-ended
	case err := <-ended:
		return err
	}
}
