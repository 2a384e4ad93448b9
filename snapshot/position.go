package snapshot

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the log of one flag set: the SSE id, the ETag, the
// cursor, and what SDKs report. The zero Position is before everything.
type Position struct {
	// Epoch is a time-ordered id of the log itself; it is renewed when a database
	// is restored or re-created. A greater epoch is a later one.
	Epoch string
	// Version counts the commits of the log from 1, without gaps.
	Version uint64
}

// maxEpoch bounds the epoch that is read from a client.
const maxEpoch = 64

// String returns epoch:version, empty for the zero Position.
func (p Position) String() string {
	if p.IsZero() {
		return ""
	}
	return p.Epoch + ":" + strconv.FormatUint(p.Version, 10)
}

// IsZero reports whether the position is before everything.
func (p Position) IsZero() bool { return p == Position{} }

// Before reports whether p is an older place than q: of an earlier epoch, or of
// the same epoch and an earlier version.
func (p Position) Before(q Position) bool {
	if p.Epoch != q.Epoch {
		return p.Epoch < q.Epoch
	}
	return p.Version < q.Version
}

// ParsePosition reads what [Position.String] writes; the empty string is the
// zero Position.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return Position{}, nil
	}
	epoch, digits, ok := strings.Cut(s, ":")
	if !ok || epoch == "" || len(epoch) > maxEpoch {
		return Position{}, fmt.Errorf("position %.80q is not of the form epoch:version", s)
	}
	for _, c := range []byte(epoch) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return Position{}, errors.New("the epoch of a position is of lower-case letters, digits and hyphens")
		}
	}
	version, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || digits[0] == '+' || (digits[0] == '0' && len(digits) > 1) {
		return Position{}, fmt.Errorf("position %.80q does not end in a version", s)
	}
	return Position{epoch, version}, nil
}

// MarshalText returns the position as its string.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a position from its string.
func (p *Position) UnmarshalText(text []byte) error {
	read, err := ParsePosition(string(text))
	if err != nil {
		return err
	}
	*p = read
	return nil
}
