package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// OutcomeLife is how long the outcome of a write with a key is kept.
const OutcomeLife = 24 * time.Hour

// Once names a write, so that its repetition is known. The outcome is kept in the
// transaction of the write itself: either both are there, also where the caller
// was told of a failure, or neither is. Of two at the same time one waits for the
// other. Refusals are kept as well, failures of the server are not.
type Once struct {
	// Owner is the credential of the caller; each has keys of its own.
	Owner string
	Key   string
	// Request returns the hash of what is asked. It is called when the request has
	// been read.
	Request func() [32]byte
	// Replayed is set by the write: the outcome is that of an earlier one. It says
	// which documents changed, but not how they were before and after.
	Replayed bool
}

// keptOutcome is either a refusal or what a write answered.
type keptOutcome struct {
	Refusal *keptRefusal    `json:"refusal,omitempty"`
	Written json.RawMessage `json:"written,omitempty"`
}

type keptRefusal struct {
	Kind    fault.Kind     `json:"kind"`
	Message string         `json:"message"`
	Fields  []fault.Field  `json:"fields,omitempty"`
	Current *fault.Current `json:"current,omitempty"`
}

type keptWritten[T any] struct {
	Value        T                            `json:"value"`
	Position     snapshot.Position            `json:"position"`
	Environments map[string]snapshot.Position `json:"environments"`
	Changes      []keptChange                 `json:"changes"`
}

type keptChange struct {
	Environment string        `json:"environment,omitempty"`
	Project     string        `json:"project"`
	Kind        snapshot.Kind `json:"kind"`
	Key         string        `json:"key"`
	Action      Action        `json:"action"`
}

// keeper is an outcome that can be kept. One that tells a secret is none.
type keeper interface {
	keep() ([]byte, error)
	restore(kept []byte) error
}

// replay answers with the outcome that is kept, if there is one.
func (o *Once) replay(ctx context.Context, tx store.Tx, out outcome) (replayed bool, err error) {
	keeper, ok := out.(keeper)
	if o == nil || !ok {
		return false, nil
	}
	o.Replayed = false
	kept, err := tx.Outcome(ctx, o.Owner, o.Key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read an outcome: %w", err)
	case kept.Expired(time.Now()):
		return false, nil
	case kept.Request != o.Request():
		return false, fault.New(fault.KeyReused,
			"Idempotency-Key %.80q was used for another request; repeat that one exactly, or make a new key for this one.", o.Key)
	}
	var outcome keptOutcome
	if err := json.Unmarshal(kept.Body, &outcome); err != nil {
		return false, fmt.Errorf("stored outcome: %w", err)
	}
	o.Replayed = true
	if r := outcome.Refusal; r != nil {
		return true, &fault.Error{Kind: r.Kind, Message: r.Message, Fields: r.Fields, Current: r.Current}
	}
	return true, keeper.restore(outcome.Written)
}

// keep keeps what a write answers, in its transaction.
func (o *Once) keep(ctx context.Context, tx store.Tx, out outcome) error {
	keeper, ok := out.(keeper)
	if o == nil || !ok {
		return nil
	}
	written, err := keeper.keep()
	if err != nil {
		return fmt.Errorf("encode an outcome: %w", err)
	}
	return o.put(ctx, tx, &keptOutcome{Written: written})
}

func (o *Once) put(ctx context.Context, tx store.Tx, outcome *keptOutcome) error {
	body, err := json.Marshal(outcome)
	if err != nil {
		return fmt.Errorf("encode an outcome: %w", err)
	}
	now := time.Now()
	kept := store.Outcome{Owner: o.Owner, Key: o.Key, Request: o.Request(), Body: body, ExpiresAt: now.Add(OutcomeLife)}
	if err := tx.KeepOutcome(ctx, kept, now); err != nil {
		return fmt.Errorf("keep an outcome: %w", err)
	}
	return nil
}

// keepRefusal keeps that a write was refused, and returns the refusal. Where
// another write with the same key has ended meanwhile, that counts.
func (c *Control) keepRefusal(ctx context.Context, once *Once, refusal *fault.Error, err error) error {
	status := refusal.Status()
	if once == nil || once.Replayed || status >= http.StatusInternalServerError ||
		refusal.Kind == fault.KeyReused || refusal.Kind == fault.RateLimited {
		return err
	}
	// A refusal that cannot be kept is told all the same: it changed nothing, and
	// its repetition will be judged anew.
	_ = c.store.Update(ctx, func(tx store.Tx) error {
		kept, err := tx.Outcome(ctx, once.Owner, once.Key)
		if err == nil && !kept.Expired(time.Now()) {
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return once.put(ctx, tx, &keptOutcome{Refusal: &keptRefusal{
			Kind: refusal.Kind, Message: refusal.Message, Fields: refusal.Fields, Current: refusal.Current,
		}})
	})
	return err
}

func (w *Written[T]) keep() ([]byte, error) {
	kept := keptWritten[T]{Value: w.Value, Position: w.Position, Environments: w.Environments, Changes: make([]keptChange, len(w.Changes))}
	for i, c := range w.Changes {
		kept.Changes[i] = keptChange{c.Set.Environment, c.Set.Project, c.Ref.Kind, c.Ref.Key, c.Action}
	}
	return json.Marshal(kept)
}

func (w *Written[T]) restore(body []byte) error {
	var kept keptWritten[T]
	if err := json.Unmarshal(body, &kept); err != nil {
		return fmt.Errorf("stored outcome: %w", err)
	}
	*w = Written[T]{Value: kept.Value, Position: kept.Position, Environments: kept.Environments, Changes: make([]ItemChange, len(kept.Changes))}
	for i, c := range kept.Changes {
		w.Changes[i] = ItemChange{
			Set:    store.SetID{Project: c.Project, Environment: c.Environment},
			Ref:    snapshot.Ref{Kind: c.Kind, Key: c.Key},
			Action: c.Action,
		}
	}
	return nil
}
