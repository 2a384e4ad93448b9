package wigwag

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// Defaults and floors of the options.
const (
	// DefaultURL is where a server listens that was started without a setting.
	DefaultURL = "http://127.0.0.1:8080"
	// DefaultPollInterval is how often a client asks where it does not stream.
	DefaultPollInterval = 30 * time.Second
	// MinPollInterval is the shortest poll interval; a shorter one is raised to it.
	MinPollInterval = 5 * time.Second
	// DefaultMaxAge is for how long flags count as fresh after the server last
	// confirmed them.
	DefaultMaxAge = 60 * time.Second
	// MinMaxAge is the least maximum age. A server shows a sign of life every 20
	// seconds; a client that trusts it for less would be stale most of the time.
	MinMaxAge = 30 * time.Second

	// Never switches off what a duration option spaces out.
	Never time.Duration = math.MinInt64
)

// Mode says how a client learns of changes.
type Mode uint8

// The modes of a client.
const (
	// ModeAuto streams, and polls while the stream is down.
	ModeAuto Mode = iota
	// ModeStreaming streams only.
	ModeStreaming
	// ModePolling polls only.
	ModePolling
)

// String returns auto, streaming or polling.
func (m Mode) String() string {
	switch m {
	case ModeAuto:
		return "auto"
	case ModeStreaming:
		return "streaming"
	case ModePolling:
		return "polling"
	default:
		return fmt.Sprintf("Mode(%d)", uint8(m))
	}
}

// MarshalText returns [Mode.String].
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// OptionError says which argument or option of [New] cannot be used, and what to
// write instead.
type OptionError struct {
	// Option is the name of the option, such as WithPollInterval, or key.
	Option string
	// Message says what is wrong with it.
	Message string
}

func (e *OptionError) Error() string { return "wigwag: " + e.Option + ": " + e.Message }

// Option changes how a client works. A nil Option changes nothing.
type Option func(*settings) error

// settings is what the options of a client sum up to.
type settings struct {
	key          Key
	base         *url.URL
	http         http.Client
	ownTransport *http.Transport // nil where the application brought its own
	logger       *slog.Logger
	mode         Mode
	pollInterval time.Duration
	maxAge       time.Duration // 0 until the defaults are filled in
	appHeader    string
	static       []Attribute
	bootstrap    *snapshot.Snapshot
	warnings     []string // logged once the logger is known
}

func newSettings(key string, options []Option) (*settings, error) {
	parsed, err := ParseKey(key)
	if err != nil {
		return nil, &OptionError{"key", err.Error()}
	}
	s := &settings{key: parsed, pollInterval: DefaultPollInterval}
	if err := WithURL(DefaultURL)(s); err != nil {
		return nil, err
	}
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(s); err != nil {
			return nil, err
		}
	}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	s.fillMaxAge()
	s.fillTransport()
	if s.bootstrap != nil && s.bootstrap.Projection != parsed.projection() {
		return nil, &OptionError{"WithBootstrap", fmt.Sprintf("the document is of the %s projection, which a %s key does not receive", s.bootstrap.Projection, parsed)}
	}
	return s, nil
}

// fillMaxAge sets a maximum age that was not given: one that the settings can
// keep as long as nothing is wrong.
func (s *settings) fillMaxAge() {
	if s.maxAge != 0 {
		return
	}
	s.maxAge = DefaultMaxAge
	if s.pollInterval != Never {
		s.maxAge = max(s.maxAge, 2*s.pollInterval)
	} else if s.mode == ModePolling {
		s.maxAge = Never
	}
}

// fillTransport gives the client a transport of its own, so that closing the
// client closes its connections and nobody else's.
func (s *settings) fillTransport() {
	if s.http.Transport != nil {
		return
	}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		s.ownTransport = standard.Clone()
		s.http.Transport = s.ownTransport
	}
}

// WithURL sets where the server is, [DefaultURL] without it. The URL is http or
// https and may have a path, under which the server's own paths then lie. The
// certificate of an https server is verified; to trust a private authority or to
// leave that out for a test, bring a transport ([WithTransport]).
func WithURL(base string) Option {
	return func(s *settings) error {
		u, err := url.Parse(base)
		switch {
		case err != nil:
			return &OptionError{"WithURL", "this is not a URL; write one such as https://flags.example.com"}
		case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
			return &OptionError{"WithURL", fmt.Sprintf("%q is no http or https URL; write one such as https://flags.example.com", u.Redacted())}
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			return &OptionError{"WithURL", fmt.Sprintf("%q has more than a host and a path; leave user, query and fragment out", u.Redacted())}
		}
		s.base = u
		return nil
	}
}

