// Package store is the contract between Wigwag and its databases: what is kept,
// what a commit promises, and which errors there are. It holds no driver;
// store/sqlite and store/memory implement it, and store/storetest is the suite
// that every implementation passes.
//
// Everything is an item in a set. A set with an environment is a flag set: its
// items are the flags, segments and key shards that SDKs receive, as the exact
// bytes that were committed. A set without one is the catalogue of a project:
// its items are what belongs to the project as a whole (its own document, its
// environments, the definitions of its flags). Each set has an epoch and a dense
// log of changes, which is at once what SDKs follow, the audit log and the
// history.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// SetID names a set: a flag set, or with an empty Environment the catalogue of a
// project.
type SetID struct {
	Project     string
	Environment string
}

// String returns project/environment.
func (id SetID) String() string { return id.Project + "/" + id.Environment }

// IsCatalogue reports whether the set is the catalogue of its project.
func (id SetID) IsCatalogue() bool { return id.Environment == "" }

// The kinds of items in a catalogue. Those of a flag set are in package snapshot.
const (
	KindProject     snapshot.Kind = "project"
	KindEnvironment snapshot.Kind = "environment"
	KindDefinition  snapshot.Kind = "definition"
	// KindArchived is a flag as it was in an environment when it was archived; the
	// key is the environment's, a slash, and the flag's.
	KindArchived snapshot.Kind = "archived"
)

// Set is a set's place in time.
type Set struct {
	ID       SetID
	Position snapshot.Position
	// CommittedAt is when the position was committed; at version 0, when the set
	// was made.
	CommittedAt time.Time
	// Oldest is the oldest version at which the set can still be read; the changes
	// after it are those that can. It is zero where nothing was dropped.
	Oldest uint64
}

// Item is an item as it is kept. Items that a store returns are the caller's to
// read; their bodies must not be changed.
type Item struct {
	snapshot.Ref
	Body   []byte
	Digest snapshot.Digest
	// Version is that of the commit that wrote the body.
	Version uint64
}

// Change is one commit of one set.
type Change struct {
	Set     SetID
	Version uint64
	// At is when it was committed, to the microsecond and in UTC, never before the
	// change that precedes it in the set.
	At      time.Time
	Actor   string
	Comment string
	// Put and Delete are sorted by [snapshot.Ref.Compare].
	Put    []Item
	Delete []snapshot.Ref
}

// Commit is what a transaction writes to one set.
type Commit struct {
	// Actor says who, Comment optionally why.
	Actor, Comment string
	Put            []Item // Digest and Version are filled by the store
	Delete         []snapshot.Ref
}

// Credential is a key or token as it is kept: never its secret. Its times are kept
// to the microsecond, in UTC.
type Credential struct {
	// ID is public and shown in logs.
	ID string
	// Hash is the SHA-256 of the secret.
	Hash [32]byte
	// Kind is sk, ck or tk.
	Kind string
	Name string
	// Set is what an sk or ck reads; zero for a tk.
	Set SetID
	// Scope is how much a tk may do, and Projects the only ones where, sorted; nil
	// is all of them. Both are empty for an sk or ck.
	Scope     string
	Projects  []string
	CreatedAt time.Time
	// CreatedBy is who made it, as the history would name them.
	CreatedBy string
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
	// ReplacedBy is the ID of the credential that was made to take its place.
	ReplacedBy string
	// UsedAt is when it was last used, up to some minutes ago; zero for never.
	UsedAt time.Time
}

// The errors of a store, matched with [errors.Is]. All others mean that the
// store itself failed; whether a failed [Store.Update] committed is then unknown.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	// ErrClosed is returned, after Close, by every method that returns an error;
	// Close itself is the exception.
	ErrClosed = errors.New("store is closed")
	// ErrTooNew means that the database was written by a newer Wigwag.
	ErrTooNew = errors.New("the database was written by a newer Wigwag; run that version or a later one")
)

