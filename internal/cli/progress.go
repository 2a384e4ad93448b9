package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progressPause is the least time between two lines of progress.
const progressPause = 150 * time.Millisecond

// progress shows on a terminal how far long work has come, in one line that it
// writes over. Elsewhere it is silent. It is safe for
// concurrent use.
type progress struct {
	out   io.Writer // nil is silent
	what  string
	total int64 // 0 is unknown

	mu    sync.Mutex
	drawn time.Time
	ended bool
}

// newProgress returns the progress of some work, on standard error. A total of 0
// is not known.
func newProgress(s *screen, what string, total int64) *progress {
	p := &progress{what: what, total: total}
	if file, ok := s.err.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		p.out = s.err
	}
	return p
}

// at says that so much is done.
func (p *progress) at(done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.out == nil || p.ended || now.Sub(p.drawn) < progressPause {
		return
	}
	p.drawn = now
	text := fmt.Sprintf("%s %d", p.what, done)
	if p.total > 0 {
		text = fmt.Sprintf("%s %d of %d (%d%%)", p.what, done, p.total, 100*done/p.total)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
}

// end takes the line away for good.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.out != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