// WithHTTPClient makes requests with a copy of that client: with its transport,
// cookie jar and redirect policy. Its timeout applies to single fetches; no
// overall timeout ever applies to a stream.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return &OptionError{"WithHTTPClient", "the client is nil; leave the option out for the default"}
		}
		s.http = *client
		return nil
	}
}

// WithTransport makes requests with that transport. Without it, the client has a
// clone of [http.DefaultTransport] to itself, which honours the proxy settings of
// the environment.
func WithTransport(transport http.RoundTripper) Option {
	return func(s *settings) error {
		if transport == nil {
			return &OptionError{"WithTransport", "the transport is nil; leave the option out for the default"}
		}
		s.http.Transport = transport
		return nil
	}
}

// WithLogger sets where the client reports what goes wrong and what its status
// becomes; [slog.Default] without it. It never logs per evaluation, it logs one
// message at most once a minute, and it never logs the key. To silence it, give a
// logger over [slog.DiscardHandler].
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger == nil {
			return &OptionError{"WithLogger", "the logger is nil; give slog.New(slog.DiscardHandler) for silence"}
		}
		s.logger = logger
		return nil
	}
}

// WithPollInterval sets how often the client asks for changes where it does not
// stream: always in [ModePolling], while the stream is down in [ModeAuto]. Each
// gap is within 10 % of it. Without the option it is [DefaultPollInterval]; a value
// below [MinPollInterval] is raised to it, with a warning. [Never] switches polling
// off; in [ModePolling] the flags are then fetched once, and again with
// [Client.Refresh].
func WithPollInterval(interval time.Duration) Option {
	return durationOption("WithPollInterval", interval, MinPollInterval, func(s *settings, d time.Duration) { s.pollInterval = d })
}

// WithMaxAge sets for how long flags count as fresh after the server last
// confirmed them. When they are older the client asks for them at once, and until
// it succeeds its status and the reason of its evaluations are STALE; the values
// keep being served. Without the option it is [DefaultMaxAge], or twice the poll
// interval where that is longer. A value below [MinMaxAge] is raised to it, with a
// warning. With [Never], flags never become stale.
func WithMaxAge(age time.Duration) Option {
	return durationOption("WithMaxAge", age, MinMaxAge, func(s *settings, d time.Duration) { s.maxAge = d })
}

func durationOption(name string, d, least time.Duration, set func(*settings, time.Duration)) Option {
	return func(s *settings) error {
		if d == Never {
			set(s, Never)
			return nil
		}
		if d < time.Millisecond {
			example := "60*time.Second"
			if d > 0 {
				example = fmt.Sprintf("%d*time.Second", int64(d))
			}
			return &OptionError{name, fmt.Sprintf("%v is too short to be meant; a time.Duration counts nanoseconds, so write %s, or wigwag.Never to switch it off", d, example)}
		}
		if d < least {
			s.warnings = append(s.warnings, fmt.Sprintf("%s(%v) is below the floor and was raised to %v", name, d, least))
			d = least
		}
		set(s, d)
		return nil
	}
}

// WithApp names the application: the server sees name and version, and every
// context that has no attribute app of its own gets one, so that rules can ask
// for app.version. Both are of printable ASCII characters, the name without a
// slash.
func WithApp(name, version string) Option {
	return func(s *settings) error {
		if name == "" || strings.Contains(name, "/") || !isHeaderText(name) || !isHeaderText(version) {
			return &OptionError{"WithApp", fmt.Sprintf("name %q or version %q cannot be sent; use printable ASCII characters, and no slash in the name", name, version)}
		}
		s.appHeader = name + "/" + version
		s.static = append(s.static, Object("app", String("name", name), String("version", version)))
		return nil
	}
}

func isHeaderText(text string) bool {
	return len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// WithAttributes gives every context attributes, such as the region; those of a
// call override them. They stay in the process.
func WithAttributes(attributes ...Attribute) Option {
	return func(s *settings) error {
		s.static = append(s.static, attributes...)
		return nil
	}
}

// WithMode sets how the client learns of changes, [ModeAuto] without it.
func WithMode(mode Mode) Option {
	return func(s *settings) error {
		if mode > ModePolling {
			return &OptionError{"WithMode", fmt.Sprintf("there is no mode %d; use ModeAuto, ModeStreaming or ModePolling", mode)}
		}
		s.mode = mode
		return nil
	}
}

// WithBootstrap gives the client a snapshot document to start from, such as a
// file that was shipped with the application or saved by an earlier run: its flags
// are served from [New] on, as STALE, until the server confirms or replaces them.
// It must be whole; a document of another flag set is replaced by the server's.
func WithBootstrap(document []byte) Option {
	return func(s *settings) error {
		parsed, err := snapshot.Parse(append([]byte(nil), document...))
		if err != nil {
			return &OptionError{"WithBootstrap", err.Error()}
		}
		s.bootstrap = parsed
		return nil
	}
}
