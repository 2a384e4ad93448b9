package wigwag_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag"
	"github.com/wigwag/wigwag/snapshot"
)

// A mistake in a setting must be found when the program starts, and be told in
// words that repair it.
func TestOptionsThatCannotBeUsed(t *testing.T) {
	client := newSnapshot(1)
	client.Projection = snapshot.ProjectionClient
	tests := []struct {
		name, key string
		option    wigwag.Option
		at, says  string
	}{
		{"no key", "", nil, "key", "sk_"},
		{"API token", "tk_S3CR3T", nil, "key", "sk_"},
		{"prefix only", "sk_", nil, "key", "longer"},
		{"key with a line break", "sk_S3CR3T\n", nil, "key", "spaces"},
		{"nanoseconds", testKey, wigwag.WithPollInterval(60), "WithPollInterval", "60*time.Second"},
		{"zero", testKey, wigwag.WithPollInterval(0), "WithPollInterval", "wigwag.Never"},
		{"negative", testKey, wigwag.WithPollInterval(-time.Second), "WithPollInterval", "wigwag.Never"},
		{"nanoseconds of age", testKey, wigwag.WithMaxAge(90), "WithMaxAge", "90*time.Second"},
		{"URL without a scheme", testKey, wigwag.WithURL("flags.example.com"), "WithURL", "https://"},
		{"URL of another scheme", testKey, wigwag.WithURL("ftp://flags.example.com"), "WithURL", "http"},
		{"URL with a password", testKey, wigwag.WithURL("https://user:S3CR3T@flags.example.com"), "WithURL", "leave"},
		{"URL with a query", testKey, wigwag.WithURL("https://flags.example.com/?a=b"), "WithURL", "leave"},
		{"no URL at all", testKey, wigwag.WithURL("::S3CR3T"), "WithURL", "https://"},
		{"unknown mode", testKey, wigwag.WithMode(9), "WithMode", "ModeAuto"},
		{"app without a name", testKey, wigwag.WithApp("", "1"), "WithApp", "printable"},
		{"app with a line break", testKey, wigwag.WithApp("shop", "1\r\nX: y"), "WithApp", "printable"},
		{"nil client", testKey, wigwag.WithHTTPClient(nil), "WithHTTPClient", "nil"},
		{"nil transport", testKey, wigwag.WithTransport(nil), "WithTransport", "nil"},
		{"nil logger", testKey, wigwag.WithLogger(nil), "WithLogger", "nil"},
		{"damaged bootstrap", testKey, wigwag.WithBootstrap([]byte("{}")), "WithBootstrap", "snapshot"},
		{"bootstrap of the other projection", testKey, wigwag.WithBootstrap(client.AppendJSON(nil)), "WithBootstrap", "projection"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := wigwag.New(test.key, test.option)
			var optionError *wigwag.OptionError
			if !errors.As(err, &optionError) || optionError.Option != test.at || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one of %s that says %q", err, test.at, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "S3CR3T") {
				t.Errorf("the secret is in %q", err)
			}
		})
	}
}

