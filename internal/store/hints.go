package store

import "sync"

// Hints are the watchers of a store: what an implementation needs to keep
// [Store.Watch]. The zero Hints has none. It is safe for concurrent use.
type Hints struct {
	mu       sync.Mutex // guards watchers
	watchers map[*watcher]struct{}
}

type watcher struct {
	mu sync.Mutex // held while fn runs, so that stopping waits for it
	fn func(Hint) // nil once stopped
}

// Watch calls fn with every hint sent, one call at a time, until stop is called.
func (h *Hints) Watch(fn func(Hint)) (stop func()) {
	w := &watcher{fn: fn}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = make(map[*watcher]struct{})
	}
	h.watchers[w] = struct{}{}
	return func() {
		h.mu.Lock()
		delete(h.watchers, w)
		h.mu.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fn = nil
	}
}

// Send calls every watcher with every hint, in the order given, and returns when
// all calls have.
func (h *Hints) Send(hints ...Hint) {
	if len(hints) == 0 {
		return
	}
	h.mu.Lock()
	watchers := make([]*watcher, 0, len(h.watchers))
	for w := range h.watchers {
		watchers = append(watchers, w)
	}
	h.mu.Unlock()
	for _, w := range watchers {
		w.send(hints)
	}
}

func (w *watcher) send(hints []Hint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fn == nil {
		return
	}
	for _, hint := range hints {
		w.fn(hint)
	}
}
