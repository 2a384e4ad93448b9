package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// trace is a trace of the API, which api/evaluation.md defines.
type trace struct {
	Flag  string  `json:"flag"`
	Steps []*step `json:"steps"`
}

type step struct {
	Step       string      `json:"step"`
	State      string      `json:"state"`
	Flag       string      `json:"flag"`
	Rule       string      `json:"rule"`
	Name       string      `json:"name"`
	Variants   []string    `json:"variants"`
	By         string      `json:"by"`
	Value      *string     `json:"value"`
	Salt       string      `json:"salt"`
	Hash       *uint32     `json:"hash"`
	Bucket     *int        `json:"bucket"`
	Boundaries []*boundary `json:"boundaries"`
	Variant    string      `json:"variant"`
	Holds      bool        `json:"holds"`
	When       *node       `json:"when"`
	Trace      *trace      `json:"trace"`
}

// boundary is the pair of a variant and the bucket below which it is served.
type boundary struct {
	variant string
	below   int
}

// UnmarshalJSON reads the pair.
func (b *boundary) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&b.variant, &b.below})
}

// node is a condition with its result. All and Any are nil unless it has the form.
type node struct {
	All       []*node           `json:"all"`
	Any       []*node           `json:"any"`
	Not       *node             `json:"not"`
	Segment   string            `json:"segment"`
	Attribute string            `json:"attribute"`
	Op        string            `json:"op"`
	Values    []json.RawMessage `json:"values"`
	Value     json.RawMessage   `json:"value"` // nil where it was missing
	By        string            `json:"by"`
	When      *node             `json:"when"`
	Holds     bool              `json:"holds"`
}

// mark says how something turned out.
type mark int

const (
	unmarked mark = iota
	yes
	no
)

func marked(holds bool) mark {
	if holds {
		return yes
	}
	return no
}

// branch is a line of a tree with what hangs on it.
type branch struct {
	mark     mark
	text     string
	branches []branch
}

func (t *trace) branch() branch {
	b := branch{text: t.Flag}
	for _, s := range t.Steps {
		b.branches = append(b.branches, s.branch())
	}
	return b
}

func (s *step) branch() branch {
	switch s.Step {
	case "state":
		return branch{mark: marked(s.State == string(feature.StateEnabled)), text: "state: " + s.State}
	case "prerequisite":
		b := branch{mark: marked(s.Holds), text: "prerequisite: " + s.Flag + " must be " + cmp.Or(strings.Join(s.Variants, " or "), "something it never is")}
		if s.Variant == "" {
			b.text += ", but it has none"
		} else {
			b.text += ", is " + s.Variant
		}
		if s.Trace != nil && len(s.Trace.Steps) > 0 {
			b.branches = s.Trace.branch().branches
		}
		return b
	case "override":
		return branch{mark: marked(s.Holds), text: "override: the targeting key is listed for " + s.Variant}
	case "rule":
		b := branch{mark: marked(s.Holds), text: "rule: " + s.Rule}
		if s.Name != "" {
			b.text += " (" + s.Name + ")"
		}
		if s.When != nil {
			b.branches = []branch{s.When.branch()}
		}
		return b
	case "default":
		return branch{text: "default: nothing above decided"}
	case "split":
		return s.split()
	default:
		return branch{text: s.Step} // of a newer server
	}
}

func (s *step) split() branch {
	b := branch{text: fmt.Sprintf("split by %s: nothing to split by, so the off variant %s", s.By, s.Variant)}
	if s.Value != nil && s.Hash != nil && s.Bucket != nil {
		b.text = fmt.Sprintf("split by %s: %q with the salt %q hashes to %d, bucket %d of %d: %s",
			s.By, *s.Value, s.Salt, *s.Hash, *s.Bucket, feature.SplitTotal, s.Variant)
	}
	from := 0
	for _, limit := range s.Boundaries {
		part := branch{text: fmt.Sprintf("%s: buckets %d to %d", limit.variant, from, limit.below-1)}
		if limit.below <= from {
			part.text = limit.variant + ": no bucket"
		}
		if s.Bucket != nil {
			part.mark = marked(from <= *s.Bucket && *s.Bucket < limit.below)
		}
		b.branches = append(b.branches, part)
		from = limit.below
	}
	return b
}

func (n *node) branch() branch {
	b := branch{mark: marked(n.Holds)}
	add := func(nodes ...*node) {
		for _, child := range nodes {
			if child != nil {
				b.branches = append(b.branches, child.branch())
			}
		}
	}
	switch {
	case n.Segment != "":
		b.text = "in segment " + n.Segment + segmentReasons[n.By]
		add(n.When)
	case n.Attribute != "":
		b.text = n.comparison()
	case n.Not != nil:
		b.text = "not"
		add(n.Not)
	case n.All != nil:
		b.text = "all of"
		add(n.All...)
	default:
		b.text = "any of"
		add(n.Any...)
	}
	return b
}

var segmentReasons = map[string]string{
	"included": ": the targeting key is included",
	"excluded": ": the targeting key is excluded",
	"when":     ": by its condition",
	"none":     ": not included, and it has no condition",
}

func (n *node) comparison() string {
	values := make([]string, len(n.Values))
	for i, value := range n.Values {
		values[i] = string(value)
	}
	text := n.Attribute + " " + n.Op
	if len(values) > 0 {
		text += " " + strings.Join(values, ", ")
	}
	if n.Value == nil {
		return text + ": there is no " + n.Attribute
	}
	return text + ": it is " + string(n.Value)
}

// tree prints a branch with everything on it.
func (s *screen) tree(b branch) {
	s.line("%s", s.paint(strong, b.text))
	s.branches(b.branches, "")
}

func (s *screen) branches(branches []branch, indent string) {
	for i := range branches {
		b := &branches[i]
		joint, below := "├─ ", "│  "
		if i == len(branches)-1 {
			joint, below = "└─ ", "   "
		}
		sign := ""
		switch b.mark {
		case yes:
			sign = s.paint(good, "✓") + " "
		case no:
			sign = s.paint(bad, "✗") + " "
		}
		s.line("%s%s%s", s.paint(faint, indent+joint), sign, plain(b.text))
		s.branches(b.branches, indent+below)
	}
}
