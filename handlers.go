package wigwag

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// Source says where a configuration came from.
type Source string

// The sources of a configuration.
const (
	// SourceBootstrap is the document of [WithBootstrap].
	SourceBootstrap Source = "BOOTSTRAP"
	// SourceNetwork is the server.
	SourceNetwork Source = "NETWORK"
)

// Configuration tells of one attempt to get the flags.
type Configuration struct {
	Source Source
	// Changed says whether any flag or segment differs from what was held before.
	Changed bool
	// Position and CreatedAt are of what is held after the attempt, whether it
	// succeeded or not; zero where nothing is.
	Position  Position
	CreatedAt time.Time
	// Err is why the attempt failed; what was held before is still served then.
	Err error
}

// OnChange calls a handler whenever flags changed, the first time with all of
// them. Evaluations already see the new version when it is called.
//
// Handlers of all three kinds are called in the order of what happened, one at a
// time, from one goroutine that belongs to the client, from [Client.Start] until
// [Client.Close]. A handler that is slow delays other handlers and nothing else; one
// that falls far behind is told of several changes as one. A panic in a handler
// is logged and contained. The function returned takes the handler out; a call
// that is under way still ends.
func (c *Client) OnChange(handler func(Change)) (remove func()) { return c.onChange.add(handler) }

// OnStatus calls a handler with each new status. See [Client.OnChange] for how.
func (c *Client) OnStatus(handler func(Status)) (remove func()) { return c.onStatus.add(handler) }

// OnConfiguration calls a handler with each document that came in, each answer
// that nothing has changed, and each failure. See [Client.OnChange] for how.
func (c *Client) OnConfiguration(handler func(Configuration)) (remove func()) {
	return c.onConfiguration.add(handler)
}

// handlers is a set of functions, called in the order in which they were added.
// Each has an identity of its own: the same function added twice is called twice.
type handlers[T any] struct {
	mu      sync.Mutex
	entries []*handlerEntry[T]
}

type handlerEntry[T any] struct {
	call    func(T)
	removed atomic.Bool
}

func (h *handlers[T]) add(call func(T)) (remove func()) {
	if call == nil {
		return func() {}
	}
	entry := &handlerEntry[T]{call: call}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, entry)
	return func() {
		entry.removed.Store(true)
		h.mu.Lock()
		defer h.mu.Unlock()
		if i := slices.Index(h.entries, entry); i >= 0 {
			h.entries = slices.Delete(h.entries, i, i+1)
		}
	}
}

func (h *handlers[T]) list() []*handlerEntry[T] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.entries)
}

func callAll[T any](c *Client, entries []*handlerEntry[T], value T) {
	for _, entry := range entries {
		if !entry.removed.Load() {
			c.contain(func() { entry.call(value) })
		}
	}
}

func (c *Client) contain(call func()) {
	defer func() {
		if r := recover(); r != nil {
			c.log.warn("a handler panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	call()
}

// announcement is something that handlers are told.
type announcement interface {
	// join returns one announcement for this and a later one of the same kind, and
	// false for one of another kind.
	join(later announcement) (announcement, bool)
	deliver(c *Client)
}

type (
	changeAnnouncement        struct{ from, to *snapshot.Snapshot }
	statusAnnouncement        struct{ from, to Status }
	configurationAnnouncement Configuration
)

func (a changeAnnouncement) join(later announcement) (announcement, bool) {
	b, ok := later.(changeAnnouncement)
	return changeAnnouncement{a.from, b.to}, ok
}

func (a changeAnnouncement) deliver(c *Client) {
	entries := c.onChange.list()
	if len(entries) == 0 {
		return
	}
	if change := newChange(a.from, a.to); len(change.Keys) > 0 {
		callAll(c, entries, change)
	}
}

func (a statusAnnouncement) join(later announcement) (announcement, bool) {
	b, ok := later.(statusAnnouncement)
	return statusAnnouncement{a.from, b.to}, ok
}

func (a statusAnnouncement) deliver(c *Client) {
	c.log.info("status changed", "from", a.from, "to", a.to)
	callAll(c, c.onStatus.list(), a.to)
}

func (a configurationAnnouncement) join(later announcement) (announcement, bool) {
	b, ok := later.(configurationAnnouncement)
	b.Changed = b.Changed || a.Changed
	return b, ok
}

func (a configurationAnnouncement) deliver(c *Client) {
	callAll(c, c.onConfiguration.list(), Configuration(a))
}

// maxQueue is how many announcements wait for a slow handler before later ones
// are joined with them, so that a handler that never returns costs little memory.
const maxQueue = 64

// queue holds the announcements that were not delivered yet.
type queue struct {
	mu      sync.Mutex
	waiting []announcement
	wake    chan struct{} // of capacity 1
}

func (q *queue) push(a announcement) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	if len(q.waiting) >= maxQueue {
		for i, waiting := range slices.Backward(q.waiting) {
			if joined, ok := waiting.join(a); ok {
				q.waiting[i] = joined
				return
			}
		}
	}
	q.waiting = append(q.waiting, a)
}

func (q *queue) pop() announcement {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	first := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return first
}

// deliverAnnouncements is the goroutine from which all handlers are called.
func (c *Client) deliverAnnouncements(ctx context.Context) {
	for ctx.Err() == nil {
		if a := c.queue.pop(); a != nil {
			a.deliver(c)
			continue
		}
		select {
		case <-c.queue.wake:
		case <-ctx.Done():
		}
	}
}