func TestSettingsInForceAreShown(t *testing.T) {
	tests := []struct {
		name         string
		options      []wigwag.Option
		poll, maxAge time.Duration
		warning      string
	}{
		{"defaults", nil, 30 * time.Second, 60 * time.Second, ""},
		{"below the floor", []wigwag.Option{wigwag.WithPollInterval(time.Second)}, 5 * time.Second, 60 * time.Second, "WithPollInterval"},
		{"age below the floor", []wigwag.Option{wigwag.WithMaxAge(time.Second)}, 30 * time.Second, 30 * time.Second, "WithMaxAge"},
		{"as chosen", []wigwag.Option{wigwag.WithPollInterval(time.Minute), wigwag.WithMaxAge(time.Hour)}, time.Minute, time.Hour, ""},
		{"age follows a long interval", []wigwag.Option{wigwag.WithPollInterval(10 * time.Minute)}, 10 * time.Minute, 20 * time.Minute, ""},
		{"never", []wigwag.Option{wigwag.WithPollInterval(wigwag.Never)}, wigwag.Never, 60 * time.Second, ""},
		{"never, polling", []wigwag.Option{wigwag.WithPollInterval(wigwag.Never), wigwag.WithMode(wigwag.ModePolling)}, wigwag.Never, wigwag.Never, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			client, err := wigwag.New(testKey, append(test.options, nil, wigwag.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
			if err != nil {
				t.Fatal(err)
			}
			if stats := client.Stats(); stats.PollInterval != test.poll || stats.MaxAge != test.maxAge || stats.Status != wigwag.StatusNotReady || !stats.LastContact.IsZero() {
				t.Errorf("stats %+v", stats)
			}
			if test.warning == "" && log.Len() > 0 || !strings.Contains(log.String(), test.warning) {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}

// A server behind a path of a shared host would not be found, and a firewall's
// list would not be complete.
func TestOnlyTheListedEndpointsAreAsked(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]string{}
	recorder := roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		u := *r.URL
		u.RawQuery = ""
		asked[u.String()] = r.Header.Get("Wigwag-App") + " " + r.Header.Get("Wigwag-SDK")
		return nil, errors.New("no network")
	})
	for _, base := range []string{"https://example.com/flags", "https://example.com/flags/"} {
		synctest.Test(t, func(t *testing.T) {
			client, err := wigwag.New(testKey, wigwag.WithURL(base), wigwag.WithTransport(recorder), wigwag.WithApp("shop", "2.1.0"), wigwag.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			want := []string{"https://example.com/flags/sdk/v1/snapshot", "https://example.com/flags/sdk/v1/stream"}
			if got := client.Endpoints(); !slices.Equal(got, want) {
				t.Errorf("endpoints %v", got)
			}
			_ = client.Close()
			mu.Lock()
			defer mu.Unlock()
			for _, endpoint := range want {
				if got := asked[endpoint]; got != "shop/2.1.0 go/"+wigwag.Version {
					t.Errorf("%s was asked by %q", endpoint, got)
				}
			}
			if len(asked) != len(want) {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A key in a log is a key that must be replaced.
func TestTheKeyIsNeverShown(t *testing.T) {
	key, err := wigwag.ParseKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	nested := struct{ key wigwag.Key }{key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
		fmt.Fprintf(&shown, verb+verb+verb+"\n", key, &key, nested) //nolint:govet // the verbs do not fit on purpose
	}
	if text, err := json.Marshal(map[string]any{"key": key, "nested": nested}); err == nil {
		shown.Write(text)
	}
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&shown, nil)), slog.New(slog.NewJSONHandler(&shown, nil))} {
		logger.Info("key", "key", key, "pointer", &key, "nested", nested)
	}
	for name, fault := range faults {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, on("f"))
			logger := slog.New(slog.NewJSONHandler(&shown, &slog.HandlerOptions{Level: slog.LevelDebug}))
			client := server.client(t, wigwag.WithLogger(logger))
			client.OnConfiguration(func(c wigwag.Configuration) {
				if c.Err != nil && strings.Contains(c.Err.Error(), "S3CR3T") {
					t.Errorf("%s: %v", name, c.Err)
				}
			})
			server.failWith("", fault)
			if err := client.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			server.failWith("", refuse) // which repeats the key in its problem
			time.Sleep(2 * time.Minute)
			server.setDown(true)
			time.Sleep(7 * time.Minute)
			stats := client.Stats()
			text, err := json.Marshal(stats)
			if err != nil || stats.LastError == "" {
				t.Errorf("stats %s, %v", text, err)
			}
			_ = client.Close()
			fmt.Fprintf(&shown, "%s %v %+v %#v %v\n", text, stats, stats, stats, client.Endpoints())
			for _, r := range append(server.requests(streamPath), server.requests(snapshotPath)...) {
				if strings.Contains(r.query, "S3CR3T") {
					t.Errorf("%s: the key is in the URL", name)
				}
			}
		})
	}
	if i := strings.Index(shown.String(), "S3CR3T"); i >= 0 {
		t.Errorf("the key is in %q", shown.String()[max(0, i-200):i+20])
	}
	if !strings.Contains(shown.String(), "could not get the flags") {
		t.Error("the failures were not logged")
	}
}

// Whoever can redirect a request would be given the key.
func TestARedirectToAnotherHostDoesNotCarryTheKey(t *testing.T) {
	var mu sync.Mutex
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprint(r.Header))
	}))
	defer elsewhere.Close()
	var sameHost int
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/moved") {
			mu.Lock()
			defer mu.Unlock()
			if r.Header.Get("Authorization") != "" {
				sameHost++
			}
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
			return
		}
		http.Redirect(w, r, "/moved"+r.URL.Path, http.StatusFound)
	}))
	defer here.Close()
	client, err := wigwag.New(testKey, wigwag.WithURL(here.URL), wigwag.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Refresh(t.Context()); err == nil {
		t.Error("an empty answer was taken for flags")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || strings.Contains(got[0], "S3CR3T") || sameHost != 1 {
		t.Errorf("elsewhere saw %v, the same host saw the key %d times", got, sameHost)
	}
}

// A man in the middle would decide what applications do.
func TestTheServersCertificateIsVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	client, err := wigwag.New(testKey, wigwag.WithURL(server.URL), wigwag.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one of the certificate", err)
	}
}

// One message per attempt of an outage would fill a disk.
func TestAnOutageIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, on("f"))
		var log bytes.Buffer
		client := start(t, server.client(t, wigwag.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))
		server.setDown(true)
		time.Sleep(time.Hour)
		_ = client.Close()
		if n := strings.Count(log.String(), "could not get the flags"); n < 30 || n > 61 {
			t.Errorf("%d messages in an hour", n)
		}
		if !strings.Contains(log.String(), "repeated=") {
			t.Error("the log does not say what it leaves out")
		}
	})
}
