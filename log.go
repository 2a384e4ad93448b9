package wigwag

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logEvery is how often one message is logged at most.
const logEvery = time.Minute

// quietLog logs each message at most once a minute, and says how often it kept
// silent. Messages are constants, so the map stays small; what varies is in the
// attributes.
type quietLog struct {
	logger *slog.Logger

	mu   sync.Mutex
	seen map[string]*logged
}

type logged struct {
	at     time.Time
	missed int
}

func (l *quietLog) warn(message string, args ...any) {
	missed, ok := l.admit(message, time.Now())
	if !ok {
		return
	}
	if missed > 0 {
		args = append(args, "repeated", missed)
	}
	l.logger.Log(context.Background(), slog.LevelWarn, "wigwag: "+message, args...)
}

func (l *quietLog) info(message string, args ...any) {
	l.logger.Log(context.Background(), slog.LevelInfo, "wigwag: "+message, args...)
}

func (l *quietLog) admit(message string, now time.Time) (missed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.seen[message]
	if last == nil {
		if l.seen == nil {
			l.seen = map[string]*logged{}
		}
		l.seen[message] = &logged{at: now}
		return 0, true
	}
	if now.Sub(last.at) < logEvery {
		last.missed++
		return 0, false
	}
	missed, *last = last.missed, logged{at: now}
	return missed, true
}
