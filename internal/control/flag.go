package control

import (
	"context"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

func flagRef(flag string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.KindFlag, Key: flag} }

// readFlag reads a flag of a flag set.
func readFlag(ctx context.Context, r store.Reader, set store.Set, flag string) (Read[*feature.Flag], error) {
	item, err := item(ctx, r, set.ID, flagRef(flag), fault.New(fault.NotFound,
		"Project %q has no flag %.140q; list its flags or create it.", set.ID.Project, flag))
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	decoded, err := decode[feature.Flag](set.ID, item)
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	return read(decoded, set, item.Version), nil
}

// Flag returns a flag of an environment, as SDKs receive it.
func (c *Control) Flag(ctx context.Context, project, environment, flag string) (Read[*feature.Flag], error) {
	set, err := flagSet(ctx, c.store, project, environment)
	if err != nil {
		return Read[*feature.Flag]{}, err
	}
	return readFlag(ctx, c.store, set, flag)
}

// PatchFlag applies a JSON Merge Patch (RFC 7396) to the configuration of a flag
// in one environment. A rule without an id gets one; a split without a salt gets
// the one it had, or the flag's key and a full stop.
func (c *Control) PatchFlag(ctx context.Context, w Write, project, environment, flag string, patch []byte) (Written[*feature.Flag], error) {
	change, err := parsePatch(patch)
	if err != nil {
		return Written[*feature.Flag]{}, err
	}
	if err := refuseFields(&change, definitionFields,
		"it belongs to the flag's definition; patch projects/%s/flags/%s instead", project, flag); err != nil {
		return Written[*feature.Flag]{}, err
	}
	return c.writeFlag(ctx, w, project, environment, flag, func(before *feature.Flag) (*feature.Flag, locator, error) {
		after := &feature.Flag{Definition: before.Definition}
		return after, nil, patchDocument(before.Configuration, change, &after.Configuration)
	})
}

// PutFlag replaces the configuration of a flag in one environment. A flag as it
// was read serves too: the fields of its definition must be as they are. Ids and
// salts are filled as by [Control.PatchFlag].
func (c *Control) PutFlag(ctx context.Context, w Write, project, environment, flag string, document []byte) (Written[*feature.Flag], error) {
	given, err := parseDocument(document)
	if err != nil {
		return Written[*feature.Flag]{}, err
	}
	return c.writeFlag(ctx, w, project, environment, flag, func(before *feature.Flag) (*feature.Flag, locator, error) {
		after := &feature.Flag{Definition: before.Definition}
		configuration, err := withoutDefinition(&given, before)
		if err != nil {
			return nil, nil, err
		}
		return after, nil, fault.OfValidation(feature.DecodeStrict(configuration, &after.Configuration))
	})
}

// withoutDefinition returns a document without the fields of the flag's
// definition, which it must have as they are.
func withoutDefinition(document *feature.Value, flag *feature.Flag) ([]byte, error) {
	body, err := feature.Encode(flag.Definition)
	if err != nil {
		return nil, err
	}
	var definition feature.Value
	if err := definition.UnmarshalJSON(body); err != nil {
		return nil, err
	}
	fields, _ := document.Fields()
	var own []feature.Attribute
	for i := range fields {
		if !slices.Contains(definitionFields, fields[i].Name) {
			own = append(own, fields[i])
			continue
		}
		if known := definition.Field(fields[i].Name); known == nil || !known.Equal(&fields[i].Value) {
			return nil, fault.InvalidField(fields[i].Name, "it belongs to the flag's definition and is not as it is there; leave it out, and change the definition instead")
		}
	}
	configuration := feature.ObjectValue(own...)
	return configuration.AppendJSON(nil), nil
}

// OperateFlag applies a semantic patch to the configuration of a flag in one
// environment: its operations in order, all or none. Only what they lead to must
// be valid. Errors name fields as operations[i].field. Ids and salts are filled as
// by [Control.PatchFlag].
func (c *Control) OperateFlag(ctx context.Context, w Write, project, environment, flag string, patch []byte) (Written[*feature.Flag], error) {
	list, err := parseOperations(patch)
	if err != nil {
		return Written[*feature.Flag]{}, err
	}
	return c.writeFlag(ctx, w, project, environment, flag, list.apply)
}

// writeFlag gives a flag of an environment the configuration that change makes of
// the one it has, and says where in the request the fields of that come from, or
// nil where they are named alike. The flag that change is given is not changed.
func (c *Control) writeFlag(
	ctx context.Context, w Write, project, environment, flag string,
	change func(before *feature.Flag) (after *feature.Flag, locate locator, err error),
) (Written[*feature.Flag], error) {
	var written Written[*feature.Flag]
	err := c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := flagSet(ctx, tx, project, environment)
		if err != nil {
			return err
		}
		before, err := readFlag(ctx, tx, set, flag)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(set.ID, flagRef(flag), before.ChangedAt, "flag "+flag); err != nil {
			return err
		}
		after, locate, err := change(before.Value)
		if err != nil {
			return err
		}
		complete(after, before.Value)
		if err := fault.OfValidation(after.Validate()); err != nil {
			return locate.fields(err)
		}
		if refersElsewhere(before.Value, after) && !w.later.check(set.ID, flagRef(flag), locate) {
			if err := checkFlagReferences(ctx, tx, set.ID, after); err != nil {
				return locate.fields(err)
			}
		}
		item, err := encodeItem(after)
		if err != nil {
			return err
		}
		position, err := w.commit(ctx, tx, set.ID, []store.Item{item}, nil)
		written = inFlagSet(after, set, position)
		return err
	})
	return written, err
}

// inFlagSet is the outcome of a write to one flag set.
func inFlagSet[T any](value T, set store.Set, position snapshot.Position) Written[T] {
	return Written[T]{
		Value:        value,
		Position:     position,
		Environments: map[string]snapshot.Position{set.ID.Environment: position},
	}
}

// refersElsewhere reports whether a flag refers to other things than it did, so
// that they must be looked at.
func refersElsewhere(before, after *feature.Flag) bool {
	return !slices.EqualFunc(before.Prerequisites, after.Prerequisites, func(a, b feature.Prerequisite) bool {
		return a.Flag == b.Flag && slices.Equal(a.Variants, b.Variants)
	}) || !slices.Equal(mentions(before.EachSegment), mentions(after.EachSegment))
}

// mentions collects what EachSegment visits, sorted.
func mentions(each func(visit func(key string))) []string {
	var keys []string
	each(func(key string) { keys = append(keys, key) })
	slices.Sort(keys)
	return slices.Compact(keys)
}
