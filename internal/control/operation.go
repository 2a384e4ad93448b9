package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/fault"
)

// MaxOperations is how many operations one semantic patch may have.
const MaxOperations = 500

// operation is one step of a semantic patch: it says what is meant, such as to
// serve a variant to one more targeting key, whatever the flag has besides.
type operation interface {
	// apply changes the configuration of a flag and marks what it wrote. Its errors
	// name fields of the operation.
	apply(flag *feature.Flag, mark marker) error
}

// marker keeps that an operation wrote a part of a flag: below it in the document,
// within is what the field of the operation leaves out, which is empty where the
// operation itself has the fields of the part.
type marker func(part part, within, field string)

// part names a piece of a configuration in a way that outlives later operations: a
// rule by its id, a prerequisite by its flag, an override by its variant.
type part struct{ list, key string }

var (
	partDefault    = part{list: "default"}
	partOffVariant = part{list: "offVariant"}
)

func partRule(id string) part           { return part{"rules", id} }
func partPrerequisite(flag string) part { return part{"prerequisites", flag} }
func partOverride(variant string) part  { return part{"overrides", variant} }

// operations are a semantic patch.
type operations []operation

// operationTypes makes an empty operation of each name.
var operationTypes = map[string]func() operation{
	"enable":             func() operation { return &switchState{state: feature.StateEnabled} },
	"disable":            func() operation { return &switchState{state: feature.StateDisabled} },
	"setDefault":         func() operation { return &setDefault{} },
	"setOffVariant":      func() operation { return &setOffVariant{} },
	"addOverride":        func() operation { return &addOverride{} },
	"removeOverride":     func() operation { return &removeOverride{} },
	"insertRule":         func() operation { return &insertRule{} },
	"updateRule":         func() operation { return &updateRule{} },
	"removeRule":         func() operation { return &removeRule{} },
	"moveRule":           func() operation { return &moveRule{} },
	"setSplit":           func() operation { return &setSplit{} },
	"addPrerequisite":    func() operation { return &addPrerequisite{} },
	"removePrerequisite": func() operation { return &removePrerequisite{} },
}

// parseOperations reads a semantic patch. The paths of what is wrong begin with
// operations[i].
func parseOperations(data []byte) (operations, error) {
	var document struct {
		Operations []json.RawMessage `json:"operations"`
	}
	if err := fault.OfValidation(feature.DecodeStrict(data, &document)); err != nil {
		return nil, err
	}
	return readOperations(document.Operations)
}

func readOperations(raw []json.RawMessage) (operations, error) {
	if len(raw) == 0 {
		return nil, fault.InvalidField("operations", `there are none; send such as {"operations":[{"op":"enable"}]}`)
	}
	if len(raw) > MaxOperations {
		return nil, fault.InvalidField("operations", "there are %d, at most %d are allowed; send the whole configuration instead", len(raw), MaxOperations)
	}
	list := make(operations, len(raw))
	for i := range raw {
		o, err := readOperation(raw[i])
		if err != nil {
			return nil, within(operationPath(i), err)
		}
		list[i] = o
	}
	return list, nil
}

func operationPath(i int) string { return fmt.Sprintf("operations[%d]", i) }

func readOperation(data []byte) (operation, error) {
	var value feature.Value
	if err := fault.OfValidation(feature.DecodeStrict(data, &value)); err != nil {
		return nil, err
	}
	if value.Kind() != feature.KindObject {
		return nil, fault.New(fault.Invalid, `it must be an object, such as {"op":"enable"}, not a %s`, value.Kind())
	}
	name := ""
	if field := value.Field("op"); field != nil {
		name, _ = field.Text()
	}
	makeEmpty, known := operationTypes[name]
	if !known {
		return nil, fault.InvalidField("op", "%.80q is no operation; the operations are %s", name, strings.Join(operationNames(), ", "))
	}
	o := makeEmpty()
	return o, fault.OfValidation(feature.DecodeStrict(data, o))
}

func operationNames() []string {
	names := make([]string, 0, len(operationTypes))
	for name := range operationTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// within puts the error of a part of a request in its place. Errors that are not
// for the caller stay as they are.
func within(path string, err error) error {
	if known, ok := err.(*fault.Error); ok { //nolint:errorlint // what is wrapped is not for callers
		return known.Within(path)
	}
	return err
}

// apply returns the flag as the operations leave it, in order, and where in them
// its fields come from. Only the outcome is to be valid, not what it passes
// through.
func (list operations) apply(before *feature.Flag) (*feature.Flag, locator, error) {
	after := &feature.Flag{Definition: before.Definition}
	body, err := feature.Encode(before.Configuration)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(body, &after.Configuration); err != nil {
		return nil, nil, err
	}
	marks := make(map[part][]mark)
	for i, o := range list {
		err := o.apply(after, func(p part, within, field string) { marks[p] = append(marks[p], mark{i, within, field}) })
		if err != nil {
			return nil, nil, within(operationPath(i), err)
		}
	}
	return after, func(path string) string { return locateOperation(after, marks, path) }, nil
}

// mark is an operation that wrote a part.
type mark struct {
	operation     int
	within, field string
}

// locator turns the path of a field of a document into that of the field of the
// request that wrote it.
type locator func(path string) string

// fields returns an error with the fields of the request.
func (locate locator) fields(err error) error {
	if known, ok := err.(*fault.Error); ok && locate != nil { //nolint:errorlint // what is wrapped is not for callers
		return known.Relocated(locate)
	}
	return err
}

// locateOperation finds the last operation that wrote a field of the flag, or
// anything in the list that is at fault as a whole.
func locateOperation(flag *feature.Flag, marks map[part][]mark, path string) string {
	p, below, ok := partAt(flag, path)
	if !ok {
		last := -1
		for p, written := range marks {
			if p.list == path {
				last = max(last, written[len(written)-1].operation)
			}
		}
		if last >= 0 {
			return operationPath(last)
		}
		return "operations"
	}
	for _, m := range slices.Backward(marks[p]) {
		if rest, wrote := strings.CutPrefix(below, m.within); wrote {
			return fault.Join(operationPath(m.operation), fault.Join(m.field, strings.TrimPrefix(rest, ".")))
		}
	}
	return fault.Join("operations", path)
}

// partAt returns the part of a flag at a path, and the path below it.
func partAt(flag *feature.Flag, path string) (p part, below string, ok bool) {
	head := path
	if end := strings.IndexAny(path, ".["); end >= 0 {
		head, below = path[:end], path[end:]
	}
	switch head {
	case partDefault.list, partOffVariant.list:
		return part{list: head}, strings.TrimPrefix(below, "."), true
	}
	var index int
	if _, err := fmt.Sscanf(below, "[%d]", &index); err != nil || index < 0 {
		return p, "", false
	}
	below = strings.TrimPrefix(below[strings.IndexByte(below, ']')+1:], ".")
	switch {
	case head == "rules" && index < len(flag.Rules):
		return partRule(flag.Rules[index].ID), below, true
	case head == "prerequisites" && index < len(flag.Prerequisites):
		return partPrerequisite(flag.Prerequisites[index].Flag), below, true
	case head == "overrides" && index < len(flag.Overrides):
		return partOverride(flag.Overrides[index].Variant), below, true
	default:
		return p, "", false
	}
}
