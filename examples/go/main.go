// Command go watches three flags for a few users: it prints what each user gets
// and why, and again, with a mark on what is new, the moment anything changes.
//
//	WIGWAG_URL   where the server is, http://127.0.0.1:8080 if unset
//	WIGWAG_KEY   a server key of the environment, sk_dev if unset
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/wigwag/wigwag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	url := cmp.Or(os.Getenv("WIGWAG_URL"), wigwag.DefaultURL)
	if err := watch(ctx, os.Stdout, url, cmp.Or(os.Getenv("WIGWAG_KEY"), "sk_dev")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// watch prints until the context is done.
func watch(ctx context.Context, out io.Writer, url, key string) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	client, err := wigwag.New(key, wigwag.WithURL(url), wigwag.WithApp("example", "1.0.0"), wigwag.WithLogger(logger))
	if err != nil {
		return err
	}
	defer client.Close()

	// The handlers only pass on what happened, so that one goroutine prints.
	changes := make(chan wigwag.Change, 1)
	client.OnChange(func(change wigwag.Change) {
		select {
		case changes <- change:
		case <-ctx.Done():
		}
	})
	statuses := make(chan wigwag.Status, 1)
	client.OnStatus(func(status wigwag.Status) {
		select {
		case statuses <- status:
		case <-ctx.Done():
		}
	})
	if err := client.Start(ctx); err != nil {
		return err
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { waitAloud(ctx, client, url) })
	defer waiting.Wait()

	table := newTable()
	for {
		select {
		case change := <-changes:
			fmt.Fprintf(out, "\nversion %d, %s: %d flags may answer differently\n", change.To.Version, time.Now().Format(time.TimeOnly), len(change.Keys))
			table.print(out, client.At())
		case status := <-statuses:
			fmt.Fprintf(out, "status: %s\n", status)
		case <-ctx.Done():
			fmt.Fprintln(out, "\nbye")
			return nil
		}
	}
}

// waitAloud says that the server is not there, for as long as that is so.
func waitAloud(ctx context.Context, client *wigwag.Client, url string) {
	for {
		waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := client.WaitReady(waiting)
		cancel()
		switch {
		case err == nil || ctx.Err() != nil || errors.Is(err, wigwag.ErrClosed):
			return
		case errors.Is(err, wigwag.ErrKeyRefused):
			fmt.Fprintln(os.Stderr, "the server does not accept this key; set WIGWAG_KEY to a server key of the environment")
			return
		default:
			fmt.Fprintf(os.Stderr, "waiting for the server at %s …\n", url)
		}
	}
}

// table remembers what it printed, to mark what is new.
type table struct{ before map[string]string }

func newTable() *table { return &table{before: map[string]string{}} }

var users = []wigwag.EvaluationContext{
	wigwag.NewContext("user-42", wigwag.String("plan", "pro"), wigwag.String("country", "FR")),
	wigwag.NewContext("user-43", wigwag.String("plan", "free"), wigwag.String("country", "FR")),
	wigwag.NewContext("user-44", wigwag.String("plan", "team"), wigwag.String("country", "US")),
	wigwag.NewContext("user-45", wigwag.String("plan", "free"), wigwag.String("country", "JP")),
}

// print evaluates every flag for every user, all from one version.
func (t *table) print(out io.Writer, flags *wigwag.View) {
	fmt.Fprintf(out, "  %-16s %-8s %-28s %-12s %-20s %s\n", "FLAG", "USER", "VALUE", "VARIANT", "REASON", "RULE")
	for i := range users {
		user := users[i]
		t.row(out, &user, "new-checkout", describe(flags.BoolDetails("new-checkout", false, user)))
		t.row(out, &user, "checkout-button", describe(flags.StringDetails("checkout-button", "Pay", user)))
		t.row(out, &user, "search-ranking", ranking(flags, user))
	}
}

// ranking reads a flag that may be of numbers or of objects.
func ranking(flags *wigwag.View, user wigwag.EvaluationContext) string {
	number := flags.FloatDetails("search-ranking", 0, user)
	if number.ErrorCode != "TYPE_MISMATCH" {
		return describe(number)
	}
	return describe(flags.ObjectDetails("search-ranking", wigwag.Value{}, user))
}

func (t *table) row(out io.Writer, user *wigwag.EvaluationContext, flag, answer string) {
	mark := " "
	row := strconv.Quote(flag) + user.TargetingKey()
	if before, known := t.before[row]; known && before != answer {
		mark = "*"
	}
	t.before[row] = answer
	fmt.Fprintf(out, "%s %-16s %-8s %s\n", mark, flag, user.TargetingKey(), answer)
}

func describe[T any](d wigwag.Details[T]) string {
	why := string(d.Reason)
	if d.ErrorCode != "" {
		why = string(d.ErrorCode)
	}
	return fmt.Sprintf("%-28s %-12s %-20s %s", fmt.Sprint(d.Value), cmp.Or(d.Variant, "-"), why, cmp.Or(d.RuleID, "-"))
}
