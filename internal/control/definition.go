package control

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Limits of what people note on a flag; lengths are in bytes.
const (
	maxDescription = 2000
	maxOwner       = 200
	maxTags        = 20
	maxTag         = 64
)

// definitionFields and configurationFields are the two halves of a flag.
var (
	definitionFields    = []string{"key", "type", "variants", "clientVisible", "metadata", "description", "owner", "tags", "permanent", "schema", "archived"}
	configurationFields = []string{"state", "offVariant", "prerequisites", "overrides", "rules", "default"}
)

// refuseFields refuses a patch that names fields which are kept elsewhere.
func refuseFields(patch *feature.Value, names []string, format string, args ...any) error {
	for _, name := range names {
		if patch.Field(name) != nil {
			return fault.InvalidField(name, format, args...)
		}
	}
	return nil
}

func definitionRef(flag string) snapshot.Ref {
	return snapshot.Ref{Kind: store.KindDefinition, Key: flag}
}

// readDefinition reads a flag's definition and the set it is in.
func readDefinition(ctx context.Context, r store.Reader, project, flag string) (Read[Definition], error) {
	set, err := catalogue(ctx, r, project)
	if err != nil {
		return Read[Definition]{}, err
	}
	item, err := item(ctx, r, set.ID, definitionRef(flag), fault.New(fault.NotFound,
		"Project %q has no flag %.140q; list its flags or create it.", project, flag))
	if err != nil {
		return Read[Definition]{}, err
	}
	definition, err := decode[Definition](set.ID, item)
	if err != nil {
		return Read[Definition]{}, err
	}
	return read(*definition, set, item.Version), nil
}

// Definition returns a flag of a project.
func (c *Control) Definition(ctx context.Context, project, flag string) (Read[Definition], error) {
	return readDefinition(ctx, c.store, project, flag)
}

// checkDefinition validates a definition by itself.
func checkDefinition(d *Definition) error {
	if err := checkText("description", d.Description, maxDescription); err != nil {
		return err
	}
	if err := checkText("owner", d.Owner, maxOwner); err != nil {
		return err
	}
	if len(d.Tags) > maxTags {
		return fault.InvalidField("tags", "there are %d, at most %d are allowed", len(d.Tags), maxTags)
	}
	for i, tag := range d.Tags {
		field := fmt.Sprintf("tags[%d]", i)
		if tag == "" {
			return fault.InvalidField(field, "a tag is not empty; leave it out")
		}
		if slices.Contains(d.Tags[:i], tag) {
			return fault.InvalidField(field, "%q is there twice; leave one out", tag)
		}
		if err := checkText(field, tag, maxTag); err != nil {
			return err
		}
	}
	if err := d.Definition.Validate(); err != nil {
		return fault.OfValidation(err)
	}
	if err := checkSchema(d); err != nil {
		return err
	}
	return fault.OfValidation(initialFlag(d.Definition).Validate()) // its size
}

