package wigwag

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/snapshot"
)

// rejection is a document that was not applied. What was held before stays.
type rejection struct{ reason error }

func (e *rejection) Error() string { return "the document cannot be used: " + e.reason.Error() }
func (e *rejection) Unwrap() error { return e.reason }

// applySnapshot takes a snapshot document in. Announced is the position that the
// server gave beside the document, empty if none: digests do not cover positions,
// and a damaged one from the far future would keep every later document out. The
// error is a [*rejection].
func (c *Client) applySnapshot(document []byte, announced string) error {
	return c.apply(func() error {
		next, err := snapshot.Parse(document)
		if err != nil {
			return err
		}
		if err := checkPosition(next.Position, announced); err != nil {
			return err
		}
		if next.Project == "" || next.Environment == "" || next.Projection != c.settings.key.projection() {
			return fmt.Errorf("it is of %s, which this key does not receive", describeHeader(next.Header))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pinned != (snapshot.Header{}) {
			if next.Header != c.pinned {
				return fmt.Errorf("it is of %s, this client is of %s", describeHeader(next.Header), describeHeader(c.pinned))
			}
			if next.Position.Before(c.current.Position) {
				return fmt.Errorf("it is at %s, which is before %s", next.Position, c.current.Position)
			}
		}
		return c.install(shareItems(c.current, next), SourceNetwork)
	})
}

// applyDelta takes a delta document in; announced is as for applySnapshot. The
// error is a [*rejection].
func (c *Client) applyDelta(document []byte, announced string) error {
	return c.apply(func() error {
		delta, err := snapshot.ParseDelta(document)
		if err != nil {
			return err
		}
		if err := checkPosition(delta.To, announced); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pinned == (snapshot.Header{}) {
			return errors.New("it is a delta, and there is no snapshot to apply it to")
		}
		if delta.Header == c.pinned && delta.To.Epoch == c.current.Position.Epoch && !c.current.Position.Before(delta.To) {
			return nil // a poll was faster
		}
		next, err := c.current.Apply(delta)
		if err != nil {
			return err
		}
		return c.install(next, SourceNetwork)
	})
}

// apply makes a rejection of an error or a panic. A document is data from a
// network: whatever it holds, it must not end the process.
func (c *Client) apply(step func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil {
			err = &rejection{err}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.behind = true
			c.stats.Rejected++
		}
	}()
	return step()
}

// checkPosition compares a document's position with the one announced. Proxies
// are known to append to ETags: what is no position announces none.
func checkPosition(position Position, announced string) error {
	if p, err := snapshot.ParsePosition(announced); err == nil && !p.IsZero() && p != position {
		return fmt.Errorf("it is at %s, and was announced as %s", position, p)
	}
	return nil
}

func describeHeader(h snapshot.Header) string {
	return fmt.Sprintf("project %.80q, environment %.80q, projection %.80q", h.Project, h.Environment, h.Projection)
}

// install puts a checked version into force: it compiles it, swaps the one
// pointer that evaluations load, and announces it. The caller holds c.mu.
func (c *Client) install(next *snapshot.Snapshot, source Source) error {
	before, view := c.current, c.view.Load()
	changed := before == nil || before.Digest != next.Digest || before.Header != next.Header
	program := view.program
	if changed {
		if program == nil {
			program = eval.Compile(next.FlagSet())
		} else {
			program = program.Recompile(next.FlagSet())
		}
	}
	c.current = next
	c.view.Store(&View{program: program, position: next.Position, createdAt: next.CreatedAt, static: view.static, stale: view.stale, confirmed: view.confirmed})
	if source == SourceNetwork {
		c.pinned = next.Header
		c.behind = false
		c.confirm()
	} else {
		c.transition(eventBootstrapped)
	}
	c.queue.push(configurationAnnouncement{Source: source, Changed: changed, Position: next.Position, CreatedAt: next.CreatedAt})
	if changed {
		c.queue.push(changeAnnouncement{before, next})
		c.queue.push(faultsAnnouncement{program})
	}
	return nil
}

