package store

import "time"

// Outcome is how a write ended that its caller gave a key, kept so that the
// repetition of the write gets the same answer. It is kept by the transaction of
// the write. Its time is kept to the microsecond, in UTC.
type Outcome struct {
	// Owner is the credential of the caller; each has keys of its own.
	Owner, Key string
	// Request is a hash of what was asked.
	Request [32]byte
	// Body says how it ended; stores do not read it.
	Body      []byte
	ExpiresAt time.Time
}

// Expired reports whether the outcome counts no more.
func (o *Outcome) Expired(now time.Time) bool { return !now.Before(o.ExpiresAt) }