// CreateFlag adds a flag to a project and, with its initial configuration, to
// every environment. A boolean flag that names no variants gets on and off. A key
// that is taken is a Conflict. IfMatch means nothing here.
func (c *Control) CreateFlag(ctx context.Context, w Write, project string, d Definition) (Written[Definition], error) {
	if d.Type == feature.TypeBoolean && len(d.Variants) == 0 {
		d.Variants = onOff()
	}
	written := Written[Definition]{Value: d}
	if d.Archived {
		return written, fault.InvalidField("archived", "a new flag is not archived; create it and archive it then")
	}
	if err := checkDefinition(&d); err != nil {
		return written, err
	}
	document, err := encodeDocument(definitionRef(d.Key), d)
	if err != nil {
		return written, err
	}
	flag, err := encodeItem(initialFlag(d.Definition))
	if err != nil {
		return written, err
	}
	err = c.update(ctx, w, &written, func(tx store.Tx) error {
		set, err := catalogue(ctx, tx, project)
		if err != nil {
			return err
		}
		taken, err := readDefinition(ctx, tx, project, d.Key)
		if err == nil && taken.Value.Archived {
			return fault.New(fault.Conflict, "Project %q has an archived flag %q; restore it, delete it, or choose another key.", project, d.Key)
		}
		if err == nil {
			return fault.New(fault.Conflict, "Project %q has a flag %q already; choose another key or change that flag.", project, d.Key)
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if written.Position, err = w.commit(ctx, tx, set.ID, []store.Item{document}, nil); err != nil {
			return err
		}
		sets, err := flagSets(ctx, tx, project)
		if err != nil {
			return err
		}
		written.Environments = make(map[string]snapshot.Position, len(sets))
		for _, set := range sets {
			position, err := w.commitAnyway(ctx, tx, set.ID, []store.Item{flag}, nil)
			if err != nil {
				return err
			}
			written.Environments[set.ID.Environment] = position
		}
		return nil
	})
	return written, err
}

// PatchDefinition applies a JSON Merge Patch (RFC 7396) to a flag of a project.
// Key and type stay as they are. What SDKs are told of the flag is joined anew
// with its configuration in every environment; Written.Environments has those
// that it changed. A variant that something still serves or demands cannot be
// removed (InUse).
func (c *Control) PatchDefinition(ctx context.Context, w Write, project, flag string, patch []byte) (Written[Definition], error) {
	var written Written[Definition]
	change, err := parsePatch(patch)
	if err != nil {
		return written, err
	}
	if err := refuseFields(&change, configurationFields,
		"it belongs to the flag's configuration in an environment; patch projects/%s/environments/{environment}/flags/%s instead",
		project, flag); err != nil {
		return written, err
	}
	err = c.update(ctx, w, &written, func(tx store.Tx) error {
		before, err := readDefinition(ctx, tx, project, flag)
		if err != nil {
			return err
		}
		if err := w.unchangedSince(store.SetID{Project: project}, definitionRef(flag), before.ChangedAt, "the definition of flag "+flag); err != nil {
			return err
		}
		var after Definition
		if err := patchDocument(before.Value, change, &after); err != nil {
			return err
		}
		if before.Value.Archived {
			return fault.New(fault.Conflict, "Flag %q is archived and takes no changes; restore it first.", flag)
		}
		if after.Archived {
			return fault.InvalidField("archived", "a patch does not archive; archive the flag instead")
		}
		if after.Key != flag {
			return fault.InvalidField("key", "the key of a flag cannot change; create a new flag with that key")
		}
		if after.Type != before.Value.Type {
			return fault.InvalidField("type", "flag %s stays a %s flag; create a new flag for another type", flag, before.Value.Type)
		}
		if err := checkDefinition(&after); err != nil {
			return err
		}
		document, err := encodeDocument(definitionRef(flag), after)
		if err != nil {
			return err
		}
		written = Written[Definition]{Value: after}
		if written.Position, err = w.commit(ctx, tx, store.SetID{Project: project}, []store.Item{document}, nil); err != nil {
			return err
		}
		written.Environments, err = w.rejoin(ctx, tx, project, before.Value.Definition, after.Definition)
		return err
	})
	return written, err
}

// rejoin writes a changed definition to every environment that it changes.
func (w Write) rejoin(ctx context.Context, tx store.Tx, project string, before, after feature.Definition) (map[string]snapshot.Position, error) {
	touched := map[string]snapshot.Position{}
	was, err := feature.Encode(before)
	if err != nil {
		return nil, err
	}
	is, err := feature.Encode(after)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(was, is) {
		return touched, nil
	}
	var removed []string
	for _, variant := range before.Variants {
		if after.Variants.Get(variant.Key) == nil {
			removed = append(removed, variant.Key)
		}
	}
	sets, err := flagSets(ctx, tx, project)
	if err != nil {
		return nil, err
	}
	var uses []string
	for _, set := range sets {
		flag, err := readFlag(ctx, tx, set, after.Key)
		if err != nil {
			return nil, err
		}
		used, err := w.usesOf(ctx, tx, set.ID, flag.Value, removed)
		if err != nil {
			return nil, err
		}
		if uses = append(uses, used...); len(uses) > 0 {
			continue // look for the uses in the other environments, write nothing
		}
		joined := &feature.Flag{Definition: after, Configuration: flag.Value.Configuration}
		if err := fault.OfValidation(joined.Validate()); err != nil {
			return nil, err
		}
		item, err := encodeItem(joined)
		if err != nil {
			return nil, err
		}
		if touched[set.ID.Environment], err = w.commitAnyway(ctx, tx, set.ID, []store.Item{item}, nil); err != nil {
			return nil, err
		}
	}
	if len(uses) > 0 {
		return nil, fault.New(fault.InUse, "Flag %q still needs what the patch removes: %s. Change that first.", after.Key, few(uses))
	}
	return touched, nil
}
