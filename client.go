package wigwag

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// Errors of a client's life, for errors.Is.
var (
	// ErrClosed is the answer of a client that was closed.
	ErrClosed = errors.New("wigwag: the client is closed")
	// ErrNotStarted is the answer of a client that [Client.Start] was not called on.
	ErrNotStarted = errors.New("wigwag: the client was not started")
	// ErrKeyRefused says that the server does not accept the key.
	ErrKeyRefused = errors.New("wigwag: the server refused the key")
)

// closeWait bounds how long Close waits, for the sake of handlers that do not
// return.
const closeWait = 750 * time.Millisecond

// Client holds the flags of one project and environment in memory, keeps them up
// to date in the background, and evaluates them. One client is enough for a
// process; it is safe for concurrent use.
type Client struct {
	settings *settings
	http     http.Client
	instance string
	log      quietLog

	// view is what evaluations load: the one pointer between them and everything
	// below.
	view atomic.Pointer[View]

	onChange        handlers[Change]
	onStatus        handlers[Status]
	onConfiguration handlers[Configuration]
	queue           queue

	streaming atomic.Bool   // the stream is delivering
	status    atomic.Uint32 // a Status; written under mu
	refresh   chan struct{} // of capacity 1: what is held became stale

	// mu guards what follows. It is held for work in memory only, never for I/O,
	// logging or handlers.
	mu      sync.Mutex
	current *snapshot.Snapshot // what view was compiled from; nil before anything was loaded
	pinned  snapshot.Header    // the flag set that the server gave first; zero before that
	contact time.Time          // when the server last confirmed current
	behind  bool               // the server's last document was not applied
	tried   bool               // an attempt to get the flags has ended
	lastErr error              // of the last attempt
	settled chan struct{}      // closed and replaced whenever an attempt has ended
	stats   Stats              // its counters alone

	// lifecycle; guarded by mu as well.
	started, closed bool
	running         sync.WaitGroup  // the background work and calls of Refresh
	life            context.Context //nolint:containedctx // done when the client is closed
	end             context.CancelFunc
}

// New returns a client for a server key (sk_…) or a client key (ck_…). It checks
// its arguments, the error then is an [*OptionError]; it neither connects nor
// starts anything. Call [Client.Start] next.
func New(key string, options ...Option) (*Client, error) {
	s, err := newSettings(key, options)
	if err != nil {
		return nil, err
	}
	c := &Client{
		settings: s,
		http:     s.http,
		instance: newInstance(),
		log:      quietLog{logger: s.logger},
		queue:    queue{wake: make(chan struct{}, 1)},
		refresh:  make(chan struct{}, 1),
		settled:  make(chan struct{}),
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.http.Timeout = 0 // it would cut streams; fetches have their own
	c.http.CheckRedirect = checkRedirect(s.http.CheckRedirect)
	c.view.Store(&View{static: s.static})
	for _, warning := range s.warnings {
		c.log.warn(warning)
	}
	if s.bootstrap != nil {
		c.view.Store(&View{static: s.static, stale: true, confirmed: s.bootstrap.CreatedAt})
		if err := c.apply(func() error {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.install(s.bootstrap, SourceBootstrap)
		}); err != nil {
			return nil, &OptionError{"WithBootstrap", err.Error()}
		}
	}
	return c, nil
}

// Start begins to load the flags and to keep them up to date, and returns at
// once. The work ends with [Client.Close], or earlier when the context is done:
// give it one that lives as long as the client, not one with the deadline of a
// start-up. A second Start does nothing; after Close it returns [ErrClosed].
func (c *Client) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.started {
		return nil
	}
	c.started = true
	c.contact = time.Now()
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(c.life, cancel)
	c.running.Go(func() { c.deliverAnnouncements(ctx) })
	c.running.Go(func() { c.watchAge(ctx) })
	c.running.Go(func() {
		c.keepUpToDate(ctx)
		c.closeConnections()
		c.markClosed() // the context is done, and nothing will come any more
	})
	return nil
}

// WaitReady waits until flags can be evaluated: until the server has given them
// or, with a bootstrap document, until the first attempt to reach the server has
// ended either way. It never waits for what cannot come by itself: it returns an
// error when the context is done, when the server refuses the key
// ([ErrKeyRefused]), before Start and after Close.
//
// An application may well go on after an error. Its evaluations return their
// defaults until the flags arrive, and the client keeps trying.
func (c *Client) WaitReady(ctx context.Context) error {
	for {
		c.mu.Lock()
		ready := c.current != nil && c.tried
		refused := c.current == nil && c.Status() == StatusError
		started, closed, lastErr, settled := c.started, c.closed, c.lastErr, c.settled
		c.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case ready:
			return nil
		case !started:
			return ErrNotStarted
		case refused:
			return fmt.Errorf("wigwag: no flags from %s: %w", c.settings.base, lastErr)
		}
		select {
		case <-settled:
		case <-c.life.Done():
		case <-ctx.Done():
			if lastErr != nil {
				return fmt.Errorf("wigwag: no flags from %s yet: %w; the last attempt: %w", c.settings.base, ctx.Err(), lastErr)
			}
			return fmt.Errorf("wigwag: no flags from %s yet: %w", c.settings.base, ctx.Err())
		}
	}
}