// NotFoundError is an [ErrNotFound] that says what was not found.
type NotFoundError struct{ What, Key string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %s: not found", e.What, e.Key) }

// Is makes the error an [ErrNotFound].
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// Hint says that a set has moved at least to a version, or with version 0 that it
// was made or deleted. It may be lost, repeated or late: it is a reason to look,
// never the truth.
type Hint struct {
	Set     SetID
	Version uint64
	// Credentials says instead, with the other fields zero, that when some
	// credential expires was changed, or that it was deleted.
	Credentials bool
}

// Reader is what a store and a transaction can both be asked. Lists are sorted:
// sets by project and environment, items by [snapshot.Ref.Compare].
type Reader interface {
	// Sets returns every set. It is cheap enough to be called every few seconds.
	Sets(ctx context.Context) ([]Set, error)
	// Set returns one set, or ErrNotFound.
	Set(ctx context.Context, id SetID) (Set, error)
	// Item returns the current item of that name, or ErrNotFound, also for a set
	// that does not exist.
	Item(ctx context.Context, id SetID, ref snapshot.Ref) (Item, error)
	// Items returns the current items of those kinds, all kinds where none is
	// given. A set that does not exist has none.
	Items(ctx context.Context, id SetID, kinds ...snapshot.Kind) ([]Item, error)
	// ItemsAfter returns the current items of one kind whose keys come after a key
	// (from the first where it is empty), at most limit of them, which is at least
	// 1. Its cost grows with limit, not with the set. A set that does not exist has
	// none.
	ItemsAfter(ctx context.Context, id SetID, kind snapshot.Kind, after string, limit int) ([]Item, error)
	// Credentials returns all credentials, oldest first; those of one time by ID.
	Credentials(ctx context.Context) ([]Credential, error)
}

// Store keeps sets of items, their history, and credentials. It is safe for
// concurrent use.
//
// Commits are atomic over all the sets they touch, durable when Update returns
// nil, and serialised per set: the versions of a set are 1, 2, 3 … without gaps,
// in the order of commit, and whoever reads version n reads everything up to it.
type Store interface {
	Reader

	// Update runs fn in one transaction and commits it when fn returns nil; any
	// error of fn is returned as it is and nothing is kept. Writers wait for each
	// other, so what fn reads cannot change before it commits. fn may be run more
	// than once, must not keep the Tx, and must not call Update or Close. A panic
	// of fn rolls back and goes on; a context that is done before the commit
	// begins rolls back too, and its error is returned. After the commit a hint is
	// sent for each set that was made, that moved or that was deleted.
	Update(ctx context.Context, fn func(Tx) error) error

	// SnapshotAt returns the items of a set as they were right after a version,
	// and the set as of then. Version 0 means the current one. A version beyond
	// the current, or one that retention has dropped, is ErrNotFound. Where refs
	// are given, only the items that they name are returned; a key that ends in a
	// slash stands for all that begin with it.
	SnapshotAt(ctx context.Context, id SetID, version uint64, refs ...snapshot.Ref) (Set, []Item, error)

	// Changes returns the changes of a set after a version, oldest first, complete
	// and without gaps, at most limit of them (all where limit is 0). Bodies are
	// those after the change. A set that does not exist has none; a change that
	// retention has dropped is ErrNotFound.
	Changes(ctx context.Context, id SetID, after uint64, limit int) ([]Change, error)

	// Log returns entries of a set's log, in the order asked for and without bodies.
	// A set that does not exist has none; those that retention has dropped are left
	// out.
	Log(ctx context.Context, id SetID, query LogQuery) ([]Entry, error)

	// DropHistory drops the changes of a set that were committed before a time, but
	// of each item the newest that every version from then on still needs: the set
	// can be read at its newest version of before that time, its Oldest, and at
	// all later ones. It drops about limit items at a time, of one version at least,
	// and reports whether there is more to drop. A set that does not exist is
	// ErrNotFound.
	DropHistory(ctx context.Context, id SetID, before time.Time, limit int) (more bool, err error)

	// Credential returns the credential of a secret's hash, or ErrNotFound.
	Credential(ctx context.Context, hash [32]byte) (Credential, error)
	// Watch calls fn with hints until the returned stop is called; stop returns
	// once no call of fn is under way or will come. fn must not block and must not
	// call the store or stop; its calls come one at a time. A closed store sends
	// none.
	Watch(fn func(Hint)) (stop func())

	// Close waits for what is under way and releases the database. A second call
	// does nothing, but returns no earlier than the first.
	Close() error
}

// Tx is a transaction of [Store.Update], valid until fn returns. Its reads see
// its own writes. It is not safe for concurrent use. Once the store itself has
// failed in one of its methods, Update returns an error and keeps nothing.
type Tx interface {
	Reader

	// CreateSet makes an empty set with a new epoch, at version 0; ErrExists where
	// there is one.
	CreateSet(ctx context.Context, id SetID) error
	// DeleteSet forgets a set with its items, its history, and, for a flag set, the
	// credentials that read it; ErrNotFound where there is none. A set of the same
	// name that is made later, be it in the same transaction, is another: it begins
	// at version 0 of a later epoch. The catalogue of a project goes without its
	// flag sets, which the caller deletes too.
	DeleteSet(ctx context.Context, id SetID) error
	// Commit writes to a set and returns its new position. Items that are put with
	// the bytes that they have already, and deletions of what is not there, are
	// dropped; where nothing is left the position is the old one and nothing is
	// recorded. A name put twice, or both put and deleted, is an error, as is a set
	// that does not exist (ErrNotFound); nothing is written then. The bodies are
	// copied.
	//
	// Several commits to a set in one transaction are one version: of the writes
	// to one name the last counts, and the actor and the comment are those of the
	// last commit that wrote anything. A version that was returned stays, even
	// where a later commit of the transaction writes back what was there before;
	// its change then names what was written and deleted all the same.
	Commit(ctx context.Context, id SetID, commit Commit) (snapshot.Position, error)
	// AddCredential keeps a credential; ErrExists where its ID or its hash is
	// taken.
	AddCredential(ctx context.Context, credential Credential) error
	// ReplaceCredential sets by which other a credential is replaced and when it
	// expires, never for a zero time, or returns ErrNotFound.
	ReplaceCredential(ctx context.Context, id, by string, expiresAt time.Time) error
	// UseCredential notes that a credential was used. It does nothing where it was
	// used later than that already, or does not exist.
	UseCredential(ctx context.Context, id string, at time.Time) error
	// DeleteCredential forgets a credential, or returns ErrNotFound.
	DeleteCredential(ctx context.Context, id string) error

	// Outcome returns what is kept under a key of an owner, expired or not, or
	// ErrNotFound.
	Outcome(ctx context.Context, owner, key string) (Outcome, error)
	// KeepOutcome keeps an outcome, in the place of the one under the same owner
	// and key, and forgets all that have expired by now.
	KeepOutcome(ctx context.Context, outcome Outcome, now time.Time) error
}
