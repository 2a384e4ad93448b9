package control

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Evaluate resolves flags of an environment as its SDKs do, or did, at the position
// that it returns, each flag once and sorted by key. A flag that is not there is
// answered with FLAG_NOT_FOUND.
func (c *Control) Evaluate(ctx context.Context, project, environment string, e Evaluation) ([]Evaluated, snapshot.Position, error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return nil, snapshot.Position{}, err
	}
	current, err := c.program(ctx, set, e.At)
	if err != nil {
		return nil, snapshot.Position{}, err
	}
	flags := e.Flags
	if len(flags) == 0 {
		flags = current.flags
	}
	flags = sortedKeys(flags)
	answers := make([]Evaluated, len(flags))
	for i, flag := range flags {
		answers[i].Key = flag
		details := current.program.Resolve(flag, &e.Context)
		if e.Explain {
			details, answers[i].Trace = current.program.Explain(flag, &e.Context)
		}
		answers[i].Details = *details
	}
	return answers, current.position, nil
}

// program returns what resolves the flags of a set at a version, zero for the
// current one. Programs of the past are not kept: they are asked for once.
func (c *Control) program(ctx context.Context, set store.Set, version uint64) (*compiled, error) {
	if version != 0 && version != set.Position.Version {
		if err := checkVersion(set, "at", version); err != nil {
			return nil, err
		}
		then, items, err := c.past(ctx, set, version)
		if err != nil {
			return nil, err
		}
		return compile(then, items), nil
	}
	if kept := c.programs.at(set); kept != nil {
		return kept, nil
	}
	now, items, err := c.store.SnapshotAt(ctx, set.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("read snapshot of %s: %w", set.ID, err)
	}
	current := compile(now, items)
	c.programs.keep(set.ID, current)
	return current, nil
}

// compiled is a flag set at one position, ready to resolve.
type compiled struct {
	position snapshot.Position
	program  *eval.Program
	flags    []string
}

func compile(set store.Set, items []store.Item) *compiled {
	decoded := make([]*snapshot.Item, len(items))
	for i := range items {
		// What cannot be decoded is served as it is, and here resolved as SDKs
		// resolve it: with an error of that flag.
		decoded[i], _ = snapshot.NewItem(items[i].Ref, items[i].Body)
	}
	header := snapshot.Header{Project: set.ID.Project, Environment: set.ID.Environment, Projection: snapshot.ProjectionServer}
	flagSet := snapshot.New(header, set.Position, set.CommittedAt, decoded).FlagSet()
	result := &compiled{position: set.Position, program: eval.Compile(flagSet), flags: make([]string, len(flagSet.Flags))}
	for i, flag := range flagSet.Flags {
		result.flags[i] = flag.Key
	}
	return result
}

// maxPrograms bounds the compiled flag sets that are kept.
const maxPrograms = 8

// programs keeps the latest compiled flag sets. The zero value is ready; it is
// safe for concurrent use.
type programs struct {
	mu     sync.Mutex
	latest map[store.SetID]*compiled
	order  []store.SetID // the one used least recently first
}

// at returns what was compiled of a set at its position, nil where nothing was.
func (p *programs) at(set store.Set) *compiled {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.latest[set.ID]
	if kept == nil || kept.position != set.Position {
		return nil
	}
	p.use(set.ID)
	return kept
}

// keep keeps what was compiled of a set, in place of an earlier position.
func (p *programs) keep(id store.SetID, c *compiled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latest == nil {
		p.latest = make(map[store.SetID]*compiled)
	}
	if kept := p.latest[id]; kept != nil && c.position.Before(kept.position) {
		return
	}
	p.latest[id] = c
	p.use(id)
	if len(p.order) > maxPrograms {
		delete(p.latest, p.order[0])
		p.order = slices.Delete(p.order, 0, 1)
	}
}

// use moves a set to the end of the order.
func (p *programs) use(id store.SetID) {
	p.order = append(slices.DeleteFunc(p.order, func(other store.SetID) bool { return other == id }), id)
}