// Refresh asks the server once, now, and returns when the answer is in force. It
// is for [Never]; with polling or streaming there is no need of it.
func (c *Client) Refresh(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.running.Add(1)
	c.mu.Unlock()
	defer c.running.Done()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	return c.fetch(ctx)
}

// Close ends the background work, and returns when it has ended: within a second
// in any case. It may be called more than once, concurrently, and before Start. The
// client goes on evaluating what it holds.
//
// The error says that a handler did not return. Close called from within a
// handler cannot wait for that handler, and so returns this error.
func (c *Client) Close() error {
	c.markClosed()
	ended := make(chan struct{})
	go func() {
		c.running.Wait()
		c.closeConnections()
		close(ended)
	}()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
		return errors.New("wigwag: closed, but a handler has not returned yet")
	}
}

func (c *Client) markClosed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.end()
}

// closeConnections closes the idle connections, which are all once the background
// work has ended, of a transport that is the client's own.
func (c *Client) closeConnections() {
	if c.settings.ownTransport != nil {
		c.settings.ownTransport.CloseIdleConnections()
	}
}

// At returns the flags as they are now, frozen. All evaluations through the view
// answer from one version; take one for each request.
func (c *Client) At() *View { return c.view.Load() }

// Bool returns the value of a boolean flag, or the default where there is none:
// before anything was loaded, for an unknown flag, or for one of another type.
// [Client.BoolDetails] says which. Like every evaluation it answers from memory:
// it does not block, panic, log, allocate, or send the context anywhere.
func (c *Client) Bool(key string, defaultValue bool, ec EvaluationContext) bool {
	return c.view.Load().Bool(key, defaultValue, ec)
}

// String returns the value of a string flag, or the default. See [Client.Bool].
func (c *Client) String(key, defaultValue string, ec EvaluationContext) string {
	return c.view.Load().String(key, defaultValue, ec)
}

// Int returns the value of a number flag, or the default. A value that is not
// whole, or beyond ±2^53, is of another type. See [Client.Bool].
func (c *Client) Int(key string, defaultValue int64, ec EvaluationContext) int64 {
	return c.view.Load().Int(key, defaultValue, ec)
}

// Float returns the value of a number flag, or the default. See [Client.Bool].
func (c *Client) Float(key string, defaultValue float64, ec EvaluationContext) float64 {
	return c.view.Load().Float(key, defaultValue, ec)
}

// Object returns the value of an object flag, or the default. The value is
// immutable and shared; its Decode method fills a struct of the application. See
// [Client.Bool].
func (c *Client) Object(key string, defaultValue Value, ec EvaluationContext) Value {
	return c.view.Load().Object(key, defaultValue, ec)
}

// BoolDetails returns the value of a boolean flag and how it came about.
func (c *Client) BoolDetails(key string, defaultValue bool, ec EvaluationContext) Details[bool] {
	v := c.view.Load()
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Bool(); ok && !v.stale {
		return served(v, d, value)
	}
	return v.BoolDetails(key, defaultValue, ec)
}

// StringDetails returns the value of a string flag and how it came about.
func (c *Client) StringDetails(key, defaultValue string, ec EvaluationContext) Details[string] {
	v := c.view.Load()
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Text(); ok && !v.stale {
		return served(v, d, value)
	}
	return v.StringDetails(key, defaultValue, ec)
}

// IntDetails returns the value of a number flag that is whole and how it came
// about.
func (c *Client) IntDetails(key string, defaultValue int64, ec EvaluationContext) Details[int64] {
	v := c.view.Load()
	d := v.resolve(key, &ec)
	if value, ok := wholeNumber(&d.Value); ok && !v.stale {
		return served(v, d, value)
	}
	return v.IntDetails(key, defaultValue, ec)
}

// FloatDetails returns the value of a number flag and how it came about.
func (c *Client) FloatDetails(key string, defaultValue float64, ec EvaluationContext) Details[float64] {
	v := c.view.Load()
	d := v.resolve(key, &ec)
	if value, ok := d.Value.Number(); ok && !v.stale {
		return served(v, d, value)
	}
	return v.FloatDetails(key, defaultValue, ec)
}

// ObjectDetails returns the value of an object flag and how it came about.
func (c *Client) ObjectDetails(key string, defaultValue Value, ec EvaluationContext) Details[Value] {
	v := c.view.Load()
	d := v.resolve(key, &ec)
	if isObject(&d.Value) && !v.stale {
		return served(v, d, d.Value)
	}
	return v.ObjectDetails(key, defaultValue, ec)
}
