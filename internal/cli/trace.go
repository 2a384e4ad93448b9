package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/wigwag/wigwag/eval"
	"github.com/wigwag/wigwag/feature"
)

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

// traceBranch draws a trace as a tree.
func traceBranch(t *eval.Trace) branch {
	b := branch{text: t.Flag}
	for _, s := range t.Steps {
		b.branches = append(b.branches, stepBranch(s))
	}
	return b
}

func stepBranch(s *eval.Step) branch {
	holds := s.Holds != nil && *s.Holds
	switch s.Step {
	case "state":
		return branch{mark: marked(s.State == feature.StateEnabled), text: "state: " + string(s.State)}
	case "prerequisite":
		b := branch{mark: marked(holds), text: "prerequisite: " + s.Flag + " must be " + cmp.Or(strings.Join(s.Variants, " or "), "something it never is")}
		if s.Variant == "" {
			b.text += ", but it has none"
		} else {
			b.text += ", is " + s.Variant
		}
		if s.Trace != nil && len(s.Trace.Steps) > 0 {
			b.branches = traceBranch(s.Trace).branches
		}
		return b
	case "override":
		return branch{mark: marked(holds), text: "override: the targeting key is listed for " + s.Variant}
	case "rule":
		b := branch{mark: marked(holds), text: "rule: " + s.Rule}
		if s.Name != "" {
			b.text += " (" + s.Name + ")"
		}
		if s.When != nil {
			b.branches = []branch{nodeBranch(s.When)}
		}
		return b
	case "default":
		return branch{text: "default: nothing above decided"}
	case "split":
		return splitBranch(s)
	default:
		return branch{text: s.Step} // of a newer server
	}
}

func splitBranch(s *eval.Step) branch {
	b := branch{text: fmt.Sprintf("split by %s: nothing to split by, so the off variant %s", s.By, s.Variant)}
	if s.Value != nil && s.Hash != nil && s.Bucket != nil {
		b.text = fmt.Sprintf("split by %s: %q with the salt %q hashes to %d, bucket %d of %d: %s",
			s.By, *s.Value, s.Salt, *s.Hash, *s.Bucket, feature.SplitTotal, s.Variant)
	}
	from := 0
	for _, limit := range s.Boundaries {
		part := branch{text: fmt.Sprintf("%s: buckets %d to %d", limit.Variant, from, limit.Below-1)}
		if limit.Below <= from {
			part.text = limit.Variant + ": no bucket"
		}
		if s.Bucket != nil {
			part.mark = marked(from <= *s.Bucket && *s.Bucket < limit.Below)
		}
		b.branches = append(b.branches, part)
		from = limit.Below
	}
	return b
}

func nodeBranch(n *eval.Node) branch {
	b := branch{mark: marked(n.Holds)}
	add := func(nodes ...*eval.Node) {
		for _, child := range nodes {
			if child != nil {
				b.branches = append(b.branches, nodeBranch(child))
			}
		}
	}
	switch {
	case n.Segment != "":
		b.text = "in segment " + n.Segment + segmentReasons[n.By]
		add(n.When)
	case n.Attribute != "":
		b.text = comparison(n)
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

func comparison(n *eval.Node) string {
	values := make([]string, len(n.Values))
	for i, value := range n.Values {
		values[i] = value.String()
	}
	text := n.Attribute + " " + string(n.Op)
	if len(values) > 0 {
		text += " " + strings.Join(values, ", ")
	}
	if n.Value == nil {
		return text + ": there is no " + n.Attribute
	}
	return text + ": it is " + n.Value.String()
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
