package wigwag

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// keepUpToDate is the client's background work: one fetch, and then, side by
// side, the stream and the poll that stands in for it.
func (c *Client) keepUpToDate(ctx context.Context) {
	err := c.fetch(ctx)
	var loops sync.WaitGroup
	if c.settings.mode != ModePolling {
		loops.Go(func() { c.streamLoop(ctx, err) })
	}
	if c.settings.pollInterval != Never {
		loops.Go(func() { c.pollLoop(ctx, err) })
	} else if c.settings.mode == ModePolling {
		loops.Go(func() { c.fetchUntilLoaded(ctx, err) })
	}
	loops.Wait()
	<-ctx.Done()
}

// streamLoop keeps a stream open. Err is what the first fetch failed with, if it
// did: a server that cannot answer it is not asked for a stream at once.
func (c *Client) streamLoop(ctx context.Context, err error) {
	var gaps backoff
	withCursor := true
	for reconnect := false; ; reconnect = true {
		if err != nil && !sleep(ctx, gapAfter(err, &gaps)) {
			return
		}
		if reconnect {
			c.count(&c.stats.Reconnects)
		}
		var healthy time.Duration
		healthy, err = c.readStream(ctx, withCursor)
		c.streaming.Store(false)
		if ctx.Err() != nil {
			return
		}
		if healthy >= healthyAfter {
			gaps.reset()
		}
		withCursor = !needsSnapshot(err)
		if !errors.As(err, new(*goodbye)) && !c.isToldToPoll(err) {
			c.failed(err)
		}
	}
}

// pollLoop asks for changes while the stream is not delivering, and at once when
// what is held becomes stale. Err is as for streamLoop.
func (c *Client) pollLoop(ctx context.Context, err error) {
	var gaps backoff
	for {
		gap := around(c.settings.pollInterval)
		stale := c.refresh
		switch {
		case isImposed(err):
			gap = gapAfter(err, &gaps)
			stale = nil // not even then
		case err != nil && c.settings.mode == ModeAuto:
			// The stream makes the quick attempts, this one stands by.
			gap = max(gap, gapAfter(err, &gaps))
		case err != nil:
			gap = gapAfter(err, &gaps)
		}
		due := time.NewTimer(gap)
		select {
		case <-due.C:
			if c.streaming.Load() || c.settings.mode == ModeStreaming {
				err = nil
				continue
			}
		case <-stale:
		case <-ctx.Done():
		}
		due.Stop()
		if ctx.Err() != nil {
			return
		}
		if err = c.fetch(ctx); err == nil {
			gaps.reset()
		}
	}
}

// fetchUntilLoaded repeats the first fetch of a client that does not poll.
func (c *Client) fetchUntilLoaded(ctx context.Context, err error) {
	var gaps backoff
	for err != nil && sleep(ctx, gapAfter(err, &gaps)) {
		err = c.fetch(ctx)
	}
}

// watchAge marks what is held as stale when it has become too old.
func (c *Client) watchAge(ctx context.Context) {
	if c.settings.maxAge == Never {
		return
	}
	timer := time.NewTimer(c.settings.maxAge)
	defer timer.Stop()
	for {
		select {
		case now := <-timer.C:
			timer.Reset(c.expire(now))
		case <-ctx.Done():
			return
		}
	}
}

// gapAfter returns how long to wait after an error before the next attempt.
func gapAfter(err error, gaps *backoff) time.Duration {
	var answer *responseError
	var bye *goodbye
	switch {
	case errors.Is(err, ErrKeyRefused):
		return refusedRetry
	case errors.As(err, &answer) && answer.retryAfter > 0:
		return answer.retryAfter + gaps.next()
	case errors.As(err, &bye):
		// The server has spread its readers itself. The gap bounds a server that says
		// goodbye to everybody at once.
		return max(bye.retryAfter, gaps.next())
	default:
		return gaps.next()
	}
}

// isImposed reports whether the gap after an error is the server's will.
func isImposed(err error) bool {
	var answer *responseError
	return errors.Is(err, ErrKeyRefused) || (errors.As(err, &answer) && answer.retryAfter > 0)
}

// isToldToPoll reports whether a stream was refused because the environment has
// none, to a client that polls as long as there is no stream.
func (c *Client) isToldToPoll(err error) bool {
	var answer *responseError
	return errors.As(err, &answer) && answer.status == http.StatusConflict &&
		c.settings.mode == ModeAuto && c.settings.pollInterval != Never
}

// needsSnapshot reports whether a stream ended in a way that makes asking for
// the rest of it pointless.
func needsSnapshot(err error) bool {
	var answer *responseError
	return errors.As(err, new(*rejection)) || (errors.As(err, &answer) && answer.status == http.StatusBadRequest)
}

// sleep waits, and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func (c *Client) count(counter *uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*counter++
}
