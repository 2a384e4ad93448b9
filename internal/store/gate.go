package store

import "sync"

// Gate is how an implementation keeps [Store.Close]: calls enter and leave, and
// closing turns new ones away and waits for those inside. The zero Gate is open.
type Gate struct {
	mu     sync.Mutex // guards closed, and that no call is counted after it
	closed bool
	inside sync.WaitGroup
	once   sync.Once
}

// Enter counts a call in, or returns [ErrClosed]. Every Enter that succeeds is
// followed by one Leave.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.inside.Add(1)
	return nil
}

// Leave counts a call out.
func (g *Gate) Leave() { g.inside.Done() }

// Close turns new calls away, waits until all have left, and then runs release,
// once. A second Close waits for the first and returns nil.
func (g *Gate) Close(release func() error) error {
	var err error
	g.once.Do(func() {
		g.mu.Lock()
		g.closed = true
		g.mu.Unlock()
		g.inside.Wait()
		err = release()
	})
	return err
}
