package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that the first interrupt or SIGTERM ends. From
// then on signals do what they do by default: the next one ends the program. The
// caller must call stop, which returns when nothing is left running.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals) // before the context ends, so that no signal is lost in between
		cancel()
	}()
	return ctx, func() {
		cancel()
		<-stopped
	}
}