// shareItems returns a version that was read whole with the items of the one
// before in the place of those that are the same, so that what did not change is
// neither compiled nor kept a second time. A delta shares by itself.
func shareItems(before, next *snapshot.Snapshot) *snapshot.Snapshot {
	if before == nil {
		return next
	}
	shared := *next
	shared.Items = slices.Clone(next.Items)
	for i := range shared.Items {
		if old := before.Get(shared.Items[i].Ref); old != nil && old.Digest == shared.Items[i].Digest {
			shared.Items[i] = old
		}
	}
	return &shared
}

// confirm notes that the server stands by what is held. The caller holds c.mu.
func (c *Client) confirm() {
	c.contact = time.Now()
	c.lastErr = nil
	if c.current == nil {
		return
	}
	if view := c.view.Load(); view.stale {
		fresh := *view
		fresh.stale = false
		c.view.Store(&fresh)
	}
	c.transition(eventConfirmed)
	c.settle()
}

// unchanged notes the answer that nothing has changed since what is held.
func (c *Client) unchanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return
	}
	c.pinned = c.current.Header
	c.behind = false
	c.confirm()
	c.queue.push(configurationAnnouncement{Source: SourceNetwork, Position: c.current.Position, CreatedAt: c.current.CreatedAt})
}

// heard notes a sign of life on the stream. It confirms what is held, unless that
// is known to be behind or was never given by the server.
func (c *Client) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.behind && c.pinned != (snapshot.Header{}) {
		c.confirm()
	}
}

// failed notes an attempt that came to nothing.
func (c *Client) failed(err error) {
	c.mu.Lock()
	c.lastErr = err
	if errors.Is(err, ErrKeyRefused) {
		c.transition(eventRefused)
	} else {
		c.transition(eventFailed)
	}
	view := c.view.Load()
	c.queue.push(configurationAnnouncement{Source: SourceNetwork, Position: view.position, CreatedAt: view.createdAt, Err: err})
	c.settle()
	c.mu.Unlock()
	message := "could not get the flags"
	if errors.As(err, new(*rejection)) {
		message = "dropped what the server sent"
	}
	c.log.warn(message, "error", c.settings.key.redact(err.Error()), "serving", view.position)
}

// expire marks what is held as stale once it is older than the maximum age, and
// returns when to look again.
func (c *Client) expire(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	maxAge := c.settings.maxAge
	if age := now.Sub(c.contact); age < maxAge {
		return maxAge - age
	}
	if view := c.view.Load(); view.program != nil && !view.stale {
		stale := *view
		stale.stale, stale.confirmed = true, c.contact
		c.view.Store(&stale)
		c.transition(eventExpired)
		select {
		case c.refresh <- struct{}{}:
		default:
		}
	}
	return maxAge
}

// transition moves the status on. The caller holds c.mu.
func (c *Client) transition(e event) {
	from := Status(c.status.Load())
	if to := from.after(e); to != from {
		c.status.Store(uint32(to))
		c.queue.push(statusAnnouncement{from, to})
	}
}

// settle wakes all who wait for the client to become ready. The caller holds c.mu.
func (c *Client) settle() {
	c.tried = true
	close(c.settled)
	c.settled = make(chan struct{})
}

// faultsAnnouncement logs the flags that this version of the SDK cannot evaluate.
type faultsAnnouncement struct{ program *eval.Program }

func (a faultsAnnouncement) join(later announcement) (announcement, bool) {
	b, ok := later.(faultsAnnouncement)
	return b, ok
}

func (a faultsAnnouncement) deliver(c *Client) {
	if faults := a.program.Faults(); len(faults) > 0 {
		c.log.warn("flags cannot be evaluated; callers get their defaults", "count", len(faults), "first", faults[0].Flag, "why", faults[0].Message)
	}
}
