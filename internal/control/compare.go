package control

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/snapshot"
)

// Likeness is how a thing of one environment compares with that of another.
type Likeness string

// The likenesses.
const (
	Same      Likeness = "same"
	Different Likeness = "different"
	// MissingHere and MissingThere are of things that one environment has alone.
	MissingHere  Likeness = "missing-here"
	MissingThere Likeness = "missing-there"
)

// Compared is one flag or segment of two environments.
type Compared struct {
	Key      string
	Likeness Likeness
	// Fields are those that differ.
	Fields []ComparedField
}

// ComparedField is a field that differs. Here and There are its values, nil where
// it is absent; of lists of targeting keys, which may be long, both are nil.
type ComparedField struct {
	Field       string
	Here, There json.RawMessage
}

// EnvironmentComparison is how two environments of a project differ.
type EnvironmentComparison struct {
	Here, There     snapshot.Position
	Flags, Segments []Compared
}

// CompareEnvironments compares the flags and segments of an environment with
// those of another.
func (c *Control) CompareEnvironments(ctx context.Context, project, environment, with string) (EnvironmentComparison, error) {
	if environment == with {
		return EnvironmentComparison{}, fault.InvalidField("with", "it is the environment itself; name another")
	}
	here, err := readPlace(ctx, c.store, project, environment)
	if err != nil {
		return EnvironmentComparison{}, err
	}
	there, err := readPlace(ctx, c.store, project, with)
	if err != nil {
		return EnvironmentComparison{}, err
	}
	result := EnvironmentComparison{Here: here.set.Position, There: there.set.Position}
	if result.Flags, err = compareKind(here, there, snapshot.KindFlag); err != nil {
		return result, err
	}
	result.Segments, err = compareKind(here, there, snapshot.KindSegment)
	return result, err
}

func compareKind(here, there *servedPlace, kind snapshot.Kind) ([]Compared, error) {
	keys := make(map[string]bool)
	for _, place := range []*servedPlace{here, there} {
		for ref := range place.items {
			if ref.Kind == kind {
				keys[ref.Key] = true
			}
		}
	}
	result := make([]Compared, 0, len(keys))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		compared, err := compareItem(here, there, snapshot.Ref{Kind: kind, Key: key})
		if err != nil {
			return nil, err
		}
		result = append(result, compared)
	}
	return result, nil
}

func compareItem(here, there *servedPlace, ref snapshot.Ref) (Compared, error) {
	compared := Compared{Key: ref.Key, Likeness: Same}
	a, isHere := here.items[ref]
	b, isThere := there.items[ref]
	switch {
	case !isHere:
		compared.Likeness = MissingHere
		return compared, nil
	case !isThere:
		compared.Likeness = MissingThere
		return compared, nil
	}
	var err error
	if compared.Fields, err = differingValues(a, b); err != nil {
		return compared, err
	}
	if ref.Kind == snapshot.KindSegment {
		for _, name := range listNames {
			if !slices.Equal(here.keysOf(ref.Key, name), there.keysOf(ref.Key, name)) {
				compared.Fields = append(compared.Fields, ComparedField{Field: string(name)})
			}
		}
	}
	if len(compared.Fields) > 0 {
		compared.Likeness = Different
	}
	return compared, nil
}

// differingValues returns the fields of two documents that differ, in the order
// of the first, but for the lists of a segment and how they are kept.
func differingValues(a, b store.Item) ([]ComparedField, error) {
	if bytes.Equal(a.Body, b.Body) {
		return nil, nil
	}
	var here, there feature.Value
	for value, item := range map[*feature.Value]*store.Item{&here: &a, &there: &b} {
		if err := json.Unmarshal(item.Body, value); err != nil {
			return nil, err
		}
	}
	own, _ := here.Fields()
	others, _ := there.Fields()
	names := make([]string, 0, len(own)+len(others))
	for _, field := range slices.Concat(own, others) {
		kept := a.Kind == snapshot.KindSegment && slices.Contains([]string{"included", "excluded", "shards"}, field.Name)
		if !kept && !slices.Contains(names, field.Name) {
			names = append(names, field.Name)
		}
	}
	var fields []ComparedField
	for _, name := range names {
		x, y := here.Field(name), there.Field(name)
		if x != nil && y != nil && x.Equal(y) {
			continue
		}
		fields = append(fields, ComparedField{Field: name, Here: rawJSON(x), There: rawJSON(y)})
	}
	return fields, nil
}

func rawJSON(v *feature.Value) json.RawMessage {
	if v == nil {
		return nil
	}
	return v.AppendJSON(nil)
}

// keysOf returns the keys of a list of a segment, sorted, however they are kept.
func (p *servedPlace) keysOf(segment string, name feature.ListName) []string {
	inline, shards := listOf(p.segment(segment), name)
	if *shards == 0 {
		return sortedKeys(*inline)
	}
	var keys []string
	for shard := range *shards {
		var part feature.SegmentKeys
		// What cannot be read differs from everything but itself.
		item := p.items[snapshot.KeysRef(segment, name, shard)]
		if err := json.Unmarshal(item.Body, &part); err != nil {
			part.Keys = []string{string(item.Body)}
		}
		keys = append(keys, part.Keys...)
	}
	return sortedKeys(keys)
}
