package wigwag

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = time.Second
	backoffMax   = 30 * time.Second
	// backoffLeast keeps full jitter from drawing a gap that is none.
	backoffLeast = 100 * time.Millisecond
	// healthyAfter is for how long a stream must have lived for the next failure to
	// count as the first again.
	healthyAfter = 60 * time.Second
	// refusedRetry is the gap after the server refused the key.
	refusedRetry = 5 * time.Minute
	// retryAfterMax bounds what a server can ask for, so that a bad header cannot
	// silence a client for good.
	retryAfterMax = 10 * time.Minute
)

// backoff spaces out attempts: a gap is drawn evenly from all up to a limit that
// starts at a second and doubles to 30. The zero value is ready for use.
type backoff struct{ limit time.Duration }

// next returns the gap before the next attempt.
func (b *backoff) next() time.Duration {
	b.limit = min(max(backoffFirst, 2*b.limit), backoffMax)
	return max(backoffLeast, rand.N(b.limit))
}

// reset makes the next failure count as the first.
func (b *backoff) reset() { b.limit = 0 }

// around draws a duration within 10 % of the given one, so that clients started
// together do not ask together.
func around(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }
