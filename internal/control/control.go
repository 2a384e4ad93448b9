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
	// DryRun executes the write and rolls it back: it is validated and refused as
	// the write would be, and its outcome says what the write would change. The
	// positions that are answered are the present ones.
	DryRun bool
	// Once, unless nil, makes the repetition of a write be answered as the first
	// time, without being executed. A dry run is executed each time.
	Once *Once
	// later, of a write that is a part of a batch, collects the checks that are
	// made at the end of it.
	later *later
}

// Project is a project's own document.
type Project struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	// Archived projects take no changes, and their SDKs are refused.
	Archived bool `json:"archived,omitempty"`
}

// Environment is an environment's own document.
type Environment struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	// Colour is how it is shown, such as #1f883d; empty leaves it to who shows it.
	Colour string `json:"colour,omitempty"`
	// Critical asks people and tools to be careful with changes.
	Critical bool `json:"critical,omitempty"`
	// Streaming is whether SDKs may stream, or must poll; nil is true.
	Streaming *bool `json:"streaming,omitempty"`
	// HashVersion is 2 or 3, zero is 2. It is kept for translations of the flag set;
	// nothing depends on it yet.
	HashVersion int `json:"hashVersion,omitempty"`
	// Archived environments take no changes of their own, and their SDKs are refused.
	Archived bool `json:"archived,omitempty"`
}

// Definition is a flag in its project: what SDKs are told of it in every
// environment, and what only people need.
type Definition struct {
	feature.Definition
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	// Permanent flags are not meant to be archived one day.
	Permanent bool `json:"permanent,omitempty"`
	// Schema is a JSON Schema, 2020-12, that the value of every variant of an object
	// flag conforms to; nil is none.
	Schema *feature.Value `json:"schema,omitempty"`
	// Archived flags are in no flag set.
	Archived bool `json:"archived,omitempty"`
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
	// Changes are the items that the write changed: of the project first, then of
	// its environments by key. There are none where everything was so already.
	Changes []ItemChange
}

// Evaluation is a question to the evaluator.
type Evaluation struct {
	Context feature.EvaluationContext
	// Flags are the keys to resolve, all of the environment where empty.
	Flags []string
	// Explain asks for the traces.
	Explain bool
	// At is the version at which to evaluate; zero is the current one.
	At uint64
}

// Evaluated is the answer for one flag.
type Evaluated struct {
	Key     string
	Details feature.ResolutionDetails
	Trace   *eval.Trace
}

// Change is an entry of the history of a flag set or of a project.
type Change struct {
	Position snapshot.Position
	At       time.Time
	Actor    string
	Comment  string
	Flags    []string // keys of the flags, or of the definitions, that were put or deleted
	Segments []string // keys of the segments, those whose keys changed included
	// Environments are the keys of the environments, in the history of a project.
	Environments []string
}
