package wigwag

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/wigwag/wigwag/snapshot"
)

// Key is a server key (sk_…) or a client key (ck_…). It never shows its secret:
// printing, formatting, logging and marshalling it give only the kind.
type Key struct {
	// secret is behind a pointer because fmt prints the fields of a struct that
	// holds a Key without asking the Key.
	secret *string
}

const (
	serverKeyPrefix = "sk_"
	clientKeyPrefix = "ck_"
	maxKey          = 512
)

// ParseKey checks the form of a key. Whether a server knows it, only the server
// can say. The error does not repeat the key.
func ParseKey(s string) (Key, error) {
	if !strings.HasPrefix(s, serverKeyPrefix) && !strings.HasPrefix(s, clientKeyPrefix) {
		return Key{}, fmt.Errorf("a key starts with %s (server key) or %s (client key)", serverKeyPrefix, clientKeyPrefix)
	}
	if len(s) == len(serverKeyPrefix) || len(s) > maxKey {
		return Key{}, fmt.Errorf("a key is longer than its prefix, and at most %d bytes", maxKey)
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return Key{}, fmt.Errorf("a key holds no spaces and only ASCII characters")
		}
	}
	return Key{&s}, nil
}

// isClient reports whether the key is a client key.
func (k Key) isClient() bool { return k.secret != nil && strings.HasPrefix(*k.secret, clientKeyPrefix) }

// projection returns what servers give for the key.
func (k Key) projection() snapshot.Projection {
	if k.isClient() {
		return snapshot.ProjectionClient
	}
	return snapshot.ProjectionServer
}

// String returns the kind of the key, such as sk_…, and nothing of its secret.
func (k Key) String() string {
	switch {
	case k.secret == nil:
		return ""
	case k.isClient():
		return clientKeyPrefix + "…"
	default:
		return serverKeyPrefix + "…"
	}
}

// Format writes [Key.String] for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.String())) }

// LogValue returns [Key.String].
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns [Key.String].
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// redact takes the secret out of a text that came from elsewhere.
func (k Key) redact(text string) string {
	if k.secret == nil {
		return text
	}
	return strings.ReplaceAll(text, *k.secret, k.String())
}
