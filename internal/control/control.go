// Package control holds the use cases of management: every change to what
// Wigwag serves is authorised by its caller's scope before it gets here, and is
// validated and built here, in one transaction of the store.
//
// Nothing here publishes anything: the store tells the feed, after the commit.
package control

import (
	"time"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Control is the one way to change or read what is managed. It is safe for
// concurrent use. All its errors that are meant for a caller are *fault.Error.
type Control struct {
	store    store.Store
	programs programs
}

// New returns the use cases over a store.
func New(st store.Store) *Control { return &Control{store: st} }

// Write says who writes, why, and on the strength of what.
type Write struct {
	Actor   string
	Comment string
	// IfMatch, unless zero, refuses the write when what it changes has changed
	// since that position.
	IfMatch snapshot.Position
}

// Project is a project's own document.
type Project struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
}

// Environment is an environment's own document.
type Environment struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
}

// Definition is a flag in its project: what SDKs are told of it in every
// environment, and what only people need.
type Definition struct {
	feature.Definition
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
}

// Read is a thing that was read, with the position at which it last changed (its
// ETag) and the position of its set.
type Read[T any] struct {
	Value T
	// ChangedAt is what a write may give as IfMatch.
	ChangedAt snapshot.Position
	// Position is that of the set when it was read.
	Position snapshot.Position
}

// Written is the outcome of a write.
type Written[T any] struct {
	Value T
	// Position is that of the set the thing is in, after the write.
	Position snapshot.Position
	// Environments are the positions, after the write, of the project's flag
	// sets that it touched, by environment.
	Environments map[string]snapshot.Position
}

// Evaluation is a question to the evaluator.
type Evaluation struct {
	Context feature.EvaluationContext
	// Flags are the keys to resolve, all of the environment where empty.
	Flags []string
	// Explain asks for the traces.
	Explain bool
}

// Evaluated is the answer for one flag.
type Evaluated struct {
	Key     string
	Details feature.ResolutionDetails
	Trace   *eval.Trace
}

// Change is an entry of a flag set's history.
type Change struct {
	Position snapshot.Position
	At       time.Time
	Actor    string
	Comment  string
	Flags    []string // keys of the flags that were put or deleted
	Segments []string // keys of the segments, those whose keys changed included
}
